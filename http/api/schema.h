/* SPDX-License-Identifier: MIT */
/* JSON Schema (2020-12) of what the API takes and gives, from the tables of this folder.  Pure. */
#ifndef HTTP_API_SCHEMA_H
#define HTTP_API_SCHEMA_H

#include "proto/base/json_out.h"

/* Writes the schema of a type as schemas.def has them: "text?", "[Peer]".  Objects are referred to.
 */
void schema_put(struct json_out *, const char *type);
/* Writes all objects: a member each of the object that is open. */
void schema_put_objects(struct json_out *);
/* Whether that is a type: of known words and objects alone. */
bool schema_is_type(const char *type);

#endif
