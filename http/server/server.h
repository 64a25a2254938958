/* SPDX-License-Identifier: MIT */
/*
 * The HTTP server as those see it who answer requests.
 *
 * Whoever has something to show or to do over HTTP hands the server a table of resources.  A
 * request lives from its first header to the last byte of its answer: it is guarded, its parameters
 * are held against the table, its body is collected, and the resource's function is called.  That
 * answers at once, or suspends the request, and answers and resumes it later.  All functions are
 * for the http actor's thread.
 */
#ifndef HTTP_SERVER_SERVER_H
#define HTTP_SERVER_SERVER_H

#include "actors/msg/msg.h"
#include "http/access/pairings.h"
#include "http/access/scope.h"
#include "http/access/tokens.h"
#include "proto/base/json_out.h"

struct form;
struct request;
typedef void resource_f(struct request *);

enum method { METHOD_GET = 1, METHOD_POST = 2, METHOD_PATCH = 4, METHOD_DELETE = 8 };

struct resource {
	const char *path; /* parts in braces are parameters (route.h) */
	unsigned methods; /* enum method, or-ed; GET is HEAD, too, unless the resource changes */
	bool changes;     /* something: the guards are stricter */
	unsigned scopes;  /* enum scope, or-ed: who asks needs all of them; SCOPE_NONE: no
			     credentials */
	resource_f *fn;
	int arg;            /* what a function that serves several resources needs */
	const char *params; /* names of its parameters but those in its path, a space between two;
			       any other is refused.  "*": any, as request_form() has them */
	const char *doc;    /* NULL: it is in no list */
};

/* One table of them.  main hands in a list of tables, which ends with NULL (env.h); borrowed for
 * the whole run. */
struct resources {
	const struct resource *v;
	unsigned n;
	void *(*open)(struct actor *); /* makes what its requests share; NULL: nothing */
	void (*close)(void *);         /* frees that, when no request is left */
	/* What who asks must accept for one of these to be meant, such as "text/html"; NULL:
	   anything.  Of several that fit, that of the first table is taken. */
	const char *accept;
	bool documents; /* pages: links of other sites may lead to them */
	/* Apps that log in here (request_log_in()) and send a cookie from then on; who shows no
	   credentials gets 403, which tells them to. */
	bool logins;
};

/* Who asks. */
struct who {
	unsigned scopes;        /* enum scope, or-ed */
	int64_t token;          /* the id of the token it got in by; 0: none that was made */
	bool authenticated;     /* by credentials, of whatever kind */
	bool local;             /* it is on this machine */
	bool proxied;           /* by a proxy that is believed */
	bool https;             /* likewise: by TLS */
	struct endpoint client; /* its address; unspecified: it came by a path */
	int64_t user;           /* of this machine, who came by a path; -1: it did not */
	const char *host;       /* under which name it asks; as long as the request */
};

/* --- the request --- */

struct actor *request_actor(const struct request *);
const struct resource *request_resource(const struct request *);
const struct resources *const *request_resources(const struct request *); /* all there are */
const struct config *request_config(const struct request *);              /* of now */
/* What the open() of its table made; NULL: nothing. */
void *request_table(const struct request *);
/* NULL: there is none.  Valid as long as the request. */
const char *request_header(const struct request *, const char *name);
const struct who *request_who(const struct request *);
struct tokens *request_tokens(struct request *);     /* all there are; the http actor's */
struct pairings *request_pairings(struct request *); /* likewise */
/* Whether an attempt to get in is looked at now; false: it has been answered with 429.  Then how it
 * went is told. */
bool request_may_try(struct request *);
void request_tried(struct request *, bool right);
/* Whether the secret is that of a token; as gets its id (0: of one that was configured), its scopes
 * and its end.  false: it has been answered. */
bool request_admits(struct request *, const char *secret, struct token_record *as);
/*
 * An app logs in, by user and password or with a token in the place of the password; both NULL: by
 * what let it in.  LOGIN_DONE: a header of the answer sets its cookie.  LOGIN_ANSWERED: it has to
 * wait, and has been told.
 */
enum login_outcome { LOGIN_DONE, LOGIN_WRONG, LOGIN_ANSWERED };
enum login_outcome request_log_in(struct request *, const char *user, const char *password);
/* Its cookie means nothing any more. */
void request_log_out(struct request *);
/* The request that was given as the ctx of a call. */
struct request *request_of(void *ctx);
/* The body as it came; what was taken is the caller's (malloc), NULL when it was empty. */
size_t request_body_len(const struct request *);
uint8_t *request_body_take(struct request *, size_t *n);
/* The parameters in the query and in a body that is a form, the caller's; of a resource with
 * params "*".  NULL: it has been answered with 400. */
struct form *request_form(struct request *);
/* Whether who asks has these scopes (enum scope, or-ed), too, for what not every use of the
 * resource needs; false: it has been answered. */
bool request_may(struct request *, unsigned scopes);
/* How many workers there are. */
unsigned request_workers(const struct request *);
/* Whether it may wait for another actor; false: it has been answered (overload, stopping). */
bool request_may_wait(struct request *);
/* It waits: calls with the request as their ctx end with it, if the client leaves. */
void request_suspend(struct request *);
/* Calls `gone` when it is over, for what goes on without it; NULL: not any more. */
void request_on_gone(struct request *, void (*gone)(void *ctx), void *ctx);
/* It was suspended and is answered now. */
void request_resume(struct request *);

