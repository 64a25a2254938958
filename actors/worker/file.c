/* SPDX-License-Identifier: MIT */
/*
 * Open files of a worker: few, the least recently used one closes first.
 *
 * A torrent's directory is a descriptor like its files, so that idle torrents cost none.  When it
 * is opened again it must be the same directory: if its volume went away meanwhile, what is there
 * now is the empty mount point, where nothing may be created.
 *
 * Invariants: a slot in use is named by exactly one wfile.slot or dir_slot; the list holds the used
 * slots, latest first; places are stored plus one, so that 0 says none.
 */
#include "actors/worker/priv.h"

#include "actors/kernel/log.h"

#define FDS_LEAST 4u /* a directory, a file and room to breathe */

static uint16_t *slot_of(struct wtorrent *t, uint32_t file)
{
	return file == WFILE_DIR ? &t->dir_slot : &t->files[file].slot;
}

static void unlink_slot(struct wfds *c, uint16_t at)
{
	struct wfd *d = &c->v[at - 1];

	*(d->prev ? &c->v[d->prev - 1].next : &c->head) = d->next;
	*(d->next ? &c->v[d->next - 1].prev : &c->tail) = d->prev;
}

static void push_slot(struct wfds *c, uint16_t at)
{
	struct wfd *d = &c->v[at - 1];

	d->prev = 0;
	d->next = c->head;
	*(c->head ? &c->v[c->head - 1].prev : &c->tail) = at;
	c->head = at;
}

static void close_slot(struct wfds *c, uint16_t at)
{
	struct wfd *d = &c->v[at - 1];

	unlink_slot(c, at);
	fs_close(d->fd);
	*slot_of(d->t, d->file) = 0;
	*d = (struct wfd){.fd = -1, .next = c->free};
	c->free = at;
}

/* The descriptor, now the latest used; -1 when it is not open. */
static int touch_slot(struct wfds *c, uint16_t at)
{
	if (at == 0)
		return -1;
	if (c->head != at) {
		unlink_slot(c, at);
		push_slot(c, at);
	}
	return c->v[at - 1].fd;
}

static int keep_fd(struct wfds *c, struct wtorrent *t, uint32_t file, int fd, bool writable)
{
	uint16_t at;

	if (c->free == 0)
		close_slot(c, c->tail);
	at = c->free;
	c->free = c->v[at - 1].next;
	c->v[at - 1] = (struct wfd){.t = t, .file = file, .fd = fd, .writable = writable};
	push_slot(c, at);
	*slot_of(t, file) = at;
	return fd;
}

void worker_fds_init(struct worker *w, unsigned limit)
{
	struct wfds *c = &w->fds;

	c->n = (uint16_t)MIN(MAX(limit, FDS_LEAST), UINT16_MAX - 1);
	c->v = xcalloc(c->n, sizeof *c->v);
	for (uint16_t i = c->n; i > 0; i--) {
		c->v[i - 1] = (struct wfd){.fd = -1, .next = c->free};
		c->free = i;
	}
}

void worker_fds_fini(struct worker *w)
{
	while (w->fds.head != 0)
		close_slot(&w->fds, w->fds.head);
	xfree(w->fds.v);
	w->fds.v = NULL;
}

void worker_fds_close(struct worker *w, struct wtorrent *t)
{
	for (uint16_t i = 0; i < w->fds.n; i++)
		if (w->fds.v[i].t == t)
			close_slot(&w->fds, (uint16_t)(i + 1));
}

/* --- the directory --- */

/* The directory is the one that was there before; remembers it when it is seen for the first time.
 */
static enum err check_dir(struct wtorrent *t, int fd)
{
	struct fs_stat st;
	enum err err = fs_stat_fd(fd, &st);

	if (err != E_OK)
		return err;
	if (t->dir_known && (t->device != st.device || t->inode != st.inode))
		return E_CHANGED;
	t->dir_known = true;
	t->device = st.device;
	t->inode = st.inode;
	return E_OK;
}

enum err worker_root_check(struct wtorrent *t)
{
	struct fs_stat st;
	enum err err = E_OK;
	int fd = fs_dir_open(t->root, t->root, false, false, &err);

	if (fd < 0)
		return err;
	err = fs_stat_fd(fd, &st);
	fs_close(fd);
	if (err != E_OK)
		return err;
	if (t->root_known && t->root_device != st.device)
		return E_CHANGED;
	t->root_known = true;
	t->root_device = st.device;
	return E_OK;
}

static int make_dir(struct wtorrent *t, enum err *err)
{
	*err = worker_root_check(t);
	if (*err != E_OK && !(*err == E_NOENT && t->make_root && !t->root_known))
		return -1;
	t->dir_made = true;
	return fs_dir_open(t->root, t->path, true, t->make_root, err);
}

