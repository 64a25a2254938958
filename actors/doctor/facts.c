/* SPDX-License-Identifier: MIT */
/* What actors say of the network and the disks, judged. */
#include "actors/doctor/doctor.h"

#include <inttypes.h>
#include <stdio.h>

#include "config/proxy.h"

#define ROOM_BAD  (UINT64_C(256) << 20) /* bytes */
#define ROOM_FEW  (UINT64_C(4) << 30)
#define NODES_FEW 8u

static const char *ip_of(const struct endpoint *e, char out[ENDPOINT_TEXT])
{
	endpoint_format_ip(e, out, ENDPOINT_TEXT);
	return out;
}

/* --- the way in --- */

static void note_interface(struct findings *f, const struct network_view *v)
{
	if (v->interface[0] == '\0')
		doctor_note(f, "interface", DOCTOR_OK, NULL,
			"none is set: the routes of this machine decide");
	else if (v->interface_there)
		doctor_note(f, "interface", DOCTOR_OK, NULL,
			"%s is there, and all leaves by it alone", v->interface);
	else
		doctor_note(f, "interface", DOCTOR_BAD,
			"bring it up (does the VPN run?), or change network.interface and restart",
			"there is no device %s: nothing is sent until it is there", v->interface);
}

static void note_mapping(struct findings *f, const struct config *c, const struct network_view *v)
{
	char at[ENDPOINT_TEXT];

	for (unsigned i = 0; i < v->mappings_n; i++) {
		const struct mapping_view *m = &v->mappings[i];

		if (!m->mapped)
			continue;
		doctor_note(f, "mapping", v->advice[0] == '\0' ? DOCTOR_OK : DOCTOR_WARN, v->advice,
			"the router forwards %s port %u to us, by %s", m->proto,
			(unsigned)m->external, m->method);
		return;
	}
	if (endpoint_is_unspecified(&v->gateway))
		doctor_note(f, "mapping",
			c->portmap_enabled && v->advice[0] != '\0' ? DOCTOR_WARN : DOCTOR_OK,
			v->advice, "no router is asked%s",
			c->portmap_enabled ? ": none is there, or the port comes otherwise"
					   : ": portmap.enabled is off");
	else
		doctor_note(f, "mapping", DOCTOR_WARN, v->advice,
			"the router %s has mapped nothing for us", ip_of(&v->gateway, at));
}

void doctor_network(struct findings *f, const struct config *c, const struct network_view *v)
{
	if (!config_lets_in(c))
		doctor_note(f, "listening", DOCTOR_OK, NULL,
			"at no port, because of the proxy: peers are connected to, and cannot "
			"connect "
			"(proxy.incoming)");
	else if (v->interface[0] != '\0' && !v->interface_there)
		doctor_note(f, "listening", DOCTOR_BAD, NULL, "at no port: the device %s is away",
			v->interface);
	else
		doctor_note(f, "listening", DOCTOR_OK, NULL,
			"port %u; trackers and peers are told TCP %u, UDP %u", (unsigned)v->port,
			(unsigned)v->tcp, (unsigned)v->udp);
	if (v->port_file[0] != '\0' && strcmp(v->port_file, "followed") != 0)
		doctor_note(f, "port file", DOCTOR_WARN,
			"see that the VPN client writes the number there (peers.port_file)", "%s",
			v->port_file);
	note_interface(f, v);
	if (config_lets_in(c))
		note_mapping(f, c, v);
}

/* Whether somebody from outside has come by himself: the only proof there is. */
void doctor_reached(struct findings *f, const struct config *c, const struct network_view *v,
	const struct dht_view *d)
{
	char advice[200], at[2][ENDPOINT_TEXT] = {"", ""};

	for (unsigned i = 0; i < 2; i++)
		if (d->family[i].has_address)
			ip_of(&d->family[i].address, at[i]);
	if (at[0][0] == '\0' && at[1][0] == '\0' && !endpoint_is_unspecified(&v->address))
		ip_of(&v->address, at[0]);
	if (at[0][0] != '\0' || at[1][0] != '\0')
		doctor_note(f, "address", DOCTOR_OK, NULL, "others see us at %s%s%s", at[0],
			at[0][0] != '\0' && at[1][0] != '\0' ? " and " : "", at[1]);
	if (!config_lets_in(c) || !d->enabled)
		return;
	snprintf(advice, sizeof advice,
		"forward TCP and UDP port %u to this machine in the router, and let it through the "
		"firewall",
		(unsigned)v->port);
	if (d->asked_ago >= 0)
		doctor_note(f, "reached", DOCTOR_OK, NULL,
			"somebody from outside came by himself %" PRId64 " s ago, by UDP",
			d->asked_ago);
	else
		doctor_note(f, "reached", DOCTOR_WARN, advice,
			"nobody from outside has come by himself yet, by UDP; it takes some "
			"minutes");
}

