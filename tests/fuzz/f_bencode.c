/* SPDX-License-Identifier: MIT */
/*
 * Any bytes through the bencode reader.  What is accepted must read the same through the node view
 * as through the tokens, and what is canonical must come back byte for byte from the writer.
 */
#include "proto/meta/bencode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void copy_token(struct benc_out *o, const struct benc_token *t, bool closes_dict)
{
	switch (t->type) {
	case BENC_INT:
		benc_int(o, t->i);
		break;
	case BENC_STR:
		benc_str(o, t->s.p, t->s.n);
		break;
	case BENC_KEY:
		benc_key_bytes(o, t->s.p, t->s.n);
		break;
	case BENC_LIST:
		benc_list_begin(o);
		break;
	case BENC_DICT:
		benc_dict_begin(o);
		break;
	default:
		if (closes_dict)
			benc_dict_end(o);
		else
			benc_list_end(o);
	}
}

static void check_copy(struct slice in)
{
	struct benc_out o = {0};
	struct benc_reader r;
	struct benc_token t;
	struct slice out;

	benc_reader_init(&r, in, NULL);
	for (;;) {
		bool dict = r.depth > 0 && (r.dicts >> (r.depth - 1) & 1) != 0;

		must(benc_next(&r, &t) == E_OK);
		if (t.type == BENC_EOF)
			break;
		copy_token(&o, &t, dict);
	}
	out = benc_out_done(&o);
	must(out.n == in.n && memcmp(out.p, in.p, in.n) == 0);
	benc_out_free(&o);
}

/* Walks all children of one node and returns how many bytes they take. */
static size_t walk_children(const struct benc *node)
{
	struct benc_iter it = benc_iter_of(node);
	struct benc child;
	struct slice key;
	const uint8_t *p = it.p;

	while (node->type == BENC_DICT ? bdict_next(&it, &key, &child) : blist_next(&it, &child)) {
		must(child.raw.p >= p && child.raw.p + child.raw.n == it.p);
		p = it.p;
	}
	return p != NULL ? (size_t)(p - node->s.p) : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {data, size};
	struct benc_report report;
	struct benc root, value;

	if (benc_parse(in, NULL, &root, &report) != E_OK) {
		must(report.offset <= size && root.type == BENC_NONE);
		return 0;
	}
	must(report.offset == size && root.raw.n == size);
	if (root.type == BENC_LIST || root.type == BENC_DICT)
		must(walk_children(&root) == root.s.n);
	(void)bdict_get(&root, "info", &value);
	if (!report.unsorted)
		check_copy(in);
	return 0;
}
