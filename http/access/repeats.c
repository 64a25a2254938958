/* SPDX-License-Identifier: MIT */
/* Requests that may come again. */
#include "http/access/repeats.h"

#define REPEATS_MAGIC 0x52455045u

struct place {
	uint8_t name[32], request[32];
	int64_t begun;
	bool done;
	struct repeat_answer answer; /* body: owned */
};

struct repeats {
	uint32_t magic;
	struct place *v[REPEATS_MAX]; /* owned; in the order of their making */
	unsigned n;
};

struct repeats *repeats_new(void)
{
	struct repeats *rs;

	ALLOC_OBJ(rs, REPEATS_MAGIC);
	return rs;
}

/* Answers may have secrets. */
static void drop_place(struct repeats *rs, unsigned i)
{
	struct place *p = rs->v[i];
	char *body = (char *)(uintptr_t)p->answer.body;

	if (body != NULL)
		explicit_bzero(body, p->answer.n);
	xfree(body);
	xfree(p);
	memmove(&rs->v[i], &rs->v[i + 1], (rs->n - i - 1) * sizeof rs->v[0]);
	rs->n--;
}

void repeats_free(struct repeats **prs)
{
	struct repeats *rs;

	TAKE_OBJ(rs, prs, REPEATS_MAGIC);
	while (rs->n > 0)
		drop_place(rs, rs->n - 1);
	FREE_OBJ(rs);
}

static unsigned find_place(const struct repeats *rs, const uint8_t name[32])
{
	unsigned i = 0;

	while (i < rs->n && memcmp(rs->v[i]->name, name, 32) != 0)
		i++;
	return i;
}

static void drop_old(struct repeats *rs, int64_t now)
{
	while (rs->n > 0 && (rs->n == REPEATS_MAX || rs->v[0]->begun + REPEATS_TIME <= now))
		drop_place(rs, 0);
}

static void add_place(
	struct repeats *rs, const uint8_t name[32], const uint8_t request[32], int64_t now)
{
	struct place *p = xcalloc(1, sizeof *p);

	memcpy(p->name, name, sizeof p->name);
	memcpy(p->request, request, sizeof p->request);
	p->begun = now;
	rs->v[rs->n++] = p;
}

enum repeat repeats_begin(struct repeats *rs, const uint8_t name[32], const uint8_t request[32],
	int64_t now, struct repeat_answer *first)
{
	unsigned i;

	CHECK_OBJ(rs, REPEATS_MAGIC);
	i = find_place(rs, name);
	if (i < rs->n && rs->v[i]->begun + REPEATS_TIME <= now) {
		drop_place(rs, i);
		i = rs->n;
	}
	if (i == rs->n) {
		drop_old(rs, now);
		add_place(rs, name, request, now);
		return REPEAT_NEW;
	}
	if (memcmp(rs->v[i]->request, request, 32) != 0)
		return REPEAT_OTHER;
	if (!rs->v[i]->done)
		return REPEAT_BUSY;
	*first = rs->v[i]->answer;
	return REPEAT_KNOWN;
}

/* It may have had to make room meanwhile. */
void repeats_done(struct repeats *rs, const uint8_t name[32], const struct repeat_answer *a)
{
	struct place *p;
	unsigned i;

	CHECK_OBJ(rs, REPEATS_MAGIC);
	i = find_place(rs, name);
	if (i == rs->n)
		return;
	p = rs->v[i];
	if (p->done || a->n > REPEATS_ANSWER) {
		drop_place(rs, i);
		return;
	}
	p->answer = *a;
	p->answer.body = a->n > 0 ? xmemdup(a->body, a->n) : NULL;
	p->done = true;
}

void repeats_drop(struct repeats *rs, const uint8_t name[32])
{
	unsigned i;

	CHECK_OBJ(rs, REPEATS_MAGIC);
	i = find_place(rs, name);
	if (i < rs->n)
		drop_place(rs, i);
}
