/* SPDX-License-Identifier: MIT */
/*
 * What the files of a torrent in use must stay: which inode each has, and whether it is whole.
 *
 * Workers compare what they open with what they know, but each knows what it has opened itself, so
 * what they see by name comes here, where it is compared for all.  Every sync brings looks at the
 * files it was of and at a few others in turn; one that makes the torrent complete looks at all.
 * When a file is gone, another or shorter, its pieces are no longer had: that is told to the
 * database and to peers first, and then every file is looked at as after a start, but with what
 * memory knows in the place of what the database does.  Workers keep the torrent open meanwhile, so
 * that a directory that went away is not made again.
 *
 * Invariant: a piece with bytes in a file of `altered` is neither in have nor in synced after
 * store_files_doubt(), which is what the database and the session are told.
 */
#include "actors/store/priv.h"

#include "proto/base/array.h"

static bool is_short(const struct storrent *t, const struct file_stamp *s)
{
	return s->file < t->meta->files_n && s->size < t->meta->files[s->file].length;
}

static uint64_t id_of(const struct file_stamp *s)
{
	return file_id(s->inode, s->born_ns);
}

void store_files_forget(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	xfree(t->ids);
	t->ids = NULL;
	bitfield_free(&t->fits);
	bitfield_free(&t->made);
	vec32_free(&t->altered);
	vec32_free(&t->young);
	store_words_keep(&t->altered_why, NULL);
	t->altered_err = E_OK;
}

static void know_some(struct storrent *t)
{
	if (t->ids != NULL)
		return;
	t->ids = xcalloc(t->meta->files_n + 1, sizeof *t->ids);
	bitfield_init(&t->fits, t->meta->files_n + 1);
	bitfield_init(&t->made, t->meta->files_n + 1);
}

void store_files_know(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	store_files_forget(t);
	know_some(t);
	for (uint32_t i = 0; i <= t->meta->files_n; i++) {
		if (!t->now[i].exists)
			continue;
		t->ids[i] = id_of(&t->now[i]);
		bitfield_set(&t->made, i);
		if (!is_short(t, &t->now[i]))
			bitfield_set(&t->fits, i);
	}
}

struct file_stamp *store_files_short(const struct storrent *t, uint32_t *n)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	struct file_stamp *v = NULL;
	uint32_t room = 0;

	*n = 0;
	for (uint32_t i = 0; t->now != NULL && i < t->meta->files_n; i++) {
		if (t->ids[i] == 0 || bitfield_get(&t->fits, i))
			continue;
		ARRAY_PUSH(v, *n, room, t->now[i]);
	}
	return v;
}

void store_file_altered(struct storrent *t, uint32_t file, enum err err, const struct words *why)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	struct words own = {0};

	for (uint32_t i = 0; i < t->altered.n; i++)
		if (t->altered.v[i] == file)
			return;
	vec32_push(&t->altered, file);
	if (t->altered_err != E_OK)
		return;
	if (why == NULL)
		store_words(&own, t, file, "look at", err);
	t->altered_err = err;
	store_words_keep(&t->altered_why, why != NULL ? why : &own);
}

/* What is made twice was taken away in between, though it may look the same. */
void store_file_seen(struct storrent *t, uint32_t file, uint64_t id, bool made)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	bool again;

	know_some(t);
	again = made && !bitfield_set(&t->made, file);
	if (t->ids[file] == 0) {
		t->ids[file] = id;
		vec32_push(&t->young, file);
	} else if (t->ids[file] != id || again)
		store_file_altered(t, file, E_CHANGED, NULL);
}

/* The look may be of a moment before the file was made, or had its length. */
static bool is_young(const struct storrent *t, uint32_t file)
{
	for (uint32_t i = 0; i < t->young.n; i++)
		if (t->young.v[i] == file)
			return true;
	return false;
}

void store_file_looked(struct storrent *t, const struct file_stamp *s)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	uint64_t known = t->ids != NULL ? t->ids[s->file] : 0;
	bool fell = s->exists && is_short(t, s) && bitfield_get(&t->fits, s->file);

	if (known == 0 || ((!s->exists || fell) && is_young(t, s->file)))
		return;
	if (!s->exists)
		store_file_altered(t, s->file, E_NOENT, NULL);
	else if (id_of(s) != known || fell)
		store_file_altered(t, s->file, E_CHANGED, NULL);
	else if (!is_short(t, s) && bitfield_set(&t->fits, s->file))
		vec32_push(&t->young, s->file);
}

