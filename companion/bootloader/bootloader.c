/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bootloader.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot_entries.h"
#include "files.h"
#include "installed.h"
#include "paths.h"
#include "text.h"

#define SCRIPT_SIZE_MAX ((size_t)256 * 1024)
#define CMDLINE_MAX	((size_t)64 * 1024)
#define VARIABLE_MAX	512

struct search {
	struct world *world;
	const char *sysroot;
	struct arena *arena;
	struct bootloader *loader;
};

static bool exists(const struct search *s, const char *path)
{
	const char *file = path_below(s->arena, s->sysroot, path);
	struct stat st;

	return file && stat(file, &st) == 0;
}

static bool has_program(const struct search *s, const char *name)
{
	return installed_has_program(s->sysroot, s->arena, name);
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n > k && strcmp(name + n - k, suffix) == 0;
}

/* The first folder with entries. */
static const char *find_entries(const struct search *s)
{
	static const char *const folders[] = {ENTRIES_FOLDERS};
	const char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(folders) && !found; i++) {
		const char *file = path_below(s->arena, s->sysroot, folders[i]);
		DIR *d = file ? opendir(file) : NULL;
		struct dirent *e;

		while (d && !found && (e = readdir(d)))
			if (has_suffix(e->d_name, ".conf") &&
			    strcmp(e->d_name, ENTRY_NAME) != 0)
				found = folders[i];
		if (d)
			closedir(d);
	}
	return found;
}

/* Debian's grub-mkconfig reads the folder, GNU's does not. */
static bool is_grub_folder_read(const struct search *s)
{
	static const char *const scripts[] = {"grub-mkconfig", "grub2-mkconfig"};
	static const char *const folders[] = {PROGRAM_FOLDERS};
	struct text text;

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
		for (size_t k = 0; k < ARRAY_SIZE(folders); k++) {
			const char *path =
				arena_printf(s->arena, "%s/%s", folders[k], scripts[i]);
			const char *file =
				path ? path_below(s->arena, s->sysroot, path) : NULL;

			if (file &&
			    file_read(file, s->arena, SCRIPT_SIZE_MAX, &text, NULL) == 0)
				return memmem(text.p, text.n, "default/grub.d",
					      sizeof("default/grub.d") - 1) != NULL;
		}
	/* It is not at hand: who has the folder has Debian's. */
	return true;
}

static bool has_part(struct text text, const char *part)
{
	return text.n > 0 && memmem(text.p, text.n, part, strlen(part)) != NULL;
}

bool loader_info_is_systemd_boot(struct text variable)
{
	static const char name[] = {'s', 0,   'y', 0,	's', 0,	  't',
				    0,	 'e', 0,   'm', 0,   'd', 0};

	return variable.n > 0 && memmem(variable.p, variable.n, name, sizeof(name));
}

/*
 * What started this kernel: GRUB says BOOT_IMAGE=, systemd-boot sets a variable of EFI, and names
 * the initrd with backslashes.
 */
static void read_start(struct search *s, struct bootloader_facts *f)
{
	struct text text;

	if (file_read_world(s->world, WORLD_PROC, "cmdline", s->arena, CMDLINE_MAX,
			    &text) == 0) {
		f->is_by_grub = has_part(text, "BOOT_IMAGE=");
		f->is_by_stub = has_part(text, "initrd=\\");
	}
	if (file_read_world(s->world, WORLD_SYS, LOADER_INFO, s->arena, VARIABLE_MAX,
			    &text) == 0 &&
	    loader_info_is_systemd_boot(text)) {
		f->is_by_stub = f->is_by_systemd_boot = true;
		f->is_by_grub = false;
	}
}

/* ---- files with command lines ---------------------------------------------------------- */

struct line_place {
	const char *file, *name;
	enum line_form form;
	/* What makes the file anew, of which setting in which file; NULL for none. */
	const char *settings, *program;
	struct loader_setting setting;
};

#define SHELL_SETTING(name, first) \
	{ \
		.variable = (name), .key = (name), .opening = (first), .closing = "\"" \
	}
#define U_BOOT_SETTING	 SHELL_SETTING("U_BOOT_PARAMETERS", "U_BOOT_PARAMETERS=\"ro quiet ")
#define EXTLINUX_SETTING SHELL_SETTING("default_kernel_opts", "default_kernel_opts=\"")
#define LIMINE_SETTING \
	SHELL_SETTING("KERNEL_CMDLINE[default]", "KERNEL_CMDLINE[default]+=\" ")

