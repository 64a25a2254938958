/* SPDX-License-Identifier: MIT */
/* Items: the vectors of BEP 44 and 46, what is refused, and the store of others' items. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/encode.h"
#include "proto/dht/item.h"

#define KEY "77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"
#define SIG                                                                                        \
	"305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff"                         \
	"1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01"
#define SIG_SALT                                                                                   \
	"6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d"                         \
	"df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08"
#define KEY46 "8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab36ed63e"

static void put_hex(uint8_t *out, const char *hex)
{
	assert_true(hex_decode(hex, strlen(hex), out, strlen(hex) / 2));
}

static struct slice text_of(const char *s)
{
	return (struct slice){(const uint8_t *)s, strlen(s)};
}

static void assert_id(const struct kad_id *id, const char *hex)
{
	char text[41];

	hex_encode(id->b, sizeof id->b, text);
	assert_string_equal(text, hex);
}

static struct kad_item item_of(const char *key, const char *sig, const char *salt, int64_t seq)
{
	struct krpc m = {.value = text_of("12:Hello World!"), .has_seq = true, .seq = seq};
	uint8_t k[32], s[64];
	struct kad_item item;

	if (key != NULL) {
		put_hex(k, key);
		put_hex(s, sig);
		m.key = k;
		m.signature = s;
	}
	assert_int_equal(kad_item_read(&m, text_of(salt), &item), 0);
	return item;
}

static void t_vectors(void **state)
{
	struct kad_item plain = item_of(KEY, SIG, "", 1),
			salted = item_of(KEY, SIG_SALT, "foobar", 1);
	struct kad_item fixed = item_of(NULL, NULL, "", 0);
	struct kad_id id = kad_item_target(&plain);
	uint8_t key[32];

	(void)state;
	assert_id(&id, "4a533d47ec9c7d95b1ad75f576cffc641853b750");
	assert_true(kad_item_signed(&plain));
	id = kad_item_target(&salted);
	assert_id(&id, "411eba73b6f087ca51a3795d9c8c938d365e32c1");
	assert_true(kad_item_signed(&salted));
	id = kad_item_target(&fixed);
	assert_id(&id, "e5f96f6f38320f0f33959cb4d3d656452117aadb");
	assert_true(kad_item_signed(&fixed));
	/* BEP 46 */
	put_hex(key, KEY46);
	id = kad_item_target_of_key(key, (struct slice){NULL, 0});
	assert_id(&id, "cc3f9d90b572172053626f9980ce261a850d050b");
	id = kad_item_target_of_key(key, text_of("n"));
	assert_id(&id, "59ee7c2cb9b4f7eb1986ee2d18fd2fdb8a56554f");
}

/* Each thing that is signed counts. */
static void t_forged(void **state)
{
	struct kad_item item = item_of(KEY, SIG_SALT, "foobar", 1);

	(void)state;
	item.seq = 2;
	assert_false(kad_item_signed(&item));
	item = item_of(KEY, SIG_SALT, "foobaz", 1);
	assert_false(kad_item_signed(&item));
	item = item_of(KEY, SIG, "foobar", 1);
	assert_false(kad_item_signed(&item));
	item = item_of(KEY, SIG_SALT, "foobar", 1);
	item.value[5] ^= 1;
	assert_false(kad_item_signed(&item));
}

