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
#include <limits.h>
#include <stdlib.h>

#include "actors/kernel/log.h"
#include "proto/base/priority.h"
#include "proto/meta/magnet.h"

/* Makes room for one more in an array that doubles at powers of two. */
static void *grow_list(void *list, uint32_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return list;
	return xrealloc(list, MAX(n * 2, 1u) * size);
}

/*
 * What a number of a torrent's row may be; what lies beyond is taken for the nearest that may.  So
 * sums and conversions to microseconds do not overflow, whatever somebody has put there.
 */
enum column {
	COL_RUN = 3,
	COL_REMOVING,
	COL_DOWN_LIMIT,
	COL_UP_LIMIT,
	COL_ADDED,
	COL_COMPLETED_AT,
	COL_DOWNLOADED,
	COL_UPLOADED,
	COL_WASTED,
	COL_SEQUENTIAL = 13,
	COL_FIRST_LAST,
	COL_PLACE,
	COL_SEED_RATIO,
	COL_SEED_TIME,
	COL_SEED_IDLE,
	COL_SEEDED,
	COL_CHECK,
	COL_ENCRYPTION,
	COL_MADE,
	COL_DISCREET,
	COLUMNS,
	/* no numbers */
	COL_METAINFO = 12,
	COL_LINK = COLUMNS,
	COL_CHOICE,
	COL_FOUND,
	COL_LABELS,
	COL_NAMES,
	COL_TO_PATH,
	COL_TO_NAMES
};

#define BYTES_MAX (INT64_C(1) << 56) /* ever, of one torrent */
#define RATE_MAX  (INT64_C(1) << 40) /* B/s */
#define TIME_MAX  (INT64_C(1) << 38) /* seconds: since 1970, of seeding; some 8,700 years */

static const struct {
	int64_t least, most;
} ranges[COLUMNS] = {
	[COL_RUN] = {0, RUN_ALL},
	[COL_REMOVING] = {0, REMOVING_TO_TRASH},
	[COL_DOWN_LIMIT] = {0, RATE_MAX},
	[COL_UP_LIMIT] = {0, RATE_MAX},
	[COL_ADDED] = {0, TIME_MAX},
	[COL_COMPLETED_AT] = {0, TIME_MAX},
	[COL_DOWNLOADED] = {0, BYTES_MAX},
	[COL_UPLOADED] = {0, BYTES_MAX},
	[COL_WASTED] = {0, BYTES_MAX},
	[COL_SEQUENTIAL] = {0, 1},
	[COL_FIRST_LAST] = {0, 1},
	[COL_PLACE] = {INT64_MIN, INT64_MAX}, /* only ever compared */
	[COL_SEED_RATIO] = {SEED_GLOBAL, SEED_RATIO_MAX},
	[COL_SEED_TIME] = {SEED_GLOBAL, SEED_TIME_MAX},
	[COL_SEED_IDLE] = {SEED_GLOBAL, SEED_TIME_MAX},
	[COL_SEEDED] = {0, TIME_MAX},
	[COL_CHECK] = {0, 1},
	[COL_ENCRYPTION] = {0, WISH_ENCRYPTION_REQUIRED},
	[COL_MADE] = {0, PATH_MAX},
	[COL_DISCREET] = {0, DISCREET_ON},
};

static int64_t number(struct state_db *db, enum column c)
{
	int64_t v = db_int(db, SQL_LOAD_TORRENTS, (int)c);

	return MIN(MAX(v, ranges[c].least), ranges[c].most);
}

static uint64_t amount(struct state_db *db, enum column c)
{
	return (uint64_t)number(db, c);
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
			log_event(LOG_ERROR, "state_pieces_unreadable", "ih=%s",
				infohash_name(r->meta->infohash.v1).text);
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
			.born_ns = db_int(db, q, 7),
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
			log_event(LOG_ERROR, "state_wanted_unreadable", "ih=%s",
				infohash_name(r->meta->infohash.v1).text);
			continue;
		}
		r->wishes.file_priority = xmemdup(b.p, b.n);
		r->wishes.file_priority_n = (uint32_t)b.n;
	}
}

