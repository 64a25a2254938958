/* SPDX-License-Identifier: MIT */
/*
 * The worker and its files: disks that refuse, links in the way, volumes that go, checks, deleting.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "actors/kernel/fs.h"
#include "tests/unit/lib/worker_world.h"

static void test_links(void **state)
{
	struct world *w = begin(odd_files, 16 * KIB, 1, NULL);
	char path[200];
	struct note last = {0};

	(void)state;
	mkdir(path_of(path, sizeof path, w->dir, "outside"), 0777);
	mkdir(path_of(path, sizeof path, w->down, "t"), 0777);
	assert_int_equal(symlink("../../outside", path_of(path, sizeof path, w->down, "t/b")), 0);
	assert_int_equal(symlink("/etc/passwd", path_of(path, sizeof path, w->down, "t/last")), 0);
	open_torrent(w);
	send_piece(w, 0);
	assert_int_equal(now.failed, 1);
	assert_true(fs_is_obstacle(now.err));
	assert_int_equal(w->lent, 0);
	assert_int_equal(count_notes(w, NOTE_ERROR, &last), 1);
	assert_int_equal(last.index, 2);
	assert_false(file_exists(w->dir, "outside/big"));
	send_piece(w, now.l.pieces - 1);
	assert_int_equal(now.failed, 2);
	end(w);
}

/* --- files that somebody alters --- */

static void altered(void (*act)(const char *path), enum err want, bool gone)
{
	struct world *w = begin(one_file, 16 * KIB, 2, NULL);
	struct note last = {0};
	char path[200];

	open_torrent(w);
	send_piece(w, 0);
	send_piece(w, 1);
	(void)count_notes(w, NOTE_ERROR, NULL);
	act(path_of(path, sizeof path, w->down, "t/f"));
	send_piece(w, 2);
	send_piece(w, 3);
	assert_int_equal(now.failed, 2);
	assert_int_equal(now.err, want);
	assert_int_equal(count_notes(w, NOTE_ERROR, &last), 2);
	assert_int_equal(last.err, want);
	assert_int_equal(file_exists(w->down, "t/f"), !gone);
	end(w);
}

static void cut(const char *path)
{
	assert_int_equal(truncate(path, 1), 0);
}

