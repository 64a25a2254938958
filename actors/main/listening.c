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
#include "actors/main/activation.h"
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

/* --- the API --- */

static unsigned mode_of(const struct config *c)
{
	static const unsigned modes[] = {[CONFIG_SOCKET_OWNER] = 0600,
		[CONFIG_SOCKET_GROUP] = 0660,
		[CONFIG_SOCKET_ALL] = 0666};

	return modes[c->api_socket_mode];
}

static void add_listener(struct actor_env *env, int fd)
{
	must(env->api_fds_n < ARRAY_LEN(env->api_fds));
	env->api_fds[env->api_fds_n++] = fd;
}

/* The first free port of the system's choice serves all addresses. */
static enum err bind_all(struct actor_env *env, const struct config *c, char *why, size_t n)
{
	struct endpoint at;
	int port = c->api_port;

	for (size_t i = 0; i < c->api_bind.n; i++) {
		enum err err = E_OK;
		int fd = ports_listen(c->api_bind.v[i], port, "", "api", &err, why, n);

		if (fd < 0)
			return err;
		add_listener(env, fd);
		if (net_local(fd, &at) == E_OK)
			port = at.port;
	}
	return E_OK;
}

static enum err open_path(struct actor_env *env, const struct config *c, char *why, size_t n)
{
	enum err err = E_OK;
	int fd = ports_listen_path(c->api_socket, mode_of(c), &err, why, n);

	if (fd >= 0)
		add_listener(env, fd);
	return err;
}

/* Requests to ourselves are refused by their port, so there is one. */
static enum err check_ports(struct actor_env *env, char *why, size_t n)
{
	for (unsigned i = 0; i < env->api_fds_n; i++) {
		struct endpoint at;

		if (net_local(env->api_fds[i], &at) != E_OK || at.port == 0)
			continue;
		if (env->api_port != 0 && env->api_port != at.port) {
			snprintf(why, n,
				"the service manager passes sockets at the ports %u and %u: let "
				"all be at one",
				env->api_port, at.port);
			return E_SYNTAX;
		}
		env->api_port = at.port;
	}
	if (env->api_fds_n > 0)
		return E_OK;
	snprintf(why, n, "the API listens nowhere: set api.bind or api.socket");
	return E_MISSING;
}

static enum err open_api(struct actor_env *env, const struct config *c, char *why, size_t n)
{
	enum err err = activation_take(env->api_fds, API_LISTENERS - 1, &env->api_fds_n, why, n);

	if (err == E_OK && env->api_fds_n == 0)
		err = bind_all(env, c, why, n);
	if (err == E_OK && c->api_socket[0] != '\0')
		err = open_path(env, c, why, n);
	return err == E_OK ? check_ports(env, why, n) : err;
}

enum err listening_open(struct actor_env *env, const struct config *c, char *why, size_t why_n)
{
	enum err err = open_api(env, c, why, why_n);

	if (err == E_OK)
		err = open_peers(env, c, why, why_n);
	if (err != E_OK)
		listening_close(env, c);
	return err;
}

void listening_close(struct actor_env *env, const struct config *c)
{
	for (unsigned i = 0; i < env->api_fds_n; i++)
		net_close(env->api_fds[i]);
	env->api_fds_n = 0;
	if (c->api_socket[0] != '\0')
		ports_drop_path(c->api_socket);
}

/* --- where others find it --- */

bool listening_at(const struct actor_env *env, struct endpoint *out)
{
	for (unsigned i = 0; i < env->api_fds_n; i++)
		if (net_local(env->api_fds[i], out) == E_OK && out->port != 0)
			return true;
	return false;
}

void listening_url(const struct endpoint *at, char out[LISTENING_URL])
{
	char text[ENDPOINT_TEXT];

	endpoint_format(at, text, sizeof text);
	snprintf(out, LISTENING_URL, "http://%s", text);
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

void listening_reached(struct endpoint *at)
{
	char text[ENDPOINT_TEXT];
	uint16_t port = at->port;

	if (!endpoint_is_unspecified(at) || !find_source(endpoint_is_v4(at), text))
		return;
	(void)endpoint_parse_ip(text, strlen(text), at);
	at->port = port;
}
