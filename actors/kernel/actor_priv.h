/* SPDX-License-Identifier: MIT */
/*
 * The inside of an actor and of a set of actors; for actor*.c, actors.c, message.c and stats.c
 * alone.
 *
 * From the ground up: actor_self.c says who an actor is, stats.c counts, message.c allocates
 * messages, actor_post.c sends them, actor_call.c keeps the pending calls, actor.c runs turns,
 * actors.c owns threads, start and stop.
 */
#ifndef KERNEL_ACTOR_PRIV_H
#define KERNEL_ACTOR_PRIV_H

#include <pthread.h>
#include <semaphore.h>

#include "actors/kernel/actor.h"
#include "actors/kernel/mailbox.h"
#include "actors/kernel/panic.h"
#include "actors/kernel/pool.h"
#include "actors/kernel/stats.h"

#define ACTOR_MAGIC  0x41435452u
#define ACTORS_MAGIC 0x41435453u
#define ACTORS_MAX   255u
#define ROLES_MAX    32u /* bits of the masks in struct msg_type */

enum actor_phase {
	ACTOR_NEW,      /* init has not run */
	ACTOR_RUNNING,  /* turns are run */
	ACTOR_DRAINING, /* TERM has come: what is sent to it is freed, its own calls end */
	ACTOR_ENDED,    /* fini has run: nothing may be sent any more */
};

/* Messages for one receiver that wait for the end of the turn. */
struct route {
	struct outbox *box; /* NULL: no message of the table goes there (yet) */
	struct msg **v;
	unsigned n, cap;
};

struct call; /* a pending call, actor_call.c */

struct calls {
	struct pool *pool;
	struct call **by_id;  /* buckets */
	struct call **by_ctx; /* buckets, for actor_cancel_calls() */
	size_t buckets;       /* a power of two, or 0 */
	uint32_t n;           /* relaxed atomic */
	uint64_t last_id;
};

struct actor {
	uint32_t magic;
	uint16_t addr;
	uint8_t slot;       /* place in the set */
	uint8_t phase;      /* enum actor_phase */
	bool here;          /* the creator's thread is its thread */
	bool hot;           /* the inbox may hold more: do not sleep */
	bool stopping;      /* QUIESCE has come */
	bool quiesced;      /* and was acked */
	bool threaded;      /* has a thread to join */
	pthread_t thread;   /* the owner, once init has begun */
	pthread_t joinable; /* for actors_join() */
	struct actors *set;
	const struct msg_type *types; /* the table's */
	const struct actor_spec *spec;
	const void *arg; /* for init */
	void *self;      /* what init returned */
	struct loop *loop;
	struct inbox *inbox;
	struct loop_fd inbox_node;
	actor_msg_f **dispatch; /* by message type */
	struct route *routes;   /* by slot of the receiver; opened before any thread starts */
	unsigned dirty_n;       /* routes with messages */
	uint8_t dirty[ACTORS_MAX];
	struct calls calls;
	struct msg *quiesce;   /* the call to be acked */
	struct spare **spares; /* freed messages by type, message.c */
	int64_t *live;         /* by type: messages this actor made, less those it freed */
	struct panic_hand hand;
	uint16_t handling;         /* type in hand; relaxed atomic */
	int64_t since_us;          /* of the turn, 0: sleeps; relaxed atomic */
	int64_t turned_us;         /* when the last turn began; relaxed atomic */
	uint32_t mail;             /* messages in the inbox; atomic, senders add to it */
	uint32_t mail_most;        /* the most there were when one was taken; relaxed atomic */
	uint32_t taken;            /* of this drain, not yet off `mail` */
	uint64_t *in, *out;        /* messages by type; relaxed atomics */
	uint64_t stats[STAT_MAX_]; /* relaxed atomics */
	char name[16];             /* "peers", "peers.1" */
};

struct actors {
	uint32_t magic;
	unsigned n;
	bool started;
	bool joined;
	const struct msg_table *table;
	struct mailbus *bus;
	uint8_t *trace;       /* by type: log each message; relaxed atomics */
	struct outbox **term; /* by slot, where no actor has the creator's thread; else NULL */
	sem_t ready;          /* posted by each thread when its init has run */
	int64_t *live;        /* by type: the set's own share, as in struct actor */
	pthread_mutex_t depot_lock;
	struct spare **depot; /* chains of freed messages by type, message.c; under the lock */
	struct actor *list[ACTORS_MAX];
	uint8_t by_addr[ROLES_MAX][256]; /* slot + 1; 0: nobody */
};

/* Panics when it is not the actor's own thread. */
void actor_check_thread(const struct actor *);
/* Adds to a counter of the calling thread's actor. */
static inline void stat_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}
/* Marks a turn's context for log and panic. */
void actor_enter(struct actor *);
/* Sends what the turn has collected. */
void actor_flush(struct actor *);
/* Queues m for `to`; legality was checked. */
void actor_post(struct actor *, uint16_t to, struct msg **m);
/* The actor at an address; panics when there is none. */
struct actor *actors_find(const struct actors *, uint16_t addr);
/* Runs spec->init in the calling thread, which becomes the actor's. */
void actor_begin(struct actor *);
/* After TERM: ends calls, drains, runs fini. */
void actor_finish(struct actor *);

size_t msg_size(const struct msg_type *, uint16_t type);
const char *msg_name(const struct msg_type *, uint16_t type);
/* Frees the payload and the message; for live counts of the set. */
void msg_destroy(const struct msg_type *, struct msg **m);
void msg_spares_free(struct actor *);
/* When no actor's thread is left. */
void msg_depot_free(struct actors *);

/* The reply to a call: ends the call, or is freed when it comes too late. */
void calls_deliver(struct actor *, struct msg **m);
/* Ends every pending call with E_STOPPING, also those made meanwhile. */
void calls_end_all(struct actor *);
void calls_free(struct actor *);

#endif
