/* SPDX-License-Identifier: MIT */
/*
 * Peer exchange (BEP 11): who is connected here is told to those who are, and what they say is
 * taken with care.
 *
 * Out: a torrent keeps one log of who came and who went, written once for all; each connection
 * reads it on from where it was, when its time has come.  So an interval costs as much as changed,
 * and not peers times peers.  A connection remembers by their hashes whom it was told of, so that
 * nobody is named twice, and nobody gone who was never named.  Who has fallen behind further than
 * the log reaches, or comes new, is told from the list of the peers itself.
 *
 * Named are those we have dialled, and those that called and say where they listen, unless dialling
 * them there has failed; nobody who is banned, also not as gone, because aria2 dials those, too.
 * Addresses that are not of the Internet are named only to peers that have such a one themselves.
 *
 * When: others end a connection on which messages come less than 60 s apart by their own clock, so
 * that a way which delays the first one and not the next must not bring them closer together: they
 * leave PEX_EVERY apart, and only when nothing else waits to leave before them.
 *
 * In: what comes sooner than the specification allows is ignored, and many such end the connection;
 * how much of one peer's word is kept is the list's affair (proto/peerlist).
 */
#include "proto/wire/pex.h"
#include "proto/base/array.h"
#include "proto/swarm/priv.h"

#define PEX_EVERY  (65 * USEC_PER_SEC) /* at least, between two messages to a peer */
#define PEX_SPREAD (5 * USEC_PER_SEC)  /* and up to so much more */
#define PEX_HEAR   (45 * USEC_PER_SEC) /* a message that comes sooner is ignored */
#define PEX_EARLY  7u                  /* so many of them in a row are a flood */
#define PEX_LOG    256u
#define PEX_TOLD   200u               /* whom a connection remembers to have been told of */
#define PEX_GREET  (5 * USEC_PER_SEC) /* it may have said by then whether it is a seed */

/* Who came or went. */
struct pex_record {
	struct pex_peer peer;
	uint32_t hash;
	bool gone;
};

struct swarm_log {
	uint64_t seed; /* of the hashes */
	uint64_t n;    /* records ever; the last PEX_LOG are there */
	struct pex_record v[PEX_LOG];
};

struct swarm_pex {
	int64_t next_at; /* us: when it may be told something next */
	uint64_t read;   /* records of the log it has been told, or need not be */
	bool behind;     /* there may be peers that it was not told of and the log does not name */
	uint32_t listed; /* whom it was told of since it fell behind, without the log */
	uint32_t *told;  /* owned: hashes of whom it was told, a ring when full */
	uint32_t told_n, told_room, told_at;
	int64_t heard_at; /* us: when its last message was taken; INT64_MIN: never */
	unsigned early;   /* messages ignored since */
};

/* --- whom it was told of --- */

static uint32_t *find_told(const struct swarm_pex *x, uint32_t hash)
{
	for (uint32_t i = 0; i < x->told_n; i++)
		if (x->told[i] == hash)
			return &x->told[i];
	return NULL;
}

static void add_told(struct swarm_pex *x, uint32_t hash)
{
	if (x->told_n < PEX_TOLD)
		ARRAY_PUSH(x->told, x->told_n, x->told_room, hash);
	else
		x->told[x->told_at++ % PEX_TOLD] = hash;
}

static void drop_told(struct swarm_pex *x, uint32_t *at)
{
	*at = x->told[--x->told_n];
}

static struct swarm_pex *pex_of(struct swarm_peer *p)
{
	if (p->pex == NULL) {
		p->pex = xcalloc(1, sizeof *p->pex);
		p->pex->behind = true;
		p->pex->heard_at = INT64_MIN;
		p->pex->next_at = INT64_MIN;
		p->pex->read = p->swarm->log != NULL ? p->swarm->log->n : 0;
	}
	return p->pex;
}

/* --- the log --- */

static bool is_near(const struct endpoint *e)
{
	return endpoint_is_private_lan(e) || endpoint_is_loopback(e);
}

/* Where others reach it; NULL: nobody knows. */
static const struct endpoint *address_of(const struct swarm_peer *p)
{
	if (!p->incoming)
		return &p->at;
	return p->reach.port != 0 ? &p->reach : NULL;
}

