/* SPDX-License-Identifier: MIT */
/*
 * The table of messages and the destructors of what they carry, both from msg.def.
 *
 * A payload that owns something has an m_x_fini() here and a line in the list below; one that owns
 * nothing has FINI_m_x defined as NULL.  A payload in msg.def with neither does not compile.
 */
#include "actors/msg/msg.h"

#include <inttypes.h>
#include <stdio.h>

#include "actors/kernel/fs.h"
#include "actors/kernel/net.h"

_Static_assert((int)MSG_PING == (int)KMSG_PING, "msg.def starts with the kernel's messages");
_Static_assert((int)MSG_QUIESCE == (int)KMSG_QUIESCE, "in the kernel's order");
_Static_assert((int)MSG_TERM == (int)KMSG_TERM, "in the kernel's order");
_Static_assert((int)MSG_TERM + 1 == (int)KMSG_FIRST_USER_, "and ours follow");
_Static_assert(ROLE_MAX_ <= 32, "a set of roles is 32 bits");

/* A message whose sender failed half way holds no reference. */
static void drop_meta(struct metainfo **m)
{
	if (*m != NULL)
		metainfo_unref(m);
}

void record_fini(struct torrent_record *r)
{
	drop_meta(&r->meta);
	xfree(r->path);
	bitfield_free(&r->synced);
	xfree(r->unsynced);
	xfree(r->stamps);
	partials_free(&r->partials, &r->partials_n);
	wishes_fini(&r->wishes);
	xfree(r->names);
	xfree(r->to_path);
	xfree(r->to_names);
	xfree(r->link);
	drop_meta(&r->found);
	xfree(r->choice);
	*r = (struct torrent_record){0};
}

static void m_torrent_add_fini(struct m_torrent_add *m)
{
	xfree(m->body);
	xfree(m->path);
	wishes_fini(&m->wishes);
	xfree(m->files);
}

static void m_preview_fini(struct m_preview *m)
{
	xfree(m->body);
	drop_meta(&m->meta);
}

static void m_torrent_set_fini(struct m_torrent_set *m)
{
	xfree(m->labels);
	xfree(m->files);
	record_trackers_free(&m->trackers, &m->trackers_n);
	drop_meta(&m->edited);
	xfree(m->path);
	xfree(m->from);
	xfree(m->to);
}

static void m_state_place_fini(struct m_state_place *m)
{
	xfree(m->path);
	xfree(m->names);
}

static void torrent_view_fini(struct torrent_view *v)
{
	xfree(v->path);
	xfree(v->bitfield);
	xfree(v->error);
	xfree(v->files);
	xfree(v->piece_states);
	xfree(v->piece_copies);
	if (v->row != NULL)
		row_fini(v->row);
	xfree(v->row);
	label_unref(&v->labels);
	drop_meta(&v->meta);
	view_trackers_free(&v->trackers, v->trackers_n);
	view_peers_free(&v->peers, v->peers_n);
	view_web_seeds_free(&v->web_seeds, v->web_seeds_n);
}

static void m_torrent_view_fini(struct m_torrent_view *m)
{
	for (uint32_t i = 0; m->torrents != NULL && i < m->torrents_n; i++)
		torrent_view_fini(&m->torrents[i]);
	xfree(m->torrents);
}

static void m_reload_fini(struct m_reload *m)
{
	if (m->config != NULL)
		config_unref(&m->config);
}

static void m_counters_fini(struct m_counters *m)
{
	for (unsigned i = 0; i < m->n; i++)
		actor_counters_fini(&m->actors[i]);
	xfree(m->actors);
}

static void m_state_load_fini(struct m_state_load *m)
{
	for (uint32_t i = 0; m->torrents != NULL && i < m->torrents_n; i++)
		record_fini(&m->torrents[i]);
	xfree(m->torrents);
	xfree(m->changed);
	for (uint32_t i = 0; m->removed != NULL && i < m->removed_n; i++)
		shelved_fini(&m->removed[i]);
	xfree(m->removed);
}

static void m_state_fetch_fini(struct m_state_fetch *m)
{
	record_fini(&m->record);
}

static void m_state_add_fini(struct m_state_add *m)
{
	drop_meta(&m->meta);
	xfree(m->path);
	wishes_fini(&m->wishes);
	xfree(m->choice);
}

static void m_state_meta_fini(struct m_state_meta *m)
{
	drop_meta(&m->meta);
	xfree(m->file_priority);
	xfree(m->choice);
}

