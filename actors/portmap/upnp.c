/* SPDX-License-Identifier: MIT */
/*
 * Errands to a UPnP gateway: the thread of each, and the one place that knows libminiupnpc.
 *
 * An errand has two holders, its thread and the owner; whoever lets go last frees it.
 */
#include "actors/portmap/upnp.h"

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proto/portmap/igd.h"

#define UPNP_MAGIC    0x55504e50u
#define SEARCH_MS     1000 /* for an answer to each kind of search */
#define DEVICES_MAX   50u
#define STACK         (256 * 1024)
#define DESCRIPTION   "torrentd"
#define REMAP_FOR_UDP 4u /* times that UDP's refusal moves TCP to another port */

struct work {
	atomic_int holders;
	int wake; /* eventfd */
	struct upnp_want want;
	struct upnp_got got;
	bool known; /* the following, of the gateway found */
	struct UPNPUrls urls;
	struct IGDdatas data;
};

struct upnp {
	uint32_t magic;
	struct loop *loop;
	struct loop_fd io;
	struct work *work;
	bool busy;
	void (*done)(void *ctx);
	void *ctx;
};

/* --- in the errand's thread --- */

/* Whether an http URL's host is that address. */
static bool is_at(const char *url, const struct endpoint *at)
{
	char ip[ENDPOINT_TEXT];
	size_t n = endpoint_format_ip(at, ip, sizeof ip);

	return url != NULL && strncmp(url, "http://", 7) == 0 && strncmp(url + 7, ip, n) == 0 &&
	       (url[7 + n] == ':' || url[7 + n] == '/');
}

static void forget_gateway(struct work *w)
{
	if (w->known)
		FreeUPNPUrls(&w->urls);
	w->known = false;
}

/* The description of one device, if it is the gateway's own and has a connection to control. */
static bool take_device(struct work *w, const char *url)
{
	char lan[64] = "";

	memset(&w->urls, 0, sizeof w->urls);
	memset(&w->data, 0, sizeof w->data);
	if (UPNP_GetIGDFromUrl(url, &w->urls, &w->data, lan, sizeof lan) != 1)
		return false;
	w->known = true;
	if (is_at(w->urls.controlURL, &w->want.gateway.at) && w->data.first.servicetype[0] != '\0')
		return true;
	forget_gateway(w);
	return false;
}

static void find(struct work *w)
{
	char local[ENDPOINT_TEXT];
	struct UPNPDev *all, *d;
	unsigned n = 0;
	int error = 0;

	forget_gateway(w);
	endpoint_format_ip(&w->want.gateway.local, local, sizeof local);
	all = upnpDiscover(SEARCH_MS, local, NULL, UPNP_LOCAL_PORT_ANY, 0, 2, &error);
	for (d = all; d != NULL && n < DEVICES_MAX && !w->got.found; d = d->pNext, n++)
		if (is_at(d->descURL, &w->want.gateway.at))
			w->got.found = take_device(w, d->descURL);
	freeUPNPDevlist(all);
	w->got.error = error;
}

static int add(struct work *w, const struct igd_ask *a, const char *proto)
{
	char external[8], internal[8], lease[16], local[ENDPOINT_TEXT];

	snprintf(external, sizeof external, "%u", a->external);
	snprintf(internal, sizeof internal, "%u", a->internal);
	snprintf(lease, sizeof lease, "%u", a->lease);
	endpoint_format_ip(&w->want.gateway.local, local, sizeof local);
	return UPNP_AddPortMapping(w->urls.controlURL, w->data.first.servicetype, external,
		internal, local, DESCRIPTION, proto, NULL, lease);
}

static void remove_one(struct work *w, uint16_t port, const char *proto)
{
	char external[8];

	snprintf(external, sizeof external, "%u", port);
	(void)UPNP_DeletePortMapping(
		w->urls.controlURL, w->data.first.servicetype, external, proto, NULL);
}

/* TCP, then UDP at the same port: where that is taken both move on. */
static int add_both(struct work *w, struct igd_ask *a, struct rng *rng)
{
	int error;

	while ((error = add(w, a, "TCP")) != 0)
		if (!igd_again(a, error, rng))
			return error;
	while ((error = add(w, a, "UDP")) != 0) {
		uint16_t was = a->external;

		if (!igd_again(a, error, rng)) {
			remove_one(w, was, "TCP");
			return error;
		}
		if (a->external == was)
			continue;
		remove_one(w, was, "TCP");
		return -1;
	}
	return 0;
}

