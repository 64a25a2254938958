/* SPDX-License-Identifier: MIT */
/* Mailboxes: order, wake-ups after a partial drain, several senders, a sender that has gone. */
#include "actors/kernel/mailbox.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SENDERS  3u
#define PER_SEND 5000u

struct item {
	unsigned sender, n;
};

static bool readable(const struct inbox *in, int ms)
{
	struct pollfd p = {.fd = inbox_fd(in), .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

static void pointers_arrive_in_order(void **state)
{
	struct mailbus *b = mailbus_new();
	struct inbox *in = inbox_open(b, "in");
	struct outbox *out = outbox_open(b, "in");
	struct item items[10];
	void *p = NULL;

	(void)state;
	assert_int_equal(inbox_recv(in, &p), E_AGAIN);
	for (unsigned i = 0; i < 10; i++)
		assert_true(outbox_send(out, &items[i]));
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(inbox_recv(in, &p), E_OK);
		assert_ptr_equal(p, &items[i]);
	}
	assert_int_equal(inbox_recv(in, &p), E_AGAIN);
	outbox_close(&out);
	inbox_close(&in);
	mailbus_free(&b);
	assert_null(b);
}

/* What arrives after the inbox was found empty makes the descriptor readable. */
static void drained_inbox_wakes(void **state)
{
	struct mailbus *b = mailbus_new();
	struct inbox *in = inbox_open(b, "in");
	struct outbox *out = outbox_open(b, "in");
	struct item item;
	void *p;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		while (inbox_recv(in, &p) == E_OK)
			;
		assert_false(readable(in, 0));
		for (unsigned k = 0; k <= i % 3; k++)
			assert_true(outbox_send(out, &item));
		assert_true(readable(in, 1000));
	}
	while (inbox_recv(in, &p) == E_OK)
		;
	outbox_close(&out);
	inbox_close(&in);
	mailbus_free(&b);
}

static void sender_may_go_before_it_is_read(void **state)
{
	struct mailbus *b = mailbus_new();
	struct inbox *in = inbox_open(b, "in");
	struct item items[20];
	void *p;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct outbox *out = outbox_open(b, "in");

		for (unsigned k = 0; k < 10; k++)
			assert_true(outbox_send(out, &items[i * 10 + k]));
		outbox_close(&out);
		assert_null(out);
	}
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(inbox_recv(in, &p), E_OK);
	assert_int_equal(inbox_recv(in, &p), E_AGAIN);
	inbox_close(&in);
	mailbus_free(&b);
}

struct sender {
	struct mailbus *bus;
	unsigned id;
};

static void *send_all(void *arg)
{
	struct sender *s = arg;
	struct outbox *out = outbox_open(s->bus, "in");

	for (unsigned i = 0; i < PER_SEND; i++) {
		struct item *it = xcalloc(1, sizeof *it);

		it->sender = s->id;
		it->n = i;
		assert_true(outbox_send(out, it));
	}
	outbox_close(&out);
	return NULL;
}

static void drain(struct inbox *in, unsigned next[SENDERS], unsigned *got)
{
	void *p;

	while (inbox_recv(in, &p) == E_OK) {
		struct item *it = p;

		assert_true(it->sender < SENDERS);
		assert_int_equal(it->n, next[it->sender]++);
		++*got;
		xfree(it);
	}
}

static void threads_send_to_one(void **state)
{
	struct mailbus *b = mailbus_new();
	struct inbox *in = inbox_open(b, "in");
	struct sender s[SENDERS];
	pthread_t t[SENDERS];
	unsigned next[SENDERS] = {0}, got = 0;

	(void)state;
	for (unsigned i = 0; i < SENDERS; i++) {
		s[i] = (struct sender){.bus = b, .id = i};
		assert_int_equal(pthread_create(&t[i], NULL, send_all, &s[i]), 0);
	}
	do
		drain(in, next, &got);
	while (got < SENDERS * PER_SEND && readable(in, 5000));
	assert_int_equal(got, SENDERS * PER_SEND);
	for (unsigned i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	inbox_close(&in);
	mailbus_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pointers_arrive_in_order),
		cmocka_unit_test(drained_inbox_wakes),
		cmocka_unit_test(sender_may_go_before_it_is_read),
		cmocka_unit_test(threads_send_to_one),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
