/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of a recording that is below /sys. */
#include "capture.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bdf.h"
#include "commands.h"
#include "files.h"
#include "hotplug.h"
#include "message.h"
#include "next_boot.h"
#include "options.h"
#include "reason.h"
#include "redact.h"

struct tar_writer {
	int (*put)(void *arg, struct text bytes); /* 0 or -errno */
	void *arg;
};

#define CAPTURE_FILE_MAX ((size_t)16 * 1024 * 1024)

#define BLOCK	     512
#define SIZE_MAX_TAR 077777777777ull

/* Types of entries. */
#define TYPE_FILE '0'
#define TYPE_LINK '2'
#define TYPE_DIR  '5'
#define TYPE_PAX  'x' /* records about the next entry */

struct header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char target[100];
	char magic[6];
	char version[2];
	char owner[32];
	char group[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char rest[12];
};

_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

/* A field of text needs no NUL where it is full. */
static void set_text(char *field, size_t size, const char *text, size_t n)
{
	memcpy(field, text, n < size ? n : size);
}

static int put_header(struct tar_writer *w, struct header *h, uint64_t size)
{
	const uint8_t *bytes = (const uint8_t *)h;
	unsigned sum = 0;

	snprintf(h->mode, sizeof(h->mode), "%07o",
		 h->type == TYPE_DIR	? 0755u
		 : h->type == TYPE_LINK ? 0777u
					: 0644u);
	snprintf(h->uid, sizeof(h->uid), "%07o", 0u);
	snprintf(h->gid, sizeof(h->gid), "%07o", 0u);
	snprintf(h->size, sizeof(h->size), "%011llo", (unsigned long long)size);
	snprintf(h->mtime, sizeof(h->mtime), "%011o", 0u);
	memcpy(h->magic, "ustar", sizeof(h->magic));
	memcpy(h->version, "00", sizeof(h->version));
	snprintf(h->major, sizeof(h->major), "%07o", 0u);
	snprintf(h->minor, sizeof(h->minor), "%07o", 0u);
	/* The checksum counts itself as blanks. */
	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += bytes[i];
	snprintf(h->checksum, sizeof(h->checksum), "%06o", sum);
	return w->put(w->arg, (struct text){(const char *)h, sizeof(*h)});
}

static int put_bytes(struct tar_writer *w, struct text bytes)
{
	static const char zeros[BLOCK];
	size_t pad = (BLOCK - bytes.n % BLOCK) % BLOCK;
	int r = bytes.n > 0 ? w->put(w->arg, bytes) : 0;

	return r == 0 && pad > 0 ? w->put(w->arg, (struct text){zeros, pad}) : r;
}

/* "LENGTH KEY=VALUE\n", where the length counts itself. */
static int put_record(struct tar_writer *w, const char *key, const char *value)
{
	size_t n = strlen(key) + strlen(value) + 3, digits = 1;
	struct header h = {.name = "pax", .type = TYPE_PAX};
	char record[PATH_MAX + 64];
	int r, length;

	for (size_t ten = 10; n + digits >= ten; ten *= 10)
		digits++;
	length = snprintf(record, sizeof(record), "%zu %s=%s\n", n + digits, key, value);
	if (length < 0 || (size_t)length >= sizeof(record))
		return -ENAMETOOLONG;
	r = put_header(w, &h, (uint64_t)length);
	return r < 0 ? r : put_bytes(w, (struct text){record, (size_t)length});
}

/* Puts the name into its field, or its two; false if it does not fit. */
static bool set_name(struct header *h, const char *name)
{
	size_t n = strlen(name);

	if (n <= sizeof(h->name)) {
		set_text(h->name, sizeof(h->name), name, n);
		return true;
	}
	/* Split at the first slash behind which the rest fits. */
	for (size_t i = n - sizeof(h->name) - 1; i <= sizeof(h->prefix) && i < n; i++) {
		if (name[i] != '/' || i == 0)
			continue;
		set_text(h->prefix, sizeof(h->prefix), name, i);
		set_text(h->name, sizeof(h->name), name + i + 1, n - i - 1);
		return true;
	}
	return false;
}

