/* SPDX-License-Identifier: MIT */
/*
 * The tracker actor on the network: over UDP, over both families of addresses, and the addresses
 * it does not go to.
 */
#include "tests/unit/lib/tracker_world.h"

#include "actors/fetch/address_filter.h"
#include "actors/kernel/log.h"
#include "tests/unit/lib/dns_server.h"

/* --- UDP --- */

static void test_udp(void **state)
{
	struct udp_tracker *good = udp_start(AF_INET, UDP_JUNK_FIRST),
			   *bad = udp_start(AF_INET, UDP_FAILS);
	struct udp_tracker *mute = udp_start(AF_INET, UDP_SILENT);
	struct world *w = quick_world();
	char url[128], last[1024];
	const struct tracker_view *v;

	(void)state;
	snprintf(url, sizeof url, "udp://127.0.0.1:%u/announce?k=1", (unsigned)good->port);
	add_torrent(w, url, 1);
	WAIT_FOR(w, found_peers(w) == 2);
	assert_int_equal(
		notes_count(&good->notes, "connect n=16 magic=41727101980", "", NULL, 0), 1);
	assert_int_equal(notes_count(&good->notes, "announce", "", last, sizeof last), 1);
	assert_non_null(strstr(last, "conn=1122334455667788 downloaded=0 left=1000 uploaded=0 "
				     "event=2 numwant=200 port=6681"));
	assert_non_null(strstr(last, "/announce?k=1"));
	v = contacted(w, 1, 0);
	assert_true(v->working);
	assert_int_equal(v->leechers, 5);
	assert_int_equal(v->seeders, 6);

	snprintf(url, sizeof url, "udp://127.0.0.1:%u", (unsigned)bad->port);
	add_torrent(w, url, 2);
	v = contacted(w, 2, 0);
	assert_false(v->working);
	assert_non_null(strstr(v->message, "go away"));

	snprintf(url, sizeof url, "udp://localhost:%u", (unsigned)mute->port);
	add_torrent(w, url, 3);
	v = contacted(w, 3, 0);
	assert_non_null(strstr(v->message, "timed out"));

	/* The connection id is still good: no second connect. */
	send_event(w, 1, TRACKER_STOP);
	WAIT_FOR(w, notes_count(&good->notes, "event=3 numwant=0", "", NULL, 0) == 1);
	assert_int_equal(notes_count(&good->notes, "connect", "", NULL, 0), 1);
	world_end(w);
	world_free(w);
	udp_stop(good);
	udp_stop(bad);
	udp_stop(mute);
}

/* Peers of either family are to find us: a tracker with both is told over both, stops as well. */
static void test_both_families(void **state)
{
	struct http_tracker *six;
	struct dns_server names;
	struct world *w;
	char url[128];

	(void)state;
	if (!has_v6())
		skip();
	dns_server_start(&names);
	w = world_new((const char *const[]){names.option, "--tracker.timeout=1s",
			      "--tracker.stop_timeout=1s"},
		3);
	six = http_start_at(AF_INET6, w->http->port);
	snprintf(url, sizeof url, "http://both.test:%u/ok/announce", (unsigned)w->http->port);
	add_torrent(w, url, 1);
	WAIT_FOR(w, found_peers(w) == 4);
	assert_true(contacted(w, 1, 0)->working);
	assert_int_equal(asked(w, "event=started", ""), 1);
	assert_int_equal(notes_count(&six->notes, "event=started", "", NULL, 0), 1);
	send_event(w, 1, TRACKER_STOP);
	WAIT_FOR(w, asked(w, "event=stopped", "") == 1);
	WAIT_FOR(w, notes_count(&six->notes, "event=stopped", "", NULL, 0) == 1);
	/* One that is deaf on one side is as good as any. */
	http_stop(six);
	add_torrent(w, url, 2);
	assert_true(contacted(w, 2, 0)->working);
	world_end(w);
	world_free(w);
	dns_server_stop(&names);
}

static void test_v6(void **state)
{
	struct http_tracker *http;
	struct udp_tracker *udp;
	struct world *w;
	char url[128];

	(void)state;
	if (!has_v6())
		skip();
	http = http_start(AF_INET6);
	udp = udp_start(AF_INET6, UDP_GOOD);
	w = quick_world();
	snprintf(url, sizeof url, "http://[::1]:%u/ok/announce", (unsigned)http->port);
	add_torrent(w, url, 1);
	WAIT_FOR(w, found_peers(w) == 2);
	snprintf(url, sizeof url, "udp://[::1]:%u/announce", (unsigned)udp->port);
	add_torrent(w, url, 2);
	WAIT_FOR(w, found_peers(w) == 3);
	assert_false(endpoint_is_v4(&w->found.first));
	assert_int_equal(w->found.first.port, 6881);
	world_end(w);
	assert_int_equal(notes_count(&udp->notes, "event=3", "", NULL, 0), 1);
	world_free(w);
	http_stop(http);
	udp_stop(udp);
}

