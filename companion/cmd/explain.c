/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind explain: one function in labelled lines: what it is, what happened, what to do next. */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
#include "mover.h"
#include "modules.h"
#include "next_boot.h"
#include "options.h"
#include "pci_names.h"
#include "reason.h"
#include "rule_request.h"
#include "run.h"
#include "sentences.h"
#include "usage.h"
#include "world.h"

struct explain {
	const char *sysroot;
	bool is_json;
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
	struct group_causes causes; /* of all, if the judge has them */
	struct boot_view view;
	struct run
		next; /* the rules of the next boot, with every function, and their plan */
	struct judge judge; /* of it */
	struct vfs_rules vfs; /* of the next boot */
	struct mover mover; /* reads the kernel log once for all devices */
};

/* What "earlybind bind" and "release" would be asked. */
static struct guards explain_guards(const struct explain *e)
{
	return (struct guards){e->world, e->usages, e->holders, e->judge, true};
}

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

/* The group in the next boot, as if a rule named @d; false for none. */
static bool explain_group(struct explain *e, const struct pci_device *d,
			  struct plan_group *ret)
{
	const struct pci_device *next = inventory_find(&e->next.inventory, d->bdf);

	return d->iommu_group != NO_GROUP &&
	       judge_group_then(&e->judge, d->iommu_group, &next, next ? 1 : 0, ret) == 0;
}

/*
 * The command by which @group, as it is after the next boot, goes to a VM: it takes what is in the
 * way, and @d unless a rule names it. NULL if nothing is left to take; *ret_left: the first that
 * cannot be taken.
 */
static const char *take_group(struct explain *e, const struct pci_device *d,
			      const struct plan_group *group, bool has_rule,
			      const struct pci_device **ret_left)
{
	const struct pci_device *next = inventory_find(&e->next.inventory, d->bdf);
	const struct pci_device **devices = arena_alloc(
		e->arena, group->blocker_count + 1, sizeof(struct pci_device *));
	size_t count = 0;

	*ret_left = NULL;
	if (!devices || !next)
		return NULL;
	/* In the order of addresses. */
	for (size_t i = 0; i < group->blocker_count; i++) {
		const struct pci_device *b = group->blockers[i];

		if (!has_rule && bdf_compare(next->bdf, b->bdf) < 0) {
			devices[count++] = next;
			has_rule = true;
		}
		if (b != next)
			devices[count++] = b;
	}
	if (!has_rule)
		devices[count++] = next;
	return count > 0 ? judge_add_command(&e->judge, devices, count, ret_left) : NULL;
}

/* What keeps @group with a VM that has it now: for @d, which is bound. */
static const char *later_of_bound(struct explain *e, const struct pci_device *d,
				  const struct plan_group *group, bool has_rule)
{
	const struct pci_device *left;
	const char *command;

	if (e->next.policy.off)
		return NULL;
	command = take_group(e, d, group, has_rule, &left);
	if (left)
		return group->is_viable ? NULL : judge_group_next(&e->judge, group);
	return command ? arena_printf(e->arena, "\"%s\"", command) : NULL;
}

/* Until then no command writes a rule. */
static const char *correct_first(struct explain *e)
{
	return arena_printf(e->arena, "%s: \"earlybind check\" says what is wrong",
			    judge_correct(&e->next.policy, e->arena));
}

/* It is on vfio-pci or a variant. */
static const char *next_of_bound(struct explain *e, const struct pci_device *d,
				 bool has_rule)
{
	struct plan_group now = {.is_viable = true}, then = now;
	const char *later;

	if (explain_group(e, d, &then) && !then.is_viable &&
	    judge_group_now(&e->now, d->iommu_group, e->arena, &now) == 0 &&
	    !now.is_viable)
		return judge_group_next(&e->judge, &then);
	later = later_of_bound(e, d, &then, has_rule);
	if (later && judge_config_error(&e->next.policy))
		later = correct_first(e);
	return later ? arena_printf(e->arena,
				    "nothing now, a VM can have it; for later boots: %s",
				    later)
		     : "nothing, a VM can have it";
}

