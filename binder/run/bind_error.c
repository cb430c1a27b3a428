/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bind_error.h"

#include <errno.h>

#include "driver.h"

/*
 * What an errno of vfio_pci_probe() and of what it calls means when the causes that can be told
 * from sysfs are out (drivers/vfio/pci/vfio_pci.c, vfio_pci_core.c; drivers/vfio/vfio_main.c).
 */
static const struct {
	int error;
	const char *meaning;
} meanings[] = {
	{EINVAL,
	 "this kernel's denylist has its model, or the IOMMU is not cache-coherent"},
	{EBUSY, "another part of the kernel uses it"},
	{ENOMEM, "give the machine more memory, or the image fewer files"},
	{ENOENT, "vfio-pci does not end its registration, or was removed"},
	{ENODEV, "kernels before 5.14 say this whatever the cause is"},
};

int explain_refusal(struct steps *s, struct outcome *o, int error)
{
	const struct pci_device *d = o->plan->device;
	bool is_vfio = driver_is_vfio(o->wanted), is_any = error == -ENODEV;
	const char *meaning = "";
	unsigned vfs;
	int group;

	if (is_vfio && (error == -EINVAL || is_any) && !s->report->policy->has_noiommu) {
		const struct iommu *iommu = &s->report->inventory->iommu;

		if (!iommu->is_on)
			return steps_fail(o, REASON_IOMMU_OFF,
					  iommu_why_off(iommu, s->arena), error);
		/* The probe may have brought it: the snapshot's word is old. */
		inventory_read_group(s->world, d->bdf, &group);
		if (group == NO_GROUP)
			return steps_fail(o, REASON_NO_IOMMU_GROUP, NULL, error);
	}
	vfs = is_vfio && (error == -EBUSY || is_any)
		      ? inventory_count_vfs(s->world, d->bdf)
		      : 0;
	if (vfs > 0)
		return steps_fail(o, REASON_HAS_VFS, arena_printf(s->arena, "%u", vfs),
				  error);
	for (size_t i = 0; i < ARRAY_SIZE(meanings) && is_vfio; i++)
		if (meanings[i].error == -error)
			meaning = meanings[i].meaning;
	return steps_fail(o, REASON_BIND_REFUSED,
			  arena_printf(s->arena, "%s refused it: %s%s%s", o->wanted,
				       errno_text(error), *meaning ? ": " : "", meaning),
			  error);
}
