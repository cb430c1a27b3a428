/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy of one run: the rules of all sources with their origins, the options, and the
 * problems met while reading them. Filled by policy_add_cmdline(), config_parse() and
 * policy_add_module_ids(); then it is only read.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "driver.h"
#include "selector.h"
#include "text.h"
#include "world.h"

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
	unsigned
		vfs; /* vfs=: how many virtual functions are made; 0: as many as there are */
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

/* The file that critical rules are of which were found when the image was built. */
#define RECORDED "recorded with the image"
bool rule_is_recorded(const struct rule *rule) nonnull(1);

/* How much of what a critical device carries is shown and kept, in bytes. */
#define CARRIES_SHOWN 120

/* Long enough for every origin that origin_format() writes; longer file names are cut. */
#define ORIGIN_SIZE 160

#define RULES_MAX    1024
#define PROBLEMS_MAX 128
#define KNOWN_MAX    64 /* lines of recorded IDs: struct known */

/* Seconds. */
#define TIMEOUT_DEFAULT		 10
#define RECOVERY_TIMEOUT_DEFAULT 90
#define TIMEOUT_MAX		 3600

struct policy {
	struct arena *arena;

	struct rule *rules; /* RULES_MAX */
	size_t rule_count;
	struct problem *problems; /* PROBLEMS_MAX */
	size_t problem_count;
	size_t problems_lost; /* beyond PROBLEMS_MAX */
	struct known *known; /* KNOWN_MAX: what cards were when the image was built */
	size_t known_count;

	bool off; /* rd.earlybind=0 */
	bool ignore_table; /* rd.earlybind.table=0 */
	bool dry_run;
	bool is_partial; /* a source could not be read: rules may be missing */
	bool debug;
	bool has_noiommu; /* vfio's unsafe no-IOMMU mode was asked for */
	bool has_no_shell; /* rd.shell=0: nobody gets a shell in the initramfs */
	bool has_panic; /* panic=: for initramfs-tools it means the same */
	bool has_denylist_off; /* vfio-pci.disable_denylist */
	bool has_unsafe_interrupts; /* vfio_iommu_type1's, by modprobe.d */
	bool has_cmdline_ids; /* then modprobe.d's ids= do not count */
	struct text module_ids; /* the value in force of vfio-pci's ids= */
	struct text profile; /* rd.earlybind.profile= */
	unsigned
		cmdline_options; /* set by the command line, which wins (enum run_option) */
	unsigned timeout; /* seconds */
	unsigned recovery_timeout; /* seconds */
	enum on_failure on_failure;
	bool ignore_recorded; /* critical=none */
};

/* The kernel's own command line, or what a file adds to it. */
struct cmdline_piece {
	struct text file; /* empty for the kernel's own */
	struct text bytes;
};

#define CMDLINE_FILES_MAX     32 /* in each of dracut's folders */
#define CMDLINE_FILE_SIZE_MAX ((size_t)16 * 1024)

#define KNOWN_IDS_MAX 8 /* of one selector: a card has that many functions */

/* "10ee:5000:10ee:000e" */
#define KNOWN_ID_SIZE sizeof("vvvv:dddd:ssss:dddd")

struct known {
	const char *selector; /* in normal form */
	struct text ids; /* joined by commas */
	struct origin origin;
};

/* ---- rule ---- */

/* Rules, where they came from, and what is wrong with the ones that were not understood. */

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

/* "bind", "keep", "critical" */
const char *rule_kind_name(enum rule_kind kind);

/* "console", "storage" or "network": the one bit of enum allow; "" for none. */
const char *allow_name(unsigned allow);

/* "functions", "group"; "" for nothing. */
const char *with_name(enum with with);

/* "command line" or its file, "modprobe.d", or file, line and column: "earlybind.conf:3:7" */
const char *origin_format(const struct origin *origin, char buf[static ORIGIN_SIZE])
	nonnull(1);

/* Prepares an empty policy with the defaults. -ENOMEM if @arena is too small. */
int policy_init(struct policy *policy, struct arena *arena) must_check nonnull(1, 2);

/*
 * Adds the rules and options of a command line in pieces, of which a later one wins over
 * an earlier one. They must live as long as the policy. Problems are recorded, never
 * returned. What is for the kernel itself counts in its own line only.
 */
