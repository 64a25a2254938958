/* SPDX-License-Identifier: MIT */
/*
 * The handshake as a table of states: how many bytes each collects, and what is done when they are
 * there.
 *
 * Two states look for a mark behind a pad of unknown length (SYNC: HASH(req1, S), or the encrypted
 * VC), two skip a pad of known length.  A mark is looked for byte by byte in a window as long as it
 * is, so that no cut of the bytes matters, and for no longer than the longest pad.
 */
#include "proto/mse/mse.h"

#include "proto/base/rng.h"
#include "proto/meta/hash.h"

#define MSE_MAGIC      0x6d73652fu
#define RC4_DROP       1024u
#define VC             8u
#define RESPONDER_SYNC HASH_SHA1_SIZE

enum mse_state {
	NEED_KEY,
	THEIR_KEY,
	SYNC,
	NAME, /* responder: which torrent */
	NEED_TORRENT,
	OFFER,  /* responder: VC, crypto_provide, len(PadC) */
	CHOICE, /* initiator: crypto_select, len(PadD) */
	PAD,
	FIRST_LENGTH, /* responder: len(IA) */
	OVER,
	REFUSED,
};

struct mse {
	uint32_t magic;
	enum mse_state state;
	bool initiator;
	uint8_t methods; /* offered, or that may be chosen */
	uint8_t rather, method;
	uint8_t in[DH_PUBLIC]; /* what the state collects */
	size_t n;              /* bytes in there */
	size_t skipped;        /* SYNC: bytes that have left the window; PAD: bytes to come */
	size_t first;          /* responder: of IA */
	uint8_t mark[HASH_SHA1_SIZE];
	uint8_t skey[MSE_SKEY];
	uint8_t name[HASH_SHA1_SIZE];
	uint8_t theirs[DH_PUBLIC], secret[DH_PUBLIC];
	struct dh_key ours;
	struct rc4 rc4_in, rc4_out;
	struct outbuf out;
	struct rng pads;
	uint8_t ia[MSE_FIRST_MAX];
	size_t ia_n;
};

/* --- hashes --- */

static void hash_of(const char *word, const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n,
	uint8_t out[HASH_SHA1_SIZE])
{
	uint8_t all[4 + DH_PUBLIC + MSE_SKEY];

	must(a_n + b_n <= sizeof all - 4);
	memcpy(all, word, 4);
	memcpy(all + 4, a, a_n);
	if (b_n > 0)
		memcpy(all + 4 + a_n, b, b_n);
	hash_once(HASH_SHA1, all, 4 + a_n + b_n, out);
}

static void hash_secret(const struct mse *m, const char *word, uint8_t out[HASH_SHA1_SIZE])
{
	hash_of(word, m->secret, DH_PUBLIC, NULL, 0, out);
}

void mse_name_of(const uint8_t skey[MSE_SKEY], uint8_t out[20])
{
	hash_of("req2", skey, MSE_SKEY, NULL, 0, out);
}

static void exclusive_or(uint8_t *to, const uint8_t *with, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] ^= with[i];
}

static void make_cipher(const struct mse *m, const char *word, struct rc4 *out)
{
	uint8_t key[HASH_SHA1_SIZE];

	hash_of(word, m->secret, DH_PUBLIC, m->skey, MSE_SKEY, key);
	rc4_init(out, key, sizeof key);
	rc4_skip(out, RC4_DROP);
}

static void make_ciphers(struct mse *m)
{
	make_cipher(m, m->initiator ? "keyA" : "keyB", &m->rc4_out);
	make_cipher(m, m->initiator ? "keyB" : "keyA", &m->rc4_in);
}

/* --- what is said --- */

static void put_random(struct mse *m, struct wr *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wr_u8(w, (uint8_t)(rng_u64(&m->pads) >> 32));
}

