/* SPDX-License-Identifier: MIT */
/* Findings, and the page that shows them. */
#include "actors/doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *const doctor_words[DOCTOR_VERDICTS] =
	{[DOCTOR_OK] = "ok", [DOCTOR_WARN] = "warn", [DOCTOR_BAD] = "bad"};

enum doctor_verdict doctor_verdict(const struct findings *f)
{
	enum doctor_verdict worst = DOCTOR_OK;

	for (unsigned i = 0; i < f->n; i++)
		worst = MAX(worst, f->list[i].verdict);
	return worst;
}

void doctor_note(struct findings *f, const char *name, enum doctor_verdict verdict,
	const char *advice, const char *seen, ...)
{
	struct finding *to;
	va_list ap;

	if (f->n >= FINDINGS_MAX)
		return;
	to = &f->list[f->n++];
	to->name = name;
	to->verdict = verdict;
	va_start(ap, seen);
	vsnprintf(to->seen, sizeof to->seen, seen, ap);
	va_end(ap);
	snprintf(to->advice, sizeof to->advice, "%s", advice != NULL ? advice : "");
}

char *doctor_page(const struct findings *f, size_t *n)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, n);

	must(out != NULL);
	for (unsigned i = 0; i < f->n; i++) {
		const struct finding *x = &f->list[i];

		fprintf(out, "%-5s %-14s %s\n", doctor_words[x->verdict], x->name, x->seen);
		if (x->advice[0] != '\0')
			fprintf(out, "%-5s %-14s -> %s\n", "", "", x->advice);
	}
	must(fclose(out) == 0);
	return text;
}
