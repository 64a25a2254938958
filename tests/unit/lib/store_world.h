/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the worker and the store have in common: torrents with real hashes, a directory
 * to put them in, actors turned by hand in this thread, and a pool of lent blocks that is counted.
 */
#ifndef TESTS_UNIT_LIB_STORE_WORLD_H
#define TESTS_UNIT_LIB_STORE_WORLD_H

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "actors/kernel/clock.h"
#include "actors/kernel/log.h"
#include "actors/msg/env.h"
#include "proto/meta/layout.h"

#define AS(type, m) ((struct type *)(void *)(m))
#define TURNS_MAX   200000

/* --- torrents --- */

struct tfile {
	const char *path; /* one component or a/b; "a>b/c": a link to that; NULL ends a list */
	uint64_t length;
	bool pad;
};

static inline uint8_t content_byte(uint64_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16) + 1);
}

/* The content at offset; pad files are zeros. */
static inline void content_fill(const struct tfile *f, uint64_t at, uint8_t *out, size_t n)
{
	for (uint64_t start = 0; f->path != NULL && n > 0; start += f++->length)
		for (; n > 0 && at >= start && at < start + f->length; at++, n--)
			*out++ = f->pad ? 0 : content_byte(at);
}

static inline uint64_t content_size(const struct tfile *f)
{
	uint64_t n = 0;

	for (; f->path != NULL; f++)
		n += f->length;
	return n;
}

static inline void put_path(FILE *out, const char *key, const char *path)
{
	fprintf(out, "%zu:%sl", strlen(key), key);
	while (*path != '\0' && *path != '>') {
		int n = (int)strcspn(path, "/>");

		fprintf(out, "%d:%.*s", n, n, path);
		path += n + (path[n] == '/');
	}
	fputc('e', out);
}

static inline void put_hashes(FILE *out, const struct tfile *f, uint32_t piece_length)
{
	uint64_t size = content_size(f);
	uint8_t *piece = malloc(piece_length), sum[HASH_SHA1_SIZE];

	fprintf(out, "6:pieces%llu:",
		(unsigned long long)((size + piece_length - 1) / piece_length * 20));
	for (uint64_t at = 0; at < size; at += piece_length) {
		size_t n = (size_t)MIN(size - at, piece_length);

		content_fill(f, at, piece, n);
		hash_once(HASH_SHA1, piece, n, sum);
		fwrite(sum, sizeof sum, 1, out);
	}
	free(piece);
}

/* What is named .run is to be executable. */
static inline const char *attr_of(const struct tfile *f)
{
	size_t n = strlen(f->path);

	if (f->pad)
		return "4:attr1:p";
	if (strchr(f->path, '>') != NULL)
		return "4:attr1:l";
	return n > 4 && strcmp(f->path + n - 4, ".run") == 0 ? "4:attr1:x" : "";
}

/* A torrent named "t" of these files. */
static inline struct metainfo *torrent_of(const struct tfile *f, uint32_t piece_length)
{
	struct parse_error pe = {0};
	struct metainfo *m = NULL;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	fputs("d4:infod5:filesl", out);
	for (const struct tfile *i = f; i->path != NULL; i++) {
		fprintf(out, "d%s6:lengthi%llue", attr_of(i), (unsigned long long)i->length);
		put_path(out, "path", i->path);
		if (strchr(i->path, '>') != NULL)
			put_path(out, "symlink path", strchr(i->path, '>') + 1);
		fputc('e', out);
	}
	fprintf(out, "e4:name1:t12:piece lengthi%ue", piece_length);
	put_hashes(out, f, piece_length);
	fputs("ee", out);
	fclose(out);
	if (metainfo_parse(text, n, &m, &pe) != E_OK)
		fail_msg("%s at %zu", pe.what, pe.offset);
	free(text);
	return m;
}

/* --- files --- */

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline const char *path_of(char *buf, size_t n, const char *dir, const char *name)
{
	snprintf(buf, n, "%s/%s", dir, name);
	return buf;
}

static inline bool file_exists(const char *dir, const char *name)
{
	char path[512];
	struct stat st;

	return lstat(path_of(path, sizeof path, dir, name), &st) == 0;
}

