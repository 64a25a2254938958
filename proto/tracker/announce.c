/* SPDX-License-Identifier: MIT */
/*
 * The announce state machine of one torrent.
 *
 * A walk is a position in order[] (tiers.c); there is none between announces.  It asks one tracker
 * after the other, goes on when one has failed or is late, and ends with the first good answer,
 * whoever of those asked gives it.
 *
 * Invariants: a tracker is busy from announce_next() to announce_done(), and is never contacted
 * twice at a time; `flight` is the busy tracker that the walk waits for, or NONE_; a tracker is
 * told "stopped" only when it was told "started" and only while we are stopped; after a walk over
 * which nobody answered due_at is later than now unless all are busy.
 */
#include "proto/base/text.h"
#include "proto/base/time.h"
#include "proto/tracker/announce_priv.h"

#define NONE         ANNOUNCE_NONE_
#define MIN_INTERVAL 60u    /* seconds; the floor unless announce_floor() says otherwise */
#define MAX_INTERVAL 86400u /* a day */
#define STD_INTERVAL 1800u  /* when the tracker does not say */
#define FIRST_WAIT   (15 * USEC_PER_SEC)
#define LAST_WAIT    (1800 * USEC_PER_SEC)
#define LATE         (10 * USEC_PER_SEC) /* so long the next tracker waits for the one before */
#define LATE_ALONE   (3 * USEC_PER_SEC)  /* the same, while nobody has named a peer yet */

/* --- time --- */

static uint32_t clamp_interval(const struct announce *a, uint32_t s)
{
	return MIN(MAX(s, a->floor), MAX_INTERVAL);
}

/* The tracker's minimum interval holds plain announces back until then. */
static int64_t again_at(const struct announce *a, const struct announce_tracker *t)
{
	uint32_t least = MIN(clamp_interval(a, t->min_interval), clamp_interval(a, t->interval));

	if (t->moved)
		least = a->floor;
	return t->answered_at == 0 ? 0 : t->answered_at + least * USEC_PER_SEC;
}

/* The next walk starts then; an earlier answer's interval does not count any more. */
static void set_due(struct announce *a, int64_t at)
{
	a->due_at = at;
	a->due_by = NONE;
}

static void hasten(struct announce *a, int64_t at)
{
	if (at < a->due_at)
		set_due(a, at);
}

static void set_due_by(struct announce *a, int i)
{
	const struct announce_tracker *t = &a->trackers[i];

	a->due_at = t->answered_at + clamp_interval(a, t->interval) * USEC_PER_SEC;
	a->due_by = i;
}

/* --- making --- */

struct announce *announce_new(const struct announce_urls *urls, uint64_t random)
{
	struct announce *a;

	ALLOC_OBJ(a, ANNOUNCE_MAGIC);
	a->floor = MIN_INTERVAL;
	a->walk = a->flight = a->due_by = NONE;
	rng_seed(&a->rng, random);
	announce_tiers_init(a, urls);
	return a;
}

void announce_free(struct announce **pa)
{
	struct announce *a;

	TAKE_OBJ(a, pa, ANNOUNCE_MAGIC);
	announce_tiers_fini(a);
	FREE_OBJ(a);
}

/* --- commands --- */

void announce_floor(struct announce *a, uint32_t seconds)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	a->floor = MAX(seconds, 1u);
	if (a->due_by != NONE)
		set_due_by(a, a->due_by);
}

void announce_start(struct announce *a, int64_t now)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	if (a->running)
		return;
	a->running = true;
	a->heard = false;
	a->walk = NONE;
	set_due(a, now);
	for (int i = 0; i < a->n; i++) {
		a->trackers[i].stop_due &= a->trackers[i].dropped;
		a->trackers[i].ready_at = 0;
	}
}

/* Whether the first of the new ones comes before who has answered last. */
static bool comes_first(const struct announce *a, int added)
{
	for (int i = 0; i < a->order_n; i++)
		if (a->order[i] == added || a->order[i] == a->due_by)
			return a->order[i] == added;
	return false;
}

