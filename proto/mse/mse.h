/* SPDX-License-Identifier: MIT */
/*
 * The handshake of message stream encryption (MSE/PE; no BEP: the text of Azureus' wiki and what
 * clients do), for both roles.
 *
 *     A dials      Ya PadA
 *     B answers    Yb PadB
 *     A            HASH(req1 S) HASH(req2 SKEY)^HASH(req3 S) ENC(VC provide len PadC len) ENC(IA)
 *     B            ENC(VC select len PadD), and from here on what was selected
 *
 * Bytes in, bytes and questions out: the caller feeds what came and sends what mse_output() has, as
 * it is.  Where a key pair or the torrent is needed the machine stops and says so, because the
 * caller has a budget for the one and a table for the other.  It never takes a byte that comes
 * after the handshake, and mse_wants() says how many may be read without doing so.
 *
 * Before the handshake is over nothing is taken that is longer than a pad may be; the whole state
 * is some 2 KiB.  One owner; it may change threads with whatever carries it.
 */
#ifndef PROTO_MSE_MSE_H
#define PROTO_MSE_MSE_H

#include "proto/base/outbuf.h"
#include "proto/mse/dh.h"
#include "proto/mse/rc4.h"

#define MSE_PAD_MAX 512u
#define MSE_SKEY    20u /* bytes of what names a torrent: its info-hash (v1, or v2 cut off) */

/* What the payload is sent in after the handshake, as it stands on the wire. */
enum mse_method { MSE_PLAIN = 1, MSE_RC4 = 2 };
#define MSE_EITHER (MSE_PLAIN | MSE_RC4)

enum mse_step {
	MSE_MORE,    /* feed what comes */
	MSE_KEY,     /* stands until mse_key() */
	MSE_TORRENT, /* responder: stands until mse_torrent(), for whom mse_name() names */
	MSE_DONE,    /* what comes next is the stream: mse_ciphers() */
	MSE_REFUSED, /* no such handshake, or nothing both sides want: close */
};

struct mse;

/*
 * As who dials: for the torrent of that SKEY, offering `methods` (or-ed); the first `first_n` bytes
 * of the stream go along as IA: all of the BitTorrent handshake, because there are clients that
 * refuse longer ones.  The seed is for pads, which strangers see: of its own, and not guessed.
 */
struct mse *mse_dial(const uint8_t skey[MSE_SKEY], unsigned methods, const uint8_t *first,
	size_t first_n, uint64_t seed);
#define MSE_FIRST_MAX 68u
/* As who was dialled. */
struct mse *mse_answer(uint64_t seed);
void mse_free(struct mse **);

/* At most so many of the bytes to come may be read now; 0: it stands, or is over. */
size_t mse_wants(const struct mse *);
/* Takes what it can of n bytes, and says how many that were.  With n = 0: where it stands. */
enum mse_step mse_input(struct mse *, const uint8_t *p, size_t n, size_t *used);

/* In answer to MSE_KEY; the key is copied and must be used for nothing else. */
void mse_key(struct mse *, const struct dh_key *);
/* In answer to MSE_TORRENT: HASH(req2, SKEY) of the torrent that is asked for, which
 * mse_name_of() gives for one; then its SKEY, which methods it may be spoken in, and which of two
 * that are offered. */
void mse_name(const struct mse *, uint8_t out[20]);
void mse_name_of(const uint8_t skey[MSE_SKEY], uint8_t out[20]);
void mse_torrent(
	struct mse *, const uint8_t skey[MSE_SKEY], unsigned methods, enum mse_method rather);

/* What is to be sent, by the caller's outbuf_sent(); what is left of it when the handshake is over
 * has to leave before the stream does. */
struct outbuf *mse_output(struct mse *);

/* After MSE_DONE: the method, and the states of both directions.  The first `*first` bytes that
 * come are RC4 whatever the method is (IA). */
enum mse_method mse_ciphers(const struct mse *, struct rc4 *in, struct rc4 *out, size_t *first);

#endif
