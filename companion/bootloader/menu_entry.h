/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A boot menu entry without earlybind: rd.earlybind=0 at the end of the usual one. */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "text.h"

#define MENU_PARAMETER "rd.earlybind=0"

/* A script for /etc/grub.d: it copies the first entry of 10_linux whenever GRUB's menu is made. */
extern const char menu_grub_script[];

/*
 * A copy of an entry of the boot loader specification, with another title, the parameter, and
 * behind all others in the menu, so that it never becomes the default. NULL if there is no
 * memory, or the entry boots no kernel.
 */
const char *menu_entry_copy(struct text entry, struct arena *arena) nonnull(2);

/* Its version, for finding the newest; "" if it has none. */
struct text menu_entry_version(struct text entry);

/* All its options, joined by blanks. NULL if there is no memory. */
const char *menu_entry_options(struct text entry, struct arena *arena) nonnull(2);
