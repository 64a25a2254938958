/* SPDX-License-Identifier: MIT */
/*
 * Opening the database: the lock of its directory, its version, the steps to today's schema, and
 * the one reading of everything.
 *
 * The lock is a plain flock that dies with its process.  A file that cannot be understood is left
 * as it is: nothing is written before its version is known, and a failed open does not even merge
 * the log into it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/kernel/log.h"
#include "actors/state/db.h"

#define APPLICATION_ID 0x54446230 /* "TDb0", in the file's header */
/* A database up to this size is looked through at every start: about a tenth of a second. */
#define QUICK_CHECK_MAX (UINT64_C(64) << 20)

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
	if (db_error(db) == E_OK)
		return E_OK;
	if (db_error(db) == E_SYNTAX)
		return fail(why, E_SYNTAX,
			"the database %s is damaged (%s) and was left as it is; put back a copy, "
			"or move it away to start with none",
			db_path(db), db_words(db));
	return fail(why, db_error(db), "cannot %s the database %s: %s (%s)", doing, db_path(db),
		db_words(db), err_words(db_error(db)));
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
			e = fail(why, db_errno(errno), "cannot create the state directory %s: %s",
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
		"or set state.dir to another directory",
		dir, pid[0] != '\0' ? pid : "unknown");
}

/* The lock lives as long as the descriptor, whatever becomes of the process. */
static enum err lock_dir(const char *dir, int *lock, struct words_out why)
{
	char path[4200], pid[32];
	int n;

	snprintf(path, sizeof path, "%s/lock", dir);
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*lock < 0)
		return fail(
			why, db_errno(errno), "cannot open the lock %s: %s", path, strerror(errno));
	if (flock(*lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return report_holder(*lock, dir, why);
		return fail(why, db_errno(errno), "cannot lock %s: %s", path, strerror(errno));
	}
	n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	/* For people only: a full disk must not keep the daemon from starting. */
	if (ftruncate(*lock, 0) == 0 && pwrite(*lock, pid, (size_t)n, 0) != n)
		log_event(LOG_WARNING, "state_lock", "path=%s err=\"%s\"", path, strerror(errno));
	return E_OK;
}

/* The names of new files are durable only once their directory is. */
static void sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		log_event(LOG_WARNING, "state_sync_dir", "dir=%s err=\"%s\"", dir, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static enum err check_version(struct state_db *db, struct words_out why, unsigned *from)
{
	int64_t version = db_number(db, "PRAGMA user_version");
	int64_t tables = db_number(db, "SELECT count(*) FROM sqlite_master");

	if (db_error(db) != E_OK)
		return fail_latched(db, why, "read");
	if (version == 0 && tables > 0)
		return fail(why, E_VERSION,
			"the database %s was not written by this program; move it away",
			db_path(db));
	if (version < 0 || version > state_schema.version)
		return fail(why, E_VERSION,
			"the database %s was written by a newer version of the daemon (schema "
			"%" PRId64 ", this one knows up to %u); install that version again, or set "
			"state.dir to another directory",
			db_path(db), version, state_schema.version);
	*from = (unsigned)version;
	return E_OK;
}

/* All missing steps and the new version in one transaction. */
static enum err migrate(struct state_db *db, unsigned from, struct words_out why)
{
	char text[96];

	if (from == state_schema.version)
		return E_OK;
	db_exec(db, "BEGIN IMMEDIATE");
	for (unsigned i = from; i < state_schema.version; i++)
		db_exec(db, state_schema.steps[i]);
	snprintf(text, sizeof text, "PRAGMA user_version=%u; PRAGMA application_id=%d",
		state_schema.version, APPLICATION_ID);
	db_exec(db, text);
	db_exec(db, "COMMIT");
	if (db_error(db) == E_OK && from > 0)
		log_event(LOG_INFO, "state_migrated", "from=%u to=%u", from, state_schema.version);
	return fail_latched(db, why, "prepare");
}

static enum err open_file(struct state_db *db, struct words_out why)
{
	unsigned from = 0;
	enum err e;
	/* What somebody downloads is nobody else's business; the log gets the mode of the file. */
	mode_t mask = umask(077);

	db_connect(db);
	e = check_version(db, why, &from); /* the file is made with the first read */
	(void)umask(mask);
	if (e != E_OK)
		return e;
	db_write_ahead(db);
	e = migrate(db, from, why);
	if (e != E_OK)
		return e;
	if (db_size(db) <= QUICK_CHECK_MAX)
		db_quick_check(db);
	db_prepare(db);
	if (db_error(db) == E_OK)
		(void)state_load(db, db_loaded(db));
	return fail_latched(db, why, "read");
}

enum err state_db_open(const char *dir, struct state_db **out, char *why_p, size_t why_n)
{
	struct words_out why = {why_p, why_n};
	char path[4200];
	int lock = -1;
	enum err e;

	*out = NULL;
	e = make_dir(dir, why);
	if (e == E_OK)
		e = lock_dir(dir, &lock, why);
	snprintf(path, sizeof path, "%s/torrentd.db", dir);
	*out = db_new(path, lock);
	if (e == E_OK)
		e = open_file(*out, why);
	if (e != E_OK) {
		db_leave(*out);
		state_db_close(out);
		return e;
	}
	sync_dir(dir);
	return E_OK;
}

const char *state_db_changed(struct state_db *db)
{
	return db_loaded(db)->changed;
}

void state_db_take(struct state_db *db, struct m_state_load *m)
{
	struct m_state_load *loaded = db_loaded(db);
	struct msg h = m->h;

	*m = *loaded;
	m->h = h;
	*loaded = (struct m_state_load){0};
}

void state_db_close(struct state_db **pdb)
{
	struct m_state_load *loaded = db_loaded(*pdb);

	for (uint32_t i = 0; i < loaded->torrents_n; i++)
		record_fini(&loaded->torrents[i]);
	xfree(loaded->torrents);
	xfree(loaded->changed);
	db_free(pdb);
}
