/* SPDX-License-Identifier: MIT */
/*
 * A torrent that is known by its info-hash alone: the shard fetches its metadata from whoever
 * connects, says so once, and goes on with the same connections when the metainfo comes (BEP 9).
 */
#include <stdio.h>
#include <string.h>

#include "proto/wire/ext_metadata.h"
#include "proto/wire/wire.h"
#include "tests/unit/lib/peers_world.h"

static void say_extended(struct world *w, struct remote *r, uint8_t id, const char *text,
	const void *more, size_t more_n)
{
	uint8_t out[2048];
	struct wr wr = wr_of(out, sizeof out);

	wire_put_extended_head(&wr, id, strlen(text) + more_n);
	wr_bytes(&wr, text, strlen(text));
	if (more_n > 0)
		wr_bytes(&wr, more, more_n);
	assert_false(wr.full);
	remote_send(w, r, out, (size_t)(wr.p - out));
}

static struct remote *join_with(struct world *w, const char *from, const char *name, size_t size)
{
	struct remote *r = world_dial(w, from);
	char text[96];

	remote_hello_extended(w, r, name);
	snprintf(text, sizeof text, "d1:md11:ut_metadatai5ee13:metadata_sizei%zue4:reqqi9ee", size);
	say_extended(w, r, 0, text, NULL, 0);
	return r;
}

static struct remote *join(struct world *w, const char *from, const char *name)
{
	return join_with(w, from, name, w->meta->info.n);
}

static void give_metadata(struct world *w, struct remote *r)
{
	char text[64];

	snprintf(text, sizeof text, "d8:msg_typei1e5:piecei0e10:total_sizei%zuee", w->meta->info.n);
	say_extended(w, r, 2, text, w->meta->info.p, w->meta->info.n);
}

static const struct metadata_view *view(struct world *w)
{
	return &world_view(w)->metadata;
}

static void from_hash_to_download(void **state)
{
	static const char begun[] = "extended(0) interested request(";
	struct world *w = *state;
	const char *words;
	struct remote *r;

	world_start_bare(w);
	world_found(w, "10.0.0.1:6881");
	r = world_dialled(w, "10.0.0.1:6881");
	assert_non_null(r);
	assert_true(view(w)->bare);
	assert_int_equal(view(w)->peers, 0);
	remote_hello_extended(w, r, "seed");
	remote_say(w, r, 14);
	remote_say(w, r, 1);
	assert_string_equal(remote_words(w, r), "have_none extended(0)");
	say_extended(w, r, 0, "d1:md11:ut_metadatai5eee", NULL, 0);
	assert_string_equal(remote_words(w, r), "");
	assert_int_equal(view(w)->peers, 1);
	assert_int_equal(view(w)->offering, 0);
	/* It has the metadata now. */
	say_extended(w, r, 0, "d1:md11:ut_metadatai5ee13:metadata_sizei147e4:reqqi9ee", NULL, 0);
	assert_int_equal(w->meta->info.n, 147);
	assert_string_equal(remote_words(w, r), "metadata(0,0)");
	assert_int_equal(view(w)->offering, 1);
	assert_int_equal(view(w)->asked, 1);
	assert_int_equal(view(w)->size, 147);
	assert_int_equal(view(w)->have, 0);
	world_expect(w, "");
	give_metadata(w, r);
	world_expect(w, "PEERS_METADATA");
	give_metadata(w, r);
	world_pass(w, 30 * USEC_PER_SEC);
	world_expect(w, "");
	assert_int_equal(view(w)->have, 1);
	assert_string_equal(remote_words(w, r), "");
	/* The session has stored it. */
	world_complete(w, 0);
	assert_false(view(w)->bare);
	words = remote_words(w, r);
	assert_memory_equal(words, begun, strlen(begun));
	assert_int_equal(world_view(w)->bits, WORLD_PIECES);
	assert_int_equal(world_view(w)->peers_n, 1);
	world_expect(w, "");
}

