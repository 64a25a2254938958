/* SPDX-License-Identifier: MIT */
/*
 * QR codes: data and error correction laid out in zigzags around what every code has, beneath the
 * mask that makes the fewest patterns that a reader could take for something else.
 */
#include "proto/base/qr.h"

#include "proto/base/bytes.h"

#define VERSIONS       10u
#define CODEWORDS_MAX  346u
#define BLOCKS_MAX     5u
#define CORRECTION_MAX 26u /* codewords of a block */
#define ALIGNMENTS_MAX 3u

/* By version, for the correction level M. */
static const struct {
	uint16_t codewords; /* of data and correction together */
	uint8_t correction; /* codewords of each block */
	uint8_t blocks,
		shorter; /* so many blocks, of which so many have one codeword of data less */
	uint8_t alignments[ALIGNMENTS_MAX]; /* centres of the patterns, in both directions; 0: none
					     */
} versions[VERSIONS + 1] = {
	[1] = {26, 10, 1, 0, {0}},
	[2] = {44, 16, 1, 0, {6, 18}},
	[3] = {70, 26, 1, 0, {6, 22}},
	[4] = {100, 18, 2, 0, {6, 26}},
	[5] = {134, 24, 2, 0, {6, 30}},
	[6] = {172, 16, 4, 0, {6, 34}},
	[7] = {196, 18, 4, 0, {6, 22, 38}},
	[8] = {242, 22, 4, 2, {6, 24, 42}},
	[9] = {292, 22, 5, 3, {6, 26, 46}},
	[10] = {346, 26, 5, 4, {6, 28, 50}},
};

struct maker {
	struct qr *q;
	unsigned version;
	uint64_t fixed[QR_SIZE_MAX]; /* modules that are no data */
};

/* --- codewords --- */

static unsigned data_room(unsigned version)
{
	unsigned correction = versions[version].correction, blocks = versions[version].blocks;

	return versions[version].codewords - correction * blocks;
}

static unsigned length_bits(unsigned version)
{
	return version < 10 ? 8 : 16;
}

/* Bits from the high one on; *at is how many there are. */
static void put_bits(uint8_t *out, unsigned *at, uint32_t value, unsigned n)
{
	while (n-- > 0) {
		if ((value >> n & 1) != 0)
			out[*at / 8] |= (uint8_t)(0x80 >> *at % 8);
		++*at;
	}
}

/* Mode "bytes", length, text, the end, and what pads. */
static void put_data(uint8_t *out, unsigned version, const char *text, size_t n)
{
	unsigned at = 0, room = data_room(version);

	put_bits(out, &at, 4, 4);
	put_bits(out, &at, (uint32_t)n, length_bits(version));
	for (size_t i = 0; i < n; i++)
		put_bits(out, &at, (uint8_t)text[i], 8);
	at = (at + MIN(4u, room * 8 - at) + 7) / 8 * 8;
	for (unsigned i = 0; at < room * 8; i++)
		put_bits(out, &at, i % 2 == 0 ? 0xec : 0x11, 8);
}

/* In the field of 256 elements with x^8 + x^4 + x^3 + x^2 + 1. */
static uint8_t multiply(uint8_t a, uint8_t b)
{
	unsigned product = 0;

	for (int i = 7; i >= 0; i--) {
		product = product << 1 ^ (product >> 7) * 0x11d;
		if ((b >> i & 1) != 0)
			product ^= a;
	}
	return (uint8_t)product;
}

/* The product of (x - 2^i) for i < n, highest power first, without the leading 1. */
static void make_divisor(uint8_t *divisor, unsigned n)
{
	uint8_t root = 1;

	memset(divisor, 0, n);
	divisor[n - 1] = 1;
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < n; k++) {
			divisor[k] = multiply(divisor[k], root);
			if (k + 1 < n)
				divisor[k] ^= divisor[k + 1];
		}
		root = multiply(root, 2);
	}
}

/* The remainder of the data divided by it. */
static void put_correction(uint8_t *out, const uint8_t *data, unsigned data_n, unsigned n)
{
	uint8_t divisor[CORRECTION_MAX];

	make_divisor(divisor, n);
	memset(out, 0, n);
	for (unsigned i = 0; i < data_n; i++) {
		uint8_t factor = data[i] ^ out[0];

		memmove(out, out + 1, n - 1);
		out[n - 1] = 0;
		for (unsigned k = 0; k < n; k++)
			out[k] ^= multiply(divisor[k], factor);
	}
}

/* The blocks, a codeword of each in turn: first data, then correction. */
static void interleave(uint8_t *out, const uint8_t *data, unsigned version)
{
	unsigned blocks = versions[version].blocks, shorter = versions[version].shorter;
	unsigned n = versions[version].correction,
		 longest = (data_room(version) + shorter) / blocks;
	uint8_t correction[BLOCKS_MAX][CORRECTION_MAX];
	const uint8_t *start[BLOCKS_MAX];

	for (unsigned b = 0; b < blocks; b++) {
		unsigned length = longest - (b < shorter ? 1 : 0);

		start[b] = data;
		put_correction(correction[b], data, length, n);
		data += length;
	}
	for (unsigned i = 0; i < longest; i++)
		for (unsigned b = 0; b < blocks; b++)
			if (i + 1 < longest || b >= shorter)
				*out++ = start[b][i];
	for (unsigned i = 0; i < n; i++)
		for (unsigned b = 0; b < blocks; b++)
			*out++ = correction[b][i];
}

