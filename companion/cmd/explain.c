/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to do next about a device: one command. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "accel.h"
#include "arena.h"
#include "boot_report.h"
#include "by_hand.h"
#include "commands.h"
#include "compiler.h"
#include "driver.h"
#include "framebuffer.h"
#include "group.h"
#include "group_cause.h"
#include "holders.h"
#include "hotplug.h"
#include "identity.h"
#include "inventory.h"
#include "iommu_advice.h"
#include "judgement.h"
#include "message.h"
#include "modules.h"
#include "next_boot.h"
#include "options.h"
#include "pci_names.h"
#include "reason.h"
#include "rule_request.h"
#include "run.h"
#include "sentences.h"
#include "sources.h"
#include "usage.h"
#include "world.h"

struct explain {
	const char *sysroot;
	struct strings words;

	struct arena *arena;
	struct world *world;
	struct selection selection;
	struct inventory now; /* all functions */
	struct identity identity;
	struct names *names;
	struct modules *modules;
	struct usages usages;
	struct holders holders;
	struct group_causes causes;
	bool has_causes;
	struct boot_view view;
	struct run
		next; /* the rules of the next boot, with every function, and their plan */
	struct judge judge; /* of it */
};

/* Whether the kernel was found stuck with it in this boot. */
static bool explain_is_stuck(const struct explain *e, const struct pci_device *d)
{
	return hotplug_find(e->world, d->bdf, &d->ids) == LATE_STUCK;
}

/* A rule for it, as it is or as if there were one. */
static void explain_judge(struct explain *e, const struct pci_device *d,
			  struct judgement *ret)
{
	const struct pci_device *next = inventory_find(&e->next.inventory, d->bdf);

	judge_device(&e->judge, next ? next : d, (struct allowance){0}, ret);
}

/* The group in the next boot without @d among the blockers; false for none. */
static bool explain_group(struct explain *e, const struct pci_device *d,
			  struct plan_group *ret)
{
	size_t kept = 0;

	if (d->iommu_group == NO_GROUP || group_make(&e->next.inventory, &e->next.plan,
						     d->iommu_group, e->arena, ret) < 0)
		return false;
	for (size_t i = 0; i < ret->blocker_count; i++)
		if (bdf_compare(ret->blockers[i]->bdf, d->bdf) != 0)
			ret->blockers[kept++] = ret->blockers[i];
	ret->blocker_count = kept;
	return true;
}

static const char *next_of_refusal(struct explain *e, const struct plan_device *pd,
				   const char *address)
{
	switch (pd->reason) {
	case REASON_IOMMU_OFF:
		return iommu_next(&e->now.iommu, NULL, e->arena);
	case REASON_IDENTITY_MISMATCH:
		return arena_printf(e->arena,
				    "Next: \"earlybind remove %.*s\", and \"earlybind "
				    "add %s\" if this device is meant",
				    (int)pd->rule->text.n, pd->rule->text.p, address);
	case REASON_HAS_VFS:
		return "Next: \"earlybind list\" shows the virtual functions to name instead";
	case REASON_BRIDGE:
	case REASON_IOMMU_DEVICE:
		return arena_printf(e->arena, "Next: \"earlybind remove %.*s\"",
				    (int)pd->rule->text.n, pd->rule->text.p);
	default:
		return "Next: \"earlybind plan\" shows it once the cause is gone";
	}
}

/* It is on vfio-pci or a variant. */
static const char *next_of_bound(struct explain *e, const struct pci_device *d)
{
	struct plan_group group;
	const char *remedy = "";

	if (!explain_group(e, d, &group) || group.blocker_count == 0)
		return "Next: nothing, a VM can have it";
	remedy = judge_group(&e->judge, &group, false);
	return arena_printf(e->arena, "Next: %s",
			    remedy[0] ? remedy : "nothing, its group cannot be split");
}

