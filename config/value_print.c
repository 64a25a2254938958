/* SPDX-License-Identifier: MIT */
/* Writing values and their limits in the syntax they are read in. */
#include "config/units.h"
#include "config/value.h"

#include <inttypes.h>

void config_put_text(const char *s, FILE *out)
{
	if (s[0] != '\0' && strpbrk(s, " \t#\",\\") == NULL) {
		fputs(s, out);
		return;
	}
	fputc('"', out);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', out);
		fputc(*s, out);
	}
	fputc('"', out);
}

static void print_list(const struct config_list *l, FILE *out)
{
	for (size_t i = 0; i < l->n; i++) {
		fputs(i > 0 ? ", " : "", out);
		config_put_text(l->v[i], out);
	}
}

static void print_choice(const char *choices, int index, FILE *out)
{
	while (index-- > 0)
		choices = strchrnul(choices, '|') + 1;
	fprintf(out, "%.*s", (int)strcspn(choices, "|"), choices);
}

static void print_scaled(const struct units *u, int64_t n, FILE *out)
{
	char buf[32];

	units_format(u, n, buf, sizeof buf);
	fputs(buf, out);
}

static void print_ratio(int64_t thousandths, FILE *out)
{
	int64_t part = thousandths % 1000;
	int digits = 3;

	fprintf(out, "%" PRId64, thousandths / 1000);
	for (; digits > 0 && part % 10 == 0; digits--)
		part /= 10;
	if (digits > 0)
		fprintf(out, ".%0*" PRId64, digits, part);
}

void value_print(const struct option *o, const void *field, FILE *out)
{
	switch (o->type) {
	case TYPE_BOOL:
		fputs(*(const bool *)field ? "true" : "false", out);
		break;
	case TYPE_INT:
		fprintf(out, "%d", *(const int *)field);
		break;
	case TYPE_SIZE:
		print_scaled(&units_size, (int64_t) * (const uint64_t *)field, out);
		break;
	case TYPE_RATE:
		print_scaled(&units_rate, (int64_t) * (const uint64_t *)field, out);
		break;
	case TYPE_DURATION:
		print_scaled(&units_duration, *(const int64_t *)field, out);
		break;
	case TYPE_RATIO:
		print_ratio(*(const int *)field, out);
		break;
	case TYPE_CHOICE:
		print_choice(o->unit, *(const int *)field, out);
		break;
	case TYPE_LIST:
	case TYPE_PATHS:
		print_list(field, out);
		break;
	default:
		config_put_text(*(char *const *)field, out);
	}
}

const char *value_default(const struct option *o)
{
	bool list = o->type == TYPE_LIST || o->type == TYPE_PATHS;

	return o->def[0] != '\0' || list ? o->def : "\"\"";
}

static const char *say_kind(const struct option *o)
{
	static const char *const kinds[] = {
		[TYPE_BOOL] = "true or false",
		[TYPE_INT] = "number",
		[TYPE_SIZE] = "size",
		[TYPE_RATE] = "rate",
		[TYPE_DURATION] = "duration",
		[TYPE_RATIO] = "ratio",
		[TYPE_STRING] = "text",
		[TYPE_SECRET] = "secret text",
		[TYPE_CHOICE] = "choice",
		[TYPE_PATH] = "path",
		[TYPE_LIST] = "list",
		[TYPE_PATHS] = "list of paths",
	};

	return kinds[o->type];
}

static void print_range(const struct units *u, const struct option *o, FILE *out)
{
	fputs(", ", out);
	print_scaled(u, o->min, out);
	fputs(" to ", out);
	print_scaled(u, o->max, out);
}

void value_print_limits(const struct option *o, FILE *out)
{
	fputs(say_kind(o), out);
	if (o->type == TYPE_INT && o->unit[0] != '\0')
		fprintf(out, " of %s", o->unit);
	if (o->type == TYPE_INT)
		fprintf(out, ", %" PRId64 " to %" PRId64, o->min, o->max);
	else if (o->type == TYPE_SIZE)
		print_range(&units_size, o, out);
	else if (o->type == TYPE_RATE)
		print_range(&units_rate, o, out);
	else if (o->type == TYPE_DURATION)
		print_range(&units_duration, o, out);
	else if (o->type == TYPE_RATIO) {
		fputs(", ", out);
		print_ratio(o->min, out);
		fputs(" to ", out);
		print_ratio(o->max, out);
	} else if (o->type == TYPE_CHOICE)
		fprintf(out, ": %s", o->unit);
}
