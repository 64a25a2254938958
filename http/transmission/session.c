/* SPDX-License-Identifier: MIT */
/* session-get: the configuration and the limits of now, as the preferences of Transmission. */
#include <stdio.h>

#include "http/transmission/facts.h"
#include "proto/base/time.h"

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
	static void GLUE(put_line_, __LINE__)(struct json_out * o, const struct facts *f)          \
	{                                                                                          \
		const struct config *k = f->k;                                                     \
                                                                                                   \
		(void)k;                                                                           \
		code;                                                                              \
	}
#include "http/transmission/session.def"
#undef PREF

static const struct pref {
	const char *names[2]; /* by whether the dialect is JSON-RPC */
	void (*put)(struct json_out *, const struct facts *);
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

/* --- the methods --- */

void preferences_put(struct json_out *o, const struct facts *f, const json_t *fields)
{
	for (size_t i = 0; i < ARRAY_LEN(prefs); i++) {
		if (!is_asked(fields, &prefs[i]))
			continue;
		rcall_key(o, f->snake, prefs[i].names[0], prefs[i].names[1]);
		prefs[i].put(o, f);
	}
}

static void put_preferences(struct rcall *c, const struct facts *f)
{
	preferences_put(&c->out, f, rcall_arg(c, "fields"));
	rcall_done(c);
}

void preferences_get(struct rcall *c)
{
	summary_ask(c, put_preferences);
}
