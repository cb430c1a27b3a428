/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "modules.h"

#include <errno.h>
#include <libkmod.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "inventory.h"
#include "modalias.h"
#include "modload.h"
#include "paths.h"
#include "variant.h"

#define BUCKETS	       1024
#define CANDIDATES_MAX 64 /* modules for one device */
#define RELEASE_MAX    128

struct entry {
	struct pci_ids ids;
	struct module_names found;
	struct entry *next;
};

struct modules {
	struct arena *arena;
	struct kmod_ctx *ctx;
	struct entry *buckets[BUCKETS];
};

static const struct module_names none;

/* The release becomes part of a path: a name, not a way out of the directory. */
static int read_release(struct world *world, struct arena *arena, const char **ret)
{
	char buf[RELEASE_MAX];
	struct text t;
	int r;

	r = world_read_text(world, WORLD_PROC, "sys/kernel/osrelease", buf, sizeof(buf),
			    &t);
	if (r < 0)
		return r;
	if (t.n == 0 || memchr(t.p, '/', t.n) || memchr(t.p, '\0', t.n) || t.p[0] == '.')
		return -EINVAL;
	*ret = arena_copy(arena, t);
	return *ret ? 0 : -ENOMEM;
}

int modules_open(struct world *world, struct arena *arena, const char *sysroot,
		 const char **ret_release, struct modules **ret)
{
	char dir[PATH_MAX];
	struct modules *modules;
	int r;

	*ret = NULL;
	*ret_release = "";
	r = read_release(world, arena, ret_release);
	if (r < 0)
		return r;
	snprintf(dir, sizeof(dir), "%s" MODULES_PATH "/%s", sysroot ? sysroot : "",
		 *ret_release);
	modules = arena_alloc(arena, 1, sizeof(*modules));
	if (!modules)
		return -ENOMEM;
	modules->arena = arena;
	modules->ctx = modload_context(sysroot ? sysroot : "", dir);
	if (!modules->ctx)
		return -ENOMEM;
	r = kmod_load_resources(modules->ctx);
	if (r < 0)
		return r;
	*ret = modules;
	return 0;
}

