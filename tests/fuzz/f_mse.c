/* SPDX-License-Identifier: MIT */
/*
 * The encrypted handshake against a stranger that may know the secret: the first byte chooses the
 * role, what is allowed and whether the input is taken as it is, or sealed as a real peer would and
 * so gets behind the first hash.  Then come pieces: a length and that many bytes.
 */
#include "proto/base/rng.h"
#include "proto/meta/hash.h"
#include "proto/mse/mse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t skey[MSE_SKEY] = "the torrent they ask";

static void hash_words(const char *word, const uint8_t *a, size_t a_n, uint8_t out[20])
{
	uint8_t all[4 + DH_PUBLIC + MSE_SKEY];

	memcpy(all, word, 4);
	memcpy(all + 4, a, a_n);
	hash_once(HASH_SHA1, all, 4 + a_n, out);
}

static void key_of(uint8_t fill, struct dh_key *out)
{
	uint8_t random[DH_PRIVATE];

	memset(random, fill, sizeof random);
	dh_make(out, random);
}

/* Feeds as an owner would; what is not taken is the stream's. */
static enum mse_step feed(struct mse *m, const uint8_t *p, size_t n, unsigned methods)
{
	struct dh_key ours;
	enum mse_step step;
	uint8_t name[20];
	size_t used;

	for (;;) {
		size_t wants = mse_wants(m);

		step = mse_input(m, p, n, &used);
		must(used <= n && (step == MSE_MORE || n == 0 || used < n || wants >= 1));
		must(outbuf_len(mse_output(m)) <= 4096);
		if (used > 0)
			p += used;
		n -= used;
		if (step == MSE_KEY) {
			key_of(1, &ours);
			mse_key(m, &ours);
		} else if (step == MSE_TORRENT) {
			mse_name(m, name);
			mse_torrent(m, skey, methods, MSE_PLAIN);
		} else {
			return step;
		}
	}
}

/* What a peer that knows the secret says before anything encrypted. */
static void open_up(struct mse *m, bool dials, unsigned methods, struct rc4 *out)
{
	uint8_t secret[DH_PUBLIC + MSE_SKEY], mark[20], name[20], veil[20], key[20];
	struct dh_key theirs, ours;

	key_of(1, &ours);
	key_of(2, &theirs);
	(void)feed(m, theirs.public, DH_PUBLIC, methods);
	dh_agree(&theirs, ours.public, secret);
	memcpy(secret + DH_PUBLIC, skey, MSE_SKEY);
	hash_words(dials ? "keyA" : "keyB", secret, sizeof secret, key);
	rc4_init(out, key, sizeof key);
	rc4_skip(out, 1024);
	if (!dials)
		return;
	hash_words("req1", secret, DH_PUBLIC, mark);
	hash_words("req3", secret, DH_PUBLIC, veil);
	mse_name_of(skey, name);
	for (size_t i = 0; i < sizeof name; i++)
		name[i] ^= veil[i];
	(void)feed(m, mark, sizeof mark, methods);
	(void)feed(m, name, sizeof name, methods);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd rd = rd_of(data, size);
	uint8_t first = rd_u8(&rd), bytes[255], ia[MSE_FIRST_MAX] = {0};
	bool dials = first & 1, sealed = first & 2;
	unsigned methods = MAX(first >> 2 & 3, 1);
	struct mse *m = dials ? mse_answer(1) : mse_dial(skey, methods, ia, sizeof ia, 1);
	struct rc4 seal = {.x = 0}, in, out;
	enum mse_step step = feed(m, NULL, 0, methods);
	size_t ahead;

	if (sealed)
		open_up(m, dials, methods, &seal);
	while (rd_left(&rd) > 0 && step == MSE_MORE) {
		uint8_t length = rd_u8(&rd);
		size_t n = MIN(length, rd_left(&rd));
		const uint8_t *p = rd_take(&rd, n);

		if (n == 0)
			continue;
		memcpy(bytes, p, n);
		if (sealed)
			rc4_apply(&seal, bytes, n);
		step = feed(m, bytes, n, methods);
	}
	if (step == MSE_DONE)
		must((mse_ciphers(m, &in, &out, &ahead) & methods) != 0);
	mse_free(&m);
	return 0;
}
