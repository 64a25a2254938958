/* SPDX-License-Identifier: MIT */
/*
 * Messages come and go.
 *
 * The envelope of a call comes home to the actor that made it, so each actor keeps a few freed
 * messages of each type and the steady state allocates nothing.  Under a sanitizer nothing is kept,
 * so that a use after free is seen.
 */
#include "actors/kernel/actor_priv.h"

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SPARES_MAX 0u
#else
#define SPARES_MAX 1024u
#endif

#define SPARE_MAGIC 0x53504152u

/* A freed message that waits to be used again. */
struct spare {
	uint32_t magic;
	unsigned n; /* length of the list from here on */
	struct spare *next;
};

size_t msg_size(const struct msg_type *types, uint16_t type)
{
	return MAX(types[type].size, sizeof(struct msg));
}

const char *msg_name(const struct msg_type *types, uint16_t type)
{
	return types[type].name != NULL ? types[type].name : "?";
}

static struct msg *take_spare(struct actor *a, uint16_t type)
{
	struct spare *s = a->spares[type];

	if (s == NULL)
		return NULL;
	must(s->magic == SPARE_MAGIC);
	a->spares[type] = s->next;
	return memset(s, 0, msg_size(a->types, type));
}

static bool keep_spare(struct actor *a, struct msg *m, uint16_t type)
{
	struct spare *s = (void *)m, *next = a->spares[type];
	unsigned n = next != NULL ? next->n : 0;

	if (n + 1 > SPARES_MAX || a->phase != ACTOR_RUNNING)
		return false;
	s->magic = SPARE_MAGIC;
	s->n = n + 1;
	s->next = next;
	a->spares[type] = s;
	return true;
}

void msg_spares_free(struct actor *a)
{
	for (unsigned i = 0; i < a->set->table->n; i++) {
		struct spare *s;

		while ((s = a->spares[i]) != NULL) {
			a->spares[i] = s->next;
			xfree(s);
		}
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
