/* SPDX-License-Identifier: MIT */
/*
 * The wire decoder: the first byte seeds how the rest is cut; cut or whole must say the same, every
 * payload must be readable, and what is held must stay within its bound.
 */
#include "proto/base/rng.h"
#include "proto/wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct digest {
	uint64_t sum;
	uint32_t events;
	enum err err;
};

static void mix(struct digest *d, uint64_t v)
{
	d->sum = (d->sum ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	d->sum ^= d->sum >> 29;
}

static void mix_event(struct digest *d, const struct wire_ev *ev)
{
	if (ev->type != WIRE_PIECE_DATA) {
		mix(d, ev->type);
		mix(d, ev->id);
		mix(d, ev->index);
		mix(d, ev->begin);
		mix(d, ev->length);
		d->events++;
	}
	for (size_t i = 0; i < ev->payload.n; i++)
		mix(d, ev->payload.p[i]);
}

static struct digest decode(const uint8_t *p, size_t n, uint32_t max_cut, uint64_t seed)
{
	struct digest d = {0};
	struct wire_dec dec;
	struct rng rng;
	size_t at = 0;

	rng_seed(&rng, seed);
	wire_dec_init(&dec, 16384, 2047, 2048);
	while (at < n && d.err == E_OK) {
		size_t cut = max_cut == 0 ? n : 1 + rng_below(&rng, max_cut);
		size_t end = cut < n - at ? at + cut : n;
		struct wire_ev ev;
		size_t used;

		do {
			d.err = wire_next(&dec, p + at, end - at, &used, &ev);
			must(used <= end - at);
			at += used;
			if (d.err != E_OK)
				break;
			if (ev.type != WIRE_NONE)
				mix_event(&d, &ev);
			else
				must(at == end);
			must(dec.cap <= 2048 && wire_payload_left(&dec) <= 16384);
		} while (ev.type != WIRE_NONE);
	}
	wire_dec_fini(&dec);
	return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_handshake hs;
	struct digest whole, cut;

	if (size == 0)
		return 0;
	whole = decode(data + 1, size - 1, 0, 0);
	cut = decode(data + 1, size - 1, 1, 0);
	must(whole.err == cut.err && whole.sum == cut.sum && whole.events == cut.events);
	cut = decode(data + 1, size - 1, 64, data[0]);
	must(whole.err == cut.err && whole.sum == cut.sum && whole.events == cut.events);
	for (size_t n = 0; n <= MIN(size - 1, 68); n++)
		if (wire_handshake_decode(data + 1, n, &hs) == E_PROTOCOL)
			break;
	return 0;
}
