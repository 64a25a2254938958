/* SPDX-License-Identifier: MIT */
/* The extension handshake, both ways (BEP 10). */
#include "proto/wire/ext.h"

#include "proto/base/text.h"
#include "proto/meta/bencode.h"

const char *ext_text(enum ext_name e)
{
	static const char *const names[] = {
#define EXT(name, text) text,
#include "proto/wire/ext.def"
#undef EXT
	};

	must((unsigned)e < EXT_MAX_);
	return names[e];
}

void ext_handshake_init(struct ext_handshake *h)
{
	memset(h, 0, sizeof *h);
	h->reqq = EXT_REQQ_DEFAULT;
}

/* True and *out set when the node is an integer in [lo, hi]. */
static bool read_int(const struct benc *node, int64_t lo, int64_t hi, int64_t *out)
{
	return bint(node, out) && *out >= lo && *out <= hi;
}

/* The dictionary holds changes: what it does not name stays as it is. */
static void read_ids(const struct benc *m, struct ext_handshake *h)
{
	int64_t id;

	for (unsigned i = 0; i < EXT_MAX_; i++)
		if (bdict_int(m, ext_text((enum ext_name)i), &id) && id >= 0 && id <= 255)
			h->ids[i] = (uint8_t)id;
}

static void read_yourip(struct slice s, struct ext_handshake *h)
{
	if (s.n == 4)
		h->yourip = endpoint_from_v4(s.p, 0);
	else if (s.n == 16)
		h->yourip = endpoint_from_v6(s.p, 0);
}

/* Its own addresses, each under the key of its kind. */
static void read_own(struct slice s, size_t n, struct endpoint *out)
{
	if (s.n == n)
		*out = n == 4 ? endpoint_from_v4(s.p, 0) : endpoint_from_v6(s.p, 0);
}

enum field {
	F_E,
	F_IPV4,
	F_IPV6,
	F_M,
	F_METADATA_SIZE,
	F_P,
	F_REQQ,
	F_UPLOAD_ONLY,
	F_V,
	F_YOURIP,
	F_MAX_
};

static const char *const field_keys[F_MAX_] = {
	"e", "ipv4", "ipv6", "m", "metadata_size", "p", "reqq", "upload_only", "v", "yourip"};

static void read_addresses(const struct benc f[F_MAX_], struct ext_handshake *h)
{
	struct slice s;

	if (bstr(&f[F_YOURIP], &s))
		read_yourip(s, h);
	if (bstr(&f[F_IPV4], &s))
		read_own(s, 4, &h->ipv4);
	if (bstr(&f[F_IPV6], &s))
		read_own(s, 16, &h->ipv6);
}

enum err ext_handshake_parse(struct slice payload, struct ext_handshake *h)
{
	static const struct benc_limits limits = {.depth = 8, .items = 4096, .trailing = true};
	struct benc root, f[F_MAX_];
	enum err e = benc_parse(payload, &limits, &root, NULL);
	struct slice s;
	int64_t v;

	if (e != E_OK)
		return e;
	if (root.type != BENC_DICT)
		return E_TYPE;
	bdict_fields(&root, field_keys, F_MAX_, f);
	if (f[F_M].type == BENC_DICT)
		read_ids(&f[F_M], h);
	if (read_int(&f[F_METADATA_SIZE], 1, UINT32_MAX, &v))
		h->metadata_size = (uint32_t)v;
	if (read_int(&f[F_P], 1, 65535, &v))
		h->port = (uint16_t)v;
	if (read_int(&f[F_REQQ], 1, INT64_MAX, &v))
		h->reqq = (uint32_t)MIN(v, UINT32_MAX);
	if (bint(&f[F_UPLOAD_ONLY], &v))
		h->upload_only = v != 0;
	if (bint(&f[F_E], &v))
		h->encrypts = v != 0;
	if (bstr(&f[F_V], &s))
		text_sanitise(h->client, sizeof h->client, s);
	read_addresses(f, h);
	return E_OK;
}

/* --- out: a few short fields into the caller's bytes, without the growing writer --- */

static void put_str(struct wr *w, const void *p, size_t n)
{
	wr_decimal(w, n);
	wr_u8(w, ':');
	wr_bytes(w, p, n);
}

static void put_int(struct wr *w, const char *key, uint64_t v)
{
	put_str(w, key, strlen(key));
	wr_u8(w, 'i');
	wr_decimal(w, v);
	wr_u8(w, 'e');
}

static void put_address(struct wr *w, const char *key, const struct endpoint *at)
{
	bool v4;

	if (at == NULL)
		return;
	v4 = endpoint_is_v4(at);
	put_str(w, key, strlen(key));
	put_str(w, v4 ? endpoint_v4_bytes(at) : at->ip, v4 ? 4 : 16);
}

void ext_handshake_build(struct wr *w, const struct ext_params *params)
{
	wr_text(w, "d");
	if (params->encrypts)
		put_int(w, "e", 1);
	put_address(w, "ipv4", params->ipv4);
	put_address(w, "ipv6", params->ipv6);
	wr_text(w, "1:md");
	for (unsigned i = 0; i < EXT_MAX_; i++)
		if (params->ids[i] != 0 || (params->withdrawn >> i & 1) != 0)
			put_int(w, ext_text((enum ext_name)i), params->ids[i]);
	wr_text(w, "e");
	if (params->metadata_size != 0)
		put_int(w, "metadata_size", params->metadata_size);
	if (params->port != 0)
		put_int(w, "p", params->port);
	if (params->reqq != 0)
		put_int(w, "reqq", params->reqq);
	if (params->upload_only || params->was_upload_only)
		put_int(w, "upload_only", params->upload_only);
	if (params->client != NULL) {
		wr_text(w, "1:v");
		put_str(w, params->client, strlen(params->client));
	}
	put_address(w, "yourip", params->yourip);
	wr_text(w, "e");
}
