/* SPDX-License-Identifier: MIT */
/* What is done to torrents that a list of hashes names. */
#include <stdlib.h>
#include <strings.h>

#include "http/qbittorrent/priv.h"
#include "proto/base/array.h"
#include "proto/base/priority.h"

/* --- that need nothing of the torrent --- */

/* One for each that is named; a copy of the only one there is so far. */
static void repeat_all(struct qcall *c)
{
	struct change first = c->changes.list[0];

	for (uint32_t i = 0; i < c->rows->n; i++) {
		struct change *one =
			changes_add(&c->changes, c->rows->v[i]->identity.infohash, first.op);

		one->value = first.value;
		one->seed = first.seed;
	}
	c->changes.n--;
	c->changes.list[0] = c->changes.list[c->changes.n];
	qcall_change(c, false);
}

/* The change for all that are named. */
static void change_all(struct qcall *c, const struct change *change)
{
	const char *hashes = qcall_param(c, "hashes");
	uint8_t(*list)[20];
	uint32_t n;

	if (strcmp(hashes, "all") == 0) {
		*changes_add(&c->changes, change->infohash, change->op) = *change;
		qrows_ask(c, NULL, repeat_all);
		return;
	}
	n = qhashes_read(hashes, &list);
	for (uint32_t i = 0; i < n; i++) {
		struct change *one = changes_add(&c->changes, list[i], change->op);

		one->value = change->value;
		one->seed = change->seed;
	}
	xfree(list);
	qcall_change(c, false);
}

void qb_torrent_act(struct qcall *c)
{
	struct change change = {.value = 0};

	CHECK_OBJ(c, QCALL_MAGIC);
	change.op = (enum torrent_op)c->method->arg;
	if (qcall_need(c, "hashes") != NULL)
		change_all(c, &change);
}

void qb_torrent_delete(struct qcall *c)
{
	struct change change = {.op = TORRENT_REMOVE};

	if (qcall_need(c, "hashes") == NULL || qcall_need(c, "deleteFiles") == NULL)
		return;
	change.value = qcall_bool(c, "deleteFiles", false);
	change_all(c, &change);
}

/* Without it the torrent is started all the same, and waits for its turn. */
void qb_torrent_force(struct qcall *c)
{
	struct change change = {.op = TORRENT_START};

	if (qcall_need(c, "hashes") == NULL || qcall_need(c, "value") == NULL)
		return;
	change.value = qcall_bool(c, "value", false);
	change_all(c, &change);
}

/* What every torrent is anyway may be asked for. */
void qb_torrent_flag(struct qcall *c)
{
	const char *name;

	CHECK_OBJ(c, QCALL_MAGIC);
	name = c->method->arg == 0 ? "value" : "enable";
	if (qcall_need(c, "hashes") == NULL || qcall_need(c, name) == NULL)
		return;
	if (qcall_bool(c, name, false))
		qcall_fail(c, 409, "it cannot be set for one torrent");
	else
		qcall_ok(c);
}

/* --- limits --- */

void qb_torrent_set_rate(struct qcall *c)
{
	struct change change = {.value = 0};
	int64_t limit;

	CHECK_OBJ(c, QCALL_MAGIC);
	change.op = (enum torrent_op)c->method->arg;
	if (qcall_need(c, "hashes") == NULL || qcall_need(c, "limit") == NULL)
		return;
	if (!qcall_int(c, "limit", &limit)) {
		qcall_fail(c, 400, "'limit' must be a number of bytes a second, 0 for none");
		return;
	}
	change.value = (uint64_t)MAX(limit, INT64_C(0));
	change_all(c, &change);
}

static bool write_rates(struct qcall *c, struct json_out *o, size_t end)
{
	(void)end;
	json_out_open(o, '{');
	for (uint32_t i = 0; i < c->rows->n; i++) {
		const struct torrent_row *r = c->rows->v[i];
		char hex[41];

		qhash_write(r->identity.infohash, hex);
		json_out_key_n(o, hex, 40);
		json_out_uint(o, c->method->arg == TORRENT_UP_RATE ? r->status.up_limit
								   : r->status.down_limit);
	}
	json_out_close(o, '}');
	return true;
}

static void on_rates(struct qcall *c)
{
	qcall_write(c, write_rates);
}

void qb_torrent_rates(struct qcall *c)
{
	if (qcall_need(c, "hashes") != NULL)
		qrows_ask(c, qcall_param(c, "hashes"), on_rates);
}

bool qseed_read(const char *text, double unit, int64_t max, int64_t *out)
{
	char *end;
	double n = strtod(text, &end);

	if (end == text || *end != '\0' || !(n >= -2 && n <= (double)max / unit))
		return false;
	*out = n == -2.0 ? SEED_GLOBAL : n < 0 ? 0 : MAX((int64_t)(n * unit + 0.5), INT64_C(1));
	return true;
}

void qb_torrent_share_limits(struct qcall *c)
{
	struct change change = {.op = TORRENT_SEED_LIMITS};
	const char *ratio = qcall_param(c, "ratioLimit"),
		   *time = qcall_param(c, "seedingTimeLimit");
	const char *idle = qcall_param(c, "inactiveSeedingTimeLimit");

	change.seed.idle = SEED_KEEP; /* it came with 4.6 */
	if (qcall_need(c, "hashes") == NULL || qcall_need(c, "ratioLimit") == NULL ||
		qcall_need(c, "seedingTimeLimit") == NULL)
		return;
	if (!qseed_read(ratio, 1000, SEED_RATIO_MAX, &change.seed.ratio) ||
		!qseed_read(time, 60, SEED_TIME_MAX, &change.seed.time) ||
		(idle != NULL && !qseed_read(idle, 60, SEED_TIME_MAX, &change.seed.idle)))
		qcall_fail(c, 400, "a limit must be a number: -2 as configured, -1 none");
	else
		change_all(c, &change);
}

