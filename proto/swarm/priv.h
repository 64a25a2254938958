/* SPDX-License-Identifier: MIT */
/* What the files of the swarm share among themselves. */
#ifndef PROTO_SWARM_PRIV_H
#define PROTO_SWARM_PRIV_H

#include "proto/swarm/state.h"
#include "proto/wire/ext.h"
#include "proto/wire/peer_id.h"

#define SWARM_MAGIC      0x5357524du
#define SWARM_PEER_MAGIC 0x53575052u

#define MAX_MESSAGE                                                                                \
	(1u << 20) /* longest message that is not a piece or a bitfield; skipped as it comes */
#define REQQ_DEFAULT  250u         /* of a peer that does not say; what the field uses */
#define CHOKE_SOON    USEC_PER_SEC /* us until the choker runs out of turn */
#define SWARM_GRANTED ARRAY_LEN(((struct swarm_peer *)0)->granted)
#define SLOTS_LEAST   4u /* however slow the line */
#define WINDOW_START  4u
#define WINDOW_MIN    2u

/* roster.c */
void swarm_roster_add(struct swarm *, struct swarm_peer *); /* gives it its place and name */
void swarm_roster_remove(struct swarm *, struct swarm_peer *);

/* say.c */
void swarm_put_request(struct swarm_peer *, const struct block_req *); /* the caller wakes */
void swarm_put_cancel(struct swarm_peer *, const struct block_req *);  /* likewise */
void swarm_put_reject(struct swarm_peer *, const struct block_req *);  /* where BEP 6 allows */
void swarm_update_interest(struct swarm_peer *);                       /* says what has changed */
/* A message of the extension protocol (BEP 10), and wakes; false: the peer did not offer it. */
bool swarm_put_extended(struct swarm_peer *, enum ext_name, const uint8_t *payload, size_t n);

/* window.c */
uint32_t swarm_room(const struct swarm_peer *); /* so many requests may be made of the peer now */
void swarm_grow_window(struct swarm_peer *);    /* a block came: one more in slow start */
void swarm_size_window(struct swarm_peer *);    /* once a second */

/* asked.c */
/* Every request to the peer is void; stand: the peer does not know, and may answer them yet. */
void swarm_void_asked(struct swarm_peer *, bool stand);
bool swarm_void_one(
	struct swarm_peer *, const struct block_req *); /* this one; false: was not asked */

/* request.c */
void swarm_tick_requests(struct swarm_peer *, int64_t now);

/* serve.c */
enum err swarm_on_request(struct swarm_peer *, const struct block_req *, int64_t now);
void swarm_on_cancel(struct swarm_peer *, const struct block_req *);
void swarm_drop_serving(struct swarm_peer *);   /* we choke the peer now */
void swarm_forget_serving(struct swarm_peer *); /* the peer leaves */

/* choke.c */
void swarm_unchoke_if_room(struct swarm_peer *, int64_t now); /* a free slot needs no vote */
void swarm_run_choker(struct swarm *, int64_t now);

/* verdict.c */
void swarm_tick_haves(
	struct swarm_peer *); /* HAVEs that the peer did not take when they were due */
void swarm_note_departed(const struct swarm_peer *); /* it leaves, and has sent something */
void swarm_convict_all(struct swarm *, const struct smartban_names *); /* guilty for sure */

/* late.c */
void swarm_late_add(struct swarm_peer *, const struct block_req *); /* it was given up */
void swarm_late_excuse(struct swarm_peer *, uint32_t n); /* so many blocks may come unasked */
void swarm_late_forget(struct swarm_peer *);             /* it will answer none of them */
/* It will not answer this one; false: it was not among them. */
bool swarm_late_drop(struct swarm_peer *, const struct block_req *);
/* It is asked anew for what was given up; true: the request stands, no message is needed. */
bool swarm_late_resume(struct swarm_peer *, const struct block_req *);
/* A block came that is not in ->asked.  TAKE: it is now, and charged. */
enum block_fate swarm_late_block(struct swarm_peer *, const struct block_req *);
/* A block that was given up while it came in; true: it is in ->asked again, and charged. */
bool swarm_late_reclaim(struct swarm_peer *, const struct block_req *);
void swarm_late_tick(struct swarm_peer *); /* cancels what others brought */

