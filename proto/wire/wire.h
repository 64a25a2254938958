/* SPDX-License-Identifier: MIT */
/*
 * The peer wire: handshake, messages in, messages out (BEP 3 "peer messages", BEP 6, framing of BEP
 * 10).
 *
 * The decoder is pulled, one event a call, so that the caller may close at any event and may
 * receive a block's payload straight into its place instead of through here.  What lies whole in
 * the caller's bytes is decoded there without a copy; only what is split is carried inside, and
 * only a split bitfield or extended message takes heap, growing with the bytes that came and never
 * past max_bitfield or WIRE_EXTENDED_MAX.
 *
 * One owner a decoder; the encoders and helpers are pure and may be called on any thread.
 */
#ifndef PROTO_WIRE_WIRE_H
#define PROTO_WIRE_WIRE_H

#include "proto/base/bytes.h"
#include "proto/base/endpoint.h"

#define WIRE_HANDSHAKE    68u
#define WIRE_PIECE_HEADER 13u
#define WIRE_MAX_BLOCK    131072u /* the longest block we take or serve; clients ask for 16 KiB */
/* The longest extended message that is kept; of all we know none is so long, but for a handshake
 * that names much.  One that is longer is skipped as it comes, WIRE_UNKNOWN. */
#define WIRE_EXTENDED_MAX 65536u

/* --- handshake: BEP 3 "peer protocol" --- */

struct wire_handshake {
	uint8_t reserved[8];
	uint8_t infohash[20];
	uint8_t peer_id[20];
	bool has_infohash; /* 48 bytes were there: reserved and infohash are valid */
};

/* Always E_OK; out gets all 68 bytes. */
enum err wire_handshake_encode(uint8_t out[WIRE_HANDSHAKE], const uint8_t reserved[8],
	const uint8_t infohash[20], const uint8_t peer_id[20]);
/*
 * p holds the first n bytes of the stream, from its start each time.  E_AGAIN until 68 are there
 * (see has_infohash meanwhile), E_OK then; E_PROTOCOL at the first byte that cannot be a
 * handshake's.
 */
enum err wire_handshake_decode(const uint8_t *p, size_t n, struct wire_handshake *out);

enum wire_feature {
	WIRE_DHT,       /* BEP 5 */
	WIRE_FAST,      /* BEP 6 */
	WIRE_EXTENSION, /* BEP 10 */
	WIRE_V2,        /* BEP 52, the v2 upgrade bit */
};
void wire_reserved_set(uint8_t reserved[8], enum wire_feature f);
bool wire_reserved_has(const uint8_t reserved[8], enum wire_feature f);

/* --- decoder --- */

enum wire_ev_type {
	WIRE_NONE, /* more bytes are needed; all were consumed */
	WIRE_KEEPALIVE,
	WIRE_CHOKE,
	WIRE_UNCHOKE,
	WIRE_INTERESTED,
	WIRE_NOT_INTERESTED,
	WIRE_HAVE,     /* index */
	WIRE_BITFIELD, /* payload */
	WIRE_REQUEST,  /* index, begin, length */
	WIRE_CANCEL,   /* index, begin, length */
	WIRE_PORT,     /* index: the port */
	WIRE_SUGGEST,  /* index */
	WIRE_HAVE_ALL,
	WIRE_HAVE_NONE,
	WIRE_REJECT,       /* index, begin, length */
	WIRE_ALLOWED_FAST, /* index */
	WIRE_EXTENDED,     /* id: the extended id; payload */
	WIRE_UNKNOWN,      /* id; length: its body, which is skipped */
	WIRE_PIECE_BEGIN,  /* index, begin, length of the whole block, at least 1 */
	WIRE_PIECE_DATA,   /* index; begin, length of this fragment; payload */
	WIRE_PIECE_END,    /* index, begin, length of the whole block */
};

struct wire_ev {
	enum wire_ev_type type;
	uint8_t id; /* raw message id; of WIRE_EXTENDED the extended id */
	uint32_t index, begin, length;
	struct slice
		payload; /* borrowed: valid until the next call and while the caller's bytes are */
};

