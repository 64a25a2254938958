/* SPDX-License-Identifier: MIT */
/*
 * Candidates in one array, found by hash, ordered by two heaps.
 *
 * An entry that is READY or WAITING is in the heap of that name; its `key` is its priority in the
 * first and the second it waits for in the others.  The array has no holes: the last entry moves
 * into the place of one that goes, so that a random index is always a random entry, which is how a
 * full list finds somebody to give up without looking at all.
 */
#include "proto/peerlist/priv.h"

#define SECOND_US      USEC_PER_SEC
#define EVICT_LOOK     64u /* entries compared when somebody has to go */
#define SPENT_FAILURES 3u

struct peerlist *peerlist_new(uint32_t cap, struct rng *borrowed)
{
	struct peerlist *l;

	must(cap > 0 && cap <= PEERLIST_CAP_MAX);
	ALLOC_OBJ(l, PEERLIST_MAGIC);
	l->max = cap;
	l->rng = borrowed;
	l->hash_seed = rng_u64(borrowed);
	return l;
}

void peerlist_free(struct peerlist **lp)
{
	struct peerlist *l;

	if (*lp == NULL)
		return;
	TAKE_OBJ(l, lp, PEERLIST_MAGIC);
	banset_free(&l->bans);
	for (unsigned h = 0; h < HEAPS; h++)
		xfree(l->heap[h].v);
	xfree(l->head);
	xfree(l->entry);
	xfree(l->introduced);
	FREE_OBJ(l);
}

struct endpoint peerlist_endpoint(const struct entry *en)
{
	struct endpoint e = {.port = en->port};

	memcpy(e.ip, en->ip, sizeof e.ip);
	return e;
}

static uint32_t now_second(int64_t now_us)
{
	return (uint32_t)(now_us / SECOND_US);
}

/* --- the hash and the array --- */

static uint32_t *chain_of(const struct peerlist *l, const struct endpoint *e)
{
	return &l->head[endpoint_hash(e, l->hash_seed) & (l->heads - 1)];
}

uint32_t peerlist_find(const struct peerlist *l, const struct endpoint *e)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	uint32_t i;

	if (l->n == 0)
		return NONE;
	for (i = *chain_of(l, e); i != NONE; i = l->entry[i].next)
		if (l->entry[i].port == e->port && memcmp(l->entry[i].ip, e->ip, sizeof e->ip) == 0)
			break;
	return i;
}

static void link_entry(struct peerlist *l, uint32_t i)
{
	struct endpoint e = peerlist_endpoint(&l->entry[i]);
	uint32_t *head = chain_of(l, &e);

	l->entry[i].next = *head;
	*head = i;
}

/* What points at entry i in its chain. */
static uint32_t *link_to(struct peerlist *l, uint32_t i)
{
	struct endpoint e = peerlist_endpoint(&l->entry[i]);
	uint32_t *link = chain_of(l, &e);

	while (*link != i)
		link = &l->entry[*link].next;
	return link;
}

static void grow_list(struct peerlist *l)
{
	uint32_t cap = MIN(l->cap ? 2 * l->cap : 16, l->max);

	l->entry = xrealloc(l->entry, cap * sizeof *l->entry);
	for (unsigned h = 0; h < HEAPS; h++)
		l->heap[h].v = xrealloc(l->heap[h].v, cap * sizeof *l->heap[h].v);
	l->cap = cap;
	for (l->heads = 1; l->heads < cap;)
		l->heads *= 2;
	l->head = xrealloc(l->head, l->heads * sizeof *l->head);
	memset(l->head, 0xff, l->heads * sizeof *l->head);
	for (uint32_t i = 0; i < l->n; i++)
		link_entry(l, i);
}

void peerlist_remove(struct peerlist *l, uint32_t i)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	uint32_t last = l->n - 1;

	introducer_release(l, &l->entry[i]);
	heap_leave(l, i);
	*link_to(l, i) = l->entry[i].next;
	if (i != last) {
		*link_to(l, last) = i;
		l->entry[i] = l->entry[last];
		if (l->entry[i].state < HEAPS)
			l->heap[l->entry[i].state].v[l->entry[i].pos] = i;
	}
	l->n--;
}

/* --- what an entry is worth --- */

