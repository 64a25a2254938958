/* SPDX-License-Identifier: MIT */
/*
 * The announce state machine of one torrent.
 *
 * order[] holds the trackers' numbers in the order walks take them: tiers in turn, each shuffled
 * once, a tracker that answered in front of its tier.  A walk is a position in order[]; there is
 * none between announces.
 *
 * Invariants: a tracker is busy from announce_next() to announce_done(), and is never contacted
 * twice at a time; `flight` is the busy tracker of the walk, or NONE; a tracker is told "stopped"
 * only when it was told "started" and only while we are stopped; after a walk over which nobody
 * answered due_at is later than now unless a tracker is still busy with its "stopped".
 */
#include "proto/tracker/announce.h"

#include "proto/base/rng.h"
#include "proto/base/text.h"

#define ANNOUNCE_MAGIC 0x616e6e63u /* "annc" */

#define SECOND       INT64_C(1000000)
#define MIN_INTERVAL 60u    /* seconds; the floor unless announce_floor() says otherwise */
#define MAX_INTERVAL 86400u /* a day */
#define STD_INTERVAL 1800u  /* when the tracker does not say */
#define FIRST_WAIT   (15 * SECOND)
#define LAST_WAIT    (1800 * SECOND)
#define NONE         (-1)

struct tracker {
	char *url;
	char *trackerid; /* owned; NULL: none */
	char message[256];
	enum announce_status status;
	enum announce_event event; /* what it is being told while busy */
	uint32_t tier, fails;
	uint32_t peers;
	int64_t seeders, leechers, downloaded;
	int64_t last_wall;
	int64_t tried_at; /* when it was contacted last; 0: never */
	int64_t ready_at; /* the end of its wait after failures */
	int64_t again_at; /* its minimum interval holds back plain announces until then */
	bool busy;
	bool started;  /* it was told "started" and not "stopped" */
	bool stop_due; /* it is to be told "stopped" */
};

struct announce {
	uint32_t magic;
	struct tracker *trackers;
	int *order;
	int n;
	int walk;   /* next position in order[]; NONE: no walk is under way */
	int flight; /* the tracker the walk waits for; NONE */
	bool running;
	bool completed;    /* announce_complete() was called */
	bool complete_due; /* and no tracker has taken it yet */
	bool completing;   /* but one is being told */
	int64_t due_at;    /* when the next walk starts */
	uint32_t floor;    /* seconds; no interval is shorter */
	struct rng rng;
};

/* --- making --- */

static bool has_prefix(struct slice s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n > n && memcmp(s.p, prefix, n) == 0;
}

static bool is_usable(struct slice url)
{
	if (url.n > ANNOUNCE_URL_MAX)
		return false;
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= 0x20 || url.p[i] >= 0x7f)
			return false;
	return has_prefix(url, "http://") || has_prefix(url, "https://") ||
	       has_prefix(url, "udp://");
}

static bool is_known(const struct announce *a, struct slice url)
{
	for (int i = 0; i < a->n; i++)
		if (strlen(a->trackers[i].url) == url.n &&
			memcmp(a->trackers[i].url, url.p, url.n) == 0)
			return true;
	return false;
}

static void add_tracker(struct announce *a, const struct announce_url *u)
{
	struct tracker *t = &a->trackers[a->n];

	t->url = xcalloc(1, u->url.n + 1);
	memcpy(t->url, u->url.p, u->url.n);
	t->tier = u->tier;
	t->seeders = t->leechers = t->downloaded = -1;
	a->order[a->n] = a->n;
	a->n++;
}

/* By tier, keeping the order within each: insertion, for lists are short and mostly sorted. */
static void sort_tiers(struct announce *a)
{
	for (int i = 1; i < a->n; i++) {
		int t = a->order[i], k = i;

		while (k > 0 && a->trackers[a->order[k - 1]].tier > a->trackers[t].tier) {
			a->order[k] = a->order[k - 1];
			k--;
		}
		a->order[k] = t;
	}
}

/* One past the last position of the tier that position `from` belongs to. */
static int tier_end(const struct announce *a, int from)
{
	int end = from + 1;

	while (end < a->n && a->trackers[a->order[end]].tier == a->trackers[a->order[from]].tier)
		end++;
	return end;
}

static void shuffle_tiers(struct announce *a)
{
	for (int from = 0; from < a->n; from = tier_end(a, from)) {
		for (int i = tier_end(a, from) - 1; i > from; i--) {
			int k = from + (int)rng_below(&a->rng, (uint32_t)(i - from + 1));
			int t = a->order[i];

			a->order[i] = a->order[k];
			a->order[k] = t;
		}
	}
}

struct announce *announce_new(const struct announce_urls *urls, uint64_t random)
{
	size_t room = MIN(urls->n, ANNOUNCE_TRACKERS_MAX);
	struct announce *a;

