/* SPDX-License-Identifier: MIT */
/* What the message that reads content owns. */
#include "actors/msg/content.h"

void m_content_fini(struct m_content *m)
{
	xfree(m->data);
}
