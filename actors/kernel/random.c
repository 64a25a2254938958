/* SPDX-License-Identifier: MIT */
/* Random bytes from getrandom(2). */
#include "actors/kernel/random.h"

#include <errno.h>
#include <sys/random.h>

void random_bytes(void *out, size_t n)
{
	uint8_t *p = out;

	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0) {
			must(errno == EINTR);
			continue;
		}
		p += got;
		n -= (size_t)got;
	}
}

uint64_t random_u64(void)
{
	uint64_t v;

	random_bytes(&v, sizeof v);
	return v;
}
