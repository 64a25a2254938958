/* SPDX-License-Identifier: MIT */
/*
 * torrents/add: magnet links, one a line, and .torrent files, one a part of the form, with the same
 * parameters for all.
 *
 * Each is committed before the next; then what cannot be told with them is set.  Parameters that
 * mean something that is not there are refused, and nothing is added.
 */
#include <strings.h>

#include "http/qbittorrent/priv.h"
#include "proto/base/encode.h"

#define ADDING_MAGIC 0x41444451u

struct adding {
	uint32_t magic;
	const char *url; /* borrowed: the rest of the links */
	uint32_t field;  /* of the form, the next one */
	bool corrupt;    /* a file is no torrent */
	uint32_t added;
	char *path;   /* owned: the target directory; NULL: the usual one */
	char *labels; /* owned; NULL: none */
	struct seed_limits seed;
	uint64_t down, up; /* B/s, 0: unlimited */
};

static void free_adding(void *ctx)
{
	struct adding *a;

	CAST_OBJ(a, ctx, ADDING_MAGIC);
	xfree(a->path);
	xfree(a->labels);
	FREE_OBJ(a);
}

static struct adding *adding_of(const struct qcall *c)
{
	struct adding *a;

	CAST_OBJ(a, c->work, ADDING_MAGIC);
	return a;
}

/* --- parameters that are refused --- */

static bool is_word(const struct qcall *c, const char *name, const char *word)
{
	const char *text = qcall_param(c, name);

	return text == NULL || text[0] == '\0' || strcasecmp(text, word) == 0;
}

/* NULL: there is nothing in them that is not there. */
static const char *find_refused(const struct qcall *c)
{
	const char *root = qcall_param(c, "root_folder");

	if (!is_word(c, "contentLayout", "Original") ||
		(root != NULL && strcasecmp(root, "false") == 0))
		return "contentLayout must be Original: files lie as the torrent has them";
	if (!is_word(c, "rename", ""))
		return "rename must be empty: a torrent has the name that it gives itself";
	if (qcall_bool(c, "useDownloadPath", false))
		return "useDownloadPath must be false: files are where they stay from the begin";
	if (!is_word(c, "stopCondition", "None"))
		return "stopCondition must be None";
	return NULL;
}

static bool read_rate(const struct qcall *c, const char *name, uint64_t *out)
{
	const char *text = qcall_param(c, name);
	int64_t n = 0;

	if (text != NULL && text[0] != '\0' && !qcall_int(c, name, &n))
		return false;
	*out = (uint64_t)MAX(n, INT64_C(0));
	return true;
}

static bool read_seed(
	const struct qcall *c, const char *name, double unit, int64_t max, int64_t *out)
{
	const char *text = qcall_param(c, name);

	*out = SEED_KEEP;
	return text == NULL || text[0] == '\0' || qseed_read(text, unit, max, out);
}

static const char *read_limits(const struct qcall *c, struct adding *a)
{
	if (read_rate(c, "dlLimit", &a->down) && read_rate(c, "upLimit", &a->up) &&
		read_seed(c, "ratioLimit", 1000, SEED_RATIO_MAX, &a->seed.ratio) &&
		read_seed(c, "seedingTimeLimit", 60, SEED_TIME_MAX, &a->seed.time) &&
		read_seed(c, "inactiveSeedingTimeLimit", 60, SEED_TIME_MAX, &a->seed.idle))
		return NULL;
	return "a limit must be a number";
}

/* The category comes first. */
static const char *read_labels(const struct qcall *c, struct adding *a)
{
	const char *category = qcall_param(c, "category"), *tags = qcall_param(c, "tags");
	struct slice tag;
	bool good = true;

	if (category != NULL && category[0] != '\0')
		good = wishes_add_label(&a->labels, category, strlen(category)) == E_OK;
	while (good && tags != NULL && qlist_next(&tags, ',', &tag)) {
		for (; tag.n > 0 && tag.p[0] == ' '; tag.n--)
			tag.p++;
		for (; tag.n > 0 && tag.p[tag.n - 1] == ' '; tag.n--)
			;
		if (tag.n > 0)
			good = wishes_add_label(&a->labels, (const char *)tag.p, tag.n) == E_OK;
	}
	return good ? NULL : "a torrent has 50 labels of 100 bytes at most";
}

/* Where it is to be: said, or of its category, or as all. */
static void read_path(const struct qcall *c, struct adding *a)
{
	const char *path = qcall_param(c, "savepath"), *category = qcall_param(c, "category");
	const char *base = c->config->download_dir;
	const struct name *one;
	size_t size;

	if ((path == NULL || path[0] == '\0') && category != NULL) {
		one = nameset_find(
			c->q->names, (struct slice){(const uint8_t *)category, strlen(category)});
		path = one != NULL && one->is_category ? one->path : NULL;
	}
	if (path == NULL || path[0] == '\0')
		return;
	size = strlen(base) + strlen(path) + 2;
	a->path = xcalloc(1, size);
	snprintf(a->path, size, "%s%s%s", path[0] == '/' ? "" : base, path[0] == '/' ? "" : "/",
		path);
}

/* --- one after the other --- */

static bool next_url(struct adding *a, struct slice *url)
{
	while (a->url != NULL && qlist_next(&a->url, '\n', url)) {
		while (url->n > 0 && (url->p[url->n - 1] == '\r' || url->p[url->n - 1] == ' '))
			url->n--;
		for (; url->n > 0 && url->p[0] == ' '; url->n--)
			url->p++;
		if (url->n > 0)
			return true;
	}
	return false;
}

