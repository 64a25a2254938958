/* SPDX-License-Identifier: MIT */
/*
 * The status actor: what changes is asked of the session by revisions while somebody wants to know,
 * and published.
 *
 * Nobody is remembered: what is kept is one mirror for all, and that only while there is a
 * subscriber, or was a question of late.  A snapshot is made when all that came before its question
 * has been published, so a subscriber who asks once the subscription is acknowledged misses
 * nothing.
 */
#include "actors/status/priv.h"

#include "actors/kernel/clock.h"

#define PAGE           1000u /* rows in a message of the session */
#define RETRY          (1 * USEC_PER_SEC)
#define IDLE           (60 * USEC_PER_SEC) /* without anybody, the mirror is given up */
#define EVENTS_IN_TURN 256u

static struct status *publisher_of(struct actor *a)
{
	struct status *s;

	CAST_OBJ(s, actor_self(a), STATUS_MAGIC);
	return s;
}

/* --- verified pieces --- */

static void ask_pieces(struct status *s);

static void on_pieces(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct status *s;

	(void)a;
	CAST_OBJ(s, ctx, STATUS_MAGIC);
	s->asking_pieces = false;
	if (err == E_OK && s->phase == STATUS_ON)
		publisher_tell_pieces(s, MSG_AS(STORE_PIECES, *m));
	if (s->piecing != subscribed_kind(&s->subscribed, "piece"))
		ask_pieces(s);
}

/* What the store has noted for us; it begins with the first question, and ends with the last. */
static void ask_pieces(struct status *s)
{
	bool on = subscribed_kind(&s->subscribed, "piece");
	struct m_store_pieces *m;

	if ((!on && !s->piecing) || s->asking_pieces || actor_stopping(s->actor))
		return;
	s->piecing = on;
	s->asking_pieces = true;
	m = msg_new(s->actor, MSG_STORE_PIECES);
	m->on = on;
	msg_call(s->actor, ADDR_STORE, m, on_pieces, s);
}

/* --- asking the session --- */

static void on_rows(struct actor *a, void *ctx, enum err err, struct msg **m);

static void ask(struct status *s)
{
	struct m_torrent_rows *m;

	if (s->asking || actor_stopping(s->actor))
		return;
	s->asking = true;
	m = msg_new(s->actor, MSG_TORRENT_ROWS);
	m->of = s->phase == STATUS_LOADING ? ROWS_PAGE : ROWS_SINCE;
	m->epoch = s->epoch;
	m->since = s->rev;
	m->from = s->next;
	m->limit = PAGE;
	msg_call(s->actor, ADDR_SESSION, m, on_rows, s);
}

/* All of them, into the mirror that is there. */
static void load(struct status *s)
{
	s->phase = STATUS_LOADING;
	s->next = 0;
	s->epoch = 0;
	s->mirror.round++;
	ask(s);
}

static void begin(struct status *s)
{
	uint64_t now = (uint64_t)clock_wall_us(), beyond = s->mirror.base + (UINT64_C(1) << 32);

	mirror_reset(&s->mirror, s->mirror.base == 0 ? now : MAX(now, beyond));
	s->stats_sequence = s->mirror.base;
	xfree(s->stats);
	s->stats = NULL;
	s->quiet = true;
	load(s);
}

/* Nobody is there: what was told to nobody is forgotten. */
static void end(struct status *s)
{
	mirror_reset(&s->mirror, s->mirror.base);
	s->phase = STATUS_OFF;
}

static void put_rows(struct status *s, struct m_torrent_rows *m)
{
	unsigned topics;

	for (uint32_t i = 0; i < m->rows_n; i++) {
		const struct mirrored *t = mirror_put(&s->mirror, &m->rows[i], &topics);

		if (!s->quiet)
			publisher_tell(s, t, topics);
	}
}

static void drop(struct status *s, struct mirrored *t)
{
	publisher_tell_gone(s, t);
	mirror_remove(&s->mirror, t);
}

/* The mirror is whole. */
static void settle(struct status *s)
{
	struct mirrored *t;
	uint32_t at = 0;

	while ((t = mirror_stale(&s->mirror, &at)) != NULL)
		drop(s, t);
	s->quiet = false;
	s->phase = STATUS_ON;
}

static void take_page(struct status *s, struct m_torrent_rows *m)
{
	if (s->next == 0) { /* what changes from the first page on is told again */
		s->epoch = m->epoch_now;
		s->rev = m->rev;
	} else if (m->reset) {
		load(s);
		return;
	}
	put_rows(s, m);
	s->next = m->next;
	if (m->next != 0)
		ask(s);
	else
		settle(s);
}

static void take_news(struct status *s, struct m_torrent_rows *m)
{
	if (m->reset) {
		load(s);
		return;
	}
	for (uint32_t i = 0; i < m->gone_n; i++) {
		struct mirrored *t = mirror_by_n(&s->mirror, m->gone[i].n);

		if (t != NULL)
			drop(s, t);
	}
	put_rows(s, m);
	s->rev = m->rev;
}

static void sleep_on(struct status *s, int64_t least);

