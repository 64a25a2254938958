/* SPDX-License-Identifier: MIT */
/*
 * The sockets that others reach us at: a listener and a UDP socket for each address of peers.bind,
 * all at one port, and the file in which somebody else says which port that is.
 *
 * A library without a thread: main opens them before any other thread starts, the portmap actor
 * when the port changes.  Blocks on the file alone.
 */
#ifndef ACTORS_PORTS_PORTS_H
#define ACTORS_PORTS_PORTS_H

#include "actors/msg/msg.h"

/* Opens what the configuration says at the port (0: one of the system's choice, told in
 * out->port).  What could not be had of one family of addresses is logged and left out.  On failure
 * nothing is open and *why says what to do: E_EXISTS (the port is taken), E_PERM, E_SYNTAX (no IP
 * address), E_UNREACHABLE (network.interface is away) ... */
enum err ports_open(
	const struct config *, uint16_t port, struct peer_sockets *out, char *why, size_t why_n);
/* Opens one listener; `option` is the section of the configuration to name in *why.  device: as in
 * net.h. */
int ports_listen(const char *address, int port, const char *device, const char *option,
	enum err *err, char *why, size_t why_n);

/*
 * A listener of the API at a path, with that mode; what a program that has ended left there is
 * replaced.  No other thread runs: the umask is changed meanwhile.  E_EXISTS: somebody listens
 * there, or it is no socket; E_NOENT, E_PERM, E_RANGE (too long), E_IO; *why says what to do.
 */
int ports_listen_path(const char *path, unsigned mode, enum err *err, char *why, size_t why_n);
/* Removes what was there, once it is closed. */
void ports_drop_path(const char *path);
/* Whether there is something at the path but what a program that has ended left: a socket that
 * somebody listens at, or no socket at all. */
bool ports_path_taken(const char *path);

/*
 * Reads a port number from a file: digits, with space around them or not.  What else may follow on
 * further lines is not looked at.  E_NOENT, E_PERM, E_RANGE (0, or over 65535), E_SYNTAX, E_IO;
 * *why then has words that name the file.
 */
enum err ports_read_file(const char *path, uint16_t *port, char *why, size_t why_n);

#endif
