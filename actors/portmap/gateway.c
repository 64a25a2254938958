/* SPDX-License-Identifier: MIT */
/*
 * The default route, asked of the kernel by rtnetlink (rtnetlink(7)).
 *
 * The address of ours that leads to it is the one the kernel would send from: a UDP socket that is
 * connected has it, and sends nothing.
 */
#include "actors/portmap/gateway.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/kernel/net.h"
#include "proto/portmap/pcp.h"

#define ROUTES_MAX 4096u /* messages that are looked at */

struct best {
	unsigned device; /* by which alone; 0: by any */
	bool found;
	uint32_t metric;
	uint8_t ip[4];
};

static int open_netlink(uint32_t groups)
{
	struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)(const void *)&at, sizeof at) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool ask_for_routes(int fd)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg m;
	} ask = {.h = {.nlmsg_len = sizeof ask,
			 .nlmsg_type = RTM_GETROUTE,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.m = {.rtm_family = AF_INET}};

	return send(fd, &ask, sizeof ask, 0) == (ssize_t)sizeof ask;
}

static void look_at_route(const struct nlmsghdr *h, struct best *best)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	/* In the macros' own type: they subtract what is behind a word's end, too. */
	unsigned left = h->nlmsg_len - (unsigned)NLMSG_LENGTH(sizeof *m);
	const struct rtattr *a;
	const void *gateway = NULL;
	uint32_t metric = 0, by = 0;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof *m) || m->rtm_family != AF_INET ||
		m->rtm_dst_len != 0 || m->rtm_table != RT_TABLE_MAIN || m->rtm_type != RTN_UNICAST)
		return;
	for (a = RTM_RTA(m); RTA_OK(a, (int)left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_GATEWAY && RTA_PAYLOAD(a) == 4)
			gateway = RTA_DATA(a);
		else if (a->rta_type == RTA_PRIORITY && RTA_PAYLOAD(a) == 4)
			memcpy(&metric, RTA_DATA(a), 4);
		else if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == 4)
			memcpy(&by, RTA_DATA(a), 4);
	}
	if (gateway == NULL || (best->device != 0 && by != best->device) ||
		(best->found && best->metric <= metric))
		return;
	best->found = true;
	best->metric = metric;
	memcpy(best->ip, gateway, 4);
}

/* The kernel has the answer ready when it is asked: nothing here waits. */
static void read_routes(int fd, struct best *best)
{
	static const size_t size = 32768;
	void *buf = xcalloc(1, size);

	for (unsigned seen = 0; seen < ROUTES_MAX;) {
		ssize_t n = recv(fd, buf, size, 0);
		const struct nlmsghdr *h = buf;
		unsigned left = n > 0 ? (unsigned)n : 0;

		if (n <= 0)
			break;
		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left), seen++) {
			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
				seen = ROUTES_MAX;
			else if (h->nlmsg_type == RTM_NEWROUTE)
				look_at_route(h, best);
		}
	}
	xfree(buf);
}

static bool find_default(const char *device, struct endpoint *out)
{
	struct best best = {.device = net_device_index(device)};
	int fd = device[0] == '\0' || best.device != 0 ? open_netlink(0) : -1;

	if (fd < 0)
		return false;
	if (ask_for_routes(fd))
		read_routes(fd, &best);
	close(fd);
	if (best.found)
		*out = endpoint_from_v4(best.ip, 0);
	return best.found;
}

static bool find_local(const struct endpoint *to, const char *device, struct endpoint *out)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PCP_PORT)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof a;
	uint8_t ip[4];
	bool good;

	memcpy(&a.sin_addr, endpoint_v4_bytes(to), 4);
	good = fd >= 0 && net_device_bind(fd, device) == E_OK &&
	       connect(fd, (const struct sockaddr *)(const void *)&a, sizeof a) == 0 &&
	       getsockname(fd, (struct sockaddr *)(void *)&a, &len) == 0;
	if (fd >= 0)
		close(fd);
	memcpy(ip, &a.sin_addr, 4);
	if (good)
		*out = endpoint_from_v4(ip, 0);
	return good;
}

enum err gateway_find(const char *chosen, const char *device, struct gateway *out, const char **why)
{
	*out = (struct gateway){0};
	*why = "";
	if (chosen[0] != '\0') {
		if (endpoint_parse_ip(chosen, strlen(chosen), &out->at) != E_OK ||
			!endpoint_is_v4(&out->at)) {
			*why = "portmap.gateway is not an IPv4 address";
			return E_NOT_FOUND;
		}
	} else if (!find_default(device, &out->at)) {
		*why = "this machine has no default route with a gateway: set portmap.gateway to "
		       "the router, or do without";
		return E_NOT_FOUND;
	}
	if (!find_local(&out->at, device, &out->local)) {
		*why = "no address of this machine leads to the gateway";
		return E_UNREACHABLE;
	}
	return E_OK;
}

bool gateway_equal(const struct gateway *a, const struct gateway *b)
{
	return endpoint_equal(&a->at, &b->at) && endpoint_equal(&a->local, &b->local);
}

int gateway_watch_open(void)
{
	return open_netlink(
		RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
}

void gateway_watch_close(int fd)
{
	close(fd);
}

void gateway_watch_drain(int fd)
{
	uint8_t buf[4096];

	/* Too slow a reader gets ENOBUFS once, and has been told. */
	while (recv(fd, buf, sizeof buf, 0) > 0 || errno == ENOBUFS || errno == EINTR)
		errno = 0;
}
