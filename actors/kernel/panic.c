/* SPDX-License-Identifier: MIT */
/*
 * The end of the program when an invariant is broken.
 *
 * The dump says what was expected and where, which actor had what in hand, the last events of its
 * thread and the way it came; then abort() leaves a core.  A failure inside the dump ends it at
 * once.
 */
#include "actors/kernel/panic.h"

#include <execinfo.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "actors/kernel/clock.h"
#include "actors/kernel/log_priv.h"

#define FRAMES_MAX 64

static __thread const struct panic_hand *hand;
static __thread bool panicking;

void panic_hand_set(const struct panic_hand *h)
{
	hand = h;
}

PRINTF_LIKE(1, 2) static void say(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n > 0 && write(STDERR_FILENO, line, MIN((size_t)n, sizeof line - 1)) < 0)
		return; /* there is nobody to tell */
}

static void say_hand(void)
{
	int64_t now = clock_mono_us();

	say("actor: %s\n", hand != NULL ? hand->actor : log_actor());
	if (hand == NULL)
		return;
	say("turn began: %" PRId64 "us ago\n", now - hand->turn_us);
	if (hand->msg != NULL)
		say("in hand: %s from %u.%u, sent %" PRId64 "us ago\n", hand->msg, hand->from >> 8,
			hand->from & 0xff, now - hand->sent_us);
	else
		say("in hand: no message\n");
}

static void dump(void)
{
	void *frames[FRAMES_MAX];

	if (panic_version != NULL)
		say("version: %s\n", panic_version);
	say_hand();
	say("recent events:\n");
	log_ring_dump(STDERR_FILENO);
	say("backtrace:\n");
	backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
}

_Noreturn void panic_assert(const char *expr, const char *file, int line, const char *func)
{
	if (!panicking) {
		panicking = true;
		say("panic: must(%s) failed in %s, %s:%d\n", expr, func, file, line);
		dump();
	}
	abort();
}

#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
/* Installed with SA_RESETHAND: raising the signal again has its default effect. */
static void end_by_signal(int sig)
{
	if (!panicking) {
		panicking = true;
		say("panic: signal %d\n", sig);
		dump();
	}
	raise(sig);
}

void panic_install(void)
{
	static const int sigs[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	struct sigaction sa = {
		.sa_handler = end_by_signal, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
	void *frame;

	(void)backtrace(&frame, 1); /* loads the unwinder, which allocates */
	for (unsigned i = 0; i < ARRAY_LEN(sigs); i++)
		must(sigaction(sigs[i], &sa, NULL) == 0);
}
#else
void panic_install(void)
{
}
#endif
