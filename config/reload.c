/* SPDX-License-Identifier: MIT */
/*
 * A reload: everything is read as at the start, compared with what is in force, and what needs a
 * restart goes back to that.
 */
#include "config/check.h"
#include "config/life.h"
#include "config/proxy.h"
#include "config/value.h"

/* Sorts one option into the lists; what needs a restart goes back to its old value. */
static void compare_option(const struct config *old, struct config *c, enum config_option o,
	struct config_changes *changes)
{
	const struct option *opt = &options[o];
	const struct config_source *s = config_source(old, o);

	if (value_equal(opt, option_field_const(old, o), option_field_const(c, o)))
		return;
	if (opt->live) {
		changes->live[changes->live_n++] = o;
		return;
	}
	changes->restart[changes->restart_n++] = o;
	value_copy(opt, option_field(c, o), option_field_const(old, o));
	config_set_source(c, o, s->from, s->where, s->line);
}

/*
 * What stays and what changes must be good together as well: giving up the token while the address
 * that needs it stays in force is refused.
 */
static enum err check_mixture(const struct config *c, char *errors, size_t size)
{
	struct report r = report_of(errors, size);

	config_check(c, &r);
	if (r.n > 0)
		report_add(&r, "this goes away with a restart, not with a reload");
	report_end(&r);
	return r.n == 0 ? E_OK : E_SYNTAX;
}

enum err config_reload(const struct config *old, const struct config_input *in,
	const struct config **out, struct config_changes *changes, char *errors, size_t size)
{
	enum config_action action;
	struct config *c;
	enum err e;

	*changes = (struct config_changes){0};
	e = config_load(in, out, &action, errors, size);
	if (e != E_OK)
		return e;
	must(*out != NULL); /* the same arguments made `old` */
	c = config_alone(*out);
	for (unsigned i = 0; i < OPT_MAX_; i++)
		compare_option(old, c, (enum config_option)i, changes);
	config_settle_proxy(c); /* by what is in force */
	e = check_mixture(c, errors, size);
	if (e != E_OK)
		config_unref(out);
	return e;
}