static int put(struct tar_writer *w, char type, const char *name, const char *target,
	       struct text bytes)
{
	struct header h = {.type = type};
	size_t n = strlen(name);
	int r = 0;

	if (n == 0 || name[0] == '/' || name[n - 1] == '/')
		return -EINVAL;
	if (n >= PATH_MAX || strlen(target) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (bytes.n > SIZE_MAX_TAR)
		return -EFBIG;
	if (!set_name(&h, name)) {
		set_text(h.name, sizeof(h.name), name, n);
		r = put_record(w, "path", name);
	}
	if (r == 0 && strlen(target) > sizeof(h.target))
		r = put_record(w, "linkpath", target);
	set_text(h.target, sizeof(h.target), target, strlen(target));
	if (r == 0)
		r = put_header(w, &h, bytes.n);
	return r < 0 ? r : put_bytes(w, bytes);
}

/*
 * @name is relative and has no slash at its end. Errors: -EINVAL for a name that would mean
 * something else, -ENAMETOOLONG from PATH_MAX on, -EFBIG from 8 GiB on; those of put().
 */
static int tar_put_dir(struct tar_writer *w, const char *name)
{
	return put(w, TYPE_DIR, name, "", TEXT(""));
}

/*
 * @name is relative and has no slash at its end. Errors: -EINVAL for a name that would mean
 * something else, -ENAMETOOLONG from PATH_MAX on, -EFBIG from 8 GiB on; those of put().
 */
static int tar_put_file(struct tar_writer *w, const char *name, struct text bytes)
{
	return put(w, TYPE_FILE, name, "", bytes);
}

/*
 * @name is relative and has no slash at its end. Errors: -EINVAL for a name that would mean
 * something else, -ENAMETOOLONG from PATH_MAX on, -EFBIG from 8 GiB on; those of put().
 */
static int tar_put_link(struct tar_writer *w, const char *name, const char *target)
{
	return put(w, TYPE_LINK, name, target, TEXT(""));
}

/* Two blocks of zeros. */
static int tar_put_end(struct tar_writer *w)
{
	static const char zeros[2 * BLOCK];

	return w->put(w->arg, (struct text){zeros, sizeof(zeros)});
}

#define HEADER_SIZE 64 /* of a configuration space, which everybody may read */

/* Of a function. Reading them wakes no device. */
static const char *const attributes[] = {
	"ari_enabled",
	"boot_vga",
	"broken_parity_status",
	"class",
	"d3cold_allowed",
	"device",
	"driver_override",
	"enable",
	"irq",
	"label",
	"local_cpulist",
	"modalias",
	"msi_bus",
	"numa_node",
	"power/control",
	"power/runtime_status",
	"power_state",
	"removable",
	"reset_method",
	"resource",
	"revision",
	"secondary_bus_number",
	"serial_number",
	"sriov_drivers_autoprobe",
	"sriov_numvfs",
	"sriov_totalvfs",
	"subordinate_bus_number",
	"subsystem_device",
	"subsystem_vendor",
	"vendor",
};

static const char *const links[] = {"driver", "iommu", "iommu_group", "physfn"};

/* Beside the bus. */
static const char *const copied_files[] = {
	"sys/class/dmi/id/bios_date",
	"sys/class/dmi/id/bios_version",
	"sys/class/dmi/id/board_name",
	"sys/class/dmi/id/board_vendor",
	"sys/class/dmi/id/product_name",
	"sys/class/dmi/id/sys_vendor",
	"sys/class/tty/console/active",
	"sys/firmware/acpi/tables/DMAR",
	"sys/firmware/acpi/tables/IORT",
	"sys/firmware/acpi/tables/IVRS",
	"sys/module/kvm/parameters/ignore_msrs",
	"sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
	"sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
	"sys/module/vfio_pci/parameters/disable_denylist",
	"sys/module/vfio_pci/parameters/disable_idle_d3",
	"sys/module/vfio_pci/parameters/ids",
	"sys/power/resume",
};

static const char *const folders[] = {
	"sys/bus/pci/devices", "sys/firmware/efi",    "sys/kernel/iommu_groups",
	"sys/class/iommu",     "sys/module/vfio",     "sys/module/vfio_pci",
	"sys/module/kvm",      "sys/module/pci_stub", "sys/module/vfio_iommu_type1",
};

/*
 * Where the link @name leads, as a name of the tree: relative targets only, and none that
 * leaves /sys. NULL otherwise.
 */
static const char *resolve(struct capture *c, const char *name, const char *target)
{
	size_t n = strlen(name);
	struct text rest = text_of(target), part;
	const char *path;

	while (n > 0 && name[n - 1] != '/')
		n--;
	path = capture_print(c, "%.*s", (int)(n > 0 ? n - 1 : 0), name);
	while (text_cut(&rest, '/', &part)) {
		const char *slash = strrchr(path, '/');

		if (text_is(part, "..") && !slash)
			return NULL;
		if (text_is(part, ".."))
			path = capture_print(c, "%.*s", (int)(slash - path), path);
		else if (part.n > 0)
			path = capture_print(c, "%s/%.*s", path, (int)part.n, part.p);
	}
	return strncmp(path, "sys/", 4) == 0 ? path : NULL;
}

static void capture_put_dir(struct capture *c, const char *name);

static void capture_put_link(struct capture *c, const char *name, const char *target);

static const char *capture_target(struct capture *c, const char *name);

/* Puts the link, if it is one, and returns where its folder stands; NULL: it is not told. */
static const char *put_place(struct capture *c, const char *name)
{
	const char *target = capture_target(c, name);
	const char *place = target ? resolve(c, name, target) : name;

	if (!place)
		return NULL;
	if (target)
		capture_put_link(c, name, target);
	capture_put_dir(c, place);
	return place;
}

/* @from is where the file is read, @to where it is put. */
static void put_attribute(struct capture *c, const char *from, const char *to,
			  const char *attribute)
{
	char *p;
	size_t n;

	if (!capture_read(c, capture_print(c, "%s/%s", from, attribute), &p, &n))
		return;
	redact_text(p, n, c->has_serial);
	capture_put_file(c, capture_print(c, "%s/%s", to, attribute),
			 (struct text){p, n});
}

static void put_link(struct capture *c, const char *from, const char *to,
		     const char *name)
{
	const char *target = capture_target(c, capture_print(c, "%s/%s", from, name));

	if (target)
		capture_put_link(c, capture_print(c, "%s/%s", to, name), target);
}

/*
 * Reading a configuration space wakes the device (drivers/pci/pci-sysfs.c: pci_read_config()):
 * that of one that sleeps is left out.
 */
static bool is_awake(struct capture *c, const char *from)
{
	char *p;
	size_t n;

	return !capture_read(c, capture_print(c, "%s/power_state", from), &p, &n) ||
	       !text_has_prefix((struct text){p, n}, "D3");
}

static void put_config_space(struct capture *c, const char *from, const char *to,
			     bool is_named)
{
	char *p;
	size_t n;

	if (!is_awake(c, from) ||
	    !capture_read(c, capture_print(c, "%s/config", from), &p, &n))
		return;
	if (!is_named && n > HEADER_SIZE)
		n = HEADER_SIZE;
	if (!c->has_serial)
		redact_config_space((unsigned char *)p, n);
	capture_put_file(c, capture_print(c, "%s/config", to), (struct text){p, n});
}

static const struct pci_device *find_named(const struct capture *c, const char *address)
{
	struct bdf bdf;

	if (!c->named || bdf_parse(text_of(address), &bdf) < 0)
		return NULL;
	return inventory_find(c->named, bdf);
}

/* Some attributes take the device's lock, which a driver that hangs has for ever. */
static bool can_wait_for_ever(struct capture *c, const struct pci_device *d,
			      const char *attribute)
{
	return d &&
	       (strcmp(attribute, "driver_override") == 0 ||
		strcmp(attribute, "sriov_numvfs") == 0) &&
	       late_find(c->world, d->bdf, &d->ids) == LATE_STUCK;
}

static bool capture_has(struct capture *c, const char *name);

static void put_function(struct capture *c, const char *address)
{
	const char *from = capture_print(c, "sys/bus/pci/devices/%s", address);
	const struct pci_device *d = find_named(c, address);
	const char *to = put_place(c, from);
	struct capture_names names;

	if (!to)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (!can_wait_for_ever(c, d, attributes[i]))
			put_attribute(c, from, to, attributes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		put_link(c, from, to, links[i]);
	put_config_space(c, from, to, d && d->is_interesting);
	if (!capture_has(c, capture_print(c, "%s/sriov_totalvfs", from)))
		return;
	names = capture_list(c, from);
	for (size_t i = 0; i < names.count; i++)
		if (strncmp(names.items[i], "virtfn", strlen("virtfn")) == 0)
			put_link(c, from, to, names.items[i]);
}

static void put_group(struct capture *c, const char *id)
{
	const char *group = capture_print(c, "sys/kernel/iommu_groups/%s", id);
	const char *devices = capture_print(c, "%s/devices", group);
	struct capture_names names = capture_list(c, devices);

	put_attribute(c, group, group, "reserved_regions");
	put_attribute(c, group, group, "type");
	capture_put_dir(c, devices);
	for (size_t i = 0; i < names.count; i++)
		put_link(c, devices, devices, names.items[i]);
}

static void put_driver(struct capture *c, const char *name)
{
	const char *driver = capture_print(c, "sys/bus/pci/drivers/%s", name);

	capture_put_dir(c, driver);
	put_link(c, driver, driver, "module");
}

static void put_slot(struct capture *c, const char *name)
{
	const char *slot = capture_print(c, "sys/bus/pci/slots/%s", name);

	put_attribute(c, slot, slot, "address");
}

static void put_iommu(struct capture *c, const char *name)
{
	static const char *const wanted[] = {
		"amd-iommu/cap",    "amd-iommu/features",  "intel-iommu/cap",
		"intel-iommu/ecap", "intel-iommu/version",
	};
	const char *from = capture_print(c, "sys/class/iommu/%s", name);
	const char *to = put_place(c, from);

	for (size_t i = 0; to && i < ARRAY_SIZE(wanted); i++)
		put_attribute(c, from, to, wanted[i]);
}

/* Whether it is, or stands on, what a PCI function has: the rest says nothing about them. */
static bool is_told(const char *place, const struct capture_names *inside)
{
	struct text rest = text_of(place), part;
	struct bdf bdf;

	while (text_cut(&rest, '/', &part))
		if (bdf_parse(part, &bdf) == 0)
			return true;
	for (size_t i = 0; i < inside->count; i++)
		if (strncmp(inside->items[i], "lower_", strlen("lower_")) == 0 ||
		    strcmp(inside->items[i], "slaves") == 0)
			return true;
	return false;
}

static void put_interface(struct capture *c, const char *name)
{
	static const char *const wanted[] = {"flags", "carrier", "operstate"};
	const char *from = capture_print(c, "sys/class/net/%s", name);
	const char *target = capture_target(c, from);
	struct capture_names inside = capture_list(c, from);
	const char *to;

	if (strncmp(name, "veth", 4) == 0 || !is_told(target ? target : from, &inside))
		return;
	to = put_place(c, from);
	for (size_t i = 0; to && i < ARRAY_SIZE(wanted); i++)
		put_attribute(c, from, to, wanted[i]);
	for (size_t i = 0; to && i < inside.count; i++)
		if (strncmp(inside.items[i], "upper_", 6) == 0 ||
		    strncmp(inside.items[i], "lower_", 6) == 0)
			capture_put_dir(c,
					capture_print(c, "%s/%s", to, inside.items[i]));
}

/* Names in the device mapper are often those of hosts and people. */
static void put_map(struct capture *c, const char *block, const char *from,
		    const char *to)
{
	struct capture_alias *alias;
	struct text name;
	size_t n;
	char *p;

	if (!capture_read(c, capture_print(c, "%s/dm/name", from), &p, &n))
		return;
	alias = arena_alloc(c->arena, 1, sizeof(*alias));
	if (!alias) {
		c->is_full = true;
		return;
	}
	name = text_trim((struct text){p, n});
	*alias = (struct capture_alias){
		.name = capture_print(c, "%.*s", (int)name.n, name.p),
		.shown = capture_print(c, "%s", block),
		.next = c->maps,
	};
	c->maps = alias;
	capture_put_file(c, capture_print(c, "%s/dm/name", to),
			 text_of(capture_print(c, "%s\n", block)));
}

static void put_block(struct capture *c, const char *name)
{
	const char *from = capture_print(c, "sys/class/block/%s", name);
	const char *target = capture_target(c, from);
	struct capture_names inside = {0};
	const char *to;

	if (strncmp(name, "loop", 4) == 0 || strncmp(name, "ram", 3) == 0)
		return;
	if (!target || strstr(target, "/virtual/"))
		inside = capture_list(c, from);
	if (!is_told(target ? target : from, &inside))
		return;
	to = put_place(c, from);
	if (!to)
		return;
	put_attribute(c, from, to, "dev");
	put_map(c, name, from, to);
	inside = capture_list(c, capture_print(c, "%s/slaves", from));
	for (size_t i = 0; i < inside.count; i++)
		capture_put_dir(c, capture_print(c, "%s/slaves/%s", to, inside.items[i]));
}

static void put_display(struct capture *c, const char *name)
{
	const char *from = capture_print(c, "sys/class/drm/%s", name);
	const char *to = strncmp(name, "card", 4) == 0 ? put_place(c, from) : NULL;

	if (to)
		put_attribute(c, from, to, "status");
}

static void put_framebuffer(struct capture *c, const char *name)
{
	(void)put_place(c, capture_print(c, "sys/class/graphics/%s", name));
}

/* Which keys it has: whether it is a keyboard. */
static void put_input(struct capture *c, const char *name)
{
	const char *from = capture_print(c, "sys/class/input/%s", name);
	const char *to = strncmp(name, "input", 5) == 0 ? put_place(c, from) : NULL;

	if (to)
		put_attribute(c, from, to, "capabilities/key");
}

/* The members of a btrfs, whose UUID becomes a number. */
static void put_btrfs(struct capture *c)
{
	struct capture_names systems = capture_list(c, "sys/fs/btrfs");

	for (size_t i = 0; i < systems.count; i++) {
		struct capture_names devices = capture_list(
			c, capture_print(c, "sys/fs/btrfs/%s/devices", systems.items[i]));

		for (size_t k = 0; k < devices.count; k++)
			capture_put_dir(c, capture_print(c, "sys/fs/btrfs/%zu/devices/%s",
							 i + 1, devices.items[k]));
	}
}

/* Each puts what can be read; what cannot is left out. */
static void capture_sys(struct capture *c)
{
	static const struct {
		const char *folder;
		void (*put)(struct capture *c, const char *name);
	} parts[] = {
		{"sys/bus/pci/devices", put_function},
		{"sys/bus/pci/drivers", put_driver},
		{"sys/bus/pci/slots", put_slot},
		{"sys/kernel/iommu_groups", put_group},
		{"sys/class/iommu", put_iommu},
		{"sys/class/net", put_interface},
		{"sys/class/block", put_block},
		{"sys/class/drm", put_display},
		{"sys/class/graphics", put_framebuffer},
		{"sys/class/input", put_input},
	};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (capture_has(c, folders[i]))
			capture_put_dir(c, folders[i]);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct capture_names names = capture_list(c, parts[i].folder);

		for (size_t k = 0; k < names.count; k++)
			parts[i].put(c, names.items[k]);
	}
	put_btrfs(c);
	for (size_t i = 0; i < ARRAY_SIZE(copied_files); i++)
		capture_copy(c, copied_files[i]);
}

#define DEFAULT_OUTPUT "earlybind-capture.tar"
#define TARGET_MAX     4096
#define MAC_DIGITS     12

const char *capture_print(struct capture *c, const char *format, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, format);
	text = arena_vprintf(c->arena, format, ap);
	va_end(ap);
	c->is_full = c->is_full || !text;
	return text ? text : "";
}

