/* SPDX-License-Identifier: MIT */
/* Opening the sockets of the peer port, and reading which port that is. */
#include "actors/ports/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "actors/kernel/log.h"
#include "actors/kernel/net.h"
#include "config/proxy.h"

#define BACKLOG 256

int ports_listen(const char *address, int port, const char *device, const char *option,
	enum err *err, char *why, size_t n)
{
	struct endpoint at;
	int fd;

	*err = endpoint_parse_ip(address, strlen(address), &at);
	if (*err != E_OK) {
		snprintf(why, n, "%s.bind: \"%s\" is not an IP address", option, address);
		return -1;
	}
	at.port = (uint16_t)port;
	fd = net_listen(&at, device, BACKLOG, err);
	if (fd < 0 && *err == E_EXISTS)
		snprintf(why, n,
			"port %d at %s is in use: set %s.port to another one, or stop who has it",
			port, address, option);
	else if (fd < 0)
		snprintf(why, n, "cannot listen at %s port %d: %s", address, port, err_words(*err));
	return fd;
}

/*
 * Peers that try uTP first are told there that we have none, and the DHT has a socket of its own
 * for what is its.  Everything else works without.
 */
static void open_datagrams(
	struct peer_sockets *out, const struct endpoint *at, const struct config *c)
{
	enum err err = E_OK;
	int more = -1;
	const char *device = c->network_interface;
	int fd = c->dht_enabled ? net_udp_split(at, device, 'd', &more, &err)
				: net_udp_open(at, device, &err);
	char text[ENDPOINT_TEXT];

	if (more >= 0)
		out->dht[out->dht_n++] = more;
	if (fd >= 0) {
		out->udp[out->udp_n++] = fd;
		return;
	}
	endpoint_format(at, text, sizeof text);
	log_event(LOG_INFO, "listen_skipped", "address=%s proto=udp err=%s", text, err_name(err));
}

/* A machine without IPv6 is usual: the addresses of one family may be missing when another's work.
 */
static bool may_be_missing(enum err err)
{
	return err == E_UNSUPPORTED || err == E_UNREACHABLE || err == E_NOT_FOUND;
}

/* Nobody is let in, and only the DHT has a use for a socket, if it goes beside the proxy. */
static void open_outgoing(const struct config *c, uint16_t port, struct peer_sockets *out)
{
	struct endpoint at;

	out->port = port;
	for (size_t i = 0; c->dht_enabled && i < c->peers_bind.n && i < ARRAY_LEN(out->dht); i++) {
		if (endpoint_parse_ip(c->peers_bind.v[i], strlen(c->peers_bind.v[i]), &at) != E_OK)
			continue;
		at.port = port;
		open_datagrams(out, &at, c);
	}
}

static enum err open_all(
	const struct config *c, uint16_t first, struct peer_sockets *out, char *why, size_t n)
{
	enum err err = E_OK, missing = E_NOT_FOUND;
	int port = first;

	if (!config_lets_in(c)) {
		open_outgoing(c, first, out);
		return E_OK;
	}
	for (size_t i = 0; i < c->peers_bind.n && out->tcp_n < ARRAY_LEN(out->tcp); i++) {
		int fd = ports_listen(
			c->peers_bind.v[i], port, c->network_interface, "peers", &err, why, n);
		struct endpoint at;

		if (fd < 0 && may_be_missing(err)) {
			log_event(LOG_INFO, "listen_skipped", "address=%s err=%s",
				c->peers_bind.v[i], err_name(err));
			missing = err;
			continue;
		}
		if (fd < 0)
			return err;
		out->tcp[out->tcp_n++] = fd;
		/* The first free port of the system's choice serves all addresses. */
		if (net_local(fd, &at) != E_OK)
			continue;
		port = at.port;
		open_datagrams(out, &at, c);
	}
	out->port = (uint16_t)port;
	return out->tcp_n > 0 ? E_OK : missing;
}

enum err ports_open(
	const struct config *c, uint16_t port, struct peer_sockets *out, char *why, size_t why_n)
{
	enum err err;

	*out = (struct peer_sockets){0};
	err = open_all(c, port, out, why, why_n);
	if (err != E_OK)
		sockets_close(out);
	return err;
}

/* --- the file --- */

static enum err err_of(int e)
{
	return e == ENOENT || e == ENOTDIR ? E_NOENT : e == EACCES || e == EPERM ? E_PERM : E_IO;
}

/* The first bytes of the file; without waiting, should it be a FIFO. */
static enum err read_start(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;
	int e;

	if (fd < 0)
		return err_of(errno);
	n = read(fd, buf, size - 1);
	e = errno;
	close(fd);
	if (n < 0)
		return err_of(e);
	buf[n] = '\0';
	return E_OK;
}

static enum err parse_port(const char *text, uint16_t *port)
{
	uint32_t v = 0;
	size_t i = strspn(text, " \t\r\n"), begin = i;

	for (; text[i] >= '0' && text[i] <= '9' && v <= UINT16_MAX; i++)
		v = v * 10 + (uint32_t)(text[i] - '0');
	if (i == begin || (text[i] != '\0' && strchr(" \t\r\n", text[i]) == NULL))
		return v > UINT16_MAX ? E_RANGE : E_SYNTAX;
	if (v == 0 || v > UINT16_MAX)
		return E_RANGE;
	*port = (uint16_t)v;
	return E_OK;
}

enum err ports_read_file(const char *path, uint16_t *port, char *why, size_t why_n)
{
	char text[32];
	enum err err = read_start(path, text, sizeof text);

	if (err != E_OK) {
		snprintf(why, why_n, "%s: %s", path, err_words(err));
		return err;
	}
	err = parse_port(text, port);
	if (err != E_OK)
		snprintf(why, why_n, "%s: a port from 1 to 65535 must stand in it", path);
	return err;
}
