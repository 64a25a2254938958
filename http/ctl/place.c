/* SPDX-License-Identifier: MIT */
/*
 * Finding the daemon.
 *
 * The configuration is read as the daemon reads it, so whoever has moved the port or the state in
 * the file or the environment need not say so again.  A token of this machine's daemon is sent to
 * it alone, never to an address that was given.
 */
#include "http/ctl/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "config/paths.h"

#define TOKEN_MAX 1024 /* bytes of a file with a token */

static const char *variable(char *const *envp, const char *name)
{
	size_t n = strlen(name);

	for (; *envp != NULL; envp++)
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=' && (*envp)[n + 1] != '\0')
			return *envp + n + 1;
	return NULL;
}

/* The first line, owned by the caller; NULL: errno says why, or 0: the file is empty. */
static char *read_token(const char *path)
{
	char line[TOKEN_MAX] = "";
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		return NULL;
	errno = 0;
	n = fgets(line, sizeof line, f) != NULL ? strcspn(line, "\r\n ") : 0;
	fclose(f);
	return n > 0 ? strndup(line, n) : NULL;
}

/* --- the daemon on this machine --- */

/* Whether a daemon of that kind was ever started or configured here. */
static bool is_there(const struct config_input *in)
{
	struct paths p = paths_find(in);
	bool there = (p.config != NULL && access(p.config, F_OK) == 0) ||
		     (p.state != NULL && access(p.state, F_OK) == 0);

	paths_done(&p);
	return there;
}

/* The first; one that stands for all of this machine's is reached by loopback. */
static const char *address_of(const struct config *c)
{
	const char *at = c->api_bind.v[0];

	if (strcmp(at, "0.0.0.0") == 0)
		return "127.0.0.1";
	return strcmp(at, "::") == 0 ? "::1" : at;
}

static void take_config(struct ctl_place *p, const struct config *c)
{
	const char *at = address_of(c);
	bool v6 = strchr(at, ':') != NULL;
	char path[4200];

	must(asprintf(&p->url, "http://%s%s%s:%d%s", v6 ? "[" : "", at, v6 ? "]" : "", c->api_port,
		     c->api_base_path) > 0);
	p->here = true;
	if (p->token != NULL)
		return;
	if (c->api_token[0] != '\0') {
		p->token = xstrdup(c->api_token);
		return;
	}
	snprintf(path, sizeof path, "%s/api.token", c->state_dir);
	/* Where it may not be read, who is on this machine may do without. */
	p->token = read_token(path);
}

static bool find_here(struct ctl_place *p, char *const *envp, char *why, size_t why_n)
{
	char name[] = "torrentctl";
	char *argv[] = {name, NULL};
	struct config_input in = {.argc = 1, .argv = argv, .envp = envp, .root = geteuid() == 0};
	enum config_action action = CONFIG_RUN;
	const struct config *c = NULL;
	char *errors;
	bool ok;

	if (!is_there(&in)) {
		in.root = true; /* as the service sees it */
		if (!is_there(&in))
			in.root = geteuid() == 0;
	}
	errors = xcalloc(1, CONFIG_ERRORS_SIZE);
	ok = config_load(&in, &c, &action, errors, CONFIG_ERRORS_SIZE) == E_OK && c != NULL;
	if (!ok)
		snprintf(why, why_n,
			"the daemon's configuration is wrong (or say --url where it is): %s",
			errors);
	else if (c->api_port == 0 || c->api_bind.n == 0)
		snprintf(why, why_n,
			"the daemon's configuration names no port of it: say --url where it is");
	else
		take_config(p, c);
	if (c != NULL)
		config_unref(&c);
	xfree(errors);
	return p->url != NULL;
}

/* --- what was given --- */

static bool take_token(
	struct ctl_place *p, const struct ctl_args *a, char *const *envp, char *why, size_t why_n)
{
	const char *given = a->given[CTL_token] ? a->value[CTL_token] : NULL,
		   *file = a->value[CTL_token_file];

	if (given != NULL && file != NULL) {
		snprintf(why, why_n, "--token and --token-file are the same: give one of them");
		return false;
	}
	if (file != NULL) {
		p->token = read_token(file);
		if (p->token == NULL)
			snprintf(why, why_n, "no token can be read from %s: %s", file,
				errno != 0 ? strerror(errno) : "it is empty");
		return p->token != NULL;
	}
	if (given == NULL)
		given = variable(envp, "TORRENTCTL_TOKEN");
	if (given != NULL)
		p->token = xstrdup(given);
	return true;
}

static bool take_url(struct ctl_place *p, const char *url, char *why, size_t why_n)
{
	size_t n = strlen(url);

	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0) {
		snprintf(why, why_n,
			"an address begins with http:// or https://, and this is \"%s\"", url);
		return false;
	}
	while (n > 0 && url[n - 1] == '/')
		n--;
	p->url = strndup(url, n);
	return true;
}

bool ctl_place_find(
	struct ctl_place *p, const struct ctl_args *a, char *const *envp, char *why, size_t why_n)
{
	const char *url = a->given[CTL_url] ? a->value[CTL_url] : variable(envp, "TORRENTCTL_URL");

	*p = (struct ctl_place){0};
	if (!take_token(p, a, envp, why, why_n))
		return false;
	if (url != NULL ? !take_url(p, url, why, why_n) : !find_here(p, envp, why, why_n))
		return false;
	if (p->token == NULL)
		p->token = xstrdup("");
	return true;
}

void ctl_place_fini(struct ctl_place *p)
{
	if (p->token != NULL)
		explicit_bzero(p->token, strlen(p->token));
	xfree(p->token);
	xfree(p->url);
	*p = (struct ctl_place){0};
}
