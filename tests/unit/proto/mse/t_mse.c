/* SPDX-License-Identifier: MIT */
/*
 * The handshake: recorded exchanges in every cut, both roles against each other, and forged peers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/base/rng.h"
#include "proto/meta/hash.h"
#include "proto/mse/mse.h"
#include "tests/unit/proto/mse/recorded.h"

static const uint8_t other_skey[MSE_SKEY] = "twenty bytes of name";

/* One end, and what its owner would give it. */
struct end {
	struct mse *m;
	struct dh_key key;
	const uint8_t *skey; /* of a responder; NULL: it has no torrent */
	unsigned methods;    /* likewise */
	enum mse_method rather;
	struct rc4 in, out;
	size_t first;
	enum mse_method method;
};

static void make_key(struct dh_key *k, struct rng *rng)
{
	uint8_t random[DH_PRIVATE];

	for (size_t i = 0; i < sizeof random; i++)
		random[i] = (uint8_t)rng_u64(rng);
	dh_make(k, random);
}

/* Feeds bytes and answers questions.  Says in *used how many were taken. */
static enum mse_step feed(struct end *e, const uint8_t *p, size_t n, size_t *used)
{
	*used = 0;
	for (;;) {
		size_t k;
		uint8_t *exact = n > *used ? xmemdup(p + *used, n - *used) : NULL;
		enum mse_step step = mse_input(e->m, exact, n - *used, &k);
		uint8_t name[20], ours[20];

		xfree(exact);
		*used += k;
		switch (step) {
		case MSE_KEY:
			assert_int_equal(mse_wants(e->m), 0);
			mse_key(e->m, &e->key);
			break;
		case MSE_TORRENT:
			assert_int_equal(mse_wants(e->m), 0);
			mse_name(e->m, name);
			if (e->skey == NULL)
				return step;
			mse_name_of(e->skey, ours);
			if (memcmp(name, ours, sizeof name) != 0)
				return step;
			mse_torrent(e->m, e->skey, e->methods, e->rather);
			break;
		case MSE_DONE:
			e->method = mse_ciphers(e->m, &e->in, &e->out, &e->first);
			return step;
		default:
			return step;
		}
	}
}

/* --- what was recorded --- */

struct recording {
	bool dialled; /* by the peer */
	const uint8_t *a, *b;
	size_t a_n, b_n, first;
	const char *peer_id;
};

static const struct recording recordings[] = {
	{true, dialled_ya, dialled_rest, sizeof dialled_ya, sizeof dialled_rest, 68,
		"-TR300Z-w4bd4mkebkbi"},
	{false, answered_yb, answered_rest, sizeof answered_yb, sizeof answered_rest, 0,
		"-qB4250-scysDI_JuVN3"},
};

static struct end recorded_end(const struct recording *r)
{
	struct end e = {.skey = recorded_skey, .methods = MSE_EITHER, .rather = MSE_PLAIN};
	uint8_t first[68] = {0};

	dh_make(&e.key, recorded_private);
	e.m = r->dialled ? mse_answer(1)
			 : mse_dial(recorded_skey, MSE_EITHER, first, sizeof first, 1);
	return e;
}

/* The bytes go in at cuts: `at` and then every `step`; what is left of a piece is the stream. */
static void play(const struct recording *r, size_t at, size_t step)
{
	struct end e = recorded_end(r);
	uint8_t all[1024], stream[256];
	size_t n = r->a_n + r->b_n, pos = 0, used, got = 0, end = at;
	bool done = false;

	memcpy(all, r->a, r->a_n);
	memcpy(all + r->a_n, r->b, r->b_n);
	while (pos < n) {
		end = MIN(MAX(end, pos + 1), n);
		if (!done) {
			done = feed(&e, all + pos, end - pos, &used) == MSE_DONE;
			pos += used;
		}
		if (done) {
			memcpy(stream + got, all + pos, end - pos);
			got += end - pos;
		}
		pos = end;
		end += step;
	}
	assert_true(done);
	assert_int_equal(e.method, MSE_RC4);
	assert_int_equal(e.first, r->first);
	assert_true(got >= 68);
	rc4_apply(&e.in, stream, got);
	assert_memory_equal(stream,
		"\x13"
		"BitTorrent protocol",
		20);
	assert_memory_equal(stream + 28, recorded_skey, 20);
	assert_memory_equal(stream + 48, r->peer_id, 20);
	mse_free(&e.m);
}

