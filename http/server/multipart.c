/* SPDX-License-Identifier: MIT */
/*
 * The file in a form.
 *
 * A body is: --B CRLF headers CRLF CRLF content CRLF --B-- .  A second part is refused: a field
 * that was meant as a parameter would otherwise be passed over in silence.
 */
#include "http/server/multipart.h"

#include <strings.h>

#define TYPE         "multipart/form-data"
#define BOUNDARY_MAX 70u /* RFC 2046, 5.1.1 */

bool multipart_is(const char *type)
{
	size_t n = strlen(TYPE);

	return type != NULL && strncasecmp(type, TYPE, n) == 0 &&
	       (type[n] == '\0' || type[n] == ';' || type[n] == ' ' || type[n] == '\t');
}

/* "--" and the boundary that the type names; 0: it names none. */
static size_t read_boundary(const char *type, char out[BOUNDARY_MAX + 3])
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
	if (n == 0 || n > BOUNDARY_MAX)
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

const char *multipart_file(const char *type, struct slice body, struct slice *file)
{
	char mark[BOUNDARY_MAX + 5] = "\r\n";
	size_t n = read_boundary(type, mark + 2) + 2;
	const uint8_t *end;

	if (n == 2)
		return "the form's Content-Type names no boundary";
	if (!begins(body, mark + 2))
		return "the form does not begin with its boundary";
	body = behind(body, n - 2);
	if (!begins(body, "\r\n"))
		return "the form has no part";
	end = memmem(body.p, body.n, "\r\n\r\n", 4);
	if (end == NULL)
		return "the form's part has no end of headers";
	body = behind(body, (size_t)(end - body.p) + 4);
	end = memmem(body.p, body.n, mark, n);
	if (end == NULL)
		return "the form ends before its boundary";
	*file = (struct slice){body.p, (size_t)(end - body.p)};
	body = behind(body, file->n + n);
	if (!begins(body, "--"))
		return "the form has more than one part: send the file alone, and parameters in "
		       "the query";
	return NULL;
}
