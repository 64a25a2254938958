/* SPDX-License-Identifier: MIT */
/*
 * Parameters of a request: from the query, of which microhttpd gives decoded pairs.
 *
 * Values are taken leniently where they can only mean one thing.  Names are not: what a resource
 * does not know is refused by name, because a misspelt one would be passed over in silence.  So is
 * one that is there twice: which counts would depend on who reads it.
 */
#include "http/server/priv.h"
#include "http/server/route.h"

#include "proto/base/array.h"
#include "proto/base/encode.h"

#include <stdio.h>
#include <strings.h>

/* --- names --- */

/* Whether the name is one of a list of words with a space between two. */
static bool is_listed(const char *list, const char *name, size_t n)
{
	while (*list != '\0') {
		size_t word = strcspn(list, " ");

		if (word == n && memcmp(list, name, n) == 0)
			return true;
		list += word + (list[word] == ' ');
	}
	return false;
}

bool params_in_path(const struct resource *resource, const char *name)
{
	struct slice part, value;

	for (unsigned i = 0; route_part(resource, resource->path, i, &part, &value); i++)
		if (part.n == strlen(name) && memcmp(part.p, name, part.n) == 0)
			return true;
	return false;
}

/* Whether the resource says that it takes the parameter: in its list, or as a part of its path. */
static bool is_declared(const struct resource *resource, const char *name)
{
	return params_in_path(resource, name) || is_listed(resource->params, name, strlen(name));
}

struct stranger {
	const struct resource *resource;
	bool past_path; /* what the path says is among them by now */
	const char *name;
};

static enum MHD_Result find_stranger(void *ctx, enum MHD_ValueKind kind, const char *key,
	size_t key_size, const char *value, size_t size)
{
	struct stranger *s = ctx;

	(void)kind;
	(void)value;
	(void)size;
	if (key_size == 0 || is_listed(s->resource->params, key, key_size) ||
		(s->past_path && params_in_path(s->resource, key)))
		return MHD_YES;
	s->name = key;
	return MHD_NO;
}

bool params_known(struct request *r)
{
	struct stranger s = {0};
	char safe[128];

	CHECK_OBJ(r, REQUEST_MAGIC);
	if (forms_read(r))
		return true;
	s.resource = r->resource;
	s.past_path = r->members_n > 0;
	MHD_get_connection_values_n(r->conn, MHD_GET_ARGUMENT_KIND, find_stranger, &s);
	if (s.name == NULL)
		return true;
	log_safe(s.name, safe, sizeof safe);
	if (r->resource->params[0] == '\0')
		answer_text(r, 422, "parameter '%s' is not known: %s takes none", safe,
			r->resource->path);
	else
		answer_text(r, 422, "parameter '%s' is not known: %s takes %s", safe,
			r->resource->path, r->resource->params);
	return false;
}

/* --- values --- */

struct search {
	const char *name;
	const char *value;
	size_t size;
	unsigned found;
};

static enum MHD_Result match(void *ctx, enum MHD_ValueKind kind, const char *key, size_t key_size,
	const char *value, size_t size)
{
	struct search *s = ctx;

	(void)kind;
	if (strlen(s->name) != key_size || memcmp(s->name, key, key_size) != 0)
		return MHD_YES;
	s->found++;
	s->value = value != NULL ? value : "";
	s->size = value != NULL ? size : 0;
	return MHD_YES;
}

bool param_text(struct request *r, const char *name, const char **out)
{
	struct search s = {.name = name};

	CHECK_OBJ(r, REQUEST_MAGIC);
	must(is_declared(r->resource, name));
	*out = NULL;
	MHD_get_connection_values_n(r->conn, MHD_GET_ARGUMENT_KIND, match, &s);
	if (s.found > 1) {
		answer_text(r, 422, "parameter '%s' is given %u times", name, s.found);
		return false;
	}
	if (s.found == 1 && strlen(s.value) != s.size) {
		answer_text(r, 422, "parameter '%s' contains a NUL byte", name);
		return false;
	}
	if (s.size > 0)
		*out = s.value;
	return true;
}

bool param_infohash(struct request *r, uint8_t out[20])
{
	const char *v;

	if (!param_text(r, "infohash", &v))
		return false;
	if (v == NULL) {
		answer_text(r, 422,
			"parameter 'infohash' is missing: the 40 hex digits of the info-hash");
		return false;
	}
	if (!hex_decode(v, strlen(v), out, 20)) {
		answer_text(r, 422, "parameter 'infohash' must be 40 hex digits");
		return false;
	}
	return true;
}

/* In any case, as the tools of this world write them. */
static bool read_bool(const char *v, bool *out)
{
	static const char *const words[] = {
		"false", "true", "no", "yes", "off", "on", "0", "1", "f", "t", "n", "y"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(v, words[i]) == 0) {
			*out = i % 2 == 1;
			return true;
		}
	return false;
}

bool param_bool(struct request *r, const char *name, bool absent, bool *out)
{
	const char *v;

	if (!param_text(r, name, &v))
		return false;
	*out = absent;
	if (v == NULL || read_bool(v, out))
		return true;
	answer_text(r, 422, "parameter '%s' must be true or false", name);
	return false;
}

bool param_flag(struct request *r, const char *name, bool *out)
{
	const char *v;

	if (!param_text(r, name, &v))
		return false;
	if (v != NULL)
		return param_bool(r, name, false, out);
	answer_text(r, 422, "parameter '%s' is missing: true or false", name);
	return false;
}

/*
 * Digits, perhaps with a fraction; below 2^43, so that KiB fit into bytes.  What is above nothing
 * stays so: 0 would lift the limit.
 */
