/* SPDX-License-Identifier: MIT */
/*
 * Local service discovery: who has which torrents in the local network (BEP 14), one datagram.
 *
 * The text looks like HTTP and is read as leniently as others write it: lines may end in LF alone,
 * names of headers are of any case, there may be several info-hashes, and one, two or no empty
 * lines at the end.  Pure; any thread.
 */
#ifndef PROTO_LSD_LSD_H
#define PROTO_LSD_LSD_H

#include "proto/base/base.h"
#include "proto/base/bytes.h"

#define LSD_PORT     6771u
#define LSD_GROUP4   "239.192.152.143"
#define LSD_GROUP6   "ff15::efc0:988f"
#define LSD_DATAGRAM 1400u /* bytes, at most: what every link takes whole */
#define LSD_HASHES   24u   /* in one datagram of ours, and as many are read of another's */
#define LSD_COOKIE   32u   /* bytes of a cookie that are kept */

struct lsd_message {
	uint16_t port;           /* it listens at, TCP; not 0 */
	char cookie[LSD_COOKIE]; /* of printable ASCII; "": none */
	uint8_t infohash[LSD_HASHES][20];
	unsigned n; /* info-hashes, at least 1 */
};

/* false: it is none, or says nothing of use.  What is too much of it is left out. */
bool btsearch_parse(struct slice datagram, struct lsd_message *out);
/* As BEP 14 has it, for the group of that family.  Never longer than LSD_DATAGRAM. */
size_t btsearch_build(uint8_t out[LSD_DATAGRAM], bool v6, const struct lsd_message *m);

#endif
