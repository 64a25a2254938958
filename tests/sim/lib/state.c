/* SPDX-License-Identifier: MIT */
/*
 * The state actor without a database: what it is told lives in the host's memory.
 *
 * Like the real one it knows two kinds of truth.  What the process sees survives the process; what
 * a power cut leaves is the state at the last call, because calls are answered after a sync and
 * casts are not waited for.
 */
#include "tests/sim/lib/priv.h"

struct dbrow {
	struct torrent_record r; /* r.meta owned; unsynced are the notes */
	bool used;               /* not removed */
	bool dirty;              /* in the list of those that differ from what is synced */
};

struct db {
	struct dbrow *rows; /* owned: rows[i] is row i + 1 */
	uint32_t n, room, used;
	uint32_t *dirty; /* owned: indices */
	uint32_t dirty_n, dirty_room;
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

static void clear_row(struct dbrow *x)
{
	if (x->used)
		record_fini(&x->r);
	*x = (struct dbrow){0};
}

static void copy_row(struct dbrow *to, const struct dbrow *from)
{
	clear_row(to);
	to->used = from->used;
	if (from->used)
		to->r = record_copy(&from->r);
}

struct db *db_clone(const struct db *from)
{
	struct db *db = xmemdup(from, sizeof *from);

	db->dirty = NULL;
	db->dirty_n = db->dirty_room = 0;
	db->rows = xcalloc(MAX(db->room, 1u), sizeof *db->rows);
	for (uint32_t i = 0; i < db->n; i++)
		copy_row(&db->rows[i], &from->rows[i]);
	return db;
}

void db_free(struct db **pdb)
{
	for (uint32_t i = 0; i < (*pdb)->n; i++)
		clear_row(&(*pdb)->rows[i]);
	xfree((*pdb)->rows);
	xfree((*pdb)->dirty);
	xfree(*pdb);
	*pdb = NULL;
}

/* --- the actor --- */

static struct host *host_of(struct actor *a)
{
	return actor_self(a);
}

static void grow_rows(struct db *db, uint32_t n)
{
	if (n > db->room) {
		db->rows = xrealloc(db->rows, sizeof *db->rows * MAX(n, 2 * db->room));
		db->room = MAX(n, 2 * db->room);
	}
	for (; db->n < n; db->n++)
		db->rows[db->n] = (struct dbrow){0};
}

static void mark_dirty(struct db *db, uint32_t i)
{
	if (db->rows[i].dirty)
		return;
	db->rows[i].dirty = true;
	if (db->dirty_n == db->dirty_room) {
		db->dirty_room = MAX(16u, 2 * db->dirty_room);
		db->dirty = xrealloc(db->dirty, sizeof *db->dirty * db->dirty_room);
	}
	db->dirty[db->dirty_n++] = i;
}

/* Only the rows that differ are copied: a sync costs the same however many torrents there are. */
static void sync_all(struct host *h)
{
	struct db *from = h->db, *to = h->synced;

	grow_rows(to, from->n);
	while (from->dirty_n > 0) {
		uint32_t i = from->dirty[--from->dirty_n];

		copy_row(&to->rows[i], &from->rows[i]);
		from->rows[i].dirty = false;
	}
	to->used = from->used;
	to->clean = from->clean;
	to->down_limit = from->down_limit;
	to->up_limit = from->up_limit;
	to->has_down_limit = from->has_down_limit;
	to->has_up_limit = from->has_up_limit;
}

/* A row that is to be changed, or NULL. */
static struct torrent_record *find_row(struct host *h, int64_t row)
{
	struct db *db = h->db;

