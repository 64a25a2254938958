/* SPDX-License-Identifier: MIT */
/*
 * The main actor: order of the stop, who misses his deadline, health, reload.
 *
 * In one thread and in virtual time; all other actors are fakes that say when they are told to
 * rest, and may be told to hang.  A signal is what signalfd would give, written to a pipe.
 */
#include "actors/main/supervise.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/kernel/clock.h"
#include "actors/kernel/log.h"
#include "tests/unit/lib/made_torrents.h"

struct world {
	struct actors *set;
	struct actor *main, *others[16];
	unsigned others_n;
	struct supervise_arg arg;
	struct actor_env env;
	struct config_input input;
	const struct config *config;
	int signals[2];
	char file[64], option[96];
	char *argv[6];
	char log[512];
	enum role hangs; /* who never says that it rests */
	unsigned sleeps; /* index + 1 of the one that is not turned; 0: all are */
	struct m_health health;
};

static int64_t *world_clock(void)
{
	static int64_t now = 1000 * USEC_PER_SEC;

	return &now;
}

int64_t clock_mono_us(void)
{
	return *world_clock();
}

int64_t clock_wall_us(void)
{
	return INT64_C(1700000000) * USEC_PER_SEC;
}

int64_t clock_wall_s(void)
{
	return clock_wall_us() / USEC_PER_SEC;
}

static void note(struct world *w, const struct actor *a, const char *what)
{
	size_t n = strlen(w->log);

	snprintf(w->log + n, sizeof w->log - n, "%s%s%s%u", n > 0 ? " " : "", what,
		message_table.roles[ADDR_ROLE(actor_addr(a))], ADDR_INDEX(actor_addr(a)));
}

static void on_any(struct actor *a, struct msg **m)
{
	if ((*m)->type == MSG_RELOAD)
		note(actor_self(a), a, "reload:");
}

static void *init(struct actor *a, const void *arg)
{
	(void)a;
	return (void *)(uintptr_t)arg;
}

static void quiesce(struct actor *a)
{
	struct world *w = actor_self(a);

	note(w, a, "");
	if (ADDR_ROLE(actor_addr(a)) != w->hangs)
		actor_quiesced(a);
}

static const struct actor_handler any[] = {{KMSG_NONE, on_any}, {0, NULL}};
#define FAKE(name)                                                                                 \
	{                                                                                          \
		.role_name = name, .handlers = any, .init = init, .quiesce = quiesce               \
	}
static const struct {
	uint16_t addr;
	struct actor_spec spec;
} fakes[] = {
	{ADDR_STATE, FAKE("state")},
	{ADDR_STORE, FAKE("store")},
	{ADDR(ROLE_WORKER, 0), FAKE("worker")},
	{ADDR(ROLE_WORKER, 1), FAKE("worker")},
	{ADDR(ROLE_PEERS, 0), FAKE("peers")},
	{ADDR_TRACKER, FAKE("tracker")},
	{ADDR_SESSION, FAKE("session")},
	{ADDR_HTTP, FAKE("http")},
};

static void turn_all(struct world *w)
{
	for (int i = 0; i < 30; i++) {
		actor_turn(w->main, 0);
		for (unsigned k = 0; k < w->others_n; k++)
			if (k + 1 != w->sleeps)
				actor_turn(w->others[k], 0);
	}
}

static void pass_time(struct world *w, int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i++) {
		turn_all(w);
		*world_clock() += USEC_PER_SEC;
	}
	turn_all(w);
}

static void send_signal(struct world *w, int signo)
{
	struct signalfd_siginfo si = {.ssi_signo = (uint32_t)signo};

	assert_int_equal(write(w->signals[1], &si, sizeof si), sizeof si);
	turn_all(w);
}

