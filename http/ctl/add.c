/* SPDX-License-Identifier: MIT */
/* Adding torrents, and waiting until they are there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/ctl/progress.h"
#include "http/ctl/rows.h"
#include "http/ctl/term.h"
#include "proto/base/array.h"
#include "proto/base/encode.h"
#include "proto/meta/metainfo.h"

#define FILE_MAX (64u << 20) /* bytes of a .torrent that is worth reading */

/* One to be added. */
struct source {
	const char *word; /* as it was given */
	bool is_link;
	char *p; /* owned: the file, or the link */
	uint32_t n, room;
	struct metainfo *meta; /* owned */
	char hash[41];
};

/* What all of them get. */
struct wish {
	char down_text[32], up_text[32];
	const char *down, *up;
};

static void source_fini(struct source *s)
{
	xfree(s->p);
	if (s->meta != NULL)
		metainfo_unref(&s->meta);
	*s = (struct source){0};
}

/* --- read --- */

static bool read_file(struct source *s)
{
	bool in = strcmp(s->word, "-") == 0;
	size_t n = 1;
	FILE *f;

	errno = 0;
	f = in ? stdin : fopen(s->word, "re");
	while (f != NULL && n > 0 && s->n <= FILE_MAX) {
		ARRAY_RESERVE(s->p, s->n, s->room, 1u << 16);
		n = fread(s->p + s->n, 1, 1u << 16, f);
		s->n += (uint32_t)n;
	}
	if (f == NULL || ferror(f) || s->n > FILE_MAX)
		ctl_complain("%s cannot be read: %s", s->word,
			s->n > FILE_MAX ? "it is too large for a .torrent file" : strerror(errno));
	else
		n = 1;
	if (f != NULL && !in)
		fclose(f);
	return n == 1 && f != NULL;
}

/* Files of a link are chosen by the link (BEP 53). */
static void take_link(struct source *s, const char *files)
{
	bool bare = strncasecmp(s->word, "magnet:", 7) != 0;
	int n = asprintf(&s->p, "%s%s%s%s", bare ? "magnet:?xt=urn:btih:" : "", s->word,
		files != NULL ? "&so=" : "", files != NULL ? files : "");

	if (n < 0)
		abort();
	s->n = (uint32_t)n;
}

static bool is_url(const char *word)
{
	return strncasecmp(word, "http://", 7) == 0 || strncasecmp(word, "https://", 8) == 0;
}

/* false: said. */
static bool read_source(struct source *s, const char *files)
{
	struct parse_error pe = {0};
	uint8_t hash[20];
	enum err err;

	s->is_link = strncasecmp(s->word, "magnet:", 7) == 0 ||
		     hex_decode(s->word, strlen(s->word), hash, sizeof hash);
	if (is_url(s->word)) {
		ctl_complain("the daemon fetches no .torrent files: curl -L %s | torrentctl add -",
			s->word);
		return false;
	}
	if (s->is_link)
		take_link(s, files);
	else if (!read_file(s))
		return false;
	err = s->is_link ? metainfo_from_magnet(s->p, s->n, &s->meta, &pe)
			 : metainfo_parse(s->p, s->n, &s->meta, &pe);
	if (err != E_OK) {
		ctl_complain("%s is no %s: %s", s->word,
			s->is_link ? "magnet link that can be used" : ".torrent file", pe.what);
		return false;
	}
	hex_encode(s->meta->infohash.v1, sizeof s->meta->infohash.v1, s->hash);
	return true;
}

/* --- files --- */

/* Reads "3" or "3-5", and steps over it and a comma. */
static bool read_range(const char **p, uint64_t *first, uint64_t *last)
{
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	*first = *last = strtoull(*p, &end, 10);
	if (*end == '-' && end[1] >= '0' && end[1] <= '9')
		*last = strtoull(end + 1, &end, 10);
	if (*end != '\0' && *end != ',')
		return false;
	*p = end + (*end == ',');
	return *last >= *first && *last < METAINFO_FILES_MAX;
}

