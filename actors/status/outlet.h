/* SPDX-License-Identifier: MIT */
/*
 * The sockets that other programs talk to: the second wall before ZeroMQ.
 *
 * The first one (kernel/mailbox.h) carries pointers between our own threads and needs no threads of
 * ZeroMQ's; here strangers connect over files and networks, with keys, in a context of its own.
 * Nothing here blocks.  ZMQ_FD is edge-triggered, and a send may swallow what a receive would have
 * been told: after each event and each send the owner receives until E_AGAIN.  One thread at a
 * time.
 */
#ifndef ACTORS_STATUS_OUTLET_H
#define ACTORS_STATUS_OUTLET_H

#include "actors/status/status.h"

#define OUTLET_FDS    3u   /* of outlet_fd() */
#define OUTLET_PREFIX 256u /* bytes of a prefix or question; longer ones are cut */
#define OUTLET_ASKER  256u

/* Who has asked, to be answered. */
struct outlet_asker {
	uint8_t id[OUTLET_ASKER];
	uint32_t id_n;
	bool delimiter; /* of a REQ socket */
};

/* -1: there is no such socket. */
int outlet_fd(const struct outlet *, unsigned i);

/* Whether the clients that may come by CURVE are these (texts in Z85); from now on. */
void outlet_clients(struct outlet *, const struct config_list *);

/* Lets in who may come, and turns away who may not. */
void outlet_judge(struct outlet *);

/* E_OK: somebody subscribed (*on), or the last one who had is gone; E_AGAIN: no more. */
enum err outlet_subscription(struct outlet *, bool *on, char prefix[OUTLET_PREFIX], size_t *n);

/* Never blocks: who is too slow for it loses it. */
void outlet_publish(struct outlet *, struct slice topic, uint64_t sequence, struct slice json);

/* Whether somebody waits with a question; E_OK and it, or E_AGAIN. */
bool outlet_is_asked(struct outlet *);
enum err outlet_question(
	struct outlet *, struct outlet_asker *, char prefix[OUTLET_PREFIX], size_t *n);
void outlet_answer(struct outlet *, const struct outlet_asker *, struct slice json);

#endif
