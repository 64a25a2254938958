/* SPDX-License-Identifier: MIT */
/*
 * Whom to ask for the info dictionary, and what becomes of the answers (BEP 9).
 *
 * Invariants: a source has a candidate only while it is not fenced; every request that stands with
 * a source is counted once in its candidate's slot; in a candidate that is fetched alone all pieces
 * are the sole source's.
 */
#include "proto/swarm/metadata_priv.h"

#include "proto/base/array.h"
#include "proto/base/time.h"
#include "proto/meta/bencode.h"

#define PATIENCE_FIRST (3 * USEC_PER_SEC)  /* us until a request is late, */
#define PATIENCE_MAX   (24 * USEC_PER_SEC) /* doubled each time up to this */
#define PAUSE_FIRST    (2 * USEC_PER_SEC)  /* us that a peer is left alone which refuses */
#define PAUSE_DOUBLES  5u                  /* to 64 s */
/* A size that others wait for a place of has so long to bring a piece, doubled each time it comes
 * back up to STALL_DOUBLES; and LONG_FETCH if it has more to come than who waits would need. */
#define STALL_FIRST   (4 * USEC_PER_SEC)
#define STALL_DOUBLES 4u
#define LONG_FETCH    (30 * USEC_PER_SEC)
#define FENCED_HOST   3u /* of one host close all its ports */

struct metadata *metadata_new(const uint8_t infohash[HASH_SHA1_SIZE], struct byte_budget *budget)
{
	struct metadata *m;

	ALLOC_OBJ(m, METADATA_MAGIC);
	memcpy(m->infohash, infohash, sizeof m->infohash);
	m->budget = budget;
	return m;
}

void metadata_free(struct metadata **mp)
{
	struct metadata *m;

	if (*mp == NULL)
		return;
	TAKE_OBJ(m, mp, METADATA_MAGIC);
	for (unsigned i = 0; i < METADATA_SIZES; i++)
		candidate_end(&m->place[i].c);
	smartban_free(&m->blame);
	xfree(m->bytes);
	xfree(m->source);
	FREE_OBJ(m);
}

static struct source *find(const struct metadata *m, uint32_t name)
{
	for (uint32_t i = 0; i < m->sources_n; i++)
		if (m->source[i].name == name)
			return &m->source[i];
	return NULL;
}

/* --- requests --- */

static struct place *place_of(struct metadata *m, const struct source *s)
{
	return s->place == NOWHERE ? NULL : &m->place[s->place];
}

static void end_request(
	struct metadata *m, struct source *s, struct metadata_request *r, enum request_state then)
{
	if (r->state == REQ_ASKED) {
		candidate_void(&place_of(m, s)->c, r->piece);
		m->stirred = true;
	}
	r->state = then;
}

/* The source has no part in its size any more. */
static void leave_place(struct metadata *m, struct source *s)
{
	struct place *p = place_of(m, s);

	if (p == NULL)
		return;
	for (unsigned i = 0; i < METADATA_REQUESTS; i++)
		end_request(m, s, &s->req[i], REQ_FREE);
	s->place = NOWHERE;
	/* What it sent cannot be mixed with what another sends. */
	if (p->alone && p->sole == s->name) {
		p->sole = SMARTBAN_NOBODY;
		candidate_clear(&p->c);
		m->stirred = true;
	}
}

/* --- sizes and their places --- */

static unsigned count_at(const struct metadata *m, int place)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < m->sources_n; i++)
		n += m->source[i].place == place;
	return n;
}

/* All who are for a size, which has a place now. */
static void gather(struct metadata *m, int place)
{
	for (uint32_t i = 0; i < m->sources_n; i++) {
		struct source *s = &m->source[i];

		if (s->size == m->place[place].c.size && !s->fenced)
			s->place = place;
	}
	m->stirred = true;
}

/* The size gives its place up; who was for it waits.  While nobody needs the place its pieces stay,
 * even if all who sent them have left. */
static void vacate(struct metadata *m, int place, int64_t now)
{
	for (uint32_t i = 0; i < m->sources_n; i++) {
		struct source *s = &m->source[i];

		if (s->place != place)
			continue;
		leave_place(m, s);
		s->stalls++;
		s->waits_since = now;
	}
	candidate_end(&m->place[place].c);
	m->place[place] = (struct place){.sole = SMARTBAN_NOBODY};
}