static void m_state_set_fini(struct m_state_set *m)
{
	xfree(m->data);
	xfree(m->places);
	xfree(m->choice);
	undo_item_fini(&m->item);
	drop_meta(&m->meta);
}

static void m_state_note_fini(struct m_state_note *m)
{
	xfree(m->pieces);
	xfree(m->dirty);
}

static void m_state_pieces_fini(struct m_state_pieces *m)
{
	bitfield_free(&m->synced);
	xfree(m->noted);
	xfree(m->stamps);
	partials_free(&m->partials, &m->partials_n);
}

static void m_store_open_fini(struct m_store_open *m)
{
	xfree(m->root);
	record_fini(&m->record);
}

static void m_store_ready_fini(struct m_store_ready *m)
{
	bitfield_free(&m->have);
	partials_free(&m->partials, &m->partials_n);
}

static void m_store_files_fini(struct m_store_files *m)
{
	xfree(m->file_priority);
}

static void m_worker_files_fini(struct m_worker_files *m)
{
	xfree(m->file_priority);
	xfree(m->ids);
	xfree(m->shorts);
}

static void m_file_map_fini(struct m_file_map *m)
{
	if (m->map != NULL)
		fs_unmap(m->map, m->length);
}

static void m_peers_set_fini(struct m_peers_set *m)
{
	wishes_fini(&m->wishes);
}

static void m_worker_open_fini(struct m_worker_open *m)
{
	drop_meta(&m->meta);
	xfree(m->root);
	xfree(m->path);
	partials_free(&m->partials, &m->partials_n);
}

void whereabouts_fini(struct whereabouts *p)
{
	xfree(p->root);
	xfree(p->path);
	drop_meta(&p->meta);
	*p = (struct whereabouts){0};
}

static void m_worker_shift_fini(struct m_worker_shift *m)
{
	whereabouts_fini(&m->from);
	whereabouts_fini(&m->to);
}

static void m_worker_look_fini(struct m_worker_look *m)
{
	whereabouts_fini(&m->at);
}

static void m_worker_stat_fini(struct m_worker_stat *m)
{
	xfree(m->stamps);
	xfree(m->units);
	bitfield_free(&m->data);
}

static void m_worker_hash_fini(struct m_worker_hash *m)
{
	xfree(m->want);
	xfree(m->good);
}

static void m_worker_sync_fini(struct m_worker_sync *m)
{
	xfree(m->stamps);
	xfree(m->looks);
	partials_free(&m->partials, &m->partials_n);
}

static void m_peers_add_fini(struct m_peers_add *m)
{
	drop_meta(&m->meta);
	bitfield_free(&m->have);
	partials_free(&m->partials, &m->partials_n);
	wishes_fini(&m->wishes);
}

static void m_peers_remove_fini(struct m_peers_remove *m)
{
	bitfield_free(&m->have);
}

static void m_peers_view_fini(struct m_peers_view *m)
{
	for (uint32_t i = 0; m->torrents != NULL && i < m->torrents_n; i++) {
		xfree(m->torrents[i].bitfield);
		xfree(m->torrents[i].piece_states);
		xfree(m->torrents[i].piece_copies);
		view_peers_free(&m->torrents[i].peers, m->torrents[i].peers_n);
	}
	xfree(m->torrents);
}

/* 0 is what a message that was never filled in holds, and never a peer's connection. */
static void m_peers_handoff_fini(struct m_peers_handoff *m)
{
	if (m->fd > 0)
		net_close(m->fd);
	mse_free(&m->mse);
}

void sockets_close(struct peer_sockets *s)
{
	for (unsigned i = 0; i < s->tcp_n; i++)
		net_close(s->tcp[i]);
	for (unsigned i = 0; i < s->udp_n; i++)
		net_close(s->udp[i]);
	for (unsigned i = 0; i < s->dht_n; i++)
		net_close(s->dht[i]);
	s->tcp_n = s->udp_n = s->dht_n = 0;
}

static void m_peers_listen_fini(struct m_peers_listen *m)
{
	sockets_close(&m->sockets);
}

static void m_peers_metadata_fini(struct m_peers_metadata *m)
{
	xfree(m->info);
}

static void m_tracker_add_fini(struct m_tracker_add *m)
{
	drop_meta(&m->meta);
}

static void m_tracker_edit_fini(struct m_tracker_edit *m)
{
	drop_meta(&m->meta);
}

