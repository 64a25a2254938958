/* SPDX-License-Identifier: MIT */
/* Rows of a list: copies, comparison, and the end of the message that carries them. */
#include "actors/msg/rows.h"

static const struct {
	size_t at, n;
} groups[ROW_GROUPS] = {
#define GROUP(member)                                                                              \
	{                                                                                          \
		offsetof(struct torrent_row, member), sizeof((struct torrent_row *)0)->member      \
	}
	[ROW_IDENTITY] = GROUP(identity),
	[ROW_STATUS] = GROUP(status),
	[ROW_PROGRESS] = GROUP(progress),
	[ROW_RATES] = GROUP(rates),
	[ROW_SWARM] = GROUP(swarm),
#undef GROUP
};

void row_copy(struct torrent_row *to, const struct torrent_row *from)
{
	memcpy(to, from, sizeof *to);
	if (to->identity.meta != NULL)
		(void)metainfo_ref(to->identity.meta);
	(void)label_ref(to->identity.name);
	(void)label_ref(to->identity.path);
	(void)label_ref(to->status.error);
	(void)label_ref(to->status.labels);
}

void row_fini(struct torrent_row *r)
{
	if (r->identity.meta != NULL)
		metainfo_unref(&r->identity.meta);
	label_unref(&r->identity.name);
	label_unref(&r->identity.path);
	label_unref(&r->status.error);
	label_unref(&r->status.labels);
}

bool row_same(const struct torrent_row *a, const struct torrent_row *b, enum row_group g)
{
	const uint8_t *x = (const void *)a, *y = (const void *)b;

	return memcmp(x + groups[g].at, y + groups[g].at, groups[g].n) == 0;
}

void m_torrent_rows_fini(struct m_torrent_rows *m)
{
	for (uint32_t i = 0; i < m->rows_n; i++)
		row_fini(&m->rows[i]);
	xfree(m->rows);
	xfree(m->gone);
}
