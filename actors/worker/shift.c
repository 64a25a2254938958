/* SPDX-License-Identifier: MIT */
/*
 * Moves the files of a torrent that nobody has open to another place on their volume, by renaming
 * each: all of them, or none.
 *
 * Only files that the metainfo names and the part file move; what belongs to others stays, and is
 * never written over.  A shift that was cut off is carried out again: what has its new name
 * already is passed over.  Links are not moved: they are made anew where they belong.
 */
#include "actors/worker/priv.h"

#include <limits.h>
#include <stdio.h>

#include "actors/kernel/log.h"

struct shift {
	const struct m_worker_shift *m;
	int from, to; /* directories */
	bool here;    /* both are the same */
	char part[48];
	struct words *why;
};

static uint32_t files_of(const struct shift *s)
{
	return s->m->from.meta->files_n + 1; /* and the part file */
}

static const char *name_in(const struct shift *s, const struct metainfo *m, uint32_t i)
{
	return i < m->files_n ? m->files[i].path : s->part;
}

static const char *old_name(const struct shift *s, uint32_t i)
{
	return name_in(s, s->m->from.meta, i);
}

static const char *new_name(const struct shift *s, uint32_t i)
{
	return name_in(s, s->m->to.meta, i);
}

/* Whether it has to go anywhere. */
static bool moves(const struct shift *s, uint32_t i)
{
	const struct metainfo *m = s->m->from.meta;

	if (i < m->files_n && m->files[i].pad)
		return false;
	return !s->here || strcmp(old_name(s, i), new_name(s, i)) != 0;
}

static enum err say(const struct shift *s, const char *what, const char *name, enum err err)
{
	char safe[160];

	snprintf(s->why->text, sizeof s->why->text, "%s '%s': %s", what,
		log_safe(name, safe, sizeof safe), err_words(err));
	return err;
}

/* Somebody else's file has one of the names. */
static enum err find_taken(const struct shift *s)
{
	struct fs_stat st;

	for (uint32_t i = 0; i < files_of(s); i++) {
		enum err err;

		if (!moves(s, i))
			continue;
		err = fs_stat_at(s->to, new_name(s, i), &st);
		if (err == E_OK && st.exists)
			err = E_EXISTS;
		if (err != E_OK)
			return say(s, "cannot move to", new_name(s, i), err);
	}
	return E_OK;
}

/* Puts back the first n.  Whether all are. */
static bool undo(const struct shift *s, uint32_t n)
{
	bool all = true;

	for (uint32_t i = n; i-- > 0;) {
		enum err err = E_OK;

		if (moves(s, i))
			err = fs_rename_at(s->to, new_name(s, i), s->from, old_name(s, i));
		all &= err == E_OK || err == E_NOENT;
		worker_remove_dirs(s->to, new_name(s, i));
	}
	return all;
}

static enum err rename_all(const struct shift *s, bool *back)
{
	enum err err = E_OK;
	uint32_t i = 0;

	for (; i < files_of(s); i++) {
		if (!moves(s, i))
			continue;
		err = fs_rename_at(s->from, old_name(s, i), s->to, new_name(s, i));
		if (err != E_OK && err != E_NOENT)
			break;
	}
	if (i == files_of(s))
		return E_OK;
	(void)say(s, "cannot move", old_name(s, i), err);
	/* Of a shift that was cut off, what lies behind may have moved, too. */
	*back = undo(s, s->m->resumed ? files_of(s) : i);
	return err;
}

/* The directories on the way to a new place have durable names, too. */
static void sync_above(const struct whereabouts *at)
{
	const char *below = at->path + strlen(at->root);
	char part[PATH_MAX];
	enum err err;
	int dir = fs_dir_open(at->root, at->root, &err);

	below += strspn(below, "/");
	if (dir < 0)
		return;
	for (size_t n = 0; below[n] != '\0' && n + strcspn(below + n, "/") < sizeof part;) {
		n += strcspn(below + n, "/");
		memcpy(part, below, n);
		part[n] = '\0';
		(void)fs_sync_dir_at(dir, part);
		n += strspn(below + n, "/");
	}
	fs_close(dir);
}

/* The new names are durable, then what is left of the old places goes. */
static enum err settle(const struct shift *s)
{
	const struct metainfo *m = s->m->from.meta;

