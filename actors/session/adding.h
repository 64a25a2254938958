/* SPDX-License-Identifier: MIT */
/* What the files that add torrents ask of each other, and session.c of them. */
#ifndef ACTORS_SESSION_ADDING_H
#define ACTORS_SESSION_ADDING_H

#include "actors/session/priv.h"

/* --- added.c --- */

/* How it is to run: enum state_run. */
unsigned torrent_run_of(const struct m_torrent_add *);
/* What became of it, and where the list has it. */
void torrent_tell_added(struct torrent *, struct m_torrent_add *, enum add_outcome);
/* --- add_again.c --- */

/* What is to be added, meta, is `old`, which is listed.  Takes *m or answers it. */
void session_add_again(struct torrent *old, struct metainfo *meta, struct msg **m);

/* --- add.c --- */

void session_on_add(struct actor *, struct msg **);
/* What has been read is added.  Takes *m or answers it. */
void session_add(struct session *, struct metainfo *meta, struct msg **m);
/* Reads what came; E_SYNTAX or E_NOMEM with words. */
enum err torrent_parse(struct slice body, bool is_link, struct metainfo **meta, struct words *why);
/* What a link names is looked for, and nothing else: until it is added, or TEVENT_REMOVE. */
void torrent_look(struct session *, const struct metainfo *bare);
/* One that is looked at: what another link or file has of trackers, peers and files is taken. */
void torrent_look_also(struct torrent *, const struct metainfo *more);

/* --- preview.c --- */

void session_on_preview_add(struct actor *, struct msg **);
/* The m_torrent_add that names a preview. */
void session_on_preview_taken(struct actor *, struct msg **);
void session_on_preview_view(struct actor *, struct msg **);
void session_on_preview_drop(struct actor *, struct msg **);
void previews_on_timer(struct loop_timer *, int64_t now);
void previews_free(struct session *);

#endif
