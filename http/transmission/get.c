/* SPDX-License-Identifier: MIT */
/*
 * torrent-get: the session is asked for those torrents, and only for the parts that the fields
 * need; what comes is written by fields.c.
 */
#include "http/transmission/get.h"

#include "actors/kernel/clock.h"
#include "http/transmission/ids.h"
#include "http/transmission/look.h"
#include "proto/base/array.h"

/* What is written, and what it is written of. */
struct tail {
	struct get *get;   /* owned, as the next one */
	struct look *look; /* NULL: it has not come yet */
};

static bool write_tail(void *ctx, struct json_out *o, size_t end)
{
	struct tail *tail = ctx;

	return get_some(tail->get, o, end);
}

static void free_tail(void *ctx)
{
	struct tail *tail = ctx;

	get_free(&tail->get);
	if (tail->look != NULL)
		look_free(&tail->look);
	xfree(tail);
}

static void on_look(struct rcall *c, struct look *l)
{
	struct tids *ids = rcall_rpc(c)->ids;
	struct tail *tail = c->tail;
	struct get *g = tail->get;
	int64_t id;

	tail->look = l;
	for (uint32_t i = 0; i < l->rows_n; i++) {
		const struct tid *one = tids_find(ids, l->rows[i]->infohash);
		struct get_row row = {.t = l->rows[i],
			.id = one != NULL ? one->id : 0,
			.active = one != NULL ? one->active : 0};

		ARRAY_PUSH(g->rows, g->rows_n, g->rows_room, row);
	}
	for (uint32_t i = 0; g->recent && tids_gone(ids, l->now, i, &id); i++)
		ARRAY_PUSH(g->removed, g->removed_n, g->removed_room, id);
	rcall_done(c);
}

static struct get *get_new(const struct rcall *c)
{
	const struct config *k = rcall_config(c);
	struct get *g;

	ALLOC_OBJ(g, GET_MAGIC);
	g->scene = (struct get_scene){.snake = c->snake,
		.now = clock_wall_s(),
		.peer_limit = (uint32_t)k->peers_max_per_torrent,
		.seed_ratio = k->seed_ratio,
		.seed_idle = k->seed_idle / USEC_PER_SEC};
	return g;
}

static struct get *add_tail(struct rcall *c)
{
	struct tail *tail = xcalloc(1, sizeof *tail);

	tail->get = get_new(c);
	c->tail = tail;
	c->tail_some = write_tail;
	c->tail_free = free_tail;
	return tail->get;
}

void get_torrents(struct rcall *c)
{
	const json_t *fields = rcall_arg(c, "fields"), *name;
	const char *format = rcall_text(c, "format");
	struct chosen ch;
	struct get *g;
	size_t i;

	if (!json_is_array(fields)) {
		rcall_end(c, RPC_PARAMS, "no fields specified");
		return;
	}
	g = add_tail(c);
	g->table = format != NULL && strcmp(format, "table") == 0;
	json_array_foreach(fields, i, name)
	{
		if (json_is_string(name))
			(void)get_add_field(g, json_string_value(name));
	}
	chosen_read(c, &ch);
	g->recent = ch.recent;
	look_start(c, get_parts(g), on_look);
}