/* No rule names it. */
static const char *next_of_unnamed(struct explain *e, const struct pci_device *d,
				   const char *address)
{
	const struct pci_device *next = inventory_find(&e->next.inventory, d->bdf), *left;
	const char *command = next ? judge_add_command(&e->judge, &next, 1, &left) : NULL;
	struct plan_group group = {.is_viable = true};

	/* Xen's back end can have what vfio could, the IOMMU apart. */
	if (!d->is_bridge && iommu_is_hopeless(&e->now.iommu) &&
	    (command || iommu_cause(&e->now.iommu) != IOMMU_CAUSE_DOM0))
		return iommu_next(&e->now.iommu, address, e->arena);
	if (!next)
		return "first leave its physical function to its driver";
	if (!command)
		return "nothing, it stays with the host";
	/* It is of use to a VM only with all that is in the way. */
	if (explain_group(e, d, &group) && !group.is_viable) {
		command = take_group(e, d, &group, false, &left);
		if (left)
			return judge_group_next(&e->judge, &group);
	}
	return arena_printf(e->arena, "to give it to a VM: \"%s\"", command);
}

static const char *next_of_refusal(struct explain *e, const struct pci_device *d,
				   const struct plan_device *pd, const char *address)
{
	const char *remove;

	switch (pd->reason) {
	case REASON_IOMMU_OFF:
		return iommu_next(&e->now.iommu, NULL, e->arena);
	case REASON_IDENTITY_MISMATCH:
		remove = judge_remove_rule(&e->judge, pd->rule);
		return remove ? arena_printf(
					e->arena,
					"%s, and \"earlybind add %s\" if you want this "
					"device",
					remove, address)
			      : NULL;
	case REASON_HOST_DEVICE:
		return next_of_unnamed(e, d, address);
	case REASON_BRIDGE:
	case REASON_IOMMU_DEVICE:
		return judge_remove_rule(&e->judge, pd->rule);
	default:
		return judge_remedy(&e->judge, pd);
	}
}

/* The boot failed for what the image lacks: another boot of it would, too. */
static bool is_image_at_fault(const struct boot_device *b)
{
	static const enum reason reasons[] = {REASON_NO_VFIO, REASON_NO_DRIVER,
					      REASON_MODULE_FAILED};

	for (size_t i = 0; b && i < ARRAY_SIZE(reasons); i++)
		if (strcmp(b->reason, reason_word(reasons[i])) == 0)
			return true;
	return false;
}

/* A rule wants it, and it is not there. */
static const char *next_of_unbound(struct explain *e, const struct pci_device *d,
				   const char *address, const struct boot_device *b)
{
	const struct guards guards = explain_guards(e);
	const char *first = !e->view.why && !is_image_at_fault(b) &&
					    (b || boot_find_overlooked(&e->view.boot, d))
				    ? "a reboot"
				    : "\"earlybind apply\" and a reboot";

	if (!guards_allow_bind(&guards, &e->now, d))
		return first;
	return arena_printf(e->arena, "%s, or for now \"earlybind bind %s\"", first,
			    address);
}

/* A rule keeps it, and vfio-pci has it. */
static const char *next_of_kept(struct explain *e, const struct pci_device *d,
				const char *address)
{
	const struct guards guards = explain_guards(e);

	if (!guards_allow_release(&guards, d))
		return "\"earlybind apply\" and a reboot";
	return arena_printf(e->arena,
			    "\"earlybind apply\" and a reboot, or for now "
			    "\"earlybind release %s\"",
			    address);
}

static const char *next(struct explain *e, const struct pci_device *d,
			const struct plan_device *pd, const char *address)
{
	const struct boot_device *b = boot_find(&e->view.boot, d->bdf);
	const char *remove;

	if (explain_is_stuck(e, d))
		return "power-cycle the machine; a reboot may hang";
	if (driver_is_vfio(d->driver) && (!pd || pd->action == ACTION_DONE))
		return next_of_bound(e, d, pd != NULL);
	if (pd && pd->action == ACTION_DONE)
		return "nothing, its driver is the one that the rule wants";
	if (e->next.policy.off)
		return "reboot without rd.earlybind=0";
	if (judge_config_error(&e->next.policy))
		return correct_first(e);
	if (!pd)
		return next_of_unnamed(e, d, address);
	if (pd->action == ACTION_KEEP && driver_is_vfio(d->driver) &&
	    !policy_has_module_id(&e->next.policy, d))
		return next_of_kept(e, d, address);
	if (pd->action == ACTION_KEEP) {
		remove = judge_remove_rule(&e->judge, pd->rule);
		return remove ? arena_printf(e->arena,
					     "nothing, or %s if it need not be kept",
					     remove)
			      : NULL;
	}
	if (pd->action == ACTION_REFUSE)
		return next_of_refusal(e, d, pd, address);
	return next_of_unbound(e, d, address, b);
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

/* ---- the labels ---- */

enum label {
	LABEL_DEVICE,
	LABEL_RULE,
	LABEL_BOOT,
	LABEL_NOW,
	LABEL_GROUP,
	LABEL_WHY,
	LABEL_NEXT,
	LABEL_GIVE_BACK,
};

#define LABEL_COUNT (LABEL_GIVE_BACK + 1)
#define LINES_MAX   8 /* of a label */

/* What is printed of a function, and written as JSON. */
struct story {
	struct arena *arena;
	const char *lines[LABEL_COUNT][LINES_MAX];
	size_t counts[LABEL_COUNT];
};

static void tell(struct story *story, enum label label, const char *format, ...)
	printf_like(3, 4);

/* One line more. */
static void tell(struct story *story, enum label label, const char *format, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, format);
	text = arena_vprintf(story->arena, format, ap);
	va_end(ap);
	if (story->counts[label] < LINES_MAX)
		story->lines[label][story->counts[label]++] =
			text ? text : "out of memory";
}

