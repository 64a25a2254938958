/* SPDX-License-Identifier: MIT */
/* The names in a torrent: those that try to climb, collide or confuse, and very many of them. */
#include "proto/base/encode.h"
#include "tests/unit/lib/torrents.h"

static void test_names(void **unused)
{
	static const struct {
		struct slice in;
		const char *name; /* NULL: the info-hash in hexadecimal */
	} rows[] = {
		{S(INFO("6:lengthi10e4:name1:a10:name.utf-82:\xc3\xa4" PIECES)), "\xc3\xa4"},
		{S(INFO("6:lengthi10e10:name.utf-81:u" PIECES)), "u"},
		{S(INFO("6:lengthi10e4:name1:a10:name.utf-8i1e" PIECES)), "a"},
		{S(INFO("6:lengthi10e4:name3:a/b" PIECES)), "a%2Fb"},
		{S(INFO("6:lengthi10e4:name4:\x83\x65\x83\x58" PIECES)), "%83e%83X"},
		{S(INFO("6:lengthi10e4:name0:" PIECES)), NULL},
		{S(INFO("6:lengthi10e4:name1:." PIECES)), NULL},
		{S(INFO("6:lengthi10e4:name2:.." PIECES)), NULL},
	};
	char hex[41];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct metainfo *m = parse_good(rows[i].in);

		hex_encode(m->infohash.v1, 20, hex);
		assert_string_equal(m->name, rows[i].name != NULL ? rows[i].name : hex);
		assert_string_equal(m->files[0].path, m->name);
		metainfo_unref(&m);
	}
}

static const struct {
	struct slice in;
	const char *path[5]; /* "-": padding */
} paths[] = {
	/* ways out */
	{S(FILES(FILE_("10", "2:..2:..6:passwd"))), {"n/passwd"}},
	{S(FILES(FILE_("10", "0:1:.3:etc0:1:a"))), {"n/etc/a"}},
	{S(FILES(FILE_("10", "6:../../"))), {"n/..%2F..%2F"}},
	{S(FILES(FILE_("10", "4:/etc1:a"))), {"n/%2Fetc/a"}},
	{S(FILES(FILE_("10", "2:.."))), {"n/_"}},
	{S(FILES(FILE_("5", "1:.") FILE_("5", "1:_"))), {"n/_", "n/_.1"}},
	/* the same path twice */
	{S(FILES(FILE_("5", "5:a.txt") FILE_("4", "5:a.txt") FILE_("1", "5:a.txt"))),
		{"n/a.txt", "n/a.1.txt", "n/a.2.txt"}},
	{S(FILES(FILE_("5", "1:a") FILE_("4", "3:a.1") FILE_("1", "1:a"))),
		{"n/a", "n/a.1", "n/a.2"}},
	{S(FILES(FILE_("5", "1:d2:.h") FILE_("5", "1:d2:.h"))), {"n/d/.h", "n/d/.h.1"}},
	{S(FILES(FILE_("5", "1:/") FILE_("5", "3:%2F"))), {"n/%2F", "n/%2F.1"}},
	/* different only in case, or in bytes that are no text */
	{S(FILES(FILE_("5", "1:a") FILE_("5", "1:A"))), {"n/a", "n/A"}},
	{S(FILES(FILE_("5", "1:\xe4") FILE_("5", "1:\xe5"))), {"n/%E4", "n/%E5"}},
	/* a file that is a directory */
	{S(FILES(FILE_("5", "1:a") FILE_("4", "1:a1:b") FILE_("1", "1:a1:c"))),
		{"n/a", "n/a.1/b", "n/a.1/c"}},
	{S(FILES(FILE_("5", "1:a1:b") FILE_("4", "1:a") FILE_("1", "1:a1:c"))),
		{"n/a/b", "n/a.1", "n/a/c"}},
	{S(FILES(FILE_("5", "1:a") FILE_("3", "3:a.1") FILE_("1", "1:a1:b")
			 FILE_("1", "3:a.11:b"))),
		{"n/a", "n/a.1", "n/a.2/b", "n/a.1.1/b"}},
	/* path.utf-8 */
	{S(FILES("d6:lengthi10e4:pathl1:ae10:path.utf-8l1:uee")), {"n/u"}},
	{S(FILES("d6:lengthi10e4:pathl1:ae10:path.utf-8lee")), {"n/a"}},
	{S(FILES("d6:lengthi10e10:path.utf-8l1:uee")), {"n/u"}},
	/* padding, old and new, takes no name from a real file */
	{S(FILES(FILE_("4", "1:a") "d4:attr1:p6:lengthi5e4:pathl4:.pad1:5ee" FILE_("1", "4:.pad"))),
		{"n/a", "-", "n/.pad"}},
	{S(FILES(FILE_("4", "1:a") FILE_("5", "24:_____padding_file_0_if y") FILE_("1", "1:b"))),
		{"n/a", "-", "n/b"}},
	/* padding that names nothing */
	{S(FILES(FILE_("5", "1:a") "d4:attr1:p6:lengthi4ee" FILE_("1", "1:b"))),
		{"n/a", "-", "n/b"}},
	/* a symbolic link has no bytes, and takes no name from a file */
	{S(FILES("d4:attr1:l6:lengthi99e4:pathl1:ae12:symlink pathl2:..ee" FILE_("10", "1:a"))),
		{"-", "n/a"}},
	{S(FILES("d4:attr2:xl4:pathl1:aee" FILE_("10", "1:b"))), {"-", "n/b"}},
};

