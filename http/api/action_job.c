/* SPDX-License-Identifier: MIT */
/* Changes of many torrents, some at a time, and the one answer to them. */
#include "http/api/action_job.h"

#include <inttypes.h>
#include <stdio.h>

#include "actors/kernel/random.h"
#include "http/api/priv.h"
#include "proto/base/array.h"

#define JOB_MAGIC 0x414a4f42u
#define WINDOW    64u /* messages under way */

struct failure {
	uint8_t infohash[20];
	enum err err;
	char *why; /* owned */
};

struct action_job {
	uint32_t magic;
	struct actor *actor;
	struct request *r; /* borrowed; NULL: it is over */
	struct action action;
	uint8_t (*hashes)[20];   /* owned */
	struct undo_item *items; /* owned; an undo: in the place of those two */
	uint32_t n, next;        /* torrents, or items; steps */
	unsigned steps_each, under_way, window;
	bool *failed;             /* owned, by torrent or item */
	struct failure *failures; /* owned: one of each */
	uint32_t failures_n, failures_room;
	bool again;    /* some failed that may succeed by and by */
	uint64_t undo; /* what is kept of it, or the undo that it carries out */
	bool undoes, kept;
};

/* What is under way, to know whose answer it is. */
struct step {
	uint32_t magic;
	struct action_job *job;
	uint32_t i;
};
#define STEP_MAGIC 0x53544550u

/* --- what it does --- */

void action_fini(struct actor *a, struct action *act)
{
	for (unsigned i = 0; i < act->n; i++) {
		struct msg *m = &act->set[i]->h;

		msg_free(a, &m);
	}
	*act = (struct action){0};
}

struct m_torrent_set *action_add(struct actor *a, struct action *act, enum torrent_op op)
{
	struct m_torrent_set *m = msg_new(a, MSG_TORRENT_SET);

	must(act->n < ARRAY_LEN(act->set));
	m->op = op;
	act->one_by_one |= op == TORRENT_MOVE;
	act->set[act->n++] = m;
	return m;
}

static void copy_set(struct m_torrent_set *to, const struct m_torrent_set *from)
{
	to->op = from->op;
	to->value = from->value;
	to->move = from->move;
	to->seed = from->seed;
	to->label_change = from->label_change;
	if (from->files_n > 0)
		to->files = xmemdup(from->files, from->files_n * sizeof *from->files);
	to->files_n = from->files_n;
	if (from->labels != NULL)
		to->labels = xstrdup(from->labels);
}

/* --- the answer --- */

static void job_free(struct action_job **pj)
{
	struct action_job *j;

	TAKE_OBJ(j, pj, JOB_MAGIC);
	action_fini(j->actor, &j->action);
	xfree(j->hashes);
	for (uint32_t i = 0; j->items != NULL && i < j->n; i++)
		undo_item_fini(&j->items[i]);
	xfree(j->items);
	xfree(j->failed);
	for (uint32_t i = 0; i < j->failures_n; i++)
		xfree(j->failures[i].why);
	xfree(j->failures);
	FREE_OBJ(j);
}

static const char *code_of(enum err e)
{
	switch (e) {
	case E_NOT_FOUND:
		return "no_such_torrent";
	case E_CHANGED:
		return "changed_since";
	case E_EXISTS:
		return "conflict";
	case E_RANGE:
	case E_PATH:
		return "invalid";
	case E_NOSPACE:
		return "no_space";
	case E_BUSY:
	case E_TIMEOUT:
	case E_OVERLOAD:
	case E_STOPPING:
		return "unavailable";
	default:
		return "internal";
	}
}

static void put_failures(const struct action_job *j, struct json_out *o)
{
	json_out_key(o, "failed");
	json_out_open(o, '[');
	for (uint32_t i = 0; i < j->failures_n; i++) {
		const struct failure *f = &j->failures[i];

		json_out_open(o, '{');
		json_out_put(o, "hash", hex, f->infohash, 20);
		json_out_put(o, "code", text, code_of(f->err));
		json_out_put(o, "detail", text, f->why);
		json_out_close(o, '}');
	}
	json_out_close(o, ']');
}

static void put_answer(
	const struct action_job *j, struct json_out *o, const struct m_torrent_rows *now)
{
	char text[24];

	snprintf(text, sizeof text, "%016" PRIx64, now->epoch_now);
	json_out_open(o, '{');
	json_out_put(o, "epoch", text, text);
	json_out_put(o, "rev", uint, now->rev);
	json_out_put(o, "done", uint, j->n - j->failures_n);
	put_failures(j, o);
	snprintf(text, sizeof text, "%012" PRIx64, j->undo);
	if (!j->undoes)
		json_out_put(o, "undo", text, j->kept ? text : NULL);
	json_out_close(o, '}');
}

/* The revision that has all of it is known now. */
static void on_rows(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct json_out o = {0};
	struct action_job *j;

	CAST_OBJ(j, ctx, JOB_MAGIC);
	shared_changed(a);
	if (j->r != NULL) {
		struct request *r = j->r;

		request_on_gone(r, NULL, NULL);
		if (err == E_OK) {
			put_answer(j, &o, MSG_AS(TORRENT_ROWS, *m));
			answer_json(r, 200, &o);
		} else {
			answer_err(r, err, NULL);
		}
		request_resume(r);
	}
	job_free(&j);
}

static void ask_revision(struct action_job *j)
{
	struct m_torrent_rows *m = msg_new(j->actor, MSG_TORRENT_ROWS);

	m->of = ROWS_PAGE;
	m->limit = 1;
	msg_call(j->actor, ADDR_SESSION, m, on_rows, j);
}

static void on_dropped(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct action_job *j;

	(void)a;
	(void)err;
	(void)m;
	CAST_OBJ(j, ctx, JOB_MAGIC);
	ask_revision(j);
}

