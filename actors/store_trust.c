/* SPDX-License-Identifier: MIT */
/*
 * Which pieces to believe when a torrent comes into use: a pure function of what was noted of its
 * files and what they look like now.
 *
 * A file that looks as it did at the last sync keeps its synced pieces.  One that we were writing
 * to when the process died has a newer mtime, which is our own.  Anything else was changed by
 * somebody: its pieces are hashed.  Bytes that are not there are not hashed but given up.  When
 * a file that held verified pieces is gone, or stands on another device and differs, somebody took
 * it away or a volume is not mounted: the torrent is held and nothing is fetched again unasked.
 *
 * A device number alone is not believed to mean much: many file systems get a new one at every
 * boot.
 */
#include "actors/store_priv.h"

/* From good to bad; a piece is as bad as its worst file. */
enum look {
	LOOK_SAME,    /* as it was */
	LOOK_WRITING, /* as it was, but for what we wrote ourselves */
	LOOK_NEW,     /* nothing is known of it */
	LOOK_CHANGED,
	LOOK_GONE,
};

static enum look look_at(const struct file_stamp *before, const struct file_stamp *now)
{
	if (before == NULL || (!before->exists && !before->dirty))
		return LOOK_NEW;
	if (!before->exists)
		return LOOK_WRITING; /* made by us, and never synced */
	if (!now->exists)
		return LOOK_GONE;
	if (before->inode != now->inode || now->size < before->size)
		return LOOK_CHANGED;
	if (before->dirty)
		return LOOK_WRITING;
	if (before->size != now->size || before->mtime_ns != now->mtime_ns)
		return LOOK_CHANGED;
	return LOOK_SAME;
}

static const struct file_stamp **index_stamps(const struct trust_in *in)
{
	const struct file_stamp **at = xcalloc(in->meta->files_n, sizeof *at);

	for (uint32_t i = 0; i < in->before_n; i++)
		if (in->before[i].file < in->meta->files_n)
			at[in->before[i].file] = &in->before[i];
	return at;
}

static bool holds_data(const struct metainfo_file *f)
{
	return !f->pad && f->length > 0;
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
		if (!holds_data(&in->meta->files[i]) || before[i] == NULL || !before[i]->exists)
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

static struct piece_look look_at_piece(
	const struct trust_in *in, const uint8_t *looks, uint32_t piece)
{
	struct layout l = layout_of_metainfo(in->meta);
	struct span_iter it =
		span_iter_of(in->meta, layout_offset(&l, piece, 0), layout_piece_size(&l, piece));
	struct piece_look p = {.worst = LOOK_SAME, .there = true};
	struct file_span s;

	while (span_next(&it, &s)) {
		const struct file_stamp *now = &in->now[s.file];

		if (s.pad)
			continue;
		p.worst = MAX(p.worst, (enum look)looks[s.file]);
		p.there &= now->exists && s.file_offset + s.length <= now->size;
		p.suspect |= looks[s.file] != LOOK_SAME;
	}
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

	for (uint32_t i = 0; i < in->meta->files_n; i++) {
		if (in->meta->files[i].pad)
			continue;
		looks[i] = (uint8_t)look_at(before[i], &in->now[i]);
		out->touched[i] = looks[i] > LOOK_WRITING;
		out->news |= looks[i] != LOOK_SAME && (before[i] != NULL || in->now[i].exists);
		out->news |= looks[i] == LOOK_SAME && before[i]->device != in->now[i].device;
	}
	find_volume(in, before, looks, out);
	xfree(before);
}

void trust_decide(const struct trust_in *in, struct trust *out)
{
	uint8_t *looks = xcalloc(in->meta->files_n, 1);
	struct bitfield noted;

	*out = (struct trust){.touched = xcalloc(in->meta->files_n, 1)};
	bitfield_init(&out->have, in->meta->pieces);
	bitfield_init(&out->want, in->meta->pieces);
	bitfield_init(&noted, in->meta->pieces);
	for (uint32_t i = 0; i < in->noted_n; i++)
		if (in->noted[i] < in->meta->pieces)
			bitfield_set(&noted, in->noted[i]);
	look_at_files(in, looks, out);
	for (uint32_t i = 0; i < in->meta->pieces && out->err == E_OK; i++)
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

	while (span_next(&it, &s))
		if (!s.pad && (t->touched[s.file] || !in->now[s.file].exists))
			return false;
	return true;
}
