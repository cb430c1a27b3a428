/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other tools' files. The first byte chooses the format: '0' the first one. */
#include "fuzz.h"

#include "recipe_parse.h"

static void parse_cmdline(struct recipes *recipes, const char *file, struct text bytes)
{
	recipe_parse_cmdline(recipes, file, 1, bytes);
}

/* The name of the file is the address: the first line here. */
static void parse_driverctl(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text name;
	const char *path;

	if (!text_cut(&bytes, '\n', &name))
		return;
	path = arena_printf(recipes->arena, "%s/pci-%.*s", file, (int)name.n, name.p);
	if (path)
		recipe_parse_driverctl(recipes, path, bytes);
}

static void (*const parsers[])(struct recipes *recipes, const char *file,
			       struct text bytes) = {
	recipe_parse_modprobe,
	recipe_parse_plain_cmdline,
	recipe_parse_grub_default,
	recipe_parse_grub_cfg,
	recipe_parse_modules,
	recipe_parse_dracut,
	recipe_parse_mkinitcpio,
	recipe_parse_unraid,
	recipe_parse_proxmox_vm,
	recipe_parse_proxmox_mapping,
	recipe_parse_libvirt,
	recipe_parse_init_script,
	recipe_parse_unit,
	recipe_parse_udev,
	recipe_parse_tmpfiles,
	recipe_parse_sysfs,
	recipe_parse_keyed,
	recipe_parse_refind_linux,
	recipe_parse_kernelstub,
	recipe_parse_bootc,
	recipe_parse_nix,
	recipe_parse_dpdk,
	recipe_parse_vpp,
	recipe_parse_truenas,
	recipe_parse_openrc,
	recipe_parse_syslinux,
	recipe_parse_entry,
	recipe_parse_grub_custom,
	recipe_parse_guix,
	recipe_parse_incus,
	recipe_parse_ukify,
	recipe_parse_modprobe_vendor,
	recipe_parse_script,
	recipe_parse_talos,
	parse_cmdline,
	parse_driverctl,
	recipe_parse_sysconfig,
	recipe_parse_booster,
	recipe_parse_xen_cfg,
	recipe_parse_crontab,
	recipe_parse_modprobe_conf,
};

static void check(const struct recipe *r, unsigned lines)
{
	require(r->file && r->line <= lines);
	require(r->text.p || r->text.n == 0);
	require(recipe_kind_name(r->kind)[0] && recipe_fate_name(r->fate)[0]);
	/* A rule that is proposed is one that the binder understands, and means the same. */
	for (size_t i = 0; i < r->selector_count; i++) {
		char text[SELECTOR_SIZE];
		struct parse_error error;
		struct selector again;

		selector_format(&r->selectors[i], text);
		require(selector_parse(text_of(text), &again, &error) == 0);
		require(selector_is_same(&r->selectors[i], &again));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recipes recipes;
	struct text whole;
	unsigned lines = 1;

	if (size == 0)
		return 0;
	whole = fuzz_text(data + 1, size - 1);
	for (size_t i = 0; i < whole.n; i++)
		lines += whole.p[i] == '\n';
	require(recipes_init(&recipes, fuzz_arena(0)) == 0);
	parsers[(uint8_t)(data[0] - '0') % ARRAY_SIZE(parsers)](&recipes, "/x/file",
								whole);
	require(recipes.count <= RECIPES_MAX);
	require(recipes.finding_count <= RECIPE_FINDINGS_MAX);
	for (size_t i = 0; i < recipes.count; i++)
		check(&recipes.items[i], lines);
	for (size_t i = 0; i < recipes.finding_count; i++) {
		require(recipes.findings[i].line <= lines);
		require(recipes.findings[i].message[0]);
		require(recipe_lint_name(recipes.findings[i].lint)[0]);
	}
	free((char *)whole.p);
	return 0;
}
