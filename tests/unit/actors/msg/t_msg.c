/* SPDX-License-Identifier: MIT */
/* The table of messages agrees with msg.def, and every destructor frees all that a payload holds.
 */
#include "actors/msg/msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/lib/made_torrents.h"

static void test_table(void **unused)
{
	(void)unused;
	assert_int_equal(message_table.n, MSG_MAX_);
	assert_int_equal(message_table.roles_n, ROLE_MAX_);
	assert_string_equal(message_table.roles[ROLE_TRACKER], "tracker");
	assert_string_equal(message_table.types[MSG_STORE_OPEN].name, "STORE_OPEN");
	for (unsigned i = KMSG_FIRST_USER_; i < message_table.n; i++) {
		const struct msg_type *t = &message_table.types[i];
		assert_true(t->size >= sizeof(struct msg));
		assert_true(t->from != 0 && t->to != 0);
		assert_true(t->from < 1u << ROLE_MAX_ && t->to < 1u << ROLE_MAX_);
	}
	assert_int_equal(message_table.types[MSG_STORE_OPEN].deadline_ms, 0);
	assert_int_equal(message_table.types[MSG_STATE_ADD].deadline_ms, 25000);
	assert_int_equal(message_table.types[MSG_BLOCKS_DONE].to, 1u << ROLE_PEERS);
}

/* A message that nobody filled in is freed like any other. */
static void test_empty(void **unused)
{
	(void)unused;
	for (unsigned i = KMSG_FIRST_USER_; i < message_table.n; i++) {
		struct msg *m = xcalloc(1, message_table.types[i].size);
		if (message_table.types[i].fini != NULL)
			message_table.types[i].fini(m);
		xfree(m);
	}
}

static void finish(uint16_t type, struct msg *m)
{
	message_table.types[type].fini(m);
}

static struct partial_piece *make_partials(void)
{
	struct partial_piece *p = xcalloc(2, sizeof *p);

	p[0].blocks = xcalloc(1, 4);
	p[1].blocks = xcalloc(1, 4);
	return p;
}

static struct torrent_record make_record(struct metainfo *meta)
{
	struct torrent_record r = {.meta = metainfo_ref(meta), .path = xstrdup("/d")};

	bitfield_init(&r.synced, 10);
	r.unsynced = xcalloc(3, sizeof *r.unsynced);
	r.stamps = xcalloc(3, sizeof *r.stamps);
	r.partials = make_partials();
	r.partials_n = 2;
	r.wishes.file_priority = xcalloc(1, 1);
	return r;
}

/* The leak checker is what fails these. */
static void test_owned(void **unused)
{
	struct metainfo *meta = made_meta("x", 10);
	struct m_store_open open = {.root = xstrdup("/"), .record = make_record(meta)};
	struct m_state_load load = {.torrents = xcalloc(2, sizeof *load.torrents), .torrents_n = 2};
	struct m_torrent_view view = {
		.torrents = xcalloc(1, sizeof *view.torrents), .torrents_n = 1};
	struct m_peers_view peers = {
		.torrents = xcalloc(1, sizeof *peers.torrents), .torrents_n = 1};
	struct m_tracker_view trackers = {
		.torrents = xcalloc(1, sizeof *trackers.torrents), .torrents_n = 1};

	struct m_torrent_set set = {.files = xcalloc(2, sizeof *set.files)};
	struct m_torrent_add add = {.body = xcalloc(1, 1), .files = xcalloc(1, sizeof *add.files)};
	struct m_state_set put = {.data = xcalloc(1, 3), .places = xcalloc(1, sizeof *put.places)};
	struct m_state_add row = {
		.meta = metainfo_ref(meta), .wishes.file_priority = xcalloc(1, 1)};

	(void)unused;
	load.torrents[0] = make_record(meta);
	load.torrents[1] = make_record(meta);
	view.torrents[0] = (struct torrent_view){.path = xstrdup("p"),
		.bitfield = xcalloc(1, 2),
		.error = xstrdup("e"),
		.meta = metainfo_ref(meta),
		.files = xcalloc(1, sizeof(struct file_view)),
		.trackers = xcalloc(1, sizeof(struct tracker_view)),
		.trackers_n = 1,
		.peers = xcalloc(1, sizeof(struct peer_view)),
		.peers_n = 1};
	view.torrents[0].trackers[0].url = xstrdup("u");
	view.torrents[0].peers[0].bitfield = xcalloc(1, 2);
	peers.torrents[0] = (struct torrent_peers){.bitfield = xcalloc(1, 2),
		.peers = xcalloc(1, sizeof(struct peer_view)),
		.peers_n = 1};
	peers.torrents[0].peers[0].bitfield = xcalloc(1, 2);
	trackers.torrents[0] = (struct torrent_trackers){
		.trackers = xcalloc(1, sizeof(struct tracker_view)), .n = 1};
	trackers.torrents[0].trackers[0].url = xstrdup("u");
	finish(MSG_STORE_OPEN, &open.h);
	assert_null(open.record.meta);
	finish(MSG_STATE_LOAD, &load.h);
	finish(MSG_TORRENT_SET, &set.h);
	finish(MSG_TORRENT_ADD, &add.h);
	finish(MSG_STATE_SET, &put.h);
	finish(MSG_STATE_ADD, &row.h);
	finish(MSG_TORRENT_VIEW, &view.h);
	finish(MSG_PEERS_VIEW, &peers.h);
	finish(MSG_TRACKER_VIEW, &trackers.h);
	assert_int_equal(meta->refs, 1);
	metainfo_unref(&meta);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_owned),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
