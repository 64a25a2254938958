/* SPDX-License-Identifier: MIT */
#include "tests/unit/lib/peers_world.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/kernel/clock.h"
#include "actors/kernel/fs.h"
#include "actors/kernel/log.h"
#include "actors/kernel/net.h"
#include "proto/meta/metainfo.h"
#include "proto/wire/wire.h"

#define WORLD_SIZE ((size_t)WORLD_PIECE * WORLD_PIECES)

/* The calls below have no argument that could name the world they are made in. */
static struct world *world;
static int64_t now_us;

/* --- virtual time: these stand in for the kernel's own --- */

int64_t clock_mono_us(void)
{
	return now_us;
}

int64_t clock_wall_s(void)
{
	return 1700000000 + now_us / USEC_PER_SEC;
}

int64_t world_now(void)
{
	return now_us;
}

/* --- sockets --- */

static void set_nonblocking(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

static struct remote *remote_new(struct world *w, const struct endpoint *at)
{
	unsigned i = w->remotes_n++;
	struct remote *r = &w->remote[i];
	int pair[2];

	assert_true(w->remotes_n < WORLD_REMOTES);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	set_nonblocking(pair[0]);
	set_nonblocking(pair[1]);
	if (w->send_buffer > 0)
		setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &w->send_buffer, sizeof(int));
	*r = (struct remote){.fd = pair[0], .at = *at};
	w->lines[i] = pair[1];
	return r;
}

int net_listen(const struct endpoint *at, int backlog, enum err *err)
{
	(void)at;
	(void)backlog;
	*err = E_UNSUPPORTED;
	return -1;
}

int net_accept(int fd, struct endpoint *peer, enum err *err)
{
	char one;

	*err = E_AGAIN;
	if (read(fd, &one, 1) != 1)
		return -1;
	while (world->remote[world->accept_at].dialled)
		world->accept_at++;
	*peer = world->remote[world->accept_at].at;
	return world->lines[world->accept_at++];
}

int net_connect(const struct endpoint *to, enum err *err)
{
	struct remote *r;

	if (world->refuse_dials) {
		*err = E_REFUSED;
		return -1;
	}
	r = remote_new(world, to);
	r->dialled = true;
	return world->lines[r - world->remote];
}

enum err net_connect_result(int fd)
{
	(void)fd;
	return E_OK;
}

static ssize_t counted(ssize_t n, enum err *err)
{
	if (n < 0)
		*err = errno == EAGAIN ? E_AGAIN : errno == EPIPE ? E_CLOSED : E_IO;
	return n;
}

ssize_t net_readv(int fd, const struct iovec *iov, int iovcnt, enum err *err)
{
	return counted(readv(fd, iov, iovcnt), err);
}

static bool is_mapped(const void *p)
{
	const uint8_t *at = p;

	return world->content != NULL && at >= world->content && at < world->content + WORLD_SIZE;
}

ssize_t net_writev(int fd, const struct iovec *iov, int iovcnt, bool more, enum err *err)
{
	struct msghdr h = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)iovcnt};

	(void)more;
	for (int i = 0; i < iovcnt && world->faults; i++) {
		if (!is_mapped(iov[i].iov_base))
			continue;
		*err = E_FAULT;
		return -1;
	}
	return counted(sendmsg(fd, &h, MSG_NOSIGNAL), err);
}

/* The actor's end of a connection: the other end dialled from there, or was dialled. */
enum err net_local(int fd, struct endpoint *out)
{
	for (unsigned i = 0; i < world->remotes_n; i++) {
		if (world->lines[i] != fd)
			continue;
		*out = (struct endpoint){.port = (uint16_t)(40000 + i)};
		return endpoint_parse_ip("192.0.2.1", 9, out) == E_OK
			       ? (out->port = (uint16_t)(40000 + i), E_OK)
			       : E_RANGE;
	}
	return E_NOT_FOUND;
}

void net_set_not_sent_low(int fd, unsigned bytes)
{
	(void)fd;
	(void)bytes;
}

void net_close(int fd)
{
	close(fd);
}

int net_udp_open(const struct endpoint *at, enum err *err)
{
	(void)at;
	*err = E_UNSUPPORTED;
	return -1;
}

enum err net_udp_send(int fd, const struct endpoint *to, const void *p, size_t n)
{
	struct datagram *d = &world->sent[world->sent_n++];