/*
 * A file of settings alone counts only with the program that reads it. raspi-firmware is what
 * Debian's image has: it writes cmdline.txt with each initramfs.
 */
static const struct line_place line_places[] = {
	{"/boot/extlinux/extlinux.conf", "extlinux", LINE_APPEND, "/etc/default/u-boot",
	 "u-boot-update", U_BOOT_SETTING},
	{"/extlinux/extlinux.conf", "extlinux", LINE_APPEND, NULL, NULL, {0}},
	{"/boot/extlinux.conf", "extlinux", LINE_APPEND, "/etc/update-extlinux.conf",
	 "update-extlinux", EXTLINUX_SETTING},
	{"/boot/syslinux/syslinux.cfg", "syslinux", LINE_APPEND, NULL, NULL, {0}},
	{"/boot/limine.conf", "Limine", LINE_LIMINE, "/etc/default/limine",
	 "limine-update", LIMINE_SETTING},
	{"/boot/limine/limine.conf", "Limine", LINE_LIMINE, NULL, NULL, {0}},
	{"/efi/limine.conf", "Limine", LINE_LIMINE, "/etc/default/limine",
	 "limine-update", LIMINE_SETTING},
	{"/boot/efi/limine.conf", "Limine", LINE_LIMINE, "/etc/default/limine",
	 "limine-update", LIMINE_SETTING},
	{"/boot/EFI/limine/limine.conf", "Limine", LINE_LIMINE, NULL, NULL, {0}},
	{"/boot/EFI/BOOT/limine.conf", "Limine", LINE_LIMINE, NULL, NULL, {0}},
	{"/efi/EFI/BOOT/limine.conf", "Limine", LINE_LIMINE, NULL, NULL, {0}},
	{"/boot/efi/EFI/BOOT/limine.conf", "Limine", LINE_LIMINE, NULL, NULL, {0}},
	{"/efi/EFI/limine/limine.conf", "Limine", LINE_LIMINE, NULL, NULL, {0}},
	{"/boot/efi/EFI/limine/limine.conf", "Limine", LINE_LIMINE, NULL, NULL, {0}},
	{"/boot/limine.cfg", "Limine", LINE_LIMINE, NULL, NULL, {0}},
	{"/boot/limine/limine.cfg", "Limine", LINE_LIMINE, NULL, NULL, {0}},
	{"/boot/refind_linux.conf", "rEFInd", LINE_REFIND, NULL, NULL, {0}},
	{"/boot/efi/EFI/refind/refind.conf", "rEFInd", LINE_STANZA, NULL, NULL, {0}},
	{"/efi/EFI/refind/refind.conf", "rEFInd", LINE_STANZA, NULL, NULL, {0}},
	{"/boot/EFI/refind/refind.conf", "rEFInd", LINE_STANZA, NULL, NULL, {0}},
	{"/boot/firmware/cmdline.txt",
	 "the firmware of a Raspberry Pi",
	 LINE_PLAIN,
	 "/etc/default/raspi-firmware",
	 "update-initramfs",
	 {0}},
	{"/boot/cmdline.txt",
	 "the firmware of a Raspberry Pi",
	 LINE_PLAIN,
	 NULL,
	 NULL,
	 {0}},
};

#define RASPI_WORDS "/etc/default/raspi-extra-cmdline"

static bool has_booted_line(const struct search *s, const struct line_place *place)
{
	const char *file = path_below(s->arena, s->sysroot, place->file);
	const char *added = path_below(s->arena, s->sysroot, ADDED_FILE);
	struct text bytes, running, line, ours;

	if (!added || file_read(added, s->arena, CMDLINE_MAX, &ours, NULL) < 0)
		ours = TEXT("");
	if (!file || file_read(file, s->arena, CMDLINE_MAX, &bytes, NULL) < 0 ||
	    file_read_world(s->world, WORLD_PROC, "cmdline", s->arena, CMDLINE_MAX,
			    &running) < 0)
		return false;
	while (line_next(place->form, &bytes, &line))
		if (line_has_booted(line, running, ours))
			return true;
	return false;
}