/*
 * --- answers: one for each request ---
 *
 * Beneath /api/v1 what is not 2xx is a problem of RFC 9457: the same words, the status, and a code.
 */

void answer_text(struct request *, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same, with a code of its own ("no_such_file"), which programs and translations go by;
 * elsewhere than beneath /api/v1 the words alone. */
void answer_problem(struct request *, unsigned status, const char *code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* The same, with what the words are about as an object, which is taken. */
void answer_problem_args(struct request *, unsigned status, const char *code, struct json_out *args,
	const char *fmt, ...) PRINTF_LIKE(5, 6);
/* A header of the answer, whichever that will be: four at most. */
void answer_header(struct request *, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
void answer_ok(struct request *);
/* 204, without a body. */
void answer_nothing(struct request *);
/* A page of HTML without scripts, styles or pictures; takes the text (malloc). */
void answer_html(struct request *, char *text, size_t n);
/* A file that is part of the program; the tag is a weak ETag with its quotes. */
struct document {
	const char *type;             /* Content-Type */
	const char *tag;              /* ETag: W/"..." */
	const char *policy;           /* Content-Security-Policy */
	bool immutable;               /* its path has its hash: what is kept needs no question */
	struct slice plain, gzip, br; /* its forms; plain is always there */
};

/* Borrowed for the whole run. */
void answer_document(struct request *, const struct document *);
/* Instead of the policy that lets an answer load nothing; static. */
void answer_policy(struct request *, const char *policy);
/* A copy of these bytes. */
void answer_bytes(struct request *, const char *type, struct slice);
/* Takes what was written. */
void answer_json(struct request *, unsigned status, struct json_out *);
/* An outcome of another actor: status by table, words where it gave some. */
void answer_err(struct request *, enum err, const char *why);

/* --- answers that all who ask the same share (shared.c) --- */

struct shared;

/* What makes the text, a slice at a time. */
struct shared_source {
	void *ctx;                                                /* owned: freed by free() */
	bool (*some)(void *ctx, struct json_out *, size_t bytes); /* writes more; true: complete */
	void (*free)(void *ctx);
	size_t varying; /* bytes at the begin that the ETag leaves out: the time */
};

/*
 * The request asks for what the key names (which includes the path).  NULL: it has been answered or
 * waits.  Else it is the first: whoever called has the text made, by calls whose ctx is the share,
 * and ends with shared_make() or shared_fail().
 */
struct shared *shared_ask(struct request *, const void *key, size_t n);
struct shared *shared_of(void *ctx);
const void *shared_key(const struct shared *);
void shared_make(struct shared *, const struct shared_source *);
/* Answers all who wait with one line of text; the share is gone. */
void shared_fail(struct shared *, unsigned status, const char *why);
/* Something was changed by a request whose resource does not say so: what is kept is old now. */
void shared_changed(struct actor *);
/* The status for an outcome of another actor. */
unsigned answer_status(enum err);

/* --- parameters; false: missing or malformed, and the request has been answered with 422 --- */

/* The body is a JSON object, whose members are parameters from now on; those of an object within it
 * as "limits.down", and a list of texts with commas between. */
bool param_json(struct request *);
/*
 * The body is a JSON object with any members: calls `each` for one after the other, with its value
 * as text (a list of texts as a configuration file has it, null as NULL).  false: answered with 400
 * or 422, perhaps after some of them.
 */
typedef void request_member_f(void *ctx, const char *name, const char *value);
bool request_object(struct request *, request_member_f *each, void *ctx);
bool param_infohash(struct request *, uint8_t out[20]);
/* true, yes, on, 1 and false, no, off, 0, in any case; absent or empty: `absent`. */
bool param_bool(struct request *, const char *name, bool absent, bool *out);
/* The same, and it must be there. */
bool param_flag(struct request *, const char *name, bool *out);
/* KiB/s on the wire, with a fraction if need be; absent or empty: 0, if it is not required. */
bool param_rate(struct request *, const char *name, bool required, uint64_t *bytes_per_s);
/*
 * Files such as "0,3-5" or "all" that are to have a priority, appended to *list, which the caller
 * owns; absent or empty: none.
 */
bool param_files(struct request *r, const char *name, uint8_t priority, struct file_wish **list,
	uint32_t *n);
/* Which of the words, whose list ends with NULL; required. */
bool param_choice(struct request *r, const char *name, const char *const *words, unsigned *out);
bool param_count(struct request *r, const char *name, uint64_t *out); /* whole, from 1; required */
bool param_index(struct request *r, const char *name, uint64_t *out); /* whole, from 0; required */
/* With `decimals` digits behind the point taken as whole ones, -1 as it is; absent or empty:
 * SEED_KEEP. */
bool param_limit(struct request *r, const char *name, unsigned decimals, int64_t *out);
/* NULL: absent or empty.  Valid as long as the request. */
bool param_text(struct request *, const char *name, const char **out);

#endif
