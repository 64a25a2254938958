/* SPDX-License-Identifier: MIT */
/*
 * What the files of the tracker actor share: the actor's state, its torrents, its jobs.
 *
 * tracker.c knows messages, announced.c a torrent and its trackers, job.c how an announce or a
 * scrape is carried out, places.c whose turn it is.  Each calls those behind it alone; the ends of
 * jobs go up by a table of functions.  A torrent that was removed leaves its slot and lives on
 * until its trackers were told.
 */
#ifndef ACTORS_TRACKER_PRIV_H
#define ACTORS_TRACKER_PRIV_H

#include <sys/queue.h>

#include "actors/fetch/web.h"
#include "actors/msg/env.h"
#include "actors/msg/tref_table.h"
#include "actors/tracker/places.h"
#include "actors/tracker/udp_io.h"
#include "proto/tracker/announce.h"

struct job;
struct announced;

TAILQ_HEAD(job_list, job);

/* Where the ends of jobs are told; the job is freed afterwards.  reply may be NULL on failure. */
struct job_ops {
	/* It is being carried out, or waits for a tracker that is silent. */
	void (*begun)(struct job *);
	void (*answered)(
		struct job *, struct announce_reply *reply, enum err err, const char *text);
	/* The same was said over the other family of addresses: all that counts is whom it names.
	 */
	void (*answered_again)(struct job *, struct announce_reply *reply);
	void (*scraped)(struct job *, struct announce_reply *reply);
	/* The job is no more: a torrent on its leave may go, and so may the actor. */
	void (*gone)(struct announced *);
};

/* Announces and scrapes that wait or run; see job.c. */
struct jobs {
	struct queue *queue;
	const struct job_ops *ops;
	struct loop_task task;
	struct loop_timer timer;
};

struct tracker {
	uint32_t magic;
	bool quiesced;
	struct actor *actor;
	struct loop *loop;
	const struct config *config;  /* owned reference */
	const struct blocklist *list; /* owned reference; NULL: there is none */
	uint16_t port;                /* peers reach us at */
	uint8_t peer_id[20];
	struct resolver *resolver;
	struct web *web;
	struct udpio *udpio;
	struct jobs jobs;
	struct tref_table torrents;      /* of struct announced, owned */
	TAILQ_HEAD(, announced) leaving; /* removed, their trackers are being told */
	struct loop_timer stop_timer;    /* the end of patience after QUIESCE */
	struct loop_task quiesced_task;  /* says so, outside of any handler */
};

#define TRACKER_MAGIC   0x54524b52u
#define ANNOUNCED_MAGIC 0x54525254u
#define JOB_MAGIC       0x4a4f4221u

/*
 * Bytes since the torrent was started, which is what BEP 3 wants.  The session knows them since the
 * daemon began, the peers since they got the torrent; whoever knows more is right, for their
 * messages overtake each other.
 */
struct count {
	uint64_t since;                  /* what trackers are told */
	uint64_t run_base;               /* what the session had counted at the start */
	uint64_t peers_base, peers_last; /* what the peers had, and what they said last */
};

/* A torrent as its trackers are told of it. */
struct announced {
	uint32_t magic;
	struct tracker *tk;
	struct tref ref;
	bool leaving, active, completed;
	bool partial; /* what is wanted of it is there, and it is not all */
	uint8_t infohash[20];
	uint32_t key;
	struct count down, up;
	uint64_t left;              /* bytes of all pieces that are not verified */
	struct tracker_counts told; /* to the session */
	int64_t seed_wall; /* since when nothing is left, so that trackers count us; 0: some is */
	struct announce *announce;   /* owned */
	int64_t *scraped;            /* owned, by tracker: when it was last; NULL: none ever */
	struct loop_timer timer;     /* the announce's deadline */
	TAILQ_ENTRY(announced) link; /* in leaving */
	struct job_list jobs;
};

struct job {
	uint32_t magic;
	struct queue_item item;
	TAILQ_ENTRY(job) of_torrent; /* in torrent->jobs */
	struct announced *torrent;
	int tracker;
	enum announce_event event;
	bool scrape;
	enum web_family family;  /* not WEB_ANY: says again what another job said over the other */
	char *url;               /* owned */
	char *trackerid;         /* owned, may be NULL */
	struct web_get *web;     /* while it runs */
	struct udpio_ask *udp;   /* likewise */
	struct loop_timer timer; /* its deadline */
};

/* --- job.c --- */

void jobs_init(struct tracker *tk, const struct job_ops *);
/* No job is left. */
void jobs_fini(struct tracker *tk);
/* Queues an announce; its end comes by ops->answered. */
void job_announce(struct announced *to, const struct announce_todo *todo);
/* Queues a scrape; its end comes by ops->scraped, if it is a good one. */
void job_scrape(struct announced *to, int tracker, const char *url);
/* Forgets a job without a word to anybody. */
void job_drop(struct tracker *tk, struct job **pj);
/*
 * The host of a URL and its port, for logs and for taking turns: the rest may hold the user's key.
 */
const char *job_host(const char *url, char *buf, size_t n);

/* --- announced.c --- */

extern const struct job_ops announced_job_ops;

/* Takes its slot; a torrent that is there already is sent on its leave. */
void announced_add(struct tracker *tk, const struct m_tracker_add *m);
void announced_start(struct announced *to);
/*
 * What waits in the queue was never sent.  What is under way may have arrived: with `hurry` it is
 * given up after the stop, so that its tracker is told as well, else its answer is awaited first.
 */
void announced_stop(struct announced *to, bool hurry);
void announced_complete(struct announced *to);
/* It has the trackers of that metainfo from now on; the others are told that it has stopped. */
void announced_edit(struct announced *to, const struct metainfo *meta);
/* It leaves its slot, and is freed when its trackers were told. */
void announced_remove(struct announced *to);
/* Takes what is due and sleeps until there is more. */
void announced_pump(struct announced *to);
/* It is about to start: what was counted before, by the session's count, is not told any more. */
void announced_count_anew(struct announced *to, uint64_t down, uint64_t up);
/* What the session has counted, and the peers. */
void announced_note_run(struct announced *to, uint64_t down, uint64_t up);
void announced_note_peers(struct announced *to, uint64_t down, uint64_t up);
void announced_note_left(struct announced *to, uint64_t left);
/* What is wanted is there, and it is not all (BEP 21). */
void announced_note_partial(struct announced *to, bool partial);
/* Gives up whatever it has under way, and is not woken again. */
void announced_silence(struct announced *to);
void announced_free(struct announced **pto);
/* tracker.min_interval may have changed. */
void announced_refloor(struct announced *to);

#endif
