/* SPDX-License-Identifier: MIT */
/* Ed25519 signatures (RFC 8032), by which the items of BEP 44 are somebody's.  Any thread. */
#ifndef PROTO_DHT_ED25519_H
#define PROTO_DHT_ED25519_H

#include "proto/base/base.h"

#define ED25519_KEY       32
#define ED25519_SEED      32
#define ED25519_SIGNATURE 64

bool ed25519_verify(const uint8_t key[ED25519_KEY], struct slice text,
	const uint8_t signature[ED25519_SIGNATURE]);
/* The public key of a secret seed. */
void ed25519_key(const uint8_t seed[ED25519_SEED], uint8_t key[ED25519_KEY]);
void ed25519_sign(
	const uint8_t seed[ED25519_SEED], struct slice text, uint8_t signature[ED25519_SIGNATURE]);

#endif