void announce_edit(struct announce *a, const struct announce_urls *urls, int64_t now)
{
	int added;

	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	added = announce_tiers_edit(a, urls);
	if (!a->running)
		return;
	if (a->flight != NONE && a->trackers[a->flight].dropped)
		a->flight = NONE;
	if (a->due_by != NONE && a->trackers[a->due_by].dropped)
		a->due_by = NONE;
	if (a->walk == NONE && a->due_by != NONE && !(added != NONE && comes_first(a, added)))
		return;
	a->walk = NONE;
	set_due(a, now);
}

void announce_stop(struct announce *a)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	if (!a->running)
		return;
	a->running = false;
	a->walk = a->flight = NONE;
	for (int i = 0; i < a->n; i++)
		a->trackers[i].stop_due = a->trackers[i].started;
}

void announce_complete(struct announce *a, int64_t now)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	if (a->completed)
		return;
	a->completed = a->complete_due = true;
	hasten(a, now);
}

/* --- what to do --- */

static enum announce_event pick_event(const struct announce *a, const struct announce_tracker *t)
{
	if (!t->started)
		return ANNOUNCE_STARTED;
	if (a->complete_due && !a->completing)
		return ANNOUNCE_COMPLETED;
	return a->paused ? ANNOUNCE_PAUSED : ANNOUNCE_NONE;
}

/* Events go out at once; a plain announce, paused or not, also waits for the tracker's minimum
 * interval. */
static int64_t contact_at(const struct announce *a, const struct announce_tracker *t)
{
	enum announce_event e = pick_event(a, t);

	if (e != ANNOUNCE_NONE && e != ANNOUNCE_PAUSED)
		return t->ready_at;
	return MAX(t->ready_at, again_at(a, t));
}

int64_t announce_again(struct announce *a, int64_t now)
{
	int64_t first = INT64_MAX;

	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	for (int i = 0; i < a->n; i++) {
		const struct announce_tracker *t = &a->trackers[i];

		if (!t->dropped && (t->started || t->fails > 0))
			first = MIN(first, MAX(now, contact_at(a, t)));
	}
	if (first == INT64_MAX)
		first = now;
	hasten(a, first);
	return a->due_at;
}

void announce_pause(struct announce *a, bool paused, int64_t now)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	if (a->paused == paused)
		return;
	a->paused = paused;
	if (a->running)
		(void)announce_again(a, now);
}

int64_t announce_moved(struct announce *a, int64_t now)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	for (int i = 0; i < a->n; i++)
		a->trackers[i].moved =
			!a->trackers[i].dropped && (a->trackers[i].started || a->trackers[i].busy);
	return announce_again(a, now);
}

static int hand_out(struct announce *a, int i, enum announce_event e, struct announce_todo *todo)
{
	struct announce_tracker *t = &a->trackers[i];

	t->busy = true;
	t->moving = t->moved;
	t->moved = false;
	a->completing |= e == ANNOUNCE_COMPLETED;
	t->event = e;
	*todo = (struct announce_todo){
		.tracker = i, .event = e, .url = t->url, .trackerid = t->trackerid};
	return 1;
}

/* While we run, only those that are not the torrent's any more. */
static bool is_to_be_stopped(const struct announce *a, const struct announce_tracker *t)
{
	return t->stop_due && !t->busy && (t->dropped || !a->running);
}

static int next_stop(struct announce *a, struct announce_todo *todo)
{
	for (int i = 0; i < a->n; i++) {
		struct announce_tracker *t = &a->trackers[i];

		if (!is_to_be_stopped(a, t))
			continue;
		t->stop_due = false;
		return hand_out(a, i, ANNOUNCE_STOPPED, todo);
	}
	return 0;
}

/* Nobody is left to ask: the next walk starts when the first wait ends. */
static void end_walk(struct announce *a)
{
	int64_t first = INT64_MAX;

	for (int i = 0; i < a->n; i++)
		if (!a->trackers[i].busy && !a->trackers[i].dropped)
			first = MIN(first, contact_at(a, &a->trackers[i]));
	a->walk = NONE;
	set_due(a, first);
}

/* The next tracker of the walk that is ready, or the end of the walk. */
static bool walk_on(struct announce *a, int64_t now, struct announce_todo *todo)
{
	while (a->walk < a->order_n) {
		int i = a->order[a->walk++];
		const struct announce_tracker *t = &a->trackers[i];

		if (t->busy || now < contact_at(a, t))
			continue;
		a->flight = i;
		a->late_at = INT64_MAX;
		hand_out(a, i, pick_event(a, t), todo);
		return true;
	}
	end_walk(a);
	return false;
}