static void tell_what(struct explain *e, const struct pci_device *d, struct story *s)
{
	const char *class = names_class(e->names, &d->ids, e->arena);
	const char *vendor = names_vendor(e->names, d->ids.vendor, e->arena);
	const char *device = names_device(e->names, &d->ids, e->arena);
	const char *maker = names_vendor(e->names, d->ids.subvendor, e->arena);
	struct text_buffer b = {.arena = e->arena};
	char bridge[BDF_SIZE], address[BDF_SIZE], id[ID_SIZE];

	tell(s, LABEL_DEVICE, "%s [%s]%s%s%s%s", bdf_format(d->bdf, address),
	     format_id(&d->ids, id), vendor ? " " : "", vendor ? vendor : "",
	     device || vendor ? " " : "",
	     device   ? device
	     : vendor ? "Device"
		      : "");
	text_add(&b, "%s%sclass %04x", class ? class : "", class ? ", " : "",
		 d->ids.class >> 8);
	if (d->ids.subvendor != 0 && d->ids.subvendor != 0xffff)
		text_add(&b, "; built by %s%s[%04x:%04x]", maker ? maker : "",
			 maker ? " " : "", d->ids.subvendor, d->ids.subdevice);
	find_bridge(e, d, bridge);
	text_add(&b, "%s%s", bridge[0] ? "; behind the bridge " : "", bridge);
	tell(s, LABEL_DEVICE, "%s", text_shown(&b));
}

/* Which of several cards it is. */
static void tell_identity(struct explain *e, const struct pci_device *d, struct story *s)
{
	struct pci_device *known = inventory_find(&e->now, d->bdf);
	const char *twins = identity_twins(&e->identity, known), *names;

	if (!twins[0])
		return;
	names = identity_names(&e->identity, known);
	tell(s, LABEL_DEVICE, "%s %s the same ID%s%s%s", twins,
	     strchr(twins, ' ') ? "have" : "has", names[0] ? "; a rule with " : "", names,
	     names[0] ? " means this card" : "");
}

/* How near a rule is that does not name the device; 0: not at all. */
static unsigned nearness(const struct rule *rule, const struct pci_device *d,
			 const char **ret_why)
{
	const struct selector *s = &rule->selector;
	bool has_id = (s->terms & TERM_ID) && pci_match_has(&s->id, &d->ids);

	if (s->terms & TERM_PF)
		return 0;
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
			      struct story *s)
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
			tell(s, LABEL_RULE,
			     "none that counts; %.*s (%s) names it with "
			     "rd.earlybind.profile=%.*s only",
			     (int)rule->text.n, rule->text.p,
			     origin_format(&rule->origin, origin), (int)rule->profile.n,
			     rule->profile.p);
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
		tell(s, LABEL_RULE, "none names it; the nearest one, %.*s (%s), %s",
		     (int)best->text.n, best->text.p,
		     origin_format(&best->origin, origin), best_why);
	else
		tell(s, LABEL_RULE, "none names it");
}

/* What the next boot does by its rule. */
static const char *next_boot_word(struct explain *e, const struct plan_device *pd)
{
	switch (pd->action) {
	case ACTION_BIND:
	case ACTION_RECOVER:
	case ACTION_DONE:
		return arena_printf(e->arena, "the next boot binds it to %s", pd->wanted);
	case ACTION_KEEP:
		return "the next boot leaves it to the host";
	case ACTION_REFUSE:
		break;
	}
	return "the next boot will not bind it";
}

