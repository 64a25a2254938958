/* SPDX-License-Identifier: MIT */
/*
 * Wrong attempts to get in, by address: after some the address must wait before the next, each time
 * twice as long.
 *
 * An address of IPv6 stands for its /64, which one customer has as a rule.  Bounded; the http actor
 * owns it.  Pure: time is handed in, in seconds of any clock that does not jump.
 */
#ifndef HTTP_ACCESS_TRIES_H
#define HTTP_ACCESS_TRIES_H

#include "proto/base/base.h"
#include "proto/base/endpoint.h"

#define TRIES_FREE       5    /* wrong attempts that cost nothing */
#define TRIES_WAIT       3600 /* seconds: the longest wait, and when an address is forgotten */
#define TRIES_WAIT_LOCAL 8    /* the longest of loopback, where many may come by one proxy */

struct tries;

struct tries *tries_new(void);
void tries_free(struct tries **);

/* Seconds until the address may try again; 0: now. */
int64_t tries_wait(const struct tries *, const struct endpoint *, int64_t now);
void tries_failed(struct tries *, const struct endpoint *, int64_t now);
void tries_right(struct tries *, const struct endpoint *); /* all is forgotten */

#endif
