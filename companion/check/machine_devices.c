/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IOMMU and interrupt remapping: whether they are on, and if not, who keeps them off. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "framebuffer.h"
#include "identity.h"
#include "iommu_advice.h"
#include "machine_check.h"
#include "message.h"
#include "paths.h"
#include "holders.h"

#define IOMMUS	   "class/iommu"
#define GROUPS	   SYSFS_IOMMU_GROUPS
#define CONFIG_MAX ((size_t)1024 * 1024)

/* 'y', 'm' or 'n' for an option of the running kernel; 0 if that cannot be told. */
static char kernel_option(struct machine *d, const char *option)
{
	static const char *const places[][2] = {{BOOT_PATH "/config-", ""},
						{MODULES_PATH "/", "/config"}};
	struct text config = {NULL, 0}, line;
	size_t n = strlen(option);

	for (size_t i = 0; d->running && !config.p && i < ARRAY_SIZE(places); i++) {
		const char *path =
			machine_print(d, "%s%s%s%s", d->sysroot ? d->sysroot : "",
				      places[i][0], d->running, places[i][1]);

		if (file_read(path, d->arena, CONFIG_MAX, &config, NULL) < 0)
			config.p = NULL;
	}
	if (!config.p)
		return 0;
	while (text_cut(&config, '\n', &line))
		if (line.n > n + 1 && memcmp(line.p, option, n) == 0 && line.p[n] == '=')
			return line.p[n + 1];
	return 'n';
}

static bool is_vfio_wanted(const struct target *t)
{
	return !t->planned || (t->planned->wanted && driver_is_vfio(t->planned->wanted));
}

/* Whether a rule needs the IOMMU; also where there is no rule yet. */
static bool is_iommu_wanted(const struct machine *d)
{
	for (size_t i = 0; i < d->target_count; i++)
		if (is_vfio_wanted(&d->targets[i]))
			return true;
	return d->target_count == 0;
}

static void say_off(struct machine *d)
{
	const struct iommu *iommu = &d->run.inventory.iommu;
	enum iommu_cause cause = iommu_cause(iommu);

	if (d->run.policy.has_noiommu)
		machine_say(
			d, FINDING_NOTE,
			"vfio's no-IOMMU mode was asked for: devices can write to all of "
			"the memory");
	if (cause != IOMMU_CAUSE_CMDLINE && iommu->table &&
	    kernel_option(d, iommu->table->config) == 'n') {
		machine_say(
			d, FINDING_FAIL,
			"the firmware offers %s, but kernel %s is built without its driver "
			"(%s): boot another kernel",
			iommu->table->what, d->running ? d->running : "that runs",
			iommu->table->config);
		return;
	}
	if (cause == IOMMU_CAUSE_UNASKED &&
	    kernel_option(d, "CONFIG_INTEL_IOMMU_DEFAULT_ON") == 'y')
		cause = IOMMU_CAUSE_KERNEL;
	machine_say(d, is_iommu_wanted(d) ? FINDING_FAIL : FINDING_NOTE,
		    "it is off: %s%s", iommu_explain(iommu, cause, d->arena),
		    !is_iommu_wanted(d) ? "; no rule needs it"
		    : cause == IOMMU_CAUSE_UNASKED
			    ? " (\"earlybind cmdline\" says where), and reboot"
			    : "");
}

static void run_iommu(struct machine *d)
{
	const char *names = "";
	int count = machine_list(d, WORLD_SYS, IOMMUS, &names);
	int groups = machine_list(d, WORLD_SYS, GROUPS, NULL);

	if (groups > 0)
		machine_say(d, FINDING_PASS, "enabled%s%s%s, %d group%s",
			    count > 0 ? " (" : "", names, count > 0 ? ")" : "", groups,
			    plural((size_t)groups));
	else if (groups == -EACCES)
		machine_say(d, FINDING_UNKNOWN,
			    "its groups cannot be read: run this as root");
	else if (count > 0)
		machine_say(
			d, FINDING_FAIL,
			"%s is there, but no device is in a group of it: see the kernel's "
			"log (journalctl -k -g -i iommu)",
			names);
	else
		say_off(d);
}

/* ---- interrupt remapping ----------------------------------------------------------------- */

