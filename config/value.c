/* SPDX-License-Identifier: MIT */
/*
 * One value: from text to the field of its option and back.
 *
 * Each type has one parser that leaves the field alone until the text has proven good, so a load
 * can go on after an error and report the next.
 */
#include "config/value.h"

#include "config/units.h"

#include <inttypes.h>

/* How much of a wrong value is shown again. */
#define SHOWN "\"%.60s\""

/* What a parser works with. */
struct job {
	const struct option *o;
	const char *home;
	void *field;
	char *why;
	size_t size;
};

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool has_control(const char *s)
{
	while (*s != '\0' && !is_control(*s))
		s++;
	return *s != '\0';
}

static const char *skip_spaces(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* Takes a quoted text and returns what follows its closing quote, or NULL when there is none. */
static const char *take_quoted(const char *p, char *out)
{
	for (p++; *p != '"'; p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		if (*p == '\0')
			return NULL;
		*out++ = *p;
	}
	*out = '\0';
	return p + 1;
}

/* Takes the text up to `stop` or the end, without the spaces around it. */
static const char *take_plain(const char *p, char stop, char *out)
{
	size_t n = 0;

	while (p[n] != '\0' && p[n] != stop)
		n++;
	memcpy(out, p, n);
	for (p += n; n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\t');)
		n--;
	out[n] = '\0';
	return p;
}

/* Takes one text, quoted or not.  *out (the caller's) is at most as long as the input. */
static enum err take_text(struct job *j, const char **p, char stop, char **out)
{
	char *text = xcalloc(1, strlen(*p) + 1);
	const char *end = skip_spaces(*p);

	end = *end == '"' ? take_quoted(end, text) : take_plain(end, stop, text);
	if (end != NULL)
		end = skip_spaces(end);
	if (end == NULL) {
		snprintf(j->why, j->size, "a quoted text has no closing quote");
	} else if (*end != '\0' && *end != stop) {
		snprintf(j->why, j->size, "something follows the closing quote");
	} else {
		*p = end;
		*out = text;
		return E_OK;
	}
	xfree(text);
	return E_SYNTAX;
}

static enum err check_range(struct job *j, int64_t n, const struct units *u)
{
	char limit[32], shown[32];
	const struct option *o = j->o;
	int64_t bound = n < o->min ? o->min : o->max;

	if (n >= o->min && n <= o->max)
		return E_OK;
	if (u != NULL) {
		units_format(u, n, shown, sizeof shown);
		units_format(u, bound, limit, sizeof limit);
	} else {
		snprintf(shown, sizeof shown, "%" PRId64, n);
		snprintf(limit, sizeof limit, "%" PRId64, bound);
	}
	snprintf(j->why, j->size, "%s is %s, %s", shown,
		n < o->min ? "below the minimum" : "above the maximum", limit);
	return E_RANGE;
}

static enum err parse_bool(struct job *j, const char *text)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*(bool *)j->field = i % 2 == 1;
			return E_OK;
		}
	}
	snprintf(j->why, j->size, SHOWN " is neither true nor false", text);
	return E_SYNTAX;
}

static enum err parse_int(struct job *j, const char *text)
{
	bool minus = *text == '-';
	const char *p = text + minus;
	int64_t n = 0;

	while (*p >= '0' && *p <= '9' && n <= INT32_MAX)
		n = n * 10 + (*p++ - '0');
	if (p == text + minus || (*p != '\0' && n <= INT32_MAX)) {
		snprintf(j->why, j->size, SHOWN " is not a whole number", text);
		return E_SYNTAX;
	}
	enum err e = check_range(j, minus ? -n : n, NULL);
	if (e == E_OK)
		*(int *)j->field = (int)(minus ? -n : n);
	return e;
}

/* "1.5" is 1500; three decimals at most. */
static enum err parse_ratio(struct job *j, const char *text)
{
	const char *p = text;
	int64_t n = 0;
	int decimals = -1; /* no point so far */

	for (; *p != '\0' && decimals < 3 && n <= INT32_MAX; p++) {
		if (*p == '.' && decimals < 0 && p != text) {
			decimals = 0;
			continue;
		}
		if (*p < '0' || *p > '9')
			break;
		n = n * 10 + (*p - '0');
		if (decimals >= 0)
			decimals++;
	}
	if (p == text || p[-1] == '.' || (*p != '\0' && n <= INT32_MAX)) {
		snprintf(j->why, j->size,
			SHOWN " is not a ratio, such as 1.5, with three decimals at most", text);
		return E_SYNTAX;
	}
	for (int i = MAX(decimals, 0); i < 3; i++)
		n *= 10;
	enum err e = check_range(j, n, NULL);
	if (e == E_OK)
		*(int *)j->field = (int)n;
	return e;
}

static const struct units *units_of(enum option_type type)
{
	switch (type) {
	case TYPE_SIZE:
		return &units_size;
	case TYPE_RATE:
		return &units_rate;
	case TYPE_DURATION:
		return &units_duration;
	default:
		return NULL;
	}
}

