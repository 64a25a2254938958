/* SPDX-License-Identifier: MIT */
/*
 * The session actor on the real kernel for t_session*.c, in one thread and in virtual time.
 *
 * Everybody around it is a fake that writes what it gets as words into a log and keeps each call
 * until the test answers it, so that a test is a list of "do this, then expect exactly that".
 */
#ifndef TESTS_UNIT_LIB_SESSION_WORLD_H
#define TESTS_UNIT_LIB_SESSION_WORLD_H

#include "actors/kernel/clock.h"
#include "actors/kernel/log.h"
#include "actors/msg/env.h"
#include "tests/unit/lib/made_torrents.h"

#include <inttypes.h>

#define CALLS_MAX 1024

struct call_kept {
	struct actor *a;
	struct msg *m;
};

struct world {
	const struct config *config;
	struct actor_env env;
	struct actors *set;
	struct actor *session;
	struct actor *fakes[16];
	unsigned fakes_n;
	char log[16384];
	size_t log_n;
	struct call_kept calls[CALLS_MAX]; /* in the order they came; m NULL: answered */
	unsigned calls_n;
	struct tref t;            /* of the last STORE_OPEN */
	char why[256];            /* of the last answer to a person */
	struct msg *view;         /* the last answer to TORRENT_VIEW; owned */
	struct m_state_load load; /* what STATE_LOAD is answered with */
	bool hold_load;
	bool hold_totals;           /* the database does not take them */
	bool mute;                  /* nothing is written to the log */
	bool auto_ready;            /* STORE_OPEN is answered at once: all pieces are there */
	struct actor *main;         /* whose casts are the kernel's and SIGHUP */
	const char *const *options; /* more of the configuration; ends with NULL */
};

/* --- virtual time: stands in for the kernel's own (session_world.c) --- */

int64_t *world_clock(void);

/* --- the log --- */

static inline void say(struct world *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
static inline void say(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->mute)
		return;
	if (w->log_n > 0)
		w->log[w->log_n++] = ' ';
	va_start(ap, fmt);
	w->log_n += (size_t)vsnprintf(w->log + w->log_n, sizeof w->log - w->log_n, fmt, ap);
	va_end(ap);
	assert_true(w->log_n < sizeof w->log - 256);
}

static const char *const ops[] = {"START", "STOP", "COMPLETED", "MORE", "REMOVE"};

static inline const char *say_files(const uint8_t *list, uint32_t n)
{
	static char text[64];

	assert_true(n < sizeof text);
	for (uint32_t i = 0; i < n; i++)
		text[i] = (char)('0' + list[i]);
	text[list != NULL ? n : 0] = '\0';
	return list != NULL ? text : "all";
}

static inline void say_set(struct world *w, const struct m_state_set *p)
{
	if (p->key == STATE_FILES)
		say(w, "STATE_FILES(%" PRId64 ",%s)", p->row, say_files(p->data, p->data_n));
	else if (p->key == STATE_SEED_LIMITS)
		say(w, "STATE_SEED(%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ")", p->row,
			p->seed.ratio, p->seed.time, p->seed.idle);
	else if (p->key == STATE_CHOICE)
		say(w, "STATE_CHOICE(%" PRId64 ",%u)", p->row, p->choice_n);
	else if (p->key == STATE_PLACES)
		say(w, "STATE_PLACES(%u)", p->places_n);
	else
		say(w, "STATE_SET(%" PRId64 ",%d,%" PRId64 ")", p->row, p->key, p->value);
}

#define AS(type) const struct type *p = container_of(m, struct type, h)

