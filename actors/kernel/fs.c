/* SPDX-License-Identifier: MIT */
/*
 * Files beneath a directory, opened so that nothing leads out of it.
 *
 * Names come from strangers.  Below a directory that fs_dir_open() gave, every component is opened
 * with RESOLVE_BENEATH and without following symbolic links, so that neither "..", nor an absolute
 * path, nor a link planted in the directory reaches another file.  Where the system has no openat2
 * the path is walked component by component with O_NOFOLLOW, which gives the same.
 */
#include "actors/kernel/fs_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define DIR_FLAGS   (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define DIR_PERM    0777
#define FILE_PERM   0666
#define NO_LINKS    (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
#define BIRTH_TRIES 1000 /* a millisecond apart */
#define SHORT_RUNS  64   /* iovecs handled at a time when a transfer was short */

enum err fs_err_of(int e)
{
	static const struct {
		int sys;
		enum err err;
	} map[] = {
		{ENOSPC, E_NOSPACE},
		{EDQUOT, E_NOSPACE},
		{EROFS, E_READONLY},
		{EACCES, E_PERM},
		{EPERM, E_PERM},
		{ENOENT, E_NOENT},
		{ENXIO, E_NOENT},
		{ELOOP, E_IS_LINK},
		{EXDEV, E_PATH},
		{ENOTDIR, E_PATH},
		{EISDIR, E_IS_DIR},
		{ENAMETOOLONG, E_PATH},
		{EINVAL, E_PATH},
		{EILSEQ, E_PATH},
		{EMFILE, E_NFILES},
		{ENFILE, E_NFILES},
		{EFBIG, E_TOO_BIG},
		{ENOMEM, E_NOMEM},
		{ENOTEMPTY, E_BUSY},
		{EEXIST, E_EXISTS},
		{EBUSY, E_BUSY},
		{ETXTBSY, E_BUSY},
		{EOPNOTSUPP, E_UNSUPPORTED},
		{ENOSYS, E_UNSUPPORTED},
	};

	for (unsigned i = 0; i < ARRAY_LEN(map); i++)
		if (map[i].sys == e)
			return map[i].err;
	return E_IO;
}

/* --- opening beneath --- */

static int open_beneath(int dir, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? FILE_PERM : 0,
		.resolve = resolve,
	};
	long fd;

	/* EAGAIN: a rename went on meanwhile, and the walk could not be shown to be safe. */
	for (int i = 0; i < 100; i++) {
		fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
		if (fd >= 0 || (errno != EINTR && errno != EAGAIN))
			break;
	}
	return (int)fd;
}

/* Copies the next component of *path, steps over it; false: none is left.  Too long: *bad. */
static bool next_component(const char **path, char name[NAME_MAX + 1], bool *bad)
{
	const char *p = *path + strspn(*path, "/");
	size_t n = strcspn(p, "/");

	*bad = n > NAME_MAX || (n == 2 && p[0] == '.' && p[1] == '.');
	if (n == 0 || *bad)
		return false;
	memcpy(name, p, n);
	name[n] = '\0';
	*path = p + n;
	return true;
}

static bool is_last(const char *path)
{
	return path[strspn(path, "/")] == '\0';
}

/* Steps into a directory below dir, made when it is missing and `create` is set; closes dir. */
static int step_into(int dir, const char *name, bool create, int nofollow)
{
	int fd = openat(dir, name, DIR_FLAGS | nofollow), e;

	if (fd < 0 && errno == ENOENT && create) {
		if (mkdirat(dir, name, DIR_PERM) == 0 || errno == EEXIST)
			fd = openat(dir, name, DIR_FLAGS | nofollow);
	}
	e = errno;
	close(dir);
	errno = e;
	return fd;
}

int fs_open_parent(int dir, const char *path, bool create, char name[NAME_MAX + 1])
{
	int fd = openat(dir, ".", DIR_FLAGS);
	bool bad = false;

	if (*path == '/') {
		if (fd >= 0)
			close(fd);
		errno = EXDEV;
		return -1;
	}
	while (fd >= 0 && next_component(&path, name, &bad)) {
		if (is_last(path))
			return fd;
		fd = step_into(fd, name, create, O_NOFOLLOW);
	}
	if (fd >= 0) { /* an empty path, or a component that is not allowed */
		close(fd);
		errno = EXDEV;
	}
	return -1;
}

