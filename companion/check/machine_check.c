/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "boot_report.h"
#include "commands.h"
#include "device_words.h"
#include "driver.h"
#include "files.h"
#include "framebuffer.h"
#include "holders.h"
#include "identity.h"
#include "image_check.h"
#include "iommu_advice.h"
#include "judgement.h"
#include "kernel_cmdline.h"
#include "message.h"
#include "module_tree.h"
#include "modules.h"
#include "next_boot.h"
#include "paths.h"
#include "plan.h"
#include "reason.h"
#include "rebuild.h"
#include "report.h"
#include "rule_request.h"
#include "sentences.h"
#include "virtual_functions.h"

struct machine_check {
	const char *name;
	void (*run)(struct machine *d);
};

#define EXIT_NOTHING_READ 3
#define FILE_MAX	  ((size_t)16 * 1024 * 1024) /* /proc/interrupts of a large machine */

/* ---- for the checks ---------------------------------------------------------------------- */

static void machine_say(struct machine *d, enum finding_kind kind, const char *format,
			...) printf_like(3, 4);
static const char *machine_print(struct machine *d, const char *format, ...)
	printf_like(2, 3);

static void machine_say(struct machine *d, enum finding_kind kind, const char *format,
			...)
{
	va_list ap;

	va_start(ap, format);
	findings_vadd(&d->findings, kind, d->name, format, ap);
	va_end(ap);
}

/* A text that stays; "" if there is no memory. */
static const char *machine_print(struct machine *d, const char *format, ...)
{
	const char *line;
	va_list ap;

	va_start(ap, format);
	line = arena_vprintf(d->arena, format, ap);
	va_end(ap);
	return line ? line : "";
}

/* "0000:01:00.0 [10ee:5000]" */
static const char *machine_device(struct machine *d, const struct pci_device *device)
{
	char address[BDF_SIZE], id[ID_SIZE];

	return machine_print(d, "%s [%s]", bdf_format(device->bdf, address),
			     format_id(&device->ids, id));
}

/* "nvidia", or "no driver" */
static const char *machine_driver(const struct pci_device *device)
{
	return device->driver[0] ? device->driver : "no driver";
}

/* A file as text without surrounding white space: 0 or -errno. */
static int machine_read(struct machine *d, enum world_root root, const char *path,
			struct text *ret)
{
	int r = file_read_world(d->world, root, path, d->arena, FILE_MAX, ret);

	if (r == 0)
		*ret = text_trim(*ret);
	return r;
}

/* An attribute of a function. */
static int machine_read_attribute(struct machine *d, const struct pci_device *device,
				  const char *name, struct text *ret)
{
	char path[JOB_PATH_SIZE], address[BDF_SIZE];

	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s/%s",
		 bdf_format(device->bdf, address), name);
	return machine_read(d, WORLD_SYS, path, ret);
}

#define NAMES_SHOWN 8

struct name_list {
	struct machine *d;
	const char *names[NAMES_SHOWN];
	int count;
};

/* The first names in their order. */
static int add_name(void *arg, const char *name)
{
	struct name_list *l = arg;
	const char *copy = machine_print(l->d, "%s", name);
	size_t at = MIN((size_t)l->count, (size_t)NAMES_SHOWN);

	l->count++;
	while (at > 0 && strverscmp(l->names[at - 1], copy) > 0) {
		if (at < NAMES_SHOWN)
			l->names[at] = l->names[at - 1];
		at--;
	}
	if (at < NAMES_SHOWN)
		l->names[at] = copy;
	return 0;
}

/* How many entries a folder has, and their names joined by ", " unless NULL; -errno. */
static int machine_list(struct machine *d, enum world_root root, const char *path,
			const char **ret_names)
{
	struct name_list l = {.d = d};
	int r = d->world->ops->list(d->world, root, path, add_name, &l);

	if (r < 0)
		return r;
	if (!ret_names)
		return l.count;
	*ret_names = "";
	for (int i = 0; i < l.count && i < NAMES_SHOWN; i++)
		*ret_names = machine_print(d, "%s%s%s", *ret_names, i > 0 ? ", " : "",
					   l.names[i]);
	if (l.count > NAMES_SHOWN)
		*ret_names = machine_print(d, "%s and %d more", *ret_names,
					   l.count - NAMES_SHOWN);
	return l.count;
}

/* ---- firmware and devices --------------------------------------------------------------- */

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
				     driver_is_vfio(b->driver) ? " until the next boot"
							       : "");
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
			return !device->is_bridge && !driver_is_vfio(device->driver);
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
		if (driver_is_vfio(o->device->driver) &&
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
		has_bound |= driver_is_vfio(d->targets[i].device->driver);
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
		if (driver_is_vfio(d->targets[i].device->driver) &&
		    d->targets[i].device->iommu_group != NO_GROUP)
			check_node(d, &d->targets[i]);
}

static const struct machine_check firmware_checks[] = {
	{"iommu", run_iommu},	      {"interrupts", run_interrupts},
	{"groups", run_groups},	      {"reserved", run_reserved},
	{"functions", run_functions}, {NULL, NULL},
};

static const struct machine_check device_checks[] = {
	{"guards", run_guards}, {"usage", run_usage}, {"framebuffer", run_framebuffer},
	{"power", run_power},	{"nodes", run_nodes}, {NULL, NULL},
};

/* ---- configuration and kernels ---------------------------------------------------------- */

static void say_problem(struct machine *d, const struct problem *p)
{
	char origin[ORIGIN_SIZE];

	machine_say(d, p->is_error ? FINDING_FAIL : FINDING_NOTE, "%s: \"%.*s\": %s",
		    origin_format(&p->origin, origin), (int)MIN(p->text.n, 80u),
		    p->text.p, p->message);
}

