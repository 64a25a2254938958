/* SPDX-License-Identifier: MIT */
/*
 * The network of tests/sim/s_dht.c, ten times larger: lookups stay short, and what was announced is
 * found after half an hour of churn among liars, with a thousand sybils around it.
 */
#include "tests/sim/lib/kad_net.h"
#include "tests/sim/lib/sim.h"

static void grows(struct sim *s)
{
	kad_grows(s, 1000, 10000);
}

static void all_at_once(struct sim *s)
{
	struct kad_net_config c = kad_net_usual(s, 10000);

	c.churn = 0.5;
	c.liars = 20;
	c.sybils = 1000;
	kad_finds(s, &c);
}

static const struct sim_case cases[] = {
	{"lookups stay short", grows, 1, false},
	{"churn, liars and sybils among ten thousand", all_at_once, 1, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
