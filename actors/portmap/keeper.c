/* SPDX-License-Identifier: MIT */
/* One errand after the other to a UPnP gateway, as the state wants it. */
#include "actors/portmap/keeper.h"

#include "actors/kernel/random.h"
#include "proto/base/time.h"
#include "proto/portmap/igd.h"

#define SEARCH_AGAIN (10 * 60 * USEC_PER_SEC) /* nobody answered */
#define LOST_AGAIN   (15 * USEC_PER_SEC)      /* who had answered does no more */
#define ASK_AGAIN    (10 * 60 * USEC_PER_SEC) /* it refused */
#define RENEW_MOST   (10 * 60 * USEC_PER_SEC) /* so that a restart is not noticed late */
#define RENEW_LEAST  (5 * USEC_PER_SEC)

static void step(struct keeper *k);

static void on_timer(struct loop_timer *t, int64_t now)
{
	(void)now;
	step(container_of(t, struct keeper, timer));
}

static void wait_until(struct keeper *k, int64_t at)
{
	k->due = at;
	loop_timer_set(k->loop, &k->timer, at);
}

/* --- errands --- */

static void begin(struct keeper *k, enum upnp_errand errand, uint16_t external)
{
	struct upnp_want w = {.errand = errand,
		.gateway = k->gateway,
		.port = k->port,
		.external = external,
		.lease = k->lease,
		.seed = random_u64()};

	if (!upnp_begin(k->upnp, &w))
		wait_until(k, loop_now(k->loop) + LOST_AGAIN);
}

/* What is mapped and known to be of no use goes first. */
static bool remove_first(struct keeper *k)
{
	if (k->leaves == 0 && k->stopping) {
		k->leaves = k->external;
		k->external = 0;
	}
	if (k->leaves == 0)
		return false;
	if (!k->found) {
		k->leaves = 0; /* at whom it was is not known any more */
		return false;
	}
	begin(k, UPNP_REMOVE, k->leaves);
	return true;
}

static void step(struct keeper *k)
{
	int64_t now = loop_now(k->loop);

	if (k->external != 0 && now >= k->until)
		k->external = 0;
	if (!k->on || upnp_busy(k->upnp) || remove_first(k) || k->stopping)
		return;
	if (k->found && !k->wanted) {
		k->state = KEEPER_STANDBY;
		return;
	}
	if (now < k->due) {
		loop_timer_set(k->loop, &k->timer, k->due);
		return;
	}
	if (k->found) {
		if (k->external == 0)
			k->state = KEEPER_ASKING;
		begin(k, UPNP_MAP, k->external != 0 ? k->external : k->port);
	} else {
		if (k->external == 0)
			k->state = KEEPER_SEARCHING;
		begin(k, UPNP_FIND, 0);
	}
}

/* --- what became of them --- */

static void note_find(struct keeper *k, const struct upnp_got *got, int64_t now)
{
	k->found = got->found;
	k->due = got->found ? now : now + (k->external != 0 ? LOST_AGAIN : SEARCH_AGAIN);
	if (k->external == 0)
		k->state = got->found ? KEEPER_STANDBY : KEEPER_NONE;
}

static void note_map(
	struct keeper *k, const struct upnp_want *want, const struct upnp_got *got, int64_t now)
{
	int64_t lease = (int64_t)got->lease * USEC_PER_SEC;

	if (got->external != 0 && want->port == k->port && !k->stopping) {
		k->state = KEEPER_HELD;
		k->error = 0;
		k->external = got->external;
		k->address = got->external_known ? got->address : (struct endpoint){0};
		k->until = lease == 0 ? INT64_MAX : now + lease;
		k->due =
			now + MAX(MIN(lease == 0 ? INT64_MAX : lease / 2, RENEW_MOST), RENEW_LEAST);
		return;
	}
	if (got->external != 0) { /* in vain: the port has changed meanwhile, or this is the end */
		k->leaves = got->external;
		k->due = now;
		return;
	}
	k->error = got->error;
	/* No answer: it may be another one by now, and is looked for. */
	k->found = got->error > 0;
	k->due = now + (got->error > 0 ? ASK_AGAIN : LOST_AGAIN);
	if (got->error > 0)
		k->external = 0;
	if (k->external == 0)
		k->state = KEEPER_REFUSED;
}

