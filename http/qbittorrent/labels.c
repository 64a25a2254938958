/* SPDX-License-Identifier: MIT */
/*
 * Categories and tags: which there are, and which torrents have.
 *
 * Both are labels of torrents (nameset.h), so a name is one of the two.  What is known of a name is
 * in the database before the answer; where one goes, torrents lose it first.
 */
#include "http/qbittorrent/priv.h"

#include "proto/base/array.h"

/* --- the database --- */

struct naming {
	struct m_state_names *names; /* owned; NULL: sent, or none */
	uint32_t room;
	struct actor *actor; /* borrowed */
};

static void free_naming(void *ctx)
{
	struct naming *n = ctx;
	struct msg *m = n->names != NULL ? &n->names->h : NULL;

	msg_free(n->actor, &m);
	xfree(n);
}

static struct naming *naming_of(struct qcall *c)
{
	struct naming *n = c->work;

	if (n == NULL) {
		n = xcalloc(1, sizeof *n);
		n->actor = c->q->actor;
		n->names = msg_new(n->actor, MSG_STATE_NAMES);
		c->work = n;
		c->work_free = free_naming;
	}
	return n;
}

/* It is to be this from now on. */
static void name_add(struct qcall *c, struct slice name, enum name_kind kind, const char *path)
{
	struct naming *n = naming_of(c);
	struct name_record r = {.name = xcalloc(1, name.n + 1), .kind = kind};

	memcpy(r.name, name.p, name.n);
	r.path = path != NULL && path[0] != '\0' ? xstrdup(path) : NULL;
	ARRAY_PUSH(n->names->list, n->names->n, n->room, r);
}

static void on_stored(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	const struct m_state_names *names;
	struct qcall *c;

	(void)a;
	CAST_OBJ(c, ctx, QCALL_MAGIC);
	if (err != E_OK || m == NULL) {
		qcall_err(c, err != E_OK ? err : E_TIMEOUT, NULL);
		return;
	}
	names = MSG_AS(STATE_NAMES, *m);
	for (uint32_t i = 0; i < names->n; i++)
		nameset_put(c->q->names, &names->list[i]);
	c->next(c);
}

void qnames_store(struct qcall *c, qcall_f *fn)
{
	struct naming *n = naming_of(c);

	CHECK_OBJ(c, QCALL_MAGIC);
	c->next = fn;
	if (n->names->n == 0)
		fn(c);
	else
		msg_call(c->q->actor, ADDR_STATE, n->names, on_stored, c);
}

/* --- what can be a name --- */

static struct slice slice_of(const char *text)
{
	return (struct slice){(const uint8_t *)text, strlen(text)};
}

static bool can_be_label(struct slice name)
{
	char *text = NULL;
	bool good = wishes_add_label(&text, (const char *)name.p, name.n) == E_OK;

	xfree(text);
	return good;
}

/* Parts of a path, with a slash between two. */
static bool can_be_category(struct slice name)
{
	return can_be_label(name) && name.p[0] != '/' && name.p[name.n - 1] != '/' &&
	       memmem(name.p, name.n, "//", 2) == NULL && memchr(name.p, '\\', name.n) == NULL;
}

static bool is_category(const struct qcall *c, struct slice name)
{
	const struct name *one = nameset_find(c->q->names, name);

	return one != NULL && one->is_category;
}

