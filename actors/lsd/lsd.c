/* SPDX-License-Identifier: MIT */
/*
 * The actor that finds peers in the local network (BEP 14).
 *
 * The shards say which of their torrents may be spoken of; each is announced three times when it
 * comes, as datagrams are lost and neighbours may just be starting, and then every five minutes,
 * together with others that are due, in one datagram a second on each interface.  What neighbours
 * announce is looked up; who has the same torrent is reported to its shard, at the address its
 * datagram came from and no other.
 *
 * Torrents wait in a ring in the order in which they were announced, new ones at its front: nothing
 * walks over all of them, and a hundred thousand take longer to be said instead of more datagrams.
 * Without torrents, or switched off, there are no sockets and no timer.
 */
#include "proto/lsd/lsd.h"

#include <stdio.h>

#include "actors/kernel/log.h"
#include "actors/kernel/net.h"
#include "actors/kernel/random.h"
#include "actors/lsd/iface.h"
#include "actors/msg/env.h"
#include "actors/msg/tref_table.h"
#include "proto/base/link.h"
#include "proto/base/time.h"

#define LSD_MAGIC      0x4c534400u
#define LOCAL_MAGIC    0x4c4f4341u
#define ANNOUNCE_EVERY (300 * USEC_PER_SEC)
#define AT_FIRST       3u                  /* so many times, */
#define AT_FIRST_EVERY (2 * USEC_PER_SEC)  /* so far apart */
#define LOOK_EVERY     (60 * USEC_PER_SEC) /* interfaces come and go */
#define SOCKETS        16u
#define HEARD_A_SECOND 10u
#define HEARD_BURST    50u
#define BUDGET         64 /* datagrams before others get their turn */

struct local {
	uint32_t magic;
	struct tref ref;
	uint8_t infohash[20];
	struct link ring;   /* in lsd->ring, or in ->young until it has been said thrice */
	unsigned said;      /* times, up to AT_FIRST */
	struct local *next; /* hash chain */
	int64_t due;        /* us */
};

struct place {
	struct loop_fd io;
	struct lsd *lsd;
	struct iface iface;
};

struct lsd {
	uint32_t magic;
	struct actor *actor;
	struct loop *loop;
	const struct config *config; /* owned reference */
	uint16_t port;               /* where peers are let in */
	char cookie[17];
	struct tref_table torrents; /* struct local, owned */
	struct local **table;       /* owned, by info-hash */
	uint32_t mask;              /* of the table, a power of two less one */
	struct link young, ring;    /* heads: the first is the next to be announced */
	struct place places[SOCKETS];
	unsigned places_n;
	struct loop_timer timer;
	int64_t looked_at;  /* us: at the interfaces; INT64_MIN: not yet */
	int64_t said_at;    /* us: the last datagrams; INT64_MIN: none */
	int64_t allowance;  /* us of the next datagrams that may be heard, by their pace */
	int64_t counted_at; /* us */
};

static struct lsd *lsd_of(const struct actor *a)
{
	struct lsd *l;

	CAST_OBJ(l, actor_self(a), LSD_MAGIC);
	return l;
}

/* --- torrents --- */

static struct local **chain_of(const struct lsd *l, const uint8_t infohash[20])
{
	uint32_t h;

	memcpy(&h, infohash, sizeof h);
	return &l->table[h & l->mask];
}

static void grow_table(struct lsd *l)
{
	uint32_t n = l->torrents.n;

	if (l->table != NULL && l->torrents.used <= l->mask)
		return;
	xfree(l->table);
	l->mask = l->mask * 2 + 63;
	while ((l->mask & (l->mask + 1)) != 0)
		l->mask |= l->mask >> 1;
	l->table = xcalloc((size_t)l->mask + 1, sizeof(struct local *));
	for (uint32_t i = 0; i < n; i++) {
		struct local *t = tref_table_at(&l->torrents, i);

		if (t == NULL)
			continue;
		t->next = *chain_of(l, t->infohash);
		*chain_of(l, t->infohash) = t;
	}
}

static struct local *find_hash(const struct lsd *l, const uint8_t infohash[20])
{
	struct local *t = l->table != NULL ? *chain_of(l, infohash) : NULL;