static void say_key(struct mse *m)
{
	struct wr w = outbuf_begin(&m->out, DH_PUBLIC + MSE_PAD_MAX);

	wr_bytes(&w, m->ours.public, DH_PUBLIC);
	put_random(m, &w, rng_below(&m->pads, MSE_PAD_MAX + 1));
	outbuf_commit(&m->out, &w);
}

/* VC, what is offered or chosen, a pad; an initiator's IA.  All encrypted. */
static void put_sealed(struct mse *m, struct wr *w, uint32_t methods)
{
	static const uint8_t vc[VC];
	size_t pad = rng_below(&m->pads, MSE_PAD_MAX + 1);
	uint8_t *from = w->p;

	wr_bytes(w, vc, sizeof vc);
	wr_u32(w, methods);
	wr_u16(w, (uint16_t)pad);
	put_random(m, w, pad);
	if (m->initiator) {
		wr_u16(w, (uint16_t)m->ia_n);
		wr_bytes(w, m->ia, m->ia_n);
	}
	must(!w->full);
	rc4_apply(&m->rc4_out, from, (size_t)(w->p - from));
}

#define SEALED_MAX (VC + 4 + 2 + MSE_PAD_MAX + 2 + MSE_FIRST_MAX)

static void say_offer(struct mse *m)
{
	struct wr w = outbuf_begin(&m->out, 2 * HASH_SHA1_SIZE + SEALED_MAX);
	uint8_t mark[HASH_SHA1_SIZE], name[HASH_SHA1_SIZE], veil[HASH_SHA1_SIZE];

	hash_secret(m, "req1", mark);
	mse_name_of(m->skey, name);
	hash_secret(m, "req3", veil);
	exclusive_or(name, veil, sizeof name);
	wr_bytes(&w, mark, sizeof mark);
	wr_bytes(&w, name, sizeof name);
	put_sealed(m, &w, m->methods);
	outbuf_commit(&m->out, &w);
}

static void say_choice(struct mse *m)
{
	struct wr w = outbuf_begin(&m->out, SEALED_MAX);

	put_sealed(m, &w, m->method);
	outbuf_commit(&m->out, &w);
}

/* --- states --- */

static enum mse_state agree(struct mse *m)
{
	dh_agree(&m->ours, m->theirs, m->secret);
	m->skipped = 0;
	if (!m->initiator) {
		hash_secret(m, "req1", m->mark);
		return SYNC;
	}
	make_ciphers(m);
	/* The encrypted VC is the key stream itself, which so has passed. */
	memset(m->mark, 0, VC);
	rc4_apply(&m->rc4_in, m->mark, VC);
	say_offer(m);
	return SYNC;
}

static enum mse_state on_their_key(struct mse *m)
{
	if (!dh_is_sound(m->in))
		return REFUSED;
	memcpy(m->theirs, m->in, DH_PUBLIC);
	return m->initiator ? agree(m) : NEED_KEY;
}

static enum mse_state on_sync(struct mse *m)
{
	return m->initiator ? CHOICE : NAME;
}

static enum mse_state on_name(struct mse *m)
{
	uint8_t veil[HASH_SHA1_SIZE];

	hash_secret(m, "req3", veil);
	memcpy(m->name, m->in, sizeof m->name);
	exclusive_or(m->name, veil, sizeof veil);
	return NEED_TORRENT;
}

static enum mse_state skip_pad(struct mse *m, size_t n)
{
	m->skipped = n;
	return n > MSE_PAD_MAX ? REFUSED : PAD;
}

/* Of the methods that are offered and allowed, the one we rather have; 0: none. */
static uint8_t choose(const struct mse *m, uint32_t offered)
{
	uint8_t both = (uint8_t)(offered & m->methods & MSE_EITHER);

	return both & m->rather ? m->rather : both;
}

static enum mse_state on_offer(struct mse *m)
{
	static const uint8_t vc[VC];
	struct rd r = rd_of(m->in, m->n);
	const uint8_t *zeros;

