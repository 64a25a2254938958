/* SPDX-License-Identifier: MIT */
/* What the files of the page share. */
#ifndef HTTP_WEB_PRIV_H
#define HTTP_WEB_PRIV_H

#include <stdio.h>
#include <string.h>

#include "actors/msg/env.h"
#include "http/server/server.h"

/*
 * What the page may do: run its own scripts and styles, ask its own server, nothing else; no script
 * comes out of text but through the one policy that knows the service worker.
 */
#define WEB_POLICY                                                                                 \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src "      \
	"'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "    \
	"form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; "         \
	"trusted-types td"

/* One file of the page, as the build packs it. */
struct web_file {
	const char *path; /* relative to the page */
	struct document document;
};

/* none.c: the page of a daemon that was built without one. */
void page_none(struct request *);

#endif
