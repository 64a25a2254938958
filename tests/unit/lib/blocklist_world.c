/* SPDX-License-Identifier: MIT */
/* Turning the blocklist actor with those around it. */
#include "tests/unit/lib/blocklist_world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/kernel/clock.h"
#include "actors/kernel/net.h"
#include "proto/base/time.h"

#define PATIENCE (30 * USEC_PER_SEC)

/* --- those who are told --- */

static void note_list(struct actor *a, struct msg **m)
{
	struct told_one *t = actor_self(a);
	struct m_blocklist *b;

	if ((*m)->type != MSG_BLOCKLIST_SET)
		return;
	b = MSG_AS(BLOCKLIST_SET, *m);
	blocklist_unref(&t->list);
	t->list = b->list;
	b->list = NULL;
	t->times++;
}

static void *init_told(struct actor *a, const void *arg)
{
	(void)a;
	return (void *)(uintptr_t)arg;
}

static const struct actor_handler handlers[] = {{KMSG_NONE, note_list}, {0, NULL}};

static const struct actor_spec fakes[] = {
	{.role_name = "peers", .handlers = handlers, .init = init_told},
	{.role_name = "peers", .handlers = handlers, .init = init_told},
	{.role_name = "dht", .handlers = handlers, .init = init_told},
	{.role_name = "tracker", .handlers = handlers, .init = init_told},
	{.role_name = "webseed", .handlers = handlers, .init = init_told},
};
static const uint16_t addrs[] = {
	ADDR(ROLE_PEERS, 0), ADDR(ROLE_PEERS, 1), ADDR_DHT, ADDR_TRACKER, ADDR_WEBSEED};
static const struct actor_spec main_fake = {.role_name = "main", .handlers = handlers};
static const struct actor_spec http_fake = {.role_name = "http", .handlers = handlers};

/* --- the server --- */

static void drop_client(struct blockworld *w)
{
	if (w->client >= 0)
		close(w->client);
	w->client = -1;
}

/* The client is turned by this thread, too: nothing may be waited for. */
static void serve(struct blockworld *w)
{
	char in[2048], head[200];
	int n;

	if (w->client < 0 && w->server >= 0)
		w->client = accept(w->server, NULL, NULL);
	if (w->client < 0 || recv(w->client, in, sizeof in, MSG_DONTWAIT) <= 0)
		return;
	w->asked++;
	n = snprintf(head, sizeof head,
		"HTTP/1.1 %u x\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", w->status,
		w->body_n);
	assert_int_equal(send(w->client, head, (size_t)n, MSG_NOSIGNAL), n);
	assert_int_equal(send(w->client, w->body, w->body_n, MSG_NOSIGNAL), w->body_n);
	drop_client(w);
}

void blockworld_server(struct blockworld *w, bool on)
{
	struct endpoint at = endpoint_from_v4((const uint8_t[]){127, 0, 0, 1}, w->server_port);
	enum err err = E_OK;

	drop_client(w);
	if (w->server >= 0)
		net_close(w->server);
	w->server = on ? net_listen(&at, "", 8, &err) : -1;
	if (!on)
		return;
	assert_true(w->server >= 0);
	assert_int_equal(net_local(w->server, &at), E_OK);
	w->server_port = at.port;
}

/* --- files --- */

static void file_path(const struct blockworld *w, char out[100])
{
	snprintf(out, 100, "%s/list", w->dir);
}

