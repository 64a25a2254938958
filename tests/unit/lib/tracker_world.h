/* SPDX-License-Identifier: MIT */
/*
 * The tracker actor on the real kernel for t_tracker*.c: the test's thread is the session, a peers
 * actor notes what was found.
 */
#ifndef TESTS_UNIT_LIB_TRACKER_WORLD_H
#define TESTS_UNIT_LIB_TRACKER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "actors/kernel/clock.h"
#include "actors/msg/env.h"
#include "tests/unit/lib/tracker_servers.h"

/* --- the actors around it --- */

struct found {
	pthread_mutex_t lock;
	unsigned messages, peers;
	struct tref t;
	struct endpoint first;
	int64_t seeds; /* -1: never told */
};

struct world {
	struct actors *set;
	struct actor *session, *main; /* the test is both */
	const struct config *config;
	struct actor_env env;
	struct found found;
	unsigned acks;
	struct m_tracker_view *view; /* the last answer */
	struct http_tracker *http;
	struct actor_handler session_handlers[MSG_MAX_ + 1], peers_handlers[MSG_MAX_ + 1],
		main_handlers[MSG_MAX_ + 1];
	struct actor_spec session_fake, peers_fake, main_fake;
};

static inline void ignore(struct actor *a, struct msg **m)
{
	(void)a;
	(void)m;
}

static inline void note_found(struct actor *a, struct msg **pm)
{
	struct m_peers_found *m = container_of(*pm, struct m_peers_found, h);
	struct found *f = actor_self(a);

	pthread_mutex_lock(&f->lock);
	f->messages++;
	f->peers += m->n;
	f->t = m->t;
	if (m->n > 0)
		f->first = m->peers[0];
	if (m->seeds >= 0)
		f->seeds = m->seeds;
	pthread_mutex_unlock(&f->lock);
}

/* The session makes the peers actor speak: totals, and a wish for more peers when `active`. */
static inline void speak_up(struct actor *a, struct msg **pm)
{
	struct m_peers_set *m = container_of(*pm, struct m_peers_set, h);
	struct m_totals *totals = msg_new(a, MSG_PEERS_TOTALS);
	struct m_peers_wanted *wanted = msg_new(a, MSG_PEERS_WANTED);
	struct msg *h = &totals->h;

	totals->t = m->t;
	totals->downloaded = m->wishes.down_limit;
	totals->uploaded = m->wishes.up_limit;
	totals->left = 444;
	actor_cast(a, ADDR_TRACKER, &h);
	h = &wanted->h;
	wanted->t = m->t;
	if (m->active)
		actor_cast(a, ADDR_TRACKER, &h);
	else
		msg_free(a, &h);
}

static inline void *init_peers(struct actor *a, const void *arg)
{
	const struct world *w = arg;

	(void)a;
	return (void *)(uintptr_t)&w->found;
}

/* Handlers for all that a role may get: the kernel wants it so. */
static inline void fill_handlers(struct actor_handler *out, unsigned role)
{
	unsigned n = 0;

	for (uint16_t i = KMSG_FIRST_USER_; i < message_table.n; i++)
		if (message_table.types[i].to >> role & 1u)
			out[n++] = (struct actor_handler){i, i == MSG_PEERS_FOUND ? note_found
							     : i == MSG_PEERS_SET ? speak_up
										  : ignore};
	out[n] = (struct actor_handler){0, NULL};
}

static inline const struct config *load_config(const char *const *args, int n)
{
	struct config_input in = {.no_files = true};
	const struct config *c = NULL;
	enum config_action action;
	char *argv[32], errors[4096];
	enum err err;

	argv[in.argc++] = strdup("torrentd");
	argv[in.argc++] = strdup("--state.dir=/tmp/t_tracker");
	argv[in.argc++] = strdup("--download.dir=/tmp/t_tracker");
	argv[in.argc++] = strdup("--tracker.allow_private=true"); /* its trackers are here */
	for (int i = 0; i < n; i++)
		argv[in.argc++] = strdup(args[i]);
	argv[in.argc] = NULL;
	in.argv = argv;
	err = config_load(&in, &c, &action, errors, sizeof errors);
	if (err != E_OK)
		print_message("# %s\n", errors);
	assert_int_equal(err, E_OK);
	for (int i = 0; i < in.argc; i++)
		free(argv[i]);
	return c;
}

