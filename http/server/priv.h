/* SPDX-License-Identifier: MIT */
/*
 * What the files of the HTTP server share.
 *
 * Floors, from the ground: head (a request's headers), guard (who gets in), route, answer, params,
 * door (new connections), client (those there are), streaming and pour (answers that go on), entry
 * (how a request gets in), once (that it is done once), request (the life of one), server (the
 * actor).
 */
#ifndef HTTP_SERVER_PRIV_H
#define HTTP_SERVER_PRIV_H

#include <microhttpd.h>

#include "actors/kernel/log.h"
#include "actors/msg/env.h"
#include "http/access/repeats.h"
#include "http/server/form.h"
#include "http/server/guard.h"
#include "http/server/server.h"
#include "proto/base/link.h"

#define HTTP_MAGIC    0x48545450u
#define REQUEST_MAGIC 0x52455121u
#define CLIENT_MAGIC  0x434c4e54u

/* Connections that microhttpd takes beyond api.connections, to have a newcomer whose place is made.
 */
#define CLIENTS_SPARE 16u

/* Bytes of bodies and answers that are much: worth giving back to the system when they are free. */
#define BURST (UINT64_C(8) << 20)

/* Headers that a resource can add to its answer. */
#define EXTRAS_MAX 4u

/* What a connection is at. */
enum client_phase {
	CLIENT_NEW,     /* sends its first header */
	CLIENT_HEADER,  /* is idle, or sends another one */
	CLIENT_BODY,    /* sends a body, */
	CLIENT_REFUSED, /* or the rest of one that was answered in its midst */
	CLIENT_WAITS,   /* has sent all and waits for us */
	CLIENT_ANSWER,  /* takes its answer */
	CLIENT_STREAM,  /* takes one that goes on; since: it last had all of it */
};

/* One connection, for the deadlines that microhttpd's idle timer does not give. */
struct client {
	uint32_t magic;
	struct link link; /* in http->clients, any order */
	struct MHD_Connection *conn;
	enum client_phase phase;
	int64_t since; /* us: when the phase began */
	bool cut;      /* it has been shut down and will be gone soon */
};

/* Where clients come in. */
struct door {
	struct http *http;
	struct loop_fd io;      /* its descriptor is main's */
	struct loop_timer rest; /* until it is looked at again, while there are no descriptors */
	bool shut;              /* it is not looked at */
};

struct http {
	uint32_t magic;
	struct actor *actor;
	const struct config *config;              /* owned reference */
	const struct resources *const *resources; /* borrowed; ends with NULL */
	void **tables;                            /* owned: what the open() of each of them made */
	unsigned workers;                         /* instances of WORKER */
	struct MHD_Daemon *daemon;
	struct loop_fd io;
	struct door *doors; /* owned */
	unsigned doors_n;
	bool exposed;              /* other machines may come by one of them */
	struct loop_timer timer;   /* microhttpd's own timeouts */
	struct loop_timer sweep;   /* slow clients */
	struct tokens *tokens;     /* owned: who may */
	struct pairings *pairings; /* owned: who may soon */
	struct tries *tries;       /* owned: who was wrong of late */
	struct basic *basic;       /* owned: what was right of late */
	struct logins *logins;     /* owned: apps that have logged in */
	struct repeats *repeats;   /* owned: what may come again */
	struct link clients;
	unsigned clients_n; /* but those that take a stream */
	struct link streams, pours;
	unsigned streams_n;
	uint64_t streamed;      /* bytes of their texts */
	uint64_t uploads;       /* bytes of all bodies that are being received or looked at */
	bool burst;             /* there was much memory in use since it was last given back */
	struct link shares;     /* answers that are made or fresh */
	struct link work;       /* those of them that have slices to do */
	struct loop_task slice; /* the next slice of the first of them */
	uint64_t bodies;        /* bytes of all bodies that live */
	uint64_t changes;       /* how many requests that change something were answered */
	unsigned waiting;       /* requests suspended for an answer */
	bool again;             /* something was resumed: run the daemon this turn */
	bool stopping;
};

struct request {
	uint32_t magic;
	struct http *http;
	struct MHD_Connection *conn;
	const char *uri; /* borrowed: where its request line lies, */
	size_t uri_n;    /* and how long it was when it came */
	char *query;     /* owned: with its "?"; NULL, if its path is not the base path itself */
	bool begun;      /* its headers have been seen */
	const struct resource *resource;
	enum method method; /* 0: it did not get in */
	struct who who;     /* asks */
	bool native;        /* beneath /api/v1 */
	bool suspended;
	bool answered; /* the answer below is complete */
	unsigned status;
	char *body; /* owned: of the answer; malloc */
	size_t body_n;
	struct body *shared_body; /* owned reference: the answer, instead of body */
	struct link in_shared;    /* in shared->waiters */
	void (*gone)(void *);     /* it is over, whoever waits for it */
	void *gone_ctx;
	bool packed;                     /* the client takes gzip */
	const struct document *document; /* borrowed: the answer, instead of body */
	struct MHD_Response *ready;      /* owned: the answer, instead of all of these */
	struct streaming *stream;        /* owned; that is the answer, or */
	struct pour *pour;               /* owned; that is */
	const char *type;                /* of the answer */
	const char *policy; /* Content-Security-Policy of the answer; NULL: nothing is allowed */
	char allow[40];     /* Allow header of a 405; empty: none */
	struct {
		const char *name;
		char *value; /* owned */
	} extras[EXTRAS_MAX];
	unsigned extras_n;
	const char *origin; /* borrowed: another site's application that may read the answer */
	uint8_t *upload;    /* owned: of the request */
	uint32_t upload_n, upload_room;
	char **members; /* owned, each of them too: names and values of param_json() */
	uint32_t members_n, members_room;
	uint64_t charged; /* of http->uploads, until the request is over */
	bool keyed;       /* its answer is kept for who asks again, */
	uint8_t once[32]; /* by this name */
	bool refused;     /* answered in the midst of its body, which is thrown away, */
	uint64_t thrown;  /* as far as so many bytes */
};

