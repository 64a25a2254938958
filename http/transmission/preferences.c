/* SPDX-License-Identifier: MIT */
/*
 * session-set: preferences that are options or limits are changed, all that a call names or none.
 *
 * Others may be named with the value that they have: programs send what they were told.  Any other
 * value is refused, so that nobody believes in what is not there.
 */
#include <stdio.h>
#include <stdlib.h>

#include "http/transmission/facts.h"
#include "proto/base/array.h"

#define SETTING_MAGIC 0x53455450u
#define LIMIT_MAX     INT64_C(1000000000) /* of any number here */

enum how { AS_BOOL, AS_NUMBER, AS_MIB, AS_WORD, AS_MINUTES, AS_RATIO };

static const struct {
	const char *name, *option;
	enum how how;
} plain[] = {
	{"blocklist_enabled", "blocklist.enabled", AS_BOOL},
	{"cache_size_mib", "store.write_buffer", AS_MIB},
	{"dht_enabled", "dht.enabled", AS_BOOL},
	{"encryption", "peers.encryption", AS_WORD},
	{"lpd_enabled", "peers.lsd", AS_BOOL},
	{"peer_limit_global", "peers.max", AS_NUMBER},
	{"peer_limit_per_torrent", "peers.max_per_torrent", AS_NUMBER},
	{"peer_port", "peers.port", AS_NUMBER},
	{"pex_enabled", "peers.pex", AS_BOOL},
	{"port_forwarding_enabled", "portmap.enabled", AS_BOOL},
};

static const struct {
	const char *value, *on; /* names */
	const char *option;     /* NULL: a limit of the session */
	enum how how;
} pairs[PAIRS] = {
	[PAIR_SPEED_DOWN] = {"speed_limit_down", "speed_limit_down_enabled", NULL, AS_NUMBER},
	[PAIR_SPEED_UP] = {"speed_limit_up", "speed_limit_up_enabled", NULL, AS_NUMBER},
	[PAIR_DOWNLOADS] = {"download_queue_size", "download_queue_enabled", "queue.downloads",
		AS_NUMBER},
	[PAIR_SEEDS] = {"seed_queue_size", "seed_queue_enabled", "queue.seeds", AS_NUMBER},
	[PAIR_STALLED] = {"queue_stalled_minutes", "queue_stalled_enabled", "queue.stalled",
		AS_MINUTES},
	[PAIR_IDLE] = {"idle_seeding_limit", "idle_seeding_limit_enabled", "seed.idle", AS_MINUTES},
	[PAIR_RATIO] = {"seed_ratio_limit", "seed_ratio_limited", "seed.ratio", AS_RATIO},
};

/* What is told and cannot be set; Transmission, too, does not look at it. */
static const char *const told[] = {"blocklist_size", "config_dir", "download_dir_free_space",
	"rpc_version", "rpc_version_minimum", "rpc_version_semver", "session_id", "units",
	"version"};

struct setting {
	uint32_t magic;
	struct m_options_set *options; /* owned; NULL: sent, or none */
	uint32_t room;
	bool limited[2];    /* limits of the session that are to change, */
	uint64_t limits[2]; /* B/s */
	uint64_t kept[PAIRS];
	struct actor *actor; /* borrowed */
	unsigned waiting;
	enum err failed;
	struct words why;
};

static void free_setting(void **p)
{
	struct setting *s;
	struct msg *m;

	CAST_OBJ(s, *p, SETTING_MAGIC);
	*p = NULL;
	m = s->options != NULL ? &s->options->h : NULL;
	msg_free(s->actor, &m);
	FREE_OBJ(s);
}

/* --- reading --- */

static void add_option(struct setting *s, const char *name, const char *value)
{
	struct option_wish wish = {.name = xstrdup(name), .value = xstrdup(value)};

	ARRAY_PUSH(s->options->wishes, s->options->wishes_n, s->room, wish);
}

/* As it would stand in a configuration file. */
static void write_number(char *out, size_t size, enum how how, uint64_t v)
{
	static const char *const units[] = {[AS_MIB] = "MiB", [AS_MINUTES] = "m", [AS_RATIO] = ""};

	if (how == AS_RATIO)
		snprintf(out, size, "%llu.%03llu", (unsigned long long)v / 1000,
			(unsigned long long)v % 1000);
	else
		snprintf(out, size, "%llu%s", (unsigned long long)v,
			how == AS_MIB || how == AS_MINUTES ? units[how] : "");
}

