/* SPDX-License-Identifier: MIT */
/*
 * Which files are whose: no two torrents share any, or they would write, check and delete each
 * other's.
 *
 * The files of a torrent are those beneath directory/name, its target, and its part file beside
 * it.  Two targets share files when they are the same or one lies beneath the other; so a torrent
 * is found by its target, which answers for all directories above a new one, and directories with
 * targets in them are counted, which answers for those beneath.  Paths are absolute and clean, and
 * the store follows no symbolic links on the way from the download root.
 */
#include "actors/session/priv.h"

#include <ctype.h>
#include <limits.h>

#include "actors/kernel/log.h"
#include "proto/base/array.h"
#include "proto/base/encode.h"
#include "proto/base/path.h"

/* A directory beneath which targets lie: their own, and all above it. */
struct target_dir {
	uint32_t targets;
	char path[];
};

const char *session_root(const struct config *c, const char *path)
{
	const char *best = NULL;

	if (c->download_roots.n == 0)
		return path_beneath(c->download_dir, path) ? c->download_dir : NULL;
	for (size_t i = 0; i < c->download_roots.n; i++) {
		const char *root = c->download_roots.v[i];

		if (path_beneath(root, path) && (best == NULL || strlen(root) > strlen(best)))
			best = root;
	}
	return best;
}

/* The directories beneath which torrents may be put, as many as fit. */
static void list_roots(const struct config *c, char *out, size_t size)
{
	const char *const *roots = (const char *const *)c->download_roots.v;
	size_t n = c->download_roots.n, at = 0;

	out[0] = '\0';
	if (n == 0)
		log_safe(c->download_dir, out, size);
	for (size_t i = 0; i < n; i++) {
		char safe[160];
		size_t len;

		log_safe(roots[i], safe, sizeof safe);
		len = strlen(safe);
		if (at + len + sizeof ", ..." > size) {
			snprintf(out + at, size - at, "...");
			return;
		}
		at += (size_t)snprintf(out + at, size - at, "%s%s", safe, i + 1 < n ? ", " : "");
	}
}

char *session_resolve_path(const struct config *c, const char *asked, struct words *why)
{
	char path[PATH_MAX], safe[128], roots[280];
	enum err e = path_join_clean(
		c->download_dir, asked != NULL ? asked : c->download_dir, path, sizeof path);

	if (e == E_OK && session_root(c, path) != NULL)
		return xstrdup(path);
	log_safe(asked != NULL ? asked : c->download_dir, safe, sizeof safe);
	list_roots(c, roots, sizeof roots);
	snprintf(why->text, sizeof why->text,
		"path: %s does not lie beneath %s; another directory is allowed by listing it in "
		"download.roots",
		safe, roots);
	return NULL;
}

/* --- by target --- */

static uint32_t bucket_of(const struct session *s, const char *path, size_t n, const char *name)
{
	uint64_t a = hash_keyed(s->hash_key, path, n);
	uint64_t b = hash_keyed(s->hash_key, name, strlen(name));

	return (uint32_t)(a * 31 + b) & (s->buckets_n - 1);
}

static bool is_target(const struct torrent *t, const char *path, size_t n, const char *name)
{
	return strncmp(t->path, path, n) == 0 && t->path[n] == '\0' &&
	       strcmp(t->meta->name, name) == 0;
}

static struct torrent *find_target(
	const struct session *s, const char *path, size_t n, const char *name)
{
	struct torrent *t = s->buckets_n > 0 ? s->targets[bucket_of(s, path, n, name)] : NULL;

	while (t != NULL && !is_target(t, path, n, name))
		t = t->target_next;
	return t;
}

struct torrent *target_owner(const struct session *s, const char *path, const char *name)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	return find_target(s, path, strlen(path), name);
}

static void link_bucket(struct torrent *t)
{
	struct session *s = t->session;
	struct torrent **head = &s->targets[bucket_of(s, t->path, strlen(t->path), t->meta->name)];

	t->target_next = *head;
	*head = t;
}

void targets_grow(struct session *s, uint32_t buckets)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	must(buckets >= s->buckets_n);
	xfree(s->targets);
	s->targets = xcalloc(buckets, sizeof(struct torrent *));
	for (uint32_t i = 0; i < s->slots.n; i++) {
		struct torrent *t = session_torrent(s, i);

		if (t != NULL && t->targeted)
			link_bucket(t);
	}
}

/* --- by directory --- */

/* Where the directory path[0, n) is, or would be. */
static uint32_t find_dir(const struct session *s, const char *path, size_t n)
{
	uint32_t at = (uint32_t)hash_keyed(s->hash_key, path, n) & (s->dirs_room - 1);

	while (s->dirs[at] != NULL &&
		(strncmp(s->dirs[at]->path, path, n) != 0 || s->dirs[at]->path[n] != '\0'))
		at = (at + 1) & (s->dirs_room - 1);
	return at;
}

static void grow_dirs(struct session *s)
{
	struct target_dir **old = s->dirs;
	uint32_t room = s->dirs_room;

	if (s->dirs_n < s->dirs_room / 2)
		return;
	s->dirs_room = MAX(room * 2, 64u);
	s->dirs = xcalloc(s->dirs_room, sizeof *s->dirs);
	for (uint32_t i = 0; i < room; i++)
		if (old[i] != NULL)
			s->dirs[find_dir(s, old[i]->path, strlen(old[i]->path))] = old[i];
	xfree(old);
}

