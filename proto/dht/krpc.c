/* SPDX-License-Identifier: MIT */
/* What is the same on the way in and out: names of methods, compact nodes and peers. */
#include "proto/dht/krpc.h"

#include "proto/meta/bencode.h"

const char *krpc_method_name(enum krpc_method m)
{
	static const char *const names[] = {[KRPC_PING] = "ping",
		[KRPC_FIND_NODE] = "find_node",
		[KRPC_GET_PEERS] = "get_peers",
		[KRPC_ANNOUNCE_PEER] = "announce_peer",
		[KRPC_GET] = "get",
		[KRPC_PUT] = "put",
		[KRPC_SAMPLE_INFOHASHES] = "sample_infohashes",
		[KRPC_UNKNOWN] = ""};

	must((unsigned)m < ARRAY_LEN(names));
	return names[m];
}

bool krpc_node_next(struct slice *list, bool v6, struct krpc_node *out)
{
	size_t n = v6 ? KRPC_NODE6 : KRPC_NODE4;
	struct rd r;

	if (list->n < n)
		return false;
	r = rd_of(list->p, n);
	out->id = kad_id_of(rd_take(&r, KAD_ID_SIZE));
	list->p += n;
	list->n -= n;
	return v6 ? endpoint_read_compact6(&r, &out->at) : endpoint_read_compact4(&r, &out->at);
}

void krpc_ip_put(struct wr *w, const struct endpoint *e)
{
	if (endpoint_is_v4(e))
		endpoint_write_compact4(w, e);
	else
		endpoint_write_compact6(w, e);
}

void krpc_node_put(struct wr *w, const struct krpc_node *node)
{
	wr_bytes(w, node->id.b, KAD_ID_SIZE);
	krpc_ip_put(w, &node->at);
}

bool krpc_ip(struct slice ip, struct endpoint *out)
{
	struct rd r = rd_of(ip.p, ip.n);

	if (ip.n == 6)
		return endpoint_read_compact4(&r, out);
	return ip.n == 18 && endpoint_read_compact6(&r, out);
}

unsigned krpc_values(struct slice list, struct endpoint *out, unsigned max)
{
	struct benc root, item;
	struct benc_iter it;
	unsigned n = 0;

	if (list.p == NULL || benc_parse(list, NULL, &root, NULL) != E_OK)
		return 0;
	it = benc_iter_of(&root);
	while (n < max && blist_next(&it, &item))
		if (item.type == BENC_STR && krpc_ip(item.s, &out[n]))
			n++;
	return n;
}

void krpc_value_put(struct wr *w, const struct endpoint *e)
{
	bool v4 = endpoint_is_v4(e);

	wr_bytes(w, v4 ? "6:" : "18:", v4 ? 2 : 3);
	krpc_ip_put(w, e);
}
