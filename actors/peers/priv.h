/* SPDX-License-Identifier: MIT */
/*
 * What the files of the peers actor share.
 *
 * A shard has its share of the torrents, each with a swarm (proto/swarm.h) and its connections.  A
 * connection runs when it has work and permission: readiness events, new data to send, returned
 * credit and rate tokens only set flags and queue it; one function runs it.  Everything here
 * belongs to the shard's thread.
 */
#ifndef ACTORS_PEERS_PRIV_H
#define ACTORS_PEERS_PRIV_H

#include "actors/kernel/log.h"
#include "actors/kernel/net.h"
#include "actors/kernel/pool.h"
#include "actors/kernel/random.h"
#include "actors/msg/env.h"
#include "actors/msg/tref_table.h"
#include "actors/peers/via.h"
#include "proto/base/link.h"
#include "proto/mse/mse.h"
#include "proto/swarm/rate.h"
#include "proto/swarm/swarm.h"
#include "proto/wire/peer_id.h"

#define SHARD_MAGIC        0x53485244u
#define PEER_TORRENT_MAGIC 0x50544f52u
#define CONN_MAGIC         0x434f4e4eu
#define READ_RUN_MAGIC     0x45585445u

#define READ_RUN_SIZE 131072u /* read ahead this much for serving; what disks like */
_Static_assert(WIRE_MAX_BLOCK <= READ_RUN_SIZE, "a run holds the longest block that is served");
#define LANDING     15u /* blocks one readv can fill */
#define LISTENERS   16u
#define EARLY_MAX   64u /* answers that wait for their torrents, of 36 KiB each at most */
#define LINEAR_SIZE (LANDING * (WIRE_PIECE_HEADER + BLOCK_SIZE))
#define HELLO_SIZE  128u /* bytes of an unfinished handshake that are kept */
#define STREAM_IOV  64

/* --- a run of verified bytes in memory, for serving --- */

enum read_run_state { READ_RUN_LOADING, READ_RUN_READY, READ_RUN_FAILED };

struct file_map;

struct read_run {
	uint32_t magic;
	enum read_run_state state;
	struct tref ref;
	uint32_t piece, begin, length;
	uint32_t ahead;      /* bytes of the piece that are wanted next, from begin on */
	const uint8_t *data; /* in the map, or when it is ready in the buffer */
	uint8_t *buffer;     /* READ_RUN_SIZE bytes of the shard's pool; NULL while a read has it */
	struct file_map *map;  /* referenced; NULL: it is, or is being, read into the buffer */
	int64_t seen;          /* us; when its part of the map was last known to be in memory */
	unsigned refs;         /* queued blocks that need it, and one while it is being read */
	struct link lru;       /* in shard->idle when nobody needs it */
	struct link waiting;   /* head: connections whose next block is in here */
	struct read_run *next; /* hash chain; private runs are in none */
	bool hashed;           /* in the table */
	bool counted;          /* in cache->n */
};

struct read_cache {
	struct read_run **table; /* owned */
	uint32_t mask;           /* of the table, a power of two less one */
	struct pool *pool;       /* owned: READ_RUN_SIZE pieces */
	struct link idle;        /* least recently used first */
	unsigned n, soft_max; /* that have a buffer; above soft_max only what cannot wait is read */
	unsigned loading;     /* reads and maps under way */
	struct read_run *spare; /* owned list: freed ones, for the next */
};

/* --- encryption --- */

/* The cipher of a connection after its handshake (proto/mse); NULL: none, or no more. */
struct cipher {
	struct rc4 in, out;
	uint64_t in_left;     /* bytes to come that are encrypted */
	bool seals;           /* what leaves is encrypted */
	struct outbuf sealed; /* has to leave, as it is, before anything else does */
};
#define CIPHER_ALL UINT64_MAX

#define KEYS_MAX 32u

