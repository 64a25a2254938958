/* SPDX-License-Identifier: MIT */
/*
 * The connection to the database file: SQLite in WAL mode, behind statements with names.  Nothing
 * else knows SQLite.
 *
 * The connection holds the file exclusively, so no shared memory file exists whose growth a full
 * disk could turn into SIGBUS.
 */
#include "actors/state/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DB_MAGIC 0x53544442u

struct state_db {
	uint32_t magic;
	sqlite3 *sq;
	sqlite3_stmt *stmt[SQL_MAX_];
	enum err err;    /* latched */
	char words[256]; /* of the last error */
	bool full_sync;  /* what PRAGMA synchronous says now */
	int lock;        /* descriptor that holds the lock of the directory */
	char *path;
	struct m_state_load loaded; /* open.c */
	struct {
		char *p;
		size_t n;
	} room[2]; /* for values that are made to be bound */
};

static const char *const texts[SQL_MAX_] = {
#define SQL(name, text) [SQL_##name] = (text),
#include "actors/state/sql.def"
#undef SQL
};

enum err db_errno(int e)
{
	switch (e) {
	case ENOSPC:
	case EDQUOT:
		return E_NOSPACE;
	case EROFS:
		return E_READONLY;
	case EACCES:
	case EPERM:
		return E_PERM;
	case ENOENT:
	case ENOTDIR:
		return E_NOENT;
	case EMFILE:
	case ENFILE:
		return E_NFILES;
	default:
		return E_IO;
	}
}

static enum err sqlite_err(struct state_db *db, int rc)
{
	int sys = sqlite3_system_errno(db->sq);

	if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
		return E_EXISTS;
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return E_NOSPACE;
	case SQLITE_READONLY:
		return E_READONLY;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return E_PERM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return E_LOCKED;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return E_SYNTAX;
	case SQLITE_NOMEM:
		return E_NOMEM;
	case SQLITE_TOOBIG:
		return E_TOO_BIG;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return sys != 0 ? db_errno(sys) : E_IO;
	default:
		return E_IO;
	}
}

/* Latches the first error. */
static void latch_error(struct state_db *db, int rc)
{
	if (db->err != E_OK)
		return;
	db->err = sqlite_err(db, rc);
	snprintf(db->words, sizeof db->words, "%s", sqlite3_errmsg(db->sq));
}

