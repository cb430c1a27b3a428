/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live_guard.h"

#include <string.h>

#include "driver.h"
#include "hotplug.h"
#include "message.h"
#include "reason.h"

#define HOLDERS_MAX 4

int guards_read(struct world *world, struct arena *arena, const char *sysroot,
		struct guards *ret)
{
	int r;

	ret->world = world;
	r = usages_read(world, arena, &ret->usages);
	return r < 0 ? r : holders_read(world, arena, sysroot, &ret->holders);
}

/* Drivers known for an unbind that hangs or takes the machine along. */
static bool is_risky(const char *driver)
{
	static const char *const risky[] = {"nvidia", "nouveau", "amdgpu", "radeon",
					    "i915",   "xe",	 "xclmgmt"};

	for (size_t i = 0; i < ARRAY_SIZE(risky); i++)
		if (strcmp(driver, risky[i]) == 0)
			return true;
	return false;
}

static size_t say_usages(const struct guards *g, const char *address, struct bdf bdf,
			 bool is_forced)
{
	size_t count, said = 0;
	const struct usage *usage = usages_find(&g->usages, bdf, &count);

	for (size_t i = 0; i < count; i++) {
		const struct usage *u = &usage[i];
		bool is_lost = u->is_critical && u->kind != USAGE_DISPLAY &&
			       u->kind != USAGE_INPUT;

		if (!u->is_in_use || (is_forced && !is_lost))
			continue;
		said++;
		if (is_lost)
			say_error(
				"%s: %s is %s: the machine would be lost with it, so it is "
				"never taken while it runs",
				address, u->name, u->what);
		else
			say_error("%s: %s is %s: end that first, or use --force", address,
				  u->name, u->what);
	}
	return said;
}

static size_t say_holders(const struct guards *g, const char *address,
			  const struct pci_device *d)
{
	const struct holder *list[HOLDERS_MAX];
	size_t count = holders_find(&g->holders, d, list, HOLDERS_MAX);

	for (size_t i = 0; i < MIN(count, (size_t)HOLDERS_MAX); i++)
		say_error(
			"%s: %s (pid %u) has %s open, and the kernel would wait for it: "
			"%s",
			address, list[i]->command, list[i]->pid, list[i]->node,
			driver_is_vfio(d->driver) ? "shut the VM down first"
						  : "end it first");
	return count;
}

static size_t say_stuck(const struct guards *g, const char *address,
			const struct pci_device *d)
{
	if (late_find(g->world, d->bdf, &d->ids) != LATE_STUCK)
		return 0;
	say_error(
		"%s: the kernel is stuck with it since before: power-cycle the machine; a "
		"reboot may hang",
		address);
	return 1;
}

/* What the plan refuses: the kernel would too, or the boot. */
static size_t say_refusal(const char *address, const struct plan_device *pd)
{
	char message[REASON_MESSAGE_SIZE];

	if (pd->action != ACTION_REFUSE && pd->action != ACTION_KEEP)
		return 0;
	reason_message(pd->reason, pd->detail, message);
	if (pd->reason == REASON_CONSOLE || pd->reason == REASON_LAST_DISPLAY)
		say_error("%s: %s: it goes dark for good; use --force if that is meant",
			  address,
			  pd->reason == REASON_CONSOLE ? "it drives the console"
						       : "it is the only display");
	else if (pd->reason == REASON_CRITICAL_CONSOLE)
		say_error("%s: the local console would have no keyboard without it (%s): "
			  "use --force if that is meant",
			  address, pd->detail ? pd->detail : "?");
	else if (pd->reason == REASON_CRITICAL_STORAGE ||
		 pd->reason == REASON_CRITICAL_NETWORK)
		say_error("%s: a critical rule protects it (%s): take that one out first",
			  address, pd->detail ? pd->detail : "?");
	else
		say_error("%s: %s", address, message);
	return 1;
}

size_t guards_say_bind(const struct guards *guards, const struct plan_device *planned,
		       bool is_forced)
{
	const struct pci_device *d = planned->device;
	char address[BDF_SIZE];
	size_t said;

	bdf_format(d->bdf, address);
	if (planned->action == ACTION_DONE)
		return 0;
	said = say_stuck(guards, address, d) + say_refusal(address, planned) +
	       say_usages(guards, address, d->bdf, is_forced) +
	       say_holders(guards, address, d);
	if (is_risky(d->driver) && !is_forced) {
		said++;
		say_error(
			"%s: %s has it, which may hang the machine when it must let go: the "
			"safe way is \"earlybind add %s\", \"earlybind apply\" and a reboot; "
			"--force does it now all the same",
			address, d->driver, address);
	}
	return said;
}

size_t guards_say_release(const struct guards *guards, const struct pci_device *device)
{
	char address[BDF_SIZE];
	size_t said;

	bdf_format(device->bdf, address);
	said = say_stuck(guards, address, device) + say_holders(guards, address, device);
	if (device->vf_count == 0)
		return said;
	say_error("%s: it has %u virtual functions: write 0 to its sriov_numvfs first",
		  address, device->vf_count);
	return said + 1;
}
