/* SPDX-License-Identifier: MIT */
/* The tracker actor on the real kernel, against scripted HTTP trackers on loopback. */
#include "tests/unit/lib/tracker_world.h"

#include "actors/kernel/log.h"

/* --- what is said to a tracker --- */

static void escape_hash(unsigned number, const char *url, char *out)
{
	struct metainfo *meta = make_meta(url, number);

	for (int i = 0; i < 20; i++) {
		uint8_t c = meta->infohash.v1[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			     (c >= 'A' && c <= 'Z') || strchr("-._~", c) != NULL;

		out += plain ? snprintf(out, 4, "%c", c) : snprintf(out, 4, "%%%02X", c);
	}
	metainfo_unref(&meta);
}

/* The key is random: 8 digits, the same in every announce of the torrent. */
static void take_key(char *request, char key[9])
{
	char *at = strstr(request, "&key=");

	assert_non_null(at);
	memcpy(key, at + 5, 8);
	key[8] = '\0';
	assert_int_equal(strspn(key, "0123456789ABCDEF"), 8);
	memcpy(at + 5, "KKKKKKKK", 8);
}

static void expect_request(struct world *w, const char *url, const char *pick, const char *numbers,
	const char *tail, char key[9])
{
	char hash[64], want[1024], got[1024];

	escape_hash(1, url, hash);
	assert_int_equal(notes_count(&w->http->notes, pick, "", got, sizeof got), 1);
	take_key(got, key);
	snprintf(want, sizeof want,
		"GET /ok/announce?pass=x&info_hash=%s&peer_id=-TD0001-abcdefghijkl&port=6681%s"
		"&key=KKKKKKKK&compact=1%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
		"User-Agent: torrentd/%s\r\nAccept: */*\r\nAccept-Encoding: ",
		hash, numbers, tail, (unsigned)w->http->port, config_version());
	got[MIN(strlen(got), strlen(want))] = '\0';
	assert_string_equal(got, want);
}

static void test_announces_byte_for_byte(void **state)
{
	struct world *w = quick_world();
	char url[128], key[3][9];
	const struct torrent_trackers *t;

	(void)state;
	url_of(w, "/ok/announce?pass=x", url, sizeof url);
	add_torrent(w, url, 1);
	WAIT_FOR(w, found_peers(w) == 2);
	expect_request(w, url, "event=started", "&uploaded=0&downloaded=0&left=1000",
		"&numwant=200&event=started", key[0]);
	assert_true(tref_equal(w->found.t, ref_of(1)));
	assert_int_equal(w->found.first.port, 6881);
	assert_true(endpoint_is_loopback(&w->found.first));

	t = look(w, 1);
	assert_int_equal(t->n, 1);
	assert_string_equal(t->trackers[0].url, url);
	assert_true(t->trackers[0].working);
	assert_int_equal(t->trackers[0].seeders, 3);
	assert_int_equal(t->trackers[0].leechers, 4);
	assert_int_equal(t->trackers[0].peers, 2);
	assert_true(t->trackers[0].last_announce > 1600000000);
	assert_true(t->trackers[0].next_announce > t->trackers[0].last_announce + 1000);

	make_peers_speak(w, 1, 900, 70, true);
	send_totals(w, 1, TRACKER_COMPLETED, 900, 70);
	WAIT_FOR(w, asked(w, "event=completed", "") == 1);
	expect_request(w, url, "event=completed", "&uploaded=70&downloaded=900&left=0",
		"&numwant=200&event=completed", key[1]);
	assert_string_equal(key[0], key[1]);

	send_event(w, 1, TRACKER_STOP);
	WAIT_FOR(w, asked(w, "event=stopped", "") == 1);
	expect_request(w, url, "event=stopped", "&uploaded=70&downloaded=900&left=0",
		"&numwant=0&event=stopped", key[2]);
	assert_string_equal(key[0], key[2]);

	assert_int_equal(w->http->accepted, 1); /* one connection for all of it */
	assert_true(world_end(w) < 900 * USEC_PER_MSEC);
	assert_int_equal(asked(w, "event=stopped", ""), 1);
	world_free(w);
}

/* Where the tracker allows it a wish for peers brings the next announce forward, but not beyond
 * the least interval of the configuration, which may change. */
static void test_wish_for_peers(void **state)
{
	static const char *const args[] = {"--tracker.min_interval=600s"};
	struct world *w = world_new(args, ARRAY_LEN(args));
	char url[128];

	(void)state;
	url_of(w, "/often/announce", url, sizeof url); /* every half hour, at least 300 s */
	add_torrent(w, url, 1);
	assert_true(contacted(w, 1, 0)->next_announce > clock_wall_s() + 1700);
	url_of(w, "/ok/announce", url, sizeof url); /* every half hour, and no minimum */
	add_torrent(w, url, 2);
	assert_true(contacted(w, 2, 0)->next_announce > clock_wall_s() + 1700);
	make_peers_speak(w, 2, 0, 0, true);
	make_peers_speak(w, 1, 900, 70, true);
	WAIT_FOR(w, look(w, 1)->trackers[0].next_announce < clock_wall_s() + 605);
	assert_true(look(w, 1)->trackers[0].next_announce > clock_wall_s() + 550);
	assert_true(look(w, 2)->trackers[0].next_announce > clock_wall_s() + 1700);
	set_option(w, "--tracker.min_interval=60s");
	make_peers_speak(w, 1, 900, 70, true);
	WAIT_FOR(w, look(w, 1)->trackers[0].next_announce < clock_wall_s() + 305);
	assert_true(look(w, 1)->trackers[0].next_announce > clock_wall_s() + 250);
	set_option(w, "--tracker.min_interval=1h");
	WAIT_FOR(w, look(w, 1)->trackers[0].next_announce > clock_wall_s() + 3500);
	send_event(w, 1, TRACKER_STOP);
	WAIT_FOR(w, asked(w, "event=stopped", "&uploaded=70&downloaded=900&") == 1);
	assert_int_equal(asked(w, "/often/announce", ""), 2);
	world_end(w);
	world_free(w);
}

static void test_remove_tells_and_forgets(void **state)
{
	struct world *w = quick_world();
	char url[128];

	(void)state;
	url_of(w, "/ok/announce", url, sizeof url);
	add_torrent(w, url, 1);
	WAIT_FOR(w, found_peers(w) == 2);
	send_event(w, 1, TRACKER_REMOVE);
	WAIT_FOR(w, asked(w, "event=stopped", "") == 1);
	assert_null(look(w, 1));
	/* The slot serves again, with another generation. */
	add_torrent(w, url, 1);
	WAIT_FOR(w, asked(w, "event=started", "") == 2);
	WAIT_FOR(w, found_peers(w) == 4);
	world_end(w);
	assert_int_equal(asked(w, "event=stopped", ""), 2);
	world_free(w);
}

/* --- how it can go wrong --- */

struct wrong {
	const char *path;
	const char *message; /* part of what is shown */
};

static const struct wrong wrongs[] = {
	{"/fail/announce", "torrent"},
	{"/500/announce", "HTTP 500"},
	{"/503/announce", "HTTP 503: busy"},
	{"/nowhere/announce", "HTTP 404"},
	{"/garbage/announce", ""},
	{"/list/announce", ""},
	{"/empty/announce", ""},
	{"/loop/announce", "redirects in a loop"},
	{"/file/announce", "scheme"},
	{"/ftp/announce", "scheme"},
	{"/endless/announce", "larger than the limit"},
	{"/silent/announce", "timed out"},
	{"/drop/announce", "closed"},
};

static void test_failures_are_told(void **state)
{
	struct world *w = quick_world();
	char url[128];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(wrongs); i++) {
		url_of(w, wrongs[i].path, url, sizeof url);
		add_torrent(w, url, i);
	}
	for (unsigned i = 0; i < ARRAY_LEN(wrongs); i++) {
		const struct tracker_view *v = contacted(w, i, 0);

		if (v->working || strstr(v->message, wrongs[i].message) == NULL ||
			v->message[0] == '\0' || strchr(v->message, '\n') != NULL)
			fail_msg("%s: working=%d message=\"%s\"", wrongs[i].path, v->working,
				v->message);
	}
	assert_int_equal(asked(w, "GET /loop/", ""), 1 + 5);
	assert_int_equal(found_peers(w), 0);
	world_end(w);
	world_free(w);
}

