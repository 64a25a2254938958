/* SPDX-License-Identifier: MIT */
/* Pairings: codes and links for new devices. */
#include "http/access/pairings.h"

#include "actors/kernel/random.h"

#define PAIRINGS_MAGIC 0x50414952u

#define PAIRINGS_MAX 16u
#define TRIES        5u

struct pairing {
	char code[PAIRING_CODE]; /* empty: it has none, or none any more */
	uint8_t digest[32];      /* of the link's secret */
	unsigned scopes;
	int64_t expires;
	unsigned wrong; /* codes that were tried meanwhile and are nobody's */
};

struct pairings {
	uint32_t magic;
	struct pairing v[PAIRINGS_MAX]; /* in the order of their making */
	unsigned n;
};

struct pairings *pairings_new(void)
{
	struct pairings *ps;

	ALLOC_OBJ(ps, PAIRINGS_MAGIC);
	return ps;
}

void pairings_free(struct pairings **pps)
{
	struct pairings *ps;

	TAKE_OBJ(ps, pps, PAIRINGS_MAGIC);
	FREE_OBJ(ps);
}

static void drop_pairing(struct pairings *ps, unsigned i)
{
	memmove(&ps->v[i], &ps->v[i + 1], (ps->n - i - 1) * sizeof *ps->v);
	ps->n--;
}

static void drop_expired(struct pairings *ps, int64_t now)
{
	for (unsigned i = ps->n; i-- > 0;)
		if (ps->v[i].expires <= now)
			drop_pairing(ps, i);
}

static struct pairing *push_pairing(struct pairings *ps)
{
	if (ps->n == PAIRINGS_MAX)
		drop_pairing(ps, 0);
	ps->v[ps->n] = (struct pairing){0};
	return &ps->v[ps->n++];
}

/* Without letters and digits that look alike.  Each as likely as any other: 39 bits in all. */
static void make_code(char code[PAIRING_CODE])
{
	static const char letters[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
	const unsigned n = sizeof letters - 1;

	for (unsigned i = 0; i < PAIRING_CODE - 1;) {
		uint8_t byte;

		random_bytes(&byte, 1);
		if (byte < 256 / n * n)
			code[i++] = letters[byte % n];
	}
	code[PAIRING_CODE - 1] = '\0';
}

int64_t pairings_add(struct pairings *ps, unsigned scopes, int64_t now, char code[PAIRING_CODE],
	char secret[TOKEN_SECRET])
{
	struct token_record link;
	struct pairing *p;

	CHECK_OBJ(ps, PAIRINGS_MAGIC);
	drop_expired(ps, now);
	p = push_pairing(ps);
	token_make(&link, secret);
	make_code(code);
	memcpy(p->code, code, PAIRING_CODE);
	memcpy(p->digest, link.digest, sizeof p->digest);
	p->scopes = scopes;
	p->expires = now + PAIRING_TIME;
	return p->expires;
}

void pairings_add_link(struct pairings *ps, const struct token_record *t)
{
	struct pairing *p;

	CHECK_OBJ(ps, PAIRINGS_MAGIC);
	p = push_pairing(ps);
	memcpy(p->digest, t->digest, sizeof p->digest);
	p->scopes = t->scopes;
	p->expires = t->expires;
}

static bool take_pairing(struct pairings *ps, unsigned i, unsigned *scopes)
{
	*scopes = ps->v[i].scopes;
	drop_pairing(ps, i);
	return true;
}

/* As it was made, from what a person has typed; false: it cannot be one. */
static bool read_code(const char *text, char code[PAIRING_CODE])
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == ' ' || *text == '-')
			continue;
		if (n == PAIRING_CODE - 1)
			return false;
		code[n++] = (char)(*text >= 'a' && *text <= 'z' ? *text - 'a' + 'A' : *text);
	}
	code[n] = '\0';
	return n == PAIRING_CODE - 1;
}

static void count_wrong(struct pairings *ps)
{
	for (unsigned i = 0; i < ps->n; i++)
		if (++ps->v[i].wrong >= TRIES)
			ps->v[i].code[0] = '\0';
}

bool pairings_take_code(struct pairings *ps, const char *text, int64_t now, unsigned *scopes)
{
	char code[PAIRING_CODE];

	CHECK_OBJ(ps, PAIRINGS_MAGIC);
	drop_expired(ps, now);
	if (!read_code(text, code))
		return false;
	for (unsigned i = 0; i < ps->n; i++)
		if (strcmp(ps->v[i].code, code) == 0)
			return take_pairing(ps, i, scopes);
	count_wrong(ps);
	return false;
}

bool pairings_take_secret(struct pairings *ps, const char *secret, int64_t now, unsigned *scopes)
{
	uint8_t digest[32];

	CHECK_OBJ(ps, PAIRINGS_MAGIC);
	drop_expired(ps, now);
	token_digest(secret, digest);
	for (unsigned i = 0; i < ps->n; i++)
		if (memcmp(ps->v[i].digest, digest, sizeof digest) == 0)
			return take_pairing(ps, i, scopes);
	return false;
}