/* Without openat2, or when directories have to be made: component by component. */
static int open_walking(int dir, const char *path, int flags)
{
	char name[NAME_MAX + 1];
	int parent = fs_open_parent(dir, path, (flags & O_CREAT) != 0, name), fd, e;

	if (parent < 0)
		return -1;
	fd = openat(parent, name, flags | O_NOFOLLOW | O_CLOEXEC, FILE_PERM);
	e = errno;
	close(parent);
	errno = e;
	return fd;
}

/* Opens path beneath dir without following any link. */
static int open_strict(int dir, const char *path, int flags)
{
	int fd = open_beneath(dir, path, flags, NO_LINKS);

	if (fd < 0 && (errno == ENOSYS || (errno == ENOENT && (flags & O_CREAT))))
		fd = open_walking(dir, path, flags);
	return fd;
}

static int fail(int fd, int e, enum err *err)
{
	if (fd >= 0)
		close(fd);
	*err = fs_err_of(e);
	return -1;
}

/* --- the directory itself --- */

/* What path has below root, without leading slashes; NULL when root is no prefix of it. */
static const char *below(const char *root, const char *path)
{
	size_t n = strlen(root);

	while (n > 1 && root[n - 1] == '/')
		n--;
	if (*root != '/' || strncmp(root, path, n) != 0)
		return NULL;
	if (n > 1 && path[n] != '/' && path[n] != '\0')
		return NULL;
	return path + n + strspn(path + n, "/");
}

static int open_root(const char *root, bool create, enum err *err)
{
	int fd = open(root, DIR_FLAGS), e = errno;
	char name[NAME_MAX + 1];
	const char *p = root;
	bool bad = false;

	if (fd >= 0 || e != ENOENT || !create)
		return fd >= 0 ? fd : fail(-1, e, err);
	/* The operator names the root, so links in it are followed; ".." is refused where things
	 * are made. */
	fd = open("/", DIR_FLAGS);
	while (fd >= 0 && next_component(&p, name, &bad))
		fd = step_into(fd, name, true, 0);
	if (fd < 0)
		return fail(-1, errno, err);
	return bad ? fail(fd, EXDEV, err) : fd;
}

/*
 * One component further below root.  Its whole path is resolved from the root each time, because a
 * link in it may point anywhere that is still beneath root.
 */