static void test_nobody_there(void **state)
{
	struct world *w = quick_world();
	uint16_t port = 0;
	int fd = open_socket(AF_INET, SOCK_STREAM, &port);
	char url[128];

	(void)state;
	close(fd); /* nobody listens here now */
	snprintf(url, sizeof url, "http://127.0.0.1:%u/announce", (unsigned)port);
	add_torrent(w, url, 1);
	assert_non_null(strstr(contacted(w, 1, 0)->message, "refused"));
	add_torrent(w, "http://no-such-host.invalid/announce", 2);
	add_torrent(w, "udp://no-such-host.invalid:80", 3);
	assert_non_null(strstr(contacted(w, 2, 0)->message, "name"));
	assert_non_null(strstr(contacted(w, 3, 0)->message, "name"));
	world_end(w);
	world_free(w);
}

static void test_good_detours(void **state)
{
	struct world *w = quick_world();
	char url[128];
	const struct tracker_view *v;

	(void)state;
	url_of(w, "/hop/announce", url, sizeof url);
	add_torrent(w, url, 1);
	WAIT_FOR(w, found_peers(w) == 2);
	assert_int_equal(asked(w, "GET /ok/announce?hopped=1 ", ""), 1);

	url_of(w, "/gzip/announce", url, sizeof url);
	add_torrent(w, url, 2);
	v = contacted(w, 2, 0);
	assert_true(v->working);
	assert_int_equal(v->seeders, 7);
	assert_int_equal(v->leechers, 8);

	snprintf(url, sizeof url, "http://localhost:%u/ok/announce", (unsigned)w->http->port);
	add_torrent(w, url, 3);
	v = contacted(w, 3, 0);
	if (!v->working)
		fail_msg("localhost: %s", v->message);
	world_end(w);
	world_free(w);
}