static bool has_name(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static struct module_names look_up(struct modules *m, const struct pci_ids *ids)
{
	const char *names[CANDIDATES_MAX] = {NULL};
	struct module_names found = {0};
	struct kmod_list *list = NULL, *item;
	char alias[96];

	snprintf(alias, sizeof(alias), "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X",
		 ids->vendor, ids->device, ids->subvendor, ids->subdevice,
		 ids->class >> 16 & 0xff, ids->class >> 8 & 0xff, ids->class & 0xff);
	if (kmod_module_new_from_lookup(m->ctx, alias, &list) < 0)
		return none;
	kmod_list_foreach(item, list)
	{
		struct kmod_module *mod = kmod_module_get_module(item);
		const char *name = kmod_module_get_name(mod);

		if (found.count < CANDIDATES_MAX && !has_name(names, found.count, name)) {
			names[found.count] = arena_copy(m->arena, text_of(name));
			found.count += names[found.count] != NULL;
		}
		kmod_module_unref(mod);
	}
	kmod_module_unref_list(list);
	found.names = arena_alloc(m->arena, found.count, sizeof(*found.names));
	if (!found.names)
		return none;
	if (found.count > 0)
		memcpy(found.names, names, found.count * sizeof(*names));
	return found;
}

bool ids_is_same(const struct pci_ids *a, const struct pci_ids *b)
{
	return a->vendor == b->vendor && a->device == b->device &&
	       a->subvendor == b->subvendor && a->subdevice == b->subdevice &&
	       a->class == b->class;
}

uint32_t ids_hash(const struct pci_ids *ids)
{
	const uint32_t parts[] = {(uint32_t)ids->vendor << 16 | ids->device,
				  (uint32_t)ids->subvendor << 16 | ids->subdevice,
				  ids->class};
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		h = (h ^ parts[i] ^ parts[i] >> 13) * 16777619u;
	return h ^ h >> 16;
}

const struct module_names *modules_find(struct modules *modules,
					const struct pci_ids *ids)
{
	struct entry **bucket, *e;

	if (!modules)
		return &none;
	bucket = &modules->buckets[ids_hash(ids) % BUCKETS];
	for (e = *bucket; e; e = e->next)
		if (ids_is_same(&e->ids, ids))
			return &e->found;
	e = arena_alloc(modules->arena, 1, sizeof(*e));
	if (!e)
		return &none;
	*e = (struct entry){.ids = *ids, .found = look_up(modules, ids), .next = *bucket};
	*bucket = e;
	return &e->found;
}

bool modules_is_built_in(struct modules *modules, const char *name)
{
	struct kmod_module *mod = NULL;
	bool is_built_in;

	if (!modules || kmod_module_new_from_name(modules->ctx, name, &mod) < 0)
		return false;
	is_built_in = kmod_module_get_initstate(mod) == KMOD_MODULE_BUILTIN;
	kmod_module_unref(mod);
	return is_built_in;
}

struct needs {
	struct arena *arena;
	struct strings *names;
};

static int add(struct needs *n, struct text name)
{
	const char *copy;

	for (size_t i = 0; i < n->names->count; i++)
		if (text_is_param(name, n->names->items[i]))
			return 0;
	if (n->names->count == STRINGS_MAX)
		return 0;
	copy = arena_copy(n->arena, name);
	if (!copy)
		return -ENOMEM;
	n->names->items[n->names->count++] = copy;
	return 0;
}

static bool has_module(void *arg, const char *name)
{
	return modload_has_module(arg, name);
}

static int add_of_machine(struct needs *n, const struct inventory *inventory,
			  struct kmod_ctx *ctx, struct text aliases)
{
	char name[DRIVER_NAME_SIZE];
	int r = 0;

	for (size_t i = 0; i < inventory->count && r == 0; i++)
		if (variant_find(aliases, &inventory->devices[i].ids, has_module, ctx,
				 name) == 0)
			r = add(n, text_of(name));
	return r;
}

static int add_all(struct needs *n, struct kmod_ctx *ctx, struct text aliases)
{
	struct text line;
	int r = 0;

	while (r == 0 && text_cut(&aliases, '\n', &line)) {
		struct text module = variant_of_line(line);
		char *name = module.p ? arena_copy(n->arena, module) : NULL;

		if (name && modload_has_module(ctx, name))
			r = add(n, module);
	}
	return r;
}

static int add_variants(struct needs *n, struct world *world, const char *dir)
{
	struct kmod_ctx *ctx = modload_context_bare(dir);
	struct inventory inventory;
	struct text aliases;

	if (!ctx)
		return -ENOMEM;
	aliases = aliases_read(ctx);
	if (!aliases.p)
		return 0;
	if (world && inventory_read(world, n->arena, NULL, NULL, &inventory) == 0)
		return add_of_machine(n, &inventory, ctx, aliases);
	return add_all(n, ctx, aliases);
}

int needs_find(struct world *world, const struct policy *policy, const char *dir,
	       struct arena *arena, struct strings *ret)
{
	struct needs n = {arena, ret};
	bool has_auto = false;
	int r;

	ret->count = 0;
	r = add(&n, TEXT("vfio_pci"));
	if (r == 0)
		r = add(&n, TEXT("vfio_iommu_type1"));
	for (size_t i = 0; i < policy->rule_count && r == 0; i++) {
		const struct rule *rule = &policy->rules[i];
		const char *name = rule->kind == RULE_BIND && rule->driver.n > 0
					   ? arena_copy(arena, rule->driver)
					   : NULL;

		if (name && strcmp(name, AUTO_DRIVER) == 0)
			has_auto = true;
		else if (name)
			r = add(&n, text_of(driver_module(driver_kernel_name(name))));
	}
	return r == 0 && has_auto ? add_variants(&n, world, dir) : r;
}
