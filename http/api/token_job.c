/* SPDX-License-Identifier: MIT */
/*
 * Making and revoking tokens, which ends in the database before it is answered.
 *
 * The job is its own, not the request's: who asks for a token to be revoked and hangs up has it
 * revoked all the same, in memory too.
 */
#include "http/api/token_job.h"

#include "actors/kernel/clock.h"

#define JOB_MAGIC 0x544a4f42u

struct token_job {
	uint32_t magic;
	struct request *r; /* borrowed; NULL: it is over */
	struct tokens *tokens;
	char secret[TOKEN_SECRET]; /* TOKEN_ADD */
	token_done_f *done;
};

static void on_gone(void *ctx)
{
	struct token_job *j;

	CAST_OBJ(j, ctx, JOB_MAGIC);
	j->r = NULL;
}

static void apply_job(struct token_job *j, const struct m_state_token *m)
{
	if (m->instead != 0)
		tokens_drop(j->tokens, m->instead);
	if (m->op == TOKEN_DROP)
		tokens_drop(j->tokens, m->token.id);
	else if (m->token.id != 0)
		tokens_add(j->tokens, &m->token);
}

static void answer(struct token_job *j, enum err err, const struct m_state_token *m)
{
	if (err != E_OK)
		answer_err(j->r, err, NULL);
	else if (m->token.id == 0)
		answer_text(j->r, 401, "the token has just been revoked");
	else
		j->done(j->r, &m->token, j->secret);
}

static void on_stored(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	const struct m_state_token *stored = m != NULL ? MSG_AS(STATE_TOKEN, *m) : NULL;
	struct token_job *j;

	(void)a;
	CAST_OBJ(j, ctx, JOB_MAGIC);
	if (err == E_OK)
		apply_job(j, stored);
	if (j->r != NULL) {
		struct request *r = j->r;

		request_on_gone(r, NULL, NULL);
		answer(j, err, stored);
		request_resume(r);
	}
	explicit_bzero(j->secret, sizeof j->secret);
	FREE_OBJ(j);
}

static struct token_job *job_new(struct request *r, token_done_f *done)
{
	struct token_job *j;

	ALLOC_OBJ(j, JOB_MAGIC);
	j->r = r;
	j->tokens = request_tokens(r);
	j->done = done;
	request_on_gone(r, on_gone, j);
	return j;
}

static void begin_job(struct token_job *j, struct m_state_token *m)
{
	struct actor *a = request_actor(j->r);

	request_suspend(j->r);
	msg_call(a, ADDR_STATE, m, on_stored, j);
}

/* false: answered. */
static bool find_place(struct request *r, const struct token_record *wish, int64_t *instead)
{
	const struct token_record *spare;

	*instead = 0;
	if (!tokens_full(request_tokens(r)))
		return true;
	spare = tokens_spare(request_tokens(r), wish->kind, clock_wall_s());
	if (spare == NULL) {
		answer_problem(r, 409, "too_many_tokens",
			"there are %u tokens: revoke some that are not needed", TOKENS_MAX);
		return false;
	}
	*instead = spare->id;
	return true;
}

void api_job_make(struct request *r, const struct token_record *wish, token_done_f *done)
{
	struct m_state_token *m;
	struct token_job *j;
	int64_t instead;

	if (!request_may_wait(r) || !find_place(r, wish, &instead))
		return;
	j = job_new(r, done);
	m = msg_new(request_actor(r), MSG_STATE_TOKEN);
	m->op = TOKEN_ADD;
	m->instead = instead;
	m->token = *wish;
	m->token.created = clock_wall_s();
	token_make(&m->token, j->secret);
	begin_job(j, m);
}

void api_job_drop(struct request *r, int64_t id, token_done_f *done)
{
	struct m_state_token *m;

	if (!request_may_wait(r))
		return;
	m = msg_new(request_actor(r), MSG_STATE_TOKEN);
	m->op = TOKEN_DROP;
	m->token.id = id;
	begin_job(job_new(r, done), m);
}
