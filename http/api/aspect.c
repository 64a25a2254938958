/* SPDX-License-Identifier: MIT */
/* The sides of a torrent: a table, and a place in the list that is kept between two slices. */
#include "http/api/aspect.h"

#define ASPECT_MAGIC 0x41535043u

const char *const aspect_words[] = {[ASPECT_OVERVIEW] = "overview",
	[ASPECT_FILES] = "files",
	[ASPECT_PEERS] = "peers",
	[ASPECT_TRACKERS] = "trackers",
	[ASPECT_PIECES] = "pieces",
	[ASPECTS] = NULL};

static uint32_t count_files(const struct torrent_view *t)
{
	return t->meta->files_n;
}

static uint32_t count_peers(const struct torrent_view *t)
{
	return t->peers_n;
}

static uint32_t count_pieces(const struct torrent_view *t)
{
	return t->bits;
}

static const struct side {
	unsigned parts;
	aspect_head_f *head; /* NULL: none */
	const char *list;    /* its key; NULL: there is none */
	uint32_t (*count)(const struct torrent_view *);
	aspect_item_f *item;
} sides[ASPECTS] = {
	[ASPECT_OVERVIEW] = {VIEW_ROW | VIEW_PEERS | VIEW_TRACKERS, aspect_overview, NULL, NULL,
		NULL},
	[ASPECT_FILES] = {VIEW_FILES, NULL, "files", count_files, aspect_file},
	[ASPECT_PEERS] = {VIEW_PEERS, NULL, "peers", count_peers, aspect_peer},
	[ASPECT_TRACKERS] = {VIEW_TRACKERS | VIEW_WEB_SEEDS | VIEW_PEERS, NULL, "trackers",
		aspect_trackers_n, aspect_tracker},
	[ASPECT_PIECES] = {VIEW_PIECES, aspect_pieces, "runs", count_pieces, aspect_piece_run},
};

unsigned aspect_parts(enum aspect of)
{
	must(of < ASPECTS);
	return sides[of].parts;
}

void aspect_init(
	struct aspect_render *r, const struct torrent_view *view, const struct aspect_wish *wish)
{
	must(wish->of < ASPECTS);
	*r = (struct aspect_render){.magic = ASPECT_MAGIC, .view = view, .wish = *wish};
}

static bool has_list(const struct aspect_render *r)
{
	return sides[r->wish.of].list != NULL && (r->wish.of != ASPECT_PIECES || r->wish.full);
}

static void put_begin(struct aspect_render *r, struct json_out *o)
{
	const struct side *s = &sides[r->wish.of];

	r->begun = true;
	json_out_open(o, '{');
	if (s->head != NULL)
		s->head(o, r->view, &r->wish);
	if (!has_list(r))
		return;
	json_out_key_n(o, s->list, strlen(s->list));
	json_out_open(o, '[');
}

bool aspect_some(struct aspect_render *r, struct json_out *o, size_t bytes)
{
	size_t end = o->n + bytes;

	CHECK_OBJ(r, ASPECT_MAGIC);
	if (!r->begun)
		put_begin(r, o);
	if (has_list(r)) {
		uint32_t n = sides[r->wish.of].count(r->view);

		while (r->i < n && o->n < end)
			sides[r->wish.of].item(o, r->view, &r->wish, &r->i);
		if (r->i < n)
			return false;
		json_out_close(o, ']');
	}
	json_out_close(o, '}');
	return true;
}
