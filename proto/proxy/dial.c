/* SPDX-License-Identifier: MIT */
/* Having a proxy connect to an address. */
#include "proto/proxy/dial.h"

#include <stdio.h>
#include <string.h>

#include "proto/base/encode.h"

#define HEAD_MAX 8192u /* bytes of an HTTP proxy's answer */
#define READ_MAX 256u  /* of them at once */

enum { SOCKS_VERSION = 5, AUTH_VERSION = 1, METHOD_NONE = 0, METHOD_PASSWORD = 2, CMD_CONNECT = 1 };
enum { ATYP_V4 = 1, ATYP_NAME = 3, ATYP_V6 = 4 };

/* Which answer is awaited. */
enum { AT_METHOD, AT_AUTH, AT_REPLY, AT_BOUND, AT_HTTP, AT_END };

static enum proxy_step refuse(struct proxy_dial *d, enum err err, bool broken)
{
	d->state = AT_END;
	d->err = err;
	d->broken = broken;
	d->want = 0;
	return PROXY_REFUSED;
}

static enum proxy_step await(struct proxy_dial *d, unsigned state, size_t n)
{
	d->state = state;
	d->in_n = 0;
	d->want = n;
	return PROXY_MORE;
}

/* --- what is said --- */

static struct wr to_out(struct proxy_dial *d)
{
	return wr_of(d->out + d->out_n, sizeof d->out - d->out_n);
}

static void said(struct proxy_dial *d, const struct wr *w)
{
	must(!w->full);
	d->out_n = (size_t)(w->p - d->out);
}

static enum proxy_step say_request(struct proxy_dial *d)
{
	struct wr w = to_out(d);
	bool v4 = endpoint_is_v4(&d->to);

	wr_u8(&w, SOCKS_VERSION);
	wr_u8(&w, CMD_CONNECT);
	wr_u8(&w, 0);
	wr_u8(&w, v4 ? ATYP_V4 : ATYP_V6);
	if (v4)
		wr_bytes(&w, d->to.ip + 12, 4);
	else
		wr_bytes(&w, d->to.ip, 16);
	wr_u16(&w, d->to.port);
	said(d, &w);
	return await(d, AT_REPLY, 5);
}

static enum proxy_step say_password(struct proxy_dial *d)
{
	struct wr w = to_out(d);

	wr_u8(&w, AUTH_VERSION);
	wr_u8(&w, (uint8_t)strlen(d->user));
	wr_bytes(&w, d->user, strlen(d->user));
	wr_u8(&w, (uint8_t)strlen(d->password));
	wr_bytes(&w, d->password, strlen(d->password));
	said(d, &w);
	return await(d, AT_AUTH, 2);
}

static void say_methods(struct proxy_dial *d)
{
	struct wr w = to_out(d);

	wr_u8(&w, SOCKS_VERSION);
	wr_u8(&w, d->user[0] != '\0' ? 2 : 1);
	wr_u8(&w, METHOD_NONE);
	if (d->user[0] != '\0')
		wr_u8(&w, METHOD_PASSWORD);
	said(d, &w);
	await(d, AT_METHOD, 2);
}

static void say_connect(struct proxy_dial *d)
{
	char at[ENDPOINT_TEXT], login[2 * PROXY_WORD + 2], code[(2 * PROXY_WORD + 4) / 3 * 4 + 5];
	int n;

	endpoint_format(&d->to, at, sizeof at);
	n = snprintf(login, sizeof login, "%s:%s", d->user, d->password);
	base64_encode(login, (size_t)n, code);
	n = snprintf((char *)d->out, sizeof d->out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n",
		at, at, d->user[0] != '\0' ? "Proxy-Authorization: Basic " : "",
		d->user[0] != '\0' ? code : "", d->user[0] != '\0' ? "\r\n" : "");
	must(n > 0 && (size_t)n < sizeof d->out);
	d->out_n = (size_t)n;
	await(d, AT_HTTP, READ_MAX);
}

void proxy_dial_begin(struct proxy_dial *d, enum proxy_kind kind, const char *user,
	const char *password, const struct endpoint *to)
{
	must(kind != PROXY_NONE && strlen(user) <= PROXY_WORD && strlen(password) <= PROXY_WORD);
	*d = (struct proxy_dial){.kind = kind, .user = user, .password = password, .to = *to};
	if (kind == PROXY_SOCKS5)
		say_methods(d);
	else
		say_connect(d);
}

