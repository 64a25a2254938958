/* SPDX-License-Identifier: MIT */
/* A magnet in the session: from its link to a torrent like any other, and all that may go wrong. */
#include "tests/unit/lib/session_world.h"

#include "proto/base/encode.h"
#include "proto/base/priority.h"

static const char *link_of(const char *name, const char *rest)
{
	static char link[1024];
	struct metainfo *meta = made_meta(name, 3);
	char hex[41];

	hex_encode(meta->infohash.v1, 20, hex);
	snprintf(link, sizeof link, "magnet:?xt=urn:btih:%s%s", hex, rest);
	metainfo_unref(&meta);
	return link;
}

static struct m_torrent_add *make_link(struct world *w, const char *link)
{
	struct m_torrent_add *add = msg_new(http_of(w), MSG_TORRENT_ADD);

	add->is_link = true;
	add->body_n = strlen(link);
	add->body = xmemdup(link, add->body_n);
	add->start = true;
	return add;
}

static void ask_link(struct world *w, const char *name, const char *rest)
{
	ask(w, &make_link(w, link_of(name, rest))->h);
}

/* Peers have got the info dictionary of made_meta(name, 3). */
static void peers_say_metadata(struct world *w, const char *name)
{
	struct actor *peers = fake_of(w, ROLE_PEERS);
	struct m_peers_metadata *m = msg_new(peers, MSG_PEERS_METADATA);
	struct metainfo *meta = made_meta(name, 3);

	m->t = w->t;
	m->info_n = meta->info.n;
	m->info = xmemdup(meta->info.p, meta->info.n);
	metainfo_unref(&meta);
	msg_send(peers, ADDR_SESSION, m);
}

static const struct torrent_view *view_of(struct world *w, const char *name)
{
	ask_view(w, name);
	answer(w, MSG_PEERS_VIEW, E_TIMEOUT);
	answer(w, MSG_TRACKER_VIEW, E_TIMEOUT);
	turn_all(w);
	w->log_n = 0;
	w->log[0] = '\0';
	assert_non_null(w->view);
	assert_int_equal(MSG_AS(TORRENT_VIEW, w->view)->torrents_n, 1);
	return MSG_AS(TORRENT_VIEW, w->view)->torrents;
}

/* Row 1, looking for its metadata. */
static void have_magnet(struct world *w, const char *rest)
{
	world_start(w, 1);
	ask_link(w, "m", rest);
	answer_add(w, 1);
	turn_all(w);
	w->log_n = 0;
	w->log[0] = '\0';
}

static void test_life(void **state)
{
	struct world *w = *state;
	const struct torrent_view *v;

	world_start(w, 1);
	ask_link(w, "m", "&dn=other&tr=http://t/a&x.pe=1.2.3.4:5&x.pe=name:6");
	EXPECT(w, "STATE_ADD(other,/downloads)");
	answer_add(w, 1);
	EXPECT(w, "ADD=OK TRACKER_ADD(1,16384) PEERS_ADD(bare,1,0) PEERS_FOUND(1)");
	v = view_of(w, "m");
	assert_int_equal(v->status, STATUS_METADATA);
	assert_string_equal(v->meta->name, "other");
	assert_true(v->size == 0 && v->left == 0 && v->started && v->place == 1);
	peers_say_metadata(w, "m");
	EXPECT(w, "STATE_META(1,m,all)");
	answer(w, MSG_STATE_META, E_OK);
	EXPECT(w, "STORE_OPEN(m,/downloads,fresh=1,root=1)");
	v = view_of(w, "m");
	assert_int_equal(v->status, STATUS_CHECKING);
	assert_string_equal(v->meta->name, "m");
	/* Peers get the rest, and keep what they have. */
	store_says_ready(w, E_OK, 1);
	EXPECT(w, "PEERS_ADD(1,1)");
	v = view_of(w, "m");
	assert_int_equal(v->status, STATUS_DOWNLOADING);
	assert_int_equal(v->have, 1);
	/* What is late changes nothing. */
	peers_say_metadata(w, "m");
	EXPECT(w, "");
}