/* No rule names it. */
static const char *next_of_unnamed(struct explain *e, const struct pci_device *d,
				   const char *address)
{
	const struct pci_device *next = inventory_find(&e->next.inventory, d->bdf), *left;
	const char *command = next ? judge_add_command(&e->judge, &next, 1, &left) : NULL;

	/* Xen's back end can have what vfio could, the IOMMU apart. */
	if (!d->is_bridge && iommu_is_hopeless(&e->now.iommu) &&
	    (command || iommu_cause(&e->now.iommu) != IOMMU_CAUSE_DOM0))
		return iommu_next(&e->now.iommu, address, e->arena);
	if (!next)
		return "Next: nothing until its physical function is left to its driver";
	return command ? arena_printf(e->arena, "Next, to give it to a VM: \"%s\"",
				      command)
		       : "Next: nothing, it stays with the host";
}

/* A rule wants it, and it is not there. */
static const char *next_of_unbound(struct explain *e, const struct pci_device *d,
				   const struct plan_device *pd, const char *address,
				   bool has_booted)
{
	const struct guards guards = {e->world, e->usages, e->holders, e->judge, true};
	const char *first = has_booted && !e->view.why
				    ? "a reboot"
				    : "\"earlybind apply\" and a reboot";

	/* The plan is that of a boot without virtual functions. */
	if (d->vf_count > 0 || !guards_allow_bind(&guards, pd))
		return arena_printf(e->arena, "Next: %s", first);
	return arena_printf(e->arena, "Next: %s, or for now \"earlybind bind %s\"", first,
			    address);
}

static const char *next(struct explain *e, const struct pci_device *d,
			const struct plan_device *pd, const char *address)
{
	const struct boot_device *b = boot_find(&e->view.boot, d->bdf);

	if (explain_is_stuck(e, d))
		return "Next: power-cycle the machine; a reboot may hang";
	if (driver_is_vfio(d->driver) &&
	    (!pd || pd->action == ACTION_DONE || pd->action == ACTION_REFUSE))
		return next_of_bound(e, d);
	if (pd && pd->action == ACTION_DONE)
		return "Next: nothing, its driver is the one that the rule wants";
	if (e->next.policy.off)
		return "Next: reboot without rd.earlybind=0";
	if (!pd)
		return next_of_unnamed(e, d, address);
	if (pd->action == ACTION_KEEP && driver_is_vfio(d->driver) &&
	    !policy_has_module_id(&e->next.policy, d))
		return arena_printf(e->arena,
				    "Next: \"earlybind apply\" and a reboot, or for now "
				    "\"earlybind release %s\"",
				    address);
	if (pd->action == ACTION_KEEP)
		return arena_printf(e->arena,
				    "Next: nothing, or \"earlybind remove %.*s\" if it "
				    "need not be kept",
				    (int)pd->rule->text.n, pd->rule->text.p);
	if (pd->action == ACTION_REFUSE)
		return next_of_refusal(e, pd, address);
	return next_of_unbound(e, d, pd, address, b != NULL);
}

/* The last sentence of it: the command to type next, or that there is nothing to do. */
static const char *explain_next(struct explain *e, const struct pci_device *d,
				const struct plan_device *planned)
{
	char address[BDF_SIZE];
	const char *text = next(e, d, planned, bdf_format(d->bdf, address));

	return text ? text : "Next: \"earlybind plan\"";
}

static const char *attribute(struct explain *e, const struct pci_device *d,
			     const char *name)
{
	char path[JOB_PATH_SIZE], address[BDF_SIZE], buf[256];
	const char *copy;
	struct text t;

	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s/%s",
		 bdf_format(d->bdf, address), name);
	if (world_read_text(e->world, WORLD_SYS, path, buf, sizeof(buf), &t) < 0)
		return NULL;
	copy = arena_copy(e->arena, t);
	return copy ? copy : "";
}

