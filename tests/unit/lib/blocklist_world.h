/* SPDX-License-Identifier: MIT */
/*
 * The blocklist actor among fakes of those it tells, all turned by hand in the test's thread; a
 * directory of its own for files and state, and an HTTP server that is turned with them.
 */
#ifndef TESTS_UNIT_LIB_BLOCKLIST_WORLD_H
#define TESTS_UNIT_LIB_BLOCKLIST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "actors/msg/env.h"

#define TOLD 5u /* two shards, dht, tracker, webseed */

struct blockworld {
	char dir[64]; /* the world's; files of lists and the state lie in it */
	struct actors *set;
	struct actor_env env;
	struct actor *blocker, *main, *http;
	struct told_one {
		struct actor *actor;
		const struct blocklist *list; /* owned: the last one it was sent */
		unsigned times;
	} told[TOLD];
	struct m_blocklist_view *view; /* owned: the last answer */
	unsigned answers;
	int server;           /* listens; -1: it is off */
	int client;           /* has asked, or will; -1: nobody */
	uint16_t server_port; /* also while it is off */
	const char *body;     /* borrowed: what it serves */
	size_t body_n;
	unsigned status, asked;
};

/* Makes the directory and the server; nothing runs yet. */
void blockworld_open(struct blockworld *);
void blockworld_close(struct blockworld *);
/* Starts the actors; sources are separated by commas, F is the path of the file, U the URL. */
void blockworld_start(struct blockworld *, const char *sources, const char *option);
void blockworld_stop(struct blockworld *);
/* The configuration is another. */
void blockworld_reload(struct blockworld *, const char *sources, const char *option);

void blockworld_write(struct blockworld *, const void *p, size_t n); /* the file of the list */
void blockworld_unlink(struct blockworld *);
void blockworld_server(struct blockworld *, bool on);

/* Has the sources read, and turns until they are. */
void blockworld_update(struct blockworld *);
/* Turns until nothing is to be read, and asks how it is: w->view. */
void blockworld_settle(struct blockworld *);
/* Turns those who are told, once; whether all have the same list. */
bool blockworld_agree(struct blockworld *);
bool blockworld_blocks(struct blockworld *, const char *ip);

#endif
