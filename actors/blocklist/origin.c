/* SPDX-License-Identifier: MIT */
/* Reading a list: unpacked, understood, packed anew in the shape in which it is kept. */
#include "actors/blocklist/origin.h"

#include <stdio.h>

#include "actors/blocklist/shelf.h"
#include "actors/blocklist/unpack.h"
#include "actors/kernel/clock.h"
#include "actors/kernel/log.h"
#include "proto/base/time.h"
#include "proto/blocklist/blocklist.h"

#define ORIGIN_MAGIC 0x4f524947u
#define RETRY_FIRST  (60 * USEC_PER_SEC) /* and twice as long each time, */
#define RETRY_MOST   (3600 * USEC_PER_SEC)

/* --- its name --- */

/* A name and a password before the host, and what follows a '?', are the user's own. */
static char *make_shown(const char *text, bool is_url)
{
	char *shown = xstrdup(text), *host, *at;

	if (!is_url)
		return shown;
	shown[strcspn(shown, "?#")] = '\0';
	host = strstr(shown, "://") + 3;
	for (at = host + strcspn(host, "/"); at > host && at[-1] != '@'; at--)
		continue;
	memmove(host, at, strlen(at) + 1);
	return shown;
}

struct origin *origin_new(const char *text)
{
	struct origin *o;

	ALLOC_OBJ(o, ORIGIN_MAGIC);
	o->text = xstrdup(text);
	o->is_url = text[0] != '/';
	o->shown = make_shown(text, o->is_url);
	return o;
}

void origin_free(struct origin **po)
{
	struct origin *o;

	TAKE_OBJ(o, po, ORIGIN_MAGIC);
	xfree(o->text);
	xfree(o->shown);
	xfree(o->packed);
	FREE_OBJ(o);
}

/* --- an attempt --- */

void origin_fail(struct origin *o, const char *why)
{
	CHECK_OBJ(o, ORIGIN_MAGIC);
	o->tried = clock_wall_s();
	o->failures++;
	snprintf(o->error, sizeof o->error, "%.*s", (int)sizeof o->error - 1, why);
	log_event(LOG_WARNING, "blocklist_source", "source=%s why=%s ranges=%u", o->shown, why,
		o->ranges);
}

static const char *words_of(enum err err, const struct blocklist_report *r)
{
	if (err == E_SYNTAX && r->bad > 0)
		return "there is no range of addresses in it: it is not a list in the format P2P, "
		       "DAT, P2B or CIDR";
	if (err == E_SYNTAX)
		return "it is empty, or damaged";
	if (err == E_TOO_BIG)
		return "it has more than 2,000,000 ranges";
	return err == E_UNSUPPORTED ? "it is P2B of an unknown version" : err_words(err);
}

/* Keeps ranges that have come, packed; takes p.  true: they are others. */
static bool keep(struct origin *o, uint8_t *p, size_t n, const struct blocklist_report *r)
{
	bool same = o->packed != NULL && o->packed_n == n && memcmp(o->packed, p, n) == 0;

	xfree(o->packed);
	o->packed = p;
	o->packed_n = n;
	o->ranges = r->ranges;
	o->bad = r->bad;
	o->bad_line = r->bad_line;
	o->kept = o->kept && same;
	return !same;
}

/* Reads n bytes that are not packed by gzip. */
static enum err understand(
	struct origin *o, const uint8_t *p, size_t n, bool *changed, struct blocklist_report *r)
{
	struct blocklist_maker *m = blocklist_maker_new();
	enum err err = blocklist_add(m, p, n, r);
	const struct blocklist *list;
	uint8_t *packed;
	size_t packed_n;

	if (err != E_OK) {
		blocklist_maker_free(&m);
		return err;
	}
	list = blocklist_make(&m, 0);
	packed = blocklist_pack(list, &packed_n);
	blocklist_unref(&list);
	*changed = keep(o, packed, packed_n, r);
	return E_OK;
}

