/* SPDX-License-Identifier: MIT */
/*
 * Tags and categories in the database: a row each.
 *
 * A row that makes no sense is left out: it names nothing that a torrent needs.
 */
#include "actors/msg/wishes.h"
#include "actors/state/db.h"
#include "proto/base/array.h"

static void put_name(struct state_db *db, const struct name_record *r)
{
	if (r->kind == NAME_NONE) {
		db_bind_text(db, SQL_DROP_NAME, 1, r->name);
		db_run(db, SQL_DROP_NAME);
		return;
	}
	db_bind_text(db, SQL_PUT_NAME, 1, r->name);
	db_bind_int(db, SQL_PUT_NAME, 2, r->kind);
	db_bind_text(db, SQL_PUT_NAME, 3, r->path != NULL ? r->path : "");
	db_run(db, SQL_PUT_NAME);
}

void state_names(struct state_db *db, const struct m_state_names *m)
{
	for (uint32_t i = 0; i < m->n; i++)
		put_name(db, &m->list[i]);
}

/* Whether it can be a label, alone. */
static bool is_label(const char *name)
{
	char *text = NULL;
	bool good = wishes_add_label(&text, name, strlen(name)) == E_OK;

	xfree(text);
	return good;
}

enum err state_names_load(struct state_db *db, struct m_state_names *m)
{
	uint32_t room = m->n;
	enum err e;

	while (db_row(db, SQL_LOAD_NAMES)) {
		const char *name = db_text(db, SQL_LOAD_NAMES, 0);
		int64_t kind = db_int(db, SQL_LOAD_NAMES, 1);
		const char *path = db_text(db, SQL_LOAD_NAMES, 2);
		struct name_record r = {.kind = (enum name_kind)kind};

		if (m->n >= NAMES_MAX || !is_label(name) ||
			(kind != NAME_TAG && kind != NAME_CATEGORY))
			continue;
		r.name = xstrdup(name);
		r.path = path[0] != '\0' ? xstrdup(path) : NULL;
		ARRAY_PUSH(m->list, m->n, room, r);
	}
	e = db_error(db);
	if (e != E_OK)
		db_undo(db); /* there is no transaction: the error alone is forgotten */
	return e;
}
