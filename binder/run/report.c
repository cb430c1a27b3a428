/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include <stdio.h>
#include <string.h>

#include "modload.h"
#include "version.h"

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_NONE] = "",	       [VERDICT_BOUND] = "bound",
		[VERDICT_HELD] = "held",       [VERDICT_RESTORED] = "restored",
		[VERDICT_REFUSED] = "refused", [VERDICT_MISSING] = "missing",
		[VERDICT_STUCK] = "stuck",     [VERDICT_FAILED] = "failed",
	};

	return names[verdict];
}

static bool is_as_ruled(const struct report *r, const struct outcome *o)
{
	if (r->is_dry_run)
		return o->plan->action != ACTION_REFUSE;
	if (o->plan->action == ACTION_KEEP)
		return strcmp(o->after, DEFAULT_DRIVER) != 0;
	return o->verdict == VERDICT_BOUND;
}

bool report_has_rule_missing(const struct report *r, size_t i)
{
	const struct rule *rule = &r->policy->rules[i];

	if (!r->plan || r->is_late || rule->kind != RULE_BIND || rule->optional ||
	    !policy_has_rule_active(r->policy, rule) || r->plan->rule_matches[i] > 0)
		return false;
	/* Another device at its address is refused and says so itself. */
	for (size_t k = 0; k < r->plan->device_count; k++)
		if (r->plan->devices[k].rule == rule)
			return false;
	return true;
}

bool report_is_all_bound(const struct report *r)
{
	if (r->is_dry_run)
		return false;
	return report_is_fine(r);
}

bool report_is_fine(const struct report *r)
{
	if (r->reason != REASON_NONE || !r->plan || r->policy->is_partial)
		return false;
	if (r->inventory && (r->inventory->unread_count > 0 || r->inventory->is_cut))
		return false;
	for (size_t i = 0; i < r->plan->device_count; i++)
		if (!is_as_ruled(r, &r->outcomes[i]))
			return false;
	for (size_t i = 0; i < r->policy->rule_count; i++)
		if (report_has_rule_missing(r, i))
			return false;
	return true;
}

/* "0000:01:00.0 [10ee:5000] bound to vfio-pci (was xclmgmt), group 1, 12 ms" */
static void bound_line(const struct outcome *o, struct text_buffer *line,
		       const char *address)
{
	const struct pci_device *d = o->plan->device;
	char was[DRIVER_NAME_SIZE + 8] = "", group[32] = "";

	if (o->before[0] != '\0' && strcmp(o->before, o->after) != 0)
		snprintf(was, sizeof(was), " (was %s)", o->before);
	if (d->iommu_group != NO_GROUP)
		snprintf(group, sizeof(group), ", group %d", d->iommu_group);
	text_add(line, "%s [%04x:%04x] %s to %s%s%s, %llu ms", address, d->ids.vendor,
		 d->ids.device,
		 strcmp(o->before, o->after) == 0 ? "was already bound" : "bound",
		 o->after, was, group,
		 (unsigned long long)(o->microseconds + 500) / 1000);
}

static void put_outcome(const struct outcome *o, struct text_buffer *line)
{
	static const char *const words[] = {
		[VERDICT_NONE] = "left alone",
		[VERDICT_HELD] = "not bound, held back from every driver",
		[VERDICT_RESTORED] = "not bound, left to its own driver",
		[VERDICT_REFUSED] = "not bound",
		[VERDICT_STUCK] = "stuck",
		[VERDICT_FAILED] = "not bound",
	};
	const struct pci_device *d = o->plan->device;
	char address[BDF_SIZE], message[REASON_MESSAGE_SIZE];
	char after[DRIVER_NAME_SIZE + 8] = "";

	bdf_format(d->bdf, address);
	if (o->verdict == VERDICT_BOUND) {
		bound_line(o, line, address);
		if (o->reason != REASON_NONE)
			text_add(line, ", but %s",
				 reason_message(o->reason, o->detail, message));
		return;
	}
	if (o->verdict == VERDICT_NONE && o->reason == REASON_NONE) {
		text_add(line, "%s [%04x:%04x] dry run, action: %s", address,
			 d->ids.vendor, d->ids.device, action_name(o->plan->action));
		return;
	}
	if (o->after[0] != '\0')
		snprintf(after, sizeof(after), " (%s)", o->after);
	text_add(line, "%s [%04x:%04x] %s%s: %s", address, d->ids.vendor, d->ids.device,
		 o->reason == REASON_KEPT_GIVEN_BACK ? "given back" : words[o->verdict],
		 after, reason_message(o->reason, o->detail, message));
}

