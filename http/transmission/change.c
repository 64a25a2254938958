/* SPDX-License-Identifier: MIT */
/*
 * Changes of several torrents: a message to the session for each, a few at a time.
 *
 * What is gone meanwhile is left out.  The first failure is what the client is told; the other
 * changes are made all the same.
 */
#include "http/transmission/priv.h"
#include "proto/base/array.h"

#define JOB_MAGIC 0x4a4f4231u
#define WINDOW    64u /* messages under way */

struct job {
	uint32_t magic;
	struct change *changes; /* owned */
	uint32_t n, next;
	unsigned under_way, window;
	enum err err; /* the first failure */
	struct words why;
};

struct change *changes_add(struct changes *s, const struct torrent_view *t, enum torrent_op op)
{
	struct change one = {.op = op};

	memcpy(one.infohash, t->infohash, sizeof one.infohash);
	ARRAY_PUSH(s->list, s->n, s->room, one);
	return &s->list[s->n - 1];
}

void changes_free(struct change *list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		xfree(list[i].files);
		xfree(list[i].labels);
		xfree(list[i].path);
		xfree(list[i].from);
		xfree(list[i].to);
	}
	xfree(list);
}

static void free_job(void **p)
{
	struct job *j;

	CAST_OBJ(j, *p, JOB_MAGIC);
	*p = NULL;
	changes_free(j->changes, j->n);
	FREE_OBJ(j);
}

static void send_some(struct rcall *c, struct job *j);

static void on_set(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct rcall *c = ctx;
	struct job *j;

	(void)a;
	CAST_OBJ(j, c->work, JOB_MAGIC);
	j->under_way--;
	if (err != E_OK && err != E_NOT_FOUND && j->err == E_OK) {
		j->err = err;
		if (m != NULL)
			j->why = MSG_AS(TORRENT_SET, *m)->why;
	}
	send_some(c, j);
}

static void send_one(struct rcall *c, struct change *one)
{
	struct actor *a = rcall_rpc(c)->actor;
	struct m_torrent_set *m = msg_new(a, MSG_TORRENT_SET);

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
	m->path = one->path;
	m->from = one->from;
	m->to = one->to;
	one->path = one->from = one->to = NULL;
	msg_call(a, ADDR_SESSION, m, on_set, c);
}

static void send_some(struct rcall *c, struct job *j)
{
	for (; j->next < j->n && j->under_way < j->window; j->under_way++)
		send_one(c, &j->changes[j->next++]);
	if (j->under_way > 0)
		return;
	shared_changed(rcall_rpc(c)->actor);
	rcall_end_err(c, j->err, j->why.text);
}

void changes_make(struct rcall *c, struct change *list, uint32_t n, bool one_by_one)
{
	struct job *j;

	ALLOC_OBJ(j, JOB_MAGIC);
	j->changes = list;
	j->n = n;
	j->window = one_by_one ? 1 : WINDOW;
	must(c->work == NULL);
	c->work = j;
	c->work_free = free_job;
	send_some(c, j);
}
