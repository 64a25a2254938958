/* SPDX-License-Identifier: MIT */
/*
 * Maps of files, which only system calls read from.
 *
 * They say E_FAULT where a file was cut short or its disk fails; a load would be a SIGBUS.
 */
#include "actors/kernel/fs_priv.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define RESIDENT_PAGES 64 /* looked at with one call */

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

const uint8_t *fs_map(int fd, uint64_t n, enum err *err)
{
	void *p;

	if (n == 0 || n > SIZE_MAX / 4 || sizeof(void *) < 8) {
		*err = E_UNSUPPORTED;
		return NULL;
	}
	p = mmap(NULL, (size_t)n, PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		return p;
	*err = fs_err_of(errno);
	return NULL;
}

/* The pages that the bytes lie in. */
static size_t pages_of(const uint8_t *at, size_t n, void **from)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), a = (uintptr_t)at / page * page;

	*from = (void *)a;
	return ((uintptr_t)at + n - a + page - 1) / page * page;
}

void fs_map_ask(const uint8_t *at, size_t n)
{
	void *from;
	size_t size = pages_of(at, n, &from);

	(void)madvise(from, size, MADV_WILLNEED);
}

enum err fs_map_load(const uint8_t *at, size_t n)
{
	void *from;
	size_t size = pages_of(at, n, &from);

	if (madvise(from, size, MADV_POPULATE_READ) == 0)
		return E_OK;
	return errno == EINVAL ? E_UNSUPPORTED : E_FAULT;
}

enum err fs_map_copy(uint8_t *to, size_t n, const struct iovec *from, int iovcnt)
{
	struct iovec here = {to, n};
	ssize_t got = process_vm_readv(getpid(), &here, 1, from, (unsigned long)iovcnt, 0);

	if (got == (ssize_t)n)
		return E_OK;
	return got < 0 && errno != EFAULT ? E_UNSUPPORTED : E_FAULT;
}

void fs_unmap(const uint8_t *map, uint64_t n)
{
	must(munmap((void *)(uintptr_t)map, (size_t)n) == 0);
}

bool fs_map_resident(const uint8_t *at, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char seen[RESIDENT_PAGES];
	void *from;
	size_t left = pages_of(at, n, &from) / page;

	while (left > 0) {
		size_t pages = MIN(left, (size_t)RESIDENT_PAGES);

		if (mincore(from, pages * page, seen) != 0)
			return false;
		for (size_t i = 0; i < pages; i++)
			if (!(seen[i] & 1))
				return false;
		from = (uint8_t *)from + pages * page;
		left -= pages;
	}
	return true;
}
