/* SPDX-License-Identifier: MIT */
/* What one who asks may do: a set of these, or-ed.  A resource says which of them it needs. */
#ifndef HTTP_SERVER_SCOPE_H
#define HTTP_SERVER_SCOPE_H

enum scope {
	SCOPE_NONE = 0,   /* a resource that asks nobody who they are */
	SCOPE_READ = 1,   /* see everything */
	SCOPE_ADD = 2,    /* add torrents */
	SCOPE_MANAGE = 4, /* change and remove them, set limits, send lookups to strangers */
	SCOPE_ADMIN = 8,  /* see and change the daemon itself */
	SCOPE_ALL = 15,
};

#endif
