/* SPDX-License-Identifier: MIT */
/*
 * torrentd --doctor: the page of the daemon that runs, or what can be looked at without one.
 *
 * The daemon of the same configuration is asked over its own interface, with the token that stands
 * there, if one does.
 */
#include "actors/main/consult.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/doctor/doctor.h"
#include "actors/kernel/net.h"
#include "actors/ports/ports.h"

#define PAGE_MAX 65536u
#define PATIENCE 15000 /* ms, without a byte */

/* Where it listens, as seen from here. */
static bool find_api(const struct config *c, struct endpoint *at)
{
	static const uint8_t here4[4] = {127, 0, 0, 1}, here6[16] = {[15] = 1};

	if (c->api_port == 0 || c->api_bind.n == 0 ||
		endpoint_parse_ip(c->api_bind.v[0], strlen(c->api_bind.v[0]), at) != E_OK)
		return false;
	if (endpoint_is_unspecified(at))
		*at = endpoint_is_v4(at) ? endpoint_from_v4(here4, 0) : endpoint_from_v6(here6, 0);
	at->port = (uint16_t)c->api_port;
	return true;
}

static bool wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, PATIENCE) > 0;
}

static bool send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = wait_for(fd, POLLOUT) ? send(fd, p, n, MSG_NOSIGNAL) : -1;

		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

/* Up to the end of the stream, or what fits, with a NUL. */
static void receive_all(int fd, char page[PAGE_MAX])
{
	size_t n = 0;
	ssize_t k = 1;

	while (k > 0 && n + 1 < PAGE_MAX && wait_for(fd, POLLIN)) {
		k = recv(fd, page + n, PAGE_MAX - 1 - n, 0);
		n += k > 0 ? (size_t)k : 0;
	}
	page[n] = '\0';
}

/* false: nobody is there. */
static bool ask_daemon(const struct config *c, char page[PAGE_MAX])
{
	char request[2048], host[ENDPOINT_TEXT];
	struct endpoint at;
	enum err err;
	int fd, n;
	bool there;

	if (!find_api(c, &at))
		return false;
	endpoint_format(&at, host, sizeof host);
	fd = net_connect(&at, "", &err);
	if (fd < 0)
		return false;
	n = snprintf(request, sizeof request,
		"GET %s/api/v1/doctor?text=true HTTP/1.0\r\nHost: %s\r\n%s%s%s\r\n",
		c->api_base_path, host, c->api_token[0] != '\0' ? "Authorization: Bearer " : "",
		c->api_token, c->api_token[0] != '\0' ? "\r\n" : "");
	there = wait_for(fd, POLLOUT) && net_connect_result(fd) == E_OK &&
		send_all(fd, request, (size_t)n);
	page[0] = '\0';
	if (there)
		receive_all(fd, page);
	net_close(fd);
	return there;
}

static int show_answer(const char *page, FILE *out)
{
	const char *body = strstr(page, "\r\n\r\n");

	if (strncmp(page + 9, "200", 3) == 0 && body != NULL) {
		fputs(body + 4, out);
		return strncmp(body + 4, "bad ", 4) == 0 || strstr(body, "\nbad ") != NULL;
	}
	if (strncmp(page + 9, "401", 3) == 0)
		fprintf(out,
			"the daemon wants a token: ask GET /api/v1/doctor?text=true with one, or "
			"run this where its configuration is\n");
	else
		fprintf(out, "what answers at api.port is no daemon that can be asked: %.60s\n",
			page);
	return 1;
}

static void look_at_port(struct findings *f, const struct config *c)
{
	struct peer_sockets s;
	char why[256] = "";
	enum err err = ports_open(c, (uint16_t)c->peers_port, &s, why, sizeof why);

	if (err == E_OK) {
		sockets_close(&s);
		doctor_note(f, "listening", DOCTOR_OK, NULL, "port %d is free for peers",
			c->peers_port);
	} else if (err == E_UNREACHABLE && c->network_interface[0] != '\0') {
		doctor_note(f, "interface", DOCTOR_BAD,
			"bring it up (does the VPN run?), or change network.interface",
			"there is no device %s", c->network_interface);
	} else {
		doctor_note(f, "listening", DOCTOR_BAD, NULL, "%s",
			why[0] != '\0' ? why : err_words(err));
	}
}

int consult(const struct config *c, FILE *out)
{
	char *page = xcalloc(1, PAGE_MAX);
	struct findings *f = xcalloc(1, sizeof *f);
	int status;
	size_t n;

	if (ask_daemon(c, page)) {
		status = show_answer(page, out);
	} else {
		xfree(page);
		doctor_note(f, "daemon", DOCTOR_WARN,
			"start it and ask again: it knows who reaches it and what trackers say",
			"none answers at %s port %d",
			c->api_bind.n > 0 ? c->api_bind.v[0] : "any address", c->api_port);
		look_at_port(f, c);
		doctor_proxy(f, c);
		doctor_machine(f, c);
		doctor_places(f, c);
		page = doctor_page(f, &n);
		fputs(page, out);
		status = doctor_verdict(f) == DOCTOR_BAD;
	}
	free(page);
	xfree(f);
	return status;
}