/* Pairs of keys made ahead of need, and how many handshakes may have one. */
struct keys {
	struct dh_key ready[KEYS_MAX];
	unsigned n;
	unsigned allowed;           /* that may be taken now */
	struct link dials, answers; /* heads: connections that wait for one */
	struct loop_timer timer;    /* set while there are fewer than there may be */
};

/* --- connections --- */

enum conn_state { CONN_CONNECTING, CONN_HELLO, CONN_OPEN, CONN_CLOSED };

/* A block on its way out. */
struct out_block {
	struct block_req req;
	struct read_run *run; /* referenced */
	uint32_t sent;        /* bytes of header and payload that have left */
	uint8_t header[WIRE_PIECE_HEADER];
};

/* One limit in one direction, of whatever is subject to it. */
struct limiter {
	struct bucket bucket;
	unsigned waiting;   /* connections that wait for its tokens */
	unsigned asked;     /* blocks asked for that will have to pass */
	unsigned busy;      /* the most there were since the last report */
	uint64_t passed;    /* bytes since then */
	unsigned called;    /* connections called to ask that have not run yet */
	struct link asking; /* head: connections that wait for room to ask */
};

enum limit_way { LIMIT_IN, LIMIT_OUT };
#define LIMIT_WAYS 2

/* What a connection has to do with the limits. */
struct conn_limit {
	struct link waiting[LIMIT_WAYS]; /* for tokens */
	uint8_t lacks[LIMIT_WAYS];       /* bits: of which limits, so that it is counted there */
	size_t grant[LIMIT_WAYS];        /* bytes taken from the buckets that have not passed yet */
	struct link asking;              /* in limiter->asking */
	struct limiter *ask_turn;        /* has called it: it asks before those who wait */
	bool lan;                        /* of the class of neighbours */
	unsigned asked;                  /* of its requests, counted in the limiters */
};

struct conn {
	uint32_t magic;
	enum conn_state state;
	struct shard *shard;
	struct peer_torrent *torrent; /* NULL until the handshake names it */
	struct swarm_peer *peer;      /* owned by the swarm; NULL until CONN_OPEN */
	struct loop_fd io;
	struct loop_task task;   /* queued: has work and permission */
	struct loop_timer timer; /* connect, handshake, keep-alive and idle */
	struct loop_reap reap;
	struct link in_shard, in_torrent;
	struct link pending;   /* in shard->pending until it has a torrent */
	struct link hungry;    /* waits for credit */
	struct link wants_run; /* in run->waiting */
	bool readable, writable, incoming;
	bool web;          /* a web seed, by way of the webseed actor; `at` is nobody's */
	bool ended;        /* the peer's stream has an end to be read, which no event will tell */
	bool discard;      /* the payload on its way in is thrown away */
	bool send_blocked; /* not read from until it takes what we have for it */
	bool handed;       /* its handshake goes on without new bytes: they came with it from
			      another shard, or there is a key for it */
	bool encrypts;     /* dialled, and greeted by an encrypted handshake */
	struct proxy_dial *via; /* owned: CONNECTING by a proxy */
	bool via_heard;         /* the proxy has answered, so that it is there */
	uint8_t tried; /* shards that do not have the torrent its encrypted handshake names */
	enum peer_encryption encryption; /* what was settled on */
	struct mse *mse;                 /* owned: during an encrypted handshake */
	struct cipher *cipher;           /* owned */
	struct link wants_key;           /* in keys->dials or ->answers */
	bool met_self;  /* our own dial came in by this one, so whom it dialled is us */
	bool choking;   /* what conn_run() last saw of peer->am_choking */
	uint8_t *block; /* pool block being filled; NULL: none */
	uint32_t piece, begin, length; /* of that block */
	uint8_t *hello;                /* owned: handshake bytes received, NULL once open */
	size_t hello_n;
	struct outbuf first;      /* our handshake */
	struct out_block *blocks; /* owned: circular queue of what is being served */
	uint32_t blocks_head, blocks_n, blocks_cap;
	uint64_t queued; /* payload bytes in it */
	struct endpoint at;
	int64_t last_in, last_out; /* us */
	int64_t blocked_at;        /* us: since when the kernel takes no more, with !writable */
	struct conn_limit limit;
	uint64_t sampled;      /* bytes sent since sampled_at, for the kernel's queue */
	int64_t sampled_at;    /* us */
	unsigned not_sent_low; /* bytes; 0: as it was made */
	uint64_t out_rate;     /* B/s, of the last sample */
	int64_t served_at;     /* us: when a block was last queued for it */
	bool roomy;            /* the kernel was told to have room for what gathers in a rest */
	struct {
		enum err err;
		const char *what; /* static */
	} end;                    /* why it is to be closed, set by conn_end() */
};

