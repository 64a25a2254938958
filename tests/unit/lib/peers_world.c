/* SPDX-License-Identifier: MIT */
/* The peers actor, and fakes of the others around it. */
#include "tests/unit/lib/peers_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/kernel/clock.h"
#include "actors/kernel/log.h"
#include "proto/base/encode.h"
#include "proto/meta/metainfo.h"

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
	say(w, "%s", message_table.types[(*m)->type].name);
}

static void on_dht(struct actor *a, struct msg **m)
{
	say(actor_self(a), "%s(DHT)", message_table.types[(*m)->type].name);
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
static const struct actor_handler of_dht[] = {{KMSG_NONE, on_dht}, {0, NULL}};
static const struct actor_spec fake_dht = {.role_name = "dht",
	.handlers = of_dht,
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
		actor_turn(w->dht, 0);
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
		xstrdup("--download.dir=/downloads"), xstrdup("--peers.allow_local=true"),
		xstrdup("--peers.encryption=off"), xstrdup("--peers.lsd=false")};
	struct config_input in = {.argc = 6, .argv = argv, .no_files = true};
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

/* The metainfo of a link to the torrent. */
static struct metainfo *make_bare(const struct world *w)
{
	char link[64] = "magnet:?xt=urn:btih:";
	struct metainfo *m = NULL;

	hex_encode(w->meta->infohash.v1, 20, link + strlen(link));
	assert_int_equal(metainfo_from_magnet(link, strlen(link), &m, NULL), E_OK);
	return m;
}

static void add_bare(struct world *w)
{
	struct m_peers_add *add = msg_new(w->session, MSG_PEERS_ADD);

	add->t = w->ref;
	add->meta = make_bare(w);
	add->active = true;
	msg_send(w->session, ADDR(ROLE_PEERS, 0), add);
}

static void add_torrent(struct world *w, uint32_t have)
{
	struct m_peers_add *add = msg_new(w->session, MSG_PEERS_ADD);

	add->t = w->ref;
	add->meta = metainfo_ref(w->meta);
	bitfield_init(&add->have, WORLD_PIECES);
	for (uint32_t i = 0; i < have; i++)
		bitfield_set(&add->have, i);
	add->active = true;
	msg_send(w->session, ADDR(ROLE_PEERS, 0), add);
}

static void start(struct world *w)
{
	peers_net_start(w);
	w->ref = (struct tref){.slot = 3, .gen = 7};
	w->config = make_config(w->options);
	w->env = (struct actor_env){.config = w->config,
		.shards = 1,
		.workers = 1,
		.peer_id = "-TD0001-ourownpeerid",
		.peer_fds = {w->listener[0]},
		.peer_fds_n = 1,
		.dht_fds_n = w->has_dht,
		.peer_port = 6881};
	w->set = actors_new(&message_table);
	w->session = actors_add_here(w->set, ADDR_SESSION, &fake_session, w);
	w->tracker = actors_add_here(w->set, ADDR_TRACKER, &fake_tracker, w);
	w->dht = actors_add_here(w->set, ADDR_DHT, &fake_dht, w);
	w->worker = actors_add_here(w->set, ADDR(ROLE_WORKER, 0), &fake_worker, w);
	w->peers = actors_add_here(w->set, ADDR(ROLE_PEERS, 0), &peers_spec, &w->env);
	actors_start_here(w->set);
}

static void forget_log(struct world *w)
{
	world_turn(w);
	w->log_n = 0;
	w->log[0] = '\0';
}

void world_start(struct world *w, uint32_t have)
{
	start(w);
	add_torrent(w, have);
	forget_log(w);
}

void world_start_found(struct world *w, const char *address)
{
	start(w);
	world_found(w, address);
	add_torrent(w, 0);
	forget_log(w);
}

void world_start_bare(struct world *w)
{
	start(w);
	world_start_again(w);
}

void world_start_again(struct world *w)
{
	add_bare(w);
	forget_log(w);
}

void world_complete(struct world *w, uint32_t have)
{
	add_torrent(w, have);
	forget_log(w);
}

static void on_removed(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	(void)a;
	(void)ctx;
	(void)m;
	assert_int_equal(err, E_OK);
}

void world_remove(struct world *w)
{
	struct m_peers_remove *r = msg_new(w->session, MSG_PEERS_REMOVE);

	r->t = w->ref;
	msg_call(w->session, ADDR(ROLE_PEERS, 0), r, on_removed, w);
	world_turn(w);
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
	f->source = PEER_TRACKER;
	f->seeds = -1;
	f->n = 1;
	f->peers = xcalloc(1, sizeof *f->peers);
	f->peers[0] = world_endpoint(address);
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
	v->parts = VIEW_PEERS;
	msg_call(w->session, ADDR(ROLE_PEERS, 0), v, on_view, w);
	world_turn(w);
	v = MSG_AS(PEERS_VIEW, w->view);
	assert_int_equal(v->torrents_n, 1);
	return v->torrents;
}

int world_new(void **state)
{
	struct world *w = xcalloc(1, sizeof *w);

	*state = w;
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
	peers_net_stop(w);
	metainfo_unref(&w->meta);
	config_unref(&w->config);
	xfree(w->content);
	xfree(w);
	return 0;
}
