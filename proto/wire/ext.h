/* SPDX-License-Identifier: MIT */
/*
 * The extension protocol's handshake: extended message 0 (BEP 10, BEP 9 metadata_size, BEP 21
 * upload_only).
 *
 * A peer may send it again to change a part of it, so that parsing updates what is named and
 * leaves the rest.  Others take a name that is missing from a later one as withdrawn, so that ours
 * always says all.  Pure; any thread.
 */
#ifndef PROTO_WIRE_EXT_H
#define PROTO_WIRE_EXT_H

#include "proto/base/base.h"
#include "proto/base/bytes.h"
#include "proto/base/endpoint.h"

enum ext_name {
#define EXT(name, text) EXT_##name,
#include "proto/wire/ext.def"
#undef EXT
	EXT_MAX_
};

/* The name on the wire. */
const char *ext_text(enum ext_name e);

#define EXT_REQQ_DEFAULT 250u /* what clients that do not say so keep */

struct ext_handshake {
	uint8_t ids[EXT_MAX_];      /* the peer's message id of each; 0: not supported */
	uint32_t reqq;              /* requests it queues, at least 1 */
	uint32_t metadata_size;     /* bytes of the info dictionary; 0: unknown */
	uint16_t port;              /* its listening port; 0: unknown */
	bool upload_only;           /* BEP 21: it wants nothing */
	char client[64];            /* printable UTF-8; "": not said */
	bool encrypts;              /* "e": it prefers encrypted connections */
	struct endpoint yourip;     /* our address as it sees it; port 0; unspecified: not said */
	struct endpoint ipv4, ipv6; /* its own addresses; port 0; unspecified: not said */
};

/* What holds before the peer has said anything. */
void ext_handshake_init(struct ext_handshake *h);
/*
 * payload is all after the extended id.  Updates *h; fields of the wrong type or out of range are
 * ignored as if absent.  E_SYNTAX, E_TYPE and the reader's other errors: not a bencoded dictionary,
 * *h is unchanged.
 */
enum err ext_handshake_parse(struct slice payload, struct ext_handshake *h);

struct ext_params {
	uint8_t ids[EXT_MAX_]; /* our message ids; 0: not offered */
	uint32_t withdrawn;    /* bits: names that an earlier handshake offered and this does not */
	uint32_t reqq;         /* 0: left out */
	uint32_t metadata_size; /* 0: left out */
	uint16_t port;          /* 0: left out */
	bool upload_only;
	bool was_upload_only; /* an earlier handshake said so: take it back if that is over */
	bool encrypts;
	const char *client;                 /* NULL: left out */
	const struct endpoint *yourip;      /* NULL: left out */
	const struct endpoint *ipv4, *ipv6; /* our own addresses; NULL: left out */
};

/* The dictionary, canonical; w->full latches when it does not fit. */
void ext_handshake_build(struct wr *w, const struct ext_params *params);

#endif