static void settle(struct metadata *m, int place, uint32_t size, int64_t now)
{
	candidate_begin(&m->place[place].c, size, m->budget, now);
	gather(m, place);
}

/* The size that has waited longest of those that have given way least; NULL: none waits. */
static const struct source *first_waiting(const struct metadata *m)
{
	const struct source *best = NULL;

	for (uint32_t i = 0; i < m->sources_n; i++) {
		const struct source *s = &m->source[i];

		if (s->size == 0 || s->fenced || s->place != NOWHERE)
			continue;
		if (best == NULL || s->stalls < best->stalls ||
			(s->stalls == best->stalls && s->waits_since < best->waits_since))
			best = s;
	}
	return best;
}

/* How often the size in that place has given way already. */
static unsigned stalls_at(const struct metadata *m, int place)
{
	unsigned least = STALL_DOUBLES;

	for (uint32_t i = 0; i < m->sources_n; i++)
		if (m->source[i].place == place)
			least = MIN(least, m->source[i].stalls);
	return least;
}

static bool gives_way(const struct metadata *m, int place, uint32_t to, int64_t now)
{
	const struct candidate *c = &m->place[place].c;

	if (count_at(m, place) == 0 || now - c->moved_at >= STALL_FIRST << stalls_at(m, place))
		return true;
	return now - c->began_at >= LONG_FETCH &&
	       (uint64_t)(c->pieces - c->have) * METADATA_PIECE > to;
}

/* A place that is free, or becomes so for a size that waits; NOWHERE: none. */
static int find_place(struct metadata *m, uint32_t size, int64_t now)
{
	for (int i = 0; i < (int)METADATA_SIZES; i++)
		if (m->place[i].c.size == 0)
			return i;
	for (int i = 0; i < (int)METADATA_SIZES; i++) {
		if (!gives_way(m, i, size, now))
			continue;
		vacate(m, i, now);
		return i;
	}
	return NOWHERE;
}

static void seat_waiting(struct metadata *m, int64_t now)
{
	const struct source *s;
	int place;

	/* Those that give way are behind those that have waited, so that this ends. */
	for (unsigned n = 0; n < METADATA_SIZES && (s = first_waiting(m)) != NULL; n++) {
		place = find_place(m, s->size, now);
		if (place == NOWHERE)
			return;
		settle(m, place, s->size, now);
	}
}

/* --- what peers claim --- */

static bool is_fenced(const struct metadata *m, const struct endpoint *at)
{
	unsigned host = 0;

	for (uint32_t i = 0; i < MIN(m->fences, FENCES); i++) {
		if (endpoint_equal(&m->fence[i], at))
			return true;
		host += endpoint_same_ip(&m->fence[i], at);
	}
	return host >= FENCED_HOST;
}

static struct source *add(struct metadata *m, uint32_t name, const struct endpoint *at, int64_t now)
{
	ARRAY_PUSH(m->source, m->sources_n, m->sources_room,
		((struct source){.name = name,
			.at = *at,
			.place = NOWHERE,
			.fenced = is_fenced(m, at),
			.patience = PATIENCE_FIRST,
			.paused_until = now}));
	return &m->source[m->sources_n - 1];
}

static void claim(struct metadata *m, struct source *s, uint32_t size, int64_t now)
{
	if (size > METADATA_SIZE_MAX) {
		m->error = "a peer claims a size beyond 32 MiB";
		size = 0;
	}
	if (s->size == size)
		return;
	leave_place(m, s);
	s->size = size;
	s->waits_since = now;
	for (int i = 0; i < (int)METADATA_SIZES; i++)
		if (size != 0 && m->place[i].c.size == size && !s->fenced)
			s->place = i;
	seat_waiting(m, now);
}

void metadata_claim(
	struct metadata *m, uint32_t name, const struct endpoint *at, uint32_t size, int64_t now)
{
	CHECK_OBJ(m, METADATA_MAGIC);
	struct source *s = find(m, name);

	if (m->bytes != NULL || (s == NULL && size == 0))
		return;
	claim(m, s != NULL ? s : add(m, name, at, now), size, now);
}

void metadata_leave(struct metadata *m, uint32_t name, int64_t now)
{
	CHECK_OBJ(m, METADATA_MAGIC);
	struct source *s = find(m, name);

	if (s == NULL)
		return;
	leave_place(m, s);
	*s = m->source[--m->sources_n];
	seat_waiting(m, now);
}

