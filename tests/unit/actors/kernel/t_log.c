/* SPDX-License-Identifier: MIT */
/* Log lines as they leave, levels, journald priorities, values from strangers, the ring. */
#include "actors/kernel/log_priv.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct capture {
	int saved, rd;
	char text[16384];
};

static void capture_begin(struct capture *c)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	(void)fflush(stderr);
	c->saved = dup(STDERR_FILENO);
	c->rd = fds[0];
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
}

static const char *capture_end(struct capture *c)
{
	ssize_t n = read(c->rd, c->text, sizeof c->text - 1);

	c->text[n > 0 ? n : 0] = '\0';
	dup2(c->saved, STDERR_FILENO);
	close(c->saved);
	close(c->rd);
	return c->text;
}

/* 2026-11-22T10:00:00Z is skipped, its shape is checked. */
static const char *after_time(const char *line)
{
	static const char shape[] = "0000-00-00T00:00:00Z ";

	for (unsigned i = 0; shape[i] != '\0'; i++) {
		if (shape[i] == '0')
			assert_in_range(line[i], '0', '9');
		else
			assert_int_equal(line[i], shape[i]);
	}
	return line + strlen(shape);
}

static void lines_have_their_form(void **state)
{
	struct capture c;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_set_level(LOG_INFO);
	log_set_actor("peers");
	capture_begin(&c);
	log_event(LOG_INFO, "peer_closed", "n=%d reason=%s", 7, "bad\nbytes");
	assert_string_equal(after_time(capture_end(&c)),
		"info  peers  peer_closed n=7 reason=\"bad\\x0Abytes\"\n");
	capture_begin(&c);
	log_event(LOG_ERROR, "gone", LOG_NOTHING);
	assert_string_equal(after_time(capture_end(&c)), "error peers  gone\n");
	log_set_actor(NULL);
	capture_begin(&c);
	log_event(LOG_WARNING, "plain", " ");
	assert_string_equal(after_time(capture_end(&c)), "warn  main   plain  \n");
}

#define SAYS(want, ...)                                                                            \
	do {                                                                                       \
		capture_begin(&c);                                                                 \
		log_event(LOG_INFO, "e", __VA_ARGS__);                                             \
		assert_string_equal(after_time(capture_end(&c)), "info  main   e " want "\n");     \
	} while (0)

/* The format has the keys; a value is a value, whatever is in it. */
static void values_forge_no_field(void **state)
{
	struct capture c;

	(void)state;
	SAYS("name=\"x err=OK ih=00000000\" n=7", "name=%s n=%u", "x err=OK ih=00000000", 7u);
	SAYS("text=\"a\\x22 k=\\x22b\" z=9", "text=\"%s\" z=%zu", "a\" k=\"b", (size_t)9);
	SAYS("text=\"two words\" k=v", "text=\"%s words\" k=%s", "two", "v");
	SAYS("slash=\"a\\x5C\" k=v", "slash=%s k=%s", "a\\", "v");
	SAYS("v=\"a\\x0Ae k=v\"", "v=%s", "a\ne k=v");
	SAYS("name=caf\xc3\xa9 path=/a/b", "name=%s path=%s", "caf\xc3\xa9", "/a/b");
	SAYS("url=\"http://h/?a=b\" at=h:80", "url=%s at=%s:%d", "http://h/?a=b", "h", 80);
	SAYS("i=-9223372036854775808 x=0f p=100%", "i=%" PRId64 " x=%02x p=%d%%", INT64_MIN, 15u,
		100);
	SAYS("a=abc b=ab c=\"   42\" d=ok", "a=%.3s b=%.*s c=%*d d=%c%c", "abcdef", 2, "abc", 5, 42,
		'o', 'k');
	SAYS("words k=v and more", "%s", "words k=v\nand more");
	SAYS("k= l=1", "k=%s l=%ld", "", 1L);
}

