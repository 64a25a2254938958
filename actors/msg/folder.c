/* SPDX-License-Identifier: MIT */
/* What the message that asks for directories owns. */
#include "actors/msg/folder.h"

void m_folders_fini(struct m_folders *m)
{
	for (uint32_t i = 0; m->folders != NULL && i < m->folders_n; i++)
		xfree(m->folders[i].name);
	xfree(m->folders);
	xfree(m->path);
}
