/* SPDX-License-Identifier: MIT */
/* A blocklist of any bytes; its first byte says how many of the lines are taken as allowed, too. */
#include "proto/blocklist/blocklist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blocklist_maker *m = blocklist_maker_new();
	struct blocklist_report r;
	const struct blocklist *l;
	struct endpoint e = {{0}, 1};
	char line[128];
	size_t n = size > 0 ? MIN(size - 1, (size_t)MIN(data[0], 127)) : 0;
	enum err err;

	if (size == 0) {
		blocklist_maker_free(&m);
		return 0;
	}
	memcpy(line, data + 1, n);
	line[n] = '\0';
	(void)blocklist_allow(m, line);
	err = blocklist_add(m, data + 1, size - 1, &r);
	must(err != E_OK || r.ranges > 0);
	l = blocklist_make(&m, 0);
	must(blocklist_ranges(l) <= 2 * (size_t)r.ranges + 2);
	for (size_t i = 0; i + 16 <= size && i < 512; i += 16) {
		memcpy(e.ip, data + i, 16);
		(void)blocklist_refuses(l, &e);
	}
	blocklist_unref(&l);
	return 0;
}
