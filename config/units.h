/* SPDX-License-Identifier: MIT */
/*
 * Numbers with units: sizes in bytes, rates in bytes a second, durations in microseconds.
 *
 * A unit is always asked for, except after 0: "500" means 500 KiB/s to one operator and bytes to
 * the next.
 */
#ifndef CONFIG_UNITS_H
#define CONFIG_UNITS_H

#include "proto/base/base.h"

struct unit {
	const char *name;
	int64_t scale;
};

struct units {
	const char *kind;        /* "a size" */
	const char *example;     /* "10MiB" */
	const struct unit *list; /* ascending by scale, ends with a NULL name */
};

extern const struct units units_size, units_rate, units_duration;

/* Reads "1.5 GiB".  E_SYNTAX: no such number or unit; E_RANGE: does not fit. */
enum err units_parse(const struct units *u, const char *text, int64_t *out);

/* Writes n with the largest unit that divides it.  buf of 32 bytes always suffices. */
void units_format(const struct units *u, int64_t n, char *buf, size_t size);

/* Writes "a size is a number and a unit (B, KiB, ...), such as 10MiB". */
void units_explain(const struct units *u, char *buf, size_t size);

#endif
