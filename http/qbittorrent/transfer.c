/* SPDX-License-Identifier: MIT */
/* What moves in all, and the limits on everything. */
#include <stdio.h>

#include "http/qbittorrent/priv.h"

static bool write_info(struct qcall *c, struct json_out *o, size_t end)
{
	(void)end;
	json_out_open(o, '{');
	qfacts_put_transfer(o, c->facts);
	json_out_close(o, '}');
	return true;
}

static void on_facts(struct qcall *c)
{
	qcall_write(c, write_info);
}

void qb_transfer_info(struct qcall *c)
{
	qfacts_ask(c, on_facts);
}

/* --- limits on everything; B/s, 0 is none --- */

static void on_limit(struct qcall *c)
{
	char text[24];

	snprintf(text, sizeof text, "%llu",
		(unsigned long long)c->facts->limits[c->method->arg == GLOBAL_UP_RATE]);
	qcall_text(c, text);
}

void qb_transfer_limit(struct qcall *c)
{
	qfacts_ask(c, on_limit);
}

void qb_transfer_set_limit(struct qcall *c)
{
	static const uint8_t none[20];
	int64_t limit;

	CHECK_OBJ(c, QCALL_MAGIC);
	if (qcall_need(c, "limit") == NULL)
		return;
	if (!qcall_int(c, "limit", &limit)) {
		qcall_fail(c, 400, "'limit' must be a number of bytes a second, 0 for none");
		return;
	}
	changes_add(&c->changes, none, (enum torrent_op)c->method->arg)->value =
		(uint64_t)MAX(limit, INT64_C(0));
	qcall_change(c, false);
}

/* --- alternative limits, which there are none of --- */

void qb_transfer_mode(struct qcall *c)
{
	qcall_text(c, "0");
}

void qb_transfer_set_mode(struct qcall *c)
{
	int64_t mode = 1;

	CHECK_OBJ(c, QCALL_MAGIC);
	if (c->method->arg == 0 && qcall_need(c, "mode") == NULL)
		return;
	if (c->method->arg == 0 && qcall_int(c, "mode", &mode) && mode == 0)
		qcall_ok(c);
	else
		qcall_fail(c, 409, "there are no alternative speed limits");
}
