/* SPDX-License-Identifier: MIT */
/* A torrent as JSON: the table, and what its values are. */
#include "http/qbittorrent/fields.h"

#include "proto/base/time.h"

#include <stdio.h>

struct qscene qscene_of(const struct config *k, const struct nameset *names, int64_t uptime)
{
	return (struct qscene){.names = names,
		.uptime = uptime,
		.seed_ratio = k->seed_ratio,
		.seed_time = k->seed_time / USEC_PER_SEC,
		.seed_idle = k->seed_idle / USEC_PER_SEC,
		.queueing = k->queue_downloads > 0 || k->queue_seeds > 0};
}

/* --- how it is --- */

bool qfield_complete(const struct torrent_row *r)
{
	return r->progress.left == 0 && !r->identity.meta->bare;
}

static bool files_missing(const struct torrent_row *r)
{
	return r->status.why == WHY_VOLUME_MISSING || r->status.why == WHY_FILES_CHANGED;
}

const char *qfield_state(const struct torrent_row *r)
{
	bool up = qfield_complete(r);

	switch (r->status.status) {
	case STATUS_STOPPED:
		return up ? "stoppedUP" : "stoppedDL";
	case STATUS_CHECKING:
		return r->status.completed_at > 0 ? "checkingUP" : "checkingDL";
	case STATUS_QUEUED:
		return up ? "queuedUP" : "queuedDL";
	case STATUS_METADATA:
		return r->status.forced ? "forcedMetaDL" : "metaDL";
	case STATUS_DOWNLOADING:
		if (r->status.forced)
			return "forcedDL";
		return r->rates.down > 0 ? "downloading" : "stalledDL";
	case STATUS_SEEDING:
		if (r->status.forced)
			return "forcedUP";
		return r->rates.up > 0 ? "uploading" : "stalledUP";
	case STATUS_ERROR:
		return files_missing(r) ? "missingFiles" : "error";
	default:
		return "unknown";
	}
}

static int64_t eta_of(const struct torrent_row *r)
{
	if (r->status.status != STATUS_DOWNLOADING || r->rates.eta < 0)
		return QFIELD_NEVER;
	return MIN(r->rates.eta, (int64_t)QFIELD_NEVER);
}

uint64_t qfield_seeded(const struct qscene *s, const struct torrent_row *r)
{
	if (r->progress.seed_since == 0 || s->uptime < r->progress.seed_since)
		return r->progress.seeded;
	return r->progress.seeded + (uint64_t)((s->uptime - r->progress.seed_since) / USEC_PER_SEC);
}

/* --- texts --- */

static void put_string(struct json_out *o, const char *s)
{
	json_out_text(o, s != NULL ? s : "");
}

/* Directory and name, as one path. */
static void put_path(struct json_out *o, const char *directory, const char *name)
{
	size_t n = strlen(directory);
	const char *slash = n > 0 && directory[n - 1] == '/' ? "" : "/";
	size_t size = n + strlen(name) + 2;
	char *text = xcalloc(1, size);

	snprintf(text, size, "%s%s%s", directory, slash, name);
	json_out_text(o, text);
	xfree(text);
}

/* What there is of it in its directory: the file, or the directory of its files. */
static void put_content_path(struct json_out *o, const struct torrent_row *r)
{
	put_path(o, label_text(r->identity.path), r->identity.meta->name);
}

static void put_root_path(struct json_out *o, const struct torrent_row *r)
{
	if (r->identity.meta->multi && !r->identity.meta->bare)
		put_content_path(o, r);
	else
		json_out_text(o, "");
}

static void put_v2(struct json_out *o, const struct metainfo *m)
{
	if (m->infohash.has_v2)
		json_out_hex(o, m->infohash.v2, sizeof m->infohash.v2);
	else
		json_out_text(o, "");
}

static void put_magnet(struct json_out *o, const struct metainfo *m)
{
	char *link = metainfo_magnet(m);

	put_string(o, link);
	xfree(link);
}

