/* SPDX-License-Identifier: MIT */
/*
 * Following a port that somebody else chooses: the new sockets are open before the old ones go, so
 * that a port that cannot be had costs nothing.
 *
 * The file is looked at once a second and read when it is another one, or was written to.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "actors/kernel/log.h"
#include "actors/kernel/net.h"
#include "actors/portmap/priv.h"
#include "actors/ports/ports.h"

static void send_sockets(struct portmap *p, uint16_t to, const struct peer_sockets *s)
{
	struct m_peers_listen *m = msg_new(p->actor, MSG_PEERS_LISTEN);

	m->sockets = *s;
	msg_send(p->actor, to, m);
}

/* To each who listens its own of them, to who only tells of it the port. */
static void hand_out(struct portmap *p, const struct peer_sockets *s)
{
	struct peer_sockets shard = *s, dht = {.port = s->port}, lsd = {.port = s->port};

	memcpy(dht.dht, s->dht, sizeof dht.dht);
	dht.dht_n = s->dht_n;
	shard.dht_n = 0;
	send_sockets(p, ADDR(ROLE_PEERS, 0), &shard);
	send_sockets(p, ADDR_DHT, &dht);
	send_sockets(p, ADDR_LSD, &lsd);
}

bool follow_move(struct portmap *p, uint16_t port)
{
	struct peer_sockets s;
	char why[256] = "";
	enum err err;

	CHECK_OBJ(p, PORTMAP_MAGIC);
	err = ports_open(p->config, port, &s, why, sizeof why);

	if (err != E_OK) {
		snprintf(p->follow.why, sizeof p->follow.why, "%.*s", (int)sizeof p->follow.why - 1,
			why[0] != '\0' ? why : err_words(err));
		log_event(LOG_ERROR, "port_not_moved", "port=%u still=%u why=%s", port, p->port,
			p->follow.why);
		return false;
	}
	p->follow.why[0] = '\0';
	log_event(LOG_INFO, "port_moved", "from=%u to=%u", p->port, port);
	p->port = port;
	hand_out(p, &s);
	return true;
}

/* Whether it is as it was when it was read last. */
static bool is_same(struct follow *f, const struct stat *st)
{
	int64_t mtime = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
	bool same =
		f->seen && f->size == st->st_size && f->mtime_ns == mtime && f->inode == st->st_ino;

	f->seen = true;
	f->size = st->st_size;
	f->mtime_ns = mtime;
	f->inode = st->st_ino;
	return same;
}

bool follow_look(struct portmap *p)
{
	const char *path;
	struct follow *f;
	char why[sizeof f->why];
	struct stat st = {0};
	uint16_t port;

	CHECK_OBJ(p, PORTMAP_MAGIC);
	path = p->config->peers_port_file;
	f = &p->follow;

	/* A port that was taken may be free by now. */
	if (stat(path, &st) == 0 && is_same(f, &st) && f->why[0] == '\0')
		return false;
	if (ports_read_file(path, &port, why, sizeof why) != E_OK) {
		if (strcmp(f->why, why) != 0)
			log_event(LOG_WARNING, "port_file", "why=%s port=%u", why, p->port);
		memcpy(f->why, why, sizeof why);
		return false;
	}
	if (port == p->port) {
		f->why[0] = '\0';
		return false;
	}
	return follow_move(p, port);
}

static void tell_peers(struct portmap *p, bool there)
{
	for (unsigned i = 0; i < p->shards; i++) {
		struct m_peers_network *m = msg_new(p->actor, MSG_PEERS_NETWORK);

		m->there = there;
		msg_send(p->actor, ADDR(ROLE_PEERS, i), m);
	}
}

/* Sockets stay with a device that has gone: nothing leaves by them, nor comes. */
void follow_device(struct portmap *p)
{
	const char *name;
	unsigned now;

	CHECK_OBJ(p, PORTMAP_MAGIC);
	name = p->config->network_interface;
	now = net_device_index(name);
	if (now == p->device)
		return;
	if (now == 0) {
		log_event(LOG_WARNING, "interface_away", "interface=%s", name);
		p->device = 0;
		tell_peers(p, false);
	} else if (follow_move(p, p->port)) {
		log_event(LOG_INFO, "interface_back", "interface=%s", name);
		p->device = now;
		tell_peers(p, true);
	}
}
