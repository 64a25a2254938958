/* SPDX-License-Identifier: MIT */
/*
 * Messages come and go.
 *
 * Each actor keeps a few freed messages of each type.  The envelope of a call comes home to the
 * actor that made it, but a cast ends where it arrives: who receives many of a type has too many,
 * and who sends them none.  So they change hands in chains of CHAIN by way of a depot that all
 * share: the steady state allocates nothing, and the lock is taken once in CHAIN messages.  Chains
 * are short, because what a receiver keeps is allocated anew by the sender until the receiver has
 * its fill.  Under a sanitizer nothing is kept, so that a use after free is seen.
 */
#include "actors/kernel/actor_priv.h"

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define CHAIN      1u
#define CHAINS_MAX 0u
#define KEEP_MAX   0u
#else
#define CHAIN      4u
#define CHAINS_MAX 128u /* of a type, in the depot */
#define KEEP_MAX   (2 * CHAIN)
#endif

#define SPARE_MAGIC 0x53504152u

/* A freed message that waits to be used again. */
struct spare {
	uint32_t magic;
	unsigned n; /* length of the list from here on; in the depot: chains from here on */
	struct spare *next;
	struct spare *chain; /* in the depot: the next chain */
};

_Static_assert(sizeof(struct spare) <= sizeof(struct msg), "a spare lies in a message");

size_t msg_size(const struct msg_type *types, uint16_t type)
{
	return MAX(types[type].size, sizeof(struct msg));
}

const char *msg_name(const struct msg_type *types, uint16_t type)
{
	return types[type].name != NULL ? types[type].name : "?";
}

/* --- the depot --- */

static struct spare *fetch_chain(struct actors *set, uint16_t type)
{
	struct spare *s;

	must(pthread_mutex_lock(&set->depot_lock) == 0);
	s = set->depot[type];
	if (s != NULL)
		set->depot[type] = s->chain;
	must(pthread_mutex_unlock(&set->depot_lock) == 0);
	if (s != NULL)
		s->n = CHAIN;
	return s;
}

/* false: the depot is full. */
static bool store_chain(struct actors *set, uint16_t type, struct spare *s)
{
	unsigned n;

	must(pthread_mutex_lock(&set->depot_lock) == 0);
	n = set->depot[type] != NULL ? set->depot[type]->n : 0;
	if (n + 1 <= CHAINS_MAX) {
		s->n = n + 1;
		s->chain = set->depot[type];
		set->depot[type] = s;
	}
	must(pthread_mutex_unlock(&set->depot_lock) == 0);
	return n + 1 <= CHAINS_MAX;
}

static void free_list(struct spare *s)
{
	for (struct spare *next; s != NULL; s = next) {
		next = s->next;
		must(s->magic == SPARE_MAGIC);
		xfree(s);
	}
}

void msg_depot_free(struct actors *set)
{
	CHECK_OBJ(set, ACTORS_MAGIC);
	for (unsigned i = 0; i < set->table->n; i++)
		for (struct spare *s = set->depot[i], *next; s != NULL; s = next) {
			next = s->chain;
			free_list(s);
		}
	xfree(set->depot);
	set->depot = NULL;
}

/* --- an actor's own --- */

static struct msg *take_spare(struct actor *a, uint16_t type)
{
	struct spare *s = a->spares[type];

	if (s == NULL)
		s = fetch_chain(a->set, type);
	if (s == NULL)
		return NULL;
	must(s->magic == SPARE_MAGIC);
	a->spares[type] = s->next;
	return memset(s, 0, msg_size(a->types, type));
}

/* Takes the first CHAIN off the list. */
static void give_chain(struct actor *a, uint16_t type)
{
	struct spare *first = a->spares[type], *last = first;

	for (unsigned i = 1; i < CHAIN; i++)
		last = last->next;
	a->spares[type] = last->next;
	last->next = NULL;
	if (!store_chain(a->set, type, first))
		free_list(first);
}

static bool keep_spare(struct actor *a, struct msg *m, uint16_t type)
{
	struct spare *s = (void *)m;

	if (KEEP_MAX == 0 || a->phase != ACTOR_RUNNING)
		return false;
	if (a->spares[type] != NULL && a->spares[type]->n + 1 > KEEP_MAX)
		give_chain(a, type);
	s->magic = SPARE_MAGIC;
	s->n = a->spares[type] != NULL ? a->spares[type]->n + 1 : 1;
	s->next = a->spares[type];
	a->spares[type] = s;
	return true;
}

void msg_spares_free(struct actor *a)
{
	CHECK_OBJ(a, ACTOR_MAGIC);
	for (unsigned i = 0; i < a->set->table->n; i++) {
		free_list(a->spares[i]);
		a->spares[i] = NULL;
	}
}

void *msg_new(struct actor *a, uint16_t type)
{
	struct msg *m;

	actor_check_thread(a);
	must(type > KMSG_NONE && type < a->set->table->n);
	m = take_spare(a, type);
	if (m == NULL)
		m = xcalloc(1, msg_size(a->types, type));
	m->magic = MSG_MAGIC;
	m->type = type;
	a->live[type]++;
	stat_add(a, STAT_MSGS_NEW, 1);
	return m;
}

/* Frees what the payload owns; the empty message may be used again. */
static void empty(const struct msg_type *types, struct msg *m)
{
	CHECK_OBJ(m, MSG_MAGIC);
	must(!m->queued);
	if (types[m->type].fini != NULL)
		types[m->type].fini(m);
	m->magic = 0;
}

void msg_destroy(const struct msg_type *types, struct msg **pm)
{
	empty(types, *pm);
	xfree(*pm);
	*pm = NULL;
}

void msg_free(struct actor *a, struct msg **pm)
{
	struct msg *m = *pm;
	uint16_t type;

	actor_check_thread(a);
	*pm = NULL;
	if (m == NULL)
		return;
	type = m->type;
	empty(a->types, m);
	a->live[type]--;
	stat_add(a, STAT_MSGS_FREED, 1);
	if (!keep_spare(a, m, type))
		xfree(m);
}
