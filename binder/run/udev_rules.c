/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "udev_rules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "accel.h"

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

struct writer {
	char *buf;
	size_t size;
	size_t used;
	bool is_full;
};

static void put(struct writer *w, const char *format, ...) printf_like(2, 3);
static void put(struct writer *w, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(w->buf + w->used, w->size - w->used, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= w->size - w->used)
		w->is_full = true;
	else
		w->used += (size_t)n;
}

static void put_field(struct writer *w, const char *key, uint32_t value)
{
	if (value == PCI_ANY)
		put(w, "%s*", key);
	else
		put(w, "%s%08X", key, value);
}

/* The class as "bc12sc00i00", with '?' for each digit that the mask does not ask for whole. */
static void put_class(struct writer *w, uint32_t class, uint32_t mask)
{
	static const char *const keys[] = {"bc", "", "sc", "", "i", ""};

	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		unsigned shift = 20 - 4 * i;

		if ((mask >> shift & 0xf) == 0xf)
			put(w, "%s%X", keys[i], class >> shift & 0xf);
		else
			put(w, "%s?", keys[i]);
	}
}

/* The kernel's own name of what a device is (drivers/pci/pci-driver.c: pci_uevent()). */
static void put_modalias(struct writer *w, const struct selector *s)
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
	put(w, "\", ");
}

/* Of a group the vendors: the binder looks closer. */
static void put_accel(struct writer *w, unsigned group)
{
	const char * or = "ENV{MODALIAS}==\"";
	uint16_t vendor;

	for (size_t at = 0; accel_group_vendor(group, &at, &vendor); or = "|")
		put(w, "%spci:v%08Xd*", or, vendor);
	put(w, "\", ");
}

/* DEVPATH has what the link of a device leads to; '*' stands for '/' as well. */
static void put_path(struct writer *w, const struct pci_path *path)
{
	char root[BDF_SIZE], pattern[PATH_HOPS_MAX * sizeof("/*:1f.7") + BDF_SIZE];
	size_t used;

	bdf_format(path->root, root);
	used = (size_t)snprintf(pattern, sizeof(pattern), "%s", root);
	for (size_t i = 0; i < path->hop_count; i++)
		used += (size_t)snprintf(pattern + used, sizeof(pattern) - used,
					 "/*:%02x.%x", path->hops[i] >> 3,
					 path->hops[i] & 7);
	if (path->any_function)
		pattern[used - 1] = '?';
	put(w, "DEVPATH==\"*/%s|*/%s/*\", ", pattern, pattern);
}

/*
 * What comes along is not what the selector says, and may be anywhere: only an address tells
 * where the functions of a card are. And a card that is to be followed may be anywhere.
 */
static void put_rule(struct writer *w, const struct rule *rule)
{
	const struct selector selector =
		selector_without(&rule->selector, rule->follow ? PLACE_TERMS : 0);
	const struct selector *s = &selector;

	if ((s->terms & TERM_ADDRESS) && rule->with != WITH_GROUP) {
		char address[BDF_SIZE];

		bdf_format(s->address, address);
		if (s->any_function || rule->with == WITH_FUNCTIONS)
			address[strlen(address) - 1] = '*';
		put(w, "KERNEL==\"%s\", ", address);
	}
	if ((s->terms & (TERM_ID | TERM_CLASS)) && !rule->with)
		put_modalias(w, s);
	if ((s->terms & TERM_ACCEL) && !rule->with)
		put_accel(w, s->accel);
	if ((s->terms & TERM_PATH) && !rule->with)
		put_path(w, &s->path);
	/* Slot and serial number are read by the binder. */
	put(w, "%s", all_functions);
}

int udev_rules_write(const struct policy *policy, char *buf, size_t size)
{
	struct writer w = {.buf = buf, .size = size};
	size_t start;

	put(&w, "%s", head);
	start = w.used;
	for (size_t i = 0; i < policy->rule_count && !w.is_full; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->kind == RULE_BIND && policy_has_rule_active(policy, rule))
			put_rule(&w, rule);
	}
	put(&w, "%s", foot);
	if (!w.is_full)
		return (int)w.used;
	w.is_full = start == 0;
	w.used = start;
	put(&w, "%s%s", all_functions, foot);
	return w.is_full ? -E2BIG : (int)w.used;
}
