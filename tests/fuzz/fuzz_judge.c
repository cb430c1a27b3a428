/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several files of one machine, judged together. Behind the first byte, which chooses the machine,
 * stands its kernel command line; behind each form feed a file, whose first byte chooses its name.
 */
#include "fuzz.h"

#include <sys/stat.h>
#include <unistd.h>

#include "fake_bus.h"
#include "fake_world.h"
#include "recipe_parse.h"

static const struct {
	const char *name;
	void (*parse)(struct recipes *recipes, const char *file, struct text bytes);
} files[] = {
	{"/etc/modprobe.d/a.conf", recipe_parse_modprobe},
	{"/etc/modprobe.d/b.conf", recipe_parse_modprobe},
	{"/usr/lib/modprobe.d/c.conf", recipe_parse_modprobe_vendor},
	{"/etc/default/grub", recipe_parse_grub_default},
	{"/etc/kernel/cmdline", recipe_parse_plain_cmdline},
	{"/boot/grub/grub.cfg", recipe_parse_grub_cfg},
	{"/boot/loader/entries/a.conf", recipe_parse_entry},
	{"/etc/initramfs-tools/modules", recipe_parse_modules},
	{"/etc/dracut.conf.d/a.conf", recipe_parse_dracut},
	{"/etc/mkinitcpio.conf", recipe_parse_mkinitcpio},
	{"/boot/refind_linux.conf", recipe_parse_refind_linux},
	{"/etc/rc.local", recipe_parse_script},
	{"/etc/udev/rules.d/a.rules", recipe_parse_udev},
	{"/boot/limine.conf", recipe_parse_keyed},
};

/* What bootloader_find() looks for: nothing, GRUB, systemd-boot of Proxmox, an older kernel. */
static const char *const machines[][4] = {
	{NULL},
	{"etc/default/grub", "usr/lib/dracut/x"},
	{"etc/kernel/cmdline", "etc/kernel/proxmox-boot-uuids",
	 "usr/sbin/proxmox-boot-tool"},
	{"etc/initramfs-tools/x", "lib/modules/6.1.0/modules.dep",
	 "boot/loader/entries/a.conf", "usr/sbin/grubby"},
};

static char roots[ARRAY_SIZE(machines)][64];

/* Folders and an empty file. */
static void put_file(const char *root, const char *name)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		require(mkdir(path, 0755) == 0 || errno == EEXIST);
	}
	f = fopen(path, "w");
	require(f && fclose(f) == 0 && chmod(path, 0755) == 0);
}

static void remove_roots(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		fuzz_remove(roots[i]);
}

static void make_roots(void)
{
	if (roots[0][0])
		return;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		strcpy(roots[i], "/tmp/fuzz-judge-XXXXXX");
		require(mkdtemp(roots[i]));
		for (size_t k = 0; k < 4 && machines[i][k]; k++)
			put_file(roots[i], machines[i][k]);
	}
	atexit(remove_roots);
}

static const struct world_ops *fake_ops;

/* What the firmware says is in no fake: there is nothing. */
static int read_without_firmware(struct world *world, enum world_root root,
				 const char *path, char *buf, size_t size)
{
	if (root == WORLD_SYS && strncmp(path, "firmware/", strlen("firmware/")) == 0)
		return -ENOENT;
	return fake_ops->read(world, root, path, buf, size);
}

static struct fake_world *make_world(void)
{
	static struct world_ops ops;

	static const struct {
		const char *address, *driver;
		struct pci_ids ids;
	} devices[] = {
		{"0000:00:02.0", "i915", {0x8086, 0x3e98, 0, 0, 0x030000}},
		{"0000:01:00.0", "nouveau", {0x10de, 0x1b80, 0, 0, 0x030000}},
		{"0000:02:00.0", "nouveau", {0x10de, 0x1b80, 0, 0, 0x030000}},
		{"0000:06:00.0", "mpt3sas", {0x1000, 0x0072, 0, 0, 0x010700}},
	};
	struct fake_world *w = fake_new();

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		struct fake_driver *driver =
			fake_add_driver(&w->bus, devices[i].driver, devices[i].driver);

		fake_bind_now(fake_add_device(&w->bus, devices[i].address, devices[i].ids,
					      (int)i),
			      driver);
	}
	fake_ops = w->world.ops;
	ops = *fake_ops;
	ops.read = read_without_firmware;
	w->world.ops = &ops;
	return w;
}

/* Of modprobe.d's list and a command line's only one is in force; a verdict has its reason. */
static void check(const struct recipes *recipes)
{
	const struct recipe *option = NULL, *parameter = NULL;

	require(recipes->count <= RECIPES_MAX);
	require(recipes->finding_count <= RECIPE_FINDINGS_MAX);
	for (size_t i = 0; i < recipes->count; i++) {
		const struct recipe *r = &recipes->items[i];

		require(r->file && recipe_kind_name(r->kind)[0]);
		require(!r->other_loader || (r->is_cmdline && !r->is_running));
		/* What stays, and no rule does instead, has its reason. */
		require(r->fate != RECIPE_STAY || r->note || r->kind == RECIPE_KERNEL ||
			r->kind == RECIPE_OPTION);
		if (r->kind != RECIPE_IDS || !recipe_is_effective(r) ||
		    !text_is_param(r->module, "vfio_pci"))
			continue;
		if (strstr(r->file, "modprobe.d/"))
			option = r;
		else if (r->is_cmdline && !r->is_running)
			parameter = r;
	}
	require(!option || !parameter);
	for (size_t i = 0; i < recipes->finding_count; i++) {
		require(recipes->findings[i].file && recipes->findings[i].message[0]);
		require(recipe_lint_name(recipes->findings[i].lint)[0]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recipes recipes;
	struct text whole, rest, part;
	struct fake_world *w;
	const char *root;

	if (size == 0)
		return 0;
	make_roots();
	root = roots[(uint8_t)(data[0] - '0') % ARRAY_SIZE(machines)];
	whole = rest = fuzz_text(data + 1, size - 1);
	w = make_world();
	require(recipes_init(&recipes, fuzz_arena(0)) == 0);
	if (text_cut(&rest, '\f', &part))
		w->cmdline = arena_copy(recipes.arena, part);
	while (rest.n > 0 && text_cut(&rest, '\f', &part)) {
		size_t i;

		if (part.n == 0)
			continue;
		i = (uint8_t)(part.p[0] - 'a') % ARRAY_SIZE(files);
		files[i].parse(&recipes, files[i].name,
			       (struct text){part.p + 1, part.n - 1});
	}
	recipes_read_running(&recipes, &w->world);
	if (recipes_judge(&recipes, &w->world, root) == 0)
		check(&recipes);
	fake_free(w);
	free((char *)whole.p);
	return 0;
}
