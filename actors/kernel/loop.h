/* SPDX-License-Identifier: MIT */
/*
 * One actor's event loop: descriptors, timers, a run queue, deferred frees.
 *
 * One turn: wait; take the time once; timers; events set flags and queue; drain the mailbox
 * (actor.c); run queue; end of tick (actor.c); reap.  Nodes are embedded in the caller's objects:
 * no allocation. An object that owns nodes removes them, then frees itself through loop_reap(),
 * because the batch of events in hand may still name it.  One owner thread.
 */
#ifndef KERNEL_LOOP_H
#define KERNEL_LOOP_H

#include "actors/kernel/clock.h"
#include "actors/kernel/poller.h"

#define LOOP_DESCRIPTORS 1 /* that a loop holds */

struct loop;

struct loop_fd {
	int fd;          /* -1: not added */
	uint32_t events; /* what is asked for: POLL_IN, POLL_OUT, POLL_EDGE, POLL_CALM */
	void (*fn)(struct loop_fd *, uint32_t ready); /* ready: POLL_IN, POLL_OUT, POLL_ERR */
};

struct loop_timer {
	int64_t at;     /* due time, monotonic us; meaningful while index > 0 */
	uint32_t index; /* place in the heap; 0: not set.  Zero-initialise. */
	void (*fn)(struct loop_timer *, int64_t now);
};

struct loop_task {
	struct loop_task *next;
	bool queued; /* already waiting to run.  Zero-initialise. */
	void (*fn)(struct loop_task *);
};

struct loop_reap {
	struct loop_reap *next;
	void (*fn)(struct loop_reap *);
};

struct loop *loop_new(void);
void loop_free(struct loop **); /* nothing may be added any more */

int64_t loop_now(const struct loop *); /* monotonic us, taken once per turn */

/* node->fn is set by the caller.  E_NFILES and the like when the descriptor cannot be watched. */
enum err loop_fd_add(struct loop *, struct loop_fd *, int fd, uint32_t events);
void loop_fd_events(
	struct loop *, struct loop_fd *, uint32_t events); /* change what is asked for */
void loop_fd_del(struct loop *, struct loop_fd *);         /* fine when not added */
/* The same for a descriptor that its owner may have closed already. */
void loop_fd_lost(struct loop *, struct loop_fd *);

/*
 * Resting.  Where data flows steadily, each wake-up for a few packets costs more than the packets.
 * What may wait is calm: until a rest that the owner has set is over, its events gather and do not
 * end the loop's sleep.  Everything else, messages and timers too, is as prompt as ever.
 */
void loop_fd_calm(struct loop *, struct loop_fd *, bool calm); /* costs two system calls */
/* Until then; every rest has an end that was set in advance.  The past: no rest. */
void loop_rest(struct loop *, int64_t until);
bool loop_rests(const struct loop *); /* as of this turn */

void loop_timer_set(struct loop *, struct loop_timer *, int64_t at); /* moves it when already set */
void loop_timer_del(struct loop *, struct loop_timer *);             /* fine when not set */
static inline bool loop_timer_is_set(const struct loop_timer *t)
{
	return t->index != 0;
}

/* Queued once; a task posted while the queue runs is run in the next turn, which then does not
 * sleep. */
void loop_task_post(struct loop *, struct loop_task *);
void loop_task_del(struct loop *, struct loop_task *); /* O(queue); only on teardown */

void loop_reap_later(struct loop *, struct loop_reap *);

/* The parts of a turn, for actor.c and the simulation. */
void loop_wait(struct loop *,
	int64_t max_us); /* sleeps at most that long and not past a timer or with tasks queued */
uint32_t loop_run_timers(struct loop *); /* returns how many fired */
void loop_run_events(struct loop *);
void loop_run_tasks(struct loop *);
void loop_run_reap(struct loop *);
/* When the next turn is due by timers and tasks alone: 0 = at once, INT64_MAX = never. */
int64_t loop_deadline(const struct loop *);

#endif
