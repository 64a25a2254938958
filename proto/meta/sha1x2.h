/* SPDX-License-Identifier: MIT */
/*
 * The block function of SHA-1 (FIPS 180-4) with the processor's SHA instructions, for one stream or
 * for two at once.
 *
 * Each step of SHA-1 waits for the one before it, so one stream leaves the unit idle for a good
 * part of its time; a second one, independent of the first, fills the gaps.  Padding, lengths and
 * left-over bytes are the caller's (hash.c).
 */
#ifndef PROTO_META_SHA1X2_H
#define PROTO_META_SHA1X2_H

#include "proto/base/base.h"

#define SHA1_BLOCK 64u

/* Whether this processor has the instructions: only then may the others be called.  It asks the
 * processor, which is slow in a virtual machine: remember the answer.  Any thread. */
bool sha1x2_usable(void);

/* Moves a stream's five words on by n blocks.  Any thread. */
void sha1x2_one(uint32_t state[5], const uint8_t *p, size_t n);

/* The same for two streams, n blocks of each.  Any thread. */
void sha1x2_two(uint32_t sa[5], const uint8_t *a, uint32_t sb[5], const uint8_t *b, size_t n);

#endif