	while (t != NULL && memcmp(t->infohash, infohash, 20) != 0)
		t = t->next;
	return t;
}

static void add_torrent(struct lsd *l, const struct m_lsd_set *m)
{
	struct local *t, **chain;

	ALLOC_OBJ(t, LOCAL_MAGIC);
	t->ref = m->t;
	memcpy(t->infohash, m->infohash, sizeof t->infohash);
	t->due = loop_now(l->loop);
	tref_table_put(&l->torrents, t->ref, t);
	link_prepend(&l->young, &t->ring);
	if (l->table != NULL && l->torrents.used <= l->mask) {
		chain = chain_of(l, t->infohash);
		t->next = *chain;
		*chain = t;
	}
	grow_table(l);
}

static void remove_torrent(struct lsd *l, struct local *t)
{
	struct local **at = chain_of(l, t->infohash);

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	link_remove(&t->ring);
	tref_table_remove(&l->torrents, t->ref);
	FREE_OBJ(t);
}

/* --- what is heard --- */

/* A bucket of datagrams, filled at ten a second: noise must not keep us busy. */
static bool may_hear(struct lsd *l)
{
	int64_t now = loop_now(l->loop), one = USEC_PER_SEC / HEARD_A_SECOND;

	l->allowance = MIN(l->allowance + (now - l->counted_at), HEARD_BURST * one);
	l->counted_at = now;
	if (l->allowance < one)
		return false;
	l->allowance -= one;
	return true;
}

static void report(struct lsd *l, const struct local *t, const struct endpoint *at)
{
	struct m_peers_found *f = msg_new(l->actor, MSG_PEERS_FOUND);
	char text[ENDPOINT_TEXT];

	endpoint_format(at, text, sizeof text);
	log_event(LOG_DEBUG, "lsd_found", "ih=%02x%02x%02x%02x peer=%s", t->infohash[0],
		t->infohash[1], t->infohash[2], t->infohash[3], text);
	f->t = t->ref;
	f->source = PEER_LSD;
	f->seeds = -1;
	f->n = 1;
	f->peers = xmemdup(at, sizeof *at);
	msg_send(l->actor, ADDR(ROLE_PEERS, t->ref.shard), f);
}

static void hear(struct place *p, struct endpoint from, struct slice datagram)
{
	struct lsd *l = p->lsd;
	struct lsd_message m;

	if (!iface_is_near(&p->iface, &from) || !btsearch_parse(datagram, &m) ||
		strcmp(m.cookie, l->cookie) == 0)
		return;
	from.port = m.port;
	for (unsigned i = 0; i < m.n; i++) {
		const struct local *t = find_hash(l, m.infohash[i]);

		/* Each costs as much as a datagram, so that a shard is not flooded either. */
		if (t != NULL && may_hear(l))
			report(l, t, &from);
	}
}

static void on_datagram(struct loop_fd *io, uint32_t ready)
{
	struct place *p = container_of(io, struct place, io);

	(void)ready;
	for (int i = 0; i < BUDGET; i++) {
		uint8_t in[LSD_DATAGRAM + 1]; /* a longer one is cut, and its end is not read */
		struct endpoint from;
		enum err err = E_OK;
		ssize_t n = net_udp_recv(io->fd, &from, in, sizeof in, &err);

		if (n < 0)
			return;
		if (may_hear(p->lsd) && !actor_stopping(p->lsd->actor))
			hear(p, from, (struct slice){in, (size_t)n});
	}
}

/* --- interfaces --- */

static struct endpoint group_of(bool v4)
{
	static const char *const text[] = {LSD_GROUP6, LSD_GROUP4};
	struct endpoint e;

	must(endpoint_parse_ip(text[v4], strlen(text[v4]), &e) == E_OK);
	e.port = LSD_PORT;
	return e;
}

/* We can be reached there: of the addresses that peers may connect to. */
static bool is_bound(const struct lsd *l, const struct iface *i)
{
	for (size_t k = 0; k < l->config->peers_bind.n; k++) {
		const char *text = l->config->peers_bind.v[k];
		struct endpoint e;

		if (endpoint_parse_ip(text, strlen(text), &e) == E_OK &&
			endpoint_is_v4(&e) == endpoint_is_v4(&i->at) &&
			(endpoint_is_unspecified(&e) || endpoint_same_ip(&e, &i->at)))
			return true;
	}
	return false;
}

