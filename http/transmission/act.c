/* SPDX-License-Identifier: MIT */
/* Methods that do one thing to some torrents: start, stop, verify, remove, move in the queue. */
#include "http/transmission/priv.h"

/* The same change for each of them. */
static void change_all(
	struct rcall *c, uint8_t (*hashes)[20], uint32_t n, const struct change *change)
{
	struct changes list = {.n = 0};

	for (uint32_t i = 0; i < n; i++) {
		struct change *one = changes_add(&list, hashes[i], change->op);

		one->value = change->value;
		one->move = change->move;
	}
	xfree(hashes);
	rcall_change(c, &list, change->op == TORRENT_MOVE);
}

/* --- that need no argument --- */

static void apply_plainly(struct rcall *c, uint8_t (*hashes)[20], uint32_t n)
{
	struct change change = {.op = (enum torrent_op)c->method->arg};

	change_all(c, hashes, n, &change);
}

void act_plainly(struct rcall *c)
{
	chosen_find(c, false, apply_plainly);
}

static void apply_start_now(struct rcall *c, uint8_t (*hashes)[20], uint32_t n)
{
	struct change change = {.op = TORRENT_START, .value = 1};

	change_all(c, hashes, n, &change);
}

void act_start_now(struct rcall *c)
{
	chosen_find(c, false, apply_start_now);
}

/* --- removing --- */

static void apply_remove(struct rcall *c, uint8_t (*hashes)[20], uint32_t n)
{
	struct change change = {
		.op = TORRENT_REMOVE, .value = rcall_bool(c, "delete_local_data", false)};

	change_all(c, hashes, n, &change);
}

void act_remove(struct rcall *c)
{
	chosen_find(c, false, apply_remove);
}

/* --- the queue --- */

/* So that those who move together keep their order: who goes to the top or down last comes first.
 */
static void apply_move(struct rcall *c, uint8_t (*hashes)[20], uint32_t n)
{
	struct change change = {.op = TORRENT_MOVE, .move = (enum queue_move)c->method->arg};

	if (change.move == MOVE_TOP || change.move == MOVE_DOWN)
		for (uint32_t i = 0; i < n / 2; i++) {
			uint8_t swap[20];

			memcpy(swap, hashes[i], 20);
			memcpy(hashes[i], hashes[n - 1 - i], 20);
			memcpy(hashes[n - 1 - i], swap, 20);
		}
	change_all(c, hashes, n, &change);
}

void act_move(struct rcall *c)
{
	chosen_find(c, true, apply_move);
}
