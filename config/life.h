/* SPDX-License-Identifier: MIT */
/* The making of a config, before anybody else sees it. */
#ifndef CONFIG_LIFE_H
#define CONFIG_LIFE_H

#include "config/options.h"

#define CONFIG_MAGIC 0x636f6e66u

/* A config with one reference, every field zero and every source "default". */
struct config *config_new(void);

/* The config, to be changed by who has the only reference to it. */
struct config *config_alone(const struct config *c);

/* Notes where the value of o comes from; copies `where`. */
void config_set_source(
	struct config *c, enum config_option o, enum config_from from, const char *where, int line);

/* Notes that a file was read; copies the path. */
void config_add_file(struct config *c, const char *path);

/* Gives a config back that nobody else has seen; NULLs the caller's pointer, which may be NULL. */
void config_drop(struct config **c);

#endif
