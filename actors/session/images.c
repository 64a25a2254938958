/* SPDX-License-Identifier: MIT */
/*
 * How things of a torrent are before a person changes them, so that the change can be undone.
 *
 * What is kept is the database's own value and a print of what the change makes of it; undoing is
 * the same command with that value, if the print still holds.
 */
#include "actors/session/priv.h"

static void see_run(const struct torrent *t, struct undo_image *i)
{
	i->value = t->run;
}

static void see_nothing(const struct torrent *t, struct undo_image *i)
{
	(void)t;
	(void)i;
}

static void see_down_limit(const struct torrent *t, struct undo_image *i)
{
	i->value = (int64_t)t->wishes.down_limit;
}

static void see_up_limit(const struct torrent *t, struct undo_image *i)
{
	i->value = (int64_t)t->wishes.up_limit;
}

static void see_sequential(const struct torrent *t, struct undo_image *i)
{
	i->value = t->wishes.sequential;
}

static void see_first_last(const struct torrent *t, struct undo_image *i)
{
	i->value = t->wishes.first_last;
}

static void see_position(const struct torrent *t, struct undo_image *i)
{
	i->value = torrent_position(t);
}

static void see_seed_limits(const struct torrent *t, struct undo_image *i)
{
	i->seed = t->seed;
}

static void see_encryption(const struct torrent *t, struct undo_image *i)
{
	i->value = t->wishes.encryption;
}

static void see_discreet(const struct torrent *t, struct undo_image *i)
{
	i->value = t->wishes.discreet;
}

static void put_data(struct undo_image *i, const void *p, size_t n)
{
	if (n == 0)
		return;
	i->data = xmemdup(p, n);
	i->data_n = (uint32_t)n;
}

static void see_labels(const struct torrent *t, struct undo_image *i)
{
	const char *text = label_text(t->wishes.labels);

	put_data(i, text, text != NULL ? strlen(text) : 0);
}

static void see_files(const struct torrent *t, struct undo_image *i)
{
	put_data(i, t->wishes.file_priority,
		t->wishes.file_priority != NULL ? t->wishes.file_priority_n : 0);
}

static const struct {
	void (*see)(const struct torrent *, struct undo_image *); /* NULL: it cannot be undone */
	int64_t max;                                              /* the least value is 0 */
} kinds[TORRENT_OPS] = {
	[TORRENT_START] = {see_run, RUN_ALL},
	[TORRENT_STOP] = {see_run, RUN_ALL},
	[TORRENT_REMOVE] = {see_nothing, 0},
	[TORRENT_DOWN_RATE] = {see_down_limit, INT64_MAX},
	[TORRENT_UP_RATE] = {see_up_limit, INT64_MAX},
	[TORRENT_FILES] = {see_files, 0},
	[TORRENT_SEQUENTIAL] = {see_sequential, 1},
	[TORRENT_FIRST_LAST] = {see_first_last, 1},
	[TORRENT_MOVE] = {see_position, UINT32_MAX},
	[TORRENT_SEED_LIMITS] = {see_seed_limits, 0},
	[TORRENT_ENCRYPTION] = {see_encryption, WISH_ENCRYPTION_REQUIRED},
	[TORRENT_DISCREET] = {see_discreet, DISCREET_ON},
	[TORRENT_LABELS] = {see_labels, 0},
};

bool image_of(const struct torrent *t, enum torrent_op op, struct undo_image *out)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	*out = (struct undo_image){0};
	/* What is chosen of files that nobody knows yet has no state to go back to. */
	if (op >= TORRENT_OPS || kinds[op].see == NULL || (op == TORRENT_FILES && t->meta->bare))
		return false;
	kinds[op].see(t, out);
	return true;
}

enum err image_check(const struct torrent *t, struct m_torrent_set *c)
{
	struct undo_image now;
	uint64_t print;

	CHECK_OBJ(t, TORRENT_MAGIC);
	if (!image_of(t, c->op, &now) || c->value > (uint64_t)kinds[c->op].max)
		return E_RANGE;
	print = undo_image_print(&now);
	undo_image_fini(&now);
	if (print == c->print)
		return E_OK;
	if (print == c->print_back)
		return E_EXISTS;
	snprintf(c->why.text, sizeof c->why.text, "it was changed again since, and stays as it is");
	return E_CHANGED;
}

void image_keep(const struct torrent *t, struct m_torrent_set *c, struct m_state_set *set,
	struct undo_image *was, struct undo_image *now)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	set->undo = c->undo;
	set->item.op = c->op;
	set->item.was = *was;
	set->item.print = undo_image_print(now);
	memcpy(set->item.infohash, t->meta->infohash.v1, sizeof set->item.infohash);
	*was = (struct undo_image){0};
	undo_image_fini(now);
	c->kept = true;
}
