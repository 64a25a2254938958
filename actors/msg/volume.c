/* SPDX-License-Identifier: MIT */
/* What the message that asks for room owns. */
#include "actors/msg/volume.h"

void m_volumes_fini(struct m_volumes *m)
{
	for (uint32_t i = 0; m->volumes != NULL && i < m->volumes_n; i++)
		xfree(m->volumes[i].path);
	xfree(m->volumes);
	xfree(m->path);
}