static inline struct world *world_new(const char *const *args, int n)
{
	struct world *w = calloc(1, sizeof *w);

	w->http = http_start(AF_INET);
	w->config = load_config(args, n);
	w->env.config = (struct config *)(uintptr_t)w->config;
	memcpy(w->env.peer_id, "-TD0001-abcdefghijkl", 20);
	w->env.peer_port = 6681;
	w->env.api_port = (uint16_t)w->config->api_port;
	pthread_mutex_init(&w->found.lock, NULL);
	w->found.seeds = -1;
	fill_handlers(w->session_handlers, ROLE_SESSION);
	fill_handlers(w->peers_handlers, ROLE_PEERS);
	fill_handlers(w->main_handlers, ROLE_MAIN);
	w->main_fake = (struct actor_spec){.role_name = "main", .handlers = w->main_handlers};
	w->session_fake =
		(struct actor_spec){.role_name = "session", .handlers = w->session_handlers};
	w->peers_fake = (struct actor_spec){
		.role_name = "peers", .handlers = w->peers_handlers, .init = init_peers};
	w->set = actors_new(&message_table);
	w->session = actors_add_here(w->set, ADDR_SESSION, &w->session_fake, NULL);
	w->main = actors_add_here(w->set, ADDR_MAIN, &w->main_fake, NULL);
	actors_add(w->set, ADDR(ROLE_PEERS, 3), &w->peers_fake, w);
	actors_add(w->set, ADDR_TRACKER, &tracker_spec, &w->env);
	actors_start(w->set);
	return w;
}

static inline void take_ack(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct world *w = ctx;

	(void)a;
	(void)m;
	assert_int_equal(err, E_OK);
	w->acks++;
}

/* Turns the session until the condition holds; fails after some seconds. */
#define WAIT_FOR(w, cond)                                                                          \
	do {                                                                                       \
		int64_t end_ = clock_mono_us() + 20 * USEC_PER_SEC;                                \
		while (!(cond)) {                                                                  \
			if (clock_mono_us() > end_)                                                \
				fail_msg("waited in vain for %s", #cond);                          \
			actor_turn((w)->session, 5 * USEC_PER_MSEC);                               \
		}                                                                                  \
	} while (0)

/* Stops everything; how long the tracker took, in us. */
static inline int64_t world_end(struct world *w)
{
	static const uint16_t order[] = {ADDR_TRACKER, ADDR(ROLE_PEERS, 3), ADDR_SESSION};
	int64_t begin = clock_mono_us(), took = 0;

	for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
		struct msg *m = msg_new(w->session, MSG_QUIESCE);

		w->acks = 0;
		actor_call(w->session, order[i], &m, take_ack, w);
		WAIT_FOR(w, w->acks == 1);
		if (i == 0)
			took = clock_mono_us() - begin;
	}
	if (w->view != NULL) {
		struct msg *h = &w->view->h;

		msg_free(w->session, &h);
	}
	actors_join(w->set);
	actors_free(&w->set);
	return took;
}

static inline void world_free(struct world *w)
{
	http_stop(w->http);
	config_unref(&w->config);
	pthread_mutex_destroy(&w->found.lock);
	free(w);
}

/* --- talking to it --- */

static size_t put_text(char *out, size_t size, size_t n, const char *fmt, ...) PRINTF_LIKE(4, 5);

static inline size_t put_text(char *out, size_t size, size_t n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	n += (size_t)vsnprintf(out + n, size - n, fmt, ap);
	va_end(ap);
	assert_true(n < size);
	return n;
}

/* tiers: URLs separated by ' ', tiers by '|'. */
static inline struct metainfo *make_meta(const char *tiers, unsigned number)
{
	char text[4096];
	struct metainfo *meta = NULL;
	struct parse_error pe;
	size_t n = put_text(text, sizeof text, 0, "d13:announce-listll");

	while (*tiers != '\0') {
		size_t len = strcspn(tiers, " |");

		n = put_text(text, sizeof text, n, "%zu:%.*s", len, (int)len, tiers);
		tiers += len;
		if (*tiers == '|')
			n = put_text(text, sizeof text, n, "el");
		tiers += *tiers != '\0';
	}
	n = put_text(text, sizeof text, n,
		"ee4:infod6:lengthi1000e4:name5:%05u12:piece lengthi16384e6:pieces20:"
		"aaaaaaaaaaaaaaaaaaaaee",
		number);
	if (metainfo_parse(text, n, &meta, &pe) != E_OK)
		fail_msg("metainfo: %s", pe.what);
	return meta;
}

