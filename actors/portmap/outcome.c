/* SPDX-License-Identifier: MIT */
/* What has come of the asking: to trackers and peers, to people, to the log. */
#include <inttypes.h>
#include <stdio.h>

#include "actors/kernel/log.h"
#include "actors/portmap/priv.h"

/* --- how it stands --- */

static bool mapper_holds(const struct portmap *p, enum pcp_proto proto)
{
	return p->asking.on && p->asking.mapper.of[proto].held;
}

static uint16_t external(const struct portmap *p, enum pcp_proto proto)
{
	if (mapper_holds(p, proto))
		return p->asking.mapper.of[proto].external;
	return keeper_holds(&p->keeper) ? p->keeper.external : p->port;
}

static bool is_mapped(const struct portmap *p)
{
	return mapper_holds(p, PCP_TCP) || keeper_holds(&p->keeper);
}

static struct endpoint address(const struct portmap *p)
{
	if (mapper_holds(p, PCP_TCP) || mapper_holds(p, PCP_UDP))
		return p->asking.mapper.address;
	return keeper_holds(&p->keeper) ? p->keeper.address : (struct endpoint){0};
}

static const char *method(const struct portmap *p)
{
	if (!mapper_holds(p, PCP_TCP))
		return "upnp";
	return p->asking.mapper.method == MAPPER_PCP ? "pcp" : "nat-pmp";
}

/* The gateway's outside is the inside of another one. */
static bool is_double_nat(const struct portmap *p)
{
	struct endpoint at = address(p);

	return is_mapped(p) && !endpoint_is_unspecified(&at) && !endpoint_is_global(&at);
}

/* --- to others --- */

static void send_one(struct portmap *p, uint16_t to)
{
	struct m_port_mapped *m = msg_new(p->actor, MSG_PORT_MAPPED);

	m->tcp = p->told.tcp;
	m->udp = p->told.udp;
	m->address = p->told.address;
	msg_send(p->actor, to, m);
}

static void log_ports(const struct portmap *p)
{
	char at[ENDPOINT_TEXT] = "unknown", gateway[ENDPOINT_TEXT];

	if (!endpoint_is_unspecified(&p->told.address))
		endpoint_format_ip(&p->told.address, at, sizeof at);
	endpoint_format_ip(&p->gateway.at, gateway, sizeof gateway);
	if (p->told.mapped)
		log_event(LOG_INFO, "port_mapped",
			"method=%s gateway=%s port=%u external_tcp=%u external_udp=%u address=%s",
			method(p), gateway, p->port, p->told.tcp, p->told.udp, at);
	else
		log_event(LOG_INFO, "port_not_mapped", "port=%u", p->port);
}

/* --- to people --- */

/* Why nobody has mapped anything, once both ways have said no; else NULL. */
static const char *why_not(const struct portmap *p)
{
	const struct mapper *m = &p->asking.mapper;
	bool upnp_failed = p->keeper.state == KEEPER_NONE || p->keeper.state == KEEPER_REFUSED ||
			   !p->config->portmap_upnp;

	if (!p->config->portmap_enabled || is_mapped(p) || p->stopping)
		return NULL;
	if (!p->has_gateway)
		return p->no_gateway;
	/* PCP has been silent, and NAT-PMP has been asked long enough. */
	if (p->asking.on &&
		((m->of[PCP_TCP].result != MAPPER_SILENT && m->of[PCP_TCP].result != 0) ||
			(m->method == MAPPER_NATPMP && m->tries > 4)))
		return upnp_failed ? (p->keeper.state == KEEPER_REFUSED ? keeper_words(&p->keeper)
									: mapper_words(m, PCP_TCP))
				   : NULL;
	return NULL;
}

static void advise(const struct portmap *p, char *out, size_t n)
{
	const char *why = why_not(p);
	char at[ENDPOINT_TEXT];
	struct endpoint outside = address(p);

	out[0] = '\0';
	if (p->config->network_interface[0] != '\0' && p->device == 0)
		snprintf(out, n,
			"there is no network device %s (network.interface): nothing is sent until "
			"it is there; look whether the VPN runs",
			p->config->network_interface);
	else if (is_double_nat(p)) {
		endpoint_format_ip(&outside, at, sizeof at);
		snprintf(out, n,
			"the router is itself behind another one (its outer address is %s): "
			"forward "
			"TCP and UDP port %u there as well, or ask the provider for a public "
			"address",
			at, external(p, PCP_TCP));
	} else if (why != NULL) {
		snprintf(out, n,
			"others may not reach this machine, for %s; or forward TCP and UDP port %u "
			"to it by hand",
			why, p->port);
	}
}

