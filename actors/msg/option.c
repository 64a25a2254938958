/* SPDX-License-Identifier: MIT */
/* What messages that change options own. */
#include "actors/msg/option.h"

void m_options_set_fini(struct m_options_set *m)
{
	for (uint32_t i = 0; m->wishes != NULL && i < m->wishes_n; i++) {
		xfree(m->wishes[i].name);
		xfree(m->wishes[i].value);
	}
	xfree(m->wishes);
}

void m_state_options_fini(struct m_state_options *m)
{
	xfree(m->changed);
}
