/* SPDX-License-Identifier: MIT */
/*
 * The interfaces of this machine that lead into a local network, and a socket for each (BEP 14).
 *
 * An interface counts when it is up, has multicast, is neither the loopback nor a tunnel to one
 * other end, and has a private address: whoever is beyond a public address is no neighbour.  Each
 * address has a socket of its own, which hears and speaks on that interface alone, so that the
 * address an answer has to come from is known.  Any thread; one owner a socket.
 */
#ifndef ACTORS_LSD_IFACE_H
#define ACTORS_LSD_IFACE_H

#include "proto/base/endpoint.h"

struct iface {
	unsigned index;     /* the system's */
	struct endpoint at; /* its address there; port 0 */
	unsigned prefix;    /* bits of ->at.ip that its neighbours have, too; IPv4: 96 more */
};

/* Those that count, at most max; device: of the one of that name alone, "": of all.  Of IPv6
 * addresses one for each network, and none of a link. */
unsigned iface_list(const char *device, struct iface *out, unsigned max);
bool iface_equal(const struct iface *a, const struct iface *b);
/* Whether that is the address of a neighbour. */
bool iface_is_near(const struct iface *i, const struct endpoint *e);

/* A socket that has joined the group on the interface, for net_udp_send() and net_udp_recv(); -1:
 * it cannot be had. */
int iface_open(const struct iface *i, const struct endpoint *group);

#endif
