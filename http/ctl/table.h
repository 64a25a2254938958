/* SPDX-License-Identifier: MIT */
/*
 * A table: on a terminal in columns that fit its width, beneath a heading; for a program a line a
 * row, with tabs between and nothing cut.
 */
#ifndef HTTP_CTL_TABLE_H
#define HTTP_CTL_TABLE_H

#include "proto/base/base.h"

struct ctl_column {
	const char *title;
	bool right;   /* numbers */
	bool shrinks; /* it gives way where there is little room */
};

struct ctl_table;

/* The columns are borrowed. */
struct ctl_table *ctl_table_new(const struct ctl_column *, uint32_t n);
void ctl_table_free(struct ctl_table **);

/* The next cell, from left to right; the text is copied and made safe to show. */
void ctl_table_put(struct ctl_table *, const char *text);
void PRINTF_LIKE(2, 3) ctl_table_putf(struct ctl_table *, const char *fmt, ...);

/* On a terminal at most `lines` of it, the heading included, over what is there; 0: all of it,
 * behind what is there. */
void ctl_table_print(const struct ctl_table *, uint32_t lines);

#endif