	rc4_apply(&m->rc4_in, m->in, m->n);
	zeros = rd_take(&r, VC);
	m->method = choose(m, rd_u32(&r));
	if (memcmp(zeros, vc, VC) != 0 || m->method == 0)
		return REFUSED;
	return skip_pad(m, rd_u16(&r));
}

static enum mse_state on_choice(struct mse *m)
{
	struct rd r = rd_of(m->in, m->n);

	rc4_apply(&m->rc4_in, m->in, m->n);
	m->method = (uint8_t)(rd_u32(&r) & MSE_EITHER);
	if ((m->method != MSE_PLAIN && m->method != MSE_RC4) || (m->method & m->methods) == 0)
		return REFUSED;
	return skip_pad(m, rd_u16(&r));
}

static enum mse_state on_pad(struct mse *m)
{
	return m->initiator ? OVER : FIRST_LENGTH;
}

static enum mse_state on_first_length(struct mse *m)
{
	struct rd r = rd_of(m->in, m->n);

	rc4_apply(&m->rc4_in, m->in, m->n);
	m->first = rd_u16(&r);
	say_choice(m);
	return OVER;
}

static const struct {
	size_t want; /* bytes */
	enum mse_state (*whole)(struct mse *);
} states[] = {
	[THEIR_KEY] = {DH_PUBLIC, on_their_key},
	[SYNC] = {0, on_sync},
	[NAME] = {HASH_SHA1_SIZE, on_name},
	[OFFER] = {VC + 4 + 2, on_offer},
	[CHOICE] = {4 + 2, on_choice},
	[PAD] = {0, on_pad},
	[FIRST_LENGTH] = {2, on_first_length},
};

/* --- input --- */

static size_t mark_length(const struct mse *m)
{
	return m->initiator ? VC : RESPONDER_SYNC;
}

/* Moves the window over the bytes.  true: the mark is in it. */
static bool find_mark(struct mse *m, struct rd *r)
{
	size_t len = mark_length(m);

	while (rd_left(r) > 0 && m->skipped <= MSE_PAD_MAX) {
		if (m->n == len) {
			memmove(m->in, m->in + 1, --m->n);
			m->skipped++;
		}
		m->in[m->n++] = rd_u8(r);
		if (m->n == len && memcmp(m->in, m->mark, len) == 0)
			return m->skipped <= MSE_PAD_MAX;
	}
	return false;
}

static bool pass_pad(struct mse *m, struct rd *r)
{
	uint8_t bytes[64];

	while (m->skipped > 0 && rd_left(r) > 0) {
		size_t k = MIN(MIN(m->skipped, rd_left(r)), sizeof bytes);

		(void)rd_take(r, k);
		rc4_skip(&m->rc4_in, k);
		m->skipped -= k;
	}
	return m->skipped == 0;
}

static bool collect(struct mse *m, struct rd *r)
{
	size_t k = MIN(states[m->state].want - m->n, rd_left(r));

	if (k > 0)
		memcpy(m->in + m->n, rd_take(r, k), k);
	m->n += k;
	return m->n == states[m->state].want;
}

/* Whether the state has all it waits for. */
static bool is_whole(struct mse *m, struct rd *r)
{
	switch (m->state) {
	case SYNC:
		return find_mark(m, r);
	case PAD:
		return pass_pad(m, r);
	default:
		return collect(m, r);
	}
}

static enum mse_step step_of(const struct mse *m)
{
	switch (m->state) {
	case NEED_KEY:
		return MSE_KEY;
	case NEED_TORRENT:
		return MSE_TORRENT;
	case OVER:
		return MSE_DONE;
	case REFUSED:
		return MSE_REFUSED;
	default:
		return MSE_MORE;
	}
}

enum mse_step mse_input(struct mse *m, const uint8_t *p, size_t n, size_t *used)
{
	struct rd r = rd_of(p, n);

