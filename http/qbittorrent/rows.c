/* SPDX-License-Identifier: MIT */
/*
 * Torrents that a call names, as the session's rows show them.
 *
 * A few are asked for one by one, more than that as all there are, a page after the other, of which
 * some are meant.
 */
#include <stdlib.h>

#include "http/qbittorrent/priv.h"
#include "proto/base/array.h"
#include "proto/base/encode.h"

#define SINGLE_MAX 16u   /* torrents that are asked for one by one */
#define PAGE       4096u /* rows of one message: a short turn of the session */

int qhashes_compare(const void *a, const void *b)
{
	return memcmp(a, b, 20);
}

void qhash_write(const uint8_t infohash[20], char out[41])
{
	hex_encode(infohash, 20, out);
}

uint32_t qhashes_read(const char *list, uint8_t (**out)[20])
{
	uint8_t(*hashes)[20] = NULL;
	uint32_t n = 0, room = 0;
	struct slice part;

	while (qlist_next(&list, '|', &part)) {
		ARRAY_RESERVE(hashes, n, room, 1);
		if (hex_decode((const char *)part.p, part.n, hashes[n], 20))
			n++;
	}
	*out = hashes;
	return n;
}

const struct m_torrent_rows *qrows_head(const struct qrows *r)
{
	CHECK_OBJ(r, QROWS_MAGIC);
	must(r->msgs_n > 0);
	return MSG_AS(TORRENT_ROWS, r->msgs[0]);
}

/* --- what came --- */

static bool is_meant(const struct qrows *r, const struct torrent_row *row)
{
	return r->all || (r->hashes_n > 0 && bsearch(row->identity.infohash, r->hashes, r->hashes_n,
						     sizeof *r->hashes, qhashes_compare) != NULL);
}

static void select_rows(struct qrows *r)
{
	for (uint32_t i = 0; i < r->msgs_n; i++) {
		const struct m_torrent_rows *m = MSG_AS(TORRENT_ROWS, r->msgs[i]);

		for (uint32_t k = 0; k < m->rows_n; k++)
			if (is_meant(r, &m->rows[k]))
				ARRAY_PUSH(r->v, r->n, r->room, &m->rows[k]);
	}
}

static void end_rows(struct qcall *c)
{
	struct qrows *r = c->rows;

	if (r->failed != E_OK) {
		qcall_err(c, r->failed, NULL);
		return;
	}
	select_rows(r);
	c->next(c);
}

static void ask_page(struct qcall *c, uint64_t epoch, uint32_t from);

/* What is not there any more is left out.  The epoch is one run of the daemon: it does not change.
 */
static void on_rows(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct qcall *c;
	struct qrows *r;
	const struct m_torrent_rows *page;

	(void)a;
	CAST_OBJ(c, ctx, QCALL_MAGIC);
	r = c->rows;
	r->waiting--;
	if (err == E_OK && m != NULL) {
		page = MSG_AS(TORRENT_ROWS, *m);
		ARRAY_PUSH(r->msgs, r->msgs_n, r->msgs_room, *m);
		*m = NULL;
		if (page->of == ROWS_PAGE && page->next != 0)
			ask_page(c, page->epoch_now, page->next);
	} else if (err != E_NOT_FOUND) {
		r->failed = err != E_OK ? err : E_TIMEOUT;
	}
	if (r->waiting == 0)
		end_rows(c);
}

/* --- asking --- */

static void ask_page(struct qcall *c, uint64_t epoch, uint32_t from)
{
	struct m_torrent_rows *m = msg_new(c->q->actor, MSG_TORRENT_ROWS);

	m->of = ROWS_PAGE;
	m->epoch = epoch;
	m->from = from;
	m->limit = PAGE;
	c->rows->waiting++;
	msg_call(c->q->actor, ADDR_SESSION, m, on_rows, c);
}

static void ask_one(struct qcall *c, const uint8_t infohash[20])
{
	struct m_torrent_rows *m = msg_new(c->q->actor, MSG_TORRENT_ROWS);

	m->of = ROWS_ONE;
	memcpy(m->infohash, infohash, sizeof m->infohash);
	c->rows->waiting++;
	msg_call(c->q->actor, ADDR_SESSION, m, on_rows, c);
}

void qrows_ask(struct qcall *c, const char *hashes, qcall_f *fn)
{
	struct qrows *r;

	CHECK_OBJ(c, QCALL_MAGIC);
	if (c->rows != NULL)
		qrows_free(&c->rows);
	ALLOC_OBJ(r, QROWS_MAGIC);
	r->actor = c->q->actor;
	r->all = hashes == NULL || strcmp(hashes, "all") == 0;
	if (!r->all)
		r->hashes_n = qhashes_read(hashes, &r->hashes);
	c->rows = r;
	c->next = fn;
	if (r->hashes_n > 1)
		qsort(r->hashes, r->hashes_n, sizeof *r->hashes, qhashes_compare);
	if (r->all || r->hashes_n > SINGLE_MAX)
		ask_page(c, 0, 0);
	for (uint32_t i = 0; i < r->hashes_n && r->hashes_n <= SINGLE_MAX; i++)
		if (i == 0 || memcmp(r->hashes[i - 1], r->hashes[i], 20) != 0)
			ask_one(c, r->hashes[i]);
	if (r->waiting == 0)
		end_rows(c);
}
