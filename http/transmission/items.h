/* SPDX-License-Identifier: MIT */
/*
 * What the lists of torrent-get are made of: files, peers, trackers, pieces; and what is counted of
 * them.  Functions of a snapshot; for the http actor's thread.
 */
#ifndef HTTP_TRANSMISSION_ITEMS_H
#define HTTP_TRANSMISSION_ITEMS_H

#include "http/transmission/get.h"

typedef void item_f(
	struct json_out *, const struct get_scene *, const struct torrent_view *, uint32_t i);

item_f item_availability, item_file, item_file_done, item_file_stat, item_priority, item_wanted;
item_f item_peer, item_tracker, item_tracker_stat, item_web_seed, item_label;

/* Peers whose handshake is done; of them, those that get something from us, and send us something.
 */
uint32_t item_connected(const struct torrent_view *);
uint32_t item_getting(const struct torrent_view *);
uint32_t item_sending(const struct torrent_view *);
uint32_t item_labels(const struct torrent_view *);
uint32_t item_web_sending(const struct torrent_view *);
/* Bytes that we lack and that a connected peer has. */
uint64_t item_desired(const struct torrent_view *);
void item_peers_from(struct json_out *, const struct get_scene *, const struct torrent_view *);
/* One URL a line, an empty line between tiers. */
void item_tracker_list(struct json_out *, const struct metainfo *);

#endif