static void on_done(void *ctx)
{
	struct keeper *k = ctx;
	const struct upnp_want *want = upnp_wanted(k->upnp);
	const struct upnp_got *got = upnp_got(k->upnp);
	int64_t now = loop_now(k->loop);

	if (!gateway_equal(&want->gateway, &k->gateway))
		k->found = false; /* it was another's */
	else if (want->errand == UPNP_FIND)
		note_find(k, got, now);
	else if (want->errand == UPNP_MAP)
		note_map(k, want, got, now);
	if (want->errand == UPNP_REMOVE)
		k->leaves = 0;
	step(k);
	k->changed(k->ctx);
}

/* --- for the owner --- */

void keeper_init(struct keeper *k, struct loop *loop, void (*changed)(void *), void *ctx)
{
	*k = (struct keeper){
		.loop = loop, .changed = changed, .ctx = ctx, .timer = {.fn = on_timer}};
	k->upnp = upnp_new(loop, on_done, k);
}

void keeper_fini(struct keeper *k)
{
	loop_timer_del(k->loop, &k->timer);
	upnp_free(&k->upnp);
}

void keeper_start(struct keeper *k, const struct gateway *g, uint16_t port, uint32_t lease)
{
	if (k->external != 0 && gateway_equal(g, &k->gateway)) {
		k->leaves = k->external;
	} else {
		k->found = false;
		k->leaves = 0;
	}
	k->on = true;
	k->external = 0;
	k->address = (struct endpoint){0};
	k->gateway = *g;
	k->port = port;
	k->lease = lease;
	k->state = k->found ? KEEPER_ASKING : KEEPER_SEARCHING;
	k->due = loop_now(k->loop);
	step(k);
}

void keeper_end(struct keeper *k)
{
	if (!k->on)
		return;
	loop_timer_del(k->loop, &k->timer);
	if (k->external != 0)
		k->leaves = k->external;
	k->external = 0;
	k->state = KEEPER_OFF;
	if (k->found && k->leaves != 0 && !upnp_busy(k->upnp))
		begin(k, UPNP_REMOVE, k->leaves);
	k->on = false;
}

void keeper_want(struct keeper *k, bool wanted)
{
	if (k->wanted == wanted)
		return;
	k->wanted = wanted;
	step(k);
}

void keeper_wind_down(struct keeper *k)
{
	loop_timer_del(k->loop, &k->timer);
	k->stopping = true;
	step(k);
}

/* A search that is under way is not waited for, it has mapped nothing. */
bool keeper_is_quiet(const struct keeper *k)
{
	if (!k->on)
		return true;
	if (upnp_busy(k->upnp))
		return k->external == 0 && k->leaves == 0 &&
		       (k->state == KEEPER_SEARCHING || k->state == KEEPER_NONE);
	return k->external == 0 && k->leaves == 0;
}

bool keeper_holds(const struct keeper *k)
{
	return k->on && k->external != 0;
}

const char *keeper_words(const struct keeper *k)
{
	switch (k->state) {
	case KEEPER_OFF:
		return "it is not used";
	case KEEPER_SEARCHING:
		return "the gateway is being looked for";
	case KEEPER_NONE:
		return "the gateway does not answer: it has no UPnP, or it is turned off";
	case KEEPER_STANDBY:
		return "it could, and another way has the port";
	case KEEPER_ASKING:
		return "it was asked and has not answered yet";
	case KEEPER_REFUSED:
		return k->error > 0 ? igd_words(k->error)
				    : "the gateway was found and does not answer any more";
	case KEEPER_HELD:
		return "granted";
	}
	return "";
}
