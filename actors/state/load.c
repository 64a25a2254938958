/* SPDX-License-Identifier: MIT */
/*
 * Reading the database into records, once at the start.
 *
 * A torrent that cannot be understood stays in the database and is left out: what a person asked to
 * keep is never dropped by a program that fails to read it.  What is only remembered to save work
 * (pieces, stamps, partial pieces) is left out when it makes no sense; the files are then checked.
 */
#include "actors/state/db.h"

#include <inttypes.h>
#include <stdlib.h>

#include "actors/kernel/log.h"
#include "proto/base/priority.h"

/* Makes room for one more in an array that doubles at powers of two. */
static void *grow_list(void *list, uint32_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return list;
	return xrealloc(list, MAX(n * 2, 1u) * size);
}

/* --- digits (schema.c); what makes no sense ends the list --- */

static bool take_number(struct slice *b, size_t digits, uint32_t *out)
{
	char text[9] = {0}, *end;

	if (b->n < digits)
		return false;
	memcpy(text, b->p, digits);
	b->p += digits;
	b->n -= digits;
	*out = (uint32_t)strtoul(text, &end, 16);
	return end == text + digits;
}

static void load_noted(struct torrent_record *r, struct slice b)
{
	uint32_t piece;

	while (take_number(&b, 8, &piece)) {
		if (piece >= r->meta->pieces)
			continue;
		r->unsynced = grow_list(r->unsynced, r->unsynced_n, sizeof *r->unsynced);
		r->unsynced[r->unsynced_n++] = piece;
	}
}

static bool load_partial(struct slice *b, struct partial_piece *p)
{
	uint32_t byte;

	*p = (struct partial_piece){0};
	if (!take_number(b, 8, &p->piece) || !take_number(b, 8, &p->blocks_n) || p->blocks_n == 0 ||
		p->blocks_n > METAINFO_PIECE_MAX / BLOCK_SIZE + 1)
		return false;
	p->blocks = xcalloc(1, bitfield_bytes(p->blocks_n));
	for (size_t i = 0; i < bitfield_bytes(p->blocks_n); i++) {
		if (!take_number(b, 2, &byte)) {
			xfree(p->blocks);
			return false;
		}
		p->blocks[i] = (uint8_t)byte;
	}
	return true;
}

static void load_partials(struct torrent_record *r, struct slice b)
{
	struct partial_piece p;

	while (load_partial(&b, &p)) {
		if (p.piece >= r->meta->pieces) {
			xfree(p.blocks);
			continue;
		}
		r->partials = grow_list(r->partials, r->partials_n, sizeof *r->partials);
		r->partials[r->partials_n++] = p;
	}
}

/* --- records --- */

static void load_pieces(struct state_db *db, struct torrent_record *r)
{
	bitfield_init(&r->synced, r->meta->pieces);
	db_bind_int(db, SQL_LOAD_PIECES, 1, r->row);
	while (db_row(db, SQL_LOAD_PIECES)) {
		struct slice b = db_bytes(db, SQL_LOAD_PIECES, 0);
		if (bitfield_load(&r->synced, b.p, b.n) != E_OK)
			log_event(LOG_ERROR, "state_pieces_unreadable", "row=%" PRId64, r->row);
	}
	db_bind_int(db, SQL_LOAD_UNSYNCED, 1, r->row);
	while (db_row(db, SQL_LOAD_UNSYNCED)) {
		load_noted(r, db_bytes(db, SQL_LOAD_UNSYNCED, 0));
		load_partials(r, db_bytes(db, SQL_LOAD_UNSYNCED, 1));
	}
}

static void load_stamps(struct state_db *db, struct torrent_record *r)
{
	const enum sql q = SQL_LOAD_STAMPS;

	db_bind_int(db, q, 1, r->row);
	while (db_row(db, q)) {
		uint64_t file = db_u64(db, q, 0);
		if (file > r->meta->files_n) /* that number itself is the part file */
			continue;
		r->stamps = grow_list(r->stamps, r->stamps_n, sizeof *r->stamps);
		r->stamps[r->stamps_n++] = (struct file_stamp){
			.file = (uint32_t)file,
			.exists = db_int(db, q, 1) != 0,
			.dirty = db_int(db, q, 2) != 0,
			.size = db_u64(db, q, 3),
			.mtime_ns = db_int(db, q, 4),
			/* bits of an unsigned number, kept in a signed column */
			.inode = (uint64_t)db_int(db, q, 5),
			.device = (uint64_t)db_int(db, q, 6),
		};
	}
}

