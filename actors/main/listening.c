/* SPDX-License-Identifier: MIT */
/*
 * Opening the listening sockets before anything else runs, so that a port that is taken is said in
 * one line and nothing is started.
 */
#include "actors/main/listening.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

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
	if (err == E_UNREACHABLE && c->network_interface[0] != '\0') {
		log_event(LOG_WARNING, "interface_away", "interface=%s", c->network_interface);
		s.port = port; /* portmap opens it when the device comes */
		err = E_OK;
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

	env->api_fd = ports_listen(c->api_bind, c->api_port, "", "api", &err, why, why_n);
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

void listening_url(const char *ip, const struct actor_env *env, char out[LISTENING_URL])
{
	bool v6 = strchr(ip, ':') != NULL;

	snprintf(out, LISTENING_URL, "http://%s%s%s:%d", v6 ? "[" : "", ip, v6 ? "]" : "",
		listening_api(env));
}

/* Connecting a UDP socket sends nothing: the kernel only chooses the way.  The addresses are those
 * of RFC 5737 and RFC 3849, which are nobody's. */
static bool find_source(bool v4, char out[ENDPOINT_TEXT])
{
	static const uint8_t nobody4[4] = {192, 0, 2, 1},
			     nobody6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	struct endpoint from = {0};
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found;

	if (fd < 0)
		return false;
	memcpy(&a4.sin_addr, nobody4, sizeof nobody4);
	memcpy(&a6.sin6_addr, nobody6, sizeof nobody6);
	found = (v4 ? connect(fd, (struct sockaddr *)&a4, sizeof a4)
		    : connect(fd, (struct sockaddr *)&a6, sizeof a6)) == 0 &&
		net_local(fd, &from) == E_OK;
	net_close(fd);
	if (found)
		endpoint_format_ip(&from, out, ENDPOINT_TEXT);
	return found;
}

void listening_reached(const char *bind, char out[ENDPOINT_TEXT])
{
	struct endpoint at;

	if (endpoint_parse_ip(bind, strlen(bind), &at) == E_OK && endpoint_is_unspecified(&at) &&
		find_source(strchr(bind, ':') == NULL, out))
		return;
	snprintf(out, ENDPOINT_TEXT, "%s", bind);
}
