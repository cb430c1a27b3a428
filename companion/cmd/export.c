/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices for what runs VMs: libvirt, QEMU, KubeVirt, Proxmox VE. */
#include "export.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot_report.h"
#include "commands.h"
#include "files.h"
#include "group.h"
#include "driver.h"
#include "message.h"
#include "plan.h"
#include "reason.h"
#include "sentences.h"
#include "holders.h"

#define FIRST_CHASSIS 101 /* others begin at 1 */
#define FIRST_BUS     16 /* of libvirt: what it puts somewhere by itself comes before */
#define NODE_SIZE     16 /* of numa_node */
#define HOSTPCI_MAX   16 /* PVE/QemuServer/PCI.pm: $MAX_HOSTPCI_DEVICES */

/* In a comment of XML, "--" would be its end. */
static void put_xml_comment(const char *text)
{
	const char *dash;

	for (; (dash = strstr(text, "--")); text = dash + 1) {
		put_text(stdout, (struct text){text, (size_t)(dash - text) + 1});
		putchar(' ');
	}
	put_text(stdout, text_of(text));
}

static const char *export_name(struct exporter *e, const struct pci_device *d);

static size_t export_slot_end(const struct exporter *e, size_t from);
static int export_numa_node(const struct exporter *e, const struct pci_device *d);

/* One device; @guest is where it is in the guest, NULL if that is for libvirt to choose. */
static void put_hostdev(struct exporter *e, const struct pci_device *d,
			const struct bdf *guest)
{
	const char *name = export_name(e, d);
	int node = export_numa_node(e, d);

	fputs("<!-- ", stdout);
	put_xml_comment(name);
	printf("%s[%04x:%04x], IOMMU group %d", name[0] ? " " : "", d->ids.vendor,
	       d->ids.device, d->iommu_group);
	if (node >= 0)
		printf(", NUMA node %d", node);
	printf(" -->\n"
	       "<hostdev mode='subsystem' type='pci' managed='no'>\n"
	       "  <source>\n"
	       "    <address domain='0x%04x' bus='0x%02x' slot='0x%02x' "
	       "function='0x%x'/>\n"
	       "  </source>\n",
	       d->bdf.domain, d->bdf.bus, d->bdf.device, d->bdf.function);
	if (guest)
		printf("  <address type='pci' domain='0x0000' bus='0x%02x' slot='0x00' "
		       "function='0x%x'%s/>\n",
		       guest->bus, guest->function,
		       guest->function == 0 ? " multifunction='on'" : "");
	puts("</hostdev>");
}

/* What the elements depend on elsewhere in the domain. */
static void put_needs(const struct exporter *e)
{
	bool has_multi = false;

	for (size_t i = 0; i < e->count; i++)
		has_multi |= export_slot_end(e, i) - i > 1;
	if (has_multi)
		puts("<!-- for machine='q35'; for another machine type, delete the lines "
		     "<address type='pci' ...> -->");
	/* src/qemu/qemu_command.c of libvirt: without it, QEMU opens the container. */
	if (e->count > 0 && vfio_is_iommufd_alone(e->sysroot, e->arena))
		puts("<!-- this host has iommufd and no /dev/vfio/vfio: put "
		     "<iommufd enabled='yes'/> before <devices>; libvirt 12.8 knows it -->");
}

/*
 * The functions of one slot become those of one in the guest, on a bus of their own: libvirt makes the
 * root ports up to it.
 */
static int export_libvirt(struct exporter *e)
{
	struct bdf guest = {.bus = FIRST_BUS};

	put_needs(e);
	for (size_t i = 0, end; i < e->count; i = end) {
		end = export_slot_end(e, i);
		for (size_t k = i; k < end; k++) {
			guest.function = (uint8_t)(k - i);
			put_hostdev(e, e->devices[k], end - i > 1 ? &guest : NULL);
		}
		guest.bus += end - i > 1;
	}
	return 0;
}

