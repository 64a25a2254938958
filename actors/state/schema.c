/* SPDX-License-Identifier: MIT */
/*
 * The schema of the database, as the steps that lead from each version to the next.
 *
 * A new version is one more step at the end; a step that was released never changes.  The metainfo
 * has a table of its own, because SQLite rewrites a whole record when one of its numbers changes.
 * Row ids are never used again (AUTOINCREMENT), so that a late note for a removed torrent finds
 * nothing.
 */
#include "actors/state/db.h"

static const char *const steps[] = {
	/* 0 to 1 */
	"CREATE TABLE torrent ("
	" row INTEGER PRIMARY KEY AUTOINCREMENT,"
	" infohash BLOB NOT NULL UNIQUE," /* v1, 20 bytes */
	" path TEXT NOT NULL,"            /* target directory, absolute */
	" started INTEGER NOT NULL,"
	" removing INTEGER NOT NULL DEFAULT 0,"     /* 1: being removed, 2: with its data */
	" down_limit INTEGER NOT NULL,"             /* B/s, 0: unlimited */
	" up_limit INTEGER NOT NULL,"               /* likewise */
	" added INTEGER NOT NULL,"                  /* seconds since 1970 */
	" completed_at INTEGER NOT NULL DEFAULT 0," /* likewise, 0: not yet */
	" downloaded INTEGER NOT NULL DEFAULT 0,"   /* bytes, ever */
	" uploaded INTEGER NOT NULL DEFAULT 0,"     /* likewise */
	" wasted INTEGER NOT NULL DEFAULT 0);"      /* likewise */
	"CREATE TABLE metainfo ("
	" row INTEGER PRIMARY KEY REFERENCES torrent ON DELETE CASCADE,"
	" data BLOB NOT NULL);" /* the .torrent as it came */
	"CREATE TABLE pieces ("
	" row INTEGER PRIMARY KEY REFERENCES torrent ON DELETE CASCADE,"
	" synced BLOB NOT NULL);" /* verified and on disk for sure; wire order */
	"CREATE TABLE note ("     /* verified, perhaps not on disk yet */
	" row INTEGER NOT NULL REFERENCES torrent ON DELETE CASCADE,"
	" piece INTEGER NOT NULL,"
	" PRIMARY KEY (row, piece)) WITHOUT ROWID;"
	"CREATE TABLE stamp ("
	" row INTEGER NOT NULL REFERENCES torrent ON DELETE CASCADE,"
	" file INTEGER NOT NULL," /* index in the metainfo */
	" present INTEGER NOT NULL,"
	" dirty INTEGER NOT NULL," /* we were writing to it */
	" size INTEGER NOT NULL,"
	" mtime_ns INTEGER NOT NULL,"
	" inode INTEGER NOT NULL,"
	" device INTEGER NOT NULL,"
	" PRIMARY KEY (row, file)) WITHOUT ROWID;"
	"CREATE TABLE partial ("
	" row INTEGER NOT NULL REFERENCES torrent ON DELETE CASCADE,"
	" piece INTEGER NOT NULL,"
	" blocks_n INTEGER NOT NULL,"
	" blocks BLOB NOT NULL," /* bitmap, high bit first */
	" PRIMARY KEY (row, piece)) WITHOUT ROWID;"
	"CREATE TABLE setting ("
	" key TEXT PRIMARY KEY,"
	" value INTEGER NOT NULL) WITHOUT ROWID;",
	/* 1 to 2: torrent.started holds the bits of enum state_run from here on */
	"ALTER TABLE torrent ADD COLUMN sequential INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE torrent ADD COLUMN edges_first INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE torrent ADD COLUMN place INTEGER NOT NULL DEFAULT 0;" /* order of the queue */
	"ALTER TABLE torrent ADD COLUMN seed_ratio INTEGER NOT NULL DEFAULT -1;" /* 1/1000 */
	"ALTER TABLE torrent ADD COLUMN seed_time INTEGER NOT NULL DEFAULT -1;"  /* seconds */
	"ALTER TABLE torrent ADD COLUMN seed_idle INTEGER NOT NULL DEFAULT -1;"  /* likewise */
	"ALTER TABLE torrent ADD COLUMN seeded INTEGER NOT NULL DEFAULT 0;"      /* seconds, ever */
	"UPDATE torrent SET place = row * 4294967296;"
	"CREATE TABLE wanted (" /* only of torrents of which not all files are normal */
	" row INTEGER PRIMARY KEY REFERENCES torrent ON DELETE CASCADE,"
	" priorities BLOB NOT NULL);", /* a byte a file */
	/* 2 to 3: what is noted, and partial pieces, are one value a torrent each, put as a whole;
	 * in hexadecimal digits: eight for a piece, for a partial one eight more for its blocks and
	 * then the bitmap, high bit first */
	"CREATE TABLE unsynced ("
	" row INTEGER PRIMARY KEY REFERENCES torrent ON DELETE CASCADE,"
	" noted BLOB NOT NULL,"
	" partials BLOB NOT NULL DEFAULT x'');"
	"INSERT INTO unsynced (row, noted, partials) SELECT row,"
	" (SELECT CAST(ifnull(group_concat(printf('%08x', piece), ''), '') AS BLOB)"
	"  FROM note WHERE note.row = torrent.row),"
	" (SELECT CAST(ifnull(group_concat(printf('%08x%08x', piece, blocks_n) || hex(blocks), ''),"
	"  '') AS BLOB) FROM partial WHERE partial.row = torrent.row)"
	" FROM torrent;"
	"DROP TABLE note; DROP TABLE partial;",
	/* 3 to 4: a check that was asked for and has not ended */
	"ALTER TABLE torrent ADD COLUMN recheck INTEGER NOT NULL DEFAULT 0;",
	/* 4 to 5: the number of an inode is given out again; 0: not known */
	"ALTER TABLE stamp ADD COLUMN born INTEGER NOT NULL DEFAULT 0;", /* ns since 1970 */
	/* 5 to 6: the DHT; family 0 is IPv4, 1 IPv6 */
	"CREATE TABLE dht ("
	" family INTEGER PRIMARY KEY,"
	" id BLOB NOT NULL,"      /* ours */
	" nodes BLOB NOT NULL);", /* compact, as in KRPC */
	/* 6 to 7: enum wish_encryption */
	"ALTER TABLE torrent ADD COLUMN encryption INTEGER NOT NULL DEFAULT 0;",
	/* 7 to 8: bytes at the end of path that name directories made for the torrent */
	"ALTER TABLE torrent ADD COLUMN made INTEGER NOT NULL DEFAULT 0;",
	/* 8 to 9: what came by a magnet link; while that is all that is known of it, it has no row
	 * in metainfo.  choice: what is wished of its files, in hexadecimal digits: eight each for
	 * the first and the last, two for the priority. */
	"CREATE TABLE magnet ("
	" row INTEGER PRIMARY KEY REFERENCES torrent ON DELETE CASCADE,"
	" link BLOB NOT NULL,"
	" choice BLOB NOT NULL DEFAULT x'',"
	" found BLOB);" /* the .torrent, while its files have no place */
	"ALTER TABLE torrent ADD COLUMN discreet INTEGER NOT NULL DEFAULT 0;",
	/* 9 to 10: what was changed over the API, in the syntax of a configuration file; row 0 */
	"CREATE TABLE changed ("
	" row INTEGER PRIMARY KEY,"
	" text TEXT NOT NULL);",
	/* 10 to 11: tokens; an id is never given out again */
	"CREATE TABLE token ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" digest BLOB NOT NULL UNIQUE," /* SHA-256 of the secret */
	" kind INTEGER NOT NULL,"       /* enum token_kind */
	" name TEXT NOT NULL,"
	" scopes INTEGER NOT NULL,"           /* enum scope, or-ed */
	" created INTEGER NOT NULL,"          /* seconds since 1970 */
	" expires INTEGER NOT NULL,"          /* likewise; 0: never */
	" used INTEGER NOT NULL DEFAULT 0);", /* likewise */
	/* 11 to 12: labels, one a line */
	"ALTER TABLE torrent ADD COLUMN labels TEXT NOT NULL DEFAULT '';",
	/* 12 to 13: torrents that were removed and can come back, whose rows stay; and what changes
	 * have changed */
	"CREATE TABLE removed ("
	" row INTEGER PRIMARY KEY REFERENCES torrent ON DELETE CASCADE,"
	" at INTEGER NOT NULL,"   /* seconds since 1970 */
	" name TEXT NOT NULL,"    /* of the metainfo */
	" size INTEGER NOT NULL," /* bytes */
	" trash TEXT NOT NULL);"  /* where its data waits; empty: it was not moved */
	"CREATE TABLE undo ("
	" id INTEGER PRIMARY KEY," /* a random number */
	" at INTEGER NOT NULL);"   /* seconds since 1970 */
	"CREATE TABLE undone ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	" undo INTEGER NOT NULL REFERENCES undo ON DELETE CASCADE,"
	" infohash BLOB NOT NULL,"
	" kind TEXT NOT NULL,"     /* undo_word() */
	" value INTEGER NOT NULL," /* how it was, as struct undo_image has it */
	" ratio INTEGER NOT NULL, time INTEGER NOT NULL, idle INTEGER NOT NULL,"
	" data BLOB,"
	" print INTEGER NOT NULL);" /* of how it was afterwards */
	"CREATE INDEX undone_undo ON undone (undo);",
	/* 13 to 14: the token that a device showed; 0: none */
	"ALTER TABLE token ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;",
	/* 14 to 15: other names for the files of a torrent, as metainfo_renamed() reads them; and
	 * those whose files are on their way to another place */
	"ALTER TABLE torrent ADD COLUMN names TEXT NOT NULL DEFAULT '';"
	"CREATE TABLE shift ("
	" row INTEGER PRIMARY KEY REFERENCES torrent ON DELETE CASCADE,"
	" to_path TEXT NOT NULL,"
	" to_names TEXT NOT NULL);",
};

const struct state_schema state_schema = {.steps = steps, .version = ARRAY_LEN(steps)};
