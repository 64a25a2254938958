/* SPDX-License-Identifier: MIT */
/* Files on the disk of the host whose daemon runs: the calls of fs.h over disk.c. */
#include "actors/kernel/fs.h"

#include <limits.h>
#include <stdio.h>

#include "tests/sim/lib/disk.h"

static struct disk *disk_here(void)
{
	struct daemon *d = sim_world()->current;

	d->files++;
	return d->host->disk;
}

static struct open_file *file_of(int fd)
{
	struct open_file *f;

	CAST_OBJ(f, fd_find(fd), FILE_MAGIC);
	f->owner->files++;
	return f;
}

static int open_node(struct disk *d, struct node *n, bool writable)
{
	struct open_file *f;

	ALLOC_OBJ(f, FILE_MAGIC);
	f->owner = sim_world()->current;
	f->disk = d;
	f->node = n;
	f->writable = writable;
	n->opens++;
	f->fd = fd_give(sim_world(), f);
	return f->fd;
}

static void close_file(struct open_file *f)
{
	fd_drop(f->fd);
	must(f->node->opens > 0);
	f->node->opens--;
	disk_release(f->disk, f->node);
	FREE_OBJ(f);
}

void fs_close(int fd)
{
	close_file(file_of(fd));
}

void disk_close_all(struct daemon *d)
{
	struct sim *s = d->s;

	for (uint32_t i = 0; i < s->fds_n; i++) {
		struct open_file *f = s->fds[i];

		if (f != NULL && f->magic == FILE_MAGIC && f->owner == d)
			close_file(f);
	}
}

/* --- opening --- */

/* The directories of path from offset `from` on; E_NOENT when one is missing and may not be made.
 */
static enum err make_dirs(struct disk *d, const char *path, size_t from, bool create)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	must(n < sizeof part);
	for (size_t i = MAX(from, (size_t)1); i <= n && n > 1; i++) {
		struct node *node;

		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		node = disk_find(d, part);
		if (node != NULL && !node->dir)
			return E_PATH;
		if (node == NULL && !create)
			return E_NOENT;
		if (node == NULL)
			disk_make(d, part, true);
	}
	return E_OK;
}

static int open_dir(
	const char *root, const char *path, bool create, bool create_root, enum err *err)
{
	struct disk *d = disk_here();
	size_t n = strlen(root);

	*err = E_PATH;
	if (strncmp(root, path, n) != 0 || (path[n] != '/' && path[n] != '\0'))
		return -1;
	*err = make_dirs(d, root, 0, create_root);
	if (*err == E_OK)
		*err = make_dirs(d, path, n, create);
	return *err == E_OK ? open_node(d, disk_find(d, path), false) : -1;
}

int fs_dir_open(const char *root, const char *path, enum err *err)
{
	return open_dir(root, path, false, false, err);
}

int fs_dir_make(const char *root, const char *path, bool create_root, size_t *made, enum err *err)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	must(n < sizeof part);
	memcpy(part, path, n + 1);
	while (n > strlen(root) && disk_find(disk_here(), part) == NULL)
		part[n = (size_t)(strrchr(part, '/') - part)] = '\0';
	*made = strlen(path) - n;
	return open_dir(root, path, true, create_root, err);
}

static void join_path(int dir, const char *path, char out[PATH_MAX])
{
	const char *in = file_of(dir)->node->path;
	int n = snprintf(out, PATH_MAX, "%s/%s", strcmp(in, "/") == 0 ? "" : in, path);

	must(n > 0 && n < PATH_MAX);
}

static struct node *find_at(int dir, const char *path)
{
	char full[PATH_MAX];

	join_path(dir, path, full);
	return disk_find(disk_here(), full);
}

/* The directory that holds a path: its length. */
static size_t parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return (size_t)(slash - path);
}

