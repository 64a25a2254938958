/* SPDX-License-Identifier: MIT */
/*
 * Having a proxy connect to an address: SOCKS5 (RFC 1928, RFC 1929) or CONNECT of HTTP (RFC 9110,
 * "CONNECT").
 *
 * Bytes in, bytes out.  A SOCKS5 proxy's answers are asked for by their exact length, so that what
 * follows them is the other side's; an HTTP proxy's end with an empty line, behind which nobody has
 * spoken yet when we speak first.  Values; one owner thread.
 */
#ifndef PROTO_PROXY_DIAL_H
#define PROTO_PROXY_DIAL_H

#include "proto/base/bytes.h"
#include "proto/base/endpoint.h"

#define PROXY_WORD 255u /* bytes of a user's name or a password (RFC 1929) */

enum proxy_kind { PROXY_NONE, PROXY_SOCKS5, PROXY_HTTP };

enum proxy_step {
	PROXY_MORE,   /* send what is to be sent, and bring what comes */
	PROXY_OPEN,   /* the next byte is the other side's, either way */
	PROXY_REFUSED /* err says why */
};

struct proxy_dial {
	enum proxy_kind kind;
	unsigned state;
	enum err err; /* REFUSED; as connecting without a proxy would have it */
	bool broken;  /* REFUSED: it is the proxy that will not, whomever it is asked for */
	struct endpoint to;
	const char *user, *password; /* borrowed, at most PROXY_WORD bytes each; "": none */
	uint8_t in[300];             /* an answer that is not whole */
	size_t in_n, want;           /* its bytes, and those still to come */
	unsigned lines;              /* HTTP: bytes of "\r\n\r\n" seen at the end */
	size_t head_n;               /* HTTP: bytes of the answer */
	uint8_t out[1024];
	size_t out_n; /* to be sent; 0 once proxy_dial_sent() has been told so */
};

void proxy_dial_begin(struct proxy_dial *, enum proxy_kind, const char *user, const char *password,
	const struct endpoint *to);
/* How many bytes may be read at most before the next step. */
size_t proxy_dial_room(const struct proxy_dial *);
/* n <= proxy_dial_room(). */
enum proxy_step proxy_dial_input(struct proxy_dial *, const uint8_t *p, size_t n);
void proxy_dial_sent(struct proxy_dial *, size_t n); /* n <= out_n, the first ones */

#endif
