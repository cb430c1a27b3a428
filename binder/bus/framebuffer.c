/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "framebuffer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BARS	      6
#define RESOURCE_SIZE 512 /* the lines of the BARS come first */
#define IOMEM_SIZE    ((size_t)512 * 1024)
#define MEMORY_FLAG   0x200 /* IORESOURCE_MEM */

/* The platform devices of drivers/firmware/sysfb.c; before 5.15 arch/x86/kernel/sysfb.c. */
static const struct framebuffer kinds[] = {
	{"efi-framebuffer", true},
	{"vesa-framebuffer", true},
	/*
	 * The memory is a resource of the device itself (sysfb_simplefb.c), so that nothing
	 * is gained when its driver lets go.
	 */
	{"simple-framebuffer", false},
};

/* What a region is called in /proc/iomem, by who has it. */
static const struct {
	const char *name;
	const struct framebuffer *kind;
} regions[] = {
	{"efifb", &kinds[0]},
	{"efidrm", &kinds[0]},
	{"vesafb", &kinds[1]},
	{"vesadrm", &kinds[1]},
	{"BOOTFB", &kinds[2]}, /* of the platform device; a driver's is within it */
	{"simplefb", &kinds[2]},
	{"simpledrm", &kinds[2]},
	{"simple-framebuffer", &kinds[2]},
};

struct range {
	uint64_t start, end; /* the last byte */
};

/* "0x000000e0000000 0x000000efffffff 0x00000000001220c": drivers/pci/pci-sysfs.c */
static bool take_hex(struct text *rest, uint64_t *ret)
{
	struct text word;

	if (!text_word(rest, &word) || !text_has_prefix(word, "0x"))
		return false;
	word.p += 2;
	word.n -= 2;
	while (word.n > 16 && word.p[0] == '0') {
		word.p++;
		word.n--;
	}
	return text_hex(word, UINT64_MAX, ret) == 0;
}

static size_t parse_bars(struct text resource, struct range bars[static BARS])
{
	struct text line;
	size_t count = 0;

	for (size_t i = 0; i < BARS && text_cut(&resource, '\n', &line); i++) {
		struct range *r = &bars[count];
		uint64_t flags;

		if (take_hex(&line, &r->start) && take_hex(&line, &r->end) &&
		    take_hex(&line, &flags) && r->end > r->start &&
		    (flags & MEMORY_FLAG) != 0)
			count++;
	}
	return count;
}

/* "    e0000000-e02fffff : efifb" */
static bool parse_region(struct text line, struct range *ret, struct text *ret_name)
{
	struct text range, start;

	if (!text_word(&line, &range) || !text_cut(&range, '-', &start) ||
	    text_hex(start, UINT64_MAX, &ret->start) < 0 ||
	    text_hex(range, UINT64_MAX, &ret->end) < 0)
		return false;
	line = text_trim(line);
	if (!text_has_prefix(line, ":"))
		return false;
	line.p++;
	line.n--;
	*ret_name = text_trim(line);
	return true;
}

const struct framebuffer *framebuffer_of_region(struct text name)
{
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
		if (text_is(name, regions[i].name))
			return regions[i].kind;
	return NULL;
}

const struct framebuffer *framebuffer_find(struct text resource, struct text iomem)
{
	struct range bars[BARS], range;
	size_t count = parse_bars(resource, bars);
	struct text line, name;

	while (count > 0 && text_cut(&iomem, '\n', &line)) {
		const struct framebuffer *kind;

		/* Zeros: addresses are hidden from who asks (iomem_is_hidden()). */
		if (!parse_region(line, &range, &name) || range.end == 0)
			continue;
		kind = framebuffer_of_region(name);
		for (size_t i = 0; kind && i < count; i++)
			if (range.start <= bars[i].end && range.end >= bars[i].start)
				return kind;
	}
	return NULL;
}

bool iomem_is_hidden(struct text iomem)
{
	struct range range;
	struct text line, name;

	while (text_cut(&iomem, '\n', &line))
		if (parse_region(line, &range, &name) && range.end != 0)
			return false;
	return true;
}

/*
 * Since 6.9 the platform device is below the PCI device (sysfb.c: sysfb_parent_dev()). This
 * also finds one whose driver could not reserve the memory, and draws there all the same.
 */
static const struct framebuffer *find_child(struct world *world, struct bdf bdf)
{
	char path[JOB_PATH_SIZE], target[LINK_SIZE], name[DRIVER_NAME_SIZE];
	char wanted[BDF_SIZE + DRIVER_NAME_SIZE];
	char address[BDF_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int n, end = snprintf(wanted, sizeof(wanted), "%s/%s.0",
				      bdf_format(bdf, address), kinds[i].driver);

		snprintf(path, sizeof(path), SYSFS_PLATFORM "devices/%s.0",
			 kinds[i].driver);
		n = world->ops->target(world, WORLD_SYS, path, target, sizeof(target));
		if (n < end || strcmp(target + n - end, wanted) != 0)
			continue;
		strncat(path, "/driver", sizeof(path) - strlen(path) - 1);
		if (world->ops->link(world, WORLD_SYS, path, name, sizeof(name)) > 0)
			return &kinds[i];
	}
	return NULL;
}

const struct framebuffer *framebuffer_look(struct world *world, struct arena *arena,
					   struct bdf bdf)
{
	char path[JOB_PATH_SIZE], buf[RESOURCE_SIZE];
	const struct framebuffer *found = NULL;
	size_t used = arena->used;
	struct text resource, iomem = {NULL, 0};

	resource = world_read_start(world, WORLD_SYS,
				    inventory_attribute(bdf, "resource", path), buf,
				    sizeof(buf));
	if (resource.n > 0)
		iomem = world_read_arena(world, WORLD_PROC, "iomem", arena, IOMEM_SIZE);
	if (iomem.p) {
		found = framebuffer_find(resource, iomem);
		if (!found && iomem.n == IOMEM_SIZE)
			world_log(world, LOG_LEVEL_WARNING,
				  "%s/iomem has more than %zu KiB: a framebuffer behind "
				  "that is not seen",
				  world_root_path(WORLD_PROC), IOMEM_SIZE / 1024);
		arena_rewind(arena, used);
	}
	return found ? found : find_child(world, bdf);
}

void framebuffers_read(struct world *world, struct arena *arena,
		       struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->count; i++) {
		struct pci_device *d = &inventory->devices[i];

		if (d->is_interesting && pci_is_display(&d->ids))
			d->framebuffer = framebuffer_look(world, arena, d->bdf);
	}
}