static inline struct tref ref_of(unsigned number)
{
	return (struct tref){.slot = number, .gen = 7, .shard = 3};
}

static inline void add_torrent(struct world *w, const char *tiers, unsigned number)
{
	struct m_tracker_add *m = msg_new(w->session, MSG_TRACKER_ADD);
	struct msg *h = &m->h;

	m->t = ref_of(number);
	m->meta = make_meta(tiers, number);
	m->active = true;
	m->left = 1000;
	actor_cast(w->session, ADDR_TRACKER, &h);
}

static inline void send_totals(
	struct world *w, unsigned number, enum tracker_op op, uint64_t down, uint64_t up)
{
	struct m_tracker_event *m = msg_new(w->session, MSG_TRACKER_EVENT);
	struct msg *h = &m->h;

	m->t = ref_of(number);
	m->op = op;
	m->downloaded = down;
	m->uploaded = up;
	actor_cast(w->session, ADDR_TRACKER, &h);
}

static inline void send_event(struct world *w, unsigned number, enum tracker_op op)
{
	send_totals(w, number, op, 0, 0);
}

/* The tracker gets a new configuration with this option. */
static inline void set_option(struct world *w, const char *arg)
{
	struct m_reload *m = msg_new(w->main, MSG_RELOAD);

	m->config = load_config(&arg, 1);
	msg_send(w->main, ADDR_TRACKER, m);
	actor_turn(w->main, 0);
}

static inline void make_peers_speak(
	struct world *w, unsigned number, uint64_t down, uint64_t up, bool want)
{
	struct m_peers_set *m = msg_new(w->session, MSG_PEERS_SET);
	struct msg *h = &m->h;

	m->t = ref_of(number);
	m->wishes.down_limit = down;
	m->wishes.up_limit = up;
	m->active = want;
	actor_cast(w->session, ADDR(ROLE_PEERS, 3), &h);
}

static inline void take_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct world *w = ctx;

	(void)a;
	w->acks++;
	if (err != E_OK)
		return;
	w->view = container_of(*m, struct m_tracker_view, h);
	*m = NULL;
}

/* The torrent's trackers as they are now; NULL: not known. */
static inline const struct torrent_trackers *look(struct world *w, unsigned number)
{
	struct m_tracker_view *m;
	struct msg *h;

	if (w->view != NULL) {
		h = &w->view->h;
		msg_free(w->session, &h);
		w->view = NULL;
	}
	m = msg_new(w->session, MSG_TRACKER_VIEW);
	m->t = ref_of(number);
	h = &m->h;
	w->acks = 0;
	actor_call(w->session, ADDR_TRACKER, &h, take_view, w);
	WAIT_FOR(w, w->acks == 1);
	return w->view != NULL ? &w->view->torrents[0] : NULL;
}

static inline const struct tracker_view *contacted(struct world *w, unsigned number, unsigned i)
{
	const struct torrent_trackers *t;

	WAIT_FOR(w, (t = look(w, number)) != NULL && t->trackers[i].contacted);
	return &t->trackers[i];
}

static inline unsigned asked(struct world *w, const char *a, const char *b)
{
	return notes_count(&w->http->notes, a, b, NULL, 0);
}

static inline unsigned found_peers(struct world *w)
{
	unsigned n;

	pthread_mutex_lock(&w->found.lock);
	n = w->found.peers;
	pthread_mutex_unlock(&w->found.lock);
	return n;
}

static inline int64_t known_seeds(struct world *w)
{
	int64_t n;

	pthread_mutex_lock(&w->found.lock);
	n = w->found.seeds;
	pthread_mutex_unlock(&w->found.lock);
	return n;
}

/* One that loses patience soon. */
static inline struct world *quick_world(void)
{
	static const char *const args[] = {"--tracker.timeout=1s", "--tracker.stop_timeout=1s"};

	return world_new(args, ARRAY_LEN(args));
}

static inline void url_of(struct world *w, const char *path, char *out, size_t n)
{
	snprintf(out, n, "http://127.0.0.1:%u%s", (unsigned)w->http->port, path);
}

#endif