static void run_interrupts(struct machine *d)
{
	const struct iommu *iommu = &d->run.inventory.iommu;

	/* Without an IOMMU there is nothing to say. */
	if (machine_list(d, WORLD_SYS, GROUPS, NULL) <= 0)
		return;
	switch (iommu->remapping) {
	case REMAPPING_ON:
		machine_say(d, FINDING_PASS, "interrupt remapping is enabled");
		if (iommu->is_unsafe)
			machine_say(d, FINDING_NOTE,
				    "vfio_iommu_type1.allow_unsafe_interrupts=1 is not "
				    "needed here: remove it");
		return;
	case REMAPPING_OFF:
		if (iommu->is_unsafe)
			machine_say(
				d, FINDING_NOTE,
				"vfio_iommu_type1.allow_unsafe_interrupts=1 is set: a "
				"guest can raise any interrupt of the host");
		else
			machine_say(
				d, FINDING_FAIL,
				"interrupt remapping is disabled, and vfio gives no device to a VM "
				"then: %s; or, only for guests that you trust, add "
				"vfio_iommu_type1.allow_unsafe_interrupts=1",
				iommu_why_not_remapped(iommu));
		return;
	case REMAPPING_UNKNOWN:
		/* arch/powerpc, arch/s390: vfio does not ask for it there. */
		if (iommu->maker == IOMMU_OTHER)
			return;
		machine_say(d, FINDING_UNKNOWN,
			    "interrupt remapping: neither /proc/interrupts nor the "
			    "firmware's table can be read; run this as root");
		return;
	}
}

/* Whether an earlier target is in the same group: each group once. */
static bool is_seen(const struct machine *d, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (d->targets[i].device->iommu_group ==
		    d->targets[at].device->iommu_group)
			return true;
	return false;
}

static const struct target *find_target(const struct machine *d,
					const struct pci_device *device)
{
	for (size_t i = 0; i < d->target_count; i++)
		if (d->targets[i].device == device)
			return &d->targets[i];
	return NULL;
}

/* The group in the next boot, as if rules named all that is asked about. */
static int find_group(const struct machine *d, int id, struct plan_group *ret)
{
	const struct pci_device **devices =
		arena_alloc(d->arena, d->target_count + 1, sizeof(void *));

	if (!devices)
		return -ENOMEM;
	for (size_t i = 0; i < d->target_count; i++)
		devices[i] = d->targets[i].device;
	return judge_group_then(&d->judge, id, devices, d->target_count, ret);
}

static void check_group(struct machine *d, const struct target *t)
{
	int id = t->device->iommu_group;
	struct plan_group group;
	const char *list = "", *remedy, *cause;

	if (find_group(d, id, &group) < 0)
		return;
	for (size_t i = 0; i < group.blocker_count; i++) {
		const struct pci_device *b = group.blockers[i];
		char address[BDF_SIZE];

		list = machine_print(d, "%s%s%s (%s%s)", list, *list ? ", " : "",
				     bdf_format(b->bdf, address), machine_driver(b),
				     device_is_on_vfio(b) ? " until the next boot" : "");
	}
	if (group.blocker_count == 0) {
		machine_say(d, FINDING_PASS,
			    "group %d, with %s: nothing of the host is in it", id,
			    t->name);
		return;
	}
	remedy = judge_group(&d->judge, &group, false);
	cause = d->has_causes ? group_why(&d->causes, t->device->bdf) : NULL;
	machine_say(d, FINDING_FAIL,
		    "group %d, with %s, is not viable: %s belong%s to the host%s%s%s%s",
		    id, t->name, list, group.blocker_count == 1 ? "s" : "",
		    remedy[0] ? ": " : "", remedy, cause ? ". " : "", cause ? cause : "");
}

static void run_groups(struct machine *d)
{
	const char *difference = NULL;

	d->has_causes =
		group_causes_read(d->world, d->arena, &d->run.inventory, &d->causes) == 0;
	if (d->has_causes)
		d->judge.causes = &d->causes;
	if (d->has_causes)
		difference = group_difference(&d->causes, NULL);
	if (difference)
		machine_say(d, FINDING_NOTE, "%s", difference);
	for (size_t i = 0; i < d->target_count; i++) {
		const struct target *t = &d->targets[i];
		char message[REASON_MESSAGE_SIZE];

		if (t->device->iommu_group == NO_GROUP) {
			if (d->run.inventory.iommu.is_on)
				machine_say(d, FINDING_FAIL,
					    "%s is in no IOMMU group: %s", t->name,
					    reason_message(REASON_NO_IOMMU_GROUP, NULL,
							   message));
			continue;
		}
		if (!is_seen(d, i))
			check_group(d, t);
	}
}

