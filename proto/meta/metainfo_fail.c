/* SPDX-License-Identifier: MIT */
/* What is wrong with a .torrent file, in words, and at which byte. */
#include "proto/meta/metainfo_priv.h"

#include <stdarg.h>
#include <stdio.h>

enum err metainfo_fail(
	struct metainfo_parse *mp, enum err e, const uint8_t *at, const char *fmt, ...)
{
	va_list ap;

	mp->err->err = e;
	mp->err->offset = (size_t)(at - mp->m->raw.p);
	va_start(ap, fmt);
	(void)vsnprintf(mp->err->what, sizeof mp->err->what, fmt, ap);
	va_end(ap);
	return e;
}

enum err metainfo_fail_room(struct metainfo_parse *mp, const uint8_t *at)
{
	return metainfo_fail(mp, E_NOMEM, at, "no memory for the names of the files");
}
