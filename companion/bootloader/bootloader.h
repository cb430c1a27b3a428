/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who gives the kernel its command line at the next boot, and where that is set.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "boot_entries.h"
#include "loader_files.h"
#include "shell_assign.h"
#include "world.h"

enum bootloader_kind {
	LOADER_UNKNOWN,
	LOADER_OSTREE, /* rpm-ostree kargs */
	LOADER_GRUBBY, /* grubby, on entries of the boot loader specification */
	LOADER_GRUB, /* a file of our own in /etc/default/grub.d */
	LOADER_GRUB_FILE, /* lines in /etc/default/grub */
	LOADER_FILE, /* /etc/kernel/cmdline */
	LOADER_ENTRIES, /* entries of the boot loader specification that somebody wrote */
	LOADER_KERNELSTUB, /* kernelstub */
	LOADER_LINES, /* the command lines of a file (loader_files.h) */
	LOADER_FIRMWARE, /* none: a unified image, or an entry of the firmware, has it */
	LOADER_HELPER, /* a file that a program makes the boot loader's own of */
};

/* What is there. */
struct bootloader_facts {
	bool is_ostree;
	bool has_grubby;
	bool has_entries; /* *.conf in a folder loader/entries */
	bool has_grub; /* /etc/default/grub */
	bool has_grub_folder; /* /etc/default/grub.d, and grub-mkconfig reads it */
	bool has_file; /* /etc/kernel/cmdline */
	bool has_proxmox; /* proxmox-boot-tool looks after the boot partitions */
	bool is_by_grub; /* what started the running kernel */
	bool is_by_stub;
	bool is_by_systemd_boot;
	bool has_kernelstub;
	bool has_helper; /* its boot loader started the running kernel */
	const char *lines; /* a file with command lines; NULL */
	bool is_by_lines; /* one of them is that of the running kernel */
	bool is_by_ukify; /* so is that of ukify's settings, and no other file's */
};

/* What takes the words in a file that is never changed here. */
struct loader_setting {
	const char
		*variable; /* as it is called in sentences; NULL: the file takes them */
	const char *key; /* what it begins with in the file */
	/* Around the words in a line of its own, where there is none yet. */
	const char *opening, *closing;
	bool is_list; /* each word is a string of its own */
	unsigned line; /* where it stands; 0: nowhere */
};

#define LOADER_COMMANDS_MAX  64
#define LOADER_ARGUMENTS_MAX 8

struct bootloader {
	struct bootloader_facts facts;
	enum bootloader_kind kind;
	const char *why;
	const char *name; /* "GRUB" */
	/* Where parameters go, as users know it; NULL: commands, or a file that is not known. */
	const char *file;
	const char *entries; /* the folder of the entries, or NULL */
	enum line_form form; /* LOADER_LINES: of the file */
	struct loader_setting setting; /* LOADER_HELPER */
	const char
		*image; /* LOADER_FIRMWARE: the unified image; NULL: the entry has it */
	struct efi_entry entry; /* LOADER_FIRMWARE */
	const char *program; /* LOADER_HELPER: to be run then */
	/* What makes a change of files known to the boot loader. */
	const char *commands[LOADER_COMMANDS_MAX][LOADER_ARGUMENTS_MAX];
	size_t command_count;
};

/* Looks at the machine below @sysroot (NULL for /), whose world @world is. */
void bootloader_find(struct world *world, const char *sysroot, struct arena *arena,
		     struct bootloader *ret) nonnull(1, 3, 4);

/* Whether LOADER_INFO, as efivarfs has it (UTF-16), names systemd-boot. */
bool loader_info_is_systemd_boot(struct text variable);

/* What runs GRUB's settings: bash only if /bin/sh is a link to it. */
enum shell_dialect bootloader_shell(const char *sysroot, struct arena *arena) nonnull(2);