	ALLOC_OBJ(a, ANNOUNCE_MAGIC);
	a->floor = MIN_INTERVAL;
	a->trackers = xcalloc(room, sizeof *a->trackers);
	a->order = xcalloc(room, sizeof *a->order);
	a->walk = a->flight = NONE;
	rng_seed(&a->rng, random);
	for (size_t i = 0; i < urls->n && (size_t)a->n < room; i++)
		if (is_usable(urls->list[i].url) && !is_known(a, urls->list[i].url))
			add_tracker(a, &urls->list[i]);
	sort_tiers(a);
	shuffle_tiers(a);
	return a;
}

void announce_free(struct announce **pa)
{
	struct announce *a;

	TAKE_OBJ(a, pa, ANNOUNCE_MAGIC);
	for (int i = 0; i < a->n; i++) {
		xfree(a->trackers[i].url);
		xfree(a->trackers[i].trackerid);
	}
	xfree(a->trackers);
	xfree(a->order);
	FREE_OBJ(a);
}

/* --- commands --- */

void announce_floor(struct announce *a, uint32_t seconds)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	a->floor = MAX(seconds, 1u);
}

void announce_start(struct announce *a, int64_t now)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	if (a->running)
		return;
	a->running = true;
	a->walk = NONE;
	a->due_at = now;
	for (int i = 0; i < a->n; i++) {
		a->trackers[i].stop_due = false;
		a->trackers[i].ready_at = 0;
	}
}

void announce_stop(struct announce *a, int64_t now)
{
	(void)now;
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
	a->due_at = MIN(a->due_at, now);
}

/* Asked by hand: a tracker that failed may be tried a little after its last try. */
static int64_t earliest_again(const struct tracker *t)
{
	return MAX(t->again_at, t->fails > 0 ? t->tried_at + FIRST_WAIT : 0);
}

int64_t announce_again(struct announce *a, int64_t now)
{
	int64_t first = INT64_MAX;

	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	for (int i = 0; i < a->n; i++) {
		struct tracker *t = &a->trackers[i];
		int64_t at = MAX(now, earliest_again(t));

		t->ready_at = MIN(t->ready_at, at);
		if (t->started || t->fails > 0)
			first = MIN(first, at);
	}
	if (first == INT64_MAX)
		first = now;
	a->due_at = MIN(a->due_at, first);
	return a->due_at;
}

/* --- what to do --- */

static enum announce_event pick_event(const struct announce *a, const struct tracker *t)
{
	if (!t->started)
		return ANNOUNCE_STARTED;
	return a->complete_due && !a->completing ? ANNOUNCE_COMPLETED : ANNOUNCE_NONE;
}

/* Events go out at once; a plain announce also waits for the tracker's minimum interval. */
static int64_t contact_at(const struct announce *a, const struct tracker *t)
{
	if (pick_event(a, t) != ANNOUNCE_NONE)
		return t->ready_at;
	return MAX(t->ready_at, t->again_at);
}

static int hand_out(
	struct announce *a, int i, enum announce_event e, int64_t now, struct announce_todo *todo)
{
	struct tracker *t = &a->trackers[i];

	t->busy = true;
	a->completing |= e == ANNOUNCE_COMPLETED;
	t->event = e;
	t->tried_at = now;
	*todo = (struct announce_todo){
		.tracker = i, .event = e, .url = t->url, .trackerid = t->trackerid};
	return 1;
}

static int next_stop(struct announce *a, int64_t now, struct announce_todo *todo)
{
	for (int i = 0; i < a->n; i++) {
		struct tracker *t = &a->trackers[i];

		if (!t->stop_due || t->busy)
			continue;
		t->stop_due = false;
		return hand_out(a, i, ANNOUNCE_STOPPED, now, todo);
	}
	return 0;
}

/* Nobody is left to ask: the next walk starts when the first wait ends. */
static void end_walk(struct announce *a)
{
	int64_t first = INT64_MAX;

	for (int i = 0; i < a->n; i++)
		if (!a->trackers[i].busy)
			first = MIN(first, contact_at(a, &a->trackers[i]));
	a->walk = NONE;
	a->due_at = first;
}

/* The next tracker of the walk that is ready, or the end of the walk. */
static bool walk_on(struct announce *a, int64_t now, struct announce_todo *todo)
{
	while (a->walk < a->n) {
		int i = a->order[a->walk++];
		const struct tracker *t = &a->trackers[i];

		if (t->busy || now < contact_at(a, t))
			continue;
		a->flight = i;
		hand_out(a, i, pick_event(a, t), now, todo);
		return true;
	}
	end_walk(a);
	return false;
}

int announce_next(struct announce *a, int64_t now, struct announce_todo *todo)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	if (!a->running)
		return next_stop(a, now, todo);
	if (a->flight != NONE || a->n == 0)
		return 0;
	if (a->walk != NONE && walk_on(a, now, todo))
		return 1;
	/* Comes back only for a tracker that is ready by now, and then hands it out. */
	while (now >= a->due_at) {
		a->walk = 0;
		if (walk_on(a, now, todo))
			return 1;
	}
	return 0;
}

int64_t announce_deadline(const struct announce *a)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	if (!a->running) {
		for (int i = 0; i < a->n; i++)
			if (a->trackers[i].stop_due && !a->trackers[i].busy)
				return 0;
		return INT64_MAX;
	}
	if (a->flight != NONE || a->n == 0)
		return INT64_MAX;
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

