/* SPDX-License-Identifier: MIT */
/* Ed25519 through OpenSSL's EVP.  It fails for want of memory alone, and for a key that is none. */
#include "proto/dht/ed25519.h"

#include <openssl/evp.h>

bool ed25519_verify(const uint8_t key[ED25519_KEY], struct slice text,
	const uint8_t signature[ED25519_SIGNATURE])
{
	EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, ED25519_KEY);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good;

	must(c != NULL);
	good = k != NULL && EVP_DigestVerifyInit(c, NULL, NULL, NULL, k) == 1 &&
	       EVP_DigestVerify(c, signature, ED25519_SIGNATURE, text.p, text.n) == 1;
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(k);
	return good;
}

static EVP_PKEY *load_seed(const uint8_t seed[ED25519_SEED])
{
	EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED);

	must(k != NULL);
	return k;
}

void ed25519_key(const uint8_t seed[ED25519_SEED], uint8_t key[ED25519_KEY])
{
	EVP_PKEY *k = load_seed(seed);
	size_t n = ED25519_KEY;

	must(EVP_PKEY_get_raw_public_key(k, key, &n) == 1 && n == ED25519_KEY);
	EVP_PKEY_free(k);
}

void ed25519_sign(
	const uint8_t seed[ED25519_SEED], struct slice text, uint8_t signature[ED25519_SIGNATURE])
{
	EVP_PKEY *k = load_seed(seed);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = ED25519_SIGNATURE;

	must(c != NULL && EVP_DigestSignInit(c, NULL, NULL, NULL, k) == 1);
	must(EVP_DigestSign(c, signature, &n, text.p, text.n) == 1 && n == ED25519_SIGNATURE);
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(k);
}
