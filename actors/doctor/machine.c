/* SPDX-License-Identifier: MIT */
/* What the kernel says of itself: clock, IPv6, resolver, and limits that hurt. */
#include "actors/doctor/doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timex.h>

#define BUFFER_FEW  (INT64_C(1) << 20) /* bytes */
#define YEAR_2025   1735689600
#define TRACK_WARN  80 /* per cent of the table */
#define SERVERS_MAX 3  /* as many as the system's resolver takes */

/* The number that the file begins with; -1: there is none. */
static int64_t read_number(const char *path)
{
	FILE *in = fopen(path, "re");
	int64_t v = -1;

	if (in == NULL)
		return -1;
	if (fscanf(in, "%" SCNd64, &v) != 1)
		v = -1;
	fclose(in);
	return v;
}

static void look_at_clock(struct findings *f)
{
	struct timeval now = {0};
	struct timex t = {0};

	gettimeofday(&now, NULL);
	if (now.tv_sec < YEAR_2025)
		doctor_note(f, "clock", DOCTOR_BAD,
			"set it, or certificates of https trackers look as if they were not valid "
			"yet",
			"the clock of this machine is years behind");
	else if (adjtimex(&t) == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
		doctor_note(f, "clock", DOCTOR_OK, NULL,
			"runs, and the kernel does not know that anybody keeps it right (no NTP, "
			"or a "
			"container)");
	else
		doctor_note(f, "clock", DOCTOR_OK, NULL, "is kept right");
}

/* An address of a global scope, by any device or that of network.interface. */
static void look_at_ipv6(struct findings *f, const struct config *c)
{
	FILE *in = fopen("/proc/net/if_inet6", "re");
	char ip[40], device[32];
	unsigned scope;
	bool found = false;

	while (in != NULL && !found &&
		fscanf(in, "%39s %*x %*x %x %*x %31s", ip, &scope, device) == 3)
		found = scope == 0 && (ip[0] == '2' || ip[0] == '3') &&
			(c->network_interface[0] == '\0' ||
				strcmp(device, c->network_interface) == 0);
	if (in != NULL)
		fclose(in);
	doctor_note(f, "IPv6", DOCTOR_OK, NULL,
		found ? "this machine has a global address"
		      : "this machine has no global address: peers that have IPv6 alone are out of "
			"reach");
}

static void judge_server(struct findings *f, const struct config *c, const char *text)
{
	struct endpoint at;
	bool here = (endpoint_parse_ip(text, strlen(text), &at) == E_OK ||
			    endpoint_parse(text, &at) == E_OK) &&
		    endpoint_is_loopback(&at);

	if (here && c->network_interface[0] != '\0')
		doctor_note(f, "resolver", DOCTOR_BAD,
			"set network.dns to a name server that can be reached by that device, such "
			"as "
			"the VPN's",
			"%.100s is on this machine, and cannot be asked by %s", text,
			c->network_interface);
	else
		doctor_note(f, "resolver", DOCTOR_OK, NULL, "%.100s is asked", text);
}

static void look_at_resolver(struct findings *f, const struct config *c)
{
	FILE *in = c->network_dns.n == 0 ? fopen("/etc/resolv.conf", "re") : NULL;
	char line[256], server[100];
	unsigned n = 0;

	for (size_t i = 0; i < c->network_dns.n && n < SERVERS_MAX; i++, n++)
		judge_server(f, c, c->network_dns.v[i]);
	while (in != NULL && n < SERVERS_MAX && fgets(line, sizeof line, in) != NULL) {
		if (sscanf(line, "nameserver %99s", server) != 1)
			continue;
		judge_server(f, c, server);
		n++;
	}
	if (in != NULL)
		fclose(in);
	if (n == 0)
		doctor_note(f, "resolver", DOCTOR_BAD,
			"name one in /etc/resolv.conf, or by network.dns",
			"no name server is known: names of trackers have no addresses");
}

static void look_at_limits(struct findings *f, const struct config *c)
{
	uint64_t want = (uint64_t)c->peers_max + (uint64_t)c->store_open_files + 100;
	int64_t count = read_number("/proc/sys/net/netfilter/nf_conntrack_count"),
		max = read_number("/proc/sys/net/netfilter/nf_conntrack_max");
	int64_t rmem = read_number("/proc/sys/net/core/rmem_max");
	struct rlimit r = {0};

	getrlimit(RLIMIT_NOFILE, &r);
	doctor_note(f, "descriptors", r.rlim_max >= want ? DOCTOR_OK : DOCTOR_WARN,
		r.rlim_max >= want ? NULL
				   : "raise LimitNOFILE of the service (or ulimit -n), or lower "
				     "peers.max and store.open_files",
		"%" PRIu64 " may be open, some %" PRIu64 " are wanted", (uint64_t)r.rlim_max, want);
	if (rmem >= 0)
		doctor_note(f, "socket buffers", rmem >= BUFFER_FEW ? DOCTOR_OK : DOCTOR_WARN,
			rmem >= BUFFER_FEW
				? NULL
				: "on fast lines: sysctl net.core.rmem_max=4194304, and the "
				  "same for net.core.wmem_max",
			"a socket may have %" PRId64 " KiB (net.core.rmem_max)", rmem >> 10);
	if (count >= 0 && max > 0)
		doctor_note(f, "flows", count * 100 >= max * TRACK_WARN ? DOCTOR_WARN : DOCTOR_OK,
			count * 100 >= max * TRACK_WARN
				? "sysctl net.netfilter.nf_conntrack_max=262144, or lower "
				  "peers.max "
				  "and dht.new_nodes"
				: NULL,
			"the firewall keeps %" PRId64 " flows of at most %" PRId64, count, max);
}

void doctor_machine(struct findings *f, const struct config *c)
{
	look_at_ipv6(f, c);
	look_at_resolver(f, c);
	look_at_clock(f);
	look_at_limits(f, c);
}
