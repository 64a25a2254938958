/* SPDX-License-Identifier: MIT */
/* Counting places by address: one pass over a table of counts, for each of the two levels. */
#include "actors/peers/crowd.h"

/* What addresses are counted by: the first bytes of them. */
struct key {
	uint8_t bytes[16];
};

static struct key key_of(const struct endpoint *e, size_t v4_bytes)
{
	struct key k = {{0}};

	memcpy(k.bytes, e->ip, endpoint_is_v4(e) ? v4_bytes : 8);
	return k;
}

static bool same_key(const struct key *a, const struct key *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

bool crowd_same_host(const struct endpoint *a, const struct endpoint *b)
{
	struct key x = key_of(a, 16), y = key_of(b, 16);

	return same_key(&x, &y);
}

/* Counts by key: open addressing, twice as large as what goes in. */
struct counts {
	struct count {
		struct key key;
		unsigned n;
	} * v; /* owned */
	size_t mask;
};

static struct count *count_of(const struct counts *t, const struct key *k)
{
	uint64_t a, b;

	memcpy(&a, k->bytes, 8);
	memcpy(&b, k->bytes + 8, 8);
	a = (a ^ b * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xC2B2AE3D27D4EB4F);
	for (size_t i = (size_t)(a >> 32) & t->mask;; i = (i + 1) & t->mask)
		if (t->v[i].n == 0 || same_key(&t->v[i].key, k))
			return &t->v[i];
}

/* Of those in `among` (NULL: all): the key that most have, and how many that are. */
static unsigned most_of(
	const struct endpoint *at, unsigned n, const bool *among, size_t v4_bytes, struct key *most)
{
	struct counts t = {.mask = 15};
	unsigned best = 0;

	while (t.mask < 2 * (size_t)n)
		t.mask = 2 * t.mask + 1;
	t.v = xcalloc(t.mask + 1, sizeof *t.v);
	for (unsigned i = 0; i < n; i++) {
		struct key k = key_of(&at[i], v4_bytes);
		struct count *c = count_of(&t, &k);

		if (among != NULL && !among[i])
			continue;
		c->key = k;
		if (++c->n > best) {
			best = c->n;
			*most = k;
		}
	}
	xfree(t.v);
	return best;
}

static unsigned mark(
	const struct endpoint *at, unsigned n, const struct key *k, size_t v4_bytes, bool *out)
{
	unsigned marked = 0;

	for (unsigned i = 0; i < n; i++) {
		struct key of = key_of(&at[i], v4_bytes);

		out[i] = same_key(&of, k);
		marked += out[i];
	}
	return marked;
}

bool crowd_find(const struct endpoint *at, unsigned n, const struct endpoint *newcomer, bool *out)
{
	struct key net = key_of(newcomer, 15), host = key_of(newcomer, 16), most = {{0}};
	bool *near = xcalloc(n + 1, sizeof *near);
	unsigned own = mark(at, n, &net, 15, near), m = most_of(at, n, NULL, 15, &most);
	bool found = m >= own + 2;

	if (found) {
		mark(at, n, &most, 15, out);
	} else if (own > 0) {
		m = most_of(at, n, near, 16, &most);
		own = mark(at, n, &host, 16, near);
		found = m >= own + 2;
		if (found)
			mark(at, n, &most, 16, out);
	}
	xfree(near);
	return found;
}
