/* SPDX-License-Identifier: MIT */
/* The door of the dialect: its resources, what they share, and how apps log in. */
#include "http/qbittorrent/priv.h"

#include "actors/kernel/random.h"
#include "http/access/scope.h"
#include "http/qbittorrent/sync.h"

#define PREFIX "/api/v2/"

/* Places in the tables below. */
enum place {
#define GLUE_(a, b)                   a##b
#define GLUE(a, b)                    GLUE_(a, b)
#define LIST(path, fn, arg)           GLUE(AT_, __LINE__),
#define TEXT(path, fn, arg)           GLUE(AT_, __LINE__),
#define EXPORT(path, fn, arg)         GLUE(AT_, __LINE__),
#define CHANGE(path, scopes, fn, arg) GLUE(AT_, __LINE__),
#include "http/qbittorrent/methods.def"
#undef LIST
#undef TEXT
#undef EXPORT
#undef CHANGE
	METHODS
};

static const struct qmethod methods[] = {
#define LIST(path, fn, arg)           {path, QMETHOD_LIST, fn, arg},
#define TEXT(path, fn, arg)           {path, QMETHOD_TEXT, fn, arg},
#define EXPORT(path, fn, arg)         {path, QMETHOD_TEXT, fn, arg},
#define CHANGE(path, scopes, fn, arg) {path, QMETHOD_CHANGE, fn, arg},
#include "http/qbittorrent/methods.def"
#undef LIST
#undef TEXT
#undef EXPORT
#undef CHANGE
};

/* --- what all requests share --- */

static void *qbit_open(struct actor *a)
{
	struct qbit *q;
	uint32_t first;

	ALLOC_OBJ(q, QBIT_MAGIC);
	q->actor = a;
	link_init(&q->calls);
	q->names = nameset_new();
	random_bytes(&first, sizeof first);
	q->sync = sync_new(first);
	q->space = -1;
	return q;
}

static void qbit_close(void *ctx)
{
	struct qbit *q;

	CAST_OBJ(q, ctx, QBIT_MAGIC);
	while (!link_empty(&q->calls)) {
		struct qcall *c = container_of(q->calls.next, struct qcall, link);

		qcall_free(&c);
	}
	actor_cancel_calls(q->actor, q);
	nameset_free(&q->names);
	sync_free(&q->sync);
	FREE_OBJ(q);
}

static void serve(struct request *r)
{
	struct qbit *q;

	CAST_OBJ(q, request_table(r), QBIT_MAGIC);
	qcall_begin(r, q, &methods[request_resource(r)->arg]);
}

/* --- who it is --- */

static void answer(struct request *r, const char *text)
{
	answer_bytes(r, "text/plain; charset=UTF-8",
		(struct slice){(const uint8_t *)text, strlen(text)});
}

/* Who got in by something else needs no password. */
static void log_in(struct request *r)
{
	struct form *form = request_form(r);
	const char *user, *password;
	enum login_outcome outcome;

	if (form == NULL)
		return;
	user = form_text(form, "username");
	password = form_text(form, "password");
	if (password != NULL && password[0] == '\0')
		password = NULL;
	outcome = request_log_in(r, user != NULL ? user : "", password);
	form_free(&form);
	if (outcome != LOGIN_ANSWERED)
		answer(r, outcome == LOGIN_DONE ? "Ok." : "Fails.");
}

static void log_out(struct request *r)
{
	struct form *form = request_form(r);

	if (form == NULL)
		return;
	form_free(&form);
	request_log_out(r);
	answer(r, "");
}

static const char doc[] = "the Web API of qBittorrent, beneath /api/v2: what its apps connect to; "
			  "docs/qbittorrent.md";

static const struct resource table[] = {
	{PREFIX "auth/login", METHOD_POST, true, SCOPE_NONE, log_in, 0, "*", doc},
	{PREFIX "auth/logout", METHOD_POST, true, SCOPE_NONE, log_out, 0, "*", NULL},
#define LIST(path, fn, arg)                                                                        \
	{PREFIX path, METHOD_GET | METHOD_POST, false, SCOPE_READ, serve, GLUE(AT_, __LINE__),     \
		"*", NULL},
#define TEXT LIST
#define EXPORT(path, fn, arg)                                                                      \
	{PREFIX path, METHOD_GET | METHOD_POST, false, SCOPE_MANAGE, serve, GLUE(AT_, __LINE__),   \
		"*", NULL},
#define CHANGE(path, scopes, fn, arg)                                                              \
	{PREFIX path, METHOD_POST, true, SCOPE_##scopes, serve, GLUE(AT_, __LINE__), "*", NULL},
#include "http/qbittorrent/methods.def"
#undef LIST
#undef TEXT
#undef EXPORT
#undef CHANGE
};

const struct resources qbittorrent_resources = {.v = table,
	.n = ARRAY_LEN(table),
	.open = qbit_open,
	.close = qbit_close,
	.logins = true};