static void test_bad_links(void **state)
{
	static const struct {
		const char *link, *why;
	} rows[] = {
		{"http://a/", "not a valid magnet link: a magnet link begins"},
		{"magnet:?dn=a", "not a valid magnet link: xt"},
		{"magnet:?xt=urn:btmh:1220000102030405060708090a0b0c0d0e0f1011121314151617"
		 "18191a1b1c1d1e1f",
			"not a valid magnet link: xt: a torrent of version 2"},
		{"magnet:?xs=urn:btpk:8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab3"
		 "6ed63e",
			"not a valid magnet link: xs: a torrent that changes"},
	};
	struct world *w = *state;

	world_start(w, 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask(w, &make_link(w, rows[i].link)->h);
		EXPECT(w, "ADD=SYNTAX");
		assert_ptr_equal(strstr(w->why, rows[i].why), w->why);
	}
}

/* All that can be done to a torrent can be done to it, but what needs its files. */
static void test_commands(void **state)
{
	struct world *w = *state;
	struct m_torrent_set *set;

	have_magnet(w, "&tr=http://t/a");
	ask_set(w, "m", TORRENT_STOP, 0);
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "STATE_SET(1,0,0) SET=OK TRACKER_STOP PEERS_SET(0,0,0)");
	ask_set(w, "m", TORRENT_DOWN_RATE, 5);
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "STATE_SET(1,1,5) SET=OK PEERS_SET(0,5,0)");
	ask_set(w, "m", TORRENT_SEQUENTIAL, 1);
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "STATE_SET(1,8,1) SET=OK PEERS_SET(0,5,0,seq)");
	ask_set(w, "m", TORRENT_DISCREET, 1);
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "STATE_SET(1,15,2) SET=OK PEERS_SET(0,5,0,seq,discreet)");
	set = make_set_of(w, "m", TORRENT_SEED_LIMITS);
	set->seed = (struct seed_limits){1500, SEED_KEEP, SEED_KEEP};
	ask(w, &set->h);
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "STATE_SEED(1,1500,-1,-1) SET=OK");
	ask_set(w, "m", TORRENT_RECHECK, 0);
	EXPECT(w, "SET=EXISTS");
	assert_non_null(strstr(w->why, "nothing to check"));
	ask_set(w, "m", TORRENT_START, 1);
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "STATE_SET(1,0,3) SET=OK TRACKER_START PEERS_SET(1,5,0,seq,discreet) "
		  "PEERS_FOUND(0)");
	ask_set(w, "m", TORRENT_REMOVE, 1);
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "STATE_SET(1,4,2) SET=OK TRACKER_REMOVE PEERS_REMOVE");
	answer(w, MSG_PEERS_REMOVE, E_OK);
	turn_all(w);
}

/* Files are chosen before they are known, by the link and by people. */
static void test_files(void **state)
{
	struct world *w = *state;
	struct m_torrent_set *set;

	have_magnet(w, "&so=5-7");
	set = make_set_of(w, "m", TORRENT_FILES);
	set->files = xcalloc(1, sizeof *set->files);
	set->files[0] = (struct file_wish){0, 0, PRIORITY_TOP};
	set->files_n = 1;
	ask(w, &set->h);
	/* While it is not stored, the metadata waits. */
	peers_say_metadata(w, "m");
	EXPECT(w, "STATE_CHOICE(1,3)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK STATE_META(1,m,7)");
}

static void choose(struct world *w, const struct file_wish *wishes, uint32_t n)
{
	struct m_torrent_set *set = make_set_of(w, "m", TORRENT_FILES);

	set->files = xcalloc(n, sizeof *set->files);
	memcpy(set->files, wishes, n * sizeof *set->files);
	set->files_n = n;
	ask(w, &set->h);
}

