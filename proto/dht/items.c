/* SPDX-License-Identifier: MIT */
/* Others' items: in a hash table and in a list by the time they were put. */
#include "proto/base/link.h"
#include "proto/dht/item.h"
#include "proto/meta/hash.h"

#define ITEMS_MAGIC 0x4b49544du
#define BUCKETS     1024u

struct kept {
	struct kept *next;  /* of its bucket */
	struct link by_age; /* in items->kept */
	struct kad_id target;
	int64_t put;
	struct kad_item item;
};

struct kad_items {
	uint32_t magic;
	uint8_t key[16];
	struct kept **buckets; /* owned; NULL before the first put */
	struct link kept;      /* the one put the longest ago first */
	unsigned n;
};

struct kad_items *kad_items_new(uint64_t seed)
{
	struct kad_items *s;

	ALLOC_OBJ(s, ITEMS_MAGIC);
	memcpy(s->key, &seed, sizeof seed);
	link_init(&s->kept);
	return s;
}

static struct kept **place_of(const struct kad_items *s, const struct kad_id *target)
{
	struct kept **p = &s->buckets[hash_keyed(s->key, target->b, sizeof target->b) % BUCKETS];

	while (*p != NULL && !kad_id_equal(&(*p)->target, target))
		p = &(*p)->next;
	return p;
}

static void drop(struct kad_items *s, struct kept *k)
{
	*place_of(s, &k->target) = k->next;
	link_remove(&k->by_age);
	s->n--;
	xfree(k);
}

static struct kept *oldest(const struct kad_items *s)
{
	return container_of(s->kept.next, struct kept, by_age);
}

void kad_items_free(struct kad_items **sp)
{
	struct kad_items *s;

	TAKE_OBJ(s, sp, ITEMS_MAGIC);
	while (s->n > 0)
		drop(s, oldest(s));
	xfree(s->buckets);
	FREE_OBJ(s);
}

static struct kept *find(struct kad_items *s, const struct kad_id *target, int64_t now)
{
	CHECK_OBJ(s, ITEMS_MAGIC);
	while (s->n > 0 && now - oldest(s)->put >= KAD_ITEM_LIFETIME)
		drop(s, oldest(s));
	return s->buckets != NULL ? *place_of(s, target) : NULL;
}

const struct kad_item *kad_items_find(struct kad_items *s, const struct kad_id *target, int64_t now)
{
	const struct kept *k = find(s, target, now);

	return k != NULL ? &k->item : NULL;
}

static void keep(
	struct kad_items *s, const struct kad_item *item, const struct kad_id *target, int64_t now)
{
	struct kept **place, *k;

	if (s->n >= KAD_ITEMS_MAX)
		drop(s, oldest(s));
	if (s->buckets == NULL)
		s->buckets = xcalloc(BUCKETS, sizeof *s->buckets);
	place = place_of(s, target);
	k = xcalloc(1, sizeof *k);
	k->item = *item;
	k->target = *target;
	k->put = now;
	k->next = *place;
	*place = k;
	link_append(&s->kept, &k->by_age);
	s->n++;
}

static bool is_same(const struct kad_item *a, const struct kad_item *b)
{
	return a->seq == b->seq && a->value_n == b->value_n &&
	       memcmp(a->value, b->value, a->value_n) == 0;
}

int kad_items_put(struct kad_items *s, const struct kad_item *item, const int64_t *cas, int64_t now)
{
	CHECK_OBJ(s, ITEMS_MAGIC);
	struct kad_id target = kad_item_target(item);
	struct kept *k = find(s, &target, now);

	if (k != NULL && item->mutable) {
		if (cas != NULL && *cas != k->item.seq)
			return KRPC_E_CAS;
		if (item->seq < k->item.seq ||
			(item->seq == k->item.seq && !is_same(item, &k->item)))
			return KRPC_E_SEQ;
	}
	/* The same again only keeps what is there alive: whatever signature came with it. */
	if (k != NULL && is_same(item, &k->item)) {
		k->put = now;
		link_remove(&k->by_age);
		link_append(&s->kept, &k->by_age);
		return 0;
	}
	if (!kad_item_signed(item))
		return KRPC_E_SIGNATURE;
	if (k != NULL)
		drop(s, k);
	keep(s, item, &target, now);
	return 0;
}

unsigned kad_items_count(const struct kad_items *s)
{
	CHECK_OBJ(s, ITEMS_MAGIC);
	return s->n;
}
