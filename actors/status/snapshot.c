/* SPDX-License-Identifier: MIT */
/* What a question is answered with: every topic beneath a prefix, its sequence, and what was last
 * said there. */
#include "actors/status/priv.h"

#define ANSWERS_IN_TURN 4u

static void put_entry(struct json_out *o, const char *topic, uint64_t sequence)
{
	json_out_open(o, '{');
	json_out_put(o, "topic", text, topic);
	json_out_put(o, "sequence", uint, sequence);
	json_out_key(o, "data");
}

static bool is_asked_for(const char *topic, const char *prefix, size_t n)
{
	return strlen(topic) >= n && memcmp(topic, prefix, n) == 0;
}

/* Pieces are told as they come: what there was before, the API's bit field has. */
static void put_torrent(const struct status *s, struct json_out *o, const struct mirrored *t,
	const char *prefix, size_t n)
{
	char topic[SUBSCRIBED_TOPIC + 1];

	for (unsigned i = 0; i < TOPICS; i++) {
		(void)publisher_topic(t->row.identity.infohash, (enum topic)i, topic);
		if (!is_asked_for(topic, prefix, n))
			continue;
		put_entry(o, topic, t->sequence[i]);
		publisher_put(s, o, t, (enum topic)i);
		json_out_close(o, '}');
	}
}

static void make_snapshot(const struct status *s, struct json_out *o, const char *prefix, size_t n)
{
	json_out_open(o, '{');
	json_out_key(o, "topics");
	json_out_open(o, '[');
	for (uint32_t i = 0; i < s->mirror.n; i++)
		put_torrent(s, o, s->mirror.list[i], prefix, n);
	if (s->stats != NULL && is_asked_for(STATUS_STATS, prefix, n)) {
		put_entry(o, STATUS_STATS, s->stats_sequence);
		json_out_raw(o, s->stats, s->stats_n);
		json_out_close(o, '}');
	}
	json_out_close(o, ']');
	json_out_close(o, '}');
}

void publisher_answer(struct status *s)
{
	char prefix[OUTLET_PREFIX];
	struct outlet_asker asker;
	struct json_out o = {0};
	size_t n;

	CHECK_OBJ(s, STATUS_MAGIC);
	for (unsigned i = 0;
		i < ANSWERS_IN_TURN && outlet_question(s->outlet, &asker, prefix, &n) == E_OK;
		i++) {
		o = (struct json_out){0};
		make_snapshot(s, &o, prefix, n);
		outlet_answer(s->outlet, &asker, (struct slice){(const uint8_t *)o.p, o.n});
		json_out_fini(&o);
		s->used_at = loop_now(s->loop);
	}
}
