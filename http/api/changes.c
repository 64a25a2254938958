/* SPDX-License-Identifier: MIT */
/* Changes: parameters become one message to the session, which answers when they are durable. */
#include "http/api/priv.h"

#include <inttypes.h>
#include <stdio.h>

#include "http/api/render.h"

/* A body of JSON says of the JSON API what the query says of the original interface. */
static bool is_native(const struct request *r)
{
	return strncmp(request_resource(r)->path, "/api/", 5) == 0;
}

void api_answer_rev(struct request *r, uint64_t epoch, uint64_t rev)
{
	struct json_out o = {0};
	char text[17];

	snprintf(text, sizeof text, "%016" PRIx64, epoch);
	json_out_open(&o, '{');
	json_out_put(&o, "epoch", text, text);
	json_out_put(&o, "rev", uint, rev);
	json_out_close(&o, '}');
	answer_json(r, 200, &o);
}

static void on_set(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	struct m_torrent_set *set = m != NULL ? MSG_AS(TORRENT_SET, *m) : NULL;

	(void)a;
	if (err == E_NOT_FOUND && (set == NULL || set->why.text[0] == '\0'))
		answer_text(r, 404, "no torrent with this infohash");
	else if (err == E_OK && is_native(r))
		api_answer_rev(r, set->epoch, set->rev);
	else
		answer_err(r, err, set != NULL ? set->why.text : NULL);
	request_resume(r);
}

static bool is_global(enum torrent_op op)
{
	return op == GLOBAL_DOWN_RATE || op == GLOBAL_UP_RATE;
}

static bool read_encryption(struct request *r, uint64_t *value)
{
	unsigned i = 0;

	if (!param_choice(r, "encryption", encryption_words, &i))
		return false;
	*value = i;
	return true;
}

static bool read_flag(struct request *r, const char *name, bool required, uint64_t *value)
{
	bool on;

	if (required ? !param_flag(r, name, &on) : !param_bool(r, name, false, &on))
		return false;
	*value = on;
	return true;
}

static bool read_files(struct request *r, struct m_torrent_set *m)
{
	const char *name = request_resource(r)->methods == METHOD_PATCH ? "ranges" : "files";
	static const char *const words[] = {"skip", "low", "normal", "high", NULL};
	static const uint8_t priorities[] = {
		PRIORITY_SKIP, PRIORITY_LOW, PRIORITY_NORMAL, PRIORITY_TOP};
	unsigned i = 0;

	if (!param_choice(r, "priority", words, &i) ||
		!param_files(r, name, priorities[i], &m->files, &m->files_n))
		return false;
	if (m->files_n == 0)
		answer_text(
			r, 422, "parameter '%s' is missing: numbers such as 0,3-5, or all", name);
	return m->files_n > 0;
}

static bool read_move(struct request *r, struct m_torrent_set *m)
{
	static const char *const words[] = {[MOVE_TOP] = "top",
		[MOVE_UP] = "up",
		[MOVE_DOWN] = "down",
		[MOVE_BOTTOM] = "bottom",
		[MOVE_TO] = NULL};
	const char *to, *position;
	unsigned i = 0;

	if (!param_text(r, "to", &to) || !param_text(r, "position", &position))
		return false;
	if ((to != NULL) == (position != NULL)) {
		answer_text(r, 422,
			"one of the parameters 'to' (top, up, down, bottom) and 'position' (from "
			"1) "
			"must be there");
		return false;
	}
	if (position != NULL) {
		m->move = MOVE_TO;
		return param_count(r, "position", &m->value);
	}
	if (!param_choice(r, "to", words, &i))
		return false;
	m->move = (enum queue_move)i;
	return true;
}

static bool read_limits(struct request *r, struct m_torrent_set *m)
{
	if (!param_limit(r, "ratio", 3, &m->seed.ratio) ||
		!param_limit(r, "time", 0, &m->seed.time) ||
		!param_limit(r, "idle", 0, &m->seed.idle))
		return false;
	if (m->seed.ratio != SEED_KEEP || m->seed.time != SEED_KEEP || m->seed.idle != SEED_KEEP)
		return true;
	answer_text(
		r, 422, "at least one of the parameters 'ratio', 'time' and 'idle' must be there");
	return false;
}

bool api_read_labels(struct request *r, const char *name, char **labels)
{
	const char *text;

	if (!param_text(r, name, &text))
		return false;
	for (size_t n; text != NULL && *text != '\0'; text += n + (text[n] == ',')) {
		enum err e;

		n = strcspn(text, ",");
		e = wishes_add_label(labels, text, n);
		if (e == E_OK)
			continue;
		answer_text(r, 422,
			"parameter '%s': at most %u of %u bytes, none empty or with a control",
			name, LABELS_MAX, LABEL_MAX);
		return false;
	}
	return true;
}

bool api_read_change(struct request *r, struct m_torrent_set *m)
{
	switch (m->op) {
	case TORRENT_DOWN_RATE:
	case TORRENT_UP_RATE:
	case GLOBAL_DOWN_RATE:
	case GLOBAL_UP_RATE:
		return param_rate(r, "rate", true, &m->value);
	case TORRENT_START:
		return read_flag(r, "force", false, &m->value);
	case TORRENT_REMOVE:
		return read_flag(r, "delete", false, &m->value);
	case TORRENT_SEQUENTIAL:
	case TORRENT_FIRST_LAST:
	case TORRENT_DISCREET:
		return read_flag(r, "on", true, &m->value);
	case TORRENT_ENCRYPTION:
		return read_encryption(r, &m->value);
	case TORRENT_FILES:
		return read_files(r, m);
	case TORRENT_TRACKERS:
		return api_read_trackers(r, m);
	case TORRENT_MOVE:
		return read_move(r, m);
	case TORRENT_LABELS:
		return api_read_labels(r, "labels", &m->labels);
	case TORRENT_SEED_LIMITS:
		return read_limits(r, m);
	default:
		return true;
	}
}

void api_set(struct request *r)
{
	struct actor *a = request_actor(r);
	struct msg *h = msg_new(a, MSG_TORRENT_SET);
	struct m_torrent_set *m = container_of(h, struct m_torrent_set, h);

	m->op = (enum torrent_op)request_resource(r)->arg;
	if ((is_native(r) && request_body_len(r) > 0 && !param_json(r)) ||
		(!is_global(m->op) && !param_infohash(r, m->infohash)) || !api_read_change(r, m) ||
		!request_may_wait(r)) {
		msg_free(a, &h);
		return;
	}
	request_suspend(r);
	actor_call(a, ADDR_SESSION, &h, on_set, r);
}
