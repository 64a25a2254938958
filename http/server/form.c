/* SPDX-License-Identifier: MIT */
/* The fields of a form: a body is decoded in place, so that a large file is not copied. */
#include "http/server/form.h"

#include <strings.h>

#include "http/server/multipart.h"
#include "proto/base/array.h"

#define FORM_MAGIC 0x464f524du

struct form {
	uint32_t magic;
	struct form_field *fields; /* owned; names and values are the body's or the copies' */
	uint32_t n, room;
	uint8_t *body; /* owned */
	char **copies; /* owned, each of them too */
	uint32_t copies_n, copies_room;
};

static const char too_many[] = "the form has more than 4096 fields";

struct form *form_new(void)
{
	struct form *f;

	ALLOC_OBJ(f, FORM_MAGIC);
	return f;
}

void form_free(struct form **pf)
{
	struct form *f;

	TAKE_OBJ(f, pf, FORM_MAGIC);
	for (uint32_t i = 0; i < f->copies_n; i++)
		xfree(f->copies[i]);
	xfree(f->copies);
	xfree(f->fields);
	xfree(f->body);
	FREE_OBJ(f);
}

static bool push(struct form *f, const struct form_field *field)
{
	if (f->n >= FORM_FIELDS_MAX)
		return false;
	ARRAY_PUSH(f->fields, f->n, f->room, *field);
	return true;
}

bool form_add(struct form *f, const char *name, struct slice value)
{
	size_t name_n = strlen(name) + 1;
	struct form_field field = {0};
	char *copy;

	CHECK_OBJ(f, FORM_MAGIC);
	if (f->n >= FORM_FIELDS_MAX)
		return false;
	copy = xcalloc(1, name_n + value.n + 1);
	memcpy(copy, name, name_n);
	if (value.n > 0)
		memcpy(copy + name_n, value.p, value.n);
	ARRAY_PUSH(f->copies, f->copies_n, f->copies_room, copy);
	field.name = copy;
	field.value = (struct slice){(const uint8_t *)copy + name_n, value.n};
	return push(f, &field);
}

/* --- urlencoded (WHATWG URL, 5.1) --- */

static int digit_of(uint8_t c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* In place; what is no escape stays as it is.  Bytes that are left; a NUL follows them, for which
 * there is room. */
static size_t unescape(uint8_t *p, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		int high = p[i] == '%' && i + 2 < n ? digit_of(p[i + 1]) : -1;
		int low = high >= 0 ? digit_of(p[i + 2]) : -1;

		if (low >= 0) {
			p[out++] = (uint8_t)(high * 16 + low);
			i += 2;
		} else {
			p[out++] = p[i] == '+' ? (uint8_t)' ' : p[i];
		}
	}
	p[out] = '\0';
	return out;
}

static const char *read_urlencoded(struct form *f, uint8_t *p, size_t n)
{
	for (size_t at = 0, len; at < n; at += len + 1) {
		const uint8_t *end = memchr(p + at, '&', n - at);
		struct form_field field = {0};
		uint8_t *equals;
		size_t name_n;

		len = end != NULL ? (size_t)(end - (p + at)) : n - at;
		if (len == 0)
			continue;
		equals = memchr(p + at, '=', len);
		name_n = equals != NULL ? (size_t)(equals - (p + at)) : len;
		field.value.p = p + at + MIN(name_n + 1, len);
		field.value.n = unescape(p + at + MIN(name_n + 1, len), len - MIN(name_n + 1, len));
		unescape(p + at, name_n);
		field.name = (const char *)p + at;
		if (!push(f, &field))
			return too_many;
	}
	return NULL;
}

/* --- multipart --- */

/* The value of a parameter of Content-Disposition, cut out in place; NULL: there is none. */
static char *parameter(char *head, size_t n, const char *name)
{
	size_t name_n = strlen(name);

	for (char *p = head; p + name_n + 2 < head + n; p++) {
		char *value = p + name_n + 2, *end;

		if ((p[-1] != ' ' && p[-1] != ';') || strncasecmp(p, name, name_n) != 0 ||
			p[name_n] != '=' || p[name_n + 1] != '"')
			continue;
		end = memchr(value, '"', n - (size_t)(value - head));
		if (end == NULL)
			return NULL;
		*end = '\0';
		return value;
	}
	return NULL;
}

/* What follows "Content-Disposition:", to the end of its line. */
static bool find_disposition(char **head, size_t *n)
{
	static const char name[] = "content-disposition:";
	size_t name_n = strlen(name);

	for (;;) {
		char *end = memchr(*head, '\r', *n);
		size_t line_n = end != NULL ? (size_t)(end - *head) : *n;

		if (line_n > name_n && strncasecmp(*head, name, name_n) == 0) {
			*head += name_n;
			*n = line_n - name_n;
			return true;
		}
		if (line_n + 2 >= *n)
			return false;
		*head += line_n + 2;
		*n -= line_n + 2;
	}
}

static const char *read_part(struct form *f, uint8_t *body, const struct multipart_part *part)
{
	char *head = (char *)body + (part->head.p - body);
	struct form_field field = {.value = part->content};
	size_t n = part->head.n;

	if (!find_disposition(&head, &n))
		return "a part of the form has no Content-Disposition";
	field.is_file = parameter(head, n, "filename") != NULL;
	field.name = parameter(head, n, "name");
	if (field.name == NULL)
		return "a part of the form has no name";
	body[part->content.p - body + (ptrdiff_t)part->content.n] = '\0'; /* where its end began */
	return push(f, &field) ? NULL : too_many;
}

static const char *read_multipart(struct form *f, const char *type, uint8_t *body, size_t n)
{
	struct multipart m;
	const char *why = multipart_begin(&m, type, (struct slice){body, n});

	while (why == NULL && !multipart_ended(&m)) {
		struct multipart_part part;

		why = multipart_next(&m, &part);
		if (why == NULL)
			why = read_part(f, body, &part);
	}
	return why;
}

/* --- the face --- */

const char *form_body(struct form *f, const char *type, uint8_t *body, size_t n)
{
	CHECK_OBJ(f, FORM_MAGIC);
	must(f->body == NULL);
	f->body = xrealloc(body, n + 1);
	f->body[n] = '\0';
	if (multipart_is(type))
		return read_multipart(f, type, f->body, n);
	return read_urlencoded(f, f->body, n);
}

const struct form_field *form_at(const struct form *f, uint32_t i)
{
	CHECK_OBJ(f, FORM_MAGIC);
	return i < f->n ? &f->fields[i] : NULL;
}

const struct form_field *form_find(const struct form *f, const char *name)
{
	CHECK_OBJ(f, FORM_MAGIC);
	for (uint32_t i = f->n; i-- > 0;)
		if (strcmp(f->fields[i].name, name) == 0)
			return &f->fields[i];
	return NULL;
}

const char *form_text(const struct form *f, const char *name)
{
	const struct form_field *field = form_find(f, name);

	if (field == NULL || strlen((const char *)field->value.p) != field->value.n)
		return NULL;
	return (const char *)field->value.p;
}
