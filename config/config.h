/* SPDX-License-Identifier: MIT */
/*
 * The configuration: what an operator set, checked, and where each value came from.
 *
 * A config is immutable once loaded and shared between threads by reference count; a reload makes a
 * new one.  Nothing here is global, so that a process may hold several.  The daemon never writes
 * its configuration files: what people change over the API is kept with the rest of its state.
 *
 * The sources, later ones winning: default, file, the *.conf of the folder conf.d next to it in the
 * order of their names, what was changed over the API, environment (TORRENTD_API_PORT=8080),
 * command line (--api.port=8080).
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "proto/base/base.h"

#include <stdio.h>

/* A list of texts; v holds n strings and may be NULL when n is 0. */
struct config_list {
	size_t n;
	char **v;
};

/* The order of log.level's choices. */
enum config_log_level {
	CONFIG_LOG_ERROR,
	CONFIG_LOG_WARNING,
	CONFIG_LOG_INFO,
	CONFIG_LOG_DEBUG,
};

/* The order of seed.super's. */
enum config_seed_super {
	CONFIG_SUPER_OFF,
	CONFIG_SUPER_ON,
	CONFIG_SUPER_AUTO,
};

/* The order of peers.seed_choker's. */
enum config_seed_choker {
	CONFIG_CHOKER_FASTEST,
	CONFIG_CHOKER_ROUND_ROBIN,
	CONFIG_CHOKER_ANTI_LEECH,
};

/* The order of peers.encryption's. */
enum config_encryption {
	CONFIG_ENCRYPTION_OFF,
	CONFIG_ENCRYPTION_TOLERATED,
	CONFIG_ENCRYPTION_PREFERRED,
	CONFIG_ENCRYPTION_REQUIRED,
};

/* The order of peers.encryption_payload's. */
enum config_payload {
	CONFIG_PAYLOAD_EITHER,
	CONFIG_PAYLOAD_PLAIN,
	CONFIG_PAYLOAD_RC4,
};

/* The order of magnet.discreet's. */
enum config_magnet_discreet {
	CONFIG_DISCREET_OFF,
	CONFIG_DISCREET_AUTO,
	CONFIG_DISCREET_ON,
};

/* The order of api.local's. */
enum config_local {
	CONFIG_LOCAL_AUTO,
	CONFIG_LOCAL_ON,
	CONFIG_LOCAL_OFF,
};

/* The order of api.socket_mode's. */
enum config_socket_mode {
	CONFIG_SOCKET_OWNER,
	CONFIG_SOCKET_GROUP,
	CONFIG_SOCKET_ALL,
};

/* The C type of a field by the type of its option. */
#define CONFIG_TYPE_BOOL     bool
#define CONFIG_TYPE_INT      int
#define CONFIG_TYPE_SIZE     uint64_t /* bytes */
#define CONFIG_TYPE_RATE     uint64_t /* bytes per second, 0 unlimited */
#define CONFIG_TYPE_DURATION int64_t  /* microseconds */
#define CONFIG_TYPE_RATIO    int      /* thousandths */
#define CONFIG_TYPE_STRING   char *   /* never NULL */
#define CONFIG_TYPE_SECRET   char *   /* never NULL, never logged */
#define CONFIG_TYPE_CHOICE   int      /* index among the choices */
#define CONFIG_TYPE_PATH     char *   /* absolute, no "." or "..", no trailing slash */
#define CONFIG_TYPE_LIST     struct config_list
#define CONFIG_TYPE_PATHS    struct config_list

struct config_life;

/* One field an option, named section_name: c->api_port. */
struct config {
	uint32_t magic;
	struct config_life *life; /* reference count and sources, private */
#define OPT(section, name, type, ...) CONFIG_TYPE_##type section##_##name;
#include "config/options.def"
};

/* One id an option: OPT_api_port. */
enum config_option {
#define OPT(section, name, ...) OPT_##section##_##name,
#include "config/options.def"
	OPT_MAX_
};

enum config_from {
	CONFIG_FROM_DEFAULT,
	CONFIG_FROM_FILE,
	CONFIG_FROM_API,
	CONFIG_FROM_ENV,
	CONFIG_FROM_ARGS,
};

