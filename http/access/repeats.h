/* SPDX-License-Identifier: MIT */
/*
 * Requests that may come again (Idempotency-Key): who does not know whether a change was made sends
 * it once more with the same key, and gets the first answer.
 *
 * 256 keys are kept for a day, in memory alone; the oldest makes room.  Names and requests are
 * digests of the caller's.  The http actor owns them.
 */
#ifndef HTTP_ACCESS_REPEATS_H
#define HTTP_ACCESS_REPEATS_H

#include "proto/base/base.h"

#define REPEATS_MAX    256u
#define REPEATS_TIME   (INT64_C(24) * 3600) /* seconds that an answer is kept */
#define REPEATS_ANSWER ((size_t)16 << 10)   /* bytes of an answer that is kept */

struct repeats;

struct repeat_answer {
	unsigned status;
	const char *type; /* static, or NULL */
	const char *body; /* borrowed; n bytes */
	size_t n;
};

enum repeat {
	REPEAT_NEW,   /* begun: repeats_done() or repeats_drop() ends it */
	REPEAT_BUSY,  /* the first is under way */
	REPEAT_OTHER, /* the key was used for another request */
	REPEAT_KNOWN, /* the first was answered */
};

struct repeats *repeats_new(void);
void repeats_free(struct repeats **);

/*
 * A request with a key.  name: of who asks and the key; request: of all that it asks for.
 * REPEAT_KNOWN: *first is its answer, borrowed until the next call.  now: seconds of a clock that
 * does not jump.
 */
enum repeat repeats_begin(struct repeats *, const uint8_t name[32], const uint8_t request[32],
	int64_t now, struct repeat_answer *first);
/* It was answered so; what is too long is forgotten. */
void repeats_done(struct repeats *, const uint8_t name[32], const struct repeat_answer *);
/* It came to nothing: it may come again as if it had never been. */
void repeats_drop(struct repeats *, const uint8_t name[32]);

#endif
