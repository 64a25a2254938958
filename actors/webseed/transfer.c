/* SPDX-License-Identifier: MIT */
/*
 * One run of content, brought by one HTTP request after the other: one for each file it lies in.
 *
 * Requests that are done have been handed out as blocks; what has come of the next is lost with the
 * transfer.  libcurl's calls only fill: what ends the transfer is said from the loop.
 */
#include "actors/webseed/priv.h"

#include <stdio.h>

static uint32_t longest(const struct httpseed_request *v, uint32_t n)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < n; i++)
		most = MAX(most, v[i].length);
	return most;
}

static void end(struct transfer *t)
{
	loop_timer_del(t->loop, &t->silence);
	t->ops->done(t->owner, t, &t->judged, t->span.file);
}

/* Ends it soon, for a reason that is known. */
static void refuse(struct transfer *t, enum httpseed_verdict verdict, const char *why)
{
	t->judged = (struct httpseed_judgement){.verdict = verdict};
	(void)snprintf(t->judged.why, sizeof t->judged.why, "%s", why);
	t->refused = true;
	loop_task_post(t->loop, &t->next);
}

/* --- bytes --- */

static void hand_out(struct transfer *t)
{
	t->ops->block(t->owner, &t->request[t->at], t->block);
	t->at++;
	t->filled = 0;
}

/* NULL: zeros. */
static void take(struct transfer *t, const uint8_t *p, uint64_t n)
{
	t->left -= n;
	while (n > 0) {
		const struct httpseed_request *r = &t->request[t->at];
		uint32_t part = (uint32_t)MIN(n, (uint64_t)(r->length - t->filled));

		if (p != NULL) {
			memcpy(t->block + t->filled, p, part);
			p += part;
		} else {
			memset(t->block + t->filled, 0, part);
		}
		t->filled += part;
		n -= part;
		if (t->filled == r->length)
			hand_out(t);
	}
}

static bool on_head(void *ctx, const struct web_head *h)
{
	struct transfer *t = ctx;
	const struct metainfo_file *file = &t->meta->files[t->span.file];
	struct httpseed_range asked = {t->span.file_offset, t->span.length, file->length};
	struct httpseed_head head = {.status = (unsigned)h->status,
		.content_range = h->content_range,
		.retry_after = h->retry_after,
		.content_length = h->content_length,
		.encoded = h->encoded};

	CHECK_OBJ(t, TRANSFER_MAGIC);
	httpseed_judge(&asked, &head, clock_wall_s(), &t->judged);
	t->refused = t->judged.verdict != HTTPSEED_TAKE;
	t->ends = h->content_length >= 0 &&
		  (uint64_t)h->content_length <= t->judged.skip + t->span.length;
	return !t->refused;
}

static enum web_taken on_body(void *ctx, const uint8_t *p, size_t n)
{
	struct transfer *t = ctx;
	uint64_t skip = MIN((uint64_t)n, t->judged.skip);

	CHECK_OBJ(t, TRANSFER_MAGIC);
	if (!t->ops->has_room(t->owner)) {
		t->waits = true;
		loop_timer_del(t->loop, &t->silence);
		return WEB_NOT_NOW;
	}
	loop_timer_set(t->loop, &t->silence, loop_now(t->loop) + t->config->webseed_timeout);
	t->judged.skip -= skip;
	take(t, p + skip, MIN((uint64_t)n - skip, t->left));
	/* A connection whose answer is read to its end can be used again. */
	return t->left > 0 || t->ends ? WEB_TAKEN : WEB_ENOUGH;
}

static const struct web_sink sink = {.head = on_head, .body = on_body};

/* --- one file after the other --- */

static void on_done(void *ctx, const struct web_answer *a)
{
	struct transfer *t = ctx;

	CHECK_OBJ(t, TRANSFER_MAGIC);
	web_get_free(&t->get);
	loop_timer_del(t->loop, &t->silence);
	if (t->refused || t->left == 0)
		loop_task_post(t->loop, &t->next);
	else
		refuse(t, HTTPSEED_WAIT,
			a->err != E_OK ? a->text : "the server sent less than it said");
}

static void on_silence(struct loop_timer *timer, int64_t now)
{
	struct transfer *t = container_of(timer, struct transfer, silence);

	(void)now;
	CHECK_OBJ(t, TRANSFER_MAGIC);
	if (t->get != NULL)
		web_get_free(&t->get);
	refuse(t, HTTPSEED_WAIT, "the server sends nothing");
}

static void ask(struct transfer *t)
{
	char url[HTTPSEED_URL_MAX];
	struct wr w = wr_of(url, sizeof url);
	struct web_request r = {.url = url,
		.config = t->config,
		.connect_timeout = t->config->webseed_timeout,
		.first = t->span.file_offset,
		.length = t->span.length,
		.sink = &sink,
		.fn = on_done,
		.ctx = t};

	if (!httpseed_url(t->names, t->base, t->span.file, &w)) {
		refuse(t, HTTPSEED_NO_FILE, "the file's URL would be too long");
		return;
	}
	t->judged = (struct httpseed_judgement){.verdict = HTTPSEED_WAIT};
	loop_timer_set(t->loop, &t->silence, loop_now(t->loop) + t->config->webseed_timeout);
	t->get = web_get_new(t->web, &r);
}

static void go_on(struct loop_task *task)
{
	struct transfer *t = container_of(task, struct transfer, next);

	CHECK_OBJ(t, TRANSFER_MAGIC);
	while (!t->refused && span_next(&t->spans, &t->span)) {
		t->left = t->span.length;
		if (!t->span.pad) {
			ask(t);
			return;
		}
		take(t, NULL, t->left);
	}
	if (!t->refused)
		t->judged = (struct httpseed_judgement){.verdict = HTTPSEED_TAKE};
	end(t);
}

/* --- outside --- */

struct transfer *transfer_new(
	const struct transfer *like, const struct httpseed_request *v, uint32_t n)
{
	const struct httpseed_request *last = &v[n - 1];
	struct transfer *t;

	must(n > 0 && n <= TRANSFER_REQUESTS);
	t = xmemdup(like, sizeof *like);
	t->magic = TRANSFER_MAGIC;
	memcpy(t->request, v, n * sizeof *v);
	t->n = n;
	t->block = xcalloc(longest(v, n), 1);
	t->spans = span_iter_of(t->meta, v->offset, last->offset + last->length - v->offset);
	t->silence.fn = on_silence;
	t->next.fn = go_on;
	loop_task_post(t->loop, &t->next);
	return t;
}

void transfer_resume(struct transfer *t)
{
	CHECK_OBJ(t, TRANSFER_MAGIC);
	if (!t->waits || t->get == NULL)
		return;
	t->waits = false;
	loop_timer_set(t->loop, &t->silence, loop_now(t->loop) + t->config->webseed_timeout);
	web_get_resume(t->get);
}

void transfer_free(struct transfer **pt)
{
	struct transfer *t;

	TAKE_OBJ(t, pt, TRANSFER_MAGIC);
	if (t->get != NULL)
		web_get_free(&t->get);
	loop_timer_del(t->loop, &t->silence);
	if (t->next.queued)
		loop_task_del(t->loop, &t->next);
	link_remove(&t->in_seed);
	xfree(t->block);
	FREE_OBJ(t);
}
