/* SPDX-License-Identifier: MIT */
/* Answers that go on: when their source is asked for more, how many there may be, how they end. */
#include "tests/unit/lib/web_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server/streaming.h"

#define MIB (1u << 20)

struct test {
	unsigned asked, freed;
	struct streaming *waits; /* asked, and not answered yet */
	bool later;              /* due() does not answer */
	size_t n;                /* bytes it answers with; 0: nothing to say */
};

static void due(void *ctx, struct streaming *s)
{
	struct test *t = ctx;

	t->asked++;
	if (t->later)
		t->waits = s;
	else
		streaming_write(s, t->n > 0 ? calloc(1, t->n) : NULL, t->n);
}

static char *bye(void *ctx, size_t *n)
{
	(void)ctx;
	*n = 3;
	return strdup("bye");
}

static void note_free(void *ctx)
{
	((struct test *)ctx)->freed++;
}

static void open_stream(struct request *r)
{
	struct streaming_source source = {.ctx = webworld_of(r)->test,
		.due = due,
		.bye = bye,
		.free = note_free,
		.every = 2 * USEC_PER_MSEC};

	streaming_open(r, &source, "text/plain", strdup("hello"), 5);
}

static const struct resource resources[] = {
	{.path = "/stream", .methods = METHOD_GET, .fn = open_stream, .params = ""}};
static const struct resources all = {.v = resources, .n = ARRAY_LEN(resources)};
static const char *const few[] = {"--api.connections=4", NULL};

/* What came so far and was not read; valid until the next call. */
static const char *received(struct webclient *c)
{
	static char text[65536];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof text - 1 &&
		(got = recv(c->fd, text + n, sizeof text - 1 - n, MSG_DONTWAIT)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	return text;
}

static void begin(struct webworld *w, struct test *t, struct webclient *c)
{
	webworld_start(w, &all, few, t);
	webclient_open(w, c);
	webclient_get(w, c, "/stream", "");
	webworld_turn(w, 20);
}

static void it_is_asked_when_all_was_taken(void **state)
{
	struct test t = {.later = true};
	struct webworld w;
	struct webclient c;

	(void)state;
	begin(&w, &t, &c);
	assert_non_null(strstr(received(&c), "hello"));
	assert_int_equal(t.asked, 1);
	webworld_turn(&w, 20);
	assert_int_equal(t.asked, 1); /* it has not answered */
	streaming_write(t.waits, strdup("more"), 4);
	webworld_turn(&w, 20);
	assert_non_null(strstr(received(&c), "more"));
	assert_int_equal(t.asked, 2);
	streaming_write(t.waits, NULL, 0); /* nothing to say this time */
	webworld_turn(&w, 20);
	assert_int_equal(t.asked, 3);
	assert_string_equal(received(&c), "");
	webclient_close(&c);
	webworld_end(&w);
	assert_int_equal(t.freed, 1);
}

static void who_does_not_read_is_not_asked_for(void **state)
{
	struct test t = {.n = 16 * MIB};
	struct webworld w;
	struct webclient c;
	unsigned before;

	(void)state;
	begin(&w, &t, &c);
	webworld_turn(&w, 100);
	assert_int_equal(t.asked, 1);
	before = t.asked;
	t.n = 0;
	for (unsigned i = 0; i < 2000 && t.asked == before; i++) {
		while (received(&c)[0] != '\0' || errno == 0)
			errno = 0;
		webworld_turn(&w, 1);
	}
	webclient_close(&c);
	webworld_end(&w);
	assert_int_equal(t.freed, 1);
}

static void places_are_bounded_and_given_back(void **state)
{
	struct test t = {0};
	struct webworld w;
	struct webclient c[4], one;

	(void)state;
	begin(&w, &t, &c[0]);
	for (unsigned i = 1; i < 4; i++) {
		webclient_open(&w, &c[i]);
		webclient_get(&w, &c[i], "/stream", "");
		webworld_turn(&w, 20);
		assert_non_null(strstr(received(&c[i]), "hello"));
	}
	assert_int_equal(webclient_ask(&w, &one, "/stream", ""), 503);
	assert_int_equal(t.freed, 1);
	webclient_close(&one);
	webclient_close(&c[2]);
	webworld_turn(&w, 50); /* nobody writes to it, and that it left is seen */
	assert_int_equal(t.freed, 2);
	webclient_open(&w, &c[2]);
	webclient_get(&w, &c[2], "/stream", "");
	webworld_turn(&w, 20);
	assert_non_null(strstr(received(&c[2]), "hello"));
	for (unsigned i = 0; i < 4; i++)
		webclient_close(&c[i]);
	webworld_end(&w);
	assert_int_equal(t.freed, 6);
}

static void the_end_waits_for_nobody(void **state)
{
	struct test t = {.later = true};
	struct webworld w;
	struct webclient c;
	char text[8];

	(void)state;
	begin(&w, &t, &c);
	(void)received(&c);
	assert_non_null(t.waits); /* the source owes an answer */
	webworld_end(&w);
	assert_int_equal(t.freed, 1);
	while (received(&c)[0] != '\0')
		;
	assert_int_equal(recv(c.fd, text, sizeof text, MSG_DONTWAIT), 0); /* it is closed */
	webclient_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_asked_when_all_was_taken),
		cmocka_unit_test(who_does_not_read_is_not_asked_for),
		cmocka_unit_test(places_are_bounded_and_given_back),
		cmocka_unit_test(the_end_waits_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