/* What makes no sense ends the list. */
static void load_choice(struct state_db *db, struct torrent_record *r)
{
	struct slice b = db_bytes(db, SQL_LOAD_TORRENTS, COL_CHOICE);
	struct file_wish w;
	uint32_t priority;

	while (r->choice_n < FILE_WISHES_MAX && take_number(&b, 8, &w.first) &&
		take_number(&b, 8, &w.last) && take_number(&b, 2, &priority) && w.first <= w.last &&
		priority <= PRIORITY_TOP) {
		w.priority = (uint8_t)priority;
		r->choice = grow_list(r->choice, r->choice_n, sizeof *r->choice);
		r->choice[r->choice_n++] = w;
	}
}

/* What is none ends the list. */
static void load_labels(struct state_db *db, struct torrent_record *r)
{
	const char *at = db_text(db, SQL_LOAD_TORRENTS, COL_LABELS);
	char *text = NULL;

	for (size_t n; *at != '\0'; at += n + (at[n] == '\n')) {
		n = strcspn(at, "\n");
		if (wishes_add_label(&text, at, n) != E_OK)
			break;
	}
	label_set(&r->wishes.labels, text);
	xfree(text);
}

/* Columns that came with version 2 of the schema and later. */
static void load_wishes(struct state_db *db, struct torrent_record *r)
{
	r->run = (unsigned)number(db, COL_RUN);
	r->wishes.sequential = number(db, COL_SEQUENTIAL) != 0;
	r->wishes.first_last = number(db, COL_FIRST_LAST) != 0;
	r->wishes.encryption = (enum wish_encryption)number(db, COL_ENCRYPTION);
	r->place = number(db, COL_PLACE);
	r->seed.ratio = number(db, COL_SEED_RATIO);
	r->seed.time = number(db, COL_SEED_TIME);
	r->seed.idle = number(db, COL_SEED_IDLE);
	r->seeded = amount(db, COL_SEEDED);
	r->check = number(db, COL_CHECK) != 0;
	r->made = (uint32_t)number(db, COL_MADE);
	r->wishes.discreet = (enum discreet)number(db, COL_DISCREET);
	load_labels(db, r);
	load_wanted(db, r);
}

static bool is_hash(struct slice hash, const struct metainfo *m)
{
	return hash.n == HASH_SHA1_SIZE && memcmp(hash.p, m->infohash.v1, HASH_SHA1_SIZE) == 0;
}

/* The metainfo of the row in hand, bare where only the link is known; NULL and a line in the log
 * where neither can be used. */
static struct metainfo *parse_row(struct state_db *db, int64_t row)
{
	struct slice data = db_bytes(db, SQL_LOAD_TORRENTS, COL_METAINFO);
	struct slice link = db_bytes(db, SQL_LOAD_TORRENTS, COL_LINK);
	struct slice hash = db_bytes(db, SQL_LOAD_TORRENTS, 1);
	struct parse_error pe = {.what = "its info-hash is another one"};
	struct metainfo *meta = NULL;
	enum err e = E_MISSING;

	if (data.n > 0)
		e = metainfo_parse(data.p, data.n, &meta, &pe);
	else if (link.n > 0)
		e = metainfo_from_magnet((const char *)link.p, link.n, &meta, &pe);
	else
		snprintf(pe.what, sizeof pe.what, "its metainfo is missing");
	if (e == E_OK && !is_hash(hash, meta)) {
		snprintf(pe.what, sizeof pe.what, "its info-hash is another one");
		metainfo_unref(&meta);
	}
	if (meta == NULL)
		log_event(LOG_ERROR, "state_torrent_skipped",
			"row=%" PRId64 " ih=%s why=\"%s\"; it stays in the database", row,
			hash.n >= 4 ? infohash_name(hash.p).text : "?", pe.what);
	return meta;
}

/* What makes no sense is left out: it can be fetched again. */
static void load_magnet(struct state_db *db, struct torrent_record *r)
{
	struct slice link = db_bytes(db, SQL_LOAD_TORRENTS, COL_LINK);
	struct slice found = db_bytes(db, SQL_LOAD_TORRENTS, COL_FOUND);

	if (link.n > 0 && link.n <= MAGNET_BYTES_MAX) {
		r->link = xcalloc(1, link.n + 1);
		memcpy(r->link, link.p, link.n);
	}
	if (!r->meta->bare)
		return;
	load_choice(db, r);
	if (found.n > 0 && metainfo_parse(found.p, found.n, &r->found, NULL) == E_OK &&
		!is_hash(db_bytes(db, SQL_LOAD_TORRENTS, 1), r->found))
		metainfo_unref(&r->found);
}

