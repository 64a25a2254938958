/* SPDX-License-Identifier: MIT */
/* What the files of the API share: what each resource does, and how things look as JSON. */
#ifndef HTTP_API_PRIV_H
#define HTTP_API_PRIV_H

#include "actors/kernel/log.h"
#include "actors/msg/env.h"
#include "http/server/server.h"
#include "proto/base/priority.h"

/* add.c, calls.c, changes.c, look.c, list.c, one.c and events.c: a message to another actor, whose
 * reply answers the request
 */
void api_add(struct request *);
void api_add_magnet(struct request *);
void api_set(struct request *);
void api_actions(struct request *);
void api_undo(struct request *);
void api_removed(struct request *);
void api_removed_set(struct request *);
void api_data(struct request *);
void api_place(struct request *);
void api_view(struct request *);
void api_list(struct request *);
void api_one(struct request *);
void api_events(struct request *);
void api_health(struct request *);
void api_counters(struct request *);
void api_volumes(struct request *);
void api_folders(struct request *);
void api_content(struct request *);
void api_export(struct request *);
void api_settings(struct request *);
void api_settings_set(struct request *);
void api_metrics(struct request *);
void api_live(struct request *);
void api_ready(struct request *);
void api_network(struct request *);
void api_doctor(struct request *);
void api_blocklist(struct request *);
void api_index(struct request *);
void api_dht(struct request *);
void api_dht_job(struct request *);

/* changes.c: parameters of a change, by its op; false: answered. */
bool api_read_change(struct request *, struct m_torrent_set *);
/* Labels such as "tv,new", as in struct wishes, appended to *labels, which the caller owns; absent
 * or empty: none. */
bool api_read_labels(struct request *, const char *name, char **labels);
/* add.c: absent or empty: as configured; false: answered. */
bool api_read_encryption(struct request *, struct wishes *);
bool api_read_discreet(struct request *, struct m_torrent_add *);

/* add_json.c */
void api_add_json(struct request *);
/* Whether the body is a .torrent file as it is. */
bool api_is_torrent(struct request *);
/* A .torrent in base64, owned by the caller whatever comes of it; false: answered. */
bool api_read_base64(struct request *, const char *text, uint8_t **body, size_t *n);
/* The id of a preview in the parameter of that name; false: answered. */
bool api_read_preview(struct request *, const char *name, uint64_t *id);

/* preview.c */
void api_preview_make(struct request *);
void api_preview(struct request *);
void api_preview_drop(struct request *);

/* tokens.c: who may */
void api_tokens(struct request *);
void api_token_make(struct request *);
void api_token_drop(struct request *);
/* false: answered.  absent: the name of who gives none; NULL: one is needed. */
bool api_read_name(struct request *, const char *absent, char out[TOKEN_NAME_MAX + 1]);
bool api_read_scopes(struct request *, unsigned *out); /* absent: all that who asks has */
void api_put_scopes(struct json_out *, unsigned scopes);

/* login.c */
void api_login(struct request *);
void api_logout(struct request *);
void api_session(struct request *);
/* device.c */
/* The body, whose parameters of these names may not be in the query; false: answered. */
bool api_read_secret(struct request *, const char *const *names);
/* Makes a device of that name and these scopes, and answers with its cookie. */
void api_let_device_in(struct request *, struct token_record *wish);
void api_put_cookie(struct request *, const char *secret); /* NULL: the browser forgets it */

/* pair.c */
void api_pairing_make(struct request *);
void api_pair(struct request *);
/* Uses one up, by its code or by its secret; false: answered. */
bool api_take_pairing(struct request *, const char *code, const char *secret, unsigned *scopes);

/* export.c: under which name the answer is saved: the last part of the path, and an ending. */
void api_name_file(struct request *, const char *path, const char *ending, bool save);
/* media.c: what a browser may show of a file, by the end of its name; static.  NULL: nothing. */
const char *media_type_of(const char *path);
/* Asks an actor by a message that has no parameters; fn ends with api_answer(). */
void api_ask(struct request *, uint16_t to, uint16_t type, actor_reply_f *fn);
/* What is in *o, or that `who` does not answer. */
void api_answer(struct request *, enum err, unsigned status, struct json_out *, const char *who);

/* trackers_edit.c: false: answered. */
bool api_read_trackers(struct request *, struct m_torrent_set *);
/* changes.c: {"epoch", "rev"}: where lists have a change. */
void api_answer_rev(struct request *, uint64_t epoch, uint64_t rev);

/* list.c: parameters of who keeps a list; false: answered. */
struct list_point;
bool list_param_fields(struct request *, uint32_t *fields);
bool list_param_since(struct request *, bool *given, struct list_point *seen);

/* The argument of api_view: of which torrents. */
enum view_of { VIEW_OF_ONE, VIEW_OF_ALL };

#endif