static void map(struct work *w)
{
	struct rng rng;
	struct igd_ask ask;
	char ip[64] = "";
	int error = -1;

	rng_seed(&rng, w->want.seed);
	igd_begin(&ask, w->want.port, w->want.external, w->want.lease);
	for (unsigned i = 0; i < REMAP_FOR_UDP && error == -1; i++)
		error = add_both(w, &ask, &rng);
	w->got.error = error;
	if (error != 0)
		return;
	w->got.external = ask.external;
	w->got.lease = ask.lease;
	if (UPNP_GetExternalIPAddress(w->urls.controlURL, w->data.first.servicetype, ip) == 0)
		w->got.external_known =
			endpoint_parse_ip(ip, strnlen(ip, sizeof ip), &w->got.address) == E_OK;
}

static void let_go(struct work *w)
{
	if (atomic_fetch_sub(&w->holders, 1) > 1)
		return;
	forget_gateway(w);
	close(w->wake);
	xfree(w);
}

static void *run(void *arg)
{
	struct work *w = arg;

	if (w->want.errand == UPNP_FIND) {
		find(w);
	} else if (!w->known) {
		w->got.error = -1;
	} else if (w->want.errand == UPNP_MAP) {
		map(w);
	} else {
		remove_one(w, w->want.external, "TCP");
		remove_one(w, w->want.external, "UDP");
	}
	must(write(w->wake, &(uint64_t){1}, 8) == 8);
	let_go(w);
	return NULL;
}

/* --- in the owner's --- */

static void on_wake(struct loop_fd *io, uint32_t ready)
{
	struct upnp *u = container_of(io, struct upnp, io);
	uint64_t n;

	(void)ready;
	if (read(io->fd, &n, sizeof n) != (ssize_t)sizeof n)
		return;
	u->busy = false;
	u->done(u->ctx);
}

struct upnp *upnp_new(struct loop *loop, void (*done)(void *ctx), void *ctx)
{
	struct upnp *u;

	ALLOC_OBJ(u, UPNP_MAGIC);
	u->loop = loop;
	u->done = done;
	u->ctx = ctx;
	u->work = xcalloc(1, sizeof *u->work);
	atomic_init(&u->work->holders, 1);
	u->work->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(u->work->wake >= 0);
	u->io = (struct loop_fd){.fd = -1, .fn = on_wake};
	must(loop_fd_add(loop, &u->io, u->work->wake, POLL_IN) == E_OK);
	return u;
}

void upnp_free(struct upnp **pu)
{
	struct upnp *u;

	TAKE_OBJ(u, pu, UPNP_MAGIC);
	loop_fd_del(u->loop, &u->io);
	let_go(u->work);
	FREE_OBJ(u);
}

bool upnp_busy(const struct upnp *u)
{
	CHECK_OBJ(u, UPNP_MAGIC);
	return u->busy;
}

/* Signals are main's. */
static bool start_thread(struct work *w)
{
	pthread_attr_t attr;
	sigset_t all, was;
	pthread_t thread;
	int e;

	must(pthread_attr_init(&attr) == 0);
	must(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
	must(pthread_attr_setstacksize(&attr, STACK) == 0);
	sigfillset(&all);
	must(pthread_sigmask(SIG_SETMASK, &all, &was) == 0);
	e = pthread_create(&thread, &attr, run, w);
	must(pthread_sigmask(SIG_SETMASK, &was, NULL) == 0);
	pthread_attr_destroy(&attr);
	return e == 0;
}

bool upnp_begin(struct upnp *u, const struct upnp_want *want)
{
	struct work *w;

	CHECK_OBJ(u, UPNP_MAGIC);
	must(!u->busy);
	w = u->work;
	w->want = *want;
	w->got = (struct upnp_got){0};
	atomic_fetch_add(&w->holders, 1);
	u->busy = start_thread(w);
	if (!u->busy)
		let_go(w);
	return u->busy;
}

const struct upnp_want *upnp_wanted(const struct upnp *u)
{
	CHECK_OBJ(u, UPNP_MAGIC);
	must(!u->busy);
	return &u->work->want;
}

const struct upnp_got *upnp_got(const struct upnp *u)
{
	CHECK_OBJ(u, UPNP_MAGIC);
	must(!u->busy);
	return &u->work->got;
}
