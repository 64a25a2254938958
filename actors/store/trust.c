/* SPDX-License-Identifier: MIT */
/*
 * Which pieces to believe when a torrent comes into use: a pure function of what was noted of its
 * files and what they look like now.
 *
 * A file that looks as it did at the last sync keeps its synced pieces.  One that we were writing
 * to when the process died has a newer mtime, which is our own unless it is later than the next
 * checkpoint would have been.  Anything else was changed by
 * somebody: its pieces are hashed.  Bytes that are not there are not hashed but given up.  When
 * a file that held verified pieces is gone, or stands on another device and differs, somebody took
 * it away or a volume is not mounted: the torrent is held and nothing is fetched again unasked.
 *
 * A device number alone is not believed to mean much: many file systems get a new one at every
 * boot.
 *
 * Files that are not wanted may be missing: what pieces have of them lies in the part file, which
 * is judged like a file.  A unit in it of a file that is wanted, or exists, is what an interrupted
 * move has left: the worker hashes such a piece from both.
 */
#include "actors/store/priv.h"

/* From good to bad; a piece is as bad as its worst file. */
enum look {
	LOOK_SAME,    /* as it was */
	LOOK_WRITING, /* as it was, but for what we wrote ourselves */
	LOOK_LATE,    /* likewise, but written to when we hardly did any more */
	LOOK_NEW,     /* nothing is known of it */
	LOOK_CHANGED,
	LOOK_GONE,
};

static enum look look_at(
	const struct file_stamp *before, const struct file_stamp *now, int64_t slack_ns)
{
	if (before == NULL || (!before->exists && !before->dirty))
		return LOOK_NEW;
	if (!before->exists)
		return LOOK_WRITING; /* made by us, and never synced */
	if (!now->exists)
		return LOOK_GONE;
	if (stamp_is_other(before, now) || now->size < before->size)
		return LOOK_CHANGED;
	if (before->dirty)
		return now->mtime_ns - slack_ns > before->mtime_ns ? LOOK_LATE : LOOK_WRITING;
	if (before->size != now->size || before->mtime_ns != now->mtime_ns)
		return LOOK_CHANGED;
	return LOOK_SAME;
}

/* By file, and of the part file. */
static const struct file_stamp **index_stamps(const struct trust_in *in)
{
	const struct file_stamp **at = xcalloc(in->meta->files_n + 1, sizeof *at);

	for (uint32_t i = 0; i < in->before_n; i++)
		if (in->before[i].file <= in->meta->files_n)
			at[in->before[i].file] = &in->before[i];
	return at;
}

static bool holds_data(const struct metainfo_file *f)
{
	return !f->pad && f->length > 0;
}

static bool is_skipped(const struct trust_in *in, uint32_t file)
{
	return in->priority != NULL && in->priority[file] == 0;
}

/* The file's bytes lie in the part file; the same as the workers find. */
static bool is_parted(const struct trust_in *in, uint32_t file)
{
	return is_skipped(in, file) && !in->now[file].exists;
}

/* NULL when the part file has nothing of it. */
static const struct part_unit *find_unit(const struct trust_in *in, uint32_t piece, uint32_t file)
{
	uint32_t low = 0, high = in->units_n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct part_unit *u = &in->units[mid];

		if (u->piece < piece || (u->piece == piece && u->file < file))
			low = mid + 1;
		else
			high = mid;
	}
	if (low == in->units_n || in->units[low].piece != piece || in->units[low].file != file)
		return NULL;
	return &in->units[low];
}

static bool had_verified(const struct trust_in *in, uint32_t file)
{
	uint32_t first, last;

	return layout_file_pieces(in->meta, file, &first, &last) &&
	       bitfield_next_set(in->synced, first) <= last;
}

/* A file with verified pieces is gone, or some differ and stand on another device. */
static void find_volume(const struct trust_in *in, const struct file_stamp **before,
	const uint8_t *looks, struct trust *out)
{
	uint32_t missing = UINT32_MAX, moved = UINT32_MAX;

	for (uint32_t i = 0; i < in->meta->files_n; i++) {
		if (!holds_data(&in->meta->files[i]) || is_skipped(in, i) || before[i] == NULL ||
			!before[i]->exists)
			continue;
		if (looks[i] == LOOK_GONE && missing == UINT32_MAX && had_verified(in, i))
			missing = i;
		if (looks[i] == LOOK_CHANGED && before[i]->device != in->now[i].device)
			moved = i;
	}
	if (in->full || (in->synced->count == 0 && in->noted_n == 0))
		return;
	if (missing != UINT32_MAX) {
		out->err = E_NOENT;
		out->file = missing;
	} else if (moved != UINT32_MAX) {
		out->err = E_CHANGED;
		out->file = moved;
	}
}

struct piece_look {
	enum look worst;
	bool there;   /* every byte lies inside its file */
	bool suspect; /* unverified data in it may well be a piece of ours */
};

