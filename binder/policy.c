/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy.h"

#include <errno.h>
#include <string.h>

#include "cmdline.h"
#include "ids.h"

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
	return policy->rules && policy->problems ? 0 : -ENOMEM;
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

static void add_ids(struct policy *policy, const struct origin *origin, struct text value)
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

void policy_add_module_ids(struct policy *policy, enum source source, struct text value)
{
	const struct origin origin = {.source = source};

	add_ids(policy, &origin, value);
}

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
	bool is_kernels = piece->file.n == 0, ended = false, late_ids = false;
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
			late_ids = late_ids || is_ids;
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
	if (late_ids)
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
		add_ids(policy, &ids.origin, ids.value);
}

bool policy_has_rule_active(const struct policy *policy, const struct rule *rule)
{
	if (rule->profile.n == 0)
		return true;
	return rule->profile.n == policy->profile.n &&
	       memcmp(rule->profile.p, policy->profile.p, rule->profile.n) == 0;
}

bool policy_has_guard(const struct policy *policy, const struct rule *rule)
{
	return rule->kind == RULE_CRITICAL && policy_has_rule_active(policy, rule) &&
	       !(policy->ignore_recorded && rule_is_recorded(rule));
}

bool policy_has_bind_rule(const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].kind == RULE_BIND &&
		    policy_has_rule_active(policy, &policy->rules[i]))
			return true;
	return false;
}

/* Whether a rule matches or names the place of the device, where another one was expected. */
static bool has_interest(const struct rule *rule, const struct pci_device *d)
{
	const struct selector *s = &rule->selector;

	return selector_has_match(s, d) ||
	       ((s->terms & TERM_ADDRESS) && selector_is_address_of(s, d->bdf)) ||
	       ((s->terms & TERM_PATH) && selector_is_path_of(s, d));
}

/* What must be read to know whether a device that a rule wants is a critical one. */
static unsigned look_at_guards(const struct policy *policy, const struct pci_device *d,
			       bool is_wanted)
{
	unsigned wants = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		bool is_console = rule->allow == ALLOW_CONSOLE;

		if (!policy_has_guard(policy, rule) || (!is_wanted && !is_console))
			continue;
		wants |= selector_open_facts(&rule->selector, d);
		if (is_console && selector_has_match(&rule->selector, d))
			wants |= FACT_KEPT;
	}
	return wants;
}

unsigned policy_filter(const void *arg, const struct pci_device *device)
{
	const struct policy *policy = arg;
	unsigned wants = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->kind == RULE_CRITICAL || !policy_has_rule_active(policy, rule))
			continue;
		wants |= selector_open_facts(&rule->selector, device);
		if (policy->has_lost_path && (rule->selector.terms & TERM_PATH) &&
		    !pci_is_bridge_class(&device->ids))
			wants |= FACT_PATH;
		if (has_interest(rule, device))
			wants |= FACT_WANTED;
	}
	return wants | look_at_guards(policy, device, wants & FACT_WANTED);
}