const char *capture_interface(struct capture *c, struct text name)
{
	struct capture_alias *alias;
	unsigned count = 0;

	/* "enx", "wlx" and so on: systemd.net-naming-scheme(7). */
	if (name.n != 3 + MAC_DIGITS || name.p[2] != 'x')
		return NULL;
	for (size_t i = 3; i < name.n; i++)
		if (char_hex(name.p[i]) < 0)
			return NULL;
	for (alias = c->interfaces; alias; alias = alias->next, count++)
		if (text_is(name, alias->name))
			return alias->shown;
	alias = arena_alloc(c->arena, 1, sizeof(*alias));
	if (!alias) {
		c->is_full = true;
		return "";
	}
	*alias = (struct capture_alias){
		.name = capture_print(c, "%.*s", (int)name.n, name.p),
		.shown = capture_print(c, "%.3s%0*u", name.p, MAC_DIGITS, count + 1),
		.next = c->interfaces,
	};
	c->interfaces = alias;
	return alias->shown;
}

/* The parts of a path that are names of interfaces become what stands for them. */
static const char *hide_interfaces(struct capture *c, const char *path)
{
	struct text rest = text_of(path), part;
	const char *shown;
	size_t done;

	while (text_cut(&rest, '/', &part)) {
		size_t skip =
			text_has_prefix(part, "upper_") || text_has_prefix(part, "lower_")
				? strlen("upper_")
				: 0;
		struct text name = {part.p + skip, part.n - skip};

		shown = capture_interface(c, name);
		if (!shown)
			continue;
		/* As long as before. */
		done = (size_t)(name.p - path) + name.n;
		path = capture_print(c, "%.*s%s%s", (int)(name.p - path), path, shown,
				     path + done);
		rest = text_of(path + done);
	}
	return path;
}

