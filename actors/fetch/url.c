/* SPDX-License-Identifier: MIT */
/* The URL of a request, taken apart as libcurl will do it. */
#include "actors/fetch/priv.h"

#include <stdlib.h>

static enum err copy_host(CURLU *u, char **out)
{
	unsigned flags = 0;
	char *host = NULL;
	size_t n;

#ifdef CURLU_PUNYCODE
	flags = CURLU_PUNYCODE;
#endif
	if (curl_url_get(u, CURLUPART_HOST, &host, flags) != CURLUE_OK)
		return E_SYNTAX;
	n = strlen(host);
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		*out = xstrdup(host + 1);
	} else {
		*out = xstrdup(host);
	}
	curl_free(host);
	return (*out)[0] != '\0' && strlen(*out) < 256 ? E_OK : E_SYNTAX;
}

static enum err copy_port(CURLU *u, uint16_t *out)
{
	char *port = NULL;
	unsigned long v;

	if (curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return E_SYNTAX;
	v = strtoul(port, NULL, 10);
	curl_free(port);
	*out = (uint16_t)v;
	return v > 0 && v <= 65535 ? E_OK : E_RANGE;
}

enum err web_url_parse(const char *url, char **host, uint16_t *port)
{
	CURLU *u = curl_url();
	char *scheme = NULL;
	enum err err = E_SYNTAX;

	if (u == NULL)
		return E_NOMEM;
	if (curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
		curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK)
		err = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0 ? E_OK
										  : E_UNSUPPORTED;
	curl_free(scheme);
	if (err == E_OK)
		err = copy_host(u, host);
	if (err == E_OK)
		err = copy_port(u, port);
	curl_url_cleanup(u);
	return err;
}
