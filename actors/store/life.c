/* SPDX-License-Identifier: MIT */
/*
 * The end of a torrent in the store: everything that the other files keep in it goes.
 */
#include "actors/store/priv.h"

static void unlink_news(struct storrent *t)
{
	struct storrent **at = &t->s->news;

	while (t->has_news && *at != t)
		at = &(*at)->news_next;
	if (t->has_news)
		*at = t->news_next;
}

void store_torrent_free(struct storrent **tp)
{
	struct storrent *t;

	TAKE_OBJ(t, tp, STORRENT_MAGIC);
	must(t->closers_n == 0);
	unlink_news(t);
	actor_cancel_calls(t->s->actor, &t->saving);
	loop_timer_del(actor_loop(t->s->actor), &t->timer);
	store_ready_drop(t);
	store_sync_drop(t);
	bitfield_free(&t->have);
	bitfield_free(&t->synced);
	vec32_free(&t->noted);
	vec32_free(&t->syncing);
	vec32_free(&t->news_dirty);
	store_files_forget(t);
	metainfo_unref(&t->meta);
	xfree(t->dirty);
	xfree(t->dirty_count);
	xfree(t->cursor);
	xfree(t->priority);
	xfree(t->priority_new);
	xfree(t->root);
	xfree(t->path);
	xfree(t->closers);
	xfree(t->why);
	xfree(t->held_why);
	t->s->slots[t->t.slot] = NULL;
	t->s->open--;
	FREE_OBJ(t);
}
