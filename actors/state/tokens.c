/* SPDX-License-Identifier: MIT */
/*
 * Tokens in the database: a row each, with the digest of its secret.
 *
 * A row that makes no sense lets nobody in: it is left out.
 */
#include "actors/state/db.h"
#include "proto/base/array.h"

/* Seconds since 1970 that people's clocks can show: nothing overflows that is reckoned with them.
 */
#define TIME_MAX (INT64_C(1) << 40)

static int64_t read_time(struct state_db *db, int col)
{
	int64_t t = db_int(db, SQL_LOAD_TOKENS, col);

	return t < 0 ? 0 : MIN(t, TIME_MAX);
}

static bool read_token(struct state_db *db, struct token_record *t)
{
	struct slice digest = db_bytes(db, SQL_LOAD_TOKENS, 1);
	int64_t kind = db_int(db, SQL_LOAD_TOKENS, 2);
	const char *name = db_text(db, SQL_LOAD_TOKENS, 3);

	*t = (struct token_record){.id = db_int(db, SQL_LOAD_TOKENS, 0),
		.kind = (enum token_kind)kind,
		.scopes = (unsigned)db_int(db, SQL_LOAD_TOKENS, 4),
		.created = read_time(db, 5),
		.expires = read_time(db, 6),
		.used = read_time(db, 7),
		.parent = db_int(db, SQL_LOAD_TOKENS, 8)};
	if (t->id <= 0 || digest.n != sizeof t->digest || kind < TOKEN_KEY || kind > TOKEN_DEVICE ||
		strlen(name) > TOKEN_NAME_MAX)
		return false;
	memcpy(t->digest, digest.p, digest.n);
	memcpy(t->name, name, strlen(name));
	return true;
}

enum err state_db_tokens(struct state_db *db, struct token_record **list, uint32_t *n)
{
	struct token_record t;
	uint32_t room = 0;
	enum err e;

	*list = NULL;
	*n = 0;
	while (db_row(db, SQL_LOAD_TOKENS))
		if (*n < TOKENS_MAX && read_token(db, &t))
			ARRAY_PUSH(*list, *n, room, t);
	e = db_error(db);
	if (e != E_OK)
		db_undo(db); /* there is no transaction: the error alone is forgotten */
	return e;
}

static void add_token(struct state_db *db, struct m_state_token *m)
{
	struct token_record *t = &m->token;

	if (m->instead != 0) {
		db_bind_int(db, SQL_DROP_TOKEN, 1, m->instead);
		db_run(db, SQL_DROP_TOKEN);
	}
	db_bind_bytes(db, SQL_ADD_TOKEN, 1, t->digest, sizeof t->digest);
	db_bind_int(db, SQL_ADD_TOKEN, 2, t->kind);
	db_bind_text(db, SQL_ADD_TOKEN, 3, t->name);
	db_bind_int(db, SQL_ADD_TOKEN, 4, t->scopes);
	db_bind_int(db, SQL_ADD_TOKEN, 5, t->created);
	db_bind_int(db, SQL_ADD_TOKEN, 6, t->expires);
	db_bind_int(db, SQL_ADD_TOKEN, 7, t->parent);
	db_run(db, SQL_ADD_TOKEN);
	t->id = db_changes(db) > 0 ? db_last_row(db) : 0;
}

static void drop_token(struct state_db *db, struct m_state_token *m)
{
	db_bind_int(db, SQL_DROP_TOKEN, 1, m->token.id);
	db_run(db, SQL_DROP_TOKEN);
}

static void use_token(struct state_db *db, struct m_state_token *m)
{
	db_bind_int(db, SQL_USE_TOKEN, 1, m->token.id);
	db_bind_int(db, SQL_USE_TOKEN, 2, m->token.used);
	db_run(db, SQL_USE_TOKEN);
}

void state_token(struct state_db *db, struct m_state_token *m)
{
	static void (*const ops[])(struct state_db *, struct m_state_token *) = {
		[TOKEN_ADD] = add_token, [TOKEN_DROP] = drop_token, [TOKEN_USE] = use_token};

	ops[m->op](db, m);
}

enum err state_db_add_token(struct state_db *db, const struct token_record *t)
{
	struct m_state_token m = {.op = TOKEN_ADD, .token = *t};

	db_begin(db, true);
	state_token(db, &m);
	return db_commit(db);
}
