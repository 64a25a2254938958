/* SPDX-License-Identifier: MIT */
/*
 * What reaches us, what does not, and what to do about it: facts, each judged by itself.
 *
 * A library without a thread, for the API, which asks the actors for their facts, and for
 * `torrentd --doctor` where no daemon runs.  Nothing in here is guessed: a finding names what was
 * looked at.
 */
#ifndef ACTORS_DOCTOR_DOCTOR_H
#define ACTORS_DOCTOR_DOCTOR_H

#include "actors/msg/view.h"
#include "actors/msg/volume.h"
#include "config/config.h"

#define FINDINGS_MAX 32u

enum doctor_verdict { DOCTOR_OK, DOCTOR_WARN, DOCTOR_BAD, DOCTOR_VERDICTS };

struct finding {
	const char *name; /* static: what was looked at */
	enum doctor_verdict verdict;
	char seen[320];   /* as it is */
	char advice[400]; /* what a person should do; empty: nothing */
};

/* A zero one is empty. */
struct findings {
	unsigned n; /* at most FINDINGS_MAX; the rest is left out */
	struct finding list[FINDINGS_MAX];
};

extern const char *const doctor_words[DOCTOR_VERDICTS]; /* "ok", "warn", "bad" */

/* The worst of them. */
enum doctor_verdict doctor_verdict(const struct findings *);
/* Notes one whose facts are words; advice NULL or "": none. */
void doctor_note(struct findings *, const char *name, enum doctor_verdict, const char *advice,
	const char *seen, ...) PRINTF_LIKE(5, 6);
/* The page for people; owned by the caller, who frees it by free(). */
char *doctor_page(const struct findings *, size_t *n);

/* facts.c: of actors that have been asked.  Any thread. */
void doctor_network(struct findings *, const struct config *, const struct network_view *);
void doctor_reached(struct findings *, const struct config *, const struct network_view *,
	const struct dht_view *);
void doctor_dht(struct findings *, const struct dht_view *);
void doctor_volumes(struct findings *, const struct volume_view *, uint32_t n);
void doctor_proxy(struct findings *, const struct config *);
void doctor_silent(struct findings *, const char *name, enum err); /* it does not answer */

/* machine.c: reads what the kernel says of itself, and /etc/resolv.conf. */
void doctor_machine(struct findings *, const struct config *);
/* place.c: looks at disks, and may take as long as they do. */
void doctor_places(struct findings *, const struct config *);

#endif
