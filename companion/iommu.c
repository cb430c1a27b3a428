/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iommu.h"

#include "files.h"
#include "words.h"

#define CPUINFO_MAX ((size_t)8 * 1024 * 1024) /* thousands of processors */

static int stop_at_once(void *arg unused, const char *name unused)
{
	return 1;
}

static bool has_entry(struct world *world, const char *folder)
{
	return world->ops->list(world, WORLD_SYS, folder, stop_at_once, NULL) > 0;
}

struct tables {
	bool is_intel, is_amd, is_arm;
};

static int note_table(void *arg, const char *name)
{
	struct tables *t = arg;
	struct text text = text_of(name);

	t->is_intel = t->is_intel || text_is(text, "DMAR");
	t->is_amd = t->is_amd || text_is(text, "IVRS");
	t->is_arm = t->is_arm || text_is(text, "IORT");
	return 0;
}

/* By the first processor: arch/x86/kernel/cpu/proc.c, arch/arm64/kernel/cpuinfo.c. */
static enum iommu_maker read_maker(struct world *world, struct arena *arena)
{
	static const struct {
		const char *vendor;
		enum iommu_maker maker;
	} vendors[] = {
		{"GenuineIntel", IOMMU_INTEL}, {"CentaurHauls", IOMMU_INTEL},
		{"  Shanghai  ", IOMMU_INTEL}, {"Shanghai", IOMMU_INTEL},
		{"AuthenticAMD", IOMMU_AMD},   {"HygonGenuine", IOMMU_AMD},
	};
	struct text info, line, name;

	if (file_read_world(world, WORLD_PROC, "cpuinfo", arena, CPUINFO_MAX, &info) < 0)
		return IOMMU_UNKNOWN;
	while (text_cut(&info, '\n', &line)) {
		if (!text_cut(&line, ':', &name))
			continue;
		if (text_is(text_trim(name), "CPU implementer"))
			return IOMMU_ARM;
		if (!text_is(text_trim(name), "vendor_id") || !line.p)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
			if (text_is(text_trim(line), vendors[i].vendor))
				return vendors[i].maker;
		return IOMMU_UNKNOWN;
	}
	return IOMMU_UNKNOWN;
}

void iommu_read(struct world *world, struct arena *arena, struct iommu *ret)
{
	struct tables tables = {0};
	struct iommu i = {.maker = read_maker(world, arena)};

	i.is_table_known = world->ops->list(world, WORLD_SYS, "firmware/acpi/tables",
					    note_table, &tables) >= 0;
	if (i.maker == IOMMU_UNKNOWN)
		i.maker = tables.is_intel ? IOMMU_INTEL
			  : tables.is_amd ? IOMMU_AMD
			  : tables.is_arm ? IOMMU_ARM
					  : IOMMU_UNKNOWN;
	i.has_table = i.maker == IOMMU_INTEL ? tables.is_intel
		      : i.maker == IOMMU_AMD ? tables.is_amd
					     : tables.is_arm;
	i.is_on = has_entry(world, "class/iommu");
	*ret = i;
}

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

const char *iommu_obstacle(const struct iommu *iommu, struct text cmdline)
{
	const char *why, *parameter = iommu_parameter(iommu, &why);
	struct text other;

	if (iommu->is_on)
		return NULL;
	if (parameter && words_find(cmdline, text_of(parameter), &other) != 1)
		return NULL;
	if (words_find(cmdline, TEXT("iommu=off"), &other) == 1)
		return "iommu=off is on the command line: take it away";
	if (words_find(cmdline, TEXT("amd_iommu=off"), &other) == 1)
		return "amd_iommu=off is on the command line: take it away";
	if (iommu->maker == IOMMU_UNKNOWN)
		return NULL;
	if (iommu->is_table_known && !iommu->has_table)
		return iommu->maker == IOMMU_INTEL
			       ? "the firmware describes none (no DMAR table): enable VT-d in "
				 "the firmware's set-up"
		       : iommu->maker == IOMMU_AMD
			       ? "the firmware describes none (no IVRS table): enable AMD-Vi "
				 "or IOMMU in the firmware's set-up"
			       : "the firmware describes none: enable SMMU in its set-up, if "
				 "it has one";
	return iommu->maker == IOMMU_INTEL
		       ? "the kernel did not start it: see DMAR in dmesg"
	       : iommu->maker == IOMMU_AMD
		       ? "the kernel did not start it: see AMD-Vi in dmesg"
		       : "the kernel did not start it: see smmu in dmesg";
}