/* The bridge right above it: the component in front of its own on the way to it; or "". */
static const char *find_bridge(struct explain *e, const struct pci_device *d,
			       char buf[static BDF_SIZE])
{
	char path[JOB_PATH_SIZE], target[1024];
	struct text rest, part;
	struct bdf bdf;

	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s", bdf_format(d->bdf, buf));
	buf[0] = '\0';
	if (e->world->ops->target(e->world, WORLD_SYS, path, target, sizeof(target)) < 0)
		return buf;
	rest = text_of(target);
	while (text_cut(&rest, '/', &part))
		if (bdf_parse(part, &bdf) == 0 && bdf_compare(bdf, d->bdf) != 0)
			bdf_format(bdf, buf);
	return buf;
}

static void tell_what(struct explain *e, const struct pci_device *d, struct paragraph *p)
{
	const char *class = names_class(e->names, &d->ids, e->arena);
	const char *vendor = names_vendor(e->names, d->ids.vendor, e->arena);
	const char *device = names_device(e->names, &d->ids, e->arena);
	const char *maker = names_vendor(e->names, d->ids.subvendor, e->arena);
	char bridge[BDF_SIZE], group[32] = "in no IOMMU group";

	if (vendor || device)
		paragraph_add(p, "is %s %s,", vendor ? vendor : "",
			      device ? device : "Device");
	else
		paragraph_add(p, "is");
	paragraph_add(p, "a device of the class %s [%04x],", class ? class : "",
		      d->ids.class >> 8);
	if (d->ids.subvendor != 0 && d->ids.subvendor != 0xffff)
		paragraph_add(p, "built by %s [%04x:%04x],", maker ? maker : "",
			      d->ids.subvendor, d->ids.subdevice);
	if (d->iommu_group != NO_GROUP)
		snprintf(group, sizeof(group), "in IOMMU group %d", d->iommu_group);
	find_bridge(e, d, bridge);
	paragraph_add(p, "%s%s%s.", group, bridge[0] ? ", behind the bridge " : "",
		      bridge);
}

/* Which of several cards it is. */
static void tell_identity(struct explain *e, const struct pci_device *d,
			  struct paragraph *p)
{
	struct pci_device *known = inventory_find(&e->now, d->bdf);
	const char *twins = identity_twins(&e->identity, known), *names;

	if (!twins[0])
		return;
	names = identity_names(&e->identity, known);
	paragraph_add(p, "%s %s the same ID%s", twins,
		      strchr(twins, ' ') ? "have" : "has", names[0] ? ";" : ".");
	if (names[0])
		paragraph_add(p, "a rule with %s means this card.", names);
}

/* How near a rule is that does not name the device; 0: not at all. */
static unsigned nearness(const struct rule *rule, const struct pci_device *d,
			 const char **ret_why)
{
	const struct selector *s = &rule->selector;
	bool has_id = (s->terms & TERM_ID) && pci_match_has(&s->id, &d->ids);

	if ((s->terms & TERM_ADDRESS) && has_id) {
		*ret_why = "has its ID, but another address";
		return 4;
	}
	if ((s->terms & TERM_ADDRESS) && bdf_is_same_slot(s->address, d->bdf)) {
		*ret_why = "is for another function of the same slot";
		return 3;
	}
	if (has_id) {
		*ret_why = "has its ID, but another class";
		return 2;
	}
	if ((s->terms & TERM_ID) && s->id.vendor == d->ids.vendor) {
		*ret_why = "is for another device of the same maker";
		return 1;
	}
	return 0;
}

static void tell_nearest_rule(const struct policy *policy, const struct pci_device *d,
			      struct paragraph *p)
{
	const struct rule *best = NULL;
	const char *why = "", *best_why = "";
	unsigned most = 0;
	char origin[ORIGIN_SIZE];

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		unsigned n;

