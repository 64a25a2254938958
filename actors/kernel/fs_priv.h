/* SPDX-License-Identifier: MIT */
/*
 * What the files of the file calls share.
 */
#ifndef KERNEL_FS_PRIV_H
#define KERNEL_FS_PRIV_H

#include "actors/kernel/fs.h"

/* The program's error for one of the system's. */
enum err fs_err_of(int e);

#endif
