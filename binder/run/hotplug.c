/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hotplug.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "accel.h"
#include "config.h"

/*
 * PROGRAM runs while the rules are read, RUN{builtin}+="kmod load ..." of 80-drivers.rules
 * behind them all: the device is claimed before its own driver can load. A device that
 * "udevadm trigger" brings up again (SYNTH_UUID, lib/kobject_uevent.c) and that has a driver
 * costs no process.
 */
static const char head[] =
	"# By earlybind, from the rules of this boot: binder(8), LATE DEVICES.\n"
	"ACTION!=\"add\", GOTO=\"earlybind_end\"\n"
	"SUBSYSTEM!=\"pci\", GOTO=\"earlybind_end\"\n"
	"TEST!=\"/usr/lib/earlybind/binder\", GOTO=\"earlybind_end\"\n"
	"ENV{SYNTH_UUID}==\"?*\", DRIVER==\"?*\", GOTO=\"earlybind_end\"\n";
static const char foot[] = "GOTO=\"earlybind_end\"\n"
			   "LABEL=\"earlybind_bind\"\n"
			   "PROGRAM==\"/usr/lib/earlybind/binder --device $kernel\"\n"
			   "LABEL=\"earlybind_end\"\n";
static const char all_functions[] = "GOTO=\"earlybind_bind\"\n";

static void put_field(struct text_buffer *w, const char *key, uint32_t value)
{
	if (value == PCI_ANY)
		text_add(w, "%s*", key);
	else
		text_add(w, "%s%08X", key, value);
}

/* The class as "bc12sc00i00", with '?' for each digit that the mask does not ask for whole. */
static void put_class(struct text_buffer *w, uint32_t class, uint32_t mask)
{
	static const char *const keys[] = {"bc", "", "sc", "", "i", ""};

	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		unsigned shift = 20 - 4 * i;

		if ((mask >> shift & 0xf) == 0xf)
			text_add(w, "%s%X", keys[i], class >> shift & 0xf);
		else
			text_add(w, "%s?", keys[i]);
	}
}

/* The kernel's own name of what a device is (drivers/pci/pci-driver.c: pci_uevent()). */
static void put_modalias(struct text_buffer *w, const struct selector *s)
{
	const struct pci_match any = {PCI_ANY, PCI_ANY, PCI_ANY, PCI_ANY, 0, 0};
	const struct pci_match *id = s->terms & TERM_ID ? &s->id : &any;
	bool has_class = s->terms & TERM_CLASS;

	put_field(w, "ENV{MODALIAS}==\"pci:v", id->vendor);
	put_field(w, "d", id->device);
	put_field(w, "sv", id->subvendor);
	put_field(w, "sd", id->subdevice);
	put_class(w, has_class ? s->class : id->class,
		  has_class ? s->class_mask : id->class_mask);
	text_add(w, "\", ");
}

/*
 * Of a group the devices that the table has, so that no other one of their vendors costs a
 * process; of the subsystem and of the bits of a class the binder decides.
 */
static void put_accel(struct text_buffer *w, unsigned group)
{
	const char * or = "ENV{MODALIAS}==\"";
	struct accel_card card, last = {0};

	for (size_t at = 0; accel_group_next(group, &at, &card); last = card) {
		if (card.vendor == last.vendor && card.device == last.device &&
		    card.class == last.class)
			continue;
		text_add(w, "%spci:v%08Xd", or, card.vendor);
		if (card.has_device)
			text_add(w, "%08Xsv*", card.device);
		else if (card.class)
			text_add(w, "*bc%02Xsc%02Xi*", card.class >> 8,
				 card.class & 0xff);
		else
			text_add(w, "*");
		or = "|";
	}
	text_add(w, "\", ");
}