static struct slice trimmed(struct slice s)
{
	while (s.n > 0 && s.p[0] == ' ') {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

static bool has_room(const struct qcall *c)
{
	const struct naming *n = c->work;

	return nameset_stored(c->q->names) + (n != NULL ? n->names->n : 0) < NAMES_MAX;
}

const char *qnames_add_tags(struct qcall *c, const char *tags)
{
	struct slice tag;

	CHECK_OBJ(c, QCALL_MAGIC);
	while (qlist_next(&tags, ',', &tag)) {
		const struct name *one;

		tag = trimmed(tag);
		one = nameset_find(c->q->names, tag);
		if (tag.n == 0 || (one != NULL && one->stored && !one->is_category))
			continue;
		if (one != NULL && one->is_category)
			return "a category has the name of the tag";
		if (!can_be_label(tag) || !has_room(c))
			return "a tag has 1 to 100 bytes, no comma and no control, and there are "
			       "4096 names at most";
		name_add(c, tag, NAME_TAG, NULL);
	}
	return NULL;
}

const char *qnames_add_category(struct qcall *c, const char *name, const char *path)
{
	if (!can_be_category(slice_of(name)) || !has_room(c))
		return "a category has 1 to 100 bytes, no comma, no control and no backslash, and "
		       "no slash at an end or behind another; there are 4096 names at most";
	name_add(c, slice_of(name), NAME_CATEGORY, path);
	return NULL;
}

/* --- categories --- */

static bool write_categories(struct qcall *c, struct json_out *o, size_t end)
{
	(void)end;
	qnames_put_categories(o, c->q->names);
	return true;
}

void qnames_put_categories(struct json_out *o, const struct nameset *names)
{
	const struct name *one;

	json_out_open(o, '{');
	for (uint32_t i = 0; (one = nameset_at(names, i)) != NULL; i++) {
		if (!one->is_category)
			continue;
		json_out_key_text(o, one->name);
		json_out_open(o, '{');
		json_out_put(o, "name", text, one->name);
		json_out_put(o, "savePath", text, one->path != NULL ? one->path : "");
		json_out_close(o, '}');
	}
	json_out_close(o, '}');
}

void qb_categories(struct qcall *c)
{
	qcall_write(c, write_categories);
}

static void on_done(struct qcall *c)
{
	qcall_ok(c);
}

void qb_category_create(struct qcall *c)
{
	const char *name = qcall_need(c, "category"), *why;

	if (name == NULL)
		return;
	if (name[0] == '\0') {
		qcall_fail(c, 400, "the category has no name");
		return;
	}
	why = is_category(c, slice_of(name))
		      ? "there is a category of that name"
		      : qnames_add_category(c, name, qcall_param(c, "savePath"));
	if (why != NULL)
		qcall_fail(c, 409, "%s", why);
	else
		qnames_store(c, on_done);
}

void qb_category_edit(struct qcall *c)
{
	const char *name = qcall_need(c, "category");

	if (name == NULL)
		return;
	if (name[0] == '\0') {
		qcall_fail(c, 400, "the category has no name");
	} else if (!is_category(c, slice_of(name))) {
		qcall_fail(c, 409, "there is no category of that name");
	} else {
		name_add(c, slice_of(name), NAME_CATEGORY, qcall_param(c, "savePath"));
		qnames_store(c, on_done);
	}
}

/* --- labels of torrents --- */

/* What becomes of one: its category first, then its tags. */
struct relabel {
	bool sets_category;
	const char *category;   /* instead of what it has */
	const char *add, *drop; /* lists of tags, NULL: none */
	char separator;         /* of `drop` */
	bool drop_all;
};

static bool is_in(const char *list, char separator, struct slice name)
{
	struct slice one;

	while (list != NULL && qlist_next(&list, separator, &one)) {
		struct slice t = trimmed(one);

		if (t.n == name.n && memcmp(t.p, name.p, t.n) == 0)
			return true;
	}
	return false;
}

/* The labels that a torrent is to have, the caller's; false: too many. */
static bool label_anew(
	const struct qcall *c, const struct torrent_row *r, const struct relabel *how, char **out)
{
	const char *labels = label_text(r->status.labels), *add = how->add;
	struct slice one = nameset_category(c->q->names, labels);
	bool good = true;

	*out = NULL;
	if (how->sets_category)
		one = slice_of(how->category);
	if (one.n > 0)
		good = wishes_add_label(out, (const char *)one.p, one.n) == E_OK;
	while (good && nameset_next_tag(c->q->names, &labels, &one))
		if (!how->drop_all && !is_in(how->drop, how->separator, one))
			good = wishes_add_label(out, (const char *)one.p, one.n) == E_OK;
	while (good && add != NULL && qlist_next(&add, ',', &one)) {
		one = trimmed(one);
		if (one.n > 0)
			good = wishes_add_label(out, (const char *)one.p, one.n) == E_OK;
	}
	if (good)
		return true;
	xfree(*out);
	return false;
}

static void relabel_all(struct qcall *c, const struct relabel *how)
{
	for (uint32_t i = 0; i < c->rows->n; i++) {
		const struct torrent_row *r = c->rows->v[i];
		const char *now = label_text(r->status.labels);
		char *text;

		if (!label_anew(c, r, how, &text)) {
			qcall_fail(c, 409, "a torrent has %u labels at most", LABELS_MAX);
			return;
		}
		if (strcmp(now != NULL ? now : "", text != NULL ? text : "") != 0)
			changes_add(&c->changes, r->identity.infohash, TORRENT_LABELS)->labels =
				text;
		else
			xfree(text);
	}
	qcall_change(c, false);
}

static void on_category(struct qcall *c)
{
	relabel_all(c, &(const struct relabel){
			       .sets_category = true, .category = qcall_param(c, "category")});
}

void qb_category_set(struct qcall *c)
{
	const char *name = qcall_need(c, "hashes") != NULL ? qcall_need(c, "category") : NULL;

	if (name == NULL)
		return;
	if (name[0] != '\0' && !is_category(c, slice_of(name)))
		qcall_fail(c, 409, "there is no category of that name");
	else
		qrows_ask(c, qcall_param(c, "hashes"), on_category);
}

static void on_add(struct qcall *c)
{
	relabel_all(c, &(const struct relabel){.add = qcall_param(c, "tags")});
}

static void on_tags_stored(struct qcall *c)
{
	qrows_ask(c, qcall_param(c, "hashes"), on_add);
}

void qb_tags_add(struct qcall *c)
{
	const char *tags = qcall_need(c, "hashes") != NULL ? qcall_need(c, "tags") : NULL, *why;

	if (tags == NULL)
		return;
	why = qnames_add_tags(c, tags);
	if (why != NULL)
		qcall_fail(c, 409, "%s", why);
	else
		qnames_store(c, on_tags_stored);
}

static void on_remove(struct qcall *c)
{
	const char *tags = qcall_param(c, "tags");

	relabel_all(c, &(const struct relabel){.drop = tags,
			       .separator = ',',
			       .drop_all = tags == NULL || tags[0] == '\0'});
}

void qb_tags_remove(struct qcall *c)
{
	if (qcall_need(c, "hashes") != NULL)
		qrows_ask(c, qcall_param(c, "hashes"), on_remove);
}

/* --- tags --- */

void qnames_put_tags(struct json_out *o, const struct nameset *names, uint64_t since)
{
	const struct name *one;

	json_out_open(o, '[');
	for (uint32_t i = 0; (one = nameset_at(names, i)) != NULL; i++)
		if (!one->is_category && one->serial > since)
			json_out_text(o, one->name);
	json_out_close(o, ']');
}

static bool write_tags(struct qcall *c, struct json_out *o, size_t end)
{
	(void)end;
	qnames_put_tags(o, c->q->names, 0);
	return true;
}

/* Those that torrents have are among them, whoever gave them. */
static void on_seen(struct qcall *c)
{
	for (uint32_t i = 0; i < c->rows->n; i++)
		nameset_see(c->q->names, label_text(c->rows->v[i]->status.labels));
	qcall_write(c, write_tags);
}

void qb_tags(struct qcall *c)
{
	qrows_ask(c, NULL, on_seen);
}

void qb_tags_create(struct qcall *c)
{
	const char *tags = qcall_need(c, "tags"), *why;

	if (tags == NULL)
		return;
	why = qnames_add_tags(c, tags);
	if (why != NULL)
		qcall_fail(c, 409, "%s", why);
	else
		qnames_store(c, on_done);
}

/* --- names go: torrents lose them first --- */

static void drop_names(void *ctx, enum err err, const char *why)
{
	bool categories;
	const char *list;
	struct slice one;
	struct qcall *c;

	CAST_OBJ(c, ctx, QCALL_MAGIC);
	categories = c->method->fn == qb_categories_remove;
	list = qcall_param(c, categories ? "categories" : "tags");
	if (err != E_OK) {
		qcall_err(c, err, why);
		return;
	}
	while (qlist_next(&list, categories ? '\n' : ',', &one)) {
		const struct name *name = nameset_find(c->q->names, trimmed(one));

		if (name != NULL && name->is_category == categories)
			name_add(c, trimmed(one), NAME_NONE, NULL);
	}
	qnames_store(c, on_done);
}

static void on_going(struct qcall *c)
{
	bool categories = c->method->fn == qb_categories_remove;
	struct relabel how = {.drop = qcall_param(c, categories ? "categories" : "tags"),
		.separator = categories ? '\n' : ','};

	for (uint32_t i = 0; i < c->rows->n; i++) {
		const struct torrent_row *r = c->rows->v[i];
		struct slice now = nameset_category(c->q->names, label_text(r->status.labels));
		const char *labels = label_text(r->status.labels);
		char *text;

		how.sets_category = categories && is_in(how.drop, how.separator, now);
		how.category = "";
		if (labels == NULL || !label_anew(c, r, &how, &text))
			continue;
		if (strcmp(labels, text != NULL ? text : "") != 0)
			changes_add(&c->changes, r->identity.infohash, TORRENT_LABELS)->labels =
				text;
		else
			xfree(text);
	}
	changes_make(&c->job, c->q->actor, &c->changes, false, drop_names, c);
}

void qb_categories_remove(struct qcall *c)
{
	if (qcall_need(c, "categories") != NULL)
		qrows_ask(c, NULL, on_going);
}

void qb_tags_delete(struct qcall *c)
{
	if (qcall_need(c, "tags") != NULL)
		qrows_ask(c, NULL, on_going);
}
