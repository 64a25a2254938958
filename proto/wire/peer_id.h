/* SPDX-License-Identifier: MIT */
/*
 * Peer ids: ours, and what others' say of their client (BEP 20).  Pure; any thread.
 */
#ifndef PROTO_WIRE_PEER_ID_H
#define PROTO_WIRE_PEER_ID_H

#include "proto/base/base.h"

#define PEER_ID_CLIENT    64 /* room for every name peer_id_client() gives, with its NUL */
#define PEER_ID_PRINTABLE 61

/*
 * "-TD" version "-" and twelve characters of [A-Za-z0-9_~] made from random; version is four
 * characters, such as "0100".
 */
void peer_id_generate(uint8_t out[20], const char version[4], const uint8_t random[12]);

/* The client and its version as printable ASCII, "unknown" when it does not say.  Always
 * terminates. */
void peer_id_client(const uint8_t id[20], char *out, size_t n);

/* Bytes that are not printable ASCII, and the three characters % " \, become %XX: safe in JSON. */
void peer_id_printable(const uint8_t id[20], char out[PEER_ID_PRINTABLE]);

#endif
