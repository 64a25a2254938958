/* SPDX-License-Identifier: MIT */
/* The set of prefixes. */
#include "actors/status/subscribed.h"

#include "proto/base/array.h"

#define BEFORE "torrent/"
#define HASH   40u /* digits */

void subscribed_fini(struct subscribed *w)
{
	xfree(w->list);
	*w = (struct subscribed){0};
}

static int compare(const struct subscribed_prefix *p, const char *text, size_t n)
{
	int order = memcmp(p->text, text, MIN(p->n, n));

	return order != 0 ? order : (int)p->n - (int)n;
}

/* Where it is, or belongs. */
static uint32_t find(const struct subscribed *w, const char *text, size_t n, bool *found)
{
	uint32_t from = 0, to = w->n;

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;

		if (compare(&w->list[mid], text, n) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	*found = from < w->n && compare(&w->list[from], text, n) == 0;
	return from;
}

void subscribed_add(struct subscribed *w, const char *prefix, size_t n)
{
	struct subscribed_prefix p = {.n = (uint8_t)n};
	bool found;
	uint32_t at;

	if (n > SUBSCRIBED_TOPIC)
		return;
	at = find(w, prefix, n, &found);
	if (found)
		return;
	if (w->n == SUBSCRIBED_MAX) {
		w->all = true;
		return;
	}
	memcpy(p.text, prefix, n);
	ARRAY_PUSH(w->list, w->n, w->room, p);
	memmove(w->list + at + 1, w->list + at, (w->n - 1 - at) * sizeof *w->list);
	w->list[at] = p;
	w->lengths |= UINT64_C(1) << n;
}

void subscribed_remove(struct subscribed *w, const char *prefix, size_t n)
{
	bool found;
	uint32_t at;

	if (n > SUBSCRIBED_TOPIC)
		return;
	at = find(w, prefix, n, &found);
	if (!found)
		return;
	memmove(w->list + at, w->list + at + 1, (w->n - 1 - at) * sizeof *w->list);
	if (--w->n > 0)
		return;
	w->lengths = 0;
	w->all = false;
}

bool subscribed_has(const struct subscribed *w, const char *topic, size_t n)
{
	bool found = w->all;

	for (size_t i = 0; !found && i <= MIN(n, SUBSCRIBED_TOPIC); i++)
		if ((w->lengths >> i & 1) != 0)
			(void)find(w, topic, i, &found);
	return found;
}

/* Whether a prefix is one of BEFORE, any 40 characters, "/" and the kind. */
static bool may_be(const struct subscribed_prefix *p, const char *kind)
{
	char end[SUBSCRIBED_TOPIC] = "/";
	size_t before = sizeof BEFORE - 1, rest = before + HASH;

	memcpy(end + 1, kind, MIN(strlen(kind), sizeof end - 2));
	return memcmp(p->text, BEFORE, MIN(p->n, before)) == 0 &&
	       (p->n <= rest || (p->n - rest <= strlen(end) &&
					memcmp(p->text + rest, end, p->n - rest) == 0));
}

bool subscribed_kind(const struct subscribed *w, const char *kind)
{
	bool found = w->all;

	for (uint32_t i = 0; !found && i < w->n; i++)
		found = may_be(&w->list[i], kind);
	return found;
}
