/* SPDX-License-Identifier: MIT */
/*
 * Supervision: a ping to every actor each second, one at a time for each.  The first goes out at
 * the start, with what it takes to reach an actor and to be answered: nothing is set up later.
 *
 * A ping is never given up on, so that an actor that was stuck is seen to turn again the moment it
 * answers, and does not find a heap of old pings.  Who has not answered for SLOW is reported, at
 * most once a minute, with the message in hand and since when.
 */
#include "actors/main/supervise.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "actors/kernel/log.h"
#include "actors/main/notify.h"

#define PING_EVERY   (1 * USEC_PER_SEC)
#define PING_FOREVER (INT64_C(1000000) * USEC_PER_SEC)
#define SLOW         (5 * USEC_PER_SEC)
#define LOG_EVERY    (60 * USEC_PER_SEC)

static struct supervisor *supervisor_of(const struct actor *a)
{
	struct supervisor *s;

	CAST_OBJ(s, actor_self(a), SUPERVISOR_MAGIC);
	return s;
}

bool supervisor_ended(const struct actor *a)
{
	return supervisor_of(a)->ended;
}

bool supervisor_failed(const struct actor *a)
{
	return supervisor_of(a)->failed;
}

/* --- health --- */

void supervisor_log_stuck(const struct supervisor *s, const struct watched *w, const char *event)
{
	struct actor_state st;
	int64_t now = actor_now(s->actor);

	actors_state(s->arg->set, w->index, &st);
	log_event(LOG_ERROR, event, "actor=%s message=%s for_ms=%" PRId64, st.role,
		st.handling_name != NULL ? st.handling_name : "none",
		st.since_us != 0 ? (now - st.since_us) / USEC_PER_MSEC : 0);
}

static bool is_well(const struct supervisor *s, const struct watched *w)
{
	return w->pinged_us == 0 || actor_now(s->actor) - w->pinged_us < SLOW;
}

static void on_pong(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct watched *w = ctx;

	(void)m;
	if (err == E_STOPPING)
		return;
	if (w->logged_us != 0)
		log_event(LOG_WARNING, "actor_recovered", "addr=%u after_ms=%" PRId64, w->addr,
			(actor_now(a) - w->pinged_us) / USEC_PER_MSEC);
	w->pinged_us = 0;
	w->logged_us = 0;
}

static void watch_one(struct supervisor *s, struct watched *w)
{
	int64_t now = actor_now(s->actor);
	struct msg *m;

	if (w->pinged_us == 0) {
		m = msg_new(s->actor, MSG_PING);
		w->pinged_us = now;
		actor_call_within(s->actor, w->addr, &m, PING_FOREVER, on_pong, w);
	} else if (!is_well(s, w) && (w->logged_us == 0 || now - w->logged_us >= LOG_EVERY)) {
		supervisor_log_stuck(s, w, "actor_stuck");
		w->logged_us = now;
	}
}

static void on_ping_timer(struct loop_timer *t, int64_t now)
{
	struct supervisor *s = container_of(t, struct supervisor, ping_timer);

	for (unsigned i = 0; i < s->watched_n; i++)
		watch_one(s, &s->watched[i]);
	loop_timer_set(actor_loop(s->actor), t, now + PING_EVERY);
}

static void on_health(struct actor *a, struct msg **m)
{
	struct supervisor *s = supervisor_of(a);
	struct m_health *r = container_of(*m, struct m_health, h);
	struct actor_state st;

	r->ok = true;
	for (unsigned i = 0; i < s->watched_n; i++) {
		bool well = is_well(s, &s->watched[i]);
		struct actor_health *h;
		r->ok = r->ok && well;
		if (r->n == ARRAY_LEN(r->actors))
			continue; /* the report names as many as it has room for */
		h = &r->actors[r->n++];
		actors_state(s->arg->set, s->watched[i].index, &st);
		snprintf(h->name, sizeof h->name, "%s", st.role);
		h->ok = well;
		if (well)
			continue;
		snprintf(h->handling, sizeof h->handling, "%s",
			st.handling_name != NULL ? st.handling_name : "none");
		h->stuck_ms = (actor_now(a) - s->watched[i].pinged_us) / USEC_PER_MSEC;
	}
	actor_reply(a, m, E_OK);
}

/* --- configuration --- */

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
	const uint32_t to = msg_table.types[MSG_RELOAD].to;

	for (unsigned i = 0; i < s->watched_n; i++) {
		uint16_t addr = s->watched[i].addr;
		struct msg *m;
		if ((to >> ADDR_ROLE(addr) & 1u) == 0)
			continue;
		m = msg_new(s->actor, MSG_RELOAD);
		container_of(m, struct m_reload, h)->config = config_ref(s->config);
		actor_cast(s->actor, addr, &m);
	}
}

static void take_config(struct supervisor *s)
{
	const struct config *fresh = NULL;
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
		config_unref(&s->config);
		s->config = fresh;
		log_set_level((enum log_level)s->config->log_level);
		log_changes(&changes);
		send_config(s);
	}
	xfree(errors);
}

static void reload(struct supervisor *s)
{
	char text[64];

	if (s->stop_step != 0)
		return;
	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_us());
	notify_send(text);
	log_event(LOG_INFO, "config_reload", "%s", "");
	take_config(s);
	notify_send("READY=1");
}

/* --- signals --- */

static void on_signal(struct loop_fd *node, uint32_t ready)
{
	struct supervisor *s = container_of(node, struct supervisor, signal_fd);
	struct signalfd_siginfo si;

	(void)ready;
	while (read(node->fd, &si, sizeof si) == (ssize_t)sizeof si) {
		if (si.ssi_signo == SIGHUP) {
			reload(s);
			continue;
		}
		log_event(LOG_INFO, "signal", "name=%s", si.ssi_signo == SIGINT ? "INT" : "TERM");
		supervisor_stop(s);
	}
}

/* --- the actor --- */

static void watch_all(struct supervisor *s)
{
	struct actor_state st;

	s->watched = xcalloc(actors_count(s->arg->set), sizeof *s->watched);
	for (unsigned i = 0; i < actors_count(s->arg->set); i++) {
		actors_state(s->arg->set, i, &st);
		if (st.addr == ADDR_MAIN)
			continue;
		s->watched[s->watched_n++] =
			(struct watched){.sup = s, .addr = st.addr, .index = i};
	}
}

static void *main_init(struct actor *a, const void *arg)
{
	struct supervisor *s;

	ALLOC_OBJ(s, SUPERVISOR_MAGIC);
	s->actor = a;
	s->arg = arg;
	s->config = config_ref(s->arg->config);
	watch_all(s);
	s->signal_fd.fn = on_signal;
	s->ping_timer.fn = on_ping_timer;
	must(loop_fd_add(actor_loop(a), &s->signal_fd, s->arg->signals, POLL_IN) == E_OK);
	loop_timer_set(actor_loop(a), &s->ping_timer, actor_now(a));
	return s;
}

static void main_fini(struct actor *a)
{
	struct supervisor *s = supervisor_of(a);

	loop_timer_del(actor_loop(a), &s->ping_timer);
	loop_fd_del(actor_loop(a), &s->signal_fd);
	config_unref(&s->config);
	xfree(s->watched);
	FREE_OBJ(s);
}

static const struct actor_handler handlers[] = {
	{MSG_HEALTH, on_health},
	{0, NULL},
};

const struct actor_spec main_spec = {
	.role_name = "main",
	.handlers = handlers,
	.init = main_init,
	.fini = main_fini,
};