/* --- what to ask for --- */

bool metadata_next(struct metadata *m, uint32_t name, uint32_t *piece, int64_t now)
{
	CHECK_OBJ(m, METADATA_MAGIC);
	struct source *s = find(m, name);
	struct place *p = s != NULL ? place_of(m, s) : NULL;
	struct metadata_request *free = NULL;
	uint32_t skip[METADATA_REQUESTS];
	unsigned skip_n = 0;

	if (p == NULL || m->bytes != NULL || now < s->paused_until)
		return false;
	if (p->alone && p->sole != SMARTBAN_NOBODY && p->sole != name)
		return false;
	for (unsigned i = 0; i < METADATA_REQUESTS; i++) {
		struct metadata_request *r = &s->req[i];

		if (r->state == REQ_ASKED)
			skip[skip_n++] = r->piece;
		else if (free == NULL || r->state == REQ_FREE)
			free = r;
	}
	if (free == NULL || !candidate_pick(&p->c, skip, skip_n, piece))
		return false;
	candidate_asked(&p->c, *piece);
	*free = (struct metadata_request){REQ_ASKED, *piece, now};
	p->sole = p->alone ? name : SMARTBAN_NOBODY;
	m->asked += !s->asked;
	s->asked = true;
	return true;
}

bool metadata_stirred(struct metadata *m)
{
	CHECK_OBJ(m, METADATA_MAGIC);
	bool was = m->stirred;

	m->stirred = false;
	return was;
}

/* --- what comes --- */

static void fence(struct metadata *m, struct source *s)
{
	m->fence[m->fences++ % FENCES] = s->at;
	leave_place(m, s);
	s->fenced = true;
}

/* What is still under way is not mixed with what is asked for now. */
static void start_again(struct metadata *m, struct place *p)
{
	int place = (int)(p - m->place);

	for (uint32_t i = 0; i < m->sources_n; i++) {
		struct source *s = &m->source[i];

		for (unsigned r = 0; r < METADATA_REQUESTS && s->place == place; r++)
			end_request(m, s, &s->req[r], REQ_FREE);
	}
	candidate_clear(&p->c);
	p->sole = SMARTBAN_NOBODY;
}

static void add_guilty(struct metadata *m, const struct smartban_names *names)
{
	for (unsigned i = 0; i < names->n && m->guilty.n < SMARTBAN_NAMES; i++)
		m->guilty.v[m->guilty.n++] = names->v[i];
}

/* All that was sent of this size is wrong together; which part of it is known only if all was
 * one's. */
static void fail(struct metadata *m, struct place *p, int64_t now)
{
	uint32_t sole = candidate_sole_sender(&p->c);
	struct source *liar = sole != SMARTBAN_NOBODY ? find(m, sole) : NULL;
	struct smartban_names guilty;

	m->failures++;
	m->error = "what peers sent has another hash";
	if (m->blame == NULL)
		m->blame = smartban_new();
	candidate_note(&p->c, m->blame);
	smartban_failed(m->blame, p->c.size, &guilty);
	add_guilty(m, &guilty);
	start_again(m, p);
	p->alone = p->alone || sole == SMARTBAN_NOBODY;
	if (liar != NULL)
		fence(m, liar);
	m->stirred = true;
	seat_waiting(m, now);
}

/* Keys in order, each once: whoever writes that anew writes the same bytes. */
static bool is_canonical(struct slice info)
{
	struct benc_report report;
	struct benc root;

	return benc_parse(info, NULL, &root, &report) == E_OK && !report.unsorted &&
	       !report.duplicate;
}

static void succeed(struct metadata *m, struct place *p)
{
	struct smartban_names guilty, cleared;

	m->size = p->c.size;
	m->bytes = candidate_bytes(&p->c);
	if (m->blame != NULL && is_canonical(metadata_bytes(m))) {
		candidate_note(&p->c, m->blame);
		smartban_passed(m->blame, m->size, &guilty, &cleared);
		add_guilty(m, &guilty);
	}
	for (uint32_t i = 0; i < m->sources_n; i++)
		leave_place(m, &m->source[i]);
	for (unsigned i = 0; i < METADATA_SIZES; i++)
		candidate_end(&m->place[i].c);
}

static bool has_other_source(const struct metadata *m, const struct source *s, int64_t now)
{
	for (uint32_t i = 0; i < m->sources_n; i++) {
		const struct source *o = &m->source[i];

		if (o != s && o->place == s->place && now >= o->paused_until)
			return true;
	}
	return false;
}