/*
 * Of a file the API is told which of its files to leave out: all but those of the list.  *skip is
 * owned by the caller; NULL: none is left out.  false: said.
 */
static bool leave_out(const struct source *s, const char *list, char **skip)
{
	uint32_t n = s->meta->files_n;
	bool *wanted = xcalloc(n, sizeof *wanted), ok = true;
	uint64_t first, last;
	size_t length = 0;
	FILE *f = open_memstream(skip, &length);

	must(f != NULL);
	for (const char *p = list; ok && *p != '\0';) {
		ok = read_range(&p, &first, &last) && last < n;
		for (uint64_t i = first; ok && i <= last; i++)
			wanted[i] = true;
	}
	for (uint32_t i = 0; ok && i < n; i++)
		if (!wanted[i])
			fprintf(f, "%s%u", ftell(f) > 0 ? "," : "", i);
	must(fclose(f) == 0);
	xfree(wanted);
	if (!ok)
		ctl_complain(
			"--files of %s are numbers from 0 to %u, such as 0,3-5, and not \"%s\"",
			s->word, n - 1, list);
	if (!ok || length == 0) {
		free(*skip);
		*skip = NULL;
	}
	return ok;
}

/* --- sent --- */

static const char *flag(struct ctl *c, enum ctl_option o, const char *value)
{
	return ctl_given(c, o) ? value : NULL;
}

static enum ctl_status send_source(
	struct ctl *c, const struct source *s, const struct wish *w, const char *skip)
{
	const char *const params[] = {"path", ctl_value(c, CTL_path), "start",
		flag(c, CTL_paused, "false"), "maxdown", w->down, "maxup", w->up, "sequential",
		flag(c, CTL_sequential, "true"), "firstlast", flag(c, CTL_first_last, "true"),
		"top", flag(c, CTL_top, "true"), "skip", skip, "url", s->is_link ? s->p : NULL,
		NULL};
	struct ctl_body body = {"application/x-bittorrent", s->p, s->n};

	return s->is_link ? ctl_ask(c->client, "POST", "/addmagnet", params, NULL, NULL)
			  : ctl_ask(c->client, "POST", "/addtorrentfile", params, &body, NULL);
}

static enum ctl_status add_source(
	struct ctl *c, struct source *s, const struct wish *w, json_t *added)
{
	const char *files = ctl_value(c, CTL_files);
	enum ctl_status status = CTL_USAGE;
	char name[1024], *skip = NULL;

	if (!read_source(s, files))
		return CTL_FAILED;
	if (s->is_link || files == NULL || leave_out(s, files, &skip))
		status = send_source(c, s, w, skip);
	free(skip);
	if (status != CTL_DONE)
		return status;
	json_array_append_new(added, json_pack("{ss ss}", "hash", s->hash, "name", s->meta->name));
	ctl_safe(name, sizeof name, s->meta->name);
	if (!c->json)
		printf("added %.8s %s\n", s->hash, name);
	return CTL_DONE;
}

enum ctl_status ctl_run_add(struct ctl *c)
{
	struct wish w;
	int64_t bytes;
	json_t *added;
	enum ctl_status status = CTL_DONE;

	if (ctl_given(c, CTL_wait) && ctl_given(c, CTL_paused)) {
		ctl_complain("what is not started is not waited for: give --wait or --paused");
		return CTL_USAGE;
	}
	added = json_array();
	if (!ctl_read_rate(ctl_value(c, CTL_down), w.down_text, &w.down, &bytes) ||
		!ctl_read_rate(ctl_value(c, CTL_up), w.up_text, &w.up, &bytes))
		status = CTL_USAGE;
	for (uint32_t i = 0; status == CTL_DONE && i < c->args->words_n; i++) {
		struct source s = {.word = c->args->words[i]};

		status = add_source(c, &s, &w, added);
		source_fini(&s);
	}
	if (c->json)
		ctl_print_json(added);
	fflush(stdout);
	if (status == CTL_DONE && ctl_given(c, CTL_wait))
		status = ctl_wait_for(c, added);
	json_decref(added);
	return status;
}