int worker_dir(struct worker *w, struct wtorrent *t, bool create, enum err *err)
{
	int fd = touch_slot(&w->fds, t->dir_slot);

	if (fd >= 0)
		return fd;
	fd = fs_dir_open(t->root, t->path, false, false, err);
	if (fd < 0 && *err == E_NOENT && create && !t->dir_known)
		fd = make_dir(t, err);
	if (fd < 0)
		return -1;
	*err = check_dir(t, fd);
	if (*err == E_OK)
		return keep_fd(&w->fds, t, WFILE_DIR, fd, false);
	fs_close(fd);
	return -1;
}

/* --- files --- */

/* After the first opening for writing: a new or short file gets its full length, as a hole. */
static enum err fit_file(struct wtorrent *t, uint32_t file, int fd, const struct fs_stat *before)
{
	enum err err = E_OK;

	if (!before->exists) {
		t->files[file].flags |= WFILE_CREATED;
		worker_file_list(t, file);
	}
	if (file == part_file(t)) /* grows with what is in it */
		return E_OK;
	if (!before->exists && t->meta->files[file].executable)
		(void)fs_make_executable(fd); /* where the file system knows such a thing */
	if (!before->exists || before->size < t->meta->files[file].length)
		err = fs_truncate(fd, t->meta->files[file].length);
	if (err == E_OK)
		t->files[file].flags |= WFILE_LOOKED;
	return err;
}

static int open_to_write(struct worker *w, struct wtorrent *t, uint32_t file, enum err *err)
{
	const char *path = worker_path(t, file);
	int dir = worker_dir(w, t, true, err);
	struct fs_stat before;
	int fd;

	if (dir < 0)
		return -1;
	if (t->files[file].flags & WFILE_LOOKED)
		return fs_open_at(dir, path, FS_WRITE, err);
	*err = fs_stat_at(dir, path, &before);
	if (*err == E_OK && before.exists && !before.regular)
		*err = E_PATH;
	if (*err != E_OK)
		return -1;
	fd = fs_open_at(dir, path, FS_WRITE, err);
	if (fd < 0)
		return -1;
	*err = fit_file(t, file, fd, &before);
	if (*err == E_OK)
		return fd;
	fs_close(fd);
	return -1;
}

static int open_to_read(struct worker *w, struct wtorrent *t, uint32_t file, enum err *err)
{
	int dir = worker_dir(w, t, false, err);

	return dir < 0 ? -1 : fs_open_at(dir, worker_path(t, file), FS_READ, err);
}

const char *worker_path(const struct wtorrent *t, uint32_t file)
{
	return file == part_file(t) ? t->part : t->meta->files[file].path;
}

uint8_t *worker_flags(struct wtorrent *t, uint32_t file)
{
	if (t->files == NULL)
		t->files = xcalloc(t->meta->files_n + 1, sizeof *t->files);
	return &t->files[file].flags;
}

void worker_file_close(struct worker *w, struct wtorrent *t, uint32_t file)
{
	if (t->files != NULL && t->files[file].slot != 0)
		close_slot(&w->fds, t->files[file].slot);
}

int worker_file(
	struct worker *w, struct wtorrent *t, uint32_t file, enum fs_mode mode, enum err *err)
{
	uint16_t at;
	int fd;

	(void)worker_flags(t, file);
	at = t->files[file].slot;
	if (at != 0 && mode == FS_WRITE && !w->fds.v[at - 1].writable)
		close_slot(&w->fds, at);
	fd = touch_slot(&w->fds, t->files[file].slot);
	if (fd >= 0)
		return fd;
	fd = mode == FS_WRITE ? open_to_write(w, t, file, err) : open_to_read(w, t, file, err);
	return fd < 0 ? -1 : keep_fd(&w->fds, t, file, fd, mode == FS_WRITE);
}

void worker_file_list(struct wtorrent *t, uint32_t file)
{
	if (*worker_flags(t, file) & WFILE_LISTED)
		return;
	if (t->unsynced_n == t->unsynced_room) {
		t->unsynced_room = MAX(16, t->unsynced_room * 2);
		t->unsynced = xrealloc(t->unsynced, t->unsynced_room * sizeof *t->unsynced);
	}
	t->files[file].flags |= WFILE_LISTED;
	t->unsynced[t->unsynced_n++] = file;
}

bool worker_prepare(struct worker *w, struct wtorrent *t, struct wfail *f)
{
	if (t->prepared)
		return true;
	for (uint32_t i = 0; i < t->meta->files_n; i++) {
		const struct metainfo_file *mf = &t->meta->files[i];
		enum err err = E_OK;

		if (mf->pad || mf->length > 0 || (*worker_flags(t, i) & WFILE_SKIPPED) ||
			worker_file(w, t, i, FS_WRITE, &err) >= 0)
			continue;
		*f = (struct wfail){.err = err, .file = i, .op = "create"};
		return false;
	}
	t->prepared = true;
	return true;
}
