/* SPDX-License-Identifier: MIT */
/*
 * Counts what a process does, from inside: LD_PRELOAD=count.so COUNT_FILE=path program
 *
 * Calls of malloc and its kin, and ZeroMQ messages sent, are added up in a small mapped file that
 * the bench reads while the program runs.  It costs one atomic addition a call and makes no system
 * call of its own, so the program's timing stays what it is.
 *
 * With COUNT_SITES=path another file is kept, of who called malloc: a table of call chains, which
 * bench_sites.py reads.  That takes time and is for finding out, not for figures.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The order is known to bench_block.py. */
enum counted { COUNT_ALLOCATIONS, COUNT_MESSAGES, COUNT_N };

/* The layout is known to bench_sites.py.  What finds no place is counted in the first one. */
#define SITES      8192u
#define SITE_DEPTH 15

struct site {
	uint64_t n, frame[SITE_DEPTH]; /* the innermost first; zeros at the end */
};

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
int zmq_msg_send(void *message, void *socket, int flags);
int zmq_send(void *socket, const void *data, size_t n, int flags);
void *memalign(size_t align, size_t n);

static uint64_t nowhere[COUNT_N];
static uint64_t *counters = nowhere;
static struct site *sites;   /* NULL: not asked for */
static __thread bool inside; /* backtrace() allocates the first time */
static int (*real_msg_send)(void *, void *, int);
static int (*real_send)(void *, const void *, size_t, int);

static void count(enum counted what)
{
	__atomic_fetch_add(&counters[what], 1, __ATOMIC_RELAXED);
}

/* The chain's place; two threads that meet in it at once may have it twice, which adds up. */
static struct site *find_site(const struct site *site)
{
	uint64_t hash = 0;

	for (unsigned i = 0; i < SITE_DEPTH; i++)
		hash = (hash ^ site->frame[i]) * UINT64_C(0x9e3779b97f4a7c15);
	for (uint64_t i = hash >> 40, end = i + 64; i < end; i++) {
		struct site *at = &sites[1 + i % (SITES - 1)];

		if (at->n == 0)
			memcpy(at->frame, site->frame, sizeof at->frame);
		if (memcmp(at->frame, site->frame, sizeof at->frame) == 0)
			return at;
	}
	return &sites[0];
}

static void count_allocation(void)
{
	void *frames[SITE_DEPTH + 2];
	struct site site = {0};
	int n;

	count(COUNT_ALLOCATIONS);
	if (sites == NULL || inside)
		return;
	inside = true;
	n = backtrace(frames, SITE_DEPTH + 2);
	for (int i = 2; i < n; i++)
		site.frame[i - 2] = (uintptr_t)frames[i];
	__atomic_fetch_add(&find_site(&site)->n, 1, __ATOMIC_RELAXED);
	inside = false;
}

static void load_symbol(void *slot, const char *name)
{
	*(void **)slot = dlsym(RTLD_NEXT, name);
}

/* The file that the variable names, mapped; NULL when there is none. */
static void *map_file(const char *variable, size_t n)
{
	const char *path = getenv(variable);
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	void *p = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)n) == 0)
		p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

__attribute__((constructor)) static void open_counters(void)
{
	uint64_t *p = map_file("COUNT_FILE", sizeof nowhere);

	load_symbol(&real_msg_send, "zmq_msg_send");
	load_symbol(&real_send, "zmq_send");
	if (p != NULL)
		counters = p;
	sites = map_file("COUNT_SITES", SITES * sizeof *sites);
}

void *malloc(size_t n)
{
	count_allocation();
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	count_allocation();
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	count_allocation();
	return __libc_realloc(p, n);
}

void *memalign(size_t align, size_t n)
{
	count_allocation();
	return __libc_memalign(align, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	return memalign(align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
	void *p = memalign(align, n);

	if (p == NULL)
		return ENOMEM;
	*out = p;
	return 0;
}

int zmq_msg_send(void *message, void *socket, int flags)
{
	count(COUNT_MESSAGES);
	return real_msg_send(message, socket, flags);
}

int zmq_send(void *socket, const void *data, size_t n, int flags)
{
	count(COUNT_MESSAGES);
	return real_send(socket, data, n, flags);
}
