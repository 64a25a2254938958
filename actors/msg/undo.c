/* SPDX-License-Identifier: MIT */
/* What is kept of changes and removals: names in the database, prints, and who frees what. */
#include "actors/msg/undo.h"

#include "actors/msg/msg.h"
#include "proto/base/rng.h"

static const char *const words_of[TORRENT_OPS] = {
	[TORRENT_START] = "start",
	[TORRENT_STOP] = "stop",
	[TORRENT_REMOVE] = "remove",
	[TORRENT_DOWN_RATE] = "limit_down",
	[TORRENT_UP_RATE] = "limit_up",
	[TORRENT_FILES] = "files",
	[TORRENT_SEQUENTIAL] = "sequential",
	[TORRENT_FIRST_LAST] = "firstlast",
	[TORRENT_MOVE] = "queue",
	[TORRENT_SEED_LIMITS] = "seed_limits",
	[TORRENT_ENCRYPTION] = "encryption",
	[TORRENT_DISCREET] = "discreet",
	[TORRENT_LABELS] = "labels",
};

const char *undo_word(int op)
{
	return op >= 0 && op < (int)TORRENT_OPS ? words_of[op] : NULL;
}

bool undo_word_read(const char *word, int *op)
{
	for (*op = 0; *op < (int)TORRENT_OPS; ++*op)
		if (words_of[*op] != NULL && strcmp(words_of[*op], word) == 0)
			return true;
	return false;
}

void undo_image_fini(struct undo_image *i)
{
	xfree(i->data);
	*i = (struct undo_image){0};
}

void undo_item_fini(struct undo_item *i)
{
	undo_image_fini(&i->was);
}

uint64_t undo_image_print(const struct undo_image *i)
{
	uint64_t print = mix_word(1, (uint64_t)i->value);

	print = mix_word(print, (uint64_t)i->seed.ratio);
	print = mix_word(print, (uint64_t)i->seed.time);
	print = mix_word(print, (uint64_t)i->seed.idle);
	print = mix_word(print, i->data_n);
	for (uint32_t at = 0; at < i->data_n; at++)
		print = mix_word(print, i->data[at]);
	return print;
}

void m_undo_fini(struct m_undo *m)
{
	for (uint32_t i = 0; m->items != NULL && i < m->items_n; i++)
		undo_item_fini(&m->items[i]);
	xfree(m->items);
}

/* --- what was removed --- */

void shelved_fini(struct shelved *r)
{
	xfree(r->name);
	xfree(r->path);
	xfree(r->trash);
	*r = (struct shelved){0};
}

static char *dup_or_null(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

void shelved_copy(struct shelved *to, const struct shelved *from)
{
	*to = *from;
	to->name = dup_or_null(from->name);
	to->path = dup_or_null(from->path);
	to->trash = dup_or_null(from->trash);
}

void m_removed_fini(struct m_removed *m)
{
	for (uint32_t i = 0; m->list != NULL && i < m->n; i++)
		shelved_fini(&m->list[i]);
	xfree(m->list);
}

void m_state_shelve_fini(struct m_state_shelve *m)
{
	shelved_fini(&m->what);
}