void policy_add_cmdline(struct policy *policy, const struct cmdline_piece *pieces,
			size_t count) nonnull(1);

/* A source that could not be read: @what it says is missing. */
void policy_lose_source(struct policy *policy, const struct origin *origin,
			struct text what, const char *message) nonnull(1, 2, 4);

/*
 * Adds the rules of a value of vfio-pci's parameter ids. As for modprobe, a value from the
 * command line, even an empty one, replaces the one from modprobe.d.
 */
void policy_add_module_ids(struct policy *policy, const struct origin *origin,
			   struct text value) nonnull(1, 2);

/*
 * Adds one rule per selector of the list "SELECTOR[,SELECTOR...]", each with the options of
 * @options, whose words are separated by @separator (a critical rule has none, but
 * rule_parse_critical()). Used by every source.
 */
void policy_add_rule(struct policy *policy, enum rule_kind kind, struct text selectors,
		     struct text options, char separator, const struct origin *origin,
		     struct text profile) nonnull(1, 6);

/* Sets one option of the run: "timeout=10" and its like. False if it is unknown. */
bool policy_set_option(struct policy *policy, struct text name, struct text value,
		       const struct origin *origin) nonnull(1, 4);

/* Records a problem; @at is the offending piece, for the column. */
void policy_add_problem(struct policy *policy, const struct origin *origin,
			struct text at, const char *message, bool is_error)
	nonnull(1, 2, 4);

/* Whether the rule counts: not of a profile that was not asked for. */
bool policy_has_rule_active(const struct policy *policy, const struct rule *rule)
	nonnull(1, 2);

/*
 * Whether the rule is one that binds and counts, and says so much that something can be named
 * where nothing matches it: what is in its place, or where its device is.
 */
bool policy_can_have_moved(const struct policy *policy, const struct rule *rule)
	nonnull(1, 2);

/* Whether the rule is a critical one that counts. */
bool policy_has_guard(const struct policy *policy, const struct rule *rule) nonnull(1, 2);

/* What the rule asks for, or the run if the rule does not say. */
enum on_failure policy_on_failure(const struct policy *policy, const struct rule *rule)
	nonnull(1, 2);

/* Whether the rule wants more than it names: an active bind rule with with=. */
bool policy_has_with(const struct policy *policy, const struct rule *rule) nonnull(1, 2);

/* Whether any rule does. */
bool policy_has_any_with(const struct policy *policy) nonnull(1);

/* Whether any active rule binds something. */
bool policy_has_bind_rule(const struct policy *policy) nonnull(1);

/* ---- cmdline files ---- */

/* The machine's command line: the kernel's own and, in an initramfs, dracut's files. */

/*
 * Adds the command line to @policy. With @has_files, these count too, in the order in which
 * dracut joins them (dracut-lib.sh: getcmdline()), so that the last one wins as there:
 *
 *   /etc/cmdline.d/NAME.conf, /etc/cmdline, the kernel's, /run/initramfs/cmdline.d/NAME.conf
 *
 * In them a line end is a blank, and there are no comments. What cannot be read is recorded
 * as a lost source; what is not there is no problem.
 */
void cmdline_read(struct world *world, struct arena *arena, bool has_files,
		  struct policy *policy) nonnull(1, 2, 4);

/* ---- recorded ids ---- */

/*
 * What a card was when the image was built: "known SELECTOR ID[,ID...]", recorded by
 * "earlybind embed" for rules that name a place or a serial number and no device ID. It binds nothing.
 * An FPGA that was given another image has another ID, and a rule of that kind still holds; then
 * this is how it can be told.
 */

/* Adds one line to @policy. What is wrong with it is a problem. */
void known_add(struct policy *policy, struct text selector, struct text ids,
	       const struct origin *origin) nonnull(1, 4);

/* Whether @selector is of the kind that goes with a known line. */
bool known_has_use(const struct selector *selector) nonnull(1);

/* "10ee:5000:10ee:000e" of a known line. 0, or -1. */
int recorded_id_parse(struct text t, struct pci_match *ret) must_check nonnull(2);

const char *on_failure_name(enum on_failure on_failure);