static void note_good(struct origin *o, const struct blocklist_report *r)
{
	o->updated = o->tried = clock_wall_s();
	o->failures = 0;
	o->error[0] = '\0';
	if (r->bad > 0)
		log_event(LOG_WARNING, "blocklist_lines", "source=%s bad=%u first=%u text=%s",
			o->shown, r->bad, r->bad_line, r->bad_text);
}

bool origin_take(struct origin *o, const uint8_t *p, size_t n)
{
	struct blocklist_report r = {0};
	uint8_t *plain = NULL;
	bool changed = false;
	enum err err = E_OK;

	CHECK_OBJ(o, ORIGIN_MAGIC);
	if (n >= 4 && memcmp(p, "PK\3\4", 4) == 0) {
		origin_fail(
			o, "it is a zip archive: unpack it, or name one that is packed by gzip");
		return false;
	}
	if (unpack_is_gzip(p, n)) {
		err = unpack_gzip(p, n, ORIGIN_UNPACKED_MAX, &plain, &n);
		p = plain;
	}
	if (err != E_OK) {
		origin_fail(o, err == E_TOO_BIG ? "it is too large once gzip has unpacked it"
						: "gzip cannot unpack it: it is damaged or cut");
		return false;
	}
	err = understand(o, p, n, &changed, &r);
	xfree(plain);
	if (err == E_OK)
		note_good(o, &r);
	else
		origin_fail(o, words_of(err, &r));
	return changed;
}

bool origin_read(struct origin *o)
{
	int64_t written;
	uint8_t *p;
	size_t n;
	enum err err;
	bool changed;

	CHECK_OBJ(o, ORIGIN_MAGIC);
	err = shelf_read(o->text, ORIGIN_PACKED_MAX, &p, &n, &written);
	if (err != E_OK) {
		origin_fail(o, err == E_TOO_BIG ? "it is larger than 64 MiB" : err_words(err));
		return false;
	}
	changed = origin_take(o, p, n);
	xfree(p);
	return changed;
}

/* --- the shelf --- */

void origin_unshelve(struct origin *o, const char *dir)
{
	struct blocklist_report r = {0};
	int64_t written;
	bool changed;
	uint8_t *p;
	size_t n;

	CHECK_OBJ(o, ORIGIN_MAGIC);
	if (shelf_get(dir, o->text, ORIGIN_PACKED_MAX, &p, &n, &written) != E_OK)
		return;
	if (understand(o, p, n, &changed, &r) == E_OK) {
		o->updated = written;
		o->kept = true;
	} else {
		log_event(LOG_WARNING, "blocklist_kept", "source=%s why=%s", o->shown,
			"what was kept of it is damaged");
	}
	xfree(p);
}

void origin_shelve(struct origin *o, const char *dir)
{
	enum err err;

	CHECK_OBJ(o, ORIGIN_MAGIC);
	if (o->packed == NULL)
		return;
	err = shelf_put(dir, o->text, o->packed, o->packed_n);
	o->kept = err == E_OK;
	if (err != E_OK)
		log_event(LOG_WARNING, "blocklist_not_kept", "source=%s dir=%s err=%s", o->shown,
			dir, err_name(err));
}

/* --- time --- */

void origin_rest(struct origin *o, int64_t now, int64_t every)
{
	int64_t retry = RETRY_MOST;

	CHECK_OBJ(o, ORIGIN_MAGIC);
	if (o->failures > 0) {
		if (o->failures < 7)
			retry = MIN(RETRY_FIRST << (o->failures - 1), RETRY_MOST);
		o->due = now + (every > 0 ? MIN(retry, every) : retry);
	} else {
		o->due = every > 0 ? now + every : INT64_MAX;
	}
}

void origin_view(const struct origin *o, struct blocklist_source_view *out)
{
	CHECK_OBJ(o, ORIGIN_MAGIC);
	out->source = xstrdup(o->shown);
	out->ranges = o->ranges;
	out->bad_lines = o->bad;
	out->bad_line = o->bad_line;
	out->updated = o->updated;
	out->tried = o->tried;
	memcpy(out->error, o->error, sizeof out->error);
}
