/* SPDX-License-Identifier: MIT */
/* The actors of the rig, and how a test drives them. */
#include "tests/unit/lib/actor_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BIT(r) (1u << (r))

static void number_fini(struct msg *m)
{
	free(((struct m_number *)(void *)m)->owned);
}

static const struct msg_type types[M_MAX_] = {
	[KMSG_NONE] = {"NONE", sizeof(struct msg), NULL, 0, 0, 0},
	[KMSG_PING] = {"PING", sizeof(struct msg), NULL, ~0u, ~0u, 1000},
	[KMSG_QUIESCE] = {"QUIESCE", sizeof(struct msg), NULL, ~0u, ~0u, 2000},
	[KMSG_TERM] = {"TERM", sizeof(struct msg), NULL, ~0u, ~0u, 0},
	[M_ECHO] = {"ECHO", sizeof(struct m_number), number_fini, BIT(R_MAIN), BIT(R_ECHO), 5000},
	[M_LATE] = {"LATE", sizeof(struct m_number), number_fini, BIT(R_MAIN), BIT(R_ECHO), 20},
	[M_NUMBER] = {"NUMBER", sizeof(struct m_number), number_fini, BIT(R_MAIN) | BIT(R_ECHO),
		BIT(R_MAIN) | BIT(R_ECHO), 0},
	[M_TOKEN] = {"TOKEN", sizeof(struct m_number), number_fini, BIT(R_MAIN) | BIT(R_RING),
		BIT(R_MAIN) | BIT(R_RING), 0},
	[M_BUFFER] = {"BUFFER", sizeof(struct m_number), number_fini, BIT(R_MAIN), BIT(R_ECHO),
		5000},
};
static const char *const roles[] = {"main", "echo", "ring"};
const struct msg_table rig_table = {.types = types,
	.n = M_MAX_,
	.roles = roles,
	.roles_n = ARRAY_LEN(roles)};

static struct m_number *number_of(struct msg *m)
{
	return (struct m_number *)(void *)m;
}

/* --- echo: answers, keeps late ones, sends numbers back --- */

struct echo {
	struct msg *held;
	sem_t *disk; /* borrowed */
};

static void *echo_init(struct actor *a, const void *arg)
{
	struct echo *e = xcalloc(1, sizeof *e);

	(void)a;
	e->disk = (void *)(uintptr_t)arg;
	return e;
}

static void echo_fini(struct actor *a)
{
	struct echo *e = actor_self(a);

	msg_free(a, &e->held);
	xfree(e);
}

static void echo_echo(struct actor *a, struct msg **m)
{
	number_of(*m)->n *= 2;
	actor_reply(a, m, number_of(*m)->n == 26 ? E_DENIED : E_OK);
}

/* Leaves it to the kernel to answer with what is in err. */
static void echo_buffer(struct actor *a, struct msg **m)
{
	const struct echo *e = actor_self(a);

	if (number_of(*m)->n == RIG_HANGS)
		while (sem_wait(e->disk) != 0)
			assert_int_equal(errno, EINTR);
	number_of(*m)->owned = xstrdup("owned by the message");
	(*m)->err = number_of(*m)->n ? E_NOSPACE : E_OK;
}

/* Answers the one before it. */
static void echo_late(struct actor *a, struct msg **m)
{
	struct echo *e = actor_self(a);
	struct msg *now = e->held;

	e->held = *m;
	*m = NULL;
	if (now != NULL)
		actor_reply(a, &now, E_OK);
}

static void echo_number(struct actor *a, struct msg **m)
{
	actor_cast(a, (*m)->from, m);
}

static const struct actor_handler echo_handlers[] = {
	{M_ECHO, echo_echo},
	{M_LATE, echo_late},
	{M_NUMBER, echo_number},
	{M_BUFFER, echo_buffer},
	{0, NULL},
};
const struct actor_spec rig_echo = {.role_name = "echo",
	.handlers = echo_handlers,
	.init = echo_init,
	.fini = echo_fini};

/* --- ring: passes a token on, as often as it says; one that says 0 ends there --- */

static void ring_token(struct actor *a, struct msg **m)
{
	uint64_t left = number_of(*m)->n - 1;
	unsigned next = (ADDR_INDEX(actor_addr(a)) + 1) % 3;

	if (number_of(*m)->n == 0)
		return;
	number_of(*m)->n = left;
	actor_cast(a, left ? ADDR(R_RING, next) : ADDR(R_MAIN, 0), m);
}

static const struct actor_handler ring_handlers[] = {{M_TOKEN, ring_token}, {0, NULL}};
const struct actor_spec rig_ring = {.role_name = "ring", .handlers = ring_handlers};

/* --- main: the test itself --- */

static void *main_init(struct actor *a, const void *arg)
{
	(void)a;
	return *(struct rig *const *)arg;
}

static void main_number(struct actor *a, struct msg **m)
{
	struct rig *r = actor_self(a);

	r->seen.disorder |= number_of(*m)->n != r->seen.numbers;
	r->seen.numbers++;
}

static void main_token(struct actor *a, struct msg **m)
{
	struct rig *r = actor_self(a);

	(void)m;
	r->seen.tokens++;
}

static const struct actor_handler main_handlers[] = {
	{M_NUMBER, main_number}, {M_TOKEN, main_token}, {0, NULL}};
const struct actor_spec rig_main = {.role_name = "main",
	.handlers = main_handlers,
	.init = main_init};

void rig_on_reply(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct seen *s = ctx;

	(void)a;
	s->replies++;
	s->err = err;
	if (m == NULL) {
		s->lost++;
		return;
	}
	if (types[(*m)->type].size != sizeof(struct m_number))
		return;
	s->n = number_of(*m)->n;
	if (number_of(*m)->owned != NULL)
		(void)snprintf(s->words, sizeof s->words, "%s", number_of(*m)->owned);
}

void rig_open(struct rig *r)
{
	struct rig *self = r;

	*r = (struct rig){.set = actors_new(&rig_table)};
	assert_int_equal(sem_init(&r->disk, 0, 0), 0);
	actors_add(r->set, ECHO, &rig_echo, &r->disk);
	for (unsigned i = 0; i < 3; i++)
		actors_add(r->set, ADDR(R_RING, i), &rig_ring, NULL);
	r->me = actors_add_here(r->set, ADDR(R_MAIN, 0), &rig_main, &self);
	actors_start(r->set);
}

void rig_release(struct rig *r)
{
	assert_int_equal(sem_post(&r->disk), 0);
}

void rig_close(struct rig *r)
{
	actors_join(r->set);
	actors_free(&r->set);
	assert_null(r->set);
	assert_int_equal(sem_destroy(&r->disk), 0);
}

void rig_turn_until(struct rig *r, const unsigned *counter, unsigned n)
{
	int64_t end = clock_mono_us() + 20 * USEC_PER_SEC;

	while (*counter < n && clock_mono_us() < end)
		assert_true(actor_turn(r->me, 100 * USEC_PER_MSEC));
	assert_int_equal(*counter, n);
}

struct msg *rig_number(struct rig *r, uint16_t type, uint64_t n)
{
	struct m_number *m = msg_new(r->me, type);

	m->n = n;
	return &m->h;
}

uint64_t rig_call(struct rig *r, uint16_t type, uint64_t n)
{
	struct msg *m = rig_number(r, type, n);
	uint64_t id = actor_call(r->me, ECHO, &m, rig_on_reply, &r->seen);

	assert_null(m);
	return id;
}