	(void)fd;
	assert_true(world->sent_n < ARRAY_LEN(world->sent) && n <= sizeof d->bytes);
	d->at = *to;
	d->n = n;
	memcpy(d->bytes, p, n);
	return E_OK;
}

ssize_t net_udp_recv(int fd, struct endpoint *from, void *p, size_t n, enum err *err)
{
	struct datagram *d;
	char one;

	*err = E_AGAIN;
	if (read(fd, &one, 1) != 1)
		return -1;
	d = &world->arrived[world->arrived_at++];
	*from = d->at;
	memcpy(p, d->bytes, MIN(n, d->n));
	return (ssize_t)MIN(n, d->n);
}

/* --- maps --- */

bool fs_map_resident(const uint8_t *at, size_t n)
{
	assert_true(is_mapped(at) && is_mapped(at + n - 1));
	return world->resident;
}

void fs_unmap(const uint8_t *map, uint64_t n)
{
	(void)n;
	assert_true(map == world->content);
}

/* --- the log --- */

static void say(struct world *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->log_n > 0)
		w->log[w->log_n++] = ' ';
	va_start(ap, fmt);
	w->log_n += (size_t)vsnprintf(w->log + w->log_n, sizeof w->log - w->log_n, fmt, ap);
	va_end(ap);
	assert_true(w->log_n < sizeof w->log - 256);
}

void world_expect(struct world *w, const char *words)
{
	world_turn(w);
	assert_string_equal(w->log, words);
	w->log_n = 0;
	w->log[0] = '\0';
}

/* --- the others --- */

static void read_extent(struct world *w, struct m_extent *e, enum err err)
{
	if (err == E_OK && e->data != NULL)
		memcpy(e->data, w->content + (size_t)e->piece * WORLD_PIECE + e->begin, e->length);
}

static void on_extent(struct actor *a, struct msg **m)
{
	struct world *w = actor_self(a);

	w->reads++;
	if (w->hold_reads) {
		assert_true(w->kept_n < WORLD_KEPT);
		w->kept[w->kept_n++] = *m;
		*m = NULL;
		return;
	}
	read_extent(w, MSG_AS(EXTENT_READ, *m), E_OK);
	actor_reply(a, m, E_OK);
}

void world_answer_reads(struct world *w, enum err err)
{
	unsigned n = w->kept_n;

	w->kept_n = 0;
	for (unsigned i = 0; i < n; i++) {
		struct msg *m = w->kept[i];

		read_extent(w, MSG_AS(EXTENT_READ, m), err);
		actor_reply(w->worker, &m, err);
	}
	world_turn(w);
}

static void on_map(struct actor *a, struct msg **m)
{
	struct world *w = actor_self(a);
	struct m_file_map *f = MSG_AS(FILE_MAP, *m);

	f->map = w->maps ? w->content : NULL;
	actor_reply(a, m, w->maps ? E_OK : E_UNSUPPORTED);
}

static void on_blocks(struct actor *a, struct msg **m)
{
	struct world *w = actor_self(a);
	struct m_blocks *b = MSG_AS(BLOCKS_WRITE, *m), *back = NULL;

	for (unsigned i = 0; i < b->n; i++) {
		struct block_item *it = &b->items[i];

		if (it->kind == BLOCK_DROP)
			say(w, "DROP(%u,%u)", it->piece, it->length);
		if (it->kind != BLOCK_WRITE)
			continue;
		say(w, "WRITE(%u,%u,%u)", it->piece, it->begin, it->length);
		if (back == NULL)
			back = msg_new(a, MSG_BLOCKS_DONE);
		back->items[back->n] = *it;
		back->items[back->n++].kind = BLOCK_BACK;
	}
	if (back != NULL)
		msg_send(a, ADDR(ROLE_PEERS, 0), back);
}

static void on_other(struct actor *a, struct msg **m)
{
	struct world *w = actor_self(a);

	if ((*m)->type == MSG_PEERS_TOTALS || (*m)->type == MSG_PEERS_LOAD)
		return;
	say(w, "%s", msg_table.types[(*m)->type].name);
}

static void *fake_init(struct actor *a, const void *arg)
{
	(void)a;
	return (void *)(uintptr_t)arg;
}

