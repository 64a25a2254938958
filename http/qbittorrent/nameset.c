/* SPDX-License-Identifier: MIT */
/* Tags and categories: a list in the order of their names. */
#include "http/qbittorrent/nameset.h"

#include "proto/base/array.h"

#define NAMES_MAGIC 0x4e414d45u

struct nameset {
	uint32_t magic;
	struct name *list; /* owned, with their texts; sorted */
	uint32_t n, room;
	uint64_t serial, age;
};

struct nameset *nameset_new(void)
{
	struct nameset *s;

	ALLOC_OBJ(s, NAMES_MAGIC);
	return s;
}

static void free_texts(struct name *one)
{
	char *name = (char *)(uintptr_t)one->name, *path = (char *)(uintptr_t)one->path;

	xfree(name);
	xfree(path);
}

void nameset_free(struct nameset **ps)
{
	struct nameset *s;

	TAKE_OBJ(s, ps, NAMES_MAGIC);
	for (uint32_t i = 0; i < s->n; i++)
		free_texts(&s->list[i]);
	xfree(s->list);
	FREE_OBJ(s);
}

static int compare(struct slice a, const char *b)
{
	size_t n = strlen(b);
	int order = memcmp(a.p, b, MIN(a.n, n));

	return order != 0 ? order : (a.n > n) - (a.n < n);
}

/* Where it is, or would be. */
static uint32_t place_of(const struct nameset *s, struct slice name)
{
	uint32_t low = 0;

	for (uint32_t high = s->n; low < high;) {
		uint32_t middle = low + (high - low) / 2;

		if (compare(name, s->list[middle].name) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct name *nameset_find(const struct nameset *s, struct slice name)
{
	uint32_t at;

	CHECK_OBJ(s, NAMES_MAGIC);
	at = place_of(s, name);
	return at < s->n && compare(name, s->list[at].name) == 0 ? &s->list[at] : NULL;
}

const struct name *nameset_at(const struct nameset *s, uint32_t i)
{
	CHECK_OBJ(s, NAMES_MAGIC);
	return i < s->n ? &s->list[i] : NULL;
}

static struct name *insert(struct nameset *s, struct slice name)
{
	uint32_t at = place_of(s, name);
	char *text = xcalloc(1, name.n + 1);

	memcpy(text, name.p, name.n);
	ARRAY_RESERVE(s->list, s->n, s->room, 1);
	memmove(&s->list[at + 1], &s->list[at], (s->n - at) * sizeof *s->list);
	s->n++;
	s->list[at] = (struct name){.name = text, .serial = ++s->serial};
	return &s->list[at];
}

static void drop(struct nameset *s, struct name *one)
{
	uint32_t at = (uint32_t)(one - s->list);

	free_texts(one);
	s->n--;
	memmove(&s->list[at], &s->list[at + 1], (s->n - at) * sizeof *s->list);
}

static struct slice slice_of(const char *text)
{
	return (struct slice){(const uint8_t *)text, strlen(text)};
}

void nameset_put(struct nameset *s, const struct name_record *r)
{
	struct name *one = (struct name *)(uintptr_t)nameset_find(s, slice_of(r->name));
	char *path;

	CHECK_OBJ(s, NAMES_MAGIC);
	if (one != NULL)
		s->age++;
	if (r->kind == NAME_NONE) {
		if (one != NULL)
			drop(s, one);
		return;
	}
	if (one == NULL) {
		one = insert(s, slice_of(r->name));
		s->age += r->kind == NAME_CATEGORY; /* labels may mean it that did not */
	}
	path = (char *)(uintptr_t)one->path;
	xfree(path);
	one->path = r->path != NULL ? xstrdup(r->path) : NULL;
	one->is_category = r->kind == NAME_CATEGORY;
	one->stored = true;
}

void nameset_load(struct nameset *s, const struct m_state_names *m)
{
	CHECK_OBJ(s, NAMES_MAGIC);
	for (uint32_t i = 0; i < m->n; i++)
		nameset_put(s, &m->list[i]);
}

/* --- labels --- */

static bool next_label(const char **labels, struct slice *label)
{
	if (*labels == NULL || **labels == '\0')
		return false;
	*label = (struct slice){(const uint8_t *)*labels, strcspn(*labels, "\n")};
	*labels += label->n + ((*labels)[label->n] == '\n');
	return true;
}

/* Who makes very many is not followed. */
void nameset_see(struct nameset *s, const char *labels)
{
	struct slice label;

	CHECK_OBJ(s, NAMES_MAGIC);
	while (s->n < 2 * NAMES_MAX && next_label(&labels, &label))
		if (nameset_find(s, label) == NULL)
			(void)insert(s, label);
}

uint64_t nameset_serial(const struct nameset *s)
{
	CHECK_OBJ(s, NAMES_MAGIC);
	return s->serial;
}

uint64_t nameset_age(const struct nameset *s)
{
	CHECK_OBJ(s, NAMES_MAGIC);
	return s->age;
}

uint32_t nameset_stored(const struct nameset *s)
{
	uint32_t n = 0;

	CHECK_OBJ(s, NAMES_MAGIC);
	for (uint32_t i = 0; i < s->n; i++)
		n += s->list[i].stored;
	return n;
}

static bool is_category(const struct nameset *s, struct slice label)
{
	const struct name *one = nameset_find(s, label);

	return one != NULL && one->is_category;
}

struct slice nameset_category(const struct nameset *s, const char *labels)
{
	struct slice label;

	CHECK_OBJ(s, NAMES_MAGIC);
	while (next_label(&labels, &label))
		if (is_category(s, label))
			return label;
	return (struct slice){(const uint8_t *)"", 0};
}

bool nameset_next_tag(const struct nameset *s, const char **labels, struct slice *tag)
{
	CHECK_OBJ(s, NAMES_MAGIC);
	while (next_label(labels, tag))
		if (!is_category(s, *tag))
			return true;
	return false;
}