/* Rules that have it make virtual functions: what the next boot does, or what this one did. */
static void tell_vfs(struct explain *e, const struct pci_device *d, struct story *s)
{
	const struct vfs_rules *now = &e->view.vfs, *next = &e->vfs;

	for (size_t i = 0; i < next->count && !e->next.policy.off; i++)
		if (bdf_compare(next->items[i].rule->selector.pf, d->bdf) == 0)
			tell(s, LABEL_RULE, "virtual functions: %s",
			     vfs_format(e->arena, &next->items[i]));
	for (size_t i = 0; i < now->count; i++)
		if (bdf_compare(now->items[i].rule->selector.pf, d->bdf) == 0)
			tell(s, LABEL_BOOT, "virtual functions: %s",
			     vfs_format(e->arena, &now->items[i]));
}

static void tell_rule(struct explain *e, const struct pci_device *d,
		      const struct plan_device *pd, struct story *s)
{
	char origin[ORIGIN_SIZE];
	const struct rule *rule = pd ? pd->rule : NULL;
	const char *next, *text, *how = "names it";

	if (e->next.policy.off) {
		tell(s, LABEL_RULE, "none counts: rd.earlybind=0 is on the command line");
		return;
	}
	if (!pd) {
		if (inventory_find(&e->next.inventory, d->bdf))
			tell_nearest_rule(&e->next.policy, d, s);
		return;
	}
	if (pd->reason == REASON_IDENTITY_MISMATCH)
		how = "has its address";
	else if (rule->with != WITH_NOTHING &&
		 !selector_has_match(&rule->selector, pd->device))
		how = "brings it along";
	next = next_boot_word(e, pd);
	tell(s, LABEL_RULE, "%s%.*s (%s) %s: %s", rule->kind == RULE_KEEP ? "keep " : "",
	     (int)rule->text.n, rule->text.p, origin_format(&rule->origin, origin), how,
	     next ? next : "out of memory");
	if (pd->action <= ACTION_DONE && pd->device->framebuffer)
		tell(s, LABEL_RULE,
		     "the firmware's framebuffer (%s) is in its memory, so the screen "
		     "goes dark then",
		     pd->device->framebuffer->driver);
	if (pd->note)
		tell(s, LABEL_RULE, "note: %s", pd->note);
	if (pd->action != ACTION_REFUSE)
		return;
	text = refusal_sentence(e->arena, pd->rule, pd->reason, pd->detail);
	tell(s, LABEL_WHY, "%s", text ? text : "out of memory");
}

/* What speaks against a rule, unless the plan says it. */
static void tell_judgement(struct explain *e, const struct pci_device *d,
			   const struct plan_device *pd, struct story *s)
{
	const char *said =
		pd ? refusal_sentence(e->arena, pd->rule, pd->reason, pd->detail) : NULL;
	struct judgement judgement;

	explain_judge(e, d, &judgement);
	if (judgement.verdict != JUDGED_REFUSED || (pd && pd->action == ACTION_KEEP))
		return;
	if (pd && pd->action == ACTION_REFUSE && judgement.why && said &&
	    strcmp(judgement.why, said) == 0)
		return;
	tell(s, LABEL_WHY, "a rule that binds it would be refused: %s",
	     judgement.why ? judgement.why : "out of memory");
}

static void tell_no_report(const struct explain *e, struct story *s)
{
	static const char *const words[] = {
		[BOOT_NO_RULES] = "nothing: there was no rule",
		[BOOT_NO_EARLYBIND] = "earlybind did not run",
		[BOOT_OFF] = "earlybind was off",
		[BOOT_NO_REPORT] = "the report of this boot cannot be read",
	};

	tell(s, LABEL_BOOT, "%s", words[e->view.without]);
	tell(s, LABEL_WHY, "%s", e->view.why);
}

