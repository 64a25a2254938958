/* SPDX-License-Identifier: MIT */
/*
 * The state actor without a database: what it is told lives in the host's memory.
 *
 * Like the real one it knows two kinds of truth.  What the process sees survives the process; what
 * a power cut leaves is the state at the last call, because calls are answered after a sync and
 * casts are not waited for.
 */
#include "tests/sim/sim_priv.h"

struct dbrow {
	struct torrent_record r; /* r.meta owned; unsynced are the notes */
};

struct db {
	struct dbrow rows[16];
	unsigned n;
	int64_t last_row;
	bool clean;
	uint64_t down_limit, up_limit;
	bool has_down_limit, has_up_limit;
};

struct db *db_new(void)
{
	struct db *db = xcalloc(1, sizeof *db);

	db->clean = true;
	return db;
}

struct db *db_clone(const struct db *from)
{
	struct db *db = xmemdup(from, sizeof *from);

	for (unsigned i = 0; i < db->n; i++)
		db->rows[i].r = torrent_record_copy(&from->rows[i].r);
	return db;
}

void db_free(struct db **pdb)
{
	for (unsigned i = 0; i < (*pdb)->n; i++)
		torrent_record_fini(&(*pdb)->rows[i].r);
	xfree(*pdb);
	*pdb = NULL;
}

/* --- the actor --- */

static struct host *host_of(struct actor *a)
{
	return actor_self(a);
}

static void sync_all(struct host *h)
{
	db_free(&h->synced);
	h->synced = db_clone(h->db);
}

static struct torrent_record *find_row(struct host *h, int64_t row)
{
	for (unsigned i = 0; i < h->db->n; i++)
		if (h->db->rows[i].r.row == row)
			return &h->db->rows[i].r;
	return NULL;
}

static void on_load(struct actor *a, struct msg **m)
{
	struct db *db = host_of(a)->db;
	struct m_state_load *l = container_of(*m, struct m_state_load, h);

	l->torrents = xcalloc(MAX(db->n, 1u), sizeof *l->torrents);
	l->torrents_n = db->n;
	for (unsigned i = 0; i < db->n; i++)
		l->torrents[i] = torrent_record_copy(&db->rows[i].r);
	l->clean = db->clean;
	l->down_limit = db->down_limit;
	l->up_limit = db->up_limit;
	l->has_down_limit = db->has_down_limit;
	l->has_up_limit = db->has_up_limit;
	db->clean = false;
	sync_all(host_of(a));
	actor_reply(a, m, E_OK);
}

static void on_add(struct actor *a, struct msg **m)
{
	struct host *h = host_of(a);
	struct m_state_add *add = container_of(*m, struct m_state_add, h);
	struct torrent_record *r = &h->db->rows[h->db->n].r;

	must(h->db->n < ARRAY_LEN(h->db->rows));
	h->db->n++;
	*r = (struct torrent_record){
		.row = ++h->db->last_row,
		.meta = metainfo_ref(add->meta),
		.path = xstrdup(add->path),
		.started = add->started,
		.down_limit = add->down_limit,
		.up_limit = add->up_limit,
		.added = add->added,
	};
	bitfield_init(&r->synced, add->meta->pieces);
	add->row = r->row;
	sync_all(h);
	actor_reply(a, m, E_OK);
}

static void set_global(struct db *db, const struct m_state_set *s)
{
	if (s->key == STATE_GLOBAL_DOWN_LIMIT) {
		db->down_limit = (uint64_t)s->value;
		db->has_down_limit = true;
	} else {
		db->up_limit = (uint64_t)s->value;
		db->has_up_limit = true;
	}
}

static void set_row(struct torrent_record *r, const struct m_state_set *s)
{
	if (s->key == STATE_STARTED)
		r->started = s->value != 0;
	else if (s->key == STATE_DOWN_LIMIT)
		r->down_limit = (uint64_t)s->value;
	else if (s->key == STATE_UP_LIMIT)
		r->up_limit = (uint64_t)s->value;
	else if (s->key == STATE_COMPLETED_AT)
		r->completed_at = s->value;
	r->removing = r->removing || s->key == STATE_REMOVING;
	r->delete_data = r->delete_data || (s->key == STATE_REMOVING && s->value == 2);
}