/* What a wish for all files undoes is not stored either, so that what is stored has a bound. */
static void test_choices(void **state)
{
	static const struct file_wish one = {2, 2, PRIORITY_TOP};
	static const struct file_wish three[] = {
		{1, 1, PRIORITY_TOP}, {0, UINT32_MAX, PRIORITY_SKIP}, {3, 3, PRIORITY_NORMAL}};
	struct world *w = *state;
	struct file_wish *many = xcalloc(FILE_WISHES_MAX, sizeof *many);

	have_magnet(w, "");
	choose(w, &one, 1);
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "STATE_CHOICE(1,1) SET=OK");
	choose(w, three, ARRAY_LEN(three));
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "STATE_CHOICE(1,2) SET=OK");
	choose(w, many, FILE_WISHES_MAX - 1);
	EXPECT(w, "SET=RANGE");
	choose(w, many, FILE_WISHES_MAX - 2);
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "STATE_CHOICE(1,65536) SET=OK");
	choose(w, three, ARRAY_LEN(three));
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "STATE_CHOICE(1,2) SET=OK");
	xfree(many);
}

static void test_files_of_link(void **state)
{
	struct world *w = *state;

	have_magnet(w, "&so=1");
	peers_say_metadata(w, "m");
	EXPECT(w, "STATE_META(1,m,0)"); /* it has one file */
}

static void test_database_full(void **state)
{
	struct world *w = *state;

	have_magnet(w, "");
	peers_say_metadata(w, "m");
	answer(w, MSG_STATE_META, E_NOSPACE);
	EXPECT(w, "STATE_META(1,m,all)");
	assert_non_null(strstr(view_of(w, "m")->error, "no space"));
	pass_time(w, 3);
	EXPECT(w, "STATE_META(1,m,all)");
	answer(w, MSG_STATE_META, E_OK);
	EXPECT(w, "STORE_OPEN(m,/downloads,fresh=1,root=1)");
	assert_null(view_of(w, "m")->error);
}

/* Another torrent has the place: it waits until that is gone. */
static void test_place_taken(void **state)
{
	struct world *w = *state;
	struct msg *m;
	struct m_torrent_add *add;
	struct metainfo *other;
	struct tref mine;
	char *bytes;

	have_magnet(w, "");
	mine = w->t;
	m = msg_new(http_of(w), MSG_TORRENT_ADD);
	add = MSG_AS(TORRENT_ADD, m);
	bytes = made_bytes("m", 2, &add->body_n);
	add->body = xmemdup(bytes, add->body_n);
	free(bytes);
	ask(w, m);
	answer_add(w, 2);
	EXPECT(w, "STATE_ADD(m,/downloads) ADD=OK STORE_OPEN(m,/downloads,fresh=1,root=1)");
	w->t = mine; /* the last STORE_OPEN was the other's */
	peers_say_metadata(w, "m");
	EXPECT(w, "STATE_META(1,m,aside,-) TRACKER_STOP PEERS_SET(0,0,0)");
	answer(w, MSG_STATE_META, E_OK);
	const struct torrent_view *v = view_of(w, "m");
	assert_int_equal(v->status, STATUS_ERROR);
	assert_non_null(strstr(v->error, "has the name 'm' in /downloads already"));
	assert_non_null(strstr(v->error, "remove the other"));
	pass_time(w, 3);
	EXPECT(w, "");
	other = made_meta("m", 2);
	ask(w, &make_set(w, other, TORRENT_REMOVE)->h);
	metainfo_unref(&other);
	answer(w, MSG_STATE_SET, E_OK);
	answer(w, MSG_STORE_CLOSE, E_OK);
	answer(w, MSG_STATE_SHELVE, E_OK);
	EXPECT(w, "STATE_SET(2,4,1) SET=OK STORE_CLOSE(0) STATE_SHELVE(2)");
	pass_time(w, 60);
	EXPECT(w, "STATE_META(1,m,all) TRACKER_START PEERS_SET(1,0,0) PEERS_FOUND(0)");
}

