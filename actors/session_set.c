/* SPDX-License-Identifier: MIT */
/*
 * Commands for torrents that are there: written to the database, carried out, answered.
 *
 * A torrent's commands run one after the other in the order they came; the first of its list is the
 * one under way.  Asking for what is so already is answered at once and means no harm.
 */
#include "actors/session_priv.h"

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

static void apply(struct torrent *t, const struct m_torrent_set *c)
{
	switch (c->op) {
	case TORRENT_START:
		t->started = true;
		torrent_retry(t);
		torrent_update_active(t);
		break;
	case TORRENT_STOP:
		t->started = false;
		torrent_update_active(t);
		break;
	case TORRENT_DOWN_RATE:
		t->down_limit = c->value;
		torrent_send_set(t);
		break;
	case TORRENT_UP_RATE:
		t->up_limit = c->value;
		torrent_send_set(t);
		break;
	case TORRENT_RECHECK:
		torrent_recheck(t);
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
		return !t->started;
	case TORRENT_STOP:
		return t->started;
	case TORRENT_DOWN_RATE:
		return t->down_limit != c->value;
	case TORRENT_UP_RATE:
		return t->up_limit != c->value;
	case TORRENT_REMOVE:
		return true;
	default:
		return false;
	}
}

static void describe(const struct m_torrent_set *c, struct m_state_set *set)
{
	switch (c->op) {
	case TORRENT_START:
	case TORRENT_STOP:
		set->key = STATE_STARTED;
		set->value = c->op == TORRENT_START;
		break;
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

	set->row = t->row;
	describe(first_command(t), set);
	t->saving = true;
	actor_call_within(t->session->actor, ADDR_STATE, &m, STATE_TIMEOUT, on_saved, t);
}

void torrent_next_command(struct torrent *t)
{
	const struct m_torrent_set *c;

	while (!t->saving && (c = first_command(t)) != NULL) {
		if (is_news(t, c)) {
			save_first(t);
		} else {
			apply(t, c);
			answer_first(t, E_OK);
		}
	}
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
	held_push(&t->commands, m);
	torrent_next_command(t);
}