/* The first one that started the running kernel, or else the first one. */
static void find_lines(struct search *s, struct bootloader_facts *f)
{
	const struct line_place *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(line_places) && !f->is_by_lines; i++) {
		const struct line_place *place = &line_places[i];

		if (!exists(s, place->file))
			continue;
		f->is_by_lines = has_booted_line(s, place);
		if (f->is_by_lines || !found)
			found = place;
	}
	if (!found)
		return;
	f->lines = found->file;
	s->loader->form = found->form;
	s->loader->name = found->name;
	if (!found->settings || !exists(s, found->settings) ||
	    !has_program(s, found->program))
		return;
	f->has_helper = f->is_by_lines;
	s->loader->file = found->setting.variable ? found->settings : RASPI_WORDS;
	s->loader->setting = found->setting;
	s->loader->program = found->program;
}

/*
 * ukify by itself: Cmdline= of its settings, or the file behind '@' there. kernel-install gives
 * it the words of /etc/kernel/cmdline instead (60-ukify.install: kernel_cmdline()).
 */
static void find_ukify(struct search *s, struct bootloader_facts *f)
{
	static const struct line_place by_install = {.file = KERNEL_CMDLINE};
	static const char *const settings[] = {UKIFY_FILES};

	for (size_t i = 0; i < ARRAY_SIZE(settings) && !f->is_by_ukify; i++) {
		struct line_place place = {.file = settings[i], .form = LINE_UKIFY};
		const char *file = path_below(s->arena, s->sysroot, place.file);
		struct text bytes, line;

		if (!file || file_read(file, s->arena, CMDLINE_MAX, &bytes, NULL) < 0 ||
		    !line_next(LINE_UKIFY, &bytes, &line))
			continue;
		if (text_has_prefix(line, "@")) {
			place.file = arena_copy(s->arena,
						(struct text){line.p + 1, line.n - 1});
			place.form = LINE_PLAIN;
		}
		if (!place.file || strcmp(place.file, KERNEL_CMDLINE) == 0 ||
		    place.file[0] != '/' || !has_booted_line(s, &place) ||
		    has_booted_line(s, &by_install))
			continue;
		f->is_by_ukify = true;
		f->lines = place.file;
		s->loader->form = place.form;
		s->loader->name = "ukify";
	}
}

/* CachyOS: its entries are made of LINUX_OPTIONS. */
static void find_sdboot_manage(struct search *s, struct bootloader_facts *f)
{
	static const char settings[] = "/etc/sdboot-manage.conf";

	if (f->has_helper || !f->is_by_stub || !exists(s, settings) ||
	    !has_program(s, "sdboot-manage"))
		return;
	f->has_helper = true;
	s->loader->name = "systemd-boot";
	s->loader->file = settings;
	s->loader->setting =
		(struct loader_setting)SHELL_SETTING("LINUX_OPTIONS", "LINUX_OPTIONS=\"");
	s->loader->program = "sdboot-manage gen";
}

/*
 * Systems that are made of one configuration, whose kernels are started with a word of their own:
 * the configuration may be somewhere else (a flake of NixOS), and there is no other way. And boot
 * loaders that count where no other one is set up.
 */
static const struct program_place {
	const char *word, *name, *file;
	const char *program;
	const char *command,
		*command_elsewhere; /* NULL: without the file it does not count */
	struct loader_setting setting;
} program_places[] = {
	{"init=/nix/store/",
	 "NixOS",
	 "/etc/nixos/configuration.nix",
	 NULL,
	 "nixos-rebuild boot",
	 "nixos-rebuild boot --flake FOLDER, with the folder of your flake",
	 {"the list boot.kernelParams", "kernelParams", "boot.kernelParams = [ ", " ];",
	  true, 0}},
	{"gnu.system=/gnu/store/",
	 "Guix",
	 "/etc/config.scm",
	 NULL,
	 "guix system reconfigure /etc/config.scm",
	 "guix system reconfigure FILE, with the file of your configuration",
	 {"the list kernel-arguments", "(kernel-arguments", "(kernel-arguments (cons* ",
	  " %default-kernel-arguments))", true, 0}},
	{NULL, "zipl", "/etc/zipl.conf", "zipl", "zipl", NULL,
	 SHELL_SETTING("parameters", "parameters=\"")},
	{NULL, "LILO", "/etc/lilo.conf", "lilo", "lilo", NULL,
	 SHELL_SETTING("append", "append=\"")},
};