/* By the report, for the device that was there. */
static void tell_verdict(const struct boot_device *b, struct story *s)
{
	const char *when = boot_device_when(b);
	bool is_said = b->message[0] == '\0';

	for (size_t i = 0; i < s->counts[LABEL_WHY]; i++)
		is_said = is_said || strcmp(s->lines[LABEL_WHY][i], b->message) == 0;
	if (boot_device_is_bound(b) && strcmp(b->action, "done") == 0)
		tell(s, LABEL_BOOT, "on %s already %s", b->after, when);
	else if (boot_device_is_bound(b))
		tell(s, LABEL_BOOT, "bound to %s %s, in %llu.%llu ms (%s%s)", b->after,
		     when, (unsigned long long)b->microseconds / 1000,
		     (unsigned long long)b->microseconds / 100 % 10,
		     b->before[0] ? "was on " : "had no driver", b->before);
	else if (strcmp(b->action, ACTION_RELEASE) == 0)
		tell(s, LABEL_BOOT, "%s by hand%s%s",
		     boot_device_is_released(b) ? "released" : "not released",
		     b->message[0] ? ": " : "", b->message);
	else if (strcmp(b->action, "keep") == 0)
		tell(s, LABEL_BOOT, "left to the host %s", when);
	else
		tell(s, LABEL_BOOT, "not bound %s (%s)%s%s", when,
		     b->verdict[0] ? b->verdict : "no verdict", is_said ? "" : ": ",
		     is_said ? "" : b->message);
}

static void tell_boot(const struct explain *e, const struct pci_device *d,
		      const struct plan_device *pd, struct story *s)
{
	const struct boot_device *b = boot_find(&e->view.boot, d->bdf);
	const struct boot_rule *rule = boot_find_overlooked(&e->view.boot, d);

	if (!b && e->view.why && pd) {
		tell_no_report(e, s);
		return;
	}
	if (rule) {
		tell(s, LABEL_BOOT,
		     "did not touch it: it was not there when earlybind ran, so that its "
		     "rule %s (%s) did nothing",
		     rule->text, rule->origin);
		return;
	}
	if (!b) {
		tell(s, LABEL_BOOT, "did not touch it%s",
		     pd && pd->action != ACTION_REFUSE
			     ? ": the rule is newer than the image"
			     : "");
		return;
	}
	if (!boot_device_now(b, &e->now)) {
		tell(s, LABEL_BOOT, "%s another device, [%s], was here",
		     b->is_late ? "before," : "at boot", b->id);
		return;
	}
	tell_verdict(b, s);
	if (b->note[0] != '\0' && !(pd && pd->note))
		tell(s, LABEL_BOOT, "note: %s", b->note);
}

static void tell_now(const struct explain *e, const struct pci_device *d,
		     const struct plan_device *pd, struct story *s)
{
	const struct boot_device *b = boot_find(&e->view.boot, d->bdf);
	bool is_wanted = pd && pd->action != ACTION_KEEP && pd->action != ACTION_REFUSE;
	bool is_right = is_wanted ? driver_is_same(d->driver, pd->wanted)
				  : !driver_is_vfio(d->driver);
	const char *verdict = "";

	if (b && boot_device_is_changed(b, &e->now))
		verdict = ", changed since the boot";
	else if (is_wanted || (pd && pd->action == ACTION_KEEP))
		verdict =
			is_right ? ", as intended" : ", which is not what the rule wants";
	tell(s, LABEL_NOW, "%s%s", d->driver[0] ? d->driver : "no driver", verdict);
}

/*
 * How it was moved. The kernel gives a function whose driver_override names a driver to no other one
 * (drivers/pci/pci-driver.c: pci_match_device()), so whoever moved it has written there first.
 */
static void tell_override(struct explain *e, const struct pci_device *d, struct story *s)
{
	const struct boot_device *b = boot_find(&e->view.boot, d->bdf);
	const char *now;

	if (!b || !boot_device_is_changed(b, &e->now) || boot_device_is_released(b))
		return;
	now = boot_read_override(e->world, e->arena, NULL, d);
	if (!now || strcmp(now, b->after) == 0)
		return;
	if (now[0] == '\0')
		tell(s, LABEL_NOW,
		     "driver_override was cleared by another program (driverctl, libvirt) "
		     "or an administrator");
	else
		tell(s, LABEL_NOW,
		     "driver_override was changed to %s by another program (driverctl, "
		     "libvirt) or an administrator",
		     now);
}

static void tell_mover(struct explain *e, const struct pci_device *d, struct story *s)
{
	const struct boot_device *b = boot_find(&e->view.boot, d->bdf);
	const char *lines[MOVER_LINES];
	size_t count;

	if (!b || !boot_device_is_changed(b, &e->now) || boot_device_is_released(b))
		return;
	count = mover_describe(&e->mover, d, lines);
	for (size_t i = 0; i < count; i++)
		tell(s, LABEL_NOW, "moved: %s", lines[i]);
}

static void tell_users(const struct explain *e, const struct pci_device *d,
		       struct story *s)
{
	size_t count;
	const struct usage *usage = judge_usages(&e->judge, d, &count);
	bool is_used = false;