		if (!policy_has_rule_active(policy, rule) &&
		    selector_has_match(&rule->selector, d)) {
			paragraph_add(p,
				      "No rule that counts names it: %.*s (%s) does so "
				      "with rd.earlybind.profile=%.*s only.",
				      (int)rule->text.n, rule->text.p,
				      origin_format(&rule->origin, origin),
				      (int)rule->profile.n, rule->profile.p);
			return;
		}
		n = rule->kind == RULE_BIND ? nearness(rule, d, &why) : 0;
		if (n <= most)
			continue;
		most = n;
		best = rule;
		best_why = why;
	}
	if (best)
		paragraph_add(p, "No rule names it: the nearest one, %.*s (%s), %s.",
			      (int)best->text.n, best->text.p,
			      origin_format(&best->origin, origin), best_why);
	else
		paragraph_add(p, "No rule names it.");
}

static void tell_rule(struct explain *e, const struct pci_device *d,
		      const struct plan_device *pd, struct paragraph *p)
{
	char origin[ORIGIN_SIZE], message[REASON_MESSAGE_SIZE];
	const struct rule *rule = pd ? pd->rule : NULL;
	bool is_along = pd && rule->with != WITH_NOTHING &&
			!selector_has_match(&rule->selector, pd->device);

	if (e->next.policy.off) {
		paragraph_add(p,
			      "No rule counts: rd.earlybind=0 is on the command line.");
		return;
	}
	if (!pd) {
		if (inventory_find(&e->next.inventory, d->bdf))
			tell_nearest_rule(&e->next.policy, d, p);
		return;
	}
	origin_format(&rule->origin, origin);
	if (pd->reason == REASON_IDENTITY_MISMATCH)
		paragraph_add(p, "The rule %.*s (%s) has its address,", (int)rule->text.n,
			      rule->text.p, origin);
	else
		paragraph_add(p, "The %s %.*s (%s) %s,",
			      rule->kind == RULE_KEEP ? "keep rule" : "rule",
			      (int)rule->text.n, rule->text.p, origin,
			      is_along ? "brings it along" : "names it");
	switch (pd->action) {
	case ACTION_BIND:
	case ACTION_RECOVER:
	case ACTION_DONE:
		paragraph_add(p, "and a boot with it binds the device to %s.",
			      pd->wanted);
		if (pd->device->framebuffer)
			paragraph_add(
				p,
				"The firmware's framebuffer (%s) is in its memory, so "
				"the screen goes dark then.",
				pd->device->framebuffer->driver);
		break;
	case ACTION_KEEP:
		paragraph_add(p, "and a boot with it leaves the device alone.");
		break;
	case ACTION_REFUSE:
		paragraph_add(p, "but a boot with it leaves the device alone: %s.",
			      reason_message(pd->reason, pd->detail, message));
		break;
	}
	if (pd->note)
		paragraph_add(p, "Note: %s.", pd->note);
}

/* What speaks against a rule, unless the plan says it. */
static void tell_judgement(struct explain *e, const struct pci_device *d,
			   const struct plan_device *pd, struct paragraph *p)
{
	char message[REASON_MESSAGE_SIZE];
	struct judgement judgement;

	explain_judge(e, d, &judgement);
	if (judgement.verdict != JUDGED_REFUSED || (pd && pd->action == ACTION_KEEP))
		return;
	if (pd && pd->action == ACTION_REFUSE && judgement.why &&
	    strcmp(judgement.why, reason_message(pd->reason, pd->detail, message)) == 0)
		return;
	paragraph_add(p, "A rule that binds it would be refused: %s.",
		      judgement.why ? judgement.why : "out of memory");
}