/* DEVPATH has what the link of a device leads to; '*' stands for '/' as well. */
static void put_path(struct text_buffer *w, const struct pci_path *path)
{
	char root[BDF_SIZE], pattern[PATH_HOPS_MAX * sizeof("/*:1f.7") + BDF_SIZE];
	struct text_buffer b = {.buf = pattern, .size = sizeof(pattern)};

	text_add(&b, "%s", bdf_format(path->root, root));
	for (size_t i = 0; i < path->hop_count; i++)
		text_add(&b, "/*:%02x.%x", path->hops[i] >> 3, path->hops[i] & 7);
	if (path->any_function)
		pattern[b.used - 1] = '?';
	text_add(w, "DEVPATH==\"*/%s|*/%s/*\", ", pattern, pattern);
}

/*
 * What comes along is not what the selector says, and may be anywhere: only an address tells
 * where the functions of a card are. And a card that is to be followed may be anywhere.
 */
static void put_rule(struct text_buffer *w, const struct rule *rule)
{
	const struct selector selector =
		selector_without(&rule->selector, rule->follow ? PLACE_TERMS : 0);
	const struct selector *s = &selector;

	if ((s->terms & TERM_ADDRESS) && rule->with != WITH_GROUP) {
		char address[BDF_SIZE];

		bdf_format(s->address, address);
		if (s->any_function || rule->with == WITH_FUNCTIONS)
			address[strlen(address) - 1] = '*';
		text_add(w, "KERNEL==\"%s\", ", address);
	}
	if ((s->terms & (TERM_ID | TERM_CLASS)) && !rule->with)
		put_modalias(w, s);
	if ((s->terms & TERM_ACCEL) && !rule->with)
		put_accel(w, s->accel);
	if ((s->terms & TERM_PATH) && !rule->with)
		put_path(w, &s->path);
	if ((s->terms & TERM_PF) && !rule->with)
		text_add(w, "TEST==\"physfn\", ");
	/* Slot, serial number and of which card it is virtual are read by the binder. */
	text_add(w, "%s", all_functions);
}

/*
 * When the card has its driver, in the initramfs or later, it is told to make virtual functions,
 * and no driver of theirs is asked. What the rule says of their ID must hold of the card: that is
 * another card otherwise. The kernel takes a number only where there are none, and shows this
 * ID without leading zeros (drivers/pci/iov.c: sriov_numvfs_store(), sriov_vf_device_show()).
 */
static void put_vfs(struct text_buffer *w, const struct rule *rule)
{
	const struct selector *s = &rule->selector;
	char address[BDF_SIZE];

	text_add(
		w,
		"ACTION==\"add|bind\", SUBSYSTEM==\"pci\", KERNEL==\"%s\", DRIVER==\"?*\", "
		"ATTR{sriov_numvfs}==\"0\", ",
		bdf_format(s->pf, address));
	if ((s->terms & TERM_ID) && s->id.vendor != PCI_ANY && s->id.device != PCI_ANY)
		text_add(w, "ATTR{vendor}==\"0x%04x\", ATTR{sriov_vf_device}==\"%x\", ",
			 s->id.vendor, s->id.device);
	text_add(w, "ATTR{sriov_drivers_autoprobe}=\"0\", ATTR{sriov_numvfs}=\"%u\"\n",
		 rule->vfs);
}

/* True if one of them is about every function. */
static bool put_rules(struct text_buffer *w, const struct policy *policy)
{
	bool is_any = false;

	for (size_t i = 0; i < policy->rule_count && !w->is_full; i++) {
		const struct rule *rule = &policy->rules[i];
		size_t used = w->used;

		if (rule->kind != RULE_BIND || !policy_has_rule_active(policy, rule))
			continue;
		put_rule(w, rule);
		is_any |= w->used == used + strlen(all_functions);
	}
	return is_any;
}

#define SEEN_MAX  1024 /* functions; more are not told */
#define SEEN_LINE 64 /* of them in a line, of which udev takes 16 KiB */

/*
 * What the boot's run has seen, and could read: when "udevadm trigger" brings it up, nothing has
 * changed. Without groups, with=group may mean another one later.
 */
