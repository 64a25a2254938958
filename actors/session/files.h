/* SPDX-License-Identifier: MIT */
/* The session's files.c and found.c: which files are wanted, and of a magnet that has come. */
#ifndef ACTORS_SESSION_FILES_H
#define ACTORS_SESSION_FILES_H

#include "actors/msg/msg.h"

struct torrent;

/* --- files.c --- */

/*
 * `before` with the wishes carried out, owned by the caller; NULL: all files normal.  E_RANGE, and
 * words: there is no such file.
 */
enum err files_wish(const struct metainfo *, const uint8_t *before, const struct file_wish *,
	uint32_t n, uint8_t **out, struct words *why);
bool files_equal(const struct torrent *, const uint8_t *priority);
/* Takes *priority, tells the store and marks. */
void torrent_set_files(struct torrent *, uint8_t **priority);
/* Counts `wanted`, and `left` and `lacks` while no peers have it. */
void torrent_count_wanted(struct torrent *);
/* Some file is skipped. */
bool files_skip(const struct torrent *);

/*
 * Wishes for files that are not known yet, behind those before; one for all files ends what was
 * wished before.  E_RANGE and words: so many are not kept.
 */
enum err files_choose(struct torrent *, const struct file_wish *, uint32_t n, struct words *why);
/* What files_choose() would keep.  Owned by the caller; never NULL. */
struct file_wish *files_choice_with(
	const struct torrent *, const struct file_wish *, uint32_t n, uint32_t *out_n);
/* Whether it can: files_choose() without doing it. */
enum err files_may_choose(
	const struct torrent *, const struct file_wish *, uint32_t n, struct words *why);
/* What comes of t->choice with the files of m; owned by the caller.  Files that are not there are
 * passed over. */
uint8_t *files_chosen(const struct torrent *, const struct metainfo *m);
/* The wishes of a link's `so`: it and nothing else.  Owned by the caller; NULL: all files. */
struct file_wish *files_of_link(const struct metainfo *bare, uint32_t *n);

/* --- found.c --- */

/* Whether the files of t->found have a place; false: words say why not. */
bool torrent_found_fits(const struct torrent *, struct words *why);
/* t->found is its metainfo from now on, with what was wished of it before.  false: its files have
 * no place, and the torrent has an error that says so. */
bool torrent_take_found(struct torrent *);
/* To the database, if that is not under way; fn calls torrent_kept(). */
void torrent_keep(struct torrent *, actor_reply_f *fn);
/* m: the answer, or NULL.  true: it is stored; false: it will be tried again, or matters no more.
 */
bool torrent_kept(struct torrent *, enum err, const struct m_state_meta *m);
/* Its metainfo is another one of the same content, with other trackers. */
void torrent_take_meta(struct torrent *, struct metainfo *meta);

#endif
