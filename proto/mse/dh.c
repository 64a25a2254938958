/* SPDX-License-Identifier: MIT */
/*
 * The group is that of RFC 2409 ("first Oakley group") with a generator of 2.  OpenSSL fails here
 * only when it is out of memory, which nobody can handle, so that is must().
 */
#include "proto/mse/dh.h"

#include <openssl/bn.h>

static const uint8_t prime[DH_PUBLIC] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc9, 0x0f,
	0xda, 0xa2, 0x21, 0x68, 0xc2, 0x34, 0xc4, 0xc6, 0x62, 0x8b, 0x80, 0xdc, 0x1c, 0xd1, 0x29,
	0x02, 0x4e, 0x08, 0x8a, 0x67, 0xcc, 0x74, 0x02, 0x0b, 0xbe, 0xa6, 0x3b, 0x13, 0x9b, 0x22,
	0x51, 0x4a, 0x08, 0x79, 0x8e, 0x34, 0x04, 0xdd, 0xef, 0x95, 0x19, 0xb3, 0xcd, 0x3a, 0x43,
	0x1b, 0x30, 0x2b, 0x0a, 0x6d, 0xf2, 0x5f, 0x14, 0x37, 0x4f, 0xe1, 0x35, 0x6d, 0x6d, 0x51,
	0xc2, 0x45, 0xe4, 0x85, 0xb5, 0x76, 0x62, 0x5e, 0x7e, 0xc6, 0xf4, 0x4c, 0x42, 0xe9, 0xa6,
	0x3a, 0x36, 0x21, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x05, 0x63};

bool dh_is_sound(const uint8_t public[DH_PUBLIC])
{
	static const uint8_t one[DH_PUBLIC] = {[DH_PUBLIC - 1] = 1};
	uint8_t most[DH_PUBLIC]; /* p - 1 */

	memcpy(most, prime, sizeof most);
	most[DH_PUBLIC - 1]--;
	return memcmp(public, one, DH_PUBLIC) > 0 && memcmp(public, most, DH_PUBLIC) < 0;
}

static BIGNUM *number(const uint8_t *p, size_t n)
{
	BIGNUM *b = BN_bin2bn(p, (int)n, NULL);

	must(b != NULL);
	return b;
}

/* out = base ^ exponent mod p, in a time that does not tell the exponent. */
static void raise_to(BIGNUM *base, const uint8_t exponent[DH_PRIVATE], uint8_t out[DH_PUBLIC])
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = number(prime, sizeof prime), *e = number(exponent, DH_PRIVATE), *r = BN_new();

	must(ctx != NULL && r != NULL);
	BN_set_flags(e, BN_FLG_CONSTTIME);
	must(BN_mod_exp(r, base, e, p, ctx) == 1);
	must(BN_bn2binpad(r, out, DH_PUBLIC) == (int)DH_PUBLIC);
	BN_clear_free(r);
	BN_clear_free(e);
	BN_free(p);
	BN_CTX_free(ctx);
}

void dh_make(struct dh_key *out, const uint8_t random[DH_PRIVATE])
{
	static const uint8_t generator = 2;
	BIGNUM *g = number(&generator, 1);

	memcpy(out->private, random, DH_PRIVATE);
	raise_to(g, out->private, out->public);
	BN_free(g);
}

void dh_agree(const struct dh_key *ours, const uint8_t theirs[DH_PUBLIC], uint8_t out[DH_PUBLIC])
{
	BIGNUM *y;

	must(dh_is_sound(theirs));
	y = number(theirs, DH_PUBLIC);
	raise_to(y, ours->private, out);
	BN_clear_free(y);
}
