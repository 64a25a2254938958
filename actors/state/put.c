/* SPDX-License-Identifier: MIT */
/*
 * Each message to the database as statements; who calls has a transaction open and looks at the
 * latched error afterwards.
 */
#include "actors/state/db.h"

#include <inttypes.h>
#include <stdio.h>

void state_setting(struct state_db *db, const char *key, int64_t value)
{
	db_bind_text(db, SQL_PUT_SETTING, 1, key);
	db_bind_int(db, SQL_PUT_SETTING, 2, value);
	db_run(db, SQL_PUT_SETTING);
}

static void put_wanted(struct state_db *db, int64_t row, const uint8_t *priorities, uint32_t n)
{
	const enum sql q = priorities != NULL ? SQL_PUT_WANTED : SQL_DROP_WANTED;

	db_bind_int(db, q, 1, row);
	if (priorities != NULL)
		db_bind_bytes(db, q, 2, priorities, n);
	db_run(db, q);
}

/* --- digits (schema.c) --- */

struct digits {
	char *p; /* lent by the database until the next list of the same kind */
	size_t n;
};

static void add_u32(struct digits *d, uint32_t v)
{
	d->n += (size_t)snprintf(d->p + d->n, 9, "%08" PRIx32, v);
}

static struct digits choice_digits(struct state_db *db, const struct file_wish *v, uint32_t n)
{
	struct digits d = {.p = db_room(db, 0, 18 * (size_t)n + 1)};

	for (uint32_t i = 0; i < n; i++) {
		add_u32(&d, v[i].first);
		add_u32(&d, v[i].last);
		d.n += (size_t)snprintf(d.p + d.n, 3, "%02x", v[i].priority);
	}
	return d;
}

static void put_choice(struct state_db *db, int64_t row, const struct file_wish *choice, uint32_t n)
{
	struct digits d = choice_digits(db, choice, n);

	db_bind_int(db, SQL_SET_CHOICE, 1, row);
	db_bind_bytes(db, SQL_SET_CHOICE, 2, d.p, d.n);
	db_run(db, SQL_SET_CHOICE);
}

/* --- torrents --- */

static void put_raw(struct state_db *db, enum sql q, int64_t row, const struct metainfo *m)
{
	db_bind_int(db, q, 1, row);
	db_bind_bytes(db, q, 2, m->raw.p, m->raw.n);
	db_run(db, q);
}

static void add_magnet(struct state_db *db, const struct m_state_add *m)
{
	struct digits d = choice_digits(db, m->choice, m->choice_n);

	db_bind_int(db, SQL_ADD_MAGNET, 1, m->row);
	db_bind_bytes(db, SQL_ADD_MAGNET, 2, m->meta->raw.p, m->meta->raw.n);
	db_bind_bytes(db, SQL_ADD_MAGNET, 3, d.p, d.n);
	db_run(db, SQL_ADD_MAGNET);
}

void state_add(struct state_db *db, struct m_state_add *m)
{
	const enum sql q = SQL_ADD_TORRENT;

	db_bind_bytes(db, q, 1, m->meta->infohash.v1, sizeof m->meta->infohash.v1);
	db_bind_text(db, q, 2, m->path);
	db_bind_int(db, q, 3, m->run);
	db_bind_u64(db, q, 4, m->wishes.down_limit);
	db_bind_u64(db, q, 5, m->wishes.up_limit);
	db_bind_int(db, q, 6, m->added);
	db_bind_int(db, q, 7, m->wishes.sequential);
	db_bind_int(db, q, 8, m->wishes.first_last);
	db_bind_int(db, q, 9, m->place);
	db_bind_int(db, q, 10, m->wishes.encryption);
	db_bind_int(db, q, 11, m->wishes.discreet);
	db_bind_text(db, q, 12, m->wishes.labels != NULL ? label_text(m->wishes.labels) : "");
	db_bind_int(db, q, 13, m->seed.ratio);
	db_bind_int(db, q, 14, m->seed.time);
	db_bind_int(db, q, 15, m->seed.idle);
	db_run(db, q);
	if (db_error(db) != E_OK)
		return;
	m->row = db_last_row(db);
	if (m->meta->bare)
		add_magnet(db, m);
	else
		put_raw(db, SQL_PUT_METAINFO, m->row, m->meta);
	if (m->wishes.file_priority != NULL)
		put_wanted(db, m->row, m->wishes.file_priority, m->wishes.file_priority_n);
}