	if (row < 1 || row > (int64_t)db->n || !db->rows[row - 1].used)
		return NULL;
	mark_dirty(db, (uint32_t)(row - 1));
	return &db->rows[row - 1].r;
}

static void on_load(struct actor *a, struct msg **m)
{
	struct db *db = host_of(a)->db;
	struct m_state_load *l = container_of(*m, struct m_state_load, h);

	l->torrents = xcalloc(MAX(db->used, 1u), sizeof *l->torrents);
	for (uint32_t i = 0; i < db->n; i++)
		if (db->rows[i].used)
			l->torrents[l->torrents_n++] = record_copy(&db->rows[i].r);
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
	struct torrent_record *r;

	grow_rows(h->db, h->db->n + 1);
	h->db->rows[h->db->n - 1].used = true;
	h->db->used++;
	r = find_row(h, h->db->n);
	*r = (struct torrent_record){
		.row = h->db->n,
		.meta = metainfo_ref(add->meta),
		.path = xstrdup(add->path),
		.run = add->run,
		.seed = add->seed,
		.added = add->added,
	};
	wishes_copy(&r->wishes, &add->wishes);
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
	if (s->key == STATE_RUN)
		r->run = (unsigned)s->value;
	else if (s->key == STATE_CHECK)
		r->check = s->value != 0;
	else if (s->key == STATE_DOWN_LIMIT)
		r->wishes.down_limit = (uint64_t)s->value;
	else if (s->key == STATE_UP_LIMIT)
		r->wishes.up_limit = (uint64_t)s->value;
	else if (s->key == STATE_COMPLETED_AT)
		r->completed_at = s->value;
	r->removing = r->removing || s->key == STATE_REMOVING;
	if (s->key == STATE_REMOVING)
		r->removal = (enum removal)(s->value - 1);
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

static void drop_row(struct actor *a, int64_t row)
{
	struct db *db = host_of(a)->db;
	struct torrent_record *r = find_row(host_of(a), row);

	if (r != NULL) {
		db->rows[r->row - 1].used = false;
		db->used--;
		record_fini(r);
	}
	sync_all(host_of(a));
}

static void on_remove(struct actor *a, struct msg **m)
{
	drop_row(a, container_of(*m, struct m_state_remove, h)->row);
	actor_reply(a, m, E_OK);
}

/* No scenario brings one back. */
static void on_shelve(struct actor *a, struct msg **m)
{
	drop_row(a, container_of(*m, struct m_state_shelve, h)->what.row);
	actor_reply(a, m, E_OK);
}

static void on_totals(struct actor *a, struct msg **m)
{
	const struct m_totals *t = container_of(*m, struct m_totals, h);
	struct torrent_record *r = find_row(host_of(a), t->row);
	struct m_torrent *saved = msg_new(a, MSG_STATE_SAVED);

	saved->t = t->t;
	msg_send(a, ADDR_SESSION, saved);
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
	struct m_torrent *noted = msg_new(a, MSG_STATE_NOTED);

	noted->t = n->t;
	msg_send(a, ADDR_STORE, noted);
	if (r == NULL)
		return;
	for (uint32_t i = 0; i < n->dirty_n; i++) {
		stamp_of(r, n->dirty[i])->dirty = true;
		stamp_of(r, n->dirty[i])->mtime_ns = n->dirty_ns;
	}
	put_noted(r, n->pieces, n->pieces_n);
	r->downloaded = MAX(r->downloaded, n->downloaded);
}

static void put_pieces(struct torrent_record *r, const struct m_state_pieces *p)
{
	bitfield_free(&r->synced);
	bitfield_copy(&r->synced, &p->synced);
	put_noted(r, p->noted, p->noted_n);
	r->downloaded = MAX(r->downloaded, p->downloaded);
	r->check = r->check && !p->checked;
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

/* No daemon here has an API or a DHT, and nobody adds a magnet link: nobody sends these. */
static void on_stranger(struct actor *a, struct msg **m)
{
	(void)a;
	(void)m;
	must_not_reach("a message that nobody sends in a simulation");
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
	{MSG_STATE_SHELVE, on_shelve},
	{MSG_STATE_TOTALS, on_totals},
	{MSG_STATE_NOTE, on_note},
	{MSG_STATE_PIECES, on_pieces},
	{MSG_STATE_META, on_stranger},
	{MSG_STATE_FETCH, on_stranger},
	{MSG_UNDO_LOAD, on_stranger},
	{MSG_UNDO_DROP, on_stranger},
	{MSG_STATE_NAMES, on_stranger},
	{MSG_STATE_NAMES_LOAD, on_stranger},
	{MSG_STATE_DHT, on_stranger},
	{MSG_STATE_DHT_LOAD, on_stranger},
	{MSG_STATE_OPTIONS, on_stranger},
	{MSG_STATE_TOKEN, on_stranger},
	{0, NULL},
};

const struct actor_spec sim_state_spec = {
	.role_name = "state",
	.handlers = handlers,
	.init = state_init,
	.quiesce = state_quiesce,
};
