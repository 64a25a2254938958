/* SPDX-License-Identifier: MIT */
/* Keeping a port open at a gateway: what to ask next, when again, and what answers mean. */
#include "proto/portmap/mapper.h"

#define PCP_FIRST     (3 * USEC_PER_SEC) /* RFC 6887 8.1.1: IRT */
#define PCP_LAST      (1024 * USEC_PER_SEC)
#define PCP_UNPROVEN  2u                 /* datagrams of PCP before NAT-PMP is tried */
#define NATPMP_FIRST  (USEC_PER_SEC / 4) /* RFC 6886 3.1 */
#define RENEW_LEAST   (4 * USEC_PER_SEC)
#define RENEW_MOST    (10 * 60 * USEC_PER_SEC)
#define LEASE_MOST    (24 * 60 * 60)
#define DIFFER_MOST   2u
#define FORGET_EVERY  (10 * USEC_PER_SEC)
#define REFUSED_LEAST 30   /* s; how long a refusal is believed */
#define REFUSED_MOST  1800 /* s */
#define ADDRESS_EVERY (10 * 60 * USEC_PER_SEC)
#define NEVER         (24 * 60 * 60 * USEC_PER_SEC) /* in vain until something changes */
#define OTHER_PORT    40000u /* and OTHER_PORTS more: asked for where ours cannot be had */
#define OTHER_PORTS   10000u

enum { NO_CONNECTION = 7, NO_RESOURCES = 8, USER_QUOTA = 10, CANNOT_PROVIDE = 11, MISMATCH = 12 };

static enum pcp_proto other(enum pcp_proto p)
{
	return p == PCP_TCP ? PCP_UDP : PCP_TCP;
}

/* Everything is asked for anew; what was granted is not counted on, but suggested. */
static void begin(struct mapper *m, int64_t now)
{
	m->address_due = now;
	for (unsigned p = 0; p < PCP_PROTOS; p++)
		m->of[p].due = now;
}

void mapper_init(
	struct mapper *m, const struct mapper_conf *conf, struct rng *borrowed, int64_t now)
{
	*m = (struct mapper){.magic = MAPPER_MAGIC, .conf = *conf, .rng = borrowed};
	for (unsigned p = 0; p < PCP_PROTOS; p++) {
		m->of[p].external = conf->local.port;
		m->of[p].result = MAPPER_SILENT;
	}
	begin(m, now);
}

/* --- what to do next --- */

static void start(struct mapper *m, enum mapper_op op, enum pcp_proto of, int64_t now)
{
	m->op = op;
	m->op_of = of;
	m->tries = 0;
	m->send_at = now;
}

/* UDP waits for TCP's number, unless TCP has none to give. */
static void choose(struct mapper *m, int64_t now)
{
	for (unsigned p = 0; p < PCP_PROTOS; p++)
		if (m->of[p].release || (m->stopping && m->of[p].held)) {
			start(m, MAPPER_RELEASE, (enum pcp_proto)p, now);
			return;
		}
	if (m->stopping)
		return;
	if (m->method == MAPPER_NATPMP && m->address_due <= now) {
		start(m, MAPPER_ASK_ADDRESS, PCP_TCP, now);
		return;
	}
	for (unsigned p = 0; p < PCP_PROTOS; p++)
		if (m->of[p].due <= now) {
			start(m, MAPPER_ASK, (enum pcp_proto)p, now);
			return;
		}
}

static void expire(struct mapper *m, int64_t now)
{
	for (unsigned p = 0; p < PCP_PROTOS; p++)
		if (m->of[p].held && m->of[p].until <= now)
			m->of[p].held = false;
}

int64_t mapper_deadline(const struct mapper *m)
{
	int64_t at = INT64_MAX;

	CHECK_OBJ(m, MAPPER_MAGIC);
	for (unsigned p = 0; p < PCP_PROTOS; p++)
		if (m->of[p].held)
			at = MIN(at, m->of[p].until);
	if (m->op != MAPPER_IDLE)
		return MIN(at, m->send_at);
	for (unsigned p = 0; p < PCP_PROTOS; p++) {
		if (m->of[p].release || (m->stopping && m->of[p].held))
			return INT64_MIN;
		if (!m->stopping)
			at = MIN(at, m->of[p].due);
	}
	if (m->method == MAPPER_NATPMP && !m->stopping)
		at = MIN(at, m->address_due);
	return at;
}

/* --- silence --- */

static void give_up(struct mapper *m, int64_t now)
{
	enum mapper_op op = m->op;

	m->op = MAPPER_IDLE;
	if (op == MAPPER_RELEASE) {
		m->of[m->op_of].release = false;
		m->of[m->op_of].held = false;
		return;
	}
	if (m->method == MAPPER_PCP && !m->proven) {
		m->method = MAPPER_NATPMP;
		m->epoch.known = false;
		begin(m, now);
		return;
	}
	/* Whoever is there next may be another gateway. */
	m->method = MAPPER_PCP;
	m->proven = false;
	m->epoch.known = false;
	for (unsigned p = 0; p < PCP_PROTOS; p++)
		m->of[p].result = MAPPER_SILENT;
	begin(m, now + MAPPER_PAUSE);
}

