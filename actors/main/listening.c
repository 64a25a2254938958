/* SPDX-License-Identifier: MIT */
/*
 * Opening the listening sockets before anything else runs, so that a port that is taken is said in
 * one line and nothing is started.
 */
#include "actors/main/listening.h"

#include "actors/kernel/log.h"
#include "actors/kernel/net.h"
#include "actors/ports/ports.h"

/* A port that somebody writes into a file may not be there yet, or be gone again by now: then it is
 * the configuration's until it is (actors/portmap follows the file). */
static uint16_t port_to_begin_with(const struct config *c)
{
	char why[256];
	uint16_t port;

	if (c->peers_port_file[0] == '\0')
		return (uint16_t)c->peers_port;
	if (ports_read_file(c->peers_port_file, &port, why, sizeof why) == E_OK)
		return port;
	log_event(LOG_WARNING, "port_file", "why=%s port=%d", why, c->peers_port);
	return (uint16_t)c->peers_port;
}

static enum err open_peers(struct actor_env *env, const struct config *c, char *why, size_t n)
{
	uint16_t port = port_to_begin_with(c);
	struct peer_sockets s;
	enum err err = ports_open(c, port, &s, why, n);

	if (err != E_OK && port != c->peers_port) {
		log_event(LOG_WARNING, "port_file", "why=%s port=%d", why, c->peers_port);
		err = ports_open(c, (uint16_t)c->peers_port, &s, why, n);
	}
	if (err != E_OK)
		return err;
	memcpy(env->peer_fds, s.tcp, sizeof env->peer_fds);
	env->peer_fds_n = s.tcp_n;
	memcpy(env->datagram_fds, s.udp, sizeof env->datagram_fds);
	env->datagram_fds_n = s.udp_n;
	memcpy(env->dht_fds, s.dht, sizeof env->dht_fds);
	env->dht_fds_n = s.dht_n;
	env->peer_port = s.port;
	return E_OK;
}

enum err listening_open(struct actor_env *env, const struct config *c, char *why, size_t why_n)
{
	enum err err = E_OK;

	env->api_fd = ports_listen(c->api_bind, c->api_port, "api", &err, why, why_n);
	if (env->api_fd < 0)
		return err;
	err = open_peers(env, c, why, why_n);
	if (err != E_OK)
		listening_close(env);
	return err;
}

void listening_close(struct actor_env *env)
{
	if (env->api_fd >= 0)
		net_close(env->api_fd);
	env->api_fd = -1;
}

uint16_t listening_api(const struct actor_env *env)
{
	struct endpoint at = {0};

	if (net_local(env->api_fd, &at) != E_OK)
		return 0;
	return at.port;
}
