/* SPDX-License-Identifier: MIT */
/*
 * A datagram of the DHT, read.
 *
 * bencode.c judges the bytes; here the fields of the two dictionaries are picked.  The keys of
 * queries and of replies are one list, for they mean the same wherever they are in both.
 */
#include "proto/dht/krpc.h"
#include "proto/meta/bencode.h"

enum top { TOP_A, TOP_E, TOP_IP, TOP_Q, TOP_R, TOP_RO, TOP_T, TOP_V, TOP_Y, TOPS };
static const char *const tops[TOPS] = {"a", "e", "ip", "q", "r", "ro", "t", "v", "y"};

#define FIELDS                                                                                     \
	FIELD(BFPE, "BFpe")                                                                        \
	FIELD(BFSD, "BFsd")                                                                        \
	FIELD(CAS, "cas")                                                                          \
	FIELD(ID, "id")                                                                            \
	FIELD(IMPLIED, "implied_port")                                                             \
	FIELD(INFO_HASH, "info_hash")                                                              \
	FIELD(INTERVAL, "interval")                                                                \
	FIELD(K, "k")                                                                              \
	FIELD(NODES, "nodes")                                                                      \
	FIELD(NODES6, "nodes6")                                                                    \
	FIELD(NOSEED, "noseed")                                                                    \
	FIELD(NUM, "num")                                                                          \
	FIELD(PORT, "port")                                                                        \
	FIELD(SALT, "salt")                                                                        \
	FIELD(SAMPLES, "samples")                                                                  \
	FIELD(SCRAPE, "scrape")                                                                    \
	FIELD(SEED, "seed")                                                                        \
	FIELD(SEQ, "seq")                                                                          \
	FIELD(SIG, "sig")                                                                          \
	FIELD(TARGET, "target")                                                                    \
	FIELD(TOKEN, "token")                                                                      \
	FIELD(V, "v")                                                                              \
	FIELD(VALUES, "values")                                                                    \
	FIELD(WANT, "want")

enum field {
#define FIELD(name, text) F_##name,
	FIELDS
#undef FIELD
		FIELDS_MAX_
};
static const char *const fields[FIELDS_MAX_] = {
#define FIELD(name, text) [F_##name] = text,
	FIELDS
#undef FIELD
};

static struct slice str_of(const struct benc *node)
{
	return node->type == BENC_STR ? node->s : (struct slice){NULL, 0};
}

/* A string of exactly n bytes. */
static const uint8_t *exact_str(const struct benc *node, size_t n)
{
	return node->type == BENC_STR && node->s.n == n ? node->s.p : NULL;
}

static bool is_set(const struct benc *node)
{
	return node->type == BENC_INT && node->i != 0;
}

static enum krpc_method method_of(struct slice name)
{
	for (unsigned m = 0; m < KRPC_METHODS; m++)
		if (slice_equals(name, krpc_method_name((enum krpc_method)m)))
			return (enum krpc_method)m;
	return KRPC_UNKNOWN;
}

static unsigned want_of(const struct benc *list)
{
	struct benc_iter it = benc_iter_of(list);
	struct benc item;
	unsigned want = 0;

	if (list->type != BENC_LIST)
		return 0;
	while (blist_next(&it, &item)) {
		if (slice_equals(str_of(&item), "n4"))
			want |= KRPC_WANT_N4;
		if (slice_equals(str_of(&item), "n6"))
			want |= KRPC_WANT_N6;
	}
	return want;
}

static void take_number(const struct benc *node, bool *has, int64_t *out)
{
	*has = bint(node, out);
}

/* What BEP 44 adds. */
static void take_item(const struct benc f[], struct krpc *m)
{
	take_number(&f[F_SEQ], &m->has_seq, &m->seq);
	m->key = exact_str(&f[F_K], 32);
	m->signature = exact_str(&f[F_SIG], 64);
	if (f[F_V].type != BENC_NONE)
		m->value = f[F_V].raw;
}

