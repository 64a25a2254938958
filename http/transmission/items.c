/* SPDX-License-Identifier: MIT */
/* Files, peers, trackers and pieces of a torrent as the dialect has them. */
#include "http/transmission/items.h"

#include <stdio.h>
#include <stdlib.h>

#include "http/transmission/priv.h"
#include "proto/base/priority.h"

#define PUT(legacy, snake_name, type, ...)                                                         \
	(rcall_key(o, s->snake, legacy, snake_name), json_out_##type(o, __VA_ARGS__))

/* --- labels --- */

uint32_t item_labels(const struct torrent_view *t)
{
	const char *text = label_text(t->labels);
	uint32_t n = text != NULL;

	for (; text != NULL && *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

void item_label(
	struct json_out *o, const struct get_scene *s, const struct torrent_view *t, uint32_t i)
{
	const char *text = label_text(t->labels);

	(void)s;
	for (; i > 0; i--)
		text += strcspn(text, "\n") + 1;
	json_out_slice(o, (struct slice){(const uint8_t *)text, strcspn(text, "\n")});
}

void item_web_seed(
	struct json_out *o, const struct get_scene *s, const struct torrent_view *t, uint32_t i)
{
	(void)s;
	json_out_text(o, t->meta->url_list[i]);
}

/* --- files --- */

/* -1 low, 0 normal, 1 high; of one that is not wanted, normal. */
static int priority_of(const struct torrent_view *t, uint32_t i)
{
	uint8_t p = t->files[i].priority;

	if (p == PRIORITY_SKIP || p == PRIORITY_NORMAL)
		return 0;
	return p < PRIORITY_NORMAL ? -1 : 1;
}

static bool is_wanted(const struct torrent_view *t, uint32_t i)
{
	return t->files[i].priority != PRIORITY_SKIP;
}

static uint32_t piece_at(const struct torrent_view *t, uint64_t offset)
{
	return t->piece_length != 0 ? (uint32_t)(offset / t->piece_length) : 0;
}

/* Pad files are among them: files are known by their places. */
void item_file(
	struct json_out *o, const struct get_scene *s, const struct torrent_view *t, uint32_t i)
{
	const struct metainfo_file *f = &t->meta->files[i];

	json_out_open(o, '{');
	if (s->snake) {
		uint64_t last = f->offset + (f->length > 0 ? f->length - 1 : 0);

		json_out_put(o, "begin_piece", uint, piece_at(t, f->offset));
		json_out_put(o, "end_piece", uint, piece_at(t, last) + (uint32_t)(t->bits > 0));
	}
	PUT("bytesCompleted", "bytes_completed", uint, t->files[i].done);
	json_out_put(o, "length", uint, f->length);
	json_out_put(o, "name", text, f->path);
	json_out_close(o, '}');
}

void item_file_done(
	struct json_out *o, const struct get_scene *s, const struct torrent_view *t, uint32_t i)
{
	(void)s;
	json_out_uint(o, t->files[i].done);
}

void item_file_stat(
	struct json_out *o, const struct get_scene *s, const struct torrent_view *t, uint32_t i)
{
	json_out_open(o, '{');
	PUT("bytesCompleted", "bytes_completed", uint, t->files[i].done);
	json_out_put(o, "priority", int, priority_of(t, i));
	json_out_put(o, "wanted", bool, is_wanted(t, i));
	json_out_close(o, '}');
}

void item_priority(
	struct json_out *o, const struct get_scene *s, const struct torrent_view *t, uint32_t i)
{
	(void)s;
	json_out_int(o, priority_of(t, i));
}

/* In the dialect of 4.0 these are 0 and 1, and those of fileStats are not. */
void item_wanted(
	struct json_out *o, const struct get_scene *s, const struct torrent_view *t, uint32_t i)
{
	if (s->snake)
		json_out_bool(o, is_wanted(t, i));
	else
		json_out_int(o, is_wanted(t, i));
}

/* --- pieces --- */

static bool has(const uint8_t *bits, uint32_t piece)
{
	return bits != NULL && bits_get(bits, piece);
}

static uint32_t holders_of(const struct torrent_view *t, uint32_t piece)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->peers_n; i++)
		n += piece < t->peers[i].bits && has(t->peers[i].bitfield, piece);
	return n;
}

void item_availability(
	struct json_out *o, const struct get_scene *s, const struct torrent_view *t, uint32_t i)
{
	(void)s;
	json_out_int(o, has(t->bitfield, i) ? -1 : (int64_t)holders_of(t, i));
}

/* Up to 8 bytes of a bit field from there on, the rest clear; of none, all clear. */
static uint64_t word_of(const uint8_t *bits, size_t bytes, size_t at)
{
	uint64_t word = 0;

	if (bits != NULL && at < bytes)
		memcpy(&word, bits + at, MIN(bytes - at, sizeof word));
	return word;
}

/* A word at a time: there may be a hundred thousand pieces and hundreds of peers. */
uint64_t item_desired(const struct torrent_view *t)
{
	size_t bytes = bitfield_bytes(t->bits);
	uint64_t n = 0;

	for (size_t at = 0; t->left > 0 && t->peers_n > 0 && at < bytes; at += 8) {
		uint64_t theirs = 0;

		for (uint32_t i = 0; i < t->peers_n; i++)
			theirs |=
				word_of(t->peers[i].bitfield, bitfield_bytes(t->peers[i].bits), at);
		theirs &= ~word_of(t->bitfield, bytes, at);
		n += (uint64_t)__builtin_popcountll(theirs) * t->piece_length;
	}
	return MIN(n, t->left);
}

/* --- peers --- */

uint32_t item_connected(const struct torrent_view *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->peers_n; i++)
		n += t->peers[i].connected;
	return n;
}