/* --- taking back --- */

/* The piece was verified and is not believed any more: it is as one that was never synced. */
static void doubt_piece(struct storrent *t, uint32_t piece)
{
	bitfield_clear(&t->have, piece);
	if (bitfield_clear(&t->synced, piece))
		vec32_push(&t->noted, piece);
}

/* The pieces that have bytes of the file, or of what the part file has of it. */
static void doubt_file(struct storrent *t, uint32_t file)
{
	uint32_t first, last;

	if (!layout_file_pieces(t->meta, file, &first, &last))
		return;
	for (uint32_t p = first; p <= last; p++)
		doubt_piece(t, p);
}

/* Which files have bytes in the part file is known to workers; the unwanted ones may. */
static void doubt_parted(struct storrent *t)
{
	for (uint32_t i = 0; t->priority != NULL && i < t->meta->files_n; i++)
		if (t->priority[i] == 0)
			doubt_file(t, i);
}

static bool is_altered(const struct storrent *t, uint32_t file)
{
	for (uint32_t i = 0; i < t->altered.n; i++)
		if (t->altered.v[i] == file)
			return true;
	return false;
}

/* What was synced of an altered file says nothing of what has its name. */
static void drop_stamps(struct storrent *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->synced_stamps_n; i++)
		if (!is_altered(t, t->synced_stamps[i].file))
			t->synced_stamps[n++] = t->synced_stamps[i];
	t->synced_stamps_n = n;
}

void store_files_doubt(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	for (uint32_t i = 0; i < t->syncing.n; i++)
		bitfield_set(&t->synced, t->syncing.v[i]);
	t->syncing.n = 0;
	for (uint32_t i = 0; i < t->altered.n; i++)
		if (t->altered.v[i] < t->meta->files_n)
			doubt_file(t, t->altered.v[i]);
		else
			doubt_parted(t);
	drop_stamps(t);
}

void store_files_claim(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	vec32_free(&t->doubtful);
	t->doubtful = t->noted;
	t->noted = (struct vec32){0};
	for (uint32_t i = 0; i < t->doubtful.n; i++)
		bitfield_set(&t->synced, t->doubtful.v[i]);
	t->relook = true;
}

void store_files_unnote(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	for (uint32_t i = 0; i < t->noted.n; i++)
		bitfield_clear(&t->have, t->noted.v[i]);
	t->noted.n = 0;
	t->news_pieces = false;
}

/* --- looking again --- */

void store_files_before(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	uint32_t n = t->meta->files_n + 1;

	xfree(t->before);
	t->before = xmemdup(t->now, n * sizeof *t->before);
	t->before_n = n;
	for (uint32_t i = 0; i < n; i++) {
		t->before[i].file = i;
		t->before[i].dirty = false;
		t->before[i].exists = t->ids != NULL && t->ids[i] != 0;
		if (t->before[i].exists && t->ids[i] != id_of(&t->now[i]))
			t->before[i].inode = ~t->now[i].inode; /* as one that it is not */
	}
	for (uint32_t i = 0; i < t->altered.n; i++)
		if (t->altered.v[i] < n)
			t->before[t->altered.v[i]].mtime_ns = -1; /* as no file has it */
}

static bool lost_piece(const struct storrent *t, uint32_t first, uint32_t last)
{
	for (uint32_t p = bitfield_next_set(&t->claimed, first); p <= last;
		p = bitfield_next_set(&t->claimed, p + 1))
		if (!bitfield_get(&t->have, p))
			return true;
	return false;
}

uint32_t store_files_foreign(const struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	uint32_t first, last;

	for (uint32_t i = 0; i < t->before_n && t->now != NULL && !t->full; i++) {
		const struct file_stamp *b = &t->before[i];

		if (b->file < t->meta->files_n && b->exists && t->now[b->file].exists &&
			stamp_is_other(b, &t->now[b->file]) &&
			layout_file_pieces(t->meta, b->file, &first, &last) &&
			lost_piece(t, first, last))
			return b->file;
	}
	return t->meta->files_n;
}
