/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules by lot: their terms are those of a device of the machine, or nearly so. */
#include "fake_lot.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add_text(char *buf, size_t size, const char *format, ...) printf_like(3, 4);
static void add_text(char *buf, size_t size, const char *format, ...)
{
	size_t used = strlen(buf);
	va_list ap;

	va_start(ap, format);
	vsnprintf(buf + used, size - used, format, ap);
	va_end(ap);
	if (strlen(buf) + 1 == size)
		fake_abort("a text of %zu bytes", size);
}

static void add_term(struct lot_rule *rule, unsigned term)
{
	rule->terms |= term;
	if (rule->text[0] != '\0')
		add_text(rule->text, sizeof(rule->text), "+");
}

/* Another device, now and then: the terms contradict each other, or hold for none. */
static size_t draw_like(struct lot *lot, size_t device)
{
	if (lot_draw(lot, 10) > 0)
		return device;
	return lot_draw(lot, (unsigned)lot->w->bus.device_count);
}

/* "*" is written as the source has it. */
static void draw_field(struct lot *lot, struct lot_rule *rule, uint32_t value,
		       unsigned any, const char *colon, uint32_t *ret)
{
	bool is_module = rule->place == PLACE_IDS || rule->place == PLACE_MODPROBE;

	*ret = lot_draw(lot, any) == 0 ? PCI_ANY : value;
	if (*ret == PCI_ANY)
		add_text(rule->text, sizeof(rule->text), "%s%s", colon,
			 is_module ? "ffffffff" : "*");
	else
		add_text(rule->text, sizeof(rule->text), "%s%04x", colon, *ret);
}

static void draw_id(struct lot *lot, struct lot_rule *rule, const struct fake_device *d)
{
	static const uint32_t masks[] = {0xffffff, 0xffff00, 0xff0000, 0x00ff00, 0};
	struct pci_match *id = &rule->id;

	add_term(rule, TERM_ID);
	*id = (struct pci_match){PCI_ANY, PCI_ANY, PCI_ANY, PCI_ANY, 0, 0};
	draw_field(lot, rule, d->ids.vendor, 8, "", &id->vendor);
	draw_field(lot, rule, d->ids.device, 3, ":", &id->device);
	if (lot_draw(lot, 3) > 0)
		return;
	draw_field(lot, rule, d->ids.subvendor, 3, ":", &id->subvendor);
	draw_field(lot, rule, d->ids.subdevice, 3, ":", &id->subdevice);
	if (lot_draw(lot, 2))
		return;
	id->class = d->ids.class;
	id->class_mask = masks[lot_draw(lot, ARRAY_SIZE(masks))];
	add_text(rule->text, sizeof(rule->text), ":%06x:%06x", id->class, id->class_mask);
}

static void draw_address(struct lot *lot, struct lot_rule *rule, struct bdf bdf)
{
	add_term(rule, TERM_ADDRESS);
	rule->address = bdf;
	rule->is_any_function = lot_draw(lot, 3) == 0;
	if (bdf.domain != 0 || lot_draw(lot, 2))
		add_text(rule->text, sizeof(rule->text), "%04x:", bdf.domain);
	add_text(rule->text, sizeof(rule->text), "%02x:%02x.", bdf.bus, bdf.device);
	if (rule->is_any_function)
		add_text(rule->text, sizeof(rule->text), "*");
	else
		add_text(rule->text, sizeof(rule->text), "%x", bdf.function);
}

static void draw_path(struct lot *lot, struct lot_rule *rule, size_t device)
{
	struct lot_path *path = &rule->path;

	/* A virtual function may have none: its address is as good as any. */
	if (!lot_path_of(lot, device, path))
		*path = (struct lot_path){.root = lot->w->bus.devices[device].bdf};
	add_term(rule, TERM_PATH);
	/* The card in that slot: the path ends at a bridge before it. */
	if (lot_draw(lot, 3) == 0)
		path->count = lot_draw(lot, (unsigned)path->count + 1);
	path->is_any = lot_draw(lot, 4) == 0;
	add_text(rule->text, sizeof(rule->text), "path=%04x:%02x:%02x.",
		 path->root.domain, path->root.bus, path->root.device);
	for (size_t i = 0; i <= path->count; i++) {
		unsigned function = i == 0 ? path->root.function : path->hops[i - 1] & 7;

		if (i > 0)
			add_text(rule->text, sizeof(rule->text), "/%02x.",
				 path->hops[i - 1] >> 3);
		if (i == path->count && path->is_any)
			add_text(rule->text, sizeof(rule->text), "*");
		else
			add_text(rule->text, sizeof(rule->text), "%x", function);
	}
}

static void draw_slot(struct lot *lot, struct lot_rule *rule)
{
	if (lot->slot_count == 0)
		return;
	add_term(rule, TERM_SLOT);
	rule->slot = lot_draw(lot, (unsigned)lot->slot_count);
	add_text(rule->text, sizeof(rule->text), "slot=%s", lot->slots[rule->slot].name);
}