static void m_tracker_view_fini(struct m_tracker_view *m)
{
	for (uint32_t i = 0; m->torrents != NULL && i < m->torrents_n; i++)
		view_trackers_free(&m->torrents[i].trackers, m->torrents[i].n);
	xfree(m->torrents);
}

static void m_webseed_set_fini(struct m_webseed_set *m)
{
	drop_meta(&m->meta);
}

static void m_webseed_view_fini(struct m_webseed_view *m)
{
	for (uint32_t i = 0; m->torrents != NULL && i < m->torrents_n; i++)
		view_web_seeds_free(&m->torrents[i].seeds, m->torrents[i].n);
	xfree(m->torrents);
}

static void m_peers_found_fini(struct m_peers_found *m)
{
	xfree(m->peers);
}

static void m_dht_job_fini(struct m_dht_job *m)
{
	explicit_bzero(m->seed, sizeof m->seed);
	xfree(m->value);
	xfree(m->samples);
}

static void m_blocklist_fini(struct m_blocklist *m)
{
	blocklist_unref(&m->list);
}

static void m_blocklist_view_fini(struct m_blocklist_view *m)
{
	for (uint32_t i = 0; i < m->sources_n; i++)
		xfree(m->sources[i].source);
	xfree(m->sources);
}

static void m_state_dht_fini(struct m_state_dht *m)
{
	for (size_t i = 0; i < ARRAY_LEN(m->family); i++)
		xfree(m->family[i].nodes);
}

/* Payloads that own something. */
#define OWNERS                                                                                     \
	OWNER(m_torrent_add)                                                                       \
	OWNER(m_preview)                                                                           \
	OWNER(m_torrent_set)                                                                       \
	OWNER(m_torrent_view)                                                                      \
	OWNER(m_torrent_rows)                                                                      \
	OWNER(m_counters)                                                                          \
	OWNER(m_reload)                                                                            \
	OWNER(m_folders)                                                                           \
	OWNER(m_volumes)                                                                           \
	OWNER(m_content)                                                                           \
	OWNER(m_options_set)                                                                       \
	OWNER(m_state_options)                                                                     \
	OWNER(m_state_load)                                                                        \
	OWNER(m_state_add)                                                                         \
	OWNER(m_state_meta)                                                                        \
	OWNER(m_state_set)                                                                         \
	OWNER(m_state_place)                                                                       \
	OWNER(m_state_fetch)                                                                       \
	OWNER(m_state_shelve)                                                                      \
	OWNER(m_undo)                                                                              \
	OWNER(m_removed)                                                                           \
	OWNER(m_state_note)                                                                        \
	OWNER(m_state_pieces)                                                                      \
	OWNER(m_store_open)                                                                        \
	OWNER(m_store_pieces)                                                                      \
	OWNER(m_store_files)                                                                       \
	OWNER(m_worker_files)                                                                      \
	OWNER(m_file_map)                                                                          \
	OWNER(m_peers_set)                                                                         \
	OWNER(m_store_ready)                                                                       \
	OWNER(m_worker_open)                                                                       \
	OWNER(m_worker_stat)                                                                       \
	OWNER(m_worker_shift)                                                                      \
	OWNER(m_worker_look)                                                                       \
	OWNER(m_worker_hash)                                                                       \
	OWNER(m_worker_sync)                                                                       \
	OWNER(m_peers_add)                                                                         \
	OWNER(m_peers_remove)                                                                      \
	OWNER(m_peers_view)                                                                        \
	OWNER(m_peers_metadata)                                                                    \
	OWNER(m_peers_handoff)                                                                     \
	OWNER(m_peers_listen)                                                                      \
	OWNER(m_tracker_add)                                                                       \
	OWNER(m_tracker_edit)                                                                      \
	OWNER(m_tracker_view)                                                                      \
	OWNER(m_dht_job)                                                                           \
	OWNER(m_state_dht)                                                                         \
	OWNER(m_blocklist)                                                                         \
	OWNER(m_blocklist_view)                                                                    \
	OWNER(m_webseed_set)                                                                       \
	OWNER(m_webseed_view)                                                                      \
	OWNER(m_peers_found)

#define OWNER(payload)                                                                             \
	static void fini_##payload(struct msg *h)                                                  \
	{                                                                                          \
		payload##_fini(container_of(h, struct payload, h));                                \
	}
OWNERS
#undef OWNER

