/* SPDX-License-Identifier: MIT */
/*
 * The options of the daemon over HTTP: what each is, what it may be, where its value comes from;
 * and changing them, all that a request names or none.
 *
 * Values are numbers and texts of JSON in plain units (bytes, bytes/s, seconds), and are taken like
 * that or as they would stand in a configuration file ("2MiB/s").
 */
#include "http/api/priv.h"

#include <stdio.h>

#include "config/options.h"
#include "proto/base/array.h"

/* More than there are options would name one twice. */
#define WISHES_MAX (uint32_t) OPT_MAX_

/* --- what there is --- */

static const char *const type_names[] = {
	[TYPE_BOOL] = "bool",
	[TYPE_INT] = "int",
	[TYPE_SIZE] = "size",
	[TYPE_RATE] = "rate",
	[TYPE_DURATION] = "duration",
	[TYPE_RATIO] = "ratio",
	[TYPE_STRING] = "string",
	[TYPE_SECRET] = "secret",
	[TYPE_CHOICE] = "choice",
	[TYPE_PATH] = "path",
	[TYPE_LIST] = "list",
	[TYPE_PATHS] = "paths",
};

static const char *const from_names[] = {
	[CONFIG_FROM_DEFAULT] = "default",
	[CONFIG_FROM_FILE] = "file",
	[CONFIG_FROM_API] = "api",
	[CONFIG_FROM_ENV] = "environment",
	[CONFIG_FROM_ARGS] = "command line",
};

/* A number of the option in plain units. */
static void write_number(struct json_out *o, enum option_type type, int64_t n)
{
	if (type == TYPE_DURATION)
		json_out_real(o, (double)n / USEC_PER_SEC);
	else if (type == TYPE_RATIO)
		json_out_real(o, (double)n / 1000);
	else
		json_out_int(o, n);
}

static void write_choices(struct json_out *o, const char *choices)
{
	json_out_open(o, '[');
	for (const char *p = choices; *p != '\0';) {
		size_t n = strcspn(p, "|");

		json_out_slice(o, (struct slice){(const uint8_t *)p, n});
		p += n + (p[n] == '|');
	}
	json_out_close(o, ']');
}

static void write_list(struct json_out *o, const struct config_list *l)
{
	json_out_open(o, '[');
	for (size_t i = 0; i < l->n; i++)
		json_out_text(o, l->v[i]);
	json_out_close(o, ']');
}

static void write_choice(struct json_out *o, const char *choices, int i)
{
	for (; i > 0; i--)
		choices += strcspn(choices, "|") + 1;
	json_out_slice(o, (struct slice){(const uint8_t *)choices, strcspn(choices, "|")});
}

/* A secret says whether it is set. */
static void write_value(struct json_out *o, const struct option *opt, const void *field)
{
	switch (opt->type) {
	case TYPE_BOOL:
		json_out_bool(o, *(const bool *)field);
		break;
	case TYPE_INT:
	case TYPE_RATIO:
		write_number(o, opt->type, *(const int *)field);
		break;
	case TYPE_SIZE:
	case TYPE_RATE:
		json_out_uint(o, *(const uint64_t *)field);
		break;
	case TYPE_DURATION:
		write_number(o, opt->type, *(const int64_t *)field);
		break;
	case TYPE_CHOICE:
		write_choice(o, opt->unit, *(const int *)field);
		break;
	case TYPE_LIST:
	case TYPE_PATHS:
		write_list(o, field);
		break;
	case TYPE_SECRET:
		json_out_bool(o, **(char *const *)field != '\0');
		break;
	case TYPE_STRING:
	case TYPE_PATH:
		json_out_text(o, *(char *const *)field);
		break;
	}
}

static bool has_range(enum option_type type)
{
	return type == TYPE_INT || type == TYPE_SIZE || type == TYPE_RATE ||
	       type == TYPE_DURATION || type == TYPE_RATIO;
}

static void write_limits(struct json_out *o, const struct option *opt)
{
	if (opt->type == TYPE_CHOICE) {
		json_out_key(o, "choices");
		write_choices(o, opt->unit);
	} else if (opt->unit[0] != '\0') {
		json_out_put(o, "unit", text, opt->unit);
	}
	if (!has_range(opt->type))
		return;
	json_out_key(o, "min");
	write_number(o, opt->type, opt->min);
	json_out_key(o, "max");
	write_number(o, opt->type, opt->max);
}

static void write_origin(struct json_out *o, const struct config_source *s)
{
	json_out_key(o, "origin");
	json_out_open(o, '{');
	json_out_put(o, "kind", text, from_names[s->from]);
	json_out_put(o, "where", text, s->where);
	if (s->line > 0 && s->from == CONFIG_FROM_FILE)
		json_out_put(o, "line", int, s->line);
	json_out_close(o, '}');
}