void state_meta(struct state_db *db, const struct m_state_meta *m)
{
	if (m->meta->bare || m->aside) {
		put_raw(db, m->aside ? SQL_SET_FOUND : SQL_SET_LINK, m->row, m->meta);
		if (m->choose)
			put_choice(db, m->row, m->choice, m->choice_n);
		return;
	}
	put_raw(db, SQL_PUT_METAINFO, m->row, m->meta);
	db_bind_int(db, SQL_CLEAR_MAGNET, 1, m->row);
	db_run(db, SQL_CLEAR_MAGNET);
	db_bind_int(db, SQL_SET_DISCREET, 1, m->discreet);
	db_bind_int(db, SQL_SET_DISCREET, 2, m->row);
	db_run(db, SQL_SET_DISCREET);
	if (m->choose)
		put_wanted(db, m->row, m->file_priority, m->file_priority_n);
}

static void set_places(struct state_db *db, const struct m_state_set *m)
{
	for (uint32_t i = 0; i < m->places_n; i++) {
		db_bind_int(db, SQL_SET_PLACE, 1, m->places[i].place);
		db_bind_int(db, SQL_SET_PLACE, 2, m->places[i].row);
		db_run(db, SQL_SET_PLACE);
	}
}

static void set_labels(struct state_db *db, const struct m_state_set *m)
{
	db_bind_text(db, SQL_SET_LABELS, 1, m->data != NULL ? (const char *)m->data : "");
	db_bind_int(db, SQL_SET_LABELS, 2, m->row);
	db_run(db, SQL_SET_LABELS);
}

static void set_seed_limits(struct state_db *db, const struct m_state_set *m)
{
	db_bind_int(db, SQL_SET_SEED_LIMITS, 1, m->seed.ratio);
	db_bind_int(db, SQL_SET_SEED_LIMITS, 2, m->seed.time);
	db_bind_int(db, SQL_SET_SEED_LIMITS, 3, m->seed.idle);
	db_bind_int(db, SQL_SET_SEED_LIMITS, 4, m->row);
	db_run(db, SQL_SET_SEED_LIMITS);
}

/* The link, or the .torrent, names them. */
static void set_trackers(struct state_db *db, const struct m_state_set *m)
{
	put_raw(db, m->meta->bare ? SQL_SET_LINK : SQL_PUT_METAINFO, m->row, m->meta);
}

void state_set(struct state_db *db, const struct m_state_set *m)
{
	static const enum sql of_key[] = {
		[STATE_RUN] = SQL_SET_RUN,
		[STATE_DOWN_LIMIT] = SQL_SET_DOWN_LIMIT,
		[STATE_UP_LIMIT] = SQL_SET_UP_LIMIT,
		[STATE_COMPLETED_AT] = SQL_SET_COMPLETED_AT,
		[STATE_REMOVING] = SQL_SET_REMOVING,
		[STATE_SEQUENTIAL] = SQL_SET_SEQUENTIAL,
		[STATE_FIRST_LAST] = SQL_SET_FIRST_LAST,
		[STATE_CHECK] = SQL_SET_CHECK,
		[STATE_ENCRYPTION] = SQL_SET_ENCRYPTION,
		[STATE_DISCREET] = SQL_SET_DISCREET,
	};

	if (m->undo != 0)
		state_undo_add(db, m->undo, &m->item);
	switch (m->key) {
	case STATE_GLOBAL_DOWN_LIMIT:
		state_setting(db, "down_limit", m->value);
		break;
	case STATE_GLOBAL_UP_LIMIT:
		state_setting(db, "up_limit", m->value);
		break;
	case STATE_FILES:
		put_wanted(db, m->row, m->data, m->data_n);
		break;
	case STATE_CHOICE:
		put_choice(db, m->row, m->choice, m->choice_n);
		break;
	case STATE_LABELS:
		set_labels(db, m);
		break;
	case STATE_TRACKERS:
		set_trackers(db, m);
		break;
	case STATE_PLACES:
		set_places(db, m);
		break;
	case STATE_SEED_LIMITS:
		set_seed_limits(db, m);
		break;
	default:
		db_bind_int(db, of_key[m->key], 1, m->value);
		db_bind_int(db, of_key[m->key], 2, m->row);
		db_run(db, of_key[m->key]);
	}
}

