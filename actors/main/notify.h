/* SPDX-License-Identifier: MIT */
/* Telling the service manager how the daemon is, sd_notify(3) without its library. */
#ifndef ACTORS_MAIN_NOTIFY_H
#define ACTORS_MAIN_NOTIFY_H

#include "proto/base/base.h"

/*
 * Sends one datagram, such as "READY=1\nSTATUS=...", to the socket that NOTIFY_SOCKET names.  Does
 * nothing without one; never blocks, failures do not matter.  Main's thread.
 */
void notify_send(const char *text);

#endif
