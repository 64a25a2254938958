/* SPDX-License-Identifier: MIT */
/* Lists of what people are shown, and what their items own. */
#include "actors/msg/view.h"

void view_peers_free(struct peer_view **list, uint32_t n)
{
	if (*list == NULL)
		return;
	for (uint32_t i = 0; i < n; i++)
		xfree((*list)[i].bitfield);
	xfree(*list);
	*list = NULL;
}

void view_trackers_free(struct tracker_view **list, uint32_t n)
{
	if (*list == NULL)
		return;
	for (uint32_t i = 0; i < n; i++)
		xfree((*list)[i].url);
	xfree(*list);
	*list = NULL;
}

void view_web_seeds_free(struct web_seed_view **list, uint32_t n)
{
	if (*list == NULL)
		return;
	for (uint32_t i = 0; i < n; i++)
		xfree((*list)[i].url);
	xfree(*list);
	*list = NULL;
}
