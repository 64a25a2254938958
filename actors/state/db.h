/* SPDX-License-Identifier: MIT */
/*
 * The database as the rest of the state actor sees it: prepared statements by name, and an error
 * that is latched.
 *
 * A run of statements is written without looking at each outcome: after the first failure all
 * others do nothing, and who ends the run asks once (db_error, db_commit).  The only file behind
 * this header knows SQLite.
 *
 * One owner: main until the state actor's init, then that actor.
 */
#ifndef ACTORS_STATE_DB_H
#define ACTORS_STATE_DB_H

#include "actors/msg/msg.h"
#include "actors/state/state.h"

enum sql {
#define SQL(name, text) SQL_##name,
#include "actors/state/sql.def"
#undef SQL
	SQL_MAX_
};

/* Statements that lead from version i to version i + 1. */
struct state_schema {
	const char *const *steps;
	unsigned version; /* ours: number of steps */
};
extern const struct state_schema state_schema;

/* Binding counts parameters from 1.  Bytes and text are borrowed until the statement has run. */
void db_bind_int(struct state_db *, enum sql, int at, int64_t v);
void db_bind_u64(struct state_db *, enum sql, int at, uint64_t v); /* the upper half saturates */
void db_bind_bytes(struct state_db *, enum sql, int at, const void *p, size_t n);
void db_bind_text(struct state_db *, enum sql, int at, const char *s);

/* Runs a statement that gives no rows, and makes it ready for the next binding. */
void db_run(struct state_db *, enum sql);
/* Next row of a query; false at its end and on error, and then it is ready for the next binding. */
bool db_row(struct state_db *, enum sql);
/* Ends a query early. */
void db_reset(struct state_db *, enum sql);

/* Columns of the row in hand, from 0.  Bytes are lent until the next row; NULL when there are none.
 */
int64_t db_int(struct state_db *, enum sql, int col);
uint64_t db_u64(struct state_db *, enum sql, int col); /* negative: 0 */
struct slice db_bytes(struct state_db *, enum sql, int col);
const char *db_text(struct state_db *, enum sql, int col); /* never NULL */

int64_t db_last_row(const struct state_db *); /* id of the last insert */
int db_changes(const struct state_db *);      /* rows that the last change or insert touched */
/* Memory for a value that is to be bound: two pieces of it, 0 and 1, each the database's and good
 * until it is asked for again. */
char *db_room(struct state_db *, unsigned which, size_t n);

/* The latched error, and words for it ("database or disk is full") that live until the next one. */
enum err db_error(const struct state_db *);
const char *db_words(const struct state_db *);

/*
 * A transaction.  durable: the commit waits for the disk.  db_commit() rolls back when an error is
 * latched, clears it and returns it.
 */
void db_begin(struct state_db *, bool durable);
enum err db_commit(struct state_db *);
/* Rolls back, and clears the latched error. */
void db_undo(struct state_db *);

/*
 * One call's part of a transaction: db_call_end() undoes it alone when it failed, clears the error
 * and returns it.  When the failure has ended the whole transaction, the error stays latched.
 */
void db_call_begin(struct state_db *);
enum err db_call_end(struct state_db *);
/* After a cast, for which no call was begun: what went before the statement that failed stays. */
enum err db_cast_end(struct state_db *);

/* --- for open.c; these, too, latch what fails --- */

/* Nothing is opened yet.  Takes `lock`, the descriptor that holds the directory's lock, or -1. */
struct state_db *db_new(const char *path, int lock);
/* Opens the file, which is made with the first read when it is missing. */
void db_connect(struct state_db *);
/* From now on changes go to a log first.  Not before the version is known: it alters the file. */
void db_write_ahead(struct state_db *);
/* Looks all pages through; E_SYNTAX when one is damaged. */
void db_quick_check(struct state_db *);
/* Makes the statements of sql.def ready; not before the schema is today's. */
void db_prepare(struct state_db *);
/* Statements without a name, as they are.  db_number: the first column of the first row. */
void db_exec(struct state_db *, const char *text);
int64_t db_number(struct state_db *, const char *text);
/* Bytes of the database file, by its own count. */
uint64_t db_size(struct state_db *);
const char *db_path(const struct state_db *);
/* Where open.c keeps what it has read until somebody asks. */
struct m_state_load *db_loaded(struct state_db *);
/* Closing will leave the file as it is. */
void db_leave(struct state_db *);
void db_free(struct state_db **);
enum err db_errno(int e); /* what an errno means here */

/* open.c: the result of the load that state_db_open() made, once; m's reply fields are overwritten.
 */
void state_db_take(struct state_db *, struct m_state_load *m);

/* load.c: reads everything into m, as STATE_LOAD answers it.  E_SYNTAX: a row makes no sense.
 */
enum err state_load(struct state_db *, struct m_state_load *m);
/* Likewise of one torrent, whether it was removed or not; E_NOT_FOUND. */
enum err state_fetch(struct state_db *, struct m_state_fetch *m);

/* put.c: applies one message inside a transaction. */
void state_add(struct state_db *, struct m_state_add *);
void state_meta(struct state_db *, const struct m_state_meta *);
void state_set(struct state_db *, const struct m_state_set *);
void state_place(struct state_db *, const struct m_state_place *);
void state_remove(struct state_db *, const struct m_state_remove *);
void state_totals(struct state_db *, const struct m_totals *);
void state_options(struct state_db *, const struct m_state_options *);
void state_note(struct state_db *, const struct m_state_note *);
void state_pieces(struct state_db *, const struct m_state_pieces *);
void state_setting(struct state_db *, const char *key, int64_t value);

/* undo.c: what changes have changed, and which torrents were removed.  Loading is done outside of
 * a transaction, but state_removed_load(). */
void state_undo_add(struct state_db *, uint64_t id, const struct undo_item *);
void state_undo_drop(struct state_db *, const struct m_undo *);
enum err state_undo_load(struct state_db *, struct m_undo *);
void state_shelve(struct state_db *, const struct m_state_shelve *);
void state_removed_load(struct state_db *, struct m_state_load *);

/* tokens.c */
void state_token(struct state_db *, struct m_state_token *);

/* dht.c */
void state_dht_put(struct state_db *, const struct m_state_dht *);
enum err state_dht_load(struct state_db *, struct m_state_dht *);

#endif
