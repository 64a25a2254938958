/* SPDX-License-Identifier: MIT */
/* What commands read and print alike. */
#include <stdio.h>

#include "config/units.h"
#include "http/ctl/ctl.h"
#include "http/ctl/term.h"

void ctl_print_json(const json_t *json)
{
	size_t flags = ctl_columns() > 0 ? JSON_INDENT(2) | JSON_ENSURE_ASCII : JSON_COMPACT;

	json_dumpf(json, stdout, flags | JSON_ENCODE_ANY);
	putchar('\n');
	fflush(stdout);
}

void ctl_show(const struct ctl *c, const json_t *json, const struct ctl_table *t)
{
	if (c->json)
		ctl_print_json(json);
	else
		ctl_table_print(t, 0);
}

bool ctl_read_rate(const char *text, char out[32], const char **param, int64_t *bytes)
{
	char how[200];
	int64_t rate;

	*param = NULL;
	*bytes = 0;
	if (text == NULL)
		return true;
	if (units_parse(&units_rate, text, &rate) != E_OK || rate < 0) {
		units_explain(&units_rate, how, sizeof how);
		ctl_complain("\"%s\" is no rate: %s", text, how);
		return false;
	}
	snprintf(out, 32, "%.3f", (double)rate / 1024);
	*param = out;
	*bytes = rate;
	return true;
}
