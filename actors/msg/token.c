/* SPDX-License-Identifier: MIT */
/* Making a token. */
#include "actors/msg/token.h"

#include <stdio.h>

#include "actors/kernel/random.h"
#include "proto/base/encode.h"
#include "proto/meta/hash.h"

/* What begins so is found by who looks for secrets where none should be. */
#define PREFIX "td-"

#define RANDOM 24u

_Static_assert(sizeof PREFIX + (size_t)2 * RANDOM == TOKEN_SECRET, "prefix, digits and a NUL");

void token_digest(const char *secret, uint8_t out[32])
{
	hash_once(HASH_SHA256, secret, strlen(secret), out);
}

bool token_has_form(const char *text)
{
	return strlen(text) == TOKEN_SECRET - 1 && memcmp(text, PREFIX, strlen(PREFIX)) == 0;
}

void token_make(struct token_record *t, char secret[TOKEN_SECRET])
{
	uint8_t random[RANDOM];

	random_bytes(random, sizeof random);
	memcpy(secret, PREFIX, strlen(PREFIX));
	hex_encode(random, sizeof random, secret + strlen(PREFIX));
	token_digest(secret, t->digest);
}