/* Where a value came from. */
struct config_source {
	enum config_from from;
	int line;    /* FROM_FILE: counted from 1, else 0 */
	char *where; /* the file, the variable, the argument; "API", "default" */
};

/* What the command line asks the program to do. */
enum config_action {
	CONFIG_RUN,           /* start the daemon */
	CONFIG_CHECK,         /* --check-config */
	CONFIG_DOCTOR,        /* --doctor: main does it */
	CONFIG_PRINT,         /* --print-config */
	CONFIG_PRINT_DEFAULT, /* --print-default-config: the example file */
	CONFIG_VERSION,       /* --version */
	CONFIG_HELP,          /* --help */
	CONFIG_MAN1,          /* --print-man-1: torrentd(1), for `make docs` */
	CONFIG_MAN5,          /* --print-man-5: torrentd.conf(5), for `make docs` */
};

/* What a configuration is made from; borrowed, kept by main for reloads. */
struct config_input {
	int argc;
	char *const *argv;
	char *const *envp; /* NULL-terminated; may be NULL */
	bool root;         /* the process runs as root: service paths */
	bool no_files;     /* read no file at all, not even a default one: for tests */
	/* What was changed over the API, in a file's syntax (config_change()); NULL: nothing. */
	const char *changed;
};

/* Options whose value a reload found changed. */
struct config_changes {
	size_t live_n, restart_n;
	enum config_option live[OPT_MAX_];    /* in force in the new config */
	enum config_option restart[OPT_MAX_]; /* kept as they were until the next start */
};

/* Room for every error that is reported at once. */
#define CONFIG_ERRORS_SIZE 16384

/*
 * Reads all sources.  On E_OK *action says what to do and *out is a new reference, or NULL when the
 * action needs no configuration.  Otherwise *out is NULL and `errors` holds one line an error, at
 * most 20 and a count of the rest, each naming its file and line, variable or argument.  Blocks on
 * files: main thread, before any actor starts.
 */
enum err config_load(const struct config_input *in, const struct config **out,
	enum config_action *action, char *errors, size_t size);

/*
 * Reads the sources again (SIGHUP).  On E_OK *out is a new reference in which options that need a
 * restart keep the value of `old`, and *changes lists both kinds.  On error `old` stays what is in
 * force. Blocks on files: main thread.
 */
enum err config_reload(const struct config *old, const struct config_input *in,
	const struct config **out, struct config_changes *changes, char *errors, size_t size);

/* Why the option cannot be changed over the API, in words that follow its name; NULL: it can. */
const char *config_locked(const struct config *c, enum config_option o);

/*
 * Puts a setting into *changed (owned by the caller; NULL: nothing is changed yet) in place of the
 * one of that name; value NULL takes it away.  The value is as it would stand in a file.  On error
 * *changed is as it was and `why` says what is wrong: E_NOT_FOUND (no such option), E_PERM (it is
 * locked), E_SYNTAX and E_RANGE (the value).  Whether the settings are good together is for
 * config_reload() to say.  Any thread.
 */
enum err config_change(char **changed, const struct config *c, const char *name, const char *value,
	char *why, size_t size);

/* The most that a number may be. */
struct config_cap {
	enum config_option option; /* an INT */
	int max;
};

/* A new reference of a config that is like c, but with the numbers that are named cut to what they
 * may be.  Any thread. */
const struct config *config_capped(const struct config *c, const struct config_cap *caps, size_t n);

/* Counts one more user and returns c.  Any thread that holds a reference. */
const struct config *config_ref(const struct config *c);

/* Gives a reference back and NULLs the caller's pointer; the last one frees.  Any thread. */
void config_unref(const struct config **c);

/* Writes a text as a file has it, in quotes where it needs them.  Any thread. */
void config_put_text(const char *text, FILE *out);

/* "api.port".  Any thread, never NULL. */
const char *config_option_name(enum config_option o);

/* Where the value of o came from; lives as long as c. */
const struct config_source *config_source(const struct config *c, enum config_option o);

/* The files that were read, in their order; lives as long as c. */
const struct config_list *config_files(const struct config *c);

/*
 * Carries out every action but CONFIG_RUN by printing to `out`; c may be NULL for those that need
 * none.  Returns the exit status for main.
 */
int config_perform(enum config_action action, const struct config *c, FILE *out);

/* "0.1.0".  Any thread. */
const char *config_version(void);

#endif
