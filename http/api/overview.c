/* SPDX-License-Identifier: MIT */
/* One torrent at a glance: what the list shows of it, and what only who opens it wants to know. */
#include "http/api/aspect.h"
#include "http/api/list_render.h"
#include "http/api/render.h"

static void put_limits(struct json_out *o, const struct torrent_view *t)
{
	json_out_open(o, '{');
	json_out_put(o, "down", uint, t->down_limit);
	json_out_put(o, "up", uint, t->up_limit);
	json_out_close(o, '}');
}

/* What is in force, null: nothing; and whose wish that is. */
static void put_limit(struct json_out *o, int64_t own, int64_t now, bool thousandths)
{
	json_out_open(o, '{');
	json_out_key(o, "value");
	if (now <= 0)
		json_out_null(o);
	else if (thousandths)
		json_out_real(o, (double)now / 1000);
	else
		json_out_int(o, now);
	json_out_put(o, "origin", text, own == SEED_GLOBAL ? "configured" : "torrent");
	json_out_close(o, '}');
}

static void put_seed_limits(struct json_out *o, const struct torrent_view *t)
{
	json_out_open(o, '{');
	json_out_key(o, "ratio");
	put_limit(o, t->seed.ratio, t->seed_now.ratio, true);
	json_out_key(o, "time");
	put_limit(o, t->seed.time, t->seed_now.time, false);
	json_out_key(o, "idle");
	put_limit(o, t->seed.idle, t->seed_now.idle, false);
	json_out_close(o, '}');
}

/* Those that are connected, by who named them. */
static void put_kinds(struct json_out *o, const struct torrent_view *t)
{
	uint32_t n[PEER_SOURCES] = {0}, web = 0;

	for (uint32_t i = 0; i < t->peers_n; i++) {
		if (t->peers[i].web)
			web++;
		else if (t->peers[i].connected)
			n[t->peers[i].source]++;
	}
	json_out_open(o, '{');
	for (unsigned i = 0; i < PEER_SOURCES; i++) {
		json_out_key_n(o, render_sources[i], strlen(render_sources[i]));
		json_out_uint(o, n[i]);
	}
	json_out_put(o, "webseed", uint, web);
	json_out_close(o, '}');
}

static const struct {
	const char *key;
	size_t key_n;
} keys[] = {
#define FIELD(name, code) {#name, sizeof #name - 1},
#include "http/api/overview_fields.def"
#undef FIELD
};

#define FIELD(name, code)                                                                          \
	static void field_##name(struct json_out *o, const struct torrent_view *t)                 \
	{                                                                                          \
		code;                                                                              \
	}
#include "http/api/overview_fields.def"
#undef FIELD

static void (*const writers[])(struct json_out *, const struct torrent_view *) = {
#define FIELD(name, code) field_##name,
#include "http/api/overview_fields.def"
#undef FIELD
};

void aspect_overview(
	struct json_out *o, const struct torrent_view *t, const struct aspect_wish *wish)
{
	(void)wish;
	list_put_row(o, t->row);
	for (unsigned i = 0; i < ARRAY_LEN(writers); i++) {
		json_out_key_n(o, keys[i].key, keys[i].key_n);
		writers[i](o, t);
	}
}
