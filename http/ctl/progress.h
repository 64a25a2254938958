/* SPDX-License-Identifier: MIT */
/* Waiting for torrents, with a bar. */
#ifndef HTTP_CTL_PROGRESS_H
#define HTTP_CTL_PROGRESS_H

#include "http/ctl/ctl.h"

/*
 * Until all that is wanted of these (objects with a hash) is there and verified.  CTL_FAILED, and
 * said: one of them has an error that a person must mend, or was removed.  A bar on a terminal
 * alone.
 */
enum ctl_status ctl_wait_for(struct ctl *, const json_t *torrents);

#endif
