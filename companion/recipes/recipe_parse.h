/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parsers of recipe.h: bytes in, recipes out. They never fail: what they do not understand
 * is left out or a finding. @bytes and @file must live as long as the recipes.
 */
#pragma once

#include "kernel_cmdline.h"
#include "recipe.h"

/* Empty recipes. -ENOMEM. */
int recipes_init(struct recipes *recipes, struct arena *arena) must_check nonnull(1, 2);

/* ---- for the parsers ---- */

/* Without the machine; its kernels may have the module. */
#define RECIPE_VIRQFD_MESSAGE \
	"there is no module vfio_virqfd since Linux 6.2, it is a part of vfio: remove " \
	"the word"

/* Systems that are made of one configuration, also the entries of their boot loader. */
#define RECIPE_CONFIGURED \
	"it is for this system's configuration: once an image with the rules has booted, " \
	"remove it there and run "
#define RECIPE_NIX_NOTE	 RECIPE_CONFIGURED "\"nixos-rebuild boot\""
#define RECIPE_GUIX_NOTE RECIPE_CONFIGURED "\"guix system reconfigure\""

/* What xen-pciback hides, by its own parameter or that of Qubes. */
#define RECIPE_XEN_OPTIONS "driver=xen-pciback"
#define RECIPE_XEN_NOTE \
	"xen-pciback takes it by this parameter; the rule does the same earlier, and " \
	"reports the result: both may stay"

/* A copy of @recipe among the others, or one that is thrown away if there is no room. */
struct recipe *recipe_add(struct recipes *recipes, const struct recipe *recipe)
	nonnull(1, 2);

/* Adds a selector; -ENOMEM sets is_cut. */
void recipe_add_selector(struct recipes *recipes, struct recipe *recipe,
			 const struct selector *selector) nonnull(1, 2, 3);

void recipe_find(struct recipes *recipes, enum recipe_lint lint, const char *file,
		 unsigned line, const char *format, ...) nonnull(1, 3, 5)
	printf_like(5, 6);

/* The same with the column. */
void recipe_find_at(struct recipes *recipes, enum recipe_lint lint, const char *file,
		    struct shell_place place, const char *format, ...) nonnull(1, 3, 5)
	printf_like(5, 6);

/* A parameter as it stands in @all, with its quotes. */
struct text recipe_word(struct text all, const struct cmdline_arg *arg) nonnull(2);

/*
 * The IDs of a word that is none of a list, because a blank stands before it, or before its comma:
 * "10de:10f0", ",10de:10f0". p is NULL if it is something else; n is 0 for a comma alone.
 */
struct text recipe_stray_ids(const struct cmdline_arg *arg) nonnull(1);

/* Turns the value of an "ids" parameter into selectors, with vfio-pci's own tolerance. */
void recipe_add_ids(struct recipes *recipes, struct recipe *recipe, struct text value)
	nonnull(1, 2);

/* An address as people write it, and perhaps an ID. False if it is none. */
bool recipe_add_address(struct recipes *recipes, struct recipe *recipe,
			struct text address, struct text id) nonnull(1, 2);

/*
 * Takes the next line off @rest, joined with those that follow a backslash at its end, and
 * counts up @line by what was taken. @ret_first is the number of its first line.
 */
bool recipe_line(struct recipes *recipes, struct text *rest, unsigned *line,
		 unsigned *ret_first, struct text *ret) nonnull(1, 2, 3, 4, 5);

/* Whether an ID begins @t: "10de:1b80", and what follows it. */
bool text_is_id_like(struct text t);

bool text_has_part(struct text t, const char *part) nonnull(2);

/* "vfio_pci" and its like; '-' is '_'. */
bool module_is_vfio(struct text name);

/* A finding for a name that looks like a module of vfio and is none. True if it is one. */
bool recipe_check_module(struct recipes *recipes, const char *file, unsigned line,
			 struct text name) nonnull(1, 2);

/*
 * Adds @base, an option of one of vfio's modules, or says that the module has no such
 * parameter. A list of IDs is a rule then.
 */
void recipe_check_parameter(struct recipes *recipes, struct recipe base,
			    struct text module, struct text name, struct text value)
	nonnull(1);

/*
 * A word of a list of modules: one of vfio is a recipe. Another one that the list has loaded before
 * vfio-pci, @is_loaded, is for recipes_judge() alone, which drops it.
 */
void recipe_take_module(struct recipes *recipes, const char *file, unsigned line,
			struct text word, bool is_loaded) nonnull(1, 2);

/* What a file loads before its line of vfio-pci, for recipes_judge(). */
void recipe_add_early(struct recipes *recipes, const char *file, unsigned line,
		      struct text module) nonnull(1, 2);

/* Drivers that take a device away from the host; any other one uses it. */
bool driver_is_for_others(struct text driver);

