/* SPDX-License-Identifier: MIT */
/* What leaves a connection under RC4: in order and once, whatever the kernel takes and maps do. */
#include "tests/unit/lib/peers_world.h"

#include <string.h>

#include "proto/mse/mse.h"
#include "proto/wire/wire.h"

static const char *const rc4_only[] = {
	"--peers.encryption=required", "--peers.encryption_payload=rc4", NULL};

/* The other end, which dialled. */
struct secret {
	struct remote *r;
	struct rc4 in, out;
	size_t clear; /* bytes of r->in that are decrypted */
};

static void shake(struct world *w, struct secret *s)
{
	uint8_t hello[WIRE_HANDSHAKE], random[DH_PRIVATE] = "not much of a secret";
	const uint8_t *infohash = w->meta->infohash.v1;
	enum mse_step step = MSE_KEY;
	struct dh_key key;
	size_t used, first;
	struct mse *m;

	wire_handshake_encode(hello, (const uint8_t[8]){[7] = 4}, infohash,
		(const uint8_t *)"-TT0001-secretreader");
	m = mse_dial(infohash, MSE_RC4, hello, sizeof hello, 1);
	dh_make(&key, random);
	(void)mse_input(m, NULL, 0, &used);
	mse_key(m, &key);
	for (int i = 0; i < 100 && step != MSE_DONE; i++) {
		struct outbuf *o = mse_output(m);

		remote_send(w, s->r, outbuf_data(o), outbuf_len(o));
		outbuf_sent(o, outbuf_len(o));
		remote_read(w, s->r, 1 + (size_t)i);
		step = mse_input(m, s->r->in, s->r->in_n, &used);
		memmove(s->r->in, s->r->in + used, s->r->in_n - used);
		s->r->in_n -= used;
		assert_true(step == MSE_MORE || step == MSE_DONE);
		if (i > 30)
			remote_read(w, s->r, 300);
	}
	assert_int_equal(step, MSE_DONE);
	assert_int_equal(mse_ciphers(m, &s->in, &s->out, &first), MSE_RC4);
	mse_free(&m);
}

static void say(struct world *w, struct secret *s, const void *bytes, size_t n)
{
	uint8_t copy[64];

	memcpy(copy, bytes, n);
	rc4_apply(&s->out, copy, n);
	remote_send(w, s->r, copy, n);
}

static void ask(struct world *w, struct secret *s, uint32_t piece, uint32_t begin)
{
	uint8_t bytes[17];
	struct wr out = wr_of(bytes, sizeof bytes);

	wr_u32(&out, 13);
	wr_u8(&out, 6);
	wr_u32(&out, piece);
	wr_u32(&out, begin);
	wr_u32(&out, BLOCK_SIZE);
	say(w, s, bytes, sizeof bytes);
}

static void decrypt(struct secret *s)
{
	rc4_apply(&s->in, s->r->in + s->clear, s->r->in_n - s->clear);
	s->clear = s->r->in_n;
}

static const char *words(struct world *w, struct secret *s)
{
	const char *text;

	world_turn(w);
	remote_read(w, s->r, SIZE_MAX);
	decrypt(s);
	text = remote_words(w, s->r);
	s->clear = s->r->in_n;
	return text;
}

/* It has a slot, its file is mapped, and of the first of four blocks a part has come. */
static struct secret slow_reader(struct world *w)
{
	struct secret s = {.clear = 0};

	w->options = rc4_only;
	w->maps = true;
	w->send_buffer = 8192;
	world_start(w, 2);
	s.r = world_dial(w, "192.0.2.7:5000");
	shake(w, &s);
	say(w, &s, "\0\0\0\1\2", 5);
	world_pass(w, 12 * USEC_PER_SEC);
	assert_non_null(strstr(words(w, &s), "unchoke"));
	ask(w, &s, 1, 131072);
	world_pass(w, USEC_PER_SEC);
	assert_string_equal(words(w, &s), "piece(1,131072)");
	for (uint32_t i = 1; i < 5; i++)
		ask(w, &s, 0, i * BLOCK_SIZE);
	world_turn(w);
	remote_read(w, s.r, 3000);
	decrypt(&s);
	return s;
}

#define FOUR "piece(0,16384) piece(0,32768) piece(0,49152) piece(0,65536)"

static void maps_are_copied(void **state)
{
	struct world *w = *state;
	uint8_t *before;
	struct secret s = slow_reader(w);

	before = xmemdup(w->content, WORLD_SIZE);
	assert_string_equal(words(w, &s), FOUR);
	assert_memory_equal(w->content, before, WORLD_SIZE);
	xfree(before);
}

/* What is encrypted leaves, and what is read anew goes on where that ends. */
static void a_map_that_faults(void **state)
{
	struct world *w = *state;
	struct secret s = slow_reader(w);
	unsigned reads = w->reads;

	w->faults = true;
	w->hold_reads = true;
	assert_string_equal(words(w, &s), ""); /* the last bytes of the first one lack */
	assert_int_equal(w->reads, reads + 1);
	world_answer_reads(w, E_OK);
	assert_string_equal(words(w, &s), FOUR);
}

static void a_plain_one_is_refused(void **state)
{
	struct world *w = *state;

	w->options = rc4_only;
	world_start(w, 2);
	assert_true(remote_closed(w, world_join(w, "192.0.2.8:5000", "plain")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(maps_are_copied, world_new, world_free),
		cmocka_unit_test_setup_teardown(a_map_that_faults, world_new, world_free),
		cmocka_unit_test_setup_teardown(a_plain_one_is_refused, world_new, world_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