static void set_target(struct state_db *db, const struct m_state_place *m)
{
	db_bind_text(db, SQL_SET_TARGET, 1, m->path);
	db_bind_text(db, SQL_SET_TARGET, 2, m->names);
	db_bind_int(db, SQL_SET_TARGET, 3, m->made);
	db_bind_int(db, SQL_SET_TARGET, 4, m->row);
	db_run(db, SQL_SET_TARGET);
}

void state_place(struct state_db *db, const struct m_state_place *m)
{
	if (m->begin) {
		db_bind_int(db, SQL_BEGIN_SHIFT, 1, m->row);
		db_bind_text(db, SQL_BEGIN_SHIFT, 2, m->path);
		db_bind_text(db, SQL_BEGIN_SHIFT, 3, m->names);
		db_run(db, SQL_BEGIN_SHIFT);
		return;
	}
	if (m->path != NULL)
		set_target(db, m);
	db_bind_int(db, SQL_END_SHIFT, 1, m->row);
	db_run(db, SQL_END_SHIFT);
}

void state_remove(struct state_db *db, const struct m_state_remove *m)
{
	db_bind_int(db, SQL_DROP_TORRENT, 1, m->row);
	db_run(db, SQL_DROP_TORRENT);
}

void state_totals(struct state_db *db, const struct m_totals *m)
{
	db_bind_u64(db, SQL_SET_TOTALS, 1, m->downloaded);
	db_bind_u64(db, SQL_SET_TOTALS, 2, m->uploaded);
	db_bind_u64(db, SQL_SET_TOTALS, 3, m->wasted);
	db_bind_u64(db, SQL_SET_TOTALS, 4, m->seeded);
	db_bind_int(db, SQL_SET_TOTALS, 5, m->row);
	db_run(db, SQL_SET_TOTALS);
}

/* Notes of a torrent that is gone must not fail the transaction they share with others. */
static bool has_row(struct state_db *db, int64_t row)
{
	bool found;

	db_bind_int(db, SQL_FIND_ROW, 1, row);
	found = db_row(db, SQL_FIND_ROW);
	if (found)
		db_reset(db, SQL_FIND_ROW);
	return found;
}

/* --- verified pieces and partial ones --- */

static struct digits noted_digits(struct state_db *db, const uint32_t *v, uint32_t n)
{
	struct digits d = {.p = db_room(db, 0, 8 * (size_t)n + 1)};

	for (uint32_t i = 0; i < n; i++)
		add_u32(&d, v[i]);
	return d;
}

static struct digits partial_digits(struct state_db *db, const struct partial_piece *v, uint32_t n)
{
	struct digits d = {0};
	size_t room = 1;

	for (uint32_t i = 0; i < n; i++)
		room += 16 + 2 * bitfield_bytes(v[i].blocks_n);
	d.p = db_room(db, 1, room);
	for (uint32_t i = 0; i < n; i++) {
		add_u32(&d, v[i].piece);
		add_u32(&d, v[i].blocks_n);
		for (size_t k = 0; k < bitfield_bytes(v[i].blocks_n); k++)
			d.n += (size_t)snprintf(d.p + d.n, 3, "%02x", v[i].blocks[k]);
	}
	return d;
}

/* --- what is known of the files --- */

/* A parameter of a statement: bytes, or a number when p is NULL. */
struct value {
	const void *p;
	size_t n;
	int64_t i;
};

#define NUMBER(v)   ((struct value){.i = (int64_t)(v)})
#define BYTES(v, m) ((struct value){.p = (v), .n = (m)})

/* Whether it changed or made anything. */
static bool run_with(struct state_db *db, enum sql q, const struct value *v, int n)
{
	for (int i = 0; i < n; i++)
		if (v[i].p != NULL)
			db_bind_bytes(db, q, i + 1, v[i].p, v[i].n);
		else
			db_bind_int(db, q, i + 1, v[i].i);
	db_run(db, q);
	return db_error(db) == E_OK && db_changes(db) > 0;
}

/*
 * The first value is the torrent's row.  A change comes first: it is what nearly always is asked
 * for, and costs less than an insertion that turns into one.  false: no such torrent, or an error.
 */
static bool put(
	struct state_db *db, enum sql change, enum sql make, const struct value *v, unsigned n)
{
	if (run_with(db, change, v, (int)n))
		return true;
	return db_error(db) == E_OK && has_row(db, v[0].i) && run_with(db, make, v, (int)n);
}

