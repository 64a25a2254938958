/* SPDX-License-Identifier: MIT */
/*
 * Peer exchange: one message, both ways (BEP 11).
 *
 * Read with tolerance for what the field sends: `added` without flags, or with a wrong number of
 * them, has none set; a list whose length is no number of addresses is ignored alone; of each
 * family and list the first PEX_FAMILY_MAX entries are taken, because the others are sent by nobody
 * who means well.  Written strictly: sorted keys, a flag for each address, at most PEX_MAX
 * addresses in a list over both families.  Pure; any thread.
 */
#ifndef PROTO_WIRE_PEX_H
#define PROTO_WIRE_PEX_H

#include "proto/base/base.h"
#include "proto/base/bytes.h"
#include "proto/base/endpoint.h"

#define PEX_FAMILY_MAX 50u /* of one family and list that are taken */
#define PEX_MAX        50u /* of both families that are sent, added and dropped each */
/* A longer message is none: the longest that a client of good will sends has 200 + 200 of IPv6. */
#define PEX_BYTES_MAX 16384u
/* Bytes of the longest message that pex_build() makes. */
#define PEX_BUILD_MAX (2u * PEX_MAX * 18 + PEX_MAX + 128)

/* BEP 11 "added.f". */
enum pex_flag {
	PEX_ENCRYPTION = 0x01, /* prefers an encrypted connection */
	PEX_SEED = 0x02,       /* wants nothing */
	PEX_UTP = 0x04,
	PEX_HOLEPUNCH = 0x08,
	PEX_REACHABLE = 0x10, /* was dialled */
};

struct pex_peer {
	struct endpoint at;
	uint8_t flags; /* of those above, no others */
};

struct pex_message {
	struct pex_peer added[2 * PEX_FAMILY_MAX];
	struct endpoint dropped[2 * PEX_FAMILY_MAX];
	uint32_t added_n, dropped_n;
};

/*
 * payload is all after the extended id.  Entries with port 0 or 1 are left out: nobody listens
 * there.  E_TOO_BIG: longer than PEX_BYTES_MAX.  E_SYNTAX, E_TYPE and the reader's other errors: no
 * bencoded dictionary.
 */
enum err pex_parse(struct slice payload, struct pex_message *out);

/* At most PEX_MAX added and PEX_MAX dropped.  w->full latches when PEX_BUILD_MAX bytes are not
 * there. */
void pex_build(struct wr *w, const struct pex_message *m);

#endif
