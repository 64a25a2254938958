/* SPDX-License-Identifier: MIT */
/*
 * What was found for torrents that the shard has not heard of yet.
 *
 * The session tells the shard of a torrent before it tells the tracker, but the order of messages
 * holds between two actors alone: a shard that could not run for a moment may read the tracker's
 * answer first.  A tracker gives no second one for half an hour, so it is kept until the torrent
 * comes, which is in the mailbox already.
 *
 * There are EARLY_MAX at most, and the oldest gives way: what is found for a torrent that was
 * removed meanwhile would otherwise stay.
 */
#include "actors/peers/priv.h"

void early_keep(struct shard *s, struct msg **m)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	struct early *e = &s->early;

	if (!tref_table_awaits(&s->torrents, MSG_AS(PEERS_FOUND, *m)->t))
		return;
	msg_free(s->actor, &e->kept[e->next]);
	e->kept[e->next] = *m;
	e->next = (e->next + 1) % EARLY_MAX;
	*m = NULL;
}

struct msg *early_take(struct shard *s, struct tref ref)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	for (unsigned i = 0; i < EARLY_MAX; i++) {
		struct msg **kept = &s->early.kept[(s->early.next + i) % EARLY_MAX], *m = *kept;

		if (m == NULL || !tref_equal(MSG_AS(PEERS_FOUND, m)->t, ref))
			continue;
		*kept = NULL;
		return m;
	}
	return NULL;
}

void early_fini(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	for (unsigned i = 0; i < EARLY_MAX; i++)
		msg_free(s->actor, &s->early.kept[i]);
}