/* ---- reserved regions -------------------------------------------------------------------- */

static void run_reserved(struct machine *d)
{
	size_t groups = 0, read = 0, failed = 0;

	for (size_t i = 0; i < d->target_count; i++) {
		const struct target *t = &d->targets[i];
		char path[JOB_PATH_SIZE], message[REASON_MESSAGE_SIZE];
		struct text regions, start, end;

		if (t->device->iommu_group == NO_GROUP || is_seen(d, i))
			continue;
		groups++;
		snprintf(path, sizeof(path), "kernel/iommu_groups/%d/reserved_regions",
			 t->device->iommu_group);
		if (machine_read(d, WORLD_SYS, path, &regions) < 0)
			continue;
		read++;
		if (!regions_find_direct(regions, &start, &end))
			continue;
		failed++;
		machine_say(d, FINDING_FAIL, "%s: %s", t->name,
			    reason_message(REASON_RMRR,
					   machine_print(d, "%.*s to %.*s", (int)start.n,
							 start.p, (int)end.n, end.p),
					   message));
	}
	if (read < groups)
		machine_say(d, FINDING_UNKNOWN,
			    "the reserved memory of %zu group%s cannot be read",
			    groups - read, plural(groups - read));
	else if (groups > 0 && failed == 0)
		machine_say(d, FINDING_PASS,
			    "the firmware keeps no memory for the devices");
}

/* ---- functions of the same card ---------------------------------------------------------- */

static bool is_left(const struct machine *d, const struct pci_device *device)
{
	for (size_t i = 0; i < d->target_count; i++)
		if (d->targets[i].planned && d->targets[i].device != device &&
		    device_is_same_card(d->world, &d->run.inventory, d->targets[i].device,
					device))
			return !device->is_bridge && !device_is_on_vfio(device);
	return false;
}

static void run_functions(struct machine *d)
{
	const struct inventory *inv = &d->run.inventory;
	size_t left = 0;

	for (size_t i = 0; i < inv->count; i++) {
		const struct pci_device *device = &inv->devices[i];
		bool is_named = false;

		for (size_t k = 0; k < d->run.plan.device_count; k++)
			is_named |= d->run.plan.devices[k].device == device;
		if (is_named || find_target(d, device) || !is_left(d, device))
			continue;
		left++;
		machine_say(d, FINDING_NOTE,
			    "%s (%s) is on a card that rules bind, but no rule names it: "
			    "most cards work in a VM only with all their functions",
			    machine_device(d, device), machine_driver(device));
	}
	if (left == 0 && d->target_count > 0)
		machine_say(d, FINDING_PASS, "rules name all functions of each card");
}

/* Whether a rule for a device is carried out: what "earlybind add" says as well. */
static void run_guards(struct machine *d)
{
	size_t refused = 0;

	for (size_t i = 0; i < d->target_count; i++) {
		const struct target *t = &d->targets[i];

		if (t->judgement.verdict != JUDGED_REFUSED)
			continue;
		refused++;
		machine_say(d, FINDING_FAIL, "%s: a rule for it %s refused: %s", t->name,
			    t->planned ? "is" : "would be",
			    t->judgement.why ? t->judgement.why : "out of memory");
	}
	if (refused == 0 && d->target_count > 0)
		machine_say(d, FINDING_PASS, "the host can do without the devices");
}

/* Returns whether anything was said. */
static bool say_usages(struct machine *d, const struct target *t)
{
	bool is_used = false;
	size_t count;
	const struct usage *u = judge_usages(&d->judge, t->device, &count);
	const char *unknown;

	for (size_t k = 0; k < count; k++) {
		if (u[k].kind == USAGE_VFIO || !u[k].is_in_use)
			continue;
		is_used = true;
		machine_say(d, FINDING_NOTE, "%s: %s on it is %s%s", t->name, u[k].name,
			    u[k].what,
			    t->planned && t->planned->action <= ACTION_RECOVER
				    ? ": the host loses it with the next boot"
				    : "");
	}
	unknown = is_used ? NULL : judge_unknown_disk(&d->judge, t->device);
	if (unknown)
		machine_say(d, FINDING_UNKNOWN, "%s: %s", t->name, unknown);
	return is_used || unknown;
}

