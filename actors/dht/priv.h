/* SPDX-License-Identifier: MIT */
/*
 * What the files of the DHT actor share.
 *
 * dht.c knows messages and has the node (proto/dht); io.c its sockets, boot.c how it finds the
 * first nodes and remembers them, job.c what people ask of it, view.c what it shows: these are
 * called by dht.c, and know of each other nothing.
 */
#ifndef ACTORS_DHT_PRIV_H
#define ACTORS_DHT_PRIV_H

#include "actors/fetch/resolve.h"
#include "actors/msg/env.h"
#include "proto/base/link.h"
#include "proto/dht/kad.h"

#define DHT_MAGIC   0x44485441u
#define DHT_SOCKETS 16u
#define DHT_ROUTERS 32u

struct dht_socket {
	struct loop_fd io;
	struct dht *dht;
	bool v6;
};

/* A router of the configuration, while its name is looked up. */
struct dht_router {
	struct resolver_wait wait;
	struct dht *dht;
	uint16_t port;
	char *name; /* owned */
};

struct dht {
	uint32_t magic;
	struct actor *actor;
	struct loop *loop;
	const struct config *config;     /* owned reference */
	const struct blocklist *blocked; /* owned reference: whom to refuse; NULL: nobody */
	struct kad *kad;                 /* owned; NULL: switched off, or without a socket */
	struct loop_timer timer;         /* of the node */
	struct dht_socket sockets[DHT_SOCKETS];
	unsigned sockets_n;
	unsigned first[KAD_FAMILIES]; /* by which questions leave; UINT_MAX: none */
	struct resolver *resolver;    /* owned */
	struct dht_router routers[DHT_ROUTERS];
	unsigned routers_n;
	unsigned names_bad;           /* routers whose names had no address, lately */
	struct loop_timer boot_timer; /* names are looked up when it works badly */
	int64_t boot_wait;
	struct loop_timer save_timer;
	bool loaded; /* the database has answered */
	struct link jobs;
	uint16_t port;      /* peers reach us at, by TCP */
	uint16_t listening; /* UDP */
};

/* self.c */
struct dht *dht_of(const struct actor *);
/* The node's deadline may have changed. */
void dht_rearm(struct dht *);

/* io.c */
/* They are the actor's from now on. */
void dht_io_start(struct dht *, const int *fds, unsigned n);
void dht_io_stop(struct dht *);
void dht_io_send(struct dht *, int via, const struct endpoint *to, const uint8_t *p, size_t n);

/* boot.c */
void dht_boot_start(struct dht *);
void dht_boot_stop(struct dht *);
void dht_boot_reload(struct dht *);
void dht_save(struct dht *);

/* job.c */
void dht_jobs_init(struct dht *);
void dht_jobs_fini(struct dht *);
void dht_on_job(struct actor *, struct msg **);
void dht_job_done(struct dht *, const struct kad_result *);

/* view.c */
void dht_on_view(struct actor *, struct msg **);

#endif
