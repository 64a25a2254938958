/* SPDX-License-Identifier: MIT */
/*
 * What an actor keeps of each torrent, found by its reference.
 *
 * `session` gives the slots out and uses them again, so a slot is an index; the generation in it
 * tells the torrent that has it now from one that had it before, to which a message on its way may
 * still refer.  Slots are dense: an array holds them.  One owner, no thread-safety.
 */
#ifndef ACTORS_MSG_TREF_TABLE_H
#define ACTORS_MSG_TREF_TABLE_H

#include "actors/msg/record.h"

struct tref_slot {
	void *object; /* borrowed; NULL: free */
	uint16_t gen;
};

struct tref_table {
	struct tref_slot *slots; /* owned */
	uint32_t n, room;
	uint32_t used; /* objects in it */
};

/* What ref names, or NULL: it is gone, or was never here. */
static inline void *tref_table_get(const struct tref_table *t, struct tref ref)
{
	if (ref.slot >= t->n || t->slots[ref.slot].gen != ref.gen)
		return NULL;
	return t->slots[ref.slot].object;
}

/* Whether ref names a torrent that is still to come: a later one than its slot ever had. */
static inline bool tref_table_awaits(const struct tref_table *t, struct tref ref)
{
	return ref.slot >= t->n || (int16_t)(uint16_t)(ref.gen - t->slots[ref.slot].gen) > 0;
}

/* What has that slot now, of whatever generation, or NULL. For walks over slots [0, t->n). */
static inline void *tref_table_at(const struct tref_table *t, uint32_t slot)
{
	return slot < t->n ? t->slots[slot].object : NULL;
}

/* The slot must be free.  The object stays the caller's and outlives its place in the table. */
void tref_table_put(struct tref_table *t, struct tref ref, void *object);
/* The object must be in it. */
void tref_table_remove(struct tref_table *t, struct tref ref);
/* Frees the table, which must be empty of objects whose owner still wants them. */
void tref_table_fini(struct tref_table *t);

#endif
