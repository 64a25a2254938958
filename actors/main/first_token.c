/* SPDX-License-Identifier: MIT */
/*
 * The first token: whoever may read the state directory may do everything.
 *
 * The file is there before the database knows of it: an end in between leaves a file that opens
 * nothing, and the next start makes another; the other way around nobody would have the secret.
 */
#include "actors/main/first_token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/kernel/clock.h"
#include "actors/state/state.h"

/* false: errno says why. */
static bool write_new(const char *path, const char *secret)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	char line[TOKEN_SECRET + 1];
	int n = snprintf(line, sizeof line, "%s\n", secret);
	bool ok;

	if (fd < 0)
		return false;
	ok = fchmod(fd, 0600) == 0 && write(fd, line, (size_t)n) == n && fsync(fd) == 0;
	explicit_bzero(line, sizeof line);
	return close(fd) == 0 && ok;
}

static bool write_file(const char *dir, const char *path, const char *secret)
{
	char new[4210];
	int fd;
	bool ok;

	snprintf(new, sizeof new, "%s.new", path);
	if (!write_new(new, secret) || rename(new, path) < 0)
		return false;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

static enum err make_first(struct actor_env *env, const struct config *c, struct start_tokens *s,
	char *why, size_t why_n)
{
	struct token_record t = {
		.name = "first start", .scopes = TOKEN_ALL, .created = clock_wall_s()};
	char secret[TOKEN_SECRET];
	enum err e;
	bool written;

	snprintf(s->path, sizeof s->path, "%s/api.token", c->state_dir);
	token_make(&t, secret);
	written = write_file(c->state_dir, s->path, secret);
	explicit_bzero(secret, sizeof secret);
	if (!written) {
		snprintf(why, why_n, "cannot write the first token to %s: %s", s->path,
			strerror(errno));
		return E_IO;
	}
	e = state_db_add_token(env->db, &t);
	if (e == E_OK)
		e = state_db_tokens(env->db, &s->list, &s->n);
	if (e != E_OK)
		snprintf(why, why_n, "cannot store the first token in the database: %s",
			err_words(e));
	return e;
}

/* A device may come in by it once, until http forgets it. */
static void make_pairing(struct actor_env *env, struct start_tokens *s)
{
	env->pairing = (struct token_record){
		.scopes = TOKEN_ALL, .expires = clock_wall_s() + PAIRING_TIME};
	token_make(&env->pairing, s->link);
}

enum err first_token_find(struct actor_env *env, const struct config *c, struct start_tokens *s,
	char *why, size_t why_n)
{
	enum err e;

	*s = (struct start_tokens){0};
	e = state_db_tokens(env->db, &s->list, &s->n);
	if (e != E_OK)
		snprintf(why, why_n, "cannot read the tokens in the database: %s", err_words(e));
	else if (s->n == 0 && c->api_token[0] == '\0')
		e = make_first(env, c, s, why, why_n);
	if (e == E_OK && (s->path[0] != '\0' || isatty(STDOUT_FILENO)))
		make_pairing(env, s);
	env->tokens = s->list;
	env->tokens_n = s->n;
	return e;
}

void first_token_done(struct start_tokens *s)
{
	xfree(s->list);
	explicit_bzero(s->link, sizeof s->link);
	*s = (struct start_tokens){0};
}