/* Whether another device sits at the rule's address: then that has been said. */
static bool is_mismatch(const struct machine *d, const struct rule *rule)
{
	for (size_t i = 0; i < d->run.plan.device_count; i++)
		if (d->run.plan.devices[i].rule == rule)
			return true;
	return false;
}

/* Somebody may have two of them and want to pass one on. */
static void check_several(struct machine *d, struct identity *identity,
			  const struct rule *rule)
{
	const char *sentence = twins_sentence(identity, &d->run.plan, rule);

	if (sentence)
		machine_say(d, FINDING_NOTE, "%s", sentence);
}

/* Somebody may want the virtual functions of the card. */
static void check_physical(struct machine *d, const struct vfs_rules *vfs)
{
	for (size_t i = 0; i < d->run.plan.device_count; i++) {
		const char *sentence = physical_sentence(d->world, d->arena,
							 &d->run.plan.devices[i], vfs);

		if (sentence)
			machine_say(d, FINDING_NOTE, "%s", sentence);
	}
}

/* Rules that have virtual functions made, and those that take the card which would. */
static void check_vfs(struct machine *d)
{
	struct vfs_rules vfs;

	if (vfs_judge_all(d->world, d->arena, &d->run.policy, &d->run.plan, false, &vfs) <
	    0) {
		machine_say(d, FINDING_UNKNOWN, "out of memory");
		return;
	}
	check_physical(d, &vfs);
	for (size_t i = 0; i < vfs.count; i++)
		machine_say(d, vfs.items[i].is_fine ? FINDING_NOTE : FINDING_FAIL, "%s",
			    vfs_format(d->arena, &vfs.items[i]));
}

static void check_rule(struct machine *d, struct identity *identity, size_t i)
{
	const struct rule *rule = &d->run.policy.rules[i];
	const char *elsewhere;
	char origin[ORIGIN_SIZE];

	if (rule->kind != RULE_BIND || !policy_has_rule_active(&d->run.policy, rule))
		return;
	if (d->run.plan.rule_matches[i] > 0) {
		check_several(d, identity, rule);
		return;
	}
	if (is_mismatch(d, rule) || rule->vfs > 0)
		return;
	elsewhere = d->run.plan.moved[i].elsewhere;
	machine_say(d, rule->optional ? FINDING_NOTE : FINDING_FAIL,
		    "%.*s (%s) names no device that is present%s%s%s",
		    (int)MIN(rule->text.n, 80u), rule->text.p,
		    origin_format(&rule->origin, origin), elsewhere ? ", but " : "",
		    elsewhere ? elsewhere : "",
		    rule->optional ? ", and is optional"
				   : ": look it up with \"earlybind list\", or mark it "
				     "optional");
}

static void run_configuration(struct machine *d)
{
	const struct policy *policy = &d->run.policy;
	size_t before = d->findings.counts[FINDING_FAIL];
	struct identity identity;

	if (policy->off) {
		machine_say(
			d, FINDING_NOTE,
			"rd.earlybind=0 is on the kernel command line: no rule counts");
		return;
	}
	for (size_t i = 0; i < policy->problem_count; i++)
		say_problem(d, &policy->problems[i]);
	if (policy->problems_lost > 0)
		machine_say(d, FINDING_FAIL, "%zu more problems are not shown",
			    policy->problems_lost);
	if (identity_open(d->world, d->arena, &d->run.inventory, &identity) < 0)
		return;
	for (size_t i = 0; i < policy->rule_count; i++)
		check_rule(d, &identity, i);
	check_vfs(d);
	if (!d->has_rule)
		machine_say(
			d, FINDING_NOTE,
			"no rule binds a device: \"earlybind add DEVICE\" writes one");
	else if (d->findings.counts[FINDING_FAIL] == before)
		machine_say(d, FINDING_PASS, "%zu rule%s, %zu device%s",
			    policy->rule_count, plural(policy->rule_count),
			    d->target_count, plural(d->target_count));
}

static bool is_image_wanted(const struct machine *d, const struct installed_image *k)
{
	return !d->kernel || strcmp(d->kernel, k->kernel) == 0;
}

/* Where modules of vfio are a package of their own. */
static const char *remedy_for(struct machine *d, const char *release)
{
	struct text os;

	if (machine_read(d, WORLD_ETC, OS_RELEASE, &os) == 0) {
		if (memmem(os.p, os.n, "ID=ubuntu", 9))
			return machine_print(d, "install linux-modules-extra-%s",
					     release);
		if (memmem(os.p, os.n, "ID=fedora", 9) ||
		    memmem(os.p, os.n, "ID=\"rhel\"", 9) ||
		    memmem(os.p, os.n, "ID=\"centos\"", 11))
			return machine_print(d, "install kernel-modules-%s", release);
	}
	return "install its package of further modules (linux-modules-extra, "
	       "kernel-modules), or boot another kernel";
}

/* Whether a target before the @i-th one has the same driver=. */
static bool is_wanted_before(const struct machine *d, size_t i)
{
	const char *wanted = d->targets[i].planned->wanted;

	for (size_t k = 0; k < i; k++)
		if (d->targets[k].planned && d->targets[k].planned->wanted &&
		    strcmp(d->targets[k].planned->wanted, wanted) == 0)
			return true;
	return false;
}

