/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel command line says: vfio-pci's ids=, and earlybind's own keys. */
#include "policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_cmdline.h"
#include "vfio_ids.h"

/* "restore", "hold" and "shell". -EINVAL otherwise. */
#define ON_FAILURE_USAGE "on-failure= is restore, hold or shell"

static int on_failure_parse(struct text t, enum on_failure *ret)
{
	if (text_is(t, "restore"))
		*ret = ON_FAILURE_RESTORE;
	else if (text_is(t, "hold"))
		*ret = ON_FAILURE_HOLD;
	else if (text_is(t, "shell"))
		*ret = ON_FAILURE_SHELL;
	else
		return -EINVAL;
	return 0;
}

const char *on_failure_name(enum on_failure on_failure)
{
	switch (on_failure) {
	case ON_FAILURE_DEFAULT:
		return "default";
	case ON_FAILURE_RESTORE:
		return "restore";
	case ON_FAILURE_HOLD:
		return "hold";
	case ON_FAILURE_SHELL:
		return "shell";
	}
	return "";
}

static const struct {
	const char *name;
	enum allow bit;
} allows[] = {
	{"console", ALLOW_CONSOLE},
	{"storage", ALLOW_STORAGE},
	{"network", ALLOW_NETWORK},
};

const char *allow_name(unsigned allow)
{
	for (size_t i = 0; i < ARRAY_SIZE(allows); i++)
		if (allows[i].bit == allow)
			return allows[i].name;
	return "";
}

/* 0 for a word that is none. */
static unsigned find_allow(struct text word)
{
	for (size_t i = 0; i < ARRAY_SIZE(allows); i++)
		if (text_is(word, allows[i].name))
			return allows[i].bit;
	return 0;
}

/* "console,storage" */
static int parse_allow(struct text list, unsigned *allow)
{
	struct text word;

	while (text_cut(&list, ',', &word)) {
		unsigned bit = find_allow(word);

		if (!bit)
			return -EINVAL;
		*allow |= bit;
	}
	return 0;
}

const char *rule_kind_name(enum rule_kind kind)
{
	switch (kind) {
	case RULE_BIND:
		return "bind";
	case RULE_KEEP:
		return "keep";
	case RULE_CRITICAL:
		return "critical";
	}
	return "";
}

const char *with_name(enum with with)
{
	switch (with) {
	case WITH_NOTHING:
		break;
	case WITH_FUNCTIONS:
		return "functions";
	case WITH_GROUP:
		return "group";
	}
	return "";
}

static int parse_with(struct text value, enum with *ret)
{
	for (enum with with = WITH_FUNCTIONS; with <= WITH_GROUP; with++)
		if (text_is(value, with_name(with))) {
			*ret = with;
			return 0;
		}
	return -EINVAL;
}

#define UNKNOWN_OPTION \
	"unknown option: a rule has optional, follow, driver=, on-failure=, allow=, with= " \
	"and vfs="

static const char *parse_driver(struct text value, struct rule *rule)
{
	if (rule->kind != RULE_BIND)
		return "driver= is for bind rules: what is kept stays with its own driver";
	if (!driver_is_name(value))
		return "driver= is vfio-pci, auto or a driver's name: 1 to 63 of A-Z, a-z, "
		       "0-9, _ and -";
	rule->driver = value;
	return NULL;
}

static const char *parse_vfs(struct text value, struct rule *rule)
{
	uint64_t number;

	if (rule->kind != RULE_BIND || text_decimal(value, UINT16_MAX, &number) < 0 ||
	    number == 0)
		return "vfs= is for bind rules: 1 to 65535";
	rule->vfs = (unsigned)number;
	return NULL;
}

