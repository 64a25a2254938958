/* SPDX-License-Identifier: MIT */
/* The torrents as subscribers have been told of them. */
#include "actors/status/mirror.h"

#include "proto/base/array.h"

#define PLACES_LEAST 64u

void mirror_reset(struct mirror *m, uint64_t base)
{
	mirror_fini(m);
	m->base = base;
}

void mirror_fini(struct mirror *m)
{
	for (uint32_t i = 0; i < m->n; i++) {
		row_fini(&m->list[i]->row);
		xfree(m->list[i]);
	}
	xfree(m->list);
	xfree(m->index);
	*m = (struct mirror){.base = m->base};
}

/* --- by number --- */

/* Where it is, or belongs: numbers only grow, so that is mostly the end. */
static uint32_t find(const struct mirror *m, uint32_t n)
{
	uint32_t from = 0, to = m->n;

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;

		if (m->list[mid]->row.n < n)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

struct mirrored *mirror_by_n(const struct mirror *m, uint32_t n)
{
	uint32_t at = find(m, n);

	return at < m->n && m->list[at]->row.n == n ? m->list[at] : NULL;
}

/* --- by info-hash --- */

/* Info-hashes are as good as random: their first bytes are a place. */
static uint32_t place_of(const struct mirror *m, const uint8_t infohash[20])
{
	uint32_t h;

	memcpy(&h, infohash, sizeof h);
	return h & (m->places - 1);
}

/* Where it is, or belongs. */
static uint32_t seek(const struct mirror *m, const uint8_t infohash[20])
{
	uint32_t at = place_of(m, infohash);

	while (m->index[at] != NULL &&
		memcmp(m->index[at]->row.identity.infohash, infohash, 20) != 0)
		at = (at + 1) & (m->places - 1);
	return at;
}

struct mirrored *mirror_by_hash(const struct mirror *m, const uint8_t infohash[20])
{
	return m->places > 0 ? m->index[seek(m, infohash)] : NULL;
}

static void index_all(struct mirror *m, uint32_t places)
{
	xfree(m->index);
	m->places = places;
	m->index = xcalloc(places, sizeof *m->index);
	for (uint32_t i = 0; i < m->n; i++)
		m->index[seek(m, m->list[i]->row.identity.infohash)] = m->list[i];
}

/* Who stands behind the gap moves up, if it could not be found any more otherwise. */
static void unindex(struct mirror *m, const struct mirrored *t)
{
	uint32_t gap = seek(m, t->row.identity.infohash), at = gap;

	if (m->index[gap] != t)
		return; /* the torrent was added again, and that one has the place */
	for (;;) {
		uint32_t home;

		at = (at + 1) & (m->places - 1);
		if (m->index[at] == NULL)
			break;
		home = place_of(m, m->index[at]->row.identity.infohash);
		if (((at - home) & (m->places - 1)) >= ((at - gap) & (m->places - 1))) {
			m->index[gap] = m->index[at];
			gap = at;
		}
	}
	m->index[gap] = NULL;
}

/* --- coming and going --- */

static struct mirrored *add(struct mirror *m, uint32_t n, const uint8_t infohash[20])
{
	struct mirrored *t = xcalloc(1, sizeof *t);
	uint32_t at = find(m, n);

	t->row.n = n;
	memcpy(t->row.identity.infohash, infohash, 20);
	for (unsigned i = 0; i < TOPICS; i++)
		t->sequence[i] = m->base;
	ARRAY_PUSH(m->list, m->n, m->room, t);
	memmove(m->list + at + 1, m->list + at, (m->n - 1 - at) * sizeof(struct mirrored *));
	m->list[at] = t;
	if (m->n * 2 > m->places)
		index_all(m, MAX(m->places * 2, PLACES_LEAST));
	else
		m->index[seek(m, infohash)] = t;
	return t;
}

/* The topics that these groups belong to. */
static unsigned news_of(const struct torrent_row *was, const struct torrent_row *now)
{
	unsigned topics = 0;

	if (!row_same(was, now, ROW_IDENTITY) || !row_same(was, now, ROW_STATUS))
		topics |= 1u << TOPIC_STATE;
	if (!row_same(was, now, ROW_PROGRESS) || !row_same(was, now, ROW_RATES) ||
		!row_same(was, now, ROW_SWARM))
		topics |= 1u << TOPIC_PROGRESS;
	if (was->status.error != now->status.error)
		topics |= 1u << TOPIC_ERROR;
	return topics;
}

struct mirrored *mirror_put(struct mirror *m, struct torrent_row *row, unsigned *topics)
{
	struct mirrored *t = mirror_by_n(m, row->n);
	bool fresh = t == NULL;

	if (fresh)
		t = add(m, row->n, row->identity.infohash);
	*topics = news_of(&t->row, row);
	if (fresh)
		*topics |= 1u << TOPIC_STATE | 1u << TOPIC_PROGRESS;
	for (unsigned i = 0; i < TOPICS; i++)
		t->sequence[i] += *topics >> i & 1;
	row_fini(&t->row);
	memcpy(&t->row, row, sizeof t->row);
	memset(row, 0, sizeof *row);
	t->round = m->round;
	return t;
}

void mirror_remove(struct mirror *m, struct mirrored *t)
{
	uint32_t at = find(m, t->row.n);

	must(at < m->n && m->list[at] == t);
	unindex(m, t);
	for (unsigned i = 0; i < TOPICS; i++)
		m->base = MAX(m->base, t->sequence[i]); /* it may come again */
	m->n--;
	memmove(m->list + at, m->list + at + 1, (m->n - at) * sizeof(struct mirrored *));
	row_fini(&t->row);
	xfree(t);
}

struct mirrored *mirror_stale(const struct mirror *m, uint32_t *at)
{
	while (*at < m->n && m->list[*at]->round == m->round)
		++*at;
	return *at < m->n ? m->list[*at] : NULL;
}
