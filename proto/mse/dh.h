/* SPDX-License-Identifier: MIT */
/*
 * Diffie-Hellman over the 768-bit prime of message stream encryption; the wall before OpenSSL's big
 * numbers.
 *
 * A key pair costs some 50 us and a secret as much: callers make keys when there is time and bound
 * how many strangers get.  No pair is used twice, or two connections of one torrent would share
 * their key stream.  Any thread.
 */
#ifndef PROTO_MSE_DH_H
#define PROTO_MSE_DH_H

#include "proto/base/base.h"

#define DH_PUBLIC  96u /* big-endian, with its leading zeros */
#define DH_PRIVATE 20u

struct dh_key {
	uint8_t private[DH_PRIVATE];
	uint8_t public[DH_PUBLIC];
};

/* From bytes that nobody can guess: the kernel's, in the daemon. */
void dh_make(struct dh_key *out, const uint8_t random[DH_PRIVATE]);
/* Whether it lies in [2, p-2]: for others the secret is known to everybody. */
bool dh_is_sound(const uint8_t public[DH_PUBLIC]);
/* The secret shared with the owner of `theirs`, which is sound. */
void dh_agree(const struct dh_key *ours, const uint8_t theirs[DH_PUBLIC], uint8_t out[DH_PUBLIC]);

#endif
