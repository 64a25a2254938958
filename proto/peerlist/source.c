/* SPDX-License-Identifier: MIT */
/* What each source of peers may do for a torrent (BEP 27). */
#include "proto/peerlist/source.h"

#include "proto/base/base.h"

/* Sources that speak of the torrent to strangers. */
static bool is_switched_on(enum peer_source source, const struct source_rules *r)
{
	return source == PEER_DHT ? r->dht : source == PEER_PEX ? r->pex : r->lsd;
}

bool source_allowed(enum peer_source source, const struct source_rules *r)
{
	must((unsigned)source < PEER_SOURCES);
	switch (source) {
	case PEER_MANUAL:
	case PEER_TRACKER:
	case PEER_INCOMING:
		return true;
	default:
		return !r->is_private && !r->discreet && is_switched_on(source, r);
	}
}
