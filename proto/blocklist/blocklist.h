/* SPDX-License-Identifier: MIT */
/*
 * Addresses that one does not talk to: ranges of IPv4 and IPv6 from the lists that people publish.
 *
 * A list is built once from any number of files and ranges that always pass, and is immutable from
 * then on: sorted and merged, 8 bytes a range of IPv4 and 32 of IPv6, shared between threads by
 * reference count.  Of what is refused by it only a count is kept, which is atomic.  It can be
 * packed, to be kept on a disk and read without sorting.  Pure.
 */
#ifndef PROTO_BLOCKLIST_BLOCKLIST_H
#define PROTO_BLOCKLIST_BLOCKLIST_H

#include "proto/base/endpoint.h"

#define BLOCKLIST_RANGES_MAX 2000000u /* before they are merged */

struct blocklist;

/* One more user; any thread that holds a reference.  Fine with NULL. */
const struct blocklist *blocklist_ref(const struct blocklist *);
/* NULLs the caller's pointer; the last one frees. */
void blocklist_unref(const struct blocklist **);

/* Whether the address is in it; false without a list.  It counts nothing. */
bool blocklist_has(const struct blocklist *, const struct endpoint *);
/* The same for an address that is about to be refused: then it is counted. */
bool blocklist_refuses(const struct blocklist *, const struct endpoint *);
uint64_t blocklist_refusals(const struct blocklist *);
uint32_t blocklist_ranges(const struct blocklist *); /* after they were merged */
size_t blocklist_bytes(const struct blocklist *);    /* of memory */
/* The list as n bytes that blocklist_add() reads; the caller's, who frees them by xfree(). */
uint8_t *blocklist_pack(const struct blocklist *, size_t *n);

/* --- making one; one owner --- */

struct blocklist_maker;

/* What there was in a file. */
struct blocklist_report {
	uint32_t ranges;  /* understood */
	uint32_t allowed; /* ranges that the list itself lets pass (level over 127 of a DAT file) */
	uint32_t bad;     /* lines or records that were not */
	uint32_t bad_line; /* the first of them, from 1 */
	char bad_text[64]; /* its beginning, as it stands there; not to be trusted */
};

struct blocklist_maker *blocklist_maker_new(void);
void blocklist_maker_free(struct blocklist_maker **);

/*
 * Adds the ranges of a file of n bytes, unpacked, whose format is told by its content, line by
 * line: P2P text ("name:1.2.3.4-1.2.3.9"), eMule's DAT ("001.002.003.004 - 001.002.003.009 , 000 ,
 * name"), CIDR, ranges and single addresses; or P2B, versions 1 to 3; or what blocklist_pack() has
 * made.  Lines that are not understood are skipped and reported.  E_SYNTAX: there is no range in
 * it, or it is packed and damaged; E_TOO_BIG: more than BLOCKLIST_RANGES_MAX; E_UNSUPPORTED: P2B of
 * another version.
 */
enum err blocklist_add(
	struct blocklist_maker *, const uint8_t *p, size_t n, struct blocklist_report *);
/* Addresses that pass whatever a file says: one line's worth of the same.  E_SYNTAX. */
enum err blocklist_allow(struct blocklist_maker *, const char *range);

/* Ends the maker; the result has one user.  Counts on from `refusals`. */
const struct blocklist *blocklist_make(struct blocklist_maker **, uint64_t refusals);

#endif
