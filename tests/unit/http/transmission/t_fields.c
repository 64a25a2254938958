/* SPDX-License-Identifier: MIT */
/* Fields of torrent-get: each has its names and its type, slices make the same text, tables too. */
#include "http/transmission/get.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "proto/base/priority.h"

static const char *const urls[] = {"http://tracker.example.org:80/announce?k=1", "udp://t:1"};
static const char *const more[] = {"http://127.0.0.1/x"};
static const struct metainfo_tier tiers[] = {{urls, 2}, {more, 1}};
static struct metainfo_file files[] = {
	{.path = (char *)"n/a", .length = 40000},
	{.path = (char *)"n/.pad/1", .length = 25536, .offset = 40000, .pad = true},
	{.path = (char *)"n/b", .length = 7, .offset = 65536},
};
static struct file_view views[] = {{32768, PRIORITY_TOP}, {0, PRIORITY_SKIP}, {7, PRIORITY_LOW}};
static struct metainfo meta = {.magic = METAINFO_MAGIC,
	.name = (char *)"n",
	.files = files,
	.files_n = 3,
	.tiers = tiers,
	.tiers_n = 2,
	.url_list = more,
	.url_list_n = 1};
static struct tracker_view trackers[] = {
	{.url = (char *)"http://tracker.example.org:80/a/announce.php?k=1",
		.leechers = -1,
		.seeders = 3,
		.contacted = true,
		.working = true,
		.last_announce = 5,
		.next_announce = 90},
	{.url = (char *)"udp://10.0.0.1:1", .tier = 1, .contacted = true, .message = "no"},
};
static uint8_t ours[1] = {0x80}, theirs[1] = {0xc0};
static struct peer_view peers[] = {
	{.bits = 3},
	{.connected = true,
		.incoming = true,
		.bitfield = theirs,
		.bits = 3,
		.down_rate = 1536,
		.interested = true,
		.unchoked_us = true,
		.client = "x"},
};
static struct web_seed_view seeds[] = {{.url = (char *)"http://w", .state = "downloading"},
	{.url = (char *)"http://v", .state = ""}};
static struct torrent_view torrents[2];

/* i: integer, r: real, s: text, b: true or false, o: object; A and such: a list of these. */
static const struct {
	const char *name, *snake;
	char type;
	char snake_type; /* 0: the same */
} types[] = {
	{"activityDate", "activity_date", 'i', 0},
	{"addedDate", "added_date", 'i', 0},
	{"availability", "availability", 'I', 0},
	{"bandwidthPriority", "bandwidth_priority", 'i', 0},
	{"bytesCompleted", "bytes_completed", 'I', 0},
	{"comment", "comment", 's', 0},
	{"corruptEver", "corrupt_ever", 'i', 0},
	{"creator", "creator", 's', 0},
	{"dateCreated", "date_created", 'i', 0},
	{"desiredAvailable", "desired_available", 'i', 0},
	{"doneDate", "done_date", 'i', 0},
	{"downloadDir", "download_dir", 's', 0},
	{"downloadedEver", "downloaded_ever", 'i', 0},
	{"downloadLimit", "download_limit", 'i', 0},
	{"downloadLimited", "download_limited", 'b', 0},
	{"editDate", "edit_date", 'i', 0},
	{"error", "error", 'i', 0},
	{"errorString", "error_string", 's', 0},
	{"eta", "eta", 'i', 0},
	{"etaIdle", "eta_idle", 'i', 0},
	{"file-count", "file_count", 'i', 0},
	{"files", "files", 'O', 0},
	{"fileStats", "file_stats", 'O', 0},
	{"group", "group", 's', 0},
	{"hashString", "hash_string", 's', 0},
	{"haveUnchecked", "have_unchecked", 'i', 0},
	{"haveValid", "have_valid", 'i', 0},
	{"honorsSessionLimits", "honors_session_limits", 'b', 0},
	{"id", "id", 'i', 0},
	{"isFinished", "is_finished", 'b', 0},
	{"isPrivate", "is_private", 'b', 0},
	{"isStalled", "is_stalled", 'b', 0},
	{"labels", "labels", 'S', 0},
	{"leftUntilDone", "left_until_done", 'i', 0},
	{"magnetLink", "magnet_link", 's', 0},
	{"manualAnnounceTime", "manual_announce_time", 'i', 0},
	{"maxConnectedPeers", "max_connected_peers", 'i', 0},
	{"metadataPercentComplete", "metadata_percent_complete", 'r', 0},
	{"name", "name", 's', 0},
	{"peer-limit", "peer_limit", 'i', 0},
	{"peers", "peers", 'O', 0},
	{"peersConnected", "peers_connected", 'i', 0},
	{"peersFrom", "peers_from", 'o', 0},
	{"peersGettingFromUs", "peers_getting_from_us", 'i', 0},
	{"peersSendingToUs", "peers_sending_to_us", 'i', 0},
	{"percentComplete", "percent_complete", 'r', 0},
	{"percentDone", "percent_done", 'r', 0},
	{"pieceCount", "piece_count", 'i', 0},
	{"pieces", "pieces", 's', 0},
	{"pieceSize", "piece_size", 'i', 0},
	{"primary-mime-type", "primary_mime_type", 's', 0},
	{"priorities", "priorities", 'I', 0},
	{"queuePosition", "queue_position", 'i', 0},
	{"rateDownload", "rate_download", 'i', 0},
	{"rateUpload", "rate_upload", 'i', 0},
	{"recheckProgress", "recheck_progress", 'r', 0},
	{"secondsDownloading", "seconds_downloading", 'i', 0},
	{"secondsSeeding", "seconds_seeding", 'i', 0},
	{"seedIdleLimit", "seed_idle_limit", 'i', 0},
	{"seedIdleMode", "seed_idle_mode", 'i', 0},
	{"seedRatioLimit", "seed_ratio_limit", 'r', 0},
	{"seedRatioMode", "seed_ratio_mode", 'i', 0},
	{"sequentialDownload", "sequential_download", 'b', 0},
	{"sequentialDownloadFromPiece", "sequential_download_from_piece", 'i', 0},
	{"sizeWhenDone", "size_when_done", 'i', 0},
	{"source", "source", 's', 0},
	{"startDate", "start_date", 'i', 0},
	{"status", "status", 'i', 0},
	{"torrentFile", "torrent_file", 's', 0},
	{"totalSize", "total_size", 'i', 0},
	{"trackerList", "tracker_list", 's', 0},
	{"trackers", "trackers", 'O', 0},
	{"trackerStats", "tracker_stats", 'O', 0},
	{"uploadedEver", "uploaded_ever", 'i', 0},
	{"uploadLimit", "upload_limit", 'i', 0},
	{"uploadLimited", "upload_limited", 'b', 0},
	{"uploadRatio", "upload_ratio", 'r', 0},
	{"wanted", "wanted", 'I', 'B'},
	{"webseeds", "webseeds", 'S', 0},
	{"webseedsSendingToUs", "webseeds_sending_to_us", 'i', 0},
};