/* Where one source at a time may send, and it is this one: another's turn, if there is one. */
static bool hand_on(struct metadata *m, struct source *s, int64_t now)
{
	struct place *p = place_of(m, s);
	int place = s->place;

	if (p == NULL || !p->alone || p->sole != s->name || !has_other_source(m, s, now))
		return false;
	leave_place(m, s);
	s->place = place;
	return true;
}

/* It does not give what it said it has: left alone for a while. */
static void refused(struct metadata *m, struct source *s, const char *error, int64_t now)
{
	m->rejects++;
	m->error = error;
	s->paused_until = now + (PAUSE_FIRST << MIN(s->rejects, PAUSE_DOUBLES));
	s->rejects++;
	hand_on(m, s, now);
}

/*
 * The size in the message counts, too; but some say there how long the piece is, and some nothing.
 */
static bool fits(const struct source *s, const struct metadata_message *msg)
{
	return msg->total_size == 0 || msg->total_size == s->size || msg->total_size == msg->data.n;
}

static void take(
	struct metadata *m, struct source *s, const struct metadata_message *msg, int64_t now)
{
	struct place *p = place_of(m, s);

	if (!fits(s, msg)) {
		refused(m, s, "a peer contradicts itself about the size", now);
		claim(m, s, msg->total_size, now);
		return;
	}
	if (msg->data.n != metadata_piece_size(s->size, msg->piece)) {
		refused(m, s, "a peer sent a piece of the wrong length", now);
		return;
	}
	s->patience = PATIENCE_FIRST;
	s->rejects = 0;
	if (!candidate_put(&p->c, msg->piece, msg->data, s->name, now) || !candidate_whole(&p->c))
		return;
	if (candidate_verify(&p->c, m->infohash))
		succeed(m, p);
	else
		fail(m, p, now);
}

void metadata_got(
	struct metadata *m, uint32_t name, const struct metadata_message *msg, int64_t now)
{
	CHECK_OBJ(m, METADATA_MAGIC);
	struct source *s = find(m, name);

	if (s == NULL || s->place == NOWHERE || m->bytes != NULL ||
		(msg->type != METADATA_DATA && msg->type != METADATA_REJECT))
		return;
	for (unsigned i = 0; i < METADATA_REQUESTS; i++) {
		struct metadata_request *r = &s->req[i];

		if (r->state == REQ_FREE || r->piece != msg->piece)
			continue;
		end_request(m, s, r, REQ_FREE);
		/* rTorrent sends nothing for the last piece of a multiple of 16 KiB. */
		if (msg->type == METADATA_REJECT || msg->data.n == 0)
			refused(m, s, "a peer refuses", now);
		else
			take(m, s, msg, now);
		return;
	}
}

/* --- silence --- */

static void give_up_late(struct metadata *m, struct source *s, int64_t now)
{
	bool late = false;

	for (unsigned i = 0; i < METADATA_REQUESTS; i++) {
		if (s->req[i].state != REQ_ASKED || now - s->req[i].at < s->patience)
			continue;
		end_request(m, s, &s->req[i], REQ_LATE);
		m->timeouts++;
		m->error = "a peer does not answer";
		late = true;
	}
	if (!late)
		return;
	s->patience = MIN(2 * s->patience, PATIENCE_MAX);
	if (hand_on(m, s, now))
		s->paused_until = now + s->patience;
}

void metadata_tick(struct metadata *m, int64_t now)
{
	CHECK_OBJ(m, METADATA_MAGIC);
	if (m->bytes != NULL)
		return;
	for (uint32_t i = 0; i < m->sources_n; i++)
		if (m->source[i].place != NOWHERE)
			give_up_late(m, &m->source[i], now);
	seat_waiting(m, now);
	/* Pauses end, and memory that others gave back is told by nobody. */
	m->stirred = m->sources_n > 0;
}

/* --- what it came to --- */

struct slice metadata_bytes(const struct metadata *m)
{
	CHECK_OBJ(m, METADATA_MAGIC);
	return (struct slice){m->bytes, m->size};
}

unsigned metadata_guilty(struct metadata *m, struct smartban_names *names)
{
	CHECK_OBJ(m, METADATA_MAGIC);
	*names = m->guilty;
	m->guilty.n = 0;
	return names->n;
}