/* --- what is answered --- */

static enum err err_of_reply(uint8_t rep)
{
	static const enum err errs[] = {E_OK, E_REFUSED, E_DENIED, E_UNREACHABLE, E_UNREACHABLE,
		E_REFUSED, E_TIMEOUT, E_UNSUPPORTED, E_UNSUPPORTED};

	return rep < ARRAY_LEN(errs) ? errs[rep] : E_PROTOCOL;
}

static enum proxy_step take_method(struct proxy_dial *d)
{
	if (d->in[0] != SOCKS_VERSION)
		return refuse(d, E_PROTOCOL, true);
	if (d->in[1] == METHOD_NONE)
		return say_request(d);
	if (d->in[1] == METHOD_PASSWORD && d->user[0] != '\0')
		return say_password(d);
	return refuse(d, E_DENIED, true);
}

static enum proxy_step take_auth(struct proxy_dial *d)
{
	return d->in[1] == 0 ? say_request(d) : refuse(d, E_DENIED, true);
}

/* Version, reply, 0, kind of address, and one byte of the address, which is a name's length. */
static enum proxy_step take_reply(struct proxy_dial *d)
{
	uint8_t name_n = d->in[4];

	if (d->in[0] != SOCKS_VERSION)
		return refuse(d, E_PROTOCOL, true);
	if (d->in[1] != 0)
		return refuse(d, err_of_reply(d->in[1]), false);
	switch (d->in[3]) {
	case ATYP_V4:
		return await(d, AT_BOUND, 4 - 1 + 2);
	case ATYP_V6:
		return await(d, AT_BOUND, 16 - 1 + 2);
	case ATYP_NAME:
		return await(d, AT_BOUND, name_n + 2u);
	default:
		return refuse(d, E_PROTOCOL, true);
	}
}

static enum proxy_step open_up(struct proxy_dial *d)
{
	d->state = AT_END;
	d->want = 0;
	return PROXY_OPEN;
}

static enum proxy_step take_socks(struct proxy_dial *d)
{
	switch (d->state) {
	case AT_METHOD:
		return take_method(d);
	case AT_AUTH:
		return take_auth(d);
	case AT_REPLY:
		return take_reply(d);
	default:
		return open_up(d);
	}
}

/* "HTTP/1.1 200": the other words are for people. */
static enum proxy_step take_status(struct proxy_dial *d)
{
	const char *p = (const char *)d->in;

	if (d->in_n < 12 || memcmp(p, "HTTP/1.", 7) != 0 || p[8] != ' ')
		return refuse(d, E_PROTOCOL, true);
	if (p[9] == '2')
		return open_up(d);
	/* 407: it wants a password, or another one. */
	return refuse(d,
		memcmp(p + 9, "407", 3) == 0 || memcmp(p + 9, "403", 3) == 0 ? E_DENIED : E_REFUSED,
		memcmp(p + 9, "407", 3) == 0);
}

static enum proxy_step take_http(struct proxy_dial *d, const uint8_t *p, size_t n)
{
	static const char end[4] = "\r\n\r\n";

	for (size_t i = 0; i < n; i++) {
		if (d->in_n < 12)
			d->in[d->in_n++] = p[i];
		if (p[i] == (uint8_t)end[d->lines])
			d->lines++;
		else
			d->lines = p[i] == '\r';
		if (d->lines == sizeof end)
			return i + 1 == n ? take_status(d) : refuse(d, E_PROTOCOL, true);
		if (++d->head_n > HEAD_MAX)
			return refuse(d, E_TOO_BIG, true);
	}
	return PROXY_MORE;
}

size_t proxy_dial_room(const struct proxy_dial *d)
{
	return d->want;
}

enum proxy_step proxy_dial_input(struct proxy_dial *d, const uint8_t *p, size_t n)
{
	must(n <= d->want);
	if (d->state == AT_HTTP)
		return take_http(d, p, n);
	if (n > 0)
		memcpy(d->in + d->in_n, p, n);
	d->in_n += n;
	d->want -= n;
	return d->want == 0 ? take_socks(d) : PROXY_MORE;
}

void proxy_dial_sent(struct proxy_dial *d, size_t n)
{
	must(n <= d->out_n);
	d->out_n -= n;
	memmove(d->out, d->out + n, d->out_n);
}