static const struct actor_handler catch_all[] = {{KMSG_NONE, on_other}, {0, NULL}};
static const struct actor_handler of_worker[] = {{MSG_EXTENT_READ, on_extent},
	{MSG_FILE_MAP, on_map}, {MSG_BLOCKS_WRITE, on_blocks}, {KMSG_NONE, on_other}, {0, NULL}};
static const struct actor_spec fake_session = {.role_name = "session",
	.handlers = catch_all,
	.init = fake_init};
static const struct actor_spec fake_tracker = {.role_name = "tracker",
	.handlers = catch_all,
	.init = fake_init};
static const struct actor_spec fake_worker = {.role_name = "worker",
	.handlers = of_worker,
	.init = fake_init};

/* --- time --- */

void world_turn(struct world *w)
{
	for (int i = 0; i < 12; i++) {
		actor_turn(w->peers, 0);
		actor_turn(w->session, 0);
		actor_turn(w->tracker, 0);
		actor_turn(w->worker, 0);
	}
}

void world_pass(struct world *w, int64_t us)
{
	int64_t end = now_us + us;

	world_turn(w);
	while (now_us < end) {
		now_us = MIN(now_us + USEC_PER_SEC / 4, end);
		world_turn(w);
	}
}

/* --- remotes --- */

static struct endpoint endpoint_of(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, &e), E_OK);
	return e;
}

struct remote *world_dial(struct world *w, const char *from)
{
	struct endpoint at = endpoint_of(from);
	struct remote *r = remote_new(w, &at);

	assert_int_equal(write(w->listener[1], "c", 1), 1);
	world_turn(w);
	return r;
}

void remote_send(struct world *w, struct remote *r, const void *bytes, size_t n)
{
	ssize_t sent = send(r->fd, bytes, n, MSG_NOSIGNAL);

	if (sent >= 0)
		assert_int_equal(sent, n);
	world_turn(w);
}

void remote_hello_id(struct world *w, struct remote *r, const uint8_t id[20])
{
	uint8_t out[WIRE_HANDSHAKE], reserved[8] = {0};

	wire_reserved_set(reserved, WIRE_FAST);
	wire_handshake_encode(out, reserved, w->meta->infohash.v1, id);
	remote_send(w, r, out, sizeof out);
}

void remote_hello(struct world *w, struct remote *r, const char *name)
{
	uint8_t id[20] = "-XX0001-            ";
	size_t n = strlen(name);

	assert_true(n <= 12);
	memcpy(id + 8, name, n);
	remote_hello_id(w, r, id);
}

struct remote *world_join(struct world *w, const char *from, const char *name)
{
	struct remote *r = world_dial(w, from);

	remote_hello(w, r, name);
	return r;
}

struct remote *world_dialled(struct world *w, const char *address)
{
	struct endpoint at = endpoint_of(address);

	world_turn(w);
	for (unsigned i = w->remotes_n; i-- > 0;)
		if (w->remote[i].dialled && endpoint_equal(&w->remote[i].at, &at))
			return &w->remote[i];
	return NULL;
}

void remote_say(struct world *w, struct remote *r, unsigned id)
{
	const uint8_t out[5] = {0, 0, 0, 1, (uint8_t)id};

	remote_send(w, r, out, sizeof out);
}

void remote_request(struct world *w, struct remote *r, uint32_t piece, uint32_t begin)
{
	uint8_t out[32];
	struct wr wr = wr_of(out, sizeof out);

	wire_put_request(&wr, piece, begin, BLOCK_SIZE);
	remote_send(w, r, out, (size_t)(wr.p - out));
}

void remote_haves(struct world *w, struct remote *r, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++) {
		uint8_t out[16];
		struct wr wr = wr_of(out, sizeof out);

		wire_put_have(&wr, i);
		remote_send(w, r, out, (size_t)(wr.p - out));
	}
}

void remote_read(struct world *w, struct remote *r, size_t max)
{
	while (max > 0 && !r->ended) {
		ssize_t n;

		if (r->in_n == r->in_cap) {
			r->in_cap = MAX(2 * r->in_cap, (size_t)65536);
			r->in = xrealloc(r->in, r->in_cap);
		}
		n = read(r->fd, r->in + r->in_n, MIN(max, r->in_cap - r->in_n));
		r->ended |= n == 0 || (n < 0 && errno != EAGAIN);
		if (n <= 0)
			break;
		r->in_n += (size_t)n;
		max -= (size_t)n;
		world_turn(w);
	}
}

