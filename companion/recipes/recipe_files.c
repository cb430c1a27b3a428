/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where recipes stand: the files and folders of other tools, below the sysroot. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "installed.h"
#include "modload.h"
#include "paths.h"
#include "reason.h"
#include "recipe_parse.h"

#define NAMES_MAX   1024
#define FOLDERS_MAX 5

/* What to do when a file was changed. */
#define AFTER_GRUB "then run update-grub, or grub2-mkconfig -o /boot/grub2/grub.cfg"
#define AFTER_ENTRY \
	"in all entries at once by grubby --update-kernel=ALL --remove-args=..."
#define AFTER_OSTREE "with rpm-ostree kargs --delete=..."
#define AFTER_CMDLINE \
	"then make the entries again: proxmox-boot-tool refresh, kernel-install"
#define AFTER_GENERATED "and out of its source, if there is one: this file is generated"

#define AFTER_UKIFY "then have the unified images made again"

typedef void (*recipe_parser)(struct recipes *recipes, const char *file,
			      struct text bytes);

/*
 * Folders of one kind. A file takes the place of those of its name in later folders, and all
 * are read in the order of their names; without a suffix they are files.
 */
struct place {
	const char *folders[FOLDERS_MAX];
	const char
		*suffix; /* of the names that count; "" for all; NULL: these are files */
	recipe_parser parse;
	recipe_parser
		parse_vendor; /* for folders behind the second; NULL: as the others */
	const char *after;
	bool is_deep; /* the files are in folders of this folder */
	bool is_strict; /* whoever reads it ignores other names without a word */
};

/* A file by itself, and the files of a folder by their suffix. */
#define FILE_AT(path, parser) \
	{ \
		.folders = {path}, .parse = (parser) \
	}
#define FILES_IN(path, ending, parser) \
	{ \
		.folders = {path}, .suffix = (ending), .parse = (parser) \
	}
#define FOLDERS_IN(path, ending, parser) \
	{ \
		.folders = {path}, .suffix = (ending), .parse = (parser), \
		.is_deep = true \
	}
#define STRICT_IN(path, parser) \
	{ \
		.folders = {path}, .suffix = ".conf", .parse = (parser), \
		.is_strict = true \
	}

