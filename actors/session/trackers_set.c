/* SPDX-License-Identifier: MIT */
/* The command that gives a torrent other trackers. */
#include "actors/session/tracker_list.h"

#include <stdio.h>

/* What comes of them is made once, and kept with the command. */
enum err trackers_check(const struct torrent *t, struct m_torrent_set *c)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (t->found_kept) {
		snprintf(c->why.text, sizeof c->why.text,
			"the trackers cannot be changed while another torrent has the place of its "
			"files");
		return E_EXISTS;
	}
	if (c->edited != NULL)
		metainfo_unref(&c->edited);
	return trackers_changed(t->meta, c->trackers, c->trackers_n, &c->edited, &c->why);
}

int64_t trackers_ask(const struct torrent *t, const struct m_torrent_set *c)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	return !trackers_same(t->meta, c->edited);
}

void trackers_put(const struct torrent *t, const struct m_torrent_set *c, struct m_state_set *set)
{
	(void)t;
	set->meta = metainfo_ref(c->edited);
}

void trackers_set(struct torrent *t, const struct m_torrent_set *c, int64_t value)
{
	struct metainfo *found = NULL;

	CHECK_OBJ(t, TORRENT_MAGIC);
	if (value == 0)
		return;
	/* It came while the database was asked. */
	if (t->found != NULL && metainfo_retrack(t->found, c->edited->tiers, c->edited->tiers_n,
					&found, NULL) == E_OK) {
		metainfo_unref(&t->found);
		t->found = found;
	}
	torrent_take_meta(t, c->edited);
}
