/* SPDX-License-Identifier: MIT */
/*
 * The main actor: looks after the others, reloads the configuration, stops the daemon.
 *
 * supervise.c is the actor, health.c asks every other once a second whether it turns, reload.c
 * reads the configuration again, options.c changes it, stop.c is the two-phase stop's first phase.
 * All in main's thread, which has no work of its own and so always answers.
 */
#ifndef ACTORS_MAIN_SUPERVISE_H
#define ACTORS_MAIN_SUPERVISE_H

#include "actors/main/descriptors.h"
#include "actors/msg/env.h"

#define SUPERVISOR_MAGIC 0x53555056u

/* What main gives to the main actor's init; borrowed for as long as the actor lives. */
struct supervise_arg {
	struct actors *set;
	const struct config_input *input; /* for reloads; what was changed is the database's */
	const struct actor_env *env;
	const struct config *config; /* init takes a reference */
	const char *changed;         /* over the API, whether or not it counts; NULL: nothing */
	struct descriptors limits;   /* what the configuration is cut to */
	int signals;                 /* signalfd; closed by main */
};

/* One actor under watch. */
struct watched {
	struct supervisor *sup;
	uint16_t addr;
	unsigned index;    /* in the set */
	int64_t pinged_us; /* when the ping under way was sent, 0: none */
	int64_t logged_us; /* when it was last complained about */
	bool quiescing;    /* QUIESCE was sent and not answered */
	bool hung;         /* missed its deadline while stopping */
};

struct supervisor {
	uint32_t magic;
	struct actor *actor;
	const struct supervise_arg *arg;
	struct config_input input;   /* for reloads; .changed is what counts of the next one */
	char *changed;               /* owned: what was changed over the API; NULL: nothing */
	struct msg *changing;        /* OPTIONS_SET that waits for the database; NULL: none */
	char *changing_to;           /* owned: what is changed after it */
	const struct config *config; /* reference: what was read */
	const struct config *told;   /* reference: what the actors have, cut to what fits */
	struct watched *watched;     /* owned: every actor but this one */
	unsigned watched_n;
	struct loop_timer ping_timer;
	struct loop_fd signal_fd;
	unsigned stop_step; /* 0: not stopping */
	unsigned waiting;   /* answers to QUIESCE that this step waits for */
	bool tracker_waiting;
	int64_t stop_us; /* when it began */
	bool failed;     /* somebody hung */
	bool ended;
};

extern const struct actor_spec main_spec;

/* Every actor is quiet, or as quiet as it will get. */
bool supervisor_ended(const struct actor *main_actor);
/* Somebody missed a deadline: threads cannot be joined. */
bool supervisor_failed(const struct actor *main_actor);
/* Begins to stop; a second time gives up at once and leaves the process. */
void supervisor_stop(struct supervisor *);
/* What is logged, as the configuration says: its level, and the messages that are traced. */
void supervisor_set_log(const struct supervisor *);
/* Reads the configuration again and tells it. */
void supervisor_reload(struct supervisor *);
/* Reads it again, with what is changed now: what is wrong is logged and said in `errors`, lines of
 * at most `size` bytes, and changes nothing. */
enum err supervisor_take_config(
	struct supervisor *, struct config_changes *, char *errors, size_t size);
/* options.c: changes options; answers the message. */
void supervisor_change(struct supervisor *, struct msg **);

/* Begins to ping all others; ends it. */
void health_start(struct supervisor *);
void health_stop(struct supervisor *);
/* Fills in the reply. */
void health_report(const struct supervisor *, struct m_health *);
/* What the actor is doing, one line of the log. */
void health_log_stuck(const struct supervisor *, const struct watched *, const char *event);

#endif
