/* SPDX-License-Identifier: MIT */
/*
 * Where addresses of peers come from, and what each source may do for a torrent.
 *
 * Whoever finds peers, or would tell others about a torrent, asks source_allowed(): before it
 * looks, and before it takes what was found.  Nothing else in the program decides it.
 */
#ifndef PROTO_PEERLIST_SOURCE_H
#define PROTO_PEERLIST_SOURCE_H

#include <stdbool.h>

/* The better the source, the lower; a full list gives up the worse ones first. */
enum peer_source {
	PEER_MANUAL, /* named by a person, or by the magnet link (BEP 9, "x.pe") */
	PEER_LSD,
	PEER_TRACKER,
	PEER_INCOMING,
	PEER_DHT,
	PEER_PEX,
	PEER_SOURCES,
};

/* What is known of a torrent when the question is asked. */
struct source_rules {
	bool is_private; /* BEP 27; false while only the magnet link is known */
	bool discreet;   /* a person's wish, for magnets that may be private: trackers and x.pe */
	bool dht, pex, lsd; /* switched on in the configuration */
};

/*
 * Whether the source may be used for the torrent: whether it is asked, told of the torrent's
 * existence, and believed.  A private torrent has peers from its trackers, from people, and those
 * that dial it, since a tracker has told them (BEP 27).  Pure; any thread.
 */
bool source_allowed(enum peer_source source, const struct source_rules *rules);

#endif