static void complain(struct portmap *p)
{
	const char *why = why_not(p);
	bool twice = is_double_nat(p);
	char text[256];

	advise(p, text, sizeof text);
	if (twice && !p->told.double_nat)
		log_event(LOG_WARNING, "double_nat", "advice=%s", text);
	p->told.double_nat = twice;
	if (why == NULL)
		return;
	if (strcmp(p->told.why, why) != 0)
		log_event(p->has_gateway ? LOG_WARNING : LOG_INFO, "port_not_mapped",
			"port=%u advice=%s", p->port, text);
	snprintf(p->told.why, sizeof p->told.why, "%s", why);
}

/* Questions and answers follow each other at once: what stands between them is told to nobody. */
static bool is_settled(const struct portmap *p)
{
	const struct mapper *m = &p->asking.mapper;

	return !p->asking.on || m->op == MAPPER_IDLE || !m->proven || m->tries > 1;
}

void outcome_tell(struct portmap *p)
{
	struct told now;

	CHECK_OBJ(p, PORTMAP_MAGIC);
	now = p->told;
	if (!is_settled(p))
		return;
	now.tcp = external(p, PCP_TCP);
	now.udp = external(p, PCP_UDP);
	now.address = address(p);
	now.mapped = is_mapped(p);
	complain(p);
	if (now.tcp == p->told.tcp && now.udp == p->told.udp && now.mapped == p->told.mapped &&
		endpoint_equal(&now.address, &p->told.address))
		return;
	p->told.tcp = now.tcp;
	p->told.udp = now.udp;
	p->told.address = now.address;
	p->told.mapped = now.mapped;
	if (now.mapped)
		p->told.why[0] = '\0';
	log_ports(p);
	if (p->stopping)
		return;
	send_one(p, ADDR_TRACKER);
	send_one(p, ADDR_DHT);
	for (unsigned i = 0; i < p->shards; i++)
		send_one(p, ADDR(ROLE_PEERS, i));
}

/* --- the view --- */

static int64_t seconds_until(const struct portmap *p, int64_t at)
{
	return at == INT64_MAX ? -1 : MAX(at - loop_now(p->loop), 0) / USEC_PER_SEC;
}

static void view_mapper(const struct portmap *p, struct network_view *v)
{
	const struct mapper *m = &p->asking.mapper;

	for (unsigned i = 0; i < PCP_PROTOS; i++) {
		struct mapping_view *out = &v->mappings[v->mappings_n++];
		const struct mapper_lease *l = &m->of[i];

		out->method = m->method == MAPPER_PCP ? "pcp" : "nat-pmp";
		out->proto = i == PCP_TCP ? "tcp" : "udp";
		out->mapped = l->held;
		out->external = l->held ? l->external : 0;
		out->expires = l->held ? seconds_until(p, l->until) : 0;
		snprintf(out->why, sizeof out->why, "%s", mapper_words(m, (enum pcp_proto)i));
	}
}

static void view_keeper(const struct portmap *p, struct network_view *v)
{
	const struct keeper *k = &p->keeper;

	for (unsigned i = 0; i < PCP_PROTOS; i++) {
		struct mapping_view *out = &v->mappings[v->mappings_n++];

		out->method = "upnp";
		out->proto = i == PCP_TCP ? "tcp" : "udp";
		out->mapped = k->external != 0;
		out->external = k->external;
		out->expires = k->external != 0 ? seconds_until(p, k->until) : 0;
		snprintf(out->why, sizeof out->why, "%s", keeper_words(k));
	}
}

void outcome_view(const struct portmap *p, struct network_view *v)
{
	CHECK_OBJ(p, PORTMAP_MAGIC);
	*v = (struct network_view){.port = p->port,
		.tcp = p->told.tcp,
		.udp = p->told.udp,
		.address = p->told.address};
	if (p->has_gateway) {
		v->gateway = p->gateway.at;
		v->local = p->gateway.local;
	}
	if (p->asking.on)
		view_mapper(p, v);
	if (p->keeper.on)
		view_keeper(p, v);
	snprintf(v->interface, sizeof v->interface, "%s", p->config->network_interface);
	v->interface_there = p->device != 0;
	if (p->config->peers_port_file[0] != '\0')
		snprintf(v->port_file, sizeof v->port_file, "%s",
			p->follow.why[0] != '\0' ? p->follow.why : "followed");
	advise(p, v->advice, sizeof v->advice);
}