int announce_next(struct announce *a, int64_t now, struct announce_todo *todo)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	if (next_stop(a, todo) == 1)
		return 1;
	if (!a->running || a->order_n == 0 || (a->flight != NONE && now < a->late_at))
		return 0;
	a->flight = NONE; /* the answer of one that is late still counts */
	if (a->walk != NONE && walk_on(a, now, todo))
		return 1;
	/* Comes back only for a tracker that is ready by now, and then hands it out. */
	while (now >= a->due_at) {
		a->walk = 0;
		a->due_by = NONE;
		if (walk_on(a, now, todo))
			return 1;
	}
	return 0;
}

void announce_begun(struct announce *a, int tracker, int64_t now)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	must(tracker >= 0 && tracker < a->n);
	if (a->flight == tracker && a->late_at == INT64_MAX)
		a->late_at = now + (a->heard ? LATE : LATE_ALONE);
}

int64_t announce_deadline(const struct announce *a)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	for (int i = 0; i < a->n; i++)
		if (is_to_be_stopped(a, &a->trackers[i]))
			return 0;
	if (!a->running || a->order_n == 0)
		return INT64_MAX;
	if (a->flight != NONE)
		return a->late_at;
	return a->walk == NONE ? a->due_at : 0;
}

bool announce_stopped(const struct announce *a)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	for (int i = 0; i < a->n; i++)
		if (a->trackers[i].stop_due || a->trackers[i].busy)
			return false;
	return !a->running;
}

/* --- how it went --- */

/* Doubles with every failure, and is spread by a quarter either way so that torrents do not march
 * in step. */
static int64_t pick_wait(struct announce *a, uint32_t fails)
{
	int64_t wait = FIRST_WAIT << MIN(fails - 1, 7u);
	uint32_t spread = rng_below(&a->rng, 501);

	wait = wait / 1000 * (750 + spread);
	return MIN(wait, LAST_WAIT);
}

static void say(struct announce_tracker *t, const char *words)
{
	text_sanitise(t->message, sizeof t->message,
		(struct slice){(const uint8_t *)words, strlen(words)});
}

static void note_failure(struct announce *a, struct announce_tracker *t, enum err e,
	const struct announce_reply *reply, const char *text, int64_t now)
{
	t->status = ANNOUNCE_ERROR;
	if (reply != NULL && reply->failure[0] != '\0')
		say(t, reply->failure);
	else
		say(t, text != NULL && text[0] != '\0' ? text : err_words(e));
	if (t->fails < UINT32_MAX)
		t->fails++;
	t->ready_at = now + pick_wait(a, t->fails);
	/* A tracker that refuses may say for how long. */
	if (reply != NULL) {
		int64_t said = MAX(reply->interval, reply->min_interval) * USEC_PER_SEC;
		int64_t least = a->floor * USEC_PER_SEC;

		t->ready_at = MAX(t->ready_at, now + MAX(least, MIN(said, LAST_WAIT)));
	}
}

static void keep_trackerid(struct announce_tracker *t, const char *id)
{
	if (id[0] == '\0')
		return;
	xfree(t->trackerid);
	t->trackerid = xstrdup(id);
}

static void note_counts(struct announce_tracker *t, const struct announce_reply *r)
{
	if (r->complete >= 0)
		t->seeders = r->complete;
	if (r->incomplete >= 0)
		t->leechers = r->incomplete;
	if (r->downloaded >= 0)
		t->downloaded = r->downloaded;
}

static void note_success(
	struct announce *a, struct announce_tracker *t, const struct announce_reply *r, int64_t now)
{
	t->status = ANNOUNCE_WORKING;
	t->fails = 0;
	t->peers = r->peers_n;
	t->ready_at = now;
	t->answered_at = now;
	t->interval = MIN(r->interval != 0 ? r->interval : STD_INTERVAL, MAX_INTERVAL);
	/* A tracker that names no minimum, as none does over UDP, allows nothing shorter. */
	t->min_interval = r->min_interval != 0 ? r->min_interval : t->interval;
	a->heard |= r->peers_n > 0;
	say(t, r->warning);
	note_counts(t, r);
	keep_trackerid(t, r->trackerid);
}