/* To the database and the store; false: it goes to others. */
static inline bool say_kept(struct world *w, struct msg *m)
{
	switch (m->type) {
	case MSG_STATE_ADD: {
		AS(m_state_add);
		say(w, "STATE_ADD(%s,%s)", p->meta->name, p->path);
		break;
	}
	case MSG_STATE_SET: {
		AS(m_state_set);
		say_set(w, p);
		break;
	}
	case MSG_STATE_META: {
		AS(m_state_meta);
		say(w, "STATE_META(%" PRId64 ",%s%s,%s)", p->row,
			p->meta->bare ? "bare" : p->meta->name, p->aside ? ",aside" : "",
			!p->choose      ? "-"
			: p->meta->bare ? "choice"
					: say_files(p->file_priority, p->file_priority_n));
		break;
	}
	case MSG_STATE_REMOVE: {
		AS(m_state_remove);
		say(w, "STATE_REMOVE(%" PRId64 ")", p->row);
		break;
	}
	case MSG_STATE_SHELVE: {
		AS(m_state_shelve);
		say(w, "STATE_SHELVE(%" PRId64 "%s)", p->what.row, p->back ? ",back" : "");
		break;
	}
	case MSG_STATE_TOTALS: {
		AS(m_totals);
		say(w, "STATE_TOTALS(%" PRIu64 ",%" PRIu64 ",%" PRIu64 ")", p->downloaded,
			p->uploaded, p->wasted);
		break;
	}
	case MSG_STORE_OPEN: {
		AS(m_store_open);
		w->t = p->t;
		say(w, "STORE_OPEN(%s,%s,fresh=%d,root=%d)", p->record.meta->name, p->record.path,
			p->record.fresh, p->make_root);
		break;
	}
	case MSG_STORE_FILES: {
		AS(m_store_files);
		say(w, "STORE_FILES(%s)", say_files(p->file_priority, p->file_priority_n));
		break;
	}
	case MSG_STORE_CLOSE: {
		AS(m_store_close);
		say(w, "STORE_CLOSE(%d)", p->delete_data);
		break;
	}
	default:
		return false;
	}
	return true;
}

/* The payload in a few words, with only what tests look at. */
static inline void say_details(struct world *w, struct msg *m)
{
	if (say_kept(w, m))
		return;
	switch (m->type) {
	case MSG_PEERS_ADD: {
		AS(m_peers_add);
		if (p->meta->bare)
			w->t = p->t;
		say(w, "PEERS_ADD(%s%d,%u)", p->meta->bare ? "bare," : "", p->active,
			p->have.count);
		break;
	}
	case MSG_PEERS_SET: {
		AS(m_peers_set);
		say(w, "PEERS_SET(%d%s,%" PRIu64 ",%" PRIu64 "%s%s%s%s%s)", p->active,
			p->no_download ? ",no" : "", p->wishes.down_limit, p->wishes.up_limit,
			p->wishes.sequential ? ",seq" : "", p->wishes.first_last ? ",edges" : "",
			p->wishes.discreet != DISCREET_OFF ? ",discreet" : "",
			p->wishes.file_priority != NULL ? "," : "",
			p->wishes.file_priority != NULL
				? say_files(p->wishes.file_priority, p->wishes.file_priority_n)
				: "");
		break;
	}
	case MSG_PEERS_GLOBAL: {
		AS(m_peers_global);
		say(w, "PEERS_GLOBAL(%" PRIu64 ",%" PRIu64 ")", p->rate[LIMIT_DOWN],
			p->rate[LIMIT_UP]);
		break;
	}
	case MSG_PEERS_FOUND: {
		AS(m_peers_found);
		say(w, "PEERS_FOUND(%u)", p->n);
		break;
	}
	case MSG_TRACKER_ADD: {
		AS(m_tracker_add);
		say(w, "TRACKER_ADD(%d,%" PRIu64 ")", p->active, p->left);
		break;
	}
	case MSG_TRACKER_EVENT: {
		AS(m_tracker_event);
		if (p->op == TRACKER_MORE)
			say(w, "TRACKER_MORE(%" PRIu64 ")", p->left);
		else
			say(w, "TRACKER_%s", ops[p->op]);
		break;
	}
	default:
		say(w, "%s", message_table.types[m->type].name);
	}
}

#undef AS

static inline void keep_call(struct world *w, struct actor *a, struct msg **m)
{
	assert_true(w->calls_n < CALLS_MAX);
	w->calls[w->calls_n++] = (struct call_kept){a, *m};
	*m = NULL;
}

