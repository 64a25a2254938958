/* SPDX-License-Identifier: MIT */
/* What messages of the store own. */
#include "actors/msg/store.h"

void m_store_pieces_fini(struct m_store_pieces *m)
{
	xfree(m->pieces);
}
