/* SPDX-License-Identifier: MIT */
/*
 * Removes a torrent's files, then the directories that this left empty.
 *
 * Only files and links that the metainfo names, the part file, and directories on the way to them;
 * of the target directory and what lies above it only what was made for the torrent.  What belongs
 * to others keeps its directory.
 */
#include "actors/worker/priv.h"

#include <limits.h>

static void remember(
	struct m_worker_delete *m, struct wtorrent *t, enum err *first, const struct wfail *f)
{
	if (*first != E_OK)
		return;
	*first = f->err;
	worker_words(&m->why, t, f);
}

void worker_remove_dirs(int dir, const char *path)
{
	char part[METAINFO_PATH_MAX + 1];
	size_t n = strlen(path);

	if (n >= sizeof part)
		return;
	memcpy(part, path, n + 1);
	for (char *slash; (slash = strrchr(part, '/')) != NULL;) {
		enum err err;

		*slash = '\0';
		err = fs_rmdir_at(dir, part);
		if (err != E_OK && err != E_NOENT)
			break;
	}
}

void worker_remove_made(const char *root, const char *path, size_t made)
{
	char part[PATH_MAX];
	size_t n = strlen(path), least = strlen(root);

	if (n >= sizeof part || made > n)
		return;
	memcpy(part, path, n + 1);
	for (char *slash; n > MAX(strlen(path) - made, least); n = (size_t)(slash - part)) {
		enum err err = E_OK;
		int dir;

		slash = strrchr(part, '/');
		*slash = '\0';
		dir = fs_dir_open(root, slash > part ? part : "/", &err);
		if (dir >= 0) {
			err = fs_rmdir_at(dir, slash + 1);
			fs_close(dir);
		}
		if (err != E_OK && err != E_NOENT)
			return;
	}
}

/* Same directory as the file before: it was tried already. */
static bool same_dir(const char *a, const char *b)
{
	const char *sa = strrchr(a, '/'), *sb = strrchr(b, '/');
	size_t na = sa != NULL ? (size_t)(sa - a) : 0, nb = sb != NULL ? (size_t)(sb - b) : 0;

	return na == nb && strncmp(a, b, na) == 0;
}

static bool is_never_made(const struct metainfo_file *f)
{
	return f->pad && f->symlink == NULL;
}

/* What stands on the way to a link's place is not ours, so there is no link of ours behind it. */
static bool is_elsewhere(const struct wtorrent *t, uint32_t file, enum err err)
{
	return file < part_file(t) && t->meta->files[file].symlink != NULL && fs_is_obstacle(err);
}

static enum err delete_files(struct worker *w, struct wtorrent *t, struct m_worker_delete *m)
{
	enum err first = E_OK, err = E_OK;
	int dir = worker_dir(w, t, false, &err);
	const char *last = "";

	if (dir < 0) {
		if (err != E_NOENT) /* nothing there: nothing to delete */
			remember(m, t, &first,
				&(struct wfail){.err = err, .file = WFILE_DIR, .op = "open"});
		return first;
	}
	for (uint32_t i = 0; i <= part_file(t); i++) {
		if (i < part_file(t) && t->meta->files[i].symlink != NULL)
			err = fs_link_drop(dir, worker_path(t, i), t->meta->files[i].symlink);
		else if (i < part_file(t) && t->meta->files[i].pad)
			continue;
		else
			err = fs_unlink_at(dir, worker_path(t, i));
		if (err != E_OK && err != E_NOENT && !is_elsewhere(t, i, err))
			remember(m, t, &first,
				&(struct wfail){.err = err, .file = i, .op = "delete"});
	}
	for (uint32_t i = 0; i < t->meta->files_n; i++) {
		if (is_never_made(&t->meta->files[i]) || same_dir(last, t->meta->files[i].path))
			continue;
		last = t->meta->files[i].path;
		worker_remove_dirs(dir, last);
	}
	return first;
}

void worker_on_delete(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct m_worker_delete *d = MSG_AS(WORKER_DELETE, *m);
	struct wtorrent *t = worker_find(w, d->t);
	enum err err;

	if (t == NULL) {
		actor_reply(a, m, E_NOT_FOUND);
		return;
	}
	worker_queue_run(w);
	worker_pieces_forget(w, t, E_OK);
	worker_fds_close(w, t);
	err = delete_files(w, t, d);
	if (err == E_OK)
		worker_remove_made(t->root, t->path, d->made);
	actor_reply(a, m, err);
}
