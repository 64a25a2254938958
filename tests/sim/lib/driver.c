/* SPDX-License-Identifier: MIT */
/*
 * The drivers: in the place of HTTP, what people ask for; in the place of main, the stop.
 *
 * A scenario sends between turns and lets the world run until the answer is there.
 */
#include "tests/sim/lib/priv.h"

#define PATIENCE (60 * SEC)

static void drop(struct actor *a, struct msg **m)
{
	(void)a;
	must((*m)->type == MSG_RELOAD || (*m)->type == MSG_HEALTH || (*m)->type == MSG_COUNTERS);
}

static const struct actor_handler handlers[] = {{KMSG_NONE, drop}, {0, NULL}};

const struct actor_spec sim_main_spec = {.role_name = "main", .handlers = handlers};
const struct actor_spec sim_http_spec = {.role_name = "http", .handlers = handlers};

/* --- people --- */

static void on_answer(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct daemon *d = ctx;

	(void)a;
	d->answered = true;
	d->err = err;
	if (m == NULL || *m == NULL)
		return;
	d->answer = *m;
	*m = NULL;
}

static bool is_answered(struct sim *s, void *ctx)
{
	const struct daemon *d = ctx;

	(void)s;
	return d->answered;
}

/* The answer is left in d->answer, which may be NULL. */
static enum err ask(struct daemon *d, struct msg **m)
{
	struct daemon *before = d->s->current;

	must(d->alive && d->answer == NULL);
	d->answered = false;
	d->s->current = d;
	(void)actor_turn(d->http, 0); /* takes the time, which deadlines count from */
	actor_call(d->http, ADDR_SESSION, m, on_answer, d);
	sched_begin(d);
	d->s->current = before;
	if (!sim_run_until(d->s, is_answered, d, PATIENCE))
		must_not_reach("the session does not answer");
	return d->err;
}

static enum err ask_and_free(struct daemon *d, struct msg **m)
{
	enum err err = ask(d, m);

	msg_free(d->http, &d->answer);
	return err;
}

enum err sim_add(struct daemon *d, const struct content *c, bool start)
{
	struct msg *m = msg_new(d->http, MSG_TORRENT_ADD);
	struct m_torrent_add *add = MSG_AS(TORRENT_ADD, m);

	add->body = xmemdup(c->meta->raw.p, c->meta->raw.n);
	add->body_n = c->meta->raw.n;
	add->start = start;
	return ask_and_free(d, &m);
}

enum err sim_set(struct daemon *d, const struct content *c, enum torrent_op op, uint64_t value)
{
	struct msg *m = msg_new(d->http, MSG_TORRENT_SET);
	struct m_torrent_set *set = MSG_AS(TORRENT_SET, m);

	memcpy(set->infohash, c->meta->infohash.v1, sizeof set->infohash);
	set->op = op;
	set->value = value;
	return ask_and_free(d, &m);
}

struct m_torrent_view *sim_view(struct daemon *d, const struct content *c)
{
	struct m_torrent_view *v = msg_new(d->http, MSG_TORRENT_VIEW);
	struct msg *m = &v->h;

	v->parts = VIEW_ALL & ~(unsigned)VIEW_FILES;
	memcpy(v->infohash, c->meta->infohash.v1, sizeof v->infohash);
	must(ask(d, &m) == E_OK || d->answer != NULL);
	m = d->answer;
	d->answer = NULL;
	return container_of(m, struct m_torrent_view, h);
}

void sim_view_free(struct daemon *d, struct m_torrent_view **v)
{
	struct msg *m = &(*v)->h;

	*v = NULL;
	msg_free(d->http, &m);
}

/* --- the stop --- */

static const uint16_t steps[] = {
	ADDR(ROLE_HTTP, 0),
	ADDR(ROLE_SESSION, 0),
	ADDR(ROLE_PEERS, 0),
	ADDR(ROLE_STORE, 0),
	ADDR(ROLE_WORKER, 0),
	ADDR(ROLE_WORKER, 1),
	ADDR(ROLE_STATE, 0),
	ADDR(ROLE_TRACKER, 0),
};

static void on_quiet(struct actor *a, void *ctx, enum err err, struct msg **m);

static void quiesce_next(struct daemon *d)
{
	struct msg *m;

	d->quiet = d->step == ARRAY_LEN(steps);
	if (d->quiet)
		return;
	m = msg_new(d->main, MSG_QUIESCE);
	actor_call(d->main, steps[d->step++], &m, on_quiet, d);
}

static void on_quiet(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct daemon *d = ctx;

	(void)a;
	(void)m;
	(void)sim_expect(d->s, err == E_OK, "role %u does not come to rest: %s",
		ADDR_ROLE(steps[d->step - 1]), err_name(err));
	must(err == E_OK);
	quiesce_next(d);
}

static bool is_quiet(struct sim *s, void *ctx)
{
	const struct daemon *d = ctx;

	(void)s;
	return d->quiet;
}

void driver_quiesce(struct daemon *d)
{
	struct daemon *before = d->s->current;

	d->step = 0;
	d->s->current = d;
	(void)actor_turn(d->main, 0);
	quiesce_next(d);
	sched_begin(d);
	d->s->current = before;
	if (!sim_run_until(d->s, is_quiet, d, PATIENCE))
		must_not_reach("a daemon does not come to rest");
}
