/* SPDX-License-Identifier: MIT */
/*
 * A mapper under a plan: each datagram of the input is a control byte (bit 0: patched so that it
 * answers what is under way, bits 1 to 7: seconds that pass, squared), a length and that many
 * bytes.
 */
#include "proto/portmap/mapper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the mapper looks for in an answer, as it asked. */
static void patch(const uint8_t *asked, size_t asked_n, uint8_t *in, size_t n)
{
	if (n < 2)
		return;
	in[0] = asked[0];
	in[1] = (uint8_t)(0x80 | asked[1]);
	if (asked_n == PCP_MAP_SIZE && n >= PCP_MAP_SIZE)
		memcpy(in + 24, asked + 24, 18);
	if (asked_n == NATPMP_MAP_SIZE && n >= 10)
		memcpy(in + 8, asked + 4, 2);
}

static void check(const struct mapper *m)
{
	for (unsigned p = 0; p < PCP_PROTOS; p++) {
		must(!m->of[p].held || m->of[p].external != 0);
		must(mapper_words(m, (enum pcp_proto)p) != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t ip[4] = {10, 0, 0, 2};
	struct mapper_conf conf = {.local = endpoint_from_v4(ip, 6681), .lease = 3600};
	uint8_t asked[PCP_MAP_SIZE] = {0}, in[255];
	struct rd rd = rd_of(data, size);
	size_t asked_n = 0, sent;
	int64_t now = USEC_PER_SEC;
	struct mapper m;
	struct rng rng;

	rng_seed(&rng, 1);
	mapper_init(&m, &conf, &rng, now);
	while (rd_left(&rd) > 0) {
		uint8_t control = rd_u8(&rd);
		uint8_t length = rd_u8(&rd);
		size_t n = MIN(length, rd_left(&rd));
		const uint8_t *p = rd_take(&rd, n);

		now += (int64_t)(control >> 1) * (control >> 1) * USEC_PER_SEC;
		for (unsigned i = 0; (sent = mapper_send(&m, now, asked)) > 0; i++) {
			asked_n = sent;
			must(i < 20);
		}
		must(mapper_deadline(&m) > now);
		if (p != NULL && n > 0)
			memcpy(in, p, n);
		if (control & 1)
			patch(asked, asked_n, in, n);
		mapper_take(&m, in, n, now);
		check(&m);
	}
	mapper_stop(&m);
	for (unsigned i = 0; !mapper_released(&m); i++) {
		(void)mapper_send(&m, now, asked);
		now += USEC_PER_SEC;
		must(i < 60);
	}
	return 0;
}
