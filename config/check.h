/* SPDX-License-Identifier: MIT */
/* What must hold between options, once each is good by itself. */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/config.h"
#include "config/report.h"

/* Reports every rule that c breaks. */
void config_check(const struct config *c, struct report *r);

#endif
