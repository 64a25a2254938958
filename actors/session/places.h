/* SPDX-License-Identifier: MIT */
/*
 * The session's targets.c, shift.c, trash.c and restore.c: where the files of torrents lie, and how
 * they get elsewhere.
 */
#ifndef ACTORS_SESSION_PLACES_H
#define ACTORS_SESSION_PLACES_H

#include "actors/session/removed.h"

struct shift;

/* --- targets.c --- */

/* Who has that name in that directory already, or NULL. */
struct torrent *target_owner(const struct session *, const char *path, const char *name);
/*
 * Whether files beneath path/name would be another torrent's, or another's would lie among them;
 * then words say whose, and *owner is the torrent if there is one to name.
 */
bool target_is_taken(const struct session *, const char *path, const char *name,
	struct torrent **owner, struct words *why);
/* The path of t is known from now on. */
void target_link(struct torrent *);
void target_unlink(struct torrent *); /* fine when it is not linked */
void targets_grow(struct session *, uint32_t buckets);
void targets_free(struct session *);
/* The root of `path`, borrowed from the configuration, or NULL. */
const char *session_root(const struct config *, const char *path);
/* The absolute target directory, owned by the caller, or NULL with the reason. */
char *session_resolve_path(const struct config *, const char *asked, struct words *why);

/* --- shift.c --- */

/* Begins what a TORRENT_PLACE asks for: TEVENT_SHIFT follows when the database knows, TEVENT_STORED
 * at the end, and session.shift_ended() says how.  false: there is nothing to do, or *err says why
 * it cannot be. */
bool torrent_shift(struct torrent *, struct m_torrent_set *, enum err *);
/* An earlier run did not end it. */
void torrent_resume_shift(struct torrent *, const struct torrent_record *);
/* Nobody has its files open: they are moved, or after a failure what is left of that is done. */
void torrent_carry(struct torrent *);
void shift_free(struct shift **); /* fine with NULL */

/* --- trash.c --- */

/* Asks for its files to go to the trash; TEVENT_TRASHED follows.  false: they do not go. */
bool torrent_trash(struct torrent *);
/* Bytes at the end of a place in the trash that name directories made for it. */
uint32_t trash_made(const char *trash);
/* Files of a removed torrent go from the trash to their place again. */
void trash_bring_back(struct session *, const struct shelved *, const struct metainfo *,
	actor_reply_f *fn, void *ctx);
void session_on_data(struct actor *, struct msg **);

/* --- restore.c --- */

/* Takes the m_torrent_set of a TORRENT_RESTORE, or the m_torrent_add of one that was removed. */
void session_restore(struct session *, struct removed *, struct msg **m);
/* It goes for good.  Takes the m_torrent_set of a TORRENT_FORGET, or the m_torrent_add of who wants
 * it anew; NULL: nobody asked. */
void session_purge(struct session *, struct removed *, struct msg **m);
void session_on_purge_timer(struct loop_timer *, int64_t now);
void session_on_removed(struct actor *, struct msg **);
/* Takes the m_torrent_set of a TORRENT_RESTORE or TORRENT_FORGET; t: the torrent of that info-hash
 * that is not only to be restored, or NULL. */
void session_set_removed(struct session *, struct torrent *, struct msg **m);

#endif
