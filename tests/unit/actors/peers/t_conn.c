/* SPDX-License-Identifier: MIT */
/* Who is let in, who has to go, and what is learned from the end of a connection. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/lib/peers_world.h"

#define SEC   USEC_PER_SEC
#define EARLY 64u /* answers that wait for their torrents */

static struct remote *join_from(struct world *w, const char *ip, unsigned i)
{
	char at[64], name[16];

	snprintf(at, sizeof at, "%s:%u", ip, 5000 + i);
	snprintf(name, sizeof name, "%s", at + strlen(at) - 6);
	return world_join(w, at, name);
}

static unsigned open_ones(struct world *w, struct remote **r, unsigned n)
{
	unsigned open = 0;

	for (unsigned i = 0; i < n; i++)
		open += !remote_closed(w, r[i]);
	return open;
}

static const char *const few_places[] = {"--peers.max_per_torrent=6", NULL};

static void one_address_gives_way_to_others(void **state)
{
	struct world *w = *state;
	struct remote *crowd[8], *other;

	w->options = few_places;
	world_start(w, 1);
	for (unsigned i = 0; i < 8; i++)
		crowd[i] = join_from(w, "10.0.0.1", i);
	assert_int_equal(open_ones(w, crowd, 8), 6);
	for (unsigned i = 0; i < 3; i++) { /* until all have the same part */
		other = join_from(w,
			i == 0   ? "10.0.1.1"
			: i == 1 ? "[2001:db8::1]"
				 : "10.0.2.1",
			i);
		assert_false(remote_closed(w, other));
	}
	assert_int_equal(open_ones(w, crowd, 8), 3);
	assert_true(remote_closed(w, join_from(w, "10.0.0.1", 20)));
	assert_true(remote_closed(w, join_from(w, "10.0.0.2", 21)) == false);
	assert_int_equal(open_ones(w, crowd, 8), 2); /* of its own neighbourhood */
}

static const char *const few_peers[] = {"--peers.max=40", NULL};

static void silent_ones_of_one_address_leave_room(void **state)
{
	struct world *w = *state;
	struct remote *silent[60];

	w->options = few_peers;
	world_start(w, 1);
	for (unsigned i = 0; i < 20; i++)
		silent[i] = world_dial(w, "10.0.0.1:5000");
	assert_int_equal(open_ones(w, silent, 20), 4);
	for (unsigned i = 0; i < 20; i++) {
		char at[32];

		snprintf(at, sizeof at, "10.0.0.%u:5000", 2 + i / 2);
		silent[20 + i] = world_dial(w, at);
	}
	assert_int_equal(open_ones(w, silent, 40), 16);
	assert_false(remote_closed(w, join_from(w, "10.0.9.1", 1))); /* a crowded /24 gives way */
	assert_int_equal(open_ones(w, silent, 40), 15);
}

static struct remote *dialled_and_open(struct world *w, const char *at, const char *name)
{
	struct remote *r;

	world_found(w, at);
	r = world_dialled(w, at);
	assert_non_null(r);
	remote_hello(w, r, name);
	assert_false(remote_closed(w, r));
	return r;
}

static void a_copied_peer_id_displaces_nobody(void **state)
{
	struct world *w = *state;
	struct remote *honest, *thief;

	world_start(w, 1);
	honest = dialled_and_open(w, "10.0.0.1:6881", "same");
	thief = world_join(w, "10.6.6.6:5000", "same");
	assert_true(remote_closed(w, thief));
	assert_false(remote_closed(w, honest));
}

/* Both sides dialled at once: the one made by the smaller id, which is ours, goes. */
static void of_two_from_the_same_address_one_stays(void **state)
{
	struct world *w = *state;
	struct remote *out, *in;

	world_start(w, 1);
	out = dialled_and_open(w, "10.0.0.1:6881", "same");
	in = world_join(w, "10.0.0.1:5000", "same");
	assert_false(remote_closed(w, in));
	assert_true(remote_closed(w, out));
}

