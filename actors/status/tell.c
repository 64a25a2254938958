/* SPDX-License-Identifier: MIT */
/* What is published: topic, sequence, JSON; nothing is made that nobody gets. */
#include "actors/status/priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/base/encode.h"

static const char *const kinds[TOPICS] = {
	[TOPIC_STATE] = "state",
	[TOPIC_PROGRESS] = "progress",
	[TOPIC_ERROR] = "error",
	[TOPIC_PIECE] = "piece",
};

size_t publisher_topic(const uint8_t infohash[20], enum topic topic, char out[SUBSCRIBED_TOPIC + 1])
{
	char hash[41];
	int n;

	hex_encode(infohash, 20, hash);
	n = snprintf(out, SUBSCRIBED_TOPIC + 1, "torrent/%s/%s", hash, kinds[topic]);
	must(n > 0 && n <= (int)SUBSCRIBED_TOPIC);
	return (size_t)n;
}

static struct slice text_of(const char *p, size_t n)
{
	return (struct slice){(const uint8_t *)p, n};
}

static void send(
	struct status *s, const char *topic, size_t n, uint64_t sequence, struct json_out *o)
{
	outlet_publish(s->outlet, text_of(topic, n), sequence, text_of(o->p, o->n));
	json_out_fini(o);
}

void publisher_put(
	const struct status *s, struct json_out *o, const struct mirrored *t, enum topic topic)
{
	CHECK_OBJ(s, STATUS_MAGIC);
	json_out_open(o, '{');
	if (topic == TOPIC_STATE) {
		s->env->put_row(o, &t->row, 1u << ROW_IDENTITY | 1u << ROW_STATUS);
	} else {
		json_out_put(o, "hash", hex, t->row.identity.infohash, 20);
		if (topic == TOPIC_PROGRESS)
			s->env->put_row(
				o, &t->row, 1u << ROW_PROGRESS | 1u << ROW_RATES | 1u << ROW_SWARM);
		else if (topic == TOPIC_ERROR)
			json_out_put(o, "error", text, label_text(t->row.status.error));
	}
	json_out_close(o, '}');
}

void publisher_tell(struct status *s, const struct mirrored *t, unsigned topics)
{
	char topic[SUBSCRIBED_TOPIC + 1];
	struct json_out o = {0};
	size_t n;

	CHECK_OBJ(s, STATUS_MAGIC);
	for (unsigned i = 0; i < TOPICS; i++) {
		if ((topics >> i & 1) == 0)
			continue;
		n = publisher_topic(t->row.identity.infohash, (enum topic)i, topic);
		if (!subscribed_has(&s->subscribed, topic, n))
			continue;
		o = (struct json_out){0};
		publisher_put(s, &o, t, (enum topic)i);
		send(s, topic, n, t->sequence[i], &o);
	}
}

void publisher_tell_gone(struct status *s, struct mirrored *t)
{
	char topic[SUBSCRIBED_TOPIC + 1];
	struct json_out o = {0};
	size_t n;

	CHECK_OBJ(s, STATUS_MAGIC);
	n = publisher_topic(t->row.identity.infohash, TOPIC_STATE, topic);
	t->sequence[TOPIC_STATE]++;
	if (!subscribed_has(&s->subscribed, topic, n))
		return;
	json_out_open(&o, '{');
	json_out_put(&o, "hash", hex, t->row.identity.infohash, 20);
	json_out_put(&o, "state", text, "removed");
	json_out_close(&o, '}');
	send(s, topic, n, t->sequence[TOPIC_STATE], &o);
}

void publisher_tell_stats(struct status *s, const struct m_torrent_rows *m)
{
	static const char topic[] = STATUS_STATS;
	struct json_out o = {0};

	CHECK_OBJ(s, STATUS_MAGIC);
	json_out_open(&o, '{');
	s->env->put_stats(&o, m);
	json_out_close(&o, '}');
	if (s->stats != NULL && o.n == s->stats_n && memcmp(o.p, s->stats, o.n) == 0) {
		json_out_fini(&o);
		return;
	}
	xfree(s->stats);
	s->stats = json_out_take(&o, &s->stats_n);
	s->stats_sequence++;
	if (subscribed_has(&s->subscribed, topic, sizeof topic - 1))
		outlet_publish(s->outlet, text_of(topic, sizeof topic - 1), s->stats_sequence,
			text_of(s->stats, s->stats_n));
}

/* --- pieces --- */

static void tell_run(struct status *s, const struct verified_piece *list, uint32_t n)
{
	struct mirrored *t = mirror_by_hash(&s->mirror, list->infohash);
	char topic[SUBSCRIBED_TOPIC + 1];
	struct json_out o = {0};
	size_t topic_n;

	if (t == NULL)
		return; /* it is gone, or not listed yet */
	t->sequence[TOPIC_PIECE]++;
	topic_n = publisher_topic(list->infohash, TOPIC_PIECE, topic);
	if (!subscribed_has(&s->subscribed, topic, topic_n))
		return;
	json_out_open(&o, '{');
	json_out_put(&o, "hash", hex, list->infohash, 20);
	json_out_key(&o, "pieces");
	json_out_open(&o, '[');
	for (uint32_t i = 0; i < n; i++)
		json_out_uint(&o, list[i].piece);
	json_out_close(&o, ']');
	json_out_close(&o, '}');
	send(s, topic, topic_n, t->sequence[TOPIC_PIECE], &o);
}

static int compare(const void *pa, const void *pb)
{
	const struct verified_piece *a = pa, *b = pb;
	int order = memcmp(a->infohash, b->infohash, 20);

	return order != 0 ? order : (a->piece > b->piece) - (a->piece < b->piece);
}

void publisher_tell_pieces(struct status *s, struct m_store_pieces *m)
{
	uint32_t from = 0;

	CHECK_OBJ(s, STATUS_MAGIC);
	/* Nobody knows of which torrents: every sequence of pieces has a gap. */
	for (uint32_t i = 0; m->lost && i < s->mirror.n; i++)
		s->mirror.list[i]->sequence[TOPIC_PIECE]++;
	if (m->pieces_n > 0)
		qsort(m->pieces, m->pieces_n, sizeof *m->pieces, compare);
	for (uint32_t i = 1; i <= m->pieces_n; i++)
		if (i == m->pieces_n ||
			memcmp(m->pieces[from].infohash, m->pieces[i].infohash, 20) != 0) {
			tell_run(s, m->pieces + from, i - from);
			from = i;
		}
}

void publisher_tell_subscribed(struct status *s, const char *prefix, size_t n)
{
	struct json_out o = {0};

	CHECK_OBJ(s, STATUS_MAGIC);
	json_out_open(&o, '{');
	json_out_key(&o, "subscribed");
	json_out_slice(&o, text_of(prefix, n));
	json_out_close(&o, '}');
	send(s, prefix, n, 0, &o);
}