/* Remembers why a connection is to be closed by whoever runs it; for `return conn_end(...)`. */
static inline bool conn_end(struct conn *c, enum err why, const char *what)
{
	CHECK_OBJ(c, CONN_MAGIC);
	c->end.err = why;
	c->end.what = what;
	return false;
}

/* --- torrents --- */

struct peer_torrent {
	uint32_t magic;
	struct shard *shard;
	struct tref ref;
	struct metainfo *meta; /* owned reference */
	struct swarm *swarm;   /* owned */
	struct link conns;     /* head: conn->in_torrent */
	unsigned conns_n, half_open;
	bool active;    /* connects, accepts, serves */
	bool done_said; /* PEERS_DONE has been sent */
	struct limiter limit[LIMIT_WAYS];
	struct loop_timer tick;    /* once a second while somebody is connected or to be dialled */
	struct loop_task dial;     /* queued: it is its turn to dial */
	struct link in_dial_queue; /* in shard->dial_queue: has whom to dial, and the shard has no
				      room */
	struct peer_torrent *next; /* hash chain by info-hash */
	uint8_t name[20];          /* what encrypted handshakes call it */
	struct peer_torrent *next_named; /* hash chain by that */
	struct wishes wishes;            /* owned; the limits in it are kept by limit.c */
	uint64_t told_down, told_up, told_wasted, told_left; /* in the last PEERS_TOTALS */
	struct swarm_counts told_now;                        /* likewise, to the session */
	int64_t told_at, wanted_at;
	unsigned wanted_n;   /* wishes for peers in a row that left it with few */
	bool announced;      /* the local network hears of it */
	unsigned forbidden;  /* bits, 1 << enum peer_source: which may not be used for it */
	uint64_t mute_dials; /* ended by the other side before it said a word */
};

struct listener {
	struct loop_fd io;
	struct loop_timer rest; /* set: out of descriptors, look again then */
	struct shard *shard;
};

/* The UDP sockets at the peer port. */
struct datagrams {
	struct datagram_socket {
		struct loop_fd io;
		struct shard *shard;
	} socket[LISTENERS];
	unsigned n;
	struct bucket answers; /* how many are given */
};

