/* SPDX-License-Identifier: MIT */
/* The messages of ut_metadata, both ways (BEP 9). */
#include "proto/wire/ext_metadata.h"

#include "proto/meta/bencode.h"

enum field { F_TYPE, F_PIECE, F_SIZE, F_MAX_ };

static const char *const field_keys[F_MAX_] = {"msg_type", "piece", "total_size"};

enum err ext_metadata_parse(struct slice payload, struct metadata_message *m)
{
	static const struct benc_limits limits = {.depth = 4, .items = 64, .trailing = true};
	struct benc_report report;
	struct benc root, f[F_MAX_];
	int64_t v;

	if (benc_parse(payload, &limits, &root, &report) != E_OK || root.type != BENC_DICT)
		return E_PROTOCOL;
	bdict_fields(&root, field_keys, F_MAX_, f);
	*m = (struct metadata_message){.type = METADATA_UNKNOWN};
	if (!bint(&f[F_TYPE], &v))
		return E_PROTOCOL;
	if (v < METADATA_REQUEST || v > METADATA_REJECT)
		return E_OK;
	m->type = (enum metadata_type)v;
	if (!bint(&f[F_PIECE], &v) || v < 0 || v >= metadata_pieces(METADATA_SIZE_MAX))
		return E_PROTOCOL;
	m->piece = (uint32_t)v;
	if (bint(&f[F_SIZE], &v) && v > 0 && v <= METADATA_SIZE_MAX)
		m->total_size = (uint32_t)v;
	if (m->type == METADATA_DATA)
		m->data = (struct slice){payload.p + report.offset, payload.n - report.offset};
	return E_OK;
}

void ext_metadata_build(struct wr *w, enum metadata_type type, uint32_t piece, uint32_t total_size)
{
	wr_text(w, "d8:msg_typei");
	wr_decimal(w, type);
	wr_text(w, "e5:piecei");
	wr_decimal(w, piece);
	if (total_size != 0) {
		wr_text(w, "e10:total_sizei");
		wr_decimal(w, total_size);
	}
	wr_text(w, "ee");
}