/*
 * The functions of one slot become those of one in the guest, behind a root port of their
 * own: a guest looks for others only where there is a function 0, and it says so.
 */
static int export_qemu(struct exporter *e)
{
	bool is_alone = vfio_is_iommufd_alone(e->sysroot, e->arena);
	unsigned port = 0;

	/* hw/vfio/pci.c: without it QEMU opens the container, which is not there. */
	if (is_alone && e->count > 0)
		puts("-object iommufd,id=iommufd0");
	for (size_t i = 0, end; i < e->count; i = end) {
		bool is_multi;

		end = export_slot_end(e, i);
		is_multi = end - i > 1;
		if (is_multi) {
			printf("-device pcie-root-port,id=earlybind%u,chassis=%u\n", port,
			       FIRST_CHASSIS + port);
			port++;
		}
		for (size_t k = i; k < end; k++) {
			char address[BDF_SIZE];

			printf("-device vfio-pci,host=%s",
			       bdf_format(e->devices[k]->bdf, address));
			if (is_multi)
				printf(",bus=earlybind%u,addr=00.%zu%s", port - 1, k - i,
				       k == i ? ",multifunction=on" : "");
			puts(is_alone ? ",iommufd=iommufd0" : "");
		}
	}
	return 0;
}

static bool is_same_id(const struct pci_device *a, const struct pci_device *b)
{
	return a->ids.vendor == b->ids.vendor && a->ids.device == b->ids.device;
}

static void export_put(const char *text, const char *special);

/* KubeVirt selects by ID, whatever vfio-pci has of it. */
static int export_kubevirt(struct exporter *e)
{
	puts("permittedHostDevices:\n"
	     "  pciHostDevices:");
	for (size_t i = 0; i < e->count; i++) {
		const struct pci_device *d = e->devices[i];
		size_t before = 0, count = 0;

		while (before < i && !is_same_id(e->devices[before], d))
			before++;
		if (before < i)
			continue;
		for (size_t k = i; k < e->count; k++)
			count += is_same_id(e->devices[k], d);
		printf("  - pciVendorSelector: \"%04X:%04X\"\n", d->ids.vendor,
		       d->ids.device);
		printf("    resourceName: \"earlybind/%04x-%04x\" # %zu: ", d->ids.vendor,
		       d->ids.device, count);
		export_put(export_name(e, d), "");
		putchar('\n');
	}
	return 0;
}

/* Whether all functions that the slot has are among the devices from @from to @to. */
static bool is_whole_slot(const struct exporter *e, size_t from, size_t to)
{
	size_t count = 0;

	for (size_t i = 0; i < e->now.count; i++)
		count += bdf_is_same_slot(e->now.devices[i].bdf, e->devices[from]->bdf);
	return count == to - from;
}

static int export_proxmox(struct exporter *e)
{
	unsigned n = 0;

	for (size_t i = 0, end; i < e->count; i = end, n++) {
		struct bdf bdf = e->devices[i]->bdf;
		char address[BDF_SIZE];

		end = export_slot_end(e, i);
		if (n == HOSTPCI_MAX)
			say_error("a VM of Proxmox VE can have %d cards: the lines from "
				  "hostpci%d on are for another one",
				  HOSTPCI_MAX, HOSTPCI_MAX);
		printf("hostpci%u: ", n);
		if (is_whole_slot(e, i, end)) {
			printf("%04x:%02x:%02x", bdf.domain, bdf.bus, bdf.device);
		} else {
			for (size_t k = i; k < end; k++)
				printf("%s%s", k > i ? ";" : "",
				       bdf_format(e->devices[k]->bdf, address));
		}
		puts(",pcie=1");
	}
	return 0;
}

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
	if (driver_is_vfio(d->driver))
		return "palegreen";
	if (d->is_bridge)
		return "gray90";
	return d->driver[0] ? "lightskyblue" : "white";
}

/* Whether it is a port or bridge that merges its group. */
static bool is_cause(const struct exporter *e, const struct pci_device *d)
{
	return e->has_causes && d->is_bridge && group_is_cause(&e->causes, d->bdf);
}

