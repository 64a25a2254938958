/* SPDX-License-Identifier: MIT */
/* What each source of peers may do for a torrent: the rules, from what is known of it. */
#include "actors/msg/rules.h"

struct source_rules rules_of(
	const struct metainfo *meta, const struct wishes *w, const struct config *c)
{
	return (struct source_rules){
		.is_private = meta->is_private,
		.discreet = w->discreet != DISCREET_OFF,
		.dht = c->dht_enabled,
		.pex = c->peers_pex,
		.lsd = c->peers_lsd,
	};
}
