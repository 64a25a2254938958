/* SPDX-License-Identifier: MIT */
/* A host's disk: pages, holes, names, and what a power cut leaves of them. */
#include "tests/sim/lib/disk.h"

/* What all pages of zeros point to; never written. */
static const uint8_t zeros[PAGE];

static uint8_t *zero_page(void)
{
	return (uint8_t *)(uintptr_t)zeros;
}

/* Pages that are as they should be are shared by all disks of the world; never written. */
static bool is_shared(const uint8_t *p)
{
	const struct sim *s = sim_world();

	return p == zeros || (s->truth != NULL && p >= s->truth && p < s->truth + s->truth_n);
}

static uint8_t *shared_page(uint64_t at, const uint8_t *src)
{
	const struct sim *s = sim_world();

	if (memcmp(src, zeros, PAGE) == 0)
		return zero_page();
	if (at + PAGE <= s->truth_n && memcmp(src, s->truth + at, PAGE) == 0)
		return s->truth + at;
	return NULL;
}

static void page_free(uint8_t *p)
{
	if (!is_shared(p))
		xfree(p);
}

struct disk *disk_new(struct host *h)
{
	struct disk *d = xcalloc(1, sizeof *d);

	d->host = h;
	d->space = UINT64_MAX;
	STAILQ_INIT(&d->nodes);
	disk_make(d, "/", true)->name_synced = true;
	disk_make(d, "/d", true)->name_synced = true; /* download.dir */
	return d;
}

static void node_free(struct node *n)
{
	disk_resize(n, 0);
	disk_sync(n);
	xfree(n->pages);
	xfree(n->path);
	xfree(n);
}

void disk_free(struct disk **pd)
{
	struct node *n;

	while ((n = STAILQ_FIRST(&(*pd)->nodes)) != NULL) {
		STAILQ_REMOVE_HEAD(&(*pd)->nodes, link);
		node_free(n);
	}
	xfree((*pd)->buckets);
	xfree(*pd);
	*pd = NULL;
}

/* --- names --- */

static struct node **bucket_of(const struct disk *d, const char *path)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *path != '\0'; path++)
		h = (h ^ (uint8_t)*path) * UINT64_C(0x100000001b3);
	return &d->buckets[(h ^ h >> 32) & (d->buckets_n - 1)];
}

static void put_name(struct disk *d, struct node *n)
{
	struct node **head = bucket_of(d, n->path);

	n->next = *head;
	*head = n;
}

static void drop_name(struct disk *d, struct node *n)
{
	struct node **p = bucket_of(d, n->path);

	while (*p != n)
		p = &(*p)->next;
	*p = n->next;
	d->nodes_n--;
}

static void grow_buckets(struct disk *d)
{
	struct node *n;

	if (d->nodes_n < d->buckets_n)
		return;
	xfree(d->buckets);
	d->buckets_n = MAX(16u, 2 * d->buckets_n);
	d->buckets = xcalloc(d->buckets_n, sizeof(struct node *));
	STAILQ_FOREACH(n, &d->nodes, link)
	put_name(d, n);
}

struct node *disk_find(const struct disk *d, const char *path)
{
	for (struct node *n = *bucket_of(d, path); n != NULL; n = n->next)
		if (!n->gone && strcmp(n->path, path) == 0)
			return n;
	return NULL;
}

static int64_t wall_ns(const struct disk *d)
{
	return (INT64_C(1700000000) * USEC_PER_SEC + sim_now(d->host->s)) * 1000;
}

struct node *disk_make(struct disk *d, const char *path, bool dir)
{
	struct node *n = xcalloc(1, sizeof *n);

	n->path = xstrdup(path);
	n->dir = dir;
	n->inode = ++d->inodes;
	n->mtime_ns = wall_ns(d);
	grow_buckets(d);
	STAILQ_INSERT_TAIL(&d->nodes, n, link);
	put_name(d, n);
	d->nodes_n++;
	return n;
}

void disk_release(struct disk *d, struct node *n)
{
	if (!n->gone || n->opens > 0)
		return;
	STAILQ_REMOVE(&d->nodes, n, node, link);
	drop_name(d, n);
	node_free(n);
}

void disk_remove(struct disk *d, struct node *n)
{
	n->gone = true;
	disk_release(d, n);
}

static bool lies_in(const struct node *n, const char *dir)
{
	size_t k = strlen(dir);

	return strncmp(n->path, dir, k) == 0 && n->path[k] == '/';
}

bool disk_empty_dir(const struct disk *d, const struct node *dir)
{
	struct node *n;

	STAILQ_FOREACH(n, &d->nodes, link)
	if (!n->gone && lies_in(n, dir->path))
		return false;
	return true;
}

/* --- faults --- */

void sim_disk_fault(struct host *h, enum disk_op op, uint64_t skip, uint64_t count, enum err err)
{
	h->disk->faults[op] = (struct fault){.skip = skip, .count = count, .err = err};
}

void sim_disk_space(struct host *h, uint64_t bytes)
{
	h->disk->space = bytes;
}

void sim_disk_rate(struct host *h, uint64_t rate)
{
	h->disk->rate = rate;
}

/* The disk does one thing after the other; who asked for it waits for it. */
void disk_busy(struct disk *d, size_t n)
{
	struct sim *s = d->host->s;

	if (d->rate == 0)
		return;
	d->free_at = MAX(d->free_at, s->now) + (int64_t)(n * (uint64_t)SEC / d->rate);
	seat_busy(s, d->free_at);
}

enum err disk_fault(struct disk *d, enum disk_op op)
{
	struct fault *f = &d->faults[op];

