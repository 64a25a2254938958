/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is.
 *
 * A host stands in the ring of each class it has something to wait in, while it may have one more
 * place; one that is silent in the last ring alone.  So the next item is found at the head of a
 * ring.  A host is forgotten with its last item, but for some silent ones.
 */
#include "actors/tracker/places.h"

#define QUEUE_MAGIC 0x51554555u
#define HOST_MAGIC  0x51484f53u
#define RING_SILENT QUEUE_CLASSES
#define RINGS       (QUEUE_CLASSES + 1)
#define BUCKETS     256u
#define IDLE_MAX    256u                 /* silent hosts that are remembered without items */
#define PACE_BURST  50                   /* starts at once */
#define PACE_GAP    (USEC_PER_SEC / 100) /* between two starts, in the long run */

TAILQ_HEAD(item_list, queue_item);
TAILQ_HEAD(host_ring, queue_host);

struct queue_host {
	uint32_t magic;
	bool silent, tried, idle;
	bool in[RINGS];
	unsigned waiting, running;
	struct item_list items[QUEUE_CLASSES]; /* that wait */
	TAILQ_ENTRY(queue_host) ring[RINGS];
	TAILQ_ENTRY(queue_host) idle_link;
	struct queue_host *next; /* in its bucket */
	char *name;              /* owned */
};

struct queue {
	uint32_t magic;
	unsigned places, share; /* of all; of one host, and of all silent ones */
	unsigned count, running, silent_running, idle_n;
	uint64_t seed;
	int64_t next_start;
	void (*late)(struct queue_item *);
	struct item_list run; /* by when they began */
	struct host_ring rings[RINGS], idle;
	struct queue_host *buckets[BUCKETS];
};

/* --- hosts --- */

static struct queue_host **find_place(struct queue *q, const char *name)
{
	uint64_t v = UINT64_C(0xcbf29ce484222325) ^ q->seed;
	struct queue_host **p;

	for (const char *c = name; *c != '\0'; c++)
		v = (v ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
	p = &q->buckets[(v >> 32) % BUCKETS];
	while (*p != NULL && strcmp((*p)->name, name) != 0)
		p = &(*p)->next;
	return p;
}

static struct queue_host *host_of(struct queue *q, const char *name)
{
	struct queue_host **p = find_place(q, name), *h = *p;

	if (h == NULL) {
		ALLOC_OBJ(h, HOST_MAGIC);
		h->name = xstrdup(name);
		for (unsigned c = 0; c < QUEUE_CLASSES; c++)
			TAILQ_INIT(&h->items[c]);
		*p = h;
	}
	if (h->idle) {
		TAILQ_REMOVE(&q->idle, h, idle_link);
		h->idle = false;
		q->idle_n--;
	}
	return h;
}

static void forget_host(struct queue *q, struct queue_host *h)
{
	*find_place(q, h->name) = h->next;
	if (h->idle) {
		TAILQ_REMOVE(&q->idle, h, idle_link);
		q->idle_n--;
	}
	xfree(h->name);
	FREE_OBJ(h);
}

static bool belongs(const struct queue *q, const struct queue_host *h, unsigned ring)
{
	if (h->running >= q->share || h->silent != (ring == RING_SILENT))
		return false;
	return ring == RING_SILENT ? h->waiting > 0 : !TAILQ_EMPTY(&h->items[ring]);
}

/* Puts the host into the rings it belongs to.  One that was never asked goes to the front: it is
 * new, and a person may be looking at it. */
static void place_host(struct queue *q, struct queue_host *h)
{
	for (unsigned r = 0; r < RINGS; r++) {
		bool belong = belongs(q, h, r);

		if (belong == h->in[r])
			continue;
		h->in[r] = belong;
		if (!belong)
			TAILQ_REMOVE(&q->rings[r], h, ring[r]);
		else if (h->tried)
			TAILQ_INSERT_TAIL(&q->rings[r], h, ring[r]);
		else
			TAILQ_INSERT_HEAD(&q->rings[r], h, ring[r]);
	}
}

static void settle_host(struct queue *q, struct queue_host *h)
{
	struct queue_host *oldest;

	place_host(q, h);
	if (h->waiting > 0 || h->running > 0)
		return;
	if (!h->silent) {
		forget_host(q, h);
		return;
	}
	h->idle = true;
	TAILQ_INSERT_TAIL(&q->idle, h, idle_link);
	if (++q->idle_n > IDLE_MAX) {
		oldest = TAILQ_FIRST(&q->idle);
		forget_host(q, oldest);
	}
}

static void fall_silent(struct queue *q, struct queue_host *h)
{
	struct queue_item *i;

	h->silent = true;
	q->silent_running += h->running;
	for (unsigned c = 0; c < QUEUE_CLASSES; c++)
		TAILQ_FOREACH(i, &h->items[c], link)
	q->late(i);
}

static void note_end(struct queue *q, struct queue_host *h, enum queue_end end)
{
	if (end == QUEUE_SILENT && !h->silent) {
		fall_silent(q, h);
	} else if (end == QUEUE_ANSWERED && h->silent) {
		h->silent = false;
		q->silent_running -= h->running;
	}
}

/* --- the queue --- */

struct queue *places_new(unsigned places, uint64_t seed, void (*late)(struct queue_item *))
{
	struct queue *q;

