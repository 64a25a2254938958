/* SPDX-License-Identifier: MIT */
/*
 * Pours: microhttpd asks for bytes, and is suspended until they have come.
 *
 * Who takes no run for as long as a stream may last without being read is ended by the sweep
 * (client.c): its place is another's, and a client that wants the rest asks for it by a range.
 */
#include "http/server/pour.h"

#include <stdlib.h>

#include "actors/kernel/clock.h"
#include "http/server/priv.h"

#define POUR_MAGIC 0x504f5552u

struct pour {
	uint32_t magic;
	struct http *http;
	struct request *request; /* borrowed: it ends with it */
	struct link link;        /* in http->pours */
	struct pour_source source;
	uint64_t size;
	uint8_t *run; /* owned */
	size_t n, taken;
	bool asked;  /* suspended: the source was asked */
	bool failed; /* nothing more comes */
};

static void drop_run(struct pour *p)
{
	free(p->run);
	p->run = NULL;
	p->n = p->taken = 0;
}

static void ask(struct pour *p, uint64_t at)
{
	client_enter(p->http, p->request->conn, CLIENT_STREAM);
	drop_run(p);
	p->asked = true;
	MHD_suspend_connection(p->request->conn);
	p->source.want(p->source.ctx, p, at, (size_t)MIN(p->size - at, (uint64_t)POUR_RUN));
}

/* Microhttpd's callback: it can send more. */
static ssize_t read_run(void *ctx, uint64_t pos, char *out, size_t max)
{
	struct pour *p;
	size_t n;

	CAST_OBJ(p, ctx, POUR_MAGIC);
	if (p->failed || pos >= p->size)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = MIN(max, p->n - p->taken);
	if (n == 0 && !tokens_valid(p->http->tokens, p->request->who.token, clock_wall_s()))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n == 0) {
		ask(p, pos);
		return 0;
	}
	memcpy(out, p->run + p->taken, n);
	p->taken += n;
	return (ssize_t)n;
}

static void wake(struct pour *p)
{
	must(p->asked);
	p->asked = false;
	p->http->again = true;
	MHD_resume_connection(p->request->conn);
}

void pour_give(struct pour *p, uint8_t *data, size_t n)
{
	CHECK_OBJ(p, POUR_MAGIC);
	must(n > 0 && n <= POUR_RUN);
	if (p->failed) { /* the daemon stops: it was woken to end */
		free(data);
		return;
	}
	p->run = data;
	p->n = n;
	wake(p);
}

void pour_fail(struct pour *p)
{
	CHECK_OBJ(p, POUR_MAGIC);
	if (p->failed)
		return;
	p->failed = true;
	wake(p);
}

void pour_open(struct request *r, const struct pour_source *source, unsigned status,
	const char *type, uint64_t size)
{
	struct pour *p;
	struct MHD_Response *m;

	CHECK_OBJ(r, REQUEST_MAGIC);
	if (!streaming_enter(r)) {
		source->free(source->ctx);
		return;
	}
	ALLOC_OBJ(p, POUR_MAGIC);
	p->http = r->http;
	p->request = r;
	p->source = *source;
	p->size = size;
	r->pour = p;
	link_append(&r->http->pours, &p->link);
	m = MHD_create_response_from_callback(size, 32768, read_run, p, NULL);
	must(m != NULL);
	answer_ready(r, status, type, m);
}

void pour_close(struct pour **pp)
{
	struct pour *p;

	TAKE_OBJ(p, pp, POUR_MAGIC);
	link_remove(&p->link);
	streaming_leave(p->http);
	p->source.free(p->source.ctx);
	drop_run(p);
	FREE_OBJ(p);
}

void pours_end(struct http *h)
{
	CHECK_OBJ(h, HTTP_MAGIC);
	for (struct link *l = h->pours.next; l != &h->pours; l = l->next) {
		struct pour *p = container_of(l, struct pour, link);

		p->failed = true;
		if (p->asked)
			wake(p);
	}
}