struct shard {
	uint32_t magic;
	struct actor *actor;
	struct loop *loop;
	const struct config *config; /* owned reference */
	unsigned index, shards, workers;
	uint16_t port;     /* others reach us at */
	uint16_t dht_port; /* likewise, by UDP */
	uint8_t peer_id[20];
	uint8_t reserved[8]; /* of our handshake */
	bool has_dht;        /* there is a node */
	int64_t heard_at;    /* us: since then heard_n peers have named their nodes */
	unsigned heard_n;
	char version[32];
	struct rng rng;
	struct swarm_ops ops;
	struct serve_budget served;    /* of the swarms of all its torrents */
	struct byte_budget unverified; /* likewise */
	struct tref_table torrents;    /* struct peer_torrent */
	struct peer_torrent **table;   /* owned, by info-hash */
	struct peer_torrent **named;   /* owned, by name */
	uint32_t table_mask;
	struct link conns; /* head: every connection */
	unsigned conns_n, half_open;
	struct link pending; /* head: accepted, and have not said which torrent they want */
	unsigned pending_n;  /* how many those are */
	void (*run)(struct loop_task *); /* conn_run(), for new connections */
	struct loop_task dial_task;      /* there may be room: who is first in the line dials */
	struct link dial_queue;          /* head: torrents that wait for room to dial */
	const struct blocklist *blocked; /* owned reference: whom to refuse; NULL: nobody */
	struct listener listeners[LISTENERS];
	unsigned listeners_n;
	struct datagrams datagrams;
	struct keys keys;
	uint8_t *seal;       /* owned: STREAM_SEAL bytes, once something was sent encrypted */
	struct pool *blocks; /* owned */
	unsigned credit;     /* blocks that may still be asked for */
	struct link hungry;  /* head: connections that want credit */
	struct shard_limit {
		struct limiter all, lan; /* the shard's parts; lan: of neighbours */
		struct link waiting;     /* head: connections that wait for tokens, in turn */
		struct loop_timer timer; /* gives them out */
		int64_t given_at;        /* us */
	} limit[LIMIT_WAYS];
	struct loop_timer load;  /* reports what was used; set while something is */
	int64_t load_at;         /* us: the last report */
	bool lan_limited;        /* neighbours are subject to the limits of others, too */
	uint8_t *spare[LANDING]; /* pool blocks that the next readv may fill */
	uint8_t headers[LANDING][WIRE_PIECE_HEADER];
	uint8_t *linear; /* owned: LINEAR_SIZE bytes */
	uint8_t trash[BLOCK_SIZE];
	struct m_blocks **write; /* owned array of batches, one a worker */
	struct flow {
		uint64_t bytes, rate; /* in and out since `at`; B/s lately */
		int64_t at;           /* us */
	} flow;
	int64_t rest; /* us: how long the present or last one is; 0: none */
	struct read_cache cache;
	struct link maps; /* head: file maps, the latest used first */
	unsigned maps_n;
	struct loop_timer maps_rest; /* set: somebody's last connection has gone */
	struct early {
		struct msg *kept[EARLY_MAX]; /* owned PEERS_FOUND, or NULL */
		unsigned next;               /* place of the oldest */
	} early;
	struct via via;
	bool away; /* the device that peers are talked to by: nobody is dialled */
	bool stopping;
};

/* It has work: it is run this turn. */
static inline void conn_post(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	if (c->state != CONN_CLOSED)
		loop_task_post(c->shard->loop, &c->task);
}

/* shard.c */
struct shard *shard_of(struct actor *);
void shard_credit_back(struct shard *, unsigned n);

/* table.c */
void ptorrents_init(struct shard *);
void ptorrents_fini(struct shard *);
void ptorrent_add(struct shard *, struct peer_torrent *);
void ptorrent_remove(struct shard *, struct peer_torrent *);
struct peer_torrent *ptorrent_by_ref(const struct shard *, struct tref); /* NULL: stale */
struct peer_torrent *ptorrent_by_hash(const struct shard *, const uint8_t infohash[20]);
/* As an encrypted handshake calls it (mse_name()). */
struct peer_torrent *ptorrent_by_name(const struct shard *, const uint8_t name[20]);
struct peer_torrent *ptorrent_at(const struct shard *, uint32_t slot); /* NULL: none there */

/* tick.c */
void ptorrent_wake(struct peer_torrent *); /* make sure that the tick runs */
void ptorrent_report_totals(struct peer_torrent *);

/* torrent.c */
void peers_on_add(struct actor *, struct msg **);
void peers_on_set(struct actor *, struct msg **);
void peers_on_remove(struct actor *, struct msg **);
void ptorrent_detach(struct peer_torrent **);     /* close, tell the workers, free */
void ptorrent_reconfigure(struct peer_torrent *); /* the shard has a new configuration */
void ptorrent_check_done(struct peer_torrent *);
void ptorrent_fetched(struct peer_torrent *); /* its info dictionary is there: says so */

