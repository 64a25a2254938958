/* SPDX-License-Identifier: MIT */
/* What the app is: versions, preferences as they are, its end. */
#include <signal.h>
#include <unistd.h>

#include "http/qbittorrent/preferences.h"

void qb_app_version(struct qcall *c)
{
	qcall_text(c, QBIT_VERSION);
}

void qb_app_api_version(struct qcall *c)
{
	qcall_text(c, QBIT_API_VERSION);
}

void qb_app_save_path(struct qcall *c)
{
	CHECK_OBJ(c, QCALL_MAGIC);
	qcall_text(c, c->config->download_dir);
}

/* Programs look for libtorrent's version: there is none. */
static bool write_build(struct qcall *c, struct json_out *o, size_t end)
{
	(void)c;
	(void)end;
	json_out_open(o, '{');
	json_out_put(o, "bitness", int, (int64_t)sizeof(void *) * 8);
	json_out_put(o, "boost", text, "");
	json_out_put(o, "libtorrent", text, "");
	json_out_put(o, "openssl", text, "");
	json_out_put(o, "platform", text, "linux");
	json_out_put(o, "qt", text, "");
	json_out_put(o, "zlib", text, "");
	json_out_put(o, "torrentd", text, config_version());
	json_out_close(o, '}');
	return true;
}

void qb_app_build(struct qcall *c)
{
	qcall_write(c, write_build);
}

/* What a person would do, so that it ends as it always does; the answer leaves before. */
void qb_app_shutdown(struct qcall *c)
{
	qcall_ok(c);
	kill(getpid(), SIGTERM);
}

/* --- preferences --- */

static int encryption_of(const struct config *k)
{
	static const int numbers[] = {[CONFIG_ENCRYPTION_OFF] = 2,
		[CONFIG_ENCRYPTION_TOLERATED] = 0,
		[CONFIG_ENCRYPTION_PREFERRED] = 0,
		[CONFIG_ENCRYPTION_REQUIRED] = 1};

	return numbers[k->peers_encryption];
}

static int64_t minutes_of(int64_t us)
{
	return us > 0 ? (us + 60 * USEC_PER_SEC - 1) / (60 * USEC_PER_SEC) : -1;
}

static void put_ratio(struct json_out *o, int64_t thousandths)
{
	if (thousandths > 0)
		json_out_real(o, (double)thousandths / 1000);
	else
		json_out_int(o, -1);
}

void qprefs_write(struct json_out *o, const struct config *k, const struct qfacts *f)
{
	json_out_open(o, '{');
#define PREF(name, code)                                                                           \
	json_out_key(o, name);                                                                     \
	code;
#include "http/qbittorrent/preferences.def"
#undef PREF
	json_out_close(o, '}');
}

static bool write_preferences(struct qcall *c, struct json_out *o, size_t end)
{
	(void)end;
	qprefs_write(o, c->config, c->facts);
	return true;
}

static void on_facts(struct qcall *c)
{
	qcall_write(c, write_preferences);
}

void qb_app_preferences(struct qcall *c)
{
	qfacts_ask(c, on_facts);
}

/* --- what there is nothing of --- */

static bool write_empty(struct qcall *c, struct json_out *o, size_t end)
{
	(void)c;
	(void)end;
	json_out_open(o, '[');
	json_out_close(o, ']');
	return true;
}

/* The daemon keeps no log of its own that it could show. */
void qb_log(struct qcall *c)
{
	qcall_write(c, write_empty);
}
