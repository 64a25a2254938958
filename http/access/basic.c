/* SPDX-License-Identifier: MIT */
/* User and password of old clients. */
#include "http/access/basic.h"

#include <crypt.h>

#include "actors/kernel/random.h"
#include "proto/base/encode.h"
#include "proto/meta/hash.h"

#define BASIC_MAGIC 0x42415349u

#define KNOWN      16u
#define HEADER_MAX 1024u /* bytes */

struct basic {
	uint32_t magic;
	uint8_t key[32];
	struct {
		uint8_t digest[32];
		int64_t until;
	} known[KNOWN];
	unsigned next; /* the oldest of them */
	int64_t second;
	unsigned checks; /* in that second */
};

struct basic *basic_new(void)
{
	struct basic *b;

	ALLOC_OBJ(b, BASIC_MAGIC);
	random_bytes(b->key, sizeof b->key);
	return b;
}

void basic_free(struct basic **pb)
{
	struct basic *b;

	TAKE_OBJ(b, pb, BASIC_MAGIC);
	explicit_bzero(b, sizeof *b);
	b->magic = BASIC_MAGIC;
	FREE_OBJ(b);
}

/* Of what was sent, and of what it was held against: a change of the configuration forgets it. */
static void digest_of(const struct basic *b, const char *const parts[3], uint8_t out[32])
{
	struct hasher *h = hasher_new(HASH_SHA256);

	hasher_update(h, b->key, sizeof b->key);
	for (unsigned i = 0; i < 3; i++)
		hasher_update(h, parts[i], strlen(parts[i]) + 1);
	hasher_final(h, out);
	hasher_free(&h);
}

static bool is_known(const struct basic *b, const uint8_t digest[32], int64_t now)
{
	for (unsigned i = 0; i < KNOWN; i++)
		if (b->known[i].until > now && memcmp(b->known[i].digest, digest, 32) == 0)
			return true;
	return false;
}

static void remember(struct basic *b, const uint8_t digest[32], int64_t now)
{
	memcpy(b->known[b->next].digest, digest, 32);
	b->known[b->next].until = now + BASIC_TIME;
	b->next = (b->next + 1) % KNOWN;
}

/* "user:password"; false: it is none.  The password is a part of text. */
static bool decode(const char *header, char text[HEADER_MAX], char **password)
{
	size_t n = strlen(header);

	if (n > HEADER_MAX)
		return false;
	n = base64_decode(header, n, (uint8_t *)text);
	text[n] = '\0';
	*password = memchr(text, ':', n);
	if (n == 0 || strlen(text) != n || *password == NULL)
		return false;
	*(*password)++ = '\0';
	return true;
}

/* The hash is made whether the user is right or not, so that the time does not tell. */
static bool is_right(const char *header, const char *user, const char *hash)
{
	struct crypt_data *data = xcalloc(1, sizeof *data);
	char text[HEADER_MAX + 4], *password = NULL;
	const char *made = NULL;
	bool right;

	if (decode(header, text, &password))
		made = crypt_r(password, hash, data);
	right = made != NULL && made[0] != '*' && strcmp(made, hash) == 0 &&
		strcmp(text, user) == 0;
	explicit_bzero(text, sizeof text);
	explicit_bzero(data, sizeof *data);
	xfree(data);
	return right;
}

enum basic_outcome basic_check(
	struct basic *b, const char *header, const char *user, const char *hash, int64_t now)
{
	uint8_t digest[32];

	CHECK_OBJ(b, BASIC_MAGIC);
	digest_of(b, (const char *const[3]){header, user, hash}, digest);
	if (is_known(b, digest, now))
		return BASIC_RIGHT;
	if (b->second != now)
		b->checks = 0;
	b->second = now;
	if (b->checks++ >= BASIC_A_SECOND)
		return BASIC_BUSY;
	if (!is_right(header, user, hash))
		return BASIC_WRONG;
	remember(b, digest, now);
	return BASIC_RIGHT;
}