/* Returns NULL, or what is wrong with the word. */
static const char *parse_option(struct text word, struct rule *rule)
{
	struct text value = word, name;

	if (text_is(word, "optional")) {
		rule->optional = true;
		return NULL;
	}
	if (text_is(word, "follow")) {
		rule->follow = true;
		return rule->kind == RULE_BIND ? NULL : "follow is for bind rules only";
	}
	if (!text_cut(&value, '=', &name) || !value.p)
		return UNKNOWN_OPTION;
	if (text_is_param(name, "on-failure")) {
		if (on_failure_parse(value, &rule->on_failure) < 0)
			return ON_FAILURE_USAGE;
		return NULL;
	}
	if (text_is(name, "allow")) {
		if (parse_allow(value, &rule->allow) < 0)
			return "allow= is console, storage or network, or several of them "
			       "joined by commas";
		return NULL;
	}
	if (text_is(name, "driver"))
		return parse_driver(value, rule);
	if (text_is(name, "vfs"))
		return parse_vfs(value, rule);
	if (text_is(name, "with")) {
		if (rule->kind != RULE_BIND)
			return "with= is an option of bind rules: keep names every function";
		if (parse_with(value, &rule->with) < 0)
			return "with= is functions or group";
		return NULL;
	}
	return UNKNOWN_OPTION;
}

int rule_parse_options(struct text options, char separator, struct rule *rule,
		       struct text *ret_word, const char **ret_message)
{
	struct text word;

	while (separator == ' ' ? text_word(&options, &word)
				: text_cut(&options, separator, &word)) {
		const char *wrong = parse_option(word, rule);

		if (wrong) {
			*ret_word = word;
			*ret_message = wrong;
			return -EINVAL;
		}
	}
	return 0;
}

bool rule_is_recorded(const struct rule *rule)
{
	return rule->kind == RULE_CRITICAL && text_is(rule->origin.file, RECORDED);
}

int rule_parse_critical(struct text options, struct rule *rule, struct text *ret_word,
			const char **ret_message)
{
	struct text word = options;

	(void)text_word(&options, &word);
	rule->allow = find_allow(word);
	if (!rule->allow) {
		*ret_word = word;
		*ret_message = "a critical device is storage, network or console";
		return -EINVAL;
	}
	rule->carries = text_trim(options);
	return 0;
}

const char *origin_format(const struct origin *o, char buf[static ORIGIN_SIZE])
{
	/* ":line:column" always fits. */
	int file = (int)MIN(o->file.n, (size_t)(ORIGIN_SIZE - 32));

	switch (o->source) {
	case SOURCE_CMDLINE:
		if (o->file.n > 0)
			break;
		snprintf(buf, ORIGIN_SIZE, "command line");
		return buf;
	case SOURCE_MODPROBE:
		snprintf(buf, ORIGIN_SIZE, "modprobe.d");
		return buf;
	case SOURCE_ARGUMENT:
		snprintf(buf, ORIGIN_SIZE, "argument");
		return buf;
	case SOURCE_TABLE:
	case SOURCE_CONFIG:
		break;
	}
	if (o->file.n == 0)
		snprintf(buf, ORIGIN_SIZE, "table:%u", o->line);
	else if (o->line == 0)
		snprintf(buf, ORIGIN_SIZE, "%.*s", file, o->file.p);
	else if (o->column > 0)
		snprintf(buf, ORIGIN_SIZE, "%.*s:%u:%u", file, o->file.p, o->line,
			 o->column);
	else
		snprintf(buf, ORIGIN_SIZE, "%.*s:%u", file, o->file.p, o->line);
	return buf;
}

enum run_option {
	OPTION_TIMEOUT = 1 << 0,
	OPTION_RECOVERY_TIMEOUT = 1 << 1,
	OPTION_ON_FAILURE = 1 << 2,
	OPTION_CRITICAL = 1 << 3,
};

int policy_init(struct policy *policy, struct arena *arena)
{
	*policy = (struct policy){
		.arena = arena,
		.timeout = TIMEOUT_DEFAULT,
		.recovery_timeout = RECOVERY_TIMEOUT_DEFAULT,
		.on_failure = ON_FAILURE_RESTORE,
	};
	policy->rules = arena_alloc(arena, RULES_MAX, sizeof(*policy->rules));
	policy->problems = arena_alloc(arena, PROBLEMS_MAX, sizeof(*policy->problems));
	policy->known = arena_alloc(arena, KNOWN_MAX, sizeof(*policy->known));
	return policy->rules && policy->problems && policy->known ? 0 : -ENOMEM;
}

