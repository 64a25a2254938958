/* SPDX-License-Identifier: MIT */
/* The sockets others reach the daemon at; opened before any thread starts.  main's thread. */
#ifndef ACTORS_MAIN_LISTENING_H
#define ACTORS_MAIN_LISTENING_H

#include "actors/msg/env.h"

/*
 * Fills api_fd, peer_fds, datagram_fds, dht_fds and peer_port.  On failure *why says what to do,
 * and nothing stays open: E_EXISTS (the port is taken), E_PERM, E_SYNTAX (no IP address).
 */
enum err listening_open(struct actor_env *, const struct config *, char *why, size_t why_n);

/* Closes what no actor owns: the API's socket. */
void listening_close(struct actor_env *);

/* "http://127.0.0.1:8080", by the address that is given. */
#define LISTENING_URL 80
void listening_url(const char *ip, const struct actor_env *, char out[LISTENING_URL]);
/* The address that others on the network reach us at when the API listens at `bind`: that one, or
 * of all of them the one that the way out begins at. */
void listening_reached(const char *bind, char out[ENDPOINT_TEXT]);

/* Where the API listens; differs from the configuration when that says port 0. */
uint16_t listening_api(const struct actor_env *);

#endif
