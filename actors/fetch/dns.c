/* SPDX-License-Identifier: MIT */
/*
 * Questions to name servers, by c-ares.
 *
 * c-ares says which descriptors it waits for and when it wants to be called; it may answer from
 * within any of its functions, and may not be ended from within an answer.  Only this file knows
 * it.  It reads /etc/hosts for each question: the only files that are looked at from these threads,
 * small ones of the system's own, which nobody has on a disk that hangs.
 */
#include "actors/fetch/dns.h"

#include <ares.h>
#include <sys/stat.h>

#include "actors/fetch/address_filter.h"
#include "actors/fetch/watch.h"
#include "actors/kernel/log.h"
#include "actors/kernel/net.h"
#include "proto/base/array.h"

#define DNS_MAGIC 0x444e5351u

/* A server is tried three times, for 1.5, 3 and 6 s. */
#define FIRST_TRY_MS 1500
#define TRIES        3

static const char SERVERS_FILE[] = "/etc/resolv.conf";
static const int64_t KEEP_MIN = 30 * USEC_PER_SEC;
static const int64_t KEEP_MAX = 3600 * USEC_PER_SEC;
static const int64_t KEEP_NONE = 60 * USEC_PER_SEC;   /* there is no such name */
static const int64_t KEEP_SILENT = 10 * USEC_PER_SEC; /* nobody has told */

struct dns_socket {
	ares_socket_t fd;
	struct watch *watch; /* owned */
};

/* What tells a file from what it was; zero: there is none. */
struct file_mark {
	ino_t ino;
	off_t size;
	struct timespec changed;
};

struct dns {
	uint32_t magic;
	struct loop *loop;
	const struct config *config; /* owned reference */
	ares_channel channel;        /* NULL: not made yet */
	struct file_mark mark;       /* of SERVERS_FILE when the channel was made */
	struct loop_timer timer;
	struct watch_set sockets;
	struct dns_socket *list; /* owned */
	uint32_t n, room;
	unsigned pending; /* questions under way */
	bool away;        /* the device was not there for a socket */
	bool ending;
};

struct question {
	struct dns *dns;
	dns_done_f *fn;
	void *ctx;
};

/* --- c-ares and the loop --- */

static void set_timer(struct dns *d)
{
	struct timeval tv, *left = ares_timeout(d->channel, NULL, &tv);

	if (left == NULL)
		loop_timer_del(d->loop, &d->timer);
	else
		loop_timer_set(d->loop, &d->timer,
			loop_now(d->loop) + (int64_t)left->tv_sec * USEC_PER_SEC + left->tv_usec);
}

static void run_timer(struct loop_timer *t, int64_t now)
{
	struct dns *d = container_of(t, struct dns, timer);

	(void)now;
	CHECK_OBJ(d, DNS_MAGIC);
	ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(d);
}

static void run_socket(struct watch_set *set, int fd, uint32_t ready)
{
	struct dns *d = container_of(set, struct dns, sockets);

	CHECK_OBJ(d, DNS_MAGIC);
	ares_process_fd(d->channel, ready & (POLL_IN | POLL_ERR) ? fd : ARES_SOCKET_BAD,
		ready & (POLL_OUT | POLL_ERR) ? fd : ARES_SOCKET_BAD);
	set_timer(d);
}

static struct dns_socket *find_socket(struct dns *d, ares_socket_t fd)
{
	for (uint32_t i = 0; i < d->n; i++)
		if (d->list[i].fd == fd)
			return &d->list[i];
	return NULL;
}

/* Neither readable nor writable: the socket is about to be closed. */
static void change_socket(void *ctx, ares_socket_t fd, int readable, int writable)
{
	struct dns *d = ctx;
	struct dns_socket *s;

	CHECK_OBJ(d, DNS_MAGIC);
	s = find_socket(d, fd);
	if (!readable && !writable) {
		if (s == NULL)
			return;
		watch_end(&s->watch);
		*s = d->list[--d->n];
		return;
	}
	if (s == NULL) {
		struct dns_socket new = {fd, watch_new(&d->sockets, fd)};

		ARRAY_PUSH(d->list, d->n, d->room, new);
		s = &d->list[d->n - 1];
	}
	watch_events(s->watch, (readable ? POLL_IN : 0u) | (writable ? POLL_OUT : 0u));
}

/* Before c-ares connects it; anything but 0 has it closed. */
static int bind_socket(ares_socket_t fd, int type, void *ctx)
{
	struct dns *d = ctx;

	(void)type;
	CHECK_OBJ(d, DNS_MAGIC);
	if (net_device_bind(fd, d->config->network_interface) == E_OK)
		return 0;
	d->away = true;
	return -1;
}

/* --- the channel --- */

static struct file_mark look_at_file(void)
{
	struct file_mark m = {0};
	struct stat st;

	if (stat(SERVERS_FILE, &st) == 0)
		m = (struct file_mark){st.st_ino, st.st_size, st.st_mtim};
	return m;
}

