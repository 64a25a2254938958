/* SPDX-License-Identifier: MIT */
/*
 * What the files of a node share.
 *
 * From below: ask.c sends questions and knows which answers are awaited, answer.c answers others,
 * lookup.c walks towards a target, keep.c keeps the table alive, job.c has the single jobs,
 * agenda.c the torrents, kad.c tells what came to whom and is the node's face.  Each calls those
 * before it alone; how a question or a lookup ended goes up by tables of functions.
 */
#ifndef PROTO_DHT_PRIV_H
#define PROTO_DHT_PRIV_H

#include "proto/base/link.h"
#include "proto/dht/filter.h"
#include "proto/dht/gate.h"
#include "proto/dht/kad.h"
#include "proto/dht/store.h"
#include "proto/dht/token.h"
#include "proto/dht/voter.h"

#define KAD_MAGIC       0x4b41444eu
#define KAD_ASKED_MAX   512u
#define KAD_SHORT       (1 * USEC_PER_SEC) /* then others are asked, too */
#define KAD_LONG        (8 * USEC_PER_SEC) /* then it counts as none */
#define KAD_ALPHA       5u
#define KAD_LOOKUPS_MAX 4u                   /* of torrents, at once */
#define KAD_CANDS_MAX   100u                 /* of a lookup */
#define KAD_HOLD        (50 * USEC_PER_MSEC) /* who may not send looks again after so long */

/* --- ask.c --- */

extern const struct slice kad_version; /* what we say we are, in "v" */

/* Who hears how a question ended; once, by answered or failed, after late perhaps. */
struct kad_asker {
	void (*answered)(void *owner, const struct krpc_node *by, const struct krpc *, int64_t now);
	/* Nothing after KAD_SHORT; it may still come.  May be NULL. */
	void (*late)(void *owner, const struct endpoint *, int64_t now);
	/* error: what it said instead, or NULL. */
	void (*failed)(void *owner, const struct endpoint *, const struct krpc *error, int64_t now);
};

struct kad_question {
	struct link by_age;        /* in kad->asked or kad->late */
	struct kad_question *next; /* of its chain */
	uint32_t tid;
	enum krpc_method method;
	struct endpoint at;
	bool knows_id;
	struct kad_id id; /* that is expected */
	int64_t sent;
	const struct kad_asker *asker; /* NULL: nobody cares any more */
	void *owner;
};

#define KAD_CHAINS 256u

struct kad_asked {
	struct link young, late; /* heads, the oldest first */
	struct kad_question *chain[KAD_CHAINS];
	unsigned n;
	uint64_t count; /* ever: ids are made of it */
};

/*
 * Sends m, of which method and what belongs to it are set, to a node.  id: NULL: not known.  false:
 * not now: a budget is used up, or too many answers are awaited.
 */
bool kad_ask(struct kad *, const struct endpoint *to, const struct kad_id *id, struct krpc *m,
	const struct kad_asker *, void *owner, int64_t now);
/* The question that a reply or an error answers, taken out, the caller's to free; NULL: none. */
struct kad_question *kad_asked_take(struct kad *, const struct endpoint *from, struct slice tid);
void kad_asked_init(struct kad *);
void kad_asked_fini(struct kad *);
/* What has waited too long. */
void kad_asked_tick(struct kad *, int64_t now);
int64_t kad_asked_deadline(const struct kad *);
/* The owner does not want to hear of its questions any more. */
void kad_asked_forget(struct kad *, const void *owner);

/* --- answer.c --- */

void kad_answer(struct kad *, int via, const struct endpoint *from, const struct krpc *query,
	size_t query_n, int64_t now);

/* --- lookup.c --- */

struct kad_lookup;

struct kad_lookup_ops {
	/* Completes a question whose method and target are set. */
	void (*question)(struct kad_lookup *, struct krpc *);
	/* A node has answered; true: the lookup may end with it. */
	bool (*heard)(
		struct kad_lookup *, const struct krpc_node *by, const struct krpc *, int64_t now);
	/* The end: the lookup is freed after it. */
	void (*done)(struct kad_lookup *, int64_t now);
};

