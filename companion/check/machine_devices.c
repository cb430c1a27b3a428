/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices themselves: who uses them, the firmware's framebuffer, power. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine_check.h"
#include "framebuffer.h"
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

/* Whether vfio-pci of the running kernel takes it away: see framebuffer.h. */
static bool is_left_to_vfio(const struct doctor *d, const struct pci_device *device)
{
	uint64_t major = 0;
	struct text rest = text_of(d->running ? d->running : ""), number;

	return device->ids.class == 0x030000 && text_cut(&rest, '.', &number) &&
	       text_decimal(number, 1000, &major) == 0 && major >= 6;
}

static bool check_framebuffer(struct doctor *d, const struct target *t, struct text iomem)
{
	const struct framebuffer *found;
	struct text resource;

	if (doctor_read_attribute(d, t->device, "resource", &resource) < 0)
		return false;
	found = framebuffer_find(resource, iomem);
	if (!found)
		return false;
	if (found->is_releasable || is_left_to_vfio(d, t->device))
		doctor_say(
			d, FINDING_NOTE,
			"%s: the firmware's framebuffer (%s) lies in its memory: it is "
			"released when the device is bound, and the screen goes dark",
			t->name, found->driver);
	else
		doctor_say(
			d, FINDING_FAIL,
			"%s: the firmware's framebuffer (%s) lies in its memory, which "
			"vfio-pci cannot have then (\"can't reserve\"): add "
			"initcall_blacklist=sysfb_init to the kernel command line, or "
			"let the firmware use another display",
			t->name, found->driver);
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
	if (r < 0 || iomem_is_hidden(iomem))
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
