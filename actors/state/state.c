/* SPDX-License-Identifier: MIT */
/*
 * The state actor: the only writer of the database.
 *
 * What arrives in one turn is kept in its order and becomes one transaction at the end of the turn:
 * however many calls wait, the disk is waited for once, and a call is answered only after that.
 * Casts alone (notes, totals) are committed without waiting for the disk.  A call that fails is
 * undone alone; a transaction that fails fails every call in it, and the daemon goes on.
 */
#include "actors/kernel/log.h"
#include "actors/msg/env.h"
#include "actors/state/db.h"

#define STATE_MAGIC 0x53544154u

struct state {
	uint32_t magic;
	struct actor *actor;
	struct state_db *db; /* owned */
	struct msg **queue;  /* of this turn, in order; owned */
	size_t queue_n, queue_room;
	bool marked; /* the database says that this run has not ended clean */
};

static struct state *state_of(const struct actor *a)
{
	struct state *s;

	CAST_OBJ(s, actor_self(a), STATE_MAGIC);
	return s;
}

static bool is_call(const struct msg *m)
{
	return m->call != 0;
}

static void apply_message(struct state_db *db, struct msg *m)
{
	switch (m->type) {
	case MSG_STATE_ADD:
		state_add(db, container_of(m, struct m_state_add, h));
		break;
	case MSG_STATE_META:
		state_meta(db, container_of(m, struct m_state_meta, h));
		break;
	case MSG_STATE_SET:
		state_set(db, container_of(m, struct m_state_set, h));
		break;
	case MSG_STATE_OPTIONS:
		state_options(db, container_of(m, struct m_state_options, h));
		break;
	case MSG_STATE_REMOVE:
		state_remove(db, container_of(m, struct m_state_remove, h));
		break;
	case MSG_STATE_PLACE:
		state_place(db, container_of(m, struct m_state_place, h));
		break;
	case MSG_STATE_SHELVE:
		state_shelve(db, container_of(m, struct m_state_shelve, h));
		break;
	case MSG_UNDO_DROP:
		state_undo_drop(db, container_of(m, struct m_undo, h));
		break;
	case MSG_STATE_TOKEN:
		state_token(db, container_of(m, struct m_state_token, h));
		break;
	case MSG_STATE_TOTALS:
		state_totals(db, container_of(m, struct m_totals, h));
		break;
	case MSG_STATE_NOTE:
		state_note(db, container_of(m, struct m_state_note, h));
		break;
	case MSG_STATE_PIECES:
		state_pieces(db, container_of(m, struct m_state_pieces, h));
		break;
	case MSG_STATE_DHT:
		state_dht_put(db, container_of(m, struct m_state_dht, h));
		break;
	default:
		must_not_reach("a message that is not for the database");
	}
}

static void explain(struct msg *m, const char *words)
{
	struct words *why = NULL;

	if (m->type == MSG_STATE_ADD)
		why = &container_of(m, struct m_state_add, h)->why;
	else if (m->type == MSG_STATE_META)
		why = &container_of(m, struct m_state_meta, h)->why;
	else if (m->type == MSG_STATE_SET)
		why = &container_of(m, struct m_state_set, h)->why;
	else if (m->type == MSG_STATE_OPTIONS)
		why = &container_of(m, struct m_state_options, h)->why;
	else if (m->type == MSG_STATE_PLACE)
		why = &container_of(m, struct m_state_place, h)->why;
	else if (m->type == MSG_STATE_SHELVE)
		why = &container_of(m, struct m_state_shelve, h)->why;
	if (why != NULL)
		snprintf(why->text, sizeof why->text, "the database: %s", words);
}

static enum err commit(struct state *s)
{
	enum err e = db_commit(s->db);

	if (e != E_OK)
		log_event(LOG_ERROR, "state_commit_failed", "err=%s words=\"%s\"", err_name(e),
			db_words(s->db));
	return e;
}

/* The next one of the torrent may come, which bounds what waits while the disk hangs. */
static void acknowledge(struct state *s, uint16_t to, uint16_t type, struct tref t)
{
	struct m_torrent *taken = msg_new(s->actor, type);

	taken->t = t;
	msg_send(s->actor, to, taken);
}

/* Answers the calls of a transaction that ended with e. */
static void answer_all(struct state *s, enum err e)
{
	for (size_t i = 0; i < s->queue_n; i++) {
		struct msg *m = s->queue[i];

		s->queue[i] = NULL;
		if (m->type == MSG_STATE_TOTALS)
			acknowledge(s, ADDR_SESSION, MSG_STATE_SAVED, MSG_AS(STATE_TOTALS, m)->t);
		else if (m->type == MSG_STATE_NOTE)
			acknowledge(s, ADDR_STORE, MSG_STATE_NOTED, MSG_AS(STATE_NOTE, m)->t);
		if (!is_call(m)) {
			msg_free(s->actor, &m);
			continue;
		}
		if (e != E_OK) {
			explain(m, db_words(s->db));
			m->err = e;
		}
		actor_reply(s->actor, &m, m->err);
	}
	s->queue_n = 0;
}

