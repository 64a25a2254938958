/* SPDX-License-Identifier: MIT */
/* One call: its parameters, what it waits for, how it ends. */
#include "http/qbittorrent/priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "proto/base/encode.h"

/* A question that is longer is not shared with others who ask the same. */
#define KEY_MAX 4096u

/* --- its begin --- */

static void on_gone(void *ctx)
{
	struct qcall *c;

	CAST_OBJ(c, ctx, QCALL_MAGIC);
	c->request = NULL;
}

static struct qcall *call_new(
	struct request *r, struct qbit *q, const struct qmethod *method, struct form *form)
{
	struct qcall *c;

	ALLOC_OBJ(c, QCALL_MAGIC);
	c->q = q;
	c->method = method;
	c->config = config_ref(request_config(r));
	c->form = form;
	c->worker = ADDR(ROLE_WORKER, request_workers(r) - 1);
	link_append(&q->calls, &c->link);
	q->calls_n++;
	return c;
}

static void unlist(struct qcall *c)
{
	c->q->calls_n -= link_linked(&c->link);
	link_remove(&c->link);
}

void qrows_free(struct qrows **pr)
{
	struct qrows *r;

	TAKE_OBJ(r, pr, QROWS_MAGIC);
	for (uint32_t i = 0; i < r->msgs_n; i++)
		msg_free(r->actor, &r->msgs[i]);
	xfree(r->msgs);
	xfree(r->v);
	xfree(r->hashes);
	FREE_OBJ(r);
}

void qcall_free(struct qcall **pc)
{
	struct qcall *c;

	TAKE_OBJ(c, pc, QCALL_MAGIC);
	unlist(c);
	actor_cancel_calls(c->q->actor, c);
	changes_cancel(&c->job);
	changes_free(&c->changes);
	if (c->rows != NULL)
		qrows_free(&c->rows);
	if (c->view != NULL)
		msg_free(c->q->actor, &c->view);
	if (c->work != NULL)
		c->work_free(c->work);
	xfree(c->facts);
	form_free(&c->form);
	config_unref(&c->config);
	FREE_OBJ(c);
}

static bool add_key(char *key, size_t *n, const char *text, size_t text_n)
{
	if (*n + text_n + 1 > KEY_MAX)
		return false;
	memcpy(key + *n, text, text_n);
	key[*n + text_n] = '\0';
	*n += text_n + 1;
	return true;
}

/* Who asks for the same in the same words gets the same answer. */
static struct shared *share_of(struct request *r, struct qcall *c)
{
	char key[KEY_MAX];
	size_t n = 0;
	bool fits = add_key(key, &n, c->method->path, strlen(c->method->path));
	const struct form_field *f;

	for (uint32_t i = 0; fits && (f = form_at(c->form, i)) != NULL; i++)
		fits = add_key(key, &n, f->name, strlen(f->name)) &&
		       add_key(key, &n, (const char *)f->value.p, f->value.n);
	if (!fits) {
		n = (size_t)snprintf(key, sizeof key, "%s#%llu", c->method->path,
			(unsigned long long)++c->q->serial);
	}
	return shared_ask(r, key, n);
}

static void on_names(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct qcall *c;

	(void)a;
	CAST_OBJ(c, ctx, QCALL_MAGIC);
	if (err != E_OK || m == NULL) {
		qcall_err(c, err != E_OK ? err : E_TIMEOUT, NULL);
		return;
	}
	if (!c->q->loaded)
		nameset_load(c->q->names, MSG_AS(STATE_NAMES_LOAD, *m));
	c->q->loaded = true;
	c->method->fn(c);
}

/* The first calls wait for the tags and categories. */
static void run(struct qcall *c)
{
	struct m_state_names *m;

	if (c->q->loaded) {
		c->method->fn(c);
		return;
	}
	m = msg_new(c->q->actor, MSG_STATE_NAMES_LOAD);
	msg_call(c->q->actor, ADDR_STATE, m, on_names, c);
}

void qcall_begin(struct request *r, struct qbit *q, const struct qmethod *method)
{
	struct form *form;
	struct qcall *c;

	CHECK_OBJ(q, QBIT_MAGIC);
	if (!request_may_wait(r))
		return;
	if (q->calls_n >= QCALLS_MAX) {
		answer_err(r, E_OVERLOAD, NULL);
		return;
	}
	form = request_form(r);
	if (form == NULL)
		return;
	c = call_new(r, q, method, form);
	if (method->kind == QMETHOD_LIST) {
		c->share = share_of(r, c);
		if (c->share == NULL) {
			qcall_free(&c);
			return;
		}
	} else {
		c->request = r;
		request_on_gone(r, on_gone, c);
		request_suspend(r);
	}
	run(c);
}

/* --- its end --- */

