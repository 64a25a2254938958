/* SPDX-License-Identifier: MIT */
/*
 * User and password of old clients (RFC 7617), which come with every request.
 *
 * The password is stored as crypt(3) has it, which takes 20 to 40 ms of a processor to check, and
 * nothing else is done meanwhile.  So what was right is remembered for some minutes, by a keyed
 * digest, and what is not remembered is checked a few times a second at most.  The http actor owns
 * it; seconds are of a clock that does not jump.
 */
#ifndef HTTP_ACCESS_BASIC_H
#define HTTP_ACCESS_BASIC_H

#include "proto/base/base.h"

#define BASIC_A_SECOND 4u  /* checks that take their time */
#define BASIC_TIME     600 /* seconds that one is remembered */

struct basic;

enum basic_outcome {
	BASIC_RIGHT,
	BASIC_WRONG,
	BASIC_BUSY, /* too many are checked now: ask again in a second */
};

struct basic *basic_new(void);
void basic_free(struct basic **);

/* header: what follows "Basic "; user and hash as configured, hash by crypt(3). */
enum basic_outcome basic_check(
	struct basic *, const char *header, const char *user, const char *hash, int64_t now);

#endif
