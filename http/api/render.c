/* SPDX-License-Identifier: MIT */
/*
 * Torrents as JSON: the table of fields, and a place in it that is kept between two slices.
 *
 * Sizes and rates are in KiB where the original interface has them so, in bytes where the name says
 * bytes.
 */
#include "http/api/render.h"

#include "proto/base/priority.h"
#include "proto/wire/peer_id.h"

#define RENDER_MAGIC 0x52454e44u

/* --- parts of a torrent --- */

const char *const encryption_words[] = {[WISH_ENCRYPTION_AS_CONFIGURED] = "default",
	[WISH_ENCRYPTION_OFF] = "off",
	[WISH_ENCRYPTION_TOLERATED] = "tolerated",
	[WISH_ENCRYPTION_PREFERRED] = "preferred",
	[WISH_ENCRYPTION_REQUIRED] = "required",
	NULL};

const char *const status_words[STATUS_MAX_] = {
	[STATUS_STOPPED] = "stopped",
	[STATUS_CHECKING] = "checking",
	[STATUS_DOWNLOADING] = "downloading",
	[STATUS_SEEDING] = "seeding",
	[STATUS_QUEUED] = "queued",
	[STATUS_METADATA] = "metadata",
	[STATUS_ERROR] = "error",
};

const char *const render_sources[PEER_SOURCES] = {
	[PEER_MANUAL] = "manual",
	[PEER_LSD] = "lsd",
	[PEER_TRACKER] = "tracker",
	[PEER_INCOMING] = "incoming",
	[PEER_DHT] = "dht",
	[PEER_PEX] = "pex",
};

static double progress_of(const struct torrent_view *t)
{
	if (t->wanted == 0)
		return t->meta->bare ? 0 : 1.0;
	return (double)(t->wanted - MIN(t->left, t->wanted)) / (double)t->wanted;
}

void render_labels(struct json_out *o, const char *text)
{
	json_out_open(o, '[');
	for (size_t n; text != NULL && *text != '\0'; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		json_out_slice(o, (struct slice){(const uint8_t *)text, n});
	}
	json_out_close(o, ']');
}

/* A limit as it was given: -1 is "as configured". */
static void write_limits(struct json_out *o, const struct seed_limits *s)
{
	json_out_open(o, '{');
	json_out_key(o, "ratio");
	if (s->ratio < 0)
		json_out_int(o, -1);
	else
		json_out_real(o, (double)s->ratio / 1000);
	json_out_put(o, "time", int, s->time);
	json_out_put(o, "idle", int, s->idle);
	json_out_close(o, '}');
}

void render_moment(struct json_out *o, int64_t unix_s)
{
	if (unix_s == 0)
		json_out_null(o);
	else
		json_out_int(o, unix_s);
}

static const char *tracker_status(const struct tracker_view *t)
{
	if (!t->contacted)
		return "waiting";
	return t->working ? "working" : "error";
}

static void put_tracker(struct render *r, const struct torrent_view *torrent, uint32_t i)
{
	struct json_out *o = r->out;
	const struct tracker_view *t = &torrent->trackers[i];

	json_out_open(o, '{');
	json_out_put(o, "url", text, t->url);
	json_out_put(o, "status", text, tracker_status(t));
	json_out_put(o, "leechers", int, MAX(t->leechers, 0));
	json_out_put(o, "seeders", int, MAX(t->seeders, 0));
	json_out_put(o, "peers", uint, t->peers);
	json_out_put(o, "lastannounce", time, t->last_announce);
	json_out_put(o, "nextannounce", time, t->next_announce);
	json_out_put(o, "tier", uint, t->tier);
	json_out_put(o, "contacted", bool, t->contacted);
	json_out_put(o, "message", text, t->contacted ? t->message : "not contacted yet");
	json_out_close(o, '}');
}

/* Of a private torrent a link is of no use. */
void render_magnet(struct json_out *o, const struct torrent_view *t)
{
	char *link = t->is_private ? NULL : metainfo_magnet(t->meta);

	json_out_text(o, link);
	xfree(link);
}

/* How a magnet is getting on, or null. */
void render_metadata(struct json_out *o, const struct metadata_view *m)
{
	if (!m->bare) {
		json_out_text(o, NULL);
		return;
	}
	json_out_open(o, '{');
	json_out_put(o, "size_bytes", uint, m->size);
	json_out_put(o, "pieces", uint, m->pieces);
	json_out_put(o, "pieces_have", uint, m->have);
	json_out_put(o, "peers", uint, m->peers);
	json_out_put(o, "peers_offering", uint, m->offering);
	json_out_put(o, "peers_asked", uint, m->asked);
	json_out_put(o, "rejects", uint, m->rejects);
	json_out_put(o, "timeouts", uint, m->timeouts);
	json_out_put(o, "failures", uint, m->failures);
	json_out_put(o, "error", text, m->error);
	json_out_close(o, '}');
}

