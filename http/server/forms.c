/* SPDX-License-Identifier: MIT */
/* Parameters of resources that take any, as apps send them: in the query and in a form. */
#include "http/server/priv.h"

static enum MHD_Result take_pair(void *ctx, enum MHD_ValueKind kind, const char *key,
	size_t key_size, const char *value, size_t size)
{
	struct form *f = ctx;

	(void)kind;
	if (strlen(key) != key_size)
		return MHD_YES; /* it names nothing */
	return form_add(f, key, (struct slice){(const uint8_t *)value, value != NULL ? size : 0})
		       ? MHD_YES
		       : MHD_NO;
}

struct form *request_form(struct request *r)
{
	struct form *f = form_new();
	const char *why = NULL;
	uint8_t *body;
	size_t n;

	CHECK_OBJ(r, REQUEST_MAGIC);
	must(forms_read(r));
	MHD_get_connection_values_n(r->conn, MHD_GET_ARGUMENT_KIND, take_pair, f);
	body = request_body_take(r, &n);
	if (body != NULL)
		why = form_body(f, request_header(r, "Content-Type"), body, n);
	if (why == NULL)
		return f;
	answer_text(r, 400, "%s", why);
	form_free(&f);
	return NULL;
}
