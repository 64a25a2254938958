/* SPDX-License-Identifier: MIT */
/* Strangers' words made safe to show: one pass, one character at a time. */
#include "proto/base/text.h"

#include "proto/base/utf8.h"

size_t text_sanitise(char *out, size_t n, struct slice in)
{
	size_t len = 0, at = 0;

	must(n > 0);
	while (at < in.n) {
		uint32_t cp = 0;
		unsigned k = utf8_decode(in.p + at, in.n - at, &cp);
		size_t need = k == 0 ? 1 : k;
		bool hidden = k > 0 && (utf8_is_control(cp) || utf8_is_direction_mark(cp));

		if (hidden)
			need = 1;
		if (need > n - 1 - len)
			break;
		if (k == 0 || hidden)
			out[len] = k == 0 ? '?' : ' ';
		else
			memcpy(out + len, in.p + at, k);
		len += need;
		at += k == 0 ? 1 : k;
	}
	out[len] = '\0';
	return len;
}
