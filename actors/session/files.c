/* SPDX-License-Identifier: MIT */
/*
 * Which files of a torrent are wanted, and what follows from it for store, peers and the numbers.
 *
 * The store is told first: it decides where the data of a skipped file goes before peers fetch any
 * of it.  All files normal is NULL everywhere, and costs nothing.
 */
#include "actors/session/priv.h"

#include "proto/base/priority.h"
#include "proto/meta/wanted.h"

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
	const uint8_t *now = t->wishes.file_priority;

	CHECK_OBJ(t, TORRENT_MAGIC);
	if (priority == NULL || now == NULL)
		return priority == now;
	return memcmp(priority, now, t->meta->files_n) == 0;
}

bool files_skip(const struct torrent *t)
{
	const struct wishes *w = &t->wishes;

	CHECK_OBJ(t, TORRENT_MAGIC);
	return w->file_priority != NULL &&
	       memchr(w->file_priority, PRIORITY_SKIP, w->file_priority_n) != NULL;
}

/* While peers have it they tell what is left. */
void torrent_count_wanted(struct torrent *t)
{
	const struct bitfield *have =
		t->have.bits == 0 && t->record != NULL ? &t->record->synced : &t->have;

	CHECK_OBJ(t, TORRENT_MAGIC);
	t->wanted = wanted_left(t->meta, t->wishes.file_priority, NULL);
	if (t->attached)
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
