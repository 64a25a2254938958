/* SPDX-License-Identifier: MIT */
/*
 * The DHT's nodes in the database: a row for each family of addresses, put as a whole.
 *
 * Nothing depends on them: what makes no sense is left out.
 */
#include "actors/state/db.h"

#define NODES_MAX 65536u /* bytes */

void state_dht_put(struct state_db *db, const struct m_state_dht *m)
{
	for (size_t i = 0; i < ARRAY_LEN(m->family); i++) {
		const struct dht_saved *s = &m->family[i];

		if (!s->has_id)
			continue;
		db_bind_int(db, SQL_PUT_DHT, 1, (int64_t)i);
		db_bind_bytes(db, SQL_PUT_DHT, 2, s->id, sizeof s->id);
		db_bind_bytes(db, SQL_PUT_DHT, 3, s->nodes_n > 0 ? s->nodes : s->id, s->nodes_n);
		db_run(db, SQL_PUT_DHT);
	}
}

enum err state_dht_load(struct state_db *db, struct m_state_dht *m)
{
	while (db_row(db, SQL_LOAD_DHT)) {
		int64_t family = db_int(db, SQL_LOAD_DHT, 0);
		struct slice id = db_bytes(db, SQL_LOAD_DHT, 1);
		struct slice nodes = db_bytes(db, SQL_LOAD_DHT, 2);
		struct dht_saved *s;

		if (family < 0 || family >= (int64_t)ARRAY_LEN(m->family) || id.n != sizeof s->id ||
			nodes.n > NODES_MAX)
			continue;
		s = &m->family[family];
		s->has_id = true;
		memcpy(s->id, id.p, sizeof s->id);
		s->nodes_n = nodes.n;
		s->nodes = nodes.n > 0 ? xmemdup(nodes.p, nodes.n) : NULL;
	}
	return db_error(db);
}