/* --- that are made from what the torrent is --- */

static void on_toggle(struct qcall *c)
{
	enum torrent_op op = (enum torrent_op)c->method->arg;

	for (uint32_t i = 0; i < c->rows->n; i++) {
		const struct torrent_row *r = c->rows->v[i];

		changes_add(&c->changes, r->identity.infohash, op)->value =
			op == TORRENT_SEQUENTIAL ? !r->status.sequential : !r->status.first_last;
	}
	qcall_change(c, false);
}

void qb_torrent_toggle(struct qcall *c)
{
	if (qcall_need(c, "hashes") != NULL)
		qrows_ask(c, qcall_param(c, "hashes"), on_toggle);
}

static int compare_places(const void *a, const void *b)
{
	const struct torrent_row *const *x = a, *const *y = b;

	return ((*x)->status.place > (*y)->status.place) -
	       ((*x)->status.place < (*y)->status.place);
}

/* So that those who move together keep their order: who goes to the top or down last comes first.
 */
static void on_move(struct qcall *c)
{
	enum queue_move move = (enum queue_move)c->method->arg;
	bool backwards = move == MOVE_TOP || move == MOVE_DOWN;
	uint32_t n = c->rows->n;

	if (n > 1)
		qsort(c->rows->v, n, sizeof *c->rows->v, compare_places);
	for (uint32_t i = 0; i < n; i++)
		changes_add(&c->changes, c->rows->v[backwards ? n - 1 - i : i]->identity.infohash,
			TORRENT_MOVE)
			->move = move;
	qcall_change(c, true);
}

void qb_torrent_move(struct qcall *c)
{
	CHECK_OBJ(c, QCALL_MAGIC);
	if (qcall_need(c, "hashes") == NULL)
		return;
	if (c->config->queue_downloads == 0 && c->config->queue_seeds == 0)
		qcall_fail(c, 409, "torrent queueing must be enabled");
	else
		qrows_ask(c, qcall_param(c, "hashes"), on_move);
}

/* --- files --- */

static bool read_priority(const char *text, uint8_t *out)
{
	static const struct {
		const char *text;
		uint8_t priority;
	} words[] = {{"0", PRIORITY_SKIP}, {"1", PRIORITY_NORMAL}, {"6", PRIORITY_TOP - 1},
		{"7", PRIORITY_TOP}};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].text, text) == 0) {
			*out = words[i].priority;
			return true;
		}
	return false;
}

static void on_view(struct qcall *c)
{
	const struct torrent_view *t = qview_of(c);
	const char *ids = qcall_param(c, "id");
	struct change *one;
	struct slice part;
	uint32_t room = 0, file;
	uint8_t priority = PRIORITY_NORMAL;

	if (t->meta->bare) {
		qcall_fail(c, 409, "the torrent's metadata has not come yet");
		return;
	}
	(void)read_priority(qcall_param(c, "priority"), &priority);
	one = changes_add(&c->changes, t->infohash, TORRENT_FILES);
	while (qlist_next(&ids, '|', &part)) {
		struct file_wish wish = {.priority = priority};

		if (!qlist_number(part, &file)) {
			qcall_fail(c, 400, "'id' must be numbers of files");
			return;
		}
		if (file >= t->meta->files_n || one->files_n >= FILE_WISHES_MAX) {
			qcall_fail(c, 409, "'id' names a file that is not there, or too many");
			return;
		}
		wish.first = wish.last = file;
		ARRAY_PUSH(one->files, one->files_n, room, wish);
	}
	qcall_change(c, false);
}

void qb_torrent_file_priority(struct qcall *c)
{
	uint8_t priority;

	if (qcall_need(c, "hash") == NULL || qcall_need(c, "id") == NULL ||
		qcall_need(c, "priority") == NULL)
		return;
	if (!read_priority(qcall_param(c, "priority"), &priority))
		qcall_fail(c, 400, "'priority' must be 0, 1, 6 or 7");
	else
		qview_ask(c, "hash", 0, on_view);
}

/* --- where it lies, and what it is called --- */

static void on_location(struct qcall *c)
{
	const char *path = qcall_param(c, c->method->arg == 0 ? "location" : "path");

	for (uint32_t i = 0; i < c->rows->n; i++)
		if (strcmp(label_text(c->rows->v[i]->identity.path), path) != 0) {
			qcall_fail(c, 409,
				"the data of a torrent stays where it was added: remove the "
				"torrent, and add it with another savepath");
			return;
		}
	qcall_ok(c);
}

/* It may be named where it is. */
void qb_torrent_location(struct qcall *c)
{
	const char *list, *path;

	CHECK_OBJ(c, QCALL_MAGIC);
	list = c->method->arg == 0 ? "hashes" : "id";
	path = c->method->arg == 0 ? "location" : "path";
	if (qcall_need(c, list) == NULL || qcall_need(c, path) == NULL)
		return;
	if (qcall_param(c, path)[0] != '/')
		qcall_fail(c, 400, "the path must be absolute");
	else
		qrows_ask(c, qcall_param(c, list), on_location);
}

void qb_torrent_stays(struct qcall *c)
{
	static const char *const words[] = {
		"torrents and their files have the names that the torrent gives them",
		"trackers stay as they are: more of them come by adding a magnet link of the "
		"torrent that has them",
		"peers are found by the daemon itself",
	};

	CHECK_OBJ(c, QCALL_MAGIC);
	qcall_fail(c, 409, "%s", words[c->method->arg]);
}
