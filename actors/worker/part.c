/* SPDX-License-Identifier: MIT */
/*
 * The part file: what pieces have of files that are not wanted.
 *
 * A file that is not wanted and not there is never made.  A wanted piece at its edge brings bytes
 * of it along all the same, which are needed to verify and to serve the piece: they go to one
 * hidden file beside the torrent's, and are moved when the file is wanted after all.
 *
 * The part file is sparse and has no index.  A unit, what one piece has of one file, lies where
 * arithmetic puts it (proto/layout.h), so nothing can go out of step with the data at a crash, and
 * no unit shares a page of the file system with another, so the holes tell exactly which ones are
 * there.  Slots in order of arrival would save nothing but holes, and need a table that is synced
 * before the data it describes.
 *
 * Whether a file's bytes are in the part file is decided when the torrent is opened and when wishes
 * change: it is not wanted, and does not exist.  Each worker looks after the units of its own
 * pieces.  A move is: copy into the file; the next sync makes that durable; then the unit is
 * punched out.  A crash in between leaves a unit of a file that exists or is wanted.  Which of the
 * two copies is right is not guessed: the piece is hashed, first from the file, then with the unit,
 * and only what verified is copied again.
 *
 * Invariants: moved_n > 0 while the part file has something that is to be forgotten; the part file
 * is only removed when no file is in it and it has no data, which no worker then adds to before
 * all have closed it.
 */
#include "actors/worker/priv.h"

#include <stdio.h>

#include "proto/base/encode.h"

void worker_part_of(const struct metainfo *m, char out[48])
{
	char hex[2 * HASH_SHA1_SIZE + 1];

	hex_encode(m->infohash.v1, HASH_SHA1_SIZE, hex);
	snprintf(out, 48, ".%s.parts", hex);
}

void worker_part_name(struct wtorrent *t)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	worker_part_of(t->meta, t->part);
}

void worker_part_free(struct wtorrent *t)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	xfree(t->moved);
	t->moved = NULL;
}

static bool fail(struct wfail *f, uint32_t file, const char *op, enum err err)
{
	*f = (struct wfail){.err = err, .file = file, .op = op};
	return false;
}

static bool is_moved(const struct wtorrent *t, uint32_t piece, uint32_t file)
{
	for (uint32_t i = 0; i < t->moved_n; i++)
		if (t->moved[i].piece == piece && t->moved[i].file == file)
			return true;
	return false;
}

struct wplace worker_place(const struct wtorrent *t, uint32_t piece, const struct file_span *s)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	bool parted = t->files != NULL && (t->files[s->file].flags & WFILE_PARTED);

	if (parted || (t->salvage && is_moved(t, piece, s->file)))
		return (struct wplace){
			part_file(t), layout_part_offset(t->meta, piece, s->file, s->file_offset)};
	return (struct wplace){s->file, s->file_offset};
}

/* --- what is there --- */

/* Where a unit lies. */
struct range {
	uint64_t from, to;
};

static struct range range_of(const struct wtorrent *t, uint32_t piece, uint32_t file)
{
	struct file_span s = layout_unit(t->meta, piece, file);
	uint64_t from = layout_part_offset(t->meta, piece, file, s.file_offset);

	return (struct range){from, from + s.length};
}

/*
 * The first unit from *at on that has data, and *at moved behind it.  E_NOENT: no more.  Where the
 * file system cannot tell, everything up to the end of the file is taken for data.
 */
static enum err next_unit(
	struct worker *w, struct wtorrent *t, uint64_t *at, struct part_unit *u, uint64_t size)
{
	enum err err = E_OK;
	uint64_t data, hole;
	struct range r;
	int fd = worker_file(w, t, part_file(t), FS_READ, &err);

	if (fd < 0)
		return err;
	do { /* what is found may lie in the gap before the unit, on a page of the one before */
		data = *at;
		err = fs_next_data(fd, *at, &data);
		if (err != E_OK && err != E_UNSUPPORTED)
			return err;
		if (data >= size || !layout_part_find(t->meta, data, &u->piece, &u->file))
			return E_NOENT;
		r = range_of(t, u->piece, u->file);
		*at = r.from;
	} while (data < r.from);
	if (fs_next_hole(fd, data, &hole) != E_OK)
		hole = size;
	u->whole = data <= r.from && hole >= r.to;
	*at = r.to;
	return E_OK;
}

static bool size_of_part(struct worker *w, struct wtorrent *t, uint64_t *size, struct wfail *f)
{
	struct fs_stat st = {0};
	enum err err = E_OK;
	int fd = worker_file(w, t, part_file(t), FS_READ, &err);

	if (fd >= 0)
		err = fs_stat_fd(fd, &st);
	*size = st.size;
	return err == E_OK || err == E_NOENT || fail(f, part_file(t), "open", err);
}

void worker_part_trim(struct worker *w, struct wtorrent *t)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	enum err err = E_OK;
	uint64_t at;
	int dir, fd = worker_file(w, t, part_file(t), FS_READ, &err);

	if (fd < 0 || fs_next_data(fd, 0, &at) != E_NOENT)
		return;
	worker_file_close(w, t, part_file(t));
	*worker_flags(t, part_file(t)) &= WFILE_LISTED;
	dir = worker_dir(w, t, false, &err);
	if (dir >= 0)
		(void)fs_unlink_at(dir, t->part); /* or at the next opportunity */
	t->ids[part_file(t)] = 0;
}