void db_exec(struct state_db *db, const char *text)
{
	int rc;

	CHECK_OBJ(db, DB_MAGIC);
	if (db->err != E_OK)
		return;
	rc = sqlite3_exec(db->sq, text, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		latch_error(db, rc);
}

/* --- statements --- */

void db_bind_int(struct state_db *db, enum sql q, int at, int64_t v)
{
	CHECK_OBJ(db, DB_MAGIC);
	must(sqlite3_bind_int64(db->stmt[q], at, v) == SQLITE_OK);
}

void db_bind_u64(struct state_db *db, enum sql q, int at, uint64_t v)
{
	CHECK_OBJ(db, DB_MAGIC);
	db_bind_int(db, q, at, v > INT64_MAX ? INT64_MAX : (int64_t)v);
}

void db_bind_bytes(struct state_db *db, enum sql q, int at, const void *p, size_t n)
{
	int rc;

	CHECK_OBJ(db, DB_MAGIC);
	rc = sqlite3_bind_blob64(db->stmt[q], at, n ? p : "", n, SQLITE_STATIC);
	if (rc != SQLITE_OK)
		latch_error(db, rc);
}

void db_bind_text(struct state_db *db, enum sql q, int at, const char *s)
{
	int rc;

	CHECK_OBJ(db, DB_MAGIC);
	rc = sqlite3_bind_text(db->stmt[q], at, s, -1, SQLITE_STATIC);
	if (rc != SQLITE_OK)
		latch_error(db, rc);
}

void db_reset(struct state_db *db, enum sql q)
{
	CHECK_OBJ(db, DB_MAGIC);
	/* The outcome is that of the last step, which was looked at already. */
	(void)sqlite3_reset(db->stmt[q]);
	(void)sqlite3_clear_bindings(db->stmt[q]);
}

bool db_row(struct state_db *db, enum sql q)
{
	int rc;

	CHECK_OBJ(db, DB_MAGIC);
	rc = db->err == E_OK ? sqlite3_step(db->stmt[q]) : SQLITE_DONE;
	if (rc == SQLITE_ROW)
		return true;
	if (rc != SQLITE_DONE)
		latch_error(db, rc);
	db_reset(db, q);
	return false;
}

void db_run(struct state_db *db, enum sql q)
{
	CHECK_OBJ(db, DB_MAGIC);
	must(!db_row(db, q));
}

int64_t db_int(struct state_db *db, enum sql q, int col)
{
	CHECK_OBJ(db, DB_MAGIC);
	return sqlite3_column_int64(db->stmt[q], col);
}

uint64_t db_u64(struct state_db *db, enum sql q, int col)
{
	int64_t v;

	CHECK_OBJ(db, DB_MAGIC);
	v = db_int(db, q, col);
	return v < 0 ? 0 : (uint64_t)v;
}

struct slice db_bytes(struct state_db *db, enum sql q, int col)
{
	const void *p;
	int n;

	CHECK_OBJ(db, DB_MAGIC);
	p = sqlite3_column_blob(db->stmt[q], col);
	n = sqlite3_column_bytes(db->stmt[q], col);
	return (struct slice){.p = p, .n = p != NULL && n > 0 ? (size_t)n : 0};
}

const char *db_text(struct state_db *db, enum sql q, int col)
{
	const void *p;

	CHECK_OBJ(db, DB_MAGIC);
	p = sqlite3_column_text(db->stmt[q], col);
	return p != NULL ? p : "";
}

char *db_room(struct state_db *db, unsigned which, size_t n)
{
	CHECK_OBJ(db, DB_MAGIC);
	must(which < ARRAY_LEN(db->room));
	if (db->room[which].n < n) {
		db->room[which].n = MAX(n, db->room[which].n * 2);
		db->room[which].p = xrealloc(db->room[which].p, db->room[which].n);
	}
	return db->room[which].p;
}

int64_t db_last_row(const struct state_db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	return sqlite3_last_insert_rowid(db->sq);
}

int db_changes(const struct state_db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	return sqlite3_changes(db->sq);
}

enum err db_error(const struct state_db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	return db->err;
}

const char *db_words(const struct state_db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	return db->words;
}

const char *db_path(const struct state_db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	return db->path;
}

/* --- statements that are run once --- */

int64_t db_number(struct state_db *db, const char *text)
{
	sqlite3_stmt *st = NULL;
	int64_t v = 0;
	int rc;

	CHECK_OBJ(db, DB_MAGIC);
	if (db->err != E_OK)
		return 0;
	rc = sqlite3_prepare_v2(db->sq, text, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	else
		latch_error(db, rc);
	sqlite3_finalize(st);
	return v;
}

uint64_t db_size(struct state_db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	return (uint64_t)db_number(db, "PRAGMA page_count") *
	       (uint64_t)db_number(db, "PRAGMA page_size");
}

/* --- transactions --- */

void db_begin(struct state_db *db, bool durable)
{
	CHECK_OBJ(db, DB_MAGIC);
	must(db->err == E_OK);
	if (durable != db->full_sync)
		db_exec(db, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
	if (db->err == E_OK)
		db->full_sync = durable;
	db_run(db, SQL_BEGIN);
}

/* SQLite ends a transaction by itself after some failures. */
static bool in_transaction(const struct state_db *db)
{
	return sqlite3_get_autocommit(db->sq) == 0;
}

enum err db_commit(struct state_db *db)
{
	enum err e;

	CHECK_OBJ(db, DB_MAGIC);
	db_run(db, SQL_COMMIT);
	e = db->err;
	if (e != E_OK)
		db_undo(db);
	return e;
}

void db_undo(struct state_db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	db->err = E_OK;
	if (in_transaction(db))
		db_run(db, SQL_ROLLBACK);
	db->err = E_OK;
}

void db_call_begin(struct state_db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	db_run(db, SQL_CALL_BEGIN);
}

enum err db_call_end(struct state_db *db)
{
	enum err e;

	CHECK_OBJ(db, DB_MAGIC);
	e = db->err;
	if (e == E_OK) {
		db_run(db, SQL_CALL_KEEP);
		return db->err;
	}
	if (in_transaction(db)) {
		db->err = E_OK;
		db_run(db, SQL_CALL_UNDO);
		db_run(db, SQL_CALL_KEEP);
	}
	return e;
}

enum err db_cast_end(struct state_db *db)
{
	enum err e;

	CHECK_OBJ(db, DB_MAGIC);
	e = db->err;
	if (in_transaction(db))
		db->err = E_OK;
	return e;
}

/* --- opening and closing --- */

struct state_db *db_new(const char *path, int lock)
{
	struct state_db *db;

	ALLOC_OBJ(db, DB_MAGIC);
	db->lock = lock;
	db->path = xstrdup(path);
	return db;
}

void db_connect(struct state_db *db)
{
	int rc;

	CHECK_OBJ(db, DB_MAGIC);
	must(db->sq == NULL);
	rc = sqlite3_open_v2(db->path, &db->sq,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			SQLITE_OPEN_EXRESCODE,
		NULL);
	must(db->sq != NULL);
	if (rc != SQLITE_OK)
		latch_error(db, rc);
	db_exec(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY");
}

void db_write_ahead(struct state_db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	db_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
		    "PRAGMA journal_size_limit=16777216");
	db->full_sync = true;
}

void db_quick_check(struct state_db *db)
{
	sqlite3_stmt *st = NULL;
	int rc;

	CHECK_OBJ(db, DB_MAGIC);
	if (db->err != E_OK)
		return;
	rc = sqlite3_prepare_v2(db->sq, "PRAGMA quick_check(1)", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc != SQLITE_ROW) {
		latch_error(db, rc);
	} else if (strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0) {
		db->err = E_SYNTAX;
		snprintf(db->words, sizeof db->words, "%s",
			(const char *)sqlite3_column_text(st, 0));
		db->words[strcspn(db->words, "\n")] = '\0';
	}
	sqlite3_finalize(st);
}

void db_prepare(struct state_db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	for (unsigned i = 0; i < SQL_MAX_ && db->err == E_OK; i++) {
		int rc = sqlite3_prepare_v3(
			db->sq, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &db->stmt[i], NULL);
		if (rc != SQLITE_OK)
			latch_error(db, rc);
	}
}

struct m_state_load *db_loaded(struct state_db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	return &db->loaded;
}

void db_leave(struct state_db *db)
{
	CHECK_OBJ(db, DB_MAGIC);
	if (db->sq != NULL)
		(void)sqlite3_db_config(db->sq, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

void db_free(struct state_db **pdb)
{
	struct state_db *db;

	TAKE_OBJ(db, pdb, DB_MAGIC);
	for (unsigned i = 0; i < SQL_MAX_; i++)
		sqlite3_finalize(db->stmt[i]);
	if (db->sq != NULL)
		must(sqlite3_close(db->sq) == SQLITE_OK);
	for (unsigned i = 0; i < ARRAY_LEN(db->room); i++)
		xfree(db->room[i].p);
	if (db->lock >= 0)
		close(db->lock);
	xfree(db->path);
	FREE_OBJ(db);
}