	if (f->count == 0)
		return E_OK;
	if (f->skip > 0) {
		f->skip--;
		return E_OK;
	}
	f->count--;
	return f->err;
}

/* --- pages --- */

void disk_read(const struct node *n, uint64_t at, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint64_t page = (at + i) / PAGE;
		size_t skip = (size_t)((at + i) % PAGE), k = MIN(len - i, PAGE - skip);
		const uint8_t *data = page < n->pages_n ? n->pages[page].data : NULL;

		if (data != NULL)
			memcpy(out + i, data + skip, k);
		else
			memset(out + i, 0, k);
		i += k;
	}
}

static void room_for(struct node *n, uint64_t pages)
{
	if (pages <= n->pages_n)
		return;
	n->pages = xrealloc(n->pages, sizeof *n->pages * (size_t)pages);
	memset(n->pages + n->pages_n, 0, sizeof *n->pages * (size_t)(pages - n->pages_n));
	n->pages_n = pages;
}

/* Makes the page fit to be written: its own memory, or what it shares from now on, and dirty. */
static void touch_page(struct page *p, uint8_t *share)
{
	uint8_t *data = share != NULL ? share : xcalloc(1, PAGE);

	if (p->data != NULL && share == NULL)
		memcpy(data, p->data, PAGE);
	if (p->dirty)
		page_free(p->data);
	else
		p->old = p->data;
	p->dirty = true;
	p->data = data;
}

static void write_page(struct page *p, uint64_t at, size_t skip, const uint8_t *src, size_t n)
{
	uint8_t *share = n == PAGE ? shared_page(at, src) : NULL;

	if (share != NULL || !p->dirty || p->data == NULL || is_shared(p->data))
		touch_page(p, share);
	if (share == NULL)
		memcpy(p->data + skip, src, n);
}

enum err disk_write(struct disk *d, struct node *n, uint64_t at, const uint8_t *src, size_t len)
{
	room_for(n, (at + len + PAGE - 1) / PAGE);
	for (size_t i = 0; i < len;) {
		struct page *p = &n->pages[(at + i) / PAGE];
		size_t skip = (size_t)((at + i) % PAGE), k = MIN(len - i, PAGE - skip);

		if (p->data == NULL && d->space < PAGE)
			return E_NOSPACE;
		if (p->data == NULL && d->space != UINT64_MAX)
			d->space -= PAGE;
		write_page(p, (at + i) / PAGE * PAGE, skip, src + i, k);
		i += k;
	}
	n->size = MAX(n->size, at + len);
	n->mtime_ns = wall_ns(d);
	return E_OK;
}

/* The rest of the last page reads as zeros when the file grows again. */
static void cut_tail(struct node *n, uint64_t size)
{
	struct page *p = size / PAGE < n->pages_n ? &n->pages[size / PAGE] : NULL;
	size_t keep = (size_t)(size % PAGE);

	if (keep == 0 || size >= n->size || p == NULL || p->data == NULL)
		return;
	if (!p->dirty || is_shared(p->data))
		touch_page(p, NULL);
	memset(p->data + keep, 0, PAGE - keep);
}

/* What lies behind the end is a hole when the file grows again. */
void disk_resize(struct node *n, uint64_t size)
{
	for (uint64_t i = (size + PAGE - 1) / PAGE; i < n->pages_n; i++) {
		struct page *p = &n->pages[i];

		if (p->dirty)
			page_free(p->data);
		else
			p->old = p->data;
		p->dirty = true;
		p->data = NULL;
	}
	cut_tail(n, size);
	n->size = size;
}

void disk_sync(struct node *n)
{
	for (uint64_t i = 0; i < n->pages_n; i++) {
		if (!n->pages[i].dirty)
			continue;
		page_free(n->pages[i].old);
		n->pages[i].old = NULL;
		n->pages[i].dirty = false;
	}
	n->synced_size = n->size;
}

/* --- trouble --- */

static void cut_page(struct sim *s, struct page *p)
{
	if (!p->dirty)
		return;
	if (sim_below(s, 2) == 0) {
		page_free(p->old);
	} else {
		page_free(p->data);
		p->data = p->old;
	}
	p->old = NULL;
	p->dirty = false;
}

static bool loses_name(struct sim *s, const struct disk *d, const struct node *n)
{
	struct node *dir;

	STAILQ_FOREACH(dir, &d->nodes, link)
	if (dir->gone && lies_in(n, dir->path))
		return true;
	return !n->name_synced && sim_below(s, 2) == 0;
}

void disk_power_cut(struct host *h)
{
	struct disk *d = h->disk;
	struct node *n, *next;

	STAILQ_FOREACH(n, &d->nodes, link)
	{
		n->gone = n->gone || loses_name(h->s, d, n);
		for (uint64_t i = 0; i < n->pages_n; i++)
			cut_page(h->s, &n->pages[i]);
		if (n->size != n->synced_size && sim_below(h->s, 2) == 0)
			disk_resize(n, n->synced_size);
		disk_sync(n);
		n->name_synced = true;
	}
	for (n = STAILQ_FIRST(&d->nodes); n != NULL; n = next) {
		next = STAILQ_NEXT(n, link);
		disk_release(d, n);
	}
}

void sim_disk_rot(struct host *h)
{
	struct node *n;

	STAILQ_FOREACH(n, &h->disk->nodes, link)
	for (uint64_t i = 0; i < n->pages_n; i++) {
		struct page *p = &n->pages[i];

		if (p->data == NULL || p->data == zero_page())
			continue;
		if (is_shared(p->data))
			p->data = xmemdup(p->data, PAGE);
		p->data[sim_below(h->s, PAGE)] ^= 0x55;
	}
}