bool remote_closed(struct world *w, struct remote *r)
{
	world_turn(w);
	remote_read(w, r, SIZE_MAX);
	return r->ended;
}

void remote_close(struct world *w, struct remote *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	r->ended = true;
	world_turn(w);
}

static uint32_t number(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* One message as words. */
static int put_message(struct world *w, const uint8_t *p, uint32_t n, char *out, size_t room)
{
	static const char *const names[] = {"choke", "unchoke", "interested", "not_interested",
		"have", "bitfield", "request", "piece", "cancel", "port", "", "", "", "suggest",
		"have_all", "have_none", "reject", "fast"};

	if (n == 0)
		return snprintf(out, room, "keepalive ");
	if (p[0] == 7) {
		uint32_t piece = number(p + 1), begin = number(p + 5);

		assert_memory_equal(p + 9, w->content + (size_t)piece * WORLD_PIECE + begin, n - 9);
		return snprintf(out, room, "piece(%u,%u) ", piece, begin);
	}
	assert_true(p[0] < ARRAY_LEN(names)); /* or the stream is lost */
	if (p[0] == 4 || p[0] == 17)
		return p[0] == 17 ? 0 : snprintf(out, room, "have(%u) ", number(p + 1));
	if (p[0] == 6 || p[0] == 16)
		return snprintf(out, room, "%s(%u,%u) ", names[p[0]], number(p + 1), number(p + 5));
	return snprintf(out, room, "%s ", names[p[0]]);
}

const char *remote_words(struct world *w, struct remote *r)
{
	static char out[65536];
	size_t at = 0, n = 0;

	world_turn(w);
	remote_read(w, r, SIZE_MAX);
	out[0] = '\0';
	if (!r->hello_seen && r->in_n >= WIRE_HANDSHAKE) {
		at = WIRE_HANDSHAKE;
		r->hello_seen = true;
	}
	while (r->hello_seen && r->in_n - at >= 4) {
		uint32_t length = number(r->in + at);

		assert_true(length < 1u << 21);
		if (r->in_n - at < 4 + (size_t)length)
			break;
		n += (size_t)put_message(w, r->in + at + 4, length, out + n, sizeof out - n);
		at += 4 + length;
	}
	memmove(r->in, r->in + at, r->in_n - at);
	r->in_n -= at;
	if (n > 0)
		out[n - 1] = '\0';
	return out;
}

/* --- start and end --- */

static struct metainfo *make_meta(const uint8_t *hashes)
{
	char out[512];
	struct metainfo *m = NULL;
	int n = snprintf(out, sizeof out,
		"d4:infod6:lengthi%zue4:name6:a k=v\"12:piece lengthi%ue6:pieces%u:", WORLD_SIZE,
		WORLD_PIECE, WORLD_PIECES * 20);

	memcpy(out + n, hashes, (size_t)WORLD_PIECES * 20);
	memcpy(out + n + WORLD_PIECES * 20, "ee", 2);
	assert_int_equal(metainfo_parse(out, (size_t)n + WORLD_PIECES * 20 + 2, &m, NULL), E_OK);
	return m;
}

static void make_content(struct world *w)
{
	uint8_t hashes[WORLD_PIECES * 20] = {0};

	w->content = xcalloc(1, WORLD_SIZE);
	for (size_t i = 0; i < WORLD_SIZE; i++)
		w->content[i] = (uint8_t)((i * 2654435761u) >> 16);
	w->meta = make_meta(hashes);
}

static const struct config *make_config(const char *const *more)
{
	char *argv[16] = {xstrdup("torrentd"), xstrdup("--state.dir=/tmp/t_peers"),
		xstrdup("--download.dir=/downloads"), xstrdup("--peers.allow_local=true")};
	struct config_input in = {.argc = 4, .argv = argv, .no_files = true};
	const struct config *c = NULL;
	enum config_action action;
	char errors[2048] = "";

	for (; more != NULL && *more != NULL; more++)
		argv[in.argc++] = xstrdup(*more);
	if (config_load(&in, &c, &action, errors, sizeof errors) != E_OK)
		fail_msg("%s", errors);
	for (int i = 0; i < in.argc; i++)
		xfree(argv[i]);
	return c;
}

static void make_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	set_nonblocking(pair[0]);
}