static int step_below(int root, const char *path, size_t n)
{
	char part[PATH_MAX];
	int fd;

	if (n >= sizeof part) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(part, path, n);
	part[n] = '\0';
	fd = open_beneath(root, part, DIR_FLAGS, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	if (fd < 0 && errno == ENOSYS)
		fd = open_walking(root, part, DIR_FLAGS);
	return fd;
}

/* Makes the last component of path[0..n) in the directory `parent`. */
static bool make_last(int parent, const char *path, size_t n)
{
	char name[NAME_MAX + 1];
	size_t at = n;

	while (at > 0 && path[at - 1] != '/')
		at--;
	if (n - at > NAME_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(name, path + at, n - at);
	name[n - at] = '\0';
	return mkdirat(parent, name, DIR_PERM) == 0 || errno == EEXIST;
}

/*
 * Walks from root along path; the last descriptor, or -1 and errno.  With `made` it makes what is
 * missing, and *made becomes how many bytes at the end of path name what it made.
 */
static int walk_below(int root, const char *path, size_t *made)
{
	int at = openat(root, ".", DIR_FLAGS), fd, e;
	size_t n = 0;

	while (at >= 0 && !is_last(path + n)) {
		size_t before = n;

		n += strspn(path + n, "/");
		n += strcspn(path + n, "/");
		fd = step_below(root, path, n);
		if (fd < 0 && errno == ENOENT && made != NULL && make_last(at, path, n)) {
			fd = step_below(root, path, n);
			*made = MAX(*made, strlen(path) - before);
		}
		e = errno;
		close(at);
		errno = e;
		at = fd;
	}
	return at;
}

static int open_dir(
	const char *root, const char *path, bool create_root, size_t *made, enum err *err)
{
	const char *rest = below(root, path);
	int dir, fd, e;

	if (rest == NULL)
		return fail(-1, EXDEV, err);
	dir = open_root(root, create_root, err);
	if (dir < 0 || *rest == '\0')
		return dir;
	fd = walk_below(dir, rest, made);
	e = errno;
	close(dir);
	return fd >= 0 ? fd : fail(-1, e, err);
}

int fs_dir_open(const char *root, const char *path, enum err *err)
{
	return open_dir(root, path, false, NULL, err);
}

int fs_dir_make(const char *root, const char *path, bool create_root, size_t *made, enum err *err)
{
	*made = 0;
	return open_dir(root, path, create_root, made, err);
}

/* --- files --- */

/* What stands in a plain file's place. */
static enum err kind_of(mode_t mode)
{
	return S_ISREG(mode)   ? E_OK
	       : S_ISDIR(mode) ? E_IS_DIR
	       : S_ISLNK(mode) ? E_IS_LINK
			       : E_IS_SPECIAL;
}

int fs_open_at(int dir, const char *path, enum fs_mode mode, enum err *err)
{
	/* O_NONBLOCK: the open of a FIFO somebody left there must not hang. */
	static const int flags[] = {
		[FS_READ] = O_RDONLY, [FS_WRITE] = O_RDWR, [FS_MAKE] = O_RDWR | O_CREAT | O_EXCL};
	int fd = open_strict(dir, path, O_NONBLOCK | O_NOCTTY | flags[mode]);
	struct stat st;

	if (fd < 0)
		return fail(-1, errno, err);
	if (fstat(fd, &st) != 0)
		return fail(fd, errno, err);
	*err = kind_of(st.st_mode);
	if (*err == E_OK)
		return fd;
	close(fd);
	return -1;
}

void fs_close(int fd)
{
	must(fd >= 0);
	must(close(fd) == 0 || errno != EBADF);
}

static int64_t ns_of(const struct statx_timestamp *t)
{
	return t->tv_sec * INT64_C(1000000000) + t->tv_nsec;
}

static void stat_fill(const struct statx *st, struct fs_stat *out)
{
	*out = (struct fs_stat){
		.exists = true,
		.regular = S_ISREG(st->stx_mode),
		.in_place = kind_of(st->stx_mode),
		.links = st->stx_nlink,
		.size = st->stx_size,
		.blocks = st->stx_blocks * 512,
		.mtime_ns = ns_of(&st->stx_mtime),
		.born_ns = st->stx_mask & STATX_BTIME ? ns_of(&st->stx_btime) : 0,
		.inode = st->stx_ino,
		.device = makedev(st->stx_dev_major, st->stx_dev_minor),
	};
}

enum err fs_stat_fd(int fd, struct fs_stat *out)
{
	struct statx st;

	memset(out, 0, sizeof *out);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st) != 0)
		return fs_err_of(errno);
	stat_fill(&st, out);
	return E_OK;
}

/* Who makes it may wait for a busy disk, or for its turn on the processor. */
enum err fs_stat_born(int fd, struct fs_stat *out)
{
	static const struct timespec moment = {.tv_nsec = 1000000};
	enum err err = fs_stat_fd(fd, out);

	for (int i = 0; i < BIRTH_TRIES && err == E_OK && out->size == 0; i++) {
		nanosleep(&moment, NULL);
		err = fs_stat_fd(fd, out);
	}
	return err;
}

enum err fs_stat_at(int dir, const char *path, struct fs_stat *out)
{
	char name[NAME_MAX + 1];
	struct statx st;
	int parent, r, e;

	memset(out, 0, sizeof *out);
	parent = fs_open_parent(dir, path, false, name);
	if (parent < 0)
		return errno == ENOENT ? E_OK : fs_err_of(errno);
	r = statx(parent, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &st);
	e = errno;
	close(parent);
	if (r != 0)
		return e == ENOENT ? E_OK : fs_err_of(e);
	stat_fill(&st, out);
	return E_OK;
}

/* --- transfer --- */

typedef ssize_t transfer_f(int fd, const struct iovec *iov, int iovcnt, off_t at);

/* Copies into out what is left of iov after `skip` bytes; how many entries. */
static int rest_of(const struct iovec *iov, int iovcnt, size_t skip, struct iovec *out)
{
	int n = 0;

	for (int i = 0; i < iovcnt && n < SHORT_RUNS; i++) {
		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		out[n].iov_base = (uint8_t *)iov[i].iov_base + skip;
		out[n++].iov_len = iov[i].iov_len - skip;
		skip = 0;
	}
	return n;
}