static void t_recorded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(recordings); i++) {
		const struct recording *r = &recordings[i];
		size_t n = r->a_n + r->b_n;

		play(r, n, n);
		play(r, 1, 1);
		for (size_t at = 1; at < n; at++)
			play(r, at, n);
	}
}

/* Who asks for a torrent that is not here hears nothing but a key. */
static void t_unknown_torrent(void **state)
{
	struct end e = recorded_end(&recordings[0]);
	size_t used, said;

	(void)state;
	e.skey = other_skey;
	assert_int_equal(feed(&e, dialled_ya, sizeof dialled_ya, &used), MSE_MORE);
	said = outbuf_len(mse_output(e.m));
	assert_true(said >= DH_PUBLIC && said <= DH_PUBLIC + MSE_PAD_MAX);
	assert_int_equal(feed(&e, dialled_rest, sizeof dialled_rest, &used), MSE_TORRENT);
	assert_int_equal(outbuf_len(mse_output(e.m)), said);
	mse_free(&e.m);
}

/* --- one end against the other --- */

/* Moves up to `most` bytes, no more than the other end wants.  false: nothing moved. */
static bool move(struct end *from, struct end *to, size_t most, enum mse_step *step)
{
	struct outbuf *o = mse_output(from->m);
	size_t n = MIN(MIN(outbuf_len(o), mse_wants(to->m)), most), used;

	*step = feed(to, outbuf_data(o), n, &used);
	assert_int_equal(used, n); /* it asked for no byte too many */
	if (n > 0)
		outbuf_sent(o, n);
	return n > 0;
}

static void check_stream(struct end *from, struct end *to)
{
	uint8_t bytes[100];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	rc4_apply(&from->out, bytes, sizeof bytes);
	rc4_apply(&to->in, bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		assert_int_equal(bytes[i], i);
}

/* What the two settle on; 0: nothing. */
static unsigned expected(unsigned offered, unsigned allowed, enum mse_method rather)
{
	unsigned both = offered & allowed;

	return both == MSE_EITHER ? (unsigned)rather : both;
}

static unsigned converse(unsigned offered, unsigned allowed, enum mse_method rather,
	const uint8_t *first, size_t first_n, struct rng *rng)
{
	struct end a = {0}, b = {.skey = recorded_skey, .methods = allowed, .rather = rather};
	enum mse_step sa = MSE_MORE, sb = MSE_MORE;
	size_t most = 1 + rng_below(rng, 700), left = first_n, used;
	uint8_t ia[MSE_FIRST_MAX];
	unsigned method = 0;
	bool moved = true;

	make_key(&a.key, rng);
	make_key(&b.key, rng);
	a.m = mse_dial(recorded_skey, offered, first, first_n, rng_u64(rng));
	b.m = mse_answer(rng_u64(rng));
	(void)feed(&a, NULL, 0, &used);
	while (moved) {
		moved = move(&a, &b, most, &sb);
		moved = move(&b, &a, most, &sa) || moved;
	}
	if (sb == MSE_DONE) {
		assert_int_equal(sa, MSE_DONE);
		assert_int_equal(a.method, b.method);
		assert_int_equal(b.first, first_n);
		assert_int_equal(outbuf_len(mse_output(a.m)), left);
		if (left > 0)
			memcpy(ia, outbuf_data(mse_output(a.m)), left);
		rc4_apply(&b.in, ia, left);
		assert_memory_equal(ia, first, left);
		check_stream(&a, &b);
		check_stream(&b, &a);
		method = a.method;
	} else {
		assert_int_equal(sb, MSE_REFUSED);
	}
	mse_free(&a.m);
	mse_free(&b.m);
	return method;
}

static void t_pairs(void **state)
{
	uint8_t first[MSE_FIRST_MAX];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 4);
	memset(first, 'x', sizeof first);
	for (unsigned offered = 1; offered <= 3; offered++)
		for (unsigned allowed = 0; allowed <= 3; allowed++)
			for (enum mse_method rather = MSE_PLAIN; rather <= MSE_RC4; rather++)
				for (int round = 0; round < 8; round++)
					assert_int_equal(converse(offered, allowed, rather, first,
								 round & 1 ? 68 : 0, &rng),
						expected(offered, allowed, rather));
}

