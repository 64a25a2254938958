/* SPDX-License-Identifier: MIT */
/*
 * Which addresses a request may go to.
 *
 * The URL of a tracker is written by whoever made the torrent, and its name resolves to whatever
 * the owner of the name wishes, so the decision is made on the address that is about to be used.
 * Values; any thread.
 */
#ifndef ACTORS_FETCH_ADDRESS_FILTER_H
#define ACTORS_FETCH_ADDRESS_FILTER_H

#include <sys/socket.h>

#include "config/config.h"
#include "proto/base/endpoint.h"
#include "proto/blocklist/blocklist.h"

#define ADDRESS_FILTER_OWN 8u /* as many as api.bind may have */

struct address_filter {
	bool allow_private;    /* addresses that are not global */
	bool allow_privileged; /* ports below 1024 besides those of the web */
	/* Our own HTTP interface, which no request may reach over TCP: it may be at loopback, or at
	 * these addresses.  A port of 0: there is none. */
	struct endpoint api[ADDRESS_FILTER_OWN];
	unsigned api_n;
	uint16_t api_port;
	const struct blocklist *blocked; /* borrowed: those in it are refused; NULL: none */
};

/* As the options of trackers say.  api_port: where our HTTP interface listens, which is not in the
 * configuration when the system chose it.  Nothing is blocked. */
struct address_filter address_filter_of(const struct config *, uint16_t api_port);

/* E_OK, or E_DENIED: the filter refuses it, or nobody can be reached at it. */
enum err address_filter_check(const struct address_filter *, const struct endpoint *at, bool tcp);

/* The same of a name that a proxy will look up, of whose addresses nothing is known: one that means
 * a machine nearby is refused like its address. */
enum err address_filter_check_name(const struct address_filter *, const char *name, uint16_t port);

/*
 * The allowed ones of n addresses as text, without ports, joined by commas; what does not fit is
 * left out.  false: none is allowed.
 */
bool address_filter_list(const struct address_filter *, const struct endpoint *at, unsigned n,
	char *buf, size_t size);

/* false: of no family we know, or too short.  sa need not be aligned. */
bool address_of_sockaddr(const void *sa, int family, socklen_t n, struct endpoint *out);

#endif
