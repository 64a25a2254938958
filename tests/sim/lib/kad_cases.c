/* SPDX-License-Identifier: MIT */
/* What has to hold in a network of DHT nodes, of whatever size. */
#include <stdlib.h>

#include "tests/sim/lib/kad_net.h"
#include "tests/sim/lib/sim.h"

#define LOOKS   40u
#define FINDERS 10u

struct kad_net_config kad_net_usual(struct sim *s, unsigned nodes)
{
	struct kad_net_config c = {
		.seed = sim_below(s, UINT32_MAX), .nodes = nodes, .loss = 20, .new_nodes = 100};
	struct rng rng;

	rng_seed(&rng, c.seed + 1);
	c.target = kad_id_random(&rng);
	return c;
}

static int by_size(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* How many nodes a lookup asks, the median of many; 0: one did not end. */
static unsigned typical_look(struct sim *s, unsigned nodes)
{
	struct kad_net_config c = kad_net_usual(s, nodes);
	struct kad_net *w = kad_net_new(&c);
	unsigned asked[LOOKS], slow = 0;
	struct kad_net_look look;
	struct rng rng;

	rng_seed(&rng, c.seed);
	kad_net_run(w, 600 * SEC);
	for (unsigned i = 0; i < LOOKS; i++) {
		struct kad_id target = kad_id_random(&rng);

		if (!kad_net_look(w, kad_net_random(w, nodes), &target, &look)) {
			kad_net_free(&w);
			return 0;
		}
		asked[i] = look.questions;
		slow += look.took > 5 * SEC;
	}
	qsort(asked, LOOKS, sizeof *asked, by_size);
	sim_note("%u nodes: a lookup asks %u nodes, at most %u; %u of %u took over 5 s; %.1f M "
		 "datagrams",
		nodes, asked[LOOKS / 2], asked[LOOKS - 1], slow, LOOKS,
		(double)kad_net_datagrams(w) / 1e6);
	kad_net_free(&w);
	return asked[LOOKS / 2];
}

void kad_grows(struct sim *s, unsigned few, unsigned many)
{
	unsigned of_few = typical_look(s, few), of_many = typical_look(s, many);
	unsigned hops = 0;

	while (few << hops < many)
		hops++;
	EXPECT(s, of_few > 0 && of_many > 0, "a lookup did not end");
	/* Each doubling costs at most the answers of one more hop. */
	EXPECT(s, of_many <= of_few + 4 * hops, "%u nodes are asked among %u, %u among %u", of_few,
		few, of_many, many);
	EXPECT(s, of_many <= 60, "a lookup asks %u nodes", of_many);
}

void kad_finds(struct sim *s, const struct kad_net_config *c)
{
	struct kad_net *w = kad_net_new(c);
	unsigned announcer, finder[FINDERS], found = 0, quick = 0;
	struct endpoint at;

	kad_net_run(w, 300 * SEC);
	announcer = kad_net_join(w);
	at = kad_net_at(w, announcer);
	kad_net_run(w, 60 * SEC);
	kad_torrent(kad_net_node(w, announcer), &c->target, (struct kad_wish){.announce = true},
		kad_net_now(w));
	kad_net_run(w, 1800 * SEC);
	for (unsigned i = 0; i < FINDERS; i++)
		finder[i] = kad_net_join(w);
	kad_net_run(w, 30 * SEC);
	for (unsigned i = 0; i < FINDERS; i++) {
		struct kad_net_look look;

		kad_net_forget(w, finder[i]);
		EXPECT(s, kad_net_look(w, finder[i], &c->target, &look), "a lookup did not end");
		found += kad_net_has_found(w, finder[i], &at);
		quick += look.took < 10 * SEC;
	}
	sim_note("%u of %u find it, %u within 10 s; %.1f M datagrams", found, FINDERS, quick,
		(double)kad_net_datagrams(w) / 1e6);
	kad_net_free(&w);
	EXPECT(s, found == FINDERS, "%u of %u have found it", found, FINDERS);
}