static void add_torrent(struct world *w, uint32_t have)
{
	struct m_peers_add *add = msg_new(w->session, MSG_PEERS_ADD);

	w->ref = (struct tref){.slot = 3, .gen = 7};
	add->t = w->ref;
	add->meta = metainfo_ref(w->meta);
	bitfield_init(&add->have, WORLD_PIECES);
	for (uint32_t i = 0; i < have; i++)
		bitfield_set(&add->have, i);
	add->active = true;
	msg_send(w->session, ADDR(ROLE_PEERS, 0), add);
}

void world_start(struct world *w, uint32_t have)
{
	make_pair(w->listener);
	make_pair(w->udp);
	w->config = make_config(w->options);
	w->env = (struct actor_env){.config = w->config,
		.shards = 1,
		.workers = 1,
		.peer_id = "-TD0001-ourownpeerid",
		.peer_fds = {w->listener[0]},
		.peer_fds_n = 1,
		.peer_port = 6881};
	w->set = actors_new(&msg_table);
	w->session = actors_add_here(w->set, ADDR_SESSION, &fake_session, w);
	w->tracker = actors_add_here(w->set, ADDR_TRACKER, &fake_tracker, w);
	w->worker = actors_add_here(w->set, ADDR(ROLE_WORKER, 0), &fake_worker, w);
	w->peers = actors_add_here(w->set, ADDR(ROLE_PEERS, 0), &peers_spec, &w->env);
	actors_start_here(w->set);
	add_torrent(w, have);
	world_turn(w);
	w->log_n = 0;
	w->log[0] = '\0';
}

void world_set_active(struct world *w, bool active)
{
	struct m_peers_set *set = msg_new(w->session, MSG_PEERS_SET);

	set->t = w->ref;
	set->active = active;
	msg_send(w->session, ADDR(ROLE_PEERS, 0), set);
	world_turn(w);
}

void world_found(struct world *w, const char *address)
{
	struct m_peers_found *f = msg_new(w->tracker, MSG_PEERS_FOUND);

	f->t = w->ref;
	f->seeds = -1;
	f->n = 1;
	f->peers = xcalloc(1, sizeof *f->peers);
	f->peers[0] = endpoint_of(address);
	msg_send(w->tracker, ADDR(ROLE_PEERS, 0), f);
	world_turn(w);
}

static void on_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct world *w = ctx;

	assert_int_equal(err, E_OK);
	msg_free(a, &w->view);
	w->view = *m;
	*m = NULL;
}

const struct torrent_peers *world_view(struct world *w)
{
	struct m_peers_view *v = msg_new(w->session, MSG_PEERS_VIEW);

	v->all = true;
	msg_call(w->session, ADDR(ROLE_PEERS, 0), v, on_view, w);
	world_turn(w);
	v = MSG_AS(PEERS_VIEW, w->view);
	assert_int_equal(v->torrents_n, 1);
	return v->torrents;
}

int world_new(void **state)
{
	struct world *w = xcalloc(1, sizeof *w);

	*state = world = w;
	now_us = 1000 * USEC_PER_SEC;
	w->resident = true;
	make_content(w);
	log_set_level(LOG_ERROR);
	return 0;
}

static void on_quiesced(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	(void)a;
	(void)ctx;
	(void)m;
	assert_int_equal(err, E_OK);
}

static void quiesce(struct world *w)
{
	struct m_plain *m = msg_new(w->session, MSG_QUIESCE);

	msg_call(w->session, ADDR(ROLE_PEERS, 0), m, on_quiesced, w);
	world_turn(w);
}

/* Stops the actor the clean way; nothing may be left alive: actors_join() looks. */
int world_free(void **state)
{
	struct world *w = *state;

	if (w->peers == NULL)
		return 0; /* it never came to be; the test has failed */
	w->hold_reads = false;
	world_answer_reads(w, E_STOPPING);
	quiesce(w);
	for (unsigned i = 0; i < w->remotes_n; i++)
		remote_close(w, &w->remote[i]);
	world_turn(w);
	msg_free(w->session, &w->view);
	actors_join(w->set);
	actors_free(&w->set);
	for (unsigned i = 0; i < w->remotes_n; i++)
		xfree(w->remote[i].in);
	close(w->listener[1]);
	close(w->udp[0]);
	close(w->udp[1]);
	metainfo_unref(&w->meta);
	config_unref(&w->config);
	xfree(w->content);
	xfree(w);
	return 0;
}