/* The end of a "stopped"; nothing is tried again. */
static void settle_stopped(struct announce *a, struct announce_tracker *t, int64_t now)
{
	t->started = t->stop_due = false;
	if (a->running && !t->dropped)
		hasten(a, now);
}

/* The end of an announce that was under way when we stopped, or its tracker was dropped. */
static void settle_left(struct announce *a, struct announce_tracker *t, enum err e)
{
	/* What we gave up may have arrived. */
	if (t->event == ANNOUNCE_STARTED && (e == E_OK || e == E_CANCELLED))
		t->started = true;
	if (t->event == ANNOUNCE_COMPLETED && e == E_OK)
		a->complete_due = false;
	t->stop_due = t->started;
}

/* It was told that we are paused, or that we are not, and that has changed since. */
static bool is_outdated(const struct announce *a, const struct announce_tracker *t)
{
	return a->paused ? t->event == ANNOUNCE_NONE : t->event == ANNOUNCE_PAUSED;
}

/* The first good answer ends the walk, if one is under way, and says when the next one starts. */
static void settle_answer(struct announce *a, int i, int64_t now)
{
	struct announce_tracker *t = &a->trackers[i];

	t->started = true;
	if (t->event == ANNOUNCE_COMPLETED)
		a->complete_due = false;
	if (a->due_by == NONE) {
		announce_tiers_prefer(a, i);
		a->walk = a->flight = NONE;
		set_due_by(a, i);
	}
	if (a->complete_due)
		hasten(a, now);
	if (t->moved || is_outdated(a, t))
		hasten(a, contact_at(a, t));
}

static void settle_announce(struct announce *a, int i, enum err e, int64_t now)
{
	if (a->flight == i)
		a->flight = NONE;
	if (e == E_OK) {
		settle_answer(a, i, now);
	} else if (e == E_CANCELLED) {
		a->walk = a->flight = NONE;
		set_due(a, now);
	} else if (a->walk == NONE && a->due_by == NONE) {
		hasten(a, contact_at(a, &a->trackers[i]));
	}
}

void announce_done(struct announce *a, int tracker, const struct announce_reply *reply, enum err e,
	const char *text, int64_t now, int64_t wall)
{
	struct announce_tracker *t;

	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	must(tracker >= 0 && tracker < a->n);
	t = &a->trackers[tracker];
	must(t->busy);
	t->busy = false;
	a->completing &= t->event != ANNOUNCE_COMPLETED;
	if (e == E_OK && (reply == NULL || reply->failure[0] != '\0'))
		e = E_TRACKER;
	t->moved |= t->moving && e != E_OK;
	if (e != E_CANCELLED)
		t->last_wall = wall;
	if (e == E_OK)
		note_success(a, t, reply, now);
	else if (e != E_CANCELLED)
		note_failure(a, t, e, reply, text, now);
	if (t->event == ANNOUNCE_STOPPED)
		settle_stopped(a, t, now);
	else if (a->running && !t->dropped)
		settle_announce(a, tracker, e, now);
	else
		settle_left(a, t, e);
}

void announce_scraped(struct announce *a, int tracker, const struct announce_reply *reply)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	must(tracker >= 0 && tracker < a->n);
	note_counts(&a->trackers[tracker], reply);
}

/* --- what is seen --- */

int announce_count(const struct announce *a)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	return a->n;
}

/* The next walk asks trackers in order: this one is asked when it comes, unless it waits for
 * longer. */
static int64_t planned_at(const struct announce *a, const struct announce_tracker *t)
{
	if (!a->running || t->busy || t->dropped)
		return INT64_MAX;
	return MAX(a->due_at, contact_at(a, t));
}

void announce_view(const struct announce *a, int tracker, struct announce_view *out)
{
	const struct announce_tracker *t;

	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	must(tracker >= 0 && tracker < a->n);
	t = &a->trackers[tracker];
	*out = (struct announce_view){.url = t->url,
		.message = t->message,
		.status = t->status,
		.tier = t->tier,
		.fails = t->fails,
		.seeders = t->seeders,
		.leechers = t->leechers,
		.downloaded = t->downloaded,
		.peers = t->peers,
		.last_wall = t->last_wall,
		.next = planned_at(a, t),
		.least = contact_at(a, t),
		.busy = t->busy,
		.dropped = t->dropped};
}
