/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pci_names.h"

#include <errno.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accel.h"
#include "message.h"
#include "paths.h"

#define NAME_SIZE 512

struct names {
	struct pci_access *access;
};

/* libpci wants an error handler that does not return. */
static jmp_buf on_error;

static void __attribute__((noreturn)) printf_like(1, 2) libpci_error(char *format, ...)
{
	char message[NAME_SIZE];
	struct text t;
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	t = text_trim(text_of(message));
	say_error("the names of devices are not complete: %.*s", (int)t.n, t.p);
	longjmp(on_error, 1);
}

static const char *find_file(struct arena *arena, const char *sysroot)
{
	static const char *const paths[] = {PCI_IDS_PATHS};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const char *path =
			arena_printf(arena, "%s%s", sysroot ? sysroot : "", paths[i]);

		if (path && access(path, R_OK) == 0)
			return path;
	}
	return NULL;
}

int names_open(struct arena *arena, const char *sysroot, const char *path,
	       struct names **ret)
{
	struct names *names;

	*ret = NULL;
	if (!path)
		path = find_file(arena, sysroot);
	if (!path)
		return -ENOENT;
	if (access(path, R_OK) < 0)
		return -errno;
	names = arena_alloc(arena, 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	names->access = pci_alloc();
	names->access->error = libpci_error;
	pci_set_name_list_path(names->access, (char *)path, 0);
	/* Here, so that an error of the file is met here. */
	if (setjmp(on_error) == 0)
		pci_load_name_list(names->access);
	*ret = names;
	return 0;
}

/* libpci writes into a buffer; the name is kept in the arena. */
#define LOOKUP(names, arena, flags, ...) \
	({ \
		char buf_[NAME_SIZE]; \
		const char *name_ = \
			(names) ? pci_lookup_name((names)->access, buf_, sizeof(buf_), \
						  (flags) | PCI_LOOKUP_NO_NUMBERS, \
						  __VA_ARGS__) \
				: NULL; \
		name_ ? arena_copy(arena, text_of(name_)) : NULL; \
	})

const char *names_class(struct names *names, const struct pci_ids *ids,
			struct arena *arena)
{
	char *name = LOOKUP(names, arena, PCI_LOOKUP_CLASS, (int)(ids->class >> 8));
	char *number = name ? strstr(name, " [") : NULL;

	/* libpci adds the number where it knows the base class only. */
	if (number)
		*number = '\0';
	return name;
}

const char *names_vendor(struct names *names, unsigned vendor, struct arena *arena)
{
	return LOOKUP(names, arena, PCI_LOOKUP_VENDOR, (int)vendor);
}

const char *names_device(struct names *names, const struct pci_ids *ids,
			 struct arena *arena)
{
	const char *name =
		LOOKUP(names, arena, PCI_LOOKUP_DEVICE, ids->vendor, ids->device);

	/* By its class alone, the table knows no more of a card than the class says. */
	if (name || accel_find(ids) < 0 || accel_role(ids) == ACCEL_GPU_CLASS)
		return name;
	return accel_card_name(accel_find(ids));
}

const char *names_subsystem(struct names *names, const struct pci_ids *ids,
			    struct arena *arena)
{
	return LOOKUP(names, arena, PCI_LOOKUP_SUBSYSTEM | PCI_LOOKUP_DEVICE, ids->vendor,
		      ids->device, ids->subvendor, ids->subdevice);
}

/* The lists of mk/accel.awk. */
#define ACCEL_LEAF(...)
#define ACCEL_SUB(...)
#define ACCEL_VENDOR(...)

static const char *const card_names[] = {
#define ACCEL_GROUP(...)
#define ACCEL_ENTRY(device, subsystem, leaf, name) name,
#include "accel.inc"
#undef ACCEL_GROUP
#undef ACCEL_ENTRY
};

static const char *const descriptions[] = {
#define ACCEL_ENTRY(...)
#define ACCEL_GROUP(name, leaves, description) description,
#include "accel.inc"
};

const char *accel_card_name(int entry)
{
	return entry >= 0 && (size_t)entry < ARRAY_SIZE(card_names) ? card_names[entry]
								    : "";
}

const char *accel_group_description(unsigned group)
{
	return group < ARRAY_SIZE(descriptions) ? descriptions[group] : NULL;
}
