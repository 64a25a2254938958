/* SPDX-License-Identifier: MIT */
/*
 * The world: whose turn it is, how time passes, and the programs that run scenarios.
 *
 * A round is every actor that is due at this moment, in an order drawn from the seed (sched.c).
 * When nobody is due the clock jumps to the next timer or event.  A turn takes no time.
 */
#include "tests/sim/lib/priv.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/kernel/log.h"

#define TURNS_AT_ONCE 2000000u /* without time passing: somebody spins */
#define LOOK_EVERY    8        /* turns between two looks at a predicate */

/*
 * The seam's calls do not say whose they are.  Daemons that crashed stay in memory, and stay named
 * here after their world has ended, so that a leak checker does not take them for lost.
 */
static struct {
	struct sim *world;
	struct daemon *graves[4096];
	unsigned graves_n;
} here;

struct sim *sim_world(void)
{
	must(here.world != NULL);
	return here.world;
}

void sim_trace_mix(struct sim *s, uint64_t x)
{
	s->trace = (s->trace ^ x) * UINT64_C(0x100000001b3);
	s->trace ^= s->trace >> 29;
}

int64_t sim_now(const struct sim *s)
{
	return s->now;
}

uint64_t sim_trace(const struct sim *s)
{
	return s->trace;
}

uint64_t sim_turns(const struct sim *s)
{
	return s->turns;
}

uint64_t sim_wishes(const struct sim *s)
{
	return s->wishes;
}

uint64_t sim_links(const struct sim *s)
{
	return s->links;
}

uint32_t sim_below(struct sim *s, uint32_t n)
{
	return rng_below(&s->rng, n);
}

/* --- descriptors --- */

int fd_give(struct sim *s, void *obj)
{
	if (s->fds_n == s->fds_room) {
		s->fds_room = MAX(256u, 2 * s->fds_room);
		s->fds = xrealloc(s->fds, sizeof *s->fds * s->fds_room);
	}
	s->fds[s->fds_n] = obj;
	return FD_BASE + (int)s->fds_n++;
}

void *fd_find(int fd)
{
	const struct sim *s = sim_world();

	must(fd >= FD_BASE && (uint32_t)(fd - FD_BASE) < s->fds_n);
	must(s->fds[fd - FD_BASE] != NULL);
	return s->fds[fd - FD_BASE];
}

void fd_drop(int fd)
{
	(void)fd_find(fd);
	sim_world()->fds[fd - FD_BASE] = NULL;
}

/* --- the beginning and the end --- */

struct sim *sim_new(uint64_t seed)
{
	const char *level = getenv("SIM_LOG");
	enum log_level chosen = LOG_ERROR;
	struct sim *s;

	must(here.world == NULL);
	ALLOC_OBJ(s, SIM_MAGIC);
	s->seed = seed;
	s->now = 10 * SEC;
	rng_seed(&s->rng, seed);
	rng_seed(&s->noise, ~seed);
	STAILQ_INIT(&s->hosts);
	STAILQ_INIT(&s->daemons);
	STAILQ_INIT(&s->socks);
	STAILQ_INIT(&s->pipes);
	if (level != NULL)
		(void)log_level_parse(level, &chosen);
	log_set_level(chosen);
	here.world = s;
	return s;
}

struct host *sim_host(struct sim *s, struct line line)
{
	struct host *h;

	ALLOC_OBJ(h, HOST_MAGIC);
	h->s = s;
	h->line = line;
	h->index = s->hosts_n++;
	s->host = xrealloc(s->host, sizeof(struct host *) * s->hosts_n);
	s->host[h->index] = h;
	h->at = endpoint_from_v4(
		(uint8_t[]){10, 0, (uint8_t)(h->index >> 8), (uint8_t)(h->index & 255)}, 6681);
	h->at.ip[13] = (uint8_t)(1 + h->index % 200);
	h->next_port = 30000;
	TAILQ_INIT(&h->up_queue);
	TAILQ_INIT(&h->waiting);
	h->disk = disk_new(h);
	h->db = db_new();
	h->synced = db_new();
	STAILQ_INSERT_TAIL(&s->hosts, h, link);
	return h;
}

uint64_t sim_sent(const struct host *h)
{
	return h->sent;
}

uint64_t sim_read(const struct host *h)
{
	return h->read;
}

static void free_daemons(struct sim *s)
{
	struct daemon *d;

	while ((d = STAILQ_FIRST(&s->daemons)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->daemons, link);
		if (d->set == NULL) {
			FREE_OBJ(d);
			continue;
		}
		must(here.graves_n < ARRAY_LEN(here.graves));
		here.graves[here.graves_n++] = d;
	}
}

static void free_net(struct sim *s)
{
	struct sock *k;
	struct pipe *p;

	while ((k = STAILQ_FIRST(&s->socks)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->socks, link);
		xfree(k->pending);
		FREE_OBJ(k);
	}
	while ((p = STAILQ_FIRST(&s->pipes)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->pipes, link);
		xfree(p->ring);
		xfree(p);
	}
}

