/* SPDX-License-Identifier: MIT */
/*
 * Virtual time for the session's world, what people ask for, and what the actors around it say.
 */
#include "tests/unit/lib/session_world.h"

/* --- virtual time: these stand in for the kernel's own --- */

int64_t *world_clock(void)
{
	static int64_t now = 1000 * USEC_PER_SEC;

	return &now;
}

int64_t clock_mono_us(void)
{
	return *world_clock();
}

int64_t clock_wall_s(void)
{
	return 1700000000 + *world_clock() / USEC_PER_SEC;
}

/* --- people --- */

void on_person(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct world *w = ctx;
	uint16_t type = m != NULL ? (*m)->type : 0;

	say(w, "%s=%s", type ? strchr(message_table.types[type].name, '_') + 1 : "?",
		err_name(err));
	w->why[0] = '\0';
	if (type == MSG_TORRENT_ADD)
		memcpy(w->why, container_of(*m, struct m_torrent_add, h)->why.text, 256);
	else if (type == MSG_TORRENT_SET)
		memcpy(w->why, container_of(*m, struct m_torrent_set, h)->why.text, 256);
	if (type != MSG_TORRENT_VIEW)
		return;
	msg_free(a, &w->view);
	w->view = *m;
	*m = NULL;
}

void turn_all(struct world *w)
{
	for (int i = 0; i < 6; i++) {
		actor_turn(w->session, 0);
		for (unsigned k = 0; k < w->fakes_n; k++)
			actor_turn(w->fakes[k], 0);
		actor_turn(w->main, 0);
	}
}

void pass_time(struct world *w, int64_t seconds)
{
	turn_all(w);
	*world_clock() += seconds * USEC_PER_SEC;
	turn_all(w);
}

struct actor *http_of(struct world *w)
{
	return w->fakes[0];
}

void ask(struct world *w, struct msg *m)
{
	actor_call_within(
		http_of(w), ADDR_SESSION, &m, INT64_C(1000000) * USEC_PER_SEC, on_person, w);
}

void ask_add(struct world *w, const char *name, const char *path, bool start)
{
	struct msg *m = msg_new(http_of(w), MSG_TORRENT_ADD);
	struct m_torrent_add *add = container_of(m, struct m_torrent_add, h);
	char *bytes = made_bytes(name, 3, &add->body_n);

	add->body = xmemdup(bytes, add->body_n);
	free(bytes);
	add->path = path != NULL ? xstrdup(path) : NULL;
	add->start = start;
	ask(w, m);
}

void ask_add_bytes(struct world *w, const char *bytes, size_t n)
{
	struct msg *m = msg_new(http_of(w), MSG_TORRENT_ADD);
	struct m_torrent_add *add = container_of(m, struct m_torrent_add, h);

	add->body = xmemdup(bytes, n);
	add->body_n = n;
	add->start = true;
	ask(w, m);
}

struct m_torrent_set *make_set(struct world *w, const struct metainfo *meta, enum torrent_op op)
{
	struct msg *m = msg_new(http_of(w), MSG_TORRENT_SET);
	struct m_torrent_set *set = container_of(m, struct m_torrent_set, h);

	memcpy(set->infohash, meta->infohash.v1, 20);
	set->op = op;
	return set;
}

/* A change of the torrent that made_meta() makes for that name and three pieces. */
struct m_torrent_set *make_set_of(struct world *w, const char *name, enum torrent_op op)
{
	struct metainfo *meta = made_meta(name, 3);
	struct m_torrent_set *set = make_set(w, meta, op);

	metainfo_unref(&meta);
	return set;
}

void ask_set(struct world *w, const char *name, enum torrent_op op, uint64_t value)
{
	struct m_torrent_set *set = make_set_of(w, name, op);

	set->value = value;
	ask(w, &set->h);
}

void ask_view(struct world *w, const char *name)
{
	struct msg *m = msg_new(http_of(w), MSG_TORRENT_VIEW);
	struct m_torrent_view *v = container_of(m, struct m_torrent_view, h);
	struct metainfo *meta;

	v->all = name == NULL;
	v->parts = VIEW_ALL & ~(unsigned)VIEW_FILES;
	if (name != NULL) {
		meta = made_meta(name, 3);
		memcpy(v->infohash, meta->infohash.v1, 20);
		metainfo_unref(&meta);
	}
	ask(w, m);
}