static void put_seen(struct text_buffer *w, const struct inventory *inventory)
{
	char address[BDF_SIZE];

	if (inventory->unread_count > 0 || inventory->function_count > SEEN_MAX ||
	    !inventory->iommu.is_on)
		return;
	for (size_t i = 0; i < inventory->function_count; i++)
		text_add(w, "%s%s%s",
			 i % SEEN_LINE == 0 ? "ENV{SYNTH_UUID}==\"?*\", KERNEL==\"" : "|",
			 bdf_format(inventory->functions[i], address),
			 i % SEEN_LINE == SEEN_LINE - 1 ||
					 i + 1 == inventory->function_count
				 ? "\", GOTO=\"earlybind_end\"\n"
				 : "");
}

int udev_rules_write(const struct policy *policy, const struct inventory *seen, char *buf,
		     size_t size)
{
	struct text_buffer w = {.buf = buf, .size = size};
	struct text_buffer start;

	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].vfs > 0 &&
		    policy_has_rule_active(policy, &policy->rules[i]))
			put_vfs(&w, &policy->rules[i]);
	text_add(&w, "%s", head);
	start = w;
	if (put_rules(&w, policy) && seen && !policy->is_partial) {
		w = start;
		put_seen(&w, seen);
		(void)put_rules(&w, policy);
	}
	text_add(&w, "%s", foot);
	if (!w.is_full)
		return (int)w.used;
	w = start;
	text_add(&w, "%s%s", all_functions, foot);
	return w.is_full ? -E2BIG : (int)w.used;
}

#define RULES_SIZE CONFIG_WRITE_SIZE(RULES_MAX + KNOWN_MAX)
#define LINE_SIZE  64 /* "0000:01:00.0 10ee:5000 bound" */

/* "ADDRESS VENDOR:DEVICE VERDICT" */
static void put_verdict(struct text_buffer *b, const struct outcome *o)
{
	const struct pci_device *d = o->plan->device;
	char address[BDF_SIZE];

	text_add(b, "%s %04x:%04x %s\n", bdf_format(d->bdf, address), d->ids.vendor,
		 d->ids.device, o->verdict ? verdict_name(o->verdict) : "kept");
}

static int publish_rules(struct world *world, struct arena *arena,
			 const struct policy *policy)
{
	size_t size = CONFIG_WRITE_SIZE(policy->rule_count + policy->known_count);
	char *buf = arena_alloc(arena, size, 1);
	int n = buf ? config_write(policy, buf, size) : -ENOMEM;

	return n < 0 ? n
		     : world->ops->publish(world, PUBLISH_OWN, LATE_RULES_NAME,
					   (struct text){buf, (size_t)n});
}

static int publish_judged(struct world *world, struct arena *arena,
			  const struct report *report)
{
	size_t count = report->plan ? report->plan->device_count : 0;
	struct text_buffer b = {.size = MIN(count * LINE_SIZE, LATE_JUDGED_SIZE) + 1};

	b.buf = arena_alloc(arena, b.size, 1);
	if (!b.buf)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		put_verdict(&b, &report->outcomes[i]);
	if (b.is_full)
		return -E2BIG;
	return world->ops->publish(world, PUBLISH_OWN, LATE_JUDGED_NAME,
				   (struct text){b.buf, b.used});
}

static int publish_udev_rules(struct world *world, struct arena *arena,
			      const struct report *report)
{
	char *buf = arena_alloc(arena, UDEV_RULES_SIZE, 1);
	int n = buf ? udev_rules_write(report->policy,
				       report->plan ? report->inventory : NULL, buf,
				       UDEV_RULES_SIZE)
		    : -ENOMEM;

	return n < 0 ? n
		     : world->ops->publish(world, PUBLISH_UDEV, UDEV_RULES_NAME,
					   (struct text){buf, (size_t)n});
}

void hotplug_publish(struct world *world, struct arena *arena,
		     const struct report *report)
{
	int r = publish_rules(world, arena, report->policy);

	if (r == 0)
		r = publish_judged(world, arena, report);
	/* Last: what it calls finds the rest. */
	if (r == 0)
		r = publish_udev_rules(world, arena, report);
	if (r < 0)
		world_log(world, LOG_LEVEL_WARNING,
			  "devices that appear later will not be bound: %s",
			  errno_text(r));
}

