/* SPDX-License-Identifier: MIT */
/*
 * XPUB for what changes, ROUTER for snapshots, REP for who may come (ZAP, RFC 27 of ZeroMQ).
 *
 * A socket takes its security when it is bound: ipc is bound plain, since the file's permissions
 * guard it, and tcp with CURVE where that is configured.  A client whose key is not in the list is
 * turned away in the handshake.
 */
#include "actors/status/outlet.h"

#include <errno.h>
#include <stdio.h>
#include <zmq.h>

#include "actors/kernel/log.h"
#include "actors/ports/ports.h"
#include "actors/status/key.h"
#include "proto/base/array.h"

#define OUTLET_MAGIC  0x53574952u
#define INCOMING_MAX  1024 /* bytes of what others may send */
#define PUBLISH_HWM   1000 /* messages that wait for a slow subscriber; then it loses them */
#define ANSWER_HWM    4    /* snapshots that wait for somebody */
#define QUESTIONS_HWM 64
#define ZAP_FRAMES    7u
#define KEY_BYTES     32u

struct outlet {
	uint32_t magic;
	void *ctx, *pub, *router, *zap; /* each but ctx may be NULL */
	char secret[KEY_TEXT];          /* Z85; empty: no CURVE */
	uint8_t (*clients)[KEY_BYTES];  /* owned */
	uint32_t clients_n, clients_room;
};

/* --- opening --- */

static bool set_number(void *sock, int option, int value)
{
	return zmq_setsockopt(sock, option, &value, sizeof value) == 0;
}

static void *open_socket(struct outlet *w, int type, int send_hwm)
{
	void *s = zmq_socket(w->ctx, type);
	int64_t most = INCOMING_MAX;

	if (s == NULL)
		return NULL;
	must(set_number(s, ZMQ_LINGER, 0) && set_number(s, ZMQ_SNDHWM, send_hwm) &&
		set_number(s, ZMQ_RCVHWM, QUESTIONS_HWM) && set_number(s, ZMQ_IPV6, 1));
	must(zmq_setsockopt(s, ZMQ_MAXMSGSIZE, &most, sizeof most) == 0);
	return s;
}

static enum err bind_one(struct outlet *w, void *sock, const char *at, char *why, size_t why_n)
{
	bool tcp = strncmp(at, "tcp://", 6) == 0;
	int curve = tcp && w->secret[0] != '\0' ? 1 : 0;

	must(set_number(sock, ZMQ_CURVE_SERVER, curve));
	if (curve != 0)
		must(zmq_setsockopt(sock, ZMQ_CURVE_SECRETKEY, w->secret, KEY_TEXT) == 0);
	/* ZeroMQ removes whatever is there, and takes the place of whoever listens, silently. */
	if (!tcp && ports_path_taken(at + strlen("ipc://"))) {
		snprintf(why, why_n,
			"%s is taken: another daemon listens there, or it is a file that is no "
			"socket",
			at);
		return E_BUSY;
	}
	if (zmq_bind(sock, at) == 0)
		return E_OK;
	snprintf(why, why_n, "cannot publish the status at %s: %s", at, zmq_strerror(errno));
	return E_IO;
}

static enum err bind_all(
	struct outlet *w, void *sock, const struct config_list *l, char *why, size_t why_n)
{
	enum err err = E_OK;

	for (size_t i = 0; err == E_OK && i < l->n; i++)
		err = bind_one(w, sock, l->v[i], why, why_n);
	return err;
}

static enum err take_key(struct outlet *w, const struct config *c, char *why, size_t why_n)
{
	char public[KEY_TEXT];
	bool made = false;
	enum err err;

	if (zmq_curve_keypair(public, w->secret) != 0) {
		snprintf(why, why_n,
			"this machine's ZeroMQ has no CURVE: set status.curve to false");
		return E_UNSUPPORTED;
	}
	err = key_keep(c->state_dir, w->secret, &made, why, why_n);
	if (err == E_OK && zmq_curve_public(public, w->secret) != 0) {
		snprintf(why, why_n,
			"%s/status.key holds no key: move it away, and a new one is made",
			c->state_dir);
		err = E_SYNTAX;
	}
	if (err == E_OK)
		err = key_tell(c->state_dir, public, why, why_n);
	if (err == E_OK)
		log_event(LOG_INFO, made ? "status_key_made" : "status_key", "public=%s", public);
	return err;
}

static enum err open_all(struct outlet *w, const struct config *c, char *why, size_t why_n)
{
	enum err err = E_OK;

