/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a boot publishes for late devices, as the binder reads it back: the rules and, behind
 * a NUL, the list of the devices that were judged. Rules that were read are written so that
 * they are read as the same.
 */
#include "fuzz.h"

#include "config.h"
#include "hotplug.h"
#include "policy.h"

struct file_world {
	struct world world;
	struct text rules, judged;
};

static int read_one(struct world *world, enum world_root root, const char *path,
		    char *buf, size_t size)
{
	struct file_world *w = (struct file_world *)world;
	struct text bytes =
		strcmp(path, RUN_OWN LATE_RULES_NAME) == 0 ? w->rules : w->judged;

	require(root == WORLD_RUN);
	return fuzz_read(bytes, buf, size);
}

static const struct world_ops ops = {.read = read_one};

static void check_again(struct policy *policy)
{
	static char written[CONFIG_WRITE_SIZE(RULES_MAX + KNOWN_MAX)],
		udev[UDEV_RULES_SIZE];
	static struct policy again;
	char one[SELECTOR_SIZE], two[SELECTOR_SIZE];
	int n = config_write(policy, written, sizeof(written));

	require(n >= 0);
	require(policy_init(&again, fuzz_arena(1)) == 0);
	config_parse(&again, SOURCE_TABLE, (struct text){"", 0},
		     (struct text){written, (size_t)n});
	/* Those of other profiles are left out. */
	for (size_t i = 0, k = 0; i < policy->rule_count; i++) {
		if (policy->rules[i].origin.source != SOURCE_TABLE ||
		    !policy_has_rule_active(policy, &policy->rules[i]))
			continue;
		require(k < again.rule_count);
		require(again.rules[k].kind == policy->rules[i].kind);
		require(again.rules[k].with == policy->rules[i].with);
		require(again.rules[k].vfs == policy->rules[i].vfs);
		selector_format(&again.rules[k].selector, one);
		selector_format(&policy->rules[i].selector, two);
		require(strcmp(one, two) == 0);
		k++;
	}
	for (size_t i = 0; i < policy->known_count; i++)
		require(i < again.known_count &&
			strcmp(again.known[i].selector, policy->known[i].selector) == 0);
	n = udev_rules_write(policy, NULL, udev, sizeof(udev));
	require(n >= -ENOSPC || n == -E2BIG);
	/* Nothing of the rules' own text gets there. */
	for (int i = 0; i < n; i++)
		require((udev[i] >= ' ' && udev[i] < 0x7f) || udev[i] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pci_ids ids = {.vendor = 0x10ee, .device = 0x5000};
	const struct bdf bdf = {.bus = 1};
	struct file_world w = {.world = {&ops}};
	struct text whole = fuzz_text(data, size), rest = whole;
	static struct policy policy;
	int r;

	if (text_cut(&rest, '\0', &w.rules))
		w.judged = rest;
	require(policy_init(&policy, fuzz_arena(0)) == 0);
	require(hotplug_has_rules(&w.world) == (w.rules.p != NULL));
	r = hotplug_read_rules(&w.world, policy.arena, &policy);
	require(r == (w.rules.p ? 0 : -ENOENT));
	if (!policy.is_partial)
		check_again(&policy);
	require(hotplug_find(&w.world, bdf, &ids) <= LATE_STUCK);
	if (!w.judged.p)
		require(hotplug_find(&w.world, bdf, &ids) == LATE_NEW);
	free((char *)whole.p);
	return 0;
}