void report_device_line(const struct outcome *o, char *line, size_t size)
{
	struct text_buffer b = {.buf = line, .size = size};

	put_outcome(o, &b);
	if (o->plan->note)
		text_add(&b, "; %s", o->plan->note);
	text_shown(&b);
}

void report_log_problems(const struct policy *policy, struct world *world)
{
	for (size_t i = 0; i < policy->problem_count; i++) {
		const struct problem *p = &policy->problems[i];
		char origin[ORIGIN_SIZE];

		world_log(world, LOG_LEVEL_WARNING, "%s: \"%.*s\": %s%s",
			  origin_format(&p->origin, origin),
			  (int)MIN(p->text.n, (size_t)80), p->text.p, p->message,
			  p->is_error ? ", ignoring" : "");
	}
	if (policy->problems_lost > 0)
		world_log(world, LOG_LEVEL_WARNING, "%zu more problems are not shown",
			  policy->problems_lost);
}

/* What rd.earlybind.log=debug adds. */
static void log_details(const struct report *r, struct world *world)
{
	char origin[ORIGIN_SIZE], text[SELECTOR_SIZE];

	for (size_t i = 0; i < r->policy->rule_count; i++) {
		const struct rule *rule = &r->policy->rules[i];

		world_log(world, LOG_LEVEL_DEBUG, "rule: %s %s, from %s, names %zu%s",
			  rule_kind_name(rule->kind),
			  selector_format(&rule->selector, text),
			  origin_format(&rule->origin, origin),
			  r->plan ? r->plan->rule_matches[i] : 0,
			  policy_has_rule_active(r->policy, rule)
				  ? ""
				  : ", profile not asked for");
	}
	for (size_t i = 0; i < r->module_count; i++) {
		const struct module_outcome *m = &r->modules[i];

		world_log(world, LOG_LEVEL_DEBUG, "module: %s: %s, %llu ms", m->name,
			  m->error ? errno_text(m->error) : module_state_name(m->state),
			  (unsigned long long)(m->microseconds + 500) / 1000);
	}
	world_log(world, LOG_LEVEL_DEBUG, "%zu functions, IOMMU %s, %llu ms in all",
		  r->inventory ? r->inventory->function_count : 0,
		  r->inventory && r->inventory->iommu.is_on ? "on" : "off",
		  (unsigned long long)(r->microseconds + 500) / 1000);
}

static void log_unread(const struct inventory *inventory, struct world *world)
{
	if (inventory->is_cut)
		world_log(world, LOG_LEVEL_WARNING,
			  "more than %d PCI functions: the rest is not known",
			  FUNCTIONS_MAX);
	if (inventory->unread_count > 0)
		world_log(
			world, LOG_LEVEL_WARNING,
			"%zu PCI functions could not be read: rules may have missed them",
			inventory->unread_count);
}

static void log_groups(const struct report *r, struct world *world)
{
	char message[REASON_MESSAGE_SIZE];

	for (size_t i = 0; i < r->group_count; i++) {
		const struct plan_group *group = &r->groups[i].group;

		if (!group->is_viable)
			world_log(world, LOG_LEVEL_WARNING, "group %d: %s", group->id,
				  reason_message(group->reason, group->detail, message));
	}
	/* Of the machine, not of a group: once. */
	if (r->group_count > 0 && iommu_is_interrupt_unsafe(&r->inventory->iommu))
		world_log(world, LOG_LEVEL_WARNING, "%s",
			  reason_message(REASON_NO_REMAPPING,
					 iommu_why_not_remapped(&r->inventory->iommu),
					 message));
}