static bool is_fit(const struct swarm_peer *p, const struct endpoint *e)
{
	const struct peerlist *list = p->swarm->candidates;
	struct peerlist_info info;

	if (!endpoint_is_global(e) && !is_near(e))
		return false;
	if (peerlist_is_banned(list, e))
		return false;
	return !p->incoming || !peerlist_lookup(list, e, &info) || info.failures == 0;
}

static uint8_t flags_of(const struct swarm_peer *p)
{
	return (uint8_t)((p->encrypts ? PEX_ENCRYPTION : 0) |
			 (p->seed || p->upload_only ? PEX_SEED : 0) |
			 (p->incoming ? 0 : PEX_REACHABLE));
}

static void log_record(struct swarm *s, const struct swarm_peer *p, bool gone)
{
	struct swarm_log *l = s->log;
	struct pex_record *r;

	if (l == NULL) {
		l = s->log = xcalloc(1, sizeof *l);
		l->seed = rng_u64(s->rng);
	}
	r = &l->v[l->n++ % PEX_LOG];
	r->peer = (struct pex_peer){.at = *address_of(p), .flags = flags_of(p)};
	r->hash = (uint32_t)endpoint_hash(&r->peer.at, l->seed);
	r->gone = gone;
}

/* Once it is known where it is, and what. */
static void note_come(struct swarm_peer *p, int64_t now)
{
	const struct endpoint *e = address_of(p);

	if (p->pex_listed || e == NULL || (!p->greeted && now - p->connected_at < PEX_GREET))
		return;
	p->pex_listed = true;
	p->pex_named = is_fit(p, e);
	if (p->pex_named)
		log_record(p->swarm, p, false);
}

void swarm_pex_leave(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (p->pex_named && !peerlist_is_banned(p->swarm->candidates, address_of(p)))
		log_record(p->swarm, p, true);
	p->pex_named = p->pex_listed = false;
	if (p->pex != NULL)
		xfree(p->pex->told);
	xfree(p->pex);
	p->pex = NULL;
}

void swarm_pex_forget(struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p == NULL)
			continue;
		p->pex_named = false;
		swarm_pex_leave(p);
	}
	xfree(s->log);
	s->log = NULL;
}

/* --- out --- */

/* Its own address is no news to it, and what it cannot reach is none of its business. */
static bool may_hear(const struct swarm_peer *p, const struct endpoint *e)
{
	return !endpoint_equal(e, &p->at) && !endpoint_equal(e, &p->reach) &&
	       (endpoint_is_global(e) || is_near(&p->at));
}

/* false: there is no room. */
static bool say_come(
	struct swarm_peer *p, const struct pex_peer *who, uint32_t hash, struct pex_message *m)
{
	struct swarm_pex *x = p->pex;

	/* Who went and came back since the last message has been here all the time. */
	for (uint32_t i = 0; i < m->dropped_n; i++)
		if (endpoint_equal(&m->dropped[i], &who->at)) {
			m->dropped[i] = m->dropped[--m->dropped_n];
			add_told(x, hash);
			return true;
		}
	if (find_told(x, hash) != NULL || !may_hear(p, &who->at))
		return true;
	if (m->added_n == PEX_MAX)
		return false;
	m->added[m->added_n++] = *who;
	add_told(x, hash);
	return true;
}

static bool say_gone(
	struct swarm_pex *x, const struct pex_peer *who, uint32_t hash, struct pex_message *m)
{
	uint32_t *told = find_told(x, hash);

	if (told == NULL)
		return true;
	for (uint32_t i = 0; i < m->added_n; i++)
		if (endpoint_equal(&m->added[i].at, &who->at)) {
			m->added[i] = m->added[--m->added_n];
			drop_told(x, told);
			return true;
		}
	if (m->dropped_n == PEX_MAX)
		return false;
	m->dropped[m->dropped_n++] = who->at;
	drop_told(x, told);
	return true;
}

static void fall_behind(struct swarm_pex *x)
{
	if (!x->behind)
		x->listed = 0;
	x->behind = true;
}

