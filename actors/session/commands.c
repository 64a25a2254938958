/* SPDX-License-Identifier: MIT */
/*
 * Commands for torrents that are there: written to the database, carried out, answered.
 *
 * A torrent's commands run one after the other in the order they came; the first of its list is the
 * one under way.  Asking for what is so already is answered at once and means no harm.  What each
 * command is, is one line of a table: the key it has in the database, the value that is there now,
 * the one that it asks for, and how it is carried out.
 */
#include "actors/session/priv.h"

#include "actors/kernel/log.h"
#include "actors/session/tracker_list.h"

static struct m_torrent_set *first_command(const struct torrent *t)
{
	struct msg *m = deferred_first(&t->commands);

	return m != NULL ? MSG_AS(TORRENT_SET, m) : NULL;
}

static void answer_first(struct torrent *t, enum err e)
{
	struct msg *m = deferred_pop(&t->commands);
	struct m_torrent_set *c = MSG_AS(TORRENT_SET, m);

	session_tell_rev(t->session, c);
	actor_reply(t->session->actor, &m, e);
}

/* The torrent is gone for everybody who asked after the one that removed it. */
static void refuse_commands(struct torrent *t)
{
	while (first_command(t) != NULL)
		answer_first(t, E_NOT_FOUND);
}

/* --- starting and stopping --- */

static int64_t get_run(const struct torrent *t)
{
	return t->run;
}

static int64_t ask_start(const struct torrent *t, const struct m_torrent_set *c)
{
	bool overridden =
		torrent_started(t) ? (t->run & RUN_LIMIT_OVERRIDDEN) != 0 : seed_limits_reached(t);

	return RUN_STARTED | (c->value != 0 ? RUN_FORCED : 0) |
	       (overridden ? RUN_LIMIT_OVERRIDDEN : 0);
}

static int64_t ask_stop(const struct torrent *t, const struct m_torrent_set *c)
{
	(void)c;
	return torrent_started(t) ? 0 : t->run;
}

static void set_run(struct torrent *t, const struct m_torrent_set *c, int64_t value)
{
	(void)c;
	t->run = (unsigned)value;
	torrent_mark(t);
	if (torrent_started(t))
		torrent_step(t, TEVENT_RETRY);
}

/* --- wishes --- */

static int64_t ask_value(const struct torrent *t, const struct m_torrent_set *c)
{
	(void)t;
	return (int64_t)MIN(c->value, (uint64_t)INT64_MAX);
}

static int64_t ask_bool(const struct torrent *t, const struct m_torrent_set *c)
{
	(void)t;
	return c->value != 0;
}

static void wish(struct torrent *t)
{
	t->told_wishes = false;
	torrent_mark(t);
}

static int64_t get_down_limit(const struct torrent *t)
{
	return (int64_t)t->wishes.down_limit;
}

static void set_down_limit(struct torrent *t, const struct m_torrent_set *c, int64_t value)
{
	(void)c;
	t->wishes.down_limit = (uint64_t)value;
	wish(t);
}

static int64_t get_up_limit(const struct torrent *t)
{
	return (int64_t)t->wishes.up_limit;
}

static void set_up_limit(struct torrent *t, const struct m_torrent_set *c, int64_t value)
{
	(void)c;
	t->wishes.up_limit = (uint64_t)value;
	wish(t);
}

static int64_t get_sequential(const struct torrent *t)
{
	return t->wishes.sequential;
}

static void set_sequential(struct torrent *t, const struct m_torrent_set *c, int64_t value)
{
	(void)c;
	t->wishes.sequential = value != 0;
	wish(t);
}

static int64_t get_encryption(const struct torrent *t)
{
	return t->wishes.encryption;
}

static void set_encryption(struct torrent *t, const struct m_torrent_set *c, int64_t value)
{
	(void)c;
	t->wishes.encryption = (enum wish_encryption)value;
	wish(t);
}

static int64_t get_first_last(const struct torrent *t)
{
	return t->wishes.first_last;
}

static void set_first_last(struct torrent *t, const struct m_torrent_set *c, int64_t value)
{
	(void)c;
	t->wishes.first_last = value != 0;
	wish(t);
}

/* --- labels --- */

/* The labels after the command, owned by the caller; NULL: none. */
static char *labels_of(const struct torrent *t, const struct m_torrent_set *c)
{
	return wishes_change_labels(label_text(t->wishes.labels), c->labels, c->label_change);
}

static int64_t ask_labels(const struct torrent *t, const struct m_torrent_set *c)
{
	const char *now = label_text(t->wishes.labels);
	char *then = labels_of(t, c);
	bool changes = now == NULL || then == NULL ? now != then : strcmp(now, then) != 0;

	xfree(then);
	return changes;
}

