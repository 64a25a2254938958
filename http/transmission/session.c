/* SPDX-License-Identifier: MIT */
/* session-get: the configuration and the limits of now, as the preferences of Transmission. */
#include <stdio.h>

#include "http/transmission/priv.h"
#include "proto/base/time.h"

/* What is no option. */
struct facts {
	bool snake;
	const char *session_id;
	uint64_t limits[2]; /* kB/s, down and up; those that would hold if they are switched off */
	bool limited[2];
	int64_t space; /* bytes free in download.dir; -1: not known */
};

/* --- single values --- */

static const char *encryption_of(const struct config *k)
{
	static const char *const words[] = {[CONFIG_ENCRYPTION_OFF] = "tolerated",
		[CONFIG_ENCRYPTION_TOLERATED] = "tolerated",
		[CONFIG_ENCRYPTION_PREFERRED] = "preferred",
		[CONFIG_ENCRYPTION_REQUIRED] = "required"};

	return words[k->peers_encryption];
}

static void put_words(struct json_out *o, const char *const words[4])
{
	json_out_open(o, '[');
	for (unsigned i = 0; i < 4; i++)
		json_out_text(o, words[i]);
	json_out_close(o, ']');
}

static void put_units(struct json_out *o, bool snake)
{
	static const char *const speed[] = {"kB/s", "MB/s", "GB/s", "TB/s"};
	static const char *const size[] = {"kB", "MB", "GB", "TB"};
	static const char *const memory[] = {"KiB", "MiB", "GiB", "TiB"};

	json_out_open(o, '{');
	rcall_key(o, snake, "memory-bytes", "memory_bytes");
	json_out_int(o, 1024);
	rcall_key(o, snake, "memory-units", "memory_units");
	put_words(o, memory);
	rcall_key(o, snake, "size-bytes", "size_bytes");
	json_out_int(o, 1000);
	rcall_key(o, snake, "size-units", "size_units");
	put_words(o, size);
	rcall_key(o, snake, "speed-bytes", "speed_bytes");
	json_out_int(o, 1000);
	rcall_key(o, snake, "speed-units", "speed_units");
	put_words(o, speed);
	json_out_close(o, '}');
}

/* Programs read the first number, and what it can be asked for from it. */
static void put_version(struct json_out *o)
{
	char text[100];

	snprintf(text, sizeof text, "4.0.6 (torrentd %s)", config_version());
	json_out_text(o, text);
}

/* --- the table --- */

#define GLUE_(a, b) a##b
#define GLUE(a, b)  GLUE_(a, b)
#define PREF(legacy, snake, code)                                                                  \
	static void GLUE(put_line_, __LINE__)(                                                     \
		struct json_out * o, const struct config *k, const struct facts *f)                \
	{                                                                                          \
		(void)k;                                                                           \
		(void)f;                                                                           \
		code;                                                                              \
	}
#include "http/transmission/session.def"
#undef PREF

static const struct pref {
	const char *names[2]; /* by whether the dialect is JSON-RPC */
	void (*put)(struct json_out *, const struct config *, const struct facts *);
} prefs[] = {
#define PREF(legacy, snake, code) {{legacy, snake}, GLUE(put_line_, __LINE__)},
#include "http/transmission/session.def"
#undef PREF
};

/* No fields: all. */
static bool is_asked(const json_t *fields, const struct pref *p)
{
	const json_t *name;
	size_t i;

	if (json_array_size(fields) == 0)
		return true;
	json_array_foreach(fields, i, name)
	{
		const char *text = json_string_value(name);

		if (text != NULL &&
			(strcmp(text, p->names[0]) == 0 || strcmp(text, p->names[1]) == 0))
			return true;
	}
	return false;
}

/* --- the method --- */

static struct facts facts_of(const struct rcall *c, const struct m_torrent_view *v)
{
	struct rpc *rpc = rcall_rpc(c);
	const uint64_t now[2] = {v->down_limit, v->up_limit};
	struct facts f = {.snake = c->snake, .session_id = rpc->session_id, .space = -1};

	for (unsigned i = 0; i < 2; i++) {
		f.limited[i] = now[i] != 0;
		f.limits[i] = now[i] != 0 ? MAX(now[i] / 1000, UINT64_C(1)) : rpc->kept_limits[i];
	}
	return f;
}

static void on_limits(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct rcall *c = ctx;
	const json_t *fields = rcall_arg(c, "fields");
	struct facts f;

	(void)a;
	if (err != E_OK || m == NULL) {
		rcall_end_err(c, err != E_OK ? err : E_TIMEOUT, NULL);
		return;
	}
	f = facts_of(c, MSG_AS(TORRENT_VIEW, *m));
	for (size_t i = 0; i < ARRAY_LEN(prefs); i++) {
		if (!is_asked(fields, &prefs[i]))
			continue;
		rcall_key(&c->out, c->snake, prefs[i].names[0], prefs[i].names[1]);
		prefs[i].put(&c->out, rcall_config(c), &f);
	}
	rcall_done(c);
}

void preferences_get(struct rcall *c)
{
	struct actor *a = rcall_rpc(c)->actor;
	struct m_torrent_view *m = msg_new(a, MSG_TORRENT_VIEW);

	m->all = true;
	msg_call(a, ADDR_SESSION, m, on_limits, c);
}
