/* SPDX-License-Identifier: MIT */
/*
 * What the files of the Transmission dialect share.
 *
 * A request is an exchange of one call, or of several (a batch).  Its calls run one after the
 * other; each ends with rcall_end(), and when the last one has, the answer is written.  An exchange
 * does not end when the client leaves: what it has begun to change is changed for all torrents it
 * named.  All for the http actor's thread.
 */
#ifndef HTTP_TRANSMISSION_PRIV_H
#define HTTP_TRANSMISSION_PRIV_H

#include <jansson.h>

#include "actors/msg/env.h"
#include "http/server/server.h"
#include "proto/base/link.h"

#define RPC_MAGIC      0x52504354u
#define EXCHANGE_MAGIC 0x45584348u

/* Exchanges whose answer is not written: with what a call may have under way (64 messages) far less
 * than a mailbox holds. */
#define RPC_EXCHANGES_MAX 256u

/* Preferences that have a switch. */
#define RPC_PAIRS 7u

struct tids;
struct rpc_method;

/* What all requests share. */
struct rpc {
	uint32_t magic;
	struct actor *actor;              /* borrowed */
	char session_id[49];              /* of this run; a page of another site cannot know it */
	const struct rpc_method *methods; /* all there are */
	unsigned methods_n;
	struct tids *ids;         /* owned */
	struct link exchanges;    /* those whose answer is not written */
	unsigned exchanges_n;     /* how many */
	uint64_t serial;          /* of exchanges */
	int64_t opened;           /* us: when it began */
	uint64_t kept[RPC_PAIRS]; /* values of preferences that are off (facts.h) */
};

/* Outcomes; the numbers are those of the JSON-RPC dialect. */
enum rpc_code {
	RPC_OK = 0,
	RPC_TRACKER_LIST = 2,
	RPC_NOT_ABSOLUTE = 3,
	RPC_UNKNOWN_INFO = 4,
	RPC_SYSTEM = 5,
	RPC_FILE_RANGE = 6,
	RPC_CORRUPT = 9,
	RPC_SYNTAX = -32700,
	RPC_INVALID = -32600,
	RPC_NO_METHOD = -32601,
	RPC_PARAMS = -32602,
	RPC_INTERNAL = -32603,
};

struct rcall;
typedef void rcall_f(struct rcall *);

struct rpc_method {
	const char *name; /* as the JSON-RPC dialect has it: words with _ between */
	unsigned scopes;  /* besides READ */
	rcall_f *fn;
	int arg; /* what a function that serves several methods needs */
	unsigned (*needs)(const struct rcall *); /* more scopes; NULL: none */
};

/* Hashes of torrents; the function owns them. */
typedef void chosen_f(struct rcall *, uint8_t (*hashes)[20], uint32_t n);

/* --- calls (call.c) --- */

struct rcall {
	struct exchange *x;
	bool snake;                      /* the JSON-RPC dialect; else the one of 4.0 */
	bool silent;                     /* nobody waits for its answer: a notification */
	const json_t *id;                /* borrowed: its id, or tag; NULL: none */
	const struct rpc_method *method; /* NULL: it has ended as it began */
	const json_t *args;              /* borrowed; NULL: none */
	struct json_out out;             /* owned: the members of the answer */
	void *tail;                      /* owned: what writes more members; NULL: nothing does */
	bool (*tail_some)(void *, struct json_out *, size_t end); /* true: all are written */
	void (*tail_free)(void *);
	void *work;                 /* owned: what its method keeps while it runs */
	void (*work_free)(void **); /* frees it, leaving NULL */
	chosen_f *found;            /* chosen_find(): who is called, */
	bool in_order;              /* and whether in that of the queue */
	bool ended;
	enum rpc_code code;
	char why[600];
};

