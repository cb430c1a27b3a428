/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IOMMU and interrupt remapping: whether they are on, and if not, who keeps them off. */
#include <errno.h>
#include <string.h>

#include "machine_check.h"
#include "files.h"
#include "message.h"
#include "paths.h"

#define IOMMUS	   "class/iommu"
#define GROUPS	   SYSFS_IOMMU_GROUPS
#define CONFIG_MAX ((size_t)1024 * 1024)

/* 'y', 'm' or 'n' for an option of the running kernel; 0 if that cannot be told. */
static char kernel_option(struct doctor *d, const char *option)
{
	static const char *const places[][2] = {{BOOT_PATH "/config-", ""},
						{MODULES_PATH "/", "/config"}};
	struct text config = {NULL, 0}, line;
	size_t n = strlen(option);

	for (size_t i = 0; d->running && !config.p && i < ARRAY_SIZE(places); i++) {
		const char *path =
			doctor_print(d, "%s%s%s%s", d->sysroot ? d->sysroot : "",
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

static void say_off(struct doctor *d)
{
	const struct iommu *iommu = &d->run.inventory.iommu;
	enum iommu_cause cause = iommu_cause(iommu);

	if (d->run.policy.has_noiommu)
		doctor_say(
			d, FINDING_NOTE,
			"vfio's no-IOMMU mode was asked for: devices can write to all of "
			"the memory");
	if (cause != IOMMU_CAUSE_CMDLINE && iommu->table &&
	    kernel_option(d, iommu->table->config) == 'n') {
		doctor_say(
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
	doctor_say(d, FINDING_FAIL, "it is off: %s%s",
		   iommu_explain(iommu, cause, d->arena),
		   cause == IOMMU_CAUSE_UNASKED
			   ? " (\"earlybind cmdline\" knows where), and reboot"
			   : "");
}

void doctor_iommu(struct doctor *d)
{
	const char *names = "";
	int count = doctor_list(d, WORLD_SYS, IOMMUS, &names);
	int groups = doctor_list(d, WORLD_SYS, GROUPS, NULL);

	if (groups > 0)
		doctor_say(d, FINDING_PASS, "it is on%s%s: %d group%s",
			   count > 0 ? ": " : "", names, groups, plural((size_t)groups));
	else if (groups == -EACCES)
		doctor_say(d, FINDING_UNKNOWN,
			   "its groups cannot be read: run this as root");
	else if (count > 0)
		doctor_say(
			d, FINDING_FAIL,
			"%s is there, but no device is in a group of it: see the kernel's "
			"log (journalctl -k -g -i iommu)",
			names);
	else
		say_off(d);
}

/* ---- interrupt remapping ----------------------------------------------------------------- */

void doctor_interrupts(struct doctor *d)
{
	const struct iommu *iommu = &d->run.inventory.iommu;

	/* Without an IOMMU there is nothing to say. */
	if (doctor_list(d, WORLD_SYS, GROUPS, NULL) <= 0)
		return;
	switch (iommu->remapping) {
	case REMAPPING_ON:
		doctor_say(d, FINDING_PASS, "they are remapped");
		if (iommu->is_unsafe)
			doctor_say(d, FINDING_NOTE,
				   "vfio_iommu_type1.allow_unsafe_interrupts=1 is not "
				   "needed here: take it away");
		return;
	case REMAPPING_OFF:
		if (iommu->is_unsafe)
			doctor_say(d, FINDING_NOTE,
				   "vfio_iommu_type1.allow_unsafe_interrupts=1 is set: a "
				   "guest can raise any interrupt of the host");
		else
			doctor_say(
				d, FINDING_FAIL,
				"they are not remapped, and vfio gives no device to a VM "
				"then: %s; or, only for guests that you trust, add "
				"vfio_iommu_type1.allow_unsafe_interrupts=1",
				iommu_why_not_remapped(iommu));
		return;
	case REMAPPING_UNKNOWN:
		doctor_say(d, FINDING_UNKNOWN,
			   "whether they are remapped: neither /proc/interrupts nor the "
			   "firmware's table can be read; run this as root");
		return;
	}
}
