/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that a shell reads as assignments: GRUB's settings, dracut.conf, mkinitcpio.conf. */
#include "recipe_parse.h"

#include <string.h>

#include "loader_files.h"
#include "kernel_cmdline.h"

typedef void (*taker)(struct recipes *recipes, const char *file,
		      const struct shell_assignment *a);

/*
 * Hands the assignments of a file to @take. What is not understood is said: of the variables
 * that begin with one of @names, and of the rest of a file that may do anything.
 */
static void read_assignments(struct recipes *recipes, struct shell *shell,
			     const char *file, struct text bytes,
			     const char *const *names, taker take)
{
	bool was_lost = shell->lost;
	struct shell_assignment *a;

	if (shell_read(shell, bytes, &a) < 0) {
		recipes->is_cut = true;
		return;
	}
	for (; a; a = a->next) {
		const char *const *name = names;

		while (*name && !text_has_prefix(a->name, *name))
			name++;
		if (!*name)
			continue;
		if (a->mistake)
			recipe_find_at(recipes, LINT_SYNTAX, file, a->place, "%.*s: %s",
				       (int)a->name.n, a->name.p, a->mistake);
		if (a->why)
			recipe_find_at(recipes, LINT_NOT_UNDERSTOOD, file, a->why_place,
				       "what is assigned to %.*s is not understood: %s",
				       (int)a->name.n, a->name.p, a->why);
		else
			take(recipes, file, a);
	}
	if (was_lost)
		recipe_find(recipes, LINT_NOT_UNDERSTOOD, file, 0,
			    "it is not understood, as the file before it is not");
	else if (shell->lost)
		recipe_find_at(recipes, LINT_NOT_UNDERSTOOD, file, shell->lost_place,
			       "from here on the file is not understood: %s",
			       shell->lost);
}

/* GRUB's settings are read one after the other: what was assigned before is lost. */
static void replace_variable(struct recipes *recipes, const char *file,
			     const struct shell_assignment *a)
{
	for (size_t i = 0; i < recipes->count; i++) {
		struct recipe *r = &recipes->items[i];

		if (!r->variable.p || !text_is_same(r->variable, a->name) ||
		    r->is_replaced)
			continue;
		r->is_replaced = true;
		recipe_find(recipes, LINT_NO_EFFECT, r->file, r->line,
			    "%s:%u assigns %.*s anew, without \"$%.*s\" in it: this line "
			    "has no effect",
			    file, a->place.line, (int)a->name.n, a->name.p,
			    (int)a->name.n, a->name.p);
	}
}

/* The words that the assignment itself has, without those of the value before. */
static void parse_words(struct recipes *recipes, const char *file,
			const struct shell_assignment *a)
{
	struct text own = a->value, rest = {NULL, 0};
	size_t before = recipes->count;

	if (a->itself.n > 0) {
		own.n = (size_t)(a->itself.p - own.p);
		rest.p = a->itself.p + a->itself.n;
		rest.n = a->value.n - own.n - a->itself.n;
	}
	recipe_parse_cmdline(recipes, file, a->place.line, own);
	recipe_parse_cmdline(recipes, file, a->place.line, rest);
	for (size_t i = before; i < recipes->count; i++)
		recipes->items[i].variable = a->name;
}

