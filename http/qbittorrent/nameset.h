/* SPDX-License-Identifier: MIT */
/*
 * Tags and categories: which there are, and what the labels of a torrent mean by them.
 *
 * Labels are one list; a torrent's category is the first of its labels that is the name of a
 * category, and the others that name none are its tags.  A copy of what the database has, and the
 * labels besides that torrents were seen with, which are tags, too.  Pure; one owner.
 */
#ifndef HTTP_QBITTORRENT_NAMESET_H
#define HTTP_QBITTORRENT_NAMESET_H

#include "actors/msg/names.h"
#include "proto/base/base.h"

struct nameset;

struct name {
	const char *name;
	bool is_category;
	const char *path; /* of a category; NULL: as all torrents */
	bool stored;      /* the database has it */
	uint64_t serial;  /* a younger name has a larger one */
};

struct nameset *nameset_new(void);
void nameset_free(struct nameset **);
/* Adds those of the database. */
void nameset_load(struct nameset *, const struct m_state_names *);

/* NULL: not known.  Valid until the next change. */
const struct name *nameset_find(const struct nameset *, struct slice);
/* In the order of their names; NULL: there are not so many. */
const struct name *nameset_at(const struct nameset *, uint32_t i);
/* As the database has it now; NAME_NONE: it is gone. */
void nameset_put(struct nameset *, const struct name_record *);
/* The labels of a torrent, one a line: those that are not known are tags from now on. */
void nameset_see(struct nameset *, const char *labels);
/* One that is younger than that has been added since. */
uint64_t nameset_serial(const struct nameset *);
/* How often something went or became something else: then nothing that was told before counts. */
uint64_t nameset_age(const struct nameset *);
/* How many the database has. */
uint32_t nameset_stored(const struct nameset *);

/* The category that labels, one a line, mean; n 0: none.  Borrowed from them. */
struct slice nameset_category(const struct nameset *, const char *labels);
/* The next of them that is a tag; *labels is moved behind it.  false: there are no more. */
bool nameset_next_tag(const struct nameset *, const char **labels, struct slice *tag);

#endif