void policy_add_problem(struct policy *policy, const struct origin *origin,
			struct text at, const char *message, bool is_error)
{
	struct problem *problem;

	if (policy->problem_count == PROBLEMS_MAX) {
		policy->problems_lost++;
		return;
	}
	problem = &policy->problems[policy->problem_count++];
	*problem = (struct problem){*origin, at, message, is_error};
	if (origin->base && at.p)
		problem->origin.column = (unsigned)(at.p - origin->base) + 1;
}

static struct rule *new_rule(struct policy *policy, const struct origin *origin,
			     struct text at)
{
	if (policy->rule_count == RULES_MAX) {
		policy_add_problem(policy, origin, at,
				   "more than 1024 rules: this one is ignored", true);
		return NULL;
	}
	return &policy->rules[policy->rule_count];
}

static void add_selector(struct policy *policy, const struct rule *like,
			 struct text selector)
{
	struct rule *rule = new_rule(policy, &like->origin, selector);
	struct parse_error error;

	if (!rule)
		return;
	*rule = *like;
	rule->text = selector;
	if (selector_parse(selector, &rule->selector, &error) < 0) {
		struct text at = {selector.p + error.offset, selector.n - error.offset};

		policy_add_problem(policy, &like->origin, at.n > 0 ? at : selector,
				   error.message, true);
		return;
	}
	if (rule->follow && (!(rule->selector.terms & PLACE_TERMS) ||
			     !selector_has_identity(&rule->selector))) {
		policy_add_problem(
			policy, &like->origin, selector,
			"follow needs a place (an address, path= or slot=) and an "
			"identity (serial= or an ID)",
			true);
		return;
	}
	if (rule->vfs && !(rule->selector.terms & TERM_PF)) {
		policy_add_problem(policy, &like->origin, selector,
				   "vfs= needs pf=ADDRESS", true);
		return;
	}
	/* No virtual function exists when the boot begins. */
	rule->optional |= (rule->selector.terms & TERM_PF) != 0;
	if (rule->origin.base)
		rule->origin.column = (unsigned)(selector.p - rule->origin.base) + 1;
	policy->rule_count++;
}

void policy_add_rule(struct policy *policy, enum rule_kind kind, struct text selectors,
		     struct text options, char separator, const struct origin *origin,
		     struct text profile)
{
	struct rule like = {.kind = kind, .origin = *origin, .profile = profile};
	struct text part, word;
	const char *message;
	int r;

	if (kind == RULE_CRITICAL)
		r = rule_parse_critical(options, &like, &word, &message);
	else
		r = rule_parse_options(options, separator, &like, &word, &message);
	if (r < 0) {
		policy_add_problem(policy, origin, word.n > 0 ? word : selectors, message,
				   true);
		return;
	}
	while (text_cut(&selectors, ',', &part))
		add_selector(policy, &like, part);
}

/* The command line wins over a configuration, whichever is read first. */
static bool may_set(struct policy *policy, enum run_option option,
		    const struct origin *origin)
{
	if (origin->source == SOURCE_CMDLINE)
		policy->cmdline_options |= option;
	else if (policy->cmdline_options & option)
		return false;
	return true;
}

bool policy_set_option(struct policy *policy, struct text name, struct text value,
		       const struct origin *origin)
{
	enum on_failure on_failure;
	uint64_t number;

	if (text_is_param(name, "on-failure")) {
		if (on_failure_parse(value, &on_failure) < 0)
			policy_add_problem(policy, origin, value, ON_FAILURE_USAGE, true);
		else if (may_set(policy, OPTION_ON_FAILURE, origin))
			policy->on_failure = on_failure;
		return true;
	}
	if (text_is(name, "critical")) {
		if (!text_is(value, "none") && !text_is(value, "recorded"))
			policy_add_problem(policy, origin, value,
					   "critical= is recorded or none", true);
		else if (may_set(policy, OPTION_CRITICAL, origin))
			policy->ignore_recorded = text_is(value, "none");
		return true;
	}
	if (text_is(name, "timeout") || text_is_param(name, "recovery-timeout")) {
		bool is_recovery = !text_is(name, "timeout");

		if (text_decimal(value, TIMEOUT_MAX, &number) < 0 || number == 0)
			policy_add_problem(policy, origin, value,
					   "a timeout is 1 to 3600 seconds", true);
		else if (is_recovery && may_set(policy, OPTION_RECOVERY_TIMEOUT, origin))
			policy->recovery_timeout = (unsigned)number;
		else if (!is_recovery && may_set(policy, OPTION_TIMEOUT, origin))
			policy->timeout = (unsigned)number;
		return true;
	}
	return false;
}

