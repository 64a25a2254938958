/* SPDX-License-Identifier: MIT */
/*
 * Actions on many torrents, named by info-hash or chosen by a filter, and undoing one.
 *
 * What each action is, is a line of the table; most are the changes of changes.c.  Nothing is ever
 * done to all because nothing was named.
 */
#include "http/api/action_job.h"
#include "http/api/priv.h"
#include "http/api/render.h"

#include <stdlib.h>

#include "proto/base/array.h"
#include "proto/base/encode.h"

/* --- what is done --- */

static bool read_plain(struct request *r, struct action *a, enum torrent_op op)
{
	return api_read_change(r, action_add(request_actor(r), a, op));
}

static bool read_force(struct request *r, struct action *a, enum torrent_op op)
{
	action_add(request_actor(r), a, op)->value = 1;
	return true;
}

static bool read_remove(struct request *r, struct action *a, enum torrent_op op)
{
	static const char *const words[] = {[REMOVAL_KEEP] = "keep",
		[REMOVAL_DELETE] = "delete",
		[REMOVAL_TRASH] = "trash",
		NULL};
	unsigned i = 0;

	if (!param_choice(r, "data", words, &i))
		return false;
	action_add(request_actor(r), a, op)->value = i;
	return true;
}

/* Exactly one of labels, add and remove. */
static bool read_labels(struct request *r, struct action *a, enum torrent_op op)
{
	static const char *const names[] = {
		[LABELS_SET] = "labels", [LABELS_ADD] = "add", [LABELS_TAKE] = "remove"};
	struct m_torrent_set *m = action_add(request_actor(r), a, op);
	unsigned given = 0;
	const char *text;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (!param_text(r, names[i], &text))
			return false;
		if (text == NULL)
			continue;
		given++;
		m->label_change = (enum label_change)i;
		if (!api_read_labels(r, names[i], &m->labels))
			return false;
	}
	if (given <= 1) /* none: an empty list of labels */
		return true;
	answer_text(r, 422, "give one of 'labels', 'add' and 'remove'");
	return false;
}

static bool read_limit(struct request *r, const char *name, struct action *a, enum torrent_op op)
{
	const char *text;
	uint64_t value;

	if (!param_text(r, name, &text))
		return false;
	if (text == NULL)
		return true;
	if (!param_index(r, name, &value))
		return false;
	action_add(request_actor(r), a, op)->value = value;
	return true;
}

/* Bytes/s here, as all of /api/v1; and when seeding is enough. */
static bool read_limits(struct request *r, struct action *a, enum torrent_op op)
{
	static const char *const names[] = {"ratio", "time", "idle"};
	bool seed = false;
	const char *text;

	if (!read_limit(r, "down", a, TORRENT_DOWN_RATE) ||
		!read_limit(r, "up", a, TORRENT_UP_RATE))
		return false;
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (!param_text(r, names[i], &text))
			return false;
		seed |= text != NULL;
	}
	if (seed)
		return read_plain(r, a, op);
	if (a->n > 0)
		return true;
	answer_text(r, 422,
		"at least one of 'down', 'up' (bytes/s), 'ratio', 'time' and 'idle' must be there");
	return false;
}

static const struct {
	const char *name;
	enum torrent_op op;
	bool (*read)(struct request *, struct action *, enum torrent_op); /* false: answered */
} actions[] = {
	{"start", TORRENT_START, read_plain},
	{"force", TORRENT_START, read_force},
	{"stop", TORRENT_STOP, read_plain},
	{"recheck", TORRENT_RECHECK, read_plain},
	{"reannounce", TORRENT_ANNOUNCE, read_plain},
	{"remove", TORRENT_REMOVE, read_remove},
	{"labels", TORRENT_LABELS, read_labels},
	{"limits", TORRENT_SEED_LIMITS, read_limits},
	{"files", TORRENT_FILES, read_plain},
	{"queue", TORRENT_MOVE, read_plain},
	{"sequential", TORRENT_SEQUENTIAL, read_plain},
	{"firstlast", TORRENT_FIRST_LAST, read_plain},
	{"encryption", TORRENT_ENCRYPTION, read_plain},
	{"discreet", TORRENT_DISCREET, read_plain},
};

/* false: answered. */
static bool read_action(struct request *r, struct action *out)
{
	const char *words[ARRAY_LEN(actions) + 1] = {NULL};
	unsigned i = 0;

	for (unsigned k = 0; k < ARRAY_LEN(actions); k++)
		words[k] = actions[k].name;
	return param_choice(r, "action", words, &i) && actions[i].read(r, out, actions[i].op);
}

/* --- to whom --- */

/* Owned by the caller; false: answered. */
static bool read_hashes(struct request *r, const char *text, uint8_t (**out)[20], uint32_t *n)
{
	uint32_t room = 0;

	*out = NULL;
	*n = 0;
	for (size_t len; *text != '\0'; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		ARRAY_RESERVE(*out, *n, room, 1);
		if (!hex_decode(text, len, (*out)[*n], 20)) {
			answer_text(r, 422, "each of 'hashes' must be 40 hex digits");
			return false;
		}
		if (++*n > ACTION_HASHES_MAX) {
			answer_text(r, 422, "at most %u torrents at once", ACTION_HASHES_MAX);
			return false;
		}
	}
	return true;
}

struct filter {
	const char *state, *name, *path; /* as long as the request; NULL: any */
};