	CHECK_OBJ(m, MSE_MAGIC);
	while (step_of(m) == MSE_MORE && is_whole(m, &r)) {
		m->state = states[m->state].whole(m);
		m->n = 0;
	}
	if (m->state == SYNC && m->skipped > MSE_PAD_MAX)
		m->state = REFUSED;
	*used = n - rd_left(&r);
	return step_of(m);
}

/* How much of the window's end may be the mark's beginning. */
static size_t overlap(const struct mse *m)
{
	size_t k = MIN(m->n, mark_length(m) - 1);

	while (k > 0 && memcmp(m->in + m->n - k, m->mark, k) != 0)
		k--;
	return k;
}

size_t mse_wants(const struct mse *m)
{
	CHECK_OBJ(m, MSE_MAGIC);
	if (step_of(m) != MSE_MORE)
		return 0;
	switch (m->state) {
	case SYNC:
		return mark_length(m) - overlap(m) + states[m->initiator ? CHOICE : NAME].want;
	case PAD:
		return m->skipped + (m->initiator ? 0 : states[FIRST_LENGTH].want);
	default:
		return states[m->state].want - m->n;
	}
}

/* --- public --- */

static struct mse *mse_new(enum mse_state state, uint64_t seed)
{
	struct mse *m;

	ALLOC_OBJ(m, MSE_MAGIC);
	m->state = state;
	rng_seed(&m->pads, seed);
	return m;
}

struct mse *mse_dial(const uint8_t skey[MSE_SKEY], unsigned methods, const uint8_t *first,
	size_t first_n, uint64_t seed)
{
	struct mse *m = mse_new(NEED_KEY, seed);

	must((methods & MSE_EITHER) != 0 && first_n <= MSE_FIRST_MAX);
	m->initiator = true;
	m->methods = (uint8_t)(methods & MSE_EITHER);
	memcpy(m->skey, skey, MSE_SKEY);
	if (first_n > 0)
		memcpy(m->ia, first, first_n);
	m->ia_n = first_n;
	return m;
}

struct mse *mse_answer(uint64_t seed)
{
	return mse_new(THEIR_KEY, seed);
}

void mse_free(struct mse **mp)
{
	struct mse *m;

	if (*mp == NULL)
		return;
	TAKE_OBJ(m, mp, MSE_MAGIC);
	outbuf_fini(&m->out);
	FREE_OBJ(m);
}

void mse_key(struct mse *m, const struct dh_key *key)
{
	CHECK_OBJ(m, MSE_MAGIC);
	must(m->state == NEED_KEY);
	m->ours = *key;
	say_key(m);
	m->state = m->initiator ? THEIR_KEY : agree(m);
}

void mse_name(const struct mse *m, uint8_t out[20])
{
	CHECK_OBJ(m, MSE_MAGIC);
	must(m->state == NEED_TORRENT);
	memcpy(out, m->name, sizeof m->name);
}

void mse_torrent(
	struct mse *m, const uint8_t skey[MSE_SKEY], unsigned methods, enum mse_method rather)
{
	CHECK_OBJ(m, MSE_MAGIC);
	must(m->state == NEED_TORRENT);
	memcpy(m->skey, skey, MSE_SKEY);
	m->methods = (uint8_t)(methods & MSE_EITHER);
	m->rather = (uint8_t)rather;
	make_ciphers(m);
	m->state = OFFER;
}

struct outbuf *mse_output(struct mse *m)
{
	CHECK_OBJ(m, MSE_MAGIC);
	return &m->out;
}

enum mse_method mse_ciphers(const struct mse *m, struct rc4 *in, struct rc4 *out, size_t *first)
{
	CHECK_OBJ(m, MSE_MAGIC);
	must(m->state == OVER);
	*in = m->rc4_in;
	*out = m->rc4_out;
	*first = m->first;
	return (enum mse_method)m->method;
}