static void close_place(struct lsd *l, unsigned k)
{
	struct place *p = &l->places[k], *last = &l->places[--l->places_n];
	int fd = p->io.fd;

	loop_fd_del(l->loop, &p->io);
	net_close(fd);
	if (p == last)
		return;
	fd = last->io.fd;
	loop_fd_del(l->loop, &last->io);
	p->iface = last->iface;
	p->io.fd = -1;
	must(loop_fd_add(l->loop, &p->io, fd, POLL_IN) == E_OK);
}

static void close_all(struct lsd *l)
{
	while (l->places_n > 0)
		close_place(l, l->places_n - 1);
	l->looked_at = INT64_MIN;
}

static bool is_open(const struct lsd *l, const struct iface *i)
{
	for (unsigned k = 0; k < l->places_n; k++)
		if (iface_equal(&l->places[k].iface, i))
			return true;
	return false;
}

static void open_place(struct lsd *l, const struct iface *i)
{
	struct place *p = &l->places[l->places_n];
	struct endpoint group = group_of(endpoint_is_v4(&i->at));
	int fd = iface_open(i, &group);

	if (fd < 0)
		return;
	p->lsd = l;
	p->iface = *i;
	p->io = (struct loop_fd){.fd = -1, .fn = on_datagram};
	if (loop_fd_add(l->loop, &p->io, fd, POLL_IN) == E_OK)
		l->places_n++;
	else
		net_close(fd);
}

static void look_at_interfaces(struct lsd *l)
{
	struct iface now[SOCKETS];
	unsigned n = iface_list(l->config->network_interface, now, SOCKETS);

	l->looked_at = loop_now(l->loop);
	for (unsigned k = l->places_n; k-- > 0;) {
		bool there = false;

		for (unsigned i = 0; i < n; i++)
			there |= iface_equal(&now[i], &l->places[k].iface);
		if (!there)
			close_place(l, k);
	}
	for (unsigned i = 0; i < n && l->places_n < SOCKETS; i++)
		if (is_bound(l, &now[i]) && !is_open(l, &now[i]))
			open_place(l, &now[i]);
}

/* --- what is said --- */

static void say(struct lsd *l, const struct lsd_message *m)
{
	for (unsigned k = 0; k < l->places_n; k++) {
		const struct place *p = &l->places[k];
		bool v4 = endpoint_is_v4(&p->iface.at);
		struct endpoint group = group_of(v4);
		uint8_t out[LSD_DATAGRAM];
		size_t n = btsearch_build(out, !v4, m);

		/* Lost ones are lost: there is another in five minutes. */
		(void)net_udp_send(p->io.fd, &group, out, n);
	}
	l->said_at = loop_now(l->loop);
}

/* Those that are due, from the front of a ring; they go to the end of one. */
static void take_due(struct lsd *l, struct link *ring, struct lsd_message *m)
{
	int64_t now = loop_now(l->loop);

	while (m->n < LSD_HASHES && !link_empty(ring)) {
		struct local *t = container_of(ring->next, struct local, ring);
		bool young = t->said + 1 < AT_FIRST;

		if (t->due > now)
			break;
		memcpy(m->infohash[m->n++], t->infohash, 20);
		t->said += t->said < AT_FIRST;
		t->due = now + (young ? AT_FIRST_EVERY : ANNOUNCE_EVERY);
		link_remove(&t->ring);
		link_append(young ? &l->young : &l->ring, &t->ring);
	}
}

static void say_due(struct lsd *l)
{
	struct lsd_message m = {.port = l->port};

	memcpy(m.cookie, l->cookie, sizeof l->cookie);
	take_due(l, &l->young, &m);
	take_due(l, &l->ring, &m);
	if (m.n > 0)
		say(l, &m);
}

static int64_t first_due(const struct link *ring)
{
	return link_empty(ring) ? INT64_MAX : container_of(ring->next, struct local, ring)->due;
}

