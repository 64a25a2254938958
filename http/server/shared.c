/* SPDX-License-Identifier: MIT */
/*
 * Answers that all who ask for the same thing share.
 *
 * The first who asks has the text made; who asks for the same meanwhile waits with it, and who
 * comes a little later gets the same text.  It counts as fresh for a microsecond a byte, a second
 * at most, and never past a change that this server has answered: whatever number ask, one question
 * costs at most a MiB of text a second, and what a client has changed it sees changed.
 *
 * Text is made and compressed in slices, a slice a turn and one question after the other, so that a
 * long answer holds up nobody else's.  It is sent from where it lies: a body is counted, and lives
 * as long as somebody still reads it.  All bodies together are bounded.
 */
#include "http/server/priv.h"

#include "http/server/gzip.h"
#include "proto/base/rng.h"

#define SHARED_MAGIC 0x53484152u

#define SLICE     (64u * 1024u)  /* bytes of text a turn: some 200 us */
#define FRESH_MAX (USEC_PER_SEC) /* a text of a MiB and more */
#define GZIP_MIN  1024u          /* shorter texts are sent as they are */

/*
 * Bytes of all texts that are made, kept or being sent, the longest of which is some 100 MiB for
 * 100,000 torrents.  One that is alone may be longer; with others the one that would pass it is not
 * made.  What fits in a slice always is: a client that does not read keeps nobody from small ones.
 */
#define BODIES_MAX (UINT64_C(128) << 20)

struct shared {
	uint32_t magic;
	struct http *http;
	struct link link; /* in http->shares */
	struct link work; /* in http->work while there are slices to do */
	struct link waiters;
	void *key; /* owned */
	size_t key_n;
	uint64_t changes; /* how many changes had been answered when it was asked for */
	bool asked;       /* somebody else makes what the text is made from */
	int64_t until;    /* fresh until; 0: not complete */
	struct shared_source source;
	bool sourced; /* source is to be freed */
	struct json_out out;
	size_t hashed; /* bytes of out in hash, but what changes with the clock */
	uint64_t hash;
	struct gzip *gzip; /* while it is compressed */
	size_t gzipped;
	struct body *body;
};

/* --- the text --- */

static void hash_text(struct shared *s)
{
	size_t end = s->out.n;

	for (; s->hashed + 8 <= end; s->hashed += 8) {
		uint64_t word;

		memcpy(&word, s->out.p + s->hashed, 8);
		s->hash = mix_word(s->hash, word);
	}
}

static void finish_text(struct shared *s)
{
	size_t n;
	char *text;

	for (; s->hashed < s->out.n; s->hashed++)
		s->hash = mix_word(s->hash, (uint8_t)s->out.p[s->hashed]);
	s->http->bodies -= s->out.n; /* body_new() adds it again */
	text = json_out_take(&s->out, &n);
	s->body = body_new(&s->http->bodies, text, n, s->hash);
	s->until = actor_now(s->http->actor) + MIN((int64_t)n, (int64_t)FRESH_MAX);
}

/* --- what waits --- */

static void end_work(struct shared *s)
{
	link_remove(&s->work);
	if (s->sourced)
		s->source.free(s->source.ctx);
	s->sourced = false;
	if (s->gzip != NULL)
		gzip_free(&s->gzip);
}

static void shared_free(struct shared **ps)
{
	struct shared *s;

	TAKE_OBJ(s, ps, SHARED_MAGIC);
	must(link_empty(&s->waiters));
	end_work(s);
	s->http->bodies -= s->out.n;
	link_remove(&s->link);
	if (s->asked)
		actor_cancel_calls(s->http->actor, s);
	if (s->body != NULL)
		body_unref(&s->body);
	json_out_fini(&s->out);
	xfree(s->key);
	FREE_OBJ(s);
}

static struct shared *shared_new(struct http *h, const void *key, size_t n)
{
	struct shared *s;

	ALLOC_OBJ(s, SHARED_MAGIC);
	s->http = h;
	s->key = xmemdup(key, n);
	s->key_n = n;
	s->changes = h->changes;
	s->asked = true;
	link_init(&s->waiters);
	link_append(&h->shares, &s->link);
	return s;
}

static bool is_usable(const struct shared *s)
{
	return s->changes == s->http->changes &&
	       (s->until == 0 || actor_now(s->http->actor) < s->until);
}

/* The share of this question; those that nobody can use any more go on the way. */
static struct shared *find(struct http *h, const void *key, size_t n)
{
	struct link *l, *next;
	struct shared *found = NULL;

	for (l = h->shares.next; l != &h->shares; l = next) {
		struct shared *s = container_of(l, struct shared, link);

		next = l->next;
		if (is_usable(s) && s->key_n == n && memcmp(s->key, key, n) == 0)
			found = s;
		else if (s->until != 0 && !is_usable(s) && link_empty(&s->waiters))
			shared_free(&s);
	}
	return found;
}

static bool can_be_packed(const struct body *b)
{
	return b->packed == NULL && !b->unpackable && b->n >= GZIP_MIN;
}

static void give(struct shared *s, struct request *r)
{
	must(!r->answered);
	answer_body(r, s->body);
	link_remove(&r->in_shared);
}

