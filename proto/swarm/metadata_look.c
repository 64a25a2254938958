/* SPDX-License-Identifier: MIT */
/* How the fetching of metadata stands, for people, and whether its books agree, for tests. */
#include "proto/swarm/metadata_priv.h"

void metadata_progress(const struct metadata *m, struct metadata_progress *p)
{
	CHECK_OBJ(m, METADATA_MAGIC);
	*p = (struct metadata_progress){.size = m->size,
		.pieces = metadata_pieces(m->size),
		.have = metadata_pieces(m->size),
		.asked = m->asked,
		.rejects = m->rejects,
		.timeouts = m->timeouts,
		.failures = m->failures,
		.error = m->error};
	for (uint32_t i = 0; i < m->sources_n; i++)
		p->offering += m->source[i].size != 0;
	for (unsigned i = 0; i < METADATA_SIZES; i++) {
		const struct candidate *c = &m->place[i].c;

		if (c->size == 0 || (p->size != 0 && c->have <= p->have))
			continue;
		p->size = c->size;
		p->pieces = c->pieces;
		p->have = c->have;
	}
}

void metadata_check(const struct metadata *m)
{
	CHECK_OBJ(m, METADATA_MAGIC);
	for (int k = 0; k < (int)METADATA_SIZES; k++) {
		const struct place *p = &m->place[k];
		uint32_t have = 0, asked = 0, stand = 0;

		for (uint32_t i = 0; i < p->c.slots_n; i++) {
			const struct slot *s = &p->c.slot[i];

			have += s->data != NULL;
			asked += s->asked;
			must(s->asked <= CANDIDATE_ASKERS);
			must(!p->alone || s->data == NULL || s->from == p->sole);
		}
		for (uint32_t i = 0; i < m->sources_n; i++)
			for (unsigned r = 0; r < METADATA_REQUESTS && m->source[i].place == k; r++)
				stand += m->source[i].req[r].state == REQ_ASKED;
		must(have == p->c.have && p->c.hashed <= have && have <= p->c.pieces);
		must(asked == stand);
	}
	for (uint32_t i = 0; i < m->sources_n; i++) {
		const struct source *s = &m->source[i];

		must(s->place == NOWHERE ||
			(!s->fenced && m->place[s->place].c.size == s->size && s->size != 0));
	}
}
