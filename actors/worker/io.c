/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a piece to and from the files they lie in.
 *
 * A piece may cross any number of files, and what it has of one may lie in the part file instead.
 * Pad files (BEP 47) are not on disk: their bytes read as zeros and are not written.  A file that
 * ends too early was changed by somebody else.
 */
#include "actors/worker/priv.h"

#define AHEAD_FILES 16 /* of one piece: more are opened only to be read */

static bool fail(struct wfail *f, uint32_t file, const char *op, enum err err)
{
	*f = (struct wfail){.err = err, .file = file, .op = op};
	return false;
}

bool worker_read_file(struct worker *w, struct wtorrent *t, uint32_t file, uint64_t offset,
	uint8_t *out, size_t len, struct wfail *f)
{
	struct iovec iov = {.iov_base = out, .iov_len = len};
	enum err err = E_OK;
	ssize_t n;
	int fd = worker_file(w, t, file, FS_READ, &err);

	if (fd < 0)
		return fail(f, file, "open", err);
	n = fs_preadv(fd, &iov, 1, offset, &err);
	if (n < 0)
		return fail(f, file, "read", err);
	if ((size_t)n < len)
		return fail(f, file, "read", E_CHANGED);
	return true;
}

bool worker_read(struct worker *w, struct wtorrent *t, uint32_t piece, uint32_t begin, uint32_t len,
	uint8_t *out, struct wfail *f)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	struct span_iter it = span_iter_of(t->meta, layout_offset(&t->layout, piece, begin), len);
	struct file_span s;

	while (span_next(&it, &s)) {
		struct wplace at = worker_place(t, piece, &s);

		if (s.pad)
			memset(out, 0, s.length);
		else if (!worker_read_file(w, t, at.file, at.offset, out, s.length, f))
			return false;
		out += s.length;
	}
	return true;
}

void worker_read_ahead(struct worker *w, struct wtorrent *t, uint32_t piece)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	struct span_iter it = span_iter_of(
		t->meta, layout_offset(&t->layout, piece, 0), layout_piece_size(&t->layout, piece));
	struct file_span s;

	for (int n = 0; n < AHEAD_FILES && span_next(&it, &s); n++) {
		struct wplace at = worker_place(t, piece, &s);
		enum err err = E_OK;
		int fd = s.pad ? -1 : worker_file(w, t, at.file, FS_READ, &err);

		if (fd >= 0)
			fs_readahead(fd, at.offset, s.length);
	}
}

/* The blocks' bytes [from, from + len) as a gather list; blocks are contiguous in the piece. */
static int gather(struct iovec *iov, uint8_t *const *data, uint64_t from, uint64_t len)
{
	int n = 0;

	while (len > 0) {
		size_t skip = (size_t)(from % BLOCK_SIZE);
		size_t take = (size_t)MIN(len, BLOCK_SIZE - skip);

		iov[n++] = (struct iovec){data[from / BLOCK_SIZE] + skip, take};
		from += take;
		len -= take;
	}
	return n;
}

static bool write_span(struct worker *w, struct wtorrent *t, struct wplace at, uint64_t len,
	uint8_t *const *data, uint64_t from, struct wfail *f)
{
	struct iovec iov[WORKER_RUN_BLOCKS + 1];
	enum err err = E_OK;
	int n, fd = worker_file(w, t, at.file, FS_WRITE, &err);

	if (fd < 0)
		return fail(f, at.file, "open", err);
	err = worker_file_intact(t, at.file, fd);
	if (err != E_OK)
		return fail(f, at.file, "write", err);
	worker_mark_dirty(w, t, at.file);
	n = gather(iov, data, from, len);
	if (fs_pwritev(fd, iov, n, at.offset, &err) != (ssize_t)len)
		return fail(f, at.file, "write", err != E_OK ? err : E_IO);
	return true;
}

bool worker_write(struct worker *w, struct wtorrent *t, uint32_t piece, uint32_t first, uint32_t n,
	uint8_t *const *data, struct wfail *f)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	uint32_t begin = first * BLOCK_SIZE;
	uint32_t end = MIN(layout_piece_size(&t->layout, piece), (first + n) * BLOCK_SIZE);
	struct span_iter it =
		span_iter_of(t->meta, layout_offset(&t->layout, piece, begin), end - begin);
	struct file_span s;
	uint64_t from = 0;

	must(n <= WORKER_RUN_BLOCKS);
	if (!worker_prepare(w, t, f))
		return false;
	while (span_next(&it, &s)) {
		struct wplace at = worker_place(t, piece, &s);

		if (!s.pad && !write_span(w, t, at, s.length, data, from, f))
			return false;
		from += s.length;
	}
	return true;
}

static bool is_inside(const struct wtorrent *t, uint32_t piece, uint32_t begin, uint32_t length)
{
	return piece < t->meta->pieces && begin <= layout_piece_size(&t->layout, piece) &&
	       length <= layout_piece_size(&t->layout, piece) - begin;
}

/* Verified bytes, for people. */
void worker_on_content(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct m_content *c = MSG_AS(CONTENT_READ, *m);
	struct wtorrent *t = worker_find(w, c->t);
	struct wfail f;

	if (t == NULL || !is_inside(t, c->piece, c->begin, c->length)) {
		actor_reply(a, m, t == NULL ? E_NOT_FOUND : E_RANGE);
	} else if (worker_read(w, t, c->piece, c->begin, c->length, c->data, &f)) {
		actor_reply(a, m, E_OK);
	} else {
		worker_note_error(w, t, &f);
		actor_reply(a, m, f.err);
	}
}

/* Runs of verified bytes, for peers to serve. */
void worker_on_extent(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct m_extent *e = MSG_AS(EXTENT_READ, *m);
	struct wtorrent *t = worker_find(w, e->t);
	struct wfail f;

	if (t == NULL || !is_inside(t, e->piece, e->begin, e->length)) {
		actor_reply(a, m, t == NULL ? E_NOT_FOUND : E_RANGE);
		return;
	}
	if (e->map != NULL) { /* where that fails peers has them read, which tells why */
		worker_load(w, m);
		return;
	}
	if (worker_read(w, t, e->piece, e->begin, e->length, e->data, &f)) {
		actor_reply(a, m, E_OK);
		return;
	}
	worker_note_error(w, t, &f);
	actor_reply(a, m, f.err);
}

/* A whole file, for peers to serve from the page cache. */
void worker_on_map(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct m_file_map *f = MSG_AS(FILE_MAP, *m);
	struct wtorrent *t = worker_find(w, f->t);
	enum err err = E_OK;
	int fd;

	if (t == NULL || f->file >= t->meta->files_n) {
		actor_reply(a, m, E_NOT_FOUND);
		return;
	}
	if (*worker_flags(t, f->file) & WFILE_PARTED) { /* its pieces may yet leave the part file */
		actor_reply(a, m, E_UNSUPPORTED);
		return;
	}
	fd = worker_file(w, t, f->file, FS_READ, &err);
	if (fd >= 0)
		f->map = fs_map(fd, f->length, &err);
	actor_reply(a, m, f->map != NULL ? E_OK : err);
}