static bool is_idle(const struct entry *en)
{
	return en->state <= ENTRY_PARKED;
}

/* Without our own address every order is as good as another. */
static uint32_t dial_priority(struct peerlist *l, const struct entry *en)
{
	struct endpoint e = peerlist_endpoint(en);
	bool v4 = endpoint_is_v4(&e);

	return l->own_known[v4] ? endpoint_priority(&l->own[v4], &e) : (uint32_t)rng_u64(l->rng);
}

/* Puts an entry that is in no heap where it may be dialled from second `ready` on; 0 is now. */
static void place_entry(struct peerlist *l, uint32_t i, uint32_t ready)
{
	struct entry *en = &l->entry[i];

	en->key = ready;
	if (l->seeding && (en->flags & FLAG_SEED) != 0) {
		en->state = ENTRY_PARKED;
	} else if (ready == 0) {
		en->key = dial_priority(l, en);
		heap_enter(l, ENTRY_READY, i);
	} else {
		heap_enter(l, ENTRY_WAITING, i);
	}
}

void peerlist_replace(struct peerlist *l, uint32_t i)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	const struct entry *en = &l->entry[i];
	uint32_t ready = en->state == ENTRY_READY ? 0 : en->key;

	if (!is_idle(en))
		return;
	heap_leave(l, i);
	place_entry(l, i, ready);
}

static void wake_entries(struct peerlist *l, int64_t now_us)
{
	struct heap *waiting = &l->heap[ENTRY_WAITING];

	while (waiting->n > 0 && l->entry[waiting->v[0]].key <= now_second(now_us)) {
		uint32_t i = waiting->v[0];

		heap_leave(l, i);
		place_entry(l, i, 0);
	}
}

/* Greater is worse: failures, then the source, the last one being a single peer's word. */
static uint32_t badness(const struct entry *en)
{
	uint32_t source = en->introducer != 0 ? PEER_SOURCES : (uint32_t)__builtin_ctz(en->sources);

	return (uint32_t)en->failures * (PEER_SOURCES + 1) + source;
}

/* The worst idle entry among some, if it is no better than `limit`; the oldest of equals. */
static uint32_t find_worst(const struct peerlist *l, uint32_t limit)
{
	uint32_t worst = NONE, look = MIN(l->n, EVICT_LOOK);

	for (uint32_t k = 0; k < look; k++) {
		uint32_t i = l->n > EVICT_LOOK ? rng_below(l->rng, l->n) : k;
		const struct entry *en = &l->entry[i];

		if (!is_idle(en) || badness(en) < limit)
			continue;
		if (worst == NONE || badness(en) > badness(&l->entry[worst]) ||
			(badness(en) == badness(&l->entry[worst]) &&
				en->added < l->entry[worst].added))
			worst = i;
	}
	return worst;
}

/* --- public --- */

static bool is_own(const struct peerlist *l, const struct endpoint *e)
{
	bool v4 = endpoint_is_v4(e);

	return l->own_known[v4] && endpoint_equal(&l->own[v4], e);
}

void peerlist_set_own(struct peerlist *l, const struct endpoint *own)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	struct heap *ready = &l->heap[ENTRY_READY];
	bool v4 = endpoint_is_v4(own);
	uint32_t i;

	if (is_own(l, own))
		return;
	l->own[v4] = *own;
	l->own_known[v4] = true;
	i = peerlist_find(l, own);
	if (i != NONE && is_idle(&l->entry[i]))
		peerlist_remove(l, i);
	else if (i != NONE) /* the connection by which we met ourselves is not over */
		l->entry[i].flags |= FLAG_FORGET;
	for (uint32_t k = 0; k < ready->n; k++)
		l->entry[ready->v[k]].key = dial_priority(l, &l->entry[ready->v[k]]);
	heap_sort(l, ENTRY_READY);
}

void peerlist_set_seeding(struct peerlist *l, bool seeding)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	if (l->seeding == seeding)
		return;
	l->seeding = seeding;
	for (uint32_t i = 0; i < l->n; i++)
		if ((l->entry[i].flags & FLAG_SEED) != 0)
			peerlist_replace(l, i);
}

static bool is_dialable(const struct peerlist *l, const struct endpoint *e)
{
	return e->port != 0 && !endpoint_is_unspecified(e) && !endpoint_is_multicast(e) &&
	       !is_own(l, e);
}

