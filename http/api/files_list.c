/* SPDX-License-Identifier: MIT */
/* The files of a torrent, by the numbers that choose them; pad files are nobody's business. */
#include "http/api/aspect.h"
#include "http/api/field_names.h"
#include "http/api/priv.h"
#include "http/api/render.h"
#include "proto/meta/layout.h"

/* Of a file without bytes there is none. */
static void put_piece(struct json_out *o, const struct torrent_view *t, uint32_t i, bool last)
{
	uint32_t piece[2];

	if (layout_file_pieces(t->meta, i, &piece[0], &piece[1]))
		json_out_uint(o, piece[last]);
	else
		json_out_null(o);
}

#define FIELD(name, code)                                                                          \
	static void field_##name(struct json_out *o, const struct torrent_view *t,                 \
		const struct metainfo_file *f, uint32_t i)                                         \
	{                                                                                          \
		(void)t;                                                                           \
		(void)f;                                                                           \
		(void)i;                                                                           \
		code;                                                                              \
	}
#include "http/api/file_fields.def"
#undef FIELD

static const struct {
	const char *key;
	size_t key_n;
	void (*put)(struct json_out *, const struct torrent_view *, const struct metainfo_file *,
		uint32_t i);
} fields[] = {
#define FIELD(name, code) {#name, sizeof #name - 1, field_##name},
#include "http/api/file_fields.def"
#undef FIELD
};

_Static_assert(ARRAY_LEN(fields) <= 32, "a bit each in aspect_wish.fields");

static uint32_t find_field(struct slice name)
{
	for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].key_n == name.n && memcmp(fields[i].key, name.p, name.n) == 0)
			return UINT32_C(1) << i;
	return 0;
}

enum err aspect_file_fields(uint32_t *out, const char *names, struct slice *bad)
{
	return field_names_read(find_field, out, names, bad);
}

void aspect_file(struct json_out *o, const struct torrent_view *t, const struct aspect_wish *wish,
	uint32_t *at)
{
	uint32_t i = (*at)++;
	const struct metainfo_file *f = &t->meta->files[i];

	if (f->pad)
		return;
	json_out_open(o, '{');
	for (unsigned k = 0; k < ARRAY_LEN(fields); k++) {
		if ((wish->fields >> k & 1) == 0)
			continue;
		json_out_key_n(o, fields[k].key, fields[k].key_n);
		fields[k].put(o, t, f, i);
	}
	json_out_close(o, '}');
}
