/* SPDX-License-Identifier: MIT */
/* What endpoint_is_global() leaves, less the port numbers that are abused. */
#include "proto/dht/filter.h"

bool kad_filter_allows(const struct endpoint *e, bool local)
{
	if (e->port <= 1 || endpoint_is_multicast(e) || endpoint_is_unspecified(e))
		return false;
	return local || (endpoint_is_global(e) && (endpoint_is_v4(e) || e->ip[0] >> 5 == 1));
}

bool kad_filter_same_net(const struct endpoint *a, const struct endpoint *b)
{
	return memcmp(a->ip, b->ip, endpoint_is_v4(a) ? 15 : 8) == 0;
}