static void run_usage(struct machine *d)
{
	size_t found = 0;

	for (size_t i = 0; i < d->target_count; i++)
		found += say_usages(d, &d->targets[i]);
	if (found == 0 && d->target_count > 0)
		machine_say(d, FINDING_PASS, "no use of the devices was found");
}

/* ---- the firmware's framebuffer ---------------------------------------------------------- */

/* Whether vfio-pci of the running kernel takes it away: see framebuffer.h. */
static bool is_left_to_vfio(const struct machine *d, const struct pci_device *device)
{
	uint64_t major = 0;
	struct text rest = text_of(d->running ? d->running : ""), number;

	return device->ids.class == 0x030000 && text_cut(&rest, '.', &number) &&
	       text_decimal(number, 1000, &major) == 0 && major >= 6;
}

static bool check_framebuffer(struct machine *d, const struct target *t,
			      struct text iomem)
{
	const struct framebuffer *found;
	struct text resource;

	if (machine_read_attribute(d, t->device, "resource", &resource) < 0)
		return false;
	found = framebuffer_find(resource, iomem);
	if (!found)
		return false;
	if (found->is_releasable || is_left_to_vfio(d, t->device))
		machine_say(
			d, FINDING_NOTE,
			"%s: the firmware's framebuffer (%s) lies in its memory: it is "
			"released when the device is bound, and the screen goes dark",
			t->name, found->driver);
	else
		machine_say(
			d, FINDING_FAIL,
			"%s: the firmware's framebuffer (%s) lies in its memory, which "
			"vfio-pci cannot have then (\"can't reserve\"): add "
			"initcall_blacklist=sysfb_init to the kernel command line, or "
			"let the firmware use another display",
			t->name, found->driver);
	return true;
}

static void run_framebuffer(struct machine *d)
{
	struct text iomem = {NULL, 0};
	bool is_found = false, has_display = false;
	int r = machine_read(d, WORLD_PROC, "iomem", &iomem);

	for (size_t i = 0; i < d->target_count; i++) {
		has_display |= pci_is_display(&d->targets[i].device->ids);
		is_found |= r == 0 && check_framebuffer(d, &d->targets[i], iomem);
	}
	if (!has_display || is_found)
		return;
	if (r < 0 || iomem_is_hidden(iomem))
		machine_say(
			d, FINDING_UNKNOWN,
			"whether the firmware's framebuffer lies in a device's memory: "
			"only root sees /proc/iomem; run this as root");
	else
		machine_say(d, FINDING_PASS,
			    "the firmware's framebuffer lies in none of the devices");
}

/* ---- power ------------------------------------------------------------------------------- */

/* Reading config space would wake a device that is off: power_state comes first. */
static bool check_power(struct machine *d, const struct target *t)
{
	struct text state, config;

	if (machine_read_attribute(d, t->device, "power_state", &state) < 0)
		state = TEXT("");
	if (text_is(state, "D3cold")) {
		machine_say(
			d, FINDING_NOTE,
			"%s is switched off while nobody uses it (D3cold): if it does not "
			"come back (\"stuck in D3\"), write 0 to its d3cold_allowed before "
			"it is bound, or add vfio-pci.disable_idle_d3=1",
			t->name);
		return false;
	}
	if (machine_read_attribute(d, t->device, "config", &config) == 0 &&
	    config.n >= 4 && memcmp(config.p, "\xff\xff\xff\xff", 4) == 0) {
		machine_say(
			d, FINDING_FAIL,
			"%s does not answer (its configuration reads as ff): power-cycle "
			"the machine; if it happens again, write 0 to its d3cold_allowed and "
			"look for newer firmware of the card",
			t->name);
		return false;
	}
	return true;
}

static void run_power(struct machine *d)
{
	bool is_fine = d->target_count > 0;

	for (size_t i = 0; i < d->target_count; i++)
		is_fine &= check_power(d, &d->targets[i]);
	if (is_fine)
		machine_say(d, FINDING_PASS,
			    "all devices answer, and none is switched off");
}

static bool is_there(struct machine *d, const char *path, struct stat *ret)
{
	return vfio_has_node(d->sysroot, d->arena, path, ret);
}

