/* SPDX-License-Identifier: MIT */
/*
 * Who has announced what: the peers that others store with us (BEP 5), for 45 minutes.
 *
 * Strangers fill it, so everything is bounded: torrents, peers of one, peers of all, torrents that
 * one network begins, ports of one address.  The torrent that was announced to the longest ago
 * gives way to a new one.  One owner.
 */
#ifndef PROTO_DHT_STORE_H
#define PROTO_DHT_STORE_H

#include "proto/base/time.h"
#include "proto/dht/bloom.h"

#define KAD_STORE_PEERS    500u /* of one torrent */
#define KAD_STORE_TORRENTS 5000u
#define KAD_STORE_ALL      100000u
#define KAD_STORE_PER_NET  20u /* torrents that one network may begin */
#define KAD_STORE_PER_IP   5u  /* peers with one address in a torrent */
#define KAD_STORE_LIFETIME (45 * 60 * USEC_PER_SEC)

struct kad_store;

/* seed: random and secret. */
struct kad_store *kad_store_new(uint64_t seed);
void kad_store_free(struct kad_store **);

/* false: there is no room for it. */
bool kad_store_add(struct kad_store *, const struct kad_id *torrent, const struct endpoint *peer,
	bool is_seed, int64_t now);
/* Whether another peer of the torrent would be taken; then it is of use to hand out a token. */
bool kad_store_has_room(const struct kad_store *, const struct kad_id *torrent);

/*
 * At most max of the torrent's peers of one family, by lot when there are more.  noseed: only those
 * that lack something.  Returns how many.
 */
unsigned kad_store_pick(struct kad_store *, const struct kad_id *torrent, bool v6, bool noseed,
	struct endpoint *out, unsigned max, struct rng *, int64_t now);
/* Fills both filters with the torrent's peers; false: there are none (BEP 33). */
bool kad_store_scrape(struct kad_store *, const struct kad_id *torrent, struct kad_bloom *seeds,
	struct kad_bloom *peers, int64_t now);
/* At most max torrents by lot; *all is how many there are (BEP 51). */
unsigned kad_store_sample(struct kad_store *, struct kad_id *out, unsigned max, unsigned *all,
	struct rng *, int64_t now);

/* Forgets what is too old; cheap when nothing is. */
void kad_store_expire(struct kad_store *, int64_t now);

unsigned kad_store_torrents(const struct kad_store *);
unsigned kad_store_peers(const struct kad_store *);

#endif