/* Behind modprobe.d, which read_modprobe() reads. */
static const struct place places[] = {
	STRICT_IN("/boot/config/modprobe.d", recipe_parse_modprobe),
	FILE_AT("/etc/modprobe.conf", recipe_parse_modprobe_conf),
	{.folders = {"/etc/default/grub"},
	 .parse = recipe_parse_grub_default,
	 .after = AFTER_GRUB},
	{.folders = {"/etc/default/grub.d"},
	 .suffix = ".cfg",
	 .parse = recipe_parse_grub_default,
	 .after = AFTER_GRUB},
	{.folders = {"/etc/kernel/cmdline", "/usr/lib/kernel/cmdline"},
	 .parse = recipe_parse_plain_cmdline,
	 .after = AFTER_CMDLINE},
	{.folders = {"/etc/kernel/cmdline.d"},
	 .suffix = ".conf",
	 .parse = recipe_parse_plain_cmdline,
	 .after = "then run clr-boot-manager update"},
	FILE_AT("/etc/cmdline", recipe_parse_plain_cmdline),
	STRICT_IN("/etc/cmdline.d", recipe_parse_plain_cmdline),
	{.folders = {"/boot/loader/entries", "/efi/loader/entries",
		     "/boot/efi/loader/entries"},
	 .suffix = ".conf",
	 .parse = recipe_parse_entry,
	 .after = AFTER_ENTRY},
	FILE_AT("/boot/syslinux/syslinux.cfg", recipe_parse_syslinux),
	{.folders = {"/etc/default/u-boot", "/etc/default/extlinux"},
	 .parse = recipe_parse_keyed,
	 .after = "then run u-boot-update, or extlinux-update"},
	{.folders = {"/etc/update-extlinux.conf"},
	 .parse = recipe_parse_keyed,
	 .after = "then run update-extlinux"},
	{.folders = {"/boot/extlinux/extlinux.conf", "/extlinux/extlinux.conf",
		     "/boot/extlinux.conf"},
	 .parse = recipe_parse_syslinux},
	{.folders = {"/etc/default/limine", "/etc/limine-entry-tool.conf"},
	 .parse = recipe_parse_keyed,
	 .after = "then run limine-update"},
	{.folders = {"/boot/limine.conf", "/boot/limine/limine.conf", "/efi/limine.conf",
		     "/boot/efi/limine.conf", "/boot/EFI/limine/limine.conf"},
	 .parse = recipe_parse_keyed},
	{.folders = {"/boot/EFI/BOOT/limine.conf", "/efi/EFI/BOOT/limine.conf",
		     "/boot/efi/EFI/BOOT/limine.conf", "/efi/EFI/limine/limine.conf",
		     "/boot/efi/EFI/limine/limine.conf"},
	 .parse = recipe_parse_keyed},
	{.folders = {"/boot/limine.cfg", "/boot/limine/limine.cfg"},
	 .parse = recipe_parse_keyed},
	FILE_AT("/boot/refind_linux.conf", recipe_parse_refind_linux),
	{.folders = {"/boot/EFI/refind/refind.conf", "/efi/EFI/refind/refind.conf",
		     "/boot/efi/EFI/refind/refind.conf"},
	 .parse = recipe_parse_keyed},
	{.folders = {"/etc/sdboot-manage.conf"},
	 .parse = recipe_parse_keyed,
	 .after = "then run sdboot-manage gen"},
	{.folders = {"/etc/kernelstub/configuration"},
	 .parse = recipe_parse_kernelstub,
	 .after = "with kernelstub --delete-options"},
	{.folders = {UKIFY_FILES}, .parse = recipe_parse_ukify, .after = AFTER_UKIFY},
	{.folders = {"/etc/zipl.conf"},
	 .parse = recipe_parse_keyed,
	 .after = "then run zipl"},
	{.folders = {"/etc/lilo.conf"},
	 .parse = recipe_parse_keyed,
	 .after = "then run lilo"},
	FILE_AT("/boot/efi/EFI/Slackware/elilo.conf", recipe_parse_keyed),
	{.folders = {"/boot/armbianEnv.txt", "/boot/uEnv.txt"},
	 .parse = recipe_parse_keyed},
	{.folders = {"/etc/default/flash-kernel"},
	 .parse = recipe_parse_keyed,
	 .after = "then run flash-kernel"},
	{.folders = {"/boot/startup.nsh", "/efi/startup.nsh", "/boot/efi/startup.nsh"},
	 .parse = recipe_parse_plain_cmdline},
	FOLDERS_IN("/boot/efi/EFI", "xen.cfg", recipe_parse_xen_cfg),
	{.folders = {"/boot/firmware/cmdline.txt", "/boot/cmdline.txt"},
	 .parse = recipe_parse_plain_cmdline},
	FILES_IN("/usr/lib/bootc/kargs.d", ".toml", recipe_parse_bootc),
	FILES_IN("/etc/nixos", ".nix", recipe_keep_nix),
	FOLDERS_IN("/etc/nixos", ".nix", recipe_keep_nix),
	FILE_AT("/etc/config.scm", recipe_parse_guix),
	{.folders = {"/etc/grub.d"},
	 .suffix = "",
	 .parse = recipe_parse_grub_custom,
	 .after = AFTER_GRUB},
	{.folders = {"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"},
	 .parse = recipe_parse_grub_cfg,
	 .after = AFTER_GENERATED},
	{.folders = {"/boot/grub/custom.cfg", "/boot/grub2/custom.cfg"},
	 .parse = recipe_parse_grub_custom},
	{.folders = {"/boot/grub/grubenv", "/boot/grub2/grubenv"},
	 .parse = recipe_parse_keyed,
	 .after = "with grub-editenv or grub2-editenv"},
	FILE_AT("/etc/initramfs-tools/modules", recipe_parse_modules),
	FILE_AT("/etc/modules", recipe_parse_modules),
	{.folders = {"/etc/modules-load.d", "/run/modules-load.d",
		     "/usr/local/lib/modules-load.d", "/usr/lib/modules-load.d",
		     "/lib/modules-load.d"},
	 .suffix = ".conf",
	 .parse = recipe_parse_modules,
	 .is_strict = true},
	FILE_AT("/etc/conf.d/modules", recipe_parse_openrc),
	FILE_AT("/etc/dracut.conf", recipe_parse_dracut),
	{.folders = {"/etc/dracut.conf.d", "/usr/lib/dracut/dracut.conf.d"},
	 .suffix = ".conf",
	 .parse = recipe_parse_dracut,
	 .is_strict = true},
	FILE_AT("/etc/sysconfig/kernel", recipe_parse_sysconfig),
	FILE_AT("/etc/booster.yaml", recipe_parse_booster),
	FILE_AT("/etc/tiny-initramfs/modules", recipe_parse_modules),
	FILES_IN("/etc/sysconfig/modules", ".modules", recipe_parse_script),
	FILE_AT("/etc/mkinitcpio.conf", recipe_parse_mkinitcpio),
	STRICT_IN("/etc/mkinitcpio.conf.d", recipe_parse_mkinitcpio),
	FILES_IN("/etc/initramfs-tools/scripts/init-top", "", recipe_parse_init_script),
	FILES_IN("/usr/share/initramfs-tools/scripts/init-top", "",
		 recipe_parse_init_script),
	FILES_IN("/etc/initramfs-tools/scripts/init-premount", "", recipe_parse_script),
	FILES_IN("/usr/share/initramfs-tools/scripts/init-premount", "",
		 recipe_parse_script),
	FILES_IN("/etc/initramfs-tools/scripts/local-top", "", recipe_parse_script),
	FILES_IN("/etc/initramfs-tools/scripts/init-bottom", "", recipe_parse_script),
	FILES_IN("/etc/initramfs-tools/hooks", "", recipe_parse_script),
	FILES_IN("/etc/initcpio/hooks", "", recipe_parse_script),
	FILES_IN("/etc/initcpio/install", "", recipe_parse_script),
	FOLDERS_IN("/usr/lib/dracut/modules.d", ".sh", recipe_parse_script),
	FILES_IN("/etc/udev/rules.d", ".rules", recipe_parse_udev),
	FILES_IN("/usr/etc/udev/rules.d", ".rules", recipe_parse_talos),
	FILES_IN("/etc/systemd/system", ".service", recipe_parse_unit),
	FOLDERS_IN("/etc/systemd/system", ".conf", recipe_parse_unit), /* drop-ins */
	{.folders = {"/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/lib/tmpfiles.d"},
	 .suffix = ".conf",
	 .parse = recipe_parse_tmpfiles,
	 .is_strict = true},
	FILE_AT("/etc/sysfs.conf", recipe_parse_sysfs),
	FILES_IN("/etc/sysfs.d", ".conf", recipe_parse_sysfs),
	FILE_AT("/etc/rc.local", recipe_parse_script),
	FILE_AT("/etc/rc.d/rc.local", recipe_parse_script),
	FILE_AT("/etc/rc.d/rc.modules.local", recipe_parse_script),
	FILES_IN("/etc/runit/core-services", ".sh", recipe_parse_script),
	FILES_IN("/etc/init.d", "", recipe_parse_script),
	{.folders = {"/etc/crontab", "/var/spool/cron/crontabs/root",
		     "/var/spool/cron/root"},
	 .parse = recipe_parse_crontab},
	FILES_IN("/etc/cron.d", "", recipe_parse_crontab),
	FILE_AT("/boot/config/go", recipe_parse_script),
	FILES_IN("/etc/local.d", ".start", recipe_parse_script),
	FILES_IN("/etc/driverctl.d", "", recipe_parse_driverctl),
	FILE_AT("/boot/config/vfio-pci.cfg", recipe_parse_unraid),
	FILE_AT("/etc/dpdk/interfaces", recipe_parse_dpdk),
	FILE_AT("/etc/vpp/startup.conf", recipe_parse_vpp),
	FILE_AT("/data/subsystems/initramfs/truenas_vfio_pci_ids", recipe_parse_truenas),
	FILES_IN("/etc/pve/qemu-server", ".conf", recipe_parse_proxmox_vm),
	FILE_AT("/etc/pve/mapping/pci.cfg", recipe_parse_proxmox_mapping),
	FOLDERS_IN("/var/lib/incus/virtual-machines", "backup.yaml", recipe_parse_incus),
	FOLDERS_IN("/var/lib/lxd/virtual-machines", "backup.yaml", recipe_parse_incus),
	FOLDERS_IN("/var/snap/lxd/common/lxd/virtual-machines", "backup.yaml",
		   recipe_parse_incus),
	FILES_IN("/etc/libvirt/qemu", ".xml", recipe_parse_libvirt),
	FILES_IN("/etc/libvirt/qemu/networks", ".xml", recipe_parse_libvirt),
};

