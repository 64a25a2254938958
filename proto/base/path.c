/* SPDX-License-Identifier: MIT */
/* Names from strangers made fit for a file system, and containment of paths, all by text alone. */
#include "proto/base/path.h"

#include "proto/base/utf8.h"

#include <stdio.h>

#define EXT_RAW_MAX 32 /* a longer tail behind the last dot is no extension worth keeping */
#define HASH_LEN    17 /* "~" and 16 digits */

/* FNV-1a: short and fixed for all time, since names on disk depend on it. */
static uint64_t hash_name(struct slice s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * 0x100000001b3u;
	return h;
}

/* What stands for the character at p, in unit[]; *used bytes of input make it.  Length of the unit.
 */
static size_t escape_char(const uint8_t *p, size_t n, char unit[8], size_t *used)
{
	static const char digits[] = "0123456789ABCDEF";
	uint32_t cp;
	unsigned len = utf8_decode(p, n, &cp);
	size_t out = 0;

	*used = len > 0 ? len : 1;
	if (len > 0 && utf8_is_direction_mark(cp)) {
		unit[0] = '_';
		return 1;
	}
	if (len > 0 && cp != '/' && !utf8_is_control(cp)) {
		memcpy(unit, p, len);
		return len;
	}
	/* Separators beyond ASCII would take more than eight characters as escapes. */
	if (len > 2) {
		unit[0] = '_';
		return 1;
	}
	for (size_t i = 0; i < *used; i++) {
		unit[out++] = '%';
		unit[out++] = digits[p[i] >> 4];
		unit[out++] = digits[p[i] & 15];
	}
	return out;
}

/* Escapes whole characters while they fit into cap bytes.  True when all did. */
static bool escape_name(struct slice raw, char *out, size_t cap, size_t *out_n)
{
	char unit[8];
	size_t used, n = 0;

	for (size_t i = 0; i < raw.n; i += used) {
		size_t len = escape_char(raw.p + i, raw.n - i, unit, &used);

		if (cap - n < len) {
			*out_n = n;
			return false;
		}
		memcpy(out + n, unit, len);
		n += len;
	}
	*out_n = n;
	return true;
}

/* ".mkv" of a raw name; empty when it has none. */
static struct slice find_extension(struct slice raw)
{
	for (size_t n = 1; n <= EXT_RAW_MAX && n < raw.n; n++)
		if (raw.p[raw.n - n] == '.')
			return (struct slice){raw.p + raw.n - n, n};
	return (struct slice){raw.p, 0};
}

/* The start of the name, a hash of all of it, and its extension. */
static void shorten_name(struct slice raw, char out[PATH_NAME_BUF])
{
	struct slice ext = find_extension(raw);
	char tail[HASH_LEN + 3 * EXT_RAW_MAX + 1];
	size_t tail_n, ext_n, stem_n;

	(void)snprintf(tail, sizeof tail, "~%016llx", (unsigned long long)hash_name(raw));
	must(escape_name(ext, tail + HASH_LEN, sizeof tail - HASH_LEN, &ext_n));
	tail_n = HASH_LEN + ext_n;
	raw.n -= ext.n;
	(void)escape_name(raw, out, PATH_NAME_MAX - tail_n, &stem_n);
	memcpy(out + stem_n, tail, tail_n);
	out[stem_n + tail_n] = '\0';
}

/* "." or "..", or nothing. */
static bool is_dots(const char *p, size_t n)
{
	return n == 0 || (n <= 2 && p[0] == '.' && p[n - 1] == '.');
}

enum err path_sanitise(struct slice raw, char out[], size_t out_size)
{
	size_t n;

	must(out_size >= PATH_NAME_BUF);
	out[0] = '\0';
	if (raw.n == 0 || is_dots((const char *)raw.p, raw.n))
		return E_PATH;
	if (escape_name(raw, out, PATH_NAME_MAX, &n))
		out[n] = '\0';
	else
		shorten_name(raw, out);
	return E_OK;
}

/* The component at *p, without slashes; *p ends on the '/' or NUL behind it. */
static struct slice next_component(const char **p)
{
	const char *first = *p;

	while (**p != '\0' && **p != '/')
		++*p;
	return (struct slice){(const uint8_t *)first, (size_t)(*p - first)};
}

bool path_relative_ok(const char *path)
{
	for (;; path++) {
		struct slice c = next_component(&path);

		if (is_dots((const char *)c.p, c.n))
			return false;
		if (*path == '\0')
			return true;
	}
}

struct joined {
	char *out;
	size_t n, size; /* n bytes of size are used; "" stands for "/" until the end */
};

static void drop_component(struct joined *j)
{
	while (j->out[--j->n] != '/')
		;
}

static enum err add_component(struct joined *j, struct slice c)
{
	if (c.n == 0 || (c.n == 1 && c.p[0] == '.'))
		return E_OK;
	if (is_dots((const char *)c.p, c.n)) {
		if (j->n == 0)
			return E_PATH;
		drop_component(j);
		return E_OK;
	}
	if (j->size - j->n < c.n + 2)
		return E_TOO_BIG;
	j->out[j->n++] = '/';
	memcpy(j->out + j->n, c.p, c.n);
	j->n += c.n;
	return E_OK;
}

static enum err add_path(struct joined *j, const char *path)
{
	for (;; path++) {
		struct slice c = next_component(&path);
		enum err e = add_component(j, c);

		if (e != E_OK || *path == '\0')
			return e;
	}
}

enum err path_join_clean(const char *base, const char *path, char *out, size_t out_size)
{
	struct joined j = {.out = out, .n = 0, .size = out_size};
	enum err e = E_OK;

	must(out_size >= 2);
	out[0] = '\0';
	if (path[0] == '\0' || (path[0] != '/' && base[0] != '/'))
		return E_PATH;
	if (path[0] != '/')
		e = add_path(&j, base);
	if (e == E_OK)
		e = add_path(&j, path);
	if (e == E_OK && j.n == 0)
		out[j.n++] = '/';
	out[e == E_OK ? j.n : 0] = '\0';
	return e;
}

bool path_beneath(const char *root, const char *path)
{
	size_t n = strlen(root);

	if (root[0] != '/' || path[0] != '/')
		return false;
	if (path[1] != '\0' && !path_relative_ok(path + 1))
		return false;
	while (n > 0 && root[n - 1] == '/')
		n--;
	return strncmp(root, path, n) == 0 && (path[n] == '/' || path[n] == '\0');
}
