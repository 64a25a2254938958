/* SPDX-License-Identifier: MIT */
/* What the files of the peer list share; nobody else includes it. */
#ifndef PROTO_PEERLIST_PRIV_H
#define PROTO_PEERLIST_PRIV_H

#include "proto/peerlist/banset.h"
#include "proto/peerlist/peerlist.h"

#define PEERLIST_MAGIC 0x706c7374u
#define NONE           UINT32_MAX
#define FLAG_SEED      1u
#define FLAG_FORGET    2u    /* goes as soon as it is not in use */
#define FLAG_GREETING  0x30u /* enum peer_greeting, from GREETING_BIT on */
#define GREETING_BIT   4
#define FLAG_REGREETED 0x40u /* the other greeting was not understood just before */

enum entry_state {
	ENTRY_READY,   /* in heap[ENTRY_READY] */
	ENTRY_WAITING, /* in heap[ENTRY_WAITING] */
	ENTRY_PARKED,  /* a seed while we seed */
	ENTRY_DIALING,
	ENTRY_CONNECTED,
};
#define HEAPS 2
/* Introducers that are told apart; those whose networks have the same place share what is one's. */
#define INTRODUCERS 512u

struct entry {
	uint8_t ip[16];
	uint16_t port;
	uint8_t state;
	uint8_t failures;
	uint8_t sources;
	uint8_t flags;
	uint16_t introducer; /* whose it alone is: place in ->introduced, and 1; 0: nobody's */
	uint32_t next;       /* in its hash chain */
	uint32_t pos;        /* in its heap */
	uint32_t key;   /* READY: priority, greater is better; else the second it may be dialled, 0:
			   any */
	uint32_t added; /* second */
};
_Static_assert(sizeof(struct entry) == 40, "a candidate is 40 bytes");

struct heap {
	uint32_t *v; /* indices of entries */
	uint32_t n;
};

struct peerlist {
	uint32_t magic;
	uint32_t max, cap, n;
	struct entry *entry;
	uint32_t *head; /* of the hash chains, heads of them */
	uint32_t heads; /* a power of two */
	uint64_t hash_seed;
	struct heap heap[HEAPS];
	struct rng *rng;      /* borrowed */
	uint16_t *introduced; /* owned, INTRODUCERS: entries of each; NULL: nobody introduced any */
	struct banset *bans;
	struct endpoint own[2]; /* v6, v4 */
	bool own_known[2];
	bool seeding;
};

/* peerlist.c */
struct endpoint peerlist_endpoint(const struct entry *en);
uint32_t peerlist_find(const struct peerlist *l, const struct endpoint *e); /* index or NONE */

void peerlist_remove(struct peerlist *l, uint32_t i);
/* After a change of what its place depends on. */
void peerlist_replace(struct peerlist *l, uint32_t i);

/* The entry is nobody's alone any more.  Its order among those that are READY changes. */
static inline void introducer_release(struct peerlist *l, struct entry *en)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	if (en->introducer == 0)
		return;
	must(l->introduced != NULL && l->introduced[en->introducer - 1] > 0);
	l->introduced[en->introducer - 1]--;
	en->introducer = 0;
}

/* heap.c: a state below HEAPS is the number of its heap. */
bool heap_before(const struct peerlist *l, unsigned h, uint32_t a, uint32_t b);
/* Puts an entry that is in no heap into one and gives it that state. */
void heap_enter(struct peerlist *l, enum entry_state h, uint32_t i);
/* Takes an entry out of whatever heap it is in; its state is the caller's to set. */
void heap_leave(struct peerlist *l, uint32_t i);
/* After all keys changed. */
void heap_sort(struct peerlist *l, enum entry_state h);

#endif
