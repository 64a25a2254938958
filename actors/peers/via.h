/* SPDX-License-Identifier: MIT */
/* The way to peers, where it is a proxy's.  The shard's thread. */
#ifndef ACTORS_PEERS_VIA_H
#define ACTORS_PEERS_VIA_H

#include "actors/fetch/resolve.h"
#include "config/proxy.h"
#include "proto/proxy/dial.h"

struct conn;
struct shard;

struct via {
	bool on;
	bool ready; /* `at` is where the proxy may be asked */
	bool away;  /* it has not answered, or would not, since it last did */
	struct proxy_url url;
	struct resolver *resolver; /* owned */
	struct resolver_wait wait;
	struct loop_timer again; /* set while it is left alone */
	int64_t pause;           /* us, the next */
	unsigned tries;
	struct endpoint at;
};

enum via_step { VIA_WAIT, VIA_THROUGH, VIA_END };

void via_start(struct shard *);
void via_stop(struct shard *);          /* fine when it was not started */
bool via_is_open(const struct shard *); /* whether anybody may be dialled */
/* As net_connect(), to where the way begins.  E_CANCELLED: it is not the peer's fault. */
int via_connect(struct shard *, const struct endpoint *to, enum err *);
void via_begin(struct conn *); /* which has just been dialled */
/* With c->via, whenever the socket is ready.  END: conn_end() has been told why. */
enum via_step via_run(struct conn *);
/* Why a connection that was on its way ends: E_CANCELLED where the proxy did not answer at all. */
enum err via_failed(struct conn *, enum err, const char *what);

#endif