/* Writes files as a finished download would have left them; makes "t" and one more level. */
static inline void files_write(const char *dir, const struct metainfo *m, const struct tfile *f)
{
	char path[512];

	for (uint32_t i = 0; i < m->files_n; i++) {
		const struct metainfo_file *mf = &m->files[i];
		uint8_t *data = malloc(mf->length + 1);
		int fd;

		path_of(path, sizeof path, dir, mf->path);
		for (char *s = path + strlen(dir) + 1; (s = strchr(s, '/')) != NULL; *s++ = '/') {
			*s = '\0';
			mkdir(path, 0777);
		}
		if (!mf->pad) {
			content_fill(f, mf->offset, data, mf->length);
			fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
			assert_true(fd >= 0);
			assert_int_equal(write(fd, data, mf->length), mf->length);
			close(fd);
		}
		free(data);
	}
}

/* Every byte on disk is as it should be, and the files are as long. */
static inline void files_check(const char *dir, const struct metainfo *m, const struct tfile *f)
{
	char path[512];

	for (uint32_t i = 0; i < m->files_n; i++) {
		const struct metainfo_file *mf = &m->files[i];
		uint8_t *want = calloc(1, mf->length + 1), *got = calloc(1, mf->length + 1);
		int fd;

		if (mf->pad) {
			assert_false(file_exists(dir, mf->path));
		} else {
			content_fill(f, mf->offset, want, mf->length);
			fd = open(path_of(path, sizeof path, dir, mf->path), O_RDONLY);
			assert_true(fd >= 0);
			assert_int_equal(read(fd, got, mf->length + 1), mf->length);
			assert_memory_equal(got, want, mf->length);
			close(fd);
		}
		free(want);
		free(got);
	}
}

/* --- actors --- */

/* A message that a fake actor got; kept until the test takes it. */
struct seen {
	struct seen *next;
	struct msg *m;
};

struct world {
	char dir[64];
	char down[80]; /* dir/down: root and target */
	struct actors *set;
	struct actor_env env;
	const struct config *config;
	struct seen *seen, **seen_end; /* what fakes got, oldest first */
	unsigned lent;                 /* blocks that are with the worker, and which */
	uint8_t *blocks[1024];
	unsigned waiting; /* calls made by the test */
	struct msg *answer;
	struct actor *answer_at;
	enum err err;
	bool hangs;    /* one actor does not turn: */
	uint16_t hung; /* this one */
	void (*on_seen)(struct world *, struct actor *, struct msg **); /* may take it */
};

static inline void keep_seen(struct actor *a, struct msg **m)
{
	struct world *w = actor_self(a);
	struct seen *s;

	if ((*m)->type == MSG_STATE_NOTE) {
		struct m_torrent *noted = msg_new(a, MSG_STATE_NOTED);

		noted->t = MSG_AS(STATE_NOTE, *m)->t;
		msg_send(a, ADDR_STORE, noted);
	}
	if (w->on_seen != NULL)
		w->on_seen(w, a, m);
	if (*m == NULL)
		return;
	if ((*m)->call != 0) {
		actor_reply(a, m, E_OK);
		return;
	}
	s = calloc(1, sizeof *s);
	s->m = *m;
	*m = NULL;
	*w->seen_end = s;
	w->seen_end = &s->next;
}

static inline void *init_fake(struct actor *a, const void *arg)
{
	(void)a;
	return (void *)(uintptr_t)arg;
}

static const struct actor_handler keep_all[] = {{KMSG_NONE, keep_seen}, {0, NULL}};
#define FAKE(role)                                                                                 \
	static const struct actor_spec fake_##role = {                                             \
		.role_name = #role, .handlers = keep_all, .init = init_fake}

static inline void world_turn(struct world *w)
{
	for (unsigned i = 0; i < actors_count(w->set); i++)
		if (!w->hangs || actor_addr(actors_at(w->set, i)) != w->hung)
			actor_turn(actors_at(w->set, i), 0);
}

/* The oldest message of that type that a fake got; the test frees it with seen_free().  NULL: none
 * came. */
