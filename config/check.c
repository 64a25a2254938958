/* SPDX-License-Identifier: MIT */
/* What must hold between options: each rule is one function that reports what it finds. */
#include "config/check.h"

#include <stdlib.h>

#include "config/proxy.h"
#include "proto/base/endpoint.h"
#include "proto/base/path.h"

static bool ip_parse(const char *text, struct endpoint *out)
{
	return endpoint_parse_ip(text, strlen(text), out) == E_OK;
}

/* Says where an option was set: " (set at FILE:3)", empty for a default. */
static const char *say_source(const struct config *c, enum config_option o, char *buf, size_t size)
{
	const struct config_source *s = config_source(c, o);

	if (s->from == CONFIG_FROM_DEFAULT)
		buf[0] = '\0';
	else if (s->line > 0)
		snprintf(buf, size, " (set at %.300s:%d)", s->where, s->line);
	else
		snprintf(buf, size, " (set by %.300s)", s->where);
	return buf;
}

static void check_api_bind(const struct config *c, struct report *r)
{
	struct endpoint ip;
	char at[340];

	say_source(c, OPT_api_bind, at, sizeof at);
	for (size_t i = 0; i < c->api_bind.n; i++)
		if (!ip_parse(c->api_bind.v[i], &ip))
			report_add(r, "api.bind has \"%s\"%s, which is not an IP address",
				c->api_bind.v[i], at);
		else if (!endpoint_is_loopback(&ip) && c->api_local == CONFIG_LOCAL_ON)
			report_add(r,
				"api.bind is %s%s, which others can reach, and api.local is on: "
				"whoever is passed on to this machine could control the daemon; "
				"set api.local to auto, or bind to 127.0.0.1",
				c->api_bind.v[i], at);
}

/* A password that is stored as it is would be everybody's who reads the file. */
static void check_password(const struct config *c, struct report *r)
{
	char at[340];

	if (c->api_password[0] != '\0' && strncmp(c->api_password, "$y$", 3) != 0)
		report_add(r,
			"api.password%s is no hash that begins with $y$: make one with mkpasswd",
			say_source(c, OPT_api_password, at, sizeof at));
	if ((c->api_user[0] != '\0') != (c->api_password[0] != '\0'))
		report_add(r, "api.user and api.password are there together or not at all");
	if (strchr(c->api_user, ':') != NULL)
		report_add(r, "api.user%s has a colon, which ends a user's name",
			say_source(c, OPT_api_user, at, sizeof at));
}

/* Parts that need no escapes and do not lead elsewhere, each behind a slash. */
static bool is_base_path(const char *v)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *v == '/'; v += strspn(v + 1, letters) + 1)
		if (v[1] == '.' || strspn(v + 1, letters) == 0)
			return false;
	return *v == '\0';
}

static void check_base_path(const struct config *c, struct report *r)
{
	char at[340];

	if (!is_base_path(c->api_base_path))
		report_add(r,
			"api.base_path is \"%s\"%s: write a path such as /torrents, of letters, "
			"digits, "
			"- . _ ~ and no slash at its end",
			c->api_base_path, say_source(c, OPT_api_base_path, at, sizeof at));
}

static void check_peers_bind(const struct config *c, struct report *r)
{
	struct endpoint ip;
	char at[340];

	for (size_t i = 0; i < c->peers_bind.n; i++)
		if (!ip_parse(c->peers_bind.v[i], &ip))
			report_add(r, "peers.bind has \"%s\"%s, which is not an IP address",
				c->peers_bind.v[i], say_source(c, OPT_peers_bind, at, sizeof at));
}

static void check_interface(const struct config *c, struct report *r)
{
	char at[340];

	if (strpbrk(c->network_interface, "/ :\t") != NULL)
		report_add(r,
			"network.interface is \"%s\"%s: write the name of one device, such as tun0",
			c->network_interface, say_source(c, OPT_network_interface, at, sizeof at));
}

/* No part of the address is said: a password may be in it. */
static void check_proxy(const struct config *c, struct report *r)
{
	struct proxy_url url;
	const char *why;
	char at[340];

	if (c->proxy_url[0] != '\0' && config_proxy_parse(c->proxy_url, &url, &why) != E_OK)
		report_add(r, "proxy.url%s %s", say_source(c, OPT_proxy_url, at, sizeof at), why);
}

