/* SPDX-License-Identifier: MIT */
/* An announcement in the local network: what was read is bounded, and can be said again. */
#include "proto/lsd/lsd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lsd_message m, again;
	uint8_t out[LSD_DATAGRAM];
	size_t n;

	if (!btsearch_parse((struct slice){data, size}, &m))
		return 0;
	must(m.port != 0 && m.n > 0 && m.n <= LSD_HASHES && strlen(m.cookie) < sizeof m.cookie);
	n = btsearch_build(out, size & 1, &m);
	must(btsearch_parse((struct slice){out, n}, &again));
	must(again.port == m.port && again.n == m.n && strcmp(again.cookie, m.cookie) == 0);
	must(memcmp(again.infohash, m.infohash, m.n * sizeof m.infohash[0]) == 0);
	return 0;
}