	if (!s->here)
		sync_above(&s->m->to);
	for (uint32_t i = 0; i < files_of(s); i++) {
		enum err err = moves(s, i) ? fs_sync_dir_at(s->to, new_name(s, i)) : E_OK;

		if (err != E_OK && err != E_NOENT)
			return say(s, "cannot sync", new_name(s, i), err);
	}
	for (uint32_t i = 0; i < m->files_n; i++) {
		if (m->files[i].symlink != NULL)
			(void)fs_link_drop(s->from, old_name(s, i), m->files[i].symlink);
		if (moves(s, i) || m->files[i].symlink != NULL)
			worker_remove_dirs(s->from, old_name(s, i));
	}
	return E_OK;
}

/* Renames across volumes do not exist. */
static enum err check_volume(const struct shift *s)
{
	struct fs_stat from = {0}, to = {0};
	enum err err = fs_stat_fd(s->from, &from);

	if (err == E_OK)
		err = fs_stat_fd(s->to, &to);
	if (err == E_OK && from.device != to.device)
		err = E_OTHER_VOLUME;
	return err != E_OK ? say(s, "cannot move to", s->m->to.path, err) : E_OK;
}

static enum err shift(struct shift *s, bool *back)
{
	enum err err = check_volume(s);

	if (err == E_OK && !s->m->resumed)
		err = find_taken(s);
	if (err == E_OK)
		err = rename_all(s, back);
	return err == E_OK ? settle(s) : err;
}

static void place_fail(struct words *why, const char *path, enum err err)
{
	char safe[160];

	snprintf(why->text, sizeof why->text, "cannot open '%s': %s",
		log_safe(path, safe, sizeof safe), err_words(err));
}

/* Nothing is there to be moved, and the volume is. */
static enum err no_source(struct m_worker_shift *m, enum err err)
{
	int fd;

	if (err == E_NOENT) {
		fd = fs_dir_open(m->from.root, m->from.root, &err);
		if (fd >= 0) {
			fs_close(fd);
			return E_OK;
		}
	}
	place_fail(&m->why, m->from.path, err);
	return err;
}

void worker_on_shift(struct actor *a, struct msg **msg)
{
	struct m_worker_shift *m = MSG_AS(WORKER_SHIFT, *msg);
	struct shift s = {.m = m, .why = &m->why};
	enum err err = E_OK;
	size_t made = 0;

	must(m->from.meta->files_n == m->to.meta->files_n);
	m->back = !m->resumed;
	s.here = strcmp(m->from.path, m->to.path) == 0;
	worker_part_of(m->from.meta, s.part);
	s.from = fs_dir_open(m->from.root, m->from.path, &err);
	if (s.from < 0) {
		actor_reply(a, msg, no_source(m, err));
		return;
	}
	s.to = fs_dir_make(m->to.root, m->to.path, false, &made, &err);
	m->made_there = (uint32_t)made;
	if (s.to >= 0) {
		err = shift(&s, &m->back);
		fs_close(s.to);
	} else {
		place_fail(&m->why, m->to.path, err);
		/* What had been moved would have been found. */
		m->back |= err == E_READONLY || err == E_NOSPACE || fs_is_obstacle(err);
	}
	fs_close(s.from);
	if (err == E_OK && !s.here)
		worker_remove_made(m->from.root, m->from.path, m->made);
	else if (err != E_OK && m->back && !s.here)
		worker_remove_made(m->to.root, m->to.path, made);
	actor_reply(a, msg, err);
}

/* --- what there is of it --- */

void worker_on_look(struct actor *a, struct msg **msg)
{
	struct m_worker_look *m = MSG_AS(WORKER_LOOK, *msg);
	const struct metainfo *meta = m->at.meta;
	struct fs_stat st = {0};
	enum err err = E_OK;
	char part[48];
	int dir = fs_dir_open(m->at.root, m->at.path, &err);

	worker_part_of(meta, part);
	if (dir < 0) {
		actor_reply(a, msg, err == E_NOENT ? E_OK : err);
		return;
	}
	for (uint32_t i = 0; i <= meta->files_n; i++) {
		if (i < meta->files_n && meta->files[i].pad)
			continue;
		if (fs_stat_at(dir, i < meta->files_n ? meta->files[i].path : part, &st) == E_OK &&
			st.regular)
			m->bytes += st.blocks;
	}
	if (fs_stat_fd(dir, &st) == E_OK)
		m->device = st.device;
	fs_close(dir);
	actor_reply(a, msg, E_OK);
}
