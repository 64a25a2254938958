/* SPDX-License-Identifier: MIT */
/* The life of a torrent as a table: what is not in it is proven impossible here, pair by pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/session/priv.h"

#define BIT(e) (1u << TEVENT_##e)

/* What the store says, which may be on its way in every phase it knows the torrent in. */
#define NEWS (BIT(READY) | BIT(UNUSABLE) | BIT(LOST))
/* What people ask for, of torrents that they see. */
#define ASKED (BIT(CHECK) | BIT(RETRY) | BIT(REMOVE))
/* Each of these follows from one thing that was begun in one phase, or from what its action found.
 */
#define NOT_BEGUN                                                                                  \
	(BIT(LOOK) | BIT(TAKEN) | BIT(REFUSED) | BIT(STORED) | BIT(SEEK) | BIT(FOUND) | BIT(BAD) | \
		BIT(NO_PLACE) | BIT(NO_ROOT) | BIT(PLACE) | BIT(HASH) | BIT(REOPEN) | BIT(OPEN) |  \
		BIT(DETACHED) | BIT(CLOSED) | BIT(NO_FILES) | BIT(TRASHED) | BIT(SHIFT) |          \
		BIT(FORGOTTEN))

static const struct {
	enum torrent_phase phase;
	unsigned begun; /* events of NOT_BEGUN that can come here after all */
	unsigned never; /* others that cannot */
	const char *why;
} impossible[] = {
	{TPHASE_ADDING, BIT(STORED) | BIT(SEEK) | BIT(LOOK) | BIT(REFUSED) | BIT(SHIFT),
		NEWS | BIT(CHECK) | BIT(RETRY),
		"neither people nor the store know it; one that was being removed is loaded"},
	{TPHASE_LOOKING, BIT(TAKEN), NEWS | BIT(CHECK) | BIT(RETRY),
		"people see a preview of it; REMOVE is the end of that"},
	{TPHASE_METADATA, BIT(FOUND) | BIT(BAD), NEWS | BIT(CHECK),
		"the store does not know it, and there is nothing to check"},
	{TPHASE_KEEPING, BIT(STORED) | BIT(NO_PLACE), NEWS, "the store does not know it"},
	{TPHASE_WAITING, BIT(NO_ROOT) | BIT(PLACE), 0, "only session_open_more() takes from it"},
	{TPHASE_OPENING, 0, 0, "the store answers"},
	{TPHASE_READY, BIT(SHIFT), 0, "nothing is under way"},
	{TPHASE_DETACHING, BIT(DETACHED), 0, "peers answer"},
	{TPHASE_CHECKING, 0, 0, "the store answers"},
	{TPHASE_FAILED, BIT(HASH) | BIT(OPEN) | BIT(REOPEN) | BIT(SEEK), 0, "its actions choose"},
	{TPHASE_REOPENING, BIT(CLOSED), 0, "the store answers"},
	{TPHASE_LIFTING, BIT(DETACHED), ASKED, "commands wait"},
	{TPHASE_SHUTTING, BIT(CLOSED), ASKED, "commands wait"},
	{TPHASE_SHIFTING, BIT(STORED), BIT(CHECK) | BIT(REMOVE),
		"commands wait; RETRY is its timer's"},
	{TPHASE_LEAVING, BIT(DETACHED), ASKED, "people do not see it"},
	{TPHASE_DROPPING, BIT(CLOSED), ASKED, "people do not see it"},
	{TPHASE_CLOSING, BIT(CLOSED) | BIT(NO_FILES), ASKED, "people do not see it"},
	{TPHASE_TRASHING, BIT(TRASHED), ASKED, "people do not see it"},
	{TPHASE_FORGETTING, BIT(FORGOTTEN), BIT(CHECK) | BIT(REMOVE),
		"people do not see it; RETRY is its timer's"},
	{TPHASE_PARTING, BIT(DETACHED), NEWS | ASKED, "people never saw it"},
	{TPHASE_GONE, 0, NEWS | ASKED, "it is freed"},
};

static void test_every_pair(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_LEN(impossible), TPHASE_MAX_);
	for (unsigned i = 0; i < ARRAY_LEN(impossible); i++) {
		enum torrent_phase p = impossible[i].phase;
		unsigned never = impossible[i].never | (NOT_BEGUN & ~impossible[i].begun);

		assert_int_equal(p, i);
		assert_non_null(torrent_phase_name(p));
		assert_false(torrent_event_possible(p, TEVENT_NONE));
		for (unsigned e = TEVENT_NONE + 1; e < TEVENT_MAX_; e++)
			if (torrent_event_possible(p, e) == ((never >> e & 1) != 0))
				fail_msg("phase %s, event %u: in the table or impossible (%s)?",
					torrent_phase_name(p), e, impossible[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_pair)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