static void read_log(struct swarm_peer *p, struct pex_message *m)
{
	const struct swarm_log *l = p->swarm->log;
	struct swarm_pex *x = p->pex;

	if (l == NULL)
		return;
	if (l->n - x->read > PEX_LOG) {
		x->read = l->n - PEX_LOG;
		fall_behind(x);
	}
	for (; x->read < l->n; x->read++) {
		const struct pex_record *r = &l->v[x->read % PEX_LOG];

		if (r->gone && !say_gone(x, &r->peer, r->hash, m))
			return;
		if (!r->gone && !say_come(p, &r->peer, r->hash, m))
			fall_behind(x);
	}
}

/*
 * From anywhere in the list, so that not everybody hears of the same ones, and no more than the
 * connection remembers: whom it has forgotten it would be told of again, without end.
 */
static void read_list(struct swarm_peer *p, struct pex_message *m)
{
	struct swarm *s = p->swarm;
	struct swarm_pex *x = p->pex;
	uint32_t from = rng_below(s->rng, s->peers_cap);

	for (uint32_t k = 0; k < s->peers_cap && x->listed < PEX_TOLD; k++) {
		const struct swarm_peer *o = s->peers[(from + k) % s->peers_cap];
		uint32_t before = m->added_n;
		struct pex_peer who;

		if (o == NULL || o == p || !o->pex_named)
			continue;
		who = (struct pex_peer){.at = *address_of(o), .flags = flags_of(o)};
		if (!say_come(p, &who, (uint32_t)endpoint_hash(&who.at, s->log->seed), m))
			return;
		x->listed += m->added_n - before;
	}
	x->behind = false;
}

static void tell(struct swarm_peer *p, int64_t now)
{
	struct swarm_pex *x = pex_of(p);
	uint8_t bytes[PEX_BUILD_MAX];
	struct wr w = wr_of(bytes, sizeof bytes);
	struct pex_message m;

	if (now < x->next_at || outbuf_len(&p->out) > 0)
		return;
	m.added_n = m.dropped_n = 0;
	read_log(p, &m);
	if (x->behind)
		read_list(p, &m);
	if (m.added_n == 0 && m.dropped_n == 0)
		return;
	pex_build(&w, &m);
	x->next_at = now + PEX_EVERY + rng_below(p->swarm->rng, (uint32_t)PEX_SPREAD);
	(void)swarm_put_extended(p, EXT_PEX, bytes, (size_t)(w.p - bytes));
}

void swarm_tick_pex(struct swarm *s, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	if (!s->gossip)
		return;
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] != NULL)
			note_come(s->peers[i], now);
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] != NULL && s->peers[i]->ext_ids[EXT_PEX] != 0)
			tell(s->peers[i], now);
}

/* --- in --- */

/*
 * Addresses that are not of the Internet lead into our own network: they are taken from those who
 * are in it, and where they are not dialled for trackers either, from those we have dialled there.
 */
static bool may_take(const struct swarm_peer *p, const struct endpoint *e)
{
	bool local = p->swarm->config.allow_local;

	if (endpoint_is_global(e))
		return local || !endpoint_is_privileged(e);
	if (endpoint_is_loopback(e))
		return local && endpoint_is_loopback(&p->at);
	return endpoint_is_private_lan(e) && is_near(&p->at) &&
	       (local || (!p->incoming && !endpoint_is_privileged(e)));
}

enum err swarm_on_pex(struct swarm_peer *p, struct slice payload, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct swarm_pex *x = pex_of(p);
	struct pex_message m;

	if ((x->heard_at != INT64_MIN && now - x->heard_at < PEX_HEAR) ||
		pex_parse(payload, &m) != E_OK)
		return ++x->early >= PEX_EARLY ? E_PROTOCOL : E_OK;
	x->heard_at = now;
	x->early = 0;
	for (uint32_t i = 0; i < m.added_n; i++)
		if (may_take(p, &m.added[i].at))
			(void)peerlist_introduce(p->swarm->candidates, &m.added[i].at, &p->at,
				(m.added[i].flags & PEX_SEED) != 0, now);
	return E_OK;
}