/* Drivers that rules name by driver=, as modules: each once. One that runs here is there. */
static void check_drivers(struct machine *d, const struct installed_image *k,
			  struct modules *modules)
{
	for (size_t i = 0; i < d->target_count; i++) {
		const struct plan_device *pd = d->targets[i].planned;
		char origin[ORIGIN_SIZE];
		struct module_found found;

		if (!pd || pd->action > ACTION_DONE || !pd->wanted ||
		    driver_is_same(pd->wanted, "vfio-pci") || is_wanted_before(d, i) ||
		    machine_list(d, WORLD_SYS,
				 machine_print(d, "bus/pci/drivers/%s", pd->wanted),
				 NULL) > 0 ||
		    modules_look_up(modules, pd->wanted, &found) != 0 ||
		    found.place != MODULE_NOWHERE)
			continue;
		machine_say(
			d, FINDING_FAIL,
			"kernel %s has no module %s, which a rule names (%s): correct "
			"driver= there, or install the module",
			k->kernel, pd->wanted, origin_format(&pd->rule->origin, origin));
	}
}

static void check_vfio(struct machine *d, const struct installed_image *k)
{
	const char *dir = machine_print(d, "%s" MODULES_PATH "/%s",
					d->sysroot ? d->sysroot : "", k->kernel);
	struct module_found pci, type1;
	struct modules *modules;
	int r = modules_open_dir(dir, d->arena, &modules);

	if (r == 0)
		r = modules_look_up(modules, "vfio_pci", &pci);
	if (r == 0)
		r = modules_look_up(modules, "vfio_iommu_type1", &type1);
	if (r == 0)
		check_drivers(d, k, modules);
	modules_close(modules);
	if (r != 0) {
		machine_say(d, FINDING_UNKNOWN,
			    "kernel %s: its modules cannot be read: run depmod %s",
			    k->kernel, k->kernel);
		return;
	}
	if (pci.place == MODULE_NOWHERE)
		machine_say(d, FINDING_FAIL, "kernel %s has no vfio-pci: %s", k->kernel,
			    remedy_for(d, k->kernel));
	else if (type1.place == MODULE_NOWHERE)
		machine_say(
			d, FINDING_NOTE,
			"kernel %s has no vfio_iommu_type1: programs must use iommufd",
			k->kernel);
	else
		machine_say(d, FINDING_PASS, "kernel %s has vfio-pci%s", k->kernel,
			    pci.place == MODULE_BUILT_IN
				    ? ", built in: options in modprobe.d do nothing there"
				    : "");
}

/* A kernel may have several images: they follow one another. */
static bool is_first(const struct machine *d, size_t i)
{
	return i == 0 || strcmp(d->installed.items[i].kernel,
				d->installed.items[i - 1].kernel) != 0;
}

static void run_vfio(struct machine *d)
{
	size_t count = 0;

	for (size_t i = 0; i < d->installed.count; i++) {
		const struct installed_image *k = &d->installed.items[i];

		if (!is_first(d, i) || !is_image_wanted(d, k))
			continue;
		check_vfio(d, k);
		count++;
	}
	if (count == 0 && d->kernel)
		machine_say(d, FINDING_FAIL, "kernel %s is not installed", d->kernel);
	else if (count == 0)
		machine_say(d, FINDING_UNKNOWN, "no kernel is installed here");
}

/* ---- images ------------------------------------------------------------------------------ */

/* The image, and what boots it. */
static const char *name_of(struct machine *d, const struct installed_image *k)
{
	return k->entry && k->entry->source != k->path
		       ? machine_print(d, "%s (booted by %s)", k->path, k->entry->source)
		       : k->path;
}

/* Without rules only one thing counts: that no image has any left. */
static bool is_ruled(const struct machine *d)
{
	return d->has_rule || d->sources.count > 0;
}

static void report_image(struct machine *d, const struct installed_image *k,
			 const struct check *c)
{
	const struct findings *f = &c->findings;
	const char *name = name_of(d, k);

	for (size_t i = 0; i < f->count; i++) {
		const struct finding *item = &f->items[i];

		if (item->kind != FINDING_FAIL &&
		    (item->kind != FINDING_UNKNOWN || !is_ruled(d)))
			continue;
		machine_say(d, item->kind, "%s: %s: %s", name, item->name, item->message);
		d->image_failures += item->kind == FINDING_FAIL;
	}
	if (f->counts[FINDING_FAIL] + f->counts[FINDING_UNKNOWN] == 0 && is_ruled(d))
		machine_say(d, FINDING_PASS,
			    tree_find(&c->image.tree, IMAGE_BINDER)
				    ? "%s has the rules, and runs them before udev"
				    : "%s has no earlybind, and there are no rules",
			    name);
}

/* Each image in memory of its own, which is given back. */
static void check_image_of(struct machine *d, const struct installed_image *k)
{
	static struct check c;
	struct arena arena;
	const char *message;

	if (k->is_missing && is_ruled(d)) {
		machine_say(d, FINDING_FAIL,
			    "%s: there is no such file, and this entry does not boot: %s",
			    name_of(d, k), judge_apply(&d->run.policy, d->arena));
		d->image_failures++;
		return;
	}
	if (arena_map(&arena, IMAGE_ARENA_SIZE) < 0) {
		machine_say(d, FINDING_UNKNOWN, "%s: out of memory", k->path);
		return;
	}
	c = (struct check){.file = k->file,
			   .kernel = k->kernel,
			   .copy_command = rebuild_copy_command(k, d->arena),
			   .arena = &arena,
			   .world = d->world,
			   .sysroot = d->sysroot,
			   .is_unwanted = sources_count_rules(&d->files) +
						  sources_count_rules(&d->run.policy) ==
					  0,
			   .sources = &d->sources,
			   .findings = {.arena = &arena}};
	if (!c.file)
		machine_say(d, FINDING_UNKNOWN, "%s: out of memory", k->path);
	else if (check_run(&c, &message) == 0)
		report_image(d, k, &c);
	else if (k->entry && is_ruled(d))
		machine_say(d, FINDING_FAIL, "%s: it is damaged: %s", name_of(d, k),
			    message);
	else if (is_ruled(d))
		machine_say(d, FINDING_UNKNOWN, "%s: %s", k->path, message);
	arena_unmap(&arena);
}