static void append_entry(
	struct peerlist *l, const struct endpoint *e, enum peer_source source, int64_t now_us)
{
	struct entry *en;

	if (l->n == l->cap)
		grow_list(l);
	en = &l->entry[l->n];
	memset(en, 0, sizeof *en);
	memcpy(en->ip, e->ip, sizeof en->ip);
	en->port = e->port;
	en->sources = (uint8_t)(1u << source);
	en->added = now_second(now_us);
	link_entry(l, l->n++);
	place_entry(l, l->n - 1, 0);
}

/* Somebody else names it, too. */
static void vouch(struct peerlist *l, uint32_t i)
{
	if (l->entry[i].introducer == 0)
		return;
	introducer_release(l, &l->entry[i]);
	peerlist_replace(l, i);
}

enum err peerlist_add(
	struct peerlist *l, const struct endpoint *e, enum peer_source source, int64_t now_us)
{
	uint32_t i, worst;

	CHECK_OBJ(l, PEERLIST_MAGIC);
	must((unsigned)source < PEER_SOURCES);
	if (!is_dialable(l, e))
		return E_RANGE;
	if (peerlist_is_banned(l, e))
		return E_DENIED;
	i = peerlist_find(l, e);
	if (i != NONE) {
		l->entry[i].sources |= (uint8_t)(1u << source);
		vouch(l, i);
		return E_EXISTS;
	}
	if (l->n == l->max) {
		worst = find_worst(l, (uint32_t)source);
		if (worst == NONE)
			return E_OVERLOAD;
		peerlist_remove(l, worst);
	}
	append_entry(l, e, source, now_us);
	return E_OK;
}

bool peerlist_next(struct peerlist *l, int64_t now_us, struct endpoint *out)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	const struct heap *ready = &l->heap[ENTRY_READY];

	wake_entries(l, now_us);
	if (ready->n == 0)
		return false;
	*out = peerlist_endpoint(&l->entry[ready->v[0]]);
	return true;
}

int64_t peerlist_deadline(struct peerlist *l, int64_t now_us)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	const struct heap *waiting = &l->heap[ENTRY_WAITING];

	wake_entries(l, now_us);
	if (l->heap[ENTRY_READY].n > 0)
		return now_us;
	return waiting->n > 0 ? (int64_t)l->entry[waiting->v[0]].key * SECOND_US : INT64_MAX;
}

static void use_entry(struct peerlist *l, const struct endpoint *e, enum entry_state state)
{
	uint32_t i;

	CHECK_OBJ(l, PEERLIST_MAGIC);
	i = peerlist_find(l, e);
	if (i == NONE)
		return;
	heap_leave(l, i);
	l->entry[i].state = (uint8_t)state;
	if (state == ENTRY_CONNECTED) /* it is there: its own word is as good as another's */
		introducer_release(l, &l->entry[i]);
}

void peerlist_dialing(struct peerlist *l, const struct endpoint *e)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	use_entry(l, e, ENTRY_DIALING);
}

void peerlist_connected(struct peerlist *l, const struct endpoint *e)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	use_entry(l, e, ENTRY_CONNECTED);
}

/* Doubles with each failure; a quarter of chance keeps a swarm from coming back all at once. */
static uint32_t backoff_seconds(struct peerlist *l, unsigned failures)
{
	uint32_t s = PEERLIST_BACKOFF_MIN << MIN(failures > 0 ? failures - 1 : 0, 7u);

	s = MIN(s, PEERLIST_BACKOFF_MAX);
	s = s - s / 4 + rng_below(l->rng, s / 2 + 1);
	return MAX(MIN(s, PEERLIST_BACKOFF_MAX), PEERLIST_BACKOFF_MIN);
}

static void rest_entry(struct peerlist *l, uint32_t i, int64_t now_us)
{
	struct entry *en = &l->entry[i];

	if ((en->flags & FLAG_FORGET) != 0) {
		peerlist_remove(l, i);
		return;
	}
	heap_leave(l, i);
	/* The second under way does not count, so that nobody is dialled early. */
	place_entry(l, i, now_second(now_us) + 1 + backoff_seconds(l, en->failures));
}

