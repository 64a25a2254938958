/* SPDX-License-Identifier: MIT */
/* Counting votes for our address. */
#include "proto/dht/voter.h"

#define ROUND       (300 * USEC_PER_SEC)
#define ROUND_VOTES 50u
#define FIRST_VOTES 4u

/* By address, for one machine has one vote however many ports it has. */
static bool has_voted(struct kad_voter *v, const struct endpoint *by, uint64_t seed)
{
	struct endpoint who = *by;
	uint64_t h, *word, bit;

	who.port = 0;
	h = endpoint_hash(&who, seed);
	word = &v->voted[h % ARRAY_LEN(v->voted)];
	bit = UINT64_C(1) << (h >> 32 & 63);
	if (*word & bit)
		return true;
	*word |= bit;
	return false;
}

static void count(struct kad_voter *v, const struct endpoint *choice)
{
	unsigned i = 0;

	while (i < v->choices && !endpoint_same_ip(&v->choice[i].at, choice))
		i++;
	if (i == KAD_VOTER_CHOICES)
		return;
	if (i == v->choices)
		v->choice[v->choices++] = (struct kad_vote){*choice, 0};
	v->choice[i].at.port = choice->port;
	v->choice[i].n++;
	v->votes++;
}

static const struct kad_vote *leader(const struct kad_voter *v)
{
	const struct kad_vote *best = NULL;

	for (unsigned i = 0; i < v->choices; i++)
		if (best == NULL || v->choice[i].n > best->n)
			best = &v->choice[i];
	return best;
}

static void begin_round(struct kad_voter *v, int64_t now)
{
	v->choices = v->votes = 0;
	memset(v->voted, 0, sizeof v->voted);
	v->begun = now;
}

bool kad_voter_vote(struct kad_voter *v, const struct endpoint *by, const struct endpoint *choice,
	uint64_t seed, int64_t now)
{
	const struct kad_vote *best;
	bool changed = false;

	if (endpoint_is_v4(by) != endpoint_is_v4(choice) || has_voted(v, by, seed))
		return false;
	if (v->begun == 0)
		v->begun = now;
	count(v, choice);
	if (v->known && endpoint_same_ip(choice, &v->chosen))
		v->chosen.port = choice->port;
	if (v->votes < (v->known ? ROUND_VOTES : FIRST_VOTES) && now - v->begun < ROUND)
		return false;
	best = leader(v);
	if (best != NULL && best->n >= FIRST_VOTES && best->n * 3 >= v->votes * 2) {
		changed = !v->known || !endpoint_same_ip(&v->chosen, &best->at);
		v->known = true;
		v->chosen = best->at;
	} else if (v->votes < ROUND_VOTES && now - v->begun < ROUND) {
		return false;
	}
	begin_round(v, now);
	return changed;
}
