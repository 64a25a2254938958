/* SPDX-License-Identifier: MIT */
/*
 * What the files of qBittorrent's dialect share.
 *
 * A request is a call.  What reads is answered by a text that all who ask the same share
 * (shared_ask()); what changes something goes on when the client leaves, until it has been done to
 * all torrents it named.  All for the http actor's thread.
 *
 * Floors, from the ground: names (tags and categories), fields and items (JSON of a torrent), call,
 * rows and facts (what a call asks others for), the endpoints, door.
 */
#ifndef HTTP_QBITTORRENT_PRIV_H
#define HTTP_QBITTORRENT_PRIV_H

#include "actors/msg/env.h"
#include "http/dialect/changes.h"
#include "http/qbittorrent/nameset.h"
#include "http/server/form.h"
#include "http/server/server.h"
#include "proto/base/link.h"

#define QBIT_MAGIC  0x51424954u
#define QCALL_MAGIC 0x5143414cu
#define QROWS_MAGIC 0x51524f57u

/* Calls that are not answered: with what one may have under way (64 messages) far less than a
 * mailbox holds. */
#define QCALLS_MAX 256u

/* Whose behaviour this is. */
#define QBIT_VERSION     "v5.0.5"
#define QBIT_API_VERSION "2.11.2"

struct qcall;
typedef void qcall_f(struct qcall *);

struct sync;

/* What all requests share. */
struct qbit {
	uint32_t magic;
	struct actor *actor; /* borrowed */
	struct link calls;   /* those that are not answered */
	unsigned calls_n;
	uint64_t serial;       /* of questions that are nobody else's */
	struct nameset *names; /* owned */
	bool loaded;           /* they are those of the database */
	struct sync *sync;     /* owned: how far clients are */
	int64_t space; /* bytes free in download.dir when that was last looked at; -1: never */
	bool looking;  /* at that */
};

enum qmethod_kind {
	QMETHOD_LIST,   /* it reads, and its JSON is shared */
	QMETHOD_TEXT,   /* it reads */
	QMETHOD_CHANGE, /* POST alone */
};

struct qmethod {
	const char *path;
	enum qmethod_kind kind;
	qcall_f *fn;
	int arg; /* what a function that serves several needs */
};

struct qrows;
struct qfacts;

/* --- calls (call.c) --- */

struct qcall {
	uint32_t magic;
	struct qbit *q;
	struct link link; /* in q->calls, until its answer is made */
	const struct qmethod *method;
	const struct config *config; /* owned reference: of when it came */
	struct form *form;           /* owned: its parameters */
	uint16_t worker;             /* who may wait for a disk */
	struct request *request;     /* borrowed; NULL: it is shared, or the client has gone */
	struct shared *share;        /* borrowed: who waits; NULL: it is not shared */
	qcall_f *next;               /* who goes on when what was asked for has come */
	struct qrows *rows;          /* owned: that came */
	struct qfacts *facts;        /* owned, likewise */
	struct msg *view;            /* owned, likewise */
	struct changes changes;      /* owned: to be made */
	struct changes_job *job;     /* owned: being made */
	void *work;                  /* owned: what its method keeps while it runs */
	void (*work_free)(void *);
	bool (*some)(struct qcall *, struct json_out *, size_t end); /* true: all is written */
};

/* Runs the method, perhaps after a while; the request waits, or has been answered. */
void qcall_begin(struct request *, struct qbit *, const struct qmethod *);
void qcall_free(struct qcall **);

