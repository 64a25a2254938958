/* SPDX-License-Identifier: MIT */
/* The DHT over the API: its state, items (BEP 44), scrapes (BEP 33) and samples (BEP 51). */
#include "http/api/priv.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/base/encode.h"
#include "proto/meta/bencode.h"

/* --- its state --- */

static void put_family(struct json_out *o, const struct dht_family_view *f)
{
	char text[ENDPOINT_TEXT];

	if (!f->open) {
		json_out_null(o);
		return;
	}
	json_out_open(o, '{');
	json_out_put(o, "id", hex, f->id, sizeof f->id);
	json_out_put(o, "ready", bool, f->ready);
	json_out_key(o, "address");
	if (f->has_address) {
		endpoint_format(&f->address, text, sizeof text);
		json_out_text(o, text);
	} else {
		json_out_null(o);
	}
	json_out_put(o, "good", uint, f->good);
	json_out_put(o, "unsure", uint, f->unsure);
	json_out_put(o, "bad", uint, f->bad);
	json_out_put(o, "spare", uint, f->spare);
	json_out_put(o, "fitting", uint, f->fitting);
	json_out_close(o, '}');
}

static void put_view(struct json_out *o, const struct dht_view *v)
{
	json_out_open(o, '{');
	json_out_put(o, "enabled", bool, v->enabled);
	json_out_put(o, "port", uint, v->port);
	json_out_put(o, "waits", text, v->waits[0] != '\0' ? v->waits : NULL);
	json_out_key(o, "ipv4");
	put_family(o, &v->family[0]);
	json_out_key(o, "ipv6");
	put_family(o, &v->family[1]);
	json_out_put(o, "queries_in", uint, v->queries_in);
	json_out_put(o, "queries_out", uint, v->queries_out);
	json_out_put(o, "answers_in", uint, v->answers_in);
	json_out_put(o, "answers_out", uint, v->answers_out);
	json_out_put(o, "timeouts", uint, v->timeouts);
	json_out_put(o, "refused_in", uint, v->refused_in);
	json_out_put(o, "held_out", uint, v->held_out);
	json_out_put(o, "torrents", uint, v->torrents);
	json_out_put(o, "lookups", uint, v->lookups);
	json_out_put(o, "stored_torrents", uint, v->stored_torrents);
	json_out_put(o, "stored_peers", uint, v->stored_peers);
	json_out_put(o, "stored_items", uint, v->stored_items);
	json_out_key(o, "asked_seconds_ago");
	if (v->asked_ago >= 0)
		json_out_int(o, v->asked_ago);
	else
		json_out_null(o);
	json_out_close(o, '}');
}

static void on_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct json_out o = {0};

	(void)a;
	if (err == E_OK)
		put_view(&o, &MSG_AS(DHT_VIEW, *m)->view);
	api_answer(request_of(ctx), err, 200, &o, "the DHT");
}

void api_dht(struct request *r)
{
	api_ask(r, ADDR_DHT, MSG_DHT_VIEW, on_view);
}

/* --- the answers of jobs --- */

static void put_item(struct json_out *o, const struct m_dht_job *m)
{
	json_out_put(o, "mutable", bool, m->mutable);
	if (m->mutable) {
		json_out_put(o, "key", hex, m->key, sizeof m->key);
		json_out_put(o, "signature", hex, m->signature, sizeof m->signature);
		json_out_put(o, "seq", int, m->seq);
	}
	json_out_put(o, "value", base64, m->value, m->value_n);
}

static void put_samples(struct json_out *o, const struct m_dht_job *m)
{
	json_out_put(o, "known", uint, m->samples_all);
	json_out_key(o, "samples");
	json_out_open(o, '[');
	for (uint32_t i = 0; i < m->samples_n; i++)
		json_out_hex(o, m->samples[i], sizeof m->samples[i]);
	json_out_close(o, ']');
}

static void put_job(struct json_out *o, const struct m_dht_job *m)
{
	json_out_open(o, '{');
	json_out_put(o, "target", hex, m->target, sizeof m->target);
	json_out_put(o, "answered", uint, m->answered);
	switch (m->op) {
	case DHT_JOB_GET:
		put_item(o, m);
		break;
	case DHT_JOB_PUT:
		json_out_put(o, "stored", uint, m->stored);
		if (m->mutable)
			json_out_put(o, "key", hex, m->key, sizeof m->key);
		break;
	case DHT_JOB_SCRAPE:
		json_out_put(o, "seeds", real, m->seeds);
		json_out_put(o, "peers", real, m->peers);
		break;
	case DHT_JOB_SAMPLE:
		put_samples(o, m);
		break;
	}
	json_out_close(o, '}');
}