/* tables.c: opens those that want it, and closes them */
void tables_open(struct http *);
void tables_close(struct http *);

/* members.c: the parts of its path are parameters from now on; false: answered. */
bool members_path(struct request *, const char *path);
/* members.c: microhttpd does not need them any more. */
void members_free(struct request *);

/* body.c: text that several answers send. */
struct body {
	uint32_t magic;
	unsigned refs;
	uint64_t *total; /* borrowed: bytes of all bodies */
	char *text;      /* owned, as the next one */
	size_t n;
	char *packed; /* by gzip; NULL: nobody has asked for it */
	size_t packed_n;
	bool unpackable; /* there was no memory for it */
	char tag[24];    /* ETag: it says the same, if not in the same bytes */
};

/* Takes the text (malloc); one reference is the caller's. */
struct body *body_new(uint64_t *total, char *text, size_t n, uint64_t hash);
void body_packed(struct body *, char *packed, size_t n); /* takes packed */
struct body *body_ref(struct body *);
void body_unref(struct body **);
bool body_is_known(const struct body *, const char *if_none_match);
/* Takes the reference, also when it gives NULL.  whole: else the headers alone. */
struct MHD_Response *body_response(struct body **, bool whole, bool packed);

/* document.c: whole: else the headers alone; accepted is the Accept-Encoding, or NULL. */
struct MHD_Response *document_response(const struct document *, bool whole, const char *accepted);
bool document_is_known(const struct document *, const char *if_none_match);

/* shared.c: answers that all who ask the same share; the http actor owns them */
void shared_init(struct http *);
void shared_fini(struct http *);
void shared_sweep(struct http *); /* drops those that are no longer fresh */

/* Whether the resource reads forms itself, and knows their parameters. */
static inline bool forms_read(const struct request *r)
{
	return strcmp(r->resource->params, "*") == 0;
}

/* params.c: whether the resource knows all parameters that are there; false: answered. */
bool params_known(struct request *);
bool params_in_path(const struct resource *, const char *name); /* it is a part of the path */

/* answer.c: a body, of which the request takes a reference. */
void answer_body(struct request *, struct body *);
/* answer.c: a response that was made by the caller; takes it. */
void answer_ready(struct request *, unsigned status, const char *type, struct MHD_Response *);
/* answer.c: 308, to this path and query of ours */
void answer_again(struct request *, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* answer.c: one that was given before; copies the body, type is static. */
void answer_kept(struct request *, unsigned status, const char *type, const char *body, size_t n);
/* answer.c: hands the finished answer to microhttpd. */
enum MHD_Result answer_send(struct request *);

/* once.c: whether it is done; false: answered, because it was done before, or is under way. */
bool once_begin(struct request *);
/* once.c: it has been answered, or never will be. */
void once_end(struct request *);

/* entry.c: whether it gets in, to a resource that takes its method and its parameters; false:
 * answered. */
bool entry_begin(struct request *, const char *url, const char *method, const char *version);

/* request.c: microhttpd's callbacks; ctx is the struct http. */
void *request_line(void *ctx, const char *uri, struct MHD_Connection *);
enum MHD_Result request_step(void *ctx, struct MHD_Connection *, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **slot);
void request_over(void *ctx, struct MHD_Connection *, void **slot, enum MHD_RequestTerminationCode);

/* streaming.c: a place among the streams, for an answer that may take long; false: answered */
bool streaming_enter(struct request *);
void streaming_leave(struct http *);
/* streaming.c: the client has gone */
void streaming_close(struct streaming **);
/* streaming.c: the daemon stops */
void streaming_end(struct http *);
/* pour.c: the client has gone; the daemon stops */
void pour_close(struct pour **);
void pours_end(struct http *);

/* door.c: takes no more clients than microhttpd has room for; borrows the descriptors */
void door_open(struct http *, const int *fds, unsigned n);
void door_room(struct http *); /* a client has gone */
void door_close(struct http *);

/* client.c */
struct client *client_of(struct MHD_Connection *);
void client_enter(struct http *, struct MHD_Connection *, enum client_phase);
/* microhttpd's callback; ctx is the struct http. */
void client_event(
	void *ctx, struct MHD_Connection *, void **slot, enum MHD_ConnectionNotificationCode);
/* Ends those that take too long. */
void client_sweep(struct http *, int64_t now);

#endif
