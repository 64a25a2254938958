/* SPDX-License-Identifier: MIT */
/* The answers of a proxy: what is asked for is bounded, and an end is an end. */
#include "proto/proxy/dial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct endpoint to = {.ip = {[15] = 1}, .port = 6881};
	enum proxy_step step = PROXY_MORE;
	struct proxy_dial d;
	size_t n;

	if (size < 1)
		return 0;
	proxy_dial_begin(
		&d, data[0] & 1 ? PROXY_SOCKS5 : PROXY_HTTP, data[0] & 2 ? "me" : "", "pw", &to);
	for (size_t i = 1; i < size && step == PROXY_MORE; i += n) {
		must(d.out_n <= sizeof d.out && proxy_dial_room(&d) > 0 &&
			proxy_dial_room(&d) <= 300);
		if (data[0] & 4)
			proxy_dial_sent(&d, d.out_n);
		n = MIN(proxy_dial_room(&d), size - i);
		step = proxy_dial_input(&d, data + i, n);
	}
	must(step == PROXY_MORE || proxy_dial_room(&d) == 0);
	must(step != PROXY_REFUSED || d.err != E_OK);
	return 0;
}
