/* SPDX-License-Identifier: MIT */
/*
 * The syntax of a configuration file: `[section]`, `key = value`, `#` comments.
 *
 * A comment begins at the start of a line or after a space, never within quotes.  What a key or a
 * value means is not known here.
 */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include "proto/base/base.h"

/* The largest file that is read. */
#define FILE_LIMIT (1u << 20)

struct file_reader {
	char *p, *end; /* the rest of the text; changed while it is read */
	int line;      /* of what was read last, from 1 */
	char *section; /* the one we are in, or NULL */
};

struct file_entry {
	const char *section; /* NULL before the first [section] */
	const char *key;     /* NULL when the line opened the section */
	const char *value;   /* raw, without the spaces around it */
};

/* text[n] must be NUL; the text is changed and must outlive what comes out of it. */
struct file_reader file_read(char *text, size_t n);

/*
 * The next section or setting.  E_NOT_FOUND: the end.  E_SYNTAX: the line is malformed and `why`
 * says how; the next call goes on behind it.
 */
enum err file_next(struct file_reader *r, struct file_entry *out, char *why, size_t size);

/*
 * Reads a whole file of at most FILE_LIMIT bytes into a NUL-terminated buffer, the caller's.
 * E_NOENT, E_PERM, E_TOO_BIG or E_IO.
 */
enum err file_slurp(const char *path, char **text, size_t *n);

#endif
