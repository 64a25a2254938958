/* SPDX-License-Identifier: MIT */
/*
 * Which files are wanted, and so whether their bytes lie in them or in the part file.
 *
 * That is decided when a torrent is opened and when wishes change.  A file that becomes wanted gets
 * what the part file has of it (part.c); one that is not wanted, and not there, is never made.
 */
#include "actors/worker/priv.h"

static bool fail(struct wfail *f, uint32_t file, const char *op, enum err err)
{
	*f = (struct wfail){.err = err, .file = file, .op = op};
	return false;
}

static bool exists(struct worker *w, struct wtorrent *t, uint32_t file, bool *yes, struct wfail *f)
{
	struct fs_stat st = {0};
	enum err err = E_OK;
	int dir = worker_dir(w, t, false, &err);

	*yes = false;
	if (dir < 0)
		return err == E_NOENT || fail(f, WFILE_DIR, "open", err);
	err = fs_stat_at(dir, worker_path(t, file), &st);
	*yes = st.regular;
	return err == E_OK || fs_is_obstacle(err) || fail(f, file, "look at", err);
}

/* A file whose move fails stays where it is, and is tried again when wishes change or at the start.
 */
static bool place_file(
	struct worker *w, struct wtorrent *t, uint32_t file, bool skip, struct wfail *f)
{
	uint8_t *flags = worker_flags(t, file);
	bool there, was = *flags & WFILE_SKIPPED;
	enum err err = E_OK;

	*flags = (uint8_t)((*flags & ~WFILE_SKIPPED) | (skip ? WFILE_SKIPPED : 0));
	if (t->meta->files[file].symlink != NULL && !skip && was && t->dir_known)
		worker_link_make(w, t, file);
	if (t->meta->files[file].pad)
		return true;
	if (t->meta->files[file].length == 0) /* there may be no write any more that makes it */
		return skip || !was || !t->dir_known ||
		       worker_file(w, t, file, FS_WRITE, &err) >= 0 || fail(f, file, "create", err);
	if (skip && !(*flags & WFILE_PARTED)) {
		if (!exists(w, t, file, &there, f))
			return false;
		*flags |= there ? 0 : WFILE_PARTED;
		t->parted_n += !there;
	} else if (!skip && (*flags & WFILE_PARTED)) {
		if (!worker_part_move(w, t, file, f))
			return false;
		*flags &= (uint8_t)~WFILE_PARTED;
		t->parted_n--;
	}
	return true;
}

/* Units of this worker's pieces that should not be there: a move was interrupted. */
static bool find_moved(struct worker *w, struct wtorrent *t, struct wfail *f)
{
	struct part_unit *units;
	uint32_t n;
	bool ok = worker_part_list(w, t, &units, &n, f);

	for (uint32_t i = 0; i < n; i++)
		if (!(t->files[units[i].file].flags & WFILE_PARTED) &&
			tref_worker(t->t, units[i].piece, w->workers) == w->index)
			worker_part_remember(t, units[i].piece, units[i].file, !units[i].whole);
	xfree(units);
	return ok;
}

/* Without it there is nothing that a move could have left. */
static bool has_part(const struct wtorrent *t, const struct m_worker_files *v)
{
	return v->ids == NULL || v->ids[part_file(t)] != 0;
}

void worker_on_files(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct m_worker_files *v = MSG_AS(WORKER_FILES, *m);
	struct wtorrent *t = worker_find(w, v->t);
	struct wfail f = {0};
	enum err err = E_OK;

	if (t == NULL || (v->file_priority != NULL && v->file_priority_n != t->meta->files_n) ||
		(v->ids != NULL && v->ids_n != t->meta->files_n + 1)) {
		actor_reply(a, m, t == NULL ? E_NOT_FOUND : E_RANGE);
		return;
	}
	worker_queue_run(w);
	worker_file_close(w, t, part_file(t)); /* another worker may have removed it */
	if (v->ids != NULL) {
		worker_pieces_forget(w, t, E_OK); /* the store has what is left of them */
		worker_files_known(w, t, v);
	} else if (t->ids != NULL && t->parted_n == 0)
		t->ids[part_file(t)] = 0; /* a new one may be made */
	t->prepared = false;
	for (uint32_t i = 0; i < t->meta->files_n; i++) {
		bool skip = v->file_priority != NULL && v->file_priority[i] == 0;

		if (!place_file(w, t, i, skip, &f) && err == E_OK) {
			err = f.err;
			worker_words(&v->why, t, &f);
		}
	}
	if (!t->placed && err == E_OK && has_part(t, v) && !find_moved(w, t, &f)) {
		err = f.err;
		worker_words(&v->why, t, &f);
	}
	t->placed |= err == E_OK;
	/* It may have been emptied while another file could still have come to it; not removed
	 * here, because other workers have not heard yet. */
	t->part_idle = t->parted_n == 0;
	worker_notes_flush(w);
	actor_reply(a, m, err);
}
