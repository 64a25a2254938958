/* SPDX-License-Identifier: MIT */
/* Wrong attempts to get in. */
#include "http/access/tries.h"

#define TRIES_MAGIC 0x54524945u

#define PLACES 512u

struct place {
	uint8_t net[16];
	unsigned wrong;
	int64_t until; /* no attempt before that is looked at */
};

struct tries {
	uint32_t magic;
	struct place v[PLACES];
	unsigned n;
};

struct tries *tries_new(void)
{
	struct tries *t;

	ALLOC_OBJ(t, TRIES_MAGIC);
	return t;
}

void tries_free(struct tries **pt)
{
	struct tries *t;

	TAKE_OBJ(t, pt, TRIES_MAGIC);
	FREE_OBJ(t);
}

static void write_net(const struct endpoint *e, uint8_t net[16])
{
	memcpy(net, e->ip, 16);
	if (!endpoint_is_v4(e) && !endpoint_is_loopback(e))
		memset(net + 8, 0, 8);
}

static unsigned find_place(const struct tries *t, const struct endpoint *e)
{
	uint8_t net[16];
	unsigned i = 0;

	write_net(e, net);
	while (i < t->n && memcmp(t->v[i].net, net, sizeof net) != 0)
		i++;
	return i;
}

int64_t tries_wait(const struct tries *t, const struct endpoint *e, int64_t now)
{
	unsigned i;

	CHECK_OBJ(t, TRIES_MAGIC);
	i = find_place(t, e);
	return i < t->n && t->v[i].until > now ? t->v[i].until - now : 0;
}

/* In the place of the one that may try again first, when all are taken: the longest bans last. */
static struct place *new_place(struct tries *t, const struct endpoint *e)
{
	struct place *p = &t->v[0];

	if (t->n < PLACES)
		p = &t->v[t->n++];
	else
		for (unsigned i = 1; i < PLACES; i++)
			if (t->v[i].until < p->until)
				p = &t->v[i];
	*p = (struct place){0};
	write_net(e, p->net);
	return p;
}

static int64_t wait_after(unsigned wrong, int64_t longest)
{
	if (wrong <= TRIES_FREE)
		return 0;
	return MIN(INT64_C(1) << MIN(wrong - TRIES_FREE - 1, 30u), longest);
}

void tries_failed(struct tries *t, const struct endpoint *e, int64_t now)
{
	int64_t longest = endpoint_is_loopback(e) ? TRIES_WAIT_LOCAL : TRIES_WAIT;
	struct place *p;
	unsigned i;

	CHECK_OBJ(t, TRIES_MAGIC);
	i = find_place(t, e);
	p = i < t->n ? &t->v[i] : new_place(t, e);
	if (now - p->until >= TRIES_WAIT)
		p->wrong = 0;
	p->wrong++;
	p->until = now + wait_after(p->wrong, longest);
}

void tries_right(struct tries *t, const struct endpoint *e)
{
	unsigned i;

	CHECK_OBJ(t, TRIES_MAGIC);
	i = find_place(t, e);
	if (i < t->n)
		t->v[i] = t->v[--t->n];
}
