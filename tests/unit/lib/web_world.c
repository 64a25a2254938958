/* SPDX-License-Identifier: MIT */
/* The HTTP actor with resources of a test, and clients that are turned with it. */
#include "tests/unit/lib/web_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/kernel/clock.h"
#include "actors/kernel/net.h"

#define PATIENCE (30 * USEC_PER_SEC)

static const struct config *make_config(const char *const *options)
{
	char *argv[8] = {xstrdup("torrentd"), xstrdup("--state.dir=/tmp/t_http"),
		xstrdup("--download.dir=/downloads")};
	struct config_input in = {.argc = 3, .argv = argv, .no_files = true};
	const struct config *c = NULL;
	enum config_action action;
	char errors[2048] = "";

	for (; *options != NULL; options++)
		argv[in.argc++] = xstrdup(*options);
	if (config_load(&in, &c, &action, errors, sizeof errors) != E_OK)
		fail_msg("%s", errors);
	for (int i = 0; i < in.argc; i++)
		xfree(argv[i]);
	return c;
}

void webworld_start(struct webworld *w, const struct resources *resources,
	const char *const *options, void *test)
{
	struct endpoint at = endpoint_from_v4((const uint8_t[]){127, 0, 0, 1}, 0);
	enum err e = E_OK;

	*w = (struct webworld){.test = test};
	w->env.config = make_config(options);
	w->resources[0] = resources;
	w->env.resources = w->resources;
	w->env.api_fds[0] = net_listen(&at, "", 64, &e);
	assert_true(w->env.api_fds[0] >= 0);
	w->env.api_fds_n = 1;
	assert_int_equal(net_local(w->env.api_fds[0], &at), E_OK);
	w->port = w->env.api_port = at.port;
	w->set = actors_new(&message_table);
	w->http = actors_add_here(w->set, ADDR_HTTP, &http_spec, &w->env);
	actors_start_here(w->set);
}

void webworld_end(struct webworld *w)
{
	actors_join(w->set);
	actors_free(&w->set);
	net_close(w->env.api_fds[0]);
	config_unref(&w->env.config);
}

struct webworld *webworld_of(struct request *r)
{
	const struct resources *const *all = request_resources(r);

	return container_of(
		(const struct resources *(*)[2])(uintptr_t)all, struct webworld, resources);
}

void webworld_turn(struct webworld *w, unsigned turns)
{
	while (turns-- > 0)
		assert_true(actor_turn(w->http, USEC_PER_MSEC));
}

/* --- a client --- */

void webclient_open(struct webworld *w, struct webclient *c)
{
	struct endpoint at = endpoint_from_v4((const uint8_t[]){127, 0, 0, 1}, w->port);
	enum err e = E_OK;

	*c = (struct webclient){.fd = net_connect(&at, "", &e)};
	assert_true(c->fd >= 0);
}

void webclient_close(struct webclient *c)
{
	close(c->fd);
	free(c->in);
	*c = (struct webclient){.fd = -1};
}

void webclient_get(struct webworld *w, struct webclient *c, const char *path, const char *headers)
{
	char text[2000];
	int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n%s\r\n", path,
		w->port, headers);
	ssize_t sent;

	while ((sent = send(c->fd, text, (size_t)n, MSG_NOSIGNAL)) < 0 && errno == EAGAIN)
		webworld_turn(w, 1);
	assert_int_equal(sent, n);
}

/* false: nothing came now. */
static bool read_some(struct webclient *c)
{
	ssize_t n;

	c->in = realloc(c->in, c->n + (64 << 10) + 1);
	n = recv(c->fd, c->in + c->n, 64 << 10, 0);
	if (n < 0) {
		assert_int_equal(errno, EAGAIN);
		return false;
	}
	if (n == 0)
		fail_msg("the connection was closed after %zu bytes", c->n);
	c->n += (size_t)n;
	c->in[c->n] = '\0';
	return true;
}

static bool is_complete(struct webclient *c)
{
	const char *end = c->n > 0 ? strstr(c->in, "\r\n\r\n") : NULL, *length;

	if (end == NULL)
		return false;
	c->status = (unsigned)strtoul(c->in + strlen("HTTP/1.1 "), NULL, 10);
	length = webclient_header(c, "Content-Length");
	c->body = end + 4;
	c->body_n = length != NULL && c->status != 304 ? strtoul(length, NULL, 10) : 0;
	return c->n - (size_t)(c->body - c->in) >= c->body_n;
}

void webclient_read(struct webworld *w, struct webclient *c)
{
	int64_t end = clock_mono_us() + PATIENCE;

	c->n = 0;
	while (!is_complete(c)) {
		if (!read_some(c))
			webworld_turn(w, 1);
		assert_true(clock_mono_us() < end);
	}
}

unsigned webclient_ask(
	struct webworld *w, struct webclient *c, const char *path, const char *headers)
{
	webclient_open(w, c);
	webclient_get(w, c, path, headers);
	webclient_read(w, c);
	return c->status;
}

const char *webclient_header(const struct webclient *c, const char *name)
{
	const char *end = strstr(c->in, "\r\n\r\n"), *p = c->in;

	while ((p = strstr(p, "\r\n")) != NULL && p < end) {
		p += 2;
		if (strncasecmp(p, name, strlen(name)) == 0 && p[strlen(name)] == ':')
			return p + strlen(name) + 1 + strspn(p + strlen(name) + 1, " ");
	}
	return NULL;
}