static void liars_go_and_the_others_stay(void **state)
{
	static const uint8_t wide[] = {0, 0, 0, 4, 5, 0xff, 0xff, 0xff},
			     out[] = {0, 0, 0, 5, 4, 0, 0, 0, 200};
	struct world *w = *state;
	struct remote *honest, *far, *broad, *silent;

	world_start_bare(w);
	honest = join(w, "10.0.0.1:5000", "honest");
	broad = join(w, "10.0.0.2:5000", "broad");
	far = join(w, "10.0.0.3:5000", "far");
	silent = join_with(w, "10.0.0.4:5000", "silent", 0);
	remote_send(w, broad, wide, sizeof wide);
	remote_send(w, far, out, sizeof out);
	remote_haves(w, honest, 0, 2);
	give_metadata(w, honest);
	world_expect(w, "PEERS_METADATA");
	assert_false(remote_closed(w, broad) || remote_closed(w, far));
	world_complete(w, 1);
	assert_true(remote_closed(w, broad));
	assert_true(remote_closed(w, far));
	assert_false(remote_closed(w, honest) || remote_closed(w, silent));
	assert_string_equal(remote_words(w, honest),
		"have_none extended(0) metadata(0,0) have(0) extended(0) interested");
	assert_int_equal(world_view(w)->have, 1);
	world_expect(w, "");
}

static void a_wrong_hash_is_not_handed_on(void **state)
{
	struct world *w = *state;
	struct remote *liar, *honest;
	char rubbish[147];

	memset(rubbish, 'x', sizeof rubbish);
	world_start_bare(w);
	liar = join(w, "10.0.0.1:5000", "liar");
	say_extended(
		w, liar, 2, "d8:msg_typei1e5:piecei0e10:total_sizei147ee", rubbish, sizeof rubbish);
	world_expect(w, "");
	assert_int_equal(view(w)->failures, 1);
	assert_string_equal(view(w)->error, "what peers sent has another hash");
	honest = join(w, "10.0.0.2:5000", "honest");
	give_metadata(w, honest);
	world_expect(w, "PEERS_METADATA");
	world_complete(w, 0);
	/* What is true is known: that was a lie. */
	assert_true(remote_closed(w, liar));
	assert_false(remote_closed(w, honest));
	assert_true(remote_closed(w, join(w, "10.0.0.1:5001", "liar again")));
}

static void it_goes_in_either_state(void **state)
{
	struct world *w = *state;
	struct remote *r;

	world_start_bare(w);
	r = join(w, "10.0.0.1:5000", "seed");
	world_set_active(w, false);
	assert_true(remote_closed(w, r));
	world_set_active(w, true);
	r = join(w, "10.0.0.1:5000", "seed");
	assert_false(remote_closed(w, r));
	world_remove(w);
	assert_true(remote_closed(w, r));
	world_start_again(w);
	r = join(w, "10.0.0.1:5000", "seed");
	world_complete(w, WORLD_PIECES);
	assert_false(remote_closed(w, r));
	world_expect(w, "");
	world_remove(w);
	assert_true(remote_closed(w, r));
}

/* Who asks before we have it is told so, and gets it afterwards. */
static void it_is_passed_on(void **state)
{
	struct world *w = *state;
	struct remote *seed, *other;

	world_start_bare(w);
	other = join_with(w, "10.0.0.1:5000", "other", 0);
	say_extended(w, other, 2, "d8:msg_typei0e5:piecei0ee", NULL, 0);
	assert_string_equal(remote_words(w, other), "have_none extended(0) metadata(2,0)");
	seed = join(w, "10.0.0.2:5000", "seed");
	give_metadata(w, seed);
	world_complete(w, 0);
	assert_string_equal(remote_words(w, other), "extended(0)");
	say_extended(w, other, 2, "d8:msg_typei0e5:piecei0ee", NULL, 0);
	assert_string_equal(remote_words(w, other), "metadata(1,0)");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_new, world_free)
	const struct CMUnitTest tests[] = {
		T(from_hash_to_download),
		T(liars_go_and_the_others_stay),
		T(a_wrong_hash_is_not_handed_on),
		T(it_goes_in_either_state),
		T(it_is_passed_on),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