/* --- the others --- */

/* The oldest call of that type that is not answered; the test may fill it in first. */
struct msg **kept(struct world *w, uint16_t type)
{
	turn_all(w);
	for (unsigned i = 0; i < w->calls_n; i++)
		if (w->calls[i].m != NULL && w->calls[i].m->type == type)
			return &w->calls[i].m;
	fail_msg("no %s to answer", message_table.types[type].name);
	return NULL;
}

void answer(struct world *w, uint16_t type, enum err err)
{
	struct msg **m = kept(w, type);
	struct actor *a = container_of(m, struct call_kept, m)->a;

	actor_reply(a, m, err);
}

void answer_add(struct world *w, int64_t row)
{
	container_of(*kept(w, MSG_STATE_ADD), struct m_state_add, h)->row = row;
	answer(w, MSG_STATE_ADD, E_OK);
}

void answer_detached(struct world *w, uint32_t have, uint64_t down)
{
	struct m_peers_remove *r =
		container_of(*kept(w, MSG_PEERS_REMOVE), struct m_peers_remove, h);

	bitfield_init(&r->have, 3);
	for (uint32_t i = 0; i < have; i++)
		bitfield_set(&r->have, i);
	r->downloaded = down;
	answer(w, MSG_PEERS_REMOVE, E_OK);
}

struct actor *fake_of(struct world *w, unsigned role)
{
	for (unsigned i = 0; i < w->fakes_n; i++)
		if (ADDR_ROLE(actor_addr(w->fakes[i])) == role)
			return w->fakes[i];
	fail();
	return NULL;
}

void store_says_ready(struct world *w, enum err err, uint32_t have)
{
	struct actor *store = fake_of(w, ROLE_STORE);
	struct msg *m = msg_new(store, MSG_STORE_READY);
	struct m_store_ready *r = container_of(m, struct m_store_ready, h);

	r->t = w->t;
	r->err = err;
	if (err == E_OK)
		bitfield_init(&r->have, 3);
	else
		snprintf(r->why.text, sizeof r->why.text, "cannot open 'x'");
	for (uint32_t i = 0; i < have; i++)
		bitfield_set(&r->have, i);
	actor_cast(store, ADDR_SESSION, &m);
}

void store_says_error(struct world *w, enum err err, bool lost)
{
	struct actor *store = fake_of(w, ROLE_STORE);
	struct msg *m = msg_new(store, MSG_STORE_ERROR);
	struct m_store_error *e = container_of(m, struct m_store_error, h);

	e->t = w->t;
	e->err = err;
	e->lost = lost;
	snprintf(e->why.text, sizeof e->why.text, "cannot write 'x'");
	actor_cast(store, ADDR_SESSION, &m);
}

void peers_say_totals(struct world *w, uint64_t down, uint64_t up, uint64_t left)
{
	struct actor *peers = fake_of(w, ROLE_PEERS);
	struct msg *m = msg_new(peers, MSG_PEERS_TOTALS);
	struct m_totals *p = container_of(m, struct m_totals, h);

	p->t = w->t;
	p->downloaded = down;
	p->uploaded = up;
	p->left = left;
	actor_cast(peers, ADDR_SESSION, &m);
}

/* Of the whole torrent more is lacking than of what is wanted. */
void peers_say_left(struct world *w, uint64_t down, uint64_t left, uint64_t lacks)
{
	struct actor *peers = fake_of(w, ROLE_PEERS);
	struct m_totals *p = msg_new(peers, MSG_PEERS_TOTALS);

	p->t = w->t;
	p->downloaded = down;
	p->left = left;
	p->lacks = lacks;
	msg_send(peers, ADDR_SESSION, p);
}

void peers_say_done(struct world *w)
{
	struct actor *peers = fake_of(w, ROLE_PEERS);
	struct msg *m = msg_new(peers, MSG_PEERS_DONE);

	container_of(m, struct m_torrent, h)->t = w->t;
	actor_cast(peers, ADDR_SESSION, &m);
}
