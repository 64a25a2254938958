/* SPDX-License-Identifier: MIT */
/*
 * What the files of the webseed actor share.
 *
 * A web seed is made to look like a peer: it speaks the peer wire with `peers` over a pair of
 * sockets, and HTTP with the server.  So limits, the picker, verdicts and bans treat it as they
 * treat everybody, and the data path has no second version for it.  One thread.
 *
 * From the ground up, nobody calls upward but by the tables of functions given:
 *   transfer.c  one run of content over HTTP     pipe.c  the peer wire
 *   seed.c      one URL of one torrent           webseed.c  torrents, messages, the actor
 */
#ifndef ACTORS_WEBSEED_PRIV_H
#define ACTORS_WEBSEED_PRIV_H

#include "actors/fetch/web.h"
#include "actors/msg/env.h"
#include "actors/msg/tref_table.h"
#include "proto/base/link.h"
#include "proto/base/outbuf.h"
#include "proto/meta/layout.h"
#include "proto/webseed/answer.h"
#include "proto/webseed/names.h"
#include "proto/webseed/run.h"
#include "proto/wire/wire.h"

#define WEBSEED_MAGIC     0x57424453u
#define WEB_TORRENT_MAGIC 0x57425452u
#define SEED_MAGIC        0x57425345u
#define TRANSFER_MAGIC    0x57425846u

/* --- pipe.c --- */

struct pipe;

struct pipe_ops {
	/* E_PROTOCOL: end it. */
	enum err (*request)(struct pipe *, uint32_t piece, uint32_t begin, uint32_t length);
	void (*cancel)(struct pipe *, uint32_t piece, uint32_t begin, uint32_t length);
	void (*turned)(struct pipe *); /* all that was there has been read, and some has left */
	void (*ended)(struct pipe *);  /* the other side has closed it; it may be closed in here */
};

/* Our end of a connection with peers. */
struct pipe {
	struct loop *loop;
	const struct pipe_ops *ops;
	struct loop_fd io; /* fd -1: closed */
	struct loop_task task;
	struct wire_dec dec;
	struct outbuf out;
	uint32_t greeting; /* bytes of their handshake that have come */
	bool readable, writable;
};

/* The fd is the pipe's from now on. */
enum err pipe_open(struct pipe *, struct loop *, int fd, const struct pipe_ops *);
void pipe_close(struct pipe *); /* fine when it is closed */
static inline bool pipe_is_open(const struct pipe *p)
{
	return p->io.fd >= 0;
}
/* Room for so many bytes; pipe_say() sends them. */
struct wr pipe_begin(struct pipe *, size_t room);
void pipe_say(struct pipe *, const struct wr *);
static inline size_t pipe_unsent(const struct pipe *p)
{
	return outbuf_len(&p->out);
}

/* --- transfer.c --- */

#define TRANSFER_REQUESTS 256u

struct transfer;

struct transfer_ops {
	/* A block is whole; its bytes are lent. */
	void (*block)(void *owner, const struct httpseed_request *, const uint8_t *);
	bool (*has_room)(void *owner); /* false: transfer_resume() will follow */
	/*
	 * It is over: TAKE, everything came; else the rest of its requests is not to be had, and
	 * why.  Freed in here.  file: of the last answer.
	 */
	void (*done)(
		void *owner, struct transfer *, const struct httpseed_judgement *, uint32_t file);
};

/* Requests that lie side by side, as one part of a file after the other. */
struct transfer {
	uint32_t magic;
	struct web *web;
	struct loop *loop;
	const struct config *config;
	const struct metainfo *meta; /* borrowed, like all of these */
	const struct httpseed_names *names;
	const char *base; /* the seed's URL */
	const struct transfer_ops *ops;
	void *owner;
	struct httpseed_request request[TRANSFER_REQUESTS];
	uint32_t n, at;         /* the one that is filled */
	uint8_t *block;         /* owned: BLOCK_SIZE, or as long as the longest request */
	uint32_t filled;        /* bytes of it */
	struct span_iter spans; /* what comes after `span` */
	struct file_span span;
	uint64_t left;             /* bytes of the span that have not come */
	struct web_get *get;       /* owned; NULL between two spans */
	struct loop_timer silence; /* nothing came for webseed.timeout */
	struct loop_task next;
	struct httpseed_judgement judged;
	bool refused; /* `judged` is final */
	bool waits;   /* for room */
	bool ends;    /* the answer has no more than is wanted */
	struct link in_seed;
};

/* Takes the n requests, which follow each other. */
struct transfer *transfer_new(
	const struct transfer *like, const struct httpseed_request *, uint32_t n);
void transfer_resume(struct transfer *);
/* Nothing is reported. */
void transfer_free(struct transfer **);

/* --- seed.c --- */

enum seed_state {
	SEED_CLOSED,  /* too many others are open */
	SEED_OPEN,    /* peers have it */
	SEED_RESTING, /* until its timer */
	SEED_BANNED,  /* it sent data that does not match its hash */
	SEED_EMPTY,   /* it has none of the files */
};

struct webseed;
struct web_torrent;

struct seed {
	uint32_t magic;
	struct web_torrent *torrent;
	const char *url; /* in the metainfo */
	unsigned index;  /* in the torrent */
	enum seed_state state;
	struct pipe pipe;
	struct httpseed_queue queue;
	struct link transfers; /* head */
	unsigned transfers_n;
	struct httpseed_health health;
	struct loop_timer timer;
	struct bitfield gone; /* files that the server lacks; of no bits while it lacks none */
	uint64_t bytes;       /* of blocks it gave */
	char error[128];      /* of the last failure; "": none since it last worked */
	struct link in_line;  /* in webseed->line: waits for a connection; or in ->closed */
};

void wseed_start(struct seed *, struct web_torrent *, unsigned index);
/* Nothing is left of it; the struct is the torrent's. */
void wseed_end(struct seed *);
void wseed_ban(struct seed *);
/* It waits for a connection, and there is one. */
void wseed_serve(struct seed *);
/* It waits for a pipe, and there is one. */
void wseed_open(struct seed *);
/* Where peers believe it is: an address for nobody, its own for each seed (RFC 6666). */
struct endpoint wseed_address(const struct seed *);
const char *wseed_state_text(const struct seed *);

/* --- webseed.c --- */

struct web_torrent {
	uint32_t magic;
	struct webseed *webseed;
	struct tref ref;
	struct metainfo *meta; /* owned reference */
	struct layout layout;
	struct httpseed_names *names; /* owned */
	struct seed *seeds;           /* owned array */
	unsigned seeds_n;
};

struct webseed {
	uint32_t magic;
	struct actor *actor;
	struct loop *loop;
	const struct config *config;  /* owned reference */
	const struct blocklist *list; /* owned reference: what others may not be at; NULL: none */
	struct resolver *resolver;    /* owned */
	struct web *web;              /* owned */
	struct tref_table torrents;   /* struct web_torrent */
	unsigned used;                /* connections in use */
	unsigned open;                /* pipes, as many as there may be connections */
	struct link closed;           /* head: seeds that wait for a pipe */
	struct link line;             /* head: seeds with requests and without a connection */
	struct loop_task serve;       /* there may be one for the first in the line */
};

#endif
