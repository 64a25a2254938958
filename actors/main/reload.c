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

static void take_config(struct supervisor *s)
{
	const struct config *fresh = NULL, *told;
	struct config_changes changes = {0};
	char *errors = xcalloc(1, CONFIG_ERRORS_SIZE);
	enum err e = config_reload(
		s->config, s->arg->input, &fresh, &changes, errors, CONFIG_ERRORS_SIZE);

	if (e != E_OK) {
		for (char *line = errors, *next; line != NULL && *line != '\0'; line = next) {
			next = strchr(line, '\n');
			if (next != NULL)
				*next++ = '\0';
			log_event(LOG_ERROR, "config_refused", "%s", line);
		}
	} else {
		told = descriptors_fit(&s->arg->limits, fresh, s->told, errors, CONFIG_ERRORS_SIZE);
		must(told != NULL); /* the least of it fitted at the start */
		config_unref(&s->config);
		config_unref(&s->told);
		s->config = fresh;
		s->told = told;
		supervisor_set_log(s);
		log_changes(&changes);
		send_config(s);
	}
	xfree(errors);
}

void supervisor_reload(struct supervisor *s)
{
	char text[64];

	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_us());
	notify_send(text);
	log_event(LOG_INFO, "config_reload", LOG_NOTHING);
	take_config(s);
	notify_send("READY=1");
}
