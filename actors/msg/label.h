/* SPDX-License-Identifier: MIT */
/*
 * A text that several threads hold: counted, and never changed.
 *
 * Names and paths of torrents go to whoever shows them as often as they are asked for; so they go
 * as a reference and nobody copies them.  Any thread.
 */
#ifndef ACTORS_MSG_LABEL_H
#define ACTORS_MSG_LABEL_H

#include "proto/base/base.h"

struct label;

/* A copy of the text, with one reference that is the caller's; NULL of NULL. */
struct label *label_new(const char *text);
/* The same with one more reference, the caller's; NULL of NULL. */
struct label *label_ref(struct label *);
/* Gives a reference up and leaves NULL; fine with NULL. */
void label_unref(struct label **);
/* Valid as long as the reference; NULL of NULL. */
const char *label_text(const struct label *);
/* *l, which holds a reference or NULL, says the text from now on; NULL: nothing.  What says it
 * already stays the same object. */
void label_set(struct label **l, const char *text);

#endif