bool worker_part_list(
	struct worker *w, struct wtorrent *t, struct part_unit **out, uint32_t *n, struct wfail *f)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	uint32_t room = 0;
	uint64_t at = 0, size;
	struct part_unit u;
	enum err err;

	*out = NULL;
	*n = 0;
	if (!size_of_part(w, t, &size, f))
		return false;
	while ((err = next_unit(w, t, &at, &u, size)) == E_OK) {
		if (t->meta->files[u.file].pad)
			continue;
		if (*n == room) {
			room = MAX(16, room * 2);
			*out = xrealloc(*out, room * sizeof **out);
		}
		(*out)[(*n)++] = u;
	}
	return err == E_NOENT || fail(f, part_file(t), "read", err);
}

/* --- moving --- */

void worker_part_remember(struct wtorrent *t, uint32_t piece, uint32_t file, bool settled)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	if (t->moved_n == t->moved_room) {
		t->moved_room = MAX(16, t->moved_room * 2);
		t->moved = xrealloc(t->moved, t->moved_room * sizeof *t->moved);
	}
	t->moved[t->moved_n++] = (struct wmoved){piece, file, settled};
	t->unsettled_n += !settled;
}

/* From the part file to the file. */
static bool copy_unit(
	struct worker *w, struct wtorrent *t, uint32_t piece, uint32_t file, struct wfail *f)
{
	struct file_span s = layout_unit(t->meta, piece, file);
	struct range r = range_of(t, piece, file);

	for (uint64_t done = 0; done < s.length;) {
		struct iovec iov = {
			w->scratch, (size_t)MIN(s.length - done, (uint64_t)WORKER_RUN_BYTES)};
		enum err err = E_OK;
		int fd = worker_file(w, t, part_file(t), FS_READ, &err);
		ssize_t n = fd < 0 ? -1 : fs_preadv(fd, &iov, 1, r.from + done, &err);

		if (n < 0)
			return fail(f, part_file(t), "read", err);
		if (n == 0)
			break;
		fd = worker_file(w, t, file, FS_WRITE, &err);
		if (fd < 0)
			return fail(f, file, "open", err);
		err = worker_file_intact(t, file, fd);
		if (err != E_OK)
			return fail(f, file, "write", err);
		worker_mark_dirty(w, t, file);
		iov.iov_len = (size_t)n;
		if (fs_pwritev(fd, &iov, 1, s.file_offset + done, &err) != n)
			return fail(f, file, "write", err != E_OK ? err : E_IO);
		done += (uint64_t)n;
	}
	return true;
}

/* The units of one file that are this worker's. */
bool worker_part_move(struct worker *w, struct wtorrent *t, uint32_t file, struct wfail *f)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	CHECK_OBJ(t, WTORRENT_MAGIC);
	uint32_t first, last, before = t->moved_n;
	struct part_unit u;
	uint64_t at, size;
	enum err err = E_OK;

	if (!layout_file_pieces(t->meta, file, &first, &last))
		return true;
	if (!size_of_part(w, t, &size, f))
		return false;
	at = range_of(t, first, file).from;
	while ((err = next_unit(w, t, &at, &u, size)) == E_OK && u.file == file) {
		if (tref_worker(t->t, u.piece, w->workers) != w->index)
			continue;
		if (!copy_unit(w, t, u.piece, file, f))
			goto failed;
		worker_part_remember(t, u.piece, file, true);
	}
	if (err == E_OK || err == E_NOENT)
		return true;
	(void)fail(f, part_file(t), "read", err);
failed:
	t->moved_n = before; /* the part file still counts */
	return false;
}

/* --- forgetting --- */

bool worker_part_doubt(const struct wtorrent *t, uint32_t piece)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	for (uint32_t i = 0; t->unsettled_n > 0 && i < t->moved_n; i++)
		if (t->moved[i].piece == piece && !t->moved[i].settled)
			return true;
	return false;
}

bool worker_part_settle(
	struct worker *w, struct wtorrent *t, uint32_t piece, bool from_part, struct wfail *f)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	for (uint32_t i = 0; t->unsettled_n > 0 && i < t->moved_n; i++) {
		struct wmoved *u = &t->moved[i];

		if (u->piece != piece || u->settled)
			continue;
		if (from_part && !copy_unit(w, t, piece, u->file, f))
			return false;
		u->settled = true;
		t->unsettled_n--;
	}
	return true;
}

/* The gap around a unit is nobody's, so the pages that it shares with the gap go, too. */
static void punch(struct worker *w, struct wtorrent *t, const struct wmoved *u)
{
	struct range r = range_of(t, u->piece, u->file);
	enum err err = E_OK;
	int fd = worker_file(w, t, part_file(t), FS_READ, &err);

	if (fd < 0) /* to open it for writing would make it */
		return;
	fd = worker_file(w, t, part_file(t), FS_WRITE, &err);
	if (fd < 0)
		return;
	r.from -= MIN(r.from, LAYOUT_PART_GAP / 2);
	r.to += LAYOUT_PART_GAP / 2;
	(void)fs_punch(fd, r.from, r.to - r.from); /* else it is forgotten at the next start */
}

bool worker_part_synced(struct worker *w, struct wtorrent *t, bool good)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	uint32_t n = 0, was = t->moved_n;
	struct wfail f;

	if (was == 0 && !t->part_idle)
		return false;
	for (uint32_t i = 0; i < t->moved_n; i++) {
		struct wmoved u = t->moved[i];

		if (good && u.settled) {
			punch(w, t, &u);
			continue;
		}
		if (u.settled && !copy_unit(w, t, u.piece, u.file, &f))
			worker_note_error(w, t, &f);
		t->moved[n++] = u;
	}
	t->moved_n = n;
	if (n == 0 && t->parted_n == 0 && good)
		worker_part_trim(w, t);
	t->part_idle = t->part_idle && !good;
	return n < was;
}
