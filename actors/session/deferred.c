/* SPDX-License-Identifier: MIT */
/*
 * Messages that wait: for the database at the start, for the fate of a torrent, for the command
 * before them.
 */
#include "actors/session/priv.h"

void deferred_push(struct link *list, struct msg **m)
{
	struct deferred *d = xcalloc(1, sizeof *d);

	d->m = *m;
	*m = NULL;
	link_append(list, &d->link);
}

struct msg *deferred_first(const struct link *list)
{
	return link_empty(list) ? NULL : container_of(list->next, struct deferred, link)->m;
}

struct msg *deferred_pop(struct link *list)
{
	struct deferred *d;
	struct msg *m;

	if (link_empty(list))
		return NULL;
	d = container_of(list->next, struct deferred, link);
	link_remove(&d->link);
	m = d->m;
	xfree(d);
	return m;
}

void deferred_free(struct actor *a, struct link *list)
{
	struct msg *m;

	while ((m = deferred_pop(list)) != NULL)
		msg_free(a, &m);
}

void deferred_move(struct link *to, struct link *from)
{
	while (!link_empty(from)) {
		struct link *l = from->next;

		link_remove(l);
		link_append(to, l);
	}
}

bool session_defer_early(struct session *s, struct msg **m)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	if (s->loaded)
		return false;
	deferred_push(&s->early, m);
	return true;
}
