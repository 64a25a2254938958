/* SPDX-License-Identifier: MIT */
/* Heads for the guards: text is cut in place, as microhttpd does it. */
#include "tests/unit/lib/http_world.h"

#include <stdio.h>

static struct endpoint loopback(void)
{
	return endpoint_from_v4((const uint8_t[]){127, 0, 0, 1}, 0);
}

void headworld_init(struct http_world *w)
{
	memset(w, 0, sizeof *w);
	w->config.api_token = "";
	w->config.api_user = "";
	w->config.api_password = "";
	w->facts = (struct facts){
		.config = &w->config, .head = &w->head, .peer = loopback(), .local = loopback()};
}

/* Ends the line at p and returns the next one; NULL: there is none. */
static char *cut_line(char *p, const char *end)
{
	char *lf = memchr(p, '\n', (size_t)(end - p));

	if (lf == NULL)
		return NULL;
	if (lf > p && lf[-1] == '\r')
		lf[-1] = '\0';
	*lf = '\0';
	return lf + 1;
}

static char *cut_word(char *p)
{
	char *space = strchr(p, ' ');

	if (space == NULL)
		return p + strlen(p);
	*space = '\0';
	return space + 1;
}

void headworld_head(struct http_world *w, const char *text, size_t n)
{
	struct head *h = &w->head;
	char *p = w->bytes, *end = p + n, *next;

	must(n < sizeof w->bytes);
	memset(w->bytes, 0, sizeof w->bytes);
	memcpy(p, text, n);
	*h = (struct head){.method = p, .size = n};
	next = cut_line(p, end);
	must(next != NULL);
	h->uri = cut_word(p);
	h->version = cut_word(p + (h->uri - p));
	h->uri_n = strlen(h->uri);
	for (p = next; (next = cut_line(p, end)) != NULL && *p != '\0'; p = next) {
		char *colon = strchr(p, ':');

		if (colon == NULL)
			break;
		*colon = '\0';
		h->overflow = h->n == HEAD_FIELDS;
		if (h->overflow)
			break;
		colon++;
		h->fields[h->n++] = (struct head_field){p, colon + strspn(colon, " \t")};
	}
}

void headworld_get(struct http_world *w, const char *lines)
{
	char text[4000];

	snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s%s\r\n",
		strncmp(lines, "Host:", 5) != 0 ? "Host: 127.0.0.1:8080\r\n" : "", lines);
	headworld_head(w, text, strlen(text));
}

unsigned headworld_enter(struct http_world *w)
{
	struct guard_verdict v;

	guard_enter(&w->facts, &v);
	must((v.status == 0 || v.status == 204) == (v.why[0] == '\0'));
	return v.status;
}

unsigned headworld_change(struct http_world *w)
{
	struct guard_verdict v;

	guard_enter(&w->facts, &v);
	if (v.status == 0)
		guard_change(&w->facts, &v);
	return v.status;
}

struct config_list headworld_list(const char *const *v, unsigned n)
{
	struct config_list list = {.n = n};

	list.v = (void *)(uintptr_t)v;
	return list;
}
