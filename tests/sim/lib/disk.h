/* SPDX-License-Identifier: MIT */
/*
 * A disk in memory: files of pages, holes, and what of them is safe.
 *
 * A page that was written since the last sync remembers what it was before.  A power cut then
 * decides by lot, page by page and name by name, what had reached the disk.  Pages of zeros share
 * one piece of memory.
 */
#ifndef TESTS_SIM_LIB_DISK_H
#define TESTS_SIM_LIB_DISK_H

#include "tests/sim/lib/priv.h"

#define PAGE 16384u

struct page {
	uint8_t *data; /* NULL: a hole */
	uint8_t *old;  /* while dirty: what it was at the last sync */
	bool dirty;
};

struct node {
	STAILQ_ENTRY(node) link;
	struct node *next; /* of the same bucket */
	char *path;        /* owned: absolute */
	bool dir;
	bool gone; /* removed, but still open */
	bool name_synced;
	unsigned opens;
	uint64_t inode, size, synced_size;
	int64_t mtime_ns;
	struct page *pages; /* owned */
	uint64_t pages_n;
};

struct fault {
	uint64_t skip, count;
	enum err err;
};

struct disk {
	struct host *host;
	STAILQ_HEAD(, node) nodes;
	struct node **buckets; /* owned: by path */
	uint32_t buckets_n, nodes_n;
	uint64_t inodes, space, rate; /* rate: B/s of writing; 0: endless */
	int64_t free_at;              /* us */
	struct fault faults[3];       /* by enum disk_op */
};

struct open_file {
	uint32_t magic;
	int fd;
	struct daemon *owner;
	struct disk *disk;
	struct node *node;
	bool writable;
};

void disk_busy(struct disk *, size_t n);
struct node *disk_find(const struct disk *, const char *path); /* or NULL */
struct node *disk_make(struct disk *, const char *path, bool dir);
/* Takes the name away; the file goes when nobody has it open. */
void disk_remove(struct disk *, struct node *);
void disk_release(struct disk *, struct node *);
bool disk_empty_dir(const struct disk *, const struct node *);
/* E_OK unless a fault is due. */
enum err disk_fault(struct disk *, enum disk_op);
void disk_read(const struct node *, uint64_t at, uint8_t *out, size_t n);
enum err disk_write(struct disk *, struct node *, uint64_t at, const uint8_t *p, size_t n);
void disk_resize(struct node *, uint64_t size);
void disk_sync(struct node *);

/* n bytes of the truth from an offset on; content.c */
void content_fill(const struct content *, uint64_t offset, uint8_t *out, size_t n);

#endif
