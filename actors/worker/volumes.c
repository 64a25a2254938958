/* SPDX-License-Identifier: MIT */
/*
 * How much room there is where downloads may go.
 *
 * A directory that is not there yet is looked for upwards: it will be made on the volume of the
 * first that is.
 */
#include "actors/worker/priv.h"

#include "actors/kernel/fs.h"
#include "proto/base/path.h"

/* The directory or the nearest above it that is there; -1: not even the root can be opened. */
static int open_nearest(const char *path, bool *there, enum err *err)
{
	char *at = xstrdup(path);
	int fd = fs_dir_open(at, at, err);

	*there = fd >= 0;
	while (fd < 0 && *err == E_NOENT && strcmp(at, "/") != 0) {
		char *slash = strrchr(at, '/');

		slash[slash == at] = '\0';
		fd = fs_dir_open(at, at, err);
	}
	xfree(at);
	return fd;
}

static void look(const char *path, struct volume_view *v)
{
	struct fs_space space = {0};
	int fd;

	v->path = xstrdup(path);
	v->err = E_OK;
	fd = open_nearest(path, &v->there, &v->err);
	if (fd < 0)
		return;
	v->err = fs_space(fd, &space);
	fs_close(fd);
	v->free = space.free;
	v->total = space.total;
	v->device = space.device;
}

static bool is_allowed(const struct config *c, const char *path)
{
	for (size_t i = 0; i < c->download_roots.n; i++)
		if (path_beneath(c->download_roots.v[i], path))
			return true;
	return false;
}

void worker_on_volumes(struct actor *a, struct msg **m)
{
	const struct worker *w = actor_self(a);
	const struct config_list *roots = &w->config->download_roots;
	struct m_volumes *v = MSG_AS(VOLUMES, *m);
	uint32_t n = v->path != NULL ? 1 : (uint32_t)roots->n;

	if (v->path != NULL && !is_allowed(w->config, v->path)) {
		actor_reply(a, m, E_PATH);
		return;
	}
	v->volumes = xcalloc(MAX(n, 1u), sizeof *v->volumes);
	for (; v->volumes_n < n; v->volumes_n++)
		look(v->path != NULL ? v->path : roots->v[v->volumes_n], &v->volumes[v->volumes_n]);
	actor_reply(a, m, E_OK);
}
