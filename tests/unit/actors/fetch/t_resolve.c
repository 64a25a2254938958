/* SPDX-License-Identifier: MIT */
/* Names to addresses, against a name server of the test's own. */
#include "actors/fetch/resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/lib/dns_server.h"

#define TURNS_MAX 20000 /* of a millisecond at most */

struct world {
	struct dns_server server;
	struct loop *loop;
	const struct config *config;
	struct resolver *resolver;
};

struct asker {
	struct resolver_wait wait;
	unsigned answers;
	struct asker *also; /* whose question is taken back with the answer */
};

static const struct config *load(const char *option, const char *more)
{
	char *argv[] = {(char[]){"torrentd"}, (char[]){"--state.dir=/tmp/t_resolve"},
		(char[]){"--download.dir=/tmp/t_resolve"}, strdup(option), strdup(more), NULL};
	struct config_input in = {.no_files = true, .argv = argv, .argc = 5};
	static char errors[CONFIG_ERRORS_SIZE];
	const struct config *c = NULL;
	enum config_action action;

	assert_int_equal(config_load(&in, &c, &action, errors, sizeof errors), E_OK);
	free(argv[3]);
	free(argv[4]);
	return c;
}

static void begin_with(struct world *w, const char *option)
{
	dns_server_start(&w->server);
	w->loop = loop_new();
	w->config = load(w->server.option, option);
	w->resolver = resolver_new(w->loop, 1, w->config);
}

static void begin(struct world *w)
{
	begin_with(w, "--log.level=error");
}

static void end(struct world *w)
{
	resolver_free(&w->resolver);
	loop_run_reap(w->loop);
	loop_free(&w->loop);
	config_unref(&w->config);
	dns_server_stop(&w->server);
}

static void note(struct resolver_wait *wait)
{
	struct asker *a = container_of(wait, struct asker, wait);

	a->answers++;
	if (a->also != NULL)
		resolver_cancel(&a->also->wait);
}

static void ask(struct world *w, struct asker *a, const char *name)
{
	*a = (struct asker){.wait.fn = note};
	resolver_ask(w->resolver, &a->wait, name);
	assert_int_equal(a->answers, 0);
}

static void turn(struct world *w)
{
	loop_wait(w->loop, 1000);
	(void)loop_run_timers(w->loop);
	loop_run_events(w->loop);
	loop_run_tasks(w->loop);
	loop_run_reap(w->loop);
}

static void wait_answer(struct world *w, struct asker *a)
{
	for (unsigned i = 0; i < TURNS_MAX && a->answers == 0; i++)
		turn(w);
	assert_int_equal(a->answers, 1);
}

static void resolves(struct world *w, const char *name, const char *addresses)
{
	char text[256] = "", one[ENDPOINT_TEXT];
	struct asker a;

	ask(w, &a, name);
	wait_answer(w, &a);
	for (unsigned i = 0; i < a.wait.n; i++) {
		endpoint_format_ip(&a.wait.at[i], one, sizeof one);
		snprintf(text + strlen(text), sizeof text - strlen(text), " %s", one);
		assert_int_equal(a.wait.at[i].port, 0);
	}
	assert_string_equal(text, addresses);
	assert_int_equal(a.wait.err, a.wait.n > 0 ? E_OK : E_DNS);
}

static void test_answers(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	resolves(&w, "four.example", " 127.0.0.1");
	resolves(&w, "other.example", " 127.0.0.9");
	resolves(&w, "lots.example", " 127.0.0.9 127.0.0.10 127.0.0.11 127.0.0.12");
	resolves(&w, "junk.example", " 127.0.0.9");
	resolves(&w, "none.example", "");
	resolves(&w, "192.0.2.7", " 192.0.2.7");
	resolves(&w, "2001:db8::7", " 2001:db8::7");
	resolves(&w, "", "");
	resolves(&w, "a..b", "");
	end(&w);
}

static void test_both_families(void **state)
{
	struct world w;
	struct asker a;

	(void)state;
	begin(&w);
	ask(&w, &a, "both.example");
	wait_answer(&w, &a);
	assert_int_equal(a.wait.n, 2);
	assert_true(endpoint_is_v4(&a.wait.at[0]) != endpoint_is_v4(&a.wait.at[1]));
	end(&w);
}

static void test_long_answers_come_over_tcp(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	resolves(&w, "cut.example", " 127.0.0.9");
	assert_true(atomic_load(&w.server.over_tcp) > 0);
	end(&w);
}