/* Reads one call from the JSON of its request. */
void rcall_init(struct rcall *, struct exchange *, const json_t *, bool in_batch);
void rcall_fini(struct rcall *);
/* What its method has made is the answer. */
void rcall_done(struct rcall *);
/* It has failed, or RPC_OK. */
void rcall_end(struct rcall *, enum rpc_code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* It ends with the outcome of another actor; the words are its own where it gave some. */
void rcall_end_err(struct rcall *, enum err, const char *why);
struct rpc *rcall_rpc(const struct rcall *);
uint16_t rcall_worker(const struct rcall *);             /* who may wait for a disk */
const struct config *rcall_config(const struct rcall *); /* of when the request came */

/* An argument by its name of the JSON-RPC dialect; the older spellings (seed-ratio-limit,
 * seedRatioLimit) are found, too.  NULL: it is not there, or null. */
const json_t *rcall_arg(const struct rcall *, const char *name);
/* absent: also when it is of another type. */
bool rcall_bool(const struct rcall *, const char *name, bool absent);
const char *rcall_text(const struct rcall *, const char *name); /* NULL: absent */
/* false: it is not there, or not that. */
bool rcall_int(const struct rcall *, const char *name, int64_t *out);
bool rcall_real(const struct rcall *, const char *name, double *out);

/* Files by their numbers, which are to have a priority, appended to the list; an empty one is all.
 * false: one is no number of a file. */
bool rcall_files(const struct rcall *, const char *name, uint8_t priority, struct file_wish **list,
	uint32_t *n);

/* The labels of the call, one a line and the caller's; *out NULL: none.  false: one cannot be. */
bool rcall_labels(const struct rcall *, char **out);

/* A key as the dialect has it. */
void rcall_key(struct json_out *, bool snake, const char *legacy, const char *snake_name);

/* --- exchanges (exchange.c) --- */

struct exchange {
	uint32_t magic;
	struct rpc *rpc;
	struct link link;            /* in rpc->exchanges, until its source is */
	const struct config *config; /* owned reference */
	struct shared *share;        /* borrowed: the answer; NULL: nobody waits */
	uint16_t worker;             /* the address of one */
	json_t *root;                /* owned: what was asked */
	struct rcall *calls;         /* owned */
	unsigned calls_n;
	bool batch;
	void (*go_on)(struct exchange *); /* a call has ended */
	unsigned at;                      /* the call that runs */
	bool running;                     /* it runs inside exchange_run() */
	unsigned put;                     /* the call whose answer is written, */
	bool opened;                      /* and whether its begin is */
};

/* Of a body that was read; takes root.  NULL: it is an empty batch, or too large a one. */
struct exchange *exchange_new(struct rpc *, const struct config *, json_t *root);
void exchange_free(struct exchange **);
/* Whether any of its calls is answered. */
bool exchange_is_heard(const struct exchange *);
/* Runs calls until one waits for another actor; after the last one, the answer is made and the
 * exchange belongs to its share. */
void exchange_run(struct exchange *);

/* --- which torrents (chosen.c) --- */

struct chosen {
	bool all, recent;
	const json_t *ids; /* borrowed: of neither; an integer, a hash, or a list of these */
};

void chosen_read(const struct rcall *, struct chosen *);
/*
 * Their info-hashes, without asking anybody: false when that is not possible, or more than max.
 * *out is the caller's.
 */
bool chosen_hashes(
	const struct chosen *, const struct rpc *, uint32_t max, uint8_t (**out)[20], uint32_t *n);
/* Marks those that are known by the serial number, by their `mark`. */
void chosen_mark(const struct chosen *, struct rpc *, uint64_t serial);
/* Finds the torrents that `ids` names and calls fn, or ends the call.  in_order: of their places in
 * the queue.  (chosen_find.c) */
void chosen_find(struct rcall *, bool in_order, chosen_f *fn);

/* --- changes (change.c) --- */

/* A change of one torrent. */
struct change {
	uint8_t infohash[20];
	enum torrent_op op;
	uint64_t value; /* as in m_torrent_set, and what follows, too */
	enum queue_move move;
	struct seed_limits seed;
	struct file_wish *files; /* owned */
	uint32_t files_n;
	char *labels;           /* owned */
	char *path, *from, *to; /* owned */
};

struct changes {
	struct change *list; /* owned */
	uint32_t n, room;
};

/* Another one, to be filled in.  Valid until the next. */
struct change *changes_add(struct changes *, const struct torrent_view *, enum torrent_op);
/* Makes them in this order; the call ends with the first that failed.  Takes the list.
 * one_by_one: each waits for the one before. */
void changes_make(struct rcall *, struct change *, uint32_t n, bool one_by_one);
void changes_free(struct change *, uint32_t n);

/* --- methods --- */

rcall_f get_torrents;
rcall_f act_plainly, act_remove, act_move; /* act_plainly: arg is the enum torrent_op */
rcall_f act_start_now;
rcall_f add_torrent;
rcall_f set_torrents, set_location, set_group, rename_path;
rcall_f preferences_get, preferences_set;
unsigned preferences_need(const struct rcall *);
rcall_f stats_get, daemon_close, free_space, test_port, update_blocklist, groups_get;

#endif