/* Embedded by value; the fields are private to decode.c. */
struct wire_dec {
	uint32_t max_block, max_bitfield, max_message;
	uint32_t left; /* bytes still to come of a block, or of a body that is skipped */
	uint32_t index, begin,
		length; /* of the block; length: also of the body that is collected */
	uint32_t have;  /* bytes of the body collected */
	uint32_t cap;   /* room in body */
	uint8_t *body;  /* owned; a split bitfield or extended message */
	uint8_t state, error, id;
	uint8_t held;     /* bytes in head */
	uint8_t head[17]; /* the split start of a message; the longest fixed message is 17 */
};

/*
 * max_block bounds a PIECE's block, max_bitfield a bitfield's bytes, max_message the length prefix
 * of everything else, which is never kept whole.
 * wire_dec_fini() frees what a split message holds; the decoder must not be used after it.
 */
void wire_dec_init(
	struct wire_dec *d, uint32_t max_block, uint32_t max_bitfield, uint32_t max_message);
void wire_dec_fini(struct wire_dec *d);
/* The torrent's size is known now: another max_bitfield, from the next message on. */
void wire_dec_limit(struct wire_dec *d, uint32_t max_bitfield);

/*
 * Consumes the bytes of at most one event from p and says in *used how many.  Call it again, also
 * with n = 0, until it gives WIRE_NONE.  E_PROTOCOL (a length that does not fit its message, an
 * empty block), E_TOO_BIG, E_NOMEM are latched.
 */
enum err wire_next(
	struct wire_dec *d, const uint8_t *p, size_t n, size_t *used, struct wire_ev *ev);

/* Bytes of the current block still to come; 0 outside a PIECE. */
size_t wire_payload_left(const struct wire_dec *d);
/*
 * n <= wire_payload_left() payload bytes were received straight into their block.  When none is
 * left the next wire_next() gives WIRE_PIECE_END and consumes nothing.
 */
void wire_payload_placed(struct wire_dec *d, size_t n);
/* No part of a message is held or awaited. */
bool wire_at_boundary(const struct wire_dec *d);

/* --- encoders: a message goes in whole or w->full latches and nothing of it is written --- */

void wire_put_keepalive(struct wr *w);
void wire_put_choke(struct wr *w);
void wire_put_unchoke(struct wr *w);
void wire_put_interested(struct wr *w);
void wire_put_not_interested(struct wr *w);
void wire_put_have(struct wr *w, uint32_t index);
void wire_put_bitfield(struct wr *w, const uint8_t *bytes, size_t n);
void wire_put_request(struct wr *w, uint32_t index, uint32_t begin, uint32_t length);
void wire_put_cancel(struct wr *w, uint32_t index, uint32_t begin, uint32_t length);
/* The first 13 bytes of a PIECE; length bytes of payload must follow. */
void wire_put_piece_header(struct wr *w, uint32_t index, uint32_t begin, uint32_t length);
void wire_put_port(struct wr *w, uint16_t port);
void wire_put_suggest(struct wr *w, uint32_t index);
void wire_put_have_all(struct wr *w);
void wire_put_have_none(struct wr *w);
void wire_put_reject(struct wr *w, uint32_t index, uint32_t begin, uint32_t length);
void wire_put_allowed_fast(struct wr *w, uint32_t index);
/* The head of one whose n bytes of payload the caller writes behind it. */
void wire_put_extended_head(struct wr *w, uint8_t id, size_t n);
void wire_put_extended(struct wr *w, uint8_t id, const uint8_t *payload, size_t n);

/* --- BEP 6 "allowed fast set generation" --- */

#define WIRE_ALLOWED_FAST_MAX 64u

/*
 * Writes at most min(k, pieces, WIRE_ALLOWED_FAST_MAX) distinct indices to out and returns how
 * many.  BEP 6 covers IPv4 alone; for IPv6 the first 48 bits, what one site holds, take the
 * address's place.
 */
size_t wire_allowed_fast_set(const uint8_t infohash[20], const struct endpoint *peer,
	uint32_t pieces, uint32_t k, uint32_t *out);

/* Whether these are the first bytes of a message that brings a block of the usual length (BEP 3
 * "piece"). */
static inline bool wire_is_whole_block(const uint8_t header[WIRE_PIECE_HEADER])
{
	static const uint8_t usual[] = {0, 0, BLOCK_SIZE >> 8, WIRE_PIECE_HEADER - 4, 7};

	return memcmp(header, usual, sizeof usual) == 0;
}

#endif
