/* SPDX-License-Identifier: MIT */
/* The message that asks which directories there are for downloads; as in msg.h. */
#ifndef ACTORS_MSG_FOLDER_H
#define ACTORS_MSG_FOLDER_H

#include "actors/kernel/actor.h"

/* So many are told of one directory. */
#define FOLDERS_MAX 1000u

struct folder_view {
	char *name;    /* owned: of bytes as the disk has them; of a root its path */
	bool writable; /* by the daemon */
};

/* A worker looks, which may take as long as a disk does: whoever asks is not told in time then. */
struct m_folders {
	struct msg h;
	char *path; /* owned: a directory beneath a root; NULL: the roots themselves */
	/* reply; E_PATH: it is beneath none, or a link is on the way; E_NOENT, E_PERM */
	struct folder_view *folders; /* owned: by name */
	uint32_t folders_n;
	bool more;            /* there are others */
	bool top;             /* it is a root */
	bool writable;        /* the directory itself */
	uint64_t free, total; /* bytes on its volume that we may still have; in all */
};

void m_folders_fini(struct m_folders *);

#endif