static void test_bad_metadata(void **state)
{
	struct world *w = *state;
	static const char info[] = "d4:name1:ae";
	uint8_t hash[20];
	char hex[41], link[128];
	struct m_peers_metadata *m;
	struct m_torrent_view *v;

	world_start(w, 1);
	hash_once(HASH_SHA1, info, sizeof info - 1, hash);
	hex_encode(hash, 20, hex);
	snprintf(link, sizeof link, "magnet:?xt=urn:btih:%s", hex);
	ask(w, &make_link(w, link)->h);
	answer_add(w, 1);
	turn_all(w);
	w->log_n = 0;
	m = msg_new(fake_of(w, ROLE_PEERS), MSG_PEERS_METADATA);
	m->t = w->t;
	m->info_n = sizeof info - 1;
	m->info = xmemdup(info, m->info_n);
	msg_send(fake_of(w, ROLE_PEERS), ADDR_SESSION, m);
	EXPECT(w, "TRACKER_STOP PEERS_SET(0,0,0)");
	v = msg_new(http_of(w), MSG_TORRENT_VIEW);
	v->all = true;
	ask(w, &v->h);
	answer(w, MSG_PEERS_VIEW, E_TIMEOUT);
	turn_all(w);
	v = MSG_AS(TORRENT_VIEW, w->view);
	assert_int_equal(v->torrents[0].status, STATUS_ERROR);
	assert_non_null(strstr(v->torrents[0].error, "no usable torrent: info.pieces: missing"));
}

/* The .torrent file of a magnet is what it waits for. */
static void test_completed_by_file(void **state)
{
	struct world *w = *state;

	have_magnet(w, "&tr=http://t/a");
	ask_add(w, "m", "/srv/other", true);
	EXPECT(w, "STATE_META(1,m,all)");
	ask_add(w, "m", NULL, true);
	EXPECT(w, "ADD=EXISTS");
	answer(w, MSG_STATE_META, E_OK);
	EXPECT(w, "ADD=OK STORE_OPEN(m,/downloads,fresh=1,root=1)");
	assert_int_equal(view_of(w, "m")->meta->tiers_n, 1);
}

/* A link for what is there: its trackers are taken, its files enabled. */
static void test_joined(void **state)
{
	struct world *w = *state;

	have_magnet(w, "&tr=http://t/a");
	ask_link(w, "m", "&tr=http://t/a");
	EXPECT(w, "ADD=EXISTS");
	ask_link(w, "m", "&tr=http://u/a&so=0");
	ask_set(w, "m", TORRENT_STOP, 0); /* waits for its turn */
	EXPECT(w, "STATE_META(1,bare,choice)");
	answer(w, MSG_STATE_META, E_OK);
	EXPECT(w, "ADD=EXISTS STATE_SET(1,0,0) TRACKER_EDIT");
	assert_non_null(strstr(w->why, "trackers of the link were added"));
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK TRACKER_STOP PEERS_SET(0,0,0)");
	assert_int_equal(view_of(w, "m")->meta->tiers_n, 2);
}

static void test_joined_whole(void **state)
{
	struct world *w = *state;
	struct m_torrent_set *set;

	world_start(w, 1);
	have_torrent(w, "m");
	set = make_set_of(w, "m", TORRENT_FILES);
	set->files = xcalloc(1, sizeof *set->files);
	set->files[0] = (struct file_wish){0, 0, PRIORITY_SKIP};
	set->files_n = 1;
	ask(w, &set->h);
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "STATE_FILES(1,0) SET=OK STORE_FILES(0) PEERS_SET(1,0,0,0)");
	ask_link(w, "m", "&so=0,9");
	EXPECT(w, "STATE_META(1,m,all)");
	answer(w, MSG_STATE_META, E_OK);
	turn_all(w);
	assert_non_null(strstr(w->log, "ADD=EXISTS"));
	assert_non_null(strstr(w->log, "STORE_FILES(all)"));
	w->log_n = 0;
	ask_link(w, "m", "&tr=http://new/a");
	EXPECT(w, "STATE_META(1,m,-)");
	answer(w, MSG_STATE_META, E_NOSPACE);
	EXPECT(w, "ADD=NOSPACE");
}

