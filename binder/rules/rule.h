/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules, where they came from, and what is wrong with the ones that were not understood. */
#pragma once

#include <stdbool.h>

#include "driver.h"
#include "selector.h"
#include "text.h"

enum source {
	SOURCE_CMDLINE, /* the kernel's command line, or a file that adds to it */
	SOURCE_MODPROBE, /* options vfio-pci ids= in modprobe.d */
	SOURCE_TABLE, /* embedded in the binder */
	SOURCE_CONFIG, /* a configuration file (companion) */
	SOURCE_ARGUMENT, /* an argument of the companion */
};

struct origin {
	enum source source;
	struct text file; /* of a configuration or of the command line; empty for none */
	unsigned line; /* from 1; 0 where there are no lines */
	unsigned column; /* from 1, in bytes; 0 for the whole line */
	const char *base; /* where that line starts in memory; NULL if unknown */
};

enum rule_kind {
	RULE_BIND,
	RULE_KEEP,
	RULE_CRITICAL, /* binds nothing: guards what the machine needs */
};

enum on_failure {
	ON_FAILURE_DEFAULT, /* as the option of the run says */
	ON_FAILURE_RESTORE, /* give the device back to its own driver */
	ON_FAILURE_HOLD, /* keep it away from every driver */
	ON_FAILURE_SHELL, /* give it back, and ask for the shell of the initramfs */
};

enum allow {
	ALLOW_CONSOLE = 1 << 0,
	ALLOW_STORAGE = 1 << 1,
	ALLOW_NETWORK = 1 << 2,
};

/* What else is wanted where the selector matches. */
enum with {
	WITH_NOTHING,
	WITH_FUNCTIONS, /* every function of the card: of the same domain:bus:device */
	WITH_GROUP, /* every member of the IOMMU group */
};

struct rule {
	enum rule_kind kind;
	struct selector selector;
	struct text text; /* as it was written */
	struct origin origin;
	struct text profile; /* of the section it stands in; empty for none */
	bool optional;
	bool follow; /* its device is bound wherever it is, if there is just one such card */
	enum on_failure on_failure;
	enum with with;
	struct text driver; /* driver=: a name or "auto"; empty: vfio-pci */
	unsigned allow; /* of enum allow; of a critical rule the one that lifts it */
	struct text carries; /* of a critical rule: what is on the device; may be empty */
	bool is_lost; /* it matches nothing: its device may be elsewhere, see filter.h */
	bool is_module_id; /* from vfio-pci's own parameter: the module would match it too */
};

/* A piece of input that was not understood or is probably a mistake. */
struct problem {
	struct origin origin;
	struct text text;
	const char *message;
	bool is_error; /* the piece has no effect; otherwise it has, with a warning */
};

/*
 * Parses the options of a rule into @rule: words separated by @separator. -EINVAL with the
 * offending word in @ret_word and the reason in @ret_message.
 */
int rule_parse_options(struct text options, char separator, struct rule *rule,
		       struct text *ret_word, const char **ret_message) must_check
	nonnull(3, 4, 5);

/*
 * The same for what stands behind the selectors of a critical rule: what lifts it, and what
 * is on the device, to the end.
 */
int rule_parse_critical(struct text options, struct rule *rule, struct text *ret_word,
			const char **ret_message) must_check nonnull(2, 3, 4);

/* The file that critical rules are of which were found when the image was built. */
#define RECORDED "recorded with the image"
bool rule_is_recorded(const struct rule *rule) nonnull(1);

/* "bind", "keep", "critical" */
const char *rule_kind_name(enum rule_kind kind);

/* "console", "storage" or "network": the one bit of enum allow; "" for none. */
const char *allow_name(unsigned allow);

/* "restore", "hold" and "shell". -EINVAL otherwise. */
#define ON_FAILURE_USAGE "on-failure= is restore, hold or shell"
int on_failure_parse(struct text t, enum on_failure *ret) must_check nonnull(2);
const char *on_failure_name(enum on_failure on_failure);

/* "functions", "group"; "" for nothing. */
const char *with_name(enum with with);

/* How much of what a critical device carries is shown and kept, in bytes. */
#define CARRIES_SHOWN 120

/* Long enough for every origin that origin_format() writes; longer file names are cut. */
#define ORIGIN_SIZE 160

/* "command line" or its file, "modprobe.d", or file, line and column: "earlybind.conf:3:7" */
const char *origin_format(const struct origin *origin, char buf[static ORIGIN_SIZE])
	nonnull(1);