void report_log(const struct report *r, struct world *world)
{
	char line[512], message[REASON_MESSAGE_SIZE], origin[ORIGIN_SIZE];

	/* The boot's run has said it already, but for what cannot be read now. */
	if (!r->is_late || r->policy->debug || r->policy->is_partial)
		report_log_problems(r->policy, world);
	if (r->policy->debug)
		log_details(r, world);
	if (r->reason != REASON_NONE)
		world_log(world, LOG_LEVEL_ERROR, "nothing was done: %s",
			  reason_message(r->reason, r->detail, message));
	for (size_t i = 0; i < r->module_count && r->reason == REASON_NONE; i++)
		if (r->modules[i].message)
			world_log(world, LOG_LEVEL_WARNING, "%s",
				  reason_message(REASON_MODULE_FAILED,
						 r->modules[i].message, message));
	if (!r->plan)
		return;
	for (size_t i = 0; i < r->plan->device_count; i++) {
		const struct outcome *o = &r->outcomes[i];
		bool fine = o->reason == REASON_NONE || o->reason == REASON_KEPT ||
			    o->reason == REASON_KEPT_GIVEN_BACK;

		report_device_line(o, line, sizeof(line));
		world_log(world, fine ? LOG_LEVEL_NOTICE : LOG_LEVEL_ERROR, "%s", line);
	}
	for (size_t i = 0; i < r->policy->rule_count; i++) {
		const struct rule *rule = &r->policy->rules[i];

		if (report_has_rule_missing(r, i))
			world_log(world, LOG_LEVEL_WARNING, "%s: \"%.*s\": %s",
				  origin_format(&rule->origin, origin),
				  (int)MIN(rule->text.n, (size_t)80), rule->text.p,
				  reason_missing(r->plan->moved[i].elsewhere, message));
	}
	log_groups(r, world);
	if (r->inventory)
		log_unread(r->inventory, world);
}

void report_write_rules(const struct policy *policy, const struct plan *plan,
			struct json *json)
{
	char origin[ORIGIN_SIZE];

	json_open(json, "rules", '[');
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		json_open(json, NULL, '{');
		json_put_text(json, "text", rule->text);
		json_put_string(json, "origin", origin_format(&rule->origin, origin));
		json_put_string(json, "kind", rule_kind_name(rule->kind));
		json_put_bool(json, "optional", rule->optional);
		json_put_bool(json, "active", policy_has_rule_active(policy, rule));
		if (plan)
			json_put_number(json, "matched", (int64_t)plan->rule_matches[i]);
		if (plan && plan->moved[i].elsewhere)
			json_put_string(json, "elsewhere", plan->moved[i].elsewhere);
		json_close(json, '}');
	}
	json_close(json, ']');
}

void report_write_device(const struct plan_device *pd, const struct outcome *o,
			 struct json *json)
{
	const struct pci_device *d = pd->device;
	char address[BDF_SIZE], id[16], message[REASON_MESSAGE_SIZE];
	char origin[ORIGIN_SIZE];
	enum reason reason = o ? o->reason : pd->reason;
	const char *detail = o ? o->detail : pd->detail;
	const char *driver = o ? o->before : d->driver;
	const char *wanted = o ? o->wanted : pd->wanted;

	json_open(json, NULL, '{');
	json_put_string(json, "address", bdf_format(d->bdf, address));
	snprintf(id, sizeof(id), "%04x:%04x", d->ids.vendor, d->ids.device);
	json_put_string(json, "id", id);
	snprintf(id, sizeof(id), "%04x:%04x", d->ids.subvendor, d->ids.subdevice);
	json_put_string(json, "subsystem", id);
	json_put_hex(json, "class", d->ids.class, 6);
	if (d->iommu_group == NO_GROUP)
		json_put_null(json, "iommu_group");
	else
		json_put_number(json, "iommu_group", d->iommu_group);
	json_put_string(json, "driver", driver[0] ? driver : NULL);
	json_put_string(json, "wanted", wanted[0] ? wanted : NULL);
	json_put_string(json, "action", action_name(pd->action));
	json_put_text(json, "rule", pd->rule->text);
	json_put_string(json, "origin", origin_format(&pd->rule->origin, origin));
	json_put_string(json, "reason",
			reason == REASON_NONE ? NULL : reason_word(reason));
	json_put_string(json, "message",
			reason == REASON_NONE ? NULL
					      : reason_message(reason, detail, message));
	if (pd->note)
		json_put_string(json, "note", pd->note);
	if (o) {
		json_put_string(json, "before", o->before[0] ? o->before : NULL);
		json_put_string(json, "after", o->after[0] ? o->after : NULL);
		json_put_string(json, "verdict",
				o->verdict ? verdict_name(o->verdict) : NULL);
		json_put_number(json, "errno", o->error);
		json_put_number(json, "microseconds", (int64_t)o->microseconds);
	}
	json_close(json, '}');
}