static enum err parse_scaled(struct job *j, const char *text)
{
	const struct units *u = units_of(j->o->type);
	char help[200];
	int64_t n = 0;
	enum err e = units_parse(u, text, &n);

	if (e == E_RANGE) {
		snprintf(j->why, j->size, SHOWN " is not a number the daemon can hold", text);
		return e;
	}
	if (e != E_OK) {
		units_explain(u, help, sizeof help);
		snprintf(j->why, j->size, SHOWN " is not understood: %s", text, help);
		return e;
	}
	e = check_range(j, n, u);
	if (e == E_OK && j->o->type == TYPE_DURATION)
		*(int64_t *)j->field = n;
	else if (e == E_OK)
		*(uint64_t *)j->field = (uint64_t)n;
	return e;
}

static void replace_text(void *field, char *text)
{
	xfree(*(char **)field);
	*(char **)field = text;
}

static enum err parse_string(struct job *j, const char *text)
{
	const struct option *o = j->o;
	size_t n = strlen(text);
	bool secret = o->type == TYPE_SECRET;

	if (n == 0 && o->def[0] != '\0') {
		snprintf(j->why, j->size, "it must not be empty");
		return E_RANGE;
	}
	if (n > 0 && ((int64_t)n < o->min || (int64_t)n > o->max)) {
		snprintf(j->why, j->size, "%zu characters are too %s; %s %" PRId64, n,
			(int64_t)n < o->min ? "few" : "many",
			(int64_t)n < o->min ? "at least" : "at most",
			(int64_t)n < o->min ? o->min : o->max);
		return E_RANGE;
	}
	for (size_t i = 0; secret && i < n; i++) {
		if (text[i] <= ' ' || text[i] >= 0x7f) {
			snprintf(j->why, j->size,
				"only printable ASCII characters are allowed, no spaces");
			return E_SYNTAX;
		}
	}
	replace_text(j->field, xstrdup(text));
	return E_OK;
}

static enum err parse_choice(struct job *j, const char *text)
{
	size_t n = strlen(text);
	int index = 0;

	for (const char *p = j->o->unit; p != NULL; index++) {
		const char *bar = strchrnul(p, '|');
		if ((size_t)(bar - p) == n && memcmp(p, text, n) == 0) {
			*(int *)j->field = index;
			return E_OK;
		}
		p = *bar != '\0' ? bar + 1 : NULL;
	}
	snprintf(j->why, j->size, SHOWN " is none of %s", text, j->o->unit);
	return E_SYNTAX;
}

/* Copies a path without doubled and trailing slashes; says whether a part is "." or "..". */
static bool copy_path(const char *p, char *out)
{
	bool dots = false;

	while (*p != '\0') {
		p += strspn(p, "/");
		size_t n = strcspn(p, "/");
		if (n == 0)
			break;
		dots = dots || (n <= 2 && strspn(p, ".") == n);
		*out++ = '/';
		memcpy(out, p, n);
		out += n;
		p += n;
	}
	*out = '\0';
	return dots;
}

enum err value_parse_path(const char *text, const char *home, char **out, char *why, size_t size)
{
	bool tilde = text[0] == '~' && (text[1] == '/' || text[1] == '\0');
	char *joined, *plain;

	if (tilde && (home == NULL || home[0] != '/')) {
		snprintf(why, size, SHOWN " needs $HOME, and that is not set", text);
		return E_PATH;
	}
	if (!tilde && text[0] != '/') {
		snprintf(why, size, SHOWN " is not an absolute path: begin it with / or ~/", text);
		return E_PATH;
	}
	joined = xcalloc(1, strlen(text) + (tilde ? strlen(home) : 0) + 1);
	plain = xcalloc(1, strlen(text) + (tilde ? strlen(home) : 0) + 2);
	if (tilde)
		memcpy(joined, home, strlen(home));
	memcpy(joined + strlen(joined), text + tilde, strlen(text + tilde));
	bool dots = copy_path(joined, plain);
	xfree(joined);
	if (dots) {
		snprintf(why, size, SHOWN " has a part that is \".\" or \"..\"", text);
		xfree(plain);
		return E_PATH;
	}
	if (plain[0] == '\0')
		plain[0] = '/';
	*out = plain;
	return E_OK;
}

static enum err parse_path(struct job *j, const char *text)
{
	char *path = NULL;
	bool none = text[0] == '\0' && j->o->def[0] == '\0';
	enum err e = E_OK;

	if (none)
		path = xstrdup("");
	else
		e = value_parse_path(text, j->home, &path, j->why, j->size);
	if (e == E_OK && (int64_t)strlen(path) > j->o->max) {
		snprintf(j->why, j->size, "the path is too long");
		xfree(path);
		return E_RANGE;
	}
	if (e == E_OK)
		replace_text(j->field, path);
	return e;
}

static void free_list(struct config_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		xfree(l->v[i]);
	xfree(l->v);
	*l = (struct config_list){0};
}

/* Adds one entry; takes the text. */
static enum err add_entry(struct job *j, struct config_list *l, char *text)
{
	char *path = NULL;

