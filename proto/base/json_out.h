/* SPDX-License-Identifier: MIT */
/*
 * JSON on its way out (RFC 8259), written straight into a buffer that grows.
 *
 * There is no tree: a caller opens an object or array, writes keys and values in their order and
 * closes it; commas come by themselves.  What is written is valid JSON in valid UTF-8 whatever a
 * string holds: a byte that belongs to no well-formed sequence is shown as \xNN.  Numbers with a
 * point always have one, so that a reader of types sees the same type in every answer.  What a
 * stranger may make long is bounded by the caller.  Pure; one owner.
 */
#ifndef PROTO_BASE_JSON_OUT_H
#define PROTO_BASE_JSON_OUT_H

#include "proto/base/base.h"

struct json_out {
	char *p;  /* owned (malloc); n bytes, not NUL-terminated; NULL while nothing was written */
	size_t n; /* bytes written */
	size_t room;
	bool comma; /* a value stands before: the next one needs a comma */
};

/* Gives up the text: the caller owns *p (malloc). */
char *json_out_take(struct json_out *, size_t *n);
void json_out_fini(struct json_out *);

/* bracket: '{' or '[' to open, '}' or ']' to close. */
void json_out_open(struct json_out *, char bracket);
void json_out_close(struct json_out *, char bracket);
/* n characters that need no escape. */
void json_out_key_n(struct json_out *, const char *key, size_t n);
/* A key of any bytes. */
void json_out_key_text(struct json_out *, const char *);
#define json_out_key(o, literal) json_out_key_n((o), "" literal, sizeof(literal) - 1)
/* A key and its value: json_out_put(o, "port", uint, 6881). */
#define json_out_put(o, literal, type, ...)                                                        \
	(json_out_key(o, literal), json_out_##type((o), __VA_ARGS__))

/* Of any bytes; NULL is null. */
void json_out_text(struct json_out *, const char *);
void json_out_slice(struct json_out *, struct slice);
/* A value that is JSON already. */
void json_out_raw(struct json_out *, const char *p, size_t n);
void json_out_bool(struct json_out *, bool);
void json_out_null(struct json_out *);
void json_out_uint(struct json_out *, uint64_t); /* at most 2^63 - 1 is written */
void json_out_int(struct json_out *, int64_t);
/* Bytes as KiB, exact. */
void json_out_kib(struct json_out *, uint64_t bytes);
/* Nine digits behind the point, those that say something; null when it is no number. */
void json_out_real(struct json_out *, double);
/* p NULL: n bytes of zero. */
void json_out_base64(struct json_out *, const void *p, size_t n);
void json_out_hex(struct json_out *, const void *p, size_t n);
/* Seconds since 1970 as RFC 3339 in UTC; null for 0 and for what lies outside the years 1 to 9999.
 */
void json_out_time(struct json_out *, int64_t unix_s);

#endif
