/* SPDX-License-Identifier: MIT */
/*
 * Where a request came from.
 *
 * A proxy that the configuration names is believed what it says of its client; what anybody else
 * says of others only shows that there is somebody in between.
 */
#include "http/server/facts.h"

#include <stdlib.h>
#include <strings.h>

/* --- proxies --- */

/* "10.0.0.1" or "10.0.0.0/8" */
static bool is_in_net(const struct endpoint *e, const char *net)
{
	const char *slash = strchr(net, '/');
	struct endpoint base;
	unsigned bits = 128, skip;

	if (endpoint_parse_ip(net, slash != NULL ? (size_t)(slash - net) : strlen(net), &base) !=
		E_OK)
		return false;
	skip = endpoint_is_v4(&base) ? 96 : 0;
	if (slash != NULL)
		bits = (unsigned)MIN(strtoul(slash + 1, NULL, 10), 128ul - skip) + skip;
	for (unsigned i = 0; i < bits; i++)
		if (((e->ip[i / 8] ^ base.ip[i / 8]) & (0x80 >> i % 8)) != 0)
			return false;
	return true;
}

static bool is_proxy(const struct config *c, const struct endpoint *e)
{
	for (size_t i = 0; i < c->api_trusted_proxies.n; i++)
		if (is_in_net(e, c->api_trusted_proxies.v[i]))
			return true;
	return false;
}

static bool trusts_path(const struct config *c)
{
	for (size_t i = 0; i < c->api_trusted_proxies.n; i++)
		if (strcmp(c->api_trusted_proxies.v[i], "unix") == 0)
			return true;
	return false;
}

bool facts_by_proxy(const struct facts *f)
{
	return f->by_path ? trusts_path(f->config) : is_proxy(f->config, &f->peer);
}

const char *facts_forwarded(const struct facts *f, const char *name)
{
	return facts_by_proxy(f) ? head_get(f->head, name, NULL) : NULL;
}

const char *facts_host(const struct facts *f)
{
	const char *said = facts_forwarded(f, "X-Forwarded-Host");

	return said != NULL ? said : head_get(f->head, "Host", NULL);
}

bool facts_https(const struct facts *f)
{
	const char *proto = facts_forwarded(f, "X-Forwarded-Proto");

	return proto != NULL && strcasecmp(proto, "https") == 0;
}

/* --- addresses in X-Forwarded-For --- */

/* The last address of a list, whose length becomes that of what is before it; false: it is none. */
static bool last_hop(const char *list, size_t *n, struct endpoint *out)
{
	size_t from;

	while (*n > 0 && strchr(" \t", list[*n - 1]) != NULL)
		--*n;
	from = *n;
	while (from > 0 && strchr(", \t", list[from - 1]) == NULL)
		from--;
	if (endpoint_parse_ip(list + from, *n - from, out) != E_OK)
		return false;
	while (from > 0 && strchr(" \t", list[from - 1]) != NULL)
		from--;
	*n = from > 0 ? from - 1 : 0;
	return from == 0 || (list[from - 1] == ',' && *n > 0);
}

/*
 * Each proxy adds whom it got the request from, so the list is read from its end, as far as those
 * who wrote it are believed.  Only one line has an order: of several nothing is believed.
 */
struct endpoint facts_client(const struct facts *f)
{
	const char *list = facts_forwarded(f, "X-Forwarded-For");
	size_t n = list != NULL ? strlen(list) : 0;
	struct endpoint client = f->peer, hop;
	bool by_path = f->by_path;

	while (n > 0 && (by_path || is_proxy(f->config, &client)) && last_hop(list, &n, &hop)) {
		client = hop;
		by_path = false;
	}
	client.port = 0;
	return client;
}

/* Whether each in a list of addresses is loopback; what is no address is not. */
static bool names_loopback_alone(const char *list)
{
	size_t n = strlen(list);
	struct endpoint hop;

	do
		if (!last_hop(list, &n, &hop) || !endpoint_is_loopback(&hop))
			return false;
	while (n > 0);
	return true;
}

/* --- this machine --- */

bool facts_name(const char *host, char *out, size_t size)
{
	bool v6 = host[0] == '[';
	const char *end = strchr(host, v6 ? ']' : ':');
	const char *port;
	size_t n;

	if (v6 && end == NULL)
		return false;
	host += v6;
	n = end != NULL ? (size_t)(end - host) : strlen(host);
	if (n == 0 || n >= size)
		return false;
	memcpy(out, host, n);
	out[n] = '\0';
	if (end == NULL)
		return true;
	port = end + v6;
	return *port == '\0' || (*port == ':' && port[1] != '\0' &&
					port[1 + strspn(port + 1, "0123456789")] == '\0');
}

static bool is_loopback_name(const char *host)
{
	char name[256];
	struct endpoint e;

	if (host == NULL || !facts_name(host, name, sizeof name))
		return false;
	if (strcasecmp(name, "localhost") == 0)
		return true;
	return endpoint_parse_ip(name, strlen(name), &e) == E_OK && endpoint_is_loopback(&e);
}

/* What proxies add, each its own. */
static bool shows_a_proxy(const struct head *h)
{
	static const char *const added[] = {"X-Forwarded-", "Forwarded", "X-Real-IP", "Via"};

	for (size_t i = 0; i < ARRAY_LEN(added); i++)
		if (head_has_prefix(h, added[i]))
			return true;
	return false;
}

/*
 * Local is who came by loopback or a path of the file system alone, under a name of loopback: a
 * proxy on this machine passes others on, and mostly shows it by the name they used or by a header
 * it adds.
 *
 * Every hop counts, in every line of that name: with a second proxy on this machine the last hop is
 * the first proxy, some proxies add a line rather than to the line there is, and the loopback of a
 * proxy elsewhere is another machine's.
 */
bool facts_local(const struct facts *f)
{
	if ((!f->by_path && !endpoint_is_loopback(&f->peer)) || !is_loopback_name(facts_host(f)))
		return false;
	if (!facts_by_proxy(f))
		return !shows_a_proxy(f->head);
	for (unsigned i = 0; i < f->head->n; i++)
		if (strcasecmp(f->head->fields[i].name, "X-Forwarded-For") == 0 &&
			!names_loopback_alone(f->head->fields[i].value))
			return false;
	return true;
}