static const char *words_of(enum err err)
{
	switch (err) {
	case E_UNSUPPORTED:
		return "the DHT is switched off, or has no UDP socket: see /dht";
	case E_UNREACHABLE:
		return "no node of the DHT has answered: see /dht";
	case E_NOT_FOUND:
		return "the nodes that should have it do not";
	case E_EXISTS:
		return "there is an item with this or a higher seq, or cas is not its seq";
	case E_OVERLOAD:
		return "too many such requests are under way, or the DHT has just started";
	default:
		return NULL;
	}
}

static void on_job(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	struct json_out o = {0};

	(void)a;
	if (err == E_OK) {
		put_job(&o, MSG_AS(DHT_JOB, *m));
		answer_json(r, 200, &o);
	} else {
		answer_err(r, err, words_of(err));
	}
	request_resume(r);
}

/* --- their parameters --- */

/* n bytes as hexadecimal digits.  false: answered. */
static bool read_hex(struct request *r, const char *name, uint8_t *out, size_t n, bool *there)
{
	const char *text;

	if (!param_text(r, name, &text))
		return false;
	*there = text != NULL;
	if (text == NULL || hex_decode(text, strlen(text), out, n))
		return true;
	answer_text(r, 422, "%s: %zu hexadecimal digits are needed", name, 2 * n);
	return false;
}

static bool read_int(struct request *r, const char *name, bool *there, int64_t *out)
{
	const char *text;
	char *end = NULL;

	if (!param_text(r, name, &text))
		return false;
	*there = text != NULL;
	if (text == NULL)
		return true;
	errno = 0;
	*out = strtoll(text, &end, 10);
	if (*end == '\0' && errno == 0)
		return true;
	answer_text(r, 422, "%s: a whole number of at most 63 bits is needed", name);
	return false;
}

static bool read_salt(struct request *r, struct m_dht_job *m)
{
	const char *text;

	if (!param_text(r, "salt", &text))
		return false;
	if (text == NULL)
		return true;
	m->salt_n = strlen(text);
	if (m->salt_n > sizeof m->salt) {
		answer_text(r, 422, "salt: at most %zu bytes", sizeof m->salt);
		return false;
	}
	memcpy(m->salt, text, m->salt_n);
	return true;
}

static bool read_target(struct request *r, struct m_dht_job *m)
{
	bool there;

	if (!read_hex(r, "target", m->target, sizeof m->target, &there))
		return false;
	if (there || m->has_key)
		return true;
	answer_text(r, 422, m->op == DHT_JOB_GET ? "target or key is needed" : "target is needed");
	return false;
}

static bool is_value(const uint8_t *p, size_t n)
{
	struct benc root;

	return benc_parse((struct slice){p, n}, NULL, &root, NULL) == E_OK;
}

static bool read_put(struct request *r, struct m_dht_job *m)
{
	bool has_seq;

	if (!read_hex(r, "seed", m->seed, sizeof m->seed, &m->has_seed) || !read_salt(r, m) ||
		!read_int(r, "seq", &has_seq, &m->seq) || !read_int(r, "cas", &m->has_cas, &m->cas))
		return false;
	m->value = request_body_take(r, &m->value_n);
	if (m->value == NULL || !is_value(m->value, m->value_n)) {
		answer_text(r, 400, "the body must be one bencoded value");
		return false;
	}
	if (m->value_n > 1000) {
		answer_text(r, 422, "the value has %zu bytes, 1000 are allowed", m->value_n);
		return false;
	}
	if (m->has_seed || (m->salt_n == 0 && !has_seq && !m->has_cas))
		return true;
	answer_text(r, 422,
		"salt, seq and cas are for mutable items: seed is needed, the 32 bytes "
		"that its key is made of");
	return false;
}

static bool read_job(struct request *r, struct m_dht_job *m)
{
	switch (m->op) {
	case DHT_JOB_PUT:
		return read_put(r, m);
	case DHT_JOB_GET:
		return read_hex(r, "key", m->key, sizeof m->key, &m->has_key) && read_salt(r, m) &&
		       read_target(r, m);
	case DHT_JOB_SCRAPE:
		return param_infohash(r, m->target);
	case DHT_JOB_SAMPLE:
		return read_target(r, m);
	}
	return false;
}

void api_dht_job(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_dht_job *m = msg_new(a, MSG_DHT_JOB);

	m->op = (enum dht_job_op)request_resource(r)->arg;
	if (!read_job(r, m) || !request_may_wait(r)) {
		struct msg *h = &m->h;

		msg_free(a, &h);
		return;
	}
	request_suspend(r);
	msg_call(a, ADDR_DHT, m, on_job, r);
}
