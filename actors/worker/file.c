/* SPDX-License-Identifier: MIT */
/*
 * Open files of a worker: few, the least recently used one closes first.
 *
 * A torrent's directory is a descriptor like its files, so that idle torrents cost none.  When it
 * is opened again it must be the same directory: if its volume went away meanwhile, what is there
 * now is the empty mount point, where nothing may be created.
 *
 * A file that was once there is never made again: whoever takes it away, replaces it or cuts it
 * short has its pieces, and to write on would make a file of holes.  So what tells each file from
 * others is kept, and compared whenever it is opened; before a write the file must still have a
 * name and its full length.
 *
 * Nothing is written to a file that is short, as a write behind a cut would hide it.  Who makes a
 * file gives it its length at once; one that the store found short gets it from who writes first,
 * if it is to the nanosecond as the store has seen it.  So a file that is short was cut, and a cut
 * stays visible, to the next sync or start.
 *
 * Invariants: a slot in use is named by exactly one wfile.slot or dir_slot; the list holds the used
 * slots, latest first; places are stored plus one, so that 0 says none.
 */
#include "actors/worker/priv.h"

#include "actors/kernel/log.h"

#define FDS_SHED  8u                /* closed at a time when the process has no descriptors left */
#define FDS_LEAST STORE_FILES_LEAST /* a directory, a file and room to breathe */

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
	CHECK_OBJ(w, WORKER_MAGIC);
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
	CHECK_OBJ(w, WORKER_MAGIC);
	while (w->fds.head != 0)
		close_slot(&w->fds, w->fds.head);
	xfree(w->fds.v);
	w->fds.v = NULL;
}

void worker_fds_close(struct worker *w, struct wtorrent *t)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	for (uint16_t i = 0; i < w->fds.n; i++)
		if (w->fds.v[i].t == t)
			close_slot(&w->fds, (uint16_t)(i + 1));
}

bool worker_fds_shed(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	unsigned n = 0;

	for (; n < FDS_SHED && w->fds.tail != 0; n++)
		close_slot(&w->fds, w->fds.tail);
	return n > 0;
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
	CHECK_OBJ(t, WTORRENT_MAGIC);
	struct fs_stat st;
	enum err err = E_OK;
	int fd = fs_dir_open(t->root, t->root, &err);

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

static int make_dir(struct worker *w, struct wtorrent *t, enum err *err)
{
	size_t made;
	int fd;

	*err = worker_root_check(t);
	if (*err != E_OK && !(*err == E_NOENT && t->make_root && !t->root_known))
		return -1;
	t->dir_made = true;
	fd = fs_dir_make(t->root, t->path, t->make_root, &made, err);
	if (made > 0)
		worker_note(w, t, NOTE_DIR_MADE, (uint32_t)made);
	return fd;
}

int worker_dir(struct worker *w, struct wtorrent *t, bool create, enum err *err)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	CHECK_OBJ(t, WTORRENT_MAGIC);
	int fd = touch_slot(&w->fds, t->dir_slot);

	if (fd >= 0)
		return fd;
	do
		fd = fs_dir_open(t->root, t->path, err);
	while (fd < 0 && *err == E_NFILES && worker_fds_shed(w));
	if (fd < 0 && *err == E_NOENT && create && !t->dir_known)
		fd = make_dir(w, t, err);
	if (fd < 0)
		return -1;
	*err = check_dir(t, fd);
	if (*err == E_OK)
		return keep_fd(&w->fds, t, WFILE_DIR, fd, false);
	fs_close(fd);
	return -1;
}

void worker_dir_verify(struct worker *w, struct wtorrent *t)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	CHECK_OBJ(t, WTORRENT_MAGIC);
	enum err err = E_OK;
	int fd;

	if (t->dir_slot == 0)
		return;
	fd = fs_dir_open(t->root, t->path, &err);
	if (fd >= 0) {
		err = check_dir(t, fd);
		fs_close(fd);
	}
	if (err != E_OK && err != E_NFILES)
		close_slot(&w->fds, t->dir_slot);
}

/* --- files --- */

/* A file that has had its full length keeps it. */
static enum err check_size(struct wtorrent *t, uint32_t file, const struct fs_stat *st)
{
	if (file == part_file(t)) /* grows with what is in it */
		return E_OK;
	if (st->size >= t->meta->files[file].length)
		t->files[file].flags |= WFILE_WHOLE;
	else if (t->files[file].flags & WFILE_WHOLE)
		return E_CHANGED;
	return E_OK;
}

/* What was opened is what was there before. */
static enum err identify(struct worker *w, struct wtorrent *t, uint32_t file, int fd, bool made)
{
	struct fs_stat st;
	enum err err = fs_stat_fd(fd, &st);
	uint64_t id;

	if (err != E_OK)
		return err;
	id = file_id(st.inode, st.born_ns);
	if (t->ids[file] == 0) {
		t->ids[file] = id;
		worker_note_seen(w, t, file, made);
	}
	return t->ids[file] != id ? E_CHANGED : check_size(t, file, &st);
}

enum err worker_file_intact(struct wtorrent *t, uint32_t file, int fd)
{
	struct fs_stat st;
	enum err err = fs_stat_fd(fd, &st);

	if (err != E_OK)
		return err;
	return st.links == 0 ? E_NOENT : check_size(t, file, &st);
}

static const struct file_stamp *find_short(const struct wtorrent *t, uint32_t file)
{
	uint32_t low = 0, high = t->shorts_n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (t->shorts[mid].file < file)
			low = mid + 1;
		else
			high = mid;
	}
	return low < t->shorts_n && t->shorts[low].file == file ? &t->shorts[low] : NULL;
}