static void long_line_is_cut(void **state)
{
	struct capture c;
	char big[5000];
	const char *line;

	(void)state;
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	capture_begin(&c);
	log_event(LOG_ERROR, "big", "v=%s", big);
	line = capture_end(&c);
	assert_true(strlen(line) <= 1024);
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void level_filters(void **state)
{
	struct capture c;

	(void)state;
	for (enum log_level at = LOG_ERROR; at <= LOG_DEBUG; at++) {
		unsigned lines = 0;

		log_set_level(at);
		assert_int_equal(log_get_level(), at);
		capture_begin(&c);
		for (enum log_level l = LOG_ERROR; l <= LOG_DEBUG; l++)
			log_event(l, "x", "l=%d", (int)l);
		for (const char *p = capture_end(&c); *p; p++)
			lines += *p == '\n';
		assert_int_equal(lines, at + 1);
	}
	log_set_level(LOG_INFO);
}

static void level_names(void **state)
{
	enum log_level l = LOG_ERROR;

	(void)state;
	assert_int_equal(log_level_parse("debug", &l), E_OK);
	assert_int_equal(l, LOG_DEBUG);
	assert_int_equal(log_level_parse("warning", &l), E_OK);
	assert_int_equal(l, LOG_WARNING);
	assert_int_equal(log_level_parse("loud", &l), E_SYNTAX);
	assert_int_equal(log_level_parse("", &l), E_SYNTAX);
	assert_int_equal(l, LOG_WARNING);
}

static void journal_gets_priorities(void **state)
{
	struct capture c;
	char name[64];
	struct stat st;

	(void)state;
	log_set_actor("store");
	capture_begin(&c);
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", name, 1);
	log_event(LOG_ERROR, "a", LOG_NOTHING);
	log_event(LOG_WARNING, "b", "k=%d", 1);
	log_event(LOG_INFO, "c", LOG_NOTHING);
	assert_string_equal(capture_end(&c), "<3>store a\n<4>store b k=1\n<6>store c\n");
	capture_begin(&c); /* another pipe is not the journal's */
	log_event(LOG_INFO, "c", LOG_NOTHING);
	assert_string_equal(after_time(capture_end(&c)), "info  store  c\n");
	unsetenv("JOURNAL_STREAM");
	log_set_actor(NULL);
}

static void strangers_values_are_printable(void **state)
{
	static const struct {
		const char *in;
		size_t room;
		const char *want;
	} rows[] = {
		{"plain", 64, "plain"},
		{"", 64, ""},
		{"a\nb\x1b[0m\x7f", 64, "a\\x0Ab\\x1B[0m\\x7F"},
		{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8e\xb5", 64,
			"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8e\xb5"},
		{"\xc3", 64, "\\xC3"},
		{"\xc0\xaf", 64, "\\xC0\\xAF"},                   /* overlong */
		{"\xed\xa0\x80", 64, "\\xED\\xA0\\x80"},          /* surrogate */
		{"\xf4\x90\x80\x80", 64, "\\xF4\\x90\\x80\\x80"}, /* above U+10FFFF */
		{"\xff\xfe", 64, "\\xFF\\xFE"},
		{"\xc2\x85", 64, "\\xC2\\x85"},          /* a control character */
		{"\xe2\x80\xae", 64, "\\xE2\\x80\\xAE"}, /* right-to-left override */
		{"abcdef", 4, "abc"},
		{"ab\xc3\xa4", 4, "ab"}, /* never half a character */
		{"ab\n", 6, "ab"},       /* never half an escape */
		{"x", 1, ""},
	};
	char buf[64];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(log_safe(rows[i].in, buf, rows[i].room), rows[i].want);
}

static void ring_keeps_the_last(void **state)
{
	static const char filler[] = "v=%d";
	struct capture c;
	const char *text;

	(void)state;
	capture_begin(&c);
	for (int i = 0; i < 255; i++)
		log_event(LOG_DEBUG, "off", filler, i);
	assert_string_equal(capture_end(&c), ""); /* the level is off */
	capture_begin(&c);
	log_event(LOG_INFO, "newest", "v=%d", 4711);
	(void)capture_end(&c);
	capture_begin(&c);
	log_ring_dump(STDERR_FILENO);
	text = capture_end(&c);
	assert_non_null(strstr(text, "newest v=4711\n"));
	assert_non_null(strstr(text, "off v=%d\n")); /* unexpanded */
	assert_null(strstr(text, "peer_closed"));    /* pushed out */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_their_form),
		cmocka_unit_test(values_forge_no_field),
		cmocka_unit_test(long_line_is_cut),
		cmocka_unit_test(level_filters),
		cmocka_unit_test(level_names),
		cmocka_unit_test(journal_gets_priorities),
		cmocka_unit_test(strangers_values_are_printable),
		cmocka_unit_test(ring_keeps_the_last),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