/* What a torrent is called in the log: the first 8 hex digits of its info-hash. */
struct ih ptorrent_name(const struct peer_torrent *);

/* early.c */
/* Takes a PEERS_FOUND whose torrent is still to come; any other is left to the caller. */
void early_keep(struct shard *, struct msg **);
/* One that was kept for the torrent, now the caller's; NULL: there is none (any more). */
struct msg *early_take(struct shard *, struct tref);
void early_fini(struct shard *);

/* sources.c */
void peers_on_found(struct actor *, struct msg **);
/* The torrent has come: what was found for it before is dialled. */
void ptorrent_take_early(struct peer_torrent *);
/* What it may hear and say of peers may have changed. */
void ptorrent_obey_rules(struct peer_torrent *);

/* network.c: the device that peers are talked to by */
void peers_on_network(struct actor *, struct msg **);

/* blocked.c: who is in the blocklist */
void peers_on_blocklist(struct actor *, struct msg **);

/* dial.c */
void ptorrent_dial(struct peer_torrent *);
void ptorrent_on_dial(struct loop_task *);
/* room.c */
bool room_shard_is_full(const struct shard *);
bool room_torrent_is_full(const struct peer_torrent *);
/* Room for one more connection, if need be in the place of one that is of no use, or whose address
 * has more places than the newcomer's (crowd.h); false: none. */
bool ptorrent_make_room(struct peer_torrent *, const struct endpoint *newcomer);
/* The same for one that has yet to say which torrent it wants. */
bool room_for_pending(struct shard *, const struct endpoint *newcomer);
/*
 * When all is full, and somebody waits to be dialled here or by another torrent, the one least
 * missed goes.  true: another torrent has been given the place.
 */
bool ptorrent_turn_over(struct peer_torrent *, int64_t now);
/* A limit may have been lowered: those least missed go, until there are few enough. */
void ptorrent_keep_limit(struct peer_torrent *);
void shard_keep_limit(struct shard *);
/* Of the trackers, when there is nobody left to dial. */
void ptorrent_ask_for_peers(struct peer_torrent *, int64_t now);
int64_t ptorrent_wish_at(const struct peer_torrent *); /* when it may ask them again */
#define PEERS_WANTED_EVERY  (60 * USEC_PER_SEC)
#define PEERS_WANTED_DOUBLE 10u        /* to 17 hours; by then the trackers' own intervals do */
void dial_on_task(struct loop_task *); /* of shard->dial_task */
unsigned shard_conns_max(const struct shard *); /* connections with a torrent */

/* verdict.c, blocks.c: the data plane with the workers */
void peers_on_blocks_done(struct actor *, struct msg **);
void blocks_put(struct shard *, struct tref, uint32_t piece, uint32_t begin, uint32_t length,
	enum block_kind, uint8_t *data);
void blocks_flush(struct shard *);
void blocks_drop_piece(struct peer_torrent *, uint32_t piece, bool keep);

/* guilty.c */
void ptorrent_close_bad(struct peer_torrent *, struct swarm_peer **bad, unsigned n);
void ptorrent_close_guilty(struct peer_torrent *); /* whom swarm_guilty() names */
void ptorrent_close_unfit(struct peer_torrent *);  /* ->unfit, see swarm_complete() */

/* cache.c */
void cache_init(struct shard *);
void cache_fini(struct shard *);
/* The run that holds the block, referenced; NULL: no memory for it now, try again when others
 * are done. */
struct read_run *cache_get(struct peer_torrent *, const struct block_req *, bool must_have);
void read_run_unref(struct shard *, struct read_run *);
/* Whether its bytes can be sent now without a wait for the disk. */
bool read_run_ready(struct shard *, struct read_run *);
/* What is mapped could not be read: has a worker read it, which says why. */
void read_run_faulted(struct shard *, struct read_run *);

/* map.c */
void map_init(struct shard *);
void map_fini(struct shard *);
void map_rest(struct shard *); /* a torrent has lost its last connection */
/* Bytes of a piece in a mapped file, in memory or not, for system calls alone, and the map,
 * referenced.  NULL: not in one file, not mapped or not yet. */
