/* SPDX-License-Identifier: MIT */
/*
 * RC4, for message stream encryption alone: it hides what a stream is from who counts on patterns,
 * and nothing from who wants to know.
 *
 * OpenSSL keeps RC4 in a provider that systems no longer load.  One owner a state.
 */
#ifndef PROTO_MSE_RC4_H
#define PROTO_MSE_RC4_H

#include "proto/base/base.h"

struct rc4 {
	uint8_t s[256];
	uint8_t x, y;
};

/* n is 1 to 256 bytes. */
void rc4_init(struct rc4 *r, const void *key, size_t n);
/* Encrypts or decrypts in place; the next call goes on where this one ended. */
void rc4_apply(struct rc4 *r, uint8_t *p, size_t n);
/* As if n bytes had passed. */
void rc4_skip(struct rc4 *r, size_t n);

#endif