static void look_at_part(const struct trust_in *in, const uint8_t *looks, const struct part_unit *u,
	struct piece_look *p)
{
	uint32_t part = in->meta->files_n;

	p->worst = MAX(p->worst, (enum look)looks[part]);
	p->there &= in->now[part].exists && u != NULL && u->whole;
	p->suspect |= looks[part] != LOOK_SAME;
}

static void look_at_span(const struct trust_in *in, const uint8_t *looks, uint32_t piece,
	const struct file_span *s, struct piece_look *p)
{
	const struct part_unit *u = in->units_n > 0 ? find_unit(in, piece, s->file) : NULL;
	const struct file_stamp *now = &in->now[s->file];

	if (is_parted(in, s->file)) {
		look_at_part(in, looks, u, p);
		return;
	}
	if (u != NULL) { /* left by a move: hashed from both places */
		p->worst = MAX(p->worst, LOOK_CHANGED);
		p->suspect = true;
	} else {
		p->worst = MAX(p->worst, (enum look)looks[s->file]);
		p->suspect |= looks[s->file] != LOOK_SAME;
	}
	p->there &=
		(u != NULL && u->whole) || (now->exists && s->file_offset + s->length <= now->size);
}

static struct piece_look look_at_piece(
	const struct trust_in *in, const uint8_t *looks, uint32_t piece)
{
	struct layout l = layout_of_metainfo(in->meta);
	struct span_iter it =
		span_iter_of(in->meta, layout_offset(&l, piece, 0), layout_piece_size(&l, piece));
	struct piece_look p = {.worst = LOOK_SAME, .there = true};
	struct file_span s;

	while (span_next(&it, &s))
		if (!s.pad)
			look_at_span(in, looks, piece, &s, &p);
	return p;
}

static void decide_piece(const struct trust_in *in, const uint8_t *looks, uint32_t piece,
	bool noted, struct trust *out)
{
	struct piece_look p = look_at_piece(in, looks, piece);
	bool synced = bitfield_get(in->synced, piece);

	if (in->full) {
		if (p.there)
			bitfield_set(&out->want, piece);
	} else if (!p.there) {
		out->news |= synced || noted;
	} else if (synced && !noted && p.worst <= LOOK_WRITING) {
		bitfield_set(&out->have, piece);
	} else if (synced || noted) {
		bitfield_set(&out->want, piece);
	} else if ((in->fresh || p.suspect) && bitfield_get(in->data, piece)) {
		bitfield_set(&out->want, piece);
	}
}

static void look_at_files(const struct trust_in *in, uint8_t *looks, struct trust *out)
{
	const struct file_stamp **before = index_stamps(in);

	for (uint32_t i = 0; i <= in->meta->files_n; i++) {
		if (i < in->meta->files_n && in->meta->files[i].pad)
			continue;
		looks[i] = (uint8_t)look_at(before[i], &in->now[i], in->slack_ns);
		out->touched[i] = looks[i] > LOOK_WRITING;
		out->news |= looks[i] != LOOK_SAME && (before[i] != NULL || in->now[i].exists);
		out->news |= looks[i] == LOOK_SAME && before[i]->device != in->now[i].device;
	}
	find_volume(in, before, looks, out);
	xfree(before);
}

void trust_decide(const struct trust_in *in, struct trust *out)
{
	uint8_t *looks = xcalloc(in->meta->files_n + 1, 1);
	struct bitfield noted;

	*out = (struct trust){.touched = xcalloc(in->meta->files_n + 1, 1)};
	bitfield_init(&out->have, in->meta->pieces);
	bitfield_init(&out->want, in->meta->pieces);
	bitfield_init(&noted, in->meta->pieces);
	for (uint32_t i = 0; i < in->noted_n; i++)
		if (in->noted[i] < in->meta->pieces)
			bitfield_set(&noted, in->noted[i]);
	look_at_files(in, looks, out);
	for (uint32_t i = 0; i < in->meta->pieces; i++)
		decide_piece(in, looks, i, bitfield_get(&noted, i), out);
	out->news |= in->full || noted.count > 0 || out->want.count > 0;
	bitfield_free(&noted);
	xfree(looks);
}

void trust_free(struct trust *t)
{
	bitfield_free(&t->have);
	bitfield_free(&t->want);
	xfree(t->touched);
	t->touched = NULL;
}

bool trust_partial(const struct trust_in *in, const struct trust *t, uint32_t piece)
{
	struct layout l = layout_of_metainfo(in->meta);

	if (piece >= l.pieces || bitfield_get(&t->have, piece))
		return false;
	struct span_iter it =
		span_iter_of(in->meta, layout_offset(&l, piece, 0), layout_piece_size(&l, piece));
	struct file_span s;

	while (span_next(&it, &s)) {
		uint32_t home = is_parted(in, s.file) ? in->meta->files_n : s.file;

		if (s.pad)
			continue;
		if (t->touched[home] || !in->now[home].exists)
			return false;
		if (home == s.file && find_unit(in, piece, s.file) != NULL)
			return false;
	}
	return true;
}
