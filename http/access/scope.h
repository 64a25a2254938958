/* SPDX-License-Identifier: MIT */
/* What one who asks may do: a set of these, or-ed.  A resource says which of them it needs. */
#ifndef HTTP_ACCESS_SCOPE_H
#define HTTP_ACCESS_SCOPE_H

#include <stdbool.h>

enum scope {
	SCOPE_NONE = 0,   /* a resource that asks nobody who they are */
	SCOPE_READ = 1,   /* see everything */
	SCOPE_ADD = 2,    /* add torrents */
	SCOPE_MANAGE = 4, /* change and remove them, set limits, send lookups to strangers */
	SCOPE_ADMIN = 8,  /* see and change the daemon itself */
	SCOPE_ALL = 15,
};

/* The name of the least of them; NULL: none has a name. */
const char *scope_name(unsigned scopes);
/* "read,add" */
bool scope_parse(const char *list, unsigned *out);

#endif