static void note_failure(struct entry *en)
{
	if (en->failures < UINT8_MAX)
		en->failures++;
}

/* It keeps a place of an introducer that has no other left, and nobody has ever been there. */
static bool is_spent(const struct peerlist *l, const struct entry *en)
{
	return en->introducer != 0 && en->failures >= SPENT_FAILURES &&
	       l->introduced[en->introducer - 1] >= PEERLIST_INTRODUCED_MAX;
}

/* An address that meanwhile connected to us is not touched by a dial that failed. */
void peerlist_failed(struct peerlist *l, const struct endpoint *e, int64_t now_us)
{
	uint32_t i;

	CHECK_OBJ(l, PEERLIST_MAGIC);
	i = peerlist_find(l, e);
	if (i == NONE || l->entry[i].state != ENTRY_DIALING)
		return;
	note_failure(&l->entry[i]);
	if (is_spent(l, &l->entry[i]))
		l->entry[i].flags |= FLAG_FORGET;
	rest_entry(l, i, now_us);
}

void peerlist_closed(struct peerlist *l, const struct endpoint *e, bool useful, int64_t now_us)
{
	uint32_t i;

	CHECK_OBJ(l, PEERLIST_MAGIC);
	i = peerlist_find(l, e);
	if (i == NONE || is_idle(&l->entry[i]))
		return;
	if (useful)
		l->entry[i].failures = 0;
	else
		note_failure(&l->entry[i]);
	rest_entry(l, i, now_us);
}

void peerlist_released(struct peerlist *l, const struct endpoint *e)
{
	uint32_t i;

	CHECK_OBJ(l, PEERLIST_MAGIC);
	i = peerlist_find(l, e);
	if (i == NONE || is_idle(&l->entry[i]))
		return;
	if (l->entry[i].flags & FLAG_FORGET) {
		peerlist_remove(l, i);
		return;
	}
	heap_leave(l, i);
	place_entry(l, i, 0);
}

void peerlist_mark_seed(struct peerlist *l, const struct endpoint *e, bool seed)
{
	uint32_t i;

	CHECK_OBJ(l, PEERLIST_MAGIC);
	i = peerlist_find(l, e);
	if (i == NONE || seed == ((l->entry[i].flags & FLAG_SEED) != 0))
		return;
	l->entry[i].flags ^= FLAG_SEED;
	if (l->seeding)
		peerlist_replace(l, i);
}

void peerlist_forget(struct peerlist *l, const struct endpoint *e)
{
	uint32_t i;

	CHECK_OBJ(l, PEERLIST_MAGIC);
	i = peerlist_find(l, e);
	if (i != NONE && is_idle(&l->entry[i]))
		peerlist_remove(l, i);
}

void peerlist_ban(struct peerlist *l, const struct endpoint *e)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	if (l->bans == NULL)
		l->bans = banset_new(PEERLIST_BANS_MAX, rng_u64(l->rng));
	banset_add(l->bans, e);
	for (uint32_t i = l->n; i-- > 0;) {
		struct endpoint at = peerlist_endpoint(&l->entry[i]);

		if (!banset_has(l->bans, &at))
			continue;
		if (is_idle(&l->entry[i]))
			peerlist_remove(l, i);
		else
			l->entry[i].flags |= FLAG_FORGET;
	}
}

bool peerlist_is_banned(const struct peerlist *l, const struct endpoint *e)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	return l->bans != NULL && banset_has(l->bans, e);
}

uint32_t peerlist_count(const struct peerlist *l)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	return l->n;
}

uint32_t peerlist_candidates(const struct peerlist *l)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	return l->heap[ENTRY_READY].n + l->heap[ENTRY_WAITING].n;
}

bool peerlist_lookup(const struct peerlist *l, const struct endpoint *e, struct peerlist_info *out)
{
	const struct entry *en;
	uint32_t i;

	CHECK_OBJ(l, PEERLIST_MAGIC);
	i = peerlist_find(l, e);
	if (i == NONE)
		return false;
	en = &l->entry[i];
	out->sources = en->sources;
	out->failures = en->failures;
	out->added_us = (int64_t)en->added * SECOND_US;
	out->seed = (en->flags & FLAG_SEED) != 0;
	out->connected = en->state == ENTRY_CONNECTED;
	return true;
}
