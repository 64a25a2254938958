/* SPDX-License-Identifier: MIT */
/* What the files of the blocklist share: a range, and lists of them that grow. */
#ifndef PROTO_BLOCKLIST_PRIV_H
#define PROTO_BLOCKLIST_PRIV_H

#include "proto/base/array.h"
#include "proto/blocklist/blocklist.h"

/* An address of 128 bits as a number: IPv4 is ::ffff:a.b.c.d, as in an endpoint. */
__extension__ typedef unsigned __int128 blocklist_ip;

#define BLOCKLIST_V4     ((blocklist_ip)0xffff << 32)             /* the first one of IPv4 */
#define BLOCKLIST_V4_END (BLOCKLIST_V4 + ((blocklist_ip)1 << 32)) /* the first one behind IPv4 */

/* How a packed list begins; then how many ranges of each family there are (u32), and their ends: of
 * IPv4 in 4 bytes each, of IPv6 in 16, big-endian. */
#define BLOCKLIST_PACKED      "\xff\xff\xff\xffTRD\1"
#define BLOCKLIST_PACKED_HEAD 8u

/* Both ends are in it; lo <= hi, and both of one family. */
struct blocklist_range {
	blocklist_ip lo, hi;
};

struct blocklist_set {
	struct blocklist_range *v; /* owned */
	uint32_t n, room;
	bool sorted; /* as they were added */
};

static inline bool blocklist_is_v4(blocklist_ip ip)
{
	return ip >= BLOCKLIST_V4 && ip < BLOCKLIST_V4_END;
}

blocklist_ip blocklist_ip_of(const struct endpoint *);

enum blocklist_line { LINE_EMPTY, LINE_RANGE, LINE_ALLOWED, LINE_BAD };

/* text.c: what a line of n bytes, without its end, says. */
enum blocklist_line blocklist_line(const char *p, size_t n, struct blocklist_range *out);

/* blocklist.c: a list of ranges that are sorted and merged; they stay the caller's. */
const struct blocklist *blocklist_of(const struct blocklist_set *, uint64_t refusals);

#endif