static void find_program(struct search *s, struct bootloader_facts *f)
{
	bool is_alone = !f->has_helper && !f->has_grub && !f->has_file &&
			!f->has_entries && !f->lines;
	struct text running;

	if (file_read_world(s->world, WORLD_PROC, "cmdline", s->arena, CMDLINE_MAX,
			    &running) < 0)
		running = TEXT("");
	for (size_t i = 0; i < ARRAY_SIZE(program_places); i++) {
		const struct program_place *p = &program_places[i];
		bool has_file = exists(s, p->file);
		bool counts = p->word ? has_part(running, p->word)
				      : is_alone && has_program(s, p->program);

		if (!counts || (!has_file && !p->command_elsewhere))
			continue;
		f->has_helper = true;
		s->loader->name = p->name;
		s->loader->file = has_file ? p->file : NULL;
		s->loader->setting = p->setting;
		s->loader->program = has_file ? p->command : p->command_elsewhere;
		return;
	}
}

/* The line of the file in which the setting stands, but for remarks. */
static void find_setting(struct search *s)
{
	struct loader_setting *setting = &s->loader->setting;
	const char *file = s->loader->file && setting->key
				   ? path_below(s->arena, s->sysroot, s->loader->file)
				   : NULL;
	static const char *const leaders[] = {"export ", "boot."};
	struct text bytes, text;

	if (!file || file_read(file, s->arena, SCRIPT_SIZE_MAX, &bytes, NULL) < 0)
		return;
	for (unsigned line = 1; setting->line == 0 && text_cut(&bytes, '\n', &text);
	     line++) {
		text = text_trim(text);
		for (size_t i = 0; i < ARRAY_SIZE(leaders); i++)
			if (text_has_prefix(text, leaders[i]))
				text = (struct text){text.p + strlen(leaders[i]),
						     text.n - strlen(leaders[i])};
		if (text_has_prefix(text, setting->key))
			setting->line = line;
	}
}

/* What only a look at the boot tells from the others. */
static bool choose_by_boot(const struct bootloader_facts *f, enum bootloader_kind *ret,
			   const char **ret_why)
{
	if (f->has_kernelstub && f->is_by_stub) {
		*ret = LOADER_KERNELSTUB;
		*ret_why = "kernelstub makes the entries of systemd-boot";
		return true;
	}
	if (f->has_helper && !(f->is_by_grub && f->has_grub)) {
		*ret = LOADER_HELPER;
		*ret_why = "a program makes the boot loader's own file of its settings";
		return true;
	}
	if (f->is_by_lines && !f->is_by_systemd_boot && !(f->is_by_grub && f->has_grub)) {
		*ret = LOADER_LINES;
		*ret_why = "this boot has a command line of this file";
		return true;
	}
	if (f->has_grub && f->is_by_systemd_boot) {
		*ret = f->has_entries ? LOADER_ENTRIES : LOADER_UNKNOWN;
		*ret_why =
			"systemd-boot started the running kernel; GRUB is set up, too, "
			"and does not count then";
		return true;
	}
	return false;
}

/* What leaves no choice. */
static bool choose_first(const struct bootloader_facts *f, enum bootloader_kind *ret,
			 const char **ret_why)
{
	if (f->is_ostree) {
		*ret = LOADER_OSTREE;
		*ret_why =
			"this system comes as an image (ostree), and rpm-ostree keeps the "
			"parameters";
		return true;
	}
	if (f->is_by_ukify) {
		*ret = LOADER_LINES;
		*ret_why = "this boot has the command line of ukify's settings";
		return true;
	}
	return false;
}

/* ---- without a boot loader ---------------------------------------------------------------- */

static bool is_text(const char *options, struct text running)
{
	return text_is_same(text_trim(text_of(options)), text_trim(running));
}

/* The unified image whose own command line is that of this boot. */
static const char *find_image(struct search *s, struct text running)
{
	static struct boot_entries entries;

	if (boot_entries_find(s->sysroot, s->arena, &entries) < 0)
		return NULL;
	for (size_t i = 0; i < entries.count; i++)
		if (entries.items[i].is_uki && is_text(entries.items[i].options, running))
			return entries.items[i].kernel;
	return NULL;
}

/*
 * No settings are known that this boot has its command line from: it may be in a unified image,
 * or in an entry of the firmware.
 */