static void put_labels(
	const struct torrent *t, const struct m_torrent_set *c, struct m_state_set *set)
{
	char *then = labels_of(t, c);

	set->data = (uint8_t *)then;
	set->data_n = then != NULL ? (uint32_t)strlen(then) + 1 : 0;
}

/* Nobody else acts upon them. */
static void set_labels(struct torrent *t, const struct m_torrent_set *c, int64_t value)
{
	char *then = labels_of(t, c);

	(void)value;
	label_set(&t->wishes.labels, then);
	torrent_changed(t);
	xfree(then);
}

/* --- files --- */

/* The priorities after the command, owned by the caller; it was checked. */
static uint8_t *files_of(const struct torrent *t, const struct m_torrent_set *c)
{
	struct words why;
	uint8_t *out;

	must(files_wish(t->meta, t->wishes.file_priority, c->files, c->files_n, &out, &why) ==
		E_OK);
	return out;
}

static void set_files(struct torrent *t, const struct m_torrent_set *c, int64_t value)
{
	struct words why;
	uint8_t *list;

	(void)value;
	if (t->meta->bare) {
		(void)files_choose(t, c->files, c->files_n, &why);
		return;
	}
	list = files_of(t, c);
	if (!files_equal(t, list))
		torrent_set_files(t, &list);
	xfree(list);
}

/* 1: something changes. */
static int64_t ask_files(const struct torrent *t, const struct m_torrent_set *c)
{
	uint8_t *list;
	bool changes;

	if (t->meta->bare)
		return 1; /* who knows */
	list = files_of(t, c);
	changes = !files_equal(t, list);
	xfree(list);
	return changes;
}

static void put_choice(
	const struct torrent *t, const struct m_torrent_set *c, struct m_state_set *set)
{
	set->key = STATE_CHOICE;
	set->choice = files_choice_with(t, c->files, c->files_n, &set->choice_n);
}

static void put_files(
	const struct torrent *t, const struct m_torrent_set *c, struct m_state_set *set)
{
	if (t->meta->bare) {
		put_choice(t, c, set);
		return;
	}
	set->data = files_of(t, c);
	set->data_n = set->data != NULL ? t->meta->files_n : 0;
}

static enum err check_files(const struct torrent *t, struct m_torrent_set *c)
{
	uint8_t *list;
	enum err e;

	if (t->meta->bare)
		return files_may_choose(t, c->files, c->files_n, &c->why);
	e = files_wish(t->meta, t->wishes.file_priority, c->files, c->files_n, &list, &c->why);

	xfree(list);
	return e;
}

/* --- limits on seeding --- */

static int64_t keep_or(int64_t old, int64_t asked)
{
	return asked == SEED_KEEP ? old : asked;
}

static struct seed_limits seed_of(const struct torrent *t, const struct m_torrent_set *c)
{
	return (struct seed_limits){
		.ratio = keep_or(t->seed.ratio, c->seed.ratio),
		.time = keep_or(t->seed.time, c->seed.time),
		.idle = keep_or(t->seed.idle, c->seed.idle),
	};
}

static void put_seed_limits(
	const struct torrent *t, const struct m_torrent_set *c, struct m_state_set *set)
{
	set->seed = seed_of(t, c);
}

static void set_seed_limits(struct torrent *t, const struct m_torrent_set *c, int64_t value)
{
	(void)value;
	t->seed = seed_of(t, c);
	t->run &= ~(unsigned)RUN_LIMIT_OVERRIDDEN;
	torrent_mark(t);
}

/* --- checking and removing --- */

/* The database has nothing to compare with: it is news each time. */
static int64_t get_nothing(const struct torrent *t)
{
	(void)t;
	return 0;
}

static int64_t ask_one(const struct torrent *t, const struct m_torrent_set *c)
{
	(void)t;
	(void)c;
	return 1;
}

/* The mark in the database stays until the check has ended, in this run or the next. */
static void set_check(struct torrent *t, const struct m_torrent_set *c, int64_t value)
{
	(void)c;
	(void)value;
	torrent_step(t, TEVENT_CHECK);
}

static enum err check_known(const struct torrent *t, struct m_torrent_set *c)
{
	if (!t->meta->bare)
		return E_OK;
	snprintf(c->why.text, sizeof c->why.text,
		"there is nothing to check: the torrent's metadata has not come yet");
	return E_EXISTS;
}

/* --- who may hear of it --- */

static int64_t get_discreet(const struct torrent *t)
{
	return t->wishes.discreet;
}

static int64_t ask_discreet(const struct torrent *t, const struct m_torrent_set *c)
{
	(void)t;
	return c->value != 0 ? DISCREET_ON : DISCREET_OFF;
}

static void set_discreet(struct torrent *t, const struct m_torrent_set *c, int64_t value)
{
	(void)c;
	t->wishes.discreet = (enum discreet)value;
	wish(t);
}

