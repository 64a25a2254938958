/* SPDX-License-Identifier: MIT */
/* One run of torrentctl: what its commands share, and their functions. */
#ifndef HTTP_CTL_CTL_H
#define HTTP_CTL_CTL_H

#include "http/ctl/args.h"
#include "http/ctl/client.h"
#include "http/ctl/table.h"

struct ctl {
	const struct ctl_args *args;
	struct ctl_client *client; /* NULL for a command that asks nobody */
	bool json;                 /* --json */
};

static inline const char *ctl_value(const struct ctl *c, enum ctl_option o)
{
	return c->args->value[o];
}

static inline bool ctl_given(const struct ctl *c, enum ctl_option o)
{
	return c->args->given[o];
}

/* ctl_run_add() and the like: each says what it did, and returns the status of the program. */
#define COMMAND(name, ...) enum ctl_status ctl_run_##name(struct ctl *);
#include "http/ctl/commands.def"
#undef COMMAND

/* Prints the JSON on a line of its own; only ASCII on a terminal. */
void ctl_print_json(const json_t *);
/* The answer, as --json says: as it came, or as the table that was made of it. */
void ctl_show(const struct ctl *, const json_t *, const struct ctl_table *);

/* A rate such as 1.5MiB/s in bytes/s, and as the original interface takes it (KiB/s); NULL stays
 * so. false: said. */
bool ctl_read_rate(const char *text, char out[32], const char **param, int64_t *bytes);

#endif