enum cand_state { CAND_FRESH, CAND_ASKED, CAND_LATE, CAND_ALIVE, CAND_FAILED };

struct kad_cand {
	struct krpc_node node;
	enum cand_state state;
	bool fits;       /* BEP 42 */
	bool nameless;   /* a router: its id is not known */
	uint8_t tries;   /* how often a nameless one was asked */
	uint8_t by;      /* which answer named it; 0: our table */
	uint8_t token_n; /* 0: none */
	uint8_t token[KRPC_TOKEN_MAX];
};

struct kad_lookup {
	struct link link; /* in kad->lookups */
	struct kad *kad;
	unsigned family;
	struct kad_id target;
	enum krpc_method method;
	const struct kad_lookup_ops *ops;
	void *owner;
	struct kad_cand *cands; /* owned; nearest first, nameless ones last */
	uint32_t n, room;
	unsigned asked, answered, misfits_asked;
	uint8_t answers;     /* numbered, up to 255 */
	uint8_t failed[256]; /* candidates by who named them */
	uint8_t alive[256];
	bool ended;
};

/* Begins with what the table has; kad_lookup_run() sends the first questions. */
struct kad_lookup *kad_lookup_new(struct kad *, unsigned family, const struct kad_id *target,
	enum krpc_method, const struct kad_lookup_ops *, void *owner);
void kad_lookup_add(struct kad_lookup *, const struct krpc_node *, bool nameless);
/* Asks as many as it may; ends it when there is nobody left to ask: then it is gone. */
void kad_lookup_run(struct kad_lookup *, int64_t now);
/* All of them: budgets may have room again. */
void kad_lookups_run(struct kad *, int64_t now);
/* Without a word to its owner. */
void kad_lookup_free(struct kad_lookup **);
/* The nearest that gave a token: eight, and eight whose ids fit.  Returns how many. */
unsigned kad_lookup_best(const struct kad_lookup *, const struct kad_cand **out, unsigned max);

/* --- keep.c --- */

#define KAD_SEEDS_MAX 400u
#define KAD_MEET_MAX  64u

struct kad_seed {
	struct krpc_node node;
	bool nameless;
	enum kad_origin origin;
};

struct kad_family {
	struct kad *kad;
	unsigned index; /* KAD_V4, KAD_V6 */
	bool open;
	struct kad_table *table; /* owned; NULL: not open */
	struct kad_voter voter;
	struct kad_seed *seeds; /* owned: saved nodes and routers */
	uint32_t seeds_n, seeds_room;
	struct kad_seed meet[KAD_MEET_MAX]; /* strangers, to be asked who they are; a ring */
	unsigned meet_at, meet_n;
	struct kad_lookup *self; /* looks for our own id, or fills a bucket; NULL: none */
	unsigned tries;          /* of finding anybody, in a row */
	unsigned fill;           /* the next bucket to be filled, once it works */
	int64_t opened, look_due, ping_due, meet_due;
};

void kad_keep_open(struct kad_family *, const struct kad_id *own, int64_t now);
void kad_keep_close(struct kad_family *);
void kad_keep_tick(struct kad_family *, int64_t now);
int64_t kad_keep_deadline(const struct kad_family *);
/* A stranger that may be worth a question. */
void kad_keep_meet(struct kad_family *, const struct kad_seed *, int64_t now);
/* A saved node or a router. */
void kad_keep_seed(struct kad_family *, const struct kad_seed *, int64_t now);
/* It is a router, which is not to be kept. */
bool kad_keep_spares(const struct kad_family *, const struct endpoint *);
/* Looks for nodes as if it had just begun. */
void kad_keep_again(struct kad_family *, int64_t now);
/* Somebody says what our address is. */
void kad_keep_vote(struct kad_family *, const struct endpoint *by, struct slice ip, int64_t now);
/* Enough nodes to find things. */
bool kad_keep_ready(const struct kad_family *);