static inline void answer_load(struct world *w, struct actor *a, struct msg **m)
{
	struct m_state_load *l = container_of(*m, struct m_state_load, h);
	struct msg h = l->h;

	*l = w->load;
	l->h = h;
	w->load = (struct m_state_load){0};
	actor_reply(a, m, E_OK);
}

static inline void take_totals(struct actor *a, struct tref t)
{
	struct m_torrent *saved = msg_new(a, MSG_STATE_SAVED);

	saved->t = t;
	msg_send(a, ADDR_SESSION, saved);
}

static inline void answer_open(struct actor *a, struct tref t)
{
	struct m_store_ready *r = msg_new(a, MSG_STORE_READY);

	r->t = t;
	bitfield_init(&r->have, 3);
	for (uint32_t i = 0; i < 3; i++)
		bitfield_set(&r->have, i);
	msg_send(a, ADDR_SESSION, r);
}

static inline void fake_message(struct actor *a, struct msg **m)
{
	struct world *w = actor_self(a);

	if ((*m)->type == MSG_STATE_LOAD && !w->hold_load) {
		answer_load(w, a, m);
		return;
	}
	say_details(w, *m);
	if ((*m)->type == MSG_STATE_TOTALS && !w->hold_totals)
		take_totals(a, MSG_AS(STATE_TOTALS, *m)->t);
	if ((*m)->type == MSG_STORE_OPEN && w->auto_ready)
		answer_open(a, w->t);
	if ((*m)->call != 0 && w->mute)
		actor_reply(a, m, E_OK);
	else if ((*m)->call != 0)
		keep_call(w, a, m);
}

static inline void *fake_init(struct actor *a, const void *arg)
{
	(void)a;
	return (void *)(uintptr_t)arg;
}

static const struct actor_handler catch_all[] = {{KMSG_NONE, fake_message}, {0, NULL}};
static const struct actor_spec fake_http = {.role_name = "http",
	.handlers = catch_all,
	.init = fake_init};
static const struct actor_spec fake_state = {.role_name = "state",
	.handlers = catch_all,
	.init = fake_init};
static const struct actor_spec fake_store = {.role_name = "store",
	.handlers = catch_all,
	.init = fake_init};
static const struct actor_spec fake_peers = {.role_name = "peers",
	.handlers = catch_all,
	.init = fake_init};
static const struct actor_spec fake_tracker = {.role_name = "tracker",
	.handlers = catch_all,
	.init = fake_init};

static const struct actor_spec fake_main = {.role_name = "main",
	.handlers = catch_all,
	.init = fake_init};

/* --- people, and the others (session_world.c) --- */

void on_person(struct actor *a, void *ctx, enum err err, struct msg **m);
void turn_all(struct world *w);
/* Exactly this has happened since the last time. */
#define EXPECT(w, text)                                                                            \
	do {                                                                                       \
		turn_all(w);                                                                       \
		assert_string_equal((w)->log, (text));                                             \
		(w)->log_n = 0;                                                                    \
		(w)->log[0] = '\0';                                                                \
	} while (0)
void pass_time(struct world *w, int64_t seconds);
struct actor *http_of(struct world *w);
void ask(struct world *w, struct msg *m);
void ask_add(struct world *w, const char *name, const char *path, bool start);
void ask_add_bytes(struct world *w, const char *bytes, size_t n);
struct m_torrent_set *make_set(struct world *w, const struct metainfo *meta, enum torrent_op op);
/* A change of the torrent that made_meta() makes for that name and three pieces. */
struct m_torrent_set *make_set_of(struct world *w, const char *name, enum torrent_op op);
void ask_set(struct world *w, const char *name, enum torrent_op op, uint64_t value);
void ask_view(struct world *w, const char *name);
/* The oldest call of that type that is not answered; the test may fill it in first. */
struct msg **kept(struct world *w, uint16_t type);
void answer(struct world *w, uint16_t type, enum err err);
void answer_add(struct world *w, int64_t row);
void answer_detached(struct world *w, uint32_t have, uint64_t down);
struct actor *fake_of(struct world *w, unsigned role);
void store_says_ready(struct world *w, enum err err, uint32_t have);
void store_says_error(struct world *w, enum err err, bool lost);
void peers_say_totals(struct world *w, uint64_t down, uint64_t up, uint64_t left);
/* Of the whole torrent more is lacking than of what is wanted. */
void peers_say_left(struct world *w, uint64_t down, uint64_t left, uint64_t lacks);
void peers_say_done(struct world *w);

