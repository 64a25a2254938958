/* SPDX-License-Identifier: MIT */
/*
 * Pieces in hand: what a piece needs while blocks come in, lent to it and recycled.
 *
 * A running hash and the table of blocks in memory are taken by the piece's first block and given
 * back when it is done, or when it is one of too many: so they are made a few times and then used
 * over and over, without an allocation for a piece or a block.
 *
 * Invariant: the list holds the pieces with hot set, the one touched last at its end.
 */
#include "actors/worker/priv.h"

static void unlink_hot(struct worker *w, struct wpiece *p)
{
	*(p->hot_prev ? &p->hot_prev->hot_next : &w->hot_first) = p->hot_next;
	*(p->hot_next ? &p->hot_next->hot_prev : &w->hot_last) = p->hot_prev;
	w->hot_n--;
}

static void push_hot(struct worker *w, struct wpiece *p)
{
	p->hot_next = NULL;
	p->hot_prev = w->hot_last;
	*(w->hot_last ? &w->hot_last->hot_next : &w->hot_first) = p;
	w->hot_last = p;
	w->hot_n++;
}

static struct whot *take_hot(struct worker *w, uint32_t blocks)
{
	struct whot *h = w->free_hots;

	if (h != NULL) {
		w->free_hots = h->next;
	} else {
		h = xcalloc(1, sizeof *h);
		h->hasher = hasher_new(HASH_SHA1);
	}
	if (h->room < blocks) {
		h->data = xrealloc(h->data, blocks * sizeof *h->data);
		h->room = blocks;
	}
	memset(h->data, 0, blocks * sizeof *h->data);
	hasher_reset(h->hasher);
	return h;
}

void worker_piece_cool(struct worker *w, struct wpiece *p)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	CHECK_OBJ(p, WPIECE_MAGIC);
	if (p->hot == NULL)
		return;
	must(p->held == 0);
	unlink_hot(w, p);
	p->hot->next = w->free_hots;
	w->free_hots = p->hot;
	p->hot = NULL;
	p->hashed = 0;
	p->cooled = true;
}

void worker_piece_warm(struct worker *w, struct wpiece *p)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	CHECK_OBJ(p, WPIECE_MAGIC);
	if (p->hot != NULL) {
		unlink_hot(w, p);
	} else {
		p->hot = take_hot(w, p->blocks);
		p->hashed = 0;
	}
	push_hot(w, p);
	p->touched = actor_now(w->actor);
	if (!loop_timer_is_set(&w->idle))
		loop_timer_set(actor_loop(w->actor), &w->idle, p->touched + WORKER_IDLE_US);
}

void worker_hots_fini(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	for (struct whot *h = w->free_hots, *next; h != NULL; h = next) {
		next = h->next;
		hasher_free(&h->hasher);
		xfree(h->data);
		xfree(h);
	}
}
