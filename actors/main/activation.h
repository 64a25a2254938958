/* SPDX-License-Identifier: MIT */
/* Listeners that the service manager has opened for us.  main's thread, before any other runs. */
#ifndef ACTORS_MAIN_ACTIVATION_H
#define ACTORS_MAIN_ACTIVATION_H

#include "proto/base/base.h"

/*
 * Those that were passed to this process, as many as there are (*n, often 0): the caller's, which
 * closes them.  E_RANGE: more than there is room for; E_SYNTAX: what was passed is no listener;
 * *why then has words, and nobody closes them.  Asked again, there are none.
 */
enum err activation_take(int *fds, unsigned room, unsigned *n, char *why, size_t why_n);

#endif