static void t_signing(void **state)
{
	/* RFC 8032, 7.1, test 1. */
	uint8_t seed[32], key[32], wanted[32], sig[64], wanted_sig[64];
	struct kad_item item = item_of(NULL, NULL, "", 0);

	(void)state;
	put_hex(seed, "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
	put_hex(wanted, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
	put_hex(wanted_sig,
		"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a"
		"33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
	ed25519_key(seed, key);
	assert_memory_equal(key, wanted, 32);
	ed25519_sign(seed, (struct slice){NULL, 0}, sig);
	assert_memory_equal(sig, wanted_sig, 64);
	item.salt_n = 3;
	memcpy(item.salt, "abc", 3);
	item.seq = 9;
	kad_item_sign(&item, seed);
	assert_true(item.mutable && kad_item_signed(&item));
	memset(key, 0xff, sizeof key); /* no point of the curve */
	assert_false(ed25519_verify(key, text_of("x"), sig));
}

static void t_refused(void **state)
{
	uint8_t big[KAD_VALUE_MAX + 1] = {0}, k[32] = {0}, s[64] = {0}, salt[65] = {0};
	struct krpc m = {.value = {big, sizeof big}};
	struct kad_item item;

	(void)state;
	assert_int_equal(kad_item_read(&m, text_of(""), &item), KRPC_E_TOO_BIG);
	m.value.n--;
	assert_int_equal(kad_item_read(&m, text_of(""), &item), 0);
	m.key = k;
	assert_int_equal(kad_item_read(&m, text_of(""), &item), KRPC_E_PROTOCOL);
	m.signature = s;
	m.has_seq = true;
	assert_int_equal(kad_item_read(&m, (struct slice){salt, sizeof salt}, &item), KRPC_E_SALT);
	assert_int_equal(kad_item_read(&m, (struct slice){salt, 64}, &item), 0);
	m.value.p = NULL;
	assert_int_equal(kad_item_read(&m, text_of(""), &item), KRPC_E_PROTOCOL);
}

static struct kad_item made(const uint8_t seed[32], int64_t seq, char letter)
{
	struct kad_item item = {.seq = seq, .value_n = 3};

	item.value[0] = '1';
	item.value[1] = ':';
	item.value[2] = (uint8_t)letter;
	kad_item_sign(&item, seed);
	return item;
}

static void t_store(void **state)
{
	const int64_t hour = 3600 * USEC_PER_SEC;
	uint8_t seed[32] = {7};
	struct kad_items *s = kad_items_new(1);
	struct kad_item one = made(seed, 1, 'a'), two = made(seed, 2, 'b'),
			bad = made(seed, 3, 'c');
	struct kad_item other = made(seed, 2, 'x');
	struct kad_id target = kad_item_target(&one);
	int64_t cas = 7;

	(void)state;
	assert_null(kad_items_find(s, &target, 0));
	assert_int_equal(kad_items_put(s, &one, &cas, 0), 0); /* nothing there: cas is ignored */
	assert_int_equal(kad_items_put(s, &two, &cas, 0), KRPC_E_CAS);
	cas = 1;
	assert_int_equal(kad_items_put(s, &two, &cas, 0), 0);
	assert_int_equal(kad_items_put(s, &one, NULL, 0), KRPC_E_SEQ);
	assert_int_equal(kad_items_put(s, &other, NULL, 0), KRPC_E_SEQ);
	bad.signature[0] ^= 1;
	assert_int_equal(kad_items_put(s, &bad, NULL, 0), KRPC_E_SIGNATURE);
	assert_int_equal(kad_items_find(s, &target, 0)->seq, 2);
	/* Put again, it lives on, and keeps its good signature. */
	two.signature[0] ^= 1;
	assert_int_equal(kad_items_put(s, &two, NULL, hour), 0);
	assert_non_null(kad_items_find(s, &target, 2 * hour + 5));
	assert_true(kad_item_signed(kad_items_find(s, &target, 2 * hour + 5)));
	assert_null(kad_items_find(s, &target, 3 * hour));
	assert_int_equal(kad_items_count(s), 0);
	kad_items_free(&s);
}

static void t_bound(void **state)
{
	struct kad_items *s = kad_items_new(1);

	(void)state;
	for (unsigned i = 0; i < 3 * KAD_ITEMS_MAX; i++) {
		struct kad_item item = {.value_n = 4};

		memcpy(item.value, &i, sizeof i);
		assert_int_equal(kad_items_put(s, &item, NULL, i), 0);
	}
	assert_int_equal(kad_items_count(s), KAD_ITEMS_MAX);
	kad_items_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(t_vectors), cmocka_unit_test(t_forged),
		cmocka_unit_test(t_signing), cmocka_unit_test(t_refused), cmocka_unit_test(t_store),
		cmocka_unit_test(t_bound)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
