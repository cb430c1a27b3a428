/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices themselves: who uses them, the firmware's framebuffer, power. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "message.h"

void doctor_usage(struct doctor *d)
{
	size_t found = 0;

	for (size_t i = 0; i < d->target_count; i++) {
		const struct target *t = &d->targets[i];
		size_t count;
		const struct usage *u = usages_find(&d->usages, t->device->bdf, &count);

		for (size_t k = 0; k < count; k++) {
			if (u[k].kind == USAGE_VFIO || !u[k].is_in_use)
				continue;
			found++;
			doctor_say(
				d, u[k].is_critical ? FINDING_FAIL : FINDING_NOTE,
				"%s: %s on it is %s: %s", t->name, u[k].name, u[k].what,
				u[k].is_critical
					? "the machine would be lost with it; take it "
					  "out of the rules, or name it in a keep rule"
					: "the host will do without after the next boot");
		}
	}
	if (found == 0 && d->target_count > 0)
		doctor_say(d, FINDING_PASS, "the host uses none of the devices");
}

/* ---- the firmware's framebuffer ---------------------------------------------------------- */

#define BARS 6

struct range {
	uint64_t start, end;
};

/* "0x000000e0000000 0x000000efffffff 0x00000000001220c": drivers/pci/pci-sysfs.c */
static bool take_hex(struct text *rest, uint64_t *ret)
{
	struct text word;

	if (!text_word(rest, &word) || !text_has_prefix(word, "0x"))
		return false;
	word.p += 2;
	word.n -= 2;
	while (word.n > 16 && word.p[0] == '0') {
		word.p++;
		word.n--;
	}
	return text_hex(word, UINT64_MAX, ret) == 0;
}

static size_t read_bars(struct doctor *d, const struct pci_device *device,
			struct range bars[static BARS])
{
	struct text text, line;
	size_t count = 0;

	if (doctor_read_attribute(d, device, "resource", &text) < 0)
		return 0;
	for (size_t i = 0; i < BARS && text_cut(&text, '\n', &line); i++) {
		struct range *r = &bars[count];
		uint64_t flags;

		if (take_hex(&line, &r->start) && take_hex(&line, &r->end) &&
		    take_hex(&line, &flags) && r->end > r->start &&
		    (flags & 0x200) != 0) /* IORESOURCE_MEM */
			count++;
	}
	return count;
}

/* "    e0000000-e02fffff : BOOTFB" */
static bool parse_iomem(struct text line, struct range *ret, struct text *ret_name)
{
	struct text range, start;

	if (!text_word(&line, &range) || !text_cut(&range, '-', &start) ||
	    text_hex(start, UINT64_MAX, &ret->start) < 0 ||
	    text_hex(range, UINT64_MAX, &ret->end) < 0)
		return false;
	line = text_trim(line);
	if (!text_has_prefix(line, ":"))
		return false;
	line.p++;
	line.n--;
	*ret_name = text_trim(line);
	return true;
}

/* Names of drivers/firmware/sysfb_simplefb.c, efifb.c, vesafb.c and simpledrm.c. */
static bool is_framebuffer(struct text name)
{
	static const char *const names[] = {"BOOTFB",	 "efifb",
					    "vesafb",	 "simplefb",
					    "simpledrm", "simple-framebuffer"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_has_prefix(name, names[i]))
			return true;
	return false;
}

static bool check_framebuffer(struct doctor *d, const struct target *t, struct text iomem)
{
	struct range bars[BARS], range;
	size_t count = read_bars(d, t->device, bars);
	struct text line, name;

	while (text_cut(&iomem, '\n', &line)) {
		if (!parse_iomem(line, &range, &name) || !is_framebuffer(name))
			continue;
		for (size_t i = 0; i < count; i++) {
			if (range.start > bars[i].end || range.end < bars[i].start)
				continue;
			doctor_say(d, FINDING_FAIL,
				   "%s: the firmware's framebuffer (%.*s) lies in its "
				   "memory, which vfio-pci cannot have then (\"can't "
				   "reserve\"): add initcall_blacklist=sysfb_init to the "
				   "kernel command line, or let the firmware use another "
				   "display",
				   t->name, (int)MIN(name.n, 40u), name.p);
			return true;
		}
	}
	return false;
}

/* Without the capability for it the kernel shows every address as 0 (kernel/resource.c). */
static bool is_hidden(struct text iomem)
{
	struct range range;
	struct text line, name;

	while (text_cut(&iomem, '\n', &line))
		if (parse_iomem(line, &range, &name) && range.end != 0)
			return false;
	return true;
}

void doctor_framebuffer(struct doctor *d)
{
	struct text iomem = {NULL, 0};
	bool is_found = false, has_display = false;
	int r = doctor_read(d, WORLD_PROC, "iomem", &iomem);

	for (size_t i = 0; i < d->target_count; i++) {
		has_display |= pci_is_display(&d->targets[i].device->ids);
		is_found |= r == 0 && check_framebuffer(d, &d->targets[i], iomem);
	}
	if (!has_display || is_found)
		return;
	if (r < 0 || is_hidden(iomem))
		doctor_say(
			d, FINDING_UNKNOWN,
			"whether the firmware's framebuffer lies in a device's memory: "
			"only root sees /proc/iomem; run this as root");
	else
		doctor_say(d, FINDING_PASS,
			   "the firmware's framebuffer lies in none of the devices");
}

/* ---- power ------------------------------------------------------------------------------- */

/* Reading config space would wake a device that is off: power_state comes first. */
static bool check_power(struct doctor *d, const struct target *t)
{
	struct text state, config;

	if (doctor_read_attribute(d, t->device, "power_state", &state) < 0)
		state = TEXT("");
	if (text_is(state, "D3cold")) {
		doctor_say(
			d, FINDING_NOTE,
			"%s is switched off while nobody uses it (D3cold): if it does not "
			"come back (\"stuck in D3\"), write 0 to its d3cold_allowed before "
			"it is bound, or add vfio-pci.disable_idle_d3=1",
			t->name);
		return false;
	}
	if (doctor_read_attribute(d, t->device, "config", &config) == 0 &&
	    config.n >= 4 && memcmp(config.p, "\xff\xff\xff\xff", 4) == 0) {
		doctor_say(
			d, FINDING_FAIL,
			"%s does not answer (its configuration reads as ff): take the "
			"machine's power away for a moment; if it comes again, write 0 to "
			"its d3cold_allowed, and look for a firmware that can reset it",
			t->name);
		return false;
	}
	return true;
}

void doctor_power(struct doctor *d)
{
	bool is_fine = d->target_count > 0;

	for (size_t i = 0; i < d->target_count; i++)
		is_fine &= check_power(d, &d->targets[i]);
	if (is_fine)
		doctor_say(d, FINDING_PASS,
			   "all devices answer, and none is switched off");
}