struct name {
	const char *name;
	size_t folder;
};

struct listing {
	struct name names[NAMES_MAX];
	size_t count;
};

static void fail(struct recipes *recipes, const char *file, int r)
{
	recipe_find(recipes, LINT_UNREAD, file, 0, "it could not be read: %s",
		    r == -E2BIG ? "it is too large" : errno_text(r));
}

static bool read_one(struct recipes *recipes, const char *sysroot, const char *file,
		     struct text *ret)
{
	const char *path = path_below(recipes->arena, sysroot, file);
	int r;

	if (!path) {
		recipes->is_cut = true;
		return false;
	}
	r = file_read(path, recipes->arena, RECIPE_FILE_MAX, ret, NULL);
	if (r < 0 && r != -ENOENT && r != -ENOTDIR && r != -EISDIR)
		fail(recipes, file, r);
	return r == 0;
}

static bool is_vendor(const char *file)
{
	return strncmp(file, "/usr/lib/", 9) == 0 || strncmp(file, "/lib/", 5) == 0;
}

static bool is_by_grubby(const struct place *place)
{
	return place->after && text_has_part(text_of(place->after), "grubby");
}

/* Who changes entries of the boot loader specification. */
static const char *after_entry(struct recipes *recipes, const char *sysroot)
{
	const char *mark = path_below(recipes->arena, sysroot, RUN_PREFIX OSTREE_MARK);

	if (mark && access(mark, F_OK) == 0)
		return AFTER_OSTREE;
	return installed_has_program(sysroot, recipes->arena, "grubby") ? AFTER_ENTRY
									: NULL;
}