void qcall_text(struct qcall *c, const char *text)
{
	qcall_bytes(c, "text/plain; charset=UTF-8",
		(struct slice){(const uint8_t *)text, strlen(text)});
}

void qcall_bytes(struct qcall *c, const char *type, struct slice bytes)
{
	struct request *r;

	CHECK_OBJ(c, QCALL_MAGIC);
	r = c->request;
	must(c->share == NULL);
	if (c->method->kind == QMETHOD_CHANGE)
		shared_changed(c->q->actor);
	if (r != NULL) {
		request_on_gone(r, NULL, NULL);
		answer_bytes(r, type, bytes);
		request_resume(r);
	}
	qcall_free(&c);
}

void qcall_ok(struct qcall *c)
{
	qcall_text(c, "");
}

void qcall_fail(struct qcall *c, unsigned status, const char *fmt, ...)
{
	char line[600];
	va_list ap;

	CHECK_OBJ(c, QCALL_MAGIC);
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (c->method->kind == QMETHOD_CHANGE)
		shared_changed(c->q->actor); /* some of it may be done */
	if (c->share != NULL) {
		shared_fail(c->share, status, line);
	} else if (c->request != NULL) {
		struct request *r = c->request;

		request_on_gone(r, NULL, NULL);
		answer_text(r, status, "%s", line);
		request_resume(r);
	}
	qcall_free(&c);
}

/* Where qBittorrent would say "Conflict" of what it cannot do. */
void qcall_err(struct qcall *c, enum err e, const char *why)
{
	static const struct {
		enum err err;
		unsigned status;
	} codes[] = {{E_PATH, 409}, {E_RANGE, 409}, {E_UNSUPPORTED, 409}};
	unsigned status = answer_status(e);

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].err == e)
			status = codes[i].status;
	if (e == E_OK)
		qcall_ok(c);
	else
		qcall_fail(c, status, "%s", why != NULL && why[0] != '\0' ? why : err_words(e));
}

static bool write_some(void *ctx, struct json_out *o, size_t bytes)
{
	struct qcall *c;

	CAST_OBJ(c, ctx, QCALL_MAGIC);
	return c->some(c, o, o->n + bytes);
}

static void free_source(void *ctx)
{
	struct qcall *c = ctx;

	qcall_free(&c);
}

void qcall_write(struct qcall *c, bool (*some)(struct qcall *, struct json_out *, size_t))
{
	struct shared_source source = {.ctx = c, .some = write_some, .free = free_source};
	struct shared *share;

	CHECK_OBJ(c, QCALL_MAGIC);
	share = c->share;
	must(share != NULL);
	c->some = some;
	c->share = NULL;
	unlist(c);
	shared_make(share, &source);
}

static void on_changed(void *ctx, enum err err, const char *why)
{
	struct qcall *c;

	CAST_OBJ(c, ctx, QCALL_MAGIC);
	qcall_err(c, err, why);
}

void qcall_change(struct qcall *c, bool one_by_one)
{
	CHECK_OBJ(c, QCALL_MAGIC);
	changes_make(&c->job, c->q->actor, &c->changes, one_by_one, on_changed, c);
}

/* --- parameters --- */

const char *qcall_param(const struct qcall *c, const char *name)
{
	CHECK_OBJ(c, QCALL_MAGIC);
	return form_text(c->form, name);
}

const char *qcall_need(struct qcall *c, const char *name)
{
	const char *text = qcall_param(c, name);

	if (text == NULL)
		qcall_fail(c, 400, "parameter '%s' is missing", name);
	return text;
}

bool qcall_bool(const struct qcall *c, const char *name, bool absent)
{
	const char *text = qcall_param(c, name);

	if (text == NULL || text[0] == '\0')
		return absent;
	return strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0;
}

bool qcall_int(const struct qcall *c, const char *name, int64_t *out)
{
	const char *text = qcall_param(c, name);
	bool minus = text != NULL && text[0] == '-';
	int64_t n = 0;

	if (text == NULL || text[minus] == '\0')
		return false;
	for (text += minus; *text >= '0' && *text <= '9'; text++) {
		if (n > INT64_MAX / 10 - 1)
			return false;
		n = n * 10 + (*text - '0');
	}
	*out = minus ? -n : n;
	return *text == '\0';
}

bool qlist_next(const char **list, char separator, struct slice *part)
{
	const char *at = *list;
	size_t n = 0;

	while (*at == separator)
		at++;
	while (at[n] != '\0' && at[n] != separator)
		n++;
	*part = (struct slice){(const uint8_t *)at, n};
	*list = at + n;
	return n > 0;
}

bool qlist_is(struct slice s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

bool qlist_number(struct slice s, uint32_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(s.p[i] - '0');
		if (n >= UINT32_MAX)
			return false;
	}
	*out = (uint32_t)n;
	return s.n > 0;
}
