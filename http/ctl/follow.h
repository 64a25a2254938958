/* SPDX-License-Identifier: MIT */
/* Following the list: taken once, then kept by events, over ends of the stream and of the daemon.
 */
#ifndef HTTP_CTL_FOLLOW_H
#define HTTP_CTL_FOLLOW_H

#include "http/ctl/ctl.h"

struct ctl_watcher {
	/* There is a row, or it is another now; gone: it was removed.  May be NULL. */
	void (*row)(void *ctx, const json_t *row, bool gone);
	/* All that came at once was told; false: enough. */
	bool (*turn)(void *ctx, const json_t *rows);
	void *ctx;
	bool patient; /* a daemon that was there and has gone is waited for */
};

/* Until the watcher has enough, or there is no daemon (any more).  every: ms, or NULL. */
enum ctl_status ctl_follow(struct ctl *, const char *every, const struct ctl_watcher *);

/* Every event as it is on its line, until the stream ends. */
enum ctl_status ctl_follow_events(struct ctl *, const char *every, const char *since,
	void (*event)(void *ctx, const char *name, const char *id, const char *data), void *ctx);

#endif
