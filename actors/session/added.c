/* SPDX-License-Identifier: MIT */
/* How a torrent that is added begins, and what who adds it is told. */
#include "actors/session/adding.h"

void torrent_tell_added(struct torrent *t, struct m_torrent_add *add, enum add_outcome outcome)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	add->outcome = outcome;
	add->epoch = t->session->revisions.epoch;
	add->rev = torrent_settle_row(t);
}

unsigned torrent_run_of(const struct m_torrent_add *add)
{
	return (add->start ? RUN_STARTED : 0u) | (add->until_files ? RUN_UNTIL_FILES : 0u);
}