static bool is_boot_file_there(struct machine *d, const char *path)
{
	const char *file = path_below(d->arena, d->sysroot, path);

	return !file || access(file, F_OK) == 0;
}

/* Where no kernel is to be seen, the file system that has them is not mounted. */
static bool has_kernel_file(struct machine *d)
{
	const struct installed *all = &d->installed;

	for (size_t i = 0; i < all->entries.count; i++)
		if (all->entries.items[i].kernel &&
		    is_boot_file_there(d, all->entries.items[i].kernel))
			return true;
	for (size_t i = 0; i < all->count; i++)
		if (is_boot_file_there(d, machine_print(d, BOOT_PATH "/vmlinuz-%s",
							all->items[i].kernel)))
			return true;
	return false;
}

/*
 * An entry whose kernel, or image of a removed kernel, is not there. GRUB's menu has entries of
 * other systems, whose files are elsewhere.
 */
static void check_lost(struct machine *d, const struct boot_entry *e, const char *kernel)
{
	const char *lost =
		e->kernel && !is_boot_file_there(d, e->kernel) ? e->kernel : NULL;

	if (!kernel && e->kind != BOOT_ENTRY_SPECIFICATION)
		return;
	for (size_t i = 0; i < e->initrd_count && !lost && !kernel; i++)
		if (!is_boot_file_there(d, e->initrds[i]))
			lost = e->initrds[i];
	if (lost)
		machine_say(d, kernel ? FINDING_FAIL : FINDING_NOTE,
			    "%s: the entry \"%s\" does not boot: there is no file %s; "
			    "make the entries again, or remove this one",
			    e->source, e->title ? e->title : "", lost);
}

/* Kernels in /boot that no entry boots: an image of theirs is never used. */
static void check_unbooted(struct machine *d)
{
	for (size_t i = 0; i < d->installed.count; i++) {
		const struct installed_image *k = &d->installed.items[i];

		if (is_first(d, i) && is_image_wanted(d, k) &&
		    installed_is_unbooted(&d->installed, d->sysroot, d->arena, k->kernel))
			machine_say(d, FINDING_NOTE,
				    "no entry of the boot loader that was found boots "
				    "kernel %s: its image is not used",
				    k->kernel);
	}
}

/* What the entries of the boot loaders say that no image does. */
static void check_entries(struct machine *d)
{
	const struct boot_entries *entries = &d->installed.entries;
	bool has_kernel = has_kernel_file(d);

	for (size_t i = 0; i < entries->count; i++) {
		const struct boot_entry *e = &entries->items[i];
		const char *kernel = installed_kernel_of(&d->installed, e);

		if (e->kind == BOOT_ENTRY_UKI && !kernel && !e->version)
			machine_say(
				d, FINDING_UNKNOWN,
				"%s: it is damaged, or does not say which kernel it is "
				"of: run \"earlybind check --image %s\"",
				e->source, e->source);
		if (has_kernel &&
		    (!kernel || !d->kernel || strcmp(d->kernel, kernel) == 0))
			check_lost(d, e, kernel);
		if (!kernel || e->is_uki || e->initrd_count > 0 ||
		    (d->kernel && strcmp(d->kernel, kernel) != 0))
			continue;
		machine_say(
			d, FINDING_FAIL,
			"%s: the entry \"%s\" boots kernel %s without an initramfs, so "
			"without earlybind: name its image in a line \"initrd\" there",
			e->source, e->title ? e->title : "", kernel);
	}
	if (entries->has_unmounted)
		machine_say(d, FINDING_UNKNOWN,
			    "the EFI partitions in " PROXMOX_MARK
			    " are not mounted: the images that boot are there; "
			    "\"proxmox-boot-tool refresh\" copies those in " BOOT_PATH);
	if (entries->is_cut)
		machine_say(d, FINDING_UNKNOWN,
			    "there are more boot entries than are looked at");
}

static void run_images(struct machine *d)
{
	for (size_t i = 0; i < d->installed.count; i++) {
		const struct installed_image *k = &d->installed.items[i];

		if (!is_image_wanted(d, k))
			continue;
		if (k->path)
			check_image_of(d, k);
		else if (is_ruled(d))
			machine_say(d, FINDING_UNKNOWN,
				    "kernel %s: its image was not found in " BOOT_PATH
				    " or on the EFI partition: name it with --image",
				    k->kernel);
	}
	if (is_ruled(d)) {
		check_entries(d);
		check_unbooted(d);
	}
}

/* ---- the kernel that runs ---------------------------------------------------------------- */

static void run_kernel(struct machine *d)
{
	const struct installed *all = &d->installed;
	const char *newest = all->count > 0 ? all->items[0].kernel : NULL;
	bool is_installed = false;

	if (!d->running || !newest)
		return;
	for (size_t i = 0; i < all->count; i++)
		is_installed |= strcmp(all->items[i].kernel, d->running) == 0;
	if (!is_installed)
		machine_say(
			d, FINDING_FAIL,
			"%s runs and is no longer installed, so no further driver can be "
			"loaded: reboot",
			d->running);
	else if (strcmp(newest, d->running) != 0)
		machine_say(
			d, FINDING_NOTE,
			"%s runs, and most boot loaders start the newer %s next: check "
			"again after a reboot",
			d->running, newest);
	else
		machine_say(d, FINDING_PASS, "%s runs, the newest that is installed",
			    d->running);
}

enum presence {
	PRESENCE_SAME,
	PRESENCE_OTHER_VALUE,
	PRESENCE_NONE,
};

