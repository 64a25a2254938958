/* SPDX-License-Identifier: MIT */
/*
 * Files mapped for serving: what the page cache holds leaves with one copy, into the socket.
 *
 * Not sendfile: a block is 13 bytes of header and 16 KiB of file, and two system calls for each
 * cost more than the copy they save, while one writev takes thirty blocks from a map.  Not reads
 * into memory of our own either: that is a second copy and a worker's wake-up for each run.
 * Nobody looks at a map himself, only system calls do, so that a file that was cut short, or a disk
 * that fails, is an error of writev and no SIGBUS.
 *
 * A worker opens and maps, and brings into memory what is not there (cache.c); until a file
 * is mapped it is read. A file that cannot be mapped is remembered as such.  A torrent that nobody
 * is connected to for a while has no maps, so that its file system can be unmounted.
 *
 * Invariants: a map is referenced by the list, by the call that asks for it, and by runs; it
 * goes with the last of them.
 */
#include "actors/peers/priv.h"

#include "actors/kernel/fs.h"

#define FILE_MAP_MAGIC 0x464d4150u
#define MAPS_MAX       64u
/* Below this a file is not worth its map. */
#define MAP_LEAST 65536u
/* How long after the last connection of a torrent its maps may go. */
#define MAPS_REST (30 * USEC_PER_SEC)

struct file_map {
	uint32_t magic;
	struct tref ref;
	uint32_t file;
	const uint8_t *base; /* NULL: asked for, or cannot be had */
	uint64_t length;     /* bytes */
	unsigned refs;
	bool spoiled;
	struct link listed; /* in shard->maps */
};

void map_unref(struct file_map *m)
{
	CHECK_OBJ(m, FILE_MAP_MAGIC);
	must(m->refs > 0);
	if (--m->refs > 0)
		return;
	if (m->base != NULL)
		fs_unmap(m->base, m->length);
	FREE_OBJ(m);
}

uint32_t map_left(const struct file_map *m, const uint8_t *at, uint32_t most)
{
	CHECK_OBJ(m, FILE_MAP_MAGIC);
	return (uint32_t)MIN((uint64_t)(m->base + m->length - at), (uint64_t)most);
}

void map_spoil(struct file_map *m)
{
	CHECK_OBJ(m, FILE_MAP_MAGIC);
	m->spoiled = true;
}

static void unlist(struct shard *s, struct file_map *m)
{
	link_remove(&m->listed);
	s->maps_n--;
	map_unref(m);
}

void map_drop_all(struct shard *s, struct tref t)
{
	struct link *l, *next;

	CHECK_OBJ(s, SHARD_MAGIC);
	for (l = s->maps.next; l != &s->maps; l = next) {
		struct file_map *m = container_of(l, struct file_map, listed);

		next = l->next;
		if (tref_equal(m->ref, t))
			unlist(s, m);
	}
}

/* Drops the maps of torrents that nobody is connected to. */
static void on_rest(struct loop_timer *timer, int64_t now)
{
	struct shard *s = container_of(timer, struct shard, maps_rest);
	struct link *l, *next;

	(void)now;
	for (l = s->maps.next; l != &s->maps; l = next) {
		struct file_map *m = container_of(l, struct file_map, listed);
		struct peer_torrent *t = ptorrent_by_ref(s, m->ref);

		next = l->next;
		if (t == NULL || t->conns_n == 0)
			unlist(s, m);
	}
}

void map_rest(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	if (s->maps_n > 0 && !loop_timer_is_set(&s->maps_rest))
		loop_timer_set(s->loop, &s->maps_rest, loop_now(s->loop) + MAPS_REST);
}

void map_init(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	link_init(&s->maps);
	s->maps_rest.fn = on_rest;
}

void map_fini(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	loop_timer_del(s->loop, &s->maps_rest);
	while (!link_empty(&s->maps))
		unlist(s, container_of(s->maps.next, struct file_map, listed));
}

static void on_mapped(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct shard *s = shard_of(a);
	struct file_map *map;

	CAST_OBJ(map, ctx, FILE_MAP_MAGIC);
	s->cache.loading--;
	if (err == E_OK && m != NULL && *m != NULL) {
		struct m_file_map *f = MSG_AS(FILE_MAP, *m);

		map->base = f->map;
		f->map = NULL;
	}
	map_unref(map);
}

static void ask(struct shard *s, struct file_map *map)
{
	struct m_file_map *f = msg_new(s->actor, MSG_FILE_MAP);
	unsigned worker = (map->ref.slot + map->file) % s->workers;

	f->t = map->ref;
	f->file = map->file;
	f->length = map->length;
	map->refs++;
	s->cache.loading++;
	msg_call(s->actor, ADDR(ROLE_WORKER, worker), f, on_mapped, map);
}

static struct file_map *find(struct shard *s, struct tref t, uint32_t file)
{
	for (struct link *l = s->maps.next; l != &s->maps; l = l->next) {
		struct file_map *m = container_of(l, struct file_map, listed);

		if (m->file == file && tref_equal(m->ref, t))
			return m;
	}
	return NULL;
}

static void list(struct shard *s, struct peer_torrent *t, uint32_t file)
{
	struct file_map *m;

	if (s->maps_n >= MAPS_MAX)
		unlist(s, container_of(s->maps.prev, struct file_map, listed));
	ALLOC_OBJ(m, FILE_MAP_MAGIC);
	m->ref = t->ref;
	m->file = file;
	m->length = t->meta->files[file].length;
	m->refs = 1;
	link_prepend(&s->maps, &m->listed);
	s->maps_n++;
	ask(s, m);
}

const uint8_t *map_get(struct peer_torrent *t, uint32_t piece, uint32_t begin, uint32_t length,
	struct file_map **out)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	struct shard *s = t->shard;
	struct span_iter it =
		span_iter_of(t->meta, layout_offset(swarm_layout(t->swarm), piece, begin), length);
	struct file_span f;
	struct file_map *m;

	if (!span_next(&it, &f) || f.length < length || f.pad ||
		t->meta->files[f.file].length < MAP_LEAST)
		return NULL;
	m = find(s, t->ref, f.file);
	if (m == NULL) {
		list(s, t, f.file);
		return NULL;
	}
	if (s->maps.next != &m->listed) {
		link_remove(&m->listed);
		link_prepend(&s->maps, &m->listed);
	}
	if (m->base == NULL || m->spoiled)
		return NULL;
	m->refs++;
	*out = m;
	return m->base + f.file_offset;
}
