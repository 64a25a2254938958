/* SPDX-License-Identifier: MIT */
/*
 * Which files of a torrent are wanted, and what follows from it for store, peers and the numbers.
 *
 * The store is told first: it decides where the data of a skipped file goes before peers fetch any
 * of it.  All files normal is NULL everywhere, and costs nothing.
 *
 * While the files are not known, what is wished of them is kept as it was said, and carried out in
 * that order when they are.
 */
#include "actors/session/priv.h"

#include "proto/base/priority.h"
#include "proto/meta/magnet.h"
#include "proto/meta/wanted.h"

/* What trackers are told of a torrent whose size is not known: something, or they would take it for
 * a seed. */
#define LACKS_UNKNOWN BLOCK_SIZE

static bool is_plain(const uint8_t *priority, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (priority[i] != PRIORITY_NORMAL)
			return false;
	return true;
}

static enum err refuse(const struct metainfo *m, struct words *why)
{
	snprintf(why->text, sizeof why->text, "files: the torrent has the files 0 to %u",
		m->files_n - 1);
	return E_RANGE;
}

enum err files_wish(const struct metainfo *m, const uint8_t *before, const struct file_wish *wishes,
	uint32_t n, uint8_t **out, struct words *why)
{
	uint8_t *list = xcalloc(m->files_n, 1);

	*out = NULL;
	if (before != NULL)
		memcpy(list, before, m->files_n);
	else
		memset(list, PRIORITY_NORMAL, m->files_n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t first = wishes[i].first, last = wishes[i].last;
		if (last == UINT32_MAX)
			last = m->files_n - 1;
		if (first > last || last >= m->files_n) {
			xfree(list);
			return refuse(m, why);
		}
		memset(list + first, wishes[i].priority, (size_t)last - first + 1);
	}
	if (is_plain(list, m->files_n)) {
		xfree(list);
		list = NULL;
	}
	*out = list;
	return E_OK;
}

bool files_equal(const struct torrent *t, const uint8_t *priority)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	const uint8_t *now = t->wishes.file_priority;

	if (priority == NULL || now == NULL)
		return priority == now;
	return memcmp(priority, now, t->meta->files_n) == 0;
}

bool files_skip(const struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	const struct wishes *w = &t->wishes;

	return w->file_priority != NULL &&
	       memchr(w->file_priority, PRIORITY_SKIP, w->file_priority_n) != NULL;
}

/* While peers have it they tell what is left. */
void torrent_count_wanted(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	const struct bitfield *have =
		t->have.bits == 0 && t->record != NULL ? &t->record->synced : &t->have;

	if (t->meta->bare) {
		t->lacks = LACKS_UNKNOWN;
		return;
	}
	t->wanted = wanted_left(t->meta, t->wishes.file_priority, NULL);
	if (t->attached && !t->told_bare)
		return;
	have = have->bits == t->meta->pieces ? have : NULL;
	t->left = wanted_left(t->meta, t->wishes.file_priority, have);
	t->lacks = wanted_left(t->meta, NULL, have);
}

void torrent_set_files(struct torrent *t, uint8_t **priority)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	xfree(t->wishes.file_priority);
	t->wishes.file_priority = *priority;
	t->wishes.file_priority_n = *priority != NULL ? t->meta->files_n : 0;
	*priority = NULL;
	torrent_count_wanted(t);
	if (t->in_store && t->phase < TPHASE_REOPENING)
		tell_files(t);
	t->told_wishes = false;
	torrent_mark(t);
}

/* --- files that are not known yet --- */

static bool is_for_all(const struct file_wish *w)
{
	return w->first == 0 && w->last == UINT32_MAX;
}

/* The last wish for all files undoes those before it; 0: there is none. */
static uint32_t first_kept(const struct file_wish *wishes, uint32_t n)
{
	for (uint32_t i = n; i-- > 0;)
		if (is_for_all(&wishes[i]))
			return i;
	return 0;
}

/* How many of the wishes so far stand beside these. */
static uint32_t kept_before(const struct torrent *t, const struct file_wish *wishes, uint32_t n)
{
	return n > 0 && is_for_all(&wishes[first_kept(wishes, n)]) ? 0 : t->choice_n;
}

struct file_wish *files_choice_with(
	const struct torrent *t, const struct file_wish *wishes, uint32_t n, uint32_t *out_n)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	uint32_t from = first_kept(wishes, n), before = kept_before(t, wishes, n);
	struct file_wish *list;

	*out_n = before + n - from;
	list = xcalloc((size_t)*out_n + 1, sizeof *list);
	if (before > 0)
		memcpy(list, t->choice, before * sizeof *list);
	if (n > from)
		memcpy(list + before, wishes + from, (n - from) * sizeof *list);
	return list;
}

enum err files_may_choose(
	const struct torrent *t, const struct file_wish *wishes, uint32_t n, struct words *why)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (kept_before(t, wishes, n) + n - first_kept(wishes, n) <= FILE_WISHES_MAX)
		return E_OK;
	snprintf(why->text, sizeof why->text,
		"files: more than %u choices are not kept while the files are not known; choose "
		"all first",
		FILE_WISHES_MAX);
	return E_RANGE;
}

enum err files_choose(
	struct torrent *t, const struct file_wish *wishes, uint32_t n, struct words *why)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	enum err e = files_may_choose(t, wishes, n, why);
	struct file_wish *list;

	if (e != E_OK)
		return e;
	list = files_choice_with(t, wishes, n, &t->choice_n);
	xfree(t->choice);
	t->choice = list;
	return E_OK;
}

uint8_t *files_chosen(const struct torrent *t, const struct metainfo *m)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	struct file_wish *list = xcalloc(MAX(t->choice_n, 1u), sizeof *list);
	uint32_t n = 0;
	struct words why;
	uint8_t *out;

	for (uint32_t i = 0; i < t->choice_n; i++) {
		list[n] = t->choice[i];
		list[n].last = MIN(list[n].last, m->files_n - 1);
		n += list[n].first <= list[n].last;
	}
	must(files_wish(m, NULL, list, n, &out, &why) == E_OK);
	xfree(list);
	return out;
}

struct file_wish *files_of_link(const struct metainfo *bare, uint32_t *n)
{
	struct file_wish *list = NULL;
	struct magnet g;

	*n = 0;
	if (magnet_parse((const char *)bare->raw.p, bare->raw.n, &g, NULL) != E_OK)
		return NULL;
	if (g.ranges_n > 0) {
		list = xcalloc(g.ranges_n + 1, sizeof *list);
		list[(*n)++] = (struct file_wish){0, UINT32_MAX, PRIORITY_SKIP};
	}
	for (uint32_t i = 0; i < g.ranges_n; i++)
		list[(*n)++] =
			(struct file_wish){g.ranges[i].first, g.ranges[i].last, PRIORITY_NORMAL};
	magnet_fini(&g);
	return list;
}
