/* SPDX-License-Identifier: MIT */
/*
 * A scripted name server: a thread at a port of 127.0.0.1, over UDP and TCP.
 *
 * What it answers is chosen by the first label of the name:
 *   both  127.0.0.1 and ::1           four  127.0.0.1, and no address of the other family
 *   lots  ten addresses               none  there is no such name
 *   mute  nothing at all              cut   only over TCP
 *   junk  what is no answer first     any other: 127.0.0.9
 */
#ifndef TESTS_UNIT_LIB_DNS_SERVER_H
#define TESTS_UNIT_LIB_DNS_SERVER_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/base.h"

enum { DNS_A = 1, DNS_AAAA = 28 };

struct dns_server {
	int udp, tcp;
	uint16_t port;
	char option[64]; /* --network.dns=... */
	pthread_t thread;
	atomic_bool stop;
	atomic_uint asked[2]; /* of A, of AAAA */
	atomic_uint over_tcp;
};

static inline size_t dns_record(uint8_t *p, unsigned type, const void *ip, size_t n)
{
	const uint8_t head[12] = {0xc0, 12, (uint8_t)(type >> 8), (uint8_t)type, 0, 1, 0, 0, 0, 60,
		(uint8_t)(n >> 8), (uint8_t)n};

	memcpy(p, head, sizeof head);
	memcpy(p + sizeof head, ip, n);
	return sizeof head + n;
}

static inline bool dns_named(const uint8_t *q, const char *label)
{
	return q[12] == strlen(label) && memcmp(q + 13, label, q[12]) == 0;
}

/* The answer to a question of n bytes, 0: none.  `out` has room for any. */
static inline size_t dns_answer_to(
	struct dns_server *s, const uint8_t *q, size_t n, bool tcp, uint8_t *out)
{
	uint8_t one[4] = {127, 0, 0, 1}, v6[16] = {[15] = 1};
	size_t end = 12;
	unsigned type, records = 0;

	while (end < n && q[end] != 0)
		end += q[end] + 1u;
	end += 5;
	if (end > n || dns_named(q, "mute"))
		return 0;
	type = q[end - 3];
	atomic_fetch_add(&s->asked[type == DNS_AAAA], 1);
	memcpy(out, q, end);
	out[2] = 0x81;
	out[3] = 0x80;
	memset(out + 6, 0, 6);
	if (dns_named(q, "none"))
		out[3] |= 3;
	else if (dns_named(q, "cut") && !tcp)
		out[2] |= 2;
	else if (type == DNS_AAAA && dns_named(q, "both"))
		end += dns_record(out + end, type, v6, (records = 1, sizeof v6));
	else if (type == DNS_A) {
		if (!dns_named(q, "both") && !dns_named(q, "four"))
			one[3] = 9;
		for (unsigned i = 0; i < (dns_named(q, "lots") ? 10u : 1u); i++, one[3]++)
			end += dns_record(out + end, type, one, (records++, sizeof one));
	}
	out[7] = (uint8_t)records;
	return end;
}

static inline void dns_serve_udp(struct dns_server *s)
{
	uint8_t q[1500], out[2048];
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	ssize_t n = recvfrom(s->udp, q, sizeof q, 0, (struct sockaddr *)&from, &len);
	size_t m = n > 12 ? dns_answer_to(s, q, (size_t)n, false, out) : 0;

	if (n > 12 && dns_named(q, "junk"))
		sendto(s->udp, "no", 2, 0, (struct sockaddr *)&from, len);
	if (m > 0)
		sendto(s->udp, out, m, 0, (struct sockaddr *)&from, len);
}

static inline void dns_serve_tcp(struct dns_server *s)
{
	int fd = accept(s->tcp, NULL, NULL);
	uint8_t q[1500], out[2050];
	size_t m;

	/* c-ares sends both questions down one connection. */
	while (fd >= 0 && recv(fd, q, 2, MSG_WAITALL) == 2) {
		size_t n = MIN((size_t)q[0] << 8 | q[1], sizeof q);

		if (recv(fd, q, n, MSG_WAITALL) != (ssize_t)n)
			break;
		atomic_fetch_add(&s->over_tcp, 1);
		m = dns_answer_to(s, q, n, true, out + 2);
		out[0] = (uint8_t)(m >> 8);
		out[1] = (uint8_t)m;
		if (send(fd, out, m + 2, MSG_NOSIGNAL) < 0)
			break;
	}
	if (fd >= 0)
		close(fd);
}

static inline void *dns_serve(void *arg)
{
	struct dns_server *s = arg;

	while (!atomic_load(&s->stop)) {
		struct pollfd p[2] = {
			{.fd = s->udp, .events = POLLIN}, {.fd = s->tcp, .events = POLLIN}};

		if (poll(p, 2, 20) <= 0)
			continue;
		if (p[0].revents != 0)
			dns_serve_udp(s);
		if (p[1].revents != 0)
			dns_serve_tcp(s);
	}
	return NULL;
}

static inline void dns_server_start(struct dns_server *s)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;

	*s = (struct dns_server){
		.udp = socket(AF_INET, SOCK_DGRAM, 0), .tcp = socket(AF_INET, SOCK_STREAM, 0)};
	must(bind(s->tcp, (struct sockaddr *)&at, len) == 0 && listen(s->tcp, 8) == 0);
	must(getsockname(s->tcp, (struct sockaddr *)&at, &len) == 0);
	must(bind(s->udp, (struct sockaddr *)&at, len) == 0);
	s->port = ntohs(at.sin_port);
	snprintf(s->option, sizeof s->option, "--network.dns=127.0.0.1:%u", (unsigned)s->port);
	must(pthread_create(&s->thread, NULL, dns_serve, s) == 0);
}

static inline void dns_server_stop(struct dns_server *s)
{
	atomic_store(&s->stop, true);
	pthread_join(s->thread, NULL);
	close(s->udp);
	close(s->tcp);
}

#endif
