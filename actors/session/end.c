/* SPDX-License-Identifier: MIT */
/* The end of a torrent: out of every list, and freed. */
#include "actors/session/priv.h"

void torrent_end(struct torrent **pt)
{
	struct torrent *t = *pt;

	CHECK_OBJ(t, TORRENT_MAGIC);
	if (t->phase == TPHASE_OPENING)
		t->session->opening--;
	link_remove(&t->line);
	link_remove(&t->to_sweep);
	queue_drop(t);
	torrent_leave_order(t);
	target_unlink(t);
	torrent_free(pt);
}
