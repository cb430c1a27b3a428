/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iommu_advice.h"

#include <stddef.h>

const char *iommu_maker_name(enum iommu_maker maker)
{
	switch (maker) {
	case IOMMU_INTEL:
		return "Intel";
	case IOMMU_AMD:
		return "AMD";
	case IOMMU_ARM:
		return "ARM";
	case IOMMU_OTHER:
		return "neither x86 nor ARM";
	case IOMMU_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *iommu_parameter(const struct iommu *iommu, const char **ret_why)
{
	*ret_why = "for this kind of processor no parameter is known";
	if (iommu->place == IOMMU_PLACE_DOM0) {
		*ret_why = "Xen uses the IOMMU, and no parameter of this kernel changes "
			   "that";
		return NULL;
	}
	if (!iommu->is_on && iommu_cause(iommu) == IOMMU_CAUSE_GUEST) {
		*ret_why =
			"no parameter gives a VM the IOMMU that its host did not give it";
		return NULL;
	}
	switch (iommu->maker) {
	case IOMMU_INTEL:
		/* drivers/iommu/intel/Kconfig: INTEL_IOMMU_DEFAULT_ON is off by default, and
		 * Debian's kernel leaves integrated graphics out. */
		*ret_why = "many kernels leave Intel's IOMMU (VT-d) off unless asked for";
		return "intel_iommu=on";
	case IOMMU_AMD:
		/* drivers/iommu/amd/init.c: it is on wherever there is an IVRS table. */
		*ret_why = "the kernel uses AMD's IOMMU by itself where the firmware "
			   "enables it; it has no parameter amd_iommu=on";
		return NULL;
	case IOMMU_ARM:
		*ret_why = "the kernel uses ARM's SMMU by itself where the firmware "
			   "describes it";
		return NULL;
	case IOMMU_OTHER:
		*ret_why =
			"the kernel uses the IOMMU of this processor by itself where the "
			"firmware describes it";
		return NULL;
	case IOMMU_UNKNOWN:
		break;
	}
	return NULL;
}

const char *iommu_passthrough(const struct iommu *iommu)
{
	if (!iommu->is_on && iommu_is_hopeless(iommu))
		return NULL;
	switch (iommu->maker) {
	case IOMMU_INTEL:
	case IOMMU_AMD:
		/* arch/x86/kernel/pci-dma.c: iommu_setup() */
		return "iommu=pt";
	case IOMMU_ARM:
		/* drivers/iommu/iommu.c: iommu_set_def_domain_type() */
		return "iommu.passthrough=1";
	case IOMMU_OTHER:
	case IOMMU_UNKNOWN:
		break;
	}
	return NULL;
}

const char *iommu_obstacle(const struct iommu *iommu, struct arena *arena)
{
	enum iommu_cause cause = iommu_cause(iommu);

	if (iommu->is_on || cause == IOMMU_CAUSE_UNKNOWN || cause == IOMMU_CAUSE_UNASKED)
		return NULL;
	return iommu_explain(iommu, cause, arena);
}

bool iommu_is_hopeless(const struct iommu *iommu)
{
	enum iommu_cause cause = iommu_cause(iommu);

	if (iommu->is_on)
		return false;
	return cause == IOMMU_CAUSE_DOM0 || cause == IOMMU_CAUSE_GUEST ||
	       (!iommu->table && (iommu->maker == IOMMU_OTHER ||
				  (iommu->maker == IOMMU_ARM && !iommu->is_table_known)));
}

const char *iommu_next(const struct iommu *iommu, const char *address,
		       struct arena *arena)
{
	const char *why;

	if (iommu_cause(iommu) == IOMMU_CAUSE_DOM0 && address)
		return arena_printf(
			arena,
			"to give it to a VM: \"earlybind add %s driver=xen-pciback\"",
			address);
	if (iommu_cause(iommu) == IOMMU_CAUSE_DOM0)
		return "write driver=xen-pciback behind the rule in the configuration";
	if (iommu_is_hopeless(iommu))
		return "nothing inside this system can change that";
	if (iommu_parameter(iommu, &why))
		return "\"earlybind cmdline\" says what to add and where";
	return "remove that cause, and reboot";
}
