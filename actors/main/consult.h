/* SPDX-License-Identifier: MIT */
/* torrentd --doctor: the page of the daemon that runs, or what can be looked at without one. */
#ifndef ACTORS_MAIN_CONSULT_H
#define ACTORS_MAIN_CONSULT_H

#include <stdio.h>

#include "config/config.h"

/* Writes the page.  Returns the exit status for main: 0, or 1 when something on it is bad.  Blocks:
 * before any actor runs. */
int consult(const struct config *, FILE *out);

#endif
