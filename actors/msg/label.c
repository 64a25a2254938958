/* SPDX-License-Identifier: MIT */
/* Counted texts. */
#include "actors/msg/label.h"

#include <stdatomic.h>

#define LABEL_MAGIC 0x4c41424cu

struct label {
	uint32_t magic;
	_Atomic uint32_t refs;
	char text[];
};

struct label *label_new(const char *text)
{
	size_t n;
	struct label *l;

	if (text == NULL)
		return NULL;
	n = strlen(text) + 1;
	l = xcalloc(1, sizeof *l + n);
	l->magic = LABEL_MAGIC;
	atomic_init(&l->refs, 1);
	memcpy(l->text, text, n);
	return l;
}

struct label *label_ref(struct label *l)
{
	if (l == NULL)
		return NULL;
	CHECK_OBJ(l, LABEL_MAGIC);
	must(atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed) > 0);
	return l;
}

void label_unref(struct label **lp)
{
	struct label *l;

	if (*lp == NULL)
		return;
	TAKE_OBJ(l, lp, LABEL_MAGIC);
	if (atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) == 1)
		FREE_OBJ(l);
}

const char *label_text(const struct label *l)
{
	if (l == NULL)
		return NULL;
	CHECK_OBJ(l, LABEL_MAGIC);
	return l->text;
}

void label_set(struct label **l, const char *text)
{
	const char *now = label_text(*l);

	if (now == text || (now != NULL && text != NULL && strcmp(now, text) == 0))
		return;
	label_unref(l);
	*l = label_new(text);
}
