/* SPDX-License-Identifier: MIT */
/*
 * Endpoints: families, kinds of address, compact forms and canonical priority.
 *
 * The kinds of address are a table of prefixes: IANA's special-purpose registries are one, too.
 */
#include "proto/base/endpoint.h"

#include "proto/base/crc32c.h"
#include "proto/base/rng.h"

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool endpoint_is_v4(const struct endpoint *e)
{
	return memcmp(e->ip, v4_prefix, sizeof v4_prefix) == 0;
}

const uint8_t *endpoint_v4_bytes(const struct endpoint *e)
{
	return e->ip + sizeof v4_prefix;
}

bool endpoint_same_ip(const struct endpoint *a, const struct endpoint *b)
{
	return memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && endpoint_same_ip(a, b);
}

int endpoint_compare(const struct endpoint *a, const struct endpoint *b)
{
	int c = memcmp(a->ip, b->ip, sizeof a->ip);

	return c != 0 ? c : (int)a->port - (int)b->port;
}

uint64_t endpoint_hash(const struct endpoint *e, uint64_t seed)
{
	uint64_t hi, lo;

	memcpy(&hi, e->ip, sizeof hi);
	memcpy(&lo, e->ip + 8, sizeof lo);
	return splitmix(splitmix(splitmix(seed ^ hi) ^ lo) + seed + e->port);
}

struct endpoint endpoint_from_v4(const uint8_t ip[4], uint16_t port)
{
	struct endpoint e = {.port = port};

	memcpy(e.ip, v4_prefix, sizeof v4_prefix);
	memcpy(e.ip + sizeof v4_prefix, ip, 4);
	return e;
}

struct endpoint endpoint_from_v6(const uint8_t ip[16], uint16_t port)
{
	struct endpoint e = {.port = port};

	memcpy(e.ip, ip, sizeof e.ip);
	return e;
}

/* --- kinds of address --- */

enum kind {
	KIND_UNSPECIFIED = 1,
	KIND_LOOPBACK = 2,
	KIND_LAN = 4,
	KIND_MULTICAST = 8,
	KIND_RESERVED = 16,
};