/* A lost datagram is sent again after the 15 seconds of BEP 15; they pass while other tests run. */
struct patient {
	struct world *w;
	struct udp_tracker *udp;
};

static int begin_patience(void **state)
{
	struct patient *p = calloc(1, sizeof *p);
	char url[128];

	p->udp = udp_start(AF_INET, UDP_LOSES_ONE);
	p->w = world_new(NULL, 0);
	snprintf(url, sizeof url, "udp://127.0.0.1:%u", (unsigned)p->udp->port);
	add_torrent(p->w, url, 1);
	actor_turn(p->w->session, 0);
	*state = p;
	return 0;
}

static void test_udp_sends_again(void **state)
{
	struct patient *p = *state;

	WAIT_FOR(p->w, found_peers(p->w) == 2);
	assert_int_equal(notes_count(&p->udp->notes, "lost", "", NULL, 0), 1);
	assert_int_equal(notes_count(&p->udp->notes, "connect", "", NULL, 0), 1);
	world_end(p->w);
	assert_int_equal(notes_count(&p->udp->notes, "event=3", "", NULL, 0), 1);
}

static int end_patience(void **state)
{
	struct patient *p = *state;

	world_free(p->w);
	udp_stop(p->udp);
	free(p);
	return 0;
}

/* --- addresses --- */

static void test_addresses(void **state)
{
	static const char *const open_args[] = {"--api.port=8080"};
	static const char *const shut_args[] = {"--api.port=8080", "--tracker.allow_private=false",
		"--tracker.allow_privileged=true"};
	static const struct {
		const char *at;
		bool open, shut; /* allowed over TCP with the one configuration, and the other */
	} table[] = {
		{"8.8.8.8:80", true, true},
		{"8.8.8.8:8080", true, true},
		{"[2606:4700::1]:443", true, true},
		{"127.0.0.1:80", true, false},
		{"127.0.0.1:8080", false, false},
		{"127.9.9.9:8080", false, false},
		{"[::1]:8080", false, false},
		{"[::1]:80", true, false},
		{"[::ffff:127.0.0.1]:8080", false, false},
		{"10.1.2.3:80", true, false},
		{"169.254.169.254:80", true, false},
		{"100.64.0.1:80", true, false},
		{"[fd00::1]:80", true, false},
		{"0.0.0.0:80", false, false},
		{"[::]:80", false, false},
		{"224.0.0.1:80", false, false},
		{"8.8.8.8:0", false, false},
		{"8.8.8.8:443", true, true},
		{"8.8.8.8:1024", true, true},
		{"8.8.8.8:22", false, true},
		{"8.8.8.8:1023", false, true},
		{"[::1]:25", false, false},
	};
	const struct config *a = load_config(open_args, 1), *b = load_config(shut_args, 3);
	struct address_filter open = address_filter_of(a, 8080), shut = address_filter_of(b, 8080);
	struct endpoint e;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(endpoint_parse(table[i].at, &e), E_OK);
		if ((address_filter_check(&open, &e, true) == E_OK) != table[i].open ||
			(address_filter_check(&shut, &e, true) == E_OK) != table[i].shut)
			fail_msg("%s", table[i].at);
	}
	config_unref(&a);
	config_unref(&b);
}

static void test_own_api_is_refused(void **state)
{
	struct http_tracker *api = http_start(AF_INET);
	char arg[64], url[128];
	const char *args[] = {arg};
	struct world *w;

	(void)state;
	snprintf(arg, sizeof arg, "--api.port=%u", (unsigned)api->port);
	w = world_new(args, ARRAY_LEN(args));
	snprintf(url, sizeof url, "http://localhost:%u/ok/announce", (unsigned)api->port);
	add_torrent(w, url, 1);
	snprintf(url, sizeof url, "http://0x7f.1:%u/ok/announce", (unsigned)api->port);
	add_torrent(w, url, 2);
	assert_non_null(strstr(contacted(w, 1, 0)->message, "not allowed"));
	assert_non_null(strstr(contacted(w, 2, 0)->message, "not allowed"));
	assert_int_equal(api->accepted, 0);
	world_end(w);
	world_free(w);
	http_stop(api);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_v6),
		cmocka_unit_test(test_both_families),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_own_api_is_refused),
		cmocka_unit_test(test_udp_sends_again),
	};
	int rc;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	log_set_level(LOG_ERROR);
	fetch_global_init();
	rc = cmocka_run_group_tests(tests, begin_patience, end_patience);
	fetch_global_fini();
	return rc;
}