/* What the colours mean that are in the picture. */
static void put_legend(const struct exporter *e)
{
	static const struct {
		const char *colour;
		const char *meaning;
	} meanings[] = {
		{"palegreen", "vfio-pci or a variant of it has it"},
		{"lightskyblue", "a driver of the host has it"},
		{"white", "no driver has it"},
		{"gray90", "a bridge"},
	};
	bool is_used[ARRAY_SIZE(meanings)] = {0}, has_cause = false;

	for (size_t i = 0; i < e->now.count; i++) {
		const struct pci_device *d = &e->now.devices[i];

		for (size_t k = 0; e->is_drawn[i] && k < ARRAY_SIZE(meanings); k++)
			is_used[k] =
				is_used[k] || strcmp(colour(d), meanings[k].colour) == 0;
		has_cause = has_cause || (e->is_drawn[i] && is_cause(e, d));
	}
	puts("\tsubgraph \"cluster_legend\" {\n\t\tlabel=\"legend; green frame: a VM can "
	     "use the group\";\n\t\tcolor=darkgreen;");
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (is_used[i])
			printf("\t\t\"legend %s\" [fillcolor=%s, label=\"%s\"];\n",
			       meanings[i].colour, meanings[i].colour,
			       meanings[i].meaning);
	if (has_cause)
		puts("\t\t\"legend\" [fillcolor=gray90, color=red, penwidth=3, "
		     "label=\"a port or bridge that merges its "
		     "IOMMU group:\\nearlybind list --why\"];");
	puts("\t}");
}

static void put_node(struct exporter *e, const struct pci_device *d, const char *indent)
{
	const char *class = names_class(e->names, &d->ids, e->arena);
	const char *name = export_name(e, d);
	char address[BDF_SIZE], id[ID_SIZE];

	printf("%s\"%s\" [fillcolor=%s, %slabel=\"%s [%s]", indent,
	       bdf_format(d->bdf, address), colour(d),
	       is_cause(e, d) ? "color=red, penwidth=3, " : "", address,
	       format_id(&d->ids, id));
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

static int export_is_viable(struct exporter *e, int group, bool *ret);

static int put_group(struct exporter *e, int group)
{
	bool is_viable = false;
	int r = export_is_viable(e, group, &is_viable);

	if (r < 0)
		return r;
	printf("\tsubgraph \"cluster_%d\" {\n\t\tlabel=\"IOMMU group %d\";\n\t\tcolor=%s;\n",
	       group, group, is_viable ? "darkgreen" : "gray50");
	for (size_t i = 0; i < e->now.count; i++)
		if (e->now.devices[i].iommu_group == group && e->is_drawn[i])
			put_node(e, &e->now.devices[i], "\t\t");
	puts("\t}");
	return 0;
}

static bool has_function(const struct exporter *e, int group)
{
	struct pci_device *const *members;
	size_t count;

	members = group != NO_GROUP ? inventory_group(&e->now, group, &count) : NULL;
	for (size_t i = 0; members && i < count; i++)
		if (!members[i]->is_bridge)
			return true;
	return false;
}

/* Bridges with nothing to show: nothing is behind them, and nothing but bridges in their group. */
static int drop_lone_bridges(struct exporter *e)
{
	size_t count = e->now.count, parents = 0;
	struct bdf *parent = arena_alloc(e->arena, count + 1, sizeof(*parent));

	if (!parent)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		parents += find_parent(e, &e->now.devices[i], &parent[parents]);
	qsort(parent, parents, sizeof(*parent), bdf_order);
	for (size_t i = 0; i < count; i++) {
		const struct pci_device *d = &e->now.devices[i];

		if (d->is_bridge && !has_function(e, d->iommu_group) &&
		    !bsearch(&d->bdf, parent, parents, sizeof(*parent), bdf_order))
			e->is_drawn[i] = false;
	}
	return 0;
}

/* The functions that are named, the rest of their groups, and the bridges above all of them. */
static int choose_drawn(struct exporter *e)
{
	size_t count = e->now.count;

	e->is_drawn = arena_alloc(e->arena, count + 1, sizeof(*e->is_drawn));
	if (!e->is_drawn)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct pci_device *d = &e->now.devices[i];

		if (!selection_has_match(&e->selection, d))
			continue;
		e->is_drawn[i] = true;
		for (size_t k = 0; d->iommu_group != NO_GROUP && k < count; k++)
			if (e->now.devices[k].iommu_group == d->iommu_group)
				e->is_drawn[k] = true;
	}
	/* A bridge stands before what is behind it, or after; it has one parent. */
	for (size_t i = 0; i < count; i++) {
		const struct pci_device *d = &e->now.devices[i];
		struct bdf parent;

		while (d && e->is_drawn[d - e->now.devices] &&
		       find_parent(e, d, &parent)) {
			d = inventory_find(&e->now, parent);
			if (d)
				e->is_drawn[d - e->now.devices] = true;
		}
	}
	/* Whoever names a bridge wants to see it. */
	return e->selection.words->count == 0 ? drop_lone_bridges(e) : 0;
}

