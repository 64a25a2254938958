/* SPDX-License-Identifier: MIT */
/*
 * What the files of the tracker actor share: the actor's state, its torrents, its jobs.
 *
 * tracker.c knows torrents and messages, job.c the queue of announces and scrapes, and how
 * one is carried out.  A torrent that was removed leaves its slot and lives on until its trackers
 * were told.
 */
#ifndef ACTORS_TRACKER_PRIV_H
#define ACTORS_TRACKER_PRIV_H

#include <sys/queue.h>

#include "actors/fetch/curl.h"
#include "actors/msg/env.h"
#include "actors/tracker/udp_io.h"
#include "proto/tracker/announce.h"

struct job;
struct torrent;

TAILQ_HEAD(job_list, job);

/* Announces and scrapes that wait or run; see job.c. */
struct jobs {
	struct job_list urgent, waiting;
	unsigned total, running, max; /* jobs in all; carried out now, and at most */
	int64_t next_start;           /* the pace of the others: see queue_allows() */
	struct loop_task task;
	struct loop_timer timer;
};

struct tracker {
	uint32_t magic;
	bool quiesced;
	struct actor *actor;
	struct loop *loop;
	const struct config *config; /* owned reference */
	uint16_t port;               /* peers reach us at */
	uint8_t peer_id[20];
	struct resolver *resolver;
	struct web *web;
	struct udpio *udpio;
	struct jobs jobs;
	struct torrent **slots; /* by tref.slot; NULL: none */
	uint32_t slots_n;
	TAILQ_HEAD(, torrent) leaving;  /* removed, their trackers are being told */
	struct loop_timer stop_timer;   /* the end of patience after QUIESCE */
	struct loop_task quiesced_task; /* says so, outside of any handler */
};

#define TORRENT_MAGIC 0x54525254u

struct torrent {
	uint32_t magic;
	struct tracker *tk;
	struct tref t;
	bool leaving, active, completed;
	uint8_t infohash[20];
	uint32_t key;
	uint64_t downloaded, uploaded, left;
	int64_t seed_wall; /* since when nothing is left, so that trackers count us; 0: some is */
	struct announce *announce; /* owned */
	int64_t *scraped;        /* owned, by tracker: when it was last scraped; NULL: none ever */
	struct loop_timer timer; /* the announce's deadline */
	TAILQ_ENTRY(torrent) link; /* in leaving */
	struct job_list jobs;
};

struct job {
	uint32_t magic;
	TAILQ_ENTRY(job) link;       /* in urgent or waiting, while it waits */
	TAILQ_ENTRY(job) of_torrent; /* in torrent->jobs */
	struct torrent *torrent;
	int tracker;
	enum announce_event event;
	bool scrape, running;
	enum web_family family;  /* not WEB_ANY: says again what another job said over the other */
	const char *url;         /* borrowed from torrent->announce */
	char *trackerid;         /* owned, may be NULL */
	struct web_get *web;     /* while it runs */
	struct udp_ask *udp;     /* likewise */
	struct loop_timer timer; /* its deadline */
};

/* --- job.c --- */

void jobs_init(struct tracker *tk);
/* No job is left. */
void jobs_fini(struct tracker *tk);
/* Queues an announce; its end comes as torrent_answered(). */
void job_announce(struct torrent *to, const struct announce_todo *todo);
/* Queues a scrape; its end comes as torrent_scraped(). */
void job_scrape(struct torrent *to, int tracker, const char *url);
/* Forgets a job without a word to anybody. */
void job_drop(struct tracker *tk, struct job **pj);
/* The host of a URL, for logs: the rest may hold the user's key. */
const char *url_host(const char *url, char *buf, size_t n);

/* --- tracker.c, the ends of jobs: the job is freed by the caller.  reply may be NULL on failure.
 */

void torrent_answered(struct torrent *to, const struct job *j, struct announce_reply *reply,
	enum err err, const char *text);
/* The same was said over the other family of addresses: all that counts is whom it names. */
void torrent_answered_again(struct torrent *to, const struct job *j, struct announce_reply *reply);
void torrent_scraped(struct torrent *to, const struct job *j, struct announce_reply *reply);
/* A job has ended: a torrent on its leave may go, and so may the actor. */
void torrent_job_gone(struct torrent *to);

#endif