/* Pads differ in length and bytes; no two openings have anything in common. */
static void t_pads(void **state)
{
	size_t least = SIZE_MAX, most = 0;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	for (int i = 0; i < 200; i++) {
		struct mse *m = mse_dial(recorded_skey, MSE_EITHER, NULL, 0, rng_u64(&rng));
		struct end e = {.m = m};
		size_t used, n;

		make_key(&e.key, &rng);
		assert_int_equal(feed(&e, NULL, 0, &used), MSE_MORE);
		n = outbuf_len(mse_output(m)) - DH_PUBLIC;
		least = MIN(least, n);
		most = MAX(most, n);
		mse_free(&m);
	}
	assert_in_range(least, 0, 20);
	assert_in_range(most, MSE_PAD_MAX - 20, MSE_PAD_MAX);
}

/* --- forged peers --- */

/* What a peer says behind its key, with whatever it likes in it. */
struct forged {
	const char *name;
	size_t before; /* bytes between its key and the mark */
	uint8_t vc;    /* a byte of it */
	uint32_t methods;
	uint16_t pad;
	enum mse_step step;
	unsigned method;
};

/* Appends the encrypted part to w. */
static void put_forged(struct wr *w, const struct forged *f, struct rc4 *r, bool with_first)
{
	uint8_t *from = w->p;

	wr_be(w, f->vc, 8);
	wr_u32(w, f->methods);
	wr_u16(w, f->pad);
	for (unsigned i = 0; i < f->pad; i++)
		wr_u8(w, 0);
	if (with_first)
		wr_u16(w, 300);
	rc4_apply(r, from, (size_t)(w->p - from));
}

static void hash_words(const char *word, const uint8_t *s, const uint8_t *t, uint8_t out[20])
{
	uint8_t all[4 + DH_PUBLIC + 20];
	size_t n = 4;

	memcpy(all, word, 4);
	if (s != NULL) {
		memcpy(all + n, s, DH_PUBLIC);
		n += DH_PUBLIC;
	}
	if (t != NULL) {
		memcpy(all + n, t, 20);
		n += 20;
	}
	hash_once(HASH_SHA1, all, n, out);
}

static void forged_cipher(const char *word, const uint8_t *secret, struct rc4 *out)
{
	uint8_t key[20];

	hash_words(word, secret, recorded_skey, key);
	rc4_init(out, key, sizeof key);
	rc4_skip(out, 1024);
}

/* A peer that dials us. */
static size_t forge_dial(const struct forged *f, const uint8_t *secret, uint8_t *out, size_t room)
{
	uint8_t mark[20], name[20], veil[20];
	struct wr w = wr_of(out, room);
	struct rc4 r;

	for (size_t i = 0; i < f->before; i++)
		wr_u8(&w, 0xee);
	hash_words("req1", secret, NULL, mark);
	hash_words("req2", NULL, recorded_skey, name);
	hash_words("req3", secret, NULL, veil);
	for (int i = 0; i < 20; i++)
		name[i] ^= veil[i];
	wr_bytes(&w, mark, 20);
	wr_bytes(&w, name, 20);
	forged_cipher("keyA", secret, &r);
	put_forged(&w, f, &r, true);
	assert_false(w.full);
	return (size_t)(w.p - out);
}

static size_t forge_answer(const struct forged *f, const uint8_t *secret, uint8_t *out, size_t room)
{
	struct wr w = wr_of(out, room);
	struct rc4 r;

	for (size_t i = 0; i < f->before; i++)
		wr_u8(&w, 0xee);
	forged_cipher("keyB", secret, &r);
	put_forged(&w, f, &r, false);
	assert_false(w.full);
	return (size_t)(w.p - out);
}

