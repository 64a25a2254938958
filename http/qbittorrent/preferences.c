/* SPDX-License-Identifier: MIT */
/*
 * app/setPreferences: preferences that are options or limits are changed, all that a call names or
 * none.
 *
 * Others may be named with the value that they have: programs send what they were told.  Any other
 * value is refused, so that nobody believes in what is not there.  Names that are not known mean
 * nothing, as to qBittorrent.
 */
#include "http/qbittorrent/preferences.h"

#include <jansson.h>
#include <stdio.h>

#include "proto/base/array.h"

#define SETTING_MAGIC 0x53455451u
#define LIMIT_MAX     1e12 /* of any number here */

enum how { AS_BOOL, AS_NUMBER, AS_COUNT, AS_TEXT, AS_CRYPT };

static const struct {
	const char *name, *option;
	enum how how; /* AS_COUNT: below 1 is none */
} plain[] = {
	{"dht", "dht.enabled", AS_BOOL},
	{"encryption", "peers.encryption", AS_CRYPT},
	{"ip_filter_enabled", "blocklist.enabled", AS_BOOL},
	{"limit_lan_peers", "lan.limited", AS_BOOL},
	{"listen_port", "peers.port", AS_NUMBER},
	{"lsd", "peers.lsd", AS_BOOL},
	{"max_active_downloads", "queue.downloads", AS_COUNT},
	{"max_active_uploads", "queue.seeds", AS_COUNT},
	{"max_connec", "peers.max", AS_NUMBER},
	{"max_connec_per_torrent", "peers.max_per_torrent", AS_NUMBER},
	{"max_uploads_per_torrent", "peers.upload_slots", AS_NUMBER},
	{"pex", "peers.pex", AS_BOOL},
	{"save_path", "download.dir", AS_TEXT},
	{"upnp", "portmap.enabled", AS_BOOL},
};

/* With a switch; off is 0. */
static const struct {
	const char *on, *value, *option;
	bool minutes; /* else thousandths */
} pairs[] = {
	{"max_ratio_enabled", "max_ratio", "seed.ratio", false},
	{"max_seeding_time_enabled", "max_seeding_time", "seed.time", true},
	{"max_inactive_seeding_time_enabled", "max_inactive_seeding_time", "seed.idle", true},
};

static const struct {
	const char *name;
	enum torrent_op op;
} limits[] = {{"dl_limit", GLOBAL_DOWN_RATE}, {"up_limit", GLOBAL_UP_RATE}};

struct setting {
	uint32_t magic;
	json_t *wish;                  /* owned: what is to be */
	json_t *now;                   /* owned: what is */
	struct m_options_set *options; /* owned; NULL: sent */
	uint32_t room;
	struct actor *actor; /* borrowed */
	const char *bad;     /* the name of what has a value of another kind */
};

static void free_setting(void *ctx)
{
	struct setting *s;
	struct msg *m;

	CAST_OBJ(s, ctx, SETTING_MAGIC);
	m = s->options != NULL ? &s->options->h : NULL;
	msg_free(s->actor, &m);
	json_decref(s->wish);
	json_decref(s->now);
	FREE_OBJ(s);
}

static struct setting *setting_of(const struct qcall *c)
{
	struct setting *s;

	CAST_OBJ(s, c->work, SETTING_MAGIC);
	return s;
}

static bool says_the_same(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) == json_number_value(b);
	return json_equal(a, b) != 0;
}

/* What is to become another; NULL: it stays. */
static const json_t *changed(const struct setting *s, const char *name)
{
	const json_t *v = json_object_get(s->wish, name);

	return v != NULL && !says_the_same(v, json_object_get(s->now, name)) ? v : NULL;
}

static bool read_number(const json_t *v, double *out)
{
	*out = json_number_value(v);
	return json_is_number(v) && *out >= -1 && *out <= LIMIT_MAX;
}

static void add_option(struct setting *s, const char *name, const char *value)
{
	struct option_wish wish = {.name = xstrdup(name), .value = xstrdup(value)};

	ARRAY_PUSH(s->options->wishes, s->options->wishes_n, s->room, wish);
}

/* As it would stand in a configuration file; false: it is of another kind. */
static bool write_plain(enum how how, const json_t *v, char *out, size_t size)
{
	static const char *const crypt[] = {"preferred", "required", "off"};
	double n;

	if (how == AS_BOOL) {
		snprintf(out, size, "%s", json_is_true(v) ? "true" : "false");
		return json_is_boolean(v);
	}
	if (how == AS_TEXT)
		return json_is_string(v) &&
		       snprintf(out, size, "%s", json_string_value(v)) < (int)size;
	if (!read_number(v, &n))
		return false;
	if (how == AS_CRYPT && (n < 0 || n > 2))
		return false;
	if (how == AS_CRYPT)
		snprintf(out, size, "%s", crypt[(int)n]);
	else
		snprintf(out, size, "%lld", (long long)(how == AS_COUNT && n < 1 ? 0 : n));
	return true;
}

