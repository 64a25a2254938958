/* SPDX-License-Identifier: MIT */
/*
 * SIGHUP: the configuration is read again, checked as a whole, and told to the actors.  What is
 * wrong is said line by line and changes nothing.
 */
#include "actors/main/supervise.h"

#include <inttypes.h>
#include <stdio.h>

#include "actors/kernel/log.h"
#include "actors/main/notify.h"

static void log_changes(const struct config_changes *c)
{
	for (size_t i = 0; i < c->live_n; i++)
		log_event(LOG_INFO, "config_changed", "option=%s", config_option_name(c->live[i]));
	for (size_t i = 0; i < c->restart_n; i++)
		log_event(LOG_WARNING, "config_needs_restart", "option=%s",
			config_option_name(c->restart[i]));
}

static void send_config(struct supervisor *s)
{
	const uint32_t to = message_table.types[MSG_RELOAD].to;

	for (unsigned i = 0; i < s->watched_n; i++) {
		uint16_t addr = s->watched[i].addr;
		struct msg *m;
		if ((to >> ADDR_ROLE(addr) & 1u) == 0)
			continue;
		m = msg_new(s->actor, MSG_RELOAD);
		container_of(m, struct m_reload, h)->config = config_ref(s->told);
		actor_cast(s->actor, addr, &m);
	}
}

void supervisor_set_log(const struct supervisor *s)
{
	const struct config_list *names;
	const char *unknown;

	CHECK_OBJ(s, SUPERVISOR_MAGIC);
	names = &s->told->log_trace;
	log_set_level((enum log_level)s->told->log_level);
	if (!actors_trace(s->arg->set, (const char *const *)names->v, names->n, &unknown))
		log_event(LOG_WARNING, "log_trace", "unknown=%s", unknown);
}

static void log_errors(const char *errors)
{
	while (*errors != '\0') {
		size_t n = strcspn(errors, "\n");

		log_event(LOG_ERROR, "config_refused", "%.*s", (int)n, errors);
		errors += n + (errors[n] == '\n');
	}
}

static void adopt(struct supervisor *s, const struct config *fresh)
{
	char errors[256];
	const struct config *told =
		descriptors_fit(&s->arg->limits, fresh, s->told, errors, sizeof errors);

	must(told != NULL); /* the least of it fitted at the start */
	config_unref(&s->config);
	config_unref(&s->told);
	s->config = fresh;
	s->told = told;
	supervisor_set_log(s);
}

enum err supervisor_take_config(
	struct supervisor *s, struct config_changes *changes, char *errors, size_t size)
{
	const struct config *fresh = NULL;
	enum err e;

	CHECK_OBJ(s, SUPERVISOR_MAGIC);
	e = config_reload(s->config, &s->input, &fresh, changes, errors, size);
	if (e != E_OK) {
		log_errors(errors);
		return e;
	}
	adopt(s, fresh);
	log_changes(changes);
	send_config(s);
	return E_OK;
}

void supervisor_reload(struct supervisor *s)
{
	struct config_changes changes;
	char *errors;
	char text[64];

	CHECK_OBJ(s, SUPERVISOR_MAGIC);
	errors = xcalloc(1, CONFIG_ERRORS_SIZE);
	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_us());
	notify_send(text);
	log_event(LOG_INFO, "config_reload", LOG_NOTHING);
	(void)supervisor_take_config(s, &changes, errors, CONFIG_ERRORS_SIZE);
	xfree(errors);
	notify_send("READY=1");
}
