/* SPDX-License-Identifier: MIT */
/* Records and their lists: copies, and what their items own. */
#include "actors/msg/record.h"

static void *copy_list(const void *list, uint32_t n, size_t size)
{
	return n > 0 ? xmemdup(list, n * size) : NULL;
}

struct partial_piece *partials_copy(const struct partial_piece *list, uint32_t n)
{
	struct partial_piece *out = copy_list(list, n, sizeof *list);

	for (uint32_t i = 0; i < n; i++)
		out[i].blocks = xmemdup(list[i].blocks, bitfield_bytes(list[i].blocks_n));
	return out;
}

struct torrent_record record_copy(const struct torrent_record *from)
{
	struct torrent_record r = *from;

	r.meta = from->meta != NULL ? metainfo_ref(from->meta) : NULL;
	r.path = from->path != NULL ? xstrdup(from->path) : NULL;
	bitfield_copy(&r.synced, &from->synced);
	r.unsynced = copy_list(from->unsynced, from->unsynced_n, sizeof *from->unsynced);
	r.stamps = copy_list(from->stamps, from->stamps_n, sizeof *from->stamps);
	r.partials = partials_copy(from->partials, from->partials_n);
	wishes_copy(&r.wishes, &from->wishes);
	r.names = from->names != NULL ? xstrdup(from->names) : NULL;
	r.to_path = from->to_path != NULL ? xstrdup(from->to_path) : NULL;
	r.to_names = from->to_names != NULL ? xstrdup(from->to_names) : NULL;
	r.link = from->link != NULL ? xstrdup(from->link) : NULL;
	r.found = from->found != NULL ? metainfo_ref(from->found) : NULL;
	r.choice = copy_list(from->choice, from->choice_n, sizeof *from->choice);
	return r;
}

void partials_free(struct partial_piece **list, uint32_t *n)
{
	for (uint32_t i = 0; *list != NULL && i < *n; i++)
		xfree((*list)[i].blocks);
	xfree(*list);
	*list = NULL;
	*n = 0;
}

void record_trackers_free(struct tracker_change **list, uint32_t *n)
{
	for (uint32_t i = 0; *list != NULL && i < *n; i++) {
		xfree((*list)[i].url);
		xfree((*list)[i].new_url);
	}
	xfree(*list);
	*list = NULL;
	*n = 0;
}
