/* SPDX-License-Identifier: MIT */
/*
 * One URL of one torrent: when it is asked, for what, and what is done when it fails.
 *
 * While it is open peers have it as a peer that has everything its server has.  A failure of one
 * request while others are served means fewer at a time; a failure of the last closes the pipe, so
 * that peers ask others, until the seed has rested.  What a server lacks is known by file: the pipe
 * is made anew, and the pieces that need the file are not offered any more.
 */
#include <stdio.h>

#include "actors/kernel/log.h"
#include "actors/kernel/net.h"
#include "actors/kernel/random.h"
#include "actors/webseed/priv.h"
#include "proto/base/encode.h"
#include "proto/wire/ext.h"

#define TRANSFERS_MAX 4u                  /* of one seed at a time */
#define TRANSFER_MAX  (UINT64_C(4) << 20) /* bytes of one */
#define UNSENT_MAX    ((size_t)1 << 20)   /* bytes that peers have not taken */
#define UNSENT_LOW    (UNSENT_MAX / 2)
#define HELLO_ROOM    512u

struct endpoint wseed_address(const struct seed *s)
{
	CHECK_OBJ(s, SEED_MAGIC);
	uint32_t slot = s->torrent->ref.slot;
	uint8_t ip[16] = {1, [8] = (uint8_t)(s->torrent->ref.gen >> 8),
		(uint8_t)s->torrent->ref.gen, (uint8_t)(slot >> 24), (uint8_t)(slot >> 16),
		(uint8_t)(slot >> 8), (uint8_t)slot, (uint8_t)(s->index >> 8), (uint8_t)s->index};

	return endpoint_from_v6(ip, 80);
}

const char *wseed_state_text(const struct seed *s)
{
	CHECK_OBJ(s, SEED_MAGIC);
	switch (s->state) {
	case SEED_CLOSED:
		return "queued";
	case SEED_OPEN:
		return s->transfers_n > 0         ? "downloading"
		       : link_linked(&s->in_line) ? "queued"
						  : "idle";
	case SEED_RESTING:
		return "resting";
	case SEED_BANNED:
		return "banned";
	default:
		return "empty";
	}
}

/* --- ends --- */

static void free_transfer(struct seed *s, struct transfer *t)
{
	struct webseed *w = s->torrent->webseed;

	transfer_free(&t);
	s->transfers_n--;
	w->used--;
	loop_task_post(w->loop, &w->serve);
}

static void close_pipe(struct seed *s)
{
	struct webseed *w = s->torrent->webseed;

	if (pipe_is_open(&s->pipe)) {
		w->open--;
		loop_task_post(w->loop, &w->serve);
	}
	pipe_close(&s->pipe);
	while (!link_empty(&s->transfers))
		free_transfer(s, container_of(s->transfers.next, struct transfer, in_seed));
	httpseed_queue_fini(&s->queue);
	link_remove(&s->in_line);
}

static void log_state(const struct seed *s)
{
	char ih[9];

	hex_encode(s->torrent->meta->infohash.v1, 4, ih);
	log_event(LOG_INFO, "web_seed", "ih=%s url=\"%s\" state=%s text=\"%s\"", ih, s->url,
		wseed_state_text(s), s->error);
}

static void leave(struct seed *s, enum seed_state state)
{
	close_pipe(s);
	s->state = state;
	log_state(s);
}

static void rest(struct seed *s, int64_t wait)
{
	struct webseed *w = s->torrent->webseed;
	int64_t now = loop_now(w->loop);

	httpseed_failed(&s->health, wait, now);
	leave(s, SEED_RESTING);
	loop_timer_set(w->loop, &s->timer, s->health.until);
}

void wseed_ban(struct seed *s)
{
	CHECK_OBJ(s, SEED_MAGIC);
	loop_timer_del(s->torrent->webseed->loop, &s->timer);
	(void)snprintf(s->error, sizeof s->error, "its data does not match the torrent");
	leave(s, SEED_BANNED);
}

/* --- what it has --- */

static bool lacks_file(const struct seed *s, uint32_t file)
{
	return s->gone.bits > 0 && bitfield_get(&s->gone, file);
}

static bool has_piece(const struct seed *s, uint32_t piece)
{
	const struct layout *l = &s->torrent->layout;
	struct span_iter it;
	struct file_span span;

	if (s->gone.bits == 0)
		return true;
	it = span_iter_of(
		s->torrent->meta, layout_offset(l, piece, 0), layout_piece_size(l, piece));
	while (span_next(&it, &span))
		if (!span.pad && lacks_file(s, span.file))
			return false;
	return true;
}

static bool has_any(const struct seed *s)
{
	for (uint32_t i = 0; i < s->torrent->layout.pieces; i++)
		if (has_piece(s, i))
			return true;
	return false;
}

static void note_gone(struct seed *s, uint32_t file)
{
	if (s->gone.bits == 0)
		bitfield_init(&s->gone, s->torrent->meta->files_n);
	bitfield_set(&s->gone, file);
}

/* --- transfers --- */