/* What the table gets for each payload: its destructor, or NULL where nothing is owned. */
#define FINI_m_torrent_add    fini_m_torrent_add
#define FINI_m_preview        fini_m_preview
#define FINI_m_torrent_set    fini_m_torrent_set
#define FINI_m_torrent_view   fini_m_torrent_view
#define FINI_m_torrent_rows   fini_m_torrent_rows
#define FINI_m_counters       fini_m_counters
#define FINI_m_reload         fini_m_reload
#define FINI_m_folders        fini_m_folders
#define FINI_m_volumes        fini_m_volumes
#define FINI_m_content        fini_m_content
#define FINI_m_options_set    fini_m_options_set
#define FINI_m_state_options  fini_m_state_options
#define FINI_m_state_load     fini_m_state_load
#define FINI_m_state_add      fini_m_state_add
#define FINI_m_state_meta     fini_m_state_meta
#define FINI_m_state_set      fini_m_state_set
#define FINI_m_state_place    fini_m_state_place
#define FINI_m_state_fetch    fini_m_state_fetch
#define FINI_m_state_shelve   fini_m_state_shelve
#define FINI_m_undo           fini_m_undo
#define FINI_m_removed        fini_m_removed
#define FINI_m_state_note     fini_m_state_note
#define FINI_m_state_pieces   fini_m_state_pieces
#define FINI_m_store_open     fini_m_store_open
#define FINI_m_store_pieces   fini_m_store_pieces
#define FINI_m_store_files    fini_m_store_files
#define FINI_m_worker_files   fini_m_worker_files
#define FINI_m_file_map       fini_m_file_map
#define FINI_m_peers_set      fini_m_peers_set
#define FINI_m_store_ready    fini_m_store_ready
#define FINI_m_worker_open    fini_m_worker_open
#define FINI_m_worker_stat    fini_m_worker_stat
#define FINI_m_worker_shift   fini_m_worker_shift
#define FINI_m_worker_look    fini_m_worker_look
#define FINI_m_worker_hash    fini_m_worker_hash
#define FINI_m_worker_sync    fini_m_worker_sync
#define FINI_m_peers_add      fini_m_peers_add
#define FINI_m_peers_remove   fini_m_peers_remove
#define FINI_m_peers_view     fini_m_peers_view
#define FINI_m_peers_metadata fini_m_peers_metadata
#define FINI_m_peers_handoff  fini_m_peers_handoff
#define FINI_m_peers_listen   fini_m_peers_listen
#define FINI_m_tracker_add    fini_m_tracker_add
#define FINI_m_tracker_edit   fini_m_tracker_edit
#define FINI_m_tracker_view   fini_m_tracker_view
#define FINI_m_peers_found    fini_m_peers_found

#define FINI_m_blocklist      fini_m_blocklist
#define FINI_m_blocklist_view fini_m_blocklist_view
#define FINI_m_webseed_set    fini_m_webseed_set
#define FINI_m_webseed_view   fini_m_webseed_view

#define FINI_m_webseed_banned NULL
#define FINI_m_torrent_data   NULL
#define FINI_m_plain          NULL
#define FINI_m_torrent        NULL
#define FINI_m_health         NULL
#define FINI_m_network        NULL
#define FINI_m_port_mapped    NULL
#define FINI_m_peers_network  NULL
#define FINI_m_totals         NULL
#define FINI_m_state_remove   NULL
#define FINI_m_state_token    NULL
#define FINI_m_store_progress NULL
#define FINI_m_store_error    NULL
#define FINI_m_store_close    NULL
#define FINI_m_worker_close   NULL
#define FINI_m_worker_links   NULL
#define FINI_m_worker_delete  NULL
#define FINI_m_worker_note    NULL
#define FINI_m_blocks         NULL
#define FINI_m_extent         NULL
#define FINI_m_peers_global   NULL
#define FINI_m_peers_load     NULL
#define FINI_m_peers_wanted   NULL
#define FINI_m_tracker_event  NULL
#define FINI_m_tracker_news   NULL
#define FINI_m_dht_torrent    NULL
#define FINI_m_dht_node       NULL
#define FINI_m_dht_view       NULL
#define FINI_m_dht_job        fini_m_dht_job
#define FINI_m_state_dht      fini_m_state_dht
#define FINI_m_lsd_set        NULL

#define R(role) (1u << ROLE_##role)
#define R_ANY   ((1u << ROLE_MAX_) - 1)

#define FIRST(first, ...)          (first)
#define SECOND(first, second, ...) second