/* What makes no sense is left out: all files are wanted then, which loses nothing. */
static void load_wanted(struct state_db *db, struct torrent_record *r)
{
	const enum sql q = SQL_LOAD_WANTED;

	db_bind_int(db, q, 1, r->row);
	while (db_row(db, q)) {
		struct slice b = db_bytes(db, q, 0);
		bool good = b.n == r->meta->files_n;
		for (size_t i = 0; good && i < b.n; i++)
			good = b.p[i] <= PRIORITY_TOP;
		if (!good || r->wishes.file_priority != NULL) {
			log_event(LOG_ERROR, "state_wanted_unreadable", "row=%" PRId64, r->row);
			continue;
		}
		r->wishes.file_priority = xmemdup(b.p, b.n);
		r->wishes.file_priority_n = (uint32_t)b.n;
	}
}

/* Columns that came with version 2 of the schema. */
static void load_wishes(struct state_db *db, struct torrent_record *r)
{
	const enum sql q = SQL_LOAD_TORRENTS;
	int64_t run = db_int(db, q, 3);

	r->started = (run & RUN_STARTED) != 0;
	r->forced = (run & RUN_FORCED) != 0;
	r->beyond = (run & RUN_BEYOND) != 0;
	r->limited = (run & RUN_LIMITED) != 0;
	r->wishes.sequential = db_int(db, q, 13) != 0;
	r->wishes.first_last = db_int(db, q, 14) != 0;
	r->place = db_int(db, q, 15);
	r->seed.ratio = MAX(db_int(db, q, 16), SEED_GLOBAL);
	r->seed.time = MAX(db_int(db, q, 17), SEED_GLOBAL);
	r->seed.idle = MAX(db_int(db, q, 18), SEED_GLOBAL);
	r->seeded = db_u64(db, q, 19);
	load_wanted(db, r);
}

/* The metainfo of the row in hand, or NULL and a line in the log. */
static struct metainfo *parse_row(struct state_db *db, int64_t row)
{
	struct slice hash = db_bytes(db, SQL_LOAD_TORRENTS, 1);
	struct slice data = db_bytes(db, SQL_LOAD_TORRENTS, 12);
	struct parse_error pe = {.what = "its info-hash is another one"};
	struct metainfo *meta = NULL;

	if (data.n == 0)
		snprintf(pe.what, sizeof pe.what, "its metainfo is missing");
	else if (metainfo_parse(data.p, data.n, &meta, &pe) == E_OK &&
		 (hash.n != HASH_SHA1_SIZE ||
			 memcmp(hash.p, meta->infohash.v1, HASH_SHA1_SIZE) != 0))
		metainfo_unref(&meta);
	if (meta == NULL)
		log_event(LOG_ERROR, "state_torrent_skipped",
			"row=%" PRId64 " why=\"%s\"; it stays in the database", row, pe.what);
	return meta;
}

static bool load_torrent(struct state_db *db, struct torrent_record *r)
{
	const enum sql q = SQL_LOAD_TORRENTS;
	int64_t removing = db_int(db, q, 4);

	*r = (struct torrent_record){.row = db_int(db, q, 0)};
	r->meta = parse_row(db, r->row);
	if (r->meta == NULL)
		return false;
	r->path = xstrdup(db_text(db, q, 2));
	r->removing = removing != 0;
	r->delete_data = removing == 2;
	r->wishes.down_limit = db_u64(db, q, 5);
	r->wishes.up_limit = db_u64(db, q, 6);
	r->added = db_int(db, q, 7);
	r->completed_at = db_int(db, q, 8);
	r->downloaded = db_u64(db, q, 9);
	r->uploaded = db_u64(db, q, 10);
	r->wasted = db_u64(db, q, 11);
	load_wishes(db, r);
	load_pieces(db, r);
	load_stamps(db, r);
	return true;
}

static bool load_setting(struct state_db *db, const char *key, int64_t *value)
{
	bool found;

	db_bind_text(db, SQL_GET_SETTING, 1, key);
	found = db_row(db, SQL_GET_SETTING);
	if (found) {
		*value = db_int(db, SQL_GET_SETTING, 0);
		db_reset(db, SQL_GET_SETTING);
	}
	return found;
}

enum err state_load(struct state_db *db, struct m_state_load *m)
{
	int64_t clean = 0, down = 0, up = 0;

	while (db_row(db, SQL_LOAD_TORRENTS)) {
		m->torrents = grow_list(m->torrents, m->torrents_n, sizeof *m->torrents);
		if (load_torrent(db, &m->torrents[m->torrents_n]))
			m->torrents_n++;
	}
	/* A database that was just made has no files that could be in doubt. */
	m->clean = !load_setting(db, "clean", &clean) || clean == 1;
	m->has_down_limit = load_setting(db, "down_limit", &down);
	m->has_up_limit = load_setting(db, "up_limit", &up);
	m->down_limit = down > 0 ? (uint64_t)down : 0;
	m->up_limit = up > 0 ? (uint64_t)up : 0;
	return db_error(db);
}