static void add(struct capture *c, enum capture_kind kind, const char *name,
		struct text bytes)
{
	struct capture_entry *e = arena_alloc(c->arena, 1, sizeof(*e));

	if (!e) {
		c->is_full = true;
		return;
	}
	*e = (struct capture_entry){kind, hide_interfaces(c, name), bytes, c->first};
	c->first = e;
	c->count++;
}

static void capture_put_dir(struct capture *c, const char *name)
{
	add(c, CAPTURE_DIR, name, TEXT(""));
}

void capture_put_file(struct capture *c, const char *name, struct text bytes)
{
	add(c, CAPTURE_FILE, name, bytes);
}

static void capture_put_link(struct capture *c, const char *name, const char *target)
{
	/* What leaves the tree would be another machine's. */
	if (target[0] != '/')
		add(c, CAPTURE_LINK, name, text_of(hide_interfaces(c, target)));
}

static const char *below(struct capture *c, const char *name)
{
	return capture_print(c, "%s/%s", c->sysroot ? c->sysroot : "", name);
}

bool capture_read(struct capture *c, const char *name, char **ret, size_t *ret_n)
{
	struct text bytes;
	int r = file_read(below(c, name), c->arena, CAPTURE_FILE_MAX, &bytes, NULL);

	/* Sysfs may say so too. */
	c->is_full =
		c->is_full || c->arena->size - c->arena->used <= 2 * CAPTURE_FILE_MAX;
	if (r < 0)
		return false;
	*ret = c->arena->base + (bytes.p - c->arena->base);
	*ret_n = bytes.n;
	return true;
}

