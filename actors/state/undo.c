/* SPDX-License-Identifier: MIT */
/*
 * What changes have changed, so that it can be undone, and which torrents were removed and can come
 * back.
 *
 * An item is written in the transaction of its change.  Old undos go when new ones come: nothing
 * walks over them meanwhile, and who asks for one that is too old does not get it.
 */
#include "actors/state/db.h"

#include <limits.h>

#include "actors/kernel/clock.h"
#include "proto/base/array.h"

/* --- undo --- */

static void begin_undo(struct state_db *db, uint64_t id)
{
	int64_t now = clock_wall_s();

	db_bind_u64(db, SQL_ADD_UNDO, 1, id);
	db_bind_int(db, SQL_ADD_UNDO, 2, now);
	db_run(db, SQL_ADD_UNDO);
	if (db_error(db) != E_OK || db_changes(db) == 0)
		return;
	db_bind_int(db, SQL_EXPIRE_UNDO, 1, now - UNDO_KEEP);
	db_bind_int(db, SQL_EXPIRE_UNDO, 2, UNDO_ITEMS_MAX);
	db_bind_u64(db, SQL_EXPIRE_UNDO, 3, id);
	db_run(db, SQL_EXPIRE_UNDO);
}

void state_undo_add(struct state_db *db, uint64_t id, const struct undo_item *i)
{
	const enum sql q = SQL_ADD_UNDONE;

	begin_undo(db, id);
	db_bind_u64(db, q, 1, id);
	db_bind_bytes(db, q, 2, i->infohash, sizeof i->infohash);
	db_bind_text(db, q, 3, undo_word(i->op));
	db_bind_int(db, q, 4, i->was.value);
	db_bind_int(db, q, 5, i->was.seed.ratio);
	db_bind_int(db, q, 6, i->was.seed.time);
	db_bind_int(db, q, 7, i->was.seed.idle);
	if (i->was.data != NULL)
		db_bind_bytes(db, q, 8, i->was.data, i->was.data_n);
	db_bind_int(db, q, 9, (int64_t)i->print);
	db_run(db, q);
}

void state_undo_drop(struct state_db *db, const struct m_undo *m)
{
	db_bind_u64(db, SQL_DROP_UNDO, 1, m->id);
	db_run(db, SQL_DROP_UNDO);
}

/* false: it makes no sense. */
static bool read_item(struct state_db *db, struct undo_item *i)
{
	const enum sql q = SQL_LOAD_UNDONE;
	struct slice hash = db_bytes(db, q, 0), data;

	*i = (struct undo_item){0};
	if (hash.n != sizeof i->infohash || !undo_word_read(db_text(db, q, 1), &i->op))
		return false;
	memcpy(i->infohash, hash.p, sizeof i->infohash);
	i->was.value = db_int(db, q, 2);
	i->was.seed = (struct seed_limits){MIN(MAX(db_int(db, q, 3), SEED_GLOBAL), SEED_RATIO_MAX),
		MIN(MAX(db_int(db, q, 4), SEED_GLOBAL), SEED_TIME_MAX),
		MIN(MAX(db_int(db, q, 5), SEED_GLOBAL), SEED_TIME_MAX)};
	data = db_bytes(db, q, 6);
	if (data.n > METAINFO_FILES_MAX)
		return false;
	if (data.n > 0) {
		i->was.data = xmemdup(data.p, data.n);
		i->was.data_n = (uint32_t)data.n;
	}
	i->print = (uint64_t)db_int(db, q, 7);
	return true;
}

enum err state_undo_load(struct state_db *db, struct m_undo *m)
{
	struct undo_item item;
	uint32_t room = 0;
	enum err e;

	db_bind_u64(db, SQL_LOAD_UNDONE, 1, m->id);
	db_bind_int(db, SQL_LOAD_UNDONE, 2, clock_wall_s() - UNDO_KEEP);
	while (db_row(db, SQL_LOAD_UNDONE))
		if (m->items_n < UNDO_ITEMS_MAX && read_item(db, &item))
			ARRAY_PUSH(m->items, m->items_n, room, item);
	e = db_error(db);
	if (e != E_OK)
		db_undo(db); /* there is no transaction: the error alone is forgotten */
	return e != E_OK ? e : m->items_n > 0 ? E_OK : E_NOT_FOUND;
}

/* --- removed ones --- */

static void put_removed(struct state_db *db, const struct m_state_shelve *m)
{
	const enum sql q = SQL_PUT_REMOVED;
	const struct shelved *r = &m->what;

	db_bind_u64(db, SQL_SET_TOTALS, 1, m->downloaded);
	db_bind_u64(db, SQL_SET_TOTALS, 2, m->uploaded);
	db_bind_u64(db, SQL_SET_TOTALS, 3, m->wasted);
	db_bind_u64(db, SQL_SET_TOTALS, 4, m->seeded);
	db_bind_int(db, SQL_SET_TOTALS, 5, r->row);
	db_run(db, SQL_SET_TOTALS);
	db_bind_int(db, SQL_SET_REMOVING, 1, 0);
	db_bind_int(db, SQL_SET_REMOVING, 2, r->row);
	db_run(db, SQL_SET_REMOVING);
	db_bind_int(db, q, 1, r->row);
	db_bind_int(db, q, 2, r->at);
	db_bind_text(db, q, 3, r->name);
	db_bind_u64(db, q, 4, r->size);
	db_bind_text(db, q, 5, r->trash != NULL ? r->trash : "");
	db_run(db, q);
}

void state_shelve(struct state_db *db, const struct m_state_shelve *m)
{
	if (!m->back) {
		put_removed(db, m);
		return;
	}
	db_bind_int(db, SQL_DROP_REMOVED, 1, m->what.row);
	db_run(db, SQL_DROP_REMOVED);
	if (m->purge) {
		db_bind_text(db, SQL_PURGE_TRASH, 1, m->what.trash);
		db_bind_int(db, SQL_PURGE_TRASH, 2, m->made);
		db_bind_int(db, SQL_PURGE_TRASH, 3, REMOVING_WITH_DATA);
		db_bind_int(db, SQL_PURGE_TRASH, 4, m->what.row);
		db_run(db, SQL_PURGE_TRASH);
		return;
	}
	db_bind_int(db, SQL_SET_RUN, 1, m->run);
	db_bind_int(db, SQL_SET_RUN, 2, m->what.row);
	db_run(db, SQL_SET_RUN);
}

static bool read_removed(struct state_db *db, struct shelved *r)
{
	const enum sql q = SQL_LOAD_REMOVED;
	struct slice hash = db_bytes(db, q, 1);
	const char *path = db_text(db, q, 2), *trash = db_text(db, q, 6);

	if (hash.n != sizeof r->infohash || path[0] != '/' || strlen(path) >= PATH_MAX ||
		strlen(trash) >= PATH_MAX)
		return false;
	*r = (struct shelved){
		.row = db_int(db, q, 0),
		.name = xstrdup(db_text(db, q, 3)),
		.path = xstrdup(path),
		.trash = trash[0] == '/' ? xstrdup(trash) : NULL,
		.size = db_u64(db, q, 4),
		.at = db_int(db, q, 5),
	};
	memcpy(r->infohash, hash.p, sizeof r->infohash);
	return true;
}

void state_removed_load(struct state_db *db, struct m_state_load *m)
{
	struct shelved r;
	uint32_t room = 0;

	while (db_row(db, SQL_LOAD_REMOVED))
		if (read_removed(db, &r))
			ARRAY_PUSH(m->removed, m->removed_n, room, r);
}