/* Three silent tiers hold up the fourth for seconds, not for three timeouts. */
static void test_next_tier_when_one_is_late(void **state)
{
	struct world *w = world_new(NULL, 0); /* half a minute's patience */
	char a[128], urls[512];
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		snprintf(a, sizeof a, "/silent/announce%u", i);
		url_of(w, a, urls + n, sizeof urls - n);
		n = strlen(urls);
		urls[n++] = '|';
	}
	url_of(w, "/ok/announce", urls + n, sizeof urls - n);
	add_torrent(w, urls, 1);
	WAIT_FOR(w, found_peers(w) == 2); /* of 20 seconds it takes 9 */
	assert_int_equal(asked(w, "GET /silent/", ""), 3);
	world_end(w);
	world_free(w);
}

/* A tracker is told what came since the last start, whatever the session and the peers counted
 * before. */
static void test_totals_count_from_the_start(void **state)
{
	struct world *w = quick_world();
	char url[128];

	(void)state;
	url_of(w, "/ok/announce", url, sizeof url);
	add_torrent(w, url, 1);
	WAIT_FOR(w, found_peers(w) == 2);
	send_totals(w, 1, TRACKER_STOP, 900, 70);
	WAIT_FOR(w, asked(w, "event=stopped", "&uploaded=70&downloaded=900&") == 1);
	send_totals(w, 1, TRACKER_START, 900, 70);
	WAIT_FOR(w, asked(w, "event=started", "&uploaded=0&downloaded=0&") == 2);
	send_totals(w, 1, TRACKER_STOP, 1000, 75);
	WAIT_FOR(w, asked(w, "event=stopped", "&uploaded=5&downloaded=100&") == 1);
	world_end(w);
	world_free(w);
}

static void test_next_tier_when_one_fails(void **state)
{
	struct world *w = quick_world();
	char a[128], b[128], c[128], urls[512];
	const struct torrent_trackers *t;

	(void)state;
	url_of(w, "/500/announce", a, sizeof a);
	url_of(w, "/silent/announce", b, sizeof b);
	url_of(w, "/ok/announce", c, sizeof c);
	snprintf(urls, sizeof urls, "%s|%s|%s", a, b, c);
	add_torrent(w, urls, 1);
	WAIT_FOR(w, found_peers(w) == 2);
	t = look(w, 1);
	assert_int_equal(t->n, 3);
	assert_false(t->trackers[0].working);
	assert_false(t->trackers[1].working);
	assert_true(t->trackers[2].working);
	assert_int_equal(t->trackers[2].tier, 2);
	world_end(w);
	world_free(w);
}