static bool read_kib(const char *v, uint64_t *out)
{
	const uint64_t most = UINT64_C(1) << 43;
	uint64_t n = 0, part = 0, scale = 1;
	bool digits = false;

	for (; *v >= '0' && *v <= '9'; v++, digits = true) {
		n = n * 10 + (uint64_t)(*v - '0');
		if (n >= most)
			return false;
	}
	if (*v == '.')
		for (v++; *v >= '0' && *v <= '9'; v++, digits = true)
			if (scale < 1000000) {
				part = part * 10 + (uint64_t)(*v - '0');
				scale *= 10;
			}
	*out = n * 1024 + part * 1024 / scale;
	if (*out == 0 && part > 0)
		*out = 1;
	return digits && *v == '\0';
}

bool param_rate(struct request *r, const char *name, bool required, uint64_t *bytes_per_s)
{
	const char *v;

	if (!param_text(r, name, &v))
		return false;
	*bytes_per_s = 0;
	if (v == NULL && !required)
		return true;
	if (v == NULL) {
		answer_text(r, 422, "parameter '%s' is missing: KiB/s, 0 = unlimited", name);
		return false;
	}
	if (!read_kib(v, bytes_per_s)) {
		answer_text(r, 422,
			"parameter '%s' must be a number of KiB/s such as 500 or 0.5, 0 = "
			"unlimited",
			name);
		return false;
	}
	return true;
}

/* --- numbers and lists --- */

/* Digits up to a value below max; *p is moved behind them. */
static bool read_number(const char **p, uint64_t max, uint64_t *out)
{
	const char *from = *p;
	uint64_t n = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++) {
		n = n * 10 + (uint64_t)(**p - '0');
		if (n >= max)
			return false;
	}
	*out = n;
	return *p > from;
}

/* "3" or "3-5". */
static bool read_range(const char **p, struct file_wish *out)
{
	uint64_t first, last;

	if (!read_number(p, UINT32_MAX, &first))
		return false;
	last = first;
	if (**p == '-') {
		(*p)++;
		if (!read_number(p, UINT32_MAX, &last) || last < first)
			return false;
	}
	out->first = (uint32_t)first;
	out->last = (uint32_t)last;
	return true;
}

static bool read_files(const char *v, uint8_t priority, struct file_wish **list, uint32_t *n)
{
	struct file_wish wish = {.last = UINT32_MAX, .priority = priority};
	bool all = strcmp(v, "all") == 0;
	uint32_t room = *n;

	do {
		if (!all && !read_range(&v, &wish))
			return false;
		ARRAY_PUSH(*list, *n, room, wish);
	} while (!all && *v++ == ',');
	return all || v[-1] == '\0';
}

bool param_files(
	struct request *r, const char *name, uint8_t priority, struct file_wish **list, uint32_t *n)
{
	const char *v;

	if (!param_text(r, name, &v))
		return false;
	if (v == NULL || read_files(v, priority, list, n))
		return true;
	answer_text(r, 422, "parameter '%s' must be numbers of files such as 0,3-5, or all", name);
	return false;
}

bool param_choice(struct request *r, const char *name, const char *const *words, unsigned *out)
{
	char list[128] = "";
	size_t n = 0;
	const char *v;

	if (!param_text(r, name, &v))
		return false;
	for (unsigned i = 0; words[i] != NULL; i++) {
		if (v != NULL && strcmp(v, words[i]) == 0) {
			*out = i;
			return true;
		}
		n += (size_t)snprintf(
			list + n, sizeof list - n, "%s%s", i > 0 ? ", " : "", words[i]);
		must(n < sizeof list);
	}
	answer_text(r, 422, "parameter '%s' %s one of: %s", name,
		v == NULL ? "is missing:" : "must be", list);
	return false;
}

static bool read_whole(struct request *r, const char *name, uint64_t least, uint64_t *out)
{
	const char *v;

	if (!param_text(r, name, &v))
		return false;
	if (v != NULL && read_number(&v, UINT32_MAX, out) && *v == '\0' && *out >= least)
		return true;
	answer_text(r, 422, "parameter '%s' must be a whole number from %llu", name,
		(unsigned long long)least);
	return false;
}

bool param_count(struct request *r, const char *name, uint64_t *out)
{
	return read_whole(r, name, 1, out);
}

bool param_index(struct request *r, const char *name, uint64_t *out)
{
	return read_whole(r, name, 0, out);
}

/* At most a thousand million, so that nobody's arithmetic overflows. */
static bool read_limit(const char *v, unsigned decimals, int64_t *out)
{
	uint64_t n;
	unsigned left = decimals;

	if (strcmp(v, "-1") == 0) {
		*out = SEED_GLOBAL;
		return true;
	}
	if (!read_number(&v, 1000000001, &n))
		return false;
	if (*v == '.' && decimals > 0) {
		for (v++; *v >= '0' && *v <= '9' && left > 0; left--)
			n = n * 10 + (uint64_t)(*v++ - '0');
		if (left == decimals)
			return false;
	}
	for (; left > 0; left--)
		n *= 10;
	*out = (int64_t)n;
	return *v == '\0';
}

bool param_limit(struct request *r, const char *name, unsigned decimals, int64_t *out)
{
	const char *v;

	*out = SEED_KEEP;
	if (!param_text(r, name, &v))
		return false;
	if (v == NULL || read_limit(v, decimals, out))
		return true;
	answer_text(r, 422, "parameter '%s' must be %s; 0 is no limit, -1 the configured one", name,
		decimals > 0 ? "a number such as 1.5" : "a whole number of seconds");
	return false;
}
