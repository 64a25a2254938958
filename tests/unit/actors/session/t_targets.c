/* SPDX-License-Identifier: MIT */
/* No two torrents share files: whose path may be whose. */
#include "tests/unit/lib/session_world.h"

#define PARTS ".00112233445566778899AABBCCDDEEFF00112233.parts"

static void have(struct world *w, const char *name, const char *path, int64_t row)
{
	ask_add(w, name, path, true);
	answer_add(w, row);
	turn_all(w);
	store_says_ready(w, E_OK, 1);
	turn_all(w);
	w->log_n = 0;
	w->log[0] = '\0';
}

static void test_overlaps(void **state)
{
	static const struct {
		const char *name, *path;
		const char *why; /* NULL: it may */
	} cases[] = {
		{"x", "/downloads/a", "'a' in /downloads already, and this one would lie among"},
		{"x", "/downloads/a/deep/er", "'a' in /downloads already, and this one would"},
		{"x", "/downloads/./sub/../a", "'a' in /downloads already, and this one would"},
		{"sub", "/downloads", "beneath /downloads/sub already"},
		{"two", "/downloads/sub", "beneath /downloads/sub/two already"},
		{"b", "/downloads/sub/two", "'b' in /downloads/sub/two already; give another path"},
		{PARTS, "/downloads", "is one that part files of torrents have"},
		{"x", "/downloads/ab", NULL},
		{"suba", "/downloads", NULL},
		{"su", "/downloads", NULL},
		{"tw", "/downloads/sub", NULL},
		{".x.parts", "/downloads", NULL},
		{"a", "/srv/other", NULL},
	};
	struct world *w = *state;

	world_start(w, 1);
	have(w, "a", "/downloads", 1);
	have(w, "b", "/downloads/sub/two", 2);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		char name[64];

		/* Another torrent of the same name where that matters. */
		snprintf(name, sizeof name, "%s", cases[i].name);
		if (cases[i].why != NULL || strcmp(name, "a") == 0) {
			size_t n;
			char *bytes = made_bytes(name, 2, &n);
			struct m_torrent_add *add = msg_new(http_of(w), MSG_TORRENT_ADD);

			add->body = xmemdup(bytes, n);
			add->body_n = n;
			add->path = xstrdup(cases[i].path);
			ask(w, &add->h);
			free(bytes);
		} else {
			ask_add(w, name, cases[i].path, true);
		}
		turn_all(w);
		if (cases[i].why == NULL) {
			answer(w, MSG_STATE_ADD, E_NOSPACE);
			turn_all(w);
			assert_non_null(strstr(w->log, "ADD=NOSPACE"));
		} else {
			assert_string_equal(w->log, "ADD=EXISTS");
			if (strstr(w->why, cases[i].why) == NULL)
				fail_msg("%s in %s: %s", name, cases[i].path, w->why);
		}
		w->log_n = 0;
		w->log[0] = '\0';
	}
}

/* When they are gone their directories are free again: the last in and the first. */
static void test_free_again(void **state)
{
	struct world *w = *state;
	char name[16], path[64];

	world_start(w, 1);
	w->auto_ready = w->mute = true;
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "t%u", i);
		snprintf(path, sizeof path, "/downloads/d%u/e", i);
		ask_add(w, name, path, true);
		turn_all(w);
	}
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "t%u", i);
		ask_set(w, name, TORRENT_REMOVE, 0);
		for (unsigned k = 0; k < 4; k++)
			turn_all(w);
	}
	w->mute = false;
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "d%u", i);
		ask_add(w, name, "/downloads", true);
		turn_all(w);
		answer(w, MSG_STATE_ADD, E_NOSPACE);
		turn_all(w);
		assert_non_null(strstr(w->log, "ADD=NOSPACE"));
		w->log_n = 0;
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_new, world_free)
	const struct CMUnitTest tests[] = {TEST(test_overlaps), TEST(test_free_again)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
