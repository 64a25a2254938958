/* SPDX-License-Identifier: MIT */
/* Any bytes as a configuration file: errors or a config, and what is printed of it loads again. */
#include "config/load.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct config *load_bytes(const uint8_t *data, size_t size)
{
	static char *const env[] = {"HOME=/home/u", NULL};
	char errors[4096];
	struct config_input in = {.envp = env, .no_files = true};
	struct report report = report_of(errors, sizeof errors);
	const struct config *c = NULL;
	char *text = xcalloc(1, size + 1);
	struct load l;

	if (size > 0)
		memcpy(text, data, size);
	load_begin(&l, &in, &report);
	load_text(&l, "F", text, size);
	xfree(text);
	must((load_end(&l, &c) == E_OK) == (errors[0] == '\0'));
	return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct config *c = load_bytes(data, size), *again;
	char *text = NULL;
	size_t n;

	if (c == NULL)
		return 0;
	FILE *f = open_memstream(&text, &n);
	must(f != NULL && config_perform(CONFIG_PRINT, c, f) == 0);
	fclose(f);
	/* Secrets are not printed, and a user without a password is refused. */
	again = load_bytes((const uint8_t *)text, n);
	must(again != NULL || c->api_user[0] != '\0');
	if (again != NULL)
		config_unref(&again);
	config_unref(&c);
	free(text);
	return 0;
}
