/* SPDX-License-Identifier: MIT */
/*
 * A whole node among strangers: the input is datagrams, each with a control byte and a length.  Of
 * the control byte, bits 0 and 1 say who sends it, bit 2 that it answers the last question (its
 * transaction is put in the place of "tttt"), bits 3 to 7 how much time passes first.
 */
#include "proto/base/bytes.h"
#include "proto/dht/kad.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct kad *kad;
	uint8_t tid[4]; /* of the last question */
	struct endpoint asked;
	bool has_asked;
	size_t query_n; /* of what it answers now; 0: nothing */
	bool known;
};

static void on_send(void *ctx, int via, const struct endpoint *to, const uint8_t *p, size_t n)
{
	struct world *w = ctx;
	struct krpc m;

	must(n > 0 && n <= KRPC_IN_MAX && to->port > 1);
	must(krpc_decode(p, n, &m) == E_OK);
	if (m.kind != KRPC_QUERY) {
		must(via == 3 && w->query_n > 0);
		return;
	}
	must(via == KAD_VIA_ANY && m.tid.n == 4);
	memcpy(w->tid, m.tid.p, 4);
	w->asked = *to;
	w->has_asked = true;
}

static void on_peers(void *ctx, uint64_t tag, const struct endpoint *list, unsigned n)
{
	(void)ctx;
	must(n > 0 && tag == 77);
	for (unsigned i = 0; i < n; i++)
		must(list[i].port > 1);
}

static void on_done(void *ctx, const struct kad_result *r)
{
	(void)ctx;
	must(r->job > 0);
}

static const struct kad_ops ops = {.send = on_send, .peers = on_peers, .done = on_done};

static struct endpoint stranger(unsigned i)
{
	const uint8_t ip[4] = {5, (uint8_t)i, 7, 9};

	return endpoint_from_v4(ip, (uint16_t)(6881 + i));
}

static void begin(struct world *w)
{
	const struct kad_config c = {
		.out_rate = 100000, .new_nodes = 100, .gate_slots = 64, .port = 6881};
	const uint8_t secret[16] = "a secret";
	const struct kad_id torrent = {{'m', 'n', 'o'}};
	struct kad_job job = {.goal = KAD_GET, .target = torrent};

	*w = (struct world){0};
	w->kad = kad_new(&c, &ops, w, secret, USEC_PER_SEC);
	kad_open(w->kad, KAD_V4, NULL, USEC_PER_SEC);
	for (unsigned i = 0; i < 4; i++) {
		struct endpoint e = stranger(i);

		kad_meet(w->kad, NULL, &e, i == 0 ? KAD_ROUTER : KAD_NAMED, USEC_PER_SEC);
	}
	kad_torrent(w->kad, &torrent,
		(struct kad_wish){.announce = true, .urgent = true, .tag = 77}, USEC_PER_SEC);
	(void)kad_start(w->kad, &job, USEC_PER_SEC);
}

static void feed(struct world *w, uint8_t control, uint8_t *p, size_t n, int64_t now)
{
	struct endpoint from = stranger(control & 3);
	uint8_t *mark = n > 0 ? memmem(p, n, "tttt", 4) : NULL;

	if (control & 4 && w->has_asked) {
		from = w->asked;
		if (mark != NULL)
			memcpy(mark, w->tid, 4);
	}
	w->query_n = n;
	kad_input(w->kad, 3, &from, p, n, now);
	w->query_n = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t pass[] = {
		0, 1000, 50000, 200000, 1000000, 8000000, 60000000, 900000000};
	struct rd rd = rd_of(data, size);
	int64_t now = USEC_PER_SEC;
	struct kad_view v;
	struct world w;

	begin(&w);
	kad_tick(w.kad, now);
	while (rd_left(&rd) > 0) {
		uint8_t control = rd_u8(&rd);
		size_t length = rd_u8(&rd) * (size_t)4, n = MIN(length, rd_left(&rd));
		const uint8_t *p = rd_take(&rd, n);
		uint8_t *own = xmemdup(p, n);

		now += pass[control >> 3 & 7];
		kad_tick(w.kad, now);
		must(kad_deadline(w.kad, now) > 0);
		feed(&w, control, own, n, now);
		xfree(own);
	}
	kad_view(w.kad, &v, now);
	must(v.stored_items <= KAD_ITEMS_MAX);
	kad_free(&w.kad);
	return 0;
}
