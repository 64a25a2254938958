/* SPDX-License-Identifier: MIT */
/* Peer exchange messages (BEP 11): compact lists of both families in a bencoded dictionary. */
#include "proto/wire/pex.h"

#include "proto/meta/bencode.h"

#define FLAGS (PEX_ENCRYPTION | PEX_SEED | PEX_UTP | PEX_HOLEPUNCH | PEX_REACHABLE)

enum field { F_ADDED, F_ADDED_F, F_ADDED6, F_ADDED6_F, F_DROPPED, F_DROPPED6, F_MAX_ };

static const char *const keys[F_MAX_] = {
	"added", "added.f", "added6", "added6.f", "dropped", "dropped6"};

/* --- in --- */

/* How many addresses of `size` bytes the value holds; 0 when it is anything else. */
static uint32_t count_entries(const struct benc *value, size_t size, struct slice *list)
{
	if (!bstr(value, list) || list->n % size != 0)
		return 0;
	return (uint32_t)MIN(list->n / size, PEX_FAMILY_MAX);
}

static bool is_worth_it(const struct endpoint *e)
{
	return e->port > 1 && !endpoint_is_unspecified(e);
}

static struct endpoint take_entry(struct rd *rd, size_t size)
{
	struct endpoint e = {.port = 0};

	if (size == 6)
		endpoint_read_compact4(rd, &e);
	else
		endpoint_read_compact6(rd, &e);
	return e;
}

static void read_added(
	const struct benc *list, const struct benc *flags, size_t size, struct pex_message *out)
{
	struct slice s, f = {.n = 0};
	uint32_t n = count_entries(list, size, &s);
	bool flagged = n > 0 && bstr(flags, &f) && f.n == s.n / size;
	struct rd rd = n > 0 ? rd_of(s.p, s.n) : rd_of(NULL, 0);

	for (uint32_t i = 0; i < n; i++) {
		struct pex_peer p = {.at = take_entry(&rd, size)};

		p.flags = flagged ? f.p[i] & FLAGS : 0;
		if (is_worth_it(&p.at))
			out->added[out->added_n++] = p;
	}
}

static void read_dropped(const struct benc *list, size_t size, struct pex_message *out)
{
	struct slice s;
	uint32_t n = count_entries(list, size, &s);
	struct rd rd = n > 0 ? rd_of(s.p, s.n) : rd_of(NULL, 0);

	for (uint32_t i = 0; i < n; i++) {
		struct endpoint e = take_entry(&rd, size);

		if (is_worth_it(&e))
			out->dropped[out->dropped_n++] = e;
	}
}

enum err pex_parse(struct slice payload, struct pex_message *out)
{
	static const struct benc_limits limits = {.depth = 4, .items = 512, .trailing = true};
	struct benc root, f[F_MAX_];
	enum err e;

	out->added_n = out->dropped_n = 0;
	if (payload.n > PEX_BYTES_MAX)
		return E_TOO_BIG;
	e = benc_parse(payload, &limits, &root, NULL);
	if (e != E_OK)
		return e;
	if (root.type != BENC_DICT)
		return E_TYPE;
	bdict_fields(&root, keys, F_MAX_, f);
	read_added(&f[F_ADDED], &f[F_ADDED_F], 6, out);
	read_added(&f[F_ADDED6], &f[F_ADDED6_F], 18, out);
	read_dropped(&f[F_DROPPED], 6, out);
	read_dropped(&f[F_DROPPED6], 18, out);
	return E_OK;
}

/* --- out --- */

/* The compact lists of one message, by key. */
struct lists {
	uint8_t v4[PEX_MAX * 6], v6[PEX_MAX * 18], f4[PEX_MAX], f6[PEX_MAX];
	struct wr w4, w6, wf4, wf6;
};

static void lists_init(struct lists *l)
{
	l->w4 = wr_of(l->v4, sizeof l->v4);
	l->w6 = wr_of(l->v6, sizeof l->v6);
	l->wf4 = wr_of(l->f4, sizeof l->f4);
	l->wf6 = wr_of(l->f6, sizeof l->f6);
}

static void lists_add(struct lists *l, const struct endpoint *e, uint8_t flags)
{
	bool v4 = endpoint_is_v4(e);

	if (v4)
		endpoint_write_compact4(&l->w4, e);
	else
		endpoint_write_compact6(&l->w6, e);
	wr_u8(v4 ? &l->wf4 : &l->wf6, flags & FLAGS);
}

static void put_entry(struct benc_out *o, const char *key, const uint8_t *from, const struct wr *w)
{
	benc_key(o, key);
	benc_str(o, from, (size_t)(w->p - from));
}

/*
 * All six keys each time: libtorrent takes `added` only with its flags, and clients exist that look
 * for a key without asking whether it is there.
 */
void pex_build(struct wr *w, const struct pex_message *m)
{
	struct lists added, dropped;
	struct benc_out o = {0};

	must(m->added_n <= PEX_MAX && m->dropped_n <= PEX_MAX);
	lists_init(&added);
	lists_init(&dropped);
	for (uint32_t i = 0; i < m->added_n; i++)
		lists_add(&added, &m->added[i].at, m->added[i].flags);
	for (uint32_t i = 0; i < m->dropped_n; i++)
		lists_add(&dropped, &m->dropped[i], 0);
	benc_dict_begin(&o);
	put_entry(&o, keys[F_ADDED], added.v4, &added.w4);
	put_entry(&o, keys[F_ADDED_F], added.f4, &added.wf4);
	put_entry(&o, keys[F_ADDED6], added.v6, &added.w6);
	put_entry(&o, keys[F_ADDED6_F], added.f6, &added.wf6);
	put_entry(&o, keys[F_DROPPED], dropped.v4, &dropped.w4);
	put_entry(&o, keys[F_DROPPED6], dropped.v6, &dropped.w6);
	benc_dict_end(&o);
	wr_bytes(w, benc_out_done(&o).p, benc_out_done(&o).n);
	benc_out_free(&o);
}
