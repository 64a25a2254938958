/* SPDX-License-Identifier: MIT */
/*
 * torrent-set: what differs from what is becomes changes, of all torrents or, where one of the
 * values cannot be had, of none.
 *
 * Some of what Transmission has of a torrent is not there.  It may be named with the value that it
 * is shown with, for programs send what they were told, and with no other.
 */
#include "http/transmission/set.h"

#include "http/transmission/facts.h"
#include "http/transmission/items.h"
#include "http/transmission/look.h"

/* --- what is not there --- */

static bool is_int(const json_t *v, int64_t n)
{
	return json_is_integer(v) && json_integer_value(v) == n;
}

static bool is_text(const json_t *v, const char *text)
{
	return json_is_string(v) && strcmp(json_string_value(v), text) == 0;
}

const char *set_fixed(const struct rcall *c)
{
	const json_t *v;

	if ((v = rcall_arg(c, "bandwidth_priority")) != NULL && !is_int(v, 0))
		return "bandwidthPriority must be 0: all torrents are alike";
	if ((v = rcall_arg(c, "group")) != NULL && !is_text(v, ""))
		return "group must be empty: there are no groups";
	if ((v = rcall_arg(c, "honors_session_limits")) != NULL && !json_is_true(v))
		return "honorsSessionLimits must be true: the limit on everything counts for all";
	if ((v = rcall_arg(c, "peer_limit")) != NULL &&
		!is_int(v, rcall_config(c)->peers_max_per_torrent))
		return "peer-limit cannot be set for one torrent: peers.max_per_torrent is that of "
		       "all";
	return NULL;
}

static bool same_trackers(const json_t *v, const struct metainfo *m)
{
	struct json_out o = {0};
	json_t *is;
	bool same;

	item_tracker_list(&o, m);
	is = json_loadb(o.p, o.n, JSON_DECODE_ANY, NULL);
	same = json_equal(is, v) != 0;
	json_decref(is);
	json_out_fini(&o);
	return same;
}

static const char *check_trackers(const struct rcall *c, const struct torrent_view *t)
{
	static const char *const lists[] = {"tracker_add", "tracker_remove", "tracker_replace"};
	const json_t *v = rcall_arg(c, "tracker_list");
	bool same = v == NULL || same_trackers(v, t->meta);

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		same = same && json_array_size(rcall_arg(c, lists[i])) == 0;
	return same ? NULL
		    : "trackers stay as they are: more of them come by adding a magnet link of the "
		      "torrent that has them";
}

/* --- limits --- */

static const char *set_rate(
	const struct rcall *c, const struct torrent_view *t, struct changes *s, bool up)
{
	const char *name = up ? "upload_limit" : "download_limit";
	uint64_t is = up ? t->up_limit : t->down_limit, wanted = 0;
	bool on = rcall_bool(c, up ? "upload_limited" : "download_limited", is != 0);
	int64_t given = 0;
	bool has_value = rcall_int(c, name, &given);

	if ((rcall_arg(c, name) != NULL && !has_value) || given < 0 || given > SET_LIMIT_MAX)
		return "a speed limit must be a number of kB/s";
	if (on && has_value)
		wanted = (uint64_t)MAX(given, INT64_C(1)) * 1000;
	else if (on)
		wanted = is != 0 ? is
				 : rcall_rpc(c)->kept[up ? PAIR_SPEED_UP : PAIR_SPEED_DOWN] * 1000;
	if (wanted != is)
		changes_add(s, t, up ? TORRENT_UP_RATE : TORRENT_DOWN_RATE)->value = wanted;
	return NULL;
}

/* As configured, its own, none; of its own, none is the least there is. */
static bool read_seed(const struct rcall *c, const char *mode_name, const char *name, double unit,
	int64_t is, uint64_t kept, int64_t *out)
{
	int64_t mode = is == SEED_GLOBAL ? 0 : is > 0 ? 1 : 2;
	double given = is > 0 ? (double)is / unit : (double)kept / unit;

	if ((rcall_arg(c, mode_name) != NULL && !rcall_int(c, mode_name, &mode)) ||
		(rcall_arg(c, name) != NULL && !rcall_real(c, name, &given)) || mode < 0 ||
		mode > 2 || !(given >= 0 && given <= (double)SET_LIMIT_MAX / unit))
		return false;
	*out = mode == 0   ? SEED_GLOBAL
	       : mode == 2 ? 0
			   : MAX((int64_t)(given * unit + 0.5), INT64_C(1));
	return true;
}

static const char *set_seed(const struct rcall *c, const struct torrent_view *t, struct changes *s)
{
	const uint64_t *kept = rcall_rpc(c)->kept;
	struct seed_limits wanted = {.time = SEED_KEEP};

	if (!read_seed(c, "seed_ratio_mode", "seed_ratio_limit", 1000, t->seed.ratio,
		    kept[PAIR_RATIO], &wanted.ratio) ||
		!read_seed(c, "seed_idle_mode", "seed_idle_limit", 60, t->seed.idle,
			kept[PAIR_IDLE] * 60, &wanted.idle))
		return "a limit on seeding must be a number, and its mode 0, 1 or 2";
	if (wanted.ratio != t->seed.ratio || wanted.idle != t->seed.idle)
		changes_add(s, t, TORRENT_SEED_LIMITS)->seed = wanted;
	return NULL;
}

/* --- the rest --- */

