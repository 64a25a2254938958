/* SPDX-License-Identifier: MIT */
/*
 * The parts of a form.
 *
 * A body is: --B CRLF headers CRLF CRLF content CRLF --B CRLF headers ... CRLF --B-- .
 */
#include "http/server/multipart.h"

#include <strings.h>

#define TYPE "multipart/form-data"

bool multipart_is(const char *type)
{
	size_t n = strlen(TYPE);

	return type != NULL && strncasecmp(type, TYPE, n) == 0 &&
	       (type[n] == '\0' || type[n] == ';' || type[n] == ' ' || type[n] == '\t');
}

/* "--" and the boundary that the type names; 0: it names none. */
static size_t read_boundary(const char *type, char out[MULTIPART_BOUNDARY_MAX + 3])
{
	const char *p = strcasestr(type, "boundary=");
	size_t n;

	if (p == NULL)
		return 0;
	p += strlen("boundary=");
	if (*p == '"')
		n = strcspn(++p, "\"");
	else
		n = strcspn(p, "; \t");
	if (n == 0 || n > MULTIPART_BOUNDARY_MAX)
		return 0;
	memcpy(out, "--", 2);
	memcpy(out + 2, p, n);
	out[n + 2] = '\0';
	return n + 2;
}

static bool begins(struct slice s, const char *with)
{
	return s.n >= strlen(with) && memcmp(s.p, with, strlen(with)) == 0;
}

static struct slice behind(struct slice s, size_t n)
{
	return (struct slice){s.p + n, s.n - n};
}

const char *multipart_begin(struct multipart *m, const char *type, struct slice body)
{
	memcpy(m->mark, "\r\n", 3);
	m->mark_n = read_boundary(type, m->mark + 2) + 2;
	if (m->mark_n == 2)
		return "the form's Content-Type names no boundary";
	if (!begins(body, m->mark + 2))
		return "the form does not begin with its boundary";
	m->rest = behind(body, m->mark_n - 2);
	return NULL;
}

bool multipart_ended(const struct multipart *m)
{
	return begins(m->rest, "--");
}

const char *multipart_next(struct multipart *m, struct multipart_part *part)
{
	const uint8_t *end;

	if (!begins(m->rest, "\r\n"))
		return "the form has no part behind its boundary";
	m->rest = behind(m->rest, 2);
	end = memmem(m->rest.p, m->rest.n, "\r\n\r\n", 4);
	if (end == NULL)
		return "the form's part has no end of headers";
	part->head = (struct slice){m->rest.p, (size_t)(end - m->rest.p)};
	m->rest = behind(m->rest, part->head.n + 4);
	end = memmem(m->rest.p, m->rest.n, m->mark, m->mark_n);
	if (end == NULL)
		return "the form ends before its boundary";
	part->content = (struct slice){m->rest.p, (size_t)(end - m->rest.p)};
	m->rest = behind(m->rest, part->content.n + m->mark_n);
	return NULL;
}

/* A second part is refused: a field that was meant as a parameter would otherwise be passed over in
 * silence. */
const char *multipart_file(const char *type, struct slice body, struct slice *file)
{
	struct multipart m;
	struct multipart_part part;
	const char *why = multipart_begin(&m, type, body);

	if (why == NULL)
		why = multipart_next(&m, &part);
	if (why != NULL)
		return why;
	*file = part.content;
	if (!multipart_ended(&m))
		return "the form has more than one part: send the file alone, and parameters in "
		       "the query";
	return NULL;
}