static void test_paths(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct metainfo *m = parse_good(paths[i].in);
		uint32_t n = 0;

		for (; paths[i].path[n] != NULL; n++) {
			bool pad = strcmp(paths[i].path[n], "-") == 0;

			assert_true(n < m->files_n);
			assert_int_equal(m->files[n].pad, pad);
			if (!pad)
				assert_string_equal(m->files[n].path, paths[i].path[n]);
		}
		assert_int_equal(m->files_n, n);
		assert_int_equal(m->size, 10);
		metainfo_unref(&m);
	}
}

#define LINK(path, target) "d4:attr1:l6:lengthi0e4:pathl" path "e12:symlink pathl" target "ee"
#define AS_FILE            FILE_("4", "1:d1:f") FILE_("3", "1:d1:e1:g") FILE_("3", "1:h")

/* Where links lead: from their own directory on, inside the torrent, or nowhere. */
static const struct {
	struct slice in;
	const char *path, *text; /* of the first link; text NULL: it is not made */
} links[] = {
	{S(FILES(LINK("1:l", "1:h") AS_FILE)), "n/l", "h"},
	{S(FILES(LINK("1:l", "1:d1:f") AS_FILE)), "n/l", "d/f"},
	{S(FILES(LINK("1:l", "1:d") AS_FILE)), "n/l", "d"},
	{S(FILES(LINK("1:d1:l", "1:h") AS_FILE)), "n/d/l", "../h"},
	{S(FILES(LINK("1:d1:l", "1:d1:f") AS_FILE)), "n/d/l", "f"},
	{S(FILES(LINK("1:d1:e1:l", "1:d1:f") AS_FILE)), "n/d/e/l", "../f"},
	{S(FILES(LINK("1:d1:e1:l", "1:d") AS_FILE)), "n/d/e/l", ".."},
	{S(FILES(LINK("1:x1:y1:l", "1:d1:e1:g") AS_FILE)), "n/x/y/l", "../../d/e/g"},
	{S(FILES(LINK("2:dd1:l", "1:d") AS_FILE)), "n/dd/l", "../d"},
	{S(FILES(LINK("1:l", "1:.0:1:h") AS_FILE)), "n/l", "h"},
	/* a taken name, on either side */
	{S(FILES(LINK("1:h", "1:d1:f") AS_FILE)), "n/h.1", "d/f"},
	{S(FILES(LINK("1:l", "1:h1:i") AS_FILE FILE_("0", "1:h1:i"))), "n/l", "h.1/i"},
	{S(FILES(LINK("1:l", "1:/") AS_FILE FILE_("0", "1:/"))), "n/l", "%2F"},
	/* another link, and what lies behind one */
	{S(FILES(LINK("1:l", "1:m") LINK("1:m", "1:d") AS_FILE)), "n/l", "m"},
	{S(FILES(LINK("1:l", "1:m1:f") LINK("1:m", "1:d") AS_FILE)), "n/l", "m/f"},
	{S(FILES(LINK("1:l", "1:m2:..1:f") LINK("1:m", "1:d") AS_FILE)), "n/l", NULL},
	/* ways out, and into nothing */
	{S(FILES(LINK("1:l", "2:..6:passwd") AS_FILE)), "n/l", NULL},
	{S(FILES(LINK("1:l", "1:d2:..2:..6:passwd") AS_FILE)), "n/l", NULL},
	{S(FILES(LINK("1:l", "11:/etc/passwd") AS_FILE)), "n/l", NULL},
	{S(FILES(LINK("1:l", "0:3:etc6:passwd") AS_FILE)), "n/l", NULL},
	{S(FILES(LINK("1:l", "1:h1:x") AS_FILE)), "n/l", NULL},
	{S(FILES(LINK("1:l", "1:l") AS_FILE)), "n/l", NULL},
	{S(FILES(LINK("1:l", "") AS_FILE)), "n/l", NULL},
	{S(FILES(LINK("1:l", "i1e") AS_FILE)), "n/l", NULL},
	{S(FILES(LINK("1:d1:l", "1:d") AS_FILE)), "n/d/l", NULL},
};

