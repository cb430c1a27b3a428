/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recipes: what a machine's files already say about passing devices through, in the forms of
 * other tools. Found, turned into selectors where that is possible, and criticised.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "inventory.h"
#include "iommu.h"
#include "policy.h"
#include "selector.h"
#include "shell_assign.h"
#include "text.h"
#include "world.h"

#define RECIPES_MAX	    1024
#define RECIPE_FINDINGS_MAX 512
#define RECIPE_PROGRAMS_MAX 32
#define RECIPE_SOURCES_MAX  64
#define RECIPE_FILE_MAX	    ((size_t)1024 * 1024)

enum recipe_kind {
	RECIPE_IDS, /* an ID list of vfio-pci or pci-stub, an alias of vfio-pci */
	RECIPE_ADDRESS, /* devices by address: driverctl, Unraid, Proxmox, libvirt, Xen */
	RECIPE_ORDER, /* vfio-pci before another driver (softdep), or all (rd.driver.pre) */
	RECIPE_BLACKLIST, /* another driver is kept out */
	RECIPE_LOAD, /* vfio modules that are put into the image or loaded early */
	RECIPE_OPTION, /* an option of vfio that is no rule */
	RECIPE_KERNEL, /* a parameter of the kernel: IOMMU, framebuffer */
	RECIPE_SCRIPT, /* a program that somebody wrote for it */
};

/* What becomes of it once earlybind has the rules. */
enum recipe_fate {
	RECIPE_DELETE, /* it can be deleted */
	RECIPE_STAY, /* it is needed as before, or by another program */
	RECIPE_LOOK, /* it cannot be turned into rules: somebody must look */
};

/* What to delete: all of the line, some words of it, or all of the file. */
enum recipe_extent {
	RECIPE_LINE,
	RECIPE_WORDS,
	RECIPE_FILE,
};

struct recipe {
	const char *file; /* as users know it: without the sysroot */
	unsigned line; /* from 1; 0 for the whole file */
	struct text text; /* the line, parameter or word */
	enum recipe_kind kind;
	enum recipe_fate fate;
	enum recipe_extent extent;
	const char *note; /* why it stays, or what it is; NULL for nothing to say */
	const char *after; /* what to do when the file was changed; NULL for nothing */
	bool is_cmdline; /* stands on a kernel command line */
	bool is_generated; /* another file is its source, as of grub.cfg */
	bool is_repeated; /* the same stands in an earlier boot entry or in the source */
	bool is_running; /* it is of this boot: /proc/cmdline, a driver that is bound */
	bool is_late; /* the device is not there when the initramfs runs */
	bool is_unrelated; /* for the judgement alone: it passes no device */
	bool is_replaced; /* it has no effect: another one takes its place */
	/* It has no effect: why the boot loader of this boot does not read it; or NULL. */
	const char *other_loader;
	const char *options; /* of the rules that mean the same: "driver=NAME"; or NULL */
	/* RECIPE_BLACKLIST, RECIPE_ORDER: the other driver. RECIPE_IDS: whose parameter it is;
	 * empty for an alias, which has no effect alone. */
	struct text module;
	struct text variable; /* of a shell's file, that it was assigned to */
	struct selector *selectors; /* the same as rules; none for most kinds */
	size_t selector_count;
};

enum recipe_lint {
	LINT_STALE_MODULE, /* vfio_virqfd */
	LINT_SUFFIX, /* a file without .conf is not read */
	LINT_BLANKS, /* dracut: no blank inside the quotes */
	LINT_IDS, /* a list of IDs that is probably not what was meant */
	LINT_IDS_LENGTH, /* more than vfio-pci takes */
	LINT_IDS_SEVERAL, /* an ID that several devices have */
	LINT_BLACKLIST, /* other devices need the driver */
	LINT_ORDER, /* an order that does not hold */
	LINT_BUILT_IN, /* vfio-pci is built in */
	LINT_NAME, /* a misspelt module or parameter */
	LINT_IOMMU_OFF, /* a parameter that keeps it off */
	LINT_NO_EFFECT, /* nobody reads it, or something replaces it */
	LINT_SYNTAX, /* a line that its reader ignores */
	LINT_NOT_UNDERSTOOD, /* a shell's assignment: no rule can be made of it */
	LINT_GENERATED, /* a generated file does not say what its source says */
	LINT_UNREAD, /* a file that could not be read */
};

struct recipe_finding {
	enum recipe_lint lint;
	const char *file;
	unsigned line; /* 0 for the whole file */
	unsigned column; /* 0 for the whole line */
	const char *message; /* cause and remedy, without the place */
};

/* A file of a configuration that is made of several. */
struct recipe_source {
	const char *file;
	struct text bytes;
};

struct recipes {
	struct arena *arena;
	struct shell grub; /* what has read GRUB's settings */
	enum shell_dialect dialect; /* of /bin/sh */
	enum iommu_maker maker; /* of this machine's IOMMU */
	const struct policy *policy; /* of the configuration; NULL: none is known */
	struct recipe_source sources[RECIPE_SOURCES_MAX]; /* of NixOS */
	size_t source_count;
	const char *node; /* of a Proxmox cluster, this machine's name; NULL if unknown */
	struct recipe *items; /* in the order of files and lines */
	size_t count;
	struct recipe_finding *findings;
	size_t finding_count;
	const char *
		words_file; /* with a command line, which ukify's settings name; or NULL */
	const char *programs[RECIPE_PROGRAMS_MAX]; /* that the files run */
	size_t program_count;
	bool has_boot_menu; /* a generated file with command lines in it: grub.cfg */
	bool is_cut; /* a limit was passed: not all of them are here */
};

/*
 * Reads all that is known below @sysroot (NULL for /), and judges it by the machine @world of
 * the same root and by the rules of @policy. -ENOMEM if @arena is too small; what cannot be read is
 * a finding.
 */
int recipes_read(struct world *world, const char *sysroot, const struct policy *policy,
		 struct arena *arena, struct recipes *ret) must_check nonnull(1, 3, 4, 5);

/*
 * Adds the devices that a driver for virtual machines has now, unless a recipe or a rule of
 * @policy names them or earlybind bound them itself.
 */
void recipes_add_bound(struct recipes *recipes, struct world *world,
		       const struct inventory *inventory, const struct policy *policy)
	nonnull(1, 2, 3, 4);

/* For the inventory of a machine that recipes are judged by: all functions, with their paths. */
unsigned recipes_filter(const void *arg, const struct pci_device *device) nonnull(2);

/* Whether one of the selectors names the device. */
bool recipe_has_match(const struct recipe *recipe, const struct pci_device *device)
	nonnull(1, 2);

/* Whether it says what earlybind should do: it is in force, and no copy of another. */
bool recipe_is_effective(const struct recipe *recipe) nonnull(1);

/* "/etc/modprobe.d/vfio.conf:3", or the file alone. NULL without memory. */
const char *recipe_place(const struct recipes *recipes, const struct recipe *recipe)
	nonnull(1, 2);

/* "ids", "stale-module" and so on, for scripts. */
const char *recipe_kind_name(enum recipe_kind kind);
const char *recipe_fate_name(enum recipe_fate fate);
const char *recipe_lint_name(enum recipe_lint lint);