static void check_gateway(const struct config *c, struct report *r)
{
	struct endpoint ip;
	char at[340];

	if (c->portmap_gateway[0] != '\0' &&
		(!ip_parse(c->portmap_gateway, &ip) || !endpoint_is_v4(&ip)))
		report_add(r, "portmap.gateway is \"%s\"%s, which is not an IPv4 address",
			c->portmap_gateway, say_source(c, OPT_portmap_gateway, at, sizeof at));
}

static bool ip_overlaps(const struct endpoint *a, const struct endpoint *b)
{
	return endpoint_same_ip(a, b) ||
	       (endpoint_is_v4(a) == endpoint_is_v4(b) &&
		       (endpoint_is_unspecified(a) || endpoint_is_unspecified(b)));
}

/* Whether the API would take what peers have been given, on an address that is told. */
static bool is_taken(const struct config *c, const char *api, const char **peers)
{
	struct endpoint a, b;

	for (size_t i = 0; ip_parse(api, &a) && i < c->peers_bind.n; i++) {
		*peers = c->peers_bind.v[i];
		if (ip_parse(*peers, &b) && ip_overlaps(&a, &b))
			return true;
	}
	return false;
}

static void check_ports(const struct config *c, struct report *r)
{
	const char *at;

	if (c->api_port != c->peers_port || c->api_port == 0)
		return;
	for (size_t i = 0; i < c->api_bind.n; i++)
		if (is_taken(c, c->api_bind.v[i], &at)) {
			report_add(r, "api.port and peers.port are both %d on %s", c->api_port, at);
			return;
		}
}

static void check_roots(const struct config *c, struct report *r)
{
	char at[340];

	for (size_t i = 0; i < c->download_roots.n; i++)
		if (path_beneath(c->download_roots.v[i], c->download_dir))
			return;
	report_add(r, "download.dir is %s%s, which lies beneath none of download.roots",
		c->download_dir, say_source(c, OPT_download_dir, at, sizeof at));
}

static bool is_host(const char *v)
{
	struct endpoint ip;

	if (ip_parse(v, &ip))
		return true;
	if (v[0] == '*')
		return v[1] == '.' && v[2] != '\0' && strpbrk(v + 1, ":/ @*") == NULL;
	return strpbrk(v, ":/ @*") == NULL;
}

/* As browsers write it: no path, not even a slash. */
static bool is_origin(const char *v)
{
	size_t n = strncmp(v, "https://", 8) == 0 ? 8 : strncmp(v, "http://", 7) == 0 ? 7 : 0;

	return n > 0 && v[n] != '\0' && strpbrk(v + n, "/ @?#*") == NULL;
}

static bool is_net(const char *v)
{
	const char *slash = strchr(v, '/');
	char text[64];
	struct endpoint ip;
	char *end = NULL;
	long bits = 0;

	snprintf(text, sizeof text, "%.*s", slash != NULL ? (int)MIN(slash - v, (ptrdiff_t)63) : 63,
		v);
	if (!ip_parse(text, &ip) || slash == NULL)
		return slash == NULL && ip_parse(text, &ip);
	bits = strtol(slash + 1, &end, 10);
	return slash[1] >= '0' && slash[1] <= '9' && *end == '\0' &&
	       bits <= (endpoint_is_v4(&ip) ? 32 : 128);
}

/* "name:port", or "[address]:port". */
static bool is_node(const char *v)
{
	const char *colon = strrchr(v, ':');
	char *end = NULL;
	long port = colon != NULL ? strtol(colon + 1, &end, 10) : 0;

	if (colon == NULL || colon == v || colon[1] < '0' || colon[1] > '9' || *end != '\0')
		return false;
	if (port < 1 || port > 65535)
		return false;
	return v[0] == '[' ? colon[-1] == ']' : memchr(v, ':', (size_t)(colon - v)) == NULL;
}

static bool is_server(const char *v)
{
	struct endpoint e;

	return ip_parse(v, &e) || (endpoint_parse(v, &e) == E_OK && e.port != 0);
}

/* A file by its whole path, or an address with a host. */
static bool is_source(const char *v)
{
	size_t n = strncmp(v, "https://", 8) == 0 ? 8 : strncmp(v, "http://", 7) == 0 ? 7 : 0;

	return v[0] == '/' || (n > 0 && v[n] != '\0' && v[n] != '/');
}

/* Whoever comes by api.socket is named by a word. */
static bool is_proxy(const char *v)
{
	return strcmp(v, "unix") == 0 || is_net(v);
}

static void check_update(const struct config *c, struct report *r)
{
	char at[340];

	if (c->blocklist_update > 0 && c->blocklist_update < 10 * INT64_C(60000000))
		report_add(r,
			"blocklist.update is less than 10m%s: those who publish lists lock out "
			"whoever "
			"asks so often; set 10m or more, or 0 for never",
			say_source(c, OPT_blocklist_update, at, sizeof at));
}

