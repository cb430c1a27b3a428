/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the boot loaders of a machine start: the entries of their own files. Reads only, and
 * mounts nothing.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"
#include "world.h"

#define BOOT_ENTRIES_MAX 256
#define BOOT_INITRDS_MAX 8

enum boot_entry_kind {
	BOOT_ENTRY_SPECIFICATION, /* a file in loader/entries */
	BOOT_ENTRY_GRUB, /* a menuentry of grub.cfg */
	BOOT_ENTRY_SYSLINUX, /* a label of extlinux.conf or syslinux.cfg */
	BOOT_ENTRY_UKI, /* a file in EFI/Linux */
};

/* Paths are as the loader's file has them until boot_entries_find() has resolved them. */
struct boot_entry {
	enum boot_entry_kind kind;
	const char *source; /* the loader's file, as users know it */
	const char *title; /* or NULL */
	const char *version; /* or NULL */
	const char *kernel; /* the file of the kernel, or the UKI; or NULL */
	const char *options; /* "" for none */
	const char *initrds[BOOT_INITRDS_MAX];
	size_t initrd_count;
	bool is_uki;
};

struct boot_entries {
	struct boot_entry items[BOOT_ENTRIES_MAX];
	size_t count;
	bool is_cut; /* there are more, or a file was too large */
	bool has_unmounted; /* proxmox-boot-tool's partitions, of which none is mounted */
};

/*
 * The key of a line of an entry of the Boot Loader Specification, and what follows it. False for
 * an empty line and a comment.
 */
bool boot_entry_line(struct text line, struct text *ret_key, struct text *ret_value)
	nonnull(2, 3);

/* Parsers: the entries in @bytes are added. A path with ".." counts as none. -ENOMEM. */
int boot_entries_add_specification(struct boot_entries *entries, struct arena *arena,
				   const char *source, struct text bytes) must_check
	nonnull(1, 2, 3);
int boot_entries_add_grub(struct boot_entries *entries, struct arena *arena,
			  const char *source, struct text bytes) must_check
	nonnull(1, 2, 3);
int boot_entries_add_syslinux(struct boot_entries *entries, struct arena *arena,
			      const char *source, struct text bytes) must_check
	nonnull(1, 2, 3);

/*
 * The command line that the UKI @file boots with: its own, @cmdline, with those of the addons
 * beside it and of its partition. An addon for another kernel than @version (or NULL) counts
 * as none.
 */
const char *boot_uki_options(const char *file, struct arena *arena, const char *version,
			     const char *cmdline) nonnull(1, 2, 4);

/* All entries below @sysroot (NULL for /), their paths resolved. -ENOMEM. */
int boot_entries_find(const char *sysroot, struct arena *arena,
		      struct boot_entries *ret) must_check nonnull(2, 3);

/* ---- the firmware's entries ---- */

struct efi_entry {
	unsigned number; /* of BootXXXX */
	const char *label;
	unsigned partition; /* of the program's disk, from 1; 0 if it is not told */
	const char *program; /* "\vmlinuz-linux"; NULL if it is not told */
	const char *options; /* what the program is given, as UTF-16; "" for none */
};

/*
 * An EFI_LOAD_OPTION (UEFI 2.10, 3.1.3), behind the 4 bytes of attributes that efivarfs has in
 * front. Leaves the number alone. -EBADMSG if it is damaged; -ENOMEM.
 */
int efi_entry_parse(struct text bytes, struct arena *arena,
		    struct efi_entry *ret) must_check nonnull(2, 3);

/* The variable of an entry, below /sys. NULL without memory. */
const char *efi_entry_name(struct arena *arena, unsigned number) nonnull(1);

/* That of this boot. -ENOENT where there is none; -errno. */
int efi_entry_read(struct world *world, struct arena *arena,
		   struct efi_entry *ret) must_check nonnull(1, 2, 3);