/* --- start and end --- */

static inline const struct config *make_config(
	const char *roots, const char *limit, const char *const *more)
{
	char *argv[16] = {xstrdup("torrentd"), xstrdup("--state.dir=/tmp/t_session"),
		xstrdup("--download.dir=/downloads"), xcalloc(1, 256), xcalloc(1, 256),
		xstrdup("--dht.enabled=false")};
	struct config_input in = {.argc = 6, .argv = argv, .no_files = true};
	const struct config *c = NULL;
	enum config_action action;
	char errors[2048] = "";

	snprintf(argv[3], 256, "--download.roots=%s", roots);
	snprintf(argv[4], 256, "--download.max_rate=%s", limit);
	for (; more != NULL && *more != NULL; more++)
		argv[in.argc++] = xstrdup(*more);
	if (config_load(&in, &c, &action, errors, sizeof errors) != E_OK)
		fail_msg("%s", errors);
	for (int i = 0; i < in.argc; i++)
		xfree(argv[i]);
	return c;
}

static inline struct actor *add_fake(struct world *w, uint16_t addr, const struct actor_spec *spec)
{
	return w->fakes[w->fakes_n++] = actors_add_here(w->set, addr, spec, w);
}

/* SIGHUP with another configuration. */
static inline void reload(struct world *w, const char *roots, const char *const *options)
{
	struct m_reload *r = msg_new(w->main, MSG_RELOAD);

	r->config = make_config(roots, "1000B/s", options);
	msg_send(w->main, ADDR_SESSION, r);
}

static inline void world_start(struct world *w, unsigned shards)
{
	w->config = make_config("/downloads, /srv/other", "1000B/s", w->options);
	w->env = (struct actor_env){.config = w->config, .shards = shards, .workers = 2};
	w->set = actors_new(&message_table);
	add_fake(w, ADDR_HTTP, &fake_http);
	add_fake(w, ADDR_STATE, &fake_state);
	add_fake(w, ADDR_STORE, &fake_store);
	add_fake(w, ADDR_TRACKER, &fake_tracker);
	for (unsigned i = 0; i < shards; i++)
		add_fake(w, ADDR(ROLE_PEERS, i), &fake_peers);
	w->main = actors_add_here(w->set, ADDR_MAIN, &fake_main, w);
	w->session = actors_add_here(w->set, ADDR_SESSION, &session_spec, &w->env);
	actors_start_here(w->set);
	turn_all(w);
	if (w->hold_load)
		return;
	w->log_n = 0;
	w->log[0] = '\0';
}

static inline int world_new(void **state)
{
	*state = xcalloc(1, sizeof(struct world));
	*world_clock() = 1000 * USEC_PER_SEC;
	log_set_level(LOG_ERROR);
	return 0;
}

/* Whatever is still under way, nothing may be left alive: actors_join() looks. */
static inline int world_free(void **state)
{
	struct world *w = *state;

	if (w->session == NULL)
		return 0; /* it never came to be; the test has failed */
	for (unsigned i = 0; i < w->calls_n; i++)
		msg_free(w->calls[i].a, &w->calls[i].m);
	msg_free(http_of(w), &w->view);
	actors_join(w->set);
	actors_free(&w->set);
	config_unref(&w->config);
	xfree(w);
	return 0;
}

/* A torrent that is there and running: row 1, one of three pieces. */
static inline void have_torrent(struct world *w, const char *name)
{
	ask_add(w, name, NULL, true);
	answer_add(w, 1);
	turn_all(w);
	store_says_ready(w, E_OK, 1);
	turn_all(w);
	w->log_n = 0;
	w->log[0] = '\0';
}

#endif