uint32_t item_getting(const struct torrent_view *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->peers_n; i++)
		n += t->peers[i].up_rate > 0;
	return n;
}

uint32_t item_sending(const struct torrent_view *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->peers_n; i++)
		n += t->peers[i].down_rate > 0;
	return n;
}

uint32_t item_web_sending(const struct torrent_view *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->web_seeds_n; i++)
		n += strcmp(t->web_seeds[i].state, "downloading") == 0;
	return n;
}

void item_peers_from(struct json_out *o, const struct get_scene *s, const struct torrent_view *t)
{
	uint32_t incoming = 0;

	for (uint32_t i = 0; i < t->peers_n; i++)
		incoming += t->peers[i].connected && t->peers[i].incoming;
	json_out_open(o, '{');
	PUT("fromCache", "from_cache", int, 0);
	PUT("fromDht", "from_dht", int, 0);
	PUT("fromIncoming", "from_incoming", uint, incoming);
	PUT("fromLpd", "from_lpd", int, 0);
	PUT("fromLtep", "from_ltep", int, 0);
	PUT("fromPex", "from_pex", int, 0);
	PUT("fromTracker", "from_tracker", int, 0);
	json_out_close(o, '}');
}

static double progress_of(const struct peer_view *p)
{
	uint32_t n = 0;

	for (size_t i = 0; p->bitfield != NULL && i < bitfield_bytes(p->bits); i++)
		n += (uint32_t)__builtin_popcount(p->bitfield[i]);
	return p->bits > 0 ? (double)n / p->bits : 0;
}

/* D and U: data moves; d and u: it would, were it not for a choke; K and ?: there is no choke, and
 * nothing is wanted. */
static void write_flags(const struct peer_view *p, char out[8])
{
	size_t n = 0;

	if (p->down_rate > 0)
		out[n++] = 'D';
	else if (p->interested && !p->unchoked_us)
		out[n++] = 'd';
	if (p->up_rate > 0)
		out[n++] = 'U';
	else if (p->interested_us && !p->unchoked)
		out[n++] = 'u';
	if (!p->interested && p->unchoked_us)
		out[n++] = 'K';
	if (p->unchoked && !p->interested_us)
		out[n++] = '?';
	if (p->encryption != PEER_UNENCRYPTED)
		out[n++] = 'E';
	if (p->incoming)
		out[n++] = 'I';
	out[n] = '\0';
}

static void put_peer_state(struct json_out *o, const struct get_scene *s, const struct peer_view *p)
{
	PUT("clientIsChoked", "client_is_choked", bool, !p->unchoked_us);
	PUT("clientIsInterested", "client_is_interested", bool, p->interested);
	PUT("isDownloadingFrom", "is_downloading_from", bool, p->down_rate > 0);
	PUT("isEncrypted", "is_encrypted", bool, p->encryption != PEER_UNENCRYPTED);
	PUT("isIncoming", "is_incoming", bool, p->incoming);
	PUT("isUploadingTo", "is_uploading_to", bool, p->up_rate > 0);
	PUT("isUTP", "is_utp", bool, false);
	PUT("peerIsChoked", "peer_is_choked", bool, !p->unchoked);
	PUT("peerIsInterested", "peer_is_interested", bool, p->interested_us);
}

void item_peer(
	struct json_out *o, const struct get_scene *s, const struct torrent_view *t, uint32_t i)
{
	const struct peer_view *p = &t->peers[i];
	char address[ENDPOINT_TEXT], flags[8];

	if (!p->connected)
		return;
	endpoint_format_ip(&p->at, address, sizeof address);
	write_flags(p, flags);
	json_out_open(o, '{');
	json_out_put(o, "address", text, address);
	PUT("clientName", "client_name", text, p->client);
	put_peer_state(o, s, p);
	PUT("flagStr", "flag_str", text, flags);
	json_out_put(o, "port", uint, p->at.port);
	json_out_put(o, "progress", real, progress_of(p));
	PUT("rateToClient", "rate_to_client", uint, p->down_rate);
	PUT("rateToPeer", "rate_to_peer", uint, p->up_rate);
	if (s->snake) {
		json_out_put(o, "bytes_to_client", uint, p->downloaded);
		json_out_put(o, "bytes_to_peer", uint, p->uploaded);
		json_out_put(o, "peer_id", base64, p->id, sizeof p->id);
	}
	json_out_close(o, '}');
}
