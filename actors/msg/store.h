/* SPDX-License-Identifier: MIT */
/*
 * The payloads of what is said to the store and by it, to its workers and by them; part of msg.h,
 * with the same rules.
 */
#ifndef ACTORS_MSG_STORE_H
#define ACTORS_MSG_STORE_H

#include "actors/kernel/message.h"
#include "actors/msg/record.h"

struct m_store_open {
	struct msg h;
	struct tref t;
	char *root;     /* owned: the download root that path lies beneath */
	bool make_root; /* it is the default download directory: create it when missing */
	struct torrent_record record; /* owned; what it knows of pieces and files is moved out */
	bool clean;                   /* the last run ended clean */
};

struct m_store_ready {
	struct msg h;
	struct tref t;
	enum err err;                   /* E_OK, or why its files cannot be used */
	struct words why;               /* names the file and the operation */
	struct bitfield have;           /* owned: verified pieces, also with an error when known */
	struct partial_piece *partials; /* owned */
	uint32_t partials_n;
	uint32_t hashed; /* pieces that had to be hashed to know */
};

struct m_store_progress {
	struct msg h;
	struct tref t;
	uint32_t checked, total; /* pieces */
};

struct m_store_error {
	struct msg h;
	struct tref t;
	enum err err;
	struct words why; /* names the file and the operation */
	/* Pieces were taken back, and STORE_READY follows a look at the files: a sync failed, or
	 * with E_NOENT, E_CHANGED or an obstacle, somebody has altered files. */
	bool lost;
};

/* Which files are wanted has changed.  What of a skipped file is needed goes to the part file. */
struct m_store_files {
	struct msg h;
	struct tref t;
	uint8_t *file_priority; /* owned, one a file; NULL: all normal */
	uint32_t file_priority_n;
};

struct m_store_close {
	struct msg h;
	struct tref t;
	bool delete_data;
	/* reply */
	struct words why; /* what could not be deleted */
};

struct m_worker_open {
	struct msg h;
	struct tref t;
	struct metainfo *meta; /* owned reference */
	char *root, *path;     /* owned */
	bool make_root;
	struct partial_piece *partials; /* owned: of the pieces that are this worker's */
	uint32_t partials_n;
	/* reply */
	struct words why;
};

/* Looks at every file; runs on one worker. */
struct m_worker_stat {
	struct msg h;
	struct tref t;
	bool want_data; /* also tell which pieces can hold data at all (SEEK_DATA) */
	/* reply */
	struct file_stamp *stamps; /* owned, one per file, and the part file's behind them */
	uint32_t stamps_n;
	struct bitfield data;    /* owned: pieces that lie wholly in written parts of their files */
	struct part_unit *units; /* owned: what the part file holds, in order */
	uint32_t units_n;
	struct words why;
};

/* Hashes pieces [first, first + n) of which `want` says yes, from disk. */
struct m_worker_hash {
	struct msg h;
	struct tref t;
	uint32_t first, n;
	uint8_t *want; /* owned: bitmap of n bits, high bit first; NULL: all */
	/* reply */
	uint8_t *good; /* owned: bitmap of n bits */
	struct words why;
};

/* fdatasync of every file this worker wrote to since the last one, and the partial pieces written
 * out. */
struct m_worker_sync {
	struct msg h;
	struct tref t;
	bool flush_partials; /* write what is held in memory of incomplete pieces, and list it */
	uint32_t look_first, look_n; /* files to look at by name, whoever wrote to them */
	/* reply */
	struct file_stamp *stamps; /* owned: of the files synced */
	uint32_t stamps_n;
	struct file_stamp *looks; /* owned: what has the names of those, and of the files synced */
	uint32_t looks_n;
	struct partial_piece *partials; /* owned */
	uint32_t partials_n;
	struct words why;
};

/* The same for a worker, which moves what it has of files that are wanted now out of the part file.
 */
struct m_worker_files {
	struct msg h;
	struct tref t;
	uint8_t *file_priority; /* owned */
	uint32_t file_priority_n;
	uint64_t *ids; /* owned: file_id() of the files that are there and of the part file, 0 of
			  others; NULL: as before */
	uint32_t ids_n;
	struct file_stamp *shorts; /* owned, together with ids: those that are not as long as they
				      are to be, by file */
	uint32_t shorts_n;
	/* reply */
	struct words why;
};

struct m_worker_close {
	struct msg h;
	struct tref t;
};

/* Makes the symbolic links that are missing (BEP 47). */
struct m_worker_links {
	struct msg h;
	struct tref t;
};

/* Removes the torrent's files and the directories that are then empty; of the target directory and
 * those above it only what was made for the torrent. */
struct m_worker_delete {
	struct msg h;
	struct tref t;
	uint32_t made; /* as torrent_record.made */
	struct words why;
};

struct verified_piece {
	uint8_t infohash[20];
	uint32_t piece;
};

/* What was verified since the last time: the store notes it from the first question on, as long as
 * questions say so. */
struct m_store_pieces {
	struct msg h;
	bool on; /* it goes on noting */
	/* reply */
	struct verified_piece *pieces; /* owned; in the order in which they came */
	uint32_t pieces_n;
	bool lost; /* there were more than it keeps: these are gone, none is told */
};

void m_store_pieces_fini(struct m_store_pieces *);

/* Where the files of a torrent that nobody has open lie: beneath path, which lies beneath root, by
 * the names of meta. */
struct whereabouts {
	char *root, *path;     /* owned */
	struct metainfo *meta; /* owned reference */
};

void whereabouts_fini(struct whereabouts *);

/* All its files go to another place on the same volume, or none. */
struct m_worker_shift {
	struct msg h;
	struct whereabouts from, to;
	uint32_t made; /* as torrent_record.made, of from.path */
	bool resumed;  /* an earlier run may have moved some */
	/* reply; E_EXISTS: files of somebody else are there; E_OTHER_VOLUME */
	uint32_t made_there; /* of to.path likewise */
	bool back;           /* after a failure: all are where they were */
	struct words why;
};

/* What there is of it. */
struct m_worker_look {
	struct msg h;
	struct whereabouts at;
	/* reply */
	uint64_t bytes;  /* that its files take on the disk */
	uint64_t device; /* 0: its directory is not there */
};

struct m_worker_note {
	struct msg h;
	struct note notes[64];
	unsigned n;
};

#endif
