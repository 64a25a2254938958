/* SPDX-License-Identifier: MIT */
/*
 * The portmap actor: at which port the world reaches us.
 *
 * It asks the gateway, by PCP and NAT-PMP (asking.c) and at the same time by UPnP (keeper.c), of
 * which the first to have the port keeps it; it follows the port that somebody writes into a file
 * (follow.c); and it tells those who announce us (outcome.c).  Nobody waits for this actor, and
 * what blocks has a thread of its own (upnp.c).
 */
#include "actors/kernel/log.h"
#include "actors/kernel/net.h"
#include "actors/kernel/random.h"
#include "actors/portmap/priv.h"

#define LOOK_AFTER  (1 * USEC_PER_SEC)  /* routes change in several steps */
#define LOOK_EVERY  (30 * USEC_PER_SEC) /* where the system does not tell */
#define FILE_EVERY  (1 * USEC_PER_SEC)
#define STOP_BUDGET (1 * USEC_PER_SEC)

static struct portmap *portmap_of(void *p)
{
	struct portmap *m;

	CAST_OBJ(m, p, PORTMAP_MAGIC);
	return m;
}

/* --- asking --- */

static uint32_t lease_of(const struct portmap *p)
{
	return (uint32_t)(p->config->portmap_lease / USEC_PER_SEC);
}

/* Who writes the port into a file has it forwarded already, and not by the router. */
static bool may_ask(const struct portmap *p)
{
	return p->config->portmap_enabled && !p->stopping &&
	       (p->config->peers_port_file[0] == '\0' || p->config->portmap_gateway[0] != '\0');
}

static void start_keeper(struct portmap *p)
{
	/* Its library chooses the way itself. */
	if (p->config->portmap_upnp && p->config->network_interface[0] == '\0')
		keeper_start(&p->keeper, &p->gateway, p->port, lease_of(p));
}

/* With whom is there now, from the beginning. */
static void ask_anew(struct portmap *p)
{
	enum err err;

	asking_end(&p->asking);
	p->has_gateway =
		may_ask(p) && gateway_find(p->config->portmap_gateway, p->config->network_interface,
				      &p->gateway, &p->no_gateway) == E_OK;
	if (!p->has_gateway) {
		keeper_end(&p->keeper);
		return;
	}
	err = asking_start(
		&p->asking, &p->gateway, p->config->network_interface, p->port, lease_of(p));
	if (err != E_OK)
		log_event(LOG_WARNING, "portmap", "err=%s", err_name(err));
	start_keeper(p);
}

static bool has_both(const struct portmap *p)
{
	return p->asking.on && p->asking.mapper.of[PCP_TCP].held &&
	       p->asking.mapper.of[PCP_UDP].held;
}

/* The port that was given is the one to listen at; what is asked for stays as it is. */
static void follow_gateway(struct portmap *p)
{
	uint16_t port = p->asking.mapper.of[PCP_TCP].external;

	if (p->config->portmap_follow && has_both(p) && port != p->port && !p->stopping &&
		p->asking.mapper.of[PCP_UDP].external == port)
		(void)follow_move(p, port);
}

static void quiet_if_done(struct portmap *p)
{
	if (p->stopping && asking_is_quiet(&p->asking) && keeper_is_quiet(&p->keeper))
		loop_task_post(p->loop, &p->quiet);
}

static void on_changed(void *ctx)
{
	struct portmap *p = portmap_of(ctx);

	keeper_want(&p->keeper, !has_both(p));
	follow_gateway(p);
	outcome_tell(p);
	quiet_if_done(p);
}

/* --- what changes around us --- */

static void on_look(struct loop_timer *t, int64_t now)
{
	struct portmap *p = container_of(t, struct portmap, look);
	const char *why;
	struct gateway g;
	bool has;

	CHECK_OBJ(p, PORTMAP_MAGIC);
	follow_device(p);
	has = may_ask(p) && gateway_find(p->config->portmap_gateway, p->config->network_interface,
				    &g, &why) == E_OK;
	if (p->watch.fd < 0)
		loop_timer_set(p->loop, t, now + LOOK_EVERY);
	if (has == p->has_gateway && (!has || gateway_equal(&g, &p->gateway)))
		return;
	log_event(LOG_INFO, "network_changed", "gateway=%s", has ? "another" : "none");
	ask_anew(p);
	on_changed(p);
}

static void on_watch(struct loop_fd *io, uint32_t ready)
{
	struct portmap *p = container_of(io, struct portmap, watch);

	(void)ready;
	CHECK_OBJ(p, PORTMAP_MAGIC);
	gateway_watch_drain(io->fd);
	if (!loop_timer_is_set(&p->look) && !p->stopping)
		loop_timer_set(p->loop, &p->look, loop_now(p->loop) + LOOK_AFTER);
}

static void on_file(struct loop_timer *t, int64_t now)
{
	struct portmap *p = container_of(t, struct portmap, file);

	CHECK_OBJ(p, PORTMAP_MAGIC);
	if (p->config->peers_port_file[0] == '\0')
		return;
	loop_timer_set(p->loop, t, now + FILE_EVERY);
	if (!follow_look(p))
		return;
	ask_anew(p);
	on_changed(p);
}