static enum err check_remove(const struct torrent *t, struct m_torrent_set *c)
{
	if (c->value != REMOVAL_TRASH || t->session->config->trash_keep > 0)
		return E_OK;
	snprintf(c->why.text, sizeof c->why.text,
		"there is no trash: trash.keep is 0; keep the data or delete it");
	return E_RANGE;
}

static int64_t ask_remove(const struct torrent *t, const struct m_torrent_set *c)
{
	(void)t;
	return (int64_t)c->value + 1; /* see enum state_removing */
}

/* --- the table --- */

static const struct command {
	enum state_key key;
	int64_t (*get)(const struct torrent *);
	int64_t (*ask)(const struct torrent *, const struct m_torrent_set *);
	/* NULL: it ends the torrent. */
	void (*set)(struct torrent *, const struct m_torrent_set *, int64_t value);
	/* What the database gets besides the value; NULL: nothing. */
	void (*put)(const struct torrent *, const struct m_torrent_set *, struct m_state_set *);
	/* Words go into the command; NULL: it can be carried out always. */
	enum err (*check)(const struct torrent *, struct m_torrent_set *);
} commands[TORRENT_OPS] = {
	[TORRENT_START] = {STATE_RUN, get_run, ask_start, set_run, NULL, NULL},
	[TORRENT_STOP] = {STATE_RUN, get_run, ask_stop, set_run, NULL, NULL},
	[TORRENT_REMOVE] = {STATE_REMOVING, get_nothing, ask_remove, NULL, NULL, check_remove},
	[TORRENT_DOWN_RATE] = {STATE_DOWN_LIMIT, get_down_limit, ask_value, set_down_limit, NULL,
		NULL},
	[TORRENT_UP_RATE] = {STATE_UP_LIMIT, get_up_limit, ask_value, set_up_limit, NULL, NULL},
	[TORRENT_RECHECK] = {STATE_CHECK, get_nothing, ask_one, set_check, NULL, check_known},
	[TORRENT_DISCREET] = {STATE_DISCREET, get_discreet, ask_discreet, set_discreet, NULL, NULL},
	[TORRENT_FILES] = {STATE_FILES, get_nothing, ask_files, set_files, put_files, check_files},
	[TORRENT_LABELS] = {STATE_LABELS, get_nothing, ask_labels, set_labels, put_labels, NULL},
	[TORRENT_TRACKERS] = {STATE_TRACKERS, get_nothing, trackers_ask, trackers_set, trackers_put,
		trackers_check},
	[TORRENT_SEQUENTIAL] = {STATE_SEQUENTIAL, get_sequential, ask_bool, set_sequential, NULL,
		NULL},
	[TORRENT_FIRST_LAST] = {STATE_FIRST_LAST, get_first_last, ask_bool, set_first_last, NULL,
		NULL},
	[TORRENT_SEED_LIMITS] = {STATE_SEED_LIMITS, get_nothing, ask_one, set_seed_limits,
		put_seed_limits, NULL},
	[TORRENT_ENCRYPTION] = {STATE_ENCRYPTION, get_encryption, ask_value, set_encryption, NULL,
		NULL},
};

/* --- carrying them out --- */

static void next_command(struct torrent *t);

/* The value that the command asks for, as the database has it. */
static int64_t asked(const struct torrent *t, const struct m_torrent_set *c)
{
	const struct command *k = &commands[c->op];

	return c->put_back && k->get != get_nothing ? (int64_t)c->value : k->ask(t, c);
}

/* The database keeps how it was together with the change. */
static void keep_undo(const struct torrent *t, struct m_torrent_set *c, struct m_state_set *set)
{
	struct undo_image was, now = {.seed = set->seed};
	uint32_t n = set->data_n;

	if (c->undo == 0 || !image_of(t, c->op, &was))
		return;
	if (commands[c->op].get != get_nothing)
		now.value = set->value;
	if (c->op == TORRENT_LABELS && n > 0)
		n--; /* its NUL */
	if (n > 0) {
		now.data = xmemdup(set->data, n);
		now.data_n = n;
	}
	image_keep(t, c, set, &was, &now);
}

static void copy_why(struct m_torrent_set *c, struct msg *const *m)
{
	if (m != NULL && *m != NULL)
		c->why = MSG_AS(STATE_SET, *m)->why;
}

static void on_saved(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *t;
	struct m_torrent_set *c;
	enum removal removal;
	bool remove;

	(void)a;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	t->saving = false;
	c = first_command(t);
	remove = commands[c->op].set == NULL;
	removal = (enum removal)c->value;
	if (err != E_OK)
		copy_why(c, m);
	else if (!remove)
		commands[c->op].set(t, c, asked(t, c));
	answer_first(t, err);
	if (err == E_OK && remove) {
		refuse_commands(t);
		torrent_remove(t, removal);
	} else if (err != E_STOPPING) {
		torrent_saved(t);
	}
}

