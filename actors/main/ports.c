/* SPDX-License-Identifier: MIT */
/*
 * Opening the listening sockets before anything else runs, so that a port that is taken is said in
 * one line and nothing is started.
 */
#include "actors/main/ports.h"

#include <stdio.h>

#include "actors/kernel/log.h"
#include "actors/kernel/net.h"

#define BACKLOG 256

static int open_at(
	const char *address, int port, const char *option, enum err *err, char *why, size_t n)
{
	struct endpoint at;
	int fd;

	*err = endpoint_parse_ip(address, strlen(address), &at);
	if (*err != E_OK) {
		snprintf(why, n, "%s.bind: \"%s\" is not an IP address", option, address);
		return -1;
	}
	at.port = (uint16_t)port;
	fd = net_listen(&at, BACKLOG, err);
	if (fd < 0 && *err == E_EXISTS)
		snprintf(why, n,
			"port %d at %s is in use: set %s.port to another one, or stop who has it",
			port, address, option);
	else if (fd < 0)
		snprintf(why, n, "cannot listen at %s port %d: %s", address, port, err_words(*err));
	return fd;
}

static void close_peers(struct actor_env *env)
{
	for (unsigned i = 0; i < env->peer_fds_n; i++)
		net_close(env->peer_fds[i]);
	env->peer_fds_n = 0;
	for (unsigned i = 0; i < env->datagram_fds_n; i++)
		net_close(env->datagram_fds[i]);
	env->datagram_fds_n = 0;
	for (unsigned i = 0; i < env->dht_fds_n; i++)
		net_close(env->dht_fds[i]);
	env->dht_fds_n = 0;
}

/*
 * Peers that try uTP first are told there that we have none, and the DHT has a socket of its own
 * for what is its.  Everything else works without.
 */
static void open_datagrams(struct actor_env *env, const struct endpoint *at, bool dht)
{
	enum err err = E_OK;
	int other = -1;
	int fd = dht ? net_udp_split(at, 'd', &other, &err) : net_udp_open(at, &err);
	char text[ENDPOINT_TEXT];

	if (other >= 0)
		env->dht_fds[env->dht_fds_n++] = other;
	if (fd >= 0) {
		env->datagram_fds[env->datagram_fds_n++] = fd;
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

static enum err open_peers(struct actor_env *env, const struct config *c, char *why, size_t n)
{
	enum err err = E_OK, missing = E_NOT_FOUND;
	int port = c->peers_port;

	for (size_t i = 0; i < c->peers_bind.n && env->peer_fds_n < ARRAY_LEN(env->peer_fds); i++) {
		int fd = open_at(c->peers_bind.v[i], port, "peers", &err, why, n);
		struct endpoint at;

		if (fd < 0 && may_be_missing(err)) {
			log_event(LOG_INFO, "listen_skipped", "address=%s err=%s",
				c->peers_bind.v[i], err_name(err));
			missing = err;
			continue;
		}
		if (fd < 0)
			return err;
		env->peer_fds[env->peer_fds_n++] = fd;
		/* The first free port of the system's choice serves all addresses. */
		if (net_local(fd, &at) != E_OK)
			continue;
		port = at.port;
		open_datagrams(env, &at, c->dht_enabled);
	}
	env->peer_port = (uint16_t)port;
	return env->peer_fds_n > 0 ? E_OK : missing;
}

enum err ports_open(struct actor_env *env, const struct config *c, char *why, size_t why_n)
{
	enum err err = E_OK;

	env->api_fd = open_at(c->api_bind, c->api_port, "api", &err, why, why_n);
	if (env->api_fd < 0)
		return err;
	err = open_peers(env, c, why, why_n);
	if (err == E_OK)
		return E_OK;
	close_peers(env);
	ports_close(env);
	return err;
}

void ports_close(struct actor_env *env)
{
	if (env->api_fd >= 0)
		net_close(env->api_fd);
	env->api_fd = -1;
}

uint16_t ports_api(const struct actor_env *env)
{
	struct endpoint at = {0};

	if (net_local(env->api_fd, &at) != E_OK)
		return 0;
	return at.port;
}
