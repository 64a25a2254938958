/* SPDX-License-Identifier: MIT */
/*
 * The priorities of files and pieces: any number from PRIORITY_SKIP to PRIORITY_TOP.
 *
 * They stand here because those who wish (requests, the database), those who translate wishes into
 * pieces (meta) and those who pick must mean the same by them.
 */
#ifndef PROTO_BASE_PRIORITY_H
#define PROTO_BASE_PRIORITY_H

#define PRIORITY_SKIP   0u /* not wanted */
#define PRIORITY_LOW    1u
#define PRIORITY_NORMAL 4u
#define PRIORITY_TOP    7u /* "high", where people see it */

#endif
