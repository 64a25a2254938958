/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli), by which BEP 40 ranks connections and BEP 42 binds node ids to addresses.
 */
#ifndef PROTO_BASE_CRC32C_H
#define PROTO_BASE_CRC32C_H

#include "proto/base/base.h"

/* Pure; any thread. */
uint32_t crc32c(const uint8_t *p, size_t n);

#endif
