/* SPDX-License-Identifier: MIT */
/*
 * A connection's bytes under its cipher, if it has one (proto/mse): what comes is decrypted in its
 * place, where it has landed, and what leaves is encrypted in a copy.
 *
 * It is a copy because much of what leaves lies in maps of files, which are others' and may not be
 * altered; the shard has one buffer for it, that stays in the processor's cache, and RC4 costs ten
 * times as much as the copy.  What is encrypted has to leave, in that order and once: the cipher
 * has moved on.  So bytes that the kernel does not take are held, and nothing is laid out before
 * they are gone; how much is encrypted at once follows what the kernel may hold of that connection,
 * which keeps the rest small where the peer is slow.
 *
 * With plain payload the cipher ends with the last byte of the handshake, and the connection is one
 * like all others: nothing is copied.
 */
#include "actors/kernel/fs.h"
#include "actors/peers/priv.h"

#define SEAL_LEAST 16384u

/* --- what comes --- */

static void decrypt(struct cipher *k, const struct iovec *iov, size_t n)
{
	for (; n > 0 && k->in_left > 0; iov++) {
		size_t len = MIN(iov->iov_len, n), part = (size_t)MIN((uint64_t)len, k->in_left);

		rc4_apply(&k->in, iov->iov_base, part);
		if (k->in_left != CIPHER_ALL)
			k->in_left -= part;
		n -= len;
	}
}

/* Whether it does nothing any more. */
static bool is_over(const struct cipher *k)
{
	return k->in_left == 0 && !k->seals && outbuf_len(&k->sealed) == 0;
}

static void drop_cipher(struct conn *c)
{
	outbuf_fini(&c->cipher->sealed);
	explicit_bzero(c->cipher, sizeof *c->cipher);
	xfree(c->cipher);
	c->cipher = NULL;
}

ssize_t stream_read(struct conn *c, const struct iovec *iov, int iovcnt, enum err *err)
{
	CHECK_OBJ(c, CONN_MAGIC);
	ssize_t n = net_readv(c->io.fd, iov, iovcnt, err);

	if (n <= 0 || c->cipher == NULL)
		return n;
	decrypt(c->cipher, iov, (size_t)n);
	if (is_over(c->cipher))
		drop_cipher(c);
	return n;
}

/* --- what leaves --- */

static struct outbuf *held_of(const struct conn *c)
{
	if (c->mse != NULL)
		return mse_output(c->mse);
	return c->cipher != NULL ? &c->cipher->sealed : NULL;
}

size_t stream_held(const struct conn *c)
{
	const struct outbuf *o = held_of(c);

	CHECK_OBJ(c, CONN_MAGIC);
	return o != NULL ? outbuf_len(o) : 0;
}

size_t stream_room(const struct conn *c, size_t max)
{
	CHECK_OBJ(c, CONN_MAGIC);
	size_t seal = MIN(MAX(c->not_sent_low, SEAL_LEAST), STREAM_SEAL);

	return c->cipher != NULL && c->cipher->seals ? MIN(max, seal) : max;
}

static enum err write_bytes(
	struct conn *c, const struct iovec *iov, int n, size_t bytes, size_t *sent)
{
	enum err err = E_OK;
	ssize_t got = net_writev(c->io.fd, iov, n, false, &err);

	*sent = got > 0 ? (size_t)got : 0;
	if (got < 0)
		return err;
	return *sent < bytes ? E_AGAIN : E_OK;
}

static enum err write_held(struct conn *c, size_t max, size_t *sent)
{
	struct outbuf *o = held_of(c);
	struct iovec iov = {o->p + o->head, MIN(outbuf_len(o), max)};
	enum err err = write_bytes(c, &iov, 1, iov.iov_len, sent);

	outbuf_sent(o, *sent);
	if (c->mse == NULL && is_over(c->cipher))
		drop_cipher(c);
	return err;
}

/* A copy of what is laid out, where it may be altered. */
static enum err gather(struct shard *s, const struct departure *d)
{
	size_t at = 0;

	must(d->bytes <= STREAM_SEAL);
	if (s->seal == NULL)
		s->seal = xcalloc(1, STREAM_SEAL);
	if (d->mapped)
		return fs_map_copy(s->seal, d->bytes, d->iov, d->n);
	for (int i = 0; i < d->n; i++) {
		memcpy(s->seal + at, d->iov[i].iov_base, d->iov[i].iov_len);
		at += d->iov[i].iov_len;
	}
	return E_OK;
}

static void hold(struct cipher *k, const uint8_t *p, size_t n)
{
	struct wr w;

	if (n == 0)
		return;
	w = outbuf_begin(&k->sealed, n);
	wr_bytes(&w, p, n);
	outbuf_commit(&k->sealed, &w);
}

static enum err write_sealed(struct conn *c, const struct departure *d, size_t *taken, size_t *sent)
{
	struct shard *s = c->shard;
	struct iovec iov;
	enum err err = gather(s, d);

	/* Where the system forbids the copy, a worker reads into memory of our own. */
	if (err != E_OK)
		return E_FAULT;
	rc4_apply(&c->cipher->out, s->seal, d->bytes);
	*taken = d->bytes;
	iov = (struct iovec){s->seal, d->bytes};
	err = write_bytes(c, &iov, 1, d->bytes, sent);
	hold(c->cipher, s->seal + *sent, d->bytes - *sent);
	return err;
}

enum err stream_write(struct conn *c, const struct departure *d, size_t *taken, size_t *sent)
{
	enum err err;

	CHECK_OBJ(c, CONN_MAGIC);
	*taken = *sent = 0;
	if (stream_held(c) > 0)
		return write_held(c, d->max, sent);
	if (c->cipher != NULL && c->cipher->seals)
		return write_sealed(c, d, taken, sent);
	err = write_bytes(c, d->iov, d->n, d->bytes, sent);
	*taken = *sent;
	return err;
}

/* --- beginning and end --- */

void stream_begin(struct conn *c)
{
	struct cipher *k = xcalloc(1, sizeof *k);
	enum mse_method method;
	size_t first;

	CHECK_OBJ(c, CONN_MAGIC);
	must(c->cipher == NULL);
	method = mse_ciphers(c->mse, &k->in, &k->out, &first);
	k->in_left = method == MSE_RC4 ? CIPHER_ALL : first;
	k->seals = method == MSE_RC4;
	k->sealed = *mse_output(c->mse);
	*mse_output(c->mse) = (struct outbuf){0};
	mse_free(&c->mse);
	c->encryption = method == MSE_RC4 ? PEER_ENCRYPTED_RC4 : PEER_ENCRYPTED_PLAIN;
	c->cipher = k;
	if (is_over(k))
		drop_cipher(c);
}

void stream_end(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	mse_free(&c->mse);
	if (c->cipher != NULL)
		drop_cipher(c);
}
