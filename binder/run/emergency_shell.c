/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "emergency_shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 640 /* with what stands around it, less than LOG_LINE_MAX */
#define NAMED_MAX 8 /* devices and rules in the line */

/* "a (word), b (word) and 3 more" */
struct list {
	char text[LINE_SIZE];
	size_t used;
	size_t count;
};

static void add(struct list *list, const char *what, int n, const char *why)
{
	int length;

	if (list->count++ >= NAMED_MAX)
		return;
	length = snprintf(list->text + list->used, sizeof(list->text) - list->used,
			  "%s%.*s (%s)", list->used > 0 ? ", " : "", MIN(n, 40), what,
			  why);
	if (length > 0)
		list->used = MIN(list->used + (size_t)length, sizeof(list->text) - 1);
}

static bool has_shell(const struct report *r, const struct rule *rule)
{
	return rule->kind == RULE_BIND && policy_has_rule_active(r->policy, rule) &&
	       policy_on_failure(r->policy, rule) == ON_FAILURE_SHELL;
}

static void find_failures(const struct report *r, struct list *list)
{
	for (size_t i = 0; r->plan && i < r->plan->device_count; i++) {
		const struct outcome *o = &r->outcomes[i];
		char address[BDF_SIZE];

		if (o->verdict == VERDICT_BOUND || !has_shell(r, o->plan->rule))
			continue;
		bdf_format(o->plan->device->bdf, address);
		add(list, address, (int)strlen(address), reason_word(o->reason));
	}
	for (size_t i = 0; i < r->policy->rule_count; i++) {
		const struct rule *rule = &r->policy->rules[i];

		if (!has_shell(r, rule))
			continue;
		if (!r->plan || report_has_rule_missing(r, i))
			add(list, rule->text.p, (int)MIN(rule->text.n, (size_t)40),
			    reason_word(r->plan ? REASON_MISSING : r->reason));
	}
}

static bool has_file(struct world *world, enum world_root root, const char *path)
{
	char byte;
	int r = world->ops->read(world, root, path, &byte, 1);

	return r >= 0 || r == -E2BIG;
}

bool shell_ask(struct world *world, const struct report *report, bool is_pid1)
{
	const struct policy *policy = report->policy;
	struct list list = {.used = 0};
	char line[LOG_LINE_MAX], more[32] = "";
	int n;

	find_failures(report, &list);
	if (list.count == 0 || report->is_dry_run || report->is_late)
		return false;
	if (policy->has_no_shell || (is_pid1 && policy->has_panic)) {
		world_log(
			world, LOG_LEVEL_WARNING,
			"on-failure=shell: no shell, the boot goes on: %s on the kernel "
			"command line forbids it",
			policy->has_no_shell ? "rd.shell=0" : "panic=");
		return false;
	}
	if (has_file(world, WORLD_RUN, RUN_OWN SHELL_NAME) ||
	    has_file(world, WORLD_DEV, WORLD_DEV_DIR "/" SHELL_NAME)) {
		world_log(world, LOG_LEVEL_INFO,
			  "on-failure=shell: no shell, there was one in this boot");
		return false;
	}
	if (list.count > NAMED_MAX)
		snprintf(more, sizeof(more), " and %zu more", list.count - NAMED_MAX);
	n = snprintf(line, sizeof(line),
		     "on-failure=shell: not bound: %s%s; \"dmesg\" says more, "
		     "\"exit\" goes on with the boot",
		     list.text, more);
	if (n < 0)
		return false;
	world_log(world, LOG_LEVEL_ERROR, "%s", line);
	n = MIN(n, (int)sizeof(line) - 2);
	line[n] = '\n';
	line[n + 1] = '\0';
	n = world->ops->publish(world, PUBLISH_OWN, SHELL_NAME, text_of(line));
	if (n < 0)
		world_log(world, LOG_LEVEL_WARNING,
			  "on-failure=shell: an image with systemd opens no shell: %s",
			  errno_text(n));
	return true;
}