/* What is known is not asked for again, be it good or bad, and who asks meanwhile waits with
 * others. */
static void test_one_question_for_all(void **state)
{
	struct asker a, b;
	struct world w;

	(void)state;
	begin(&w);
	ask(&w, &a, "four.example");
	ask(&w, &b, "four.example");
	wait_answer(&w, &a);
	wait_answer(&w, &b);
	resolves(&w, "four.example", " 127.0.0.1");
	assert_int_equal(atomic_load(&w.server.asked[0]), 1);
	assert_int_equal(atomic_load(&w.server.asked[1]), 1);
	resolves(&w, "none.example", "");
	resolves(&w, "none.example", "");
	assert_int_equal(atomic_load(&w.server.asked[0]), 2);
	end(&w);
}

/* Silent servers hold so many lookups, and no one of them the loop; all may be left behind. */
static void test_silence(void **state)
{
	static struct asker mute[3 * RESOLVER_LOOKUPS];
	struct asker literal, gone;
	char name[64];
	struct world w;

	(void)state;
	begin(&w);
	for (unsigned i = 0; i < ARRAY_LEN(mute); i++) {
		snprintf(name, sizeof name, "mute.n%u.example", i);
		ask(&w, &mute[i], name);
	}
	ask(&w, &gone, "mute.gone.example");
	ask(&w, &literal, "192.0.2.7");
	literal.also = &gone;
	wait_answer(&w, &literal);
	for (unsigned i = 0; i < 20; i++)
		turn(&w);
	for (unsigned i = 0; i < ARRAY_LEN(mute); i++) {
		assert_int_equal(mute[i].answers, 0);
		resolver_cancel(&mute[i].wait);
	}
	assert_int_equal(gone.answers, 0);
	end(&w);
}

/* Twice as many as are asked for at once, and then some. */
static void test_many(void **state)
{
	static struct asker a[5 * RESOLVER_LOOKUPS / 2];
	char name[64];
	struct world w;

	(void)state;
	begin(&w);
	for (unsigned i = 0; i < ARRAY_LEN(a); i++) {
		snprintf(name, sizeof name, "n%u.example", i);
		ask(&w, &a[i], name);
	}
	for (unsigned i = 0; i < ARRAY_LEN(a); i++) {
		wait_answer(&w, &a[i]);
		assert_int_equal(a[i].wait.err, E_OK);
	}
	end(&w);
}

static void test_table_is_full(void **state)
{
	static struct asker a[RESOLVER_HOSTS];
	struct asker one_more;
	char name[64];
	struct world w;

	(void)state;
	begin(&w);
	for (unsigned i = 0; i < ARRAY_LEN(a); i++) {
		snprintf(name, sizeof name, "mute.n%u.example", i);
		ask(&w, &a[i], name);
	}
	ask(&w, &one_more, "four.example");
	wait_answer(&w, &one_more);
	assert_int_equal(one_more.wait.err, E_OVERLOAD);
	for (unsigned i = 0; i < ARRAY_LEN(a); i++)
		resolver_cancel(&a[i].wait);
	end(&w);
}

static void test_nothing_without_the_device(void **state)
{
	struct world w;
	struct asker a;

	(void)state;
	begin_with(&w, "--network.interface=nosuch0");
	ask(&w, &a, "four.example");
	wait_answer(&w, &a);
	assert_int_equal(a.wait.err, E_UNREACHABLE);
	assert_int_equal(a.wait.n, 0);
	assert_int_equal(atomic_load(&w.server.asked[0]), 0);
	end(&w);
}

static void test_hosts_file(void **state)
{
	char path[] = "/tmp/t_resolve.XXXXXX";
	int fd = mkstemp(path);
	struct world w;

	(void)state;
	assert_true(fd >= 0);
	assert_true(dprintf(fd, "192.0.2.4 box.example box\n2001:db8::4 box.example\n") > 0);
	close(fd);
	setenv("CARES_HOSTS", path, 1);
	begin(&w);
	resolves(&w, "box", " 192.0.2.4");
	assert_int_equal(atomic_load(&w.server.asked[0]), 0);
	resolves(&w, "four.example", " 127.0.0.1");
	end(&w);
	unsetenv("CARES_HOSTS");
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_both_families),
		cmocka_unit_test(test_long_answers_come_over_tcp),
		cmocka_unit_test(test_one_question_for_all),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_table_is_full),
		cmocka_unit_test(test_nothing_without_the_device),
		cmocka_unit_test(test_hosts_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
