/* SPDX-License-Identifier: MIT */
/*
 * Revisions: what has changed of the torrents that people see, and since when.
 *
 * Each visible change has the next number of one counter and moves its torrent to the young end of
 * a list, so "what changed since R" walks from there until it meets R: the cost follows change, and
 * nothing is kept for who asks.  Who went leaves a mark in a ring; asked for more than that holds,
 * the answer is that it cannot be told.  Knows rows and no torrents.  One owner.
 */
#ifndef ACTORS_SESSION_REVISIONS_H
#define ACTORS_SESSION_REVISIONS_H

#include "actors/msg/rows.h"
#include "proto/base/link.h"

/* So many of those that went are remembered. */
#define REVISIONS_GONE 4096u

/* A part of each torrent. */
struct revised {
	struct link due;        /* in revisions.due: what is seen of it may have changed */
	struct link order;      /* in revisions.order, while it is listed */
	struct torrent_row row; /* as it was last numbered; n 0: it is not listed */
};

struct revisions {
	uint64_t epoch, rev;
	uint32_t last_n;
	struct link due;
	struct link order; /* the last one changed last */
	struct tombstone {
		struct row_gone row;
		uint64_t rev;
	} * gone;                    /* owned, a ring of REVISIONS_GONE */
	uint64_t gone_n;             /* ever */
	uint64_t listed, ordered;    /* as in m_torrent_rows */
	uint64_t lost;               /* revision of the last that was forgotten; 0: none */
	uint64_t down_rate, up_rate; /* of all that are listed, B/s */
	struct row_sums sums;
	uint32_t counts[STATUS_MAX_]; /* of them, by status */
};

void revisions_init(struct revisions *, uint64_t epoch);
void revisions_fini(struct revisions *);

/* What is seen of it may have changed: the end of the turn looks. */
static inline void revision_mark(struct revisions *rs, struct revised *r)
{
	if (!link_linked(&r->due))
		link_append(&rs->due, &r->due);
}

/* One of those marked, which is marked no more, or NULL. */
struct revised *revision_next(struct revisions *);
/* What it looks like now, made from a copy of r->row; takes the references.  Numbered when it
 * differs from what was; the first time it is listed with that. */
void revision_put(struct revisions *, struct revised *r, struct torrent_row *now);
/* It is listed no more, or never was; out of all lists. */
void revision_drop(struct revisions *, struct revised *r);

/* Whether everything after that revision can be told. */
bool revision_reaches(const struct revisions *, uint64_t since);
/* The first that changed after that revision, or the next one before r; NULL: no more. */
const struct revised *revision_since(
	const struct revisions *, const struct revised *r, uint64_t since);
/* Those that went after it; *n of them, owned by the caller.  Those that also came after it
 * are among them: a list that was being taken meanwhile may have them. */
struct row_gone *revision_gone(const struct revisions *, uint64_t since, uint32_t *n);

#endif