static void on_rows(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct status *s;

	(void)a;
	CAST_OBJ(s, ctx, STATUS_MAGIC);
	s->asking = false;
	if (err == E_OK && s->phase == STATUS_LOADING)
		take_page(s, MSG_AS(TORRENT_ROWS, *m));
	else if (err == E_OK && s->phase == STATUS_ON)
		take_news(s, MSG_AS(TORRENT_ROWS, *m));
	if (err == E_OK && s->phase == STATUS_ON) {
		publisher_tell_stats(s, MSG_AS(TORRENT_ROWS, *m));
		ask_pieces(s); /* of torrents that are listed by now */
		publisher_answer(s);
	}
	sleep_on(s, err == E_OK ? 0 : RETRY);
}

/* --- when --- */

/* When it is time for the next look; one that is due earlier stays. */
static void sleep_on(struct status *s, int64_t least)
{
	int64_t wait = IDLE, at;

	if (s->phase == STATUS_OFF || s->asking || actor_stopping(s->actor)) {
		loop_timer_del(s->loop, &s->timer);
		return;
	}
	if (subscribed_any(&s->subscribed) || s->phase == STATUS_LOADING)
		wait = s->config->status_every;
	at = loop_now(s->loop) + MAX(wait, least);
	if (!loop_timer_is_set(&s->timer) || s->timer.at > at)
		loop_timer_set(s->loop, &s->timer, at);
}

static void on_timer(struct loop_timer *timer, int64_t now)
{
	struct status *s = container_of(timer, struct status, timer);

	CHECK_OBJ(s, STATUS_MAGIC);
	if (subscribed_any(&s->subscribed) || s->phase == STATUS_LOADING) {
		ask(s);
	} else if (now - s->used_at >= IDLE) {
		end(s);
	} else {
		sleep_on(s, 0);
	}
}

/* Somebody wants something: the mirror begins, or what is asked is answered at once. */
static void wake(struct status *s)
{
	bool asked = outlet_is_asked(s->outlet);

	if (actor_stopping(s->actor) || (!asked && !subscribed_any(&s->subscribed)))
		return;
	if (asked)
		s->used_at = loop_now(s->loop);
	if (s->phase == STATUS_OFF)
		begin(s);
	else if (asked)
		ask(s);
	sleep_on(s, 0);
}

/* --- what comes in --- */

static void take_subscription(struct status *s, bool on, const char *prefix, size_t n)
{
	s->used_at = loop_now(s->loop);
	if (on) {
		subscribed_add(&s->subscribed, prefix, n);
		publisher_tell_subscribed(s, prefix, n);
	} else {
		subscribed_remove(&s->subscribed, prefix, n);
	}
	if (s->piecing != subscribed_kind(&s->subscribed, "piece"))
		ask_pieces(s);
}

/* At the end of each turn: a send may have swallowed what a descriptor would have told. */
static void receive(struct actor *a)
{
	struct status *s = publisher_of(a);
	char prefix[OUTLET_PREFIX];
	unsigned done = 0;
	bool on;
	size_t n;

	if (s->outlet == NULL)
		return;
	outlet_judge(s->outlet);
	while (done < EVENTS_IN_TURN && outlet_subscription(s->outlet, &on, prefix, &n) == E_OK) {
		take_subscription(s, on, prefix, n);
		done++;
	}
	if (done == EVENTS_IN_TURN)
		loop_task_post(s->loop, &s->again);
	wake(s);
}

static void on_ready(struct loop_fd *fd, uint32_t ready)
{
	(void)fd;
	(void)ready; /* the end of the turn receives */
}

static void on_again(struct loop_task *task)
{
	(void)task;
}

/* --- life --- */

static void handle_reload(struct actor *a, struct msg **pm)
{
	struct m_reload *m = MSG_AS(RELOAD, *pm);
	struct status *s = publisher_of(a);

	config_unref(&s->config);
	s->config = m->config;
	m->config = NULL;
	if (s->outlet != NULL)
		outlet_clients(s->outlet, &s->config->status_clients);
}

static void *init_status(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct status *s;

	ALLOC_OBJ(s, STATUS_MAGIC);
	s->actor = a;
	s->loop = actor_loop(a);
	s->config = config_ref(env->config);
	s->env = env;
	s->outlet = env->status;
	s->timer.fn = on_timer;
	s->again.fn = on_again;
	for (unsigned i = 0; i < OUTLET_FDS; i++) {
		s->fds[i] = (struct loop_fd){.fd = -1, .fn = on_ready};
		if (s->outlet != NULL)
			must(loop_fd_add(s->loop, &s->fds[i], outlet_fd(s->outlet, i), POLL_IN) ==
				E_OK);
	}
	return s;
}

static void quiesce_status(struct actor *a)
{
	sleep_on(publisher_of(a), 0);
	actor_quiesced(a);
}

static void fini_status(struct actor *a)
{
	struct status *s = publisher_of(a);

	for (unsigned i = 0; i < OUTLET_FDS; i++)
		loop_fd_del(s->loop, &s->fds[i]);
	loop_timer_del(s->loop, &s->timer);
	loop_task_del(s->loop, &s->again);
	if (s->outlet != NULL)
		publisher_close(&s->outlet);
	mirror_fini(&s->mirror);
	subscribed_fini(&s->subscribed);
	xfree(s->stats);
	config_unref(&s->config);
	FREE_OBJ(s);
}

static const struct actor_handler handlers[] = {
	{MSG_RELOAD, handle_reload},
	{0, NULL},
};

const struct actor_spec publisher_spec = {
	.role_name = "status",
	.handlers = handlers,
	.init = init_status,
	.quiesce = quiesce_status,
	.tick_end = receive,
	.fini = fini_status,
};
