/* SPDX-License-Identifier: MIT */
/*
 * Changing options over the API: tried, kept in the database, and only then in force.
 *
 * One change at a time: whether options are good together is known only against what counts, so the
 * next one waits for nobody and is refused meanwhile.
 */
#include "actors/main/supervise.h"

#include <stdio.h>

#include "actors/kernel/log.h"

static void say(struct m_options_set *m, const char *words)
{
	snprintf(m->why.text, sizeof m->why.text, "%.*s", (int)strcspn(words, "\n"), words);
}

/* The text with all wishes in it, the caller's; NULL: one of them is wrong, which m says. */
static char *wish_for(const struct supervisor *s, struct m_options_set *m, enum err *e)
{
	char *changed = s->changed != NULL ? xstrdup(s->changed) : NULL;

	*e = E_OK;
	for (uint32_t i = 0; i < m->wishes_n && *e == E_OK; i++)
		*e = config_change(&changed, s->config, m->wishes[i].name, m->wishes[i].value,
			m->why.text, sizeof m->why.text);
	if (*e != E_OK)
		xfree(changed);
	return *e == E_OK ? changed : NULL;
}

/* Whether the text is good with all the rest; nothing comes of it. */
static enum err try_changes(
	const struct supervisor *s, const char *changed, struct m_options_set *m)
{
	char *errors = xcalloc(1, CONFIG_ERRORS_SIZE);
	struct config_input input = s->input;
	struct config_changes changes;
	const struct config *fresh = NULL;
	enum err e;

	input.changed = changed;
	e = config_reload(s->config, &input, &fresh, &changes, errors, CONFIG_ERRORS_SIZE);
	if (e == E_OK)
		config_unref(&fresh);
	else
		say(m, errors);
	xfree(errors);
	return e == E_OK ? E_OK : E_RANGE;
}

static void say_restart(struct m_options_set *m, const struct config_changes *changes)
{
	m->restart_n = (uint32_t)changes->restart_n;
	memcpy(m->restart, changes->restart, sizeof m->restart);
}

/* It is kept: from now on it counts, whatever becomes of the rest of the configuration. */
static enum err take_changes(struct supervisor *s, struct m_options_set *m)
{
	char *errors = xcalloc(1, CONFIG_ERRORS_SIZE);
	struct config_changes changes = {0};
	enum err e;

	xfree(s->changed);
	s->changed = s->changing_to;
	s->changing_to = NULL;
	s->input.changed = s->changed;
	e = supervisor_take_config(s, &changes, errors, CONFIG_ERRORS_SIZE);
	if (e == E_OK)
		say_restart(m, &changes);
	else
		say(m, errors);
	xfree(errors);
	return e == E_OK ? E_OK : E_RANGE;
}

static void on_kept(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct supervisor *s;
	struct m_options_set *set;

	CAST_OBJ(s, ctx, SUPERVISOR_MAGIC);
	set = MSG_AS(OPTIONS_SET, s->changing);
	if (err == E_OK)
		err = take_changes(s, set);
	else if (m != NULL)
		set->why = MSG_AS(STATE_OPTIONS, *m)->why;
	xfree(s->changing_to);
	s->changing_to = NULL;
	actor_reply(a, &s->changing, err);
}

static void keep(struct supervisor *s, struct msg **m, char *changed)
{
	struct m_state_options *put = msg_new(s->actor, MSG_STATE_OPTIONS);

	s->changing = *m;
	*m = NULL;
	s->changing_to = changed;
	put->changed = xstrdup(changed);
	msg_call(s->actor, ADDR_STATE, put, on_kept, s);
}

void supervisor_change(struct supervisor *s, struct msg **m)
{
	struct m_options_set *set = MSG_AS(OPTIONS_SET, *m);
	char *changed;
	enum err e;

	CHECK_OBJ(s, SUPERVISOR_MAGIC);
	if (s->changing != NULL || s->stop_step != 0) {
		actor_reply(s->actor, m, s->stop_step != 0 ? E_STOPPING : E_BUSY);
		return;
	}
	changed = wish_for(s, set, &e);
	if (e == E_OK && changed != NULL)
		e = try_changes(s, changed, set);
	if (e != E_OK || changed == NULL) {
		xfree(changed);
		actor_reply(s->actor, m, e);
		return;
	}
	keep(s, m, changed);
}
