/* SPDX-License-Identifier: MIT */
/*
 * Where things lie by default.
 *
 * The XDG base directory specification says that a relative path in one of its variables is to be
 * ignored.
 */
#include "config/paths.h"

#include "config/args.h"

static char *join(const char *dir, const char *name)
{
	size_t n = dir != NULL ? strlen(dir) + strlen(name) + 1 : 0;
	char *out = NULL;

	if (dir != NULL) {
		out = xcalloc(1, n);
		snprintf(out, n, "%s%s", dir, name);
	}
	return out;
}

static const char *get_absolute(const struct config_input *in, const char *name)
{
	const char *v = env_get(in->envp, name);

	return v != NULL && v[0] == '/' ? v : NULL;
}

/* The first of a list parted by colons, as systemd writes it. */
static char *take_first(const char *list)
{
	size_t n = strcspn(list, ":");
	char *out = xcalloc(1, n + 1);

	memcpy(out, list, n);
	return out;
}

static void find_service(struct paths *p, const char *state)
{
	p->config = xstrdup("/etc/torrentd/torrentd.conf");
	p->state = take_first(state != NULL ? state : "/var/lib/torrentd");
	p->downloads = join(p->state, "/downloads");
}

static void find_user(struct paths *p, const struct config_input *in)
{
	const char *v = get_absolute(in, "XDG_CONFIG_HOME");

	p->config = v != NULL ? join(v, "/torrentd/torrentd.conf")
			      : join(p->home, "/.config/torrentd/torrentd.conf");
	v = get_absolute(in, "XDG_STATE_HOME");
	p->state = v != NULL ? join(v, "/torrentd") : join(p->home, "/.local/state/torrentd");
	v = get_absolute(in, "XDG_DOWNLOAD_DIR");
	p->downloads = v != NULL ? xstrdup(v) : join(p->home, "/Downloads");
}

struct paths paths_find(const struct config_input *in)
{
	struct paths p = {.home = get_absolute(in, "HOME")};
	const char *state = get_absolute(in, "STATE_DIRECTORY");

	if (in->root || state != NULL)
		find_service(&p, state);
	else
		find_user(&p, in);
	return p;
}

void paths_done(struct paths *p)
{
	xfree(p->config);
	xfree(p->state);
	xfree(p->downloads);
	*p = (struct paths){0};
}
