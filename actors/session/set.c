/* SPDX-License-Identifier: MIT */
/*
 * Commands for torrents that are there: written to the database, carried out, answered.
 *
 * A torrent's commands run one after the other in the order they came; the first of its list is the
 * one under way.  Asking for what is so already is answered at once and means no harm.
 */
#include "actors/session/priv.h"

#include "actors/kernel/log.h"

static struct m_torrent_set *first_command(const struct torrent *t)
{
	struct held *h = STAILQ_FIRST(&t->commands);

	return h != NULL ? container_of(h->m, struct m_torrent_set, h) : NULL;
}

static void answer_first(struct torrent *t, enum err e)
{
	struct msg *m = held_pop(&t->commands);

	actor_reply(t->session->actor, &m, e);
}

/* The torrent is gone for everybody who asked after the one that removed it. */
static void refuse_commands(struct torrent *t)
{
	while (first_command(t) != NULL)
		answer_first(t, E_NOT_FOUND);
}

/* --- what a command leads to --- */

static int64_t run_bits(const struct torrent *t)
{
	return (t->started ? RUN_STARTED : 0) | (t->forced ? RUN_FORCED : 0) |
	       (t->beyond ? RUN_BEYOND : 0) | (t->limited ? RUN_LIMITED : 0);
}

/* enum state_run after the command. */
static int64_t run_of(const struct torrent *t, const struct m_torrent_set *c)
{
	bool beyond = t->started ? t->beyond : torrent_is_over_limits(t);

	if (c->op == TORRENT_STOP)
		return t->started ? 0 : run_bits(t);
	return RUN_STARTED | (c->value != 0 ? RUN_FORCED : 0) | (beyond ? RUN_BEYOND : 0);
}

static void set_run(struct torrent *t, int64_t bits)
{
	t->started = (bits & RUN_STARTED) != 0;
	t->forced = (bits & RUN_FORCED) != 0;
	t->beyond = (bits & RUN_BEYOND) != 0;
	t->limited = (bits & RUN_LIMITED) != 0;
}

static int64_t keep_or(int64_t old, int64_t asked)
{
	return asked == SEED_KEEP ? old : asked;
}

static struct seed_limits seed_of(const struct torrent *t, const struct m_torrent_set *c)
{
	return (struct seed_limits){
		.ratio = keep_or(t->seed.ratio, c->seed.ratio),
		.time = keep_or(t->seed.time, c->seed.time),
		.idle = keep_or(t->seed.idle, c->seed.idle),
	};
}

/* The priorities after the command, owned by the caller; it was checked. */
static uint8_t *files_of(const struct torrent *t, const struct m_torrent_set *c)
{
	struct words why;
	uint8_t *out;

	must(files_wish(t->meta, t->wishes.file_priority, c->files, c->files_n, &out, &why) ==
		E_OK);
	return out;
}

static void apply_files(struct torrent *t, const struct m_torrent_set *c)
{
	uint8_t *list = files_of(t, c);

	if (!files_equal(t, list))
		torrent_set_files(t, &list);
	xfree(list);
}

static bool changes_files(const struct torrent *t, const struct m_torrent_set *c)
{
	uint8_t *list = files_of(t, c);
	bool changes = !files_equal(t, list);

	xfree(list);
	return changes;
}

static enum err check(const struct torrent *t, struct m_torrent_set *c)
{
	uint8_t *list;
	enum err e;

	if (c->op != TORRENT_FILES)
		return E_OK;
	e = files_wish(t->meta, t->wishes.file_priority, c->files, c->files_n, &list, &c->why);
	xfree(list);
	return e;
}

static void apply(struct torrent *t, const struct m_torrent_set *c)
{
	switch (c->op) {
	case TORRENT_START:
	case TORRENT_STOP:
		set_run(t, run_of(t, c));
		if (t->started)
			torrent_retry(t);
		torrent_update_active(t);
		break;
	case TORRENT_DOWN_RATE:
		t->wishes.down_limit = c->value;
		torrent_send_set(t);
		break;
	case TORRENT_UP_RATE:
		t->wishes.up_limit = c->value;
		torrent_send_set(t);
		break;
	case TORRENT_RECHECK:
		torrent_recheck(t);
		break;
	case TORRENT_FILES:
		apply_files(t, c);
		break;
	case TORRENT_SEQUENTIAL:
		t->wishes.sequential = c->value != 0;
		torrent_send_set(t);
		break;
	case TORRENT_FIRST_LAST:
		t->wishes.first_last = c->value != 0;
		torrent_send_set(t);
		break;
	case TORRENT_SEED_LIMITS:
		t->seed = seed_of(t, c);
		t->beyond = false;
		break;
	default:
		must_not_reach("an operation that is not a torrent's");
	}
}

/* Whether the database has to hear of it. */
static bool is_news(const struct torrent *t, const struct m_torrent_set *c)
{
	switch (c->op) {
	case TORRENT_START:
	case TORRENT_STOP:
		return run_of(t, c) != run_bits(t);
	case TORRENT_DOWN_RATE:
		return t->wishes.down_limit != c->value;
	case TORRENT_UP_RATE:
		return t->wishes.up_limit != c->value;
	case TORRENT_FILES:
		return changes_files(t, c);
	case TORRENT_SEQUENTIAL:
		return t->wishes.sequential != (c->value != 0);
	case TORRENT_FIRST_LAST:
		return t->wishes.first_last != (c->value != 0);
	case TORRENT_REMOVE:
	case TORRENT_SEED_LIMITS:
		return true;
	default:
		return false;
	}
}

