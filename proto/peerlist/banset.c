/* SPDX-License-Identifier: MIT */
/*
 * Chains over an array that is written round and round: adding to a full set overwrites the oldest.
 */
#include "proto/peerlist/banset.h"

#define BANSET_MAGIC 0x62616e73u
#define NONE         UINT32_MAX
#define HEADS        256u
#define V6_NETWORK   8u /* bytes of an IPv6 address that a ban is of */

struct ban {
	uint8_t ip[16];
	uint32_t next; /* in its chain */
};

struct banset {
	uint32_t magic;
	uint32_t max, cap, n;
	uint32_t oldest; /* where the next one goes once n == max */
	uint64_t seed;
	struct ban *ban;
	uint32_t head[HEADS];
};

struct banset *banset_new(uint32_t max, uint64_t seed)
{
	struct banset *b;

	must(max > 0);
	ALLOC_OBJ(b, BANSET_MAGIC);
	b->max = max;
	b->seed = seed;
	for (unsigned i = 0; i < HEADS; i++)
		b->head[i] = NONE;
	return b;
}

void banset_free(struct banset **bp)
{
	struct banset *b;

	if (*bp == NULL)
		return;
	TAKE_OBJ(b, bp, BANSET_MAGIC);
	xfree(b->ban);
	FREE_OBJ(b);
}

static uint32_t chain_of(const struct banset *b, const uint8_t ip[16])
{
	struct endpoint e = {.port = 0};

	memcpy(e.ip, ip, sizeof e.ip);
	return (uint32_t)(endpoint_hash(&e, b->seed) % HEADS);
}

/* What of an address is banned; the rest is zeros. */
static void take_key(const struct endpoint *e, uint8_t key[16])
{
	memcpy(key, e->ip, 16);
	if (!endpoint_is_v4(e))
		memset(key + V6_NETWORK, 0, 16 - V6_NETWORK);
}

static void unlink_ban(struct banset *b, uint32_t at)
{
	uint32_t *link = &b->head[chain_of(b, b->ban[at].ip)];

	while (*link != at)
		link = &b->ban[*link].next;
	*link = b->ban[at].next;
}

/* A place for one more: at the end while there is room, the oldest one's after that. */
static uint32_t take_place(struct banset *b)
{
	uint32_t at = b->n;

	if (b->n == b->max) {
		at = b->oldest;
		b->oldest = (b->oldest + 1) % b->max;
		unlink_ban(b, at);
		return at;
	}
	if (b->n == b->cap) {
		b->cap = MIN(b->cap ? 2 * b->cap : 8, b->max);
		b->ban = xrealloc(b->ban, b->cap * sizeof *b->ban);
	}
	b->n++;
	return at;
}

void banset_add(struct banset *b, const struct endpoint *e)
{
	uint32_t at, *head;

	CHECK_OBJ(b, BANSET_MAGIC);
	if (banset_has(b, e))
		return;
	at = take_place(b);
	take_key(e, b->ban[at].ip);
	head = &b->head[chain_of(b, b->ban[at].ip)];
	b->ban[at].next = *head;
	*head = at;
}

bool banset_has(const struct banset *b, const struct endpoint *e)
{
	uint8_t key[16];
	uint32_t at;

	CHECK_OBJ(b, BANSET_MAGIC);
	if (b->n == 0)
		return false;
	take_key(e, key);
	at = b->head[chain_of(b, key)];
	while (at != NONE && memcmp(b->ban[at].ip, key, sizeof key) != 0)
		at = b->ban[at].next;
	return at != NONE;
}

uint32_t banset_count(const struct banset *b)
{
	CHECK_OBJ(b, BANSET_MAGIC);
	return b->n;
}
