/* SPDX-License-Identifier: MIT */
/*
 * A network of a thousand DHT nodes: lookups stay short as it grows, and what was announced is
 * found after half an hour of coming and going, among liars, and behind a crowd that hides it.
 */
#include "tests/sim/lib/kad_net.h"
#include "tests/sim/lib/sim.h"

static struct kad_net_config config_of(struct sim *s, unsigned nodes)
{
	struct kad_net_config c = {
		.seed = sim_below(s, UINT32_MAX), .nodes = nodes, .loss = 20, .new_nodes = 100};
	struct rng rng;

	rng_seed(&rng, c.seed + 1);
	c.target = kad_id_random(&rng);
	return c;
}

static void grows(struct sim *s)
{
	kad_grows(s, 125, 1000);
}

static void churns(struct sim *s)
{
	struct kad_net_config c = config_of(s, 1000);

	c.churn = 0.5;
	c.liars = 20;
	kad_finds(s, &c);
}

static void crowd(struct sim *s)
{
	struct kad_net_config c = config_of(s, 1000);

	c.liars = 20;
	c.sybils = 1000;
	kad_finds(s, &c);
}

static const struct sim_case cases[] = {
	{"lookups stay short", grows, 1, false},
	{"churn and liars", churns, 1, false},
	{"a crowd around the target", crowd, 1, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