/* --- messages --- */

static void on_reload(struct actor *a, struct msg **m)
{
	struct portmap *p = portmap_of(actor_self(a));
	struct m_reload *r = MSG_AS(RELOAD, *m);
	const struct config *old = p->config, *new = r->config;
	bool anew = old->portmap_enabled != new->portmap_enabled ||
		    old->portmap_upnp != new->portmap_upnp ||
		    old->portmap_lease != new->portmap_lease ||
		    strcmp(old->portmap_gateway, new->portmap_gateway) != 0 ||
		    strcmp(old->peers_port_file, new->peers_port_file) != 0;

	p->config = new;
	r->config = old;
	if (!anew || p->stopping)
		return;
	p->follow = (struct follow){0};
	keeper_end(&p->keeper);
	ask_anew(p);
	on_file(&p->file, loop_now(p->loop));
	on_changed(p);
}

static void on_view(struct actor *a, struct msg **m)
{
	outcome_view(portmap_of(actor_self(a)), &MSG_AS(NETWORK_VIEW, *m)->view);
}

/* --- life --- */

static void say_quiesced(struct loop_task *task)
{
	struct portmap *p = container_of(task, struct portmap, quiet);

	CHECK_OBJ(p, PORTMAP_MAGIC);
	if (p->quiesced)
		return;
	p->quiesced = true;
	loop_timer_del(p->loop, &p->budget);
	actor_quiesced(p->actor);
}

static void on_budget(struct loop_timer *t, int64_t now)
{
	struct portmap *p = container_of(t, struct portmap, budget);

	(void)now;
	CHECK_OBJ(p, PORTMAP_MAGIC);
	log_event(LOG_INFO, "gateway_not_told", "port=%u", p->port);
	loop_task_post(p->loop, &p->quiet);
}

/* Others may connect to the port at the gateway until it is taken away there, and find nobody. */
static void portmap_quiesce(struct actor *a)
{
	struct portmap *p = portmap_of(actor_self(a));

	p->stopping = true;
	loop_timer_del(p->loop, &p->look);
	loop_timer_del(p->loop, &p->file);
	loop_timer_set(p->loop, &p->budget, loop_now(p->loop) + STOP_BUDGET);
	asking_wind_down(&p->asking);
	keeper_wind_down(&p->keeper);
	quiet_if_done(p);
}

static void *portmap_init(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct portmap *p;
	int fd;

	ALLOC_OBJ(p, PORTMAP_MAGIC);
	p->actor = a;
	p->loop = actor_loop(a);
	p->config = config_ref(env->config);
	p->shards = env->shards;
	p->port = p->told.tcp = p->told.udp = env->peer_port;
	p->no_gateway = "";
	/* Without sockets it was away when main wanted them. */
	if (env->peer_fds_n > 0)
		p->device = net_device_index(p->config->network_interface);
	rng_seed(&p->rng, random_u64());
	p->watch = (struct loop_fd){.fd = -1, .fn = on_watch};
	p->look.fn = on_look;
	p->file.fn = on_file;
	p->budget.fn = on_budget;
	p->quiet.fn = say_quiesced;
	asking_init(&p->asking, p->loop, &p->rng, on_changed, p);
	keeper_init(&p->keeper, p->loop, on_changed, p);
	keeper_want(&p->keeper, true);
	fd = gateway_watch_open();
	if (fd >= 0)
		must(loop_fd_add(p->loop, &p->watch, fd, POLL_IN) == E_OK);
	else
		loop_timer_set(p->loop, &p->look, loop_now(p->loop) + LOOK_EVERY);
	ask_anew(p);
	on_file(&p->file, loop_now(p->loop));
	if (p->config->network_interface[0] != '\0') /* it may have come or gone since then */
		loop_timer_set(p->loop, &p->look, loop_now(p->loop));
	return p;
}

static void portmap_fini(struct actor *a)
{
	struct portmap *p = portmap_of(actor_self(a));
	int fd = p->watch.fd;

	asking_end(&p->asking);
	keeper_fini(&p->keeper);
	if (fd >= 0) {
		loop_fd_del(p->loop, &p->watch);
		gateway_watch_close(fd);
	}
	loop_timer_del(p->loop, &p->look);
	loop_timer_del(p->loop, &p->file);
	loop_timer_del(p->loop, &p->budget);
	loop_task_del(p->loop, &p->quiet);
	config_unref(&p->config);
	FREE_OBJ(p);
}

static const struct actor_handler handlers[] = {
	{MSG_RELOAD, on_reload},
	{MSG_NETWORK_VIEW, on_view},
	{0, NULL},
};

const struct actor_spec portmap_spec = {
	.role_name = "portmap",
	.handlers = handlers,
	.init = portmap_init,
	.quiesce = portmap_quiesce,
	.fini = portmap_fini,
};
