/* SPDX-License-Identifier: MIT */
/* What messages that carry names own. */
#include "actors/msg/names.h"

void names_free(struct name_record *list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		xfree(list[i].name);
		xfree(list[i].path);
	}
	xfree(list);
}

void m_state_names_fini(struct m_state_names *m)
{
	names_free(m->list, m->n);
}