/* Restart before the metadata came, and with metadata that had no place. */
static void test_loaded(void **state)
{
	struct world *w = *state;
	struct torrent_record *r;
	const char *link = link_of("m", "&x.pe=1.2.3.4:5");

	w->load.torrents = xcalloc(2, sizeof *w->load.torrents);
	w->load.torrents_n = 2;
	for (unsigned i = 0; i < 2; i++) {
		if (i == 1)
			link = link_of("n", "");
		r = &w->load.torrents[i];
		assert_int_equal(metainfo_from_magnet(link, strlen(link), &r->meta, NULL), E_OK);
		r->row = i + 1;
		r->path = xstrdup("/downloads");
		r->run = i == 0 ? RUN_STARTED : 0;
		r->link = xstrdup(link);
	}
	w->load.torrents[1].found = made_meta("n", 3);
	w->load.torrents[1].choice = xcalloc(1, sizeof(struct file_wish));
	w->load.torrents[1].choice_n = 1;
	w->load.torrents[1].choice[0] = (struct file_wish){0, UINT32_MAX, 1};
	w->hold_load = true;
	world_start(w, 1);
	w->hold_load = false;
	struct msg **m = kept(w, MSG_STATE_LOAD);
	answer_load(w, container_of(m, struct call_kept, m)->a, m);
	turn_all(w);
	assert_non_null(strstr(w->log, "PEERS_ADD(bare,1,0) PEERS_FOUND(1)"));
	assert_non_null(strstr(w->log, "STATE_META(2,n,1)"));
}

/* Magnets have a bound of their own, and take no download's turn. */
static void test_queue(void **state)
{
	static const char *const options[] = {
		"--queue.magnets=1", "--queue.downloads=1", "--queue.stalled=0", NULL};
	struct world *w = *state;

	w->options = options;
	have_magnet(w, "");
	ask_link(w, "n", "");
	answer_add(w, 2);
	EXPECT(w, "STATE_ADD(e68dda2e0cb42d9c1b37779c7bc2d0588468a1eb,/downloads) ADD=OK "
		  "TRACKER_ADD(0,16384) PEERS_ADD(bare,0,0)");
}

static void test_discreet(void **state)
{
	static const struct {
		const char *config, *rest;
		bool given;
		const char *set; /* what peers hear when it is limited */
	} rows[] = {
		{"--magnet.discreet=auto", "&tr=http://t/announce", false, ""},
		{"--magnet.discreet=auto", "&tr=http://t/a1b2c3d4e5f60718293a4b5c/announce", false,
			",discreet"},
		{"--magnet.discreet=off", "&tr=http://t/a1b2c3d4e5f60718293a4b5c/announce", false,
			""},
		{"--magnet.discreet=on", "&tr=http://t/announce", false, ",discreet"},
		{"--magnet.discreet=off", "", true, ",discreet"},
	};
	const char *options[] = {NULL, NULL};
	struct m_torrent_add *add;
	char expected[128];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w;

		world_new(state);
		w = *state;
		options[0] = rows[i].config;
		w->options = options;
		world_start(w, 1);
		add = make_link(w, link_of("m", rows[i].rest));
		add->discreet_given = rows[i].given;
		add->wishes.discreet = rows[i].given ? DISCREET_ON : DISCREET_OFF;
		ask(w, &add->h);
		answer_add(w, 1);
		turn_all(w);
		w->log_n = 0;
		ask_set(w, "m", TORRENT_DOWN_RATE, 5);
		answer(w, MSG_STATE_SET, E_OK);
		snprintf(expected, sizeof expected, "STATE_SET(1,1,5) SET=OK PEERS_SET(1,5,0%s)",
			rows[i].set);
		EXPECT(w, expected);
		/* It is known to be public. */
		peers_say_metadata(w, "m");
		answer(w, MSG_STATE_META, E_OK);
		turn_all(w);
		assert_int_equal(strstr(w->log, "PEERS_SET(1,5,0)") != NULL,
			rows[i].set[0] != '\0' && !rows[i].given);
		world_free(state);
	}
	*state = NULL;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_new, world_free)
	const struct CMUnitTest tests[] = {
		TEST(test_life),
		TEST(test_bad_links),
		TEST(test_commands),
		TEST(test_files),
		TEST(test_choices),
		TEST(test_files_of_link),
		TEST(test_database_full),
		TEST(test_place_taken),
		TEST(test_bad_metadata),
		TEST(test_completed_by_file),
		TEST(test_joined),
		TEST(test_joined_whole),
		TEST(test_loaded),
		TEST(test_queue),
		cmocka_unit_test(test_discreet),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