/* idle.c */
#define ANY_PIECE UINT32_MAX
void swarm_idle(struct swarm_peer *, bool idle); /* there is nothing for it to ask for */
/* So many blocks, of that piece, became free: those who may want them ask again. */
void swarm_wake_idle(struct swarm *, uint32_t blocks, uint32_t piece);

/* greet.c */
void swarm_note_seed(struct swarm_peer *, int64_t now);
void swarm_greet(struct swarm_peer *, int64_t now); /* its pieces are known, or it has none */

/* bare.c */
enum err swarm_bare_event(struct swarm_peer *, const struct wire_ev *, int64_t now);
void swarm_forget_heard(struct swarm_peer *);

/* info.c */
enum err swarm_on_metadata(struct swarm_peer *, struct slice payload, int64_t now);
void swarm_info_claimed(struct swarm_peer *, int64_t now); /* its handshake has come */
void swarm_info_tick(struct swarm *, int64_t now);
void swarm_info_leave(struct swarm_peer *, int64_t now);
uint32_t swarm_info_size(const struct swarm *); /* bytes that others may fetch; 0: none */

/* ext.c */
void swarm_say_extended(struct swarm_peer *); /* BEP 10 handshake; the caller wakes */
void swarm_update_offers(struct swarm *);     /* what is offered may have changed: to all */
enum err swarm_on_extended(struct swarm_peer *, const struct wire_ev *, int64_t now);
void swarm_update_upload_only(struct swarm *); /* tells whom it is news that we want nothing */

/* donthave.c */
enum err swarm_on_donthave(struct swarm_peer *, struct slice payload, int64_t now);
void swarm_say_donthave(struct swarm_peer *, uint32_t piece); /* it was told that we have it */

/* pex.c */
void swarm_tick_pex(struct swarm *, int64_t now); /* before anything else is said in a tick */
void swarm_pex_leave(struct swarm_peer *);        /* the peer goes; it may be joined anew */
void swarm_pex_forget(struct swarm *);            /* who was told what, of all */
enum err swarm_on_pex(struct swarm_peer *, struct slice payload, int64_t now);

/* fast.c */
void swarm_grant_fast(struct swarm_peer *);                 /* once its pieces are known */
void swarm_note_known(struct swarm_peer *, uint32_t piece); /* it needs no hint of that one */
/* It asks for that while we choke it: whether it may have it, which is counted. */
bool swarm_use_grant(struct swarm_peer *, const struct block_req *);
enum err swarm_on_reject(struct swarm_peer *, const struct wire_ev *, int64_t now);
enum err swarm_on_allowed_fast(struct swarm_peer *, const struct wire_ev *);
enum err swarm_on_suggest(struct swarm_peer *, const struct wire_ev *);
void swarm_prune_suggestions(struct swarm_peer *); /* forgets what we do not want any more */

/* super.c */
void swarm_update_super(struct swarm *, int64_t now);
bool swarm_super_hides(const struct swarm_peer *); /* it joins, and is to be masked */
void swarm_mask(struct swarm_peer *);
void swarm_unmask(struct swarm_peer *);
void swarm_super_show(struct swarm_peer *, int64_t now);
void swarm_super_asked(struct swarm_peer *, const struct block_req *, int64_t now);
void swarm_super_seen(struct swarm *, uint32_t piece, int64_t now); /* somebody has it now */
void swarm_super_choke(struct swarm_peer *, int64_t now);           /* am_choking has changed */
/* It is to be choked; true: not yet, and it is shown nothing more. */
bool swarm_super_retires(struct swarm_peer *, int64_t now);
/* In place of its rate, for the choker: greater is who passes on sooner. */
uint64_t swarm_super_merit(const struct swarm_peer *, int64_t now);
bool swarm_super_is_full(const struct swarm_peer *);    /* it is to have no slot now */
void swarm_super_idle(struct swarm_peer *);             /* all that was asked of us has left */
void swarm_super_met_seed(struct swarm *, int64_t now); /* we are not the only one */
void swarm_tick_super(struct swarm *, int64_t now);

#endif