/* A parameter of the kernel or a module, where '-' and '_' are the same. */
static bool is_same_name(struct text a, struct text b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++)
		if (a.p[i] != b.p[i] && !(a.p[i] == '-' && b.p[i] == '_') &&
		    !(a.p[i] == '_' && b.p[i] == '-'))
			return false;
	return a.n == b.n;
}

static enum presence find_running(const struct machine *d, const struct cmdline_arg *want)
{
	enum presence best = PRESENCE_NONE;
	struct text rest = d->cmdline;
	struct cmdline_arg arg;

	while (cmdline_next(&rest, &arg) && !cmdline_is_end(&arg)) {
		if (!is_same_name(arg.name, want->name))
			continue;
		if (text_is_same(arg.value, want->value))
			return PRESENCE_SAME;
		best = PRESENCE_OTHER_VALUE;
	}
	return best;
}

/* Parameters of the boot's command line; dracut's own files are none. */
static bool is_configured(const struct recipe *r)
{
	return r->is_cmdline && !r->is_running && !r->is_generated && !r->is_repeated &&
	       !r->is_replaced && strncmp(r->file, "/etc/cmdline", 12) != 0 &&
	       (r->kind == RECIPE_IDS || r->kind == RECIPE_KERNEL ||
		r->kind == RECIPE_OPTION);
}

static const char *place_of(struct machine *d, const struct recipe *r)
{
	return r->line > 0 ? machine_print(d, "%s:%u", r->file, r->line) : r->file;
}

static void say_missing(struct machine *d, const struct recipe *r, enum presence presence)
{
	bool is_entry = strstr(r->file, "/loader/entries/") != NULL;
	int n = (int)MIN(r->text.n, 200u);

	if (r->other_loader)
		machine_say(d, FINDING_FAIL,
			    "%.*s is in %s and not on the command line of this boot: "
			    "%s",
			    n, r->text.p, place_of(d, r), r->other_loader);
	else if (is_entry && presence == PRESENCE_NONE)
		machine_say(d, FINDING_FAIL,
			    "%.*s is in %s and not on the command line of this boot: "
			    "another entry was booted; choose this one, or add the "
			    "parameter to the others",
			    n, r->text.p, place_of(d, r));
	else if (is_entry)
		machine_say(d, FINDING_NOTE,
			    "%.*s is in %s; this boot has another value of it", n,
			    r->text.p, place_of(d, r));
	else
		machine_say(
			d, FINDING_FAIL,
			"%.*s is in %s and not on the command line of this boot: "
			"%s, or another entry or boot loader was used",
			n, r->text.p, place_of(d, r),
			r->after ? machine_print(d, "it was changed since (%s)", r->after)
				 : "it was changed since");
}

static void run_cmdline(struct machine *d)
{
	size_t count = 0, missing = 0;

	if (!d->cmdline.p) {
		machine_say(d, FINDING_UNKNOWN, "/proc/cmdline cannot be read");
		return;
	}
	for (size_t i = 0; i < d->recipes.count; i++) {
		const struct recipe *r = &d->recipes.items[i];
		struct text rest = r->text;
		struct cmdline_arg arg;
		enum presence presence;

		if (!is_configured(r) || !cmdline_next(&rest, &arg))
			continue;
		count++;
		presence = find_running(d, &arg);
		if (presence == PRESENCE_SAME)
			continue;
		missing++;
		say_missing(d, r, presence);
	}
	if (count > 0 && missing == 0)
		machine_say(d, FINDING_PASS,
			    "this boot has the parameters for vfio and the IOMMU that "
			    "files set");
}

/* ---- recipes ----------------------------------------------------------------------------- */

/* How bad: whether something that somebody meant does not happen. */
static enum finding_kind kind_of(enum recipe_lint lint)
{
	switch (lint) {
	case LINT_STALE_MODULE:
	case LINT_SUFFIX:
	case LINT_BLANKS:
	case LINT_IDS:
	case LINT_IDS_LENGTH:
	case LINT_NAME:
	case LINT_IOMMU_OFF:
	case LINT_SYNTAX:
	case LINT_GENERATED:
		return FINDING_FAIL;
	case LINT_IDS_SEVERAL:
	case LINT_BLACKLIST:
	case LINT_ORDER:
	case LINT_BUILT_IN:
	case LINT_NO_EFFECT:
		return FINDING_NOTE;
	case LINT_UNREAD:
	case LINT_NOT_UNDERSTOOD:
		return FINDING_UNKNOWN;
	}
	return FINDING_NOTE;
}

static void run_recipes(struct machine *d)
{
	const struct recipes *r = &d->recipes;
	size_t deletable = 0;

	for (size_t i = 0; i < r->finding_count; i++) {
		const struct recipe_finding *f = &r->findings[i];

		if (f->column > 0)
			machine_say(d, kind_of(f->lint), "%s:%u:%u: %s", f->file, f->line,
				    f->column, f->message);
		else if (f->line > 0)
			machine_say(d, kind_of(f->lint), "%s:%u: %s", f->file, f->line,
				    f->message);
		else
			machine_say(d, kind_of(f->lint), "%s: %s", f->file, f->message);
	}
	for (size_t i = 0; i < r->count; i++)
		deletable +=
			r->items[i].fate == RECIPE_DELETE && !r->items[i].is_generated;
	if (deletable > 0)
		machine_say(
			d, FINDING_NOTE,
			"%zu line%s of other tools could be rules: \"earlybind import\" "
			"shows how",
			deletable, plural(deletable));
	else if (r->finding_count == 0)
		machine_say(d, FINDING_PASS,
			    r->count > 0 ? "no mistake was found in files of other tools"
					 : "no file of another tool passes devices");
	if (r->is_cut)
		machine_say(d, FINDING_UNKNOWN,
			    "there are more files than are looked at");
}

