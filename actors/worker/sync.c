/* SPDX-License-Identifier: MIT */
/*
 * What was written becomes durable: files, then the names of files that were made.
 *
 * A sync that fails is not tried again: the system has marked the pages clean and the second one
 * would say yes to data that never reached the disk.  So the torrent is suspect until a later sync
 * works: incomplete pieces are given up, and pieces that are hashed meanwhile are written again
 * from what was read (hash.c), which makes their pages dirty once more.
 */
#include "actors/worker/priv.h"

#include <limits.h>

/* Directories above `path`, as seen from the target directory, that hold a name we may have made.
 */
static enum err sync_names(int dir, const char *path, const char *last)
{
	char part[METAINFO_PATH_MAX + 1];
	size_t n = strlen(path);

	if (n >= sizeof part)
		return E_PATH;
	memcpy(part, path, n + 1);
	for (;;) {
		char *slash = strrchr(part, '/');
		size_t up = slash != NULL ? (size_t)(slash - part) : 0;
		bool known = last != NULL && strncmp(last, part, up) == 0 && last[up] == '/';
		enum err err = known && up > 0 ? E_OK : fs_sync_dir_at(dir, part);

		if (err != E_OK || slash == NULL || known)
			return err;
		*slash = '\0';
	}
}

/*
 * The names of the root and of what lies above it, which may have been made with it.  Links in them
 * are the operator's and are followed; a directory that cannot be opened was not made by us.
 */
static enum err sync_root_names(struct wtorrent *t)
{
	char part[PATH_MAX];
	size_t n = strlen(t->root);
	char *slash;

	if (n >= sizeof part)
		return E_PATH;
	memcpy(part, t->root, n + 1);
	while ((slash = strrchr(part, '/')) != NULL && slash[1] != '\0') {
		char name[PATH_MAX];
		enum err err = E_OK;
		int dir;

		memcpy(name, slash + 1, strlen(slash + 1) + 1);
		slash[slash == part] = '\0';
		dir = fs_dir_open(part, part, &err);
		if (dir < 0)
			return err == E_PERM ? E_OK : err;
		err = fs_sync_dir_at(dir, name);
		fs_close(dir);
		if (err != E_OK)
			return err;
	}
	return E_OK;
}

/* The names from the root down to the target directory, and the root's own when we may make it. */
static enum err sync_above(struct wtorrent *t)
{
	enum err err = E_OK;
	const char *rest = t->path + strlen(t->root);
	int root = fs_dir_open(t->root, t->root, &err);

	if (root < 0)
		return err;
	rest += strspn(rest, "/");
	if (*rest != '\0')
		err = sync_names(root, rest, NULL);
	fs_close(root);
	if (err == E_OK && t->make_root)
		err = sync_root_names(t);
	return err;
}

static enum err sync_file(struct worker *w, struct wtorrent *t, uint32_t file,
	struct file_stamp *stamp, const char **last)
{
	enum err err = E_OK;
	struct fs_stat st;
	int dir, fd = worker_file(w, t, file, FS_READ, &err);

	if (fd >= 0)
		err = fs_datasync(fd); /* whatever has become of its name */
	if (err == E_OK)
		err = fs_stat_fd(fd, &st);
	if (err != E_OK || !(t->files[file].flags & WFILE_CREATED))
		goto out;
	dir = worker_dir(w, t, false, &err);
	if (dir >= 0)
		err = sync_names(dir, worker_path(t, file), *last);
	*last = worker_path(t, file);
out:
	if (err == E_OK)
		worker_stamp(stamp, file, &st);
	return err;
}

/* What has the file's name: the store compares it with what it knows. */
static void look_at_name(
	struct worker *w, struct wtorrent *t, struct m_worker_sync *s, uint32_t file)
{
	struct fs_stat st = {0};
	enum err err = E_OK;
	int dir = worker_dir(w, t, false, &err);

