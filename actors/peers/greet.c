/* SPDX-License-Identifier: MIT */
/*
 * How a connection begins: plainly, or by an encrypted handshake (proto/mse).
 *
 * What the torrent's owner wishes counts, else the configuration.  An address that we dial and that
 * does not understand the greeting is dialled again at once with the other one, where that is
 * allowed: by a new connection, because to those who count bytes the old one has said what it
 * is.  What worked is remembered with the address.
 */
#include "actors/peers/priv.h"

_Static_assert((int)WISH_ENCRYPTION_OFF - 1 == (int)CONFIG_ENCRYPTION_OFF &&
		       (int)WISH_ENCRYPTION_TOLERATED - 1 == (int)CONFIG_ENCRYPTION_TOLERATED &&
		       (int)WISH_ENCRYPTION_PREFERRED - 1 == (int)CONFIG_ENCRYPTION_PREFERRED &&
		       (int)WISH_ENCRYPTION_REQUIRED - 1 == (int)CONFIG_ENCRYPTION_REQUIRED,
	"wishes stand in the order of peers.encryption");

enum config_encryption greet_policy(const struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	if (t->wishes.encryption != WISH_ENCRYPTION_AS_CONFIGURED)
		return (enum config_encryption)(t->wishes.encryption - 1);
	return (enum config_encryption)t->shard->config->peers_encryption;
}

unsigned greet_methods(const struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	if (greet_policy(t) == CONFIG_ENCRYPTION_OFF)
		return 0;
	switch ((enum config_payload)t->shard->config->peers_encryption_payload) {
	case CONFIG_PAYLOAD_PLAIN:
		return MSE_PLAIN;
	case CONFIG_PAYLOAD_RC4:
		return MSE_RC4;
	case CONFIG_PAYLOAD_EITHER:
		break;
	}
	return MSE_EITHER;
}

bool greet_encrypts(const struct peer_torrent *t, const struct endpoint *at)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	enum config_encryption policy = greet_policy(t);

	if (policy == CONFIG_ENCRYPTION_OFF || policy == CONFIG_ENCRYPTION_REQUIRED)
		return policy == CONFIG_ENCRYPTION_REQUIRED;
	switch (peerlist_greeting(swarm_candidates(t->swarm), at)) {
	case PEER_GREET_PLAIN:
		return false;
	case PEER_GREET_ENCRYPTED:
		return true;
	case PEER_GREET_UNKNOWN:
		break;
	}
	return policy == CONFIG_ENCRYPTION_PREFERRED;
}

/* Whether what ended says that the peer does not understand: it hung up, fell silent or spoke
 * nonsense before its first word of ours. */
static bool was_not_understood(const struct conn *c, enum err why)
{
	return !c->incoming && c->state == CONN_HELLO && (c->hello_n == 0 || c->mse != NULL) &&
	       (why == E_CLOSED || why == E_TIMEOUT || why == E_PROTOCOL);
}

bool greet_otherwise(struct conn *c, enum err why)
{
	CHECK_OBJ(c, CONN_MAGIC);
	struct peer_torrent *t = c->torrent;
	enum config_encryption policy = greet_policy(t);

	if (!was_not_understood(c, why) || !t->active || policy == CONFIG_ENCRYPTION_OFF ||
		policy == CONFIG_ENCRYPTION_REQUIRED)
		return false;
	return peerlist_regreet(swarm_candidates(t->swarm), &c->at,
		c->encrypts ? PEER_GREET_PLAIN : PEER_GREET_ENCRYPTED);
}

/* --- the handshake --- */

void greet_begin(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	struct peer_torrent *t = c->torrent;
	uint8_t hello[WIRE_HANDSHAKE];

	must(c->mse == NULL && c->cipher == NULL);
	if (c->incoming) {
		c->mse = mse_answer(random_u64());
		return;
	}
	hello_encode(c, hello);
	c->mse =
		mse_dial(t->meta->infohash.v1, greet_methods(t), hello, sizeof hello, random_u64());
	c->handed = true;
}

enum mse_step greet_step(struct conn *c)
{
	struct dh_key key;
	enum mse_step step;
	size_t used;

	CHECK_OBJ(c, CONN_MAGIC);
	step = mse_input(c->mse, c->hello, c->hello_n, &used);
	must(used == c->hello_n || step == MSE_REFUSED);
	c->hello_n = 0;
	while (step == MSE_KEY && keys_take(c, &key)) {
		mse_key(c->mse, &key);
		explicit_bzero(&key, sizeof key);
		step = mse_input(c->mse, NULL, 0, &used);
	}
	if (step == MSE_DONE)
		stream_begin(c);
	return step;
}
