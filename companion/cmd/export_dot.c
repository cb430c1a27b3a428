/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A picture of the machine for Graphviz: bridges and devices, with IOMMU groups around them. */
#include <stdio.h>
#include <string.h>

#include "sentences.h"
#include "machine_check.h"
#include "export.h"

#define TARGET_SIZE 1024

/* In a string of DOT, and of its labels. */
#define DOT_SPECIAL "\\\""

/* The bridge that the function is behind: the last address before its own in the link. */
static bool find_parent(struct exporter *e, const struct pci_device *d, struct bdf *ret)
{
	char path[JOB_PATH_SIZE], target[TARGET_SIZE], address[BDF_SIZE];
	struct text rest, part;
	bool is_found = false;
	struct bdf bdf;

	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s",
		 bdf_format(d->bdf, address));
	if (e->world->ops->target(e->world, WORLD_SYS, path, target, sizeof(target)) < 0)
		return false;
	rest = text_of(target);
	while (text_cut(&rest, '/', &part))
		if (bdf_parse(part, &bdf) == 0 && bdf_compare(bdf, d->bdf) != 0 &&
		    inventory_find(&e->now, bdf)) {
			*ret = bdf;
			is_found = true;
		}
	return is_found;
}

static const char *colour(const struct pci_device *d)
{
	if (device_is_on_vfio(d))
		return "palegreen";
	if (d->is_bridge)
		return "gray90";
	return d->driver[0] ? "lightskyblue" : "white";
}

static void put_node(struct exporter *e, const struct pci_device *d, const char *indent)
{
	const char *class = names_class(e->names, &d->ids, e->arena);
	const char *name = export_name(e, d);
	char address[BDF_SIZE], id[ID_SIZE];

	printf("%s\"%s\" [fillcolor=%s, label=\"%s [%s]", indent,
	       bdf_format(d->bdf, address), colour(d), address, format_id(&d->ids, id));
	if (class) {
		fputs("\\n", stdout);
		export_put(class, DOT_SPECIAL);
	}
	if (name[0]) {
		fputs("\\n", stdout);
		export_put(name, DOT_SPECIAL);
	}
	fputs("\\n", stdout);
	export_put(d->driver[0] ? d->driver : "no driver", DOT_SPECIAL);
	fputs("\"];\n", stdout);
}

static int put_group(struct exporter *e, int group)
{
	bool is_viable;
	int r = export_is_viable(e, group, &is_viable);

	if (r < 0)
		return r;
	printf("\tsubgraph \"cluster_%d\" {\n\t\tlabel=\"IOMMU group %d\";\n\t\tcolor=%s;\n",
	       group, group, is_viable ? "darkgreen" : "gray50");
	for (size_t i = 0; i < e->now.count; i++)
		if (e->now.devices[i].iommu_group == group)
			put_node(e, &e->now.devices[i], "\t\t");
	puts("\t}");
	return 0;
}

static bool is_first_of_group(const struct exporter *e, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (e->now.devices[i].iommu_group == e->now.devices[at].iommu_group)
			return false;
	return true;
}

int export_dot(struct exporter *e)
{
	puts("digraph earlybind {\n"
	     "\trankdir=LR;\n"
	     "\tnode [shape=box, style=filled, fontname=\"sans-serif\", fontsize=10];\n"
	     "\tgraph [fontname=\"sans-serif\", fontsize=10];");
	for (size_t i = 0; i < e->now.count; i++) {
		const struct pci_device *d = &e->now.devices[i];
		int r = 0;

		if (d->iommu_group == NO_GROUP)
			put_node(e, d, "\t");
		else if (is_first_of_group(e, i))
			r = put_group(e, d->iommu_group);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < e->now.count; i++) {
		char from[BDF_SIZE], to[BDF_SIZE];
		struct bdf parent;

		if (find_parent(e, &e->now.devices[i], &parent))
			printf("\t\"%s\" -> \"%s\";\n", bdf_format(parent, from),
			       bdf_format(e->now.devices[i].bdf, to));
	}
	puts("}");
	return 0;
}
