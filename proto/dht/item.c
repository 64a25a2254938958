/* SPDX-License-Identifier: MIT */
/* What an item is: its name, its signature, its way into messages and out of them. */
#include "proto/dht/item.h"

#include <stdio.h>

#include "proto/meta/bencode.h"
#include "proto/meta/hash.h"

/* "4:salt6:foobar3:seqi1e1:v12:Hello World!"; the salt only when there is one. */
#define SIGNED_MAX (KAD_SALT_MAX + KAD_VALUE_MAX + 64u)

struct kad_id kad_item_target_of_key(const uint8_t key[ED25519_KEY], struct slice salt)
{
	uint8_t buf[ED25519_KEY + KAD_SALT_MAX], hash[HASH_SHA1_SIZE];
	size_t n = MIN(salt.n, (size_t)KAD_SALT_MAX);

	memcpy(buf, key, ED25519_KEY);
	if (n > 0)
		memcpy(buf + ED25519_KEY, salt.p, n);
	hash_once(HASH_SHA1, buf, ED25519_KEY + n, hash);
	return kad_id_of(hash);
}

struct kad_id kad_item_target(const struct kad_item *i)
{
	uint8_t hash[HASH_SHA1_SIZE];

	if (i->mutable)
		return kad_item_target_of_key(i->key, (struct slice){i->salt, i->salt_n});
	hash_once(HASH_SHA1, i->value, i->value_n, hash);
	return kad_id_of(hash);
}

static size_t signed_text(const struct kad_item *i, uint8_t out[SIGNED_MAX])
{
	char head[64];
	struct wr w = wr_of(out, SIGNED_MAX);

	if (i->salt_n > 0) {
		wr_text(&w, "4:salt");
		wr_decimal(&w, i->salt_n);
		wr_u8(&w, ':');
		wr_bytes(&w, i->salt, i->salt_n);
	}
	snprintf(head, sizeof head, "3:seqi%llde1:v", (long long)i->seq);
	wr_text(&w, head);
	wr_bytes(&w, i->value, i->value_n);
	must(!w.full);
	return (size_t)(w.p - out);
}

bool kad_item_signed(const struct kad_item *i)
{
	uint8_t text[SIGNED_MAX];

	return !i->mutable ||
	       ed25519_verify(i->key, (struct slice){text, signed_text(i, text)}, i->signature);
}

void kad_item_sign(struct kad_item *i, const uint8_t seed[ED25519_SEED])
{
	uint8_t text[SIGNED_MAX];

	i->mutable = true;
	ed25519_key(seed, i->key);
	ed25519_sign(seed, (struct slice){text, signed_text(i, text)}, i->signature);
}

int kad_item_read(const struct krpc *m, struct slice salt, struct kad_item *out)
{
	*out = (struct kad_item){.mutable = m->key != NULL};
	if (m->value.p == NULL)
		return KRPC_E_PROTOCOL;
	if (m->value.n > KAD_VALUE_MAX)
		return KRPC_E_TOO_BIG;
	memcpy(out->value, m->value.p, m->value.n);
	out->value_n = (uint16_t)m->value.n;
	if (!out->mutable)
		return 0;
	if (salt.n > KAD_SALT_MAX)
		return KRPC_E_SALT;
	if (m->signature == NULL || !m->has_seq)
		return KRPC_E_PROTOCOL;
	memcpy(out->key, m->key, ED25519_KEY);
	memcpy(out->signature, m->signature, ED25519_SIGNATURE);
	out->seq = m->seq;
	out->salt_n = (uint8_t)salt.n;
	if (salt.n > 0)
		memcpy(out->salt, salt.p, salt.n);
	return 0;
}

void kad_item_write(const struct kad_item *i, bool with_salt, struct krpc *m)
{
	m->value = (struct slice){i->value, i->value_n};
	if (!i->mutable)
		return;
	m->key = i->key;
	m->signature = i->signature;
	m->has_seq = true;
	m->seq = i->seq;
	if (with_salt && i->salt_n > 0)
		m->salt = (struct slice){i->salt, i->salt_n};
}
