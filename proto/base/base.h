/* SPDX-License-Identifier: MIT */
/*
 * Base types of the whole program: errors, assertions, magics, allocation.
 *
 * Two kinds of trouble are kept apart everywhere.  must() states what cannot
 * happen; it stays on in every build, and nothing that came from a peer, a
 * tracker, a disk, a configuration file or HTTP may reach it.  What can happen
 * is an `enum err` return.
 */
#ifndef PROTO_BASE_BASE_H
#define PROTO_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

enum err {
#define ERR(name, words) E_##name,
#include "proto/base/errors.def"
#undef ERR
	E_MAX_
};

/* Words for a person, from errors.def.  Any thread.  Never NULL. */
const char *err_words(enum err e);

/* The symbol without its prefix ("NOSPACE"), for logs.  Any thread.  Never NULL. */
const char *err_name(enum err e);

/*
 * Where every failed must() ends.  proto/base.c has a weak version that aborts;
 * the kernel's version dumps the actor, the message in hand and recent events first.
 */
_Noreturn void panic_assert(const char *expr, const char *file, int line, const char *func);

#define must(cond)          ((cond) ? (void)0 : panic_assert(#cond, __FILE__, __LINE__, __func__))
#define must_not_reach(why) panic_assert(why, __FILE__, __LINE__, __func__)

/*
 * Magic numbers.  Every heap object's struct starts with `uint32_t magic`; a function that is
 * handed one starts with CHECK_OBJ, a callback turns its void * into the object with CAST_OBJ.
 */
#define CHECK_OBJ(p, m) must((p) != NULL && (p)->magic == (m))
#define CAST_OBJ(to, from, m)                                                                      \
	do {                                                                                       \
		(to) = (from);                                                                     \
		CHECK_OBJ((to), (m));                                                              \
	} while (0)
#define ALLOC_OBJ(p, m)                                                                            \
	do {                                                                                       \
		(p) = xcalloc(1, sizeof *(p));                                                     \
		(p)->magic = (m);                                                                  \
	} while (0)
/* Zeroes the magic and the caller's pointer, so that a second use is caught. */
#define FREE_OBJ(p)                                                                                \
	do {                                                                                       \
		(p)->magic = 0;                                                                    \
		xfree(p);                                                                          \
		(p) = NULL;                                                                        \
	} while (0)
/* Moves a pointer out of a variable: to = from, from = NULL.  For destructors that take `T **`. */
#define TAKE_OBJ(to, pfrom, m)                                                                     \
	do {                                                                                       \
		must((pfrom) != NULL);                                                             \
		(to) = *(pfrom);                                                                   \
		*(pfrom) = NULL;                                                                   \
		CHECK_OBJ((to), (m));                                                              \
	} while (0)

/*
 * Small control objects: these never return NULL, they panic.  What is sized by a stranger is
 * bounded first, or allocated with malloc() and checked.
 */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
void *xmemdup(const void *p, size_t n);
char *xstrdup(const char *s);
void xfree(void *p);

/* Checked arithmetic on untrusted numbers: true and *r set when the result fits. */
#define add_ok(a, b, r) (!__builtin_add_overflow((a), (b), (r)))
#define sub_ok(a, b, r) (!__builtin_sub_overflow((a), (b), (r)))
#define mul_ok(a, b, r) (!__builtin_mul_overflow((a), (b), (r)))

#define ARRAY_LEN(a)                    (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)                       ((a) < (b) ? (a) : (b))
#define MAX(a, b)                       ((a) > (b) ? (a) : (b))
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* The unit of transfer, BEP 3: every request but a piece's last is this long. */
#define BLOCK_SIZE 16384u

/* Printf-like checks on our own functions. */
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* A borrowed run of bytes; not NUL-terminated. */
struct slice {
	const uint8_t *p; /* may be NULL when n is 0 */
	size_t n;         /* bytes */
};

/* Without the white space at both ends. */
static inline struct slice slice_trim(struct slice s)
{
	while (s.n > 0 && (s.p[0] == ' ' || (s.p[0] >= '\t' && s.p[0] <= '\r'))) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || (s.p[s.n - 1] >= '\t' && s.p[s.n - 1] <= '\r')))
		s.n--;
	return s;
}

#endif