/* Leaves the message's outcome in its err.  A call that is alone needs no savepoint. */
static void apply_one(struct state *s, struct msg *m, bool alone)
{
	bool apart = is_call(m) && !alone;

	if (apart)
		db_call_begin(s->db);
	apply_message(s->db, m);
	if (apart)
		m->err = db_call_end(s->db);
	else
		m->err = is_call(m) ? db_error(s->db) : db_cast_end(s->db);
	if (m->err == E_EXISTS)
		explain(m, "it has a torrent with this info-hash that could not be read");
	if (m->err == E_OK || m->err == E_EXISTS)
		return;
	explain(m, db_words(s->db));
	log_event(LOG_ERROR, "state_put_failed", "message=%s err=%s words=\"%s\"",
		message_table.types[m->type].name, err_name(m->err), db_words(s->db));
}

/* One transaction of what the queue holds; each call's own outcome is left in its err. */
static enum err store_queue(struct state *s)
{
	bool durable = !s->marked, alone = s->marked && s->queue_n == 1;
	enum err e;

	for (size_t i = 0; i < s->queue_n; i++)
		durable = durable || is_call(s->queue[i]);
	db_begin(s->db, durable);
	if (!s->marked)
		state_setting(s->db, "clean", 0);
	for (size_t i = 0; i < s->queue_n; i++)
		apply_one(s, s->queue[i], alone);
	if (alone && is_call(s->queue[0]) && s->queue[0]->err != E_OK) {
		db_undo(s->db);
		return E_OK;
	}
	e = commit(s);
	s->marked = s->marked || e == E_OK;
	return e;
}

static void flush_queue(struct state *s)
{
	answer_all(s, store_queue(s));
}

/* --- handlers --- */

static void on_load(struct actor *a, struct msg **m)
{
	state_db_take(state_of(a)->db, container_of(*m, struct m_state_load, h));
	actor_reply(a, m, E_OK);
}

static void on_load_dht(struct actor *a, struct msg **m)
{
	struct m_state_dht *load = MSG_AS(STATE_DHT_LOAD, *m);

	actor_reply(a, m, state_dht_load(state_of(a)->db, load));
}

/* What came in this turn before it counts. */
static void on_fetch(struct actor *a, struct msg **m)
{
	struct state *s = state_of(a);
	struct m_state_fetch *fetch = MSG_AS(STATE_FETCH, *m);

	if (s->queue_n > 0)
		flush_queue(s);
	actor_reply(a, m, state_fetch(s->db, fetch));
}

static void on_load_undo(struct actor *a, struct msg **m)
{
	struct m_undo *load = MSG_AS(UNDO_LOAD, *m);

	actor_reply(a, m, state_undo_load(state_of(a)->db, load));
}

static void on_put(struct actor *a, struct msg **m)
{
	struct state *s = state_of(a);

	if (s->queue_n == s->queue_room) {
		s->queue_room = MAX(s->queue_room * 2, 64u);
		s->queue = xrealloc(s->queue, s->queue_room * sizeof *s->queue);
	}
	s->queue[s->queue_n++] = *m;
	*m = NULL;
}

static void state_tick_end(struct actor *a)
{
	struct state *s = state_of(a);

	if (s->queue_n > 0)
		flush_queue(s);
}

static void *state_init(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct state *s;

	ALLOC_OBJ(s, STATE_MAGIC);
	s->actor = a;
	s->db = env->db;
	flush_queue(s); /* marks the run; tried again with the first write when the disk is full */
	return s;
}

static void state_quiesce(struct actor *a)
{
	struct state *s = state_of(a);

	if (s->queue_n > 0)
		flush_queue(s);
	db_begin(s->db, true);
	state_setting(s->db, "clean", 1);
	(void)commit(s);
	actor_quiesced(a);
}

static void state_fini(struct actor *a)
{
	struct state *s = state_of(a);

	/* What came together with the end; nobody waits for an answer any more. */
	if (s->queue_n > 0)
		(void)store_queue(s);
	for (size_t i = 0; i < s->queue_n; i++)
		msg_free(a, &s->queue[i]);
	xfree(s->queue);
	state_db_close(&s->db);
	FREE_OBJ(s);
}

static const struct actor_handler handlers[] = {
	{MSG_STATE_LOAD, on_load},
	{MSG_STATE_ADD, on_put},
	{MSG_STATE_META, on_put},
	{MSG_STATE_SET, on_put},
	{MSG_STATE_OPTIONS, on_put},
	{MSG_STATE_REMOVE, on_put},
	{MSG_STATE_SHELVE, on_put},
	{MSG_STATE_PLACE, on_put},
	{MSG_STATE_FETCH, on_fetch},
	{MSG_UNDO_DROP, on_put},
	{MSG_UNDO_LOAD, on_load_undo},
	{MSG_STATE_TOKEN, on_put},
	{MSG_STATE_TOTALS, on_put},
	{MSG_STATE_NOTE, on_put},
	{MSG_STATE_PIECES, on_put},
	{MSG_STATE_DHT, on_put},
	{MSG_STATE_DHT_LOAD, on_load_dht},
	{0, NULL},
};

const struct actor_spec state_spec = {
	.role_name = "state",
	.handlers = handlers,
	.init = state_init,
	.quiesce = state_quiesce,
	.tick_end = state_tick_end,
	.fini = state_fini,
};