/* Of IPv4 the prefix and its bits count from the address's own first byte. */
static const struct special {
	uint8_t v4, bits, kind, prefix[16];
} specials[] = {
	{1, 32, KIND_UNSPECIFIED, {0}},
	{1, 8, KIND_RESERVED, {0}},
	{1, 8, KIND_LAN, {10}},
	{1, 10, KIND_RESERVED, {100, 64}}, /* shared by carriers' translators */
	{1, 8, KIND_LOOPBACK, {127}},
	{1, 16, KIND_LAN, {169, 254}},
	{1, 12, KIND_LAN, {172, 16}},
	{1, 24, KIND_RESERVED, {192, 0, 0}},
	{1, 24, KIND_RESERVED, {192, 0, 2}},
	{1, 16, KIND_LAN, {192, 168}},
	{1, 15, KIND_RESERVED, {198, 18}},
	{1, 24, KIND_RESERVED, {198, 51, 100}},
	{1, 24, KIND_RESERVED, {203, 0, 113}},
	{1, 4, KIND_MULTICAST, {224}},
	{1, 4, KIND_RESERVED, {240}},
	{0, 128, KIND_UNSPECIFIED, {0}},
	{0, 128, KIND_LOOPBACK, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
	{0, 8, KIND_RESERVED, {0}},
	{0, 64, KIND_RESERVED, {0x01}},
	{0, 32, KIND_RESERVED, {0x20, 0x01, 0x0d, 0xb8}},
	{0, 7, KIND_LAN, {0xfc}},
	{0, 10, KIND_LAN, {0xfe, 0x80}},
	{0, 10, KIND_RESERVED, {0xfe, 0xc0}},
	{0, 8, KIND_MULTICAST, {0xff}},
};

static bool prefix_matches(const uint8_t *ip, const uint8_t *prefix, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(ip, prefix, whole) != 0)
		return false;
	return rest == 0 || (ip[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

/* All kinds whose prefix the address has; 0: it is global. */
static unsigned kinds_of(const struct endpoint *e)
{
	bool v4 = endpoint_is_v4(e);
	const uint8_t *ip = v4 ? endpoint_v4_bytes(e) : e->ip;
	unsigned kinds = 0;

	for (size_t i = 0; i < ARRAY_LEN(specials); i++)
		if (specials[i].v4 == v4 &&
			prefix_matches(ip, specials[i].prefix, specials[i].bits))
			kinds |= specials[i].kind;
	return kinds;
}

bool endpoint_is_unspecified(const struct endpoint *e)
{
	return kinds_of(e) & KIND_UNSPECIFIED;
}

bool endpoint_is_loopback(const struct endpoint *e)
{
	return kinds_of(e) & KIND_LOOPBACK;
}

bool endpoint_is_private_lan(const struct endpoint *e)
{
	return kinds_of(e) & KIND_LAN;
}

bool endpoint_is_privileged(const struct endpoint *e)
{
	return e->port < 1024 && e->port != 80 && e->port != 443;
}

bool endpoint_is_multicast(const struct endpoint *e)
{
	return kinds_of(e) & KIND_MULTICAST;
}

bool endpoint_is_global(const struct endpoint *e)
{
	return kinds_of(e) == 0;
}

/* --- compact forms --- */

bool endpoint_read_compact4(struct rd *r, struct endpoint *out)
{
	const uint8_t *p = rd_take(r, 6);

	if (p == NULL)
		return false;
	*out = endpoint_from_v4(p, (uint16_t)(p[4] << 8 | p[5]));
	return true;
}

bool endpoint_read_compact6(struct rd *r, struct endpoint *out)
{
	const uint8_t *p = rd_take(r, 18);

	if (p == NULL)
		return false;
	*out = endpoint_from_v6(p, (uint16_t)(p[16] << 8 | p[17]));
	return true;
}

static void write_compact(struct wr *w, const uint8_t *ip, size_t n, uint16_t port)
{
	uint8_t *p = wr_room(w, n + 2);

	if (p == NULL)
		return;
	memcpy(p, ip, n);
	p[n] = (uint8_t)(port >> 8);
	p[n + 1] = (uint8_t)port;
}

void endpoint_write_compact4(struct wr *w, const struct endpoint *e)
{
	must(endpoint_is_v4(e));
	write_compact(w, endpoint_v4_bytes(e), 4, e->port);
}

void endpoint_write_compact6(struct wr *w, const struct endpoint *e)
{
	write_compact(w, e->ip, 16, e->port);
}

/* --- BEP 40 --- */

/*
 * Keeps the leading bytes whole and every other bit of the rest: at least `base` bytes, and one
 * more than what both addresses have in common from there on.
 */
static void mask_pair(uint8_t *a, uint8_t *b, size_t n, size_t base)
{
	size_t whole = 0;

	while (whole < n && a[whole] == b[whole])
		whole++;
	whole = whole < base ? base : whole + 1;
	for (size_t i = whole; i < n; i++) {
		a[i] &= 0x55;
		b[i] &= 0x55;
	}
}

static uint32_t crc_of_ports(uint16_t a, uint16_t b)
{
	uint16_t lo = MIN(a, b), hi = MAX(a, b);
	uint8_t buf[4] = {(uint8_t)(lo >> 8), (uint8_t)lo, (uint8_t)(hi >> 8), (uint8_t)hi};

	return crc32c(buf, sizeof buf);
}

uint32_t endpoint_priority(const struct endpoint *a, const struct endpoint *b)
{
	bool v4 = endpoint_is_v4(a) && endpoint_is_v4(b);
	size_t n = v4 ? 4 : 16;
	uint8_t x[16], y[16], buf[32];

	if (endpoint_same_ip(a, b))
		return crc_of_ports(a->port, b->port);
	memcpy(x, v4 ? endpoint_v4_bytes(a) : a->ip, n);
	memcpy(y, v4 ? endpoint_v4_bytes(b) : b->ip, n);
	mask_pair(x, y, n, v4 ? 2 : 6);
	bool x_first = memcmp(x, y, n) <= 0;
	memcpy(buf, x_first ? x : y, n);
	memcpy(buf + n, x_first ? y : x, n);
	return crc32c(buf, 2 * n);
}
