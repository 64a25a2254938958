/* SPDX-License-Identifier: MIT */
/*
 * A short text as a QR code (ISO/IEC 18004): bytes, error correction M, versions 1 to 10.
 *
 * For links that a phone is to read off a screen.  A library would be one more that the daemon
 * needs to run, for what is a page of arithmetic.  Pure; any thread.
 */
#ifndef PROTO_BASE_QR_H
#define PROTO_BASE_QR_H

#include "proto/base/base.h"

#define QR_BYTES_MAX 213u /* of the text */
#define QR_SIZE_MAX  57u  /* modules in a row */
#define QR_QUIET     4u   /* light modules that must be around it */
#define QR_TEXT      8192 /* room for qr_draw() */

struct qr {
	uint32_t size;              /* rows, and modules in a row */
	uint64_t dark[QR_SIZE_MAX]; /* a row each: bit x is the module at x from the left */
};

/* E_TOO_BIG: more than QR_BYTES_MAX bytes. */
enum err qr_make(struct qr *out, const char *text, size_t n);

static inline bool qr_dark(const struct qr *q, uint32_t x, uint32_t y)
{
	return (q->dark[y] >> x & 1) != 0;
}

/*
 * As lines for a terminal that knows colours and UTF-8, two rows of modules a line, with the quiet
 * zone. Returns the bytes written, besides a NUL.
 */
size_t qr_draw(const struct qr *, char out[QR_TEXT]);

#endif