void torrent_saved(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	t->saving = false;
	deferred_move(&t->session->again, &t->adds);
	torrent_found(t);
	next_command(t);
}

static void save_first(struct torrent *t)
{
	struct m_torrent_set *c = first_command(t);
	const struct command *k = &commands[c->op];
	struct m_state_set *set = msg_new(t->session->actor, MSG_STATE_SET);
	struct msg *m = &set->h;

	set->row = t->row;
	set->key = k->key;
	set->value = asked(t, c);
	if (k->put != NULL)
		k->put(t, c, set);
	keep_undo(t, c, set);
	t->saving = true;
	actor_call_within(t->session->actor, ADDR_STATE, &m, STATE_TIMEOUT, on_saved, t);
}

static enum err check_command(const struct torrent *t, struct m_torrent_set *c)
{
	const struct command *k = &commands[c->op];
	enum err e = c->put_back ? image_check(t, c) : E_OK;

	return e == E_OK && k->check != NULL ? k->check(t, c) : e;
}

static void next_command(struct torrent *t)
{
	struct m_torrent_set *c;

	while (!t->saving && (c = first_command(t)) != NULL) {
		const struct command *k = &commands[c->op];
		enum err e = c->op == TORRENT_PLACE ? E_OK : check_command(t, c);

		if (c->op == TORRENT_PLACE) {
			t->saving = torrent_shift(t, c, &e);
			if (t->saving)
				return;
			answer_first(t, e);
			continue;
		}
		if (e == E_OK && asked(t, c) != k->get(t)) {
			save_first(t);
			return;
		}
		if (e == E_OK)
			k->set(t, c, asked(t, c));
		/* What is to be undone may be so already. */
		answer_first(t, e == E_EXISTS && c->put_back ? E_OK : e);
	}
	torrent_mark(t); /* the limits on seeding look away while a command is under way */
}

void commands_shift_ended(struct torrent *t, enum err err, const struct words *why)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (why != NULL) {
		first_command(t)->why = *why;
		answer_first(t, err);
	}
	torrent_saved(t);
}

/* --- the limits of the whole daemon --- */

static void on_global_saved(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct session *s = session_of(a);
	struct msg *held;
	struct m_torrent_set *c;

	CAST_OBJ(held, ctx, MSG_MAGIC);
	c = MSG_AS(TORRENT_SET, held);
	if (err != E_OK) {
		copy_why(c, m);
	} else if (c->op == GLOBAL_DOWN_RATE) {
		s->has_down_limit = true;
		s->down_limit = c->value;
	} else {
		s->has_up_limit = true;
		s->up_limit = c->value;
	}
	if (err == E_OK)
		session_send_limits(s);
	actor_reply(a, &held, err);
}

static void set_global(struct session *s, struct msg **m)
{
	const struct m_torrent_set *c = MSG_AS(TORRENT_SET, *m);
	struct m_state_set *set = msg_new(s->actor, MSG_STATE_SET);
	struct msg *put = &set->h;

	set->key = c->op == GLOBAL_DOWN_RATE ? STATE_GLOBAL_DOWN_LIMIT : STATE_GLOBAL_UP_LIMIT;
	set->value = ask_value(NULL, c);
	actor_call_within(s->actor, ADDR_STATE, &put, STATE_TIMEOUT, on_global_saved, *m);
	*m = NULL;
}

void session_on_set(struct actor *a, struct msg **m)
{
	struct session *s = session_of(a);
	const struct m_torrent_set *c = MSG_AS(TORRENT_SET, *m);
	struct torrent *t;

	if (session_defer_early(s, m))
		return;
	if (c->op == GLOBAL_DOWN_RATE || c->op == GLOBAL_UP_RATE) {
		set_global(s, m);
		return;
	}
	t = torrent_find(s, c->infohash);
	if (c->op == TORRENT_RESTORE || c->op == TORRENT_FORGET) {
		session_set_removed(s, t, m);
		return;
	}
	if (t == NULL || !torrent_listed(t)) {
		actor_reply(a, m, E_NOT_FOUND);
		return;
	}
	if (c->op == TORRENT_ANNOUNCE) {
		torrent_announce(t);
		session_tell_rev(s, MSG_AS(TORRENT_SET, *m));
		actor_reply(a, m, E_OK);
		return;
	}
	if (c->op == TORRENT_MOVE) {
		session_move(s, m);
		return;
	}
	must(c->op == TORRENT_PLACE || (c->op < TORRENT_OPS && commands[c->op].ask != NULL));
	deferred_push(&t->commands, m);
	next_command(t);
}