const uint8_t *map_get(struct peer_torrent *, uint32_t piece, uint32_t begin, uint32_t length,
	struct file_map **out);
void map_unref(struct file_map *);
/* Bytes of the map from `at` on, up to `most`. */
uint32_t map_left(const struct file_map *, const uint8_t *at, uint32_t most);
void map_spoil(struct file_map *);              /* it could not be read: no more of it */
void map_drop_all(struct shard *, struct tref); /* a torrent's, once runs do not need them */

/* listen.c */
/* They are the shard's from now on; at most LISTENERS. */
void listener_start(struct shard *, const int *fds, unsigned n);
void listener_stop(struct shard *);
void peers_on_handoff(struct actor *, struct msg **);
void peers_on_listen(struct actor *, struct msg **);

/* conn_dht.c */
void conn_mark_dht(const struct conn *, uint8_t reserved[8]); /* of our handshake */
void conn_say_dht(struct conn *);                             /* where our node is */
void conn_heard_dht(struct conn *, uint32_t port);            /* where the peer's is */

/* datagram.c */
void datagram_start(struct shard *, const int *fds, unsigned n);
void datagram_stop(struct shard *);

/* keys.c */
void keys_init(struct shard *);
void keys_fini(struct shard *);
/* A pair for its handshake.  false: not now, and it is run again when there is one. */
bool keys_take(struct conn *, struct dh_key *out);

/* stream.c: what a connection reads and writes, under its cipher if it has one */
#define STREAM_SEAL 262144u /* bytes encrypted at once */
/* Like net_readv(); what came is decrypted in its place. */
ssize_t stream_read(struct conn *, const struct iovec *, int iovcnt, enum err *);
/* Bytes that have to leave before anything is laid out. */
size_t stream_held(const struct conn *);
/* How much may be laid out for one stream_write(). */
size_t stream_room(const struct conn *, size_t max);
struct departure {
	struct iovec iov[STREAM_IOV];
	int n;
	size_t bytes, max;
	bool mapped; /* some of it lies in maps */
};
/*
 * Sends what is held, else what is laid out.  *taken: bytes of the latter that are not to be laid
 * out again; *sent: bytes that the kernel has taken.  E_AGAIN: it takes no more for now; E_FAULT: a
 * map could not be read, and nothing was taken.
 */
enum err stream_write(struct conn *, const struct departure *, size_t *taken, size_t *sent);
/* The handshake is over: its ciphers, and what of it has yet to leave. */
void stream_begin(struct conn *);
void stream_end(struct conn *); /* frees what it has */

/* hello.c: our handshake, for its torrent: its bytes; and on its way */
void hello_encode(const struct conn *, uint8_t out[WIRE_HANDSHAKE]);
void hello_say(struct conn *);

/* greet.c: whether and how a connection is encrypted */
enum config_encryption greet_policy(const struct peer_torrent *);
unsigned greet_methods(const struct peer_torrent *); /* enum mse_method, or-ed; 0: none */
bool greet_encrypts(const struct peer_torrent *, const struct endpoint *); /* when it is dialled */
void greet_begin(struct conn *); /* who was dialled answers: the encrypted handshake */
/* The greeting was not understood, and the peer is dialled again with the other one. */
bool greet_otherwise(struct conn *, enum err why);
enum mse_step greet_step(struct conn *); /* goes on with what has come into hello */

/* conn.c */
struct conn *conn_accept(
	struct shard *, int fd, const struct endpoint *, const uint8_t *bytes, size_t n);