static void on_set(struct actor *a, struct msg **m)
{
	struct host *h = host_of(a);
	struct m_state_set *s = container_of(*m, struct m_state_set, h);
	struct torrent_record *r = find_row(h, s->row);

	if (s->row == 0)
		set_global(h->db, s);
	else if (r != NULL)
		set_row(r, s);
	sync_all(h);
	actor_reply(a, m, E_OK);
}

static void on_remove(struct actor *a, struct msg **m)
{
	struct db *db = host_of(a)->db;
	struct torrent_record *r =
		find_row(host_of(a), container_of(*m, struct m_state_remove, h)->row);

	if (r != NULL) {
		torrent_record_fini(r);
		*r = db->rows[--db->n].r;
	}
	sync_all(host_of(a));
	actor_reply(a, m, E_OK);
}

static void on_totals(struct actor *a, struct msg **m)
{
	const struct m_totals *t = container_of(*m, struct m_totals, h);
	struct torrent_record *r = find_row(host_of(a), t->row);

	if (r == NULL)
		return;
	r->downloaded = t->downloaded;
	r->uploaded = t->uploaded;
	r->wasted = t->wasted;
}

/* --- pieces and files --- */

static void put_noted(struct torrent_record *r, const uint32_t *v, uint32_t n)
{
	xfree(r->unsynced);
	r->unsynced = n > 0 ? xmemdup(v, n * sizeof *v) : NULL;
	r->unsynced_n = n;
}

static struct file_stamp *stamp_of(struct torrent_record *r, uint32_t file)
{
	for (uint32_t i = 0; i < r->stamps_n; i++)
		if (r->stamps[i].file == file)
			return &r->stamps[i];
	r->stamps = xrealloc(r->stamps, sizeof *r->stamps * (r->stamps_n + 1));
	r->stamps[r->stamps_n] = (struct file_stamp){.file = file};
	return &r->stamps[r->stamps_n++];
}

static void on_note(struct actor *a, struct msg **m)
{
	const struct m_state_note *n = container_of(*m, struct m_state_note, h);
	struct torrent_record *r = find_row(host_of(a), n->row);

	if (r == NULL)
		return;
	for (uint32_t i = 0; i < n->dirty_n; i++)
		stamp_of(r, n->dirty[i])->dirty = true;
	put_noted(r, n->pieces, n->pieces_n);
}

static void put_pieces(struct torrent_record *r, const struct m_state_pieces *p)
{
	bitfield_free(&r->synced);
	bitfield_copy(&r->synced, &p->synced);
	put_noted(r, p->noted, p->noted_n);
	for (uint32_t i = 0; i < p->stamps_n; i++)
		*stamp_of(r, p->stamps[i].file) = p->stamps[i];
	if (!p->has_partials)
		return;
	partials_free(&r->partials, &r->partials_n);
	r->partials = partials_copy(p->partials, p->partials_n);
	r->partials_n = p->partials_n;
}

static void on_pieces(struct actor *a, struct msg **m)
{
	const struct m_state_pieces *p = container_of(*m, struct m_state_pieces, h);
	struct torrent_record *r = find_row(host_of(a), p->row);

	if (r != NULL)
		put_pieces(r, p);
	sync_all(host_of(a));
	actor_reply(a, m, E_OK);
}

static void *state_init(struct actor *a, const void *arg)
{
	(void)a;
	(void)arg;
	return sim_world()->current->host;
}

static void state_quiesce(struct actor *a)
{
	host_of(a)->db->clean = true;
	sync_all(host_of(a));
	actor_quiesced(a);
}

static const struct actor_handler handlers[] = {
	{MSG_STATE_LOAD, on_load},
	{MSG_STATE_ADD, on_add},
	{MSG_STATE_SET, on_set},
	{MSG_STATE_REMOVE, on_remove},
	{MSG_STATE_TOTALS, on_totals},
	{MSG_STATE_NOTE, on_note},
	{MSG_STATE_PIECES, on_pieces},
	{0, NULL},
};

const struct actor_spec sim_state_spec = {
	.role_name = "state",
	.handlers = handlers,
	.init = state_init,
	.quiesce = state_quiesce,
};