	for (size_t i = 0; i < count; i++) {
		if (!usage[i].is_in_use)
			continue;
		is_used = true;
		tell(s, LABEL_NOW, "%s%s is %s",
		     usage[i].kind == USAGE_VFIO ? "" : "in use by the host: ",
		     usage[i].name, usage[i].what);
	}
	if (!is_used && d->driver[0] != '\0')
		tell(s, LABEL_NOW, "no use of it was found");
}

/* Why its group has more than it, and what would split it. */
static void tell_cause(struct explain *e, const struct pci_device *d, struct story *s)
{
	const char *cause = e->judge.causes ? group_cause(&e->causes, d->bdf) : NULL;

	if (cause)
		tell(s, LABEL_WHY, "%s", cause);
}

/* Where the kernel's groups are other ones than the hardware gives. */
static void tell_difference(struct explain *e, const struct pci_device *d,
			    struct story *s)
{
	const char *text = e->judge.causes ? group_difference(&e->causes, &d->bdf) : NULL;

	if (text)
		tell(s, LABEL_WHY, "%s", text);
}

static void tell_no_group(struct explain *e, struct story *s)
{
	const struct iommu *iommu = &e->now.iommu;
	char message[REASON_MESSAGE_SIZE];

	tell(s, LABEL_GROUP, "none: no VM can use it");
	tell(s, LABEL_WHY, "%s",
	     iommu->is_on ? reason_message(REASON_NO_IOMMU_GROUP, NULL, message)
			  : reason_message(REASON_IOMMU_OFF,
					   iommu_why_off(iommu, e->arena), message));
}

/* The others of its group, some of which are in the way. */
static void tell_blockers(struct explain *e, const struct pci_device *d,
			  const struct plan_group *group, struct story *s)
{
	const char *blockers = plan_blockers(group, e->arena), *why;
	char message[REASON_MESSAGE_SIZE];
	struct plan_group now;

	if (group->reason == REASON_MANAGEMENT_IN_GROUP &&
	    accel_role(&d->ids) == ACCEL_USER) {
		reason_message(group->reason, group->detail, message);
		tell(s, LABEL_GROUP, "%d: no VM can use it", group->id);
		/* In a report it begins with "bound, but". */
		why = strstr(message, "no VM");
		tell(s, LABEL_WHY, "%s", why ? why : message);
	} else {
		bool is_later =
			judge_group_now(&e->now, group->id, e->arena, &now) == 0 &&
			now.is_viable;

		tell(s, LABEL_GROUP,
		     "%d: %sno VM can use it while %s belong%s to the host", group->id,
		     is_later ? "after the next boot " : "",
		     blockers ? blockers : "others",
		     group->blocker_count == 1 ? "s" : "");
	}
	tell_cause(e, d, s);
}

static void tell_group(struct explain *e, const struct pci_device *d, struct story *s)
{
	struct plan_group group;
	size_t others = 0;
	bool is_blocked;

	if (d->iommu_group == NO_GROUP) {
		tell_no_group(e, s);
		return;
	}
	is_blocked = explain_group(e, d, &group) && !group.is_viable;
	for (size_t i = 0; i < e->now.count; i++)
		others += e->now.devices[i].iommu_group == d->iommu_group &&
			  &e->now.devices[i] != d;
	if (iommu_is_interrupt_unsafe(&e->now.iommu)) {
		tell(s, LABEL_GROUP, "%d: no VM can use it: interrupts are not remapped",
		     d->iommu_group);
		tell(s, LABEL_WHY,
		     "interrupts are not remapped: %s; for guests that you trust, "
		     "vfio_iommu_type1.allow_unsafe_interrupts=1 is enough",
		     iommu_why_not_remapped(&e->now.iommu));
	} else if (others == 0) {
		tell(s, LABEL_GROUP, "%d: it is alone there%s", d->iommu_group,
		     is_blocked ? "" : ", so a VM can use it");
	} else if (is_blocked) {
		tell_blockers(e, d, &group, s);
	} else {
		tell(s, LABEL_GROUP, "%d: %zu more function%s in it, none in the way",
		     d->iommu_group, others, plural(others));
	}
}

static void tell_modules(struct explain *e, const struct pci_device *d, struct story *s)
{
	const struct module_names *names = modules_find(e->modules, &d->ids);
	struct text_buffer b = {.arena = e->arena};

	if (names->count == 0)
		return;
	for (size_t i = 0; i < names->count; i++)
		text_add(&b, "%s%s", names->names[i],
			 i + 2 < names->count	 ? ", "
			 : i + 2 == names->count ? " or "
						 : "");
	tell(s, LABEL_NOW, "without earlybind, %s would take it", text_shown(&b));
}