/* Names that make no sense are left out, with a word: its files are then missing, and it is held.
 */
static void load_place(struct state_db *db, struct torrent_record *r)
{
	const char *names = db_text(db, SQL_LOAD_TORRENTS, COL_NAMES);
	const char *path = db_text(db, SQL_LOAD_TORRENTS, COL_TO_PATH);
	struct metainfo *renamed;

	if (r->meta->bare)
		return;
	if (names[0] != '\0' && metainfo_renamed(r->meta, names, &renamed) == E_OK) {
		metainfo_unref(&r->meta);
		r->meta = renamed;
		r->names = xstrdup(names);
	} else if (names[0] != '\0') {
		log_event(LOG_ERROR, "state_names_unreadable", "ih=%s",
			infohash_name(r->meta->infohash.v1).text);
	}
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return;
	r->to_path = xstrdup(path);
	r->to_names = xstrdup(db_text(db, SQL_LOAD_TORRENTS, COL_TO_NAMES));
}

static bool load_torrent(struct state_db *db, struct torrent_record *r)
{
	const enum sql q = SQL_LOAD_TORRENTS;
	int64_t removing = number(db, COL_REMOVING);

	*r = (struct torrent_record){.row = db_int(db, q, 0)};
	r->meta = parse_row(db, r->row);
	if (r->meta == NULL)
		return false;
	r->path = xstrdup(db_text(db, q, 2));
	r->removing = removing != 0;
	r->removal = removing != 0 ? (enum removal)(removing - 1) : REMOVAL_KEEP;
	r->wishes.down_limit = amount(db, COL_DOWN_LIMIT);
	r->wishes.up_limit = amount(db, COL_UP_LIMIT);
	r->added = number(db, COL_ADDED);
	r->completed_at = number(db, COL_COMPLETED_AT);
	r->downloaded = amount(db, COL_DOWNLOADED);
	r->uploaded = amount(db, COL_UPLOADED);
	r->wasted = amount(db, COL_WASTED);
	load_wishes(db, r);
	load_magnet(db, r);
	load_place(db, r);
	load_pieces(db, r);
	load_stamps(db, r);
	return true;
}

/* Torrents with these rows, removed ones among them or not. */
static void bind_range(struct state_db *db, int64_t first, int64_t last, bool removed)
{
	db_bind_int(db, SQL_LOAD_TORRENTS, 1, first);
	db_bind_int(db, SQL_LOAD_TORRENTS, 2, last);
	db_bind_int(db, SQL_LOAD_TORRENTS, 3, removed);
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

enum err state_fetch(struct state_db *db, struct m_state_fetch *m)
{
	const enum sql q = SQL_LOAD_TORRENTS;
	bool found = false;
	enum err e;

	bind_range(db, m->row, m->row, true);
	while (db_row(db, q))
		found = load_torrent(db, &m->record);
	e = db_error(db);
	if (e != E_OK)
		db_undo(db); /* there is no transaction: the error alone is forgotten */
	return e != E_OK ? e : found ? E_OK : E_NOT_FOUND;
}

enum err state_load(struct state_db *db, struct m_state_load *m)
{
	int64_t clean = 0, down = 0, up = 0;

	bind_range(db, 0, INT64_MAX, false);
	while (db_row(db, SQL_LOAD_TORRENTS)) {
		m->torrents = grow_list(m->torrents, m->torrents_n, sizeof *m->torrents);
		if (load_torrent(db, &m->torrents[m->torrents_n]))
			m->torrents_n++;
	}
	/* A database that was just made has no files that could be in doubt. */
	m->clean = !load_setting(db, "clean", &clean) || clean == 1;
	m->has_down_limit = load_setting(db, "down_limit", &down);
	m->has_up_limit = load_setting(db, "up_limit", &up);
	while (db_row(db, SQL_LOAD_CHANGED)) {
		xfree(m->changed);
		m->changed = xstrdup(db_text(db, SQL_LOAD_CHANGED, 0));
	}
	state_removed_load(db, m);
	m->down_limit = (uint64_t)MIN(MAX(down, 0), RATE_MAX);
	m->up_limit = (uint64_t)MIN(MAX(up, 0), RATE_MAX);
	return db_error(db);
}