static void on_block(void *owner, const struct httpseed_request *r, const uint8_t *data)
{
	struct seed *s = owner;
	struct wr w = pipe_begin(&s->pipe, WIRE_PIECE_HEADER + r->length);

	wire_put_piece_header(&w, r->piece, r->begin, r->length);
	wr_bytes(&w, data, r->length);
	pipe_say(&s->pipe, &w);
	s->bytes += r->length;
	httpseed_worked(&s->health);
	s->error[0] = '\0';
}

static bool has_room(void *owner)
{
	const struct seed *s = owner;

	return pipe_unsent(&s->pipe) < UNSENT_MAX;
}

/* What has not come is asked for again, by whoever is next. */
static void put_back(struct seed *s, const struct transfer *t)
{
	for (uint32_t i = t->at; i < t->n; i++)
		(void)httpseed_queue_push(&s->queue, &t->request[i]);
}

static void on_done(
	void *owner, struct transfer *t, const struct httpseed_judgement *judged, uint32_t file)
{
	struct seed *s = owner;
	struct httpseed_judgement j = *judged; /* it goes with the transfer */

	CHECK_OBJ(s, SEED_MAGIC);
	if (j.verdict != HTTPSEED_TAKE) {
		memcpy(s->error, j.why, sizeof j.why);
		put_back(s, t);
	}
	free_transfer(s, t);
	if (j.verdict == HTTPSEED_NO_FILE) {
		note_gone(s, file);
		close_pipe(s);
		if (has_any(s))
			wseed_open(s);
		else
			leave(s, SEED_EMPTY);
	} else if (j.verdict == HTTPSEED_WAIT && s->transfers_n == 0) {
		rest(s, j.wait);
	} else if (j.verdict == HTTPSEED_TAKE) {
		wseed_serve(s);
	}
	/* Else the others go on, and when one ends there is a try with what was put back. */
}

static const struct transfer_ops transfer_ops = {.block = on_block,
	.has_room = has_room,
	.done = on_done};

static void start_transfer(struct seed *s)
{
	struct web_torrent *t = s->torrent;
	struct webseed *w = t->webseed;
	struct httpseed_request run[TRANSFER_REQUESTS];
	uint32_t n = httpseed_queue_take(&s->queue, TRANSFER_MAX, run, ARRAY_LEN(run));
	struct transfer like = {.web = w->web,
		.loop = w->loop,
		.config = w->config,
		.meta = t->meta,
		.names = t->names,
		.base = s->url,
		.ops = &transfer_ops,
		.owner = s};

	link_append(&s->transfers, &transfer_new(&like, run, n)->in_seed);
	s->transfers_n++;
	w->used++;
}

void wseed_serve(struct seed *s)
{
	struct webseed *w;

	CHECK_OBJ(s, SEED_MAGIC);
	w = s->torrent->webseed;
	while (s->queue.n > 0 && s->transfers_n < TRANSFERS_MAX &&
		pipe_unsent(&s->pipe) < UNSENT_MAX) {
		if (w->used >= (unsigned)w->config->webseed_connections) {
			if (!link_linked(&s->in_line))
				link_append(&w->line, &s->in_line);
			return;
		}
		start_transfer(s);
	}
}

/* --- the pipe --- */

static struct seed *seed_of(struct pipe *p)
{
	struct seed *s = container_of(p, struct seed, pipe);

	CHECK_OBJ(s, SEED_MAGIC);
	return s;
}

static struct httpseed_request request_of(
	const struct seed *s, uint32_t piece, uint32_t begin, uint32_t length)
{
	return (struct httpseed_request){
		piece, begin, length, layout_offset(&s->torrent->layout, piece, begin)};
}

static enum err on_request(struct pipe *p, uint32_t piece, uint32_t begin, uint32_t length)
{
	struct seed *s = seed_of(p);
	struct httpseed_request r;

	if (!layout_request_ok(&s->torrent->layout, piece, begin, length, WIRE_MAX_BLOCK))
		return E_PROTOCOL;
	r = request_of(s, piece, begin, length);
	if (!has_piece(s, piece) || !httpseed_queue_push(&s->queue, &r)) {
		struct wr w = pipe_begin(p, 32);

		wire_put_reject(&w, piece, begin, length);
		pipe_say(p, &w);
	}
	return E_OK;
}

/* One that is being asked for comes all the same, as with other peers. */
static void on_cancel(struct pipe *p, uint32_t piece, uint32_t begin, uint32_t length)
{
	struct seed *s = seed_of(p);
	struct httpseed_request r;

	if (!layout_request_ok(&s->torrent->layout, piece, begin, length, WIRE_MAX_BLOCK))
		return;
	r = request_of(s, piece, begin, length);
	if (httpseed_queue_remove(&s->queue, &r)) {
		struct wr w = pipe_begin(p, 32);

		wire_put_reject(&w, piece, begin, length);
		pipe_say(p, &w);
	}
}

static void on_turned(struct pipe *p)
{
	struct seed *s = seed_of(p);
	struct link *l, *next;

	if (pipe_unsent(p) < UNSENT_LOW)
		for (l = s->transfers.next; l != &s->transfers; l = next) {
			next = l->next;
			transfer_resume(container_of(l, struct transfer, in_seed));
		}
	wseed_serve(s);
}