static void write_config(struct world *w, const char *text)
{
	FILE *f = fopen(w->file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void load_config(struct world *w)
{
	enum config_action action;
	char errors[2048] = "";

	snprintf(w->file, sizeof w->file, "/tmp/t_supervise.%ld.conf", (long)getpid());
	snprintf(w->option, sizeof w->option, "--config=%s", w->file);
	write_config(w, "[log]\nlevel = error\n");
	w->argv[0] = xstrdup("torrentd");
	w->argv[1] = xstrdup("--state.dir=/tmp/none");
	w->argv[2] = xstrdup("--download.dir=/tmp/none");
	w->argv[3] = w->option;
	w->input = (struct config_input){.argc = 4, .argv = w->argv};
	if (config_load(&w->input, &w->config, &action, errors, sizeof errors) != E_OK)
		fail_msg("%s", errors);
}

static int world_new(void **state)
{
	struct world *w = xcalloc(1, sizeof *w);

	log_set_level(LOG_ERROR);
	*world_clock() = 1000 * USEC_PER_SEC;
	load_config(w);
	assert_int_equal(pipe2(w->signals, O_NONBLOCK | O_CLOEXEC), 0);
	w->hangs = ROLE_MAX_;
	w->set = actors_new(&message_table);
	for (unsigned i = 0; i < ARRAY_LEN(fakes); i++)
		w->others[w->others_n++] =
			actors_add_here(w->set, fakes[i].addr, &fakes[i].spec, w);
	w->env.config = w->config;
	w->arg = (struct supervise_arg){.set = w->set,
		.input = &w->input,
		.env = &w->env,
		.config = w->config,
		.signals = w->signals[0]};
	w->main = actors_add_here(w->set, ADDR_MAIN, &main_spec, &w->arg);
	actors_start_here(w->set);
	*state = w;
	return 0;
}

static int world_free(void **state)
{
	struct world *w = *state;

	actors_join(w->set);
	actors_free(&w->set);
	config_unref(&w->config);
	close(w->signals[0]);
	close(w->signals[1]);
	unlink(w->file);
	for (int i = 0; i < 3; i++)
		xfree(w->argv[i]);
	xfree(w);
	return 0;
}

/* --- stop --- */

static void test_order(void **state)
{
	struct world *w = *state;

	pass_time(w, 3);
	send_signal(w, SIGTERM);
	assert_string_equal(w->log, "tracker0 http0 session0 peers0 store0 worker0 worker1 state0");
	assert_true(supervisor_ended(w->main));
	assert_false(supervisor_failed(w->main));
}

static void test_slow_tracker(void **state)
{
	struct world *w = *state;

	w->hangs = ROLE_TRACKER;
	send_signal(w, SIGINT);
	assert_string_equal(w->log, "tracker0 http0 session0 peers0 store0 worker0 worker1 state0");
	assert_false(supervisor_ended(w->main));
	pass_time(w, 5);
	assert_true(supervisor_ended(w->main));
	assert_true(supervisor_failed(w->main));
}

/* The database must not note a clean end when payload may be missing. */
static void test_slow_worker(void **state)
{
	struct world *w = *state;

	w->hangs = ROLE_WORKER;
	send_signal(w, SIGTERM);
	assert_false(supervisor_ended(w->main));
	pass_time(w, 32);
	assert_true(supervisor_ended(w->main));
	assert_true(supervisor_failed(w->main));
	assert_null(strstr(w->log, "state0"));
	assert_non_null(strstr(w->log, "worker1"));
}

/* A person who asks twice does not want to wait. */
static void test_twice(void **state)
{
	struct world *w;
	int status = 0;
	pid_t child = fork(); /* before any mailbox: they do not survive it */

	assert_true(child >= 0);
	if (child == 0) {
		(void)world_new(state);
		w = *state;
		unlink(w->file);
		w->hangs = ROLE_STORE;
		send_signal(w, SIGTERM);
		send_signal(w, SIGTERM);
		_exit(7);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

/* --- health --- */

static void on_health(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct world *w = ctx;

	(void)a;
	assert_int_equal(err, E_OK);
	w->health = *container_of(*m, struct m_health, h);
}

static const struct actor_health *ask_health(struct world *w, unsigned i)
{
	struct actor *http = w->others[7];
	struct msg *m = msg_new(http, MSG_HEALTH);

	actor_call(http, ADDR_MAIN, &m, on_health, w);
	turn_all(w);
	assert_int_equal(w->health.n, ARRAY_LEN(fakes));
	return &w->health.actors[i];
}

/* Who never answers is known five seconds after the start. */
static void test_first_ping(void **state)
{
	struct world *w = *state;

	w->sleeps = 2;
	pass_time(w, 4);
	assert_true(ask_health(w, 1)->ok);
	pass_time(w, 1);
	assert_false(ask_health(w, 1)->ok);
	w->sleeps = 0;
	turn_all(w);
}

static void test_health(void **state)
{
	struct world *w = *state;

	pass_time(w, 3);
	assert_true(ask_health(w, 1)->ok && w->health.ok);
	assert_string_equal(w->health.actors[1].name, "store");
	assert_string_equal(w->health.actors[3].name, "worker.1");
	w->sleeps = 2; /* the store */
	pass_time(w, 4);
	assert_true(ask_health(w, 1)->ok);
	pass_time(w, 3);
	assert_false(ask_health(w, 1)->ok);
	assert_false(w->health.ok);
	assert_true(w->health.actors[1].stuck_ms >= 5000);
	assert_true(w->health.actors[0].ok && w->health.actors[2].ok);
	w->sleeps = 0;
	pass_time(w, 1);
	assert_true(ask_health(w, 1)->ok && w->health.ok);
}

/* --- reload --- */

static void test_reload(void **state)
{
	struct world *w = *state;

	write_config(w, "[log]\nlevel = error\n[download]\nmax_rate = 5KiB/s\n");
	send_signal(w, SIGHUP);
	assert_string_equal(w->log,
		"reload:store0 reload:worker0 reload:worker1 reload:peers0 reload:tracker0"
		" reload:session0 reload:http0");
	w->log[0] = '\0';
	write_config(w, "[log]\nlevle = error\n"); /* refused: nobody hears of it */
	send_signal(w, SIGHUP);
	assert_string_equal(w->log, "");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_new, world_free)
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_slow_tracker),
		TEST(test_slow_worker),
		cmocka_unit_test(test_twice),
		TEST(test_first_ping),
		TEST(test_health),
		TEST(test_reload),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