static void meet_forged(const struct forged *f, bool dials, unsigned ours)
{
	struct end e = {.skey = recorded_skey, .methods = ours, .rather = MSE_PLAIN};
	uint8_t bytes[4096], secret[DH_PUBLIC];
	struct dh_key theirs;
	size_t n, used;
	enum mse_step step;
	struct rng rng;

	rng_seed(&rng, 6);
	make_key(&theirs, &rng);
	make_key(&e.key, &rng);
	dh_agree(&theirs, e.key.public, secret);
	e.m = dials ? mse_answer(1) : mse_dial(recorded_skey, ours, NULL, 0, 1);
	assert_int_equal(feed(&e, theirs.public, DH_PUBLIC, &used), MSE_MORE);
	n = dials ? forge_dial(f, secret, bytes, sizeof bytes)
		  : forge_answer(f, secret, bytes, sizeof bytes);
	step = feed(&e, bytes, n, &used);
	if (step != f->step || (step == MSE_DONE && e.method != f->method))
		fail_msg("%s: step %d", f->name, step);
	assert_int_equal(e.first, step == MSE_DONE && dials ? 300 : 0);
	mse_free(&e.m);
}

static void t_forged_dials(void **state)
{
	static const struct forged either[] = {
		{"no pads, a long IA", 0, 0, 3, 0, MSE_DONE, MSE_PLAIN},
		{"the longest pads", 512, 0, 2, 512, MSE_DONE, MSE_RC4},
		{"a pad too long before the mark", 513, 0, 3, 0, MSE_REFUSED, 0},
		{"never a mark", 3000, 0, 3, 0, MSE_REFUSED, 0},
		{"a pad too long behind it", 7, 0, 3, 513, MSE_REFUSED, 0},
		{"another VC", 7, 1, 3, 0, MSE_REFUSED, 0},
		{"methods of other clients besides", 7, 0, 0xfffffffe, 9, MSE_DONE, MSE_RC4},
		{"only methods of other clients", 7, 0, 0xfffffffc, 9, MSE_REFUSED, 0},
		{"no method", 7, 0, 0, 9, MSE_REFUSED, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(either); i++)
		meet_forged(&either[i], true, MSE_EITHER);
}

static void t_forged_answers(void **state)
{
	static const struct forged either[] = {
		{"plain", 0, 0, 1, 0, MSE_DONE, MSE_PLAIN},
		{"the longest pads", 512, 0, 2, 512, MSE_DONE, MSE_RC4},
		{"a pad too long before the VC", 513, 0, 2, 0, MSE_REFUSED, 0},
		{"never a VC", 3000, 0, 2, 0, MSE_REFUSED, 0},
		{"a pad too long behind it", 7, 0, 2, 513, MSE_REFUSED, 0},
		{"both methods", 7, 0, 3, 0, MSE_REFUSED, 0},
		{"none", 7, 0, 0, 0, MSE_REFUSED, 0},
		{"one of another client", 7, 0, 4, 0, MSE_REFUSED, 0},
	};
	static const struct forged rc4_only[] = {
		{"one that was not offered", 7, 0, 1, 0, MSE_REFUSED, 0},
		{"the one that was", 7, 0, 2, 0, MSE_DONE, MSE_RC4},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(either); i++)
		meet_forged(&either[i], false, MSE_EITHER);
	for (size_t i = 0; i < ARRAY_LEN(rc4_only); i++)
		meet_forged(&rc4_only[i], false, MSE_RC4);
}

/* A key that makes the secret known to all costs us none of ours. */
static void t_unsound_key(void **state)
{
	uint8_t y[DH_PUBLIC] = {0};
	struct mse *m = mse_answer(1);
	size_t used;

	(void)state;
	y[DH_PUBLIC - 1] = 1;
	assert_int_equal(mse_input(m, y, sizeof y, &used), MSE_REFUSED);
	assert_int_equal(outbuf_len(mse_output(m)), 0);
	mse_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_recorded),
		cmocka_unit_test(t_unknown_torrent),
		cmocka_unit_test(t_pairs),
		cmocka_unit_test(t_pads),
		cmocka_unit_test(t_forged_dials),
		cmocka_unit_test(t_forged_answers),
		cmocka_unit_test(t_unsound_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
