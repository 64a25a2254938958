/* SPDX-License-Identifier: MIT */
/*
 * The state actor on the real kernel for t_state.c, turned by hand in the test's thread; a session
 * and a store that only ask.  Each world has a directory of its own, removed at its end.
 */
#ifndef TESTS_UNIT_LIB_STATE_WORLD_H
#define TESTS_UNIT_LIB_STATE_WORLD_H

#include "actors/state/state.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/kernel/log.h"
#include "actors/msg/env.h"
#include "tests/unit/lib/made_torrents.h"

struct world {
	char dir[64];
	struct actors *set;
	struct actor *session, *store, *state;
	struct actor_env env;
	unsigned waiting;
	struct msg *answer; /* the last one; owned */
	enum err err;       /* of the last one */
};

static inline void ignore(struct actor *a, struct msg **m)
{
	(void)a;
	(void)m;
}

static const struct actor_handler nothing[] = {{KMSG_NONE, ignore}, {0, NULL}};
static const struct actor_spec fake_session = {.role_name = "session", .handlers = nothing};
static const struct actor_spec fake_store = {.role_name = "store", .handlers = nothing};

/* --- the world --- */

static inline enum err try_open(const char *dir, struct state_db **db, char *why)
{
	return state_db_open(dir, db, why, 1024);
}

/* The asker: who w->session is, where another than the session asks. */
static inline void world_start_as(struct world *w, uint16_t addr, const struct actor_spec *asker)
{
	char why[1024] = "";

	w->env = (struct actor_env){0};
	if (try_open(w->dir, &w->env.db, why) != E_OK)
		fail_msg("%s", why);
	w->set = actors_new(&message_table);
	w->state = actors_add_here(w->set, ADDR_STATE, &state_spec, &w->env);
	w->session = actors_add_here(w->set, addr, asker, NULL);
	w->store = actors_add_here(w->set, ADDR_STORE, &fake_store, NULL);
	actors_start_here(w->set);
}

static inline void world_start(struct world *w)
{
	world_start_as(w, ADDR_SESSION, &fake_session);
}

static inline void turn(struct world *w)
{
	for (int i = 0; i < 3; i++) {
		actor_turn(w->session, 0);
		actor_turn(w->store, 0);
		actor_turn(w->state, 0);
	}
}

static inline void on_answer(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct world *w = ctx;

	msg_free(a, &w->answer);
	w->err = err;
	w->waiting--;
	if (m != NULL) {
		w->answer = *m;
		*m = NULL;
	}
}

static inline void call(struct world *w, struct actor *from, struct msg *m)
{
	w->waiting++;
	actor_call(from, ADDR_STATE, &m, on_answer, w);
}

static inline enum err settle(struct world *w)
{
	for (int i = 0; w->waiting > 0 && i < 1000; i++)
		turn(w);
	assert_int_equal(w->waiting, 0);
	return w->err;
}

static inline void world_stop(struct world *w, bool clean)
{
	if (clean) {
		call(w, w->session, msg_new(w->session, MSG_QUIESCE));
		assert_int_equal(settle(w), E_OK);
	}
	turn(w);
	msg_free(w->session, &w->answer);
	actors_join(w->set);
	actors_free(&w->set);
}

static inline void restart(struct world *w, bool clean)
{
	world_stop(w, clean);
	world_start(w);
}

static inline int world_new(void **state)
{
	struct world *w = xcalloc(1, sizeof *w);

	snprintf(w->dir, sizeof w->dir, "/tmp/t_state.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	log_set_level(LOG_ERROR);
	*state = w;
	return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline int world_free(void **state)
{
	struct world *w = *state;

	(void)nftw(w->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	xfree(w);
	return 0;
}

/* --- messages --- */

static inline struct msg *make_add(struct world *w, const char *name, unsigned pieces)
{
	struct msg *m = msg_new(w->session, MSG_STATE_ADD);
	struct m_state_add *add = container_of(m, struct m_state_add, h);

	add->meta = made_meta(name, pieces);
	add->path = xstrdup("/downloads/dir");
	add->run = RUN_STARTED;
	add->seed = (struct seed_limits){SEED_GLOBAL, SEED_GLOBAL, SEED_GLOBAL};
	add->wishes.down_limit = 1000;
	add->wishes.up_limit = UINT64_MAX;
	add->added = 1700000000;
	return m;
}

static inline int64_t add_torrent(struct world *w, const char *name, unsigned pieces)
{
	call(w, w->session, make_add(w, name, pieces));
	assert_int_equal(settle(w), E_OK);
	return container_of(w->answer, struct m_state_add, h)->row;
}

static inline void set_value(struct world *w, int64_t row, enum state_key key, int64_t value)
{
	struct msg *m = msg_new(w->session, MSG_STATE_SET);
	struct m_state_set *set = container_of(m, struct m_state_set, h);

	set->row = row;
	set->key = key;
	set->value = value;
	call(w, w->session, m);
	assert_int_equal(settle(w), E_OK);
}

static inline void note_pieces(struct world *w, int64_t row, uint32_t first, uint32_t n, bool dirty)
{
	struct msg *m = msg_new(w->store, MSG_STATE_NOTE);
	struct m_state_note *note = container_of(m, struct m_state_note, h);

	note->row = row;
	note->pieces = xcalloc(MAX(n, 1u), sizeof *note->pieces);
	note->pieces_n = n;
	for (uint32_t i = 0; i < n; i++)
		note->pieces[i] = first + i;
	if (dirty) {
		note->made = n;
		note->dirty = xcalloc(1, sizeof *note->dirty);
		note->dirty_n = 1;
	}
	actor_cast(w->store, ADDR_STATE, &m);
}

static inline struct m_state_pieces *make_pieces(struct world *w, int64_t row, uint32_t bits)
{
	struct m_state_pieces *p =
		container_of(msg_new(w->store, MSG_STATE_PIECES), struct m_state_pieces, h);

	p->row = row;
	bitfield_init(&p->synced, bits);
	return p;
}

static inline void put_pieces(struct world *w, struct m_state_pieces *p)
{
	call(w, w->store, &p->h);
	assert_int_equal(settle(w), E_OK);
}

static inline struct m_state_load *load(struct world *w)
{
	call(w, w->session, msg_new(w->session, MSG_STATE_LOAD));
	assert_int_equal(settle(w), E_OK);
	return container_of(w->answer, struct m_state_load, h);
}

#endif