void policy_lose_source(struct policy *policy, const struct origin *origin,
			struct text what, const char *message)
{
	policy_add_problem(policy, origin, what, message, true);
	policy->is_partial = true;
}

void policy_add_module_ids(struct policy *policy, const struct origin *origin,
			   struct text value)
{
	struct ids_entry entry;

	if (origin->source == SOURCE_CMDLINE)
		policy->has_cmdline_ids = true;
	else if (policy->has_cmdline_ids)
		return;
	policy->module_ids = value;

	if (value.n > IDS_LENGTH_MAX) {
		policy_add_problem(
			policy, origin, (struct text){value.p, 32},
			"vfio-pci refuses ids= of more than 1023 characters: its "
			"module is loaded without them",
			false);
	}
	while (ids_next(&value, &entry)) {
		struct rule *rule;

		if (entry.warning != IDS_FINE)
			policy_add_problem(policy, origin, entry.text,
					   ids_warning_message(entry.warning),
					   entry.warning == IDS_INVALID);
		if (entry.warning == IDS_INVALID)
			continue;
		rule = new_rule(policy, origin, entry.text);
		if (!rule)
			return;
		*rule = (struct rule){
			.kind = RULE_BIND,
			.selector = {.terms = TERM_ID, .id = entry.match},
			.text = entry.text,
			.origin = *origin,
			.is_module_id = true,
		};
		policy->rule_count++;
	}
}

bool policy_has_rule_active(const struct policy *policy, const struct rule *rule)
{
	return rule->profile.n == 0 || text_is_same(rule->profile, policy->profile);
}

bool policy_can_have_moved(const struct policy *policy, const struct rule *rule)
{
	unsigned terms = rule->selector.terms;

	if (rule->kind != RULE_BIND || !policy_has_rule_active(policy, rule))
		return false;
	return ((terms & (TERM_PATH | TERM_SLOT)) && (terms & (terms - 1))) ||
	       ((terms & TERM_SERIAL) && (terms & TERM_ID)) ||
	       ((terms & PLACE_TERMS) && selector_has_identity(&rule->selector));
}

bool policy_has_guard(const struct policy *policy, const struct rule *rule)
{
	return rule->kind == RULE_CRITICAL && policy_has_rule_active(policy, rule) &&
	       !(policy->ignore_recorded && rule_is_recorded(rule));
}

enum on_failure policy_on_failure(const struct policy *policy, const struct rule *rule)
{
	return rule->on_failure == ON_FAILURE_DEFAULT ? policy->on_failure
						      : rule->on_failure;
}

bool policy_has_with(const struct policy *policy, const struct rule *rule)
{
	return rule->kind == RULE_BIND && rule->with != WITH_NOTHING &&
	       policy_has_rule_active(policy, rule);
}

bool policy_has_any_with(const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy_has_with(policy, &policy->rules[i]))
			return true;
	return false;
}

bool policy_has_bind_rule(const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].kind == RULE_BIND &&
		    policy_has_rule_active(policy, &policy->rules[i]))
			return true;
	return false;
}

/*
 * A longer line of the boot loader is cut without a word (arch/.../include/asm/setup.h). What
 * bootconfig adds comes in front of it and does not count (init/main.c: setup_command_line()).
 */
#if defined(__loongarch__) || defined(__mips__) || defined(__s390x__)
#define COMMAND_LINE_SIZE 4096
#elif defined(__arm__) || defined(__hppa__)
#define COMMAND_LINE_SIZE 1024
#else
#define COMMAND_LINE_SIZE 2048
#endif