static void tell_reset(struct explain *e, const struct pci_device *d, struct story *s)
{
	const char *methods = attribute(e, d, "reset_method");

	/* Since 5.15; a file that is there and empty means: none. */
	if (methods && methods[0] != '\0')
		tell(s, LABEL_DEVICE, "a VM resets it by %s", methods);
	else if (methods)
		tell(s, LABEL_DEVICE,
		     "it cannot be reset: a second VM finds it as the first one left it");
}

static void tell_give_back(struct explain *e, const struct pci_device *d, struct story *s)
{
	const struct guards guards = explain_guards(e);
	const char *lines[GIVE_BACK_LINES];
	size_t count = guards_give_back(&guards, &d, 1, lines);

	for (size_t i = 0; i < count; i++)
		tell(s, LABEL_GIVE_BACK, "%s", lines[i]);
}

static void explain_device(struct explain *e, const struct pci_device *d, struct story *s)
{
	const struct plan_device *planned = plan_find(&e->next.plan, d);
	char address[BDF_SIZE];
	const char *text;

	*s = (struct story){.arena = e->arena};
	tell_what(e, d, s);
	tell_identity(e, d, s);
	tell_rule(e, d, planned, s);
	tell_vfs(e, d, s);
	tell_judgement(e, d, planned, s);
	tell_boot(e, d, planned, s);
	tell_now(e, d, planned, s);
	tell_override(e, d, s);
	tell_mover(e, d, s);
	tell_users(e, d, s);
	if (!d->is_bridge) {
		/* What is missing there has been said already. */
		if (!planned || (planned->reason != REASON_IOMMU_OFF &&
				 planned->reason != REASON_NO_IOMMU_GROUP))
			tell_group(e, d, s);
		tell_difference(e, d, s);
		tell_modules(e, d, s);
		tell_reset(e, d, s);
	}
	text = next(e, d, planned, bdf_format(d->bdf, address));
	tell(s, LABEL_NEXT, "%s", text ? text : "\"earlybind plan\"");
	tell_give_back(e, d, s);
}

static const struct {
	const char *name; /* for people */
	const char *key; /* of JSON */
	enum style style;
} labels[LABEL_COUNT] = {
	[LABEL_DEVICE] = {"device:", "device", STYLE_HEAD},
	[LABEL_RULE] = {"rule:", "rule", STYLE_HEAD},
	[LABEL_BOOT] = {"last boot:", "last_boot", STYLE_HEAD},
	[LABEL_NOW] = {"now:", "now", STYLE_HEAD},
	[LABEL_GROUP] = {"group:", "group", STYLE_HEAD},
	[LABEL_WHY] = {"why:", "why", STYLE_BAD},
	[LABEL_NEXT] = {"next:", "next", STYLE_HEAD},
	[LABEL_GIVE_BACK] = {"give back:", "give_back", STYLE_HEAD},
};

#define LABEL_WIDTH 11 /* with the blank */

static void print_line(size_t label, const char *line, bool is_first)
{
	struct paragraph p = {stdout, LABEL_WIDTH, LABEL_WIDTH, false};

	put_style(stdout, labels[label].style);
	printf("%-*s", LABEL_WIDTH, is_first ? labels[label].name : "");
	put_style(stdout, STYLE_PLAIN);
	paragraph_add(&p, "%s", line);
	paragraph_end(&p);
}

static void print_story(const struct story *s, bool is_first)
{
	if (!is_first)
		putchar('\n');
	for (size_t i = 0; i < LABEL_COUNT; i++)
		for (size_t k = 0; k < s->counts[i]; k++)
			print_line(i, s->lines[i][k], k == 0);
}

