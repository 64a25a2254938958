/* SPDX-License-Identifier: MIT */
/*
 * The peers actor on the real kernel for tests/unit/actors/peers, in one thread and virtual time.
 *
 * The other ends of its connections are sockets that the test holds; session, tracker, DHT and
 * workers are fakes that write what they get as words into a log.  The kernel's net and the maps of
 * its fs are replaced: the test says from which address somebody comes, which pages are in memory,
 * and whether a map can be read.
 */
#ifndef TESTS_UNIT_LIB_PEERS_WORLD_H
#define TESTS_UNIT_LIB_PEERS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "actors/msg/env.h"
#include "proto/base/endpoint.h"

#define MSG_ID_INTERESTED 2u /* BEP 3 */
#define WORLD_PIECE       262144u
#define WORLD_PIECES      4u
#define WORLD_SIZE        ((size_t)WORLD_PIECE * WORLD_PIECES)
#define WORLD_REMOTES     256u
#define WORLD_KEPT        64u

/* The other end of a connection. */
struct remote {
	int fd; /* -1: never connected */
	struct endpoint at;
	bool dialled; /* by the actor */
	uint8_t *in;  /* owned: what has come and is not looked at yet */
	size_t in_n, in_cap;
	bool hello_seen, ended;
};

struct datagram {
	struct endpoint at;
	uint8_t bytes[64];
	size_t n;
};

struct world {
	const struct config *config;
	struct actor_env env;
	struct actors *set;
	struct actor *peers, *session, *tracker, *dht, *worker, *main;
	char log[16384];
	size_t log_n;
	struct metainfo *meta; /* owned reference */
	struct tref ref;
	uint8_t *content; /* owned: of the torrent, and what is "mapped" */
	struct remote remote[WORLD_REMOTES];
	unsigned remotes_n;
	unsigned accept_at;       /* the next that net_accept() gives */
	int listener[2];          /* the end the actor listens at, and ours */
	int lines[WORLD_REMOTES]; /* the actor's ends */
	bool has_dht;             /* there is a node */
	bool maps;                /* files can be mapped */
	bool resident;            /* what is mapped is in memory */
	bool faults;              /* reading a map fails */
	bool refuse_dials;        /* nobody answers */
	bool hold_reads;          /* EXTENT_READ waits for world_answer_reads() */
	int send_buffer;          /* bytes of the actor's sockets; 0: as they are */
	struct msg *kept[WORLD_KEPT];
	unsigned kept_n;
	unsigned reads; /* EXTENT_READs so far */
	struct datagram sent[64];
	unsigned sent_n;
	struct datagram arrived[64];
	unsigned arrived_n, arrived_at;
	int udp[2];
	struct msg *view;           /* owned: the last answer to PEERS_VIEW */
	const char *const *options; /* more of the configuration; ends with NULL */
};

/* For cmocka: *state is the world, not started. */
int world_new(void **state);
int world_free(void **state);
/* Starts the actor, and gives it the torrent with the first `have` of WORLD_PIECES pieces. */
void world_start(struct world *, uint32_t have);
/* The same; before the shard hears of it somebody is found for it by world_found(). */
void world_start_found(struct world *, const char *address);
/* The same as world_start(), known by its info-hash alone. */
void world_start_bare(struct world *);
void world_start_again(struct world *); /* bare, after world_remove() */
/* The session has the metainfo of what was bare, and `have` pieces were found. */
void world_complete(struct world *, uint32_t have);
void world_remove(struct world *);
void world_set_active(struct world *, bool active);
void world_found(struct world *, const char *address); /* a tracker names "ip:port" */
/* Takes the view of all torrents; valid until the next one. */
const struct torrent_peers *world_view(struct world *);

void world_turn(struct world *);             /* until nothing happens any more */
void world_pass(struct world *, int64_t us); /* in steps of a quarter of a second */
int64_t world_now(void);
/* The log since the last time is exactly this. */
void world_expect(struct world *, const char *words);

/* Somebody connects from "ip:port"; nothing is said yet. */
struct remote *world_dial(struct world *, const char *from);
/* The same and shakes hands; the id's last bytes are `name`. */
struct remote *world_join(struct world *, const char *from, const char *name);
/* The actor has dialled "ip:port"; NULL: it has not. */
struct remote *world_dialled(struct world *, const char *address);
void remote_hello(struct world *, struct remote *, const char *name);
void remote_hello_extended(struct world *, struct remote *, const char *name); /* BEP 10, too */
void remote_hello_id(struct world *, struct remote *, const uint8_t id[20]);
void remote_send(struct world *, struct remote *, const void *bytes, size_t n);
void remote_say(struct world *, struct remote *, unsigned id); /* a message without payload */
void remote_request(struct world *, struct remote *, uint32_t piece, uint32_t begin);
void remote_haves(struct world *, struct remote *, uint32_t first, uint32_t n);
/* Reads what there is, at most max bytes, into ->in. */
void remote_read(struct world *, struct remote *, size_t max);
/*
 * Takes the whole messages from ->in and gives them as words; a block that is not what the content
 * says fails the test.  The text is overwritten by the next call.
 */
const char *remote_words(struct world *, struct remote *);
bool remote_closed(struct world *, struct remote *); /* the actor has ended the connection */
void remote_close(struct world *, struct remote *);

/* "ip:port", which must be one. */
struct endpoint world_endpoint(const char *text);
/* peers_net.c, for world_start() and world_free(). */
void peers_net_start(struct world *);
void peers_net_stop(struct world *);

/* Answers what workers were asked to read: err for all. */
void world_answer_reads(struct world *, enum err err);

#endif