static void check_each(const struct config *c, struct report *r, const struct config_list *list,
	enum config_option o, bool (*is_good)(const char *), const char *advice)
{
	char at[340];

	for (size_t i = 0; i < list->n; i++)
		if (!is_good(list->v[i]))
			report_add(r, "%s has \"%s\"%s: write %s", config_option_name(o),
				list->v[i], say_source(c, o, at, sizeof at), advice);
}

static void check_lists(const struct config *c, struct report *r)
{
	check_each(c, r, &c->api_hosts, OPT_api_hosts, is_host,
		"the bare name, no port and no scheme, or *.name for all beneath it");
	check_each(c, r, &c->api_origins, OPT_api_origins, is_origin,
		"scheme://host or scheme://host:port, and nothing behind it");
	check_each(c, r, &c->api_trusted_proxies, OPT_api_trusted_proxies, is_proxy,
		"an IP address, a network such as 10.0.0.0/8, or unix");
	check_each(c, r, &c->dht_bootstrap, OPT_dht_bootstrap, is_node,
		"name:port, or [IPv6 address]:port");
	check_each(c, r, &c->network_dns, OPT_network_dns, is_server,
		"an IP address, or address:port ([IPv6 address]:port)");
	check_each(c, r, &c->proxy_for, OPT_proxy_for, config_proxy_has_use,
		"names of peers, trackers, webseeds, dht and blocklist");
	check_each(c, r, &c->blocklist_sources, OPT_blocklist_sources, is_source,
		"the path of a file, from /, or an address that begins with http:// or https://");
	check_each(c, r, &c->blocklist_allow, OPT_blocklist_allow, is_net,
		"an IP address, or a network such as 192.168.0.0/16");
}

/* --- status --- */

/* "tcp://127.0.0.1:8091"; false: something else. */
static bool is_tcp(const char *v, struct endpoint *at)
{
	return strncmp(v, "tcp://", 6) == 0 && endpoint_parse(v + 6, at) == E_OK && at->port != 0;
}

/* By the whole path of a file that a socket may have. */
static bool is_ipc(const char *v)
{
	return strncmp(v, "ipc:///", 7) == 0 && v[7] != '\0' && strlen(v) < 107 + sizeof "ipc://";
}

static bool is_published_at(const char *v)
{
	struct endpoint at;

	return is_ipc(v) || is_tcp(v, &at);
}

static bool is_key(const char *v)
{
	static const char z85[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-"
				  ":+=^!/*?&<>()[]{}@%$#";

	return strlen(v) == 40 && strspn(v, z85) == 40;
}

/* Names of torrents are nobody else's business. */
static void check_reach(
	const struct config *c, struct report *r, const struct config_list *l, enum config_option o)
{
	struct endpoint at;
	char where[340];

	for (size_t i = 0; i < l->n; i++)
		if (is_tcp(l->v[i], &at) && !endpoint_is_loopback(&at) &&
			(!c->status_curve || c->status_clients.n == 0))
			report_add(r,
				"%s has \"%s\"%s, which others can reach: set status.curve to true "
				"and list in "
				"status.clients who may come, or publish at 127.0.0.1",
				config_option_name(o), l->v[i],
				say_source(c, o, where, sizeof where));
}

static void check_status(const struct config *c, struct report *r)
{
	static const char advice[] =
		"ipc:// and the whole path of a file, or tcp://IP:PORT with an IP address";

	check_each(c, r, &c->status_bind, OPT_status_bind, is_published_at, advice);
	check_each(
		c, r, &c->status_snapshot_bind, OPT_status_snapshot_bind, is_published_at, advice);
	check_each(c, r, &c->status_clients, OPT_status_clients, is_key,
		"a public key, 40 characters of Z85, in quotes");
	check_reach(c, r, &c->status_bind, OPT_status_bind);
	check_reach(c, r, &c->status_snapshot_bind, OPT_status_snapshot_bind);
}

void config_check(const struct config *c, struct report *r)
{
	report_at(r, NULL, 0);
	check_api_bind(c, r);
	check_password(c, r);
	check_base_path(c, r);
	check_peers_bind(c, r);
	check_interface(c, r);
	check_gateway(c, r);
	check_proxy(c, r);
	check_ports(c, r);
	check_roots(c, r);
	check_update(c, r);
	check_lists(c, r);
	check_status(c, r);
}
