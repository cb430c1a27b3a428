/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cover.h"

#include <errno.h>
#include <stdio.h>

/* For a mount, which waits for nothing of the device. */
#define COVER_TIME SECOND

static void cover(struct steps *s, const struct outcome *o, const char *file,
		  const char *text)
{
	struct job job = {.kind = JOB_COVER};
	char address[BDF_SIZE];
	struct job_result result;
	int r;

	bdf_format(o->plan->device->bdf, address);
	snprintf(job.path, sizeof(job.path), SYSFS_PCI_DEVICES "/%s/%s", address, file);
	snprintf(job.value, sizeof(job.value), "%s", text);
	r = world_run(s->world, &job, steps_now(s) + COVER_TIME, &result);
	if (r == 0)
		r = result.error;
	if (r < 0 && s->report->policy->debug)
		world_log(s->world, LOG_LEVEL_DEBUG, "%s: its file %s is not covered: %s",
			  address, file, errno_text(r));
}

void cover_device(struct steps *s, const struct outcome *o)
{
	const struct pci_ids *ids = &o->plan->device->ids;
	char address[BDF_SIZE], text[JOB_VALUE_SIZE];

	/* A machine that is up is not waited for, and its mounts are not ours. */
	if (s->report->is_late)
		return;
	/* Without MODALIAS: no driver is to be loaded for it. */
	snprintf(text, sizeof(text),
		 "PCI_CLASS=%04X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\n"
		 "PCI_SLOT_NAME=%s\n",
		 ids->class, ids->vendor, ids->device, ids->subvendor, ids->subdevice,
		 bdf_format(o->plan->device->bdf, address));
	cover(s, o, "uevent", text);
	snprintf(text, sizeof(text), "%s\n", o->wanted);
	cover(s, o, "driver_override", text);
}

void uncover_device(struct steps *s, const struct outcome *o)
{
	if (s->report->is_late)
		return;
	cover(s, o, "uevent", "");
	cover(s, o, "driver_override", "");
}