/* Each cast says what bounds it. */
#define MSG(name, payload, from, to, ...)                                                          \
	_Static_assert(FIRST(__VA_ARGS__, "") > 0 || sizeof(SECOND(__VA_ARGS__, "", "")) > 1,      \
		"msg.def does not say what bounds the cast " #name);
#include "actors/msg/msg.def"
#undef MSG

static const struct msg_type types[MSG_MAX_] = {
	[MSG_NONE_] = {.name = "NONE", .size = sizeof(struct m_plain)},
#define MSG(name_, payload, from_, to_, ...)                                                       \
	[MSG_##name_] = {.name = #name_,                                                           \
		.size = sizeof(struct payload),                                                    \
		.fini = FINI_##payload,                                                            \
		.from = (from_),                                                                   \
		.to = (to_),                                                                       \
		.deadline_ms = FIRST(__VA_ARGS__, "")},
#include "actors/msg/msg.def"
#undef MSG
};

static const char *const roles[ROLE_MAX_] = {
#define ROLE(name, text) [ROLE_##name] = (text),
#include "actors/msg/roles.def"
#undef ROLE
};

/*
 * What a message is about: the torrent, by its info-hash where the message has it, else by its
 * place in the tables.
 */
#define ABOUT(name, payload)                                                                       \
	case MSG_##name:                                                                           \
		snprintf(value, size, "%" PRIu32,                                                  \
			((const struct payload *)(const void *)m)->t.slot);                        \
		return "slot";
#define ABOUT_HASH(name, payload)                                                                  \
	case MSG_##name:                                                                           \
		hash = ((const struct payload *)(const void *)m)->infohash;                        \
		snprintf(value, size, "%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3]);     \
		return "ih";

static const char *about(const struct msg *m, char *value, size_t size)
{
	const uint8_t *hash;

	switch (m->type) {
		ABOUT(STATE_TOTALS, m_totals)
		ABOUT(STATE_NOTE, m_state_note)
		ABOUT(STATE_NOTED, m_torrent)
		ABOUT(STORE_OPEN, m_store_open)
		ABOUT(STORE_READY, m_store_ready)
		ABOUT(STORE_PROGRESS, m_store_progress)
		ABOUT(STORE_CHECK, m_torrent)
		ABOUT(STORE_ERROR, m_store_error)
		ABOUT(STORE_FILES, m_store_files)
		ABOUT(STORE_CLOSE, m_store_close)
		ABOUT(WORKER_OPEN, m_worker_open)
		ABOUT(WORKER_STAT, m_worker_stat)
		ABOUT(WORKER_HASH, m_worker_hash)
		ABOUT(WORKER_SYNC, m_worker_sync)
		ABOUT(WORKER_FILES, m_worker_files)
		ABOUT(WORKER_CLOSE, m_worker_close)
		ABOUT(WORKER_LINKS, m_worker_links)
		ABOUT(WORKER_DELETE, m_worker_delete)
		ABOUT(EXTENT_READ, m_extent)
		ABOUT(CONTENT_READ, m_content)
		ABOUT(FILE_MAP, m_file_map)
		ABOUT(PEERS_ADD, m_peers_add)
		ABOUT(PEERS_SET, m_peers_set)
		ABOUT(PEERS_REMOVE, m_peers_remove)
		ABOUT(PEERS_VIEW, m_peers_view)
		ABOUT(PEERS_METADATA, m_peers_metadata)
		ABOUT(PEERS_DONE, m_torrent)
		ABOUT(PEERS_TOTALS, m_totals)
		ABOUT(TRACKER_ADD, m_tracker_add)
		ABOUT(TRACKER_EDIT, m_tracker_edit)
		ABOUT(TRACKER_EVENT, m_tracker_event)
		ABOUT(TRACKER_NEWS, m_tracker_news)
		ABOUT(LSD_SET, m_lsd_set)
		ABOUT(TRACKER_VIEW, m_tracker_view)
		ABOUT(PEERS_FOUND, m_peers_found)
		ABOUT(PEERS_WANTED, m_peers_wanted)
		ABOUT(WEBSEED_SET, m_webseed_set)
		ABOUT(WEBSEED_BANNED, m_webseed_banned)
		ABOUT(WEBSEED_VIEW, m_webseed_view)
		ABOUT_HASH(TORRENT_ADD, m_torrent_add)
		ABOUT_HASH(TORRENT_SET, m_torrent_set)
		ABOUT_HASH(TORRENT_VIEW, m_torrent_view)
	default:
		return NULL;
	}
}

const struct msg_table message_table = {.types = types,
	.n = MSG_MAX_,
	.roles = roles,
	.roles_n = ROLE_MAX_,
	.about = about};
