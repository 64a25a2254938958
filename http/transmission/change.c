/* SPDX-License-Identifier: MIT */
/*
 * The same changes for several torrents: a message to the session for each, a few at a time.
 *
 * What is gone meanwhile is left out.  The first failure is what the client is told; the others are
 * made all the same.
 */
#include <stdio.h>

#include "http/transmission/priv.h"

#define JOB_MAGIC 0x4a4f4231u
#define WINDOW    64u /* messages under way */

struct job {
	uint32_t magic;
	uint8_t (*hashes)[20]; /* owned */
	uint32_t hashes_n;
	struct change *changes; /* owned */
	uint32_t changes_n;
	uint32_t hash, change; /* the next one */
	unsigned under_way, window;
	enum err err; /* the first failure */
	struct words why;
};

static void free_job(void **p)
{
	struct job *j;

	CAST_OBJ(j, *p, JOB_MAGIC);
	*p = NULL;
	for (uint32_t i = 0; i < j->changes_n; i++)
		xfree(j->changes[i].files);
	xfree(j->changes);
	xfree(j->hashes);
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

static void send_one(struct rcall *c, const struct job *j)
{
	struct actor *a = rcall_rpc(c)->actor;
	const struct change *one = &j->changes[j->change];
	struct m_torrent_set *m = msg_new(a, MSG_TORRENT_SET);

	memcpy(m->infohash, j->hashes[j->hash], sizeof m->infohash);
	m->op = one->op;
	m->value = one->value;
	m->move = one->move;
	m->seed = one->seed;
	if (one->files_n > 0)
		m->files = xmemdup(one->files, one->files_n * sizeof *one->files);
	m->files_n = one->files_n;
	msg_call(a, ADDR_SESSION, m, on_set, c);
}

static void send_some(struct rcall *c, struct job *j)
{
	while (j->hash < j->hashes_n && j->change < j->changes_n && j->under_way < j->window) {
		send_one(c, j);
		j->under_way++;
		if (++j->change == j->changes_n) {
			j->change = 0;
			j->hash++;
		}
	}
	if (j->under_way > 0)
		return;
	shared_changed(rcall_rpc(c)->actor);
	rcall_end_err(c, j->err, j->why.text);
}

void rcall_change(struct rcall *c, uint8_t (*hashes)[20], uint32_t n, struct change *changes,
	uint32_t changes_n, bool one_by_one)
{
	struct job *j;

	ALLOC_OBJ(j, JOB_MAGIC);
	j->hashes = hashes;
	j->hashes_n = n;
	j->changes = changes;
	j->changes_n = changes_n;
	j->window = one_by_one ? 1 : WINDOW;
	must(c->work == NULL);
	c->work = j;
	c->work_free = free_job;
	send_some(c, j);
}
