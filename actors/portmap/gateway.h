/* SPDX-License-Identifier: MIT */
/*
 * Which router stands between this machine and the rest, by the system's routing table, and notice
 * when that may have changed.  One owner thread.
 */
#ifndef ACTORS_PORTMAP_GATEWAY_H
#define ACTORS_PORTMAP_GATEWAY_H

#include "actors/kernel/loop.h"
#include "proto/base/endpoint.h"

struct gateway {
	struct endpoint at;    /* port 0 */
	struct endpoint local; /* our address towards it; port 0 */
};

/*
 * The gateway of the IPv4 default route with the lowest metric, or the one at `chosen` (an address,
 * or empty).  device: the one it is
 * reached by, "": any.  E_NOT_FOUND: there is none; E_UNREACHABLE: no address of ours leads there;
 * *why says so for a person.
 */
enum err gateway_find(
	const char *chosen, const char *device, struct gateway *out, const char **why);
bool gateway_equal(const struct gateway *, const struct gateway *);

/* A descriptor that is readable after devices, addresses or routes have changed; -1: the system
 * does not tell. */
int gateway_watch_open(void);
void gateway_watch_close(int fd);
/* Takes what there is to be read. */
void gateway_watch_drain(int fd);

#endif
