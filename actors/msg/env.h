/* SPDX-License-Identifier: MIT */
/* The actors that main starts: their specs, and what each is given at its start.  Nothing else of
 * theirs is public. */
#ifndef ACTORS_MSG_ENV_H
#define ACTORS_MSG_ENV_H

#include "actors/msg/msg.h"
#include "actors/msg/rows.h"

struct resources;
struct json_out;
struct outlet;

/* Descriptors that are needed for a number of the configuration, and that main/descriptors.c counts
 * with: those of peers that wait at a shard for their handshake, and the least files of a worker.
 */
#define PEERS_STRANGERS(conns_max) MAX((conns_max) / 4, MIN((conns_max), 16u))
#define STORE_FILES_LEAST          4u
/* Streams of events that so many connections of the API have beside them. */
#define API_STREAMS(connections) MIN((unsigned)(connections), 64u)

/* What the API listens at: as many as api.bind may have, or the service manager may pass, and
 * api.socket. */
#define API_LISTENERS 9u

/* Given to every init; immutable while the actors run. */
struct actor_env {
	const struct config *config; /* borrowed by init, which takes a reference */
	unsigned shards;             /* instances of PEERS */
	unsigned workers;            /* instances of WORKER */
	uint8_t peer_id[20];         /* ours, for this run */
	/* Bound and listening before any thread starts, so that a taken port is said at once
	 * (main/listening.c). */
	int api_fds[API_LISTENERS]; /* main closes them at the end */
	unsigned api_fds_n;
	uint16_t api_port;                        /* of all of them that are TCP's; 0: none is */
	const struct resources *const *resources; /* what http serves (http/server/server.h); ends
						     with NULL */
	const struct token_record *tokens;        /* who may use it; borrowed by init */
	uint32_t tokens_n;
	struct token_record pairing; /* a device may come in by this secret; expires 0: none */
	int peer_fds[16];            /* shard 0 owns them from its init on */
	unsigned peer_fds_n;
	int datagram_fds[16]; /* of UDP at the peer port, as many as could be had; likewise */
	unsigned datagram_fds_n;
	int dht_fds[16]; /* at the same addresses, for what begins with 'd'; dht owns them */
	unsigned dht_fds_n;
	uint16_t peer_port;    /* the one that trackers and peers are told */
	struct state_db *db;   /* opened and locked by main (state.h), owned by the state actor from
				  its init on */
	struct outlet *status; /* what status publishes on, which owns it from its init on; NULL:
				nothing */
	/* How it says what rows are: by the names that http/api has for them.  Members of an
	 * object. */
	void (*put_row)(struct json_out *, const struct torrent_row *, unsigned groups);
	void (*put_stats)(struct json_out *, const struct m_torrent_rows *);
};

extern const struct actor_spec session_spec;
extern const struct actor_spec peers_spec;
extern const struct actor_spec store_spec;
extern const struct actor_spec worker_spec;
extern const struct actor_spec state_spec;
extern const struct actor_spec tracker_spec;
extern const struct actor_spec dht_spec;
extern const struct actor_spec webseed_spec;
extern const struct actor_spec lsd_spec;
extern const struct actor_spec portmap_spec;
extern const struct actor_spec blocker_spec;
extern const struct actor_spec publisher_spec;
extern const struct actor_spec http_spec;

/* The API (http/api) and the dialects of Transmission and qBittorrent (http/transmission,
 * http/qbittorrent), for actor_env. */
extern const struct resources api_resources;
extern const struct resources transmission_resources;
extern const struct resources qbittorrent_resources;
/* The names of the API for rows of the list (a bit for each enum row_group), and for what all are
 * together. */
void api_put_row(struct json_out *, const struct torrent_row *, unsigned groups);
void api_put_stats(struct json_out *, const struct m_torrent_rows *);
/* The page (http/web), and what it is made of. */
extern const struct resources page_resources;
extern const struct resources page_files;

/* libcurl's own start and end: once a process, in main's thread, before and after all others. */
void fetch_global_init(void);
void fetch_global_fini(void);

#endif
