/* SPDX-License-Identifier: MIT */
/* Changes of several torrents, a few messages at a time. */
#include "http/dialect/changes.h"

#include "proto/base/array.h"

#define JOB_MAGIC 0x4a4f4231u
#define WINDOW    64u /* messages under way */

struct changes_job {
	uint32_t magic;
	struct actor *actor; /* borrowed */
	struct changes changes;
	uint32_t next;
	unsigned under_way, window;
	enum err err; /* the first failure */
	struct words why;
	changes_done_f *fn;
	void *ctx;
	struct changes_job **place; /* where its owner has it */
};

struct change *changes_add(struct changes *s, const uint8_t infohash[20], enum torrent_op op)
{
	struct change one = {.op = op};

	memcpy(one.infohash, infohash, sizeof one.infohash);
	ARRAY_PUSH(s->list, s->n, s->room, one);
	return &s->list[s->n - 1];
}

void changes_free(struct changes *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		xfree(s->list[i].files);
		xfree(s->list[i].labels);
	}
	xfree(s->list);
	*s = (struct changes){.n = 0};
}

static void free_job(struct changes_job **pj)
{
	struct changes_job *j;

	TAKE_OBJ(j, pj, JOB_MAGIC);
	changes_free(&j->changes);
	FREE_OBJ(j);
}

static void send_some(struct changes_job *j);

static void on_set(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct changes_job *j;

	(void)a;
	CAST_OBJ(j, ctx, JOB_MAGIC);
	j->under_way--;
	if (err != E_OK && err != E_NOT_FOUND && j->err == E_OK) {
		j->err = err;
		if (m != NULL)
			j->why = MSG_AS(TORRENT_SET, *m)->why;
	}
	send_some(j);
}

static void send_one(struct changes_job *j, struct change *one)
{
	struct m_torrent_set *m = msg_new(j->actor, MSG_TORRENT_SET);

	memcpy(m->infohash, one->infohash, sizeof m->infohash);
	m->op = one->op;
	m->value = one->value;
	m->move = one->move;
	m->seed = one->seed;
	m->files = one->files;
	m->files_n = one->files_n;
	one->files = NULL;
	m->labels = one->labels;
	one->labels = NULL;
	msg_call(j->actor, ADDR_SESSION, m, on_set, j);
}

static void send_some(struct changes_job *j)
{
	struct words why = j->why;
	changes_done_f *fn = j->fn;
	void *ctx = j->ctx;
	enum err e = j->err;

	for (; j->next < j->changes.n && j->under_way < j->window; j->under_way++)
		send_one(j, &j->changes.list[j->next++]);
	if (j->under_way > 0)
		return;
	free_job(j->place);
	fn(ctx, e, why.text);
}

void changes_make(struct changes_job **job, struct actor *a, struct changes *changes,
	bool one_by_one, changes_done_f *fn, void *ctx)
{
	struct changes_job *j;

	must(*job == NULL);
	ALLOC_OBJ(j, JOB_MAGIC);
	j->actor = a;
	j->changes = *changes;
	*changes = (struct changes){.n = 0};
	j->window = one_by_one ? 1 : WINDOW;
	j->fn = fn;
	j->ctx = ctx;
	j->place = job;
	*job = j;
	send_some(j);
}

void changes_cancel(struct changes_job **job)
{
	if (*job == NULL)
		return;
	CHECK_OBJ(*job, JOB_MAGIC);
	actor_cancel_calls((*job)->actor, *job);
	free_job(job);
}
