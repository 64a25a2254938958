/* SPDX-License-Identifier: MIT */
/*
 * Changes of several torrents, as requests of other programs' dialects name them: a message to the
 * session for each, a few at a time.
 *
 * What is gone meanwhile is left out.  The first failure is what the client is told; the other
 * changes are made all the same.  For the http actor's thread.
 */
#ifndef HTTP_DIALECT_CHANGES_H
#define HTTP_DIALECT_CHANGES_H

#include "actors/msg/msg.h"

struct change {
	uint8_t infohash[20];
	enum torrent_op op;
	uint64_t value;
	enum queue_move move;
	struct seed_limits seed;
	struct file_wish *files; /* owned */
	uint32_t files_n;
	char *labels; /* owned */
};

struct changes {
	struct change *list; /* owned */
	uint32_t n, room;
};

struct changes_job;
/* E_OK, or the first failure with its words, which may be empty.  The job is gone. */
typedef void changes_done_f(void *ctx, enum err, const char *why);

/* Another one, to be filled in.  Valid until the next. */
struct change *changes_add(struct changes *, const uint8_t infohash[20], enum torrent_op);
/* None are left. */
void changes_free(struct changes *);
/*
 * Makes them in this order and calls fn, perhaps at once.  Takes the list.  one_by_one: each waits
 * for the one before.  *job, which ctx owns, is set meanwhile.
 */
void changes_make(struct changes_job **job, struct actor *, struct changes *, bool one_by_one,
	changes_done_f *fn, void *ctx);
/* Nobody is called any more; what was sent is carried out.  Fine with NULL. */
void changes_cancel(struct changes_job **job);

#endif
