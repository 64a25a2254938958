/* SPDX-License-Identifier: MIT */
/* The sockets others reach the daemon at; opened before any thread starts.  main's thread. */
#ifndef ACTORS_MAIN_LISTENING_H
#define ACTORS_MAIN_LISTENING_H

#include "actors/msg/env.h"

/*
 * Fills api_fds, api_port, peer_fds, datagram_fds, dht_fds and peer_port.  On failure *why says
 * what to do, and nothing stays open: E_EXISTS (the port is taken), E_PERM, E_SYNTAX (no IP
 * address) ...
 */
enum err listening_open(struct actor_env *, const struct config *, char *why, size_t why_n);

/* Closes what no actor owns: the API's sockets; api.socket is gone then. */
void listening_close(struct actor_env *, const struct config *);

/* Where the API listens first by TCP; false: nowhere. */
bool listening_at(const struct actor_env *, struct endpoint *out);
/* The address that others on the network reach us at: what is unspecified becomes that which the
 * way out begins at. */
void listening_reached(struct endpoint *at);
/* "http://127.0.0.1:8080" */
#define LISTENING_URL 80
void listening_url(const struct endpoint *at, char out[LISTENING_URL]);

#endif
