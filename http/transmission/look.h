/* SPDX-License-Identifier: MIT */
/* Torrents that a call names, as the session shows them now; for the http actor's thread. */
#ifndef HTTP_TRANSMISSION_LOOK_H
#define HTTP_TRANSMISSION_LOOK_H

#include "http/transmission/priv.h"

struct look;
/* It owns the look. */
typedef void look_f(struct rcall *, struct look *);

struct look {
	uint32_t magic;
	struct actor *actor; /* borrowed */
	look_f *fn;
	struct msg **views; /* owned: what the session answered */
	unsigned views_n, waiting;
	enum err failed;
	const struct torrent_view **rows; /* owned; those that are meant, borrowed from the views */
	uint32_t rows_n, rows_room;
	int64_t now; /* seconds since 1970 */
};

/* Asks for the torrents that `ids` names with these parts (enum view_part), and calls fn or ends
 * the call. */
void look_start(struct rcall *, unsigned parts, look_f *fn);
/* The same by asking for all there are. */
void look_all(struct rcall *, unsigned parts, look_f *fn);
void look_free(struct look **);

#endif
