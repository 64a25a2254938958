/* SPDX-License-Identifier: MIT */
/* What the DHT shows of itself, and in words what it waits for. */
#include "actors/dht/priv.h"

#include <stdio.h>

#include "config/proxy.h"

static void view_family(const struct kad_family_view *f, struct dht_family_view *v)
{
	v->open = f->open;
	v->ready = f->ready;
	v->has_address = f->known_at;
	v->address = f->at;
	memcpy(v->id, f->id.b, sizeof v->id);
	v->good = f->nodes.good;
	v->unsure = f->nodes.unsure;
	v->bad = f->nodes.bad;
	v->spare = f->nodes.spare;
	v->fitting = f->nodes.fits;
}

/* The first thing that is in the way; empty: nothing is. */
static void explain(const struct dht *d, const struct kad_view *k, char *out, size_t n)
{
	bool ready = k->family[KAD_V4].ready || k->family[KAD_V6].ready;

	if (config_proxied(d->config, PROXY_FOR_DHT))
		snprintf(out, n,
			"off: it is UDP, which the proxy does not carry; take dht out of proxy.for "
			"to have it "
			"go without the proxy");
	else if (!d->config->dht_enabled)
		snprintf(out, n, "switched off: dht.enabled");
	else if (d->kad == NULL)
		snprintf(out, n,
			"no UDP socket at the peer port: see the log line listen_skipped, and "
			"peers.port and peers.bind");
	else if (!d->loaded)
		snprintf(out, n, "waits for the database");
	else if (!ready && d->names_bad > 0 && d->names_bad == d->routers_n)
		snprintf(out, n,
			"none of the names in dht.bootstrap has an address: look at the resolver");
	else if (!ready && k->answers_in == 0 && k->queries_out > 0)
		snprintf(out, n, "nobody answers: UDP from port %u must be let out, and answers in",
			d->listening);
	else if (!ready)
		snprintf(out, n, "looks for its first nodes");
	else if (d->config->dht_read_only)
		snprintf(out, n, "asks, and answers nothing: dht.read_only");
	else if (k->quiet)
		snprintf(out, n,
			"nobody from outside comes through: forward UDP port %u to be of use to "
			"others, and to be found sooner",
			d->listening);
}

void dht_on_view(struct actor *a, struct msg **pm)
{
	struct m_dht_view *m = MSG_AS(DHT_VIEW, *pm);
	struct dht *d = dht_of(a);
	struct dht_view *v = &m->view;
	int64_t now = loop_now(d->loop);
	struct kad_view k = {0};

	if (d->kad != NULL)
		kad_view(d->kad, &k, now);
	v->enabled = d->kad != NULL;
	v->port = d->listening;
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		view_family(&k.family[f], &v->family[f]);
	v->queries_in = k.queries_in;
	v->queries_out = k.queries_out;
	v->answers_in = k.answers_in;
	v->answers_out = k.answers_out;
	v->timeouts = k.timeouts;
	v->refused_in = k.refused_in;
	v->held_out = k.held_out;
	v->torrents = k.torrents;
	v->lookups = k.lookups;
	v->stored_torrents = k.stored_torrents;
	v->stored_peers = k.stored_peers;
	v->stored_items = k.stored_items;
	v->asked_ago = k.unsolicited > 0 ? (now - k.unsolicited) / USEC_PER_SEC : -1;
	explain(d, &k, v->waits, sizeof v->waits);
}