static const struct form_field *next_file(const struct qcall *c, struct adding *a)
{
	const struct form_field *f;

	while ((f = form_at(c->form, a->field)) != NULL) {
		a->field++;
		if (f->is_file)
			return f;
	}
	return NULL;
}

static bool is_stopped(const struct qcall *c)
{
	return qcall_bool(c, "stopped", qcall_bool(c, "paused", false));
}

static struct m_torrent_add *add_new(const struct qcall *c, const struct adding *a)
{
	struct m_torrent_add *m = msg_new(c->q->actor, MSG_TORRENT_ADD);

	m->path = a->path != NULL ? xstrdup(a->path) : NULL;
	m->start = !is_stopped(c);
	m->queue_top = qcall_bool(c, "addToTopOfQueue", false);
	m->wishes.labels = label_new(a->labels);
	m->wishes.sequential = qcall_bool(c, "sequentialDownload", false);
	m->wishes.first_last = qcall_bool(c, "firstLastPiecePrio", false);
	m->wishes.down_limit = a->down;
	m->wishes.up_limit = a->up;
	return m;
}

static void add_next(struct qcall *c);

/* What does not travel with it. */
static void note_added(struct qcall *c, struct adding *a, const uint8_t infohash[20])
{
	a->added++;
	if (a->seed.ratio != SEED_KEEP || a->seed.time != SEED_KEEP || a->seed.idle != SEED_KEEP)
		changes_add(&c->changes, infohash, TORRENT_SEED_LIMITS)->seed = a->seed;
	if (qcall_bool(c, "forced", false) && !is_stopped(c))
		changes_add(&c->changes, infohash, TORRENT_START)->value = 1;
}

static void on_added(struct actor *actor, void *ctx, enum err err, struct msg **m)
{
	struct qcall *c;
	struct adding *a;

	(void)actor;
	CAST_OBJ(c, ctx, QCALL_MAGIC);
	a = adding_of(c);
	if (err == E_OK && m != NULL)
		note_added(c, a, MSG_AS(TORRENT_ADD, *m)->infohash);
	else if (answer_status(err) == 400 && !MSG_AS(TORRENT_ADD, *m)->is_link)
		a->corrupt = true;
	add_next(c);
}

static void end_adding(void *ctx, enum err err, const char *why)
{
	struct qcall *c;
	struct adding *a;

	CAST_OBJ(c, ctx, QCALL_MAGIC);
	a = adding_of(c);
	if (err != E_OK)
		qcall_err(c, err, why);
	else if (a->added > 0)
		qcall_text(c, "Ok.");
	else if (a->corrupt)
		qcall_fail(c, 415, "the file is not a valid torrent file");
	else
		qcall_text(c, "Fails.");
}

static void add_next(struct qcall *c)
{
	struct adding *a = adding_of(c);
	const struct form_field *file;
	struct m_torrent_add *m;
	struct slice body;
	bool is_link = next_url(a, &body);

	if (!is_link) {
		file = next_file(c, a);
		if (file == NULL) {
			changes_make(&c->job, c->q->actor, &c->changes, false, end_adding, c);
			return;
		}
		body = file->value;
	}
	m = add_new(c, a);
	m->is_link = is_link;
	m->body = xmemdup(body.p, body.n);
	m->body_n = body.n;
	msg_call(c->q->actor, ADDR_SESSION, m, on_added, c);
}

/* --- the request --- */

static void on_named(struct qcall *c)
{
	struct adding *a;
	const char *why;

	if (c->work != NULL)
		c->work_free(c->work);
	ALLOC_OBJ(a, ADDING_MAGIC);
	c->work = a;
	c->work_free = free_adding;
	a->url = qcall_param(c, "urls");
	why = read_limits(c, a);
	if (why == NULL)
		why = read_labels(c, a);
	if (why != NULL) {
		qcall_fail(c, 400, "%s", why);
		return;
	}
	read_path(c, a);
	add_next(c);
}

/* A link that is fetched from would be asked for by whoever may add. */
static const char *check_urls(const struct qcall *c)
{
	struct adding links = {.url = qcall_param(c, "urls")};
	struct slice url;
	bool any = false;

	while (next_url(&links, &url)) {
		any = true;
		if (url.n > 7 && (strncasecmp((const char *)url.p, "http://", 7) == 0 ||
					 strncasecmp((const char *)url.p, "https://", 8) == 0))
			return "a .torrent file is sent, not fetched: send what is in it";
	}
	return any || next_file(c, &links) != NULL ? NULL : "there is no torrent in the request";
}

static const char *make_names(struct qcall *c)
{
	const char *category = qcall_param(c, "category"), *tags = qcall_param(c, "tags");
	const struct name *one = NULL;
	const char *why = NULL;

	if (category != NULL && category[0] != '\0') {
		one = nameset_find(
			c->q->names, (struct slice){(const uint8_t *)category, strlen(category)});
		if (one == NULL || !one->is_category)
			why = qnames_add_category(c, category, NULL);
	}
	if (why == NULL && tags != NULL)
		why = qnames_add_tags(c, tags);
	return why;
}

void qb_torrent_add(struct qcall *c)
{
	const char *why = find_refused(c);
	unsigned status = 409;

	if (why == NULL) {
		status = 400;
		why = check_urls(c);
	}
	if (why == NULL)
		why = make_names(c);
	if (why != NULL)
		qcall_fail(c, status, "%s", why);
	else
		qnames_store(c, on_named);
}