/* Peers want nothing of it: they are full, or will say that it is banned, or are done. */
static void on_ended(struct pipe *p)
{
	rest(seed_of(p), 0);
}

static const struct pipe_ops pipe_ops = {.request = on_request,
	.cancel = on_cancel,
	.turned = on_turned,
	.ended = on_ended};

static void say_pieces(struct seed *s)
{
	const struct layout *l = &s->torrent->layout;
	struct bitfield has = {0};
	struct wr w;

	if (s->gone.bits == 0) {
		w = pipe_begin(&s->pipe, 5);
		wire_put_have_all(&w);
		pipe_say(&s->pipe, &w);
		return;
	}
	bitfield_init(&has, l->pieces);
	for (uint32_t i = 0; i < l->pieces; i++)
		if (has_piece(s, i))
			bitfield_set(&has, i);
	w = pipe_begin(&s->pipe, 5 + bitfield_bytes(l->pieces));
	wire_put_bitfield(&w, has.bytes, bitfield_bytes(l->pieces));
	pipe_say(&s->pipe, &w);
	bitfield_free(&has);
}

/* "web seed http://host": what people see among the peers. */
static void name_seed(const struct seed *s, char *out, size_t size)
{
	const char *host = strstr(s->url, "//");
	size_t n = host != NULL ? strcspn(host + 2, "/?#") : 0;
	const char *at = host != NULL ? memchr(host + 2, '@', n) : NULL;

	if (at != NULL) {
		n -= (size_t)(at + 1 - (host + 2));
		host = at - 1;
	}
	(void)snprintf(out, size, "web seed %.*s", (int)MIN(n, size), host != NULL ? host + 2 : "");
}

static void greet(struct seed *s)
{
	struct wr w = pipe_begin(&s->pipe, WIRE_HANDSHAKE + HELLO_ROOM), body;
	uint8_t reserved[8] = {0}, id[20] = "-TW0100-", dict[HELLO_ROOM / 2];
	char name[64];
	struct ext_params say = {
		.reqq = HTTPSEED_REQUESTS_MAX, .upload_only = true, .client = name};

	random_bytes(id + 8, 12);
	wire_reserved_set(reserved, WIRE_FAST);
	wire_reserved_set(reserved, WIRE_EXTENSION);
	must(wire_handshake_encode(wr_room(&w, WIRE_HANDSHAKE), reserved,
		     s->torrent->meta->infohash.v1, id) == E_OK);
	pipe_say(&s->pipe, &w);
	say_pieces(s);
	name_seed(s, name, sizeof name);
	body = wr_of(dict, sizeof dict);
	ext_handshake_build(&body, &say);
	must(!body.full);
	w = pipe_begin(&s->pipe, HELLO_ROOM);
	wire_put_extended(&w, 0, dict, (size_t)(body.p - dict));
	wire_put_unchoke(&w);
	pipe_say(&s->pipe, &w);
}

static void hand_over(struct seed *s, int fd)
{
	struct actor *a = s->torrent->webseed->actor;
	struct m_peers_handoff *m = msg_new(a, MSG_PEERS_HANDOFF);

	m->fd = fd;
	m->from = wseed_address(s);
	m->web = true;
	msg_send(a, ADDR(ROLE_PEERS, s->torrent->ref.shard), m);
}

void wseed_open(struct seed *s)
{
	struct webseed *w;
	int fd[2];
	enum err err;

	CHECK_OBJ(s, SEED_MAGIC);
	w = s->torrent->webseed;
	if (w->open >= (unsigned)w->config->webseed_connections) {
		s->state = SEED_CLOSED;
		link_append(&w->closed, &s->in_line);
		return;
	}
	err = net_pair(fd);
	if (err == E_OK && (err = pipe_open(&s->pipe, w->loop, fd[0], &pipe_ops)) != E_OK)
		net_close(fd[1]);
	if (err != E_OK) {
		(void)snprintf(s->error, sizeof s->error, "%s", err_words(err));
		rest(s, 0);
		return;
	}
	s->state = SEED_OPEN;
	w->open++;
	hand_over(s, fd[1]);
	greet(s);
}

static void on_rested(struct loop_timer *timer, int64_t now)
{
	struct seed *s = container_of(timer, struct seed, timer);

	(void)now;
	CHECK_OBJ(s, SEED_MAGIC);
	wseed_open(s);
}

void wseed_start(struct seed *s, struct web_torrent *t, unsigned index)
{
	CHECK_OBJ(t, WEB_TORRENT_MAGIC);
	*s = (struct seed){
		.magic = SEED_MAGIC, .torrent = t, .url = t->meta->url_list[index], .index = index};
	s->pipe.io.fd = -1;
	s->timer.fn = on_rested;
	link_init(&s->transfers);
	wseed_open(s);
}

void wseed_end(struct seed *s)
{
	CHECK_OBJ(s, SEED_MAGIC);
	close_pipe(s);
	loop_timer_del(s->torrent->webseed->loop, &s->timer);
	bitfield_free(&s->gone);
	s->magic = 0;
}
