/* SPDX-License-Identifier: MIT */
/* Preferences as JSON; for the http actor's thread. */
#ifndef HTTP_QBITTORRENT_PREFERENCES_H
#define HTTP_QBITTORRENT_PREFERENCES_H

#include "http/qbittorrent/priv.h"

/* All of them, as an object. */
void qprefs_write(struct json_out *, const struct config *, const struct qfacts *);

#endif
