/* SPDX-License-Identifier: MIT */
/* The payloads about how others reach us: ports, and the device that leads to them. */
#ifndef ACTORS_MSG_REACH_H
#define ACTORS_MSG_REACH_H

#include "actors/kernel/message.h"
#include "actors/msg/record.h"
#include "actors/msg/view.h"

struct m_network {
	struct msg h;
	/* reply */
	struct network_view view;
};

/* At which ports the world reaches us, to be told to trackers and peers: where we listen, or what a
 * gateway has in its place.  Sent when it changes. */
struct m_port_mapped {
	struct msg h;
	uint16_t tcp, udp;
	struct endpoint address; /* the external one, as the gateway says; unspecified: not known */
};

/* Whether there is the device that peers are talked to by. */
struct m_peers_network {
	struct msg h;
	bool there;
};

/* The port has changed: shard 0, and the DHT, each with its own of them, listen at these from now
 * on and no more at the old ones.  The local network is told the port, and has no sockets of it. */
struct m_peers_listen {
	struct msg h;
	struct peer_sockets sockets; /* owned */
};

#endif