static void tell_boot(const struct explain *e, const struct pci_device *d,
		      const struct plan_device *pd, struct paragraph *p)
{
	const struct boot_device *b = boot_find(&e->view.boot, d->bdf);
	const char *when = b ? boot_device_when(b) : "";

	if (!b && e->view.why && pd) {
		paragraph_add(p, "What this boot did: %s.", e->view.why);
		return;
	}
	if (!b) {
		paragraph_add(
			p, "This boot did not touch it%s.",
			pd && pd->action != ACTION_REFUSE
				? ": its rules did not name it, so the rule is newer "
				  "than the image"
				: "");
		return;
	}
	if (!boot_device_now(b, &e->now)) {
		paragraph_add(p, "%s another device, [%s], was here.",
			      b->is_late ? "Before" : "At boot", b->id);
		return;
	}
	if (boot_device_is_bound(b) && strcmp(b->action, "done") == 0)
		paragraph_add(p, "It was on %s already %s.", b->after, when);
	else if (boot_device_is_bound(b))
		paragraph_add(p, "It was bound to %s %s, in %llu.%llu ms;", b->after,
			      when, (unsigned long long)b->microseconds / 1000,
			      (unsigned long long)b->microseconds / 100 % 10);
	else if (strcmp(b->action, ACTION_RELEASE) == 0)
		paragraph_add(p, "It was %s by hand%s%s.",
			      boot_device_is_released(b) ? "released" : "not released",
			      b->message[0] ? ": " : "", b->message);
	else if (strcmp(b->action, "keep") == 0)
		paragraph_add(p, "It was left alone %s.", when);
	else
		paragraph_add(p, "It was not bound %s (%s): %s.", when,
			      b->verdict[0] ? b->verdict : "no verdict", b->message);
	if (boot_device_is_bound(b) && strcmp(b->action, "done") != 0)
		paragraph_add(p, "before that, %s had it.",
			      b->before[0] ? b->before : "no driver");
	if (b->note[0] != '\0' && !(pd && pd->note))
		paragraph_add(p, "Note: %s.", b->note);
}

static void tell_now(const struct explain *e, const struct pci_device *d,
		     const struct plan_device *pd, struct paragraph *p)
{
	const struct boot_device *b = boot_find(&e->view.boot, d->bdf);
	bool is_wanted = pd && pd->action != ACTION_KEEP && pd->action != ACTION_REFUSE;
	bool is_taken = driver_is_vfio(d->driver);
	const char *verdict = "";

	if (b && boot_device_is_changed(b, &e->now))
		verdict = ", which is a change since then";
	else if (is_wanted)
		verdict = driver_is_same(d->driver, pd->wanted)
				  ? ", as intended"
				  : ", which is not what the rule wants";
	else if (pd && pd->action == ACTION_KEEP)
		verdict =
			is_taken ? ", which is not what the rule wants" : ", as intended";
	paragraph_add(p, "Now %s has it%s.", d->driver[0] ? d->driver : "no driver",
		      verdict);
}

static void tell_users(const struct explain *e, const struct pci_device *d,
		       struct paragraph *p)
{
	size_t count;
	const struct usage *usage =
		holders_find_usages(&e->holders, &e->usages, d, &count);
	bool is_used = false;

	for (size_t i = 0; i < count; i++) {
		if (!usage[i].is_in_use)
			continue;
		is_used = true;
		paragraph_add(p, "%s%s is %s.",
			      usage[i].kind == USAGE_VFIO ? "" : "The host uses it: ",
			      usage[i].name, usage[i].what);
	}
	if (!is_used && d->driver[0] != '\0')
		paragraph_add(p, "No use of it was found.");
}

/* Why its group has more than it, and what would split it. */
static void tell_cause(struct explain *e, const struct pci_device *d, struct paragraph *p)
{
	const char *cause = e->has_causes ? group_cause(&e->causes, d->bdf) : NULL;

	if (cause)
		paragraph_add(p, "%s", cause);
}

/* Where the kernel's groups are other ones than the hardware gives. */
static void tell_difference(struct explain *e, const struct pci_device *d,
			    struct paragraph *p)
{
	const char *text = e->has_causes ? group_difference(&e->causes, &d->bdf) : NULL;

	if (text)
		paragraph_add(p, "%s", text);
}

