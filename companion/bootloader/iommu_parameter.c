/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iommu_parameter.h"

const char *iommu_maker_name(enum iommu_maker maker)
{
	switch (maker) {
	case IOMMU_INTEL:
		return "Intel";
	case IOMMU_AMD:
		return "AMD";
	case IOMMU_ARM:
		return "ARM";
	case IOMMU_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *iommu_parameter(const struct iommu *iommu, const char **ret_why)
{
	switch (iommu->maker) {
	case IOMMU_INTEL:
		/* drivers/iommu/intel/Kconfig: INTEL_IOMMU_DEFAULT_ON is off by default, and
		 * Debian's kernel leaves integrated graphics out. */
		*ret_why = "many kernels leave Intel's IOMMU (VT-d) off unless asked for";
		return "intel_iommu=on";
	case IOMMU_AMD:
		/* drivers/iommu/amd/init.c: it is on wherever there is an IVRS table. */
		*ret_why =
			"the kernel uses AMD's IOMMU by itself where the firmware has it "
			"on; amd_iommu=on is no parameter that it knows";
		return NULL;
	case IOMMU_ARM:
		*ret_why = "the kernel uses ARM's SMMU by itself where the firmware "
			   "describes it";
		return NULL;
	case IOMMU_UNKNOWN:
		break;
	}
	*ret_why = "what kind of processor this is cannot be told";
	return NULL;
}

const char *iommu_obstacle(const struct iommu *iommu, struct arena *arena)
{
	enum iommu_cause cause = iommu_cause(iommu);

	if (iommu->is_on || cause == IOMMU_CAUSE_UNKNOWN || cause == IOMMU_CAUSE_UNASKED)
		return NULL;
	return iommu_explain(iommu, cause, arena);
}