	if (file == part_file(t) ? t->parted_n == 0 : t->meta->files[file].pad)
		return;
	if (dir >= 0 && fs_stat_at(dir, worker_path(t, file), &st) == E_OK && !st.regular)
		st = (struct fs_stat){0};
	worker_stamp(&s->looks[s->looks_n++], file, &st);
}

static void look_at_names(struct worker *w, struct wtorrent *t, struct m_worker_sync *s)
{
	uint32_t first = MIN(s->look_first, t->meta->files_n);
	uint32_t n = MIN(s->look_n, t->meta->files_n - first);

	s->looks = xcalloc((size_t)n + 2 * (size_t)t->unsynced_n + 1, sizeof *s->looks);
	if (n + t->unsynced_n > 0)
		worker_dir_verify(w, t);
	for (uint32_t i = 0; i < t->unsynced_n; i++)
		look_at_name(w, t, s, t->unsynced[i]);
	for (uint32_t i = first; i < first + n; i++)
		look_at_name(w, t, s, i);
}

/*
 * All of them, also after one has failed: every file is off the list afterwards.  One that was
 * taken away is no failure of the disk; look_at_names() has told of it.
 */
static enum err sync_files(
	struct worker *w, struct wtorrent *t, struct m_worker_sync *s, struct wfail *f)
{
	const char *last = NULL;

	*f = (struct wfail){.op = "sync"};
	if (t->unsynced_n > 0)
		s->stamps = xcalloc(t->unsynced_n, sizeof *s->stamps);
	if (t->dir_made) {
		f->err = sync_above(t);
		f->file = WFILE_DIR;
		t->dir_made = f->err != E_OK;
		if (is_altered(f->err))
			f->err = E_OK;
	}
	for (uint32_t i = 0; i < t->unsynced_n; i++) {
		uint32_t file = t->unsynced[i];
		enum err err = sync_file(w, t, file, &s->stamps[s->stamps_n], &last);

		if (is_altered(err)) {
			if (file != part_file(t) || t->parted_n > 0)
				worker_stamp(&s->looks[s->looks_n++], file, &(struct fs_stat){0});
		} else if (err == E_OK) {
			s->stamps_n++;
			t->files[file].flags &= (uint8_t)~WFILE_CREATED;
		} else if (f->err == E_OK) {
			f->err = err;
			f->file = file;
		}
		t->files[file].flags &= (uint8_t) ~(WFILE_DIRTY | WFILE_LISTED);
	}
	t->unsynced_n = 0;
	return f->err;
}

/* Holes were made in it; nothing is lost if they are not durable. */
static void stamp_part(struct worker *w, struct wtorrent *t, struct m_worker_sync *s)
{
	enum err err = E_OK;
	struct fs_stat st;
	int fd = worker_file(w, t, part_file(t), FS_READ, &err);

	if (fd < 0 || fs_datasync(fd) != E_OK || fs_stat_fd(fd, &st) != E_OK)
		return;
	s->stamps = xrealloc(s->stamps, (s->stamps_n + 1) * sizeof *s->stamps);
	worker_stamp(&s->stamps[s->stamps_n++], part_file(t), &st);
}

void worker_on_sync(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct m_worker_sync *s = MSG_AS(WORKER_SYNC, *m);
	struct wtorrent *t = worker_find(w, s->t);
	struct wfail f;
	enum err err;

	if (t == NULL) {
		actor_reply(a, m, E_NOT_FOUND);
		return;
	}
	worker_queue_run(w);
	if (s->flush_partials)
		worker_pieces_flush(w, t);
	look_at_names(w, t, s);
	err = sync_files(w, t, s, &f);
	t->suspect = err != E_OK || (t->suspect && s->stamps_n == 0);
	if (worker_part_synced(w, t, err == E_OK))
		stamp_part(w, t, s);
	if (err != E_OK) {
		worker_words(&s->why, t, &f);
		worker_pieces_forget(w, t, err);
	}
	s->partials_n = worker_partials_list(t, &s->partials);
	worker_notes_flush(w);
	actor_reply(a, m, err);
}