bool hotplug_has_rules(struct world *world)
{
	char byte;

	/* One that cannot be read is there: then rules are missing, and that is said. */
	return world->ops->read(world, WORLD_RUN, RUN_OWN LATE_RULES_NAME, &byte, 1) !=
	       -ENOENT;
}

int hotplug_read_rules(struct world *world, struct arena *arena, struct policy *policy)
{
	const struct origin origin = {.source = SOURCE_TABLE};
	char *buf = arena_alloc(arena, RULES_SIZE, 1);
	int n = buf ? world->ops->read(world, WORLD_RUN, RUN_OWN LATE_RULES_NAME, buf,
				       RULES_SIZE)
		    : -ENOMEM;

	if (n == -ENOENT)
		return n;
	if (n < 0)
		policy_lose_source(policy, &origin, TEXT("rules of this boot"),
				   "cannot be read");
	else
		config_parse(policy, SOURCE_TABLE, (struct text){"", 0},
			     (struct text){buf, (size_t)n});
	return 0;
}

/* Looks for the device in lines of put_verdict(). */
static enum hotplug_judgement find_in(struct text bytes, struct bdf bdf,
				      const struct pci_ids *ids)
{
	char address[BDF_SIZE], id[16];
	struct text line, word;

	bdf_format(bdf, address);
	snprintf(id, sizeof(id), "%04x:%04x", ids->vendor, ids->device);
	while (text_cut(&bytes, '\n', &line)) {
		if (!text_word(&line, &word) || !text_is(word, address) ||
		    !text_word(&line, &word) || !text_is(word, id))
			continue;
		return text_word(&line, &word) &&
				       text_is(word, verdict_name(VERDICT_STUCK))
			       ? LATE_STUCK
			       : LATE_JUDGED;
	}
	return LATE_NEW;
}

enum hotplug_judgement hotplug_find(struct world *world, struct bdf bdf,
				    const struct pci_ids *ids)
{
	static char buf[LATE_JUDGED_SIZE + 1];
	char path[sizeof(RUN_DEVICE) + BDF_SIZE + sizeof(LATE_VERDICT_SUFFIX)];
	char address[BDF_SIZE];
	enum hotplug_judgement judgement = LATE_NEW;
	int n;

	snprintf(path, sizeof(path), RUN_DEVICE "%s" LATE_VERDICT_SUFFIX,
		 bdf_format(bdf, address));
	n = world->ops->read(world, WORLD_RUN, path, buf, sizeof(buf));
	if (n > 0)
		judgement = find_in((struct text){buf, (size_t)n}, bdf, ids);
	if (judgement != LATE_NEW)
		return judgement;
	n = world->ops->read(world, WORLD_RUN, RUN_OWN LATE_JUDGED_NAME, buf,
			     sizeof(buf));
	return n > 0 ? find_in((struct text){buf, (size_t)n}, bdf, ids) : LATE_NEW;
}

bool hotplug_has_judged(struct world *world)
{
	char byte;

	return world->ops->read(world, WORLD_RUN, RUN_OWN LATE_JUDGED_NAME, &byte, 1) !=
		       -ENOENT ||
	       world_has_entry(world, WORLD_RUN, WORLD_RUN_DIR "/devices") != -ENOENT;
}

int hotplug_judge(struct world *world, const struct report *report)
{
	char name[BDF_SIZE + sizeof(LATE_VERDICT_SUFFIX)], line[LINE_SIZE],
		address[BDF_SIZE];
	const struct outcome *o = &report->outcomes[0];
	struct text_buffer b = {.buf = line, .size = sizeof(line)};

	put_verdict(&b, o);
	if (b.is_full)
		return -E2BIG;
	snprintf(name, sizeof(name), "%s" LATE_VERDICT_SUFFIX,
		 bdf_format(o->plan->device->bdf, address));
	return world->ops->publish(world, PUBLISH_DEVICE, name,
				   (struct text){line, b.used});
}