/* rd.earlybind=0 and rd.earlybind.table=0; anything else but a bool is reported. */
static bool read_switch(struct policy *policy, const struct origin *origin,
			const struct cmdline_arg *arg, bool otherwise)
{
	bool value = otherwise;

	if (cmdline_bool(arg, &value) < 0)
		policy_add_problem(policy, origin, arg->name, "this takes 0 or 1", true);
	return value;
}

static void add_own_key(struct policy *policy, const struct origin *origin,
			const struct cmdline_arg *arg)
{
	const size_t prefix = sizeof("rd.earlybind.") - 1;
	struct text name = {arg->name.p + prefix, arg->name.n - prefix};
	struct text value = arg->value.p ? arg->value : (struct text){"", 0};
	struct text selectors;

	if (text_is(name, "bind")) {
		struct text options = value;

		if (!text_cut(&options, ';', &selectors))
			return;
		policy_add_rule(policy, RULE_BIND, selectors,
				options.p ? options : (struct text){NULL, 0}, ';', origin,
				(struct text){"", 0});
	} else if (text_is(name, "table")) {
		policy->ignore_table = !read_switch(policy, origin, arg, true);
	} else if (text_is_param(name, "dry-run")) {
		policy->dry_run = read_switch(policy, origin, arg, false);
	} else if (text_is(name, "profile")) {
		policy->profile = value;
	} else if (text_is(name, "log")) {
		policy->debug = text_is(value, "debug");
		if (!policy->debug)
			policy_add_problem(policy, origin, arg->name,
					   "rd.earlybind.log= is debug", true);
	} else if (!policy_set_option(policy, name, value, origin)) {
		policy_add_problem(policy, origin, arg->name,
				   "unknown key: see earlybind-cmdline(7)", true);
	}
}

/* Without a value it is an error for the kernel, and what was said before stands. */
static void read_ids(struct policy *policy, const struct origin *origin,
		     const struct cmdline_arg *arg, struct text *ret)
{
	if (arg->value.p)
		*ret = arg->value;
	else
		policy_add_problem(policy, origin, arg->name,
				   "the kernel wants a value here: write "
				   "vfio-pci.ids=VENDOR:DEVICE",
				   true);
}

/* The value of vfio-pci's ids= that wins, and who says so. */
struct ids_value {
	struct text value; /* p NULL: nobody */
	struct origin origin;
};

/* dracut's parameter: what it does not know is no concern of ours. */
static bool is_off(const struct cmdline_arg *arg)
{
	bool value = true;

	return cmdline_bool(arg, &value) == 0 && !value;
}

static void read_piece(struct policy *policy, const struct cmdline_piece *piece,
		       struct ids_value *ids)
{
	const struct origin origin = {.source = SOURCE_CMDLINE, .file = piece->file};
	struct text rest = text_trim(piece->bytes), before = ids->value;
	bool is_kernels = piece->file.n == 0, ended = false, hotplug_ids = false;
	struct cmdline_arg arg;

	if (is_kernels && rest.n >= COMMAND_LINE_SIZE - 1)
		policy_add_problem(
			policy, &origin, (struct text){rest.p + rest.n - 16, 16},
			rest.n == COMMAND_LINE_SIZE - 1
				? "the command line is as long as the kernel allows and "
				  "may have been cut here: check the last ID"
				: "bootconfig made the command line longer than a boot "
				  "loader's may be, which may have been cut here: check "
				  "the last ID",
			false);
	while (cmdline_next(&rest, &arg)) {
		bool is_ids = text_is_param(arg.name, "vfio_pci.ids");

		if (!ended && cmdline_is_end(&arg)) {
			ended = true;
			continue;
		}
		if (ended) {
			hotplug_ids = hotplug_ids || is_ids;
			continue;
		}
		if (is_ids)
			read_ids(policy, &origin, &arg, &ids->value);
		else if (text_is_param(arg.name, "rd.earlybind"))
			policy->off = !read_switch(policy, &origin, &arg, true);
		else if (text_has_prefix(arg.name, "rd.earlybind."))
			add_own_key(policy, &origin, &arg);
		else if (text_is(arg.name, "rd.shell"))
			policy->has_no_shell = is_off(&arg);
		else if (is_kernels && text_is(arg.name, "panic"))
			policy->has_panic = arg.value.n > 0;
		else if (is_kernels &&
			 text_is_param(arg.name, "vfio.enable_unsafe_noiommu_mode"))
			policy->has_noiommu = read_switch(policy, &origin, &arg, false);
		else if (is_kernels &&
			 text_is_param(arg.name, "vfio_pci.disable_denylist"))
			policy->has_denylist_off =
				read_switch(policy, &origin, &arg, false);
	}
	if (hotplug_ids)
		policy_add_problem(
			policy, &origin, TEXT("--"),
			"vfio-pci.ids= behind \"--\" belongs to init and does not "
			"count: move it before the \"--\"",
			false);
	if (ids->value.p != before.p)
		ids->origin = origin;
}

