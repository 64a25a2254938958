/* SPDX-License-Identifier: MIT */
/* Readiness of descriptors (epoll); a seam: tests/sim answers from its own sockets.  One owner
 * thread. */
#ifndef KERNEL_POLLER_H
#define KERNEL_POLLER_H

#include <signal.h>

#include "proto/base/base.h"

/*
 * <signal.h> has enumerators POLL_IN, POLL_OUT and POLL_ERR of its own (codes of SIGPOLL).  It is
 * included first and its macros are replaced, so that a file may include both in any order.
 */
#undef POLL_IN
#undef POLL_OUT
#undef POLL_ERR
#undef POLL_HUP
#define POLL_IN   1u  /* readable, or the other side closed */
#define POLL_OUT  2u  /* writable, or a connect has ended */
#define POLL_ERR  4u  /* error or hang-up; always reported with POLL_IN and POLL_OUT as well */
#define POLL_EDGE 8u  /* report changes only: the owner must read or write until E_AGAIN */
#define POLL_HUP  16u /* the other side ended its stream: with POLL_IN, and once when on edges */
#define POLL_CALM 32u /* asked for: it may wait while the poller rests */

struct poll_event {
	void *tag;       /* as given to poller_add */
	uint32_t events; /* POLL_IN, POLL_OUT, POLL_ERR, POLL_HUP */
};

struct poller;

struct poller *poller_new(void); /* panics when the system gives no descriptor */
void poller_free(struct poller **);
enum err poller_add(struct poller *, int fd, uint32_t events, void *tag);
enum err poller_mod(struct poller *, int fd, uint32_t events, void *tag);
/* To or from those that are calm, as POLL_CALM in events says; what it is ready for is reported
 * anew.  When it fails nothing has changed. */
enum err poller_move(struct poller *, int fd, uint32_t events, void *tag);
void poller_del(struct poller *, int fd, bool calm);
void poller_lost(struct poller *, int fd, bool calm); /* it may be closed already */
/* Until then, monotonic us, calm descriptors neither end a wait nor are reported. */
void poller_rest(struct poller *, int64_t until);
/* Waits at most timeout_us (0: just look; < 0: for ever).  Number of events. */
unsigned poller_wait(struct poller *, struct poll_event *out, unsigned max, int64_t timeout_us);

#endif
