/* SPDX-License-Identifier: MIT */
/*
 * What the files of the status actor share.
 *
 *   status.c    the actor: when the session is asked, and by whom that is wanted
 *   tell.c      what is published
 *   snapshot.c  what a question is answered with
 *   mirror.c    torrents as subscribers have been told of them
 *   subscribed.c  which topics somebody has subscribed to
 *   outlet.c    the sockets
 *   key.c       the server's key
 */
#ifndef ACTORS_STATUS_PRIV_H
#define ACTORS_STATUS_PRIV_H

#include "actors/kernel/loop.h"
#include "actors/msg/env.h"
#include "actors/status/mirror.h"
#include "actors/status/outlet.h"
#include "actors/status/subscribed.h"
#include "proto/base/json_out.h"

#define STATUS_MAGIC 0x53545553u

enum status_phase {
	STATUS_OFF,     /* nobody wants anything: there is no mirror */
	STATUS_LOADING, /* all torrents are asked for, page by page */
	STATUS_ON,      /* what has changed is asked for */
};

struct status {
	uint32_t magic;
	struct actor *actor;
	struct loop *loop;
	const struct config *config; /* a reference */
	const struct actor_env *env; /* borrowed */
	struct outlet *outlet;       /* owned; NULL: nothing is configured */
	struct loop_fd fds[OUTLET_FDS];
	struct loop_task again; /* there is more to be received */
	struct loop_timer timer;
	struct subscribed subscribed;
	struct mirror mirror;
	enum status_phase phase;
	bool asking;         /* the session has a question */
	bool quiet;          /* nobody has been told of a mirror that is being filled */
	uint64_t epoch, rev; /* of the session, up to which the mirror is true */
	uint32_t next;       /* STATUS_LOADING: the page that follows */
	int64_t used_at;     /* somebody last subscribed or asked; monotonic us */
	char *stats;         /* owned: what was last said of all together, JSON; NULL: nothing */
	size_t stats_n;
	uint64_t stats_sequence;
	bool piecing;       /* the store notes verified pieces for us */
	bool asking_pieces; /* and has a question */
};

/* --- tell.c --- */

#define STATUS_STATS "session/stats"

/* The topic of a torrent; its length. */
size_t publisher_topic(const uint8_t infohash[20], enum topic, char out[SUBSCRIBED_TOPIC + 1]);
/* What is said there of the torrent as it is. */
void publisher_put(const struct status *, struct json_out *, const struct mirrored *, enum topic);

/* Publishes what is wanted of these topics; a bit each. */
void publisher_tell(struct status *, const struct mirrored *, unsigned topics);
/* It is gone. */
void publisher_tell_gone(struct status *, struct mirrored *);
/* What all are together, if that is other than before. */
void publisher_tell_stats(struct status *, const struct m_torrent_rows *);
/* Verified pieces, which are sorted. */
void publisher_tell_pieces(struct status *, struct m_store_pieces *);
/* To who has just subscribed to that prefix: from now on all of it comes. */
void publisher_tell_subscribed(struct status *, const char *prefix, size_t n);

/* --- snapshot.c --- */

/* Answers those who have asked, a few in a turn; the mirror is as the session has it now. */
void publisher_answer(struct status *);

#endif
