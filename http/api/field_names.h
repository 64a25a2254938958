/* SPDX-License-Identifier: MIT */
/* Fields that a request names: `fields=name,state`. */
#ifndef HTTP_API_FIELD_NAMES_H
#define HTTP_API_FIELD_NAMES_H

#include "http/server/server.h"

/* The bit of the field of that name; 0: there is none. */
typedef uint32_t field_find_f(struct slice name);
/* As list_fields(). */
typedef enum err field_read_f(uint32_t *fields, const char *names, struct slice *bad);

/*
 * Names, a comma between two, into *fields; the first field is always among them.  E_NOT_FOUND:
 * *bad is a name that is not known; E_MISSING: there is none.
 */
enum err field_names_read(field_find_f *, uint32_t *fields, const char *names, struct slice *bad);
/* The parameter 'fields'; absent: all.  false: it has been answered, with that example. */
bool field_names_param(struct request *, field_read_f *, const char *example, uint32_t *fields);

#endif
