/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of a recording that says which modules there are for the devices, and what the
 * devices are called: of the indexes of depmod and of pci.ids only what is about them.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "capture.h"
#include "depmod_index.h"
#include "index_write.h"
#include "message.h"
#include "module_tree.h"
#include "paths.h"

#define ENTRIES_MAX 65536
#define NAMES_MAX   4096
#define KERNELS_MAX 32

/* Modules that are told whether or not a device is theirs. */
static const char *const always[] = {
	"irqbypass", "pci_stub",      "vfio",	     "vfio_iommu_type1",
	"vfio_pci",  "vfio_pci_core", "vfio_virqfd",
};

struct kernel {
	struct capture *c;
	const char **aliases; /* one per different function */
	size_t alias_count;
	const char *names[NAMES_MAX]; /* modules that are told */
	size_t name_count;
	struct index_entry *entries; /* of the index that is being written */
	size_t entry_count;
	bool is_all; /* every key is wanted that is the name of a module that is told */
};

static bool has_name(const struct kernel *k, struct text name)
{
	for (size_t i = 0; i < k->name_count; i++)
		if (text_is(name, k->names[i]))
			return true;
	return false;
}

static void add_name(struct kernel *k, struct text name)
{
	if (k->name_count < NAMES_MAX && !has_name(k, name))
		k->names[k->name_count++] =
			capture_print(k->c, "%.*s", (int)name.n, name.p);
}

static void add_entry(struct kernel *k, struct text key, struct text value)
{
	if (k->entry_count == ENTRIES_MAX)
		return;
	k->entries[k->entry_count++] = (struct index_entry){
		.key = capture_print(k->c, "%.*s", (int)key.n, key.p),
		.value = capture_print(k->c, "%.*s", (int)value.n, value.p),
		.priority = index_priority(value),
	};
}

/* An alias of a function: "pci:v...", or a variant driver's "vfio_pci:v...". */
static int each_alias(void *arg, struct text key, struct text value)
{
	struct kernel *k = arg;
	char pattern[INDEX_KEY_MAX + 1];
	size_t skip = text_has_prefix(key, "vfio_") ? strlen("vfio_") : 0;

	memcpy(pattern, key.p, key.n);
	pattern[key.n] = '\0';
	if (strncmp(pattern + skip, "pci:", 4) != 0)
		return 0;
	for (size_t i = 0; i < k->alias_count; i++)
		if (fnmatch(pattern + skip, k->aliases[i], 0) == 0) {
			add_entry(k, key, value);
			add_name(k, value);
			break;
		}
	return 0;
}

static int each_name(void *arg, struct text key, struct text value)
{
	struct kernel *k = arg;

	if (has_name(k, key))
		add_entry(k, key, value);
	return 0;
}

static void put_index(struct kernel *k, const char *folder, const char *file,
		      int (*each)(void *arg, struct text key, struct text value))
{
	const char *name = capture_print(k->c, "%s/%s", folder, file);
	struct text bytes;
	size_t n;
	char *p;
	int r;

	k->entry_count = 0;
	if (!capture_read(k->c, name, &p, &n))
		return;
	/* What a damaged index gave until then is better than nothing. */
	r = index_each((struct text){p, n}, each, k);
	if (r < 0)
		say_error("%s is damaged: not all modules are recorded", name);
	if (index_write(k->entries, k->entry_count, k->c->arena, &bytes) < 0)
		k->c->is_full = true;
	else
		capture_put_file(k->c, name, bytes);
}

static void put_kernel(struct kernel *k, const char *version)
{
	const char *folder = capture_print(k->c, "lib/modules/%s", version);

	k->name_count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		add_name(k, text_of(always[i]));
	put_index(k, folder, "modules.alias.bin", each_alias);
	put_index(k, folder, "modules.builtin.alias.bin", each_alias);
	/* The names are known now. */
	put_index(k, folder, "modules.builtin.bin", each_name);
	put_index(k, folder, "modules.dep.bin", each_name);
	put_index(k, folder, "modules.symbols.bin", each_name);
}

static const char *format_alias(struct capture *c, const struct pci_ids *ids)
{
	return capture_print(c, "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X",
			     ids->vendor, ids->device, ids->subvendor, ids->subdevice,
			     ids->class >> 16 & 0xff, ids->class >> 8 & 0xff,
			     ids->class & 0xff);
}

