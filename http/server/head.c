/* SPDX-License-Identifier: MIT */
/* The head of a request: its headers by name, and whether everybody reads it alike. */
#include "http/server/head.h"

#include <strings.h>

const char *head_get(const struct head *h, const char *name, unsigned *times)
{
	const char *value = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < h->n; i++)
		if (strcasecmp(h->fields[i].name, name) == 0) {
			value = h->fields[i].value;
			n++;
		}
	if (times != NULL)
		*times = n;
	return n == 1 ? value : NULL;
}

bool head_has_prefix(const struct head *h, const char *prefix)
{
	for (unsigned i = 0; i < h->n; i++)
		if (strncasecmp(h->fields[i].name, prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

/* --- form --- */

/* RFC 9110, 5.6.2. */
static bool is_token(const char *s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (!(*s >= '0' && *s <= '9') && !(*s >= 'a' && *s <= 'z') &&
			!(*s >= 'A' && *s <= 'Z') && strchr(others, *s) == NULL)
			return false;
	return true;
}

/* No control character but the tab. */
static bool is_clean(const char *s)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

/* Each line lies right behind the one before, with CR and LF between them, to the last byte. */
static const char *check_lines(const struct head *h)
{
	const char *end = h->version + strlen(h->version);

	if (h->uri != h->method + strlen(h->method) + 1 || h->version != h->uri + h->uri_n + 1)
		return "the request line is not one of method, target and version";
	for (unsigned i = 0; i < h->n; i++) {
		const struct head_field *f = &h->fields[i];

		if (f->name != end + 2)
			return "a line of the header is folded, or does not end with CR LF";
		end = f->value + strlen(f->value);
	}
	if (end + 4 != h->method + h->size)
		return "a line of the header has no name, or does not end with CR LF";
	return NULL;
}

static const char *check_fields(const struct head *h)
{
	static const char *const framing[] = {"Content-Length", "Transfer-Encoding", "Host"};

	for (unsigned i = 0; i < h->n; i++) {
		const struct head_field *f = &h->fields[i];

		if (!is_token(f->name))
			return "the name of a header is no token";
		if (!is_clean(f->value))
			return "a header has a control character";
		for (size_t k = 0; k < ARRAY_LEN(framing); k++)
			if (strncasecmp(f->name, framing[k], strlen(framing[k])) == 0 &&
				f->name[strlen(framing[k])] != '\0')
				return "a header has nearly the name of one that frames the body";
	}
	return NULL;
}

/* --- where the body ends --- */

static bool only_digits(const char *s)
{
	return *s != '\0' && s[strspn(s, "0123456789")] == '\0';
}

static const char *check_framing(const struct head *h)
{
	unsigned te_n, cl_n, host_n;
	const char *te = head_get(h, "Transfer-Encoding", &te_n);
	const char *cl = head_get(h, "Content-Length", &cl_n);

	head_get(h, "Host", &host_n);
	if (te_n > 1 || (te != NULL && strcasecmp(te, "chunked") != 0))
		return "Transfer-Encoding may only be chunked";
	if (te_n > 0 && cl_n > 0)
		return "Transfer-Encoding and Content-Length together are ambiguous";
	if (te_n > 0 && strcmp(h->version, "HTTP/1.1") != 0)
		return "Transfer-Encoding needs HTTP/1.1";
	if (cl_n > 1)
		return "more than one Content-Length";
	if (cl != NULL && !only_digits(cl))
		return "Content-Length is not a number";
	if (host_n > 1)
		return "more than one Host header";
	if (host_n == 0)
		return "no Host header";
	return NULL;
}

const char *head_is_plain(const struct head *h)
{
	const char *why = h->overflow ? "too many headers" : check_fields(h);

	if (why == NULL)
		why = check_lines(h);
	return why != NULL ? why : check_framing(h);
}