	w->pub = open_socket(w, ZMQ_XPUB, PUBLISH_HWM);
	w->router = open_socket(w, ZMQ_ROUTER, ANSWER_HWM);
	w->zap = open_socket(w, ZMQ_REP, QUESTIONS_HWM);
	if (w->pub == NULL || w->router == NULL || w->zap == NULL) {
		snprintf(why, why_n, "no sockets for the status: %s", zmq_strerror(errno));
		return E_NFILES;
	}
	must(set_number(w->pub, ZMQ_XPUB_VERBOSE, 1)); /* each subscription is acknowledged */
	must(zmq_bind(w->zap, "inproc://zeromq.zap.01") == 0);
	if (c->status_curve)
		err = take_key(w, c, why, why_n);
	if (err == E_OK)
		err = bind_all(w, w->pub, &c->status_bind, why, why_n);
	if (err == E_OK)
		err = bind_all(w, w->router, &c->status_snapshot_bind, why, why_n);
	return err;
}

enum err publisher_open(const struct config *c, struct outlet **out, char *why, size_t why_n)
{
	struct outlet *w;
	enum err err;

	*out = NULL;
	if (c->status_bind.n == 0 && c->status_snapshot_bind.n == 0)
		return E_OK;
	ALLOC_OBJ(w, OUTLET_MAGIC);
	w->ctx = zmq_ctx_new();
	must(w->ctx != NULL);
	outlet_clients(w, &c->status_clients);
	err = open_all(w, c, why, why_n);
	if (err == E_OK)
		*out = w;
	else
		publisher_close(&w);
	return err;
}

void publisher_close(struct outlet **pw)
{
	struct outlet *w;

	TAKE_OBJ(w, pw, OUTLET_MAGIC);
	if (w->pub != NULL)
		zmq_close(w->pub);
	if (w->router != NULL)
		zmq_close(w->router);
	if (w->zap != NULL)
		zmq_close(w->zap);
	while (zmq_ctx_term(w->ctx) != 0)
		must(errno == EINTR);
	explicit_bzero(w->secret, sizeof w->secret);
	xfree(w->clients);
	FREE_OBJ(w);
}

int outlet_fd(const struct outlet *w, unsigned i)
{
	size_t size = sizeof(int);
	void *sock;
	int fd = -1;

	CHECK_OBJ(w, OUTLET_MAGIC);
	must(i < OUTLET_FDS);
	sock = i == 0 ? w->pub : i == 1 ? w->router : w->zap;
	must(zmq_getsockopt(sock, ZMQ_FD, &fd, &size) == 0);
	return fd;
}

/* --- frames --- */

/* A frame, cut to what there is room for; *more: another follows.  E_AGAIN: nothing is there. */
static enum err receive(void *sock, void *out, size_t room, size_t *n, bool *more)
{
	int got, follows = 0;
	size_t size = sizeof follows;