static void put_edges(struct exporter *e)
{
	for (size_t i = 0; i < e->now.count; i++) {
		char from[BDF_SIZE], to[BDF_SIZE];
		struct bdf parent;

		if (e->is_drawn[i] && find_parent(e, &e->now.devices[i], &parent))
			printf("\t\"%s\" -> \"%s\";\n", bdf_format(parent, from),
			       bdf_format(e->now.devices[i].bdf, to));
	}
}

static int export_dot(struct exporter *e)
{
	static struct inventory all;
	int r = choose_drawn(e), last = NO_GROUP;

	if (r < 0)
		return r;
	e->has_causes = inventory_read(e->world, e->arena, NULL, NULL, &all) == 0 &&
			group_causes_read(e->world, e->arena, &all, &e->causes) == 0;
	puts("digraph earlybind {\n"
	     "\trankdir=LR;\n"
	     "\tnode [shape=box, style=filled, fontname=\"sans-serif\", fontsize=10];\n"
	     "\tgraph [fontname=\"sans-serif\", fontsize=10];");
	for (size_t i = 0; i < e->now.count; i++)
		if (e->is_drawn[i] && e->now.devices[i].iommu_group == NO_GROUP)
			put_node(e, &e->now.devices[i], "\t");
	for (size_t i = 0; r == 0 && i < e->now.count; i++) {
		const struct pci_device *d = e->now.by_group[i];

		if (d->iommu_group == last || !e->is_drawn[d - e->now.devices])
			continue;
		last = d->iommu_group;
		r = put_group(e, last);
	}
	if (r < 0)
		return r;
	put_edges(e);
	put_legend(e);
	puts("}");
	return 0;
}

/* Prometheus exposition format: in a label, a backslash before these. */
#define LABEL_SPECIAL "\\\""

