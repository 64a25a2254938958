/* SPDX-License-Identifier: MIT */
/*
 * uTP (BEP 29), as much of it as it takes to say no: a SYN is understood and answered by a RESET.
 *
 * Clients that try uTP first wait seconds for an answer to their SYN before they dial by TCP; a
 * RESET lets them do so at once.  Nothing is kept of whoever asks, and the answer is never longer
 * than the question.  Pure; any thread.
 */
#ifndef PROTO_UTP_UTP_H
#define PROTO_UTP_UTP_H

#include "proto/base/bytes.h"

#define UTP_HEADER  20u
#define UTP_SYN_MAX 128u /* bytes of a SYN with extensions; longer ones are none */

struct utp_syn {
	uint16_t connection; /* the id under which whoever sent it listens */
	uint16_t seq;
	uint32_t sent_us; /* by the sender's clock */
};

/* Whether the datagram of n bytes is a well-formed SYN of version 1, without payload, whatever
 * extensions it has (BEP 29, "header format"). */
bool utp_syn_decode(const uint8_t *p, size_t n, struct utp_syn *out);

/* The RESET that answers the SYN.  now_us is our clock, of which 32 bits are said. */
void utp_reset_encode(
	uint8_t out[UTP_HEADER], const struct utp_syn *syn, uint16_t seq, int64_t now_us);

#endif
