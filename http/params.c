/* SPDX-License-Identifier: MIT */
/*
 * Parameters of a request: from the query, of which microhttpd gives decoded pairs.
 *
 * A parameter that is there twice is refused: which one counts would depend on who reads it.
 */
#include "http/http_priv.h"

#include "proto/base64.h"

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

bool param_bool(struct request *r, const char *name, bool absent, bool *out)
{
	const char *v;

	if (!param_text(r, name, &v))
		return false;
	*out = absent;
	if (v == NULL)
		return true;
	*out = strcmp(v, "true") == 0;
	if (!*out && strcmp(v, "false") != 0) {
		answer_text(r, 422, "parameter '%s' must be true or false", name);
		return false;
	}
	return true;
}

/* Digits only; at most 2^43, so that KiB fit into bytes. */
static bool parse_kib(const char *v, uint64_t *out)
{
	uint64_t n = 0;

	if (*v == '\0')
		return false;
	for (; *v != '\0'; v++) {
		if (*v < '0' || *v > '9' || n > (UINT64_C(1) << 43) / 10)
			return false;
		n = n * 10 + (uint64_t)(*v - '0');
	}
	*out = n * 1024;
	return true;
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
	if (!parse_kib(v, bytes_per_s)) {
		answer_text(r, 422, "parameter '%s' must be a whole number of KiB/s, 0 = unlimited",
			name);
		return false;
	}
	return true;
}
