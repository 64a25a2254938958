/* SPDX-License-Identifier: MIT */
/*
 * A network of DHT nodes: lookups stay short as it grows, and what was announced is found after
 * half an hour of coming and going, among liars, and behind a crowd as large as the network itself.
 */
#include "tests/sim/lib/kad_net.h"
#include "tests/sim/lib/sim.h"

static void grows(struct sim *s)
{
	kad_grows(s, 125, 1000);
}

static void churns(struct sim *s)
{
	struct kad_net_config c = kad_net_usual(s, 500);

	c.churn = 0.5;
	c.liars = 20;
	kad_finds(s, &c);
}

static void crowd(struct sim *s)
{
	struct kad_net_config c = kad_net_usual(s, 1000);

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
