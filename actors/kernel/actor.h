/* SPDX-License-Identifier: MIT */
/*
 * An actor: a thread, a loop, an inbox, a table of handlers.
 *
 * Casts go one way.  A call gets exactly one reply: what the other side answered, or E_TIMEOUT from
 * the local deadline, or E_STOPPING.  The request struct has room for the result and travels back
 * as the reply, so replying allocates nothing.  No blocking call exists.  Sends are collected and
 * leave at the end of the turn, so that one wake-up carries many.
 *
 * Stop has two phases, because a closed inbox drops what it holds: KMSG_QUIESCE, acked by every
 * actor in turn (new calls are then answered E_STOPPING, casts still work), then KMSG_TERM, drain,
 * join, close.
 *
 * Unless said otherwise every function is for the actor's own thread and panics elsewhere.
 */
#ifndef KERNEL_ACTOR_H
#define KERNEL_ACTOR_H

#include "actors/kernel/loop.h"
#include "actors/kernel/message.h"
#include "actors/kernel/stats.h"

struct actor;
struct actors; /* all actors of one daemon, the mail bus between them, the message table */

/* Takes *m (leaving NULL) or leaves it: the kernel then frees it, or answers a call with its err
 * field. */
typedef void actor_msg_f(struct actor *, struct msg **m);
/* The reply to a call; (*m)->err says how it went.  m may be NULL on E_TIMEOUT and E_STOPPING only,
 * when the message is lost with the callee: err is then given in `err`. */
typedef void actor_reply_f(struct actor *, void *ctx, enum err err, struct msg **m);

struct actor_handler {
	uint16_t type; /* KMSG_NONE: every message that has no line of its own (fakes in tests) */
	actor_msg_f *fn;
};

struct actor_spec {
	const char *role_name;                /* as in the message table */
	const struct actor_handler *handlers; /* ends with {0, NULL} */
	void *(*init)(struct actor *,
		const void *arg); /* in the actor's thread; returns its state (self) */
	void (*quiesce)(struct actor
			*); /* begin to wind down; ends with actor_quiesced().  NULL: at once */
	void (*tick_end)(struct actor
			*); /* end of every turn, before the batch of sends leaves; may be NULL */
	void (*fini)(struct actor *); /* frees self; no message may be sent any more */
};

/* --- the set of actors; main's thread --- */

struct actors *actors_new(const struct msg_table *); /* borrows the table */
/* Creates the actor and opens its inbox; nothing runs yet.  `arg` is borrowed until init has run.
 */
struct actor *actors_add(
	struct actors *, uint16_t addr, const struct actor_spec *, const void *arg);
/* Makes the caller's thread the thread of `addr` (main is an actor too, without a thread of its
 * own). */
struct actor *actors_add_here(
	struct actors *, uint16_t addr, const struct actor_spec *, const void *arg);
/* Checks that every message has a handler in each role it is for, then starts one thread per actor
 * and waits until every init has run, one after the other in the order they were added.  Threads
 * have all signals blocked but those a fault raises.  The outcome of a call whose handler left *m
 * is its err. */
void actors_start(struct actors *);
/* After every actor has acked QUIESCE: TERM, drain, join; then ends the actors of the caller's
 * thread.  A pending call ends with E_STOPPING.  Panics when a message is left alive. */
void actors_join(struct actors *);
/* How many descriptors the actors at these addresses hold, for as long as they live; one of them
 * has the caller's thread. */
unsigned actors_descriptors(const struct msg_table *, const uint16_t *addrs, unsigned n);
void actors_free(struct actors **);

/* What an actor is doing, for the supervisor; any thread. */
struct actor_state {
	uint16_t addr;
	const char *role;  /* name */
	uint16_t handling; /* message type in hand, 0: none */
	const char *handling_name;
	int64_t since_us; /* when its turn began; 0: it sleeps */
	uint64_t turns;
};
unsigned actors_count(const struct actors *);
void actors_state(const struct actors *, unsigned i, struct actor_state *out);

/* What has been counted of an actor since its start. */
struct actor_counters {
	char name[16];
	uint16_t handling; /* message type in hand, 0: none */
	uint64_t stats[STAT_MAX_];
	uint64_t *in,
		*out;   /* messages by type, replies included, for each type of the table; owned */
	uint32_t calls; /* that wait for their reply now */
	uint32_t waiting; /* messages in its mailbox now */
	uint32_t waiting_most;
	int64_t turned_us; /* when its last turn began, monotonic */
};
/* Any thread; each number is whole, and as it was at some moment of late. */
void actors_counters(const struct actors *, unsigned i, struct actor_counters *out);
void actor_counters_fini(struct actor_counters *);

/* From now on each message of these names is one line of the log when it is taken in hand, and of
 * no others; any thread.  false: *unknown is no message's name, the others are traced. */
bool actors_trace(struct actors *, const char *const *names, size_t n, const char **unknown);

/* --- inside an actor --- */

void *actor_self(const struct actor *); /* what init returned */
uint16_t actor_addr(const struct actor *);
struct loop *actor_loop(const struct actor *);
static inline int64_t actor_now(const struct actor *a)
{
	return loop_now(actor_loop(a));
}

/* A zeroed message of that type, owned by the caller. */
void *msg_new(struct actor *, uint16_t type);
/* Frees what it owns and itself.  Fine with *m NULL. */
void msg_free(struct actor *, struct msg **m);

/* All take *m.  Legality (msg.def) is checked. */
void actor_cast(struct actor *, uint16_t to, struct msg **m);
/* fn is called exactly once, never from inside this call.  Returns the call's id. */
uint64_t actor_call(struct actor *, uint16_t to, struct msg **m, actor_reply_f *fn, void *ctx);
/* Same with a deadline of its own. */
uint64_t actor_call_within(struct actor *, uint16_t to, struct msg **m, int64_t timeout_us,
	actor_reply_f *fn, void *ctx);
/* Sends a call's message back with its outcome. */
void actor_reply(struct actor *, struct msg **m, enum err err);
/* Forgets the caller's pending calls that carry ctx: their replies are freed unseen.  In the
 * destructor of ctx. */
void actor_cancel_calls(struct actor *, const void *ctx);
/* Says that winding down is done; called once after spec->quiesce. */
void actor_quiesced(struct actor *);
bool actor_stopping(const struct actor *); /* QUIESCE has come */

/* --- one turn by hand: main's loop and the simulation --- */

/* Sleeps at most max_us and runs one turn.  false: TERM has come and the actor has drained. */
bool actor_turn(struct actor *, int64_t max_us);
/* When a turn is due by timers, tasks and undrained mail: 0 = at once, INT64_MAX = when mail or
 * events come. */
int64_t actor_deadline(const struct actor *);
/* Simulation: run all inits in the caller's thread instead of actors_start(); then turn them by
 * hand. */
void actors_start_here(struct actors *);
struct actor *actors_at(const struct actors *, unsigned i);

#endif
