/* SPDX-License-Identifier: MIT */
/*
 * Which files of a torrent are wanted, and what follows from it for store, peers and the numbers.
 *
 * The store is told first: it decides where the data of a skipped file goes before peers fetch any
 * of it.  All files normal is NULL everywhere, and costs nothing.
 */
#include "actors/session/priv.h"

#include "proto/base/priority.h"
#include "proto/meta/wanted.h"

static bool is_plain(const uint8_t *priority, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (priority[i] != PRIORITY_NORMAL)
			return false;
	return true;
}

static enum err refuse(const struct metainfo *m, struct words *why)
{
	snprintf(why->text, sizeof why->text, "files: the torrent has the files 0 to %u",
		m->files_n - 1);
	return E_RANGE;
}

enum err files_wish(const struct metainfo *m, const uint8_t *before, const struct file_wish *wishes,
	uint32_t n, uint8_t **out, struct words *why)
{
	uint8_t *list = xcalloc(m->files_n, 1);

	*out = NULL;
	if (before != NULL)
		memcpy(list, before, m->files_n);
	else
		memset(list, PRIORITY_NORMAL, m->files_n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t first = wishes[i].first, last = wishes[i].last;
		if (last == UINT32_MAX)
			last = m->files_n - 1;
		if (first > last || last >= m->files_n) {
			xfree(list);
			return refuse(m, why);
		}
		memset(list + first, wishes[i].priority, (size_t)last - first + 1);
	}
	if (is_plain(list, m->files_n)) {
		xfree(list);
		list = NULL;
	}
	*out = list;
	return E_OK;
}

bool files_equal(const struct torrent *t, const uint8_t *priority)
{
	const uint8_t *now = t->wishes.file_priority;

	if (priority == NULL || now == NULL)
		return priority == now;
	return memcmp(priority, now, t->meta->files_n) == 0;
}

static void tell_store(const struct torrent *t)
{
	struct msg *m;
	struct m_store_files *f;

	if (!t->in_store || t->closing)
		return;
	m = msg_new(t->session->actor, MSG_STORE_FILES);
	f = container_of(m, struct m_store_files, h);
	f->t = torrent_ref(t);
	if (t->wishes.file_priority != NULL) {
		f->file_priority_n = t->wishes.file_priority_n;
		f->file_priority = xmemdup(t->wishes.file_priority, f->file_priority_n);
	}
	actor_cast(t->session->actor, ADDR_STORE, &m);
}

/* While peers have it they tell what is left. */
void torrent_count_wanted(struct torrent *t)
{
	const struct bitfield *have =
		t->have.bits == 0 && t->record != NULL ? &t->record->synced : &t->have;

	t->wanted = wanted_left(t->meta, t->wishes.file_priority, NULL);
	if (!t->attached)
		t->left = have->bits == t->meta->pieces
				  ? wanted_left(t->meta, t->wishes.file_priority, have)
				  : t->wanted;
}

void torrent_set_files(struct torrent *t, uint8_t **priority)
{
	xfree(t->wishes.file_priority);
	t->wishes.file_priority = *priority;
	t->wishes.file_priority_n = *priority != NULL ? t->meta->files_n : 0;
	*priority = NULL;
	torrent_count_wanted(t);
	tell_store(t);
	torrent_send_set(t);
}