static void enter_dir(struct session *s, const char *path, size_t n)
{
	uint32_t at;
	struct target_dir *d;

	grow_dirs(s);
	at = find_dir(s, path, n);
	if (s->dirs[at] == NULL) {
		d = xcalloc(1, sizeof *d + n + 1);
		memcpy(d->path, path, n);
		s->dirs[at] = d;
		s->dirs_n++;
	}
	s->dirs[at]->targets++;
}

/* What stood behind the hole and may have been pushed there by it is put again. */
static void close_hole(struct session *s, uint32_t at)
{
	struct target_dir *d;

	for (;;) {
		at = (at + 1) & (s->dirs_room - 1);
		d = s->dirs[at];
		if (d == NULL)
			return;
		s->dirs[at] = NULL;
		s->dirs[find_dir(s, d->path, strlen(d->path))] = d;
	}
}

static void leave_dir(struct session *s, const char *path, size_t n)
{
	uint32_t at = find_dir(s, path, n);

	must(s->dirs[at] != NULL);
	if (--s->dirs[at]->targets > 0)
		return;
	xfree(s->dirs[at]);
	s->dirs[at] = NULL;
	s->dirs_n--;
	close_hole(s, at);
}

/* The length of the directory that path[0, n) lies in; 0: the root of the file system. */
static size_t above(const char *path, size_t n)
{
	while (n > 0 && path[n - 1] != '/')
		n--;
	return n > 0 ? n - 1 : 0;
}

static void each_dir(struct torrent *t, void (*fn)(struct session *, const char *, size_t))
{
	for (size_t n = strlen(t->path); n > 0; n = above(t->path, n))
		fn(t->session, t->path, n);
}

void target_link(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	must(!t->targeted && t->path != NULL);
	link_bucket(t);
	each_dir(t, enter_dir);
	t->targeted = true;
}

void target_unlink(struct torrent *t)
{
	struct session *s;
	struct torrent **p;

	CHECK_OBJ(t, TORRENT_MAGIC);
	s = t->session;
	if (!t->targeted)
		return;
	p = &s->targets[bucket_of(s, t->path, strlen(t->path), t->meta->name)];
	while (*p != t)
		p = &(*p)->target_next;
	*p = t->target_next;
	each_dir(t, leave_dir);
	t->targeted = false;
}

void targets_free(struct session *s)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	must(s->dirs_n == 0);
	xfree(s->targets);
	xfree(s->dirs);
	s->targets = NULL;
	s->dirs = NULL;
}

/* --- what is taken --- */

/* ".<info-hash>.parts" is where a torrent keeps what pieces have of files that are not wanted. */
static bool is_part_file(const char *name)
{
	size_t n = strlen(name);

	if (n != 1 + 40 + 6 || name[0] != '.' || strcasecmp(name + 41, ".parts") != 0)
		return false;
	for (size_t i = 1; i <= 40; i++)
		if (!isxdigit((unsigned char)name[i]))
			return false;
	return true;
}

static void say_owner(const struct torrent *t, const char *what, struct words *why)
{
	char hex[41], name[80], path[100];

	hex_encode(t->meta->infohash.v1, 20, hex);
	snprintf(why->text, sizeof why->text,
		"the torrent %s has the name '%.50s' in %.70s already%s; give another path", hex,
		log_safe(t->meta->name, name, sizeof name), log_safe(t->path, path, sizeof path),
		what);
}

/* A torrent whose target is path, or lies above it. */
static struct torrent *find_above(const struct session *s, const char *path)
{
	char name[PATH_MAX];
	struct torrent *t;

	for (size_t n = strlen(path); n > 0;) {
		size_t up = above(path, n);

		snprintf(name, sizeof name, "%.*s", (int)(n - up - 1), path + up + 1);
		t = find_target(s, up > 0 ? path : "/", up > 0 ? up : 1, name);
		if (t != NULL)
			return t;
		n = up;
	}
	return NULL;
}

bool target_is_taken(const struct session *s, const char *path, const char *name,
	struct torrent **owner, struct words *why)
{
	char whole[PATH_MAX], safe[120];
	int n = snprintf(whole, sizeof whole, "%s/%s", strcmp(path, "/") != 0 ? path : "", name);

	CHECK_OBJ(s, SESSION_MAGIC);
	*owner = target_owner(s, path, name);
	if (*owner != NULL) {
		say_owner(*owner, "", why);
		return true;
	}
	*owner = find_above(s, path);
	if (*owner != NULL) {
		say_owner(*owner, ", and this one would lie among its files", why);
		return true;
	}
	if (strcmp(name, ".trash") == 0 || strstr(path, "/.trash/") != NULL) {
		snprintf(why->text, sizeof why->text,
			"'.trash' is where the data of removed torrents waits; give another path");
		return true;
	}
	if (is_part_file(name)) {
		snprintf(why->text, sizeof why->text,
			"its name, '%.60s', is one that part files of torrents have", name);
		return true;
	}
	if (s->dirs_room == 0 || n < 0 || (size_t)n >= sizeof whole ||
		s->dirs[find_dir(s, whole, (size_t)n)] == NULL)
		return false;
	snprintf(why->text, sizeof why->text,
		"other torrents have their files beneath %.110s already; give another path",
		log_safe(whole, safe, sizeof safe));
	return true;
}