/* The value of xen-pciback's "hide": "(0000:01:00.0)(01:00.1)". */
void recipe_add_xen(struct recipes *recipes, struct recipe recipe, struct text value)
	nonnull(1);

/* A word "(01:00.1)", which a blank has cut off from the value before it. False: another word. */
bool recipe_take_stray_xen(struct recipes *recipes, struct recipe recipe,
			   const struct cmdline_arg *arg) nonnull(1, 3);

/*
 * What QEMU is told: "vfio-pci,host=0000:01:00.0,...", or sysfsdev= with a path; also as JSON. Adds
 * @recipe with each address behind a "vfio-pci", if there is one.
 */
void recipe_add_qemu(struct recipes *recipes, struct recipe recipe, struct text text)
	nonnull(1);

/* What rules of earlybind need to bind to @driver: "driver=NAME", or NULL for vfio-pci. */
const char *recipe_driver_options(struct recipes *recipes, struct text driver) nonnull(1);

/*
 * The list of "modprobe vfio-pci ids=LIST", also of pci-stub, wherever its options stand.
 * False if @command is another one.
 */
bool recipe_take_modprobe(struct text command, struct text *ret_module,
			  struct text *ret_ids) nonnull(2, 3);

/* Has the program that @command begins with read as a script, too. */
void recipe_follow(struct recipes *recipes, struct text command) nonnull(1);

/*
 * The rules do the same as the recipes from @before on, whose file is not for hands to change: they
 * stay, and @note says where they are taken out.
 */
void recipes_keep(struct recipes *recipes, size_t before, const char *note) nonnull(1, 3);

/*
 * Nobody reads the line that gave the recipes from @before on, and the findings from @findings on:
 * of all of them only the IDs stay, which were meant, and are offered.
 */
void recipes_offer(struct recipes *recipes, size_t before, size_t findings) nonnull(1);

/* ---- formats ---- */

/* modprobe.d: of the machine's owner, and of the distribution, whose blacklists are none. */
void recipe_parse_modprobe(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_modprobe_conf(struct recipes *recipes, const char *file,
				struct text bytes) nonnull(1, 2);
void recipe_parse_modprobe_vendor(struct recipes *recipes, const char *file,
				  struct text bytes) nonnull(1, 2);

/* Whether GRUB makes a kernel command line of the variable of that name. */
bool recipe_is_grub_variable(struct text name);

/* The words of a kernel command line that stands in line @line. */
void recipe_parse_cmdline(struct recipes *recipes, const char *file, unsigned line,
			  struct text words) nonnull(1, 2);

/* Files of boot loaders and of what feeds them. */
void recipe_parse_grub_default(struct recipes *recipes, const char *file,
			       struct text bytes) nonnull(1, 2);
void recipe_parse_grub_cfg(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_entry(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_syslinux(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_plain_cmdline(struct recipes *recipes, const char *file,
				struct text bytes) nonnull(1, 2);

void recipe_parse_grub_custom(struct recipes *recipes, const char *file,
			      struct text bytes) nonnull(1, 2);
void recipe_parse_keyed(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_xen_cfg(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_ukify(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_refind_linux(struct recipes *recipes, const char *file,
			       struct text bytes) nonnull(1, 2);
void recipe_parse_kernelstub(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_bootc(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_nix(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
/* Keeps it for recipe_parse_sources(), which knows the names of all of them. */
void recipe_keep_nix(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_sources(struct recipes *recipes) nonnull(1);
void recipe_parse_guix(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);

/* What goes into an image, or is loaded at boot. */
void recipe_parse_modules(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_dracut(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_sysconfig(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_booster(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_openrc(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_mkinitcpio(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_script(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_init_script(struct recipes *recipes, const char *file,
			      struct text bytes) nonnull(1, 2);

void recipe_parse_crontab(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_unit(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_udev(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_talos(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_tmpfiles(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_sysfs(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);

/* Devices by address. */
void recipe_parse_driverctl(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_unraid(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_proxmox_vm(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_proxmox_mapping(struct recipes *recipes, const char *file,
				  struct text bytes) nonnull(1, 2);
void recipe_parse_libvirt(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_incus(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);

void recipe_parse_dpdk(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_vpp(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);
void recipe_parse_truenas(struct recipes *recipes, const char *file, struct text bytes)
	nonnull(1, 2);

/* ---- the rest of recipes_read() ---- */

/* Reads all files below @sysroot. */
void recipes_read_files(struct recipes *recipes, const char *sysroot) nonnull(1);

/* Of a parameter of this boot that no file sets, until the place where it stands is known. */
extern const char recipe_running_note[];

/* Adds the kernel parameters of this boot, behind the files. */
void recipes_read_running(struct recipes *recipes, struct world *world) nonnull(1, 2);

/* What of it has no effect, and what the machine below @sysroot (NULL for /) says to it. -ENOMEM. */
int recipes_judge(struct recipes *recipes, struct world *world,
		  const char *sysroot) must_check nonnull(1, 2);
