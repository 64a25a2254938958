/* SPDX-License-Identifier: MIT */
/*
 * Which files of a torrent are wanted, and how much.
 *
 * Transmission keeps the two apart; here a file that is not wanted has no priority.  So one that is
 * wanted again is normal, and the priority of one that is not wanted is not looked at.
 */
#include "http/transmission/set.h"
#include "proto/base/array.h"
#include "proto/base/priority.h"

static const struct list {
	const char *name;
	uint8_t priority;
	bool wants; /* it says that they are wanted, not how much */
} lists[] = {
	{"files_wanted", PRIORITY_NORMAL, true},
	{"files_unwanted", PRIORITY_SKIP, false},
	{"priority_high", PRIORITY_TOP, false},
	{"priority_low", PRIORITY_LOW, false},
	{"priority_normal", PRIORITY_NORMAL, false},
};

bool set_names_files(const struct rcall *c)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (rcall_arg(c, lists[i].name) != NULL)
			return true;
	return false;
}

static void apply(uint8_t *now, const struct list *l, const struct file_wish *wish)
{
	for (uint32_t i = wish->first; i <= wish->last; i++) {
		bool skipped = now[i] == PRIORITY_SKIP;

		if (l->wants ? skipped : l->priority == PRIORITY_SKIP || !skipped)
			now[i] = l->priority;
	}
}

/* false: a file that is not there. */
static bool apply_list(const struct rcall *c, const struct list *l, uint8_t *now, uint32_t n)
{
	struct file_wish *wishes = NULL;
	uint32_t wishes_n = 0;
	bool good = rcall_files(c, l->name, l->priority, &wishes, &wishes_n);

	for (uint32_t i = 0; i < wishes_n && good; i++) {
		struct file_wish *w = &wishes[i];

		if (w->last == UINT32_MAX)
			w->last = n - 1;
		good = w->last < n;
		if (good)
			apply(now, l, w);
	}
	xfree(wishes);
	return good;
}

/* What differs, as runs of files. */
static void write_runs(const struct torrent_view *t, const uint8_t *now, struct changes *s)
{
	struct file_wish *runs = NULL, run;
	uint32_t n = 0, room = 0;
	struct change *one;

	for (uint32_t i = 0; i < t->meta->files_n; i++) {
		if (now[i] == t->files[i].priority)
			continue;
		if (n > 0 && runs[n - 1].last + 1 == i && runs[n - 1].priority == now[i]) {
			runs[n - 1].last = i;
			continue;
		}
		run = (struct file_wish){i, i, now[i]};
		ARRAY_PUSH(runs, n, room, run);
	}
	if (n == 0)
		return;
	one = changes_add(s, t->infohash, TORRENT_FILES);
	one->files = runs;
	one->files_n = n;
}

const char set_no_file[] = "file index out of range";

/* Of a magnet whose files are not known: as they are named, for when they are. */
static const char *choose(const struct rcall *c, const struct torrent_view *t, struct changes *s)
{
	struct file_wish *wishes = NULL;
	uint32_t n = 0;
	struct change *one;
	bool good = true;

	for (size_t i = 0; i < ARRAY_LEN(lists) && good; i++)
		good = rcall_files(c, lists[i].name, lists[i].priority, &wishes, &n);
	if (!good) {
		xfree(wishes);
		return set_no_file;
	}
	one = changes_add(s, t->infohash, TORRENT_FILES);
	one->files = wishes;
	one->files_n = n;
	return NULL;
}

const char *set_files(struct rcall *c, const struct torrent_view *t, struct changes *s)
{
	uint32_t n = t->meta->files_n;
	bool good = true;
	uint8_t *now;

	if (!set_names_files(c))
		return NULL;
	if (t->meta->bare)
		return choose(c, t, s);
	now = xcalloc(MAX(n, 1u), 1);
	for (uint32_t i = 0; i < n; i++)
		now[i] = t->files[i].priority;
	for (size_t i = 0; i < ARRAY_LEN(lists) && good; i++)
		good = apply_list(c, &lists[i], now, n);
	if (good)
		write_runs(t, now, s);
	xfree(now);
	return good ? NULL : set_no_file;
}