/* Ends: each of these frees the call. */
void qcall_ok(struct qcall *);                                    /* 200, and nothing besides */
void qcall_text(struct qcall *, const char *text);                /* 200 */
void qcall_bytes(struct qcall *, const char *type, struct slice); /* likewise; a copy */
void qcall_fail(struct qcall *, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The outcome of another actor. */
void qcall_err(struct qcall *, enum err, const char *why);
/* The JSON that `some` writes; of a method that is a list. */
void qcall_write(struct qcall *, bool (*some)(struct qcall *, struct json_out *, size_t end));
/* The changes that were collected, and then 200 or their first failure. */
void qcall_change(struct qcall *, bool one_by_one);

/* Parameters.  NULL: it is not there; empty stays empty. */
const char *qcall_param(const struct qcall *, const char *name);
/* It has to be there; NULL: the call has ended with 400. */
const char *qcall_need(struct qcall *, const char *name);
/* "true" and "1" in any case; everything else is false; absent: `absent`. */
bool qcall_bool(const struct qcall *, const char *name, bool absent);
/* false: it is not there, or no whole number. */
bool qcall_int(const struct qcall *, const char *name, int64_t *out);

/* The parts of a list with `|` between two, none of them empty; false: there are no more. */
bool qlist_next(const char **list, char separator, struct slice *part);
bool qlist_is(struct slice, const char *text);
/* A number below 2^32 - 1, of digits alone. */
bool qlist_number(struct slice, uint32_t *out);

/* --- torrents as rows (rows.c) --- */

struct qrows {
	uint32_t magic;
	struct actor *actor; /* borrowed */
	struct msg **msgs;   /* owned: what the session answered */
	uint32_t msgs_n, msgs_room;
	const struct torrent_row **v; /* owned; those that are meant, borrowed from the messages */
	uint32_t n, room;
	uint8_t (*hashes)[20]; /* owned: sorted; which are meant, */
	uint32_t hashes_n;
	bool all; /* or all */
	unsigned waiting;
	enum err failed;
};

/* Asks for those that the list of hashes names ("all", or with `|` between two), or with NULL for
 * all there are, and calls fn, or ends the call. */
void qrows_ask(struct qcall *, const char *hashes, qcall_f *fn);
/* The first message of an answer for all. */
const struct m_torrent_rows *qrows_head(const struct qrows *);
void qrows_free(struct qrows **);

/* The info-hashes that a list names, without asking anybody, the caller's; what is none is left
 * out. */
uint32_t qhashes_read(const char *list, uint8_t (**out)[20]);
int qhashes_compare(const void *, const void *);
void qhash_write(const uint8_t infohash[20], char out[41]);

/* --- what is known of the daemon as a whole (facts.c) --- */

struct qfacts {
	uint64_t limits[2]; /* on everything, B/s, down and up; 0: unlimited */
	uint64_t rates[2];  /* of everything, B/s */
	uint64_t run[2];    /* bytes of the torrents there are, in this run, */
	uint64_t ever[2];   /* and ever */
	uint32_t peers;     /* connected */
	uint16_t port;      /* we listen at */
	uint32_t dht_nodes;
	unsigned waiting;
	enum err failed;
};

/* Asks for them and calls fn, or ends the call. */
void qfacts_ask(struct qcall *, qcall_f *fn);
/* Members that transfer/info and the server's state have. */
void qfacts_put_transfer(struct json_out *, const struct qfacts *);

/* --- one torrent with all its parts (one.c) --- */

/* Asks for the torrent that the parameter names, with these parts (enum view_part), and calls fn,
 * or ends the call. */
void qview_ask(struct qcall *, const char *param, unsigned parts, qcall_f *fn);
const struct torrent_view *qview_of(const struct qcall *);

/* --- names that a call makes (labels.c) --- */

/* Tags with a comma between two, and a category: they are to be known.  NULL: they can be; else
 * why not, in words. */
const char *qnames_add_tags(struct qcall *, const char *tags);
const char *qnames_add_category(struct qcall *, const char *name, const char *path);
/* Has the database keep them, and calls fn, or ends the call. */
void qnames_store(struct qcall *, qcall_f *fn);
void qnames_put_categories(struct json_out *, const struct nameset *);
/* A list of those that are younger than the serial number. */
void qnames_put_tags(struct json_out *, const struct nameset *, uint64_t since);

/* A limit on seeding as the dialect has it (-2 as configured, -1 none), in units of the struct
 * seed_limits; false: it is no such number. */
bool qseed_read(const char *text, double unit, int64_t max, int64_t *out);

/* --- endpoints --- */

qcall_f qb_app_version, qb_app_api_version, qb_app_build, qb_app_save_path, qb_app_preferences;
qcall_f qb_app_set, qb_app_shutdown, qb_log;
qcall_f qb_transfer_info, qb_transfer_limit, qb_transfer_set_limit, qb_transfer_mode;
qcall_f qb_transfer_set_mode;
qcall_f qb_torrents_info, qb_torrents_count;
qcall_f qb_torrent_properties, qb_torrent_trackers, qb_torrent_web_seeds, qb_torrent_files;
qcall_f qb_torrent_states, qb_torrent_hashes, qb_torrent_export, qb_torrent_peers;
qcall_f qb_torrent_add, qb_torrent_delete, qb_torrent_act, qb_torrent_move, qb_torrent_toggle;
qcall_f qb_torrent_force, qb_torrent_flag, qb_torrent_rates, qb_torrent_set_rate;
qcall_f qb_torrent_share_limits, qb_torrent_file_priority, qb_torrent_stays, qb_torrent_location;
qcall_f qb_categories, qb_category_create, qb_category_edit, qb_categories_remove, qb_category_set;
qcall_f qb_tags, qb_tags_create, qb_tags_delete, qb_tags_add, qb_tags_remove;
qcall_f qb_sync_main;

#endif