static void put_head(const char *name, const char *help)
{
	printf("# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static bool is_of_interest(const struct exporter *e, const struct pci_device *d)
{
	const struct boot_device *b = boot_find(&e->view.boot, d->bdf);
	const struct plan_device *pd = plan_find(&e->next.plan, d);

	return selection_has_match(&e->selection, d) &&
	       (driver_is_vfio(d->driver) || (b && strcmp(b->action, "keep") != 0) ||
		(pd && pd->action != ACTION_KEEP));
}

/* A device that is gone is not bound either. */
static void put_gone(const struct exporter *e)
{
	for (size_t i = 0; i < e->view.boot.device_count; i++) {
		const struct boot_device *b = &e->view.boot.devices[i];
		char address[BDF_SIZE];

		if (inventory_find(&e->now, b->bdf) || e->device_words.count > 0)
			continue;
		printf("earlybind_device_bound{address=\"%s\",id=\"",
		       bdf_format(b->bdf, address));
		export_put(b->id, LABEL_SPECIAL);
		fputs("\",verdict=\"", stdout);
		export_put(b->verdict, LABEL_SPECIAL);
		fputs("\"} 0\n", stdout);
	}
}

static int put_groups(struct exporter *e)
{
	for (size_t i = 0; i < e->now.count; i++) {
		const struct pci_device *d = &e->now.devices[i];
		bool is_viable = false, is_first = true;
		int r;

		if (d->iommu_group == NO_GROUP || !is_of_interest(e, d))
			continue;
		for (size_t k = 0; k < i && is_first; k++)
			is_first = e->now.devices[k].iommu_group != d->iommu_group ||
				   !is_of_interest(e, &e->now.devices[k]);
		if (!is_first)
			continue;
		r = export_is_viable(e, d->iommu_group, &is_viable);
		if (r < 0)
			return r;
		printf("earlybind_group_viable{group=\"%d\"} %d\n", d->iommu_group,
		       is_viable);
	}
	return 0;
}

/* What the rules of now want, which is all there is to know where the binder never ran. */
static void read_next(struct exporter *e)
{
	if (next_boot_read_own(e->world, e->sysroot, e->arena, &e->next) < 0 ||
	    next_boot_plan(e->world, e->arena, NULL, NULL, &e->next) < 0)
		e->next.plan = (struct plan){.device_count = 0};
}

static void put_state(const struct exporter *e)
{
	enum boot_state state = boot_view_state(&e->view, &e->now);

	put_head("earlybind_boot_ok",
		 "Whether all devices are as the rules of this boot want them.");
	printf("earlybind_boot_ok %d\n", boot_state_is_ok(state));
	put_head("earlybind_boot_info", "What \"earlybind status\" says of this boot.");
	printf("earlybind_boot_info{reason=\"%s\"} 1\n", boot_state_word(state));
}

static int export_prometheus(struct exporter *e)
{
	int r;

	read_next(e);
	put_head("earlybind_device_bound", "Whether vfio-pci has the device now.");
	for (size_t i = 0; i < e->now.count; i++) {
		const struct pci_device *d = &e->now.devices[i];
		const struct boot_device *b = boot_find(&e->view.boot, d->bdf);
		char address[BDF_SIZE], id[ID_SIZE];

		if (!is_of_interest(e, d))
			continue;
		printf("earlybind_device_bound{address=\"%s\",id=\"%s\",verdict=\"",
		       bdf_format(d->bdf, address), format_id(&d->ids, id));
		export_put(b ? b->verdict : "", LABEL_SPECIAL);
		printf("\"} %d\n", driver_is_vfio(d->driver));
	}
	put_gone(e);
	put_head("earlybind_group_viable", "Whether a VM can use the IOMMU group now.");
	r = put_groups(e);
	if (r < 0)
		return r;
	put_state(e);
	return 0;
}

static int export_json(struct exporter *e)
{
	struct json json;
	int r = begin_json(e->arena, e->count, &json);

	if (r < 0)
		return r;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < e->count; i++) {
		const struct pci_device *d = e->devices[i];
		bool is_viable = false;
		char address[BDF_SIZE], id[ID_SIZE];
		int node;

		if (d->iommu_group != NO_GROUP)
			r = export_is_viable(e, d->iommu_group, &is_viable);
		if (r < 0)
			return r;
		json_open(&json, NULL, '{');
		json_put_string(&json, "address", bdf_format(d->bdf, address));
		json_put_string(&json, "id", format_id(&d->ids, id));
		json_put_hex(&json, "class", d->ids.class, 6);
		json_put_string(&json, "name", export_name(e, d));
		json_put_string(&json, "driver", d->driver);
		if (d->iommu_group == NO_GROUP)
			json_put_null(&json, "iommu_group");
		else
			json_put_number(&json, "iommu_group", d->iommu_group);
		node = export_numa_node(e, d);
		if (node < 0)
			json_put_null(&json, "numa_node");
		else
			json_put_number(&json, "numa_node", node);
		json_put_bool(&json, "viable", is_viable);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	return end_json(&json) == 0 ? 0 : -EIO;
}

static const struct export_format formats[] = {
	{"libvirt", "hostdev elements for the XML of a domain", false, export_libvirt},
	{"qemu", "-device arguments", false, export_qemu},
	{"kubevirt", "permittedHostDevices for its configuration", false,
	 export_kubevirt},
	{"proxmox", "hostpci lines for the configuration of a VM", false, export_proxmox},
	{"prometheus", "metrics for node_exporter's textfile collector", true,
	 export_prometheus},
	{"json", "JSON for scripts", false, export_json},
	{"dot", "a picture of all devices and groups, for Graphviz", true, export_dot},
};

const struct export_format *export_format(size_t i)
{
	return i < ARRAY_SIZE(formats) ? &formats[i] : NULL;
}

static const char *format_name(const void *arg unused, size_t i)
{
	return formats[i].name;
}

static const struct export_format *find_format(const char *word)
{
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(word, formats[i].name) == 0)
			return &formats[i];
	near = nearest_name(word, format_name, NULL, ARRAY_SIZE(formats));
	if (near)
		say_error("export: there is no format \"%s\": did you mean \"%s\"?", word,
			  near);
	else
		say_error("export: there is no format \"%s\": see \"earlybind export "
			  "--help\"",
			  word);
	return NULL;
}

/* Foreign text on the standard output, made safe, with a backslash before each of @special. */
static void export_put(const char *text, const char *special)
{
	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, special);

		put_text(stdout, (struct text){p, n});
		p += n;
		if (*p != '\0')
			printf("\\%c", *p++);
	}
}