void blockworld_write(struct blockworld *w, const void *p, size_t n)
{
	char path[100];
	FILE *f;

	file_path(w, path);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

void blockworld_unlink(struct blockworld *w)
{
	char path[100];

	file_path(w, path);
	assert_int_equal(unlink(path), 0);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

void blockworld_open(struct blockworld *w)
{
	*w = (struct blockworld){

		.server = -1, .client = -1, .status = 200, .body = "", .dir = "/tmp/t_blockXXXXXX"};
	assert_non_null(mkdtemp(w->dir));
	blockworld_server(w, true);
}

void blockworld_close(struct blockworld *w)
{
	blockworld_server(w, false);
	nftw(w->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- the configuration --- */

static char *option_of(const char *name, const char *value)
{
	size_t n = strlen(name) + strlen(value) + 4;
	char *text = xcalloc(1, n);

	snprintf(text, n, "--%s=%s", name, value);
	return text;
}

/* F and U stand for the file and the server. */
static char *spell(const struct blockworld *w, const char *sources)
{
	char *text = xcalloc(1, 1000);
	size_t n = 0;

	for (const char *p = sources; *p != '\0'; p++)
		if (*p == 'F')
			n += (size_t)snprintf(text + n, 1000 - n, "%s/list", w->dir);
		else if (*p == 'U')
			n += (size_t)snprintf(
				text + n, 1000 - n, "http://127.0.0.1:%u/list", w->server_port);
		else
			text[n++] = *p;
	return text;
}

static const struct config *make_config(
	const struct blockworld *w, const char *sources, const char *option)
{
	char *text = spell(w, sources), errors[2048] = "";
	char *argv[8] = {xstrdup("torrentd"), option_of("state.dir", w->dir),
		xstrdup("--download.dir=/downloads"), xstrdup("--tracker.allow_private=true"),
		option_of("blocklist.sources", text)};
	struct config_input in = {.argc = 5, .argv = argv, .no_files = true};
	const struct config *c = NULL;
	enum config_action action;

	if (option != NULL)
		argv[in.argc++] = xstrdup(option);
	if (config_load(&in, &c, &action, errors, sizeof errors) != E_OK)
		fail_msg("%s", errors);
	for (int i = 0; i < in.argc; i++)
		xfree(argv[i]);
	xfree(text);
	return c;
}

/* --- life --- */

void blockworld_start(struct blockworld *w, const char *sources, const char *option)
{
	w->env = (struct actor_env){.config = make_config(w, sources, option), .shards = 2};
	w->set = actors_new(&message_table);
	w->blocker = actors_add_here(w->set, ADDR_BLOCKLIST, &blocker_spec, &w->env);
	w->main = actors_add_here(w->set, ADDR_MAIN, &main_fake, NULL);
	w->http = actors_add_here(w->set, ADDR_HTTP, &http_fake, NULL);
	for (unsigned i = 0; i < TOLD; i++)
		w->told[i].actor = actors_add_here(w->set, addrs[i], &fakes[i], &w->told[i]);
	actors_start_here(w->set);
}

void blockworld_stop(struct blockworld *w)
{
	struct msg *h = w->view != NULL ? &w->view->h : NULL;

	msg_free(w->http, &h);
	w->view = NULL;
	for (unsigned i = 0; i < TOLD; i++)
		blocklist_unref(&w->told[i].list);
	actors_join(w->set);
	actors_free(&w->set);
	config_unref(&w->env.config);
	memset(w->told, 0, sizeof w->told);
}

void blockworld_reload(struct blockworld *w, const char *sources, const char *option)
{
	struct m_reload *m = msg_new(w->main, MSG_RELOAD);

	m->config = make_config(w, sources, option);
	msg_send(w->main, ADDR_BLOCKLIST, m);
	actor_turn(w->main, 0);
	actor_turn(w->blocker, 0);
	blockworld_settle(w);
}

/* --- turns --- */

static void on_answer(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct blockworld *w = ctx;
	struct msg *old = w->view != NULL ? &w->view->h : NULL;

	assert_int_equal(err, E_OK);
	msg_free(a, &old);
	w->view = container_of(*m, struct m_blocklist_view, h);
	*m = NULL;
	w->answers++;
}

static void ask(struct blockworld *w, uint16_t type)
{
	struct m_blocklist_view *m = msg_new(w->http, type);
	int64_t end = clock_mono_us() + PATIENCE;
	unsigned before = w->answers;

	(void)msg_call(w->http, ADDR_BLOCKLIST, m, on_answer, w);
	while (w->answers == before) {
		assert_true(clock_mono_us() < end);
		actor_turn(w->http, 0);
		actor_turn(w->blocker, USEC_PER_MSEC);
		serve(w);
	}
}

void blockworld_settle(struct blockworld *w)
{
	int64_t end = clock_mono_us() + PATIENCE;

	do {
		assert_true(clock_mono_us() < end);
		ask(w, MSG_BLOCKLIST_VIEW);
	} while (w->view->updating);
}

void blockworld_update(struct blockworld *w)
{
	ask(w, MSG_BLOCKLIST_UPDATE);
	blockworld_settle(w);
}

bool blockworld_agree(struct blockworld *w)
{
	for (unsigned i = 0; i < TOLD; i++)
		actor_turn(w->told[i].actor, 0);
	for (unsigned i = 1; i < TOLD; i++)
		if (w->told[i].list != w->told[0].list || w->told[i].times != w->told[0].times)
			return false;
	return true;
}

bool blockworld_blocks(struct blockworld *w, const char *ip)
{
	struct endpoint e;

	assert_true(blockworld_agree(w));
	assert_int_equal(endpoint_parse_ip(ip, strlen(ip), &e), E_OK);
	return blocklist_has(w->told[0].list, &e);
}
