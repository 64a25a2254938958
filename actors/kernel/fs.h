/* SPDX-License-Identifier: MIT */
/*
 * Files; a seam: tests/sim has a disk with faults behind the same calls.
 *
 * These block, so only store workers and the state actor may call them.  Calls that give a
 * descriptor or a count return -1 and set *err.  Nothing is ever opened through a symbolic link
 * below the directory that was opened with fs_dir_open(), nor above it (openat2, RESOLVE_BENEATH).
 */
#ifndef KERNEL_FS_H
#define KERNEL_FS_H

#include <sys/uio.h>

#include "proto/base/base.h"

struct fs_stat {
	bool exists;       /* false: nothing of that name; the rest is zero */
	bool regular;      /* a plain file */
	enum err in_place; /* what stands there instead of a plain file: E_IS_DIR... or E_OK */
	uint32_t links;    /* names the file has; 0: it was removed */
	uint64_t size;     /* bytes */
	uint64_t blocks;   /* bytes the file system has allocated */
	int64_t mtime_ns;  /* last change of the content */
	int64_t born_ns;   /* when the inode was made; 0: the file system does not say */
	uint64_t inode;
	uint64_t device;
};

/*
 * Opens directory `path` (absolute) for the *_at calls.  `root` is a prefix of path, and what lies
 * below it may not lead out of it.  E_NOENT, E_PERM, E_PATH.
 */
int fs_dir_open(const char *root, const char *path, enum err *err);
/*
 * Likewise, and makes what is missing below root, and the root itself where create_root is set.
 * *made: how many bytes at the end of path name directories that were made, also when it fails.
 */
int fs_dir_make(const char *root, const char *path, bool create_root, size_t *made, enum err *err);

enum fs_mode {
	FS_READ,
	FS_WRITE, /* read and write what is there */
	FS_MAKE,  /* likewise, a file that was not there, with its directories; or E_EXISTS */
};
/* E_IS_DIR, E_IS_LINK, E_IS_SPECIAL, E_PATH when something else than a plain file stands there. */
int fs_open_at(int dir, const char *path, enum fs_mode mode, enum err *err);
void fs_close(int fd);

/* Whether the error says that something stands where a file or a directory should. */
static inline bool fs_is_obstacle(enum err e)
{
	return e == E_PATH || e == E_IS_DIR || e == E_IS_LINK || e == E_IS_SPECIAL;
}

enum err fs_stat_at(
	int dir, const char *path, struct fs_stat *out); /* E_OK also when it does not exist */
enum err fs_stat_fd(int fd, struct fs_stat *out);
/* Likewise, after a moment in which the file may get its first bytes from whoever has just made it.
 */
enum err fs_stat_born(int fd, struct fs_stat *out);

/* Whole transfers: short counts only at the end of the file (reads). */
ssize_t fs_preadv(int fd, const struct iovec *iov, int iovcnt, uint64_t offset, enum err *err);
ssize_t fs_pwritev(int fd, const struct iovec *iov, int iovcnt, uint64_t offset, enum err *err);
enum err fs_datasync(int fd);
enum err fs_truncate(int fd, uint64_t size); /* sparse when it grows */
/* Makes a hole: the bytes read as zeros and take no room.  E_UNSUPPORTED: not on this file system.
 */
enum err fs_punch(int fd, uint64_t offset, uint64_t n);
/* Whoever may read the file may then run it. */
enum err fs_make_executable(int fd);
/* First offset >= from that holds data, or E_NOENT when only a hole follows; E_UNSUPPORTED: cannot
 * tell. */
enum err fs_next_data(int fd, uint64_t from, uint64_t *at);
/* First offset >= from that is a hole (the end of the file counts as one). */
enum err fs_next_hole(int fd, uint64_t from, uint64_t *at);
void fs_readahead(int fd, uint64_t offset, uint64_t n);

/*
 * Maps the first n bytes of a file, which may be shorter, for system calls to read from: those fail
 * with E_FAULT where the file ends or its disk fails, while a load would end the process with
 * SIGBUS.  So nobody ever looks at the bytes himself.  NULL and *err: it cannot be done here.
 */
const uint8_t *fs_map(int fd, uint64_t n, enum err *err);
/* Asks the disk for n bytes of a map, all at once, and waits for none of them. */
void fs_map_ask(const uint8_t *at, size_t n);
/* Brings n bytes of a map into memory.  E_FAULT: they cannot be read; E_UNSUPPORTED: before
 * Linux 5.14. */
enum err fs_map_load(const uint8_t *at, size_t n);
/*
 * Copies the n bytes of an iovec, of which some may lie in maps, to where they may be looked at.
 * E_FAULT: some cannot be read; E_UNSUPPORTED: the system does not let us copy so.
 */
enum err fs_map_copy(uint8_t *to, size_t n, const struct iovec *from, int iovcnt);
/* These two do not block; any thread. */
void fs_unmap(const uint8_t *map, uint64_t n);
/* Whether bytes of a map are in memory: to read them now needs no disk. */
bool fs_map_resident(const uint8_t *at, size_t n);

/*
 * A symbolic link at path with the text `target`, which is not looked at; directories on the way
 * are made.  E_OK also when that very link is there, E_EXISTS when anything else is; E_PERM: not on
 * this file system, perhaps.
 */
enum err fs_link_make(int dir, const char *path, const char *target);
enum err fs_link_drop(int dir, const char *path, const char *target); /* only if it is that link */
enum err fs_unlink_at(int dir, const char *path);
/*
 * Gives a file or link another name beneath another directory, whose directories are made; never
 * over anything that stands there: E_EXISTS.  E_OTHER_VOLUME.
 */
enum err fs_rename_at(int from, const char *old_path, int to, const char *new_path);
enum err fs_rmdir_at(int dir, const char *path); /* E_BUSY when it is not empty */
enum err fs_sync_dir_at(
	int dir, const char *path); /* directory that holds path: its names are durable */
struct fs_space {
	uint64_t free, total; /* bytes that we may still have; in all */
	uint64_t device;
};
/* Of the volume that the descriptor lies on. */
enum err fs_space(int fd, struct fs_space *out);

#endif