static void find_firmware(struct search *s)
{
	static const struct line_place file = {.file = KERNEL_CMDLINE};
	struct bootloader *l = s->loader;
	struct efi_entry entry;
	struct text running;

	if (file_read_world(s->world, WORLD_PROC, "cmdline", s->arena, CMDLINE_MAX,
			    &running) < 0 ||
	    text_trim(running).n == 0)
		return;
	l->image = find_image(s, running);
	if (l->image && l->facts.has_file && has_booted_line(s, &file)) {
		l->kind = LOADER_FILE;
		l->why = "the unified image of this boot has the command line of this "
			 "file";
	} else if (l->image) {
		l->kind = LOADER_FIRMWARE;
		l->why = "its section .cmdline is the command line of this boot";
	} else if (efi_entry_read(s->world, s->arena, &entry) == 0 &&
		   is_text(entry.options, running)) {
		l->kind = LOADER_FIRMWARE;
		l->entry = entry;
		l->why = "it has the command line of this boot";
	}
}

/* Pure: which of them counts, and a sentence that says why. */
static enum bootloader_kind bootloader_choose(const struct bootloader_facts *f,
					      const char **ret_why)
{
	enum bootloader_kind kind;

	if (choose_first(f, &kind, ret_why))
		return kind;
	if (f->has_file && f->is_by_stub) {
		*ret_why =
			"the running kernel was not started by GRUB, and kernel-install "
			"reads this file";
		return LOADER_FILE;
	}
	if (f->has_file && f->has_proxmox && !f->is_by_grub) {
		*ret_why = "proxmox-boot-tool reads it";
		return LOADER_FILE;
	}
	if (choose_by_boot(f, &kind, ret_why))
		return kind;
	if (f->has_grub && f->has_grubby && f->has_entries) {
		*ret_why = "GRUB reads entries here, and grubby changes all of them";
		return LOADER_GRUBBY;
	}
	if (f->has_grub) {
		*ret_why =
			f->is_by_grub && f->has_file
				? "GRUB started the running kernel; /etc/kernel/cmdline is "
				  "there, too, and does not count then"
			: f->has_file
				? "GRUB is set up; /etc/kernel/cmdline is there, too: "
				  "if systemd-boot starts this machine, the "
				  "parameters must go there"
			: f->is_by_grub ? "GRUB started the running kernel"
					: "GRUB is set up";
		return f->has_grub_folder ? LOADER_GRUB : LOADER_GRUB_FILE;
	}
	if (f->has_file) {
		*ret_why = f->has_proxmox ? "proxmox-boot-tool reads it"
					  : "kernel-install and the programs that make "
					    "unified images read it";
		return LOADER_FILE;
	}
	if (f->has_grubby && f->has_entries) {
		*ret_why = "grubby changes all entries";
		return LOADER_GRUBBY;
	}
	if (f->has_entries) {
		*ret_why = "no other file sets their parameters";
		return LOADER_ENTRIES;
	}
	*ret_why = f->lines
			   ? "the file that was found has no command line of this boot, "
			     "so another boot loader started it"
			   : "there is neither /etc/default/grub nor /etc/kernel/cmdline "
			     "nor an entry of a boot loader";
	return LOADER_UNKNOWN;
}

static void add_command(struct bootloader *l, const char *a, const char *b, const char *c,
			const char *d)
{
	const char *const words[LOADER_ARGUMENTS_MAX] = {a, b, c, d};

	if (l->command_count < LOADER_COMMANDS_MAX)
		memcpy(l->commands[l->command_count++], words, sizeof(words));
}