static void put_web_seed(struct render *r, const struct torrent_view *torrent, uint32_t i)
{
	struct json_out *o = r->out;
	const struct web_seed_view *s = &torrent->web_seeds[i];

	json_out_open(o, '{');
	json_out_put(o, "url", text, s->url);
	json_out_put(o, "state", text, s->state);
	json_out_put(o, "downloaded", kib, s->bytes);
	json_out_put(o, "files_missing", uint, s->files_missing);
	json_out_put(o, "error", text, s->error);
	json_out_put(o, "next_try", time, s->next_try);
	json_out_close(o, '}');
}

static void put_peer_names(struct render *r, const struct peer_view *p)
{
	struct json_out *o = r->out;
	char id[PEER_ID_PRINTABLE] = "", at[ENDPOINT_TEXT];

	if (p->connected)
		peer_id_printable(p->id, id);
	endpoint_format(&p->at, at, sizeof at);
	json_out_put(o, "ID", text, id);
	if (r->wish.legacy)
		json_out_put(o, "peerid", text, id);
	json_out_put(o, "host", text, at);
}

static void put_peer_traffic(struct json_out *o, const struct peer_view *p)
{
	json_out_put(o, "downrate", kib, p->down_rate);
	json_out_put(o, "uprate", kib, p->up_rate);
	json_out_put(o, "downloaded", kib, p->downloaded);
	json_out_put(o, "uploaded", kib, p->uploaded);
}

static void put_peer_state(struct json_out *o, const struct peer_view *p)
{
	static const char *const encryption[] = {[PEER_UNENCRYPTED] = "none",
		[PEER_ENCRYPTED_PLAIN] = "handshake",
		[PEER_ENCRYPTED_RC4] = "rc4"};

	json_out_put(o, "client", text, p->client);
	json_out_put(o, "incoming", bool, p->incoming);
	json_out_put(o, "encryption", text, encryption[p->encryption]);
	json_out_put(o, "choking_us", bool, !p->unchoked_us);
	json_out_put(o, "interested_in_us", bool, p->interested_us);
	json_out_put(o, "choked", bool, !p->unchoked);
	json_out_put(o, "interesting", bool, p->interested);
}

/* "relevence" is how the original interface spells it. */
static void put_peer(struct render *r, const struct torrent_view *t, uint32_t i)
{
	struct json_out *o = r->out;
	const struct peer_view *p = &t->peers[i];

	json_out_open(o, '{');
	put_peer_names(r, p);
	if (r->wish.bitfields)
		json_out_put(o, "bitfield_base64", base64, p->bitfield, bitfield_bytes(p->bits));
	json_out_put(o, "bitfield_length", uint, p->bits);
	put_peer_traffic(o, p);
	json_out_put(o, "connected", bool, p->connected);
	json_out_put(o, "relevence", real, (double)p->relevance);
	if (r->wish.legacy)
		json_out_put(o, "relevance", real, (double)p->relevance);
	put_peer_state(o, p);
	json_out_close(o, '}');
}

const char *render_priority(uint8_t priority)
{
	static const char *const names[] = {
		[PRIORITY_SKIP] = "skip",
		[PRIORITY_LOW] = "low",
		[PRIORITY_NORMAL] = "normal",
		[PRIORITY_TOP] = "high",
	};
	const char *name = priority < ARRAY_LEN(names) ? names[priority] : NULL;

	return name != NULL ? name : "normal";
}

/* By the number that /setfilepriority takes; pad files are nobody's business. */
static void put_file(struct render *r, const struct torrent_view *t, uint32_t i)
{
	struct json_out *o = r->out;
	const struct metainfo_file *f = &t->meta->files[i];

	if (f->pad)
		return;
	json_out_open(o, '{');
	json_out_put(o, "index", uint, i);
	json_out_put(o, "path", text, f->path);
	json_out_put(o, "length_bytes", uint, f->length);
	json_out_put(o, "done_bytes", uint, t->files[i].done);
	json_out_put(o, "priority", text, render_priority(t->files[i].priority));
	json_out_close(o, '}');
}

/* --- the table of fields --- */

struct field {
	const char *key;
	size_t key_n;
	unsigned part;
	bool legacy;
	void (*put)(struct json_out *, const struct torrent_view *); /* one value, or */
	uint32_t (*count)(const struct torrent_view *);              /* a list of so many */
	void (*put_item)(struct render *, const struct torrent_view *, uint32_t i);
};

#define VALUE(name, part, code)                                                                    \
	static void put_##name(struct json_out *o, const struct torrent_view *t)                   \
	{                                                                                          \
		code;                                                                              \
	}
#define LIST(name, part, count, put_item)                                                          \
	static uint32_t count_##name(const struct torrent_view *t)                                 \
	{                                                                                          \
		return count;                                                                      \
	}
#define LEGACY LIST
#include "http/api/fields.def"
#undef VALUE
#undef LIST
#undef LEGACY

