/* SPDX-License-Identifier: MIT */
/* Tags and categories in the database: what was put is there after a restart, what makes no sense
 * is not. */
#include "tests/unit/lib/state_world.h"

static const struct actor_spec fake_http = {.role_name = "http", .handlers = nothing};

static void put(struct world *w, const char *name, enum name_kind kind, const char *path)
{
	struct m_state_names *m = msg_new(w->session, MSG_STATE_NAMES);

	m->list = xcalloc(1, sizeof *m->list);
	m->n = 1;
	m->list[0] = (struct name_record){xstrdup(name), kind, path != NULL ? xstrdup(path) : NULL};
	call(w, w->session, &m->h);
	assert_int_equal(settle(w), E_OK);
}

static const struct m_state_names *stored(struct world *w)
{
	struct m_state_names *m = msg_new(w->session, MSG_STATE_NAMES_LOAD);

	call(w, w->session, &m->h);
	assert_int_equal(settle(w), E_OK);
	return MSG_AS(STATE_NAMES_LOAD, w->answer);
}

static void names_outlive_a_restart(void **state)
{
	struct world *w = *state;
	const struct m_state_names *m;

	world_start_as(w, ADDR_HTTP, &fake_http);
	assert_int_equal(stored(w)->n, 0);
	put(w, "tv", NAME_CATEGORY, "/srv/tv");
	put(w, "seen", NAME_TAG, NULL);
	put(w, "gone", NAME_TAG, NULL);
	put(w, "gone", NAME_NONE, NULL);
	put(w, "films", NAME_TAG, NULL);
	put(w, "films", NAME_CATEGORY, NULL);
	world_stop(w, false);
	world_start_as(w, ADDR_HTTP, &fake_http);
	m = stored(w);
	assert_int_equal(m->n, 3);
	assert_true(strcmp(m->list[0].name, "films") == 0 && m->list[0].kind == NAME_CATEGORY);
	assert_null(m->list[0].path);
	assert_true(strcmp(m->list[1].name, "seen") == 0 && m->list[1].kind == NAME_TAG);
	assert_string_equal(m->list[2].path, "/srv/tv");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_outlive_a_restart, world_new, world_free),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