static void test_links(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		struct metainfo *m = parse_good(links[i].in);
		const struct metainfo_file *f = &m->files[0];

		assert_true(f->pad && f->length == 0);
		assert_string_equal(f->path, links[i].path);
		if (links[i].text == NULL && f->symlink != NULL)
			fail_msg("link %zu leads to %s", i, f->symlink);
		if (links[i].text != NULL && f->symlink == NULL)
			fail_msg("link %zu is not made", i);
		if (links[i].text != NULL)
			assert_string_equal(f->symlink, links[i].text);
		for (uint32_t k = 1; k < m->files_n; k++)
			assert_true(m->files[k].pad == (m->files[k].symlink != NULL));
		metainfo_unref(&m);
	}
}

static void test_attr(void **unused)
{
	struct metainfo *m = parse_good(
		(struct slice)S(FILES("d4:attr2:hx6:lengthi9e4:pathl1:aee" FILE_("1", "1:b"))));

	(void)unused;
	assert_true(m->files[0].executable && !m->files[0].pad);
	assert_false(m->files[1].executable);
	metainfo_unref(&m);
	m = parse_good((struct slice)S(INFO("4:attr1:x" SINGLE)));
	assert_true(m->files[0].executable);
	metainfo_unref(&m);
}

static void test_long_path(void **unused)
{
	char text[4096];
	struct metainfo *m;
	struct parse_error pe;

	(void)unused;
	for (int names = 8; names <= 9; names++) {
		size_t n =
			(size_t)snprintf(text, sizeof text, "d4:infod5:filesld6:lengthi10e4:pathl");
		enum err e;

		for (int i = 0; i < names; i++)
			n += (size_t)snprintf(text + n, sizeof text - n, "250:%0250d", i);
		n += (size_t)snprintf(text + n, sizeof text - n, "eee4:name1:n" PIECES "ee");
		e = parse_copy((struct slice){(uint8_t *)text, n}, &m, &pe);
		assert_int_equal(e, names == 8 ? E_OK : E_PATH);
		if (e == E_OK)
			metainfo_unref(&m);
		else
			assert_string_equal(pe.what, "info.files[0].path: longer than 2048 bytes");
	}
}

struct bulk {
	char *p;
	size_t n, room;
};