/* "Xilinx Corporation Device", "" without names. */
static const char *export_name(struct exporter *e, const struct pci_device *d)
{
	const char *vendor = names_vendor(e->names, d->ids.vendor, e->arena);
	const char *device = names_device(e->names, &d->ids, e->arena);
	const char *name =
		arena_printf(e->arena, "%s%s%s", vendor ? vendor : "", vendor ? " " : "",
			     device   ? device
			     : vendor ? "Device"
				      : "");

	return name ? name : "";
}

/* The first of the devices from @from on that is in another slot. */
static size_t export_slot_end(const struct exporter *e, size_t from)
{
	size_t to = from + 1;

	while (to < e->count &&
	       bdf_is_same_slot(e->devices[from]->bdf, e->devices[to]->bdf))
		to++;
	return to;
}

/* The NUMA node that the device is on; -1 if the machine names none. */
static int export_numa_node(const struct exporter *e, const struct pci_device *d)
{
	char path[JOB_PATH_SIZE], address[BDF_SIZE], text[NODE_SIZE];
	uint64_t node;
	int n;

	snprintf(path, sizeof(path), SYSFS_PCI_DEVICES "/%s/numa_node",
		 bdf_format(d->bdf, address));
	n = e->world->ops->read(e->world, WORLD_SYS, path, text, sizeof(text));
	/* "-1" is no number for this. */
	if (n < 0 ||
	    text_decimal(text_trim((struct text){text, (size_t)n}), INT_MAX, &node) < 0)
		return -1;
	return (int)node;
}

/* Whether a VM can use the device's IOMMU group. */
static int export_is_viable(struct exporter *e, int group, bool *ret)
{
	struct plan_group made;
	int r = judge_group_now(&e->now, group, e->arena, &made);

	if (r == 0)
		*ret = made.is_viable;
	return r;
}

/* Whether the report or the user expects it to be there. */
static bool is_expected(const struct exporter *e, const struct pci_device *d)
{
	const struct boot_device *b = boot_find(&e->view.boot, d->bdf);

	if (e->device_words.count > 0)
		return selection_has_match(&e->selection, d) && !d->is_bridge;
	return b && strcmp(b->action, "keep") != 0 && boot_device_now(b, &e->now) == d &&
	       !boot_device_is_released(b);
}

