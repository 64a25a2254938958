/* SPDX-License-Identifier: MIT */
/*
 * The fields of a form: names and values from a query and from a body, which is
 * application/x-www-form-urlencoded or multipart/form-data.
 *
 * Pure; one owner.
 */
#ifndef HTTP_SERVER_FORM_H
#define HTTP_SERVER_FORM_H

#include "proto/base/base.h"

#define FORM_FIELDS_MAX 4096u

struct form;

struct form_field {
	const char *name;
	struct slice value; /* a NUL follows it; it may hold others */
	bool is_file;       /* the part of a multipart form had a file's name */
};

struct form *form_new(void);
void form_free(struct form **);
/* A copy.  false: there are FORM_FIELDS_MAX. */
bool form_add(struct form *, const char *name, struct slice value);
/*
 * Reads a body of n bytes, which it takes (malloc), of the type that a Content-Type header names;
 * NULL and any other type count as urlencoded.  One body at most.  NULL: it is good; else what is
 * wrong, in words for a person.
 */
const char *form_body(struct form *, const char *type, uint8_t *body, size_t n);

/* The i-th field; NULL: there are not so many. */
const struct form_field *form_at(const struct form *, uint32_t i);
/* The last of that name, or its text; NULL: none, or it has a NUL. */
const struct form_field *form_find(const struct form *, const char *name);
const char *form_text(const struct form *, const char *name);

#endif