PRINTF_LIKE(2, 3) static void put(struct bulk *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	b->n += (size_t)vsnprintf(b->p + b->n, b->room - b->n, fmt, ap);
	va_end(ap);
	assert_true(b->n < b->room);
}

static struct metainfo *parse_bulk(unsigned files, void (*path)(struct bulk *, unsigned))
{
	struct bulk b = {.room = 64 + (size_t)files * 560};
	struct metainfo *m;

	b.p = malloc(b.room);
	assert_non_null(b.p);
	put(&b, "d4:infod5:filesl");
	for (unsigned i = 0; i < files; i++) {
		put(&b, "d6:lengthi1e4:pathl");
		path(&b, i);
		put(&b, "ee");
	}
	put(&b, "e4:name1:n12:piece lengthi16777216e6:pieces20:" H "ee");
	m = parse_good((struct slice){(uint8_t *)b.p, b.n});
	assert_int_equal(m->files_n, files);
	free(b.p);
	return m;
}

static int compare_paths(const void *a, const void *b)
{
	const struct metainfo_file *fa = a, *fb = b;

	return strcmp(fa->path, fb->path);
}

/* Whether no path occurs twice, and none is a directory of another. */
static void check_unique(const struct metainfo *m)
{
	struct metainfo_file *f = malloc(m->files_n * sizeof *f);

	assert_non_null(f);
	memcpy(f, m->files, m->files_n * sizeof *f);
	qsort(f, m->files_n, sizeof *f, compare_paths);
	for (uint32_t i = 1; i < m->files_n; i++) {
		size_t n = strlen(f[i - 1].path);

		assert_true(strncmp(f[i - 1].path, f[i].path, n) != 0 ||
			    (f[i].path[n] != '\0' && f[i].path[n] != '/'));
	}
	free(f);
}

static void put_same(struct bulk *b, unsigned i)
{
	(void)i;
	put(b, "5:a.txt");
}

static void put_nested(struct bulk *b, unsigned i)
{
	put(b, "%s", i % 3 == 0 ? "1:a" : i % 3 == 1 ? "1:a1:b" : "1:a1:b1:c");
}

/* Names of 255 bytes, twice each, that differ only where a suffix would cut them. */
static void put_long(struct bulk *b, unsigned i)
{
	put(b, "255:%0245d%06u.txt", 0, i / 2);
}

static void put_deep(struct bulk *b, unsigned i)
{
	for (unsigned level = 0; level < 40; level++)
		put(b, "3:%03u", (i >> level % 17) % 2);
	put(b, "6:%06u", i);
}

/* Any of these would take minutes if a step looked at all files before it. */
static void test_bulk(void **unused)
{
	static const struct {
		unsigned files;
		void (*path)(struct bulk *, unsigned);
	} rows[] = {{100000, put_same}, {100000, put_nested}, {40000, put_long}, {20000, put_deep}};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct metainfo *m = parse_bulk(rows[i].files, rows[i].path);

		check_unique(m);
		metainfo_unref(&m);
	}
}

static void put_number(struct bulk *b, unsigned i)
{
	put(b, "7:%07u", i);
}

static void test_million(void **unused)
{
	struct metainfo *m = parse_bulk(METAINFO_FILES_MAX, put_number);

	(void)unused;
	assert_string_equal(m->files[METAINFO_FILES_MAX - 1].path, "n/0999999");
	metainfo_unref(&m);
}

/* The same bytes give the same names, always. */
static void test_deterministic(void **unused)
{
	struct metainfo *a = parse_bulk(300, put_long), *b;

	(void)unused;
	b = parse_good(a->raw);
	assert_true(infohash_equal(&a->infohash, &b->infohash));
	for (uint32_t i = 0; i < a->files_n; i++)
		assert_string_equal(a->files[i].path, b->files[i].path);
	metainfo_unref(&a);
	metainfo_unref(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_attr),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_million),
		cmocka_unit_test(test_deterministic),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