/* Repeats until all is done, the file ends, or an error.  The usual case is one call. */
static ssize_t transfer_all(
	transfer_f *fn, int fd, const struct iovec *iov, int iovcnt, uint64_t offset, enum err *err)
{
	struct iovec rest[SHORT_RUNS];
	const struct iovec *v = iov;
	int vn = MIN(iovcnt, IOV_MAX);
	size_t done = 0;

	if (offset > INT64_MAX) {
		*err = E_TOO_BIG;
		return -1;
	}
	while (vn > 0) {
		ssize_t n = fn(fd, v, vn, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*err = fs_err_of(errno);
			return -1;
		}
		if (n == 0 && rest_of(iov, iovcnt, done, rest) > 0)
			break;
		done += (size_t)n;
		vn = rest_of(iov, iovcnt, done, rest);
		v = rest;
	}
	return (ssize_t)done;
}

ssize_t fs_preadv(int fd, const struct iovec *iov, int iovcnt, uint64_t offset, enum err *err)
{
	return transfer_all(preadv, fd, iov, iovcnt, offset, err);
}

ssize_t fs_pwritev(int fd, const struct iovec *iov, int iovcnt, uint64_t offset, enum err *err)
{
	ssize_t n = transfer_all(pwritev, fd, iov, iovcnt, offset, err);
	size_t want = 0;

	for (int i = 0; i < iovcnt; i++)
		want += iov[i].iov_len;
	if (n >= 0 && (size_t)n < want) { /* a write that writes nothing and does not say why */
		*err = E_IO;
		return -1;
	}
	return n;
}

enum err fs_datasync(int fd)
{
	return fdatasync(fd) == 0 ? E_OK : fs_err_of(errno);
}

enum err fs_truncate(int fd, uint64_t size)
{
	int r;

	if (size > INT64_MAX)
		return E_TOO_BIG;
	do
		r = ftruncate(fd, (off_t)size);
	while (r != 0 && errno == EINTR);
	return r == 0 ? E_OK : fs_err_of(errno);
}

enum err fs_punch(int fd, uint64_t offset, uint64_t n)
{
	int r;

	if (offset > INT64_MAX || n > INT64_MAX - offset)
		return E_TOO_BIG;
	do
		r = fallocate(
			fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)n);
	while (r != 0 && errno == EINTR);
	return r == 0 ? E_OK : fs_err_of(errno);
}

enum err fs_make_executable(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fs_err_of(errno);
	return fchmod(fd, (st.st_mode & 0777) | (st.st_mode & 0444) >> 2) == 0 ? E_OK
									       : fs_err_of(errno);
}

static enum err seek(int fd, uint64_t from, int whence, uint64_t *at)
{
	off_t r;

	if (from > INT64_MAX)
		return E_TOO_BIG;
	r = lseek(fd, (off_t)from, whence);
	if (r < 0)
		return errno == EINVAL ? E_UNSUPPORTED : fs_err_of(errno);
	*at = (uint64_t)r;
	return E_OK;
}

enum err fs_next_data(int fd, uint64_t from, uint64_t *at)
{
	return seek(fd, from, SEEK_DATA, at);
}

enum err fs_next_hole(int fd, uint64_t from, uint64_t *at)
{
	return seek(fd, from, SEEK_HOLE, at);
}

void fs_readahead(int fd, uint64_t offset, uint64_t n)
{
	if (offset <= INT64_MAX && n <= INT64_MAX)
		(void)posix_fadvise(fd, (off_t)offset, (off_t)n, POSIX_FADV_WILLNEED);
}

static uint64_t blocks_to_bytes(uint64_t blocks, uint64_t size)
{
	uint64_t bytes;

	return mul_ok(blocks, size, &bytes) ? bytes : UINT64_MAX;
}

enum err fs_space(int fd, struct fs_space *out)
{
	struct statvfs v;
	struct stat st;
	int r;

	do
		r = fstatvfs(fd, &v);
	while (r != 0 && errno == EINTR);
	if (r != 0 || fstat(fd, &st) != 0)
		return fs_err_of(errno);
	out->free = blocks_to_bytes((uint64_t)v.f_bavail, (uint64_t)v.f_frsize);
	out->total = blocks_to_bytes((uint64_t)v.f_blocks, (uint64_t)v.f_frsize);
	out->device = (uint64_t)st.st_dev;
	return E_OK;
}