static void say(struct tracker *t, const char *words)
{
	text_sanitise(t->message, sizeof t->message,
		(struct slice){(const uint8_t *)words, strlen(words)});
}

static void note_failure(struct announce *a, struct tracker *t, enum err e,
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
	if (reply != NULL)
		t->ready_at = MAX(t->ready_at,
			now + MIN(MAX(reply->interval, reply->min_interval) * SECOND, LAST_WAIT));
}

static void keep_trackerid(struct tracker *t, const char *id)
{
	if (id[0] == '\0')
		return;
	xfree(t->trackerid);
	t->trackerid = xstrdup(id);
}

static uint32_t clamp_interval(const struct announce *a, uint32_t s, uint32_t absent)
{
	return MIN(MAX(s ? s : absent, a->floor), MAX_INTERVAL);
}

/* Moves the tracker to the front of its tier (BEP 12). */
static void bring_forward(struct announce *a, int i)
{
	for (int from = 0; from < a->n; from = tier_end(a, from)) {
		int at = from, end = tier_end(a, from);

		while (at < end && a->order[at] != i)
			at++;
		if (at == end)
			continue;
		for (; at > from; at--)
			a->order[at] = a->order[at - 1];
		a->order[from] = i;
		return;
	}
}

static void note_counts(struct tracker *t, const struct announce_reply *r)
{
	if (r->complete >= 0)
		t->seeders = r->complete;
	if (r->incomplete >= 0)
		t->leechers = r->incomplete;
	if (r->downloaded >= 0)
		t->downloaded = r->downloaded;
}

/* Returns the interval in seconds. */
static uint32_t note_success(
	const struct announce *a, struct tracker *t, const struct announce_reply *r, int64_t now)
{
	uint32_t interval = clamp_interval(a, r->interval, STD_INTERVAL);
	uint32_t min_interval = MIN(clamp_interval(a, r->min_interval, a->floor), interval);

	t->status = ANNOUNCE_WORKING;
	t->fails = 0;
	t->peers = r->peers_n;
	t->ready_at = now;
	t->again_at = now + min_interval * SECOND;
	say(t, r->warning);
	note_counts(t, r);
	keep_trackerid(t, r->trackerid);
	return interval;
}

/* The end of a "stopped", or of an announce that was under way when we stopped: nothing is tried
 * again. */
static void settle_late(struct announce *a, struct tracker *t, bool ok, bool cancelled, int64_t now)
{
	if (t->event == ANNOUNCE_STOPPED) {
		t->started = t->stop_due = false;
		a->due_at = a->running ? MIN(a->due_at, now) : a->due_at;
		return;
	}
	/* What we gave up may have arrived. */
	if (t->event == ANNOUNCE_STARTED && (ok || cancelled))
		t->started = true;
	if (t->event == ANNOUNCE_COMPLETED && ok)
		a->complete_due = false;
	t->stop_due = !a->running && t->started;
	if (a->running)
		a->due_at = MIN(a->due_at, now);
}

/* The walk's tracker has answered, or not. */
static void settle_walk(
	struct announce *a, int i, const struct announce_reply *reply, enum err e, int64_t now)
{
	struct tracker *t = &a->trackers[i];
	uint32_t interval;

	a->flight = NONE;
	if (e == E_CANCELLED) {
		a->walk = NONE;
		a->due_at = now;
		return;
	}
	if (e != E_OK)
		return;
	interval = clamp_interval(a, reply->interval, STD_INTERVAL);
	t->started = true;
	if (t->event == ANNOUNCE_COMPLETED)
		a->complete_due = false;
	bring_forward(a, i);
	a->walk = NONE;
	a->due_at = a->complete_due ? now : now + interval * SECOND;
}

void announce_done(struct announce *a, int tracker, const struct announce_reply *reply, enum err e,
	const char *text, int64_t now, int64_t wall)
{
	struct tracker *t;

	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	must(tracker >= 0 && tracker < a->n);
	t = &a->trackers[tracker];
	must(t->busy);
	t->busy = false;
	a->completing &= t->event != ANNOUNCE_COMPLETED;
	if (e == E_OK && (reply == NULL || reply->failure[0] != '\0'))
		e = E_TRACKER;
	if (e != E_CANCELLED)
		t->last_wall = wall;
	if (e == E_OK)
		note_success(a, t, reply, now);
	else if (e != E_CANCELLED)
		note_failure(a, t, e, reply, text, now);
	if (a->flight == tracker)
		settle_walk(a, tracker, reply, e, now);
	else
		settle_late(a, t, e == E_OK, e == E_CANCELLED, now);
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
static int64_t planned_at(const struct announce *a, const struct tracker *t)
{
	if (!a->running || t->busy)
		return INT64_MAX;
	return MAX(a->due_at, contact_at(a, t));
}

void announce_view(const struct announce *a, int tracker, struct announce_view *out)
{
	const struct tracker *t;

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
		.busy = t->busy};
}
