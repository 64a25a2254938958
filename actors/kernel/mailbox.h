/* SPDX-License-Identifier: MIT */
/*
 * The way of a pointer from one thread to another: inproc PUSH to PULL, 8-byte messages.
 *
 * The only header behind which ZeroMQ is known.  One inbox per actor, bound before any thread
 * starts; one outbox per (sender, receiver), used by the sender's thread only.  Pointers left in an
 * inbox that is closed are lost, hence the two-phase stop in actor.h.  A seam: tests/sim has plain
 * queues.
 */
#ifndef KERNEL_MAILBOX_H
#define KERNEL_MAILBOX_H

#include "proto/base/base.h"

struct mailbus; /* what inboxes and outboxes find each other through; any thread */
struct inbox;
struct outbox;

#define MAILBUS_DESCRIPTORS 4 /* of the bus; an inbox and an outbox have one each */

struct mailbus *mailbus_new(void);
void mailbus_free(struct mailbus **); /* after every inbox and outbox is closed */

struct inbox *inbox_open(struct mailbus *, const char *name);
void inbox_close(struct inbox **);
/* E_OK and *p, or E_AGAIN: only then may the owner sleep (the descriptor is edge-triggered). */
enum err inbox_recv(struct inbox *, void **p);
/* Descriptor that becomes readable when something arrived; -1 in the simulation. */
int inbox_fd(const struct inbox *);

struct outbox *outbox_open(struct mailbus *, const char *name);
void outbox_close(struct outbox **);
/* Never blocks.  false: the pipe is full, p stays the caller's. */
bool outbox_send(struct outbox *, void *p);

#endif