static void tell_group(struct explain *e, const struct pci_device *d, struct paragraph *p)
{
	char message[REASON_MESSAGE_SIZE];
	struct plan_group group;
	const char *blockers;
	size_t count = 0, others;

	if (d->iommu_group == NO_GROUP) {
		const struct iommu *iommu = &e->now.iommu;

		paragraph_add(
			p, "No VM can use it: %s.",
			iommu->is_on
				? reason_message(REASON_NO_IOMMU_GROUP, NULL, message)
				: reason_message(REASON_IOMMU_OFF,
						 iommu_why_off(iommu, e->arena),
						 message));
		return;
	}
	for (size_t i = 0; i < e->now.count; i++)
		count += e->now.devices[i].iommu_group == d->iommu_group;
	others = count - 1;
	if (iommu_is_interrupt_unsafe(&e->now.iommu)) {
		paragraph_add(
			p,
			"No VM can use it: interrupts are not remapped: %s; for guests "
			"that you trust vfio_iommu_type1.allow_unsafe_interrupts=1 "
			"will do.",
			iommu_why_not_remapped(&e->now.iommu));
		return;
	}
	if (others == 0) {
		paragraph_add(p, "It is alone in its group: nothing else keeps a VM "
				 "from using it.");
		return;
	}
	if (!explain_group(e, d, &group))
		return;
	blockers = plan_blockers(&group, e->arena);
	if (group.blocker_count == 0)
		paragraph_add(
			p, "Its group has %zu more function%s, which %s no VM's way.",
			others, plural(others), others == 1 ? "stands in" : "stand in");
	else if (group.reason == REASON_MANAGEMENT_IN_GROUP &&
		 accel_role(&d->ids) == ACCEL_USER)
		paragraph_add(p, "N%s.",
			      strstr(reason_message(group.reason, group.detail, message),
				     "o VM"));
	else
		paragraph_add(p,
			      "No VM can use it while %s of its group belong%s to the "
			      "host.",
			      blockers ? blockers : "others",
			      group.blocker_count == 1 ? "s" : "");
	if (group.blocker_count > 0)
		tell_cause(e, d, p);
}

static void tell_modules(struct explain *e, const struct pci_device *d,
			 struct paragraph *p)
{
	const struct module_names *names = modules_find(e->modules, &d->ids);

	if (names->count == 0)
		return;
	paragraph_add(p, "Without earlybind");
	for (size_t i = 0; i < names->count; i++)
		paragraph_add(p, "%s%s", names->names[i],
			      i + 2 < names->count    ? ","
			      : i + 2 == names->count ? " or"
						      : "");
	paragraph_add(p, "would take it.");
}

static void tell_reset(struct explain *e, const struct pci_device *d, struct paragraph *p)
{
	const char *methods = attribute(e, d, "reset_method");

	/* Since 5.15; a file that is there and empty means: none. */
	if (methods && methods[0] != '\0')
		paragraph_add(p, "A VM resets it by: %s.", methods);
	else if (methods)
		paragraph_add(p, "It cannot be reset: a second VM finds it as the first "
				 "one left it.");
}

/* One paragraph about a function: what it is, what happened, what to do next. */
static void explain_device(struct explain *e, const struct pci_device *d)
{
	const struct plan_device *planned = NULL;
	char id[ID_SIZE];
	struct paragraph p = describe_device(d->bdf, format_id(&d->ids, id));

	for (size_t i = 0; i < e->next.plan.device_count; i++)
		if (bdf_compare(e->next.plan.devices[i].device->bdf, d->bdf) == 0)
			planned = &e->next.plan.devices[i];
	tell_what(e, d, &p);
	tell_identity(e, d, &p);
	tell_rule(e, d, planned, &p);
	tell_judgement(e, d, planned, &p);
	tell_boot(e, d, planned, &p);
	tell_now(e, d, planned, &p);
	tell_users(e, d, &p);
	if (!d->is_bridge) {
		/* What is missing there has been said already. */
		if (!planned || (planned->reason != REASON_IOMMU_OFF &&
				 planned->reason != REASON_NO_IOMMU_GROUP))
			tell_group(e, d, &p);
		tell_difference(e, d, &p);
		tell_modules(e, d, &p);
		tell_reset(e, d, &p);
	}
	paragraph_add(&p, "%s.", explain_next(e, d, planned));
	paragraph_end(&p);
}

