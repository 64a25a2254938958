/* SPDX-License-Identifier: MIT */
/* Where the daemon is, and what lets one in. */
#ifndef HTTP_CTL_PLACE_H
#define HTTP_CTL_PLACE_H

#include "http/ctl/args.h"

struct ctl_place {
	char *url;   /* without a slash at its end; owned */
	char *token; /* empty: none; owned */
	bool here; /* of this machine: it is asked directly, whatever proxy the environment names */
};

/*
 * By options, then environment, then the configuration of the daemon on this machine: the user's
 * own, or, where there is none, that of the service, each with the token of its first start where
 * one may read it.  false: *why says what is wrong.  ctl_place_fini() either way.
 */
bool ctl_place_find(
	struct ctl_place *, const struct ctl_args *, char *const *envp, char *why, size_t why_n);
void ctl_place_fini(struct ctl_place *);

#endif
