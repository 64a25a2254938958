/* SPDX-License-Identifier: MIT */
/* Bad pieces in a swarm of several: who is banned, who is not, and that the torrent ends. */
#include "tests/unit/lib/swarm_world.h"

static unsigned all_banned(const struct world *w)
{
	unsigned all = 0;

	for (unsigned i = 0; i < w->n; i++)
		all |= w->node[i].banned;
	return all;
}

/* Honest seeds and a liar beside them: the leech ends with everything, the liar alone is banned. */
static void t_liar(void **state)
{
	static const unsigned lies[] = {100, 30, 5};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct world w;

		world_init(&w, 4, 3);
		w.node[1].lies = lies[i];
		for (unsigned k = 0; k < 3; k++)
			world_connect(&w, 3, k);
		world_run(&w, 300);
		assert_true(world_done(&w));
		assert_int_equal(w.node[3].banned, 1u << 1);
		assert_true(w.node[3].swarm->wasted >= PIECE_LEN);
		assert_true(w.node[3].swarm->failed_pieces > 0);
		assert_false(w.node[3].ends[0].peer->parole);
		assert_false(w.node[3].ends[2].peer->parole);
		world_fini(&w);
	}
}

/* In a mesh of leeches that serve each other nobody but the two liars is ever banned. */
static void t_mesh(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, NODES, 4);
	w.node[1].lies = 20;
	w.node[2].lies = 60;
	world_mesh(&w);
	world_run(&w, 600);
	assert_true(world_done(&w));
	assert_int_equal(all_banned(&w), 1u << 1 | 1u << 2);
	world_fini(&w);
}

/* A liar that is the only one to have it: banned after one piece. */
static void t_alone(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 2, 1);
	w.node[0].lies = 10;
	world_connect(&w, 0, 1);
	world_run(&w, 60);
	assert_false(world_done(&w));
	assert_int_equal(w.node[1].banned, 1);
	assert_int_equal(w.node[1].swarm->failed_pieces, 1);
	world_fini(&w);
}

/* Sends the blocks `from` to `end` of the piece, asked or not before; lies when told. */
static void put_blocks(struct end *e, uint32_t piece, uint32_t from, uint32_t end, bool lie)
{
	struct node *d = e->node;

	for (uint32_t b = from; b < end; b++) {
		uint32_t others[PICKER_REQUESTERS_MAX];
		unsigned n;

		assert_int_equal(picker_received(d->swarm->picker, e->peer->name, piece,
					 b * BLOCK_SIZE, others, &n),
			GOT_NEW);
		e->peer->downloaded += BLOCK_SIZE;
		d->value[piece][b] = right_value(piece, b) + lie;
		if (swarm_suspects(d->swarm, piece))
			swarm_block_digest(d->swarm, piece, b * BLOCK_SIZE, d->value[piece][b]);
	}
	if (picker_complete(d->swarm->picker, piece))
		node_verdict(d, piece);
}

/* Who left before it was found out stays away, and who got its place is not taken for it. */
static void t_gone(void **state)
{
	struct world w;
	struct endpoint liar;

	(void)state;
	world_init(&w, 4, 3);
	world_connect(&w, 3, 0);
	world_connect(&w, 3, 1);
	liar = w.node[3].ends[1].peer->at;
	put_blocks(&w.node[3].ends[0], 5, 0, 2, false);
	put_blocks(&w.node[3].ends[1], 5, 2, 4, true);
	assert_true(w.node[3].ends[0].peer->parole);
	assert_true(w.node[3].ends[1].peer->parole);
	end_close(&w.node[3].ends[1]);
	world_connect(&w, 3, 2);
	put_blocks(&w.node[3].ends[2], 5, 0, 4, false);
	assert_true(bitfield_get(swarm_have(w.node[3].swarm), 5));
	assert_int_equal(w.node[3].banned, 0);
	assert_true(peerlist_is_banned(w.node[3].swarm->candidates, &liar));
	assert_false(peerlist_is_banned(w.node[3].swarm->candidates, &w.node[3].ends[2].peer->at));
	assert_false(w.node[3].ends[0].peer->parole);
	world_fini(&w);
}

/* With the last piece nobody is left to suspect: who has left is remembered until then, not after.
 */
static void t_forgotten(void **state)
{
	struct world w;
	struct swarm *s;

	(void)state;
	world_init(&w, 3, 2);
	world_connect(&w, 2, 0);
	world_connect(&w, 2, 1);
	s = w.node[2].swarm;
	put_blocks(&w.node[2].ends[1], 0, 0, BLOCKS, false);
	assert_null(s->departed);
	end_close(&w.node[2].ends[1]);
	assert_non_null(s->departed);
	for (uint32_t piece = 1; piece < PIECES; piece++) {
		assert_non_null(s->departed);
		put_blocks(&w.node[2].ends[0], piece, 0, BLOCKS, false);
	}
	assert_true(swarm_done(s));
	assert_null(s->departed);
	picker_check(s->picker);
	end_close(&w.node[2].ends[0]);
	assert_null(s->departed);
	world_fini(&w);
}

/* A suspect that comes clean is let go by a whole good piece of its own. */
static void t_parole_ends(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 3, 2);
	world_connect(&w, 2, 0);
	world_connect(&w, 2, 1);
	put_blocks(&w.node[2].ends[0], 5, 0, 2, false);
	put_blocks(&w.node[2].ends[1], 5, 2, 4, true);
	assert_true(w.node[2].ends[0].peer->parole);
	put_blocks(&w.node[2].ends[0], 6, 0, 4, false);
	assert_false(w.node[2].ends[0].peer->parole);
	assert_true(w.node[2].ends[1].peer->parole);
	put_blocks(&w.node[2].ends[1], 7, 0, 4, true);
	assert_int_equal(w.node[2].banned, 1u << 1);
	world_fini(&w);
}

/* Digests that never come: nobody innocent goes, and a sole sender does. */
static void t_no_digests(void **state)
{
	struct world w;
	struct swarm_peer *bad[4];
	uint32_t others[PICKER_REQUESTERS_MAX];
	unsigned n;

	(void)state;
	world_init(&w, 3, 2);
	world_connect(&w, 2, 0);
	world_connect(&w, 2, 1);
	for (uint32_t piece = 0; piece < 10; piece++) {
		for (uint32_t b = 0; b < BLOCKS; b++)
			picker_received(w.node[2].swarm->picker, w.node[2].ends[b % 2].peer->name,
				piece, b * BLOCK_SIZE, others, &n);
		assert_int_equal(swarm_piece_bad(w.node[2].swarm, piece, bad, 4), 0);
	}
	assert_int_equal(w.node[2].swarm->wasted, 10 * PIECE_LEN);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_liar),
		cmocka_unit_test(t_mesh),
		cmocka_unit_test(t_alone),
		cmocka_unit_test(t_gone),
		cmocka_unit_test(t_forgotten),
		cmocka_unit_test(t_parole_ends),
		cmocka_unit_test(t_no_digests),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