	if (text[0] == '\0') {
		snprintf(j->why, j->size, "the list has an empty entry");
		xfree(text);
		return E_SYNTAX;
	}
	if (j->o->type == TYPE_PATHS) {
		enum err e = value_parse_path(text, j->home, &path, j->why, j->size);
		xfree(text);
		if (e != E_OK)
			return e;
		text = path;
	}
	l->v = xrealloc(l->v, (l->n + 1) * sizeof *l->v);
	l->v[l->n++] = text;
	return E_OK;
}

static enum err parse_entries(struct job *j, const char *p, struct config_list *l)
{
	bool more = *skip_spaces(p) != '\0';

	while (more) {
		char *text = NULL;
		enum err e = take_text(j, &p, ',', &text);
		if (e == E_OK)
			e = add_entry(j, l, text);
		if (e != E_OK)
			return e;
		if ((int64_t)l->n > j->o->max) {
			snprintf(j->why, j->size, "the list has more than %" PRId64 " entries",
				j->o->max);
			return E_RANGE;
		}
		more = *p == ',';
		p += more;
	}
	if ((int64_t)l->n < j->o->min) {
		snprintf(j->why, j->size, "the list must not be empty");
		return E_RANGE;
	}
	return E_OK;
}

static enum err parse_list(struct job *j, const char *text)
{
	struct config_list l = {0};
	enum err e = parse_entries(j, text, &l);

	if (e == E_OK)
		free_list(j->field);
	if (e == E_OK)
		*(struct config_list *)j->field = l;
	else
		free_list(&l);
	return e;
}

static enum err parse_scalar(struct job *j, const char *text)
{
	switch (j->o->type) {
	case TYPE_BOOL:
		return parse_bool(j, text);
	case TYPE_INT:
		return parse_int(j, text);
	case TYPE_SIZE:
	case TYPE_RATE:
	case TYPE_DURATION:
		return parse_scaled(j, text);
	case TYPE_RATIO:
		return parse_ratio(j, text);
	case TYPE_CHOICE:
		return parse_choice(j, text);
	case TYPE_PATH:
		return parse_path(j, text);
	default:
		return parse_string(j, text);
	}
}

static bool is_list(enum option_type type)
{
	return type == TYPE_LIST || type == TYPE_PATHS;
}

enum err value_parse(const struct option *o, const char *text, const char *home, void *field,
	char *why, size_t size)
{
	struct job j = {.o = o, .home = home, .field = field, .why = why, .size = size};
	char *plain = NULL;

	if (has_control(text)) {
		snprintf(why, size, "the value has a control character");
		return E_SYNTAX;
	}
	if (is_list(o->type))
		return parse_list(&j, text);
	enum err e = take_text(&j, &text, '\0', &plain);
	if (e == E_OK)
		e = parse_scalar(&j, plain);
	xfree(plain);
	return e;
}

void value_free(const struct option *o, void *field)
{
	if (is_list(o->type))
		free_list(field);
	else if (o->type == TYPE_STRING || o->type == TYPE_SECRET || o->type == TYPE_PATH)
		replace_text(field, NULL);
}

static size_t size_of(enum option_type type)
{
	static const size_t sizes[] = {
		[TYPE_BOOL] = sizeof(CONFIG_TYPE_BOOL),
		[TYPE_INT] = sizeof(CONFIG_TYPE_INT),
		[TYPE_SIZE] = sizeof(CONFIG_TYPE_SIZE),
		[TYPE_RATE] = sizeof(CONFIG_TYPE_RATE),
		[TYPE_DURATION] = sizeof(CONFIG_TYPE_DURATION),
		[TYPE_RATIO] = sizeof(CONFIG_TYPE_RATIO),
		[TYPE_CHOICE] = sizeof(CONFIG_TYPE_CHOICE),
	};

	return sizes[type];
}

static bool is_text(enum option_type type)
{
	return type == TYPE_STRING || type == TYPE_SECRET || type == TYPE_PATH;
}

static void copy_list(struct config_list *to, const struct config_list *from)
{
	free_list(to);
	to->v = xcalloc(from->n, sizeof *to->v);
	to->n = from->n;
	for (size_t i = 0; i < from->n; i++)
		to->v[i] = xstrdup(from->v[i]);
}

void value_copy(const struct option *o, void *to, const void *from)
{
	if (is_list(o->type))
		copy_list(to, from);
	else if (is_text(o->type))
		replace_text(to, xstrdup(*(char *const *)from));
	else
		memcpy(to, from, size_of(o->type));
}

static bool lists_equal(const struct config_list *a, const struct config_list *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->v[i], b->v[i]) == 0;
	return same;
}

bool value_equal(const struct option *o, const void *a, const void *b)
{
	if (is_list(o->type))
		return lists_equal(a, b);
	if (is_text(o->type))
		return strcmp(*(char *const *)a, *(char *const *)b) == 0;
	return memcmp(a, b, size_of(o->type)) == 0;
}
