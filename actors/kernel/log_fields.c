/* SPDX-License-Identifier: MIT */
/*
 * The values of a log line, so that nobody can forge one.
 *
 * The format says where a field begins and ends: "key=" up to the next space that the format itself
 * has, or in quotes that the format has.  Whatever the values put there belongs to that field:
 * where it has a space, a quote, a "=" or anything that does not print, the whole value is quoted
 * and that is escaped.  So whoever chooses a torrent's name chooses a value and never a key.
 */
#include "actors/kernel/log_priv.h"

#include <stdio.h>

#define VALUE_MAX 768u

struct line {
	char *out;
	size_t n, size;
};

/* The value of a field as its conversions give it, before it is quoted. */
struct value {
	char text[VALUE_MAX];
	size_t n;
	bool in_field; /* after "key=" */
	bool quoted;   /* by the format */
};

static void put(struct line *l, const char *text, size_t n)
{
	n = MIN(n, l->size - l->n);
	memcpy(l->out + l->n, text, n);
	l->n += n;
}

static void add(struct value *v, const char *text, size_t n)
{
	n = MIN(n, sizeof v->text - 1 - v->n);
	memcpy(v->text + v->n, text, n);
	v->n += n;
	v->text[v->n] = '\0';
}

/* Printable, and nothing that a reader of key=value takes for the end of the value. */
static bool is_plain(const char *text)
{
	while (*text != '\0') {
		unsigned n = log_printable(text);

		if (n == 0 || strchr(" =\"\\", *text) != NULL)
			return false;
		text += n;
	}
	return true;
}

/* Ends the value, and the field. */
static void flush(struct line *l, struct value *v)
{
	char safe[VALUE_MAX];

	if (!v->in_field || (!v->quoted && is_plain(v->text))) {
		put(l, v->text, v->n);
	} else {
		log_safe(v->text, safe, sizeof safe);
		put(l, "\"", 1);
		put(l, safe, strlen(safe));
		put(l, "\"", 1);
	}
	v->n = 0;
	v->text[0] = '\0';
	v->in_field = v->quoted = false;
}

static void add_literal(struct line *l, struct value *v, char c)
{
	if (v->in_field && v->quoted && c == '"') {
		flush(l, v);
	} else if (v->in_field && v->n == 0 && c == '"') {
		v->quoted = true;
	} else if (c == ' ' && !v->quoted) {
		flush(l, v);
		put(l, " ", 1);
	} else if (c == '=' && !v->in_field) {
		add(v, "=", 1);
		flush(l, v);
		v->in_field = true;
	} else {
		add(v, &c, 1);
	}
}

/* One conversion of printf, "%-5.*s": how long it is, and what is in it. */
struct spec {
	char text[32];
	size_t n; /* in the format */
	char length, kind;
	int stars;
};

static struct spec read_spec(const char *fmt)
{
	size_t n = 1 + strspn(fmt + 1, "-+ #0123456789.*");
	size_t lengths = strspn(fmt + n, "hljzt");
	struct spec s = {.n = n + lengths + 1, .kind = fmt[n + lengths]};

	must(s.n < sizeof s.text);
	memcpy(s.text, fmt, s.n);
	for (size_t i = 1; i < n; i++)
		s.stars += fmt[i] == '*';
	s.length = lengths == 0 ? '\0' : fmt[n];
	return s;
}

/* The conversions are checked at the call of log_event(), by the compiler. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#define PRINT(arg)                                                                                 \
	(s->stars == 2          ? snprintf(out, size, s->text, star[0], star[1], (arg))            \
		: s->stars == 1 ? snprintf(out, size, s->text, star[0], (arg))                     \
				: snprintf(out, size, s->text, (arg)))

static int convert(const struct spec *s, char *out, size_t size, struct log_args *args)
{
	int star[2] = {0, 0};

	for (int i = 0; i < MIN(s->stars, 2); i++)
		star[i] = va_arg(args->ap, int);
	switch (s->kind) {
	case 's':
		return PRINT(va_arg(args->ap, const char *));
	case 'p':
		return PRINT(va_arg(args->ap, void *));
	case 'f':
	case 'g':
	case 'e':
		return PRINT(va_arg(args->ap, double));
	case 'd':
	case 'i':
	case 'u':
	case 'x':
	case 'X':
	case 'o':
	case 'c':
		if (s->length == 'l' || s->length == 'j' || s->length == 'z' || s->length == 't')
			return PRINT(va_arg(args->ap, long));
		return PRINT(va_arg(args->ap, int));
	default:
		must_not_reach("a conversion that log lines do not have");
	}
}
#pragma GCC diagnostic pop

_Static_assert(sizeof(long) == sizeof(long long) && sizeof(long) == sizeof(size_t),
	"all long integers travel alike");

size_t log_fields(char *out, size_t size, const char *fmt, struct log_args *args)
{
	struct line l = {.out = out, .size = size};
	struct value v = {.n = 0};
	char text[VALUE_MAX];

	while (*fmt != '\0') {
		struct spec s;
		int n;

		if (*fmt != '%' || fmt[1] == '%') {
			add_literal(&l, &v, *fmt);
			fmt += *fmt == '%' ? 2 : 1;
			continue;
		}
		s = read_spec(fmt);
		n = convert(&s, text, sizeof text, args);
		if (n > 0)
			add(&v, text, MIN((size_t)n, sizeof text - 1));
		fmt += s.n;
	}
	flush(&l, &v);
	return l.n;
}

/* --- values from strangers --- */

unsigned log_printable(const char *at)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)at;
	unsigned n = *s < 0x80 ? 1 : *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : *s >= 0xc0 ? 2 : 0;
	uint32_t c = n < 2 ? *s : *s & (0x7fu >> n);

	if (n == 0 || *s >= 0xf8)
		return 0;
	for (unsigned i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[n] || c < 0x20 || (c >= 0x7f && c < 0xa0) || c > 0x10ffff)
		return 0;
	/* Surrogates, and characters that turn the direction of a terminal's line or end it. */
	if ((c >= 0xd800 && c <= 0xdfff) || (c >= 0x2028 && c <= 0x202e) ||
		(c >= 0x2066 && c <= 0x2069) || c == 0xfeff)
		return 0;
	return n;
}

const char *log_safe(const char *s, char *buf, size_t size)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t used = 0;

	must(size > 0);
	while (*p != '\0') {
		unsigned n = *p == '"' || *p == '\\' ? 0 : log_printable((const char *)p);

		if (used + (n ? n : 4) >= size)
			break;
		if (n > 0)
			memcpy(buf + used, p, n);
		else
			(void)snprintf(buf + used, size - used, "\\x%02X", *p);
		used += n ? n : 4;
		p += n ? n : 1;
	}
	buf[used] = '\0';
	return buf;
}
