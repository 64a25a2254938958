/* SPDX-License-Identifier: MIT */
/*
 * A doubly linked list whose nodes sit in their objects.
 *
 * Who waits for something is in a line: joining it, leaving it from the middle, and asking whether
 * somebody is in it cost nothing and allocate nothing.  The head is a link too; container_of() goes
 * from a node to its object.  Nodes do not move while they are linked.
 */
#ifndef PROTO_BASE_LINK_H
#define PROTO_BASE_LINK_H

#include "proto/base/base.h"

struct link {
	struct link *prev, *next; /* both NULL: in no list */
};

static inline void link_init(struct link *head)
{
	head->prev = head->next = head;
}

static inline bool link_linked(const struct link *l)
{
	return l->next != NULL;
}

static inline bool link_empty(const struct link *head)
{
	return head->next == head;
}

static inline void link_append(struct link *head, struct link *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

static inline void link_prepend(struct link *head, struct link *l)
{
	link_append(head->next, l);
}

/* One that is in no list stays so. */
static inline void link_remove(struct link *l)
{
	if (l->next == NULL)
		return;
	l->prev->next = l->next;
	l->next->prev = l->prev;
	l->prev = l->next = NULL;
}

#endif
