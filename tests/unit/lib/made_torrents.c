/* SPDX-License-Identifier: MIT */
/* Torrents made to measure. */
#include "tests/unit/lib/made_torrents.h"

char *made_bytes(const char *name, unsigned pieces, size_t *n)
{
	size_t room = 256 + strlen(name) + (size_t)pieces * 20;
	char *out = malloc(room), *p = out;

	assert_non_null(out);
	p += snprintf(p, room,
		"d8:announce10:http://t/a4:infod6:lengthi%llue4:name%zu:%s"
		"12:piece lengthi%ue6:pieces%u:",
		(unsigned long long)MADE_PIECE_LENGTH * (pieces - 1) + 1, strlen(name), name,
		MADE_PIECE_LENGTH, pieces * 20);
	memset(p, 'h', (size_t)pieces * 20);
	p += (size_t)pieces * 20;
	memcpy(p, "ee", 2);
	*n = (size_t)(p + 2 - out);
	return out;
}

struct metainfo *made_meta(const char *name, unsigned pieces)
{
	struct metainfo *m = NULL;
	size_t n;
	char *bytes = made_bytes(name, pieces, &n);

	assert_int_equal(metainfo_parse(bytes, n, &m, NULL), E_OK);
	free(bytes);
	return m;
}