/*
 * Nobody has written to the file, or cut it, since it was found short: it may be made longer.  One
 * that another worker has just made gets its length from that one.
 */
static enum err may_grow(struct wtorrent *t, uint32_t file, int fd)
{
	const struct file_stamp *was = find_short(t, file);
	struct fs_stat st;
	enum err err = was != NULL ? fs_stat_fd(fd, &st) : fs_stat_born(fd, &st);

	if (err != E_OK)
		return err;
	if (was != NULL && st.size == was->size && st.mtime_ns == was->mtime_ns)
		return E_OK;
	return st.size < t->meta->files[file].length ? E_CHANGED : E_OK;
}

/* A short file gets its full length, as a hole, before anything is written to it. */
static enum err fit_file(struct wtorrent *t, uint32_t file, int fd)
{
	enum err err = E_OK;

	if (file == part_file(t) || (t->files[file].flags & WFILE_WHOLE))
		return E_OK;
	if (!(t->files[file].flags & WFILE_CREATED))
		err = may_grow(t, file, fd);
	if (err == E_OK)
		err = fs_truncate(fd, t->meta->files[file].length);
	if (err == E_OK)
		t->files[file].flags |= WFILE_WHOLE;
	return err;
}

/* It is what it was, and whole. */
static int ready_to_write(
	struct worker *w, struct wtorrent *t, uint32_t file, int fd, bool made, enum err *err)
{
	*err = identify(w, t, file, fd, made);
	if (*err == E_OK)
		*err = fit_file(t, file, fd);
	if (*err == E_OK)
		return fd;
	fs_close(fd);
	return -1;
}

static int open_known(struct worker *w, struct wtorrent *t, uint32_t file, int dir, enum err *err)
{
	int fd = fs_open_at(dir, worker_path(t, file), FS_WRITE, err);

	return fd < 0 ? -1 : ready_to_write(w, t, file, fd, false, err);
}

static int make_file(struct worker *w, struct wtorrent *t, uint32_t file, int dir, enum err *err)
{
	const char *path = worker_path(t, file);
	struct fs_stat st = {0};
	int fd = fs_open_at(dir, path, FS_MAKE, err);

	if (fd < 0 && *err == E_EXISTS) { /* another worker was faster, or it is no file */
		*err = fs_stat_at(dir, path, &st);
		if (*err == E_OK)
			*err = st.in_place;
		return *err == E_OK ? open_known(w, t, file, dir, err) : -1;
	}
	if (fd < 0)
		return -1;
	t->files[file].flags |= WFILE_CREATED;
	worker_file_list(t, file);
	if (file != part_file(t) && t->meta->files[file].executable)
		(void)fs_make_executable(fd); /* where the file system knows such a thing */
	return ready_to_write(w, t, file, fd, true, err);
}

static int open_to_write(struct worker *w, struct wtorrent *t, uint32_t file, enum err *err)
{
	int dir = worker_dir(w, t, true, err), fd;

	if (dir < 0)
		return -1;
	fd = open_known(w, t, file, dir, err);
	if (fd < 0 && *err == E_NOENT && t->ids[file] == 0)
		fd = make_file(w, t, file, dir, err);
	return fd;
}

static int open_to_read(struct worker *w, struct wtorrent *t, uint32_t file, enum err *err)
{
	int dir = worker_dir(w, t, false, err);
	int fd = dir < 0 ? -1 : fs_open_at(dir, worker_path(t, file), FS_READ, err);

	if (fd < 0)
		return -1;
	*err = identify(w, t, file, fd, false);
	if (*err == E_OK)
		return fd;
	fs_close(fd);
	return -1;
}

void worker_file_close(struct worker *w, struct wtorrent *t, uint32_t file)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	CHECK_OBJ(t, WTORRENT_MAGIC);
	if (t->files != NULL && t->files[file].slot != 0)
		close_slot(&w->fds, t->files[file].slot);
}

void worker_files_known(struct worker *w, struct wtorrent *t, struct m_worker_files *v)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	(void)worker_flags(t, 0);
	for (uint32_t i = 0; i <= t->meta->files_n; i++) {
		if (t->ids[i] != v->ids[i])
			worker_file_close(w, t, i);
		t->ids[i] = v->ids[i];
		t->files[i].flags &= (uint8_t) ~(WFILE_WHOLE | WFILE_CREATED);
		if (t->ids[i] != 0)
			t->files[i].flags |= WFILE_WHOLE;
	}
	xfree(t->shorts);
	t->shorts = v->shorts;
	t->shorts_n = v->shorts_n;
	v->shorts = NULL;
	v->shorts_n = 0;
	for (uint32_t i = 0; i < t->shorts_n; i++) {
		must(t->shorts[i].file < t->meta->files_n);
		t->files[t->shorts[i].file].flags &= (uint8_t)~WFILE_WHOLE;
	}
}

int worker_file(
	struct worker *w, struct wtorrent *t, uint32_t file, enum fs_mode mode, enum err *err)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	CHECK_OBJ(t, WTORRENT_MAGIC);
	uint16_t at;
	int fd;

	(void)worker_flags(t, file);
	at = t->files[file].slot;
	if (at != 0 && mode == FS_WRITE && !w->fds.v[at - 1].writable)
		close_slot(&w->fds, at);
	fd = touch_slot(&w->fds, t->files[file].slot);
	if (fd >= 0)
		return fd;
	do
		fd = mode == FS_WRITE ? open_to_write(w, t, file, err)
				      : open_to_read(w, t, file, err);
	while (fd < 0 && *err == E_NFILES && worker_fds_shed(w));
	return fd < 0 ? -1 : keep_fd(&w->fds, t, file, fd, mode == FS_WRITE);
}
