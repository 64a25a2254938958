/* SPDX-License-Identifier: MIT */
/*
 * The database file: SQLite in WAL mode, behind statements with names.
 *
 * The connection holds the file exclusively, so no shared memory file exists whose growth a full
 * disk could turn into SIGBUS, and the lock of the directory is a plain flock that dies with its
 * process.  A file that cannot be understood is left as it is: nothing is written before its
 * version is known, and a failed open does not even merge the log into it.
 */
#include "actors/state/db.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/kernel/log.h"

#define DB_MAGIC       0x53544442u
#define APPLICATION_ID 0x54446230 /* "TDb0", in the file's header */
/* A database up to this size is looked through at every start: about a tenth of a second. */
#define QUICK_CHECK_MAX (UINT64_C(64) << 20)

struct state_db {
	uint32_t magic;
	sqlite3 *sq;
	sqlite3_stmt *stmt[SQL_MAX_];
	enum err err;    /* latched */
	char words[256]; /* of the last error */
	bool full_sync;  /* what PRAGMA synchronous says now */
	int lock;        /* descriptor that holds the lock of the directory */
	char *path;
	struct m_state_load loaded;
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

static enum err errno_err(int e)
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
		return sys != 0 ? errno_err(sys) : E_IO;
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

static void run_text(struct state_db *db, const char *text)
{
	int rc;

	if (db->err != E_OK)
		return;
	rc = sqlite3_exec(db->sq, text, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		latch_error(db, rc);
}

/* --- statements --- */

void db_bind_int(struct state_db *db, enum sql q, int at, int64_t v)
{
	must(sqlite3_bind_int64(db->stmt[q], at, v) == SQLITE_OK);
}

void db_bind_u64(struct state_db *db, enum sql q, int at, uint64_t v)
{
	db_bind_int(db, q, at, v > INT64_MAX ? INT64_MAX : (int64_t)v);
}

void db_bind_bytes(struct state_db *db, enum sql q, int at, const void *p, size_t n)
{
	int rc = sqlite3_bind_blob64(db->stmt[q], at, n ? p : "", n, SQLITE_STATIC);

	if (rc != SQLITE_OK)
		latch_error(db, rc);
}

void db_bind_text(struct state_db *db, enum sql q, int at, const char *s)
{
	int rc = sqlite3_bind_text(db->stmt[q], at, s, -1, SQLITE_STATIC);

	if (rc != SQLITE_OK)
		latch_error(db, rc);
}

void db_reset(struct state_db *db, enum sql q)
{
	/* The outcome is that of the last step, which was looked at already. */
	(void)sqlite3_reset(db->stmt[q]);
	(void)sqlite3_clear_bindings(db->stmt[q]);
}

bool db_row(struct state_db *db, enum sql q)
{
	int rc = db->err == E_OK ? sqlite3_step(db->stmt[q]) : SQLITE_DONE;

	if (rc == SQLITE_ROW)
		return true;
	if (rc != SQLITE_DONE)
		latch_error(db, rc);
	db_reset(db, q);
	return false;
}

void db_run(struct state_db *db, enum sql q)
{
	must(!db_row(db, q));
}

int64_t db_int(struct state_db *db, enum sql q, int col)
{
	return sqlite3_column_int64(db->stmt[q], col);
}

uint64_t db_u64(struct state_db *db, enum sql q, int col)
{
	int64_t v = db_int(db, q, col);

	return v < 0 ? 0 : (uint64_t)v;
}

struct slice db_bytes(struct state_db *db, enum sql q, int col)
{
	const void *p = sqlite3_column_blob(db->stmt[q], col);
	int n = sqlite3_column_bytes(db->stmt[q], col);

	return (struct slice){.p = p, .n = p != NULL && n > 0 ? (size_t)n : 0};
}

const char *db_text(struct state_db *db, enum sql q, int col)
{
	const void *p = sqlite3_column_text(db->stmt[q], col);

	return p != NULL ? p : "";
}

char *db_room(struct state_db *db, unsigned which, size_t n)
{
	must(which < ARRAY_LEN(db->room));
	if (db->room[which].n < n) {
		db->room[which].n = MAX(n, db->room[which].n * 2);
		db->room[which].p = xrealloc(db->room[which].p, db->room[which].n);
	}
	return db->room[which].p;
}

int64_t db_last_row(const struct state_db *db)
{
	return sqlite3_last_insert_rowid(db->sq);
}

int db_changes(const struct state_db *db)
{
	return sqlite3_changes(db->sq);
}

enum err db_error(const struct state_db *db)
{
	return db->err;
}

const char *db_words(const struct state_db *db)
{
	return db->words;
}

const char *db_path(const struct state_db *db)
{
	return db->path;
}

/* --- transactions --- */

void db_begin(struct state_db *db, bool durable)
{
	must(db->err == E_OK);
	if (durable != db->full_sync)
		run_text(db, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
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

	db_run(db, SQL_COMMIT);
	e = db->err;
	if (e != E_OK)
		db_undo(db);
	return e;
}

void db_undo(struct state_db *db)
{
	db->err = E_OK;
	if (in_transaction(db))
		db_run(db, SQL_ROLLBACK);
	db->err = E_OK;
}

void db_call_begin(struct state_db *db)
{
	db_run(db, SQL_CALL_BEGIN);
}

enum err db_call_end(struct state_db *db)
{
	enum err e = db->err;

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
	enum err e = db->err;

	if (in_transaction(db))
		db->err = E_OK;
	return e;
}

/* --- opening --- */

static int64_t read_pragma(struct state_db *db, const char *text)
{
	sqlite3_stmt *st = NULL;
	int64_t v = 0;
	int rc;

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
	return (uint64_t)read_pragma(db, "PRAGMA page_count") *
	       (uint64_t)read_pragma(db, "PRAGMA page_size");
}

struct words_out {
	char *p;
	size_t n;
};

static enum err fail(struct words_out why, enum err e, const char *fmt, ...) PRINTF_LIKE(3, 4);
static enum err fail(struct words_out why, enum err e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why.p, why.n, fmt, ap);
	va_end(ap);
	return e;
}

/* The latched error in words; E_OK when there is none. */
static enum err fail_latched(struct state_db *db, struct words_out why, const char *doing)
{
	if (db->err == E_OK)
		return E_OK;
	if (db->err == E_SYNTAX)
		return fail(why, E_SYNTAX,
			"the database %s is damaged (%s) and was left as it is; put back a copy, "
			"or move it away to start with none",
			db->path, db->words);
	return fail(why, db->err, "cannot %s the database %s: %s (%s)", doing, db->path, db->words,
		err_words(db->err));
}

/* dir and what is missing above it. */
static enum err make_dir(const char *dir, struct words_out why)
{
	char *path = xstrdup(dir);
	enum err e = E_OK;

	for (char *p = path + 1; e == E_OK; p++) {
		char c = *p;
		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			e = fail(why, errno_err(errno), "cannot create the state directory %s: %s",
				path, strerror(errno));
		*p = c;
		if (c == '\0')
			break;
	}
	xfree(path);
	return e;
}

static enum err report_holder(int fd, const char *dir, struct words_out why)
{
	char pid[32];
	ssize_t n = pread(fd, pid, sizeof pid - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return fail(why, E_LOCKED,
		"the state directory %s is in use by another daemon (process %s); stop that one, "
		"or "
		"set state.dir to another directory",
		dir, pid[0] != '\0' ? pid : "unknown");
}

/* The lock lives as long as the descriptor, whatever becomes of the process. */
static enum err lock_dir(struct state_db *db, const char *dir, struct words_out why)
{
	char path[4200], pid[32];
	int n;

	snprintf(path, sizeof path, "%s/lock", dir);
	db->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (db->lock < 0)
		return fail(why, errno_err(errno), "cannot open the lock %s: %s", path,
			strerror(errno));
	if (flock(db->lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return report_holder(db->lock, dir, why);
		return fail(why, errno_err(errno), "cannot lock %s: %s", path, strerror(errno));
	}
	n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	/* For people only: a full disk must not keep the daemon from starting. */
	if (ftruncate(db->lock, 0) == 0 && pwrite(db->lock, pid, (size_t)n, 0) != n)
		log_event(LOG_WARNING, "state_lock", "path=%s error=\"%s\"", path, strerror(errno));
	return E_OK;
}

/* The names of new files are durable only once their directory is. */
static void sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		log_event(
			LOG_WARNING, "state_sync_dir", "dir=%s error=\"%s\"", dir, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static enum err check_version(struct state_db *db, struct words_out why, unsigned *from)
{
	int64_t version = read_pragma(db, "PRAGMA user_version");
	int64_t tables = read_pragma(db, "SELECT count(*) FROM sqlite_master");

	if (db->err != E_OK)
		return fail_latched(db, why, "read");
	if (version == 0 && tables > 0)
		return fail(why, E_VERSION,
			"the database %s was not written by this program; move it away", db->path);
	if (version < 0 || version > state_schema.version)
		return fail(why, E_VERSION,
			"the database %s was written by a newer version of the daemon (schema "
			"%" PRId64 ", this one knows up to %u); install that version again, or set "
			"state.dir to "
			"another directory",
			db->path, version, state_schema.version);
	*from = (unsigned)version;
	return E_OK;
}

/* All missing steps and the new version in one transaction. */
static enum err migrate(struct state_db *db, unsigned from, struct words_out why)
{
	char text[96];

	if (from == state_schema.version)
		return E_OK;
	run_text(db, "BEGIN IMMEDIATE");
	for (unsigned i = from; i < state_schema.version; i++)
		run_text(db, state_schema.steps[i]);
	snprintf(text, sizeof text, "PRAGMA user_version=%u; PRAGMA application_id=%d",
		state_schema.version, APPLICATION_ID);
	run_text(db, text);
	run_text(db, "COMMIT");
	if (db->err == E_OK && from > 0)
		log_event(LOG_INFO, "state_migrated", "from=%u to=%u", from, state_schema.version);
	return fail_latched(db, why, "prepare");
}

static void check_pages(struct state_db *db)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (db_size(db) > QUICK_CHECK_MAX || db->err != E_OK)
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

static void prepare_all(struct state_db *db)
{
	for (unsigned i = 0; i < SQL_MAX_ && db->err == E_OK; i++) {
		int rc = sqlite3_prepare_v3(
			db->sq, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &db->stmt[i], NULL);
		if (rc != SQLITE_OK)
			latch_error(db, rc);
	}
}

static enum err open_file(struct state_db *db, struct words_out why)
{
	unsigned from = 0;
	enum err e;
	/* What somebody downloads is nobody else's business; the log gets the mode of the file. */
	mode_t mask = umask(077);
	int rc = sqlite3_open_v2(db->path, &db->sq,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			SQLITE_OPEN_EXRESCODE,
		NULL);

	must(db->sq != NULL);
	if (rc != SQLITE_OK)
		latch_error(db, rc);
	run_text(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY");
	e = check_version(db, why, &from); /* the file is made with the first read */
	(void)umask(mask);
	if (e != E_OK)
		return e;
	run_text(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
		     "PRAGMA journal_size_limit=16777216");
	db->full_sync = true;
	e = migrate(db, from, why);
	if (e != E_OK)
		return e;
	check_pages(db);
	prepare_all(db);
	if (db->err == E_OK)
		(void)state_load(db, &db->loaded);
	return fail_latched(db, why, "read");
}

enum err state_db_open(const char *dir, struct state_db **out, char *why_p, size_t why_n)
{
	struct words_out why = {why_p, why_n};
	struct state_db *db;
	char path[4200];
	enum err e;

	*out = NULL;
	ALLOC_OBJ(db, DB_MAGIC);
	db->lock = -1;
	snprintf(path, sizeof path, "%s/torrentd.db", dir);
	db->path = xstrdup(path);
	e = make_dir(dir, why);
	if (e == E_OK)
		e = lock_dir(db, dir, why);
	if (e == E_OK)
		e = open_file(db, why);
	if (e != E_OK) {
		if (db->sq != NULL)
			(void)sqlite3_db_config(db->sq, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		state_db_close(&db);
		return e;
	}
	sync_dir(dir);
	*out = db;
	return E_OK;
}

void db_take_loaded(struct state_db *db, struct m_state_load *m)
{
	struct msg h = m->h;

	*m = db->loaded;
	m->h = h;
	db->loaded = (struct m_state_load){0};
}

void state_db_close(struct state_db **pdb)
{
	struct state_db *db;

	TAKE_OBJ(db, pdb, DB_MAGIC);
	for (unsigned i = 0; i < SQL_MAX_; i++)
		sqlite3_finalize(db->stmt[i]);
	if (db->sq != NULL)
		must(sqlite3_close(db->sq) == SQLITE_OK);
	for (uint32_t i = 0; i < db->loaded.torrents_n; i++)
		torrent_record_fini(&db->loaded.torrents[i]);
	xfree(db->loaded.torrents);
	for (unsigned i = 0; i < ARRAY_LEN(db->room); i++)
		xfree(db->room[i].p);
	if (db->lock >= 0)
		close(db->lock);
	xfree(db->path);
	FREE_OBJ(db);
}