/* An undo that has been carried out is over; what may still succeed is left for another try. */
static void end_job(struct action_job *j)
{
	struct m_undo *drop;

	if (!j->undoes || j->again) {
		ask_revision(j);
		return;
	}
	drop = msg_new(j->actor, MSG_UNDO_DROP);
	drop->id = j->undo;
	msg_call(j->actor, ADDR_STATE, drop, on_dropped, j);
}

/* --- steps --- */

static const uint8_t *hash_at(const struct action_job *j, uint32_t i)
{
	return j->undoes ? j->items[i].infohash : j->hashes[i];
}

static void note_failure(struct action_job *j, uint32_t i, enum err err, const char *why)
{
	struct failure f = {.err = err};

	j->again |= err == E_BUSY || err == E_TIMEOUT || err == E_STOPPING || err == E_OVERLOAD ||
		    err == E_NOSPACE;
	if (j->failed[i])
		return;
	j->failed[i] = true;
	memcpy(f.infohash, hash_at(j, i), sizeof f.infohash);
	if (why == NULL || why[0] == '\0')
		why = err == E_NOT_FOUND ? "no torrent has this infohash" : err_words(err);
	f.why = xstrdup(why);
	ARRAY_PUSH(j->failures, j->failures_n, j->failures_room, f);
}

static void send_some(struct action_job *j);

static void on_set(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	const struct m_torrent_set *set = m != NULL && *m != NULL ? MSG_AS(TORRENT_SET, *m) : NULL;
	struct action_job *j;
	struct step *step;

	(void)a;
	CAST_OBJ(step, ctx, STEP_MAGIC);
	j = step->job;
	j->under_way--;
	if (err != E_OK)
		note_failure(j, step->i, err, set != NULL ? set->why.text : NULL);
	else if (set != NULL)
		j->kept |= set->kept;
	FREE_OBJ(step);
	send_some(j);
}

/* Priorities as wishes: each run of equal ones is one. */
static void files_back(struct m_torrent_set *m, const struct undo_image *was)
{
	struct file_wish one = {.last = UINT32_MAX, .priority = PRIORITY_NORMAL};
	uint32_t room = 0;

	ARRAY_PUSH(m->files, m->files_n, room, one);
	for (uint32_t i = 0; i < was->data_n; i++) {
		struct file_wish *last = &m->files[m->files_n - 1];

		one = (struct file_wish){i, i, was->data[i]};
		if (i > 0 && last->priority == was->data[i])
			last->last = i;
		else
			ARRAY_PUSH(m->files, m->files_n, room, one);
	}
}

/* The message that puts it back. */
static void fill_back(struct m_torrent_set *m, const struct undo_item *item)
{
	m->op = (enum torrent_op)item->op;
	if (m->op == TORRENT_REMOVE) {
		m->op = TORRENT_RESTORE;
		return;
	}
	m->put_back = true;
	m->print = item->print;
	m->print_back = undo_image_print(&item->was);
	m->value = (uint64_t)MAX(item->was.value, 0);
	m->seed = item->was.seed;
	m->move = MOVE_TO;
	if (m->op == TORRENT_FILES)
		files_back(m, &item->was);
	if (m->op == TORRENT_LABELS && item->was.data != NULL) {
		m->labels = xcalloc(1, item->was.data_n + 1);
		memcpy(m->labels, item->was.data, item->was.data_n);
	}
}

static void send_step(struct action_job *j, uint32_t at)
{
	struct m_torrent_set *m = msg_new(j->actor, MSG_TORRENT_SET);
	struct step *step;

	ALLOC_OBJ(step, STEP_MAGIC);
	step->job = j;
	step->i = at / j->steps_each;
	if (j->undoes) {
		fill_back(m, &j->items[step->i]);
	} else {
		copy_set(m, j->action.set[at % j->steps_each]);
		m->undo = j->undo;
	}
	memcpy(m->infohash, hash_at(j, step->i), sizeof m->infohash);
	j->under_way++;
	msg_call(j->actor, ADDR_SESSION, m, on_set, step);
}

static void send_some(struct action_job *j)
{
	while (j->next < j->n * j->steps_each && j->under_way < j->window)
		send_step(j, j->next++);
	if (j->under_way == 0)
		end_job(j);
}

static void on_gone(void *ctx)
{
	struct action_job *j;

	CAST_OBJ(j, ctx, JOB_MAGIC);
	j->r = NULL;
}

static struct action_job *job_new(struct request *r, uint32_t n)
{
	struct action_job *j;

	ALLOC_OBJ(j, JOB_MAGIC);
	j->actor = request_actor(r);
	j->r = r;
	j->n = n;
	j->failed = xcalloc(MAX(n, 1u), sizeof *j->failed);
	j->steps_each = 1;
	j->window = WINDOW;
	request_on_gone(r, on_gone, j);
	return j;
}

void action_run(struct request *r, struct action *action, uint8_t (*hashes)[20], uint32_t n)
{
	struct action_job *j = job_new(r, n);

	must(action->n > 0);
	j->action = *action;
	*action = (struct action){0};
	j->hashes = hashes;
	j->steps_each = j->action.n;
	if (j->action.one_by_one)
		j->window = 1;
	j->undo = 1 + random_u64() % UNDO_ID_MAX;
	send_some(j);
}

void action_undo(struct request *r, struct m_undo *m)
{
	struct action_job *j = job_new(r, m->items_n);

	j->items = m->items;
	m->items = NULL;
	m->items_n = 0;
	j->undo = m->id;
	j->undoes = true;
	for (uint32_t i = 0; i < j->n; i++)
		if (j->items[i].op == TORRENT_MOVE)
			j->window = 1;
	send_some(j);
}
