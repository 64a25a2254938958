/* SPDX-License-Identifier: MIT */
/*
 * Our address as others see it: each says one (BEP 42), and most of them have to say the same.
 *
 * Everybody has one vote a round, a round has fifty votes or lasts five minutes, and two thirds
 * decide.  While nothing is known, few votes are enough.  One family of addresses a voter.
 */
#ifndef PROTO_DHT_VOTER_H
#define PROTO_DHT_VOTER_H

#include "proto/base/endpoint.h"
#include "proto/base/time.h"

#define KAD_VOTER_CHOICES 40u

struct kad_voter {
	struct kad_vote {
		struct endpoint at;
		unsigned n;
	} choice[KAD_VOTER_CHOICES];
	unsigned choices, votes;
	uint64_t voted[32]; /* a Bloom filter of those who have */
	int64_t begun;
	bool known;
	struct endpoint chosen; /* port: of the last vote for the address */
};

/* {0} is a voter.  true: `chosen` has another address from now on. */
bool kad_voter_vote(struct kad_voter *, const struct endpoint *by, const struct endpoint *choice,
	uint64_t seed, int64_t now);

#endif