static void take_away(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

/* A file that was made is not made again, and one that was cut is not made longer by a write. */
static void test_altered(void **state)
{
	(void)state;
	altered(take_away, E_NOENT, true);
	altered(cut, E_CHANGED, false);
}

/* A look by name shows what an open descriptor does not. */
static void test_moved(void **state)
{
	struct world *w = begin(one_file, 16 * KIB, 1, NULL);
	char from[200], to[200];
	struct m_worker_sync *s;

	(void)state;
	open_torrent(w);
	send_piece(w, 0);
	s = sync_now(w, 0, true);
	assert_int_equal(s->looks_n, 1);
	assert_true(s->looks[0].exists && s->looks[0].inode == s->stamps[0].inode);
	send_piece(w, 1);
	assert_int_equal(rename(path_of(from, sizeof from, w->down, "t/f"),
				 path_of(to, sizeof to, w->down, "t/g")),
		0);
	s = sync_now(w, 0, true);
	assert_int_equal(w->err, E_OK); /* the disk did what it was asked */
	assert_int_equal(s->looks_n, 1);
	assert_false(s->looks[0].exists);
	end(w);
}

/* --- disks that refuse --- */

static void refused(struct world *w, enum err want)
{
	struct note last = {0};

	(void)count_notes(w, NOTE_ERROR, NULL);
	for (uint32_t p = 0; p < now.l.pieces; p++)
		send_piece(w, p);
	assert_true(now.failed > 0);
	assert_int_equal(now.err, want);
	assert_int_equal(w->lent, 0);
	assert_int_equal(count_notes(w, NOTE_ERROR, &last), 1); /* not one for each */
	assert_int_equal(last.err, want);
}

static void test_too_big(void **state)
{
	struct rlimit was, low = {100 * KIB, 0};
	struct world *w;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	low.rlim_max = was.rlim_max;
	w = begin(one_file, 64 * KIB, 1, NULL);
	open_torrent(w);
	setrlimit(RLIMIT_FSIZE, &low);
	refused(w, E_TOO_BIG);
	setrlimit(RLIMIT_FSIZE, &was);
	now.ok = 0;
	for (uint32_t p = 0; p < now.l.pieces; p++) /* and goes on when it can */
		send_piece(w, p);
	assert_int_equal(now.ok, now.l.pieces);
	files_check(w->down, now.meta, now.files);
	end(w);
}

static void test_no_space(void **state)
{
	struct world *w;

	(void)state;
	w = begin(large_file, 256 * KIB, 1, NULL);
	/* by number: the header of mount() has a BLOCK_SIZE of its own */
	if (syscall(SYS_mount, "none", w->down, "tmpfs", 0, "size=1m") != 0) {
		print_message("# no tmpfs to a plain user\n");
		end(w);
		skip();
	}
	open_torrent(w);
	refused(w, E_NOSPACE);
	assert_true(now.ok >= 2 && now.ok <= 4);
	close_torrent(w);
	assert_int_equal(syscall(SYS_umount2, w->down, 0), 0);
	end(w);
}

/* --- opening, looking, hashing, deleting --- */

static void test_roots(void **state)
{
	struct world *w = begin(odd_files, 64 * KIB, 1, NULL);
	char root[100], path[120];

	(void)state;
	path_of(root, sizeof root, w->dir, "volume");
	path_of(path, sizeof path, root, "films");
	assert_int_equal(open_at(w, root, path, false, NULL), E_NOENT);
	assert_non_null(strstr(AS(m_worker_open, w->answer)->why.text, root));
	assert_int_equal(open_at(w, root, path, true, NULL), E_OK);
	assert_false(file_exists(w->dir, "volume")); /* the first write makes it */
	send_piece(w, 0);
	assert_true(file_exists(path, "t/a/one"));
	assert_true(file_exists(path, "t/a/none")); /* empty files come with it */
	assert_int_equal(sync_now(w, 0, false)->stamps_n, 3);
	close_torrent(w);
	assert_int_equal(open_at(w, w->down, root, false, NULL), E_PATH); /* not beneath */
	end(w);
}

/* The directory is another one when it is opened again: nothing is written to what is there
 * instead. */
static void test_volume_gone(void **state)
{
	static const char *const args[] = {"--store.open_files=8", NULL};
	struct world *w = begin(many_files, 16 * KIB, 1, args);
	struct tref other = {.slot = 1};
	struct m_worker_open *o = to_worker(w, MSG_WORKER_OPEN);
	char aside[100];

	(void)state;
	open_torrent(w);
	send_piece(w, 0);
	assert_int_equal(now.ok, 1);
	assert_int_equal(rename(w->down, path_of(aside, sizeof aside, w->dir, "aside")), 0);
	assert_int_equal(mkdir(w->down, 0777), 0);
	send_piece(w, 1); /* by the descriptor, which leads to where the volume is now */
	assert_true(file_exists(aside, "t/2"));
	/* another torrent needs all descriptors */
	o->t = other;
	o->meta = metainfo_ref(now.meta);
	o->root = xstrdup(w->dir);
	o->path = xstrdup(aside);
	assert_int_equal(world_call(w, ADDR_STORE, WORKER(0), &o->h), E_OK);
	files_write(aside, now.meta, now.files);
	for (uint32_t p = 0; p < now.l.pieces; p++) {
		struct m_extent *e = msg_new(actor_of(w, PEERS), MSG_EXTENT_READ);
		uint8_t byte;

		e->t = other;
		e->piece = p;
		e->length = 1;
		e->data = &byte;
		assert_int_equal(world_call(w, PEERS, WORKER(0), &e->h), E_OK);
	}
	send_piece(w, 2);
	assert_int_equal(now.err, E_CHANGED);
	assert_false(file_exists(w->down, "t"));
	assert_int_equal(w->lent, 0);
	end(w);
}

static struct m_worker_stat *stat_now(struct world *w, bool want_data)
{
	struct m_worker_stat *s = to_worker(w, MSG_WORKER_STAT);

	s->t = T0;
	s->want_data = want_data;
	assert_int_equal(world_call(w, ADDR_STORE, WORKER(0), &s->h), E_OK);
	return AS(m_worker_stat, w->answer);
}

static void test_stat(void **state)
{
	struct world *w = begin(odd_files, 64 * KIB, 1, NULL);
	struct m_worker_stat *s;
	char path[200];

	(void)state;
	open_torrent(w);
	s = stat_now(w, true);
	assert_int_equal(s->stamps_n, 7); /* the part file is the last */
	for (uint32_t i = 0; i < 7; i++)
		assert_false(s->stamps[i].exists);
	assert_int_equal(s->data.count, 0);
	files_write(w->down, now.meta, now.files);
	s = stat_now(w, true);
	assert_int_equal(s->stamps[2].size, 200 * KIB + 13);
	assert_true(s->stamps[2].exists && s->stamps[2].inode != 0 && s->stamps[2].mtime_ns != 0);
	assert_false(s->stamps[3].exists);
	assert_int_equal(s->data.count, now.l.pieces);
	/* a hole and a missing end: only the pieces before them can hold data */
	assert_int_equal(truncate(path_of(path, sizeof path, w->down, "t/b/big"), 70 * KIB), 0);
	assert_int_equal(truncate(path, 200 * KIB + 13), 0);
	s = stat_now(w, true);
	assert_true(bitfield_get(&s->data, 0));
	assert_false(bitfield_get(&s->data, 1));
	assert_true(bitfield_get(&s->data, now.l.pieces - 1));
	end(w);
}

static struct m_worker_hash *hash_now(struct world *w, uint32_t first, uint32_t n, uint8_t *want)
{
	struct m_worker_hash *h = to_worker(w, MSG_WORKER_HASH);

	h->t = T0;
	h->first = first;
	h->n = n;
	h->want = want != NULL ? xmemdup(want, bitfield_bytes(n)) : NULL;
	(void)world_call(w, ADDR_STORE, WORKER(0), &h->h);
	return AS(m_worker_hash, w->answer);
}

static void test_hash(void **state)
{
	struct world *w = begin(odd_files, 16 * KIB, 1, NULL);
	uint8_t want[] = {0x50, 0x80};
	struct m_worker_hash *h;
	char path[200];
	int fd;

	(void)state;
	open_torrent(w);
	h = hash_now(w, 0, now.l.pieces, NULL);
	assert_int_equal(w->err, E_OK); /* nothing there is no failure */
	assert_int_equal(h->good[0], 0);
	files_write(w->down, now.meta, now.files);
	h = hash_now(w, 0, 9, NULL);
	assert_int_equal(h->good[0], 0xff);
	h = hash_now(w, 1, 9, want);
	assert_int_equal(h->good[0], 0x50);
	assert_int_equal(h->good[1], 0x80);
	assert_int_equal(hash_now(w, now.l.pieces - 1, 1, NULL)->good[0], 0x80);
	fd = open(path_of(path, sizeof path, w->down, "t/b/big"), O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, 20000), 1);
	close(fd);
	assert_int_equal(hash_now(w, 0, 8, NULL)->good[0], 0xbf);
	/* what was found good is made durable by the next sync, by whoever it was written */
	assert_true(sync_now(w, 0, true)->stamps_n > 0);
	(void)hash_now(w, 1, now.l.pieces, NULL);
	assert_int_equal(w->err, E_RANGE);
	end(w);
}