static void draw_serial_term(struct lot *lot, struct lot_rule *rule, size_t device)
{
	unsigned number = lot_draw(lot, LOT_SERIALS_MAX);

	if (lot->serials[device])
		number = lot->serials[device] & 0xff;
	add_term(rule, TERM_SERIAL);
	rule->serial = UINT64_C(0x000a35ffff001200) + number;
	add_text(rule->text, sizeof(rule->text), "serial=00-0a-35-ff-ff-00-12-%02x",
		 number);
}

/* 1 to 6 digits; some of them are any, and so is what follows. */
static void draw_class(struct lot *lot, struct lot_rule *rule, uint32_t class)
{
	bool is_open = lot_draw(lot, 4) == 0;
	unsigned digits = is_open ? 1 + lot_draw(lot, 6) : 2 * (1 + lot_draw(lot, 3));

	add_term(rule, TERM_CLASS);
	add_text(rule->text, sizeof(rule->text), "class=");
	for (unsigned i = 0; i < digits; i++) {
		unsigned shift = 20 - 4 * i;

		if (i > 0 && lot_draw(lot, 6) == 0) {
			add_text(rule->text, sizeof(rule->text), "?");
			continue;
		}
		rule->class_mask |= 0xfu << shift;
		add_text(rule->text, sizeof(rule->text), "%x", class >> shift & 0xf);
	}
	rule->class = class & rule->class_mask;
	if (is_open)
		add_text(rule->text, sizeof(rule->text), "*");
}

const struct lot_accel lot_accels[LOT_ACCELS] = {
	{"alveo", 0x10ee, 0x5001, 0x1200},
	{"alveo-user", 0x10ee, 0x5001, 0x1200},
	{"alveo-mgmt", 0x10ee, 0x5000, 0x1200},
	{"nvswitch", 0x10de, 0x1af1, 0x0680},
	{"nvidia-datacenter", 0x10de, 0x1eb8, 0x0302},
	{"nvidia-3d", 0x10de, 0, 0x0302},
	{"qat-deny", 0x8086, 0, 0x0b40},
};

static void draw_accel(struct lot *lot, struct lot_rule *rule)
{
	add_term(rule, TERM_ACCEL);
	rule->accel = lot_draw(lot, LOT_ACCELS);
	add_text(rule->text, sizeof(rule->text), "accel=%s",
		 lot_accels[rule->accel].name);
}

static void draw_selector(struct lot *lot, struct lot_rule *rule)
{
	const struct fake_bus *bus = &lot->w->bus;
	size_t device = lot_draw(lot, (unsigned)bus->device_count);
	unsigned first = lot_draw(lot, 7);

	if (rule->place == PLACE_IDS || rule->place == PLACE_MODPROBE) {
		draw_id(lot, rule, &bus->devices[device]);
		return;
	}
	if (first == 0 || lot_draw(lot, 4) == 0)
		draw_address(lot, rule, bus->devices[draw_like(lot, device)].bdf);
	if (first == 1 || lot_draw(lot, 5) == 0)
		draw_path(lot, rule, draw_like(lot, device));
	if (first == 2 || lot_draw(lot, 8) == 0)
		draw_serial_term(lot, rule, draw_like(lot, device));
	if (first == 3 || lot_draw(lot, 3) == 0)
		draw_id(lot, rule, &bus->devices[draw_like(lot, device)]);
	if (first == 4 || lot_draw(lot, 8) == 0)
		draw_class(lot, rule, bus->devices[draw_like(lot, device)].ids.class);
	if (first == 5 || lot_draw(lot, 24) == 0)
		draw_accel(lot, rule);
	if (first == 6 || lot_draw(lot, 12) == 0)
		draw_slot(lot, rule);
	if (rule->terms == 0)
		draw_address(lot, rule, bus->devices[device].bdf);
}

static void draw_options(struct lot *lot, struct lot_rule *rule)
{
	static const char *const words[] = {"", "console", "storage", "", "network"};
	static const char *const on_failure[] = {"restore", "hold", "shell"};

	if (rule->kind == RULE_KEEP)
		return;
	if (rule->kind == RULE_CRITICAL) {
		rule->allow = 1u << lot_draw(lot, 3);
		add_text(rule->options, sizeof(rule->options), " %s%s",
			 words[rule->allow], lot_draw(lot, 2) ? " what it carries" : "");
		return;
	}
	if (lot_draw(lot, 3) > 0 && lot_may_be_lost(rule) &&
	    (rule->terms & (TERM_ADDRESS | TERM_PATH | TERM_SLOT))) {
		rule->is_followed = true;
		add_text(rule->options, sizeof(rule->options), " follow");
	}
	if (lot_draw(lot, 6) == 0) {
		rule->with = WITH_FUNCTIONS + lot_draw(lot, 2);
		add_text(rule->options, sizeof(rule->options), " with=%s",
			 rule->with == WITH_GROUP ? "group" : "functions");
	}
	if (lot_draw(lot, 4) == 0)
		add_text(rule->options, sizeof(rule->options), " optional");
	if (lot_draw(lot, 4) == 0)
		add_text(rule->options, sizeof(rule->options), " on-failure=%s",
			 on_failure[lot_draw(lot, ARRAY_SIZE(on_failure))]);
	if (lot_draw(lot, 3) > 0)
		return;
	rule->allow = 1u << lot_draw(lot, 3);
	add_text(rule->options, sizeof(rule->options), " allow=%s", words[rule->allow]);
	if (!(rule->allow & ALLOW_CONSOLE) && lot_draw(lot, 2)) {
		rule->allow |= ALLOW_CONSOLE;
		add_text(rule->options, sizeof(rule->options), ",console");
	}
}

