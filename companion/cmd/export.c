/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind export: the devices that vfio-pci has, for the next tool. */
#include "export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "boot_device.h"
#include "commands.h"
#include "machine_check.h"
#include "group.h"
#include "late_reports.h"
#include "message.h"
#include "command_output.h"
#include "plan.h"
#include "reason.h"

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

void export_put(const char *text, const char *special)
{
	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, special);

		put_text(stdout, (struct text){p, n});
		p += n;
		if (*p != '\0')
			printf("\\%c", *p++);
	}
}

const char *export_name(struct exporter *e, const struct pci_device *d)
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

size_t export_slot_end(const struct exporter *e, size_t from)
{
	size_t to = from + 1;

	while (to < e->count &&
	       bdf_is_same_slot(e->devices[from]->bdf, e->devices[to]->bdf))
		to++;
	return to;
}

int export_is_viable(struct exporter *e, int group, bool *ret)
{
	struct plan_group made;
	int r = group_make(&e->now, NULL, group, e->arena, &made);

	if (r == 0)
		*ret = made.is_viable;
	return r;
}

/* Whether the report or the user expects it to be there. */
static bool is_expected(const struct exporter *e, const struct pci_device *d)
{
	const struct boot_device *b = boot_find(&e->boot, d->bdf);

	if (e->device_words.count > 0)
		return selection_has_match(&e->selection, d) && !d->is_bridge;
	return b && strcmp(b->action, "keep") != 0 && boot_device_now(b, &e->now) == d &&
	       !boot_device_is_released(b);
}

static bool is_chosen(const struct exporter *e, const struct pci_device *d)
{
	return device_is_on_vfio(d) && selection_has_match(&e->selection, d);
}

/* What is not on vfio-pci is not handed on. Returns how many functions are left out. */
static size_t say_left_out(const struct exporter *e)
{
	size_t count = 0;

	for (size_t i = 0; i < e->now.count; i++) {
		const struct pci_device *d = &e->now.devices[i];
		char address[BDF_SIZE];

		if (!is_expected(e, d) || device_is_on_vfio(d))
			continue;
		count++;
		say_error("%s is left out: %s has it, not vfio-pci; \"earlybind explain "
			  "%s\" says why",
			  bdf_format(d->bdf, address),
			  d->driver[0] ? d->driver : "no driver", address);
	}
	for (size_t i = 0; e->device_words.count == 0 && i < e->boot.device_count; i++) {
		const struct boot_device *b = &e->boot.devices[i];
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
	int last = NO_GROUP;

	for (size_t i = 0; i < e->count; i++) {
		const struct pci_device *d = e->devices[i];
		struct plan_group group;
		const char *blockers;
		int r;

		if (d->iommu_group == NO_GROUP || d->iommu_group == last)
			continue;
		last = d->iommu_group;
		r = group_make(&e->now, NULL, last, e->arena, &group);
		if (r < 0)
			return r;
		if (group.is_viable)
			continue;
		blockers = plan_blockers(&group, e->arena);
		say_error("no VM can use IOMMU group %d while %s belong%s to the host",
			  last, blockers ? blockers : "others",
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
	const char *message, *path;
	int r = inventory_read(e->world, e->arena, selection_filter, &e->selection,
			       &e->now);

	if (r < 0)
		return r;
	/* Without names the tools do as well. */
	if (names_open(e->arena, e->sysroot, e->pci_ids, &e->names) < 0 && e->pci_ids)
		say_error("%s: it cannot be read: there are no names", e->pci_ids);
	e->has_boot = boot_read(e->world, e->arena, &e->boot, &path, &message) == 0;
	if (!e->has_boot)
		e->boot = (struct boot){.reason = "", .message = ""};
	r = late_reports_add(e->world, e->arena, &e->boot);
	return r < 0 ? r : choose(e);
}

static int export(struct exporter *e, const struct export_format *format)
{
	size_t wrong = 0;
	int r;

	if (open_world(e->sysroot, &e->world) < 0)
		return EXIT_FAILED;
	r = read_all(e);
	if (r == 0 && !format->is_picture) {
		wrong = selection_say_missing(&e->selection, &e->now) + say_left_out(e);
		r = say_not_viable(e, &wrong);
		if (r == 0 && e->count == 0 && wrong == 0) {
			say_error("vfio-pci has no device: see \"earlybind status\"");
			wrong++;
		}
	}
	if (r == 0 &&
	    (e->count > 0 || format->is_picture || format->write == export_json))
		r = format->write(e);
	if (r < 0) {
		say_no_inventory(r);
		return EXIT_FAILED;
	}
	return wrong > 0 ? EXIT_FAILED : EXIT_OK;
}

int command_export(int argc, char **argv, struct arena *arena)
{
	static struct exporter e;
	const struct option_spec options[] = {
		{"pci-ids", "FILE", "take the names from FILE", .ret_string = &e.pci_ids},
		{"sysroot", "DIR", "read the tree below DIR, not this machine",
		 .ret_string = &e.sysroot},
	};
	const struct command_spec spec = {
		.name = "export",
		.synopsis = "FORMAT [DEVICE...] [OPTION...]",
		.text = "Hands the devices that vfio-pci has now, or those of them that are "
			"named, to the next tool. A device that should be there and is not is "
			"left out and said. Formats:\n"
			"\n"
			"  libvirt     hostdev elements for the XML of a domain\n"
			"  qemu        -device arguments\n"
			"  kubevirt    permittedHostDevices for its configuration\n"
			"  proxmox     hostpci lines for the configuration of a VM\n"
			"  prometheus  metrics for node_exporter's textfile collector\n"
			"  json        JSON for scripts\n"
			"  dot         a picture of all devices and groups, for Graphviz\n"
			"\n"
			"exit code: 0 done; 1 something is left out, or a group cannot be used "
			"by a VM (not for prometheus and dot, which say so themselves), or "
			"there is no device; 2 wrong usage\n",
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