/* grub-mkconfig and the scripts of grub.d read these. */
bool recipe_is_grub_variable(struct text name)
{
	static const char *const known[] = {
		"GRUB_CMDLINE_LINUX",
		"GRUB_CMDLINE_LINUX_DEFAULT",
		"GRUB_CMDLINE_LINUX_RECOVERY",
		"GRUB_CMDLINE_LINUX_XEN_REPLACE",
		"GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT",
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (text_is(name, known[i]))
			return true;
	return false;
}

/* What is for the kernel has no effect on the hypervisor's line. */
static void check_hypervisor(struct recipes *recipes, const char *file,
			     const struct shell_assignment *a)
{
	size_t before = recipes->count, findings;

	if (!text_has_part(a->value, "pciback.hide=") &&
	    !text_has_part(a->value, "vfio") && !text_has_part(a->value, "pci-stub."))
		return;
	recipe_find(
		recipes, LINT_NO_EFFECT, file, a->place.line,
		"%.*s is the command line of Xen, and the kernel does not get it: its "
		"parameters belong into GRUB_CMDLINE_LINUX_DEFAULT",
		(int)a->name.n, a->name.p);
	findings = recipes->finding_count;
	recipe_parse_cmdline(recipes, file, a->place.line, a->value);
	recipes_offer(recipes, before, findings);
}

static void take_grub(struct recipes *recipes, const char *file,
		      const struct shell_assignment *a)
{
	/* What a boot for repairs has is no choice of devices. */
	if (text_has_part(a->name, "RECOVERY"))
		return;
	/* grub.d/20_linux_xen: the hypervisor's line, where iommu= is Xen's own. */
	if (text_has_prefix(a->name, "GRUB_CMDLINE_XEN")) {
		check_hypervisor(recipes, file, a);
		return;
	}
	if (!a->is_addition && !a->has_itself)
		replace_variable(recipes, file, a);
	parse_words(recipes, file, a);
}

/* One shell reads all the files of GRUB, one after the other. */
void recipe_parse_grub_default(struct recipes *recipes, const char *file,
			       struct text bytes)
{
	static const char *const names[] = {"GRUB_CMDLINE", "GRUB_LINUX", NULL};

	if (!recipes->grub.arena &&
	    grub_shell(&recipes->grub, recipes->arena, recipes->dialect) < 0)
		recipes->is_cut = true;
	else
		read_assignments(recipes, &recipes->grub, file, bytes, names, take_grub);
}

/* @is_loaded: in the order of the list. */
static void parse_module_list(struct recipes *recipes, const char *file,
			      const struct shell_assignment *a, bool is_loaded)
{
	struct text rest = a->value, word;

	while (text_word(&rest, &word))
		recipe_take_module(recipes, file, a->place.line, word, is_loaded);
}

/* Scripts of the machine's owner that go into the image. */
static void parse_items(struct recipes *recipes, const char *file,
			const struct shell_assignment *a)
{
	struct text rest = a->value, word;

	while (text_word(&rest, &word)) {
		struct recipe r = {
			.file = file,
			.line = a->place.line,
			.text = word,
			.kind = RECIPE_SCRIPT,
			.fate = RECIPE_LOOK,
			.extent = RECIPE_WORDS,
			.note = "a file of your own goes into the image: if it chooses "
				"devices, write rules for them",
		};

		if (!text_has_part(word, "vfio"))
			continue;
		recipe_follow(recipes, word);
		(void)recipe_add(recipes, &r);
	}
}

/* dracut.conf(5): lists are added up as text, so blanks belong into the quotes (pain 16). */
static void check_blanks(struct recipes *recipes, const char *file,
			 const struct shell_assignment *a)
{
	struct text t = a->value;

	if (a->is_addition && text_has_part(t, "vfio") &&
	    !(char_is_blank(t.p[0]) && char_is_blank(t.p[t.n - 1])))
		recipe_find(recipes, LINT_BLANKS, file, a->place.line,
			    "%.*s+= needs a blank behind the first quote and before the "
			    "last one, or its words stick to those of other files",
			    (int)a->name.n, a->name.p);
}

/* Assignments of a file by itself. Its lists may have words of other files, which are read there. */
static void read_lists(struct recipes *recipes, enum shell_dialect dialect,
		       const char *file, struct text bytes, const char *const *names,
		       taker take)
{
	struct shell shell;
	int r = 0;

	shell_init(&shell, recipes->arena, dialect);
	for (size_t i = 0; names[i] && r == 0; i++)
		r = shell_define(&shell, names[i], "");
	recipes->is_cut |= r < 0;
	read_assignments(recipes, &shell, file, bytes, names, take);
}

static const char *const dracut_names[] = {"kernel_cmdline",
					   "install_items",
					   "force_drivers",
					   "add_drivers",
					   "drivers",
					   "add_kernel_modules",
					   NULL};

static void take_dracut(struct recipes *recipes, const char *file,
			const struct shell_assignment *a)
{
	if (text_is(a->name, dracut_names[0])) {
		parse_words(recipes, file, a);
		return;
	}
	for (size_t i = 1; dracut_names[i]; i++) {
		if (!text_is(a->name, dracut_names[i]))
			continue;
		check_blanks(recipes, file, a);
		if (i == 1)
			parse_items(recipes, file, a);
		else
			parse_module_list(recipes, file, a,
					  text_is(a->name, "force_drivers"));
	}
}

void recipe_parse_dracut(struct recipes *recipes, const char *file, struct text bytes)
{
	read_lists(recipes, SHELL_BASH, file, bytes, dracut_names, take_dracut);
}

static void take_mkinitcpio(struct recipes *recipes, const char *file,
			    const struct shell_assignment *a)
{
	if (text_is(a->name, "MODULES"))
		parse_module_list(recipes, file, a, true);
	if (text_is(a->name, "FILES") || text_is(a->name, "BINARIES"))
		parse_items(recipes, file, a);
}

/* OpenRC: modules="vfio_pci", module_vfio_pci_args="ids=...", perhaps behind "_6" of a kernel */
static void take_openrc(struct recipes *recipes, const char *file,
			const struct shell_assignment *a)
{
	static const char *const args[] = {"module_vfio_pci_args",
					   "module_pci_stub_args"};
	struct recipe r = {.file = file,
			   .line = a->place.line,
			   .text = a->value,
			   .kind = RECIPE_IDS,
			   .fate = RECIPE_DELETE};
	struct text rest = a->value;
	struct cmdline_arg arg;

	if (text_has_prefix(a->name, "modules"))
		parse_module_list(recipes, file, a, true);
	for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
		if (!text_has_prefix(a->name, args[i]))
			continue;
		r.module = i == 0 ? TEXT("vfio_pci") : TEXT("pci_stub");
		while (cmdline_next(&rest, &arg))
			if (text_is_param(arg.name, "ids"))
				recipe_add_ids(recipes, recipe_add(recipes, &r),
					       arg.value);
	}
}

void recipe_parse_openrc(struct recipes *recipes, const char *file, struct text bytes)
{
	static const char *const names[] = {"modules", "module_vfio", "module_pci_stub",
					    NULL};

	read_lists(recipes, SHELL_SH, file, bytes, names, take_openrc);
}

static void take_sysconfig(struct recipes *recipes, const char *file,
			   const struct shell_assignment *a)
{
	parse_module_list(recipes, file, a, true);
}

/* SUSE's /etc/sysconfig/kernel */
void recipe_parse_sysconfig(struct recipes *recipes, const char *file, struct text bytes)
{
	static const char *const names[] = {"INITRD_MODULES", "DOMU_INITRD_MODULES",
					    "MODULES_LOADED_ON_BOOT", NULL};

	read_lists(recipes, SHELL_SH, file, bytes, names, take_sysconfig);
}

void recipe_parse_mkinitcpio(struct recipes *recipes, const char *file, struct text bytes)
{
	static const char *const names[] = {"MODULES", "FILES", "BINARIES", NULL};

	read_lists(recipes, SHELL_BASH, file, bytes, names, take_mkinitcpio);
}
