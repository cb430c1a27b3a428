/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this boot did, and whether the devices are still as it left them. */
#include <errno.h>
#include <string.h>

#include "sentences.h"
#include "machine_check.h"
#include "message.h"
#include "reason.h"

static bool is_all_on_vfio(const struct doctor *d)
{
	for (size_t i = 0; i < d->target_count; i++)
		if (!device_is_on_vfio(d->targets[i].device))
			return false;
	return d->target_count > 0;
}

static void say_no_report(struct doctor *d)
{
	if (d->boot_error == -ENOENT && !d->has_rule)
		return;
	if (d->boot_error == -ENOENT && d->run.policy.off)
		doctor_say(
			d, FINDING_NOTE,
			"earlybind was off: rd.earlybind=0 is on the kernel command line");
	else if (d->boot_error == -ENOENT && is_all_on_vfio(d))
		doctor_say(d, FINDING_NOTE,
			   "earlybind did nothing in this boot: something else bound the "
			   "devices");
	else if (d->boot_error == -ENOENT)
		doctor_say(
			d, FINDING_FAIL,
			"earlybind did nothing in this boot, though there are rules: its "
			"image was made without them; run \"earlybind apply\" and reboot");
	else if (d->boot_error == -EBADMSG)
		doctor_say(d, FINDING_UNKNOWN, "the report %s is damaged: %s",
			   d->boot_path, d->boot_message);
	else if (d->boot_error == -EPROTONOSUPPORT)
		doctor_say(d, FINDING_UNKNOWN,
			   "the report %s is of a newer earlybind: update this one",
			   d->boot_path);
	else
		doctor_say(d, FINDING_UNKNOWN, "the report %s cannot be read: %s",
			   d->boot_path, errno_text(d->boot_error));
}

void doctor_boot(struct doctor *d)
{
	const struct boot *boot = &d->boot;
	size_t before = d->findings.counts[FINDING_FAIL], bound = 0;

	if (d->boot_error < 0) {
		say_no_report(d);
		return;
	}
	if (boot->is_dry_run)
		doctor_say(
			d, FINDING_NOTE,
			"it was a dry run (rd.earlybind.dry_run=1): no device was touched");
	if (boot->reason[0] != '\0')
		doctor_say(d, FINDING_FAIL, "nothing was done: %s", boot->message);
	for (size_t i = 0; i < boot->module_count; i++)
		if (boot->modules[i].error != 0)
			doctor_say(d, FINDING_FAIL, "the module %s: %s",
				   boot->modules[i].name,
				   errno_text(boot->modules[i].error));
	for (size_t i = 0; i < boot->device_count; i++)
		bound += strcmp(boot->devices[i].verdict, "bound") == 0;
	if (d->findings.counts[FINDING_FAIL] == before)
		doctor_say(d, FINDING_PASS, "earlybind bound %zu of %zu device%s", bound,
			   boot->device_count, plural(boot->device_count));
}

/* ---- devices ----------------------------------------------------------------------------- */

/* What the boot's run says of a device, which must be the same one. NULL for nothing. */
static const struct boot_device *find_in_boot(const struct doctor *d,
					      const struct pci_device *device)
{
	const struct boot_device *b;
	char id[ID_SIZE];

	if (d->boot_error < 0)
		return NULL;
	b = boot_find(&d->boot, device->bdf);
	return b && strcmp(b->id, format_id(&device->ids, id)) == 0 ? b : NULL;
}

static void say_not_bound(struct doctor *d, const struct target *t)
{
	const struct boot_device *b = find_in_boot(d, t->device);
	const char *driver = doctor_driver(t->device);
	char origin[ORIGIN_SIZE];

	if (b && strcmp(b->verdict, "bound") == 0)
		doctor_say(
			d, FINDING_FAIL,
			"%s: earlybind bound it to %s, and %s has it now: find out who "
			"gave it back (journalctl -b), or run \"earlybind bind\"",
			t->name, b->after, driver);
	else if (b && b->message[0] != '\0')
		doctor_say(d, FINDING_FAIL, "%s: %s has it; it was not bound at boot: %s",
			   t->name, driver, b->message);
	else if (d->boot_error == 0)
		doctor_say(d, FINDING_NOTE,
			   "%s: %s has it; its rule (%s) is newer than this boot: run "
			   "\"earlybind apply\" and reboot",
			   t->name, driver,
			   origin_format(&t->planned->rule->origin, origin));
	else
		doctor_say(d, FINDING_FAIL, "%s: %s has it", t->name, driver);
}

static void check_target(struct doctor *d, const struct target *t)
{
	const struct plan_device *pd = t->planned;
	char message[REASON_MESSAGE_SIZE];

	if (!pd)
		doctor_say(d, FINDING_NOTE, "%s: no rule names it; %s has it", t->name,
			   doctor_driver(t->device));
	else if (device_is_on_vfio(t->device))
		doctor_say(d, FINDING_PASS, "%s: %s has it", t->name, t->device->driver);
	else if (pd->action == ACTION_REFUSE && pd->reason != REASON_IOMMU_OFF)
		doctor_say(d, FINDING_FAIL, "%s: refused: %s", t->name,
			   reason_message(pd->reason, pd->detail, message));
	else if (pd->action != ACTION_KEEP)
		say_not_bound(d, t);
}

/* What rules name and must not be bound, or is another device than they say. */
static void check_refused(struct doctor *d)
{
	for (size_t i = 0; i < d->run.plan.device_count; i++) {
		const struct plan_device *pd = &d->run.plan.devices[i];
		char message[REASON_MESSAGE_SIZE], origin[ORIGIN_SIZE];
		bool is_target = false;

		for (size_t k = 0; k < d->target_count; k++)
			is_target |= d->targets[k].planned == pd;
		if (is_target || d->words.count > 0)
			continue;
		if (pd->action == ACTION_REFUSE || pd->reason == REASON_KEPT_BOUND)
			doctor_say(d, FINDING_FAIL, "%s: %s (%s)",
				   doctor_device(d, pd->device),
				   reason_message(pd->reason, pd->detail, message),
				   origin_format(&pd->rule->origin, origin));
	}
}

void doctor_devices(struct doctor *d)
{
	for (size_t i = 0; i < d->target_count; i++)
		check_target(d, &d->targets[i]);
	check_refused(d);
}
