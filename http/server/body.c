/* SPDX-License-Identifier: MIT */
/* Text of an answer that several requests send at once: counted, and never changed. */
#include "http/server/priv.h"
#include "http/server/range.h"

#include <stdio.h>

#define BODY_MAGIC 0x424f4459u

struct body *body_new(uint64_t *total, char *text, size_t n, uint64_t hash)
{
	struct body *b;

	ALLOC_OBJ(b, BODY_MAGIC);
	b->total = total;
	b->refs = 1;
	b->text = text;
	b->n = n;
	*total += n;
	snprintf(b->tag, sizeof b->tag, "W/\"%016llx\"", (unsigned long long)hash);
	return b;
}

void body_packed(struct body *b, char *packed, size_t n)
{
	CHECK_OBJ(b, BODY_MAGIC);
	must(b->packed == NULL);
	b->packed = packed;
	b->packed_n = n;
	*b->total += n;
}

struct body *body_ref(struct body *b)
{
	CHECK_OBJ(b, BODY_MAGIC);
	b->refs++;
	return b;
}

void body_unref(struct body **pb)
{
	struct body *b;

	TAKE_OBJ(b, pb, BODY_MAGIC);
	if (--b->refs > 0)
		return;
	*b->total -= b->n + b->packed_n;
	xfree(b->text);
	xfree(b->packed);
	FREE_OBJ(b);
}

static void release(void *ctx)
{
	struct body *b = ctx;

	body_unref(&b);
}

bool body_is_known(const struct body *b, const char *if_none_match)
{
	CHECK_OBJ(b, BODY_MAGIC);
	return tag_is_named(if_none_match, b->tag + strlen("W/"));
}

struct MHD_Response *body_response(struct body **pb, bool whole, bool packed)
{
	struct body *b = *pb;
	struct MHD_Response *m;

	CHECK_OBJ(b, BODY_MAGIC);
	packed = packed && b->packed != NULL;
	*pb = NULL;
	m = MHD_create_response_from_buffer_with_free_callback_cls(!whole   ? 0
								   : packed ? b->packed_n
									    : b->n,
		packed ? b->packed : b->text, release, b);
	if (m == NULL) {
		body_unref(&b);
		return NULL;
	}
	MHD_add_response_header(m, MHD_HTTP_HEADER_ETAG, b->tag);
	MHD_add_response_header(m, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	if (packed && whole)
		MHD_add_response_header(m, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	return m;
}