int fs_open_at(int dir, const char *path, enum fs_mode mode, enum err *err)
{
	struct disk *d = disk_here();
	char full[PATH_MAX], parent[PATH_MAX];
	struct node *n;

	join_path(dir, path, full);
	memcpy(parent, full, sizeof parent);
	parent[parent_of(full)] = '\0';
	*err = make_dirs(d, parent, 0, mode == FS_MAKE);
	if (*err != E_OK)
		return -1;
	n = disk_find(d, full);
	if (n == NULL && mode != FS_MAKE)
		*err = E_NOENT;
	else if (n != NULL && mode == FS_MAKE)
		*err = E_EXISTS;
	else if (n != NULL && n->dir)
		*err = E_IS_DIR;
	if (*err != E_OK)
		return -1;
	if (n == NULL)
		n = disk_make(d, full, false);
	return open_node(d, n, mode != FS_READ);
}

/* --- looking --- */

static uint64_t allocated(const struct node *n)
{
	uint64_t pages = 0;

	for (uint64_t i = 0; i < n->pages_n; i++)
		pages += n->pages[i].data != NULL;
	return pages * PAGE;
}

static void fill_stat(const struct node *n, struct fs_stat *out)
{
	*out = (struct fs_stat){
		.exists = true,
		.regular = !n->dir,
		.in_place = n->dir ? E_IS_DIR : E_OK,
		.links = !n->gone,
		.size = n->size,
		.blocks = allocated(n),
		.mtime_ns = n->mtime_ns,
		.inode = n->inode,
		.device = 1,
	};
}

enum err fs_stat_at(int dir, const char *path, struct fs_stat *out)
{
	struct node *n = find_at(dir, path);

	*out = (struct fs_stat){0};
	if (n != NULL)
		fill_stat(n, out);
	return E_OK;
}

enum err fs_stat_fd(int fd, struct fs_stat *out)
{
	fill_stat(file_of(fd)->node, out);
	return E_OK;
}

/* Nothing goes on between two calls of an actor. */
enum err fs_stat_born(int fd, struct fs_stat *out)
{
	return fs_stat_fd(fd, out);
}

enum err fs_space(int fd, struct fs_space *out)
{
	*out = (struct fs_space){
		.free = file_of(fd)->disk->space, .total = file_of(fd)->disk->space, .device = 1};
	return E_OK;
}

static enum err next_page(int fd, uint64_t from, bool data, uint64_t *at)
{
	const struct node *n = file_of(fd)->node;

	for (; from < n->size; from = (from / PAGE + 1) * PAGE) {
		uint64_t page = from / PAGE;

		if ((page < n->pages_n && n->pages[page].data != NULL) == data) {
			*at = from;
			return E_OK;
		}
	}
	*at = n->size;
	return data ? E_NOENT : E_OK;
}

enum err fs_next_data(int fd, uint64_t from, uint64_t *at)
{
	return next_page(fd, from, true, at);
}

enum err fs_next_hole(int fd, uint64_t from, uint64_t *at)
{
	return next_page(fd, from, false, at);
}

void fs_readahead(int fd, uint64_t offset, uint64_t n)
{
	(void)offset;
	(void)n;
	must(file_of(fd)->node != NULL);
}

/* --- transfer --- */

ssize_t fs_preadv(int fd, const struct iovec *iov, int iovcnt, uint64_t offset, enum err *err)
{
	const struct open_file *f = file_of(fd);
	size_t done = 0;

	*err = disk_fault(f->disk, DISK_READ);
	if (*err != E_OK)
		return -1;
	for (int i = 0; i < iovcnt; i++) {
		uint64_t at = offset + done;
		size_t n = at < f->node->size ? (size_t)MIN(iov[i].iov_len, f->node->size - at) : 0;

		disk_read(f->node, at, iov[i].iov_base, n);
		done += n;
	}
	return (ssize_t)done;
}