static inline struct msg *seen_now(struct world *w, uint16_t type)
{
	for (struct seen **at = &w->seen; *at != NULL; at = &(*at)->next) {
		struct seen *s = *at;
		struct msg *m = s->m;

		if (m->type != type)
			continue;
		*at = s->next;
		if (w->seen_end == &s->next)
			w->seen_end = at;
		free(s);
		return m;
	}
	return NULL;
}

static inline struct msg *seen_wait(struct world *w, uint16_t type)
{
	struct msg *m = NULL;

	for (int i = 0; i < TURNS_MAX && (m = seen_now(w, type)) == NULL; i++)
		world_turn(w);
	if (m == NULL)
		fail_msg("no message of type %u came", type);
	return m;
}

static inline struct actor *actor_of(struct world *w, uint16_t addr)
{
	for (unsigned i = 0; i < actors_count(w->set); i++)
		if (actor_addr(actors_at(w->set, i)) == addr)
			return actors_at(w->set, i);
	fail_msg("no such actor");
	return NULL;
}

static inline void seen_free(struct world *w, struct msg *m)
{
	msg_free(actor_of(w, m->to), &m);
}

static inline void seen_drop(struct world *w)
{
	while (w->seen != NULL)
		seen_free(w, seen_now(w, w->seen->m->type));
}

static inline void take_answer(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct world *w = ctx;

	if (w->answer != NULL)
		msg_free(w->answer_at, &w->answer);
	w->err = err;
	w->waiting--;
	if (m != NULL) {
		w->answer = *m;
		w->answer_at = a;
		*m = NULL;
	}
}

/* Calls and turns until the answer is in w->answer; returns its outcome. */
static inline enum err world_call(struct world *w, uint16_t from, uint16_t to, struct msg *m)
{
	w->waiting++;
	actor_call(actor_of(w, from), to, &m, take_answer, w);
	for (int i = 0; i < TURNS_MAX && w->waiting > 0; i++)
		world_turn(w);
	assert_int_equal(w->waiting, 0);
	return w->err;
}

static inline void world_config(struct world *w, const char *const *args)
{
	struct config_input in = {.no_files = true};
	char *argv[16], errors[4096] = "", state[100], down[100];
	enum config_action action;

	snprintf(state, sizeof state, "--state.dir=%s/state", w->dir);
	snprintf(down, sizeof down, "--download.dir=%s", w->down);
	argv[in.argc++] = strdup("torrentd");
	argv[in.argc++] = strdup(state);
	argv[in.argc++] = strdup(down);
	for (; args != NULL && *args != NULL; args++)
		argv[in.argc++] = strdup(*args);
	argv[in.argc] = NULL;
	in.argv = argv;
	if (config_load(&in, &w->config, &action, errors, sizeof errors) != E_OK)
		fail_msg("%s", errors);
	for (int i = 0; i < in.argc; i++)
		free(argv[i]);
	w->env.config = (struct config *)(uintptr_t)w->config;
}

static inline struct world *world_dirs(void)
{
	struct world *w = calloc(1, sizeof *w);

	snprintf(w->dir, sizeof w->dir, "/tmp/t_store.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->down, sizeof w->down, "%s/down", w->dir);
	assert_int_equal(mkdir(w->down, 0777), 0);
	w->seen_end = &w->seen;
	w->env.shards = 1;
	log_set_level(LOG_ERROR);
	return w;
}

/* Actors end, every block must be back. */
static inline void world_end_actors(struct world *w)
{
	if (w->answer != NULL)
		msg_free(w->answer_at, &w->answer);
	seen_drop(w);
	actors_join(w->set);
	actors_free(&w->set);
	config_unref(&w->config);
	assert_int_equal(w->lent, 0);
}

static inline void world_free(struct world *w)
{
	nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(w);
}

static inline uint8_t *block_lend(struct world *w)
{
	assert_true(w->lent < ARRAY_LEN(w->blocks));
	return w->blocks[w->lent++] = malloc(BLOCK_SIZE);
}

/* Fails on what was not lent, or has come back already. */
static inline void block_take(struct world *w, uint8_t *data)
{
	unsigned i = 0;

	while (i < w->lent && w->blocks[i] != data)
		i++;
	assert_true(i < w->lent);
	w->blocks[i] = w->blocks[--w->lent];
	free(data);
}

#endif
