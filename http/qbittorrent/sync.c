/* SPDX-License-Identifier: MIT */
/* How far clients are: a ring of the last answers. */
#include "http/qbittorrent/sync.h"

#define SYNC_MAGIC 0x53594e43u

#define RID_MASK 0x3fffffffu

struct sync {
	uint32_t magic;
	uint32_t first; /* the number of the first answer */
	uint64_t n;     /* answers ever */
	struct sync_point points[SYNC_POINTS];
	char **urls; /* owned, each of them too; sorted: trackers that were told of */
	uint32_t urls_n;
	uint64_t lost; /* revision at which one of them had gone */
};

struct sync *sync_new(uint32_t first)
{
	struct sync *s;

	ALLOC_OBJ(s, SYNC_MAGIC);
	s->first = first & RID_MASK;
	return s;
}

static void free_urls(struct sync *s)
{
	for (uint32_t i = 0; i < s->urls_n; i++)
		xfree(s->urls[i]);
	xfree(s->urls);
	s->urls = NULL;
	s->urls_n = 0;
}

void sync_free(struct sync **ps)
{
	struct sync *s;

	TAKE_OBJ(s, ps, SYNC_MAGIC);
	free_urls(s);
	FREE_OBJ(s);
}

/* From 1 on: 0 is asked with by who has seen nothing. */
static uint32_t rid_of(const struct sync *s, uint64_t i)
{
	return (uint32_t)((s->first + i) & RID_MASK) + 1;
}

uint32_t sync_add(struct sync *s, const struct sync_point *p)
{
	CHECK_OBJ(s, SYNC_MAGIC);
	s->points[s->n % SYNC_POINTS] = *p;
	return rid_of(s, s->n++);
}

bool sync_find(const struct sync *s, int64_t rid, struct sync_point *out)
{
	uint64_t back;

	CHECK_OBJ(s, SYNC_MAGIC);
	if (s->n == 0 || rid < 1 || rid > (int64_t)RID_MASK + 1)
		return false;
	back = (rid_of(s, s->n - 1) - (uint64_t)rid) & RID_MASK;
	if (back >= MIN(s->n, (uint64_t)SYNC_POINTS))
		return false;
	*out = s->points[(s->n - 1 - back) % SYNC_POINTS];
	return true;
}

uint64_t sync_trackers(struct sync *s, const char *const *urls, uint32_t n, uint64_t rev)
{
	bool lost = false;

	CHECK_OBJ(s, SYNC_MAGIC);
	for (uint32_t i = 0, k = 0; i < s->urls_n && !lost; i++) {
		while (k < n && strcmp(urls[k], s->urls[i]) < 0)
			k++;
		lost = k == n || strcmp(urls[k], s->urls[i]) != 0;
	}
	if (lost)
		s->lost = rev;
	free_urls(s);
	s->urls = xcalloc(MAX(n, 1u), sizeof *s->urls);
	for (s->urls_n = 0; s->urls_n < n; s->urls_n++)
		s->urls[s->urls_n] = xstrdup(urls[s->urls_n]);
	return s->lost;
}
