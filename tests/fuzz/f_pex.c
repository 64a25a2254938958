/* SPDX-License-Identifier: MIT */
/* A peer exchange message: what was read is bounded and fit to dial, and can be said again. */
#include "proto/wire/pex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void say_again(struct pex_message *m)
{
	uint8_t buf[PEX_BUILD_MAX];
	struct wr w = wr_of(buf, sizeof buf);
	struct pex_message again;

	m->added_n = MIN(m->added_n, PEX_MAX);
	m->dropped_n = MIN(m->dropped_n, PEX_MAX);
	pex_build(&w, m);
	must(!w.full);
	must(pex_parse((struct slice){buf, (size_t)(w.p - buf)}, &again) == E_OK);
	must(again.added_n == m->added_n && again.dropped_n == m->dropped_n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pex_message m;

	if (pex_parse((struct slice){data, size}, &m) != E_OK) {
		must(m.added_n == 0 && m.dropped_n == 0);
		return 0;
	}
	must(m.added_n <= 2 * PEX_FAMILY_MAX && m.dropped_n <= 2 * PEX_FAMILY_MAX);
	for (uint32_t i = 0; i < m.added_n; i++)
		must(m.added[i].at.port > 1 && m.added[i].flags < 0x20);
	for (uint32_t i = 0; i < m.dropped_n; i++)
		must(m.dropped[i].port > 1);
	say_again(&m);
	return 0;
}
