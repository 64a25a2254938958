/* SPDX-License-Identifier: MIT */
/* Error words, allocation that cannot fail, and the default end of a failed must(). */
#include "proto/base/base.h"

#include <stdlib.h>

static const char *const words[] = {
#define ERR(name, text) text,
#include "proto/base/errors.def"
#undef ERR
};

static const char *const names[] = {
#define ERR(name, text) #name,
#include "proto/base/errors.def"
#undef ERR
};

const char *err_words(enum err e)
{
	return (unsigned)e < E_MAX_ ? words[e] : "unknown error";
}

const char *err_name(enum err e)
{
	return (unsigned)e < E_MAX_ ? names[e] : "UNKNOWN";
}

__attribute__((weak)) _Noreturn void panic_assert(
	const char *expr, const char *file, int line, const char *func)
{
	(void)expr, (void)file, (void)line, (void)func;
	abort();
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	must(p != NULL);
	return p;
}

void *xrealloc(void *p, size_t size)
{
	void *q = realloc(p, size ? size : 1);

	must(q != NULL);
	return q;
}

void *xmemdup(const void *p, size_t n)
{
	void *q = xcalloc(1, n);

	if (n > 0)
		memcpy(q, p, n);
	return q;
}

char *xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

void xfree(void *p)
{
	free(p);
}
