/* SPDX-License-Identifier: MIT */
/*
 * A set of actors for the tests of the kernel: one that echoes, three in a ring, and the test's own
 * thread, which is the actor "main".  What others do is told to it by messages.
 */
#ifndef TESTS_UNIT_LIB_ACTOR_RIG_H
#define TESTS_UNIT_LIB_ACTOR_RIG_H

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/kernel/actor.h"

enum { R_MAIN, R_ECHO, R_RING };
enum { M_ECHO = KMSG_FIRST_USER_, M_LATE, M_NUMBER, M_TOKEN, M_BUFFER, M_MAX_ };

#define ECHO ADDR(R_ECHO, 0)

struct m_number {
	struct msg h;
	uint64_t n;
	char *owned;
};

struct seen {
	unsigned replies, numbers, tokens, lost;
	bool disorder;
	enum err err;
	uint64_t n;
	char words[32];
};

struct rig {
	struct actors *set;
	struct actor *me;
	struct seen seen;
	sem_t disk; /* what holds echo up: M_BUFFER with RIG_HANGS waits for rig_release() */
};

#define RIG_HANGS 99u

extern const struct msg_table rig_table;
extern const struct actor_spec rig_echo, rig_ring, rig_main;

void rig_open(struct rig *); /* starts them */
void rig_close(struct rig *);
void rig_release(struct rig *); /* echo goes on */
/* Turns until *counter reaches n; a test that waits too long fails. */
void rig_turn_until(struct rig *, const unsigned *counter, unsigned n);
struct msg *rig_number(struct rig *, uint16_t type, uint64_t n);
/* Calls echo; the reply is noted in seen. */
uint64_t rig_call(struct rig *, uint16_t type, uint64_t n);
void rig_on_reply(struct actor *, void *seen, enum err, struct msg **);

#endif
