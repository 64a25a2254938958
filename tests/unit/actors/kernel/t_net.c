/* SPDX-License-Identifier: MIT */
/* Sockets on loopback: both families, errors that callers tell apart, transfer, datagrams. */
#include "actors/kernel/net.h"

#include "actors/kernel/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct endpoint at(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, &e), E_OK);
	return e;
}

static void wait_ready(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	assert_int_equal(poll(&p, 1, 5000), 1);
}

static bool have_v6(void)
{
	struct endpoint e = at("[::1]:0");
	enum err err;
	int fd = net_udp_open(&e, "", &err);

	if (fd >= 0)
		net_close(fd);
	return fd >= 0;
}

struct pair {
	int listener, client, server;
	struct endpoint where;
};

static void pair_open(struct pair *p, const char *where)
{
	struct endpoint e = at(where), peer, mine;
	enum err err = E_OK;

	p->listener = net_listen(&e, "", 8, &err);
	assert_true(p->listener >= 0);
	assert_int_equal(net_accept(p->listener, &peer, &err), -1);
	assert_int_equal(err, E_AGAIN);
	assert_int_equal(net_local(p->listener, &p->where), E_OK);
	assert_true(p->where.port != 0);
	assert_true(endpoint_same_ip(&p->where, &e));
	p->client = net_connect(&p->where, "", &err);
	assert_true(p->client >= 0);
	wait_ready(p->client, POLLOUT);
	assert_int_equal(net_connect_result(p->client), E_OK);
	wait_ready(p->listener, POLLIN);
	p->server = net_accept(p->listener, &peer, &err);
	assert_true(p->server >= 0);
	assert_int_equal(net_local(p->client, &mine), E_OK);
	assert_true(endpoint_equal(&peer, &mine));
	assert_true(fcntl(p->server, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(p->server, F_GETFD) & FD_CLOEXEC);
}

static void pair_close(struct pair *p)
{
	if (p->client >= 0)
		net_close(p->client);
	if (p->server >= 0)
		net_close(p->server);
	net_close(p->listener);
}

static void talk(struct pair *p)
{
	char a[4], b[8] = "";
	struct iovec in[2] = {{a, sizeof a}, {b, sizeof b}};
	char hello[] = "hello", world[] = " world";
	struct iovec out[2] = {{hello, 5}, {world, 6}};
	enum err err = E_OK;

	assert_int_equal(net_readv(p->server, in, 2, &err), -1);
	assert_int_equal(err, E_AGAIN);
	assert_int_equal(net_writev(p->client, out, 2, false, &err), 11);
	wait_ready(p->server, POLLIN);
	assert_int_equal(net_readv(p->server, in, 2, &err), 11);
	assert_memory_equal(a, "hell", 4);
	assert_memory_equal(b, "o world", 7);
}

static void streams_carry_bytes(void **state)
{
	static const char *const where[] = {"127.0.0.1:0", "[::1]:0"};
	struct pair p;
	char c;
	struct iovec v = {&c, 1};
	enum err err = E_OK;

	(void)state;
	for (unsigned i = 0; i < (have_v6() ? 2u : 1u); i++) {
		pair_open(&p, where[i]);
		net_set_not_sent_low(p.client, 65536);
		talk(&p);
		net_close(p.client);
		p.client = -1;
		wait_ready(p.server, POLLIN);
		assert_int_equal(net_readv(p.server, &v, 1, &err), 0); /* the end */
		pair_close(&p);
	}
}

static void full_stream_says_again(void **state)
{
	static char block[65536];
	struct iovec v = {block, sizeof block};
	struct pair p;
	enum err err = E_OK;
	ssize_t n;

	(void)state;
	pair_open(&p, "127.0.0.1:0");
	while ((n = net_writev(p.client, &v, 1, true, &err)) > 0)
		;
	assert_int_equal(n, -1);
	assert_int_equal(err, E_AGAIN);
	pair_close(&p);
}

static void broken_stream_is_closed_without_a_signal(void **state)
{
	struct linger hard = {.l_onoff = 1, .l_linger = 0};
	char c = 'x';
	struct iovec v = {&c, 1};
	struct pair p;
	enum err err = E_OK;

	(void)state;
	pair_open(&p, "127.0.0.1:0");
	assert_int_equal(setsockopt(p.server, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
	net_close(p.server); /* resets */
	p.server = -1;
	wait_ready(p.client, POLLIN);
	assert_int_equal(net_readv(p.client, &v, 1, &err), -1);
	assert_int_equal(err, E_CLOSED);
	assert_int_equal(net_writev(p.client, &v, 1, false, &err), -1);
	assert_int_equal(err, E_CLOSED);
	pair_close(&p);
}

static void connect_errors_are_told_apart(void **state)
{
	struct endpoint e = at("127.0.0.1:0"), taken;
	enum err err = E_OK;
	int fd = net_udp_open(&e, "", &err), c;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(net_local(fd, &taken), E_OK);
	c = net_connect(&taken, "", &err); /* nobody listens for streams there */
	if (c >= 0) {
		wait_ready(c, POLLOUT);
		err = net_connect_result(c);
		net_close(c);
	}
	assert_int_equal(err, E_REFUSED);
	assert_int_equal(net_udp_open(&taken, "", &err), -1);
	assert_int_equal(err, E_EXISTS);
	net_close(fd);
	e = at("192.0.2.1:0"); /* no address of ours */
	assert_int_equal(net_listen(&e, "", 1, &err), -1);
	assert_int_equal(err, E_UNREACHABLE);
	e = at("255.255.255.255:9");
	assert_int_equal(net_connect(&e, "", &err), -1);
	assert_true(err == E_UNREACHABLE || err == E_PERM);
}

/* A load from these pages would end the process. */
static void a_map_of_a_file_cut_short_is_an_error(void **state)
{
	struct pair p;
	char got[8192];
	FILE *f = tmpfile();
	const uint8_t *map;
	struct iovec v;
	enum err err = E_OK;

	(void)state;
	memset(got, 'm', sizeof got);
	assert_int_equal(fwrite(got, 1, sizeof got, f), sizeof got);
	fflush(f);
	pair_open(&p, "127.0.0.1:0");
	map = fs_map(fileno(f), 65536, &err);
	assert_non_null(map);
	assert_true(fs_map_resident(map, sizeof got));
	assert_true(fs_map_resident(map + 100, 1));
	assert_false(fs_map_resident(map + 100, 65536 - 100)); /* the file ends long before */
	v = (struct iovec){(void *)(uintptr_t)map, sizeof got};
	assert_int_equal(net_writev(p.client, &v, 1, false, &err), sizeof got);
	assert_int_equal(ftruncate(fileno(f), 4096), 0);
	v = (struct iovec){(void *)(uintptr_t)(map + 4096), 4096};
	assert_int_equal(net_writev(p.client, &v, 1, false, &err), -1);
	assert_int_equal(err, E_FAULT);
	fs_unmap(map, 65536);
	pair_close(&p);
	fclose(f);
}

static void datagrams_name_their_sender(void **state)
{
	static const char *const where[] = {"127.0.0.1:0", "[::1]:0"};
	struct endpoint e, a_at, b_at, from;
	enum err err = E_OK;
	char buf[16];
	int a, b;

	(void)state;
	for (unsigned i = 0; i < (have_v6() ? 2u : 1u); i++) {
		e = at(where[i]);
		a = net_udp_open(&e, "", &err);
		b = net_udp_open(&e, "", &err);
		assert_true(a >= 0 && b >= 0);
		assert_int_equal(net_local(a, &a_at), E_OK);
		assert_int_equal(net_local(b, &b_at), E_OK);
		assert_int_equal(net_udp_recv(b, &from, buf, sizeof buf, &err), -1);
		assert_int_equal(err, E_AGAIN);
		assert_int_equal(net_udp_send(a, &b_at, "ping", 4), E_OK);
		wait_ready(b, POLLIN);
		assert_int_equal(net_udp_recv(b, &from, buf, sizeof buf, &err), 4);
		assert_memory_equal(buf, "ping", 4);
		assert_true(endpoint_equal(&from, &a_at));
		net_close(a);
		net_close(b);
	}
}

static void port_is_free_for_each_family(void **state)
{
	struct endpoint v4 = at("0.0.0.0:0"), v6 = at("[::]:0"), bound;
	enum err err = E_OK;
	int a, b;

	(void)state;
	if (!have_v6())
		skip();
	a = net_listen(&v4, "", 1, &err);
	assert_true(a >= 0);
	assert_int_equal(net_local(a, &bound), E_OK);
	v6.port = bound.port;
	b = net_listen(&v6, "", 1, &err);
	assert_true(b >= 0);
	net_close(a);
	net_close(b);
}

/* Bound to a device, a socket reaches what is there; without the device there is no socket. */
static void test_device(void **state)
{
	struct endpoint lo = endpoint_from_v4((const uint8_t[]){127, 0, 0, 1}, 0);
	enum err err = E_OK;
	int l = net_listen(&lo, "lo", 4, &err), c, u;

	(void)state;
	if (l < 0 && err == E_PERM)
		skip(); /* before Linux 5.7 it is root's */
	assert_true(l >= 0);
	assert_int_equal(net_local(l, &lo), E_OK);
	c = net_connect(&lo, "lo", &err);
	assert_true(c >= 0);
	net_close(c);
	net_close(l);
	lo.port = 0;
	assert_true(net_device_index("lo") > 0);
	assert_int_equal(net_device_index(""), 0);
	assert_int_equal(net_device_index("no-such-device"), 0);
	u = net_udp_open(&lo, "no-such-device", &err);
	assert_int_equal(u, -1);
	assert_int_equal(err, E_UNREACHABLE);
	assert_int_equal(net_listen(&lo, "no-such-device", 4, &err), -1);
	assert_int_equal(err, E_UNREACHABLE);
	lo.port = 1;
	assert_int_equal(net_connect(&lo, "no-such-device", &err), -1);
	assert_int_equal(err, E_UNREACHABLE);
	assert_int_equal(net_udp_split(&lo, "no-such-device", 'd', &u, &err), -1);
	assert_int_equal(err, E_UNREACHABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device),
		cmocka_unit_test(streams_carry_bytes),
		cmocka_unit_test(full_stream_says_again),
		cmocka_unit_test(broken_stream_is_closed_without_a_signal),
		cmocka_unit_test(connect_errors_are_told_apart),
		cmocka_unit_test(a_map_of_a_file_cut_short_is_an_error),
		cmocka_unit_test(datagrams_name_their_sender),
		cmocka_unit_test(port_is_free_for_each_family),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
