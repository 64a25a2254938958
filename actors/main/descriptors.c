/* SPDX-License-Identifier: MIT */
/*
 * Dividing the file descriptors.
 *
 * Everybody first gets the least with which there is a daemon at all; what is left is dealt out in
 * the proportion of what was asked for beyond that.  Of peers more come in than may stay: those
 * whose handshake has not said yet for which torrent (peers/conn.c) are counted with them.
 */
#include "actors/main/descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

#include "actors/kernel/log.h"
#include "actors/main/topology.h"

#define RESERVE            10u /* resolver, certificates, a configuration read again, an accept, a list */
#define API_LEAST          4u  /* connections */
#define WEBSEED_EACH       2u  /* to the server, and to peers */
#define PER_WORKER         2u  /* a directory on the way to a file */
#define STATUS_CONNECTIONS 64u /* of subscribers, whom ZeroMQ does not count */

enum share { API, TRACKER, WEBSEED, FILES, PEERS, SHARES };

struct want {
	enum config_option option;
	unsigned asked, least; /* descriptors */
	unsigned given;
};

static unsigned raise_limit(void)
{
	struct rlimit r;

	must(getrlimit(RLIMIT_NOFILE, &r) == 0);
	if (r.rlim_cur < r.rlim_max) {
		rlim_t soft = r.rlim_cur;

		r.rlim_cur = r.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &r) != 0) {
			log_event(LOG_WARNING, "file_limit", "err=%d", errno);
			r.rlim_cur = soft;
		}
	}
	return (unsigned)MIN(r.rlim_cur, (rlim_t)INT32_MAX);
}

static unsigned count_open(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	if (d == NULL)
		return RESERVE;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 3; /* ".", "..", and the folder itself */
}

/* With so many peers allowed: they, and those of whom nobody knows yet what they want. */
static unsigned peers_need(unsigned max, unsigned shards)
{
	unsigned each = MAX(max / shards, 1u);

	return shards * (each + PEERS_STRANGERS(each));
}

/* The most peers that so many descriptors are enough for. */
static unsigned peers_for(unsigned n, unsigned shards)
{
	unsigned max = n;

	while (max > 1 && peers_need(max, shards) > n)
		max--;
	return max;
}

/* With the streams beside them. */
static unsigned api_need(unsigned connections)
{
	return connections + API_STREAMS(connections);
}

static unsigned api_for(unsigned n)
{
	return MAX(n / 2, n - MIN(n, API_STREAMS(n)));
}

static bool divide(struct want *w, unsigned room)
{
	uint64_t beyond = 0, least = 0;

	for (unsigned i = 0; i < SHARES; i++) {
		w[i].least = MIN(w[i].least, w[i].asked);
		least += w[i].least;
		beyond += w[i].asked - w[i].least;
	}
	if (least > room)
		return false;
	for (unsigned i = 0; i < SHARES; i++) {
		uint64_t more = w[i].asked - w[i].least;

		w[i].given = w[i].asked;
		if (least + beyond > room)
			w[i].given = w[i].least + (unsigned)(more * (room - least) / beyond);
	}
	return true;
}

struct descriptors descriptors_take(const struct actor_env *env)
{
	return (struct descriptors){
		.limit = raise_limit(),
		.fixed = count_open() + topology_descriptors(env) + RESERVE +
			 PER_WORKER * env->workers + (env->status != NULL ? STATUS_CONNECTIONS : 0),
		.shards = env->shards,
		.workers = env->workers,
	};
}

static void ask(struct want *w, const struct descriptors *d, const struct config *c, bool reload)
{
	unsigned files = d->workers * STORE_FILES_LEAST;

	w[API] = (struct want){OPT_api_connections, api_need((unsigned)c->api_connections),
		api_need(API_LEAST), 0};
	w[TRACKER] = (struct want){OPT_tracker_connections, (unsigned)c->tracker_connections, 2, 0};
	w[WEBSEED] = (struct want){OPT_webseed_connections,
		WEBSEED_EACH * (unsigned)c->webseed_connections, WEBSEED_EACH, 0};
	w[FILES] = (struct want){
		OPT_store_open_files, MAX((unsigned)c->store_open_files, files), MAX(8u, files), 0};
	for (unsigned i = 0; reload && i < PEERS; i++)
		w[i].least = w[i].asked;
	w[PEERS] = (struct want){OPT_peers_max, peers_need((unsigned)c->peers_max, d->shards),
		peers_need(d->shards, d->shards), 0};
}

/* The value of the option that so many descriptors are enough for. */
static int value_for(unsigned share, unsigned n, const struct descriptors *d)
{
	if (share == PEERS)
		return (int)peers_for(n, d->shards);
	if (share == API)
		return (int)api_for(n);
	return (int)(share == WEBSEED ? MAX(n / WEBSEED_EACH, 1u) : n);
}

/* What the numbers become; returns whether any is cut. */
static bool cut(const struct want *w, const struct descriptors *d, struct config_cap *caps)
{
	bool any = false;

	for (unsigned i = 0; i < SHARES; i++) {
		caps[i] = (struct config_cap){w[i].option, INT32_MAX};
		if (w[i].given == w[i].asked)
			continue;
		any = true;
		caps[i].max = value_for(i, w[i].given, d);
	}
	return any;
}

static void complain(const struct descriptors *d, const struct want *w, char *why, size_t why_n)
{
	unsigned least = d->fixed;

	for (unsigned i = 0; i < SHARES; i++)
		least += w[i].least;
	snprintf(why, why_n,
		"no more than %u files may be open, and %u are needed: raise the limit (ulimit -n, "
		"or "
		"LimitNOFILE= of the service), or set store.workers and peers.shards to 1",
		d->limit, least);
}

const struct config *descriptors_fit(const struct descriptors *d, const struct config *c,
	const struct config *told, char *why, size_t why_n)
{
	struct want w[SHARES];
	struct config_cap caps[SHARES];
	const struct config *fit;

	if (d->limit == 0)
		return config_ref(c);
	ask(w, d, told != NULL ? told : c, told != NULL);
	w[PEERS].asked = peers_need((unsigned)c->peers_max, d->shards);
	if (!divide(w, d->limit > d->fixed ? d->limit - d->fixed : 0)) {
		complain(d, w, why, why_n);
		return NULL;
	}
	if (!cut(w, d, caps))
		return config_ref(c);
	for (unsigned i = 0; told != NULL && i < PEERS; i++)
		caps[i].max = value_for(i, w[i].given, d);
	fit = config_capped(c, caps, SHARES);
	log_event(LOG_WARNING, "file_limit",
		"limit=%u peers.max=%d store.open_files=%d api.connections=%d "
		"tracker.connections=%d",
		d->limit, fit->peers_max, fit->store_open_files, fit->api_connections,
		fit->tracker_connections);
	return fit;
}