/* --- job.c --- */

struct kad_task;

/* Where the peers of a torrent go, and the end. */
struct kad_task_ops {
	void (*peers)(void *owner, const struct endpoint *, unsigned n);
	/* found: peers in all.  The task is freed after it. */
	void (*done)(void *owner, unsigned found, int64_t now);
};

/* Finds a torrent's peers; announce: and tells that we are one.  It begins with the next tick. */
struct kad_task *kad_task_torrent(struct kad *, const struct kad_id *, bool announce, bool seed,
	const struct kad_task_ops *, void *owner);
/* Without a word to its owner. */
void kad_task_free(struct kad_task **);
void kad_tasks_tick(struct kad *, int64_t now);
void kad_tasks_fini(struct kad *);

/* --- agenda.c --- */

struct kad_agenda;

struct kad_agenda *kad_agenda_new(struct kad *);
void kad_agenda_free(struct kad_agenda **);
void kad_agenda_put(struct kad_agenda *, const struct kad_id *, struct kad_wish, int64_t now);
void kad_agenda_want(struct kad_agenda *, const struct kad_id *, int64_t now);
void kad_agenda_drop(struct kad_agenda *, const struct kad_id *);
void kad_agenda_tick(struct kad_agenda *, int64_t now);
int64_t kad_agenda_deadline(const struct kad_agenda *);
unsigned kad_agenda_count(const struct kad_agenda *);
unsigned kad_agenda_running(const struct kad_agenda *);
/* Everything is due, by and by: the line has come back. */
void kad_agenda_wake(struct kad_agenda *, int64_t now);

struct kad_counts {
	uint64_t queries_in, queries_out, answers_in, answers_out, timeouts, refused_in, held_out;
};

struct kad {
	uint32_t magic;
	struct kad_config config;
	const struct kad_ops *ops;
	void *ctx;
	uint8_t secret[16];
	uint64_t seed; /* of hashes of addresses */
	struct rng rng;
	struct kad_gate *gate;   /* owned */
	struct kad_store *store; /* owned */
	struct kad_items *items; /* owned */
	struct kad_asked asked;
	struct link lookups; /* head: kad_lookup */
	struct link tasks;   /* head: kad_task */
	struct kad_family family[KAD_FAMILIES];
	struct kad_agenda *agenda; /* owned */
	struct kad_counts counts;
	bool held;     /* somebody waits for a budget */
	bool kicked;   /* somebody has just begun */
	int64_t begun; /* when the first family was opened */
	int64_t unsolicited;
	int64_t puts_at;
	unsigned puts; /* checked since then */
	int64_t large_at;
	unsigned large; /* answers to strangers since then */
	uint64_t jobs;  /* ever */
};

static inline unsigned kad_family_of(const struct endpoint *e)
{
	return endpoint_is_v4(e) ? KAD_V4 : KAD_V6;
}

/* Whether a node or a peer may be there: it has a way to us, and is nobody to be refused. */
static inline bool kad_allows(const struct kad *k, const struct endpoint *e)
{
	return kad_filter_allows(e, k->config.local) &&
	       (k->ops->refuses == NULL || !k->ops->refuses(k->ctx, e));
}

#define KAD_QUIET        (15 * 60 * USEC_PER_SEC)
#define KAD_RETEST_EVERY (3600 * USEC_PER_SEC)
#define KAD_RETEST       (300 * USEC_PER_SEC)

/*
 * Nobody has come by himself for long: a router lets nobody in, and others should not keep us in
 * their tables (BEP 43).  Once an hour that is looked at again, for who is not kept is not asked.
 */
static inline bool kad_is_quiet(const struct kad *k, int64_t now)
{
	return k->begun != 0 && now - MAX(k->begun, k->unsolicited) > KAD_QUIET;
}

static inline bool kad_says_read_only(const struct kad *k, int64_t now)
{
	return k->config.read_only ||
	       (kad_is_quiet(k, now) && (now - k->begun) % KAD_RETEST_EVERY >= KAD_RETEST);
}

#endif