static const char *set_place(const struct rcall *c, const struct torrent_view *t, struct changes *s)
{
	struct change *one;
	int64_t place;

	if (rcall_arg(c, "queue_position") == NULL)
		return NULL;
	if (!rcall_int(c, "queue_position", &place) || place < 0 || place > INT32_MAX)
		return "queuePosition must be a number from 0";
	one = changes_add(s, t, TORRENT_MOVE);
	one->move = MOVE_TO;
	one->value = (uint64_t)place + 1;
	return NULL;
}

static const char *set_order(const struct rcall *c, const struct torrent_view *t, struct changes *s)
{
	bool on = rcall_bool(c, "sequential_download", t->sequential);

	if (on != t->sequential)
		changes_add(s, t, TORRENT_SEQUENTIAL)->value = on;
	return NULL;
}

static const char *set_labels(
	const struct rcall *c, const struct torrent_view *t, struct changes *s)
{
	const char *now = label_text(t->labels);
	char *wanted;

	if (rcall_arg(c, "labels") == NULL)
		return NULL;
	if (!rcall_labels(c, &wanted))
		return set_bad_labels;
	if (strcmp(now != NULL ? now : "", wanted != NULL ? wanted : "") != 0)
		changes_add(s, t, TORRENT_LABELS)->labels = wanted;
	else
		xfree(wanted);
	return NULL;
}

static const char *check_location(const struct rcall *c, const struct torrent_view *t)
{
	const json_t *v = rcall_arg(c, "location");

	return v == NULL || is_text(v, t->path) ? NULL : set_stays;
}

/* --- the method --- */

/* NULL: all is good. */
static const char *read_torrent(struct rcall *c, const struct torrent_view *t, struct changes *s)
{
	const char *why = check_trackers(c, t);

	if (why == NULL)
		why = check_location(c, t);
	if (why == NULL)
		why = set_rate(c, t, s, false);
	if (why == NULL)
		why = set_rate(c, t, s, true);
	if (why == NULL)
		why = set_seed(c, t, s);
	if (why == NULL)
		why = set_files(c, t, s);
	if (why == NULL)
		why = set_order(c, t, s);
	if (why == NULL)
		why = set_labels(c, t, s);
	return why != NULL ? why : set_place(c, t, s);
}

static void on_look(struct rcall *c, struct look *l)
{
	const char *why = set_fixed(c);
	struct changes s = {.n = 0};

	for (uint32_t i = 0; i < l->rows_n && why == NULL; i++)
		why = read_torrent(c, l->rows[i], &s);
	look_free(&l);
	if (why == NULL) {
		changes_make(c, s.list, s.n, rcall_arg(c, "queue_position") != NULL);
		return;
	}
	changes_free(s.list, s.n);
	rcall_end(c, why == set_no_file ? RPC_FILE_RANGE : RPC_PARAMS, "%s", why);
}

void set_torrents(struct rcall *c)
{
	look_start(c, set_names_files(c) ? VIEW_FILES : 0, on_look);
}

/* --- where it lies, and under which names --- */

const char set_bad_labels[] =
	"labels must be a list of texts without commas, 50 of 100 bytes at most";

const char set_stays[] = "the data of a torrent stays where it was added, unless "
			 "torrent-set-location moves it with \"move\": true";

/* Without `move` the data is said to be there already, which only an add looks at. */
static void on_location(struct rcall *c, struct look *l)
{
	bool move = rcall_bool(c, "move", false);
	const char *why = NULL;
	struct changes s = {.n = 0};

	for (uint32_t i = 0; i < l->rows_n && why == NULL; i++) {
		if (move)
			changes_add(&s, l->rows[i], TORRENT_PLACE)->path =
				xstrdup(rcall_text(c, "location"));
		else
			why = check_location(c, l->rows[i]);
	}
	look_free(&l);
	if (why == NULL) {
		changes_make(c, s.list, s.n, true);
		return;
	}
	changes_free(s.list, s.n);
	rcall_end(c, RPC_PARAMS, "%s", why);
}

void set_location(struct rcall *c)
{
	const char *path = rcall_text(c, "location");

	if (path == NULL)
		rcall_end(c, RPC_PARAMS, "no location");
	else if (path[0] != '/')
		rcall_end(c, RPC_NOT_ABSOLUTE, "new location path is not absolute");
	else
		look_start(c, 0, on_location);
}

static void on_rename(struct rcall *c, struct look *l)
{
	const char *path = rcall_text(c, "path"), *name = rcall_text(c, "name");
	const char *slash = strrchr(path, '/');
	size_t dir = slash != NULL ? (size_t)(slash - path) + 1 : 0;
	struct changes s = {.n = 0};
	struct change *one;

	if (l->rows_n != 1) {
		look_free(&l);
		rcall_end(c, RPC_PARAMS, "torrent-rename-path requires 1 torrent");
		return;
	}
	one = changes_add(&s, l->rows[0], TORRENT_PLACE);
	one->from = xstrdup(path);
	one->to = xcalloc(1, dir + strlen(name) + 1);
	memcpy(one->to, path, dir);
	memcpy(one->to + dir, name, strlen(name));
	json_out_put(&c->out, "path", text, path);
	json_out_put(&c->out, "name", text, name);
	look_free(&l);
	changes_make(c, s.list, s.n, true);
}

void rename_path(struct rcall *c)
{
	const char *path = rcall_text(c, "path"), *name = rcall_text(c, "name");

	if (path == NULL || name == NULL || name[0] == '\0' || strchr(name, '/') != NULL)
		rcall_end(c, RPC_PARAMS,
			"path and name are needed: a file or directory, and what it is to be "
			"called");
	else
		look_start(c, 0, on_rename);
}

void set_group(struct rcall *c)
{
	rcall_end(c, RPC_PARAMS, "there are no groups: limits are of one torrent or of all");
}