static unsigned dials(struct world *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->remotes_n; i++)
		n += w->remote[i].dialled;
	return n;
}

static void an_echo_of_our_id_is_not_us(void **state)
{
	struct world *w = *state;
	struct remote *liar, *in;

	world_start(w, 1);
	world_found(w, "10.0.0.1:6881");
	liar = world_dialled(w, "10.0.0.1:6881");
	in = world_dial(w, "10.6.6.6:5000"); /* anybody knows our id */
	remote_hello_id(w, in, w->env.peer_id);
	assert_true(remote_closed(w, in));
	remote_hello_id(w, liar, w->env.peer_id);
	assert_true(remote_closed(w, liar));
	assert_int_equal(dials(w), 1);
	world_pass(w, 60 * SEC);
	assert_int_equal(dials(w), 2);
}

static void our_own_dial_that_comes_in_is_us(void **state)
{
	struct world *w = *state;
	struct remote *out, *in;

	world_start(w, 1);
	world_found(w, "10.0.0.1:6881");
	out = world_dialled(w, "10.0.0.1:6881");
	assert_true(out == &w->remote[0]);
	in = world_dial(w, "192.0.2.1:40000"); /* as net_local() says of it */
	remote_hello_id(w, in, w->env.peer_id);
	assert_true(remote_closed(w, in));
	assert_true(in->in_n >= 68); /* who dialled learns whom it met */
	remote_hello_id(w, out, w->env.peer_id);
	assert_true(remote_closed(w, out));
	world_pass(w, 300 * SEC);
	assert_int_equal(dials(w), 1);
}

static const char *const short_idle[] = {"--peers.idle_timeout=20s", NULL};

static void keep_alive(struct world *w, struct remote *r)
{
	static const uint8_t nothing[4];

	remote_send(w, r, nothing, sizeof nothing);
}

static void who_never_reads_is_closed(void **state)
{
	struct world *w = *state;
	struct remote *deaf, *slow;

	w->options = short_idle;
	w->send_buffer = 8192;
	world_start(w, 1);
	deaf = world_join(w, "10.0.0.1:5000", "deaf");
	slow = world_join(w, "10.0.0.2:5000", "slow");
	remote_say(w, deaf, MSG_ID_INTERESTED);
	remote_say(w, slow, MSG_ID_INTERESTED);
	world_pass(w, 12 * SEC);
	for (uint32_t i = 0; i < 10; i++) {
		remote_request(w, deaf, 0, i * BLOCK_SIZE);
		remote_request(w, slow, 0, i * BLOCK_SIZE);
	}
	for (unsigned i = 0; i < 6; i++) {
		world_pass(w, 5 * SEC);
		keep_alive(w, deaf);
		keep_alive(w, slow);
		remote_read(w, slow, 8000);
	}
	assert_false(slow->ended);
	assert_int_equal(world_view(w)->peers_n, 1);
	remote_read(w, deaf, SIZE_MAX);
	assert_true(deaf->ended);
}

/* Addresses that were left because the torrent stopped are dialled at once when it starts. */
static void a_torrent_started_again_dials_whom_it_left(void **state)
{
	struct world *w = *state;
	struct remote *open, *half;

	world_start(w, 1);
	open = dialled_and_open(w, "10.0.0.1:6881", "one");
	world_found(w, "10.0.0.2:6881");
	half = world_dialled(w, "10.0.0.2:6881");
	world_set_active(w, false);
	assert_true(remote_closed(w, open));
	assert_true(remote_closed(w, half));
	assert_int_equal(dials(w), 2);
	world_set_active(w, true);
	assert_int_equal(dials(w), 4);
}

/* But who left us may rest. */
static void who_left_us_is_not_dialled_at_once(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	remote_close(w, dialled_and_open(w, "10.0.0.1:6881", "one"));
	world_set_active(w, false);
	world_set_active(w, true);
	assert_int_equal(dials(w), 1);
	world_pass(w, 60 * SEC);
	assert_int_equal(dials(w), 2);
}

