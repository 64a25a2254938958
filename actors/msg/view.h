/* SPDX-License-Identifier: MIT */
/*
 * What people are shown: copies of what the actors know, made when somebody asks.
 *
 * They travel inside the messages of msg.h; "owned" means that the destructor of the message frees
 * it.
 */
#ifndef ACTORS_MSG_VIEW_H
#define ACTORS_MSG_VIEW_H

#include "actors/msg/tref.h"
#include "actors/msg/wishes.h"
#include "proto/base/endpoint.h"
#include "proto/peerlist/source.h"

#define SEED_GLOBAL INT64_C(-1)
#define SEED_KEEP   INT64_C(-2) /* in a command: leave it as it is */
/* No limit is larger, so that sums of them, and microseconds of them, are numbers. */
#define SEED_RATIO_MAX INT64_C(1000000000)          /* thousandths */
#define SEED_TIME_MAX  (INT64_C(100) * 366 * 86400) /* seconds */
#define TOTAL_MAX      (INT64_C(1) << 60)           /* bytes, ever */

/* When a torrent that has all that is wanted stops by itself.  0: never; SEED_GLOBAL: as
 * configured. */
struct seed_limits {
	int64_t ratio; /* thousandths of what was downloaded */
	int64_t time;  /* seconds of seeding in all */
	int64_t idle;  /* seconds without an upload */
};

/* How a connection is encrypted. */
enum peer_encryption {
	PEER_UNENCRYPTED,
	PEER_ENCRYPTED_PLAIN, /* its handshake was, what it carries is not */
	PEER_ENCRYPTED_RC4,
};

struct peer_view {
	uint8_t id[20];
	struct endpoint at;
	bool connected; /* the handshake is done */
	bool incoming;
	enum peer_encryption encryption;
	bool unchoked_us, interested_us, unchoked, interested; /* they; we */
	uint8_t *bitfield; /* owned, wire order; NULL: not asked for, or it has none yet */
	uint32_t bits;
	uint64_t down_rate, up_rate;   /* B/s */
	uint64_t downloaded, uploaded; /* bytes of payload on this connection */
	float relevance;               /* share, 0 to 1, of the pieces we lack that it has */
	enum peer_source source; /* who named it: of several the best; PEER_INCOMING: it came */
	bool web;                /* a web seed, whose address is nobody's */
	bool seed, snubbed, optimistic, upload_only;
	uint32_t have;   /* pieces that it has */
	int64_t since;   /* seconds since 1970; 0: not connected */
	int64_t delay;   /* us that it takes to answer when idle; 0: not known */
	char client[64]; /* printable ASCII */
};

struct tracker_view {
	char *url; /* owned */
	uint32_t tier;
	bool working;
	bool busy;                 /* an announce is under way */
	bool contacted;            /* false: no answer yet, good or bad */
	char message[256];         /* what it said, or what went wrong */
	int64_t leechers, seeders; /* -1: not known */
	uint32_t peers;            /* in the last reply */
	int64_t last_announce;     /* seconds since 1970, 0: never */
	int64_t next_announce;     /* likewise */
	int64_t least_announce;    /* likewise: it allows none before */
};

struct web_seed_view {
	char *url;              /* owned */
	const char *state;      /* static */
	uint64_t bytes;         /* of payload it gave, since it was last begun with */
	uint32_t files_missing; /* that the server does not have */
	char error[128];        /* what went wrong last; "": nothing */
	int64_t next_try;       /* seconds since 1970; 0: it is not resting */
};

/* What an answer has besides the numbers of each torrent, or-ed. */
enum view_part {
	VIEW_FILES = 1,
	VIEW_BITFIELDS = 2, /* of the torrents, and of the peers if those are wanted */
	VIEW_PEERS = 4,
	VIEW_TRACKERS = 8,
	VIEW_WEB_SEEDS = 16,
	VIEW_ALL = 31,
	VIEW_PIECES = 32,
	VIEW_ROW = 64
};

/* What is so of a piece, or-ed; neither PIECE_HAVE nor PIECE_BEGUN: nothing of it is here. */
enum piece_state { PIECE_HAVE = 1, PIECE_WANTED = 2, PIECE_BEGUN = 4 };

enum torrent_status {
	STATUS_STOPPED,
	STATUS_CHECKING,
	STATUS_DOWNLOADING,
	STATUS_SEEDING,
	STATUS_QUEUED,   /* started, and waits for its turn */
	STATUS_METADATA, /* a magnet: looks for its metainfo */
	STATUS_ERROR,
	STATUS_MAX_
};

struct file_view {
	uint64_t done;    /* verified bytes */
	uint8_t priority; /* as the picker's */
};

/*
 * How the fetching of the info dictionary stands, of a torrent that is known by its link alone (BEP
 * 9).  Counts since its peers have it.
 */
struct metadata_view {
	bool bare;             /* false: the dictionary is known, and the rest is 0 */
	uint32_t size;         /* bytes, as peers claim; 0: none has said */
	uint32_t pieces, have; /* of 16 KiB */
	uint32_t peers;        /* connected, the handshake is done; of these */
	uint32_t offering;     /* that say they have it */
	uint32_t asked;        /* peers that were asked */
	uint32_t rejects, timeouts;
	uint32_t failures; /* times that what came had another hash */
	const char *error; /* what went wrong last; static, NULL: nothing */
};