static unsigned tries_max(const struct mapper *m)
{
	if (m->op == MAPPER_RELEASE)
		return 3;
	return m->method == MAPPER_PCP && !m->proven ? PCP_UNPROVEN : MAPPER_TRIES;
}

static int64_t retry_after(struct mapper *m)
{
	int64_t t;

	if (m->method == MAPPER_NATPMP || m->stopping)
		return NATPMP_FIRST << MIN(m->tries - 1, 16u);
	t = MIN(PCP_FIRST << MIN(m->tries - 1, 16u), PCP_LAST);
	/* Give or take a tenth, so that a street whose power is back does not ask as one. */
	return t - t / 10 + rng_below(m->rng, (uint32_t)(t / 5));
}

/* --- asking --- */

static size_t encode(
	const struct mapper *m, enum mapper_op op, enum pcp_proto of, uint8_t out[PCP_MAP_SIZE])
{
	struct pcp_ask ask = {.local = m->conf.local,
		.proto = of,
		.external = m->of[of].external,
		.lease = op == MAPPER_RELEASE ? 0 : m->conf.lease};

	struct wr w = wr_of(out, PCP_MAP_SIZE);

	memcpy(ask.nonce, m->conf.nonce[of], PCP_NONCE);
	if (op == MAPPER_ASK_ADDRESS)
		natpmp_address_encode(&w);
	else if (m->method == MAPPER_NATPMP)
		natpmp_map_encode(&w, &ask);
	else
		pcp_map_encode(&w, &ask);
	must(!w.full);
	return (size_t)(w.p - out);
}

size_t mapper_send(struct mapper *m, int64_t now, uint8_t out[PCP_MAP_SIZE])
{
	CHECK_OBJ(m, MAPPER_MAGIC);
	expire(m, now);
	if (m->op != MAPPER_IDLE && m->send_at <= now && m->tries >= tries_max(m))
		give_up(m, now);
	if (m->op == MAPPER_IDLE)
		choose(m, now);
	if (m->op == MAPPER_IDLE || m->send_at > now)
		return 0;
	m->tries++;
	m->send_at = now + retry_after(m);
	return encode(m, m->op, m->op_of, out);
}

size_t mapper_farewell(const struct mapper *m, enum pcp_proto p, uint8_t out[PCP_MAP_SIZE])
{
	CHECK_OBJ(m, MAPPER_MAGIC);
	return m->of[p].held ? encode(m, MAPPER_RELEASE, p, out) : 0;
}

/* --- answers --- */

static void forget(struct mapper *m, int64_t now)
{
	if (m->forgot_at != 0 && now - m->forgot_at < FORGET_EVERY)
		return;
	m->forgot_at = now;
	m->forgotten++;
	begin(m, now);
}

static void refuse(struct mapper *m, const struct pcp_answer *a, int64_t now)
{
	struct mapper_lease *l = &m->of[m->op_of];
	int64_t wait = (int64_t)MIN(MAX(a->lease, (uint32_t)REFUSED_LEAST), (uint32_t)REFUSED_MOST);
	/* One that is held stays where it is: what is refused is to go on. */
	bool taken = !l->held && m->method == MAPPER_PCP && a->result == CANNOT_PROVIDE;

	l->result = a->result;
	l->due = now + wait * USEC_PER_SEC;
	if (m->method == MAPPER_PCP && a->result == MISMATCH)
		l->due = now + NEVER;
	/* Other ports may be had where ours is not. */
	if (taken && l->external != 0) {
		l->external = l->external < OTHER_PORT
				      ? (uint16_t)(OTHER_PORT + rng_below(m->rng, OTHER_PORTS))
				      : 0;
		l->due = now;
	} else if (taken) {
		l->external = m->conf.local.port;
	}
}

/*
 * Half of it and a random part more (RFC 6887 11.2.1), half of NAT-PMP's; but no later than a
 * restart of the gateway is to be noticed by, which many tell nobody of.
 */
static int64_t renew_after(struct mapper *m, int64_t lease_us)
{
	int64_t t = lease_us / 2;

	if (m->method == MAPPER_PCP)
		t += rng_below(m->rng, (uint32_t)MIN(lease_us / 8, (int64_t)UINT32_MAX));
	return MAX(MIN(t, RENEW_MOST), RENEW_LEAST);
}

static void grant(struct mapper *m, const struct pcp_answer *a, int64_t now)
{
	struct mapper_lease *l = &m->of[m->op_of], *with = &m->of[other(m->op_of)];
	int64_t lease = (int64_t)MIN(a->lease, (uint32_t)LEASE_MOST) * USEC_PER_SEC;

	l->held = true;
	l->result = 0;
	l->external = a->external;
	l->until = now + lease;
	l->due = now + renew_after(m, lease);
	if (!endpoint_is_unspecified(&a->address))
		m->address = a->address;
	if (!with->held || with->external == l->external) {
		if (with->held)
			m->differed = 0;
		else
			with->external = l->external;
	} else if (m->differed < DIFFER_MOST) {
		m->differed++;
		with->external = l->external;
		with->release = true;
	}
}