static bool is_all_on_vfio(const struct machine *d)
{
	for (size_t i = 0; i < d->target_count; i++)
		if (!driver_is_vfio(d->targets[i].device->driver))
			return false;
	return d->target_count > 0;
}

static void say_no_report(struct machine *d)
{
	if (d->boot_error == -ENOENT && !d->has_rule)
		return;
	if (d->boot_error == -ENOENT && d->run.policy.off)
		machine_say(
			d, FINDING_NOTE,
			"earlybind was off: rd.earlybind=0 is on the kernel command line");
	else if (d->boot_error == -ENOENT && is_all_on_vfio(d))
		machine_say(
			d, FINDING_NOTE,
			"earlybind did not run in this boot: something else bound the "
			"devices");
	else if (d->boot_error == -ENOENT)
		machine_say(
			d, FINDING_FAIL,
			"earlybind did not run in this boot, though there are rules: the "
			"image lacks earlybind or is older than the rules; %s, then reboot",
			judge_apply(&d->run.policy, d->arena));
	else if (d->boot_error == -EBADMSG)
		machine_say(d, FINDING_UNKNOWN, "the report %s is damaged: %s",
			    d->boot_path, d->boot_message);
	else if (d->boot_error == -EPROTONOSUPPORT)
		machine_say(d, FINDING_UNKNOWN,
			    "the report %s is of a newer earlybind: update this one",
			    d->boot_path);
	else
		machine_say(d, FINDING_UNKNOWN, "the report %s cannot be read: %s",
			    d->boot_path, errno_text(d->boot_error));
}

static void run_this_boot(struct machine *d)
{
	const struct boot *boot = &d->boot;
	size_t before = d->findings.counts[FINDING_FAIL], bound = 0;

	if (d->boot_error < 0) {
		say_no_report(d);
		return;
	}
	if (boot->is_dry_run)
		machine_say(
			d, FINDING_NOTE,
			"it was a dry run (rd.earlybind.dry_run=1): no device was touched");
	if (boot->reason[0] != '\0')
		machine_say(d, FINDING_FAIL, "nothing was done: %s", boot->message);
	for (size_t i = 0; i < boot->module_count; i++)
		if (boot->modules[i].error != 0)
			machine_say(d, FINDING_FAIL, "the module %s: %s",
				    boot->modules[i].name,
				    errno_text(boot->modules[i].error));
	for (size_t i = 0; i < boot->device_count; i++)
		bound += strcmp(boot->devices[i].verdict, "bound") == 0;
	if (d->findings.counts[FINDING_FAIL] == before)
		machine_say(d, FINDING_PASS, "earlybind bound %zu of %zu device%s", bound,
			    boot->device_count, plural(boot->device_count));
}

/* ---- devices ----------------------------------------------------------------------------- */

/* What the boot's run says of a device, which must be the same one. NULL for nothing. */
static const struct boot_device *find_in_boot(const struct machine *d,
					      const struct pci_device *device)
{
	const struct boot_device *b;
	char id[ID_SIZE];

	if (d->boot_error < 0)
		return NULL;
	b = boot_find(&d->boot, device->bdf);
	return b && strcmp(b->id, format_id(&device->ids, id)) == 0 ? b : NULL;
}

static void say_not_bound(struct machine *d, const struct target *t)
{
	const struct boot_device *b = find_in_boot(d, t->device);
	const struct boot_rule *rule =
		d->boot_error == 0 ? boot_find_overlooked(&d->boot, t->device) : NULL;
	const char *driver = machine_driver(t->device);
	char origin[ORIGIN_SIZE], address[BDF_SIZE];

	if (b && strcmp(b->verdict, "bound") == 0 && strcmp(b->after, driver) != 0)
		machine_say(
			d, FINDING_FAIL,
			"%s: earlybind bound it to %s, and %s has it now: find out who "
			"gave it back (journalctl -b), or run \"earlybind bind\"",
			t->name, b->after, driver);
	else if (b && b->message[0] != '\0')
		machine_say(d, FINDING_FAIL,
			    "%s: %s has it; it was not bound at boot: %s", t->name,
			    driver, b->message);
	else if (rule)
		machine_say(d, FINDING_FAIL,
			    "%s: %s has it; it was not there when earlybind ran, so that "
			    "its rule %s (%s) did nothing: reboot, or see \"earlybind "
			    "explain %s\"",
			    t->name, driver, rule->text, rule->origin,
			    bdf_format(t->device->bdf, address));
	else if (d->boot_error == 0)
		machine_say(
			d, FINDING_NOTE,
			"%s: %s has it; its rule (%s) is newer than this boot: %s and "
			"reboot",
			t->name, driver, origin_format(&t->planned->rule->origin, origin),
			judge_apply(&d->run.policy, d->arena));
	else
		machine_say(d, FINDING_FAIL, "%s: %s has it", t->name, driver);
}

/* It is on vfio-pci, and there is a keep rule. */
static void say_kept_bound(struct machine *d, const struct plan_device *pd)
{
	char address[BDF_SIZE], origin[ORIGIN_SIZE], message[REASON_MESSAGE_SIZE];

	origin_format(&pd->rule->origin, origin);
	if (policy_has_module_id(&d->run.policy, pd->device)) {
		machine_say(
			d, FINDING_FAIL, "%s: %s (%s)", machine_device(d, pd->device),
			reason_message(REASON_KEPT_BOUND, pd->device->driver, message),
			origin);
		return;
	}
	machine_say(d, FINDING_FAIL,
		    "%s: %s has it, though a keep rule (%s) protects it: %s and "
		    "reboot; \"earlybind explain %s\" says what helps now",
		    machine_device(d, pd->device), pd->device->driver, origin,
		    judge_apply(&d->run.policy, d->arena),
		    bdf_format(pd->device->bdf, address));
}