ssize_t fs_pwritev(int fd, const struct iovec *iov, int iovcnt, uint64_t offset, enum err *err)
{
	struct open_file *f = file_of(fd);
	size_t done = 0;

	must(f->writable);
	*err = disk_fault(f->disk, DISK_WRITE);
	for (int i = 0; i < iovcnt && *err == E_OK; i++) {
		*err = disk_write(f->disk, f->node, offset + done, iov[i].iov_base, iov[i].iov_len);
		done += iov[i].iov_len;
	}
	disk_busy(f->disk, done);
	return *err == E_OK ? (ssize_t)done : -1;
}

enum err fs_datasync(int fd)
{
	struct open_file *f = file_of(fd);
	enum err err = disk_fault(f->disk, DISK_SYNC);

	if (err == E_OK)
		disk_sync(f->node);
	return err;
}

enum err fs_truncate(int fd, uint64_t size)
{
	struct open_file *f = file_of(fd);

	must(f->writable);
	disk_resize(f->node, size);
	return E_OK;
}

/* As on the file systems that cannot. */
enum err fs_punch(int fd, uint64_t offset, uint64_t n)
{
	(void)offset;
	(void)n;
	must(file_of(fd)->writable);
	return E_UNSUPPORTED;
}

enum err fs_make_executable(int fd)
{
	must(!file_of(fd)->node->dir);
	return E_OK;
}

/* --- names --- */

enum err fs_unlink_at(int dir, const char *path)
{
	struct node *n = find_at(dir, path);

	if (n == NULL)
		return E_NOENT;
	if (n->dir)
		return E_PATH;
	disk_remove(disk_here(), n);
	return E_OK;
}

/* No scenario moves files. */
enum err fs_rename_at(int from, const char *old_path, int to, const char *new_path)
{
	must(file_of(from)->node->dir && file_of(to)->node->dir);
	must(old_path[0] != '\0' && new_path[0] != '\0');
	return E_UNSUPPORTED;
}

enum err fs_rmdir_at(int dir, const char *path)
{
	struct node *n = find_at(dir, path);

	if (n == NULL)
		return E_NOENT;
	if (!n->dir)
		return E_PATH;
	if (!disk_empty_dir(disk_here(), n))
		return E_BUSY;
	disk_remove(disk_here(), n);
	return E_OK;
}

enum err fs_link_make(int dir, const char *path, const char *target)
{
	must(file_of(dir)->node->dir && path[0] != '\0' && target[0] != '\0');
	return E_UNSUPPORTED;
}

enum err fs_link_drop(int dir, const char *path, const char *target)
{
	must(file_of(dir)->node->dir && path[0] != '\0' && target[0] != '\0');
	return E_NOENT;
}

enum err fs_sync_dir_at(int dir, const char *path)
{
	struct disk *d = disk_here();
	char full[PATH_MAX];
	size_t k;
	struct node *n;

	join_path(dir, path, full);
	k = parent_of(full);
	STAILQ_FOREACH(n, &d->nodes, link)
	if (!n->gone && strncmp(n->path, full, k) == 0 && parent_of(n->path) == k)
		n->name_synced = true;
	return E_OK;
}

/* --- maps: the files of this disk are not contiguous --- */

const uint8_t *fs_map(int fd, uint64_t n, enum err *err)
{
	(void)fd;
	(void)n;
	*err = E_UNSUPPORTED;
	return NULL;
}

void fs_map_ask(const uint8_t *at, size_t n)
{
	(void)at;
	(void)n;
}

enum err fs_map_load(const uint8_t *at, size_t n)
{
	(void)at;
	(void)n;
	return E_UNSUPPORTED;
}

enum err fs_map_copy(uint8_t *to, size_t n, const struct iovec *from, int iovcnt)
{
	(void)to;
	(void)n;
	(void)from;
	(void)iovcnt;
	return E_UNSUPPORTED;
}

void fs_unmap(const uint8_t *map, uint64_t n)
{
	(void)map;
	(void)n;
	must_not_reach("nothing is ever mapped");
}

bool fs_map_resident(const uint8_t *at, size_t n)
{
	(void)at;
	(void)n;
	return false;
}