/* vfio takes type1, or iommufd in its place. */
static void check_backend(struct machine *d)
{
	struct stat st;

	/* POWER has vfio_iommu_spapr_tce in its place, and s390 its own. */
	if (d->run.inventory.iommu.maker == IOMMU_OTHER ||
	    machine_list(d, WORLD_SYS, "module/vfio_iommu_type1", NULL) >= 0 ||
	    is_there(d, IOMMUFD_PATH, &st))
		return;
	/* Built in without parameters it would leave no trace there; but it has one. */
	machine_say(
		d, FINDING_FAIL,
		"vfio_iommu_type1 is not loaded, and there is no iommufd: no program can "
		"use the devices (\"no supported IOMMU extensions\"): run modprobe "
		"vfio_iommu_type1");
}

static void check_node(struct machine *d, const struct target *t)
{
	const char *path = machine_print(d, VFIO_PATH "/%d", t->device->iommu_group);
	bool is_alone = vfio_is_iommufd_alone(d->sysroot, d->arena);
	struct stat st;

	for (const struct target *o = d->targets; !is_alone && o < t; o++)
		if (device_is_on_vfio(o->device) &&
		    o->device->iommu_group == t->device->iommu_group)
			return;
	if (is_alone) {
		const char *own = vfio_device_node(d->world, d->arena, t->device->bdf);

		path = own ? own : path;
	}
	if (!is_there(d, path, &st))
		machine_say(d, FINDING_FAIL,
			    "%s is not there though %s is bound: see that /dev is a "
			    "devtmpfs; give a container this node",
			    path, t->name);
	else if ((st.st_mode & 0077) == 0)
		machine_say(
			d, FINDING_NOTE,
			"%s is for %s alone; libvirt sees to that itself, other programs "
			"that do not run as root need a udev rule: SUBSYSTEM==\"vfio\", "
			"GROUP=\"kvm\", MODE=\"0660\"",
			path, st.st_uid == 0 ? "root" : "its owner");
	else
		machine_say(d, FINDING_PASS, "%s is there", path);
}

static void check_mode(struct machine *d)
{
	struct text t;

	if (machine_read(d, WORLD_SYS,
			 "module/vfio/parameters/enable_unsafe_noiommu_mode", &t) == 0 &&
	    (text_is(t, "Y") || text_is(t, "1")))
		machine_say(
			d, FINDING_NOTE,
			"vfio's no-IOMMU mode is on: whoever opens /dev/vfio/noiommu-* "
			"can write to all of the memory");
	if (machine_read(d, WORLD_SYS, "kernel/security/lockdown", &t) == 0 &&
	    !memmem(t.p, t.n, "[none]", 6))
		machine_say(
			d, FINDING_NOTE,
			"the kernel is locked down (%.*s): it loads signed modules only, "
			"and no program maps a device through sysfs; vfio itself works",
			(int)MIN(t.n, 80u), t.p);
}

static void run_nodes(struct machine *d)
{
	bool has_bound = false;
	struct stat st;

	check_mode(d);
	for (size_t i = 0; i < d->target_count; i++)
		has_bound |= device_is_on_vfio(d->targets[i].device);
	if (!has_bound)
		return;
	check_backend(d);
	if (vfio_is_iommufd_alone(d->sysroot, d->arena))
		machine_say(
			d, FINDING_NOTE,
			"this kernel has iommufd (" IOMMUFD_PATH
			") and no container of vfio: a program must know iommufd; QEMU "
			"does with -object iommufd");
	else if (!is_there(d, VFIO_PATH "/vfio", &st))
		machine_say(d, FINDING_FAIL,
			    VFIO_PATH
			    "/vfio is not there: run modprobe vfio, and see that "
			    "/dev is a devtmpfs");
	for (size_t i = 0; i < d->target_count; i++)
		if (device_is_on_vfio(d->targets[i].device) &&
		    d->targets[i].device->iommu_group != NO_GROUP)
			check_node(d, &d->targets[i]);
}

const struct machine_check firmware_checks[] = {
	{"iommu", run_iommu},	      {"interrupts", run_interrupts},
	{"groups", run_groups},	      {"reserved", run_reserved},
	{"functions", run_functions}, {NULL, NULL},
};

const struct machine_check device_checks[] = {
	{"guards", run_guards}, {"usage", run_usage}, {"framebuffer", run_framebuffer},
	{"power", run_power},	{"nodes", run_nodes}, {NULL, NULL},
};
