/* SPDX-License-Identifier: MIT */
/*
 * What the files of the file calls share.
 */
#ifndef KERNEL_FS_PRIV_H
#define KERNEL_FS_PRIV_H

#include "actors/kernel/fs.h"

#include <limits.h>

/* The program's error for one of the system's. */
enum err fs_err_of(int e);

/*
 * The directory that holds the last component of path, and that component.  Links are not followed;
 * with `create` missing directories are made.  A descriptor, or -1 and errno.
 */
int fs_open_parent(int dir, const char *path, bool create, char name[NAME_MAX + 1]);

#endif
