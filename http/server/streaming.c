/* SPDX-License-Identifier: MIT */
/*
 * Streams: microhttpd asks for text, and is suspended while there is none.
 *
 * It comes back for more when the kernel has taken what there was; that the client has, too, is
 * known when nothing of it is left in the socket.  Until then its time passes, and what it would
 * have been told is told with the next text.  While a connection is suspended nobody looks at it:
 * that the client has left is noticed with the next text, and who takes nothing is ended by the
 * sweep (client.c).
 */
#include "http/server/streaming.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "actors/kernel/clock.h"
#include "http/server/priv.h"

#define STREAM_MAGIC 0x5354524du

/* Bytes of the texts of all streams; who would pass it waits for the others. */
#define TEXTS_MAX (UINT64_C(32) << 20)

enum streaming_phase {
	STREAM_SENDS, /* microhttpd has text to send */
	STREAM_RESTS, /* suspended: all was taken, the timer runs */
	STREAM_ASKED, /* suspended: the source was asked */
};

struct streaming {
	uint32_t magic;
	struct http *http;
	struct request *request; /* borrowed: it ends with it */
	struct link link;        /* in http->streams */
	struct streaming_source source;
	enum streaming_phase phase;
	struct loop_timer timer;
	int64_t asked_at; /* us */
	char *text;       /* owned */
	size_t n, sent;
	bool ending; /* when the text has gone */
};

/* --- text --- */

static void drop_text(struct streaming *s)
{
	s->http->streamed -= s->n;
	free(s->text);
	s->text = NULL;
	s->n = s->sent = 0;
}

static void put_text(struct streaming *s, char *text, size_t n)
{
	drop_text(s);
	s->text = text;
	s->n = n;
	s->http->streamed += n;
}

static void rest_until(struct streaming *s, int64_t at)
{
	s->phase = STREAM_RESTS;
	loop_timer_set(actor_loop(s->http->actor), &s->timer, at);
}

static void wake(struct streaming *s)
{
	must(s->phase != STREAM_SENDS);
	loop_timer_del(actor_loop(s->http->actor), &s->timer);
	s->phase = STREAM_SENDS;
	s->http->again = true;
	MHD_resume_connection(s->request->conn);
}

/* Microhttpd's callback: it can send more. */
static ssize_t read_text(void *ctx, uint64_t pos, char *out, size_t max)
{
	struct streaming *s;
	size_t n;

	(void)pos;
	CAST_OBJ(s, ctx, STREAM_MAGIC);
	n = MIN(max, s->n - s->sent);
	if (n > 0) {
		memcpy(out, s->text + s->sent, n);
		s->sent += n;
		return (ssize_t)n;
	}
	drop_text(s);
	if (s->ending)
		return MHD_CONTENT_READER_END_OF_STREAM;
	rest_until(s, s->asked_at + s->source.every);
	MHD_suspend_connection(s->request->conn);
	return 0;
}

void streaming_write(struct streaming *s, char *text, size_t n)
{
	CHECK_OBJ(s, STREAM_MAGIC);
	must(s->phase == STREAM_ASKED);
	if (text == NULL) {
		rest_until(s, s->asked_at + s->source.every);
		return;
	}
	put_text(s, text, n);
	wake(s);
}

/* --- its time --- */

static int fd_of(const struct streaming *s)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(s->request->conn, MHD_CONNECTION_INFO_CONNECTION_FD);

	return fd != NULL ? fd->connect_fd : -1;
}

/* Whether nothing of what was sent is still on its way. */
static bool has_arrived(const struct streaming *s)
{
	int left = 0;

	return ioctl(fd_of(s), SIOCOUTQ, &left) == 0 && left == 0;
}

/* It has closed, or was cut: microhttpd does not look while it is suspended. */
static bool has_left(const struct streaming *s)
{
	const struct client *c = client_of(s->request->conn);
	uint8_t byte;
	ssize_t got = recv(fd_of(s), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return (c != NULL && c->cut) || got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static void on_timer(struct loop_timer *timer, int64_t now)
{
	struct streaming *s = container_of(timer, struct streaming, timer);
	struct http *h = s->http;

	CHECK_OBJ(s, STREAM_MAGIC);
	must(s->phase == STREAM_RESTS);
	if (has_left(s) || !tokens_valid(h->tokens, s->request->who.token, clock_wall_s())) {
		s->ending = true;
		wake(s);
		return;
	}
	s->asked_at = now;
	if (!has_arrived(s) || h->streamed > TEXTS_MAX) {
		rest_until(s, now + s->source.every);
		return;
	}
	client_enter(h, s->request->conn, CLIENT_STREAM);
	s->phase = STREAM_ASKED;
	s->source.due(s->source.ctx, s);
}

/* --- begin and end --- */

/* false: answered. */
static bool has_place(struct request *r)
{
	struct http *h = r->http;

	if (h->stopping)
		answer_err(r, E_STOPPING, NULL);
	else if (h->streams_n >= API_STREAMS(h->config->api_connections))
		answer_text(r, 503, "%u streams are open, and there may be no more: close some",
			h->streams_n);
	return !r->answered;
}

bool streaming_enter(struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	if (!has_place(r))
		return false;
	r->http->streams_n++;
	r->http->clients_n--;
	MHD_set_connection_option(r->conn, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	door_room(r->http);
	return true;
}

void streaming_leave(struct http *h)
{
	CHECK_OBJ(h, HTTP_MAGIC);
	h->streams_n--;
	h->clients_n++;
}

void streaming_open(struct request *r, const struct streaming_source *source, const char *type,
	char *text, size_t n)
{
	struct http *h;
	struct streaming *s;
	struct MHD_Response *m;

	CHECK_OBJ(r, REQUEST_MAGIC);
	h = r->http;
	if (!streaming_enter(r)) {
		source->free(source->ctx);
		free(text);
		return;
	}
	ALLOC_OBJ(s, STREAM_MAGIC);
	s->http = h;
	s->request = r;
	s->source = *source;
	s->timer.fn = on_timer;
	s->asked_at = actor_now(h->actor) - source->every; /* the first time at once */
	put_text(s, text, n);
	r->stream = s;
	link_append(&h->streams, &s->link);
	m = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, read_text, s, NULL);
	must(m != NULL);
	answer_header(r, "X-Accel-Buffering", "no");
	answer_header(r, "Connection", "close");
	answer_ready(r, 200, type, m);
}

void streaming_close(struct streaming **ps)
{
	struct streaming *s;
	struct http *h;

	TAKE_OBJ(s, ps, STREAM_MAGIC);
	h = s->http;
	loop_timer_del(actor_loop(h->actor), &s->timer);
	link_remove(&s->link);
	streaming_leave(h);
	s->source.free(s->source.ctx);
	drop_text(s);
	FREE_OBJ(s);
}

/* Who has taken everything gets the last words; who has not, the end. */
void streaming_end(struct http *h)
{
	struct link *l, *next;

	CHECK_OBJ(h, HTTP_MAGIC);
	for (l = h->streams.next; l != &h->streams; l = next) {
		struct streaming *s = container_of(l, struct streaming, link);
		size_t n;
		char *text;

		next = l->next;
		s->ending = true;
		if (s->phase == STREAM_SENDS)
			continue;
		text = s->source.bye(s->source.ctx, &n);
		put_text(s, text, text != NULL ? n : 0);
		wake(s);
	}
}
