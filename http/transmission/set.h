/* SPDX-License-Identifier: MIT */
/* What torrent-set and torrent-add ask for, as changes; for the http actor's thread. */
#ifndef HTTP_TRANSMISSION_SET_H
#define HTTP_TRANSMISSION_SET_H

#include "http/transmission/priv.h"

#define SET_LIMIT_MAX INT64_C(1000000000) /* of any number here */

/* What cannot be had of any torrent, in words; NULL: nothing of that is asked for. */
const char *set_fixed(const struct rcall *);
/* files.c: whether the call names files, and the change of them; the torrent's view has them then.
 * NULL: it is good. */
bool set_names_files(const struct rcall *);
const char *set_files(struct rcall *, const struct torrent_view *, struct changes *);

/* Why something cannot be, for a person. */
extern const char set_stays[], set_bad_labels[], set_no_file[];

#endif