/* --- the rest --- */

void doctor_dht(struct findings *f, const struct dht_view *d)
{
	static const char *const names[2] = {"DHT", "DHT, IPv6"};

	if (!d->enabled) {
		doctor_note(
			f, "DHT", DOCTOR_WARN, NULL, "%s", d->waits[0] != '\0' ? d->waits : "off");
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		const struct dht_family_view *v = &d->family[i];

		if (!v->open && i == 1) {
			doctor_note(f, names[i], DOCTOR_OK, NULL,
				"no socket: this machine may have no IPv6");
			continue;
		}
		doctor_note(f, names[i],
			v->ready && v->good >= NODES_FEW ? DOCTOR_OK
			: i == 1                         ? DOCTOR_OK
							 : DOCTOR_WARN,
			i == 0 ? d->waits : NULL,
			"%u good nodes, %u unsure; %" PRIu64 " answers to %" PRIu64 " questions",
			v->good, v->unsure, d->answers_in, d->queries_out);
	}
}

void doctor_volumes(struct findings *f, const struct volume_view *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (v[i].err != E_OK) {
			doctor_note(f, "disk", DOCTOR_BAD,
				"see that it is mounted, and that the daemon's user may write "
				"there",
				"%.200s: %s", v[i].path, err_words(v[i].err));
			continue;
		}
		if (!v[i].there) {
			doctor_note(f, "disk", DOCTOR_WARN,
				"mount its volume; or it is made with the first torrent that goes "
				"there",
				"%.200s is not there", v[i].path);
			continue;
		}
		doctor_note(f, "disk",
			v[i].free < ROOM_BAD   ? DOCTOR_BAD
			: v[i].free < ROOM_FEW ? DOCTOR_WARN
					       : DOCTOR_OK,
			v[i].free < ROOM_FEW ? "make room, or move torrents to another volume"
					     : NULL,
			"%.200s: %.1f of %.1f GiB free", v[i].path, (double)v[i].free / (1 << 30),
			(double)v[i].total / (1 << 30));
	}
}

void doctor_proxy(struct findings *f, const struct config *c)
{
	struct proxy_url url;
	const char *why;

	if (c->proxy_url[0] == '\0' || config_proxy_parse(c->proxy_url, &url, &why) != E_OK) {
		doctor_note(f, "proxy", DOCTOR_OK, NULL, "none");
		return;
	}
	doctor_note(f, "proxy", DOCTOR_OK, NULL,
		"as configured (whether it answers, the log says: proxy_away, proxy_back): %s at "
		"%.120s:%u%s%s%s%s%s, and no UDP, so trackers of udp:// are %s",
		url.http ? "HTTP" : "SOCKS5", url.host, (unsigned)url.port,
		config_proxied(c, PROXY_FOR_PEERS) ? ", peers" : "",
		config_proxied(c, PROXY_FOR_TRACKERS) ? ", trackers" : "",
		config_proxied(c, PROXY_FOR_WEBSEEDS) ? ", web seeds" : "",
		config_proxied(c, PROXY_FOR_BLOCKLIST) ? ", blocklists" : "",
		config_proxied(c, PROXY_FOR_DHT) ? "; the DHT is off" : "",
		config_proxied(c, PROXY_FOR_TRACKERS) ? "not asked" : "asked without it");
}

void doctor_silent(struct findings *f, const char *name, enum err err)
{
	doctor_note(f, name, DOCTOR_BAD, "GET /healthz says which part of the daemon hangs",
		"it does not answer: %s", err_words(err));
}
