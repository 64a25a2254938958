/* SPDX-License-Identifier: MIT */
/*
 * Messages of the extension protocol: two handshakes in a row on one state, what is then said back,
 * and a metadata message (BEP 10, BEP 9).  The first two bytes are where the second handshake
 * begins.
 */
#include "proto/wire/ext.h"
#include "proto/wire/ext_metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void handshake(struct slice in, struct ext_handshake *h)
{
	struct ext_handshake before = *h;

	if (ext_handshake_parse(in, h) != E_OK)
		must(memcmp(&before, h, sizeof before) == 0);
	must(h->reqq >= 1 && memchr(h->client, '\0', sizeof h->client) != NULL);
	must(h->yourip.port == 0 && h->ipv4.port == 0 && h->ipv6.port == 0);
}

/* What was understood can be said, and is understood the same. */
static void say_back(const struct ext_handshake *h)
{
	struct ext_params p = {.reqq = h->reqq,
		.metadata_size = h->metadata_size,
		.port = h->port,
		.upload_only = h->upload_only,
		.encrypts = h->encrypts,
		.client = h->client,
		.yourip = endpoint_is_unspecified(&h->yourip) ? NULL : &h->yourip,
		.ipv4 = endpoint_is_unspecified(&h->ipv4) ? NULL : &h->ipv4,
		.ipv6 = endpoint_is_unspecified(&h->ipv6) || endpoint_is_v4(&h->ipv6) ? NULL
										      : &h->ipv6};
	struct ext_handshake again;
	uint8_t out[512];
	struct wr w = wr_of(out, sizeof out);

	memcpy(p.ids, h->ids, sizeof p.ids);
	ext_handshake_build(&w, &p);
	must(!w.full);
	ext_handshake_init(&again);
	must(ext_handshake_parse((struct slice){out, (size_t)(w.p - out)}, &again) == E_OK);
	must(memcmp(again.ids, h->ids, sizeof again.ids) == 0 && again.port == h->port);
	must(again.reqq == h->reqq && again.metadata_size == h->metadata_size);
	must(again.upload_only == h->upload_only && again.encrypts == h->encrypts);
}

static void metadata(struct slice in)
{
	struct metadata_message m, again;
	uint8_t out[METADATA_HEAD_MAX];
	struct wr w = wr_of(out, sizeof out);

	if (ext_metadata_parse(in, &m) != E_OK || m.type == METADATA_UNKNOWN)
		return;
	must(m.piece < metadata_pieces(METADATA_SIZE_MAX) && m.total_size <= METADATA_SIZE_MAX);
	must(m.data.n <= in.n && (m.type == METADATA_DATA || m.data.n == 0));
	ext_metadata_build(&w, m.type, m.piece, m.total_size);
	must(!w.full);
	must(ext_metadata_parse((struct slice){out, (size_t)(w.p - out)}, &again) == E_OK);
	must(again.type == m.type && again.piece == m.piece && again.total_size == m.total_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ext_handshake h;
	size_t cut;

	if (size < 2)
		return 0;
	cut = ((size_t)data[0] << 8 | data[1]) % (size - 1);
	data += 2;
	size -= 2;
	ext_handshake_init(&h);
	handshake((struct slice){data, MIN(cut, size)}, &h);
	handshake((struct slice){data + MIN(cut, size), size - MIN(cut, size)}, &h);
	say_back(&h);
	metadata((struct slice){data, size});
	return 0;
}
