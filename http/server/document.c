/* SPDX-License-Identifier: MIT */
/*
 * A file that is part of the program as an answer: its bytes are never copied, and it comes in the
 * smallest form that who asks understands.
 */
#include "http/server/priv.h"

#include <string.h>

#include "http/server/gzip.h"
#include "http/server/range.h"

/* The forms, the smallest first; the plain one everybody takes. */
static const struct slice *choose(
	const struct document *d, const char *accepted, const char **coding)
{
	const struct {
		const char *coding;
		const struct slice *bytes;
	} forms[] = {{"br", &d->br}, {"gzip", &d->gzip}};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (forms[i].bytes->n > 0 && coding_accepted(accepted, forms[i].coding)) {
			*coding = forms[i].coding;
			return forms[i].bytes;
		}
	*coding = NULL;
	return &d->plain;
}

/* The tags are weak: one for all forms. */
bool document_is_known(const struct document *d, const char *if_none_match)
{
	return tag_is_named(if_none_match, d->tag + strlen("W/"));
}

struct MHD_Response *document_response(const struct document *d, bool whole, const char *accepted)
{
	const char *coding;
	const struct slice *bytes = choose(d, accepted, &coding);
	struct MHD_Response *m = MHD_create_response_from_buffer(
		whole ? bytes->n : 0, (void *)(uintptr_t)bytes->p, MHD_RESPMEM_PERSISTENT);

	if (m == NULL)
		return NULL;
	MHD_add_response_header(m, MHD_HTTP_HEADER_ETAG, d->tag);
	MHD_add_response_header(m, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
	MHD_add_response_header(m, "Referrer-Policy", "same-origin");
	MHD_add_response_header(m, "Cross-Origin-Opener-Policy", "same-origin");
	MHD_add_response_header(m, "Content-Security-Policy", d->policy);
	if (coding != NULL && whole)
		MHD_add_response_header(m, MHD_HTTP_HEADER_CONTENT_ENCODING, coding);
	return m;
}
