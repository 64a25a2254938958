/* SPDX-License-Identifier: MIT */
/* Mailboxes as plain queues, one bus a daemon; every message that passes is seen by the daemon's
 * tap. */
#include "actors/kernel/mailbox.h"
#include "tests/sim/lib/priv.h"

struct mailbus {
	struct daemon *d;
};

struct inbox {
	struct daemon *d;
	unsigned slot;
	char name[32];
	void **v; /* owned: circular */
	unsigned head, n, cap;
};

struct outbox {
	struct inbox *to;
};

struct mailbus *mailbus_new(void)
{
	struct mailbus *b = xcalloc(1, sizeof *b);

	b->d = sim_world()->current;
	must(b->d != NULL);
	return b;
}

void mailbus_free(struct mailbus **pb)
{
	xfree(*pb);
	*pb = NULL;
}

struct inbox *inbox_open(struct mailbus *b, const char *name)
{
	struct inbox *in = xcalloc(1, sizeof *in);

	in->d = b->d;
	must(strlen(name) < sizeof in->name);
	memcpy(in->name, name, strlen(name));
	must(b->d->inboxes_n < SLOTS_MAX);
	in->slot = b->d->inboxes_n;
	b->d->inboxes[b->d->inboxes_n++] = in;
	return in;
}

void inbox_close(struct inbox **pin)
{
	must((*pin)->n == 0); /* pointers left in it would be lost */
	xfree((*pin)->v);
	xfree(*pin);
	*pin = NULL;
}

enum err inbox_recv(struct inbox *in, void **p)
{
	if (in->n == 0)
		return E_AGAIN;
	*p = in->v[in->head];
	in->head = (in->head + 1) % in->cap;
	in->n--;
	return E_OK;
}

int inbox_fd(const struct inbox *in)
{
	(void)in;
	return -1;
}

unsigned inbox_waiting(const struct inbox *in)
{
	return in->n;
}

struct outbox *outbox_open(struct mailbus *b, const char *name)
{
	struct outbox *out = xcalloc(1, sizeof *out);

	for (unsigned i = 0; i < b->d->inboxes_n; i++)
		if (strcmp(b->d->inboxes[i]->name, name) == 0)
			out->to = b->d->inboxes[i];
	must(out->to != NULL);
	return out;
}

void outbox_close(struct outbox **pout)
{
	xfree(*pout);
	*pout = NULL;
}

static void grow(struct inbox *in)
{
	unsigned cap = in->cap > 0 ? 2 * in->cap : 16;
	void **v = xcalloc(cap, sizeof *v);

	for (unsigned i = 0; i < in->n; i++)
		v[i] = in->v[(in->head + i) % in->cap];
	xfree(in->v);
	in->v = v;
	in->head = 0;
	in->cap = cap;
}

static void put_in(struct inbox *in, void *p)
{
	if (in->n == in->cap)
		grow(in);
	in->v[(in->head + in->n) % in->cap] = p;
	in->n++;
	seat_touch(in->d, in->slot);
	daemon_tap(in->d, p);
}

static void on_late(struct sim *s, void *p, uint64_t in)
{
	(void)s;
	put_in((struct inbox *)(uintptr_t)in, p);
}

/* What is sent in a turn that ends late arrives late. */
bool outbox_send(struct outbox *out, void *p)
{
	struct sim *s = sim_world();
	int64_t at = seat_sends_at(s);

	if (at > s->now)
		event_at(s, at, on_late, p, (uint64_t)(uintptr_t)out->to);
	else
		put_in(out->to, p);
	return true;
}
