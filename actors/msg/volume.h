/* SPDX-License-Identifier: MIT */
/* The message that asks how much room there is for downloads; as in msg.h. */
#ifndef ACTORS_MSG_VOLUME_H
#define ACTORS_MSG_VOLUME_H

#include "actors/kernel/actor.h"

/* A directory, and the room on the volume that it lies on, or will lie on once it is made. */
struct volume_view {
	char *path; /* owned */
	enum err err;
	uint64_t free, total; /* bytes that we may still have; in all */
	bool there;           /* the directory itself; else the nearest above it was looked at */
	uint64_t device;      /* the same for all that share the room */
};

/* A worker looks, which may take as long as a disk does: whoever asks is not told in time then. */
struct m_volumes {
	struct msg h;
	char *path; /* owned: a directory beneath a root; NULL: all roots */
	/* reply; E_PATH: it is beneath none */
	struct volume_view *volumes; /* owned */
	uint32_t volumes_n;
};

void m_volumes_fini(struct m_volumes *);

#endif
