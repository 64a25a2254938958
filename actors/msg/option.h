/* SPDX-License-Identifier: MIT */
/* Messages that change options over the API; as in msg.h. */
#ifndef ACTORS_MSG_OPTION_H
#define ACTORS_MSG_OPTION_H

#include "actors/kernel/actor.h"
#include "actors/msg/record.h"
#include "config/config.h"

/* An option and what it is to be. */
struct option_wish {
	char *name;  /* owned: "peers.max" */
	char *value; /* owned: as it would stand in a file; NULL: as configured */
};

/* All of them, or none. */
struct m_options_set {
	struct msg h;
	struct option_wish *wishes; /* owned, with what they own */
	uint32_t wishes_n;
	/* reply */
	enum config_option restart[OPT_MAX_]; /* what counts from the next start on */
	uint32_t restart_n;
	struct words why;
};

/* What is changed from now on, in the syntax of a configuration file: in place of what was. */
struct m_state_options {
	struct msg h;
	char *changed; /* owned */
	/* reply */
	struct words why;
};

void m_options_set_fini(struct m_options_set *);
void m_state_options_fini(struct m_state_options *);

#endif
