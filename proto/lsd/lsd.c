/* SPDX-License-Identifier: MIT */
/* Announcements in the local network, read and written (BEP 14). */
#include "proto/lsd/lsd.h"

#include "proto/base/encode.h"

#define VERB "BT-SEARCH "

/* --- in --- */

/* Takes a line off the front, without its end. */
static struct slice take_line(struct slice *text)
{
	const uint8_t *end = memchr(text->p, '\n', text->n);
	size_t n = end != NULL ? (size_t)(end - text->p) : text->n;
	struct slice line = {text->p, n};

	text->p += n;
	text->n -= n;
	if (end != NULL) {
		text->p++;
		text->n--;
	}
	while (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool is_named(struct slice name, const char *want)
{
	return name.n == strlen(want) && strncasecmp((const char *)name.p, want, name.n) == 0;
}

static uint16_t read_port(struct slice s)
{
	uint32_t v = 0;

	if (s.n == 0 || s.n > 5)
		return 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
		v = v * 10 + (uint32_t)(s.p[i] - '0');
	}
	return v <= UINT16_MAX ? (uint16_t)v : 0;
}

static void read_infohash(struct slice s, struct lsd_message *out)
{
	if (out->n < LSD_HASHES && s.n == 40 &&
		hex_decode((const char *)s.p, s.n, out->infohash[out->n], 20))
		out->n++;
}

static void read_cookie(struct slice s, struct lsd_message *out)
{
	size_t n = MIN(s.n, sizeof out->cookie - 1);

	for (size_t i = 0; i < n; i++)
		out->cookie[i] = s.p[i] > ' ' && s.p[i] < 0x7f ? (char)s.p[i] : '?';
	out->cookie[n] = '\0';
}

static void read_header(struct slice line, struct lsd_message *out)
{
	const uint8_t *colon = memchr(line.p, ':', line.n);
	struct slice name, value;

	if (colon == NULL)
		return;
	name = slice_trim((struct slice){line.p, (size_t)(colon - line.p)});
	value = slice_trim((struct slice){colon + 1, line.n - (size_t)(colon + 1 - line.p)});
	if (is_named(name, "port"))
		out->port = read_port(value);
	else if (is_named(name, "infohash"))
		read_infohash(value, out);
	else if (is_named(name, "cookie"))
		read_cookie(value, out);
}

bool btsearch_parse(struct slice datagram, struct lsd_message *out)
{
	struct slice line = take_line(&datagram);

	memset(out, 0, sizeof *out);
	if (line.n < strlen(VERB) || memcmp(line.p, VERB, strlen(VERB)) != 0)
		return false;
	while (datagram.n > 0) {
		line = take_line(&datagram);
		if (line.n == 0)
			break;
		read_header(line, out);
	}
	return out->port != 0 && out->n > 0;
}

/* --- out --- */

size_t btsearch_build(uint8_t out[LSD_DATAGRAM], bool v6, const struct lsd_message *m)
{
	struct wr w = wr_of(out, LSD_DATAGRAM);

	must(m->n > 0 && m->n <= LSD_HASHES && m->port != 0);
	wr_text(&w, "BT-SEARCH * HTTP/1.1\r\nHost: ");
	wr_text(&w, v6 ? "[" LSD_GROUP6 "]:" : LSD_GROUP4 ":");
	wr_decimal(&w, LSD_PORT);
	wr_text(&w, "\r\nPort: ");
	wr_decimal(&w, m->port);
	for (unsigned i = 0; i < m->n; i++) {
		char hex[41];

		hex_encode(m->infohash[i], 20, hex);
		wr_text(&w, "\r\nInfohash: ");
		wr_text(&w, hex);
	}
	if (m->cookie[0] != '\0') {
		wr_text(&w, "\r\ncookie: ");
		wr_text(&w, m->cookie);
	}
	wr_text(&w, "\r\n\r\n\r\n");
	must(!w.full);
	return (size_t)(w.p - out);
}