static void check_target(struct machine *d, const struct target *t)
{
	const struct plan_device *pd = t->planned;
	char message[REASON_MESSAGE_SIZE];

	if (!pd)
		machine_say(d, FINDING_NOTE, "%s: no rule %s; %s has it", t->name,
			    d->run.policy.off ? "counts" : "names it",
			    machine_driver(t->device));
	else if (pd->action == ACTION_KEEP && driver_is_vfio(t->device->driver))
		say_kept_bound(d, pd);
	else if (t->judgement.verdict == JUDGED_REFUSED)
		return; /* the guards say it */
	else if (pd->action == ACTION_DONE ||
		 (pd->action < ACTION_DONE && driver_is_vfio(t->device->driver) &&
		  is_vfio_wanted(t)))
		machine_say(d, FINDING_PASS, "%s: %s has it", t->name, t->device->driver);
	else if (pd->action == ACTION_REFUSE && pd->reason != REASON_IOMMU_OFF)
		machine_say(d, FINDING_FAIL, "%s: refused: %s", t->name,
			    reason_message(pd->reason, pd->detail, message));
	else if (pd->action != ACTION_KEEP)
		say_not_bound(d, t);
}

/* What rules name and must not be bound, or is another device than they say. */
static void check_refused(struct machine *d)
{
	for (size_t i = 0; i < d->run.plan.device_count; i++) {
		const struct plan_device *pd = &d->run.plan.devices[i];
		char message[REASON_MESSAGE_SIZE], origin[ORIGIN_SIZE];
		bool is_target = false;

		for (size_t k = 0; k < d->target_count; k++)
			is_target |= d->targets[k].planned == pd;
		if (is_target || d->words.count > 0)
			continue;
		if (pd->action == ACTION_KEEP && driver_is_vfio(pd->device->driver))
			say_kept_bound(d, pd);
		else if (pd->action == ACTION_REFUSE)
			machine_say(d, FINDING_FAIL, "%s: %s (%s)",
				    machine_device(d, pd->device),
				    reason_message(pd->reason, pd->detail, message),
				    origin_format(&pd->rule->origin, origin));
	}
}

static void run_devices(struct machine *d)
{
	for (size_t i = 0; i < d->target_count; i++)
		check_target(d, &d->targets[i]);
	check_refused(d);
}

static const struct machine_check boot_checks[] = {
	{"configuration", run_configuration},
	{"vfio", run_vfio},
	{"image", run_images},
	{"kernel", run_kernel},
	{"cmdline", run_cmdline},
	{"boot", run_this_boot},
	{"devices", run_devices},
	{NULL, NULL},
};

static const struct machine_check recipe_checks[] = {
	{"recipes", run_recipes},
	{NULL, NULL},
};

/* ---- all checks ------------------------------------------------------------------------- */

static const struct machine_check *check_at(size_t i)
{
	/* In the order of a machine's life: firmware, kernel, image, boot, devices. */
	static const struct machine_check *const tables[] = {
		firmware_checks, boot_checks, device_checks, recipe_checks};

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct machine_check *c = tables[t]; c->run; c++)
			if (i-- == 0)
				return c;
	return NULL;
}

const char *machine_check_name(size_t i)
{
	const struct machine_check *c = check_at(i);

	return c ? c->name : NULL;
}

/* ---- what is known ----------------------------------------------------------------------- */

/* -EINVAL for a word that is no selector, which is said. */
static int parse_words(struct machine *d)
{
	struct parse_error error;

	for (size_t i = 0; i < d->words.count; i++) {
		struct text word = text_of(d->words.items[i]);

		if (device_word_parse(word, &d->selectors[i], &error) == 0)
			continue;
		say_wrong_word("check", word, error.message);
		return -EINVAL;
	}
	return 0;
}

/* What the words ask of a function. */
static unsigned want(const void *arg, const struct pci_device *device)
{
	const struct machine *d = arg;
	unsigned facts = 0;

	for (size_t i = 0; i < d->words.count; i++)
		facts |= selector_open_facts(&d->selectors[i], device);
	return facts;
}

static int read_machine(struct machine *d)
{
	struct run *run = &d->run;

	d->has_rule = !run->policy.off && policy_has_bind_rule(&run->policy);
	return next_boot_plan(d->world, d->arena, want, d, run);
}

static void read_release(struct machine *d)
{
	struct text t;

	if (machine_read(d, WORLD_PROC, "sys/kernel/osrelease", &t) < 0)
		return;
	d->running = machine_print(d, "%.*s", (int)MIN(t.n, 128u), t.p);
	if (!module_tree_is_version(d->running))
		d->running = NULL;
}

/* Whether the plan names the very device that the rule means, and it can be passed on. */
static bool is_meant(const struct plan_device *pd)
{
	return pd->action != ACTION_KEEP && pd->reason != REASON_IDENTITY_MISMATCH &&
	       pd->reason != REASON_BRIDGE && pd->reason != REASON_IOMMU_DEVICE;
}

static const struct plan_device *find_planned(const struct machine *d,
					      const struct pci_device *device)
{
	for (size_t i = 0; i < d->run.plan.device_count; i++)
		if (d->run.plan.devices[i].device == device)
			return &d->run.plan.devices[i];
	return NULL;
}

/* The words name no device that the next boot has. */
static void say_no_target(struct machine *d)
{
	const struct selector *s = &d->selectors[0];
	struct pci_device device = {.bdf = s->address};
	struct judgement judgement = {.verdict = JUDGED_FINE};

	if ((s->terms & TERM_ADDRESS) && !s->any_function &&
	    inventory_read_ids(d->world, device.bdf, &device.ids) == 0)
		judge_device(&d->judge, &device, (struct allowance){0}, &judgement);
	if (judgement.verdict != JUDGED_FINE && judgement.why)
		say_error("%s: %s", machine_device(d, &device), judgement.why);
	else
		say_error("no device is %s: see \"earlybind list\"", d->words.items[0]);
	if (judge_config_error(&d->run.policy))
		say_error("the configuration has errors: %s first",
			  judge_correct(&d->run.policy, d->arena));
}

