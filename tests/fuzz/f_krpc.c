/* SPDX-License-Identifier: MIT */
/* A datagram of the DHT: whatever is read of it lies within it, and what is a query can be written.
 */
#include "proto/dht/krpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct slice s, const uint8_t *data, size_t size)
{
	must(s.p == NULL || (s.p >= data && s.p + s.n <= data + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct endpoint found[KRPC_VALUES_MAX], ip;
	uint8_t out[2 * KRPC_IN_MAX];
	struct krpc_node node;
	struct krpc m, again;
	struct slice list;
	size_t n;

	if (krpc_decode(data, size, &m) != E_OK)
		return 0;
	check(m.tid, data, size);
	check(m.value, data, size);
	check(m.values, data, size);
	check((struct slice){m.id, m.id != NULL ? 20 : 0}, data, size);
	check((struct slice){m.signature, m.signature != NULL ? 64 : 0}, data, size);
	must(krpc_values(m.values, found, KRPC_VALUES_MAX) <= KRPC_VALUES_MAX);
	(void)krpc_ip(m.ip, &ip);
	for (list = m.nodes; krpc_node_next(&list, false, &node);)
		must(endpoint_is_v4(&node.at));
	for (list = m.nodes6; krpc_node_next(&list, true, &node);)
		continue;
	n = krpc_encode(&m, out, sizeof out);
	if (m.kind == KRPC_QUERY && m.method != KRPC_UNKNOWN && n > 0 && n <= KRPC_IN_MAX) {
		must(krpc_decode(out, n, &again) == E_OK);
		must(again.method == m.method && again.tid.n == m.tid.n);
	}
	return 0;
}