static void write_story(const struct explain *e, const struct pci_device *d,
			const struct story *s, struct json *json)
{
	const struct plan_device *pd = plan_find(&e->next.plan, d);
	char address[BDF_SIZE], id[ID_SIZE];

	json_open(json, NULL, '{');
	json_put_string(json, "address", bdf_format(d->bdf, address));
	json_put_string(json, "id", format_id(&d->ids, id));
	json_put_string(json, "driver", d->driver[0] ? d->driver : NULL);
	if (d->iommu_group == NO_GROUP)
		json_put_null(json, "iommu_group");
	else
		json_put_number(json, "iommu_group", d->iommu_group);
	json_put_string(json, "action", pd ? action_name(pd->action) : NULL);
	json_put_string(json, "reason",
			pd && pd->reason != REASON_NONE ? reason_word(pd->reason) : NULL);
	json_open(json, "explained", '{');
	for (size_t i = 0; i < LABEL_COUNT; i++) {
		json_open(json, labels[i].key, '[');
		for (size_t k = 0; k < s->counts[i]; k++)
			json_put_string(json, NULL, s->lines[i][k]);
		json_close(json, ']');
	}
	json_close(json, '}');
	json_close(json, '}');
}

#define STORY_ITEMS 8 /* of JSON_ITEM_SIZE that one may need */

static int begin_stories(struct explain *e, struct json *json)
{
	size_t count = 0;
	int r;

	if (!e->is_json)
		return 0;
	for (size_t i = 0; i < e->now.count; i++)
		count += selection_has_match(&e->selection, &e->now.devices[i]);
	r = begin_json(e->arena, count * STORY_ITEMS, json);
	if (r < 0)
		return r;
	json_open(json, NULL, '{');
	json_put_number(json, "schema", SCHEMA);
	json_open(json, "devices", '[');
	return 0;
}

static int end_stories(struct json *json)
{
	json_close(json, ']');
	json_close(json, '}');
	return end_json(json);
}

/* What the next boot will do. -errno, which is said. */
static int read_next(struct explain *e)
{
	int r = next_boot_read_own(e->world, e->sysroot, e->arena, &e->next);

	if (r < 0)
		return r;
	r = next_boot_plan(e->world, e->arena, selection_filter, &e->selection, &e->next);
	if (r == 0)
		r = vfs_judge_all(e->world, e->arena, &e->next.policy, &e->next.plan,
				  false, &e->vfs);
	if (r < 0) {
		say_error("out of memory");
		return r;
	}
	e->judge = (struct judge){
		.arena = e->arena,
		.policy = &e->next.policy,
		.inventory = &e->next.inventory,
		.plan = &e->next.plan,
		.usages = &e->usages,
		.holders = &e->holders,
		.world = e->world,
	};
	if (group_causes_read(e->world, e->arena, &e->next.inventory, &e->causes) == 0)
		e->judge.causes = &e->causes;
	return 0;
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
	return r == 0 ? boot_view_read(e->world, e->sysroot, e->arena, &e->view) : r;
}

static int explain(struct explain *e)
{
	static struct story story;
	bool is_first = true;
	struct json json;
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
	e->mover = (struct mover){
		.world = e->world, .arena = e->arena, .sysroot = e->sysroot};
	r = read_machine(e);
	if (r < 0) {
		say_no_inventory(r);
		return EXIT_FAILED;
	}
	if (read_next(e) < 0 || begin_stories(e, &json) < 0)
		return EXIT_FAILED;
	for (size_t i = 0; i < e->now.count; i++) {
		const struct pci_device *d = &e->now.devices[i];

		if (!selection_has_match(&e->selection, d))
			continue;
		explain_device(e, d, &story);
		if (e->is_json)
			write_story(e, d, &story, &json);
		else
			print_story(&story, is_first);
		is_first = false;
	}
	missing = selection_say_missing(&e->selection, &e->now);
	world_close(e->world);
	if (e->is_json && end_stories(&json) != EXIT_OK)
		return EXIT_FAILED;
	return missing > 0 ? EXIT_FAILED : EXIT_OK;
}

int command_explain(int argc, char **argv, struct arena *arena)
{
	static struct explain e;
	const struct option_spec options[] = {
		{"json", NULL, "print JSON for scripts", .ret_flag = &e.is_json},
		{"sysroot", OPTIONS_TREE,
		 "read this folder or recording, not this machine",
		 .ret_string = &e.sysroot},
	};
	const struct command_spec spec = {
		.name = "explain",
		.synopsis = "[OPTION...] DEVICE...",
		.text = "Explains a device in labelled lines:\n"
			"\n"
			"  device     what it is and where, and how it is reset\n"
			"  rule       which rule names it, and what the next boot does\n"
			"  last boot  what this boot did with it\n"
			"  now        its driver, and who uses it\n"
			"  group      whether a VM can use its IOMMU group\n"
			"  why        what keeps it from being bound or used\n"
			"  next       what to do next\n"
			"  give back  how the host gets it back\n"
			"\n"
			"DEVICE is an address (01:00.0) or another selector.\n"
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
