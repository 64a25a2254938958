/* SPDX-License-Identifier: MIT */
/*
 * Which torrents `ids` means: none given is all, else a number, an info-hash, a list of both, or
 * those recently active.
 *
 * Numbers are known of torrents that were seen; while one is asked for that was not, the session's
 * list is looked at, for a client may know it from an answer of long ago.  What is still unknown
 * then is left out, as Transmission does.
 */
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