static void free_hosts(struct sim *s)
{
	struct host *h;

	while ((h = STAILQ_FIRST(&s->hosts)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->hosts, link);
		disk_free(&h->disk);
		db_free(&h->db);
		db_free(&h->synced);
		FREE_OBJ(h);
	}
}

/* After the clean stops nobody may have anything open. */
static void check_closed(const struct sim *s)
{
	for (uint32_t i = 0; i < s->fds_n; i++)
		must(s->fds[i] == NULL);
}

void sim_free(struct sim **ps)
{
	struct sim *s;
	struct host *h;

	TAKE_OBJ(s, ps, SIM_MAGIC);
	STAILQ_FOREACH(h, &s->hosts, link)
	if (h->daemon != NULL)
		sim_stop(&(struct daemon *){h->daemon});
	check_closed(s);
	free_daemons(s);
	free_net(s);
	free_hosts(s);
	for (unsigned i = 0; i < s->metas_n; i++)
		metainfo_unref(&s->metas[i]);
	xfree(s->metas);
	swarms_free(s);
	xfree(s->truth);
	xfree(s->events);
	xfree(s->fds);
	xfree(s->due);
	xfree(s->touched);
	xfree(s->clock);
	xfree(s->host);
	here.world = NULL;
	FREE_OBJ(s);
}

/* --- turns and time --- */

static void turn(struct sim *s)
{
	struct daemon *d;
	unsigned slot = sched_next(s, &d);

	if (!d->alive) {
		s->turn = NULL;
		return;
	}
	s->current = d;
	(void)actor_turn(actors_at(d->set, slot), 0);
	if (++s->turns % CHECK_EVERY == 0)
		daemon_check(d);
	s->current = NULL;
	s->turn = NULL;
	must(++s->turns_now < TURNS_AT_ONCE);
}

/* One turn, or a jump in time to `limit` at most; false: nothing happens before it. */
static bool step(struct sim *s, int64_t limit)
{
	int64_t next;

	if (s->due_n == 0)
		sched_collect(s);
	if (s->due_n > 0) {
		turn(s);
		return true;
	}
	next = MIN(event_next(s), sched_deadline(s));
	must(next >= s->now);
	if (next > limit) {
		s->now = limit;
		return false;
	}
	if (next > s->now)
		s->turns_now = 0;
	s->now = next;
	sim_trace_mix(s, (uint64_t)next);
	event_run(s);
	return true;
}

bool sim_run_until(struct sim *s, sim_pred_f *pred, void *ctx, int64_t max_us)
{
	int64_t limit = s->now + max_us;

	for (unsigned i = 0;; i++) {
		if ((i % LOOK_EVERY == 0 || s->due_n == 0) && pred(s, ctx))
			return true;
		if (!step(s, limit))
			return pred(s, ctx);
	}
}

void sim_run_for(struct sim *s, int64_t us)
{
	int64_t limit = s->now + us;

	while (step(s, limit))
		;
}

void sim_run_turns(struct sim *s, uint64_t n)
{
	uint64_t end = s->turns + n;
	int64_t limit = s->now + 10 * SEC;

	while (s->turns < end && step(s, limit))
		;
}

/* --- programs --- */

void sim_note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

bool sim_expect(struct sim *s, bool cond, const char *fmt, ...)
{
	va_list ap;

	if (cond)
		return true;
	s->failed = true;
	printf("# SEED=%" PRIu64 " t=%.3fs: ", s->seed, (double)s->now / (double)SEC);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	return false;
}

static bool run_once(const struct sim_case *c, uint64_t seed, uint64_t *trace)
{
	struct sim *s = sim_new(seed);
	bool ok;

	c->fn(s);
	printf("# %s seed %" PRIu64 ": %.1f virtual seconds, %" PRIu64 " turns, trace %016" PRIx64
	       "\n",
		c->name, seed, (double)s->now / (double)SEC, s->turns, s->trace);
	ok = !s->failed;
	*trace = s->trace;
	sim_free(&s);
	return ok;
}

static bool run_case(const struct sim_case *c, uint64_t seed)
{
	uint64_t first, second;
	bool ok = run_once(c, seed, &first);

	if (!ok || !c->twice)
		return ok;
	ok = run_once(c, seed, &second) && first == second;
	if (!ok)
		printf("# SEED=%" PRIu64 ": the same seed gave another run\n", seed);
	return ok;
}

int sim_main(int argc, char **argv, const struct sim_case *cases, size_t n)
{
	const char *given = argc > 1 ? argv[1] : getenv("S");
	unsigned tests = 0, failed = 0;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);

	for (size_t i = 0; i < n; i++) {
		for (uint64_t k = 0; k < (given != NULL ? 1 : cases[i].seeds); k++) {
			uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : k + 1;
			bool ok;

			/* Said first, for the case that it does not return. */
			printf("# SEED=%" PRIu64 " %s\n", seed, cases[i].name);
			ok = run_case(&cases[i], seed);
			printf("%s %u - %s, seed %" PRIu64 "\n", ok ? "ok" : "not ok", ++tests,
				cases[i].name, seed);
			failed += !ok;
		}
	}
	printf("1..%u\n", tests);
	return failed > 0;
}
