/* SPDX-License-Identifier: MIT */
/*
 * A torrent comes into use: its directory is found, and every file of it looked at.
 *
 * Opening creates nothing: what lies below the root is made by the first write.  A missing root is
 * a volume that is not there, unless it is the default directory, which may be made.
 */
#include "actors/worker/priv.h"

#include <stdio.h>

#include "actors/kernel/log.h"

static struct wtorrent *new_torrent(struct m_worker_open *o)
{
	struct wtorrent *t;

	ALLOC_OBJ(t, WTORRENT_MAGIC);
	t->t = o->t;
	t->meta = o->meta;
	t->layout = layout_of_metainfo(t->meta);
	t->root = o->root;
	t->path = o->path;
	t->make_root = o->make_root;
	o->meta = NULL;
	o->root = o->path = NULL;
	worker_part_name(t);
	return t;
}

/* The directory, or when that is missing the root above it, can be used. */
static enum err find_dir(struct worker *w, struct wtorrent *t, struct words *why)
{
	char safe[128];
	enum err err = E_OK;

	if (worker_dir(w, t, false, &err) >= 0)
		return E_OK;
	if (err == E_NOENT) {
		err = worker_root_check(t);
		if (err == E_OK || (err == E_NOENT && t->make_root))
			return E_OK;
	}
	if (err == E_NOENT)
		snprintf(why->text, sizeof why->text,
			"the download root '%s' is missing: mount its volume or create the "
			"directory, then start the torrent again",
			log_safe(t->root, safe, sizeof safe));
	else
		worker_words(why, t, &(struct wfail){.err = err, .file = WFILE_DIR, .op = "open"});
	return err;
}

/* A torrent that is open already only takes over the partial pieces. */
void worker_on_open(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct m_worker_open *o = MSG_AS(WORKER_OPEN, *m);
	struct wtorrent *t = worker_find(w, o->t);
	enum err err = E_OK;

	worker_queue_run(w);
	if (t == NULL) {
		t = o->t.slot < w->slots_n ? w->slots[o->t.slot] : NULL;
		if (t != NULL) { /* of a torrent before: closed long ago in the store's eyes */
			worker_jobs_cancel(w, t);
			worker_torrent_free(w, &t);
		}
		t = new_torrent(o);
		err = find_dir(w, t, &o->why);
	}
	if (err == E_OK) {
		worker_slot_set(w, t);
		worker_partials_load(w, t, o->partials, o->partials_n);
	} else {
		worker_torrent_free(w, &t);
	}
	actor_reply(a, m, err);
}

/* --- looking at files --- */

void worker_stamp(struct file_stamp *out, uint32_t file, const struct fs_stat *st)
{
	*out = (struct file_stamp){
		.file = file,
		.exists = st->exists,
		.size = st->size,
		.mtime_ns = st->mtime_ns,
		.born_ns = st->born_ns,
		.inode = st->inode,
		.device = st->device,
	};
}

/* Content known to be written: the ranges come in order, touching ones grow together. */
struct coverage {
	const struct metainfo *meta;
	const struct layout *l;
	struct bitfield *out;
	uint64_t from, to;
};

static void end_range(struct coverage *c)
{
	uint64_t first = (c->from + c->l->piece_length - 1) / c->l->piece_length;

	for (uint64_t i = first; i < c->l->pieces; i++) {
		uint32_t piece = (uint32_t)i;

		if (layout_offset(c->l, piece, 0) + layout_piece_size(c->l, piece) > c->to)
			break;
		bitfield_set(c->out, piece);
	}
}

static void add_range(struct coverage *c, uint64_t from, uint64_t to)
{
	if (from >= to)
		return;
	if (from != c->to) {
		end_range(c);
		c->from = from;
	}
	c->to = to;
}

/* Adds the parts of a file that hold data; where the system cannot tell, all of it. */
static enum err cover_file(
	struct worker *w, struct wtorrent *t, uint32_t file, uint64_t size, struct coverage *c)
{
	const struct metainfo_file *mf = &t->meta->files[file];
	uint64_t end = MIN(size, mf->length), at = 0, hole = 0;
	enum err err = E_OK;
	int fd = worker_file(w, t, file, FS_READ, &err);