/* -ENODEV if the words name no device, which is said. */
static int find_targets(struct machine *d)
{
	const struct inventory *inv = &d->run.inventory;

	d->targets = arena_alloc(d->arena, inv->count + 1, sizeof(*d->targets));
	if (!d->targets)
		return -ENOMEM;
	for (size_t i = 0; i < inv->count; i++) {
		const struct pci_device *device = &inv->devices[i];
		const struct plan_device *pd = find_planned(d, device);
		bool is_wanted = d->words.count == 0 && pd && is_meant(pd);

		for (size_t k = 0; k < d->words.count && !is_wanted; k++)
			is_wanted = selector_has_match(&d->selectors[k], device);
		if (is_wanted)
			d->targets[d->target_count++] =
				(struct target){.device = device,
						.planned = pd,
						.name = machine_device(d, device)};
	}
	for (size_t i = 0; i < d->target_count; i++)
		judge_device(&d->judge, d->targets[i].device, (struct allowance){0},
			     &d->targets[i].judgement);
	if (d->words.count > 0 && d->target_count == 0) {
		say_no_target(d);
		return -ENODEV;
	}
	return 0;
}

static int read_all(struct machine *d)
{
	int r;

	r = sources_read(d->world, d->arena, &d->configs, &d->sources);
	if (r == 0)
		r = next_boot_read(d->world, d->sysroot, d->arena, &d->sources, NULL,
				   &d->files, &d->run);
	if (r < 0)
		return r;
	r = read_machine(d);
	if (r < 0) {
		char message[REASON_MESSAGE_SIZE];

		say_error("%s", reason_message(REASON_NO_SYSFS, errno_text(r), message));
		return r;
	}
	if (machine_read(d, WORLD_PROC, "cmdline", &d->cmdline) < 0)
		d->cmdline = (struct text){NULL, 0};
	read_release(d);
	/* Without it there are no kernels, which the checks say. */
	(void)!installed_find(d->sysroot, d->arena, &d->installed);
	d->boot_error =
		boot_read(d->world, d->arena, &d->boot, &d->boot_path, &d->boot_message);
	if (d->boot_error == 0)
		d->boot_error = late_reports_add(d->world, d->arena, &d->boot);
	r = usages_read(d->world, d->arena, &d->usages);
	if (r == 0)
		r = holders_read(d->world, d->arena, d->sysroot, &d->holders);
	if (r == 0)
		r = recipes_read(d->world, d->sysroot, &d->run.policy, d->arena,
				 &d->recipes);
	if (r < 0)
		say_error("out of memory");
	d->judge = (struct judge){
		.arena = d->arena,
		.policy = &d->run.policy,
		.inventory = &d->run.inventory,
		.plan = &d->run.plan,
		.usages = &d->usages,
		.holders = &d->holders,
		.world = d->world,
	};
	return r;
}

/* ---- output ------------------------------------------------------------------------------ */

static void print_text(const struct machine *d)
{
	const struct findings *f = &d->findings;
	const char *comma = "";

	for (int kind = 0; kind < FINDING_KINDS; kind++)
		for (size_t i = 0; i < f->count; i++)
			if ((int)f->items[i].kind == kind)
				finding_print(&f->items[i]);
	if (f->lost_count > 0)
		paragraph_line(stdout, 0, "and %zu more", f->lost_count);
	for (int kind = 0; kind < FINDING_KINDS; kind++) {
		if (f->counts[kind] == 0)
			continue;
		printf("%s%zu %s", comma, f->counts[kind],
		       finding_kind_name((enum finding_kind)kind));
		comma = ", ";
	}
	puts(comma[0] ? "" : "nothing was checked");
}

static int print_json(const struct machine *d)
{
	struct json json;

	if (begin_json(d->arena, d->findings.count + d->target_count, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_put_string(&json, "running", d->running);
	json_open(&json, "kernels", '[');
	for (size_t i = 0; i < d->installed.count; i++) {
		json_open(&json, NULL, '{');
		json_put_string(&json, "release", d->installed.items[i].kernel);
		json_put_string(&json, "image", d->installed.items[i].path);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < d->target_count; i++) {
		char address[BDF_SIZE];

		json_put_string(&json, NULL,
				bdf_format(d->targets[i].device->bdf, address));
	}
	json_close(&json, ']');
	findings_write(&d->findings, &json);
	json_close(&json, '}');
	return end_json(&json);
}

static bool is_wanted(const struct machine *d, const char *name)
{
	for (size_t i = 0; i < d->only.count; i++)
		if (strcmp(d->only.items[i], name) == 0)
			return true;
	return d->only.count == 0;
}

int machine_check_run(struct machine *machine)
{
	struct machine *d = machine;
	size_t i = 0;

	d->findings.arena = d->arena;
	if (parse_words(d) < 0)
		return EXIT_WRONG_USAGE;
	if (open_world(d->sysroot, &d->world) < 0 || read_all(d) < 0)
		return EXIT_NOTHING_READ;
	if (find_targets(d) < 0)
		return EXIT_FAILED;
	for (const struct machine_check *c; (c = check_at(i)); i++) {
		d->name = c->name;
		if (is_wanted(d, d->name))
			c->run(d);
	}
	if (d->is_json && print_json(d) != 0)
		return EXIT_NOTHING_READ;
	if (!d->is_json)
		print_text(d);
	return d->findings.counts[FINDING_FAIL] > 0 ? EXIT_FAILED : EXIT_OK;
}