struct torrent_row;

struct torrent_view {
	struct metainfo *meta;   /* owned reference */
	struct torrent_row *row; /* owned: what lists show of it; NULL: not asked for */
	uint32_t n;              /* its name in this run, as in torrent_row; never another's */
	uint8_t infohash[20];
	struct tref ref;
	enum torrent_status status;
	bool started;  /* what was asked for; an error or a check may hold it */
	char *path;    /* owned: target directory */
	uint64_t size; /* bytes */
	uint32_t piece_length;
	uint8_t *bitfield;   /* owned, verified pieces, wire order; NULL: not asked for */
	uint32_t bits, have; /* pieces; verified ones */
	uint64_t wanted;     /* bytes of wanted pieces */
	uint64_t left;       /* of them not verified */
	float checked;       /* 0 to 1 while STATUS_CHECKING */
	int64_t added, started_at, completed_at; /* seconds since 1970, 0: never */
	uint64_t wasted, downloaded, uploaded;   /* bytes since the session started */
	uint64_t wasted_ever, downloaded_ever, uploaded_ever;
	uint64_t failed_pieces; /* whose hash was wrong, since peers have the torrent */
	uint64_t mute_dials; /* connections we made that ended before the other side said a word */
	uint64_t down_rate, up_rate;   /* B/s now */
	uint64_t down_limit, up_limit; /* B/s, 0: unlimited */
	bool is_private;
	uint32_t place; /* in the queue, from 1 */
	bool forced;    /* works whatever the queue says */
	bool stalled;   /* works, but nothing moves: not counted by the queue */
	bool limited;   /* stopped by a limit on seeding */
	bool sequential, first_last;
	struct label *labels; /* reference; one a line, NULL: none */
	enum wish_encryption encryption;
	enum discreet discreet;
	unsigned sources;              /* bits, 1 << enum peer_source: which may be used for it */
	double ratio;                  /* uploaded to downloaded, ever */
	struct metadata_view metadata; /* while its metainfo is bare */
	struct seed_limits seed;       /* its own */
	struct seed_limits seed_now;   /* in force: its own or those configured; 0: none */
	uint64_t seeded;               /* seconds of seeding, ever */
	struct file_view *files;       /* owned, meta->files_n of them; NULL: not asked for */
	/* Owned, one byte a piece: enum piece_state, or-ed; and how many who are connected have it,
	 * up to 255.  NULL: not asked for. */
	uint8_t *piece_states, *piece_copies;
	char *error;                   /* owned, NULL: none */
	struct tracker_view *trackers; /* owned */
	uint32_t trackers_n;
	struct peer_view *peers; /* owned */
	uint32_t peers_n;
	struct web_seed_view *web_seeds; /* owned; those at work */
	uint32_t web_seeds_n;
};

/* The DHT, by family: IPv4, IPv6. */
struct dht_view {
	bool enabled;
	uint16_t port;
	struct dht_family_view {
		bool open, ready; /* it has a socket; and enough nodes */
		uint8_t id[20];
		bool has_address;
		struct endpoint address; /* as others see us */
		uint32_t good, unsure, bad, spare;
		uint32_t fitting; /* of good and unsure: their ids fit their addresses (BEP 42) */
	} family[2];
	uint64_t queries_in, queries_out, answers_in, answers_out, timeouts;
	uint64_t refused_in, held_out; /* by limits */
	uint32_t torrents, lookups;
	uint32_t stored_torrents, stored_peers, stored_items;
	int64_t asked_ago; /* seconds since somebody came by himself; -1: nobody has */
	char waits[200];   /* what is in the way, for a person; empty: nothing is */
};

struct actor_health {
	char name[16];     /* "peers/0" */
	bool ok;           /* answered its last ping in time */
	char handling[24]; /* message in hand when it is not */
	int64_t stuck_ms;  /* for how long */
};

/* What one way of asking has made of one protocol. */
struct mapping_view {
	const char *method; /* "pcp", "nat-pmp", "upnp" */
	const char *proto;  /* "tcp", "udp" */
	bool mapped;
	uint16_t external;
	int64_t expires; /* seconds from now; -1: never */
	char why[160];   /* how it stands, for a person */
};

/* How the world reaches us. */
struct network_view {
	uint16_t port;                  /* we listen at */
	uint16_t tcp, udp;              /* what trackers and peers are told */
	struct endpoint address;        /* the external one; unspecified: not known */
	struct endpoint gateway, local; /* unspecified: there is none */
	struct mapping_view mappings[4];
	unsigned mappings_n;
	char interface[16]; /* network.interface; empty: any */
	bool interface_there;
	char port_file[160]; /* how it stands with the file; empty: there is none */
	char advice[256];    /* what a person should do; empty: nothing */
};

/* Helpers of the destructors, for whoever builds such lists. */
void view_peers_free(struct peer_view **, uint32_t n);
void view_trackers_free(struct tracker_view **, uint32_t n);
void view_web_seeds_free(struct web_seed_view **, uint32_t n);

#endif