static bool same_mark(const struct file_mark *a, const struct file_mark *b)
{
	return a->ino == b->ino && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool set_servers(struct dns *d, const struct config_list *list)
{
	struct ares_addr_port_node *nodes;
	bool ok = true;

	if (list->n == 0)
		return true;
	nodes = xcalloc(list->n, sizeof *nodes);
	for (size_t i = 0; i < list->n && ok; i++) {
		struct ares_addr_port_node *node = &nodes[i];
		struct endpoint e;

		ok = endpoint_parse_ip(list->v[i], strlen(list->v[i]), &e) == E_OK ||
		     endpoint_parse(list->v[i], &e) == E_OK;
		node->next = i + 1 < list->n ? &nodes[i + 1] : NULL;
		node->udp_port = node->tcp_port = e.port != 0 ? e.port : 53;
		node->family = endpoint_is_v4(&e) ? AF_INET : AF_INET6;
		if (node->family == AF_INET)
			memcpy(&node->addr.addr4, e.ip + 12, 4);
		else
			memcpy(&node->addr.addr6, e.ip, 16);
	}
	ok = ok && ares_set_servers_ports(d->channel, nodes) == ARES_SUCCESS;
	xfree(nodes);
	return ok;
}

static void end_channel(struct dns *d)
{
	if (d->channel != NULL)
		ares_destroy(d->channel);
	d->channel = NULL;
	loop_timer_del(d->loop, &d->timer);
}

static void make_channel(struct dns *d)
{
	struct ares_options o = {.timeout = FIRST_TRY_MS,
		.tries = TRIES,
		.sock_state_cb = change_socket,
		.sock_state_cb_data = d};
	int rc;

	d->mark = look_at_file();
	rc = ares_init_options(
		&d->channel, &o, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
	if (rc != ARES_SUCCESS) {
		d->channel = NULL;
		log_event(LOG_WARNING, "resolver_failed", "err=%s", ares_strerror(rc));
		return;
	}
	ares_set_socket_configure_callback(d->channel, bind_socket, d);
	if (!set_servers(d, &d->config->network_dns))
		end_channel(d);
}

/* --- answers --- */

static bool has(const struct dns_answer *a, const struct endpoint *e)
{
	for (unsigned i = 0; i < a->n; i++)
		if (endpoint_same_ip(&a->at[i], e))
			return true;
	return false;
}

static void read_answer(struct dns_answer *a, const struct ares_addrinfo *info)
{
	unsigned family_n[2] = {0, 0};
	int64_t ttl = KEEP_MAX;
	struct endpoint e;

	for (const struct ares_addrinfo_node *p = info->nodes; p != NULL; p = p->ai_next) {
		if (!address_of_sockaddr(p->ai_addr, p->ai_family, p->ai_addrlen, &e))
			continue;
		e.port = 0;
		if (has(a, &e) || family_n[endpoint_is_v4(&e)]++ >= DNS_ADDRESSES / 2)
			continue;
		a->at[a->n++] = e;
		ttl = MIN(ttl, (int64_t)p->ai_ttl * USEC_PER_SEC);
	}
	a->err = a->n > 0 ? E_OK : E_DNS;
	a->keep = a->n > 0 ? MAX(ttl, KEEP_MIN) : KEEP_NONE;
}

static void on_answer(void *ctx, int rc, int timeouts, struct ares_addrinfo *info)
{
	struct question *q = ctx;
	struct dns *d = q->dns;
	struct dns_answer a = {.err = E_DNS, .keep = KEEP_SILENT};

	(void)timeouts;
	CHECK_OBJ(d, DNS_MAGIC);
	if (rc == ARES_SUCCESS && info != NULL)
		read_answer(&a, info);
	else if (rc == ARES_ENOTFOUND || rc == ARES_ENODATA)
		a.keep = KEEP_NONE;
	else if (d->away)
		a = (struct dns_answer){.err = E_UNREACHABLE};
	if (info != NULL)
		ares_freeaddrinfo(info);
	d->pending--;
	if (!d->ending)
		q->fn(q->ctx, &a);
	xfree(q);
}

/* --- outside --- */

struct dns *dns_new(struct loop *loop, const struct config *c)
{
	struct dns *d;

	ALLOC_OBJ(d, DNS_MAGIC);
	d->loop = loop;
	d->config = config_ref(c);
	d->timer.fn = run_timer;
	watch_set_init(&d->sockets, loop, run_socket);
	return d;
}

void dns_free(struct dns **pd)
{
	struct dns *d;

	TAKE_OBJ(d, pd, DNS_MAGIC);
	d->ending = d->sockets.closing = true;
	end_channel(d);
	must(d->pending == 0 && d->n == 0);
	xfree(d->list);
	config_unref(&d->config);
	FREE_OBJ(d);
}

bool dns_ready(struct dns *d)
{
	struct file_mark mark;

	CHECK_OBJ(d, DNS_MAGIC);
	if (d->channel == NULL || d->config->network_dns.n > 0)
		return true;
	mark = look_at_file();
	if (same_mark(&mark, &d->mark))
		return true;
	if (d->pending > 0)
		return false;
	end_channel(d);
	return true;
}

void dns_ask(struct dns *d, const char *name, dns_done_f *fn, void *ctx)
{
	static const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = ARES_AI_ENVHOSTS};
	struct question *q;

	CHECK_OBJ(d, DNS_MAGIC);
	if (d->channel == NULL)
		make_channel(d);
	if (d->channel == NULL) {
		fn(ctx, &(struct dns_answer){.err = E_DNS, .keep = KEEP_SILENT});
		return;
	}
	d->away = false;
	q = xcalloc(1, sizeof *q);
	*q = (struct question){d, fn, ctx};
	d->pending++;
	ares_getaddrinfo(d->channel, name, NULL, &hints, on_answer, q);
	set_timer(d);
}
