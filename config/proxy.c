/* SPDX-License-Identifier: MIT */
/* proxy.url and proxy.for, taken apart. */
#include "config/proxy.h"

#include "config/life.h"

#include <stdlib.h>
#include <string.h>

static const char *const use_names[PROXY_FOR_MAX_] = {
	[PROXY_FOR_PEERS] = "peers",
	[PROXY_FOR_TRACKERS] = "trackers",
	[PROXY_FOR_WEBSEEDS] = "webseeds",
	[PROXY_FOR_DHT] = "dht",
	[PROXY_FOR_BLOCKLIST] = "blocklist",
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* false: it does not fit, or is badly encoded. */
static bool decode(const char *p, size_t n, char out[PROXY_TEXT])
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		char c = p[i];

		if (c == '%') {
			if (i + 2 >= n || hex_digit(p[i + 1]) < 0 || hex_digit(p[i + 2]) < 0)
				return false;
			c = (char)(hex_digit(p[i + 1]) * 16 + hex_digit(p[i + 2]));
			i += 2;
		}
		if (c == '\0' || k + 1 >= PROXY_TEXT)
			return false;
		out[k++] = c;
	}
	out[k] = '\0';
	return true;
}

/* user:password, before the last "@". */
static bool parse_login(const char *p, const char *at, struct proxy_url *out)
{
	const char *colon = memchr(p, ':', (size_t)(at - p));

	if (colon == NULL)
		return decode(p, (size_t)(at - p), out->user) && out->user[0] != '\0';
	return decode(p, (size_t)(colon - p), out->user) && out->user[0] != '\0' &&
	       decode(colon + 1, (size_t)(at - colon - 1), out->password);
}

/* host:port or [IPv6 address]:port. */
static bool parse_place(const char *p, struct proxy_url *out)
{
	const char *colon = strrchr(p, ':');
	char *end = NULL;
	size_t n;
	long port;

	if (colon == NULL || colon[1] < '0' || colon[1] > '9')
		return false;
	port = strtol(colon + 1, &end, 10);
	if (end[0] == '/')
		end++;
	n = (size_t)(colon - p);
	if (*end != '\0' || port < 1 || port > UINT16_MAX || n == 0 || n >= PROXY_TEXT)
		return false;
	if (p[0] == '[' && p[n - 1] == ']') {
		p++;
		n -= 2;
	} else if (memchr(p, ':', n) != NULL) {
		return false;
	}
	memcpy(out->host, p, n);
	out->host[n] = '\0';
	out->port = (uint16_t)port;
	return n > 0 && strpbrk(out->host, " /@[]?#") == NULL;
}

enum err config_proxy_parse(const char *text, struct proxy_url *out, const char **why)
{
	const char *p, *at;

	*out = (struct proxy_url){.http = strncmp(text, "http://", 7) == 0};
	*why = "must begin with socks5:// or http://";
	if (!out->http && strncmp(text, "socks5://", 9) != 0)
		return E_SYNTAX;
	p = text + (out->http ? 7 : 9);
	at = strrchr(p, '@');
	*why = "has no good user:password before the @: write %XX for characters such as @ and %";
	if (at != NULL && !parse_login(p, at, out))
		return E_SYNTAX;
	*why = "must end with host:port, or [IPv6 address]:port";
	return parse_place(at != NULL ? at + 1 : p, out) ? E_OK : E_SYNTAX;
}

static int use_of(const char *name)
{
	for (int i = 0; i < PROXY_FOR_MAX_; i++)
		if (strcmp(name, use_names[i]) == 0)
			return i;
	return -1;
}

bool config_proxy_has_use(const char *name)
{
	return use_of(name) >= 0;
}

bool config_proxied(const struct config *c, enum proxy_use use)
{
	CHECK_OBJ(c, CONFIG_MAGIC);
	if (c->proxy_url[0] == '\0')
		return false;
	for (size_t i = 0; i < c->proxy_for.n; i++)
		if (use_of(c->proxy_for.v[i]) == (int)use)
			return true;
	return false;
}

bool config_lets_in(const struct config *c)
{
	CHECK_OBJ(c, CONFIG_MAGIC);
	return c->proxy_incoming || !config_proxied(c, PROXY_FOR_PEERS);
}

void config_settle_proxy(struct config *c)
{
	CHECK_OBJ(c, CONFIG_MAGIC);
	if (config_proxied(c, PROXY_FOR_DHT))
		c->dht_enabled = false;
	if (config_lets_in(c))
		return;
	c->peers_lsd = false;
	c->portmap_enabled = false;
}