/* What the next boot will do. -errno, which is said. */
static int read_next(struct explain *e)
{
	static const struct strings none;
	static struct sources sources;
	static struct policy files;
	int r;

	if (sources_read(e->world, e->arena, &none, &sources) < 0 ||
	    next_boot_read(e->world, e->arena, &sources, NULL, &files, &e->next) < 0)
		return -EIO;
	r = next_boot_plan(e->world, e->arena, selection_filter, &e->selection, &e->next);
	e->judge = (struct judge){e->arena,	 &e->next.policy, &e->next.inventory,
				  &e->next.plan, &e->usages,	  &e->holders,
				  NULL,		 e->world};
	e->has_causes = r == 0 && group_causes_read(e->world, e->arena,
						    &e->next.inventory, &e->causes) == 0;
	if (e->has_causes)
		e->judge.causes = &e->causes;
	return r;
}

static int read_machine(struct explain *e)
{
	const char *release;
	int r;

	r = inventory_read(e->world, e->arena, selection_filter, &e->selection, &e->now);
	if (r == 0)
		r = identity_open(e->world, e->arena, &e->now, &e->identity);
	if (r < 0)
		return r;
	/* Without names and modules there are numbers and no candidates. */
	(void)!names_open(e->arena, e->sysroot, NULL, &e->names);
	(void)!modules_open(e->world, e->arena, e->sysroot, &release, &e->modules);
	r = usages_read(e->world, e->arena, &e->usages);
	if (r == 0)
		r = holders_read(e->world, e->arena, e->sysroot, &e->holders);
	return r == 0 ? boot_view_read(e->world, e->arena, &e->view) : r;
}

static int explain(struct explain *e)
{
	bool is_first = true;
	size_t missing;
	int r;

	if (e->words.count == 0) {
		say_error("explain: name a device: an address as 01:00.0, or another "
			  "selector; \"earlybind list\" shows them");
		return EXIT_WRONG_USAGE;
	}
	if (selection_parse("explain", &e->words, &e->selection) < 0)
		return EXIT_WRONG_USAGE;
	if (open_world(e->sysroot, &e->world) < 0)
		return EXIT_FAILED;
	r = read_machine(e);
	if (r < 0) {
		say_no_inventory(r);
		return EXIT_FAILED;
	}
	if (read_next(e) < 0)
		return EXIT_FAILED;
	for (size_t i = 0; i < e->now.count; i++) {
		const struct pci_device *d = &e->now.devices[i];

		if (!selection_has_match(&e->selection, d))
			continue;
		if (!is_first)
			putchar('\n');
		is_first = false;
		explain_device(e, d);
	}
	missing = selection_say_missing(&e->selection, &e->now);
	world_close(e->world);
	return missing > 0 ? EXIT_FAILED : EXIT_OK;
}

int command_explain(int argc, char **argv, struct arena *arena)
{
	static struct explain e;
	const struct option_spec options[] = {
		{"sysroot", OPTIONS_TREE,
		 "read this folder or recording, not this machine",
		 .ret_string = &e.sysroot},
	};
	const struct command_spec spec = {
		.name = "explain",
		.synopsis = "[OPTION...] DEVICE...",
		.text = "Tells the whole story of a device: what it is and where, which rule "
			"names it or why none does, what the next boot will do and what this one "
			"did, who has and uses it now, whether a VM can use its IOMMU group, "
			"what would take it without earlybind, how it is reset, and what to do "
			"next. DEVICE is an address (01:00.0) or another selector.\n"
			"\n"
			"exit code: 0 done; 1 there is no such device; 2 wrong usage\n",
		.example = "earlybind explain 01:00.0",
		.options = options,
		.option_count = ARRAY_SIZE(options),
		.ret_words = &e.words,
	};
	int code;

	e = (struct explain){.arena = arena};
	return options_parse(&spec, argc, argv, &code) ? explain(&e) : code;
}
