/* SPDX-License-Identifier: MIT */
/*
 * Which addresses a request may go to.
 *
 * The daemon's own HTTP interface is refused whatever the operator allows: a request that comes
 * from this machine passes for the operator's own.
 */
#include "actors/fetch/address_filter.h"

#include <arpa/inet.h>
#include <strings.h>

bool address_of_sockaddr(const void *sa, int family, socklen_t n, struct endpoint *out)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	uint8_t ip[16];

	if (family == AF_INET && n >= sizeof v4) {
		memcpy(&v4, sa, sizeof v4);
		memcpy(ip, &v4.sin_addr, 4);
		*out = endpoint_from_v4(ip, ntohs(v4.sin_port));
		return true;
	}
	if (family == AF_INET6 && n >= sizeof v6) {
		memcpy(&v6, sa, sizeof v6);
		memcpy(ip, &v6.sin6_addr, 16);
		*out = endpoint_from_v6(ip, ntohs(v6.sin6_port));
		return true;
	}
	return false;
}

struct address_filter address_filter_of(const struct config *c, uint16_t api_port)
{
	struct address_filter f = {.allow_private = c->tracker_allow_private,
		.allow_privileged = c->tracker_allow_privileged};

	for (size_t i = 0; i < c->api_bind.n && f.api_n < ARRAY_LEN(f.api); i++)
		if (endpoint_parse_ip(
			    c->api_bind.v[i], strlen(c->api_bind.v[i]), &f.api[f.api_n]) == E_OK)
			f.api_n++;
	f.api_port = api_port;
	return f;
}

static bool is_own_api(const struct address_filter *f, const struct endpoint *at)
{
	if (f->api_port == 0 || at->port != f->api_port)
		return false;
	for (unsigned i = 0; i < f->api_n; i++)
		if (endpoint_same_ip(&f->api[i], at))
			return true;
	return endpoint_is_loopback(at);
}

enum err address_filter_check(const struct address_filter *f, const struct endpoint *at, bool tcp)
{
	/* The unspecified address connects to this machine, past every rule for loopback. */
	if (at->port == 0 || endpoint_is_unspecified(at) || endpoint_is_multicast(at))
		return E_DENIED;
	if (tcp && is_own_api(f, at))
		return E_DENIED;
	if (!f->allow_private && !endpoint_is_global(at))
		return E_DENIED;
	if (!f->allow_privileged && endpoint_is_privileged(at))
		return E_DENIED;
	return blocklist_refuses(f->blocked, at) ? E_DENIED : E_OK;
}

/* Names without a dot, and those that RFC 6761, RFC 6762, RFC 8375 and ICANN keep for local use. */
static bool is_local_name(const char *name)
{
	static const char *const ends[] = {"localhost", "local", "internal", "home.arpa", "lan"};
	size_t n = strlen(name);

	while (n > 0 && name[n - 1] == '.')
		n--;
	if (memchr(name, '.', n) == NULL)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t k = strlen(ends[i]);

		if (n > k && name[n - k - 1] == '.' && strncasecmp(name + n - k, ends[i], k) == 0)
			return true;
	}
	return false;
}

enum err address_filter_check_name(const struct address_filter *f, const char *name, uint16_t port)
{
	static const uint8_t somebody[4] = {8, 8, 8, 8};
	struct endpoint at;

	if (endpoint_parse_ip(name, strlen(name), &at) == E_OK) {
		at.port = port;
		return address_filter_check(f, &at, true);
	}
	if (is_local_name(name) && (!f->allow_private || port == f->api_port))
		return E_DENIED;
	at = endpoint_from_v4(somebody, port); /* the port alone is judged */
	return port == 0 || (!f->allow_privileged && endpoint_is_privileged(&at)) ? E_DENIED : E_OK;
}

bool address_filter_list(const struct address_filter *f, const struct endpoint *at, unsigned n,
	char *buf, size_t size)
{
	size_t used = 0;

	for (unsigned i = 0; i < n && used + ENDPOINT_TEXT + 1 < size; i++) {
		if (address_filter_check(f, &at[i], true) != E_OK)
			continue;
		if (used > 0)
			buf[used++] = ',';
		used += endpoint_format_ip(&at[i], buf + used, size - used);
	}
	return used > 0;
}
