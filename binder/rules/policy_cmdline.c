/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel command line says: vfio-pci's ids=, and earlybind's own keys. */
#include <string.h>

#include "kernel_cmdline.h"
#include "policy.h"

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
		policy_add_module_ids(policy, &ids.origin, ids.value);
}