static void ends_without_a_word_are_counted(void **state)
{
	struct world *w = *state;
	struct remote *r;

	world_start(w, 1);
	world_found(w, "10.0.0.1:6881");
	r = world_dialled(w, "10.0.0.1:6881");
	remote_read(w, r, SIZE_MAX); /* our handshake */
	remote_close(w, r);
	assert_int_equal(world_view(w)->mute_dials, 1);
	world_found(w, "10.0.0.2:6881");
	r = world_dialled(w, "10.0.0.2:6881");
	remote_read(w, r, SIZE_MAX);
	remote_send(w, r,
		"\x13"
		"BitTorr",
		8);
	remote_close(w, r);
	assert_int_equal(world_view(w)->mute_dials, 1);
}

/* The order of messages from session and tracker is not kept between them. */
static void what_is_found_before_the_torrent_comes_is_dialled(void **state)
{
	struct world *w = *state;

	world_start_found(w, "10.0.0.1:6881");
	assert_non_null(world_dialled(w, "10.0.0.1:6881"));
	assert_int_equal(dials(w), 1);
}

static void what_is_found_after_the_torrent_went_is_forgotten(void **state)
{
	struct world *w = *state;

	world_start(w, 0);
	world_remove(w);
	world_found(w, "10.0.0.1:6881");
	world_start_again(w);
	assert_int_equal(dials(w), 0);
	world_pass(w, 120 * SEC);
	assert_int_equal(dials(w), 0);
}

/* Whose torrents never come is bounded; the latest stay. */
static void of_what_is_found_too_early_the_oldest_goes(void **state)
{
	struct world *w = *state;

	world_start(w, 0);
	world_remove(w);
	for (uint32_t i = 0; i <= EARLY; i++) {
		w->ref.slot = 1000 + i;
		world_found(w, "10.0.0.1:6881");
	}
	w->ref.slot = 1000;
	world_start_again(w);
	assert_int_equal(dials(w), 0);
	world_remove(w);
	w->ref.slot = 1001;
	world_start_again(w);
	assert_int_equal(dials(w), 1);
}

/* The DHT is asked as the tracker is, where it may know of the torrent. */
static void who_finds_peers_is_asked_for_more(void **state)
{
	struct world *w = *state;

	w->has_dht = true;
	world_start(w, 0);
	world_pass(w, 59 * SEC);
	world_expect(w, "");
	world_pass(w, 2 * SEC);
	world_expect(w, "PEERS_WANTED PEERS_WANTED(DHT)");
	world_pass(w, 100 * SEC);
	world_expect(w, "");
	world_pass(w, 30 * SEC);
	world_expect(w, "PEERS_WANTED PEERS_WANTED(DHT)");
}

static const char *const without_dht[] = {"--dht.enabled=false", NULL};

static void the_dht_is_not_asked_where_it_may_not_know(void **state)
{
	struct world *w = *state;

	w->has_dht = true;
	w->options = without_dht;
	world_start(w, 0);
	world_pass(w, 61 * SEC);
	world_expect(w, "PEERS_WANTED");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, world_new, world_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_address_gives_way_to_others),
		CASE(silent_ones_of_one_address_leave_room),
		CASE(a_copied_peer_id_displaces_nobody),
		CASE(of_two_from_the_same_address_one_stays),
		CASE(an_echo_of_our_id_is_not_us),
		CASE(our_own_dial_that_comes_in_is_us),
		CASE(who_never_reads_is_closed),
		CASE(a_torrent_started_again_dials_whom_it_left),
		CASE(who_left_us_is_not_dialled_at_once),
		CASE(ends_without_a_word_are_counted),
		CASE(who_finds_peers_is_asked_for_more),
		CASE(the_dht_is_not_asked_where_it_may_not_know),
		CASE(what_is_found_before_the_torrent_comes_is_dialled),
		CASE(what_is_found_after_the_torrent_went_is_forgotten),
		CASE(of_what_is_found_too_early_the_oldest_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