/* The target of a link, NULL if it is none. */
static const char *capture_target(struct capture *c, const char *name)
{
	char target[TARGET_MAX];
	ssize_t n = readlink(below(c, name), target, sizeof(target));

	return n < 0 || (size_t)n == sizeof(target)
		       ? NULL
		       : capture_print(c, "%.*s", (int)n, target);
}

static bool capture_has(struct capture *c, const char *name)
{
	return access(below(c, name), F_OK) == 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct capture_names capture_list(struct capture *c, const char *name)
{
	DIR *d = opendir(below(c, name));
	struct capture_names names = {0};
	struct dirent *e;
	size_t max = 0;

	while (d && !c->is_full && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (names.count == max) {
			const char **items;

			max = max > 0 ? 2 * max : 32;
			items = arena_alloc(c->arena, max, sizeof(*items));
			if (!items) {
				c->is_full = true;
				break;
			}
			if (names.count > 0)
				memcpy(items, names.items, names.count * sizeof(*items));
			names.items = items;
		}
		names.items[names.count++] = capture_print(c, "%s", e->d_name);
	}
	if (d)
		closedir(d);
	if (names.count > 0)
		qsort(names.items, names.count, sizeof(*names.items), compare_names);
	return names;
}

void capture_copy(struct capture *c, const char *name)
{
	size_t n;
	char *p;

	if (capture_read(c, name, &p, &n))
		capture_put_file(c, name, (struct text){p, n});
}

void capture_copy_text(struct capture *c, const char *name)
{
	size_t n;
	char *p;

	if (!capture_read(c, name, &p, &n))
		return;
	redact_text(p, n, c->has_serial);
	capture_put_file(c, name, (struct text){p, n});
}

/* A folder stands before what is in it: '/' comes before all other characters. */
static int compare_entries(const void *a, const void *b)
{
	const char *x = (*(const struct capture_entry *const *)a)->name;
	const char *y = (*(const struct capture_entry *const *)b)->name;

	while (*x != '\0' && *x == *y) {
		x++;
		y++;
	}
	return (*x == '/' ? 1 : (unsigned char)*x) - (*y == '/' ? 1 : (unsigned char)*y);
}

static int put_parents(struct tar_writer *w, const char *before, const char *name)
{
	int r = 0;

	for (const char *p = strchr(name, '/'); p && r == 0; p = strchr(p + 1, '/')) {
		char folder[TARGET_MAX];
		size_t n = (size_t)(p - name);

		if (strncmp(before, name, n) == 0 &&
		    (before[n] == '/' || before[n] == '\0'))
			continue;
		if (n >= sizeof(folder))
			return -ENAMETOOLONG;
		memcpy(folder, name, n);
		folder[n] = '\0';
		r = tar_put_dir(w, folder);
	}
	return r;
}

static int put_entry(struct tar_writer *w, const struct capture_entry *e)
{
	switch (e->kind) {
	case CAPTURE_DIR:
		return tar_put_dir(w, e->name);
	case CAPTURE_FILE:
		return tar_put_file(w, e->name, e->bytes);
	case CAPTURE_LINK:
		return tar_put_link(w, e->name, e->bytes.p);
	}
	return 0;
}

static int put_all(struct capture *c, struct tar_writer *w)
{
	const struct capture_entry **entries =
		arena_alloc(c->arena, c->count, sizeof(void *));
	const char *before = "";
	size_t count = 0;
	int r = 0;

	if (!entries)
		return -ENOMEM;
	for (const struct capture_entry *e = c->first; e; e = e->next)
		entries[count++] = e;
	if (count > 0)
		qsort(entries, count, sizeof(void *), compare_entries);
	for (size_t i = 0; i < count && r == 0; i++) {
		const char *name = entries[i]->name;

		if (strcmp(before, name) == 0)
			continue;
		r = put_parents(w, before, name);
		if (r == 0)
			r = put_entry(w, entries[i]);
		before = name;
	}
	return r == 0 ? tar_put_end(w) : r;
}

static int write_file(void *arg, struct text bytes)
{
	return new_file_write(arg, bytes);
}

static int write_stdout(void *arg unused, struct text bytes)
{
	/* A failure is said when the output is closed. */
	return fwrite(bytes.p, 1, bytes.n, stdout) == bytes.n ? 0 : -EIO;
}

static int write_tar(struct capture *c)
{
	struct tar_writer w = {.put = write_stdout};
	struct new_file f;
	int r;

	if (strcmp(c->output, "-") == 0)
		return put_all(c, &w);
	r = new_file_open(&f, c->output);
	if (r < 0)
		return r;
	w = (struct tar_writer){.put = write_file, .arg = &f};
	r = put_all(c, &w);
	if (r == 0)
		return new_file_finish(&f, 0644);
	new_file_drop(&f);
	return r;
}

/* Functions that a rule names may tell more; without rules, or a machine, none does. */
static void read_rules(struct capture *c)
{
	const struct strings none = {0};
	static struct sources sources;
	static struct policy files;
	static struct run run;

	if (sources_read(c->world, c->arena, &none, &sources) < 0 ||
	    next_boot_read(c->world, c->arena, &sources, NULL, &files, &run) < 0 ||
	    run_plan(c->world, c->arena, &run) < 0)
		return;
	c->named = &run.inventory;
}

static int capture(struct capture *c)
{
	char message[REASON_MESSAGE_SIZE];
	int r;

	if (open_world(c->sysroot, &c->world) < 0)
		return EXIT_FAILED;
	r = inventory_read(c->world, c->arena, NULL, NULL, &c->inventory);
	if (r == -ENOENT) {
		say_error("%s", reason_message(REASON_NO_SYSFS, errno_text(r), message));
		return EXIT_FAILED;
	}
	if (r == 0)
		read_rules(c);
	capture_sys(c);
	capture_files(c);
	capture_modules(c);
	capture_pci_ids(c);
	r = c->is_full ? -ENOMEM : write_tar(c);
	if (r < 0) {
		say_error("%s: it cannot be written: %s", c->output, errno_text(r));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

int command_capture(int argc, char **argv, struct arena *arena)
{
	static struct capture c;
	const struct option_spec options[] = {
		{"output", "FILE", "write to FILE, - for the standard output",
		 .ret_string = &c.output},
		{"serial", NULL, "tell serial numbers too", .ret_flag = &c.has_serial},
		{"sysroot", "DIR", "record the tree below DIR, not this machine",
		 .ret_string = &c.sysroot},
	};
	const struct command_spec spec = {
		.name = "capture",
		.synopsis = "[OPTION...]",
		.text = "Records what earlybind knows of this machine as a small tar, "
			"by default " DEFAULT_OUTPUT
			": unpacked, it is a tree for --sysroot, "
			"on which list, plan, check and status say what they say here. For a "
			"report of an error.\n"
			"\n"
			"In it are the PCI functions with their attributes, IOMMU groups, "
			"drivers, what uses them, the configuration and the report of this "
			"boot. Not in it, or blanked: serial numbers, UUIDs, names and "
			"addresses of hosts and networks, mount points of users, comments, and "
			"the values of kernel parameters that are not known to be harmless. "
			"Devices that sleep are not woken.\n"
			"\n"
			"exit code: 0 done; 1 there is no PCI bus, or the file cannot be "
			"written; 2 wrong usage\n",
		.example = "earlybind capture && tar -tvf " DEFAULT_OUTPUT,
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	c = (struct capture){.arena = arena, .output = DEFAULT_OUTPUT};
	return options_parse(&spec, argc, argv, &code) ? capture(&c) : code;
}