static int prepare(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++)
		torrents[i] = (struct torrent_view){.meta = &meta,
			.n = i + 1,
			.path = (char *)"/dl",
			.status = STATUS_DOWNLOADING,
			.bitfield = ours,
			.bits = 3,
			.have = 1,
			.piece_length = 32768,
			.size = 65543,
			.wanted = 65543,
			.left = 32775,
			.down_rate = 100,
			.seed = {.ratio = SEED_GLOBAL, .idle = 600},
			.files = views,
			.trackers = trackers,
			.trackers_n = 2,
			.peers = peers,
			.peers_n = 2,
			.web_seeds = seeds,
			.web_seeds_n = 2};
	return 0;
}

static struct get *get_with(bool snake, bool table)
{
	struct get *g;

	ALLOC_OBJ(g, GET_MAGIC);
	g->scene = (struct get_scene){
		.snake = snake, .now = 100, .peer_limit = 50, .seed_ratio = 1500, .seed_idle = 0};
	g->table = table;
	g->rows = xcalloc(2, sizeof *g->rows);
	g->rows_n = 2;
	for (unsigned i = 0; i < 2; i++)
		g->rows[i] = (struct get_row){.t = &torrents[i], .id = torrents[i].n};
	return g;
}

/* The answer's members as an object, in slices of so many bytes; the caller's. */
static json_t *answer_of(struct get *g, size_t slice)
{
	struct json_out o = {0};
	json_t *root;

	json_out_open(&o, '{');
	for (g->begun = false, g->row = 0; !get_some(g, &o, o.n + slice);)
		;
	json_out_close(&o, '}');
	root = json_loadb(o.p, o.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	json_out_fini(&o);
	return root;
}

static bool is_of(const json_t *v, char type)
{
	switch (type) {
	case 'i':
		return json_is_integer(v);
	case 'r':
		return json_is_real(v);
	case 's':
		return json_is_string(v);
	case 'b':
		return json_is_boolean(v);
	case 'o':
		return json_is_object(v);
	default:
		if (!json_is_array(v))
			return false;
		for (size_t i = 0; i < json_array_size(v); i++)
			if (!is_of(json_array_get(v, i), (char)(type - 'A' + 'a')))
				return false;
		return true;
	}
}

static void check_types(bool snake)
{
	struct get *g = get_with(snake, false);
	json_t *root, *first;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		assert_true(get_add_field(g, i % 2 == 0 ? types[i].name : types[i].snake));
	root = answer_of(g, 1 << 20);
	first = json_array_get(json_object_get(root, "torrents"), 0);
	assert_int_equal(json_object_size(first), ARRAY_LEN(types));
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const char *name = snake ? types[i].snake : types[i].name;
		char type = snake && types[i].snake_type != 0 ? types[i].snake_type : types[i].type;

		if (!is_of(json_object_get(first, name), type))
			fail_msg("%s is none of '%c'", name, type);
	}
	json_decref(root);
	get_free(&g);
}

static void test_types(void **unused)
{
	(void)unused;
	check_types(false);
	check_types(true);
}

