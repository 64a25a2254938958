/* SPDX-License-Identifier: MIT */
/*
 * Trackers of private torrents know people by a key in their address: /announce/0123abc..., or
 * ?passkey=0123abc...  It is long, and random.
 */
#include "proto/meta/metainfo.h"

#define KEY_MIN 16u /* characters; words of addresses are shorter, or have no digits within */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Letters and digits in turn, as often as chance makes them and no name does. */
static bool is_random(const char *p, size_t n)
{
	unsigned changes = 0;

	for (size_t i = 1; i < n; i++)
		changes += is_letter(p[i - 1]) != is_letter(p[i]);
	return n >= KEY_MIN && changes >= 4;
}

static bool url_has_key(const char *url)
{
	const char *p = strstr(url, "://");
	size_t n;

	p = p != NULL ? p + 3 : url;
	for (p += strcspn(p, "/?"); *p != '\0'; p += n + (p[n] != '\0')) {
		for (n = 0; is_letter(p[n]) || is_digit(p[n]);)
			n++;
		if (is_random(p, n))
			return true;
	}
	return false;
}

bool metainfo_has_passkey(const struct metainfo *m)
{
	CHECK_OBJ(m, METAINFO_MAGIC);
	for (uint32_t i = 0; i < m->tiers_n; i++)
		for (uint32_t k = 0; k < m->tiers[i].urls_n; k++)
			if (url_has_key(m->tiers[i].urls[k]))
				return true;
	return false;
}
