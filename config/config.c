/* SPDX-License-Identifier: MIT */
/*
 * The life of a config: made, copied, shared by count, freed.
 *
 * Readers hold `const struct config *`.  What must change though (the count) lies behind `life`, so
 * no const is ever cast away.
 */
#include "config/config.h"

#include "config/life.h"
#include "config/value.h"

#include <stdatomic.h>

#define LIFE_MAGIC 0x6c696665u

struct config_life {
	uint32_t magic;
	atomic_uint refs;
	struct config *config; /* the object we are part of */
	struct config_source sources[OPT_MAX_];
	struct config_list files;
};

static struct config_life *life_of(const struct config *c)
{
	CHECK_OBJ(c, CONFIG_MAGIC);
	CHECK_OBJ(c->life, LIFE_MAGIC);
	return c->life;
}

struct config *config_new(void)
{
	struct config *c;

	ALLOC_OBJ(c, CONFIG_MAGIC);
	ALLOC_OBJ(c->life, LIFE_MAGIC);
	atomic_init(&c->life->refs, 1);
	c->life->config = c;
	for (unsigned i = 0; i < OPT_MAX_; i++)
		config_set_source(c, (enum config_option)i, CONFIG_FROM_DEFAULT, "default", 0);
	return c;
}

void config_set_source(
	struct config *c, enum config_option o, enum config_from from, const char *where, int line)
{
	struct config_source *s = &life_of(c)->sources[o];
	char *copy = xstrdup(where);

	xfree(s->where);
	*s = (struct config_source){.from = from, .line = line, .where = copy};
}

void config_add_file(struct config *c, const char *path)
{
	struct config_list *l = &life_of(c)->files;

	l->v = xrealloc(l->v, (l->n + 1) * sizeof *l->v);
	l->v[l->n++] = xstrdup(path);
}

struct config *config_alone(const struct config *c)
{
	struct config_life *life = life_of(c);

	must(atomic_load_explicit(&life->refs, memory_order_relaxed) == 1);
	return life->config;
}

const struct config *config_ref(const struct config *c)
{
	life_of(c);
	atomic_fetch_add_explicit(&c->life->refs, 1, memory_order_relaxed);
	return c;
}

static void free_config(struct config_life *life)
{
	struct config *c = life->config;

	for (unsigned i = 0; i < OPT_MAX_; i++) {
		value_free(&options[i], option_field(c, (enum config_option)i));
		xfree(life->sources[i].where);
	}
	for (size_t i = 0; i < life->files.n; i++)
		xfree(life->files.v[i]);
	xfree(life->files.v);
	FREE_OBJ(life);
	FREE_OBJ(c);
}

void config_unref(const struct config **cp)
{
	const struct config *c;

	TAKE_OBJ(c, cp, CONFIG_MAGIC);
	life_of(c);
	if (atomic_fetch_sub_explicit(&c->life->refs, 1, memory_order_acq_rel) == 1)
		free_config(c->life);
}

void config_drop(struct config **cp)
{
	const struct config *c = *cp;

	*cp = NULL;
	if (c != NULL)
		config_unref(&c);
}

static struct config *copy(const struct config *c)
{
	const struct config_life *life = life_of(c);
	struct config *to = config_new();

	for (unsigned i = 0; i < OPT_MAX_; i++) {
		enum config_option o = (enum config_option)i;
		const struct config_source *s = &life->sources[i];

		value_copy(&options[i], option_field(to, o), option_field_const(c, o));
		config_set_source(to, o, s->from, s->where, s->line);
	}
	for (size_t i = 0; i < life->files.n; i++)
		config_add_file(to, life->files.v[i]);
	return to;
}

const struct config *config_capped(const struct config *c, const struct config_cap *caps, size_t n)
{
	struct config *to = copy(c);

	for (size_t i = 0; i < n; i++) {
		int *field;

		must(options[caps[i].option].type == TYPE_INT);
		field = option_field(to, caps[i].option);
		*field = MIN(*field, caps[i].max);
	}
	return to;
}

const char *config_option_name(enum config_option o)
{
	must((unsigned)o < OPT_MAX_);
	return options[o].full;
}

const struct config_source *config_source(const struct config *c, enum config_option o)
{
	must((unsigned)o < OPT_MAX_);
	return &life_of(c)->sources[o];
}

const struct config_list *config_files(const struct config *c)
{
	return &life_of(c)->files;
}

const char *config_version(void)
{
	return TORRENTD_VERSION;
}