	ALLOC_OBJ(q, QUEUE_MAGIC);
	q->places = MAX(places, 1u);
	q->share = MAX(q->places / 2, 1u);
	q->seed = seed;
	q->late = late;
	TAILQ_INIT(&q->run);
	TAILQ_INIT(&q->idle);
	for (unsigned r = 0; r < RINGS; r++)
		TAILQ_INIT(&q->rings[r]);
	return q;
}

void places_free(struct queue **pq)
{
	struct queue_host *h;
	struct queue *q;

	TAKE_OBJ(q, pq, QUEUE_MAGIC);
	must(q->count == 0 && q->running == 0);
	while ((h = TAILQ_FIRST(&q->idle)) != NULL)
		forget_host(q, h);
	FREE_OBJ(q);
}

void places_add(struct queue *q, struct queue_item *i, const char *host, enum queue_class class)
{
	struct queue_host *h;

	CHECK_OBJ(q, QUEUE_MAGIC);
	h = host_of(q, host);
	*i = (struct queue_item){.host = h, .class = class};
	TAILQ_INSERT_TAIL(&h->items[class], i, link);
	h->waiting++;
	q->count++;
	place_host(q, h);
	if (h->silent)
		q->late(i);
}

/* The ring whose first host is next; RINGS: none. */
static unsigned next_ring(const struct queue *q)
{
	unsigned r = 0;

	if (q->running >= q->places)
		return RINGS;
	while (r < RINGS && TAILQ_EMPTY(&q->rings[r]))
		r++;
	return r == RING_SILENT && q->silent_running >= q->share ? RINGS : r;
}

/* A leaky bucket: so many starts at once, then one every gap. */
static int64_t pace_at(const struct queue *q)
{
	return q->next_start - PACE_BURST * PACE_GAP;
}

static void start_item(struct queue *q, struct queue_item *i, int64_t now)
{
	struct queue_host *h = i->host;

	TAILQ_REMOVE(&h->items[i->class], i, link);
	h->waiting--;
	h->running++;
	h->tried = true;
	q->running++;
	q->silent_running += h->silent;
	i->running = true;
	i->begun = now;
	TAILQ_INSERT_TAIL(&q->run, i, link);
}

struct queue_item *places_next(struct queue *q, int64_t now)
{
	struct queue_item *i = NULL;
	struct queue_host *h;
	unsigned r;

	CHECK_OBJ(q, QUEUE_MAGIC);
	r = next_ring(q);
	if (r == RINGS || (r != QUEUE_EVENT && now < pace_at(q)))
		return NULL;
	if (r != QUEUE_EVENT)
		q->next_start = MAX(q->next_start, now) + PACE_GAP;
	h = TAILQ_FIRST(&q->rings[r]);
	for (unsigned c = 0; i == NULL && c < QUEUE_CLASSES; c++)
		if (r == RING_SILENT || r == c)
			i = TAILQ_FIRST(&h->items[c]);
	must(i != NULL);
	/* The others of the ring come before it is its turn again. */
	TAILQ_REMOVE(&q->rings[r], h, ring[r]);
	h->in[r] = false;
	start_item(q, i, now);
	place_host(q, h);
	return i;
}

/* Hosts that are not known to be silent wait for a place. */
static bool is_short(const struct queue *q)
{
	unsigned r = 0;

	while (r < RING_SILENT && TAILQ_EMPTY(&q->rings[r]))
		r++;
	return r < RING_SILENT && q->running >= q->places;
}

struct queue_item *places_overdue(const struct queue *q, int64_t now)
{
	struct queue_item *i;

	CHECK_OBJ(q, QUEUE_MAGIC);
	i = TAILQ_FIRST(&q->run);
	return is_short(q) && now >= i->begun + QUEUE_OVERTIME ? i : NULL;
}

int64_t places_deadline(const struct queue *q)
{
	CHECK_OBJ(q, QUEUE_MAGIC);
	if (is_short(q))
		return TAILQ_FIRST(&q->run)->begun + QUEUE_OVERTIME;
	return next_ring(q) == RINGS ? INT64_MAX : pace_at(q);
}

void places_remove(struct queue *q, struct queue_item *i, enum queue_end end)
{
	struct queue_host *h = i->host;

	CHECK_OBJ(q, QUEUE_MAGIC);
	CHECK_OBJ(h, HOST_MAGIC);
	q->count--;
	if (i->running) {
		TAILQ_REMOVE(&q->run, i, link);
		h->running--;
		q->running--;
		q->silent_running -= h->silent;
	} else {
		TAILQ_REMOVE(&h->items[i->class], i, link);
		h->waiting--;
	}
	i->host = NULL;
	note_end(q, h, end);
	settle_host(q, h);
}

unsigned places_count(const struct queue *q)
{
	CHECK_OBJ(q, QUEUE_MAGIC);
	return q->count;
}
