/* SPDX-License-Identifier: MIT */
/* Which actors a daemon has, and how many of each. */
#include "actors/main/topology.h"

#include <unistd.h>

#include "actors/kernel/random.h"
#include "proto/swarm/bandwidth.h"
#include "proto/wire/peer_id.h"

#define WORKERS_MAX   8u   /* chosen without being asked */
#define WORKERS_LIMIT 128u /* addresses and actors are counted in a byte */
#define PLACES_MAX    255u

struct place {
	uint16_t addr;
	const struct actor_spec *spec;
};

static unsigned processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 1 ? (unsigned)n : 1;
}

/* "0.1.0" is 0100. */
static void make_peer_id(uint8_t out[20])
{
	char version[5] = "0000";
	uint8_t noise[12];
	unsigned n = 0;

	for (const char *p = config_version(); *p != '\0' && n < 4; p++)
		if (*p >= '0' && *p <= '9')
			version[n++] = *p;
	random_bytes(noise, sizeof noise);
	peer_id_generate(out, version, noise);
}

/* What http serves, a table a dialect. */
static const struct resources *const served[] = {&page_resources, &page_files, &api_resources,
	&transmission_resources, &qbittorrent_resources, NULL};

void topology_env(struct actor_env *env, const struct config *c)
{
	unsigned cores = processors();

	*env = (struct actor_env){.config = c,
		.resources = served,
		.put_row = api_put_row,
		.put_stats = api_put_stats};
	env->shards = c->peers_shards > 0 ? (unsigned)c->peers_shards
					  : MIN(MAX(1u, cores / 4), BANDWIDTH_PARTS_MAX);
	env->workers = c->store_workers > 0 ? MIN((unsigned)c->store_workers, WORKERS_LIMIT)
					    : MIN(MAX(2u, cores - 1), WORKERS_MAX);
	make_peer_id(env->peer_id);
}

/* In the order in which they start. */
static void list_actors(const struct actor_env *env, struct place *out, unsigned *n)
{
	*n = 0;
	/* Its first list is there before peers are. */
	out[(*n)++] = (struct place){ADDR_BLOCKLIST, &blocker_spec};
	out[(*n)++] = (struct place){ADDR_STATE, &state_spec};
	out[(*n)++] = (struct place){ADDR_STORE, &store_spec};
	for (unsigned i = 0; i < env->workers; i++)
		out[(*n)++] = (struct place){ADDR(ROLE_WORKER, i), &worker_spec};
	for (unsigned i = 0; i < env->shards; i++)
		out[(*n)++] = (struct place){ADDR(ROLE_PEERS, i), &peers_spec};
	out[(*n)++] = (struct place){ADDR_TRACKER, &tracker_spec};
	out[(*n)++] = (struct place){ADDR_DHT, &dht_spec};
	out[(*n)++] = (struct place){ADDR_WEBSEED, &webseed_spec};
	out[(*n)++] = (struct place){ADDR_LSD, &lsd_spec};
	out[(*n)++] = (struct place){ADDR_SESSION, &session_spec};
	out[(*n)++] = (struct place){ADDR_STATUS, &publisher_spec};
	out[(*n)++] = (struct place){ADDR_PORTMAP, &portmap_spec};
	out[(*n)++] = (struct place){ADDR_HTTP, &http_spec};
}

void topology_add(struct actors *set, const struct actor_env *env)
{
	struct place places[PLACES_MAX];
	unsigned n;

	list_actors(env, places, &n);
	for (unsigned i = 0; i < n; i++)
		actors_add(set, places[i].addr, places[i].spec, env);
}

unsigned topology_descriptors(const struct actor_env *env)
{
	struct place places[PLACES_MAX];
	uint16_t addrs[PLACES_MAX + 1];
	unsigned n;

	list_actors(env, places, &n);
	for (unsigned i = 0; i < n; i++)
		addrs[i] = places[i].addr;
	addrs[n] = ADDR_MAIN;
	return actors_descriptors(&message_table, addrs, n + 1);
}
