/* SPDX-License-Identifier: MIT */
/*
 * proxy.url and proxy.for, taken apart.
 *
 * What is named in proxy.for goes by the proxy or not at all.  Pure functions; any thread.
 */
#ifndef CONFIG_PROXY_H
#define CONFIG_PROXY_H

#include "config/config.h"

/* The order of their names in proxy.c. */
enum proxy_use {
	PROXY_FOR_PEERS,
	PROXY_FOR_TRACKERS,
	PROXY_FOR_WEBSEEDS,
	PROXY_FOR_DHT,
	PROXY_FOR_BLOCKLIST,
	PROXY_FOR_MAX_
};

#define PROXY_TEXT 256u

struct proxy_url {
	bool http;             /* else SOCKS5 */
	char host[PROXY_TEXT]; /* a name or an IP address without brackets */
	uint16_t port;
	char user[PROXY_TEXT], password[PROXY_TEXT]; /* "": none; decoded */
};

/* socks5://user:password@host:port or http://...; "%40" in a user's name or a password is "@".
 * E_SYNTAX, and *why says what is wrong, in words that follow the option's name and hold no part
 * of the text. */
enum err config_proxy_parse(const char *text, struct proxy_url *out, const char **why);

/* Whether it goes by the proxy: false without one. */
bool config_proxied(const struct config *, enum proxy_use);
bool config_proxy_has_use(const char *name);
/* Whether others can connect to us, by the network that is ours. */
bool config_lets_in(const struct config *);

/* Puts out what would go beside the proxy or cannot go by it: the DHT, which is UDP, and, where
 * nobody is let in, the local network and the mapping of ports.  For load_end(). */
void config_settle_proxy(struct config *);

#endif
