/* SPDX-License-Identifier: MIT */
/* Torrents as the list has them: objects of JSON by the names of docs/sync.md. */
#ifndef HTTP_CTL_ROWS_H
#define HTTP_CTL_ROWS_H

#include "http/ctl/ctl.h"

/* All of them, a new array.  point, which may be NULL: how far the list is ("epoch.rev"). */
#define CTL_POINT 48
enum ctl_status ctl_rows_get(struct ctl *, json_t **rows, char point[CTL_POINT]);

/*
 * Those that the operands name: by info-hash, by its first four digits or more, or by name; each
 * once.  Without operands: none.  CTL_UNKNOWN, and said: nothing or more than one has that name.
 */
enum ctl_status ctl_rows_pick(struct ctl *, json_t **rows);

/* Those of a list of objects that have a hash and a name, likewise; `where` says in which command
 * all are. */
enum ctl_status ctl_rows_pick_from(
	const struct ctl *, const json_t *all, const char *where, json_t **rows);

/* Takes out those that --state does not name, and sorts by --sort.  false: said what is wrong. */
bool ctl_rows_arrange(const struct ctl *, json_t *rows);

/* lines: as ctl_table_print(). */
void ctl_rows_print(const json_t *rows, uint32_t lines);

const char *ctl_text(const json_t *row, const char *key); /* never NULL */
int64_t ctl_int(const json_t *row, const char *key);
double ctl_real(const json_t *row, const char *key);

/* A row of values under the names of the fields; a new object. */
json_t *ctl_row_of(const json_t *fields, const json_t *values);

#endif
