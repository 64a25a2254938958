/* SPDX-License-Identifier: MIT */
/*
 * Torrents as a list shows them: small records of fixed size, and what has changed of them.
 *
 * Every visible change has the next number of one counter, the revision.  A row is made of groups
 * that change together; each says at which revision it last did.  Who has seen all up to revision R
 * is told the rows that are new since, the groups that changed since, and who is gone.  Numbers
 * mean something within one epoch, which is one run of the daemon.
 */
#ifndef ACTORS_MSG_ROWS_H
#define ACTORS_MSG_ROWS_H

#include "actors/kernel/message.h"
#include "actors/msg/label.h"
#include "actors/msg/view.h"
#include "proto/meta/metainfo.h"

enum torrent_why {
#define WHY(name, text, doc) WHY_##name,
#include "actors/msg/why.def"
#undef WHY
	WHY_MAX_
};

/* What a shard counts of a torrent's peers at a tick.  Every torrent has some of these, so they are
 * small; more than fits is said as the most that does. */
struct swarm_counts {
	uint32_t down_rate, up_rate; /* B/s of payload */
	uint16_t peers;              /* connected, the handshake is done, no web seeds; of these */
	uint16_t seeds;              /* have everything */
	uint16_t useful;             /* have something wanted that we lack; of these */
	uint16_t senders;            /* let us ask for it */
	uint16_t known;              /* addresses, connected or not */
};

/* What the trackers of a torrent say of it. */
struct tracker_counts {
	int32_t seeds,
		peers; /* the most that any of them knows; peers: that are none; -1: not known */
	bool fail;     /* there are some, and every one that was asked fails */
};

enum row_group { ROW_IDENTITY, ROW_STATUS, ROW_PROGRESS, ROW_RATES, ROW_SWARM, ROW_GROUPS };

/* Groups are compared as bytes: a row begins as zeros, what pads it too. */
struct row_identity {
	uint8_t infohash[20];
	bool is_private;
	struct metainfo *meta; /* reference, as the next ones */
	struct label *name;
	struct label *path; /* target directory */
	uint64_t size;      /* bytes; 0: not known */
	int64_t added;      /* seconds since 1970 */
};

struct row_status {
	enum torrent_status status;
	enum torrent_why why;
	struct label *error;           /* reference; NULL: none */
	struct label *labels;          /* reference: one a line; NULL: none */
	int64_t place;                 /* in the queue: who has less comes first */
	uint64_t down_limit, up_limit; /* B/s, 0: unlimited */
	int64_t completed_at;          /* seconds since 1970, 0: never */
	bool forced, sequential, first_last;
	struct seed_limits seed; /* its own */
};

struct row_progress {
	uint32_t progress;     /* 0 to 10,000: of what is wanted, or while it is checked of that */
	uint64_t wanted, left; /* bytes */
	uint64_t downloaded, uploaded; /* bytes, ever */
	uint64_t down_run, up_run;     /* bytes, since the daemon's start */
	uint64_t ratio;                /* thousandths */
	uint64_t seeded;               /* seconds of seeding, before seed_since */
	int64_t seed_since;            /* us, monotonic; 0: it does not seed */
	int64_t active_at; /* seconds since 1970: payload moved last; 0: not in this run */
};

/* Three digits of each count, so that what hardly changes stays as it is. */
struct row_rates {
	uint64_t down, up; /* B/s */
	int64_t eta;       /* seconds; -1: not known */
};

struct row_swarm {
	uint32_t peers, seeds;            /* connected */
	int32_t swarm_seeds, swarm_peers; /* as its trackers count; -1: not known */
};

struct torrent_row {
	uint32_t n;                   /* its name in this epoch; never another's */
	uint64_t born;                /* revision at which it came */
	uint64_t changed[ROW_GROUPS]; /* revisions */
	uint32_t position;            /* in the queue, from 1, as it was when somebody asked */
	struct row_identity identity;
	struct row_status status;
	struct row_progress progress;
	struct row_rates rates;
	struct row_swarm swarm;
};

/* One that went. */
struct row_gone {
	uint32_t n;
	uint8_t infohash[20];
};

/* *to, which holds nothing, becomes a copy with references of its own. */
void row_copy(struct torrent_row *to, const struct torrent_row *from);
/* Gives its references up. */
void row_fini(struct torrent_row *);
/* Whether the group is the same in both. */
bool row_same(const struct torrent_row *, const struct torrent_row *, enum row_group);

/* Of all torrents that are listed. */
struct row_sums {
	uint64_t downloaded, uploaded; /* bytes, ever */
	uint64_t down_run, up_run;     /* bytes, since the daemon's start */
	uint64_t peers;                /* connected */
};

enum rows_of { ROWS_SINCE, ROWS_PAGE, ROWS_ONE };

struct m_torrent_rows {
	struct msg h;
	enum rows_of of;
	uint64_t epoch;       /* of `since`, or of `from` */
	uint64_t since;       /* ROWS_SINCE: everything up to that revision has been seen */
	bool else_page;       /* ROWS_SINCE: where that cannot be told, ROWS_PAGE is meant */
	uint32_t from, limit; /* ROWS_PAGE: 0 or the `next` of the page before; 0: no limit */
	uint8_t infohash[20]; /* ROWS_ONE */
	/* reply; E_NOT_FOUND: there is no such torrent */
	uint64_t epoch_now, rev; /* the rows are true to this revision */
	bool reset;              /* what was seen is of no use; no rows, or with else_page a page */
	struct torrent_row *rows; /* owned */
	uint32_t rows_n;
	struct row_gone *gone; /* owned: those that went since */
	uint32_t gone_n;
	uint64_t listed;  /* revision at which a torrent last came, went or got another identity, */
	uint64_t ordered; /* or came, went or got another place in the queue */
	uint32_t next;    /* 0: there are no more */
	struct row_sums sums;          /* of all */
	uint64_t down_rate, up_rate;   /* of all, B/s */
	uint64_t down_limit, up_limit; /* on everything, B/s, 0: unlimited */
	uint32_t counts[STATUS_MAX_];  /* torrents by status */
};

void m_torrent_rows_fini(struct m_torrent_rows *);

#endif