void policy_add_cmdline(struct policy *policy, const struct cmdline_piece *pieces,
			size_t count)
{
	struct ids_value ids = {.value = {NULL, 0}};

	for (size_t i = 0; i < count; i++)
		read_piece(policy, &pieces[i], &ids);
	/* The last occurrence wins, as for every string parameter of a module. */
	if (ids.value.p)
		policy_add_module_ids(policy, &ids.origin, ids.value);
}

/* The kernel's longest, with bootconfig's part, and then some (init/main.c). */
#define CMDLINE_MAX ((size_t)40 * 1024)

#define ETC_FOLDER "cmdline.d"
#define ETC_FILE   "cmdline"
#define RUN_FOLDER "initramfs/cmdline.d"

struct reader {
	struct world *world;
	struct arena *arena;
	struct policy *policy;
	struct cmdline_piece pieces[2 * CMDLINE_FILES_MAX + 2];
	size_t count;
};

struct listing {
	struct arena *arena;
	char *names[CMDLINE_FILES_MAX];
	size_t count;
	size_t lost;
};

static void lose(struct reader *r, struct text file, struct text what,
		 const char *message)
{
	const struct origin origin = {.source = SOURCE_CMDLINE, .file = file};

	policy_lose_source(r->policy, &origin, what, message);
}

/* A name for reports, which are lines: without control characters. */
static struct text show_name(struct reader *r, enum world_root root, const char *path)
{
	char *name = arena_printf(r->arena, "%s/%s", world_root_path(root), path);