static void sleep_on(struct lsd *l)
{
	int64_t at;

	if (l->torrents.used == 0 || !l->config->peers_lsd || actor_stopping(l->actor)) {
		close_all(l);
		loop_timer_del(l->loop, &l->timer);
		return;
	}
	at = MIN(first_due(&l->young), first_due(&l->ring));
	at = MIN(at, l->looked_at == INT64_MIN ? 0 : l->looked_at + LOOK_EVERY);
	if (l->said_at != INT64_MIN)
		at = MAX(at, l->said_at + USEC_PER_SEC);
	loop_timer_set(l->loop, &l->timer, MAX(at, loop_now(l->loop)));
}

static void on_timer(struct loop_timer *timer, int64_t now)
{
	struct lsd *l = container_of(timer, struct lsd, timer);

	CHECK_OBJ(l, LSD_MAGIC);
	if (l->looked_at == INT64_MIN || now - l->looked_at >= LOOK_EVERY)
		look_at_interfaces(l);
	say_due(l);
	sleep_on(l);
}

/* --- messages and life --- */

static void handle_set(struct actor *a, struct msg **pm)
{
	const struct m_lsd_set *m = MSG_AS(LSD_SET, *pm);
	struct lsd *l = lsd_of(a);
	struct local *t = tref_table_get(&l->torrents, m->t);

	if (actor_stopping(a))
		return;
	if (!m->on && t != NULL)
		remove_torrent(l, t);
	if (m->on && t == NULL) {
		t = tref_table_at(&l->torrents, m->t.slot);
		if (t != NULL)
			remove_torrent(l, t); /* the slot is another's now */
		add_torrent(l, m);
	}
	sleep_on(l);
}

/* Neighbours know the old port: each torrent is announced once more, as soon as its turn comes. */
static void handle_listen(struct actor *a, struct msg **pm)
{
	const struct m_peers_listen *m = MSG_AS(PEERS_LISTEN, *pm);
	struct lsd *l = lsd_of(a);

	l->port = m->sockets.port;
	for (struct link *i = l->ring.next; i != &l->ring; i = i->next)
		container_of(i, struct local, ring)->due = loop_now(l->loop);
	sleep_on(l);
}

static void handle_reload(struct actor *a, struct msg **pm)
{
	struct m_reload *m = MSG_AS(RELOAD, *pm);
	struct lsd *l = lsd_of(a);

	config_unref(&l->config);
	l->config = m->config;
	m->config = NULL;
	sleep_on(l);
}

static void *init_lsd(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct lsd *l;

	ALLOC_OBJ(l, LSD_MAGIC);
	l->actor = a;
	l->loop = actor_loop(a);
	l->config = config_ref(env->config);
	l->port = env->peer_port;
	(void)snprintf(l->cookie, sizeof l->cookie, "%016llx", (unsigned long long)random_u64());
	link_init(&l->young);
	link_init(&l->ring);
	l->timer.fn = on_timer;
	l->looked_at = l->said_at = INT64_MIN;
	l->counted_at = loop_now(l->loop);
	return l;
}

static void quiesce_lsd(struct actor *a)
{
	struct lsd *l = lsd_of(a);

	sleep_on(l);
	actor_quiesced(a);
}

static void fini_lsd(struct actor *a)
{
	struct lsd *l = lsd_of(a);

	close_all(l);
	loop_timer_del(l->loop, &l->timer);
	while (!link_empty(&l->young))
		remove_torrent(l, container_of(l->young.next, struct local, ring));
	while (!link_empty(&l->ring))
		remove_torrent(l, container_of(l->ring.next, struct local, ring));
	xfree(l->table);
	config_unref(&l->config);
	tref_table_fini(&l->torrents);
	FREE_OBJ(l);
}

static const struct actor_handler handlers[] = {
	{MSG_RELOAD, handle_reload},
	{MSG_LSD_SET, handle_set},
	{MSG_PEERS_LISTEN, handle_listen},
	{0, NULL},
};

const struct actor_spec lsd_spec = {
	.role_name = "lsd",
	.handlers = handlers,
	.init = init_lsd,
	.quiesce = quiesce_lsd,
	.fini = fini_lsd,
};