static void give_all(struct shared *s)
{
	struct link *l, *next;
	bool packs = can_be_packed(s->body);

	for (l = s->waiters.next; l != &s->waiters; l = next) {
		struct request *r = container_of(l, struct request, in_shared);

		next = l->next;
		if (packs && r->packed)
			continue;
		give(s, r);
		request_resume(r);
	}
}

/* --- slices --- */

static void work_text(struct shared *s)
{
	size_t before = s->out.n;
	bool done = s->source.some(s->source.ctx, &s->out, SLICE);

	s->http->bodies += s->out.n - before;
	hash_text(s);
	if (!done)
		return;
	end_work(s);
	finish_text(s);
}

/* What is made is long, and too much with all that others have not read yet. */
static bool is_too_much(const struct shared *s)
{
	uint64_t all = s->http->bodies;

	return s->out.n > 2 * SLICE && all > BODIES_MAX && all > s->out.n;
}

static void work_packing(struct shared *s)
{
	struct body *b = s->body;
	size_t n = MIN(b->n - s->gzipped, (size_t)SLICE);
	bool last = s->gzipped + n == b->n;

	if (s->gzip == NULL)
		s->gzip = gzip_new();
	b->unpackable = !gzip_some(s->gzip, b->text + s->gzipped, n, last);
	s->gzipped += n;
	if (!last && !b->unpackable)
		return;
	if (!b->unpackable) {
		size_t packed_n;
		char *packed = gzip_take(s->gzip, &packed_n);

		body_packed(b, packed, packed_n);
	}
	end_work(s);
}

static void more_work(struct shared *s)
{
	link_append(&s->http->work, &s->work);
	loop_task_post(actor_loop(s->http->actor), &s->http->slice);
}

/* The answers leave, and what some of them still need is the next work. */
static void settle(struct shared *s)
{
	give_all(s);
	if (!link_empty(&s->waiters))
		more_work(s);
}

static void on_slice(struct loop_task *task)
{
	struct http *h = container_of(task, struct http, slice);
	struct shared *s;

	CHECK_OBJ(h, HTTP_MAGIC);
	if (link_empty(&h->work))
		return;
	s = container_of(h->work.next, struct shared, work);
	link_remove(&s->work);
	link_append(&h->work, &s->work);
	loop_task_post(actor_loop(h->actor), task);
	if (s->body == NULL)
		work_text(s);
	else
		work_packing(s);
	if (s->body == NULL && is_too_much(s))
		shared_fail(s, 503,
			"answers of 128 MiB are being sent and not read: ask again later, or for "
			"fewer fields");
	else if (!link_linked(&s->work))
		settle(s);
}

/* --- the face --- */

void shared_init(struct http *h)
{
	CHECK_OBJ(h, HTTP_MAGIC);
	link_init(&h->shares);
	link_init(&h->work);
	h->slice.fn = on_slice;
}

void shared_fini(struct http *h)
{
	CHECK_OBJ(h, HTTP_MAGIC);
	while (!link_empty(&h->shares)) {
		struct shared *s = container_of(h->shares.next, struct shared, link);

		shared_free(&s);
	}
	loop_task_del(actor_loop(h->actor), &h->slice);
}

void shared_sweep(struct http *h)
{
	CHECK_OBJ(h, HTTP_MAGIC);
	(void)find(h, "", 0);
}

struct shared *shared_ask(struct request *r, const void *key, size_t n)
{
	struct http *h;
	struct shared *s;
	bool mine;

	CHECK_OBJ(r, REQUEST_MAGIC);
	h = r->http;
	if (!request_may_wait(r))
		return NULL;
	r->packed = gzip_accepted(MHD_lookup_connection_value(
		r->conn, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING));
	s = find(h, key, n);
	mine = s == NULL;
	if (mine)
		s = shared_new(h, key, n);
	link_append(&s->waiters, &r->in_shared);
	if (s->body != NULL) {
		if (!can_be_packed(s->body) || !r->packed) {
			give(s, r);
			return NULL;
		}
		if (!link_linked(&s->work))
			more_work(s);
	}
	request_suspend(r);
	return mine ? s : NULL;
}

struct shared *shared_of(void *ctx)
{
	struct shared *s;

	CAST_OBJ(s, ctx, SHARED_MAGIC);
	return s;
}

void shared_changed(struct actor *a)
{
	struct http *h;

	CAST_OBJ(h, actor_self(a), HTTP_MAGIC);
	h->changes++;
}

const void *shared_key(const struct shared *s)
{
	CHECK_OBJ(s, SHARED_MAGIC);
	return s->key;
}

void shared_make(struct shared *s, const struct shared_source *source)
{
	CHECK_OBJ(s, SHARED_MAGIC);
	must(s->asked && !s->sourced);
	s->asked = false;
	s->source = *source;
	s->sourced = true;
	s->hashed = source->varying;
	more_work(s);
}

void shared_fail(struct shared *s, unsigned status, const char *why)
{
	struct link *l, *next;

	CHECK_OBJ(s, SHARED_MAGIC);
	s->asked = false;
	for (l = s->waiters.next; l != &s->waiters; l = next) {
		struct request *r = container_of(l, struct request, in_shared);

		next = l->next;
		link_remove(l);
		answer_text(r, status, "%s", why);
		request_resume(r);
	}
	shared_free(&s);
}