static bool has_alias(const struct kernel *k, const char *alias)
{
	for (size_t i = 0; i < k->alias_count; i++)
		if (strcmp(k->aliases[i], alias) == 0)
			return true;
	return false;
}

void capture_modules(struct capture *c)
{
	static struct kernel k;
	struct capture_names versions = capture_list(c, "lib/modules");

	k = (struct kernel){
		.c = c,
		.aliases = arena_alloc(c->arena, c->inventory.count, sizeof(*k.aliases)),
		.entries = arena_alloc(c->arena, ENTRIES_MAX, sizeof(*k.entries)),
	};
	if (!k.aliases || !k.entries) {
		c->is_full = true;
		return;
	}
	for (size_t i = 0; i < c->inventory.count; i++) {
		const char *alias = format_alias(c, &c->inventory.devices[i].ids);

		if (!has_alias(&k, alias))
			k.aliases[k.alias_count++] = alias;
	}
	for (size_t i = 0; i < versions.count && i < KERNELS_MAX; i++)
		if (module_tree_is_version(versions.items[i]))
			put_kernel(&k, versions.items[i]);
}

/* What is told of pci.ids, from the head of the vendor, device or class on. */
struct ids_state {
	unsigned vendor;
	unsigned device;
	bool is_class;
	bool is_told; /* the line above the indented ones */
};

static bool has_ids(const struct capture *c, unsigned vendor, long device)
{
	for (size_t i = 0; i < c->inventory.count; i++) {
		const struct pci_ids *ids = &c->inventory.devices[i].ids;

		if (ids->vendor == vendor && (device < 0 || ids->device == device))
			return true;
		if (ids->subvendor == vendor && device < 0)
			return true;
	}
	return false;
}

static bool has_class(const struct capture *c, unsigned base, long sub)
{
	for (size_t i = 0; i < c->inventory.count; i++) {
		uint32_t class = c->inventory.devices[i].ids.class;

		if (class >> 16 == base && (sub < 0 || (class >> 8 & 0xff) == sub))
			return true;
	}
	return false;
}

static bool has_subsystem(const struct capture *c, const struct ids_state *s,
			  unsigned vendor, unsigned device)
{
	for (size_t i = 0; i < c->inventory.count; i++) {
		const struct pci_ids *ids = &c->inventory.devices[i].ids;

		if (ids->vendor == s->vendor && ids->device == s->device &&
		    ids->subvendor == vendor && ids->subdevice == device)
			return true;
	}
	return false;
}

/* pci.ids(5): vendors at the start of a line, devices behind a tab, subsystems behind two. */
static bool is_line_told(const struct capture *c, struct ids_state *s, struct text line)
{
	char copy[32] = "";
	unsigned one, two;

	memcpy(copy, line.p, line.n < sizeof(copy) ? line.n : sizeof(copy) - 1);
	if (sscanf(copy, "C %2x ", &one) == 1 && copy[0] == 'C') {
		*s = (struct ids_state){.vendor = one, .is_class = true};
		return s->is_told = has_class(c, one, -1);
	}
	if (char_hex(copy[0]) >= 0 && sscanf(copy, "%4x ", &one) == 1) {
		*s = (struct ids_state){.vendor = one};
		return s->is_told = has_ids(c, one, -1);
	}
	if (!s->is_told || copy[0] != '\t')
		return s->is_told = false;
	if (copy[1] == '\t')
		return !s->is_class && sscanf(copy, "\t\t%4x %4x", &one, &two) == 2 &&
		       has_subsystem(c, s, one, two);
	if (sscanf(copy, "\t%4x", &one) != 1)
		return false;
	s->device = one;
	return s->is_class ? has_class(c, s->vendor, one) : has_ids(c, s->vendor, one);
}

void capture_pci_ids(struct capture *c)
{
	static const char *const paths[] = {PCI_IDS_PATHS};
	struct ids_state state = {0};
	struct text rest, line;
	size_t n, used = 0;
	char *p, *kept;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (!capture_read(c, paths[i] + 1, &p, &n))
			continue;
		kept = arena_alloc(c->arena, n + 1, 1);
		if (!kept) {
			c->is_full = true;
			return;
		}
		rest = (struct text){p, n};
		while (text_cut(&rest, '\n', &line)) {
			if (!is_line_told(c, &state, line))
				continue;
			memcpy(kept + used, line.p, line.n);
			kept[used + line.n] = '\n';
			used += line.n + 1;
		}
		capture_put_file(c, paths[i] + 1, (struct text){kept, used});
		return;
	}
}