static void describe_wish(
	const struct torrent *t, const struct m_torrent_set *c, struct m_state_set *set)
{
	switch (c->op) {
	case TORRENT_START:
	case TORRENT_STOP:
		set->key = STATE_STARTED;
		set->value = run_of(t, c);
		break;
	case TORRENT_FILES:
		set->key = STATE_FILES;
		set->data = files_of(t, c);
		set->data_n = set->data != NULL ? t->meta->files_n : 0;
		break;
	case TORRENT_SEED_LIMITS:
		set->key = STATE_SEED_LIMITS;
		set->seed = seed_of(t, c);
		break;
	default:
		set->key = c->op == TORRENT_SEQUENTIAL ? STATE_SEQUENTIAL : STATE_FIRST_LAST;
		set->value = c->value != 0;
		break;
	}
}

static void describe(const struct m_torrent_set *c, struct m_state_set *set)
{
	switch (c->op) {
	case TORRENT_REMOVE:
		set->key = STATE_REMOVING;
		set->value = c->value != 0 ? 2 : 1;
		break;
	case TORRENT_DOWN_RATE:
	case GLOBAL_DOWN_RATE:
		set->key = c->op == TORRENT_DOWN_RATE ? STATE_DOWN_LIMIT : STATE_GLOBAL_DOWN_LIMIT;
		set->value = (int64_t)MIN(c->value, (uint64_t)INT64_MAX);
		break;
	default:
		set->key = c->op == TORRENT_UP_RATE ? STATE_UP_LIMIT : STATE_GLOBAL_UP_LIMIT;
		set->value = (int64_t)MIN(c->value, (uint64_t)INT64_MAX);
		break;
	}
}

static void copy_why(struct m_torrent_set *c, struct msg *const *m)
{
	if (m != NULL && *m != NULL)
		c->why = container_of(*m, struct m_state_set, h)->why;
}

static void on_saved(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *t;
	struct m_torrent_set *c;
	bool remove, delete_data;

	(void)a;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	t->saving = false;
	c = first_command(t);
	remove = c->op == TORRENT_REMOVE;
	delete_data = c->value != 0;
	if (err != E_OK)
		copy_why(c, m);
	else if (!remove)
		apply(t, c);
	answer_first(t, err);
	if (err == E_OK && remove) {
		refuse_commands(t);
		torrent_remove(t, delete_data);
		return;
	}
	if (err != E_STOPPING)
		torrent_next_command(t);
}

static void save_first(struct torrent *t)
{
	struct msg *m = msg_new(t->session->actor, MSG_STATE_SET);
	struct m_state_set *set = container_of(m, struct m_state_set, h);
	const struct m_torrent_set *c = first_command(t);

	set->row = t->row;
	if (c->op == TORRENT_REMOVE || c->op == TORRENT_DOWN_RATE || c->op == TORRENT_UP_RATE)
		describe(c, set);
	else
		describe_wish(t, c, set);
	t->saving = true;
	actor_call_within(t->session->actor, ADDR_STATE, &m, STATE_TIMEOUT, on_saved, t);
}

void torrent_next_command(struct torrent *t)
{
	struct m_torrent_set *c;

	while (!t->saving && (c = first_command(t)) != NULL) {
		enum err e = check(t, c);
		if (e == E_OK && is_news(t, c)) {
			save_first(t);
			return;
		}
		if (e == E_OK)
			apply(t, c);
		answer_first(t, e);
	}
	torrent_check_limits(t);
}

/* --- the limits of the whole daemon --- */

static void on_global_saved(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct session *s = session_of(a);
	struct msg *held;
	struct m_torrent_set *c;

	CAST_OBJ(held, ctx, MSG_MAGIC);
	c = container_of(held, struct m_torrent_set, h);
	if (err != E_OK) {
		copy_why(c, m);
	} else if (c->op == GLOBAL_DOWN_RATE) {
		s->has_down_limit = true;
		s->down_limit = c->value;
	} else {
		s->has_up_limit = true;
		s->up_limit = c->value;
	}
	if (err == E_OK)
		session_send_limits(s);
	actor_reply(a, &held, err);
}

static void set_global(struct session *s, struct msg **m)
{
	struct msg *held = *m;
	struct msg *put = msg_new(s->actor, MSG_STATE_SET);

	*m = NULL;
	describe(container_of(held, struct m_torrent_set, h),
		container_of(put, struct m_state_set, h));
	actor_call_within(s->actor, ADDR_STATE, &put, STATE_TIMEOUT, on_global_saved, held);
}

void session_on_set(struct actor *a, struct msg **m)
{
	struct session *s = session_of(a);
	const struct m_torrent_set *c = container_of(*m, struct m_torrent_set, h);
	struct torrent *t;

	if (session_hold_early(s, m))
		return;
	if (c->op == GLOBAL_DOWN_RATE || c->op == GLOBAL_UP_RATE) {
		set_global(s, m);
		return;
	}
	t = torrent_find(s, c->infohash);
	if (t == NULL || !torrent_listed(t)) {
		actor_reply(a, m, E_NOT_FOUND);
		return;
	}
	if (c->op == TORRENT_MOVE) {
		session_move(s, m);
		return;
	}
	held_push(&t->commands, m);
	torrent_next_command(t);
}