static const struct field fields[] = {
#define VALUE(name, part, code) {#name, sizeof #name - 1, part, false, put_##name, NULL, NULL},
#define LIST(name, part, count, put_item)                                                          \
	{#name, sizeof #name - 1, part, false, NULL, count_##name, put_item},
#define LEGACY(name, part, count, put_item)                                                        \
	{#name, sizeof #name - 1, part, true, NULL, count_##name, put_item},
#include "http/api/fields.def"
#undef VALUE
#undef LIST
#undef LEGACY
};

_Static_assert(ARRAY_LEN(fields) <= 64, "a bit each in render_wish.fields");

static bool is_shown(const struct render *r, unsigned i)
{
	const struct field *f = &fields[i];

	if (f->part == VIEW_BITFIELDS && !r->wish.bitfields)
		return false;
	return (r->wish.fields >> i & 1) != 0;
}

/* What is shown when nothing was named. */
static uint64_t usual_fields(const struct render_wish *w)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
		if ((!fields[i].legacy || w->legacy) && (fields[i].part != VIEW_FILES || w->files))
			bits |= UINT64_C(1) << i;
	return bits;
}

static uint64_t find_field(const struct render_wish *w, struct slice name)
{
	for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].key_n == name.n && memcmp(fields[i].key, name.p, name.n) == 0)
			return fields[i].legacy && !w->legacy ? 0 : UINT64_C(1) << i;
	return 0;
}

enum err render_fields(struct render_wish *w, const char *names, struct slice *bad)
{
	uint64_t bits = 0;

	for (const char *at = names; *at != '\0';) {
		size_t n = strcspn(at, ",");
		uint64_t bit = find_field(w, (struct slice){(const uint8_t *)at, n});

		if (bit == 0 && n > 0) {
			*bad = (struct slice){(const uint8_t *)at, n};
			return E_NOT_FOUND;
		}
		bits |= bit;
		at += n + (at[n] == ',');
	}
	w->fields = bits;
	return bits != 0 ? E_OK : E_MISSING;
}

unsigned render_parts(const struct render_wish *w)
{
	uint64_t bits = w->fields != 0 ? w->fields : usual_fields(w);
	unsigned parts = 0;

	for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
		if ((bits >> i & 1) != 0)
			parts |= fields[i].part;
	if (!w->bitfields)
		return parts & ~(unsigned)VIEW_BITFIELDS;
	return (parts & VIEW_PEERS) != 0 ? parts | VIEW_BITFIELDS : parts;
}

/* --- slices --- */

#define BEGIN "{\"time\":\"2000-01-01T00:00:00Z\""

void render_init(struct render *r, const struct m_torrent_view *view,
	const struct render_wish *wish, int64_t now)
{
	*r = (struct render){.magic = RENDER_MAGIC, .view = view, .wish = *wish, .now = now};
	if (wish->fields == 0)
		r->wish.fields = usual_fields(wish);
}

size_t render_varying(const struct m_torrent_view *view)
{
	return view->all ? sizeof BEGIN - 1 : 0;
}

static void put_begin(struct render *r)
{
	r->begun = true;
	if (!r->view->all)
		return;
	json_out_open(r->out, '{');
	json_out_put(r->out, "time", time, r->now);
	json_out_key(r->out, "sessions");
	json_out_open(r->out, '[');
}

static void put_key(struct render *r, const struct field *f)
{
	json_out_key_n(r->out, f->key, f->key_n);
}

/* Entries up to the given length of the text; true: that was all of the list. */
static bool put_list(
	struct render *r, const struct field *f, const struct torrent_view *t, size_t end)
{
	uint32_t n = f->count(t);

	if (r->item == 0) {
		put_key(r, f);
		json_out_open(r->out, '[');
		r->item = 1;
	}
	for (; r->item <= n && r->out->n < end; r->item++)
		f->put_item(r, t, r->item - 1);
	if (r->item <= n)
		return false;
	json_out_close(r->out, ']');
	r->item = 0;
	return true;
}

/* true: that was all of the torrent. */
static bool put_torrent(struct render *r, const struct torrent_view *t, size_t end)
{
	if (r->field == 0 && r->item == 0)
		json_out_open(r->out, '{');
	for (; r->field < ARRAY_LEN(fields); r->field++) {
		const struct field *f = &fields[r->field];

		if (!is_shown(r, r->field))
			continue;
		if (f->put == NULL) {
			if (!put_list(r, f, t, end))
				return false;
			continue;
		}
		put_key(r, f);
		f->put(r->out, t);
	}
	json_out_close(r->out, '}');
	r->field = 0;
	return true;
}

static void put_end(struct render *r)
{
	struct json_out *o = r->out;

	r->done = true;
	if (!r->view->all)
		return;
	json_out_close(o, ']');
	json_out_put(o, "maxdown", kib, r->view->down_limit);
	json_out_put(o, "maxup", kib, r->view->up_limit);
	json_out_close(o, '}');
}

bool render_some(struct render *r, struct json_out *o, size_t bytes)
{
	size_t end = o->n + bytes;

	CHECK_OBJ(r, RENDER_MAGIC);
	r->out = o;
	if (!r->begun)
		put_begin(r);
	while (!r->done && o->n < end) {
		if (r->torrent == r->view->torrents_n)
			put_end(r);
		else if (put_torrent(r, &r->view->torrents[r->torrent], end))
			r->torrent++;
	}
	r->out = NULL;
	return r->done;
}
