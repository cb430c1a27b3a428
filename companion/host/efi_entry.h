/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entry of the firmware that started this boot: a variable of EFI, as efibootmgr writes it.
 * A kernel that it starts without a boot loader has its command line from there.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "text.h"
#include "world.h"

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

/* That of this boot. -ENOENT where there is none; -errno. */
int efi_entry_read(struct world *world, struct arena *arena,
		   struct efi_entry *ret) must_check nonnull(1, 2, 3);
