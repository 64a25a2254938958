/* SPDX-License-Identifier: MIT */
/* Logins: a few records, looked for by the digest of the secret. */
#include "http/access/logins.h"

#define LOGINS_MAGIC 0x4c4f474eu

struct logins {
	uint32_t magic;
	struct entry {
		bool taken;
		uint8_t digest[32];
		int64_t used;
		struct login login;
	} list[LOGINS_MAX];
};

struct logins *logins_new(void)
{
	struct logins *l;

	ALLOC_OBJ(l, LOGINS_MAGIC);
	return l;
}

void logins_free(struct logins **pl)
{
	struct logins *l;

	TAKE_OBJ(l, pl, LOGINS_MAGIC);
	FREE_OBJ(l);
}

/* A free place, or that of the one that was not used for longest. */
static struct entry *place_of(struct logins *l)
{
	struct entry *oldest = &l->list[0];

	for (unsigned i = 0; i < LOGINS_MAX; i++) {
		if (!l->list[i].taken)
			return &l->list[i];
		if (l->list[i].used < oldest->used)
			oldest = &l->list[i];
	}
	return oldest;
}

void logins_add(struct logins *l, const struct login *login, int64_t now, char secret[TOKEN_SECRET])
{
	struct token_record made = {0};
	struct entry *e;

	CHECK_OBJ(l, LOGINS_MAGIC);
	token_make(&made, secret);
	e = place_of(l);
	*e = (struct entry){.taken = true, .used = now, .login = *login};
	memcpy(e->digest, made.digest, sizeof e->digest);
}

static struct entry *find(struct logins *l, const char *secret)
{
	uint8_t digest[32];

	token_digest(secret, digest);
	for (unsigned i = 0; i < LOGINS_MAX; i++)
		if (l->list[i].taken && memcmp(l->list[i].digest, digest, sizeof digest) == 0)
			return &l->list[i];
	return NULL;
}

bool logins_find(struct logins *l, const char *secret, int64_t now, struct login *out)
{
	struct entry *e;

	CHECK_OBJ(l, LOGINS_MAGIC);
	e = find(l, secret);
	if (e == NULL)
		return false;
	if (now - e->used >= LOGIN_IDLE) {
		e->taken = false;
		return false;
	}
	e->used = now;
	*out = e->login;
	return true;
}

void logins_drop(struct logins *l, const char *secret)
{
	struct entry *e;

	CHECK_OBJ(l, LOGINS_MAGIC);
	e = find(l, secret);
	if (e != NULL)
		e->taken = false;
}

void logins_end(struct logins *l)
{
	CHECK_OBJ(l, LOGINS_MAGIC);
	for (unsigned i = 0; i < LOGINS_MAX; i++)
		if (l->list[i].login.token == 0)
			l->list[i].taken = false;
}
