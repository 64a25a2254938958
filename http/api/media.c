/* SPDX-License-Identifier: MIT */
/* What kind of file a name promises. */
#include <strings.h>

#include "http/api/priv.h"

static const struct {
	const char *ending, *type;
} media[] = {
	{".mp4", "video/mp4"},
	{".m4v", "video/mp4"},
	{".mkv", "video/x-matroska"},
	{".webm", "video/webm"},
	{".mov", "video/quicktime"},
	{".avi", "video/x-msvideo"},
	{".ogv", "video/ogg"},
	{".mpg", "video/mpeg"},
	{".ts", "video/mp2t"},
	{".mp3", "audio/mpeg"},
	{".m4a", "audio/mp4"},
	{".aac", "audio/aac"},
	{".flac", "audio/flac"},
	{".ogg", "audio/ogg"},
	{".opus", "audio/ogg"},
	{".wav", "audio/wav"},
	{".jpg", "image/jpeg"},
	{".jpeg", "image/jpeg"},
	{".png", "image/png"},
	{".gif", "image/gif"},
	{".webp", "image/webp"},
	{".avif", "image/avif"},
};

const char *media_type_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot != NULL && i < ARRAY_LEN(media); i++)
		if (strcasecmp(dot, media[i].ending) == 0)
			return media[i].type;
	return NULL;
}
