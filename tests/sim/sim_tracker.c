/* SPDX-License-Identifier: MIT */
/*
 * The tracker actor and the tracker in one: the world knows who is in which swarm.
 *
 * Who announces hears of all the others a little later; they hear of it when it connects.
 */
#include "actors/kernel/loop.h"
#include "tests/sim/sim_priv.h"

#define ANSWER_US (50 * USEC_PER_MSEC)
#define AGAIN_US  (300 * USEC_PER_SEC)
#define TORRENTS  16u
#define NAMED_MAX 50u

struct swarm_entry {
	uint8_t infohash[20];
	struct endpoint at;
	bool seed;
};

struct announce {
	struct ttracker *owner;
	struct loop_timer timer;
	struct tref t;
	uint8_t infohash[20];
	bool used, seed;
};

struct ttracker {
	struct actor *actor;
	struct daemon *d;
	struct announce v[TORRENTS];
};

static struct swarm_entry *find_entry(
	struct sim *s, const uint8_t infohash[20], const struct endpoint *at)
{
	for (uint32_t i = 0; i < s->swarm_n; i++)
		if (memcmp(s->swarm[i].infohash, infohash, 20) == 0 &&
			endpoint_equal(&s->swarm[i].at, at))
			return &s->swarm[i];
	return NULL;
}

static void enter(struct sim *s, const uint8_t infohash[20], const struct endpoint *at, bool seed)
{
	struct swarm_entry *e = find_entry(s, infohash, at);

	if (e == NULL) {
		s->swarm = xrealloc(s->swarm, sizeof *s->swarm * (s->swarm_n + 1));
		e = &s->swarm[s->swarm_n++];
		e->at = *at;
		memcpy(e->infohash, infohash, 20);
	}
	e->seed = seed;
}

static void leave(struct sim *s, const uint8_t infohash[20], const struct endpoint *at)
{
	struct swarm_entry *e = find_entry(s, infohash, at);

	if (e != NULL)
		*e = s->swarm[--s->swarm_n];
}

/* A tracker names some, by lot. */
static void choose_some(struct sim *s, struct m_peers_found *f)
{
	for (uint32_t i = 0; f->n > NAMED_MAX && i < NAMED_MAX; i++) {
		uint32_t k = i + rng_below(&s->noise, (uint32_t)f->n - i);
		struct endpoint x = f->peers[k];

		f->peers[k] = f->peers[i];
		f->peers[i] = x;
	}
	f->n = MIN(f->n, NAMED_MAX);
}

static void answer(struct loop_timer *timer, int64_t now)
{
	struct announce *n = container_of(timer, struct announce, timer);
	struct sim *s = n->owner->d->s;
	struct m_peers_found *f = msg_new(n->owner->actor, MSG_PEERS_FOUND);

	f->t = n->t;
	f->peers = xcalloc(s->swarm_n + 1, sizeof *f->peers);
	for (uint32_t i = 0; i < s->swarm_n; i++) {
		const struct swarm_entry *e = &s->swarm[i];

		if (memcmp(e->infohash, n->infohash, 20) != 0 ||
			endpoint_equal(&e->at, &n->owner->d->host->at))
			continue;
		f->peers[f->n++] = e->at;
		f->seeds += e->seed;
	}
	choose_some(s, f);
	actor_cast(n->owner->actor, ADDR(ROLE_PEERS, n->t.shard), (struct msg **)&f);
	loop_timer_set(actor_loop(n->owner->actor), &n->timer, now + AGAIN_US);
}

static void announce(struct announce *n)
{
	enter(n->owner->d->s, n->infohash, &n->owner->d->host->at, n->seed);
	loop_timer_set(
		actor_loop(n->owner->actor), &n->timer, actor_now(n->owner->actor) + ANSWER_US);
}

static void stop(struct announce *n)
{
	leave(n->owner->d->s, n->infohash, &n->owner->d->host->at);
	loop_timer_del(actor_loop(n->owner->actor), &n->timer);
}

static struct announce *find_torrent(struct ttracker *k, struct tref t)
{
	for (unsigned i = 0; i < TORRENTS; i++)
		if (k->v[i].used && tref_equal(k->v[i].t, t))
			return &k->v[i];
	return NULL;
}

static void on_add(struct actor *a, struct msg **m)
{
	const struct m_tracker_add *add = container_of(*m, struct m_tracker_add, h);
	struct ttracker *k = actor_self(a);
	struct announce *n = k->v;

	while (n->used)
		must(++n < k->v + TORRENTS);
	*n = (struct announce){
		.owner = k, .t = add->t, .used = true, .seed = add->left == 0, .timer.fn = answer};
	memcpy(n->infohash, add->meta->infohash.v1, sizeof n->infohash);
	if (add->active)
		announce(n);
}

static void on_event(struct actor *a, struct msg **m)
{
	const struct m_tracker_event *e = container_of(*m, struct m_tracker_event, h);
	struct announce *n = find_torrent(actor_self(a), e->t);

	if (n == NULL)
		return;
	n->seed = e->left == 0 && e->op != TRACKER_REMOVE;
	if (e->op == TRACKER_START)
		announce(n);
	else if (e->op == TRACKER_COMPLETED)
		enter(n->owner->d->s, n->infohash, &n->owner->d->host->at, true);
	else
		stop(n);
	n->used = e->op != TRACKER_REMOVE;
}

static void on_wanted(struct actor *a, struct msg **m)
{
	struct announce *n = find_torrent(actor_self(a), container_of(*m, struct m_torrent, h)->t);

	if (n != NULL && loop_timer_is_set(&n->timer))
		announce(n);
}

static void on_other(struct actor *a, struct msg **m)
{
	(void)a;
	must((*m)->type == MSG_TRACKER_VIEW || (*m)->type == MSG_PEERS_TOTALS ||
		(*m)->type == MSG_RELOAD);
}

static void *tracker_init(struct actor *a, const void *arg)
{
	struct ttracker *k = xcalloc(1, sizeof *k);

	(void)arg;
	k->actor = a;
	k->d = sim_world()->current;
	return k;
}

static void tracker_quiesce(struct actor *a)
{
	struct ttracker *k = actor_self(a);

	for (unsigned i = 0; i < TORRENTS; i++)
		if (k->v[i].used)
			stop(&k->v[i]);
	actor_quiesced(a);
}

static void tracker_fini(struct actor *a)
{
	struct ttracker *k = actor_self(a);

	for (unsigned i = 0; i < TORRENTS; i++)
		if (k->v[i].used)
			loop_timer_del(actor_loop(a), &k->v[i].timer);
	xfree(k);
}

static const struct actor_handler handlers[] = {
	{MSG_TRACKER_ADD, on_add},
	{MSG_TRACKER_EVENT, on_event},
	{MSG_PEERS_WANTED, on_wanted},
	{KMSG_NONE, on_other},
	{0, NULL},
};

const struct actor_spec sim_tracker_spec = {
	.role_name = "tracker",
	.handlers = handlers,
	.init = tracker_init,
	.quiesce = tracker_quiesce,
	.fini = tracker_fini,
};
