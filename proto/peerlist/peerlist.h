/* SPDX-License-Identifier: MIT */
/*
 * Where a torrent's peers may be found: the queue of addresses to dial.
 *
 * Strangers fill it (trackers, PEX, the DHT), so it is bounded, checks what it takes, and gives way
 * to better addresses when full.  An entry is 40 bytes in one array with a hash over it; who may be
 * dialled is in a heap by merit, who has to wait in a heap by time, so that no call walks the list.
 *
 * Addresses are dialled with fewest failures first, those that only one peer has named behind all
 * others, then by canonical priority (BEP 40), then by lot. One thread owns a list.  Times are
 * monotonic microseconds, kept to the second.
 */
#ifndef PROTO_PEERLIST_PEERLIST_H
#define PROTO_PEERLIST_PEERLIST_H

#include "proto/base/endpoint.h"
#include "proto/base/rng.h"
#include "proto/base/time.h"
#include "proto/peerlist/source.h"

#define PEERLIST_CAP_DEFAULT    4000u
#define PEERLIST_CAP_MAX        (1u << 20)
#define PEERLIST_BANS_MAX       4096u
#define PEERLIST_INTRODUCED_MAX 200u
#define PEERLIST_BACKOFF_MIN    30u   /* seconds */
#define PEERLIST_BACKOFF_MAX    3600u /* seconds */

/* How an address is greeted: there are peers that insist on encryption, and some that have none. */
enum peer_greeting { PEER_GREET_UNKNOWN, PEER_GREET_PLAIN, PEER_GREET_ENCRYPTED };

struct peerlist;

struct peerlist_info {
	unsigned sources;  /* bit 1 << enum peer_source for each that named it */
	unsigned failures; /* since it was last useful */
	int64_t added_us;  /* when it was first named, to the second */
	bool seed, connected;
};

/* cap is how many addresses it holds, 1 to PEERLIST_CAP_MAX.  The rng is borrowed for the list's
 * life. */
struct peerlist *peerlist_new(uint32_t cap, struct rng *borrowed);
void peerlist_free(struct peerlist **lp);

/*
 * Our own address as the world sees it, once for each family when it is known; it is never dialled
 * and BEP 40 priorities are computed with it.  O(n).
 */
void peerlist_set_own(struct peerlist *l, const struct endpoint *own);
/* While we seed, other seeds are not dialled.  O(n) when it changes. */
void peerlist_set_seeding(struct peerlist *l, bool seeding);

/*
 * E_OK: new, may be dialled at once.  E_EXISTS: known; the source is noted.  E_RANGE: no address to
 * dial (port 0, unspecified, multicast, our own).  E_DENIED: banned.  E_OVERLOAD: full of better
 * ones. For an incoming peer the port is the one it listens at.
 */
enum err peerlist_add(
	struct peerlist *l, const struct endpoint *e, enum peer_source source, int64_t now_us);

/*
 * The same for an address that a peer has named (BEP 11): PEER_PEX.  seed is what the peer says of
 * it, believed of addresses that nobody else has named.  `by` is that peer's own address, of which
 * only the network counts: of one introducer's addresses at most PEERLIST_INTRODUCED_MAX are kept
 * (E_OVERLOAD), until somebody else names them, too; and such an address is dialled behind those
 * that two have named, or another source, so that a liar can neither fill the list nor keep us
 * busy.
 */
enum err peerlist_introduce(struct peerlist *l, const struct endpoint *e, const struct endpoint *by,
	bool seed, int64_t now_us);

/* Forgets every address that no source but those has named (bits, 1 << enum peer_source) and that
 * is not in use; those in use go when they are closed.  O(n). */
void peerlist_forget_sources(struct peerlist *l, unsigned sources);

/* Forgets one address, which is not in use; fine when it is not known. */
void peerlist_forget(struct peerlist *l, const struct endpoint *e);

/*
 * The best address to dial now; false when there is none.  It changes nothing: call
 * peerlist_dialing() before the next one.
 */
bool peerlist_next(struct peerlist *l, int64_t now_us, struct endpoint *out);
/* When peerlist_next() will have one: now_us if it has, INT64_MAX if only an event can change it.
 */
int64_t peerlist_deadline(struct peerlist *l, int64_t now_us);

/*
 * What became of an address; one that is not in the list is ignored.
 * dialing: we connect to it.  connected: a handshake is through, whoever dialled.  failed: no
 * connection or no handshake; it waits for PEERLIST_BACKOFF_MIN, twice as long each time up to
 * _MAX, give or take a quarter; after three times it is forgotten if it keeps a place of a peer
 * that has named as many as it may.  closed: a connection ended; useful ones start again without
 * failures after the minimum, others count as failed.  released: we ended it for a reason that has
 * nothing to do with the peer; the address may be dialled again at once.
 */
void peerlist_dialing(struct peerlist *l, const struct endpoint *e);
void peerlist_connected(struct peerlist *l, const struct endpoint *e);
void peerlist_failed(struct peerlist *l, const struct endpoint *e, int64_t now_us);
void peerlist_closed(struct peerlist *l, const struct endpoint *e, bool useful, int64_t now_us);
void peerlist_released(struct peerlist *l, const struct endpoint *e);
/* How the peer there is to be greeted, if that is known. */
enum peer_greeting peerlist_greeting(const struct peerlist *l, const struct endpoint *e);
/* Somebody says so (PEX), or a connection has shown it. */
void peerlist_set_greeting(
	struct peerlist *l, const struct endpoint *e, enum peer_greeting greeting);
/*
 * We dialled, and the greeting was not understood: the address is to be dialled at once with the
 * other one.  false: that failed just before, or it is not being dialled; it has failed as any
 * does, and the caller says so.
 */
bool peerlist_regreet(struct peerlist *l, const struct endpoint *e, enum peer_greeting other);
/* Known to have everything (bitfield, PEX flag), or not. */
void peerlist_mark_seed(struct peerlist *l, const struct endpoint *e, bool seed);

/*
 * Bans the IP address on every port, and forgets its entries that are not in use.  The latest
 * PEERLIST_BANS_MAX bans are kept.  O(n).
 */
void peerlist_ban(struct peerlist *l, const struct endpoint *e);
bool peerlist_is_banned(const struct peerlist *l, const struct endpoint *e);

uint32_t peerlist_count(const struct peerlist *l);
/* How many could be dialled, now or after waiting. */
uint32_t peerlist_candidates(const struct peerlist *l);
/* false when it is not in the list. */
bool peerlist_lookup(const struct peerlist *l, const struct endpoint *e, struct peerlist_info *out);

/* Panics when an invariant does not hold.  O(n): tests and the simulator. */
void peerlist_check(const struct peerlist *l);

#endif
