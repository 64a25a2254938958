/* SPDX-License-Identifier: MIT */
/*
 * The pieces of a torrent: as buckets of neighbours, so that a strip on a screen costs the same
 * whatever the torrent is, or each by itself as run lengths.
 */
#include "http/api/aspect.h"

/* A strip: one byte a bucket. */
enum strip { STRIP_HAVE, STRIP_IN_FLIGHT, STRIP_WANTED, STRIP_MIN, STRIP_MEAN, STRIPS };

struct strips {
	uint8_t of[STRIPS][PIECE_BUCKETS_MOST];
};

/* 0 is none and 255 all of them; nothing between is either. */
static uint8_t share(uint32_t part, uint32_t all)
{
	if (part == 0 || part == all)
		return part == 0 ? 0 : 255;
	return (uint8_t)(1 + (uint64_t)part * 253 / all);
}

static void fill_bucket(
	struct strips *s, uint32_t bucket, const struct torrent_view *t, uint32_t from, uint32_t to)
{
	uint32_t have = 0, begun = 0, wanted = 0, least = UINT8_MAX, sum = 0;

	for (uint32_t i = from; i < to; i++) {
		uint8_t state = t->piece_states[i];

		have += (state & PIECE_HAVE) != 0;
		begun += (state & PIECE_BEGUN) != 0;
		wanted += (state & PIECE_WANTED) != 0;
		least = MIN(least, (uint32_t)t->piece_copies[i]);
		sum += t->piece_copies[i];
	}
	s->of[STRIP_HAVE][bucket] = share(have, to - from);
	s->of[STRIP_IN_FLIGHT][bucket] = share(begun, to - from);
	s->of[STRIP_WANTED][bucket] = share(wanted, to - from);
	s->of[STRIP_MIN][bucket] = (uint8_t)least;
	s->of[STRIP_MEAN][bucket] = (uint8_t)(sum / (to - from));
}

static void put_strips(struct json_out *o, const struct torrent_view *t, uint32_t buckets)
{
	struct strips s;

	for (uint32_t b = 0; b < buckets; b++)
		fill_bucket(&s, b, t, (uint32_t)((uint64_t)b * t->bits / buckets),
			(uint32_t)((uint64_t)(b + 1) * t->bits / buckets));
	json_out_put(o, "have", base64, s.of[STRIP_HAVE], buckets);
	json_out_put(o, "in_flight", base64, s.of[STRIP_IN_FLIGHT], buckets);
	json_out_put(o, "wanted", base64, s.of[STRIP_WANTED], buckets);
	json_out_put(o, "min_copies", base64, s.of[STRIP_MIN], buckets);
	json_out_put(o, "mean_copies", base64, s.of[STRIP_MEAN], buckets);
}

/* As many whole copies as the rarest piece has, and the share of the pieces that have more. */
static void put_copies(struct json_out *o, const struct torrent_view *t)
{
	uint32_t least = UINT8_MAX, more = 0;

	for (uint32_t i = 0; i < t->bits; i++)
		least = MIN(least, (uint32_t)t->piece_copies[i]);
	for (uint32_t i = 0; i < t->bits; i++)
		more += t->piece_copies[i] > least;
	json_out_put(o, "copies", real, t->bits > 0 ? least + (double)more / t->bits : 0);
}

void aspect_pieces(struct json_out *o, const struct torrent_view *t, const struct aspect_wish *wish)
{
	uint32_t buckets = MIN(wish->buckets, t->bits);

	json_out_put(o, "pieces", uint, t->bits);
	json_out_put(o, "piece_length", uint, t->piece_length);
	json_out_put(o, "pieces_have", uint, t->have);
	put_copies(o, t);
	if (wish->full)
		return;
	json_out_put(o, "buckets", uint, buckets);
	put_strips(o, t, buckets);
}

/* What is shown of a state: a piece that is here is that, whatever else it is. */
static char letter_of(uint8_t state)
{
	if ((state & PIECE_HAVE) != 0)
		return 'h';
	if ((state & PIECE_BEGUN) != 0)
		return 'f';
	return (state & PIECE_WANTED) != 0 ? 'w' : 's';
}

void aspect_piece_run(struct json_out *o, const struct torrent_view *t,
	const struct aspect_wish *wish, uint32_t *i)
{
	char letter[2] = {letter_of(t->piece_states[*i]), '\0'};
	uint32_t from = *i;

	(void)wish;
	while (*i < t->bits && letter_of(t->piece_states[*i]) == letter[0])
		(*i)++;
	json_out_open(o, '[');
	json_out_text(o, letter);
	json_out_uint(o, *i - from);
	json_out_close(o, ']');
}