	do
		got = zmq_recv(sock, out, room, ZMQ_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return E_AGAIN;
	must(zmq_getsockopt(sock, ZMQ_RCVMORE, &follows, &size) == 0);
	*more = follows != 0;
	*n = MIN((size_t)got, room);
	return E_OK;
}

static void drop_rest(void *sock, bool more)
{
	uint8_t nothing;
	size_t n;

	while (more)
		if (receive(sock, &nothing, sizeof nothing, &n, &more) != E_OK)
			return;
}

/* false: it was not taken.  A message is taken whole or not at all, by its first frame. */
static bool send_frame(void *sock, const void *p, size_t n, bool more)
{
	int sent;

	do
		sent = zmq_send(sock, p, n, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
	while (sent < 0 && errno == EINTR);
	return sent >= 0;
}

/* --- what is published --- */

enum err outlet_subscription(struct outlet *w, bool *on, char prefix[OUTLET_PREFIX], size_t *n)
{
	uint8_t frame[1 + OUTLET_PREFIX];
	bool more = false;
	size_t got;

	CHECK_OBJ(w, OUTLET_MAGIC);
	while (receive(w->pub, frame, sizeof frame, &got, &more) == E_OK) {
		drop_rest(w->pub, more);
		if (got == 0 || frame[0] > 1)
			continue; /* a message of their own: nobody reads those */
		*on = frame[0] == 1;
		*n = got - 1;
		memcpy(prefix, frame + 1, *n);
		return E_OK;
	}
	return E_AGAIN;
}

void outlet_publish(struct outlet *w, struct slice topic, uint64_t sequence, struct slice json)
{
	uint8_t le[8];

	CHECK_OBJ(w, OUTLET_MAGIC);
	for (unsigned i = 0; i < sizeof le; i++)
		le[i] = (uint8_t)(sequence >> 8 * i);
	if (send_frame(w->pub, topic.p, topic.n, true) && send_frame(w->pub, le, sizeof le, true))
		(void)send_frame(w->pub, json.p, json.n, false);
}

/* --- snapshots --- */

bool outlet_is_asked(struct outlet *w)
{
	int events = 0;
	size_t size = sizeof events;

	CHECK_OBJ(w, OUTLET_MAGIC);
	must(zmq_getsockopt(w->router, ZMQ_EVENTS, &events, &size) == 0);
	return (events & ZMQ_POLLIN) != 0;
}

/* Who asks, an empty frame if it is a REQ socket, the prefix. */
static bool take_question(
	struct outlet *w, struct outlet_asker *a, char *prefix, size_t *n, bool more)
{
	if (!more || receive(w->router, prefix, OUTLET_PREFIX, n, &more) != E_OK)
		return false;
	a->delimiter = more && *n == 0;
	if (a->delimiter && receive(w->router, prefix, OUTLET_PREFIX, n, &more) != E_OK)
		return false;
	drop_rest(w->router, more);
	return !more;
}

enum err outlet_question(
	struct outlet *w, struct outlet_asker *a, char prefix[OUTLET_PREFIX], size_t *n)
{
	bool more = false;
	size_t id_n;

	CHECK_OBJ(w, OUTLET_MAGIC);
	while (receive(w->router, a->id, sizeof a->id, &id_n, &more) == E_OK) {
		a->id_n = (uint32_t)id_n;
		if (take_question(w, a, prefix, n, more))
			return E_OK;
	}
	return E_AGAIN;
}

void outlet_answer(struct outlet *w, const struct outlet_asker *a, struct slice json)
{
	CHECK_OBJ(w, OUTLET_MAGIC);
	if (send_frame(w->router, a->id, a->id_n, true) &&
		(!a->delimiter || send_frame(w->router, "", 0, true)))
		(void)send_frame(w->router, json.p, json.n, false);
}

/* --- who may come --- */

void outlet_clients(struct outlet *w, const struct config_list *l)
{
	uint8_t key[KEY_BYTES];

	CHECK_OBJ(w, OUTLET_MAGIC);
	w->clients_n = 0;
	for (size_t i = 0; i < l->n; i++)
		if (strlen(l->v[i]) == KEY_TEXT - 1 && zmq_z85_decode(key, l->v[i]) != NULL) {
			ARRAY_RESERVE(w->clients, w->clients_n, w->clients_room, 1);
			memcpy(w->clients[w->clients_n++], key, sizeof key);
		}
}

/* Public keys are no secret: it does not matter how long the comparison takes. */
static bool is_client(const struct outlet *w, const uint8_t *key, size_t n)
{
	for (uint32_t i = 0; n == KEY_BYTES && i < w->clients_n; i++)
		if (memcmp(w->clients[i], key, KEY_BYTES) == 0)
			return true;
	return false;
}

static void answer_zap(struct outlet *w, const uint8_t *id, size_t id_n, bool may)
{
	const char *status = may ? "200" : "400", *text = may ? "" : "no client of this server";

	if (send_frame(w->zap, "1.0", 3, true) && send_frame(w->zap, id, id_n, true) &&
		send_frame(w->zap, status, 3, true) &&
		send_frame(w->zap, text, strlen(text), true) && send_frame(w->zap, "", 0, true))
		(void)send_frame(w->zap, "", 0, false);
}

/* Version, id, domain, address, identity, mechanism, credentials. */
void outlet_judge(struct outlet *w)
{
	uint8_t frames[ZAP_FRAMES][256];
	size_t n[ZAP_FRAMES];
	bool more, may;

	CHECK_OBJ(w, OUTLET_MAGIC);
	for (;;) {
		unsigned got = 0;

		more = true;
		memset(n, 0, sizeof n);
		while (more && got < ZAP_FRAMES &&
			receive(w->zap, frames[got], sizeof frames[got], &n[got], &more) == E_OK)
			got++;
		if (got == 0)
			return;
		drop_rest(w->zap, more);
		may = got == ZAP_FRAMES && n[5] == 5 && memcmp(frames[5], "CURVE", 5) == 0 &&
		      is_client(w, frames[6], n[6]);
		if (!may)
			log_event(LOG_WARNING, "status_refused", "address=\"%.*s\"", (int)n[3],
				(const char *)frames[3]);
		answer_zap(w, frames[1], n[1], may);
	}
}