static void add_grub_commands(struct search *s)
{
	static const struct {
		const char *program, *config;
	} ways[] = {
		{"grub-mkconfig", "/boot/grub/grub.cfg"},
		{"grub2-mkconfig", "/boot/grub2/grub.cfg"},
	};

	if (has_program(s, "update-grub")) {
		add_command(s->loader, "update-grub", NULL, NULL, NULL);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (has_program(s, ways[i].program) && exists(s, ways[i].config))
			add_command(s->loader, ways[i].program, "-o", ways[i].config,
				    NULL);
}

static void add_file_commands(struct search *s)
{
	static struct installed found;

	if (s->loader->facts.has_proxmox) {
		add_command(s->loader, "proxmox-boot-tool", "refresh", NULL, NULL);
		return;
	}
	if (has_program(s, "mkinitcpio") && exists(s, "/etc/mkinitcpio.d")) {
		add_command(s->loader, "mkinitcpio", "-P", NULL, NULL);
		return;
	}
	if (!has_program(s, "kernel-install") ||
	    installed_find(s->sysroot, s->arena, &found) < 0)
		return;
	for (size_t i = 0; i < found.count; i++) {
		const char *kernel = found.items[i].kernel;
		const char *places[] = {
			arena_printf(s->arena, BOOT_PATH "/vmlinuz-%s", kernel),
			arena_printf(s->arena, MODULES_PATH "/%s/vmlinuz", kernel),
		};

		/* A kernel may have several images. */
		if (i > 0 && strcmp(kernel, found.items[i - 1].kernel) == 0)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(places); k++)
			if (places[k] && exists(s, places[k])) {
				add_command(s->loader, "kernel-install", "add", kernel,
					    places[k]);
				break;
			}
	}
}

static void set_names(struct search *s)
{
	struct bootloader *l = s->loader;

	/* Of a helper that does not count. */
	if (l->kind != LOADER_HELPER)
		l->file = NULL;
	switch (l->kind) {
	case LOADER_OSTREE:
		l->name = "rpm-ostree";
		break;
	case LOADER_GRUBBY:
		l->name = "grubby";
		break;
	case LOADER_GRUB:
		l->name = "GRUB";
		l->file = GRUB_DROP_IN;
		add_grub_commands(s);
		break;
	case LOADER_GRUB_FILE:
		l->name = "GRUB";
		l->file = GRUB_FILE;
		add_grub_commands(s);
		break;
	case LOADER_FILE:
		l->name = l->facts.has_proxmox ? "proxmox-boot-tool" : "kernel-install";
		l->file = KERNEL_CMDLINE;
		add_file_commands(s);
		break;
	case LOADER_ENTRIES:
		l->name = "entries";
		break;
	case LOADER_KERNELSTUB:
		l->name = "kernelstub";
		break;
	case LOADER_LINES:
		l->file = l->facts.lines;
		break;
	case LOADER_HELPER:
		break;
	case LOADER_FIRMWARE:
		l->name = "EFI";
		break;
	case LOADER_UNKNOWN:
		l->name = "unknown";
		break;
	}
}

void bootloader_find(struct world *world, const char *sysroot, struct arena *arena,
		     struct bootloader *ret)
{
	struct search s = {world, sysroot, arena, ret};
	struct bootloader_facts *f = &ret->facts;

	*ret = (struct bootloader){.entries = find_entries(&s)};
	f->is_ostree = exists(&s, RUN_PREFIX OSTREE_MARK);
	f->has_grubby = has_program(&s, "grubby");
	f->has_entries = ret->entries != NULL;
	f->has_grub = exists(&s, GRUB_FILE);
	f->has_grub_folder = exists(&s, GRUB_FOLDER) && is_grub_folder_read(&s);
	f->has_file = exists(&s, KERNEL_CMDLINE);
	f->has_proxmox = has_program(&s, "proxmox-boot-tool") && exists(&s, PROXMOX_MARK);
	f->has_kernelstub = has_program(&s, "kernelstub") &&
			    exists(&s, "/etc/kernelstub/configuration");
	read_start(&s, f);
	find_lines(&s, f);
	find_sdboot_manage(&s, f);
	find_program(&s, f);
	find_setting(&s);
	find_ukify(&s, f);
	ret->kind = bootloader_choose(f, &ret->why);
	if (!f->is_by_grub && (ret->kind == LOADER_UNKNOWN || ret->kind == LOADER_GRUB ||
			       ret->kind == LOADER_GRUB_FILE))
		find_firmware(&s);
	set_names(&s);
}

enum shell_dialect bootloader_shell(const char *sysroot, struct arena *arena)
{
	static const char *const places[] = {"/usr/bin/sh", "/bin/sh"};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char *file = path_below(arena, sysroot, places[i]);
		char target[256];
		ssize_t n = file ? readlink(file, target, sizeof(target)) : -1;

		if (n >= 4 && n < (ssize_t)sizeof(target) &&
		    memcmp(target + n - 4, "bash", 4) == 0 &&
		    (n == 4 || target[n - 5] == '/'))
			return SHELL_BASH;
	}
	return SHELL_SH;
}
