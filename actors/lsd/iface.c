/* SPDX-License-Identifier: MIT */
/* Interfaces with multicast, and sockets in a group on one of them. */
#include "actors/lsd/iface.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29 /* since Linux 4.20 */
#endif

/* --- which --- */

static unsigned count_bits(const uint8_t *mask, unsigned bytes)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 8 * bytes && (mask[i / 8] & 0x80 >> i % 8) != 0; i++)
		n++;
	return n;
}

static bool read_address(const struct ifaddrs *a, struct iface *out)
{
	*out = (struct iface){.index = if_nametoindex(a->ifa_name)};
	if (a->ifa_addr->sa_family == AF_INET) {
		struct sockaddr_in at, mask;

		memcpy(&at, a->ifa_addr, sizeof at);
		memcpy(&mask, a->ifa_netmask, sizeof mask);
		out->at = endpoint_from_v4((const uint8_t *)&at.sin_addr, 0);
		out->prefix = 96 + count_bits((const uint8_t *)&mask.sin_addr, 4);
	} else if (a->ifa_addr->sa_family == AF_INET6) {
		struct sockaddr_in6 at, mask;

		memcpy(&at, a->ifa_addr, sizeof at);
		memcpy(&mask, a->ifa_netmask, sizeof mask);
		if (IN6_IS_ADDR_LINKLOCAL(&at.sin6_addr)) /* peers could not be dialled there */
			return false;
		out->at = endpoint_from_v6((const uint8_t *)&at.sin6_addr, 0);
		out->prefix = count_bits((const uint8_t *)&mask.sin6_addr, 16);
	} else {
		return false;
	}
	return out->index != 0;
}

static bool is_usable(const char *device, const struct ifaddrs *a)
{
	const unsigned need = IFF_UP | IFF_MULTICAST, not = IFF_LOOPBACK | IFF_POINTOPOINT;

	return (device[0] == '\0' || strcmp(a->ifa_name, device) == 0) && a->ifa_addr != NULL &&
	       a->ifa_netmask != NULL && (a->ifa_flags & need) == need &&
	       (a->ifa_flags & not ) == 0;
}

/* Whether the interface has a private address, of whatever family. */
static bool is_private(const char *device, const struct ifaddrs *all, unsigned index)
{
	struct iface i;

	for (; all != NULL; all = all->ifa_next)
		if (is_usable(device, all) && read_address(all, &i) && i.index == index &&
			endpoint_is_private_lan(&i.at))
			return true;
	return false;
}

static bool is_known(const struct iface *list, unsigned n, const struct iface *i)
{
	for (unsigned k = 0; k < n; k++)
		if (list[k].index == i->index && iface_is_near(&list[k], &i->at))
			return true;
	return false;
}

unsigned iface_list(const char *device, struct iface *out, unsigned max)
{
	struct ifaddrs *all = NULL;
	unsigned n = 0;

	if (getifaddrs(&all) != 0)
		return 0;
	for (const struct ifaddrs *a = all; a != NULL && n < max; a = a->ifa_next)
		if (is_usable(device, a) && read_address(a, &out[n]) &&
			is_private(device, all, out[n].index) && !is_known(out, n, &out[n]))
			n++;
	freeifaddrs(all);
	return n;
}

bool iface_equal(const struct iface *a, const struct iface *b)
{
	return a->index == b->index && a->prefix == b->prefix && endpoint_same_ip(&a->at, &b->at);
}

bool iface_is_near(const struct iface *i, const struct endpoint *e)
{
	unsigned whole = i->prefix / 8, rest = i->prefix % 8;

	if (endpoint_is_v4(e) != endpoint_is_v4(&i->at) || memcmp(e->ip, i->at.ip, whole) != 0)
		return false;
	return rest == 0 || (e->ip[whole] ^ i->at.ip[whole]) >> (8 - rest) == 0;
}

/* --- sockets --- */

static bool set_option(int fd, int level, int name, const void *value, size_t n)
{
	return setsockopt(fd, level, name, value, (socklen_t)n) == 0;
}

static bool set_flag(int fd, int level, int name, int value)
{
	return set_option(fd, level, name, &value, sizeof value);
}

/* To be heard by other programs of this machine, too, and by nobody beyond the next router. */
static bool join4(int fd, const struct iface *i, const struct endpoint *group)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(group->port)};
	struct ip_mreqn join = {.imr_ifindex = (int)i->index};

	memcpy(&at.sin_addr, endpoint_v4_bytes(group), 4);
	join.imr_multiaddr = at.sin_addr;
	memcpy(&join.imr_address, endpoint_v4_bytes(&i->at), 4);
	return set_flag(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) &&
	       set_flag(fd, IPPROTO_IP, IP_MULTICAST_TTL, 1) &&
	       set_flag(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1) &&
	       set_option(fd, IPPROTO_IP, IP_MULTICAST_IF, &join, sizeof join) &&
	       bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
	       set_option(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join);
}

static bool join6(int fd, const struct iface *i, const struct endpoint *group)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(group->port)};
	struct ipv6_mreq join = {.ipv6mr_interface = i->index};

	memcpy(&at.sin6_addr, group->ip, 16);
	join.ipv6mr_multiaddr = at.sin6_addr;
	(void)set_flag(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
	return set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
	       set_flag(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1) &&
	       set_flag(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1) &&
	       set_flag(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)i->index) &&
	       bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
	       set_option(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &join, sizeof join);
}

int iface_open(const struct iface *i, const struct endpoint *group)
{
	bool v4 = endpoint_is_v4(&i->at);
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* Others listen at the same address: every client of this machine. */
	if (set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
		(v4 ? join4(fd, i, group) : join6(fd, i, group)))
		return fd;
	close(fd);
	return -1;
}