/* Without a group no VM can have it: only a list of facts has it. */
static bool is_chosen(const struct exporter *e, const struct pci_device *d)
{
	return driver_is_vfio(d->driver) && selection_has_match(&e->selection, d) &&
	       (d->iommu_group != NO_GROUP || e->is_facts);
}

/* What is not on vfio-pci is not handed on. Returns how many functions are left out. */
static size_t say_left_out(const struct exporter *e)
{
	size_t count = 0;

	for (size_t i = 0; i < e->now.count; i++) {
		const struct pci_device *d = &e->now.devices[i];
		char address[BDF_SIZE];

		if (driver_is_vfio(d->driver) && d->iommu_group == NO_GROUP &&
		    selection_has_match(&e->selection, d)) {
			count++;
			say_error("%s is in no IOMMU group, so no VM can use it; "
				  "\"earlybind explain %s\" says why",
				  bdf_format(d->bdf, address), address);
			continue;
		}
		if (!is_expected(e, d) || driver_is_vfio(d->driver))
			continue;
		count++;
		say_error("%s is left out: %s has it, not vfio-pci; \"earlybind explain "
			  "%s\" says why",
			  bdf_format(d->bdf, address),
			  d->driver[0] ? d->driver : "no driver", address);
	}
	for (size_t i = 0; e->device_words.count == 0 && i < e->view.boot.device_count;
	     i++) {
		const struct boot_device *b = &e->view.boot.devices[i];
		char address[BDF_SIZE];

		/* What came late may go. */
		if (!boot_device_is_bound(b) || b->is_late || boot_device_now(b, &e->now))
			continue;
		count++;
		say_error("%s is left out: it is not there any more",
			  bdf_format(b->bdf, address));
	}
	return count;
}

/* A device of a group that is not viable is handed on: the group may get better. */
static int say_not_viable(struct exporter *e, size_t *ret_count)
{
	for (size_t i = 0; i < e->count; i++) {
		int id = e->devices[i]->iommu_group, r;
		struct plan_group group;
		const char *blockers;
		bool is_said = id == NO_GROUP;

		for (size_t k = 0; k < i && !is_said; k++)
			is_said = e->devices[k]->iommu_group == id;
		if (is_said)
			continue;
		r = judge_group_now(&e->now, id, e->arena, &group);
		if (r < 0)
			return r;
		if (group.is_viable)
			continue;
		blockers = plan_blockers(&group, e->arena);
		say_error("no VM can use IOMMU group %d while %s belong%s to the host",
			  id, blockers ? blockers : "others",
			  group.blocker_count == 1 ? "s" : "");
		++*ret_count;
	}
	return 0;
}

static int choose(struct exporter *e)
{
	e->devices = arena_alloc(e->arena, e->now.count, sizeof(struct pci_device *));
	if (!e->devices)
		return -ENOMEM;
	for (size_t i = 0; i < e->now.count; i++)
		if (is_chosen(e, &e->now.devices[i]))
			e->devices[e->count++] = &e->now.devices[i];
	return 0;
}

static int read_all(struct exporter *e)
{
	int r = inventory_read(e->world, e->arena, selection_filter, &e->selection,
			       &e->now);

	if (r < 0)
		return r;
	/* Without names the tools do as well. */
	if (names_open(e->arena, e->sysroot, e->pci_ids, &e->names) < 0 && e->pci_ids)
		say_error("%s: it cannot be read: there are no names", e->pci_ids);
	r = boot_view_read(e->world, e->sysroot, e->arena, &e->view);
	return r < 0 ? r : choose(e);
}