static void take_query(const struct benc f[], struct krpc *m)
{
	int64_t port = 0;

	m->target = exact_str(&f[F_INFO_HASH], KAD_ID_SIZE);
	if (m->target == NULL)
		m->target = exact_str(&f[F_TARGET], KAD_ID_SIZE);
	m->want = want_of(&f[F_WANT]);
	m->has_port = bint(&f[F_PORT], &port) && port >= 0 && port <= 65535;
	m->port = m->has_port ? (uint16_t)port : 0;
	m->implied_port = is_set(&f[F_IMPLIED]);
	m->scrape = is_set(&f[F_SCRAPE]);
	m->seed = is_set(&f[F_SEED]);
	m->noseed = is_set(&f[F_NOSEED]);
	take_number(&f[F_CAS], &m->has_cas, &m->cas);
	m->salt = str_of(&f[F_SALT]);
}

static void take_reply(const struct benc f[], struct krpc *m)
{
	m->nodes = str_of(&f[F_NODES]);
	m->nodes6 = str_of(&f[F_NODES6]);
	if (f[F_VALUES].type == BENC_LIST)
		m->values = f[F_VALUES].raw;
	m->seeds = exact_str(&f[F_BFSD], KRPC_BLOOM);
	m->peers = exact_str(&f[F_BFPE], KRPC_BLOOM);
	m->has_samples = f[F_SAMPLES].type == BENC_STR;
	m->samples = str_of(&f[F_SAMPLES]);
	(void)bint(&f[F_INTERVAL], &m->interval);
	(void)bint(&f[F_NUM], &m->num);
}

static bool take_fields(const struct benc *dict, struct krpc *m)
{
	struct benc f[FIELDS_MAX_];

	if (dict->type != BENC_DICT)
		return false;
	(void)bdict_fields(dict, fields, FIELDS_MAX_, f);
	m->id = exact_str(&f[F_ID], KAD_ID_SIZE);
	m->token = str_of(&f[F_TOKEN]);
	take_item(f, m);
	if (m->kind == KRPC_QUERY)
		take_query(f, m);
	else
		take_reply(f, m);
	return true;
}

/* "l i201e 5:words e"; some send nothing that is of use. */
static void take_error(const struct benc *list, struct krpc *m)
{
	struct benc_iter it = benc_iter_of(list);
	struct benc item;

	if (list->type != BENC_LIST || !blist_next(&it, &item) || !bint(&item, &m->code))
		return;
	if (blist_next(&it, &item))
		m->words = str_of(&item);
}

enum err krpc_decode(const uint8_t *p, size_t n, struct krpc *m)
{
	static const struct benc_limits limits = {
		.depth = BENC_DEPTH_MAX, .items = KRPC_IN_MAX, .trailing = true};
	struct benc root, top[TOPS];
	struct slice kind;

	*m = (struct krpc){.method = KRPC_UNKNOWN};
	if (n == 0 || n > KRPC_IN_MAX || p[0] != 'd' ||
		benc_parse((struct slice){p, n}, &limits, &root, NULL) != E_OK)
		return E_PROTOCOL;
	(void)bdict_fields(&root, tops, TOPS, top);
	m->tid = str_of(&top[TOP_T]);
	kind = str_of(&top[TOP_Y]);
	if (m->tid.p == NULL || m->tid.n > KRPC_TID_MAX || kind.n != 1)
		return E_PROTOCOL;
	m->version = str_of(&top[TOP_V]);
	m->ip = str_of(&top[TOP_IP]);
	m->read_only = is_set(&top[TOP_RO]);
	switch (kind.p[0]) {
	case 'q':
		m->kind = KRPC_QUERY;
		m->method = method_of(str_of(&top[TOP_Q]));
		return take_fields(&top[TOP_A], m) ? E_OK : E_PROTOCOL;
	case 'r':
		m->kind = KRPC_REPLY;
		return take_fields(&top[TOP_R], m) ? E_OK : E_PROTOCOL;
	case 'e':
		m->kind = KRPC_ERROR;
		take_error(&top[TOP_E], m);
		return E_OK;
	default:
		return E_PROTOCOL;
	}
}
