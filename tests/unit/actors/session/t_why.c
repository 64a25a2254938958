/* SPDX-License-Identifier: MIT */
/* Why a torrent is at what it is: facts in, the reason that comes first out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/session/why.h"

#define FACTS(...)                                                                                 \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define NOW(...) .now = {__VA_ARGS__}

static const struct {
	enum torrent_why why;
	struct why_facts facts;
} table[] = {
	{WHY_STOPPED_USER, FACTS(.status = STATUS_STOPPED)},
	{WHY_STOPPED_LIMIT, FACTS(.status = STATUS_STOPPED, .limit_reached = true)},
	{WHY_QUEUE_WAIT, FACTS(.status = STATUS_QUEUED, NOW(.known = 3))},
	{WHY_CHECKING, FACTS(.status = STATUS_CHECKING)},

	{WHY_NO_SOURCES, FACTS(.status = STATUS_METADATA)},
	{WHY_NO_ANSWER, FACTS(.status = STATUS_METADATA, NOW(.known = 3))},
	{WHY_METADATA_WAIT, FACTS(.status = STATUS_METADATA, NOW(.peers = 1))},

	{WHY_NO_SOURCES, FACTS(.status = STATUS_DOWNLOADING)},
	{WHY_TRACKER_ERROR, FACTS(.status = STATUS_DOWNLOADING, .trackers_fail = true)},
	{WHY_NO_ANSWER,
		FACTS(.status = STATUS_DOWNLOADING, .trackers_fail = true, NOW(.known = 1))},
	{WHY_PIECES_MISSING, FACTS(.status = STATUS_DOWNLOADING, NOW(.peers = 2, .known = 2))},
	{WHY_ALL_CHOKED, FACTS(.status = STATUS_DOWNLOADING, NOW(.peers = 2, .useful = 1))},
	{WHY_PEERS_SLOW,
		FACTS(.status = STATUS_DOWNLOADING, NOW(.peers = 2, .useful = 1, .senders = 1))},
	{WHY_MOVING, FACTS(.status = STATUS_DOWNLOADING, NOW(.peers = 2, .down_rate = 1))},
	{WHY_LIMIT_TORRENT, FACTS(.status = STATUS_DOWNLOADING, .down_limit = 1000,
				    NOW(.peers = 2, .down_rate = 900))},
	{WHY_MOVING, FACTS(.status = STATUS_DOWNLOADING, .down_limit = 1000,
			     NOW(.peers = 2, .down_rate = 899))},
	{WHY_LIMIT_GLOBAL, FACTS(.status = STATUS_DOWNLOADING, .all_down_limit = 1000,
				   .all_down = 990, NOW(.peers = 2, .down_rate = 10))},
	{WHY_MOVING, FACTS(.status = STATUS_DOWNLOADING, .all_up_limit = 1000, .all_up = 1000,
			     NOW(.peers = 2, .down_rate = 10))},

	{WHY_SEEDING_IDLE, FACTS(.status = STATUS_SEEDING, NOW(.peers = 4))},
	{WHY_MOVING, FACTS(.status = STATUS_SEEDING, NOW(.peers = 4, .up_rate = 1))},
	{WHY_LIMIT_TORRENT,
		FACTS(.status = STATUS_SEEDING, .up_limit = 10, NOW(.peers = 4, .up_rate = 10))},
	{WHY_LIMIT_GLOBAL, FACTS(.status = STATUS_SEEDING, .all_up_limit = 10, .all_up = 10,
				   NOW(.peers = 4, .up_rate = 1))},

	/* The disk comes before all. */
	{WHY_DISK_FULL, FACTS(.status = STATUS_DOWNLOADING, .refused = true, .trouble = E_NOSPACE,
				NOW(.down_rate = 5))},
	{WHY_NOT_WRITABLE, FACTS(.status = STATUS_QUEUED, .refused = true, .trouble = E_READONLY)},
	{WHY_STOPPED_USER, FACTS(.status = STATUS_STOPPED, .refused = true, .trouble = E_NOSPACE)},
	{WHY_DISK_FULL, FACTS(.status = STATUS_ERROR, .trouble = E_NOSPACE)},
	{WHY_NOT_WRITABLE, FACTS(.status = STATUS_ERROR, .trouble = E_PERM)},
	{WHY_VOLUME_MISSING, FACTS(.status = STATUS_ERROR, .trouble = E_NOENT)},
	{WHY_FILES_CHANGED, FACTS(.status = STATUS_ERROR, .trouble = E_CHANGED)},
	{WHY_PATH_TAKEN, FACTS(.status = STATUS_ERROR, .trouble = E_EXISTS)},
	{WHY_PATH_REFUSED, FACTS(.status = STATUS_ERROR, .trouble = E_PATH)},
	{WHY_BAD_METADATA, FACTS(.status = STATUS_ERROR, .trouble = E_SYNTAX)},
	{WHY_IO_ERROR, FACTS(.status = STATUS_ERROR, .trouble = E_IO)},
	{WHY_IO_ERROR, FACTS(.status = STATUS_ERROR)},
};

static void test_table(void **state)
{
	bool seen[WHY_MAX_] = {false};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		enum torrent_why why = why_of(&table[i].facts);

		if (why != table[i].why)
			fail_msg("row %zu: %d instead of %d", i, why, table[i].why);
		seen[why] = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		if (!seen[i])
			fail_msg("nothing leads to reason %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