static void parse_file(struct recipes *recipes, const char *sysroot, const char *file,
		       const struct place *place, recipe_parser parse)
{
	size_t before = recipes->count;
	struct text bytes;

	if (!read_one(recipes, sysroot, file, &bytes))
		return;
	parse(recipes, file, bytes);
	for (size_t i = before; i < recipes->count; i++) {
		struct recipe *r = &recipes->items[i];

		r->after = is_by_grubby(place) ? after_entry(recipes, sysroot)
					       : place->after;
		if (r->fate == RECIPE_DELETE && is_vendor(file)) {
			r->fate = RECIPE_STAY;
			r->note = "it belongs to the distribution, and does no harm";
		}
	}
}

/* Names of files that somebody has put aside on purpose. */
static bool is_put_aside(const char *name)
{
	static const char *const suffixes[] = {
		"~",	".bak",	     ".old",	   ".orig",	".save",     ".disabled",
		".off", ".example",  ".rpmnew",	   ".rpmsave",	".pacnew",   ".pacsave",
		".swp", ".dpkg-old", ".dpkg-dist", ".dpkg-new", ".dpkg-bak", "README",
	};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (text_has_suffix(text_of(name), suffixes[i]))
			return true;
	return false;
}

/* Pain 16: a file without .conf is passed over in silence. */
static void check_suffix(struct recipes *recipes, const char *sysroot,
			 const struct place *place, const char *file)
{
	size_t before = recipes->count, findings;
	struct text bytes;

	if (!place->is_strict || is_put_aside(file) ||
	    !read_one(recipes, sysroot, file, &bytes) || !text_has_part(bytes, "vfio"))
		return;
	recipe_find(
		recipes, LINT_SUFFIX, file, 0,
		"its name does not end in %s, so no program reads it: rename or delete it",
		place->suffix);
	findings = recipes->finding_count;
	place->parse(recipes, file, bytes);
	recipes_offer(recipes, before, findings);
}