/* The peers hear of the complete ones, without us once we are one. */
static void test_tells_of_seeds(void **state)
{
	struct world *w = quick_world();
	char url[128], slow[128], urls[512];

	(void)state;
	url_of(w, "/ok/announce", url, sizeof url); /* 3 complete */
	add_torrent(w, url, 1);
	WAIT_FOR(w, known_seeds(w) == 3);
	send_event(w, 1, TRACKER_COMPLETED);
	WAIT_FOR(w, known_seeds(w) == 2);
	/* No peers, and no counts: the scrape brings them. */
	url_of(w, "/scrape/announce", slow, sizeof slow);
	add_torrent(w, slow, 2);
	WAIT_FOR(w, known_seeds(w) == 11);
	/* A tracker that does not answer knows nothing; of those that do, the most counts. */
	url_of(w, "/500/announce", slow, sizeof slow);
	snprintf(urls, sizeof urls, "%s|%s", slow, url);
	add_torrent(w, urls, 3);
	WAIT_FOR(w, known_seeds(w) == 3);
	world_end(w);
	world_free(w);
}

static void test_scrape_fills_counts(void **state)
{
	struct world *w = quick_world();
	char url[128];
	const struct torrent_trackers *t;

	(void)state;
	url_of(w, "/scrape/announce", url, sizeof url);
	add_torrent(w, url, 1);
	WAIT_FOR(w, (t = look(w, 1)) != NULL && t->trackers[0].seeders == 11);
	assert_int_equal(t->trackers[0].leechers, 12);
	send_event(w, 1, TRACKER_COMPLETED);
	WAIT_FOR(w, asked(w, "GET /scrape/announce", "") == 2);
	contacted(w, 1, 0);
	world_end(w);
	assert_int_equal(asked(w, "GET /scrape/scrape", ""), 1); /* not again for half an hour */
	world_free(w);
}

/* --- many, and the end --- */

static void test_many_are_told_of_the_stop(void **state)
{
	static const char *const args[] = {"--tracker.connections=8", "--tracker.min_interval=1s"};
	struct world *w = world_new(args, ARRAY_LEN(args));
	char url[128];
	int64_t begin = clock_mono_us();

	(void)state;
	url_of(w, "/ok/announce", url, sizeof url);
	for (unsigned i = 0; i < 90; i++)
		add_torrent(w, url, i);
	WAIT_FOR(w, asked(w, "event=started", "") == 90 && found_peers(w) == 180);
	/* 50 at once, the others at 100 a second. */
	assert_true(clock_mono_us() - begin >= 380 * USEC_PER_MSEC);
	assert_true(w->http->accepted <= 8);
	world_end(w);
	assert_int_equal(asked(w, "event=stopped", ""), 90);
	world_free(w);
}

static void test_silence_does_not_hold_the_stop(void **state)
{
	struct world *w = quick_world();
	struct udp_tracker *u = udp_start(AF_INET, UDP_GOOD);
	char url[128], http[128];
	int64_t took;

	(void)state;
	snprintf(url, sizeof url, "udp://127.0.0.1:%u", (unsigned)u->port);
	add_torrent(w, url, 1);
	WAIT_FOR(w, found_peers(w) == 2);
	u->mode = UDP_SILENT;
	url_of(w, "/silent/announce", http, sizeof http);
	add_torrent(w, http, 2);
	WAIT_FOR(w, asked(w, "GET /silent/", "") == 1);
	took = world_end(w);
	assert_true(took >= 900 * USEC_PER_MSEC && took < 2 * USEC_PER_SEC);
	world_free(w);
	udp_stop(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_announces_byte_for_byte),
		cmocka_unit_test(test_wish_for_peers),
		cmocka_unit_test(test_remove_tells_and_forgets),
		cmocka_unit_test(test_failures_are_told),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_good_detours),
		cmocka_unit_test(test_next_tier_when_one_fails),
		cmocka_unit_test(test_next_tier_when_one_is_late),
		cmocka_unit_test(test_totals_count_from_the_start),
		cmocka_unit_test(test_scrape_fills_counts),
		cmocka_unit_test(test_tells_of_seeds),
		cmocka_unit_test(test_many_are_told_of_the_stop),
		cmocka_unit_test(test_silence_does_not_hold_the_stop),
	};
	int rc;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	log_set_level(LOG_ERROR);
	fetch_global_init();
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fetch_global_fini();
	return rc;
}
