/* SPDX-License-Identifier: MIT */
/*
 * The main actor: signals come in, and go to those who reload and stop; what the others are doing
 * is known to health.c.
 */
#include "actors/main/supervise.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "actors/kernel/log.h"

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

/* --- signals --- */

static void on_signal(struct loop_fd *node, uint32_t ready)
{
	struct supervisor *s = container_of(node, struct supervisor, signal_fd);
	struct signalfd_siginfo si;

	(void)ready;
	while (read(node->fd, &si, sizeof si) == (ssize_t)sizeof si) {
		if (si.ssi_signo == SIGHUP) {
			if (s->stop_step == 0)
				supervisor_reload(s);
			continue;
		}
		log_event(LOG_INFO, "signal", "name=%s", si.ssi_signo == SIGINT ? "INT" : "TERM");
		supervisor_stop(s);
	}
}

/* --- the actor --- */

static void *main_init(struct actor *a, const void *arg)
{
	struct supervisor *s;

	ALLOC_OBJ(s, SUPERVISOR_MAGIC);
	s->actor = a;
	s->arg = arg;
	s->input = *s->arg->input;
	s->changed = s->arg->changed != NULL ? xstrdup(s->arg->changed) : NULL;
	s->config = config_ref(s->arg->config);
	s->told = config_ref(s->arg->env->config);
	s->signal_fd.fn = on_signal;
	must(loop_fd_add(actor_loop(a), &s->signal_fd, s->arg->signals, POLL_IN) == E_OK);
	supervisor_set_log(s);
	health_start(s);
	return s;
}

static void main_fini(struct actor *a)
{
	struct supervisor *s = supervisor_of(a);

	health_stop(s);
	loop_fd_del(actor_loop(a), &s->signal_fd);
	config_unref(&s->config);
	config_unref(&s->told);
	if (s->changing != NULL)
		msg_free(a, &s->changing);
	xfree(s->changing_to);
	xfree(s->changed);
	xfree(s->watched);
	FREE_OBJ(s);
}

static void on_health(struct actor *a, struct msg **m)
{
	health_report(supervisor_of(a), container_of(*m, struct m_health, h));
}

static void on_counters(struct actor *a, struct msg **m)
{
	struct m_counters *c = MSG_AS(COUNTERS, *m);
	const struct actors *set = supervisor_of(a)->arg->set;

	c->now = actor_now(a);
	c->n = actors_count(set);
	c->actors = xcalloc(c->n, sizeof *c->actors);
	for (unsigned i = 0; i < c->n; i++)
		actors_counters(set, i, &c->actors[i]);
}

static void on_options(struct actor *a, struct msg **m)
{
	supervisor_change(supervisor_of(a), m);
}

static const struct actor_handler handlers[] = {
	{MSG_COUNTERS, on_counters},
	{MSG_HEALTH, on_health},
	{MSG_OPTIONS_SET, on_options},
	{0, NULL},
};

const struct actor_spec main_spec = {
	.role_name = "main",
	.handlers = handlers,
	.init = main_init,
	.fini = main_fini,
};
