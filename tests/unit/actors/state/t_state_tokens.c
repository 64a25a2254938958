/* SPDX-License-Identifier: MIT */
/* Tokens in the database: what was made is there after a restart, what was revoked is not. */
#include "tests/unit/lib/state_world.h"

static const struct actor_spec fake_http = {.role_name = "http", .handlers = nothing};

/* The world, with one who asks as http does. */
static struct actor *start(struct world *w)
{
	world_start_as(w, ADDR_HTTP, &fake_http);
	return w->session;
}

static int64_t put(struct world *w, enum token_op op, const struct token_record *t, int64_t instead)
{
	struct m_state_token *m = msg_new(w->session, MSG_STATE_TOKEN);

	m->op = op;
	m->token = *t;
	m->instead = instead;
	call(w, w->session, &m->h);
	assert_int_equal(settle(w), E_OK);
	return MSG_AS(STATE_TOKEN, w->answer)->token.id;
}

/* Those of a database that nobody has in hand. */
static uint32_t stored(struct world *w, struct token_record **list)
{
	struct state_db *db;
	char why[1024] = "";
	uint32_t n;

	if (try_open(w->dir, &db, why) != E_OK)
		fail_msg("%s", why);
	assert_int_equal(state_db_tokens(db, list, &n), E_OK);
	state_db_close(&db);
	return n;
}

static void tokens_outlive_a_restart(void **state)
{
	struct token_record first = {.kind = TOKEN_KEY, .name = "one", .scopes = TOKEN_ALL},
			    second = {.kind = TOKEN_DEVICE, .name = "t\303\251l", .scopes = 3},
			    *list;
	struct world *w = *state;
	char secret[TOKEN_SECRET];
	int64_t a, b;

	token_make(&first, secret);
	token_make(&second, secret);
	second.created = 1000;
	second.expires = 2000;
	start(w);
	a = put(w, TOKEN_ADD, &first, 0);
	b = put(w, TOKEN_ADD, &second, 0);
	assert_true(a > 0 && b > a);
	second.id = b;
	second.used = 1500;
	put(w, TOKEN_USE, &second, 0);
	world_stop(w, false);
	assert_int_equal(stored(w, &list), 2);
	assert_true(list[0].id == a && list[0].scopes == TOKEN_ALL && list[0].kind == TOKEN_KEY);
	assert_memory_equal(list[1].digest, second.digest, sizeof second.digest);
	assert_string_equal(list[1].name, "t\303\251l");
	assert_true(list[1].scopes == 3 && list[1].kind == TOKEN_DEVICE);
	assert_true(list[1].created == 1000 && list[1].expires == 2000 && list[1].used == 1500);
	xfree(list);
}

static void one_may_go_with_the_same_commit_and_no_id_comes_back(void **state)
{
	struct token_record t = {.name = "a"}, *list;
	struct world *w = *state;
	char secret[TOKEN_SECRET];
	int64_t a, b, c;

	start(w);
	token_make(&t, secret);
	a = put(w, TOKEN_ADD, &t, 0);
	token_make(&t, secret);
	b = put(w, TOKEN_ADD, &t, a);
	put(w, TOKEN_DROP, &(struct token_record){.id = b}, 0);
	token_make(&t, secret);
	c = put(w, TOKEN_ADD, &t, 0);
	assert_true(a < b && b < c);
	world_stop(w, true);
	assert_int_equal(stored(w, &list), 1);
	assert_int_equal(list[0].id, c);
	xfree(list);
}

static void a_device_goes_with_the_token_it_showed(void **state)
{
	struct token_record key = {.name = "key"}, device = {.name = "d", .kind = TOKEN_DEVICE},
			    *list;
	struct world *w = *state;
	char secret[TOKEN_SECRET];

	start(w);
	token_make(&key, secret);
	device.parent = put(w, TOKEN_ADD, &key, 0);
	token_make(&device, secret);
	assert_true(put(w, TOKEN_ADD, &device, 0) > device.parent);
	token_make(&key, secret);
	key.id = put(w, TOKEN_ADD, &key, 0);
	put(w, TOKEN_DROP, &(struct token_record){.id = device.parent}, 0);
	token_make(&device, secret);
	assert_int_equal(put(w, TOKEN_ADD, &device, 0), 0);
	device.parent = key.id;
	token_make(&device, secret);
	assert_true(put(w, TOKEN_ADD, &device, 0) > key.id);
	world_stop(w, true);
	assert_int_equal(stored(w, &list), 2);
	assert_int_equal(list[0].id, key.id);
	assert_int_equal(list[1].parent, key.id);
	xfree(list);
}

static void the_first_is_added_before_anybody_runs(void **state)
{
	struct token_record t = {.name = "first", .scopes = TOKEN_ALL}, *list;
	struct world *w = *state;
	char secret[TOKEN_SECRET], why[1024] = "";
	struct state_db *db;

	token_make(&t, secret);
	if (try_open(w->dir, &db, why) != E_OK)
		fail_msg("%s", why);
	assert_int_equal(state_db_add_token(db, &t), E_OK);
	assert_int_equal(state_db_add_token(db, &t), E_EXISTS);
	state_db_close(&db);
	assert_int_equal(stored(w, &list), 1);
	assert_string_equal(list[0].name, "first");
	xfree(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tokens_outlive_a_restart, world_new, world_free),
		cmocka_unit_test_setup_teardown(
			a_device_goes_with_the_token_it_showed, world_new, world_free),
		cmocka_unit_test_setup_teardown(
			one_may_go_with_the_same_commit_and_no_id_comes_back, world_new,
			world_free),
		cmocka_unit_test_setup_teardown(
			the_first_is_added_before_anybody_runs, world_new, world_free),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
