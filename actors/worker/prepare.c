/* SPDX-License-Identifier: MIT */
/*
 * What a torrent has beside content: files of length 0, and symbolic links (BEP 47).
 *
 * Links are made with the first write, or when a torrent turns out to be complete, by whichever
 * worker comes first; the metainfo has only such as stay inside the torrent's top directory.  No
 * link is followed, neither to read nor to write: to the content it is an empty pad file.  What
 * stands in a link's place stays, and that a link cannot be made is no failure of the torrent.
 */
#include "actors/worker/priv.h"

#include "actors/kernel/log.h"

void worker_link_make(struct worker *w, struct wtorrent *t, uint32_t file)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	const char *target = t->meta->files[file].symlink;
	enum err err = E_OK;
	char safe[160];
	int dir = worker_dir(w, t, true, &err);

	must(target != NULL);
	if (dir >= 0)
		err = fs_link_make(dir, worker_path(t, file), target);
	if (err != E_OK)
		log_event(LOG_WARNING, "link_not_made", "path=\"%s\" err=%s",
			log_safe(worker_path(t, file), safe, sizeof safe), err_name(err));
}

bool worker_prepare(struct worker *w, struct wtorrent *t, struct wfail *f)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	if (t->prepared)
		return true;
	for (uint32_t i = 0; i < t->meta->files_n; i++) {
		const struct metainfo_file *mf = &t->meta->files[i];
		enum err err = E_OK;

		if (mf->symlink != NULL && !(*worker_flags(t, i) & WFILE_SKIPPED))
			worker_link_make(w, t, i);
		if (mf->pad || mf->length > 0 || (*worker_flags(t, i) & WFILE_SKIPPED) ||
			worker_file(w, t, i, FS_WRITE, &err) >= 0)
			continue;
		*f = (struct wfail){.err = err, .file = i, .op = "create"};
		return false;
	}
	t->prepared = true;
	return true;
}

void worker_on_links(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct wtorrent *t = worker_find(w, MSG_AS(WORKER_LINKS, *m)->t);

	for (uint32_t i = 0; t != NULL && i < t->meta->files_n; i++)
		if (t->meta->files[i].symlink != NULL && !(*worker_flags(t, i) & WFILE_SKIPPED))
			worker_link_make(w, t, i);
	actor_reply(a, m, t != NULL ? E_OK : E_NOT_FOUND);
}