static bool read_number(const struct rcall *c, const char *name, enum how how, uint64_t *out)
{
	double v;

	if (!rcall_real(c, name, &v) || !(v >= 0 && v <= (double)LIMIT_MAX))
		return false;
	*out = (uint64_t)(how == AS_RATIO ? v * 1000 + 0.5 : v);
	return true;
}

/* NULL: it is good. */
static const char *read_plain(const struct rcall *c, struct setting *s, size_t i)
{
	const char *name = plain[i].name, *word = rcall_text(c, name);
	char text[40];
	uint64_t n;

	if (plain[i].how == AS_BOOL && json_is_boolean(rcall_arg(c, name)))
		add_option(s, plain[i].option, rcall_bool(c, name, false) ? "true" : "false");
	else if (plain[i].how == AS_WORD && word != NULL)
		add_option(s, plain[i].option, strcmp(word, "allowed") == 0 ? "tolerated" : word);
	else if (plain[i].how != AS_BOOL && plain[i].how != AS_WORD &&
		 read_number(c, name, plain[i].how, &n)) {
		write_number(text, sizeof text, plain[i].how, n);
		add_option(s, plain[i].option, text);
	} else {
		return name;
	}
	return NULL;
}

static void set_pair(struct setting *s, enum pair p, uint64_t value)
{
	char text[40];

	if (pairs[p].option == NULL) {
		s->limited[p] = true;
		s->limits[p] = value * 1000;
		return;
	}
	write_number(text, sizeof text, pairs[p].how, value);
	add_option(s, pairs[p].option, text);
}

/* A value of 0 that is switched on would be none: it is the least there is. */
static const char *read_pair(
	const struct rcall *c, const struct facts *f, struct setting *s, enum pair p)
{
	uint64_t is = pair_value(f, p), value = is;
	bool has_value = rcall_arg(c, pairs[p].value) != NULL;
	bool was_on = pair_is_on(f, p), on = rcall_bool(c, pairs[p].on, was_on);

	if (has_value && !read_number(c, pairs[p].value, pairs[p].how, &value))
		return pairs[p].value;
	s->kept[p] = MAX(value, UINT64_C(1));
	if (on && (!was_on || s->kept[p] != is))
		set_pair(s, p, s->kept[p]);
	else if (!on && was_on)
		set_pair(s, p, 0);
	return NULL;
}

/* --- what cannot be set --- */

static void read_name(const char *key, char *out, size_t size)
{
	size_t n = 0;

	for (; *key != '\0' && n + 2 < size; key++) {
		if (*key >= 'A' && *key <= 'Z')
			out[n++] = '_';
		out[n++] = *key == '-'                  ? '_'
			   : *key >= 'A' && *key <= 'Z' ? (char)(*key - 'A' + 'a')
							: *key;
	}
	out[n] = '\0';
}

