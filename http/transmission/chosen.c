/* SPDX-License-Identifier: MIT */
/*
 * Which torrents `ids` means: none given is all, else a number, an info-hash, a list of both, or
 * those recently active.
 *
 * Numbers are known of torrents that were seen; while one is asked for that was not, the session's
 * list is looked at, for a client may know it from an answer of long ago.  What is still unknown
 * then is left out, as Transmission does.
 */
#include <stdlib.h>
#include <strings.h>

#include "actors/kernel/clock.h"
#include "http/transmission/ids.h"
#include "http/transmission/priv.h"
#include "proto/base/encode.h"

void chosen_read(const struct rcall *c, struct chosen *out)
{
	const json_t *ids = rcall_arg(c, "ids");
	const char *word = json_string_value(ids);

	*out = (struct chosen){.ids = ids};
	if (word != NULL &&
		(strcmp(word, "recently-active") == 0 || strcmp(word, "recently_active") == 0))
		out->recent = true;
	else if (ids == NULL)
		out->all = true;
}

static uint32_t count_of(const struct chosen *ch)
{
	return json_is_array(ch->ids) ? (uint32_t)json_array_size(ch->ids) : 1;
}

static const json_t *item_of(const struct chosen *ch, uint32_t i)
{
	return json_is_array(ch->ids) ? json_array_get(ch->ids, i) : ch->ids;
}

/* false: it is no hash, or a number that is not known. */
static bool hash_of(const struct rpc *rpc, const json_t *item, uint8_t out[20])
{
	const struct tid *one;

	if (json_is_string(item))
		return hex_decode(json_string_value(item), json_string_length(item), out, 20);
	if (!json_is_integer(item))
		return false;
	one = tids_at(rpc->ids, json_integer_value(item));
	if (one != NULL)
		memcpy(out, one->infohash, 20);
	return one != NULL;
}

bool chosen_hashes(const struct chosen *ch, const struct rpc *rpc, uint32_t max,
	uint8_t (**out)[20], uint32_t *n)
{
	uint32_t items = count_of(ch);

	CHECK_OBJ(rpc, RPC_MAGIC);
	*out = NULL;
	*n = 0;
	if (ch->all || ch->recent || items > max)
		return false;
	*out = xcalloc(MAX(items, 1u), sizeof **out);
	for (uint32_t i = 0; i < items; i++) {
		const json_t *item = item_of(ch, i);

		if (hash_of(rpc, item, (*out)[*n])) {
			++*n;
		} else if (json_is_integer(item)) {
			xfree(*out);
			*out = NULL;
			return false;
		}
	}
	return true;
}

void chosen_mark(const struct chosen *ch, struct rpc *rpc, uint64_t serial)
{
	CHECK_OBJ(rpc, RPC_MAGIC);
	for (uint32_t i = 0; !ch->all && !ch->recent && i < count_of(ch); i++) {
		uint8_t hash[20];
		struct tid *one = NULL;

		if (hash_of(rpc, item_of(ch, i), hash))
			one = tids_find(rpc->ids, hash);
		if (one != NULL)
			one->mark = serial;
	}
}

/* --- by the session's list --- */

static int compare_places(const void *a, const void *b)
{
	const struct torrent_view *const *x = a, *const *y = b;

	return ((*x)->place > (*y)->place) - ((*x)->place < (*y)->place);
}

/* Those of the list that are meant; owned by the caller. */
static const struct torrent_view **select_views(
	struct rcall *c, const struct m_torrent_view *v, uint32_t *n)
{
	struct rpc *rpc = rcall_rpc(c);
	const struct torrent_view **list =
		xcalloc(MAX(v->torrents_n, 1u), sizeof(struct torrent_view *));
	int64_t now = clock_wall_s();
	struct chosen ch;

	*n = 0;
	chosen_read(c, &ch);
	tids_sync(rpc->ids, v->torrents, v->torrents_n, true, now);
	chosen_mark(&ch, rpc, ++rpc->serial);
	for (uint32_t i = 0; i < v->torrents_n; i++) {
		const struct tid *one = tids_of(rpc->ids, v->torrents[i].infohash);

		if (ch.all || (ch.recent && now - one->changed <= TIDS_RECENT) ||
			one->mark == rpc->serial)
			list[(*n)++] = &v->torrents[i];
	}
	return list;
}

static void on_list(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct rcall *c = ctx;
	const struct torrent_view **list;
	uint8_t(*hashes)[20];
	uint32_t n;

	(void)a;
	if (err != E_OK || m == NULL) {
		rcall_end_err(c, err != E_OK ? err : E_TIMEOUT, NULL);
		return;
	}
	list = select_views(c, MSG_AS(TORRENT_VIEW, *m), &n);
	if (c->in_order)
		qsort(list, n, sizeof *list, compare_places);
	hashes = xcalloc(MAX(n, 1u), sizeof *hashes);
	for (uint32_t i = 0; i < n; i++)
		memcpy(hashes[i], list[i]->infohash, 20);
	xfree(list);
	c->found(c, hashes, n);
}

void chosen_find(struct rcall *c, bool order, chosen_f *fn)
{
	struct rpc *rpc = rcall_rpc(c);
	struct m_torrent_view *m;
	struct chosen ch;
	uint8_t(*hashes)[20];
	uint32_t n;

	chosen_read(c, &ch);
	if ((!order || count_of(&ch) == 1) && chosen_hashes(&ch, rpc, UINT32_MAX, &hashes, &n)) {
		fn(c, hashes, n);
		return;
	}
	c->found = fn;
	c->in_order = order;
	m = msg_new(rpc->actor, MSG_TORRENT_VIEW);
	m->all = true;
	msg_call(rpc->actor, ADDR_SESSION, m, on_list, c);
}
