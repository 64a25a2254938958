/* SPDX-License-Identifier: MIT */
/*
 * Which addresses a tracker may have.
 *
 * The URL of a tracker is written by whoever made the torrent, and its name resolves to whatever
 * the owner of the name wishes, so the decision is made on the address that is about to be used.
 */
#ifndef ACTORS_FETCH_GATE_H
#define ACTORS_FETCH_GATE_H

#include <sys/socket.h>

#include "config/config.h"
#include "proto/base/endpoint.h"

/* false: of no family we know, or too short.  sa need not be aligned.  Any thread. */
bool endpoint_of_sockaddr(const void *sa, int family, socklen_t n, struct endpoint *out);

/*
 * E_OK, or E_DENIED: an address nobody can be reached at, over TCP our own HTTP interface, or an
 * address that is not global while tracker.allow_private is off.  api_port: where that interface
 * listens, which is not in the configuration when the system chose it.  Any thread.
 */
enum err gate_check(const struct config *c, uint16_t api_port, const struct endpoint *at, bool tcp);

/*
 * The allowed ones of n addresses as text, without ports, joined by commas; what does not fit is
 * left out.  false: none is allowed.
 */
bool gate_list(const struct config *c, uint16_t api_port, const struct endpoint *at, unsigned n,
	char *buf, size_t size);

#endif
