/* SPDX-License-Identifier: MIT */
/*
 * What source_allowed() (proto/peerlist/source.h) is asked with, from what an actor knows of a
 * torrent: the one place where a metainfo, wishes and the configuration become rules.
 */
#ifndef ACTORS_MSG_RULES_H
#define ACTORS_MSG_RULES_H

#include "actors/msg/wishes.h"
#include "config/config.h"
#include "proto/meta/metainfo.h"
#include "proto/peerlist/source.h"

/* Pure; any thread. */
struct source_rules rules_of(
	const struct metainfo *meta, const struct wishes *w, const struct config *c);

#endif