/* --- what every code has --- */

static void set(struct qr *q, unsigned x, unsigned y, bool dark)
{
	uint64_t bit = UINT64_C(1) << x;

	q->dark[y] = dark ? q->dark[y] | bit : q->dark[y] & ~bit;
}

static void fix(struct maker *m, unsigned x, unsigned y, bool dark)
{
	set(m->q, x, y, dark);
	m->fixed[y] |= UINT64_C(1) << x;
}

/* Squares within each other around a centre; what lies outside is left out. */
static void fix_squares(struct maker *m, int cx, int cy, int radius, unsigned light)
{
	int size = (int)m->q->size;

	for (int dy = -radius; dy <= radius; dy++)
		for (int dx = -radius; dx <= radius; dx++) {
			int x = cx + dx, y = cy + dy, ax = dx < 0 ? -dx : dx,
			    ay = dy < 0 ? -dy : dy;

			if (x >= 0 && x < size && y >= 0 && y < size)
				fix(m, (unsigned)x, (unsigned)y, (light >> MAX(ax, ay) & 1) == 0);
		}
}

static void fix_alignments(struct maker *m)
{
	const uint8_t *at = versions[m->version].alignments;
	unsigned n = 0;

	while (n < ALIGNMENTS_MAX && at[n] != 0)
		n++;
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < n; k++) {
			bool corner = (i == 0 && k == 0) || (i == 0 && k == n - 1) ||
				      (i == n - 1 && k == 0);

			if (!corner) /* the large patterns are there */
				fix_squares(m, at[i], at[k], 2, 1u << 1);
		}
}

/* Bits of `value` behind the remainder of its division, which has `bits` bits. */
static uint32_t with_remainder(uint32_t value, uint32_t divisor, unsigned bits)
{
	uint32_t rest = value;

	for (unsigned i = 0; i < bits; i++)
		rest = rest << 1 ^ (rest >> (bits - 1)) * divisor;
	return value << bits | (rest & ((1u << bits) - 1));
}

static void fix_version(struct maker *m)
{
	uint32_t bits = with_remainder(m->version, 0x1f25, 12);

	if (m->version < 7)
		return;
	for (unsigned i = 0; i < 18; i++) {
		bool dark = (bits >> i & 1) != 0;
		unsigned a = m->q->size - 11 + i % 3, b = i / 3;

		fix(m, a, b, dark);
		fix(m, b, a, dark);
	}
}

/* Correction level M and the mask, twice. */
static void fix_format(struct maker *m, unsigned mask)
{
	uint32_t bits = with_remainder(mask, 0x537, 10) ^ 0x5412;
	unsigned size = m->q->size;

	for (unsigned i = 0; i < 15; i++) {
		bool dark = (bits >> i & 1) != 0;

		if (i < 8)
			fix(m, 8, i < 6 ? i : i + 1, dark);
		else
			fix(m, i == 8 ? 7 : 14 - i, 8, dark);
		if (i < 8)
			fix(m, size - 1 - i, 8, dark);
		else
			fix(m, 8, size - 15 + i, dark);
	}
	fix(m, 8, size - 8, true);
}

static void fix_patterns(struct maker *m)
{
	int far = (int)m->q->size - 4;

	for (unsigned i = 0; i < m->q->size; i++) {
		fix(m, 6, i, i % 2 == 0);
		fix(m, i, 6, i % 2 == 0);
	}
	fix_squares(m, 3, 3, 4, 1u << 2 | 1u << 4);
	fix_squares(m, far, 3, 4, 1u << 2 | 1u << 4);
	fix_squares(m, 3, far, 4, 1u << 2 | 1u << 4);
	fix_alignments(m);
	fix_version(m);
	fix_format(m, 0);
}

/* --- data, masked --- */

/* In columns of two modules from the right, up and down in turn; the upright timing pattern is
 * passed over. */
static void lay_out(struct maker *m, const uint8_t *codewords)
{
	unsigned size = m->q->size, at = 0, n = versions[m->version].codewords * 8u;
	bool up = true;

	for (int right = (int)size - 1; right > 0; right -= 2) {
		if (right == 6)
			right = 5;
		for (unsigned i = 0; i < size * 2; i++) {
			unsigned x = (unsigned)right - i % 2, y = up ? size - 1 - i / 2 : i / 2;

			if ((m->fixed[y] >> x & 1) == 0 && at < n) {
				set(m->q, x, y, (codewords[at / 8] >> (7 - at % 8) & 1) != 0);
				at++;
			}
		}
		up = !up;
	}
}