	if (fd < 0)
		return is_altered(err) ? E_OK : err;
	while (hole < end) {
		err = fs_next_data(fd, hole, &at);
		if (err == E_NOENT)
			return E_OK;
		if (err != E_OK || fs_next_hole(fd, at, &hole) != E_OK || hole <= at) {
			at = hole;
			hole = end;
		}
		add_range(c, mf->offset + MIN(at, end), mf->offset + MIN(hole, end));
	}
	return E_OK;
}

/* Adds what the part file has whole of a file that is not there; *at is the first unit to look at.
 */
static void cover_parted(
	const struct m_worker_stat *s, uint32_t file, struct coverage *c, uint32_t *at)
{
	for (; *at < s->units_n && s->units[*at].file <= file; ++*at) {
		const struct part_unit *u = &s->units[*at];
		struct file_span span;

		if (u->file != file || !u->whole || s->stamps[file].exists)
			continue;
		span = layout_unit(c->meta, u->piece, file);
		span.file_offset += c->meta->files[file].offset;
		add_range(c, span.file_offset, span.file_offset + span.length);
	}
}

static enum err stat_file(
	struct worker *w, struct wtorrent *t, int dir, uint32_t file, struct fs_stat *st)
{
	enum err err = E_OK;

	*st = (struct fs_stat){0};
	if (dir < 0 || (file != part_file(t) && t->meta->files[file].pad))
		return E_OK;
	dir = worker_dir(w, t, false, &err); /* it may have been closed meanwhile */
	if (dir >= 0)
		err = fs_stat_at(dir, worker_path(t, file), st);
	if (fs_is_obstacle(err) || !st->regular) /* something else in its place */
		*st = (struct fs_stat){0};
	return fs_is_obstacle(err) ? E_OK : err;
}

static enum err stat_files(
	struct worker *w, struct wtorrent *t, struct m_worker_stat *s, struct wfail *f)
{
	struct coverage c = {.meta = t->meta, .l = &t->layout, .out = &s->data};
	int dir = worker_dir(w, t, false, &f->err);
	struct fs_stat st;
	uint32_t unit = 0;

	if (dir < 0 &&
		(f->err != E_NOENT || t->dir_known)) /* it was there, and is not made again */
		return f->err;
	if (dir >= 0 && !worker_part_list(w, t, &s->units, &s->units_n, f))
		return f->err;
	if (s->units_n == 0)
		worker_part_trim(w, t);
	f->file = part_file(t);
	f->err = stat_file(w, t, dir, f->file, &st);
	if (f->err != E_OK)
		return f->err;
	worker_stamp(&s->stamps[f->file], f->file, &st);
	for (f->file = 0; f->file < t->meta->files_n; f->file++) {
		const struct metainfo_file *mf = &t->meta->files[f->file];

		f->err = stat_file(w, t, dir, f->file, &st);
		if (f->err != E_OK)
			return f->err;
		worker_stamp(&s->stamps[f->file], f->file, &st);
		if (s->want_data && mf->pad)
			add_range(&c, mf->offset, mf->offset + mf->length);
		else if (s->want_data && st.exists && mf->length > 0)
			f->err = cover_file(w, t, f->file, st.size, &c);
		if (f->err != E_OK)
			return f->err;
		cover_parted(s, f->file, &c, &unit);
	}
	if (s->want_data)
		end_range(&c);
	return E_OK;
}

void worker_on_stat(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct m_worker_stat *s = MSG_AS(WORKER_STAT, *m);
	struct wtorrent *t = worker_find(w, s->t);
	struct wfail f = {.file = WFILE_DIR, .op = "look at"};
	enum err err;

	if (t == NULL) {
		actor_reply(a, m, E_NOT_FOUND);
		return;
	}
	s->stamps_n = t->meta->files_n + 1;
	s->stamps = xcalloc(s->stamps_n, sizeof *s->stamps);
	bitfield_init(&s->data, t->meta->pieces);
	worker_dir_verify(w, t);
	err = stat_files(w, t, s, &f);
	if (err != E_OK)
		worker_words(&s->why, t, &f);
	actor_reply(a, m, err);
}
