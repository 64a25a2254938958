/* SPDX-License-Identifier: MIT */
/* Words on a terminal: what is safe to show there, how wide it is, and numbers as people read them.
 */
#ifndef HTTP_CTL_TERM_H
#define HTTP_CTL_TERM_H

#include "proto/base/base.h"

/* Columns of standard output; 0: it is no terminal, and what is printed is for a program. */
uint32_t ctl_columns(void);
/* Its lines; 0 as above. */
uint32_t ctl_lines(void);

/* One line on standard error, after the name of the program. */
void PRINTF_LIKE(1, 2) ctl_complain(const char *fmt, ...);

/* What a stranger may have written, on one line and without what a terminal obeys.  NULL is empty.
 */
void ctl_safe(char *out, size_t size, const char *text);

/* How many columns a text takes; it is valid UTF-8. */
uint32_t ctl_width(const char *text);
/* Prints at most `columns` of it, with an ellipsis where something is left out.  How many it took.
 */
uint32_t ctl_print_cut(const char *text, uint32_t columns);

#define CTL_NUMBER 32                                 /* room for each of the following */
void ctl_size(char out[CTL_NUMBER], uint64_t bytes);  /* "1.4 GiB" */
void ctl_rate(char out[CTL_NUMBER], uint64_t bytes);  /* "1.4 MiB/s"; empty: 0 */
void ctl_span(char out[CTL_NUMBER], int64_t seconds); /* "3h 12m"; empty: less than 0 */
void ctl_percent(char out[CTL_NUMBER], double share); /* "99.9%"; 100 only when it is all */
void ctl_moment(
	char out[CTL_NUMBER], int64_t unix_s); /* "2026-01-31 12:00", here; empty: 0 or less */

#endif