/* The formats write to the standard output, which is the new file meanwhile. */
static int write_file(struct exporter *e, const struct export_format *format)
{
	struct new_file file;
	int r = new_file_open(&file, e->output), written = 0;

	if (r == 0 && (fflush(stdout) != 0 || dup2(file.fd, STDOUT_FILENO) < 0))
		written = -errno;
	else if (r == 0)
		written = format->write(e);
	if (r == 0 && written == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		written = -EIO;
	if (r == 0 && written < 0)
		new_file_drop(&file);
	else if (r == 0)
		r = new_file_finish(&file, 0644);
	if (r < 0)
		say_error("%s: it cannot be written: %s", e->output, errno_text(r));
	return written < 0 ? written : r;
}

/* Says what is wrong; the exit code. */
static int write_format(struct exporter *e, const struct export_format *format)
{
	int r = e->output ? write_file(e, format) : format->write(e);

	if (r < 0 && !e->output)
		say_no_inventory(r);
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}

static int export(struct exporter *e, const struct export_format *format)
{
	size_t wrong = 0;
	int r;

	if (open_world(e->sysroot, &e->world) < 0)
		return EXIT_FAILED;
	e->is_facts = format->write == export_json;
	r = read_all(e);
	if (r == 0 && format->write == export_dot)
		wrong = selection_say_missing(&e->selection, &e->now);
	if (r == 0 && !format->is_picture) {
		wrong = selection_say_missing(&e->selection, &e->now) + say_left_out(e);
		r = say_not_viable(e, &wrong);
		if (r == 0 && e->count == 0 && wrong == 0) {
			say_error("vfio-pci has no device: see \"earlybind status\"");
			wrong++;
		}
	}
	if (r < 0) {
		say_no_inventory(r);
		return EXIT_FAILED;
	}
	if ((e->count > 0 || format->is_picture || format->write == export_json) &&
	    write_format(e, format) != EXIT_OK)
		return EXIT_FAILED;
	return wrong > 0 ? EXIT_FAILED : EXIT_OK;
}

int command_export(int argc, char **argv, struct arena *arena)
{
	static struct exporter e;
	const struct option_spec options[] = {
		{"output", "FILE", "write FILE, as a whole or not at all",
		 .ret_string = &e.output},
		{"pci-ids", "FILE", "take the names from FILE", .ret_string = &e.pci_ids},
		{"sysroot", OPTIONS_TREE,
		 "read this folder or recording, not this machine",
		 .ret_string = &e.sysroot},
	};
	const struct command_spec spec = {
		.name = "export",
		.synopsis = "FORMAT [DEVICE...] [OPTION...]",
		.text = "Prints the devices that vfio-pci has now, or those of them that are "
			"named, in the form of another tool. A device that vfio-pci should have "
			"and does not have is left out, with a message. Formats:\n"
			"\n"
			"  libvirt     hostdev elements for the XML of a domain\n"
			"  qemu        -device arguments\n"
			"  kubevirt    permittedHostDevices for its configuration\n"
			"  proxmox     hostpci lines for the configuration of a VM\n"
			"  prometheus  metrics for node_exporter's textfile collector\n"
			"  json        JSON for scripts\n"
			"  dot         a picture of all devices and groups, for Graphviz\n"
			"\n"
			"exit code: 0 done; 1 there is no device, something is left out, or no VM "
			"can use a group (prometheus and dot show the last two themselves); 2 wrong "
			"usage\n",
		.example = "earlybind export dot | dot -Tsvg >devices.svg",
		.options = options,
		.option_count = ARRAY_SIZE(options),
		.ret_words = &e.words,
	};
	const struct export_format *format;
	int code;

	e = (struct exporter){.arena = arena};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	if (e.words.count == 0) {
		say_error("export: a format is missing: see \"earlybind export --help\"");
		return EXIT_WRONG_USAGE;
	}
	format = find_format(e.words.items[0]);
	if (!format)
		return EXIT_WRONG_USAGE;
	for (size_t i = 1; i < e.words.count; i++)
		e.device_words.items[e.device_words.count++] = e.words.items[i];
	if (selection_parse("export", &e.device_words, &e.selection) < 0)
		return EXIT_WRONG_USAGE;
	return export(&e, format);
}