	if (!name)
		return text_of(path);
	for (char *p = name; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return text_of(name);
}

static void add_file(struct reader *r, enum world_root root, const char *path)
{
	static char buf[CMDLINE_FILE_SIZE_MAX];
	int n = r->world->ops->read(r->world, root, path, buf, sizeof(buf));
	struct text name;
	char *copy;

	if (n == -ENOENT || n == 0)
		return;
	name = show_name(r, root, path);
	copy = n > 0 ? arena_copy(r->arena, (struct text){buf, (size_t)n}) : NULL;
	if (copy)
		r->pieces[r->count++] = (struct cmdline_piece){name, {copy, (size_t)n}};
	else
		lose(r, name, name,
		     n == -E2BIG ? "longer than 16383 bytes: it does not count"
				 : "cannot be read");
}

static int add_name(void *arg, const char *name)
{
	static const char suffix[] = ".conf";
	struct listing *listing = arg;
	size_t n = strlen(name);

	/* As the shell's *.conf */
	if (name[0] == '.' || n < sizeof(suffix) - 1 ||
	    strcmp(name + n - (sizeof(suffix) - 1), suffix) != 0)
		return 0;
	if (listing->count == CMDLINE_FILES_MAX) {
		listing->lost++;
		return 1;
	}
	listing->names[listing->count] = arena_copy(listing->arena, text_of(name));
	if (!listing->names[listing->count]) {
		listing->lost++;
		return 1;
	}
	listing->count++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_folder(struct reader *r, enum world_root root, const char *folder)
{
	struct listing listing = {.arena = r->arena};
	int error = r->world->ops->list(r->world, root, folder, add_name, &listing);

	if ((error < 0 && error != -ENOENT) || listing.lost > 0) {
		struct text name = show_name(r, root, folder);

		lose(r, name, name,
		     error < 0 ? "cannot be read"
			       : "more than 32 files: some of them do not count");
	}
	qsort(listing.names, listing.count, sizeof(*listing.names), compare_names);
	for (size_t i = 0; i < listing.count; i++) {
		const char *path =
			arena_printf(r->arena, "%s/%s", folder, listing.names[i]);

		if (path)
			add_file(r, root, path);
		else
			lose(r, text_of(folder), text_of(folder), "out of memory");
	}
}

static void add_kernels(struct reader *r)
{
	char *buf = arena_alloc(r->arena, CMDLINE_MAX, 1);
	int n = buf ? r->world->ops->read(r->world, WORLD_PROC, "cmdline", buf,
					  CMDLINE_MAX)
		    : -ENOMEM;

	if (n == -E2BIG)
		n = CMDLINE_MAX;
	if (n >= 0)
		r->pieces[r->count++] = (struct cmdline_piece){.bytes = {buf, (size_t)n}};
	else
		lose(r, (struct text){NULL, 0}, TEXT("command line"),
		     "cannot be read: only the table counts");
}

void cmdline_read(struct world *world, struct arena *arena, bool has_files,
		  struct policy *policy)
{
	struct reader r = {.world = world, .arena = arena, .policy = policy};

	if (has_files) {
		add_folder(&r, WORLD_ETC, ETC_FOLDER);
		add_file(&r, WORLD_ETC, ETC_FILE);
	}
	add_kernels(&r);
	if (has_files)
		add_folder(&r, WORLD_RUN, RUN_FOLDER);
	policy_add_cmdline(policy, r.pieces, r.count);
}

#define ID_LENGTH (KNOWN_ID_SIZE - 1)
#define ID_USAGE  "a known ID is vendor:device:subvendor:subdevice, 4 digits each"

bool known_has_use(const struct selector *s)
{
	return (s->terms & (PLACE_TERMS | TERM_SERIAL)) &&
	       (!(s->terms & TERM_ID) || s->id.device == PCI_ANY);
}

int recorded_id_parse(struct text t, struct pci_match *ret)
{
	struct parse_error error;
	struct selector s;

	if (t.n != ID_LENGTH || selector_parse(t, &s, &error) < 0 || s.terms != TERM_ID)
		return -1;
	*ret = s.id;
	return 0;
}

/* NULL, or what is wrong with the list, and where. */
static const char *judge_ids(struct text ids, struct text *ret_at)
{
	struct pci_match id;
	size_t count = 0;

	while (text_cut(&ids, ',', ret_at)) {
		if (recorded_id_parse(*ret_at, &id) < 0)
			return ID_USAGE;
		if (count++ == KNOWN_IDS_MAX)
			return "a card is known by 8 IDs at most";
	}
	return count > 0 ? NULL : ID_USAGE;
}

void known_add(struct policy *policy, struct text selector, struct text ids,
	       const struct origin *origin)
{
	struct known known = {.ids = text_trim(ids), .origin = *origin};
	char normal[SELECTOR_SIZE];
	struct parse_error error;
	struct text at = selector;
	const char *wrong;
	struct selector s;

	if (selector_parse(selector, &s, &error) < 0)
		wrong = error.message;
	else if (!known_has_use(&s))
		wrong = "a known card is named by its place or its serial number, "
			"without a device ID";
	else
		wrong = judge_ids(known.ids, &at);
	if (!wrong && policy->known_count == KNOWN_MAX)
		wrong = "more than 64 known cards: this one is ignored";
	if (!wrong) {
		known.selector =
			arena_copy(policy->arena, text_of(selector_format(&s, normal)));
		wrong = known.selector ? NULL : "out of memory";
	}
	if (wrong)
		policy_add_problem(policy, origin, at.n > 0 ? at : selector, wrong, true);
	else
		policy->known[policy->known_count++] = known;
}