/* One with a web seed, which says by its handshake for which torrent. */
void conn_accept_web(struct shard *, int fd, const struct endpoint *at);
/* Its task, run.c. */
void conn_run(struct loop_task *);
void conn_link(struct conn *, struct peer_torrent *);
void conn_set_timer(struct conn *, int64_t delay);
#define CONN_KEEPALIVE (80 * USEC_PER_SEC)  /* others give up a silent connection after 120 s */
#define CONN_LOOK      (CONN_KEEPALIVE / 4) /* how often an open one is looked at */
enum err conn_dial(struct peer_torrent *, const struct endpoint *);
void conn_close(struct conn *, enum err why, const char *what);

/* What run.c is made of: handshake.c, rx.c, tx.c.  false, RX_END: the connection is to be closed,
 * for what conn_end() has noted. */
bool conn_hello(struct conn *); /* handshake bytes have come */
enum rx {
	RX_DONE,  /* nothing to be read for now: empty, out of budget, or not allowed */
	RX_HELLO, /* handshake bytes have come */
	RX_END,
};
enum rx conn_rx(struct conn *);
bool conn_tx(struct conn *); /* sends what there is and what is allowed */

/* tx.c */
void conn_fill(struct conn *); /* moves requests to serve into the queue of blocks */
void conn_drop_blocks(struct conn *, bool all); /* gives up blocks not begun (all: every one) */
/* The other side wants the block no more: it does not leave, unless it has begun to (BEP 3). */
void conn_cancel(struct conn *, uint32_t piece, uint32_t begin, uint32_t length);
bool conn_has_output(const struct conn *);
/* So much waits to be sent that no more may be asked of us: answers need no memory without end. */
bool conn_is_send_blocked(const struct conn *);

/* limit.c */
/* The limits that are in force for a connection in one direction. */
struct limit_subject {
	struct limiter *to[3];
	unsigned n;
};
struct limit_subject limit_subject(const struct conn *, enum limit_way);
void limit_init(struct shard *);
void limit_fini(struct shard *);
void limit_open(struct conn *); /* a new connection: its class */
/* Bytes that it may read or write now.  0: it will be run again when it may. */
size_t limit_allow_in(struct conn *);
size_t limit_allow_out(struct conn *);
/* n bytes have passed, of whatever kind. */
void limit_spend_in(struct conn *, size_t n);
void limit_spend_out(struct conn *, size_t n);
void limit_settle(struct conn *);      /* it reads and writes no more for now */
bool limit_waits(const struct conn *); /* its reading is held back */
void limit_forget(struct conn *);      /* it waits for no tokens any more */
void limit_look_at(struct shard *, enum limit_way, int64_t at); /* those who wait */

/* pace.c */
unsigned pace_room(struct conn *);     /* blocks that it may ask for now.  0: it is run again */
void pace_asked(struct conn *);        /* what it has asked for may have changed */
void pace_tick(struct peer_torrent *); /* once a second: the same for all its connections */
void pace_forget(struct conn *);       /* its requests do not count any more */
void pace_call_next(struct limiter *); /* there may be room for who waits to ask */

/* usage.c */
void usage_init(struct shard *);
void usage_fini(struct shard *);
void usage_watch(struct shard *);                             /* something is used of the shares */
struct limiter *usage_limiter(struct shard *, unsigned kind); /* enum limit_kind */

/* rates.c: B/s, 0 is unlimited */
void rates_init(struct shard *);
void rates_set_global(struct shard *, const uint64_t rate[LIMIT_KINDS]); /* its shares */
void rates_reconfigure(struct shard *); /* there is a new configuration */
void rates_start(struct peer_torrent *, uint64_t down, uint64_t up);
void rates_set(struct peer_torrent *, uint64_t down, uint64_t up);

/* rest.c */
void rest_note(struct shard *, size_t n); /* n bytes have passed */
void rest_begin(struct shard *);          /* at the end of a turn */
void rest_settle(struct conn *);          /* it has run: whether it is calm until its next event */

/* pieces.c: a byte a piece, owned by the caller, as in struct torrent_view */
void ptorrent_pieces(const struct peer_torrent *, uint8_t **states, uint8_t **copies);

/* view.c */
void peers_on_view(struct actor *, struct msg **);

#endif
