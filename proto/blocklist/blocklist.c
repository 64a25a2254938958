/* SPDX-License-Identifier: MIT */
/* The finished list: who uses it, and whether an address is in it. */
#include <stdatomic.h>

#include "proto/base/bytes.h"
#include "proto/blocklist/priv.h"

#define BLOCKLIST_MAGIC 0x424c4f43u

struct v4_range {
	uint32_t lo, hi;
};

struct blocklist {
	uint32_t magic;
	atomic_uint users;
	atomic_uint_fast64_t refusals;
	uint32_t v4_n, v6_n;
	struct v4_range *v4;        /* owned */
	struct blocklist_range *v6; /* owned */
};

blocklist_ip blocklist_ip_of(const struct endpoint *e)
{
	blocklist_ip ip = 0;

	for (unsigned i = 0; i < 16; i++)
		ip = ip << 8 | e->ip[i];
	return ip;
}

const struct blocklist *blocklist_of(const struct blocklist_set *s, uint64_t refusals)
{
	struct blocklist *l;
	uint32_t v4 = 0, v6 = 0;

	ALLOC_OBJ(l, BLOCKLIST_MAGIC);
	atomic_init(&l->users, 1);
	atomic_init(&l->refusals, refusals);
	for (uint32_t i = 0; i < s->n; i++)
		l->v4_n += blocklist_is_v4(s->v[i].lo);
	l->v6_n = s->n - l->v4_n;
	l->v4 = xcalloc((size_t)l->v4_n + 1, sizeof *l->v4);
	l->v6 = xcalloc((size_t)l->v6_n + 1, sizeof *l->v6);
	for (uint32_t i = 0; i < s->n; i++)
		if (blocklist_is_v4(s->v[i].lo))
			l->v4[v4++] = (struct v4_range){(uint32_t)s->v[i].lo, (uint32_t)s->v[i].hi};
		else
			l->v6[v6++] = s->v[i];
	return l;
}

const struct blocklist *blocklist_ref(const struct blocklist *list)
{
	struct blocklist *l;

	if (list == NULL)
		return NULL;
	memcpy(&l, &list, sizeof l); /* the count alone changes */
	CHECK_OBJ(l, BLOCKLIST_MAGIC);
	atomic_fetch_add_explicit(&l->users, 1, memory_order_relaxed);
	return list;
}

void blocklist_unref(const struct blocklist **plist)
{
	struct blocklist *l;

	if (*plist == NULL)
		return;
	memcpy(&l, plist, sizeof l);
	*plist = NULL;
	CHECK_OBJ(l, BLOCKLIST_MAGIC);
	if (atomic_fetch_sub_explicit(&l->users, 1, memory_order_acq_rel) > 1)
		return;
	xfree(l->v4);
	xfree(l->v6);
	FREE_OBJ(l);
}

/* The last range that does not begin behind it decides. */
static bool has_v4(const struct blocklist *l, uint32_t ip)
{
	uint32_t lo = 0, hi = l->v4_n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (l->v4[mid].lo <= ip)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && ip <= l->v4[lo - 1].hi;
}

static bool has_v6(const struct blocklist *l, blocklist_ip ip)
{
	uint32_t lo = 0, hi = l->v6_n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (l->v6[mid].lo <= ip)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && ip <= l->v6[lo - 1].hi;
}

bool blocklist_has(const struct blocklist *l, const struct endpoint *e)
{
	if (l == NULL)
		return false;
	CHECK_OBJ(l, BLOCKLIST_MAGIC);
	if (endpoint_is_v4(e))
		return has_v4(l, (uint32_t)blocklist_ip_of(e));
	return l->v6_n > 0 && has_v6(l, blocklist_ip_of(e));
}

bool blocklist_refuses(const struct blocklist *list, const struct endpoint *e)
{
	struct blocklist *l;

	if (!blocklist_has(list, e))
		return false;
	memcpy(&l, &list, sizeof l);
	atomic_fetch_add_explicit(&l->refusals, 1, memory_order_relaxed);
	return true;
}

uint64_t blocklist_refusals(const struct blocklist *l)
{
	CHECK_OBJ(l, BLOCKLIST_MAGIC);
	return atomic_load_explicit(&l->refusals, memory_order_relaxed);
}

uint32_t blocklist_ranges(const struct blocklist *l)
{
	CHECK_OBJ(l, BLOCKLIST_MAGIC);
	return l->v4_n + l->v6_n;
}

size_t blocklist_bytes(const struct blocklist *l)
{
	CHECK_OBJ(l, BLOCKLIST_MAGIC);
	return sizeof *l + l->v4_n * sizeof *l->v4 + l->v6_n * sizeof *l->v6;
}

static void put_ip(struct wr *w, blocklist_ip ip)
{
	wr_u64(w, (uint64_t)(ip >> 64));
	wr_u64(w, (uint64_t)ip);
}

uint8_t *blocklist_pack(const struct blocklist *l, size_t *n)
{
	uint8_t *p;
	struct wr w;

	CHECK_OBJ(l, BLOCKLIST_MAGIC);
	*n = BLOCKLIST_PACKED_HEAD + 8 + (size_t)l->v4_n * 8 + (size_t)l->v6_n * 32;
	p = xcalloc(1, *n);
	w = wr_of(p, *n);
	wr_bytes(&w, BLOCKLIST_PACKED, BLOCKLIST_PACKED_HEAD);
	wr_u32(&w, l->v4_n);
	wr_u32(&w, l->v6_n);
	for (uint32_t i = 0; i < l->v4_n; i++) {
		wr_u32(&w, l->v4[i].lo);
		wr_u32(&w, l->v4[i].hi);
	}
	for (uint32_t i = 0; i < l->v6_n; i++) {
		put_ip(&w, l->v6[i].lo);
		put_ip(&w, l->v6[i].hi);
	}
	return p;
}
