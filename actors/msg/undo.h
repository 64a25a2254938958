/* SPDX-License-Identifier: MIT */
/*
 * What is kept of a change so that it can be undone, and of torrents that were removed so that they
 * can come back; part of msg.h, with the same rules.
 *
 * One undo is all that one request has changed: some items, each how something of one torrent was,
 * and a print of what the change has made of it.  What has another print by then was changed since,
 * and stays as it is.
 */
#ifndef ACTORS_MSG_UNDO_H
#define ACTORS_MSG_UNDO_H

#include "actors/kernel/message.h"
#include "actors/msg/record.h"

/* Longer nothing can be undone, in seconds. */
#define UNDO_KEEP (24 * 3600)
/* So many items are kept; the oldest undos go first. */
#define UNDO_ITEMS_MAX 100000
/* Numbers of undos are random ones up to this, so that nobody guesses them and every program of the
 * web can hold them. */
#define UNDO_ID_MAX ((UINT64_C(1) << 48) - 1)

/* How something of a torrent is; which of these, its kind says. */
struct undo_image {
	int64_t value;
	struct seed_limits seed;
	uint8_t *data; /* owned: labels as in struct wishes without the NUL, or priorities by file;
			  NULL: none, or all normal */
	uint32_t data_n;
};

void undo_image_fini(struct undo_image *);
/* Two that differ have different prints, as good as always. */
uint64_t undo_image_print(const struct undo_image *);

struct undo_item {
	uint8_t infohash[20];
	int op; /* enum torrent_op */
	struct undo_image was;
	uint64_t print; /* of what the change has made of it */
};

void undo_item_fini(struct undo_item *);

/* The name that a kind has in the database, of an enum torrent_op; NULL: it cannot be undone. */
const char *undo_word(int op);
/* false: it is no such name. */
bool undo_word_read(const char *word, int *op);

/* One undo, the latest change first; and, as UNDO_DROP, its end. */
struct m_undo {
	struct msg h;
	uint64_t id;
	/* reply of UNDO_LOAD; E_NOT_FOUND: it never was, was undone, or is too old */
	struct undo_item *items; /* owned */
	uint32_t items_n;
};

void m_undo_fini(struct m_undo *);

/* --- what was removed --- */

/* One that can come back; not only the database has it, because adding asks for it. */
struct shelved {
	int64_t row;
	uint8_t infohash[20];
	char *name, *path; /* owned */
	char *trash;       /* owned: where its data waits; NULL: it was not moved */
	uint64_t size;     /* bytes; 0: only its link is known */
	int64_t at;        /* seconds since 1970 */
};

void shelved_fini(struct shelved *);
/* *to, which holds nothing, becomes a copy that owns its own. */
void shelved_copy(struct shelved *to, const struct shelved *from);

/* All that can come back, the latest last. */
struct m_removed {
	struct msg h;
	/* reply */
	struct shelved *list; /* owned */
	uint32_t n;
	int64_t keep; /* seconds that each is kept */
};

void m_removed_fini(struct m_removed *);

/* What a torrent has on disk, before its removal. */
struct m_torrent_data {
	struct msg h;
	uint8_t infohash[20];
	/* reply */
	uint64_t bytes, device;
	bool trash; /* it can go there */
};

/* The torrent is only to be restored from now on; or, with `back`, it is there again. */
struct m_state_shelve {
	struct msg h;
	bool back;
	/* With `back`: it only comes back to be deleted from the trash; then `trash` is where its
	 * files lie, and so many bytes at the end of that name directories made for it. */
	bool purge;
	uint32_t made;
	unsigned run;        /* with `back`: enum state_run, from now on */
	struct shelved what; /* owned; with `back` its row alone counts */
	uint64_t downloaded, uploaded, wasted, seeded; /* without `back`: its totals, ever */
	struct words why;                              /* reply */
};

void m_state_shelve_fini(struct m_state_shelve *);

#endif