static bool is_settable(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (strcmp(plain[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (strcmp(pairs[i].value, name) == 0 || strcmp(pairs[i].on, name) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		if (strcmp(told[i], name) == 0)
			return true;
	return false;
}

/* All preferences by their names of the JSON-RPC dialect; the caller's. */
static json_t *preferences_now(const struct facts *f)
{
	struct facts snake = *f;
	struct json_out o = {0};
	json_t *root;

	snake.snake = true;
	json_out_open(&o, '{');
	preferences_put(&o, &snake, NULL);
	json_out_close(&o, '}');
	root = json_loadb(o.p, o.n, 0, NULL);
	json_out_fini(&o);
	return root;
}

static bool says_the_same(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) == json_number_value(b);
	return json_equal(a, b) != 0;
}

/* The first name that is known, cannot be set and would be another; names that are not known mean
 * nothing. */
static bool find_fixed(const struct rcall *c, const json_t *now, char *name, size_t size)
{
	void *at = json_object_iter((json_t *)(uintptr_t)c->args);
	bool found = false;

	for (; at != NULL && !found; at = json_object_iter_next((json_t *)(uintptr_t)c->args, at)) {
		const json_t *is;

		read_name(json_object_iter_key(at), name, size);
		is = json_object_get(now, name);
		found = is != NULL && !is_settable(name) &&
			!says_the_same(is, json_object_iter_value(at));
	}
	return found;
}

/* --- setting --- */

static void end_one(struct rcall *c, struct setting *s, enum err err, const struct words *why)
{
	if (err != E_OK && s->failed == E_OK) {
		s->failed = err;
		if (why != NULL)
			s->why = *why;
	}
	if (--s->waiting > 0)
		return;
	shared_changed(s->actor);
	if (s->failed == E_OK)
		memcpy(rcall_rpc(c)->kept, s->kept, sizeof s->kept);
	rcall_end_err(c, s->failed, s->why.text);
}

static struct setting *setting_of(const struct rcall *c)
{
	struct setting *s;

	CAST_OBJ(s, c->work, SETTING_MAGIC);
	return s;
}

static void on_limit(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	(void)a;
	end_one(ctx, setting_of(ctx), err, m != NULL ? &MSG_AS(TORRENT_SET, *m)->why : NULL);
}

static void send_limits(struct rcall *c, struct setting *s)
{
	s->waiting = 1; /* until all are sent */
	for (unsigned i = 0; i < 2; i++) {
		struct m_torrent_set *m;

		if (!s->limited[i])
			continue;
		m = msg_new(s->actor, MSG_TORRENT_SET);
		m->op = i == 0 ? GLOBAL_DOWN_RATE : GLOBAL_UP_RATE;
		m->value = s->limits[i];
		s->waiting++;
		msg_call(s->actor, ADDR_SESSION, m, on_limit, c);
	}
	end_one(c, s, E_OK, NULL);
}

static void on_options(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct rcall *c = ctx;
	struct setting *s = setting_of(c);

	(void)a;
	if (err == E_OK) {
		send_limits(c, s);
		return;
	}
	s->waiting = 1;
	end_one(c, s, err, m != NULL ? &MSG_AS(OPTIONS_SET, *m)->why : NULL);
}

static struct setting *setting_new(struct rcall *c)
{
	struct setting *s;

	ALLOC_OBJ(s, SETTING_MAGIC);
	s->actor = rcall_rpc(c)->actor;
	s->options = msg_new(s->actor, MSG_OPTIONS_SET);
	must(c->work == NULL);
	c->work = s;
	c->work_free = free_setting;
	return s;
}

/* The name of what is wrong; NULL: nothing. */
static const char *read_all(
	const struct rcall *c, const struct facts *f, const json_t *now, struct setting *s)
{
	const char *bad = NULL;

	for (size_t i = 0; i < ARRAY_LEN(plain) && bad == NULL; i++) {
		const json_t *v = rcall_arg(c, plain[i].name);

		if (v != NULL && !says_the_same(json_object_get(now, plain[i].name), v))
			bad = read_plain(c, s, i);
	}
	for (unsigned p = 0; p < PAIRS && bad == NULL; p++)
		bad = read_pair(c, f, s, (enum pair)p);
	return bad;
}

static void set_all(struct rcall *c, const struct facts *f)
{
	struct setting *s = setting_new(c);
	json_t *now = preferences_now(f);
	const char *bad = read_all(c, f, now, s);
	char fixed[64];
	bool is_fixed = bad == NULL && find_fixed(c, now, fixed, sizeof fixed);

	json_decref(now);
	if (bad != NULL)
		rcall_end(c, RPC_PARAMS, "%s has a value of another kind", bad);
	else if (is_fixed)
		rcall_end(c, RPC_PARAMS,
			"%s cannot be changed here: the daemon has no such setting, or only its "
			"configuration file has",
			fixed);
	else if (s->options->wishes_n > 0)
		msg_call(s->actor, ADDR_MAIN, s->options, on_options, c);
	else
		send_limits(c, s);
}

void preferences_set(struct rcall *c)
{
	summary_ask(c, set_all);
}

unsigned preferences_need(const struct rcall *c)
{
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (rcall_arg(c, plain[i].name) != NULL)
			return SCOPE_ADMIN;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (pairs[i].option != NULL &&
			(rcall_arg(c, pairs[i].value) != NULL || rcall_arg(c, pairs[i].on) != NULL))
			return SCOPE_ADMIN;
	return SCOPE_NONE;
}
