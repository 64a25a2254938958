/* SPDX-License-Identifier: MIT */
/* The call that changes several torrents ends when all changes are made. */
#include "http/transmission/priv.h"

#define CHANGING_MAGIC 0x4348474fu

struct changing {
	uint32_t magic;
	struct changes_job *job; /* owned; NULL: it has ended */
};

static void free_changing(void **p)
{
	struct changing *one;

	CAST_OBJ(one, *p, CHANGING_MAGIC);
	*p = NULL;
	changes_cancel(&one->job);
	FREE_OBJ(one);
}

static void on_changed(void *ctx, enum err err, const char *why)
{
	struct rcall *c = ctx;

	shared_changed(rcall_rpc(c)->actor);
	rcall_end_err(c, err, why);
}

void rcall_change(struct rcall *c, struct changes *changes, bool one_by_one)
{
	struct changing *one;

	ALLOC_OBJ(one, CHANGING_MAGIC);
	must(c->work == NULL);
	c->work = one;
	c->work_free = free_changing;
	changes_make(&one->job, rcall_rpc(c)->actor, changes, one_by_one, on_changed, c);
}