static void write_group_fields(const struct plan_group *group, struct json *json)
{
	char address[BDF_SIZE], message[REASON_MESSAGE_SIZE];

	json_put_number(json, "id", group->id);
	json_put_bool(json, "viable", group->is_viable);
	json_open(json, "blockers", '[');
	for (size_t i = 0; i < group->blocker_count; i++)
		json_put_string(json, NULL, bdf_format(group->blockers[i]->bdf, address));
	json_close(json, ']');
	json_put_string(json, "reason",
			group->reason ? reason_word(group->reason) : NULL);
	json_put_string(json, "message",
			group->reason
				? reason_message(group->reason, group->detail, message)
				: NULL);
}

void report_write_group(const struct plan_group *group, struct json *json)
{
	json_open(json, NULL, '{');
	write_group_fields(group, json);
	json_close(json, '}');
}

void report_write_problems(const struct policy *policy, struct json *json)
{
	char origin[ORIGIN_SIZE];

	json_open(json, "problems", '[');
	for (size_t i = 0; i < policy->problem_count; i++) {
		const struct problem *p = &policy->problems[i];

		json_open(json, NULL, '{');
		json_put_string(json, "origin", origin_format(&p->origin, origin));
		json_put_text(json, "text", p->text);
		json_put_string(json, "message", p->message);
		json_put_string(json, "severity", p->is_error ? "error" : "warning");
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void write_modules(const struct report *r, struct json *json)
{
	json_open(json, "modules", '[');
	for (size_t i = 0; i < r->module_count; i++) {
		const struct module_outcome *m = &r->modules[i];

		json_open(json, NULL, '{');
		json_put_string(json, "name", m->name);
		json_put_string(json, "outcome",
				m->error ? "failed" : module_state_name(m->state));
		json_put_number(json, "errno", m->error);
		json_put_string(json, "message", m->message);
		json_put_number(json, "microseconds", (int64_t)m->microseconds);
		json_close(json, '}');
	}
	json_close(json, ']');
}

void report_write(const struct report *r, struct json *json)
{
	static const char *const kernel[] = {
		[KERNEL_UNKNOWN] = NULL,
		[KERNEL_VIABLE] = "viable",
		[KERNEL_NOT_VIABLE] = "not viable",
	};
	char message[REASON_MESSAGE_SIZE];

	json_open(json, NULL, '{');
	json_put_number(json, "schema", REPORT_SCHEMA);
	json_put_string(json, "version", EARLYBIND_VERSION);
	json_put_bool(json, "dry_run", r->is_dry_run);
	json_put_bool(json, "late", r->is_late);
	json_put_bool(json, "all_bound", report_is_all_bound(r));
	json_put_string(json, "reason", r->reason ? reason_word(r->reason) : NULL);
	json_put_string(json, "message",
			r->reason ? reason_message(r->reason, r->detail, message) : NULL);
	json_put_number(json, "microseconds", (int64_t)r->microseconds);
	json_put_number(json, "unread",
			r->inventory ? (int64_t)r->inventory->unread_count : 0);
	report_write_rules(r->policy, r->plan, json);
	json_open(json, "devices", '[');
	for (size_t i = 0; r->plan && i < r->plan->device_count; i++)
		report_write_device(r->outcomes[i].plan, &r->outcomes[i], json);
	json_close(json, ']');
	json_open(json, "groups", '[');
	for (size_t i = 0; i < r->group_count; i++) {
		json_open(json, NULL, '{');
		write_group_fields(&r->groups[i].group, json);
		json_put_string(json, "kernel", kernel[r->groups[i].kernel]);
		json_close(json, '}');
	}
	json_close(json, ']');
	write_modules(r, json);
	report_write_problems(r->policy, json);
	json_close(json, '}');
}