struct lot_rule *lot_add_rule(struct lot *lot, enum rule_kind kind, enum lot_place place)
{
	struct lot_rule *rule = &lot->rules[lot->rule_count++];

	if (lot->rule_count > LOT_RULES_MAX)
		fake_abort("more than %d rules", LOT_RULES_MAX);
	*rule = (struct lot_rule){.kind = kind, .place = place};
	draw_selector(lot, rule);
	if (place != PLACE_IDS && place != PLACE_MODPROBE)
		draw_options(lot, rule);
	return rule;
}

static void write_config_rule(struct lot *lot, const struct lot_rule *rule)
{
	add_text(lot->config, sizeof(lot->config), "%s %s%s\n",
		 rule_kind_name(rule->kind), rule->text, rule->options);
}

/* Blanks between the options are ';' there. */
static void write_argument(struct lot *lot, const struct lot_rule *rule)
{
	char *start = lot->cmdline + strlen(lot->cmdline);

	add_text(lot->cmdline, sizeof(lot->cmdline), "rd.earlybind.bind=%s%s", rule->text,
		 rule->options);
	for (; *start; start++)
		if (*start == ' ')
			*start = ';';
	add_text(lot->cmdline, sizeof(lot->cmdline), " ");
}

static void write_ids(char *buf, size_t size, const struct lot_rule *rule, bool is_first)
{
	add_text(buf, size, "%s%s", is_first ? "" : ",", rule->text);
}

static void write_place(struct lot *lot, enum lot_place place)
{
	static const char *const heads[PLACE_COUNT] = {
		[PLACE_IDS] = "vfio-pci.ids=",
		[PLACE_PROFILE] = "[profile one]\n",
		[PLACE_OTHER_PROFILE] = "[profile two]\n",
	};
	size_t before = lot->order_count;

	for (size_t i = 0; i < lot->rule_count; i++) {
		const struct lot_rule *rule = &lot->rules[i];
		bool is_first = lot->order_count == before;

		if (rule->place != place)
			continue;
		if (is_first && heads[place])
			add_text(place == PLACE_IDS ? lot->cmdline : lot->config,
				 place == PLACE_IDS ? sizeof(lot->cmdline)
						    : sizeof(lot->config),
				 "%s", heads[place]);
		if (place == PLACE_CMDLINE)
			write_argument(lot, rule);
		else if (place == PLACE_IDS)
			write_ids(lot->cmdline, sizeof(lot->cmdline), rule, is_first);
		else if (place == PLACE_MODPROBE)
			write_ids(lot->modprobe, sizeof(lot->modprobe), rule, is_first);
		else
			write_config_rule(lot, rule);
		lot->order[lot->order_count++] = i;
	}
	if (place == PLACE_IDS && lot->order_count > before)
		add_text(lot->cmdline, sizeof(lot->cmdline), " ");
}

void lot_write(struct lot *lot)
{
	bool has_ids;

	lot->cmdline[0] = lot->modprobe[0] = lot->config[0] = '\0';
	lot->order_count = 0;
	if (lot->has_noiommu)
		add_text(lot->cmdline, sizeof(lot->cmdline),
			 "vfio.enable_unsafe_noiommu_mode=1 ");
	if (lot->has_denylist_off)
		add_text(lot->cmdline, sizeof(lot->cmdline),
			 "vfio_pci.disable_denylist=1 ");
	if (lot->is_profile_on)
		add_text(lot->cmdline, sizeof(lot->cmdline), "rd.earlybind.profile=one ");
	write_place(lot, PLACE_CMDLINE);
	has_ids = lot->order_count;
	write_place(lot, PLACE_IDS);
	has_ids = has_ids != lot->order_count && strstr(lot->cmdline, ".ids=");
	for (enum lot_place place = PLACE_MODPROBE; place < PLACE_COUNT; place++) {
		size_t before = lot->order_count;

		write_place(lot, place);
		/* The same parameter: what the command line says replaces it. */
		if (place == PLACE_MODPROBE && has_ids)
			lot->order_count = before;
	}
	lot->w->cmdline = lot->cmdline;
	lot->w->modprobe_ids = lot->modprobe[0] ? lot->modprobe : NULL;
}
