/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "needed_modules.h"

#include <errno.h>
#include <string.h>

#include "modalias.h"
#include "module_alias.h"
#include "driver.h"
#include "inventory.h"
#include "modload.h"
#include "variant.h"

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