static void put_private(struct json_out *o, const struct metainfo *m)
{
	if (m->bare)
		json_out_null(o);
	else
		json_out_bool(o, m->is_private);
}

static void put_tracker(struct json_out *o, const struct metainfo *m)
{
	json_out_text(o, m->tiers_n > 0 ? m->tiers[0].urls[0] : "");
}

static uint32_t trackers_of(const struct metainfo *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->tiers_n; i++)
		n += m->tiers[i].urls_n;
	return n;
}

/* With a comma and a blank between two. */
static void put_tags(struct json_out *o, const struct qscene *s, const struct torrent_row *r)
{
	const char *labels = label_text(r->status.labels);
	size_t n = 0, size = labels != NULL ? 2 * strlen(labels) + 3 : 1;
	char *text = xcalloc(1, size);
	struct slice tag;

	while (nameset_next_tag(s->names, &labels, &tag))
		n += (size_t)snprintf(text + n, size - n, "%s%.*s", n > 0 ? ", " : "", (int)tag.n,
			(const char *)tag.p);
	json_out_text(o, text);
	xfree(text);
}

/* --- limits on seeding: -2 as configured, -1 none --- */

static int64_t own_minutes(int64_t seconds)
{
	return seconds == SEED_GLOBAL ? -2 : seconds == 0 ? -1 : (seconds + 59) / 60;
}

static int64_t max_minutes(int64_t seconds, int64_t configured)
{
	return own_minutes(seconds == SEED_GLOBAL ? configured : seconds);
}

static void put_own_ratio(struct json_out *o, int64_t thousandths)
{
	if (thousandths > 0)
		json_out_real(o, (double)thousandths / 1000);
	else
		json_out_int(o, thousandths == SEED_GLOBAL ? -2 : -1);
}

static void put_max_ratio(struct json_out *o, int64_t thousandths, int64_t configured)
{
	put_own_ratio(o, thousandths == SEED_GLOBAL ? configured : thousandths);
}

/* --- the table --- */

struct field {
	const char *name;
	unsigned groups;
	void (*put)(struct json_out *, const struct qscene *, const struct torrent_row *);
};

#define IDENTITY (1u << ROW_IDENTITY)
#define STATUS   (1u << ROW_STATUS)
#define PROGRESS (1u << ROW_PROGRESS)
#define RATES    (1u << ROW_RATES)
#define SWARM    (1u << ROW_SWARM)

#define GLUE_(a, b) a##b
#define GLUE(a, b)  GLUE_(a, b)
#define FIELD(name, groups, code)                                                                  \
	static void GLUE(put_line_, __LINE__)(                                                     \
		struct json_out * o, const struct qscene *s, const struct torrent_row *r)          \
	{                                                                                          \
		(void)s;                                                                           \
		(void)r;                                                                           \
		code;                                                                              \
	}
#include "http/qbittorrent/torrent.def"
#undef FIELD

static const struct field fields[] = {
#define FIELD(name, groups, code) {name, groups, GLUE(put_line_, __LINE__)},
#include "http/qbittorrent/torrent.def"
#undef FIELD
};

bool qfield_find(const char *name, unsigned *field)
{
	for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
		if (strcmp(fields[i].name, name) == 0) {
			*field = i;
			return true;
		}
	return false;
}

void qfield_put(
	struct json_out *o, const struct qscene *s, const struct torrent_row *r, unsigned field)
{
	must(field < ARRAY_LEN(fields));
	fields[field].put(o, s, r);
}

void qfields_put(struct json_out *o, const struct qscene *s, const struct torrent_row *r,
	unsigned groups, bool with_hash)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if ((fields[i].groups & groups) == 0 ||
			(!with_hash && strcmp(fields[i].name, "hash") == 0))
			continue;
		json_out_key_n(o, fields[i].name, strlen(fields[i].name));
		fields[i].put(o, s, r);
	}
}