/* A close in the middle of a check answers it. */
static void test_hash_cancelled(void **state)
{
	struct world *w = begin(odd_files, 16 * KIB, 1, NULL);
	struct m_worker_hash *h = to_worker(w, MSG_WORKER_HASH);
	struct m_worker_close *c = to_worker(w, MSG_WORKER_CLOSE);
	struct actor *store = actor_of(w, ADDR_STORE);
	struct msg *m = &h->h;

	(void)state;
	open_torrent(w);
	files_write(w->down, now.meta, now.files);
	h->t = c->t = T0;
	h->n = now.l.pieces;
	w->waiting = 2;
	actor_call(store, WORKER(0), &m, take_answer, w);
	m = &c->h;
	actor_call(store, WORKER(0), &m, take_answer, w);
	settle(w);
	assert_int_equal(w->waiting, 0);
	end(w);
}

static void test_delete(void **state)
{
	struct world *w = begin(odd_files, 64 * KIB, 1, NULL);
	struct m_worker_delete *d = to_worker(w, MSG_WORKER_DELETE);
	char path[200];
	int fd;

	(void)state;
	open_torrent(w);
	download(w, IN_ORDER);
	send_drop(w, 0, 0);
	fd = open(path_of(path, sizeof path, w->down, "t/a/foreign"), O_WRONLY | O_CREAT, 0666);
	assert_true(fd >= 0);
	close(fd);
	d->t = T0;
	assert_int_equal(world_call(w, ADDR_STORE, WORKER(0), &d->h), E_OK);
	assert_true(file_exists(w->down, "t/a/foreign"));
	assert_false(file_exists(w->down, "t/a/b"));
	assert_false(file_exists(w->down, "t/a/one"));
	assert_false(file_exists(w->down, "t/a/none"));
	assert_false(file_exists(w->down, "t/b"));
	unlink(path);
	d = to_worker(w, MSG_WORKER_DELETE);
	d->t = T0;
	assert_int_equal(world_call(w, ADDR_STORE, WORKER(0), &d->h), E_OK);
	assert_false(file_exists(w->down, "t"));
	assert_true(file_exists(w->dir, "down"));
	end(w);
}

/* A file is told to be dirty once a sync, whatever is written to it. */
static void test_dirty_notes(void **state)
{
	struct world *w = begin(one_file, 64 * KIB, 1, NULL);

	(void)state;
	open_torrent(w);
	send_piece(w, 0);
	send_piece(w, 1);
	assert_int_equal(count_notes(w, NOTE_FILE_DIRTY, NULL), 1);
	assert_int_equal(sync_now(w, 0, true)->stamps_n, 1);
	assert_int_equal(sync_now(w, 0, true)->stamps_n, 0);
	send_piece(w, 2);
	assert_int_equal(count_notes(w, NOTE_FILE_DIRTY, NULL), 1);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_altered),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_no_space),
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_volume_gone),
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_hash_cancelled),
		cmocka_unit_test(test_delete),
		cmocka_unit_test(test_dirty_notes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
