/* SPDX-License-Identifier: MIT */
/*
 * Status for other programs, by ZeroMQ: what changes is published, and a snapshot is there for who
 * comes late (docs/subscribe.md).
 */
#ifndef ACTORS_STATUS_STATUS_H
#define ACTORS_STATUS_STATUS_H

#include "config/config.h"

struct outlet;

/*
 * Opens what status.bind and status.snapshot_bind name, and makes the key of the server where there
 * is none.  *out is NULL where nothing is configured; the status actor owns it from its init on,
 * publisher_close() ends it before.  On failure *why says what to do.  Main's thread, before any
 * actor starts: blocks on files.
 */
enum err publisher_open(const struct config *, struct outlet **out, char *why, size_t why_n);
void publisher_close(struct outlet **);

#endif
