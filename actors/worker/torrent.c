/* SPDX-License-Identifier: MIT */
/*
 * A torrent as a worker knows it: its files' names and flags, and which of them are to be synced.
 *
 * A leaf, like table.c: what is kept in the struct alone, without a file call.
 */
#include "actors/worker/priv.h"

#include <stdio.h>

#include "actors/kernel/log.h"

uint8_t *worker_flags(struct wtorrent *t, uint32_t file)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	if (t->files == NULL)
		t->files = xcalloc(t->meta->files_n + 1, sizeof *t->files);
	if (t->ids == NULL)
		t->ids = xcalloc(t->meta->files_n + 1, sizeof *t->ids);
	return &t->files[file].flags;
}

const char *worker_path(const struct wtorrent *t, uint32_t file)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	return file == part_file(t) ? t->part : t->meta->files[file].path;
}

void worker_file_list(struct wtorrent *t, uint32_t file)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	if (*worker_flags(t, file) & WFILE_LISTED)
		return;
	if (t->unsynced_n == t->unsynced_room) {
		t->unsynced_room = MAX(16, t->unsynced_room * 2);
		t->unsynced = xrealloc(t->unsynced, t->unsynced_room * sizeof *t->unsynced);
	}
	t->files[file].flags |= WFILE_LISTED;
	t->unsynced[t->unsynced_n++] = file;
}

void worker_words(struct words *out, const struct wtorrent *t, const struct wfail *f)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	char safe[160];
	const char *name = f->file == WFILE_DIR ? t->path : worker_path(t, f->file);

	snprintf(out->text, sizeof out->text, "%s '%s': %s", f->op,
		log_safe(name, safe, sizeof safe), err_words(f->err));
}