static bool is_in_list(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (size_t len; *list != '\0'; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (len == n && memcmp(list, word, n) == 0)
			return true;
	}
	return false;
}

static bool fits(const struct filter *f, const struct torrent_row *row)
{
	return (f->state == NULL || is_in_list(f->state, status_words[row->status.status])) &&
	       (f->name == NULL || strcasestr(label_text(row->identity.name), f->name) != NULL) &&
	       (f->path == NULL || strcmp(label_text(row->identity.path), f->path) == 0);
}

/* false: answered. */
static bool read_filter(struct request *r, struct filter *f)
{
	if (!param_text(r, "state", &f->state) || !param_text(r, "name", &f->name) ||
		!param_text(r, "path", &f->path))
		return false;
	for (const char *at = f->state; at != NULL && *at != '\0';) {
		size_t n = strcspn(at, ",");
		unsigned i = 0;

		while (i < STATUS_MAX_ &&
			(strlen(status_words[i]) != n || memcmp(status_words[i], at, n) != 0))
			i++;
		if (i == STATUS_MAX_) {
			answer_text(r, 422, "'state' must be states of GET /api/v1/torrents");
			return false;
		}
		at += n + (at[n] == ',');
	}
	return true;
}

/* Runs it, and takes the hashes; false: answered. */
static bool act(struct request *r, uint8_t (*hashes)[20], uint32_t n)
{
	struct action action = {0};

	if (read_action(r, &action)) {
		action_run(r, &action, hashes, n);
		return true;
	}
	action_fini(request_actor(r), &action);
	xfree(hashes);
	return false;
}

/* Those that fit; owned by the caller.  More than may be are too many by one. */
static uint32_t choose(
	const struct m_torrent_rows *m, const struct filter *f, uint8_t (**hashes)[20])
{
	uint32_t n = 0, room = 0;

	*hashes = NULL;
	for (uint32_t i = 0; i < m->rows_n && n <= ACTION_HASHES_MAX; i++) {
		if (!fits(f, &m->rows[i]))
			continue;
		ARRAY_RESERVE(*hashes, n, room, 1);
		memcpy((*hashes)[n++], m->rows[i].identity.infohash, 20);
	}
	return n;
}

static void on_rows(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	uint8_t(*hashes)[20] = NULL;
	struct filter f;
	uint32_t n = 0;

	(void)a;
	if (err == E_OK && read_filter(r, &f))
		n = choose(MSG_AS(TORRENT_ROWS, *m), &f, &hashes);
	if (err == E_OK && n <= ACTION_HASHES_MAX && act(r, hashes, n))
		return;
	if (err != E_OK)
		answer_err(r, err, NULL);
	else if (n > ACTION_HASHES_MAX)
		answer_text(r, 422, "the filter fits more than %u torrents: take them in parts",
			ACTION_HASHES_MAX);
	if (n > ACTION_HASHES_MAX)
		xfree(hashes);
	request_resume(r);
}

/* Its words are looked at before anybody is asked. */
static void act_by_filter(struct request *r)
{
	struct action action = {0};
	struct m_torrent_rows *m;
	bool good = read_action(r, &action);

	action_fini(request_actor(r), &action);
	if (!good)
		return;
	m = msg_new(request_actor(r), MSG_TORRENT_ROWS);
	m->of = ROWS_PAGE;
	request_suspend(r);
	msg_call(request_actor(r), ADDR_SESSION, m, on_rows, r);
}

void api_actions(struct request *r)
{
	uint8_t(*hashes)[20] = NULL;
	struct filter f = {0};
	const char *text;
	bool filtered;
	uint32_t n;

	if ((request_body_len(r) > 0 && !param_json(r)) || !param_text(r, "hashes", &text) ||
		!read_filter(r, &f))
		return;
	filtered = f.state != NULL || f.name != NULL || f.path != NULL;
	if ((text != NULL) == filtered) {
		answer_text(r, 422,
			"name torrents: either 'hashes', a list of info-hashes, or a 'filter' with "
			"state, name or path, which is not empty");
		return;
	}
	if (!request_may_wait(r))
		return;
	if (filtered)
		act_by_filter(r);
	else if (!read_hashes(r, text, &hashes, &n))
		xfree(hashes);
	else if (act(r, hashes, n))
		request_suspend(r);
}

/* --- undo --- */

static void on_undo(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);

	(void)a;
	if (err == E_OK) {
		action_undo(r, MSG_AS(UNDO_LOAD, *m));
		return;
	}
	if (err == E_NOT_FOUND)
		answer_problem(r, 404, "no_such_undo",
			"there is nothing to undo by that id: it was undone already, or is older "
			"than a day");
	else
		answer_err(r, err, NULL);
	request_resume(r);
}

void api_undo(struct request *r)
{
	struct m_undo *m;
	const char *text;
	uint8_t id[6];

	if (!param_text(r, "id", &text))
		return;
	if (text == NULL || !hex_decode(text, strlen(text), id, sizeof id)) {
		answer_text(r, 422, "the id of an undo has 12 hex digits");
		return;
	}
	if (!request_may_wait(r))
		return;
	m = msg_new(request_actor(r), MSG_UNDO_LOAD);
	for (size_t i = 0; i < sizeof id; i++)
		m->id = m->id << 8 | id[i];
	request_suspend(r);
	msg_call(request_actor(r), ADDR_STATE, m, on_undo, r);
}