static void read_plain(struct setting *s)
{
	char text[4096];

	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		const json_t *v = changed(s, plain[i].name);

		if (v == NULL)
			continue;
		if (write_plain(plain[i].how, v, text, sizeof text))
			add_option(s, plain[i].option, text);
		else
			s->bad = plain[i].name;
	}
}

/* Of what is switched on, 0 is the least there is. */
static void read_pair(struct setting *s, size_t i)
{
	const json_t *on = json_object_get(s->wish, pairs[i].on);
	const json_t *value = json_object_get(s->wish, pairs[i].value);
	char text[40] = "0";
	double n;

	if (changed(s, pairs[i].on) == NULL && changed(s, pairs[i].value) == NULL)
		return;
	if (on == NULL)
		on = json_object_get(s->now, pairs[i].on);
	if (value == NULL)
		value = json_object_get(s->now, pairs[i].value);
	if (!json_is_boolean(on) || !read_number(value, &n) || n > 1e6) {
		s->bad = pairs[i].value;
		return;
	}
	if (json_is_true(on) && pairs[i].minutes)
		snprintf(text, sizeof text, "%lldm", (long long)MAX(n, 1.0));
	else if (json_is_true(on))
		snprintf(text, sizeof text, "%.3f", MAX(n, 0.001));
	add_option(s, pairs[i].option, text);
}

/* Off: nobody waits for a turn.  On: as many as qBittorrent begins with, if no number is given. */
static void read_queueing(struct setting *s)
{
	const json_t *v = changed(s, "queueing_enabled");

	if (v == NULL)
		return;
	if (!json_is_boolean(v))
		s->bad = "queueing_enabled";
	if (json_is_false(v) || json_object_get(s->wish, "max_active_downloads") == NULL)
		add_option(s, "queue.downloads", json_is_true(v) ? "3" : "0");
	if (json_is_false(v) || json_object_get(s->wish, "max_active_uploads") == NULL)
		add_option(s, "queue.seeds", json_is_true(v) ? "3" : "0");
}

static void read_limits(struct qcall *c, struct setting *s)
{
	static const uint8_t none[20];
	double n;

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const json_t *v = changed(s, limits[i].name);

		if (v == NULL)
			continue;
		if (read_number(v, &n))
			changes_add(&c->changes, none, limits[i].op)->value = (uint64_t)MAX(n, 0.0);
		else
			s->bad = limits[i].name;
	}
}

static bool is_settable(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (strcmp(plain[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (strcmp(pairs[i].on, name) == 0 || strcmp(pairs[i].value, name) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (strcmp(limits[i].name, name) == 0)
			return true;
	return strcmp(name, "queueing_enabled") == 0;
}

/* The first name that is known, cannot be set and would be another; NULL: there is none. */
static const char *find_fixed(const struct setting *s)
{
	const char *name;
	json_t *value;

	json_object_foreach(s->wish, name, value)
	{
		if (json_object_get(s->now, name) != NULL && changed(s, name) != NULL &&
			!is_settable(name))
			return name;
	}
	return NULL;
}

/* --- setting --- */

static void on_options(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct qcall *c;

	(void)a;
	CAST_OBJ(c, ctx, QCALL_MAGIC);
	if (err == E_OK)
		qcall_change(c, false);
	else
		qcall_err(c, err, m != NULL ? MSG_AS(OPTIONS_SET, *m)->why.text : NULL);
}

static void set_all(struct qcall *c, struct setting *s)
{
	const char *fixed = find_fixed(s);

	read_plain(s);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		read_pair(s, i);
	read_queueing(s);
	read_limits(c, s);
	if (s->bad != NULL)
		qcall_fail(c, 400, "%s has a value of another kind", s->bad);
	else if (fixed != NULL)
		qcall_fail(c, 409,
			"%s cannot be changed here: the daemon has no such setting, or only its "
			"configuration file has",
			fixed);
	else if (s->options->wishes_n > 0)
		msg_call(s->actor, ADDR_MAIN, s->options, on_options, c);
	else
		qcall_change(c, false);
}

static void on_facts(struct qcall *c)
{
	struct setting *s = setting_of(c);
	struct json_out o = {0};

	qprefs_write(&o, c->config, c->facts);
	s->now = json_loadb(o.p, o.n, 0, NULL);
	json_out_fini(&o);
	set_all(c, s);
}

void qb_app_set(struct qcall *c)
{
	const char *text;
	struct setting *s;
	json_t *wish;

	CHECK_OBJ(c, QCALL_MAGIC);
	text = qcall_need(c, "json");
	if (text == NULL)
		return;
	wish = json_loads(text, 0, NULL);
	if (!json_is_object(wish)) {
		json_decref(wish);
		qcall_fail(c, 400, "'json' must be an object of preferences");
		return;
	}
	ALLOC_OBJ(s, SETTING_MAGIC);
	s->actor = c->q->actor;
	s->wish = wish;
	s->options = msg_new(s->actor, MSG_OPTIONS_SET);
	c->work = s;
	c->work_free = free_setting;
	qfacts_ask(c, on_facts);
}