static void released(struct mapper *m, int64_t now)
{
	struct mapper_lease *l = &m->of[m->op_of];

	l->release = false;
	l->held = false;
	l->due = now; /* asked for anew, unless this is the end */
}

/* Whether it answers what is under way. */
static bool answers(const struct mapper *m, const struct pcp_answer *a)
{
	if (m->op == MAPPER_IDLE || m->tries == 0)
		return false;
	if (a->kind == PCP_VERSION)
		return m->method == MAPPER_PCP;
	if (m->op == MAPPER_ASK_ADDRESS)
		return a->kind == NATPMP_ADDRESS;
	if (a->kind != (m->method == MAPPER_PCP ? PCP_MAP : NATPMP_MAP) || a->proto != m->op_of ||
		a->internal != m->conf.local.port)
		return false;
	return m->method == MAPPER_NATPMP ||
	       memcmp(a->nonce, m->conf.nonce[m->op_of], PCP_NONCE) == 0;
}

static void conclude(struct mapper *m, const struct pcp_answer *a, int64_t now)
{
	enum mapper_op op = m->op;

	m->op = MAPPER_IDLE;
	if (op == MAPPER_ASK_ADDRESS) {
		m->address_due = now + ADDRESS_EVERY;
		if (a->result == 0)
			m->address = a->address;
	} else if (op == MAPPER_RELEASE) {
		released(m, now);
	} else if (a->result != 0) {
		refuse(m, a, now);
	} else if (a->lease == 0 || a->external == 0) {
		m->of[m->op_of].result = MAPPER_SILENT; /* granted nothing: no answer at all */
		m->of[m->op_of].due = now + REFUSED_LEAST * USEC_PER_SEC;
	} else {
		grant(m, a, now);
	}
}

/* PCP's ANNOUNCE, or NAT-PMP's address, which gateways send to all when they have restarted. */
static void overhear(struct mapper *m, const struct pcp_answer *a, int64_t now)
{
	bool natpmp = a->kind == NATPMP_ADDRESS;

	if (!m->proven || natpmp != (m->method == MAPPER_NATPMP) || m->stopping ||
		(!natpmp && a->kind != PCP_RESTART) || a->result != 0)
		return;
	if (!pcp_epoch_fits(&m->epoch, a->epoch, natpmp, now))
		forget(m, now);
	if (natpmp)
		m->address = a->address;
}

void mapper_take(struct mapper *m, const uint8_t *p, size_t n, int64_t now)
{
	struct pcp_answer a;

	CHECK_OBJ(m, MAPPER_MAGIC);
	pcp_decode(p, n, &a);
	if (!answers(m, &a)) {
		overhear(m, &a, now);
		return;
	}
	if (a.kind == PCP_VERSION) {
		m->op = MAPPER_IDLE;
		m->method = MAPPER_NATPMP;
		m->epoch.known = false;
		begin(m, now);
		return;
	}
	m->proven = true;
	if (pcp_epoch_fits(&m->epoch, a.epoch, m->method == MAPPER_NATPMP, now) || m->stopping) {
		conclude(m, &a, now);
		return;
	}
	/* The answer is of a new life, and as good as any; the rest is asked for again. */
	forget(m, now);
	conclude(m, &a, now);
}

/* --- the end --- */

void mapper_stop(struct mapper *m)
{
	CHECK_OBJ(m, MAPPER_MAGIC);
	/* What was asked for and not answered may have been granted. */
	if (m->op == MAPPER_ASK && m->tries > 0 && m->proven)
		m->of[m->op_of].release = true;
	m->stopping = true;
	m->op = MAPPER_IDLE;
	for (unsigned p = 0; p < PCP_PROTOS; p++)
		if (m->of[p].held)
			m->of[p].until = INT64_MAX; /* until it is taken away */
}

bool mapper_released(const struct mapper *m)
{
	CHECK_OBJ(m, MAPPER_MAGIC);
	for (unsigned p = 0; p < PCP_PROTOS; p++)
		if (m->of[p].held || m->of[p].release)
			return false;
	return m->op == MAPPER_IDLE;
}

const char *mapper_words(const struct mapper *m, enum pcp_proto p)
{
	CHECK_OBJ(m, MAPPER_MAGIC);
	unsigned result = m->of[p].result;

	if (result == MAPPER_SILENT && (m->op != MAPPER_IDLE || m->proven))
		return "it was asked and has not answered yet";
	if (result == MAPPER_SILENT)
		return "the gateway does not answer: it has neither PCP nor NAT-PMP, or they are "
		       "turned off";
	return m->method == MAPPER_PCP ? pcp_words(result) : natpmp_words(result);
}
