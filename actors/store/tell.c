/* SPDX-License-Identifier: MIT */
/*
 * Words for a person, and errors for the session.
 */
#include "actors/store/priv.h"

#include <stdio.h>

#include "actors/kernel/log.h"

void store_words(
	struct words *out, const struct storrent *t, uint32_t file, const char *op, enum err err)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	char safe[160];
	const char *name = file < t->meta->files_n    ? t->meta->files[file].path
			   : file == t->meta->files_n ? "the part file"
						      : t->path;

	snprintf(out->text, sizeof out->text, "%s '%s': %s", op, log_safe(name, safe, sizeof safe),
		err_words(err));
}

void store_words_keep(struct words **to, const struct words *from)
{
	xfree(*to);
	*to = NULL;
	if (from != NULL && from->text[0] != '\0')
		*to = xmemdup(from, sizeof *from);
}

void store_tell_error(struct storrent *t, enum err err, const struct words *why, bool lost)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	struct m_store_error *e = msg_new(t->s->actor, MSG_STORE_ERROR);
	struct msg *m = &e->h;

	e->t = t->t;
	e->err = err;
	if (why != NULL)
		e->why = *why;
	e->lost = lost;
	log_event(LOG_WARNING, "store_error", "ih=%s lost=%d what=\"%s\"",
		infohash_name(t->meta->infohash.v1).text, lost, why != NULL ? why->text : "");
	actor_cast(t->s->actor, ADDR_SESSION, &m);
}