static bool flips(unsigned mask, unsigned x, unsigned y)
{
	switch (mask) {
	case 0:
		return (x + y) % 2 == 0;
	case 1:
		return y % 2 == 0;
	case 2:
		return x % 3 == 0;
	case 3:
		return (x + y) % 3 == 0;
	case 4:
		return (x / 3 + y / 2) % 2 == 0;
	case 5:
		return x * y % 2 + x * y % 3 == 0;
	case 6:
		return (x * y % 2 + x * y % 3) % 2 == 0;
	default:
		return ((x + y) % 2 + x * y % 3) % 2 == 0;
	}
}

/* The same again takes it off. */
static void apply_mask(struct maker *m, unsigned mask)
{
	for (unsigned y = 0; y < m->q->size; y++)
		for (unsigned x = 0; x < m->q->size; x++)
			if ((m->fixed[y] >> x & 1) == 0 && flips(mask, x, y))
				m->q->dark[y] ^= UINT64_C(1) << x;
}

/* --- how well a reader can tell it --- */

/* A row, or a column, as bits. */
static uint64_t line_of(const struct qr *q, unsigned i, bool column)
{
	uint64_t line = 0;

	if (!column)
		return q->dark[i];
	for (unsigned y = 0; y < q->size; y++)
		line |= (q->dark[y] >> i & 1) << y;
	return line;
}

/* Long runs, and what looks like a large pattern. */
static unsigned judge_line(uint64_t line, unsigned size)
{
	unsigned run = 0, sum = 0;

	for (unsigned i = 0; i < size; i++) {
		bool same = i > 0 && (line >> i & 1) == (line >> (i - 1) & 1);

		run = same ? run + 1 : 1;
		if (run >= 5)
			sum += run == 5 ? 3 : 1;
	}
	for (unsigned i = 0; i + 11 <= size; i++) {
		unsigned eleven = (unsigned)(line >> i & 0x7ff);

		if (eleven == 0x05d || eleven == 0x5d0)
			sum += 40;
	}
	return sum;
}

static unsigned judge(const struct qr *q)
{
	unsigned sum = 0, dark = 0, all = q->size * q->size;

	for (unsigned i = 0; i < q->size; i++) {
		sum += judge_line(line_of(q, i, false), q->size);
		sum += judge_line(line_of(q, i, true), q->size);
		dark += (unsigned)__builtin_popcountll(q->dark[i]);
	}
	for (unsigned y = 0; y + 1 < q->size; y++)
		for (unsigned x = 0; x + 1 < q->size; x++) {
			unsigned four =
				(unsigned)((q->dark[y] >> x & 3) << 2 | (q->dark[y + 1] >> x & 3));

			if (four == 0 || four == 15)
				sum += 3;
		}
	return sum + (dark * 2 > all ? dark * 2 - all : all - dark * 2) * 10 / all * 10;
}

static void choose_mask(struct maker *m)
{
	unsigned best = 0, least = UINT32_MAX;

	for (unsigned mask = 0; mask < 8; mask++) {
		unsigned points;

		fix_format(m, mask);
		apply_mask(m, mask);
		points = judge(m->q);
		apply_mask(m, mask);
		if (points < least) {
			least = points;
			best = mask;
		}
	}
	fix_format(m, best);
	apply_mask(m, best);
}

enum err qr_make(struct qr *out, const char *text, size_t n)
{
	struct maker m = {.q = out, .version = 1};
	uint8_t data[CODEWORDS_MAX] = {0}, codewords[CODEWORDS_MAX];

	memset(out, 0, sizeof *out);
	if (n > QR_BYTES_MAX)
		return E_TOO_BIG;
	while (4 + length_bits(m.version) + n * 8 > data_room(m.version) * 8)
		m.version++;
	out->size = 17 + 4 * m.version;
	put_data(data, m.version, text, n);
	interleave(codewords, data, m.version);
	fix_patterns(&m);
	lay_out(&m, codewords);
	choose_mask(&m);
	return E_OK;
}

/* --- on a terminal --- */

static bool dark_at(const struct qr *q, unsigned x, unsigned y)
{
	return x >= QR_QUIET && y >= QR_QUIET && x < QR_QUIET + q->size && y < QR_QUIET + q->size &&
	       qr_dark(q, x - QR_QUIET, y - QR_QUIET);
}

size_t qr_draw(const struct qr *q, char out[QR_TEXT])
{
	/* Upper half, lower half: black on white, whatever the terminal's own colours are. */
	static const char *const halves[] = {" ", "\xe2\x96\x84", "\xe2\x96\x80", "\xe2\x96\x88"};
	struct wr w = wr_of(out, QR_TEXT - 1);
	unsigned side = q->size + 2 * QR_QUIET;

	for (unsigned y = 0; y < side; y += 2) {
		wr_text(&w, "\033[30;107m");
		for (unsigned x = 0; x < side; x++)
			wr_text(&w, halves[dark_at(q, x, y) * 2 + dark_at(q, x, y + 1)]);
		wr_text(&w, "\033[0m\n");
	}
	must(!w.full);
	*w.p = '\0';
	return (size_t)(w.p - (uint8_t *)out);
}
