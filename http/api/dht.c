/* SPDX-License-Identifier: MIT */
/* The DHT over the API: its state, items (BEP 44), scrapes (BEP 33) and samples (BEP 51). */
#include "http/api/priv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "proto/base/encode.h"
#include "proto/meta/bencode.h"

/* --- its state --- */

static void put_number(struct json_out *o, const char *key, uint64_t v)
{
	json_out_key_n(o, key, strlen(key));
	json_out_uint(o, v);
}

static void put_family(struct json_out *o, const struct dht_family_view *f)
{
	char text[ENDPOINT_TEXT];

	if (!f->open) {
		json_out_null(o);
		return;
	}
	json_out_open(o, '{');
	json_out_key(o, "id");
	json_out_hex(o, f->id, sizeof f->id);
	json_out_key(o, "ready");
	json_out_bool(o, f->ready);
	json_out_key(o, "address");
	if (f->has_address) {
		endpoint_format(&f->address, text, sizeof text);
		json_out_text(o, text);
	} else {
		json_out_null(o);
	}
	put_number(o, "good", f->good);
	put_number(o, "unsure", f->unsure);
	put_number(o, "bad", f->bad);
	put_number(o, "spare", f->spare);
	put_number(o, "fitting", f->fitting);
	json_out_close(o, '}');
}

static void put_view(struct json_out *o, const struct dht_view *v)
{
	json_out_open(o, '{');
	json_out_key(o, "enabled");
	json_out_bool(o, v->enabled);
	put_number(o, "port", v->port);
	json_out_key(o, "waits");
	json_out_text(o, v->waits[0] != '\0' ? v->waits : NULL);
	json_out_key(o, "ipv4");
	put_family(o, &v->family[0]);
	json_out_key(o, "ipv6");
	put_family(o, &v->family[1]);
	put_number(o, "queries_in", v->queries_in);
	put_number(o, "queries_out", v->queries_out);
	put_number(o, "answers_in", v->answers_in);
	put_number(o, "answers_out", v->answers_out);
	put_number(o, "timeouts", v->timeouts);
	put_number(o, "refused_in", v->refused_in);
	put_number(o, "held_out", v->held_out);
	put_number(o, "torrents", v->torrents);
	put_number(o, "lookups", v->lookups);
	put_number(o, "stored_torrents", v->stored_torrents);
	put_number(o, "stored_peers", v->stored_peers);
	put_number(o, "stored_items", v->stored_items);
	json_out_key(o, "asked_seconds_ago");
	if (v->asked_ago >= 0)
		json_out_int(o, v->asked_ago);
	else
		json_out_null(o);
	json_out_close(o, '}');
}

static void on_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	struct json_out o = {0};

	(void)a;
	if (err == E_OK) {
		put_view(&o, &MSG_AS(DHT_VIEW, *m)->view);
		answer_json(r, 200, &o);
	} else {
		answer_err(r, err, "the DHT does not answer");
	}
	request_resume(r);
}

void api_dht(struct request *r)
{
	struct m_dht_view *m;

	if (!request_may_wait(r))
		return;
	m = msg_new(request_actor(r), MSG_DHT_VIEW);
	request_suspend(r);
	msg_call(request_actor(r), ADDR_DHT, m, on_view, r);
}

/* --- the answers of jobs --- */

static void put_hex(struct json_out *o, const char *key, const uint8_t *p, size_t n)
{
	json_out_key_n(o, key, strlen(key));
	json_out_hex(o, p, n);
}

static void put_item(struct json_out *o, const struct m_dht_job *m)
{
	json_out_key(o, "mutable");
	json_out_bool(o, m->mutable);
	if (m->mutable) {
		put_hex(o, "key", m->key, sizeof m->key);
		put_hex(o, "signature", m->signature, sizeof m->signature);
		json_out_key(o, "seq");
		json_out_int(o, m->seq);
	}
	json_out_key(o, "value");
	json_out_base64(o, m->value, m->value_n);
}

static void put_samples(struct json_out *o, const struct m_dht_job *m)
{
	put_number(o, "known", m->samples_all);
	json_out_key(o, "samples");
	json_out_open(o, '[');
	for (uint32_t i = 0; i < m->samples_n; i++)
		json_out_hex(o, m->samples[i], sizeof m->samples[i]);
	json_out_close(o, ']');
}

static void put_job(struct json_out *o, const struct m_dht_job *m)
{
	json_out_open(o, '{');
	put_hex(o, "target", m->target, sizeof m->target);
	put_number(o, "answered", m->answered);
	switch (m->op) {
	case DHT_JOB_GET:
		put_item(o, m);
		break;
	case DHT_JOB_PUT:
		put_number(o, "stored", m->stored);
		if (m->mutable)
			put_hex(o, "key", m->key, sizeof m->key);
		break;
	case DHT_JOB_SCRAPE:
		json_out_key(o, "seeds");
		json_out_real(o, m->seeds);
		json_out_key(o, "peers");
		json_out_real(o, m->peers);
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
	*out = strtoll(text, &end, 10);
	if (*end == '\0')
		return true;
	answer_text(r, 422, "%s: a whole number is needed", name);
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
