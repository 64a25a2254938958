/* SPDX-License-Identifier: MIT */
/* A table, in columns or with tabs. */
#include "http/ctl/table.h"

#include <stdarg.h>
#include <stdio.h>

#include "http/ctl/term.h"
#include "proto/base/array.h"

#define TABLE_MAGIC 0x43544c54u
#define COLUMNS_MAX 16u
#define CELL_MAX    4096u /* bytes */
#define GAP         2u    /* between columns */
#define SHRUNK      8u    /* what a column that shrinks keeps */

struct ctl_table {
	uint32_t magic;
	const struct ctl_column *columns;
	uint32_t columns_n;
	char **cells; /* owned; row by row */
	uint32_t cells_n, cells_room;
};

struct ctl_table *ctl_table_new(const struct ctl_column *columns, uint32_t n)
{
	struct ctl_table *t;

	must(n > 0 && n <= COLUMNS_MAX);
	ALLOC_OBJ(t, TABLE_MAGIC);
	t->columns = columns;
	t->columns_n = n;
	return t;
}

void ctl_table_free(struct ctl_table **pt)
{
	struct ctl_table *t;

	TAKE_OBJ(t, pt, TABLE_MAGIC);
	for (uint32_t i = 0; i < t->cells_n; i++)
		xfree(t->cells[i]);
	xfree(t->cells);
	FREE_OBJ(t);
}

void ctl_table_put(struct ctl_table *t, const char *text)
{
	char safe[CELL_MAX], *cell;

	CHECK_OBJ(t, TABLE_MAGIC);
	ctl_safe(safe, sizeof safe, text);
	cell = xstrdup(safe);
	ARRAY_PUSH(t->cells, t->cells_n, t->cells_room, cell);
}

void ctl_table_putf(struct ctl_table *t, const char *fmt, ...)
{
	char text[CELL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	ctl_table_put(t, text);
}

/* As wide as its widest cell; then those that shrink give what is lacking, the widest first. */
static void measure(const struct ctl_table *t, uint32_t room, uint32_t widths[COLUMNS_MAX])
{
	uint32_t sum = GAP * (t->columns_n - 1), widest;

	for (uint32_t c = 0; c < t->columns_n; c++) {
		widths[c] = ctl_width(t->columns[c].title);
		for (uint32_t i = c; i < t->cells_n; i += t->columns_n)
			widths[c] = MAX(widths[c], ctl_width(t->cells[i]));
		sum += widths[c];
	}
	while (sum > room) {
		widest = t->columns_n;
		for (uint32_t c = 0; c < t->columns_n; c++)
			if (t->columns[c].shrinks && widths[c] > SHRUNK &&
				(widest == t->columns_n || widths[c] > widths[widest]))
				widest = c;
		if (widest == t->columns_n)
			return;
		widths[widest]--;
		sum--;
	}
}

/* No spaces behind the last column, which may go on beyond the edge where nothing shrinks. */
static void print_cell(const struct ctl_table *t, uint32_t c, const char *text, uint32_t width)
{
	uint32_t used = MIN(ctl_width(text), width);
	bool last = c + 1 == t->columns_n;

	if (t->columns[c].right)
		printf("%*s", (int)(width - used), "");
	used = ctl_print_cut(text, width);
	if (!t->columns[c].right && !last)
		printf("%*s", (int)(width - used), "");
	if (!last)
		printf("%*s", (int)GAP, "");
}

static void print_columns(const struct ctl_table *t, uint32_t room, uint32_t lines)
{
	uint32_t widths[COLUMNS_MAX], rows = t->cells_n / t->columns_n;
	const char *end = lines > 0 ? "\033[K\n" : "\n"; /* over what was there */

	measure(t, room, widths);
	if (lines > 0)
		rows = MIN(rows, lines - 1);
	for (uint32_t c = 0; c < t->columns_n; c++)
		print_cell(t, c, t->columns[c].title, widths[c]);
	fputs(end, stdout);
	for (uint32_t i = 0; i < rows * t->columns_n; i++) {
		print_cell(t, i % t->columns_n, t->cells[i], widths[i % t->columns_n]);
		if (i % t->columns_n + 1 == t->columns_n)
			fputs(end, stdout);
	}
}

void ctl_table_print(const struct ctl_table *t, uint32_t lines)
{
	uint32_t room = ctl_columns();

	CHECK_OBJ(t, TABLE_MAGIC);
	must(t->cells_n % t->columns_n == 0);
	if (room > 0) {
		print_columns(t, room, lines);
		return;
	}
	for (uint32_t i = 0; i < t->cells_n; i++)
		printf("%s%c", t->cells[i], i % t->columns_n + 1 == t->columns_n ? '\n' : '\t');
}
