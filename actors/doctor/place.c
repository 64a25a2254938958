/* SPDX-License-Identifier: MIT */
/* Whether the places of the configuration can be used, for who asks without a daemon. */
#include "actors/doctor/doctor.h"

#include <errno.h>
#include <sys/statfs.h>
#include <unistd.h>

/* Those that lock, sync or rename otherwise than a disk here does (linux/magic.h). */
static const struct {
	unsigned long magic;
	const char *name;
} remote[] = {
	{0x6969, "NFS"},
	{0xff534d42, "CIFS"},
	{0xfe534d42, "SMB"},
	{0x65735546, "FUSE"},
};

static const char *remote_name(unsigned long magic)
{
	for (unsigned i = 0; i < ARRAY_LEN(remote); i++)
		if (remote[i].magic == magic)
			return remote[i].name;
	return NULL;
}

static void look(struct findings *f, const char *name, const char *path, bool database)
{
	struct statfs s;
	const char *kind;

	if (statfs(path, &s) != 0) {
		doctor_note(f, name, database && errno == ENOENT ? DOCTOR_OK : DOCTOR_BAD,
			database && errno == ENOENT ? NULL
						    : "make the directory, or mount its volume",
			"%.200s: %s", path, errno == ENOENT ? "is not there" : strerror(errno));
		return;
	}
	if (access(path, W_OK | X_OK) != 0) {
		doctor_note(f, name, DOCTOR_BAD, "give the daemon's user the right to write there",
			"%.200s: %s", path, strerror(errno));
		return;
	}
	kind = remote_name((unsigned long)s.f_type);
	doctor_note(f, name, database && kind != NULL ? DOCTOR_WARN : DOCTOR_OK,
		database && kind != NULL
			? "keep state.dir on a disk of this machine: a database is not "
			  "safe there"
			: NULL,
		"%.200s: may be written to, %.1f GiB free%s%s", path,
		(double)s.f_bavail * (double)s.f_bsize / (1 << 30), kind != NULL ? ", by " : "",
		kind != NULL ? kind : "");
}

void doctor_places(struct findings *f, const struct config *c)
{
	look(f, "state", c->state_dir, true);
	look(f, "disk", c->download_dir, false);
	for (size_t i = 0; i < c->download_roots.n; i++)
		if (strcmp(c->download_roots.v[i], c->download_dir) != 0)
			look(f, "disk", c->download_roots.v[i], false);
}