static void write_option(struct json_out *o, const struct config *c, enum config_option i)
{
	const struct option *opt = &options[i];

	json_out_open(o, '{');
	json_out_put(o, "name", text, opt->full);
	json_out_put(o, "type", text, type_names[opt->type]);
	write_limits(o, opt);
	json_out_put(o, "default", text, opt->def);
	json_out_key(o, "value");
	write_value(o, opt, option_field_const(c, i));
	write_origin(o, config_source(c, i));
	json_out_put(o, "live", bool, opt->live);
	json_out_put(o, "locked", text, config_locked(c, i));
	json_out_put(o, "doc", text, opt->doc);
	json_out_close(o, '}');
}

static void write_section(struct json_out *o, const struct config *c, const struct section *s)
{
	json_out_open(o, '{');
	json_out_put(o, "name", text, s->name);
	json_out_put(o, "doc", text, s->doc);
	json_out_key(o, "options");
	json_out_open(o, '[');
	for (unsigned i = 0; i < OPT_MAX_; i++)
		if (strcmp(options[i].section, s->name) == 0)
			write_option(o, c, (enum config_option)i);
	json_out_close(o, ']');
	json_out_close(o, '}');
}

void api_settings(struct request *r)
{
	struct json_out o = {0};

	json_out_open(&o, '{');
	json_out_key(&o, "sections");
	json_out_open(&o, '[');
	for (size_t i = 0; i < sections_n; i++)
		write_section(&o, request_config(r), &sections[i]);
	json_out_close(&o, ']');
	json_out_close(&o, '}');
	answer_json(r, 200, &o);
}

/* --- changing --- */

struct wishes_read {
	struct m_options_set *m;
	uint32_t room;
	bool too_many;
};

static bool is_plain_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789.")] == '\0';
}

/* A number without a unit is in the plain one of its option. */
static char *with_unit(const char *name, const char *value)
{
	static const char *const units[] = {
		[TYPE_SIZE] = "B", [TYPE_RATE] = "B/s", [TYPE_DURATION] = "s"};
	enum config_option o = option_find_full(name);
	const char *unit = NULL;
	size_t n = strlen(value) + 4;
	char *text;

	if (o != OPT_MAX_ && options[o].type < (enum option_type)ARRAY_LEN(units))
		unit = units[options[o].type];
	if (unit == NULL || !is_plain_number(value))
		return xstrdup(value);
	text = xcalloc(1, n);
	snprintf(text, n, "%s%s", value, unit);
	return text;
}

static void take_wish(void *ctx, const char *name, const char *value)
{
	struct wishes_read *w = ctx;
	struct option_wish wish;

	w->too_many = w->m->wishes_n == WISHES_MAX;
	if (w->too_many)
		return;
	wish = (struct option_wish){
		.name = xstrdup(name), .value = value != NULL ? with_unit(name, value) : NULL};
	ARRAY_PUSH(w->m->wishes, w->m->wishes_n, w->room, wish);
}

static void answer_changed(struct request *r, const struct m_options_set *m)
{
	struct json_out o = {0};

	json_out_open(&o, '{');
	json_out_put(&o, "changed", uint, m->wishes_n);
	json_out_key(&o, "restart");
	json_out_open(&o, '[');
	for (uint32_t i = 0; i < m->restart_n; i++)
		json_out_text(&o, config_option_name(m->restart[i]));
	json_out_close(&o, ']');
	json_out_close(&o, '}');
	answer_json(r, 200, &o);
}

/* E_PERM is a locked option, not one's scope; all that is wrong with a value is 422. */
static void on_settings(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	const struct m_options_set *set = m != NULL ? MSG_AS(OPTIONS_SET, *m) : NULL;

	(void)a;
	if (err == E_OK && set != NULL)
		answer_changed(r, set);
	else if (err == E_PERM && set != NULL)
		answer_problem(r, 409, "locked", "%s", set->why.text);
	else if ((err == E_SYNTAX || err == E_RANGE || err == E_NOT_FOUND) && set != NULL)
		answer_problem(r, 422, err == E_NOT_FOUND ? "no_such_option" : "bad_value", "%s",
			set->why.text);
	else
		answer_err(r, err, set != NULL ? set->why.text : NULL);
	request_resume(r);
}

/* false: answered. */
static bool read_wishes(struct request *r, struct m_options_set *m)
{
	struct wishes_read w = {.m = m};

	if (!request_object(r, take_wish, &w))
		return false;
	if (w.too_many)
		answer_text(r, 422, "there are not so many options");
	else if (m->wishes_n == 0)
		answer_text(r, 422,
			"name at least one option: a JSON object such as {\"peers.max\": 200}, "
			"null "
			"for the configured value");
	else
		return request_may_wait(r);
	return false;
}

void api_settings_set(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_options_set *m = msg_new(a, MSG_OPTIONS_SET);
	struct msg *h = &m->h;

	if (!read_wishes(r, m)) {
		msg_free(a, &h);
		return;
	}
	request_suspend(r);
	actor_call(a, ADDR_MAIN, &h, on_settings, r);
}
