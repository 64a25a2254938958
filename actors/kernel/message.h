/* SPDX-License-Identifier: MIT */
/*
 * What every message starts with, and the table that says what messages there are.
 *
 * The program's messages are listed in actors/msg.def; the kernel sees them only through struct
 * msg_table. A message has one owner at any time; it moves by `struct msg **` and the giver's
 * pointer becomes NULL.
 */
#ifndef KERNEL_MESSAGE_H
#define KERNEL_MESSAGE_H

#include "proto/base/base.h"

#define MSG_MAGIC 0x4d534721u

/* Address of an actor: its role and which instance of it (shard, worker). */
#define ADDR(role, index) ((uint16_t)((unsigned)(role) << 8 | (unsigned)(index)))
#define ADDR_ROLE(addr)   ((unsigned)(addr) >> 8)
#define ADDR_INDEX(addr)  ((unsigned)(addr)&0xff)

struct msg {
	uint32_t magic;  /* MSG_MAGIC */
	uint16_t type;   /* index into the table */
	uint16_t from;   /* ADDR of the last sender */
	uint16_t to;     /* ADDR of the last receiver */
	bool reply;      /* on its way back to the caller */
	bool queued;     /* in a mailbox: sending it again is a bug */
	enum err err;    /* outcome, in a reply */
	uint64_t call;   /* correlation; 0: a cast.  Never reused. */
	int64_t sent_us; /* when it was sent, for the queueing delay histogram */
};

/* Types below this one belong to the kernel (actor.c handles them); msg.def starts here. */
enum { KMSG_NONE, KMSG_PING, KMSG_QUIESCE, KMSG_TERM, KMSG_FIRST_USER_ };

struct msg_type {
	const char *name;
	size_t size;                /* of the payload struct, whose first member is struct msg */
	void (*fini)(struct msg *); /* frees what the payload owns; may be NULL */
	uint32_t from;              /* bit mask of roles that may send it */
	uint32_t to;                /* bit mask of roles that may get it */
	uint32_t deadline_ms;       /* of a call; 0: it is a cast */
};

struct msg_table {
	const struct msg_type *types; /* KMSG_* included */
	unsigned n;
	const char *const *roles; /* names of the roles */
	unsigned roles_n;
	/* What a message is about, for people: writes the value and returns its key ("ih"); NULL:
	 * nothing.  May itself be NULL. */
	const char *(*about)(const struct msg *, char *value, size_t size);
};

#endif