static bool put_noted(struct state_db *db, int64_t row, const uint32_t *v, uint32_t n)
{
	struct digits d = noted_digits(db, v, n);
	const struct value values[] = {NUMBER(row), BYTES(d.p, d.n)};

	return put(db, SQL_SET_NOTED, SQL_MAKE_NOTED, values, ARRAY_LEN(values));
}

static void put_unsynced(struct state_db *db, const struct m_state_pieces *m)
{
	struct digits noted = noted_digits(db, m->noted, m->noted_n);
	struct digits partials = partial_digits(db, m->partials, m->partials_n);
	const struct value values[] = {
		NUMBER(m->row), BYTES(noted.p, noted.n), BYTES(partials.p, partials.n)};

	(void)put(db, SQL_SET_UNSYNCED, SQL_MAKE_UNSYNCED, values, ARRAY_LEN(values));
}

static void put_dirty(struct state_db *db, int64_t row, uint32_t file, int64_t at)
{
	const struct value values[] = {NUMBER(row), NUMBER(file), NUMBER(at)};

	(void)put(db, SQL_SET_DIRTY, SQL_MAKE_DIRTY, values, ARRAY_LEN(values));
}

static void put_stamp(struct state_db *db, int64_t row, const struct file_stamp *s)
{
	const struct value values[] = {
		NUMBER(row),
		NUMBER(s->file),
		NUMBER(s->exists),
		NUMBER(s->dirty),
		NUMBER(MIN(s->size, (uint64_t)INT64_MAX)),
		NUMBER(s->mtime_ns),
		NUMBER(s->inode),
		NUMBER(s->device),
		NUMBER(s->born_ns),
	};

	(void)put(db, SQL_SET_STAMP, SQL_MAKE_STAMP, values, ARRAY_LEN(values));
}

/* What was verified was downloaded, though the totals that say so come later. */
static void raise_downloaded(struct state_db *db, int64_t row, uint64_t downloaded)
{
	if (downloaded == 0)
		return;
	db_bind_u64(db, SQL_RAISE_DOWNLOADED, 1, downloaded);
	db_bind_int(db, SQL_RAISE_DOWNLOADED, 2, row);
	db_run(db, SQL_RAISE_DOWNLOADED);
}

/* A directory that was made stays so, until it is removed with the torrent. */
static void raise_made(struct state_db *db, int64_t row, uint32_t made)
{
	if (made == 0)
		return;
	db_bind_int(db, SQL_RAISE_MADE, 1, made);
	db_bind_int(db, SQL_RAISE_MADE, 2, row);
	db_run(db, SQL_RAISE_MADE);
}

/* The check that a person has asked for has ended. */
static void end_check(struct state_db *db, int64_t row)
{
	db_bind_int(db, SQL_SET_CHECK, 1, 0);
	db_bind_int(db, SQL_SET_CHECK, 2, row);
	db_run(db, SQL_SET_CHECK);
}

void state_options(struct state_db *db, const struct m_state_options *m)
{
	db_bind_text(db, SQL_PUT_CHANGED, 1, m->changed);
	db_run(db, SQL_PUT_CHANGED);
}

void state_note(struct state_db *db, const struct m_state_note *m)
{
	if (!put_noted(db, m->row, m->pieces, m->pieces_n))
		return;
	raise_downloaded(db, m->row, m->downloaded);
	raise_made(db, m->row, m->made);
	for (uint32_t i = 0; i < m->dirty_n; i++)
		put_dirty(db, m->row, m->dirty[i], m->dirty_ns);
}

void state_pieces(struct state_db *db, const struct m_state_pieces *m)
{
	const struct value values[] = {
		NUMBER(m->row), BYTES(m->synced.bytes, bitfield_bytes(m->synced.bits))};

	if (!put(db, SQL_SET_PIECES, SQL_MAKE_PIECES, values, ARRAY_LEN(values)))
		return;
	if (m->has_partials)
		put_unsynced(db, m);
	else
		(void)put_noted(db, m->row, m->noted, m->noted_n);
	for (uint32_t i = 0; i < m->stamps_n; i++)
		put_stamp(db, m->row, &m->stamps[i]);
	raise_downloaded(db, m->row, m->downloaded);
	if (m->checked)
		end_check(db, m->row);
}
