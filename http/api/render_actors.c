/* SPDX-License-Identifier: MIT */
/* The actors as JSON: whether they turn, and what is counted of each. */
#include "http/api/render.h"

void render_health(struct json_out *o, const struct m_health *h)
{
	json_out_open(o, '{');
	json_out_put(o, "ok", bool, h->ok);
	json_out_key(o, "actors");
	json_out_open(o, '[');
	for (unsigned i = 0; i < h->n; i++) {
		const struct actor_health *a = &h->actors[i];

		json_out_open(o, '{');
		json_out_put(o, "name", text, a->name);
		json_out_put(o, "ok", bool, a->ok);
		if (!a->ok) {
			json_out_put(o, "handling", text, a->handling);
			json_out_put(o, "stuck_ms", int, a->stuck_ms);
		}
		json_out_close(o, '}');
	}
	json_out_close(o, ']');
	json_out_close(o, '}');
}

/* Of each message that it had in hand or sent, how many. */
static void put_messages(struct json_out *o, const struct actor_counters *c)
{
	json_out_key(o, "messages");
	json_out_open(o, '{');
	for (unsigned t = 0; t < message_table.n; t++) {
		if (c->in[t] == 0 && c->out[t] == 0)
			continue;
		json_out_key_n(o, message_table.types[t].name, strlen(message_table.types[t].name));
		json_out_open(o, '{');
		json_out_put(o, "in", uint, c->in[t]);
		json_out_put(o, "out", uint, c->out[t]);
		json_out_close(o, '}');
	}
	json_out_close(o, '}');
}

static void put_counters(struct json_out *o, const struct actor_counters *c, int64_t now)
{
	json_out_open(o, '{');
	json_out_put(o, "name", text, c->name);
	json_out_put(o, "handling", text,
		c->handling != 0 ? message_table.types[c->handling].name : NULL);
	json_out_put(o, "turned_us_ago", int, MAX(now - c->turned_us, 0));
	json_out_put(o, "calls_waiting", uint, c->calls);
	json_out_put(o, "mailbox", uint, c->waiting);
	json_out_put(o, "mailbox_most", uint, c->waiting_most);
	for (unsigned i = 0; i < STAT_MAX_; i++) {
		const char *key = stat_key((enum stat_kind)i);

		json_out_key_n(o, key, strlen(key));
		json_out_uint(o, c->stats[i]);
	}
	put_messages(o, c);
	json_out_close(o, '}');
}

void render_counters(struct json_out *o, const struct m_counters *m)
{
	json_out_open(o, '{');
	json_out_key(o, "actors");
	json_out_open(o, '[');
	for (unsigned i = 0; i < m->n; i++)
		put_counters(o, &m->actors[i], m->now);
	json_out_close(o, ']');
	json_out_close(o, '}');
}
