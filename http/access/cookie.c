/* SPDX-License-Identifier: MIT */
/*
 * The cookie that keeps a browser logged in.
 *
 * Browsers send a cookie to every port of the host, so the port is part of the name: two daemons on
 * one machine do not log each other out.
 */
#include "http/access/cookie.h"

#include <stdio.h>

#define NAME_MAX_ 32

static void write_name(char name[NAME_MAX_], int port)
{
	int n = snprintf(name, NAME_MAX_, "torrentd-%d", port);

	must(n > 0 && n < NAME_MAX_);
}

bool cookie_find(const char *header, int port, char *out, size_t size)
{
	char name[NAME_MAX_];

	write_name(name, port);
	return cookie_named(header, name, out, size);
}

bool cookie_named(const char *header, const char *name, char *out, size_t size)
{
	size_t name_n = strlen(name);

	for (;;) {
		size_t n;

		header += strspn(header, " \t;");
		if (*header == '\0')
			return false;
		n = strcspn(header, ";");
		if (n > name_n && memcmp(header, name, name_n) == 0 && header[name_n] == '=') {
			n -= name_n + 1;
			if (n == 0 || n >= size)
				return false;
			memcpy(out, header + name_n + 1, n);
			out[n] = '\0';
			return true;
		}
		header += n;
	}
}

/* Strict: no page of another site makes a browser send it, not even by a link. */
void cookie_set(char out[COOKIE_MAX], const struct cookie *c)
{
	char name[NAME_MAX_];
	int n;

	write_name(name, c->port);
	n = snprintf(out, COOKIE_MAX, "%s=%s; Path=%s; HttpOnly; SameSite=Strict; Max-Age=%lld%s",
		name, c->secret != NULL ? c->secret : "", c->base[0] != '\0' ? c->base : "/",
		c->secret != NULL ? (long long)c->seconds : 0ll, c->https ? "; Secure" : "");
	must(n > 0 && n < (int)COOKIE_MAX);
}