/* Every field of the table is in the list above. */
static void test_names(void **unused)
{
	static const char *const names[][2] = {
#define VALUE(legacy, snake, part, code)       {legacy, snake},
#define LIST(legacy, snake, part, count, item) {legacy, snake},
#include "http/transmission/fields.def"
#undef VALUE
#undef LIST
	};

	(void)unused;
	assert_int_equal(ARRAY_LEN(names), ARRAY_LEN(types));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_string_equal(names[i][0], types[i].name);
		assert_string_equal(names[i][1], types[i].snake);
	}
}

static void test_fields(void **unused)
{
	struct get *g = get_with(false, false);

	(void)unused;
	assert_int_equal(get_parts(g), 0);
	assert_true(get_add_field(g, "id"));
	assert_false(get_add_field(g, "id"));
	assert_false(get_add_field(g, "nonsense"));
	assert_int_equal(get_parts(g), 0);
	assert_true(get_add_field(g, "files"));
	assert_int_equal(get_parts(g), VIEW_FILES);
	assert_true(get_add_field(g, "tracker_stats"));
	assert_int_equal(get_parts(g), VIEW_FILES | VIEW_TRACKERS);
	get_free(&g);
}

static void test_slices(void **unused)
{
	(void)unused;
	for (unsigned kind = 0; kind < 4; kind++) {
		struct get *g = get_with(kind & 1, kind & 2);
		json_t *whole, *cut;

		for (size_t i = 0; i < ARRAY_LEN(types); i++)
			get_add_field(g, types[i].name);
		whole = answer_of(g, 1 << 20);
		for (size_t slice = 1; slice < 900; slice += 13) {
			cut = answer_of(g, slice);
			assert_true(json_equal(whole, cut));
			json_decref(cut);
		}
		json_decref(whole);
		get_free(&g);
	}
}

static json_t *value_of(const char *name)
{
	struct get *g = get_with(false, true);
	json_t *root, *rows, *value;

	assert_true(get_add_field(g, name));
	root = answer_of(g, 1 << 20);
	rows = json_object_get(root, "torrents");
	assert_int_equal(json_array_size(rows), 3);
	assert_string_equal(json_string_value(json_array_get(json_array_get(rows, 0), 0)), name);
	value = json_incref(json_array_get(json_array_get(rows, 1), 0));
	json_decref(root);
	get_free(&g);
	return value;
}

static void assert_value(const char *name, const char *text)
{
	json_t *is = value_of(name), *wanted = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(wanted);
	if (!json_equal(is, wanted))
		fail_msg("%s is %s", name, json_dumps(is, JSON_ENCODE_ANY));
	json_decref(is);
	json_decref(wanted);
}

static void test_values(void **unused)
{
	(void)unused;
	assert_value("availability", "[-1, 1, 0]");
	assert_value("desiredAvailable", "32768");
	assert_value("haveValid", "32768");
	assert_value("eta", "327");
	assert_value("status", "4");
	assert_value("priorities", "[1, 0, -1]");
	assert_value("wanted", "[1, 0, 1]");
	assert_value("pieces", "\"gA==\"");
	assert_value("seedRatioMode", "0");
	assert_value("seedRatioLimit", "1.5");
	assert_value("seedIdleMode", "1");
	assert_value("seedIdleLimit", "10");
	assert_value("peersConnected", "1");
	assert_value("peersSendingToUs", "1");
	assert_value("webseedsSendingToUs", "1");
	assert_value("activityDate", "100");
	assert_value("labels", "[]");
	torrents[0].labels = label_new("tv\nnew");
	assert_value("labels", "[\"tv\", \"new\"]");
	label_unref(&torrents[0].labels);
	assert_value("trackerList", "\"http://tracker.example.org:80/announce?k=1\\nudp://t:1\\n\\n"
				    "http://127.0.0.1/x\"");
	assert_value("trackers",
		"[{\"announce\": \"http://tracker.example.org:80/a/announce.php?k=1\", \"id\": 0, "
		"\"scrape\": \"http://tracker.example.org:80/a/scrape.php?k=1\", \"sitename\": "
		"\"example\", \"tier\": 0}, {\"announce\": \"udp://10.0.0.1:1\", \"id\": 1, "
		"\"scrape\": \"udp://10.0.0.1:1\", \"sitename\": \"10.0.0.1\", \"tier\": 1}]");
}

/* Programs compare with 1. */
static void test_all_is_done(void **unused)
{
	(void)unused;
	torrents[0].left = 0;
	torrents[0].have = 3;
	torrents[0].status = STATUS_SEEDING;
	assert_value("percentDone", "1.0");
	assert_value("haveValid", "65543");
	assert_value("status", "6");
	assert_value("eta", "-1");
	torrents[0].status = STATUS_QUEUED;
	assert_value("status", "5");
	torrents[0].status = STATUS_ERROR;
	torrents[0].error = (char *)"disk";
	assert_value("status", "0");
	assert_value("error", "3");
	assert_value("errorString", "\"disk\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_types, prepare),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_fields),
		cmocka_unit_test_setup(test_slices, prepare),
		cmocka_unit_test_setup(test_values, prepare),
		cmocka_unit_test_setup(test_all_is_done, prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