static void add_name(struct recipes *recipes, struct listing *listing, const char *name,
		     size_t folder)
{
	/* A folder that comes earlier takes the place of this one. */
	for (size_t i = 0; i < listing->count; i++)
		if (strcmp(listing->names[i].name, name) == 0)
			return;
	if (listing->count == NAMES_MAX) {
		recipes->is_cut = true;
		return;
	}
	name = arena_copy(recipes->arena, text_of(name));
	if (name)
		listing->names[listing->count++] = (struct name){name, folder};
	else
		recipes->is_cut = true;
}

static void list_folder(struct recipes *recipes, const char *sysroot,
			const struct place *place, size_t folder, struct listing *listing)
{
	const char *path = path_below(recipes->arena, sysroot, place->folders[folder]);
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;

	if (!dir) {
		if (path && errno != ENOENT && errno != ENOTDIR)
			fail(recipes, place->folders[folder], -errno);
		return;
	}
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			add_name(recipes, listing, entry->d_name, folder);
	(void)closedir(dir);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->name, ((const struct name *)b)->name);
}

static void read_folders(struct recipes *recipes, const char *sysroot,
			 const struct place *place)
{
	struct listing *listing = arena_alloc(recipes->arena, 1, sizeof(*listing));

	if (!listing) {
		recipes->is_cut = true;
		return;
	}
	for (size_t i = 0; i < FOLDERS_MAX && place->folders[i]; i++)
		list_folder(recipes, sysroot, place, i, listing);
	qsort(listing->names, listing->count, sizeof(*listing->names), compare_names);
	for (size_t i = 0; i < listing->count; i++) {
		const struct name *n = &listing->names[i];
		const char *file = arena_printf(recipes->arena, "%s/%s",
						place->folders[n->folder], n->name);

		if (!file)
			recipes->is_cut = true;
		else if (!text_has_suffix(text_of(n->name), place->suffix))
			check_suffix(recipes, sysroot, place, file);
		else
			parse_file(recipes, sysroot, file, place,
				   n->folder >= 2 && place->parse_vendor
					   ? place->parse_vendor
					   : place->parse);
	}
}

/* modprobe.d: the folders that the binder reads as well. */
static void read_modprobe(struct recipes *recipes, const char *sysroot)
{
	struct place place = {
		.suffix = ".conf",
		.parse = recipe_parse_modprobe,
		.parse_vendor = recipe_parse_modprobe_vendor,
		.is_strict = true,
	};

	_Static_assert(ARRAY_SIZE(modprobe_folders) <= FOLDERS_MAX, "a folder each");
	memcpy(place.folders, modprobe_folders, sizeof(modprobe_folders));
	read_folders(recipes, sysroot, &place);
}

