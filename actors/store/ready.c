/* SPDX-License-Identifier: MIT */
/*
 * From what the files look like to what the session is told.
 *
 * store_decide() stands between looking and hashing, store_ready() behind both: it sends the whole
 * truth about the torrent to the database, then STORE_READY to the session.  Neither waits for the
 * database: what it does not hear of is found out again at the next start.
 */
#include "actors/store/priv.h"

#include <inttypes.h>
#include <stdio.h>

#include "actors/kernel/log.h"

/* Between two checkpoints of a dirty file lie an interval and what a sync takes. */
#define SLACK_US (2 * USEC_PER_SEC)

static struct trust_in trust_of(const struct storrent *t)
{
	return (struct trust_in){
		.meta = t->meta,
		.synced = &t->synced,
		.noted = t->doubtful.v,
		.noted_n = t->doubtful.n,
		.before = t->before,
		.before_n = t->before_n,
		.now = t->now,
		.data = &t->data,
		.slack_ns = (2 * t->s->config->store_checkpoint_interval + SLACK_US) * 1000,
		.fresh = t->fresh,
		.full = t->full,
		.priority = t->priority,
		.units = t->units,
		.units_n = t->units_n,
	};
}

/* Finding where data is opens every file, so it is asked only when the answer counts. */
static bool needs_data(const struct storrent *t, const struct trust *tr)
{
	if (t->full || t->synced.count == t->meta->pieces)
		return false;
	for (uint32_t i = 0; i < t->before_n; i++)
		if (t->before[i].dirty)
			return true;
	for (uint32_t i = 0; i <= t->meta->files_n; i++)
		if (tr->touched[i] && t->now[i].exists && t->now[i].size > 0)
			return true;
	return false;
}

static bool is_whole(const struct partial_piece *p)
{
	for (uint32_t i = 0; i < p->blocks_n; i++)
		if (!(p->blocks[i / 8] >> (7 - i % 8) & 1))
			return false;
	return true;
}

/* Keeps the partial pieces that can be counted on; one that has all blocks is a matter of hashing.
 */
static void sift_partials(struct storrent *t, const struct trust_in *in, const struct trust *tr)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->partials_n; i++) {
		struct partial_piece *p = &t->partials[i];
		bool good = p->blocks != NULL && trust_partial(in, tr, p->piece) &&
			    p->blocks_n == layout_blocks_in_piece(&t->layout, p->piece);

		if (good && is_whole(p)) {
			bitfield_set(&t->want, p->piece);
			good = false;
		}
		if (good)
			t->partials[n++] = *p;
		else
			xfree(p->blocks);
	}
	t->partials_n = n;
}

void store_partials_thin(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->partials_n; i++)
		if (bitfield_get(&t->have, t->partials[i].piece))
			xfree(t->partials[i].blocks);
		else
			t->partials[n++] = t->partials[i];
	t->partials_n = n;
}

static void hold_words(struct storrent *t, const struct trust *tr)
{
	char file[64], path[80];
	struct words why = {0};

	t->err = tr->err;
	log_safe(t->meta->files[tr->file].path, file, sizeof file);
	log_safe(t->path, path, sizeof path);
	if (tr->err == E_NOENT)
		snprintf(why.text, sizeof why.text,
			"'%s' is missing from '%s': bring it back, or recheck the torrent to "
			"download "
			"it again",
			file, path);
	else
		snprintf(why.text, sizeof why.text,
			"'%s' in '%s' is another file on another device: mount the right volume or "
			"check the torrent",
			file, path);
	store_words_keep(&t->why, &why);
}

/* What was had before this look, synced or noted; nothing where a person has asked for the check.
 */
static void claim(struct storrent *t)
{
	bitfield_free(&t->claimed);
	t->claimed = t->synced;
	t->synced = (struct bitfield){0};
	for (uint32_t i = 0; i < t->doubtful.n && !t->whole_check; i++)
		if (t->doubtful.v[i] < t->meta->pieces)
			bitfield_set(&t->claimed, t->doubtful.v[i]);
}

bool store_decide(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	struct trust_in in;
	struct trust tr;
	enum err err;

	if (t->relook)
		store_files_before(t);
	in = trust_of(t);
	trust_decide(&in, &tr);
	err = tr.err;
	if (err != E_OK) {
		hold_words(t, &tr);
		bitfield_free(&t->have);
		t->have = tr.have;
		tr.have = (struct bitfield){0};
	} else if (!t->want_data && needs_data(t, &tr)) {
		t->want_data = true;
	} else {
		bitfield_free(&t->have);
		bitfield_free(&t->want);
		t->have = tr.have;
		t->want = tr.want;
		tr.have = tr.want = (struct bitfield){0};
		t->changed = tr.news;
		sift_partials(t, &in, &(struct trust){.have = t->have, .touched = tr.touched});
		claim(t);
		bitfield_copy(&t->synced, &t->have);
		store_files_know(t);
	}
	trust_free(&tr);
	return err == E_OK;
}

/* What the check found good has been made durable; what it found bad is no longer believed. */
static void settle(struct storrent *t)
{
	for (uint32_t i = bitfield_next_set(&t->want, 0); i < t->want.bits;
		i = bitfield_next_set(&t->want, i + 1)) {
		if (bitfield_get(&t->have, i))
			bitfield_set(&t->synced, i);
		else
			bitfield_clear(&t->synced, i);
		if (t->lost)
			vec32_push(&t->syncing, i);
	}
}

void store_ready(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	bool synced = t->lost || t->want.count > 0;

	settle(t);
	partials_free(synced ? &t->partials : &t->listed, synced ? &t->partials_n : &t->listed_n);
	if (synced) {
		t->partials = partials_copy(t->listed, t->listed_n);
		t->partials_n = t->listed_n;
	} else {
		t->listed = partials_copy(t->partials, t->partials_n);
		t->listed_n = t->partials_n;
	}
	if (synced || t->changed || t->whole_check || t->listed_n != t->partials_told)
		store_state_pieces(t, false);
	store_tell_ready(t, E_OK, NULL);
	store_ready_drop(t);
	store_sync_drop(t);
}

void store_tell_ready(struct storrent *t, enum err err, const struct words *why)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	struct m_store_ready *r = msg_new(t->s->actor, MSG_STORE_READY);
	struct msg *m = &r->h;

	r->t = t->t;
	r->err = err;
	r->hashed = t->hashed;
	if (why != NULL)
		r->why = *why;
	bitfield_copy(&r->have, &t->have);
	if (err == E_OK) {
		r->partials = t->partials;
		r->partials_n = t->partials_n;
		t->partials = NULL;
		t->partials_n = 0;
	}
	log_event(err == E_OK ? LOG_INFO : LOG_WARNING, "store_ready",
		"path=\"%s\" name=\"%.40s\" have=%" PRIu32 " pieces=%" PRIu32 " hashed=%" PRIu32
		" err=%s",
		t->path, t->meta->name, t->have.count, t->meta->pieces, t->hashed, err_name(err));
	actor_cast(t->s->actor, ADDR_SESSION, &m);
}

void store_ready_drop(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	xfree(t->before);
	xfree(t->now);
	xfree(t->units);
	t->before = t->now = NULL;
	t->units = NULL;
	t->before_n = t->units_n = 0;
	bitfield_free(&t->data);
	bitfield_free(&t->want);
	bitfield_free(&t->claimed);
	vec32_free(&t->doubtful);
	partials_free(&t->partials, &t->partials_n);
	t->issued = t->hashed = 0;
	t->want_data = t->fresh = t->full = t->lost = t->changed = t->relook = false;
}
