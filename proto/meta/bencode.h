/* SPDX-License-Identifier: MIT */
/*
 * Bencoding (BEP 3, "bencoding"): a strict reader that allocates nothing, and a canonical writer.
 *
 * Reading has two layers.  The pull reader walks the bytes once, without recursion, and checks
 * everything: it is the only place where strangers' bytes are judged.  The node view then answers
 * questions about bytes that benc_parse() has accepted, by scanning them again.
 *
 * Strict means: no leading zeros, no "-0", no empty integer, integers of 64 bits, lengths inside
 * the input, strings as keys, no key without a value.  Keys out of order or twice are common in the
 * field; they are reported, and the caller decides.
 *
 * Everything borrows from the input, which must outlive readers, tokens and nodes.  Any thread; one
 * thread per reader or writer.
 */
#ifndef PROTO_META_BENCODE_H
#define PROTO_META_BENCODE_H

#include "proto/base/base.h"

#define BENC_DEPTH_MAX 64 /* containers open at once, in readers and writers */
#define BENC_ITEMS_MAX 1000000

enum benc_type {
	BENC_NONE, /* a node that is not there */
	BENC_INT,
	BENC_STR,
	BENC_LIST,
	BENC_DICT,
	/* Only as tokens: */
	BENC_KEY,
	BENC_CLOSE, /* the end of a list or dictionary */
	BENC_EOF,   /* the root value is complete */
};

struct benc_limits {
	uint32_t depth; /* containers open at once, at most BENC_DEPTH_MAX */
	uint32_t items; /* values and keys, all in all */
	bool trailing;  /* bytes may follow the root value (BEP 9, "data") */
};

/* The limits where NULL is passed: BENC_DEPTH_MAX, BENC_ITEMS_MAX, nothing may follow. */
extern const struct benc_limits benc_limits_default;

/* --- the pull reader --- */

struct benc_token {
	enum benc_type type;
	size_t at;      /* offset of its first byte */
	int64_t i;      /* BENC_INT */
	struct slice s; /* BENC_STR, BENC_KEY */
};

struct benc_reader {
	struct slice in;
	size_t pos;      /* offset of the next byte; after an error, of the offending one */
	enum err err;    /* latched */
	bool unsorted;   /* a dictionary's key was not greater than the one before it */
	bool duplicate;  /* a key was equal to the one before it */
	size_t disorder; /* offset of the first such key */
	uint32_t depth;  /* open containers */
	struct benc_limits limits;
	uint32_t items;
	uint64_t dicts;  /* bit d: container d is a dictionary */
	uint64_t values; /* bit d: dictionary d has its key and waits for the value */
	bool complete;   /* the root value has been read */
	struct slice
		key[BENC_DEPTH_MAX]; /* the last key of each open dictionary; p is NULL before it */
};

/* limits: NULL for the default; copied. */
void benc_reader_init(struct benc_reader *r, struct slice in, const struct benc_limits *limits);

/*
 * The next token.  After BENC_EOF it is BENC_EOF again.  Errors, all latched, with r->pos at the
 * byte that is wrong: E_SYNTAX, E_RANGE (integer or length beyond 64 bits), E_TRUNCATED (pos is the
 * end of the input or the start of a string that is longer than it), E_TYPE (a key that is no
 * string), E_TOO_DEEP, E_TOO_BIG (items), E_TRAILING.
 */
enum err benc_next(struct benc_reader *r, struct benc_token *t);

/* --- the node view --- */

struct benc {
	enum benc_type type;
	struct slice raw; /* the value as encoded, first to last byte */
	int64_t i;        /* BENC_INT */
	struct slice s; /* BENC_STR: its bytes; BENC_LIST, BENC_DICT: what is between its first and
			   last byte */
};

struct benc_report {
	size_t offset; /* on error: of the offending byte; else: how many bytes the root value takes
			*/
	bool unsorted, duplicate; /* as in struct benc_reader */
	size_t disorder;
};

/*
 * Checks the whole input and gives its root.  report may be NULL.  Errors as benc_next().
 */
enum err benc_parse(struct slice in, const struct benc_limits *limits, struct benc *root,
	struct benc_report *report);

/* Of a node's type: true and *out set; of another: false and *out untouched. */
bool bint(const struct benc *node, int64_t *out);
bool bstr(const struct benc *node, struct slice *out);

/* Walks a list or a dictionary; an iterator over anything else is empty. */
struct benc_iter {
	const uint8_t *p, *end;
};
struct benc_iter benc_iter_of(const struct benc *container);
bool blist_next(struct benc_iter *it, struct benc *item);
bool bdict_next(struct benc_iter *it, struct slice *key, struct benc *value);

/*
 * The first value of a key.  False, and *out of type BENC_NONE, when dict is no dictionary or lacks
 * the key.  Linear in the dictionary: for many keys use bdict_fields().
 */
bool bdict_get(const struct benc *dict, const char *key, struct benc *out);
/* The same for a value of one type: false when absent or of another type, *out then untouched. */
bool bdict_int(const struct benc *dict, const char *key, int64_t *out);
bool bdict_str(const struct benc *dict, const char *key, struct slice *out);
bool bdict_list(const struct benc *dict, const char *key, struct benc *out);
bool bdict_dict(const struct benc *dict, const char *key, struct benc *out);

/*
 * Fills out[i] with the first value of keys[i] (at most 32 keys), type BENC_NONE where absent, in
 * one walk.  Returns the set (bit i) of keys that occur more than once.
 */
uint32_t bdict_fields(
	const struct benc *dict, const char *const keys[], unsigned n, struct benc out[]);

bool slice_equals(struct slice s, const char *text);

/* --- the writer --- */

/*
 * A growing buffer.  Start from {0}; free with benc_out_free().  Misuse (keys that do not ascend, a
 * key without a value, unbalanced containers) is a must(): never pass keys that came from outside.
 */
struct benc_out {
	uint8_t *p; /* owned */
	size_t n, cap;
	uint32_t depth;
	struct benc_level {
		size_t key_at,
			key_n; /* where the last key's bytes are; key_at is 0 before the first */
		bool dict, value_due;
	} level[BENC_DEPTH_MAX];
};

void benc_int(struct benc_out *o, int64_t i);
void benc_str(struct benc_out *o, const void *p, size_t n);
void benc_cstr(struct benc_out *o, const char *s);
void benc_list_begin(struct benc_out *o);
void benc_list_end(struct benc_out *o);
void benc_dict_begin(struct benc_out *o);
void benc_dict_end(struct benc_out *o);
void benc_key(struct benc_out *o, const char *key);
void benc_key_bytes(struct benc_out *o, const void *p, size_t n);
/* One complete, already encoded value. */
void benc_raw(struct benc_out *o, const void *p, size_t n);

/* What was written; borrowed until the next write.  Every container must be closed. */
struct slice benc_out_done(const struct benc_out *o);
void benc_out_free(struct benc_out *o);

#endif