/* Each folder of the first one is a place of its own. */
static void read_deep(struct recipes *recipes, const char *sysroot,
		      const struct place *place)
{
	struct listing *listing = arena_alloc(recipes->arena, 1, sizeof(*listing));
	struct place inner = *place;

	if (!listing) {
		recipes->is_cut = true;
		return;
	}
	list_folder(recipes, sysroot, place, 0, listing);
	qsort(listing->names, listing->count, sizeof(*listing->names), compare_names);
	for (size_t i = 0; i < listing->count; i++) {
		inner.folders[0] =
			arena_printf(recipes->arena, "%s/%s", place->folders[0],
				     listing->names[i].name);
		if (!inner.folders[0])
			recipes->is_cut = true;
		else
			read_folders(recipes, sysroot, &inner);
	}
}

static bool was_read(const struct recipes *recipes, const char *file)
{
	for (size_t i = 0; i < recipes->count; i++)
		if (strcmp(recipes->items[i].file, file) == 0)
			return true;
	return false;
}

/* Who runs a program that was understood has nothing of its own to say. */
static void settle_callers(struct recipes *recipes, const char *program)
{
	for (size_t i = 0; i < recipes->count; i++) {
		struct recipe *r = &recipes->items[i];

		if (r->kind != RECIPE_SCRIPT || r->fate != RECIPE_LOOK ||
		    !text_has_part(r->text, program))
			continue;
		r->fate = RECIPE_STAY;
		r->note =
			"it runs a program whose devices are in the rules: keep it until "
			"an image with the rules has booted";
	}
}

/* The programs that files run to choose devices. */
static void read_programs(struct recipes *recipes, const char *sysroot)
{
	for (size_t i = 0; i < recipes->program_count; i++) {
		const char *file = recipes->programs[i];
		size_t before = recipes->count;
		bool is_clear = true;
		struct text bytes;

		if (was_read(recipes, file) || !read_one(recipes, sysroot, file, &bytes))
			continue;
		recipe_parse_script(recipes, file, bytes);
		for (size_t k = before; k < recipes->count; k++)
			is_clear &= recipes->items[k].fate != RECIPE_LOOK;
		if (is_clear && recipes->count > before)
			settle_callers(recipes, file);
	}
}

/* The file that ukify's settings name. */
static void read_words(struct recipes *recipes, const char *sysroot)
{
	static const struct place place = {.after = AFTER_UKIFY};

	if (recipes->words_file && !was_read(recipes, recipes->words_file))
		parse_file(recipes, sysroot, recipes->words_file, &place,
			   recipe_parse_plain_cmdline);
}

/* /etc/pve/local is a link to nodes/NAME. */
static const char *read_node(struct arena *arena, const char *sysroot)
{
	const char *path = path_below(arena, sysroot, "/etc/pve/local"), *slash;
	char target[256];
	ssize_t n = path ? readlink(path, target, sizeof(target) - 1) : -1;

	if (n <= 0 || n == (ssize_t)sizeof(target) - 1)
		return NULL;
	target[n] = '\0';
	slash = strrchr(target, '/');
	return arena_copy(arena, text_of(slash ? slash + 1 : target));
}

void recipes_read_files(struct recipes *recipes, const char *sysroot)
{
	recipes->node = read_node(recipes->arena, sysroot);
	read_modprobe(recipes, sysroot);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct place *place = &places[i];

		if (place->suffix) {
			(place->is_deep ? read_deep : read_folders)(recipes, sysroot,
								    place);
			continue;
		}
		for (size_t k = 0; k < FOLDERS_MAX && place->folders[k]; k++)
			parse_file(recipes, sysroot, place->folders[k], place,
				   place->parse);
	}
	recipe_parse_sources(recipes);
	read_programs(recipes, sysroot);
	read_words(recipes, sysroot);
}
