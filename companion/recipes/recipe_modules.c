/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of modules that are loaded early or at boot, and scripts. */
#include "recipe_parse.h"

#include <string.h>

#include "kernel_cmdline.h"

/* initramfs-tools hands a line to modprobe as it stands: also options, and only modules. */
static void parse_module_line(struct recipes *recipes, const char *file, unsigned line,
			      struct text text)
{
	struct recipe r = {.file = file,
			   .line = line,
			   .text = text,
			   .kind = RECIPE_LOAD,
			   .fate = RECIPE_DELETE};
	struct text rest = text, name;
	struct cmdline_arg arg;

	(void)text_word(&rest, &name);
	if (text_is(name, "softdep") || text_is(name, "options") ||
	    text_is(name, "blacklist")) {
		if (text_has_part(text, "vfio")) {
			recipe_find(
				recipes, LINT_SYNTAX, file, line,
				"a line of this file names a module: \"%.*s\" belongs "
				"into modprobe.d and has no effect here",
				(int)name.n, name.p);
			r.is_replaced = true;
			(void)recipe_add(recipes, &r);
		}
		return;
	}
	if (!recipe_check_module(recipes, file, line, name))
		return;
	while (cmdline_next(&rest, &arg)) {
		if (!text_is_param(arg.name, "ids"))
			continue;
		r.kind = RECIPE_IDS;
		r.module = name;
		recipe_add_ids(recipes, recipe_add(recipes, &r), arg.value);
		return;
	}
	(void)recipe_add(recipes, &r);
}

void recipe_parse_modules(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text;
	unsigned line = 0;

	while (text_cut(&rest, '\n', &text)) {
		line++;
		text = text_trim(text);
		if (text.n > 0 && text.p[0] != '#' && text.p[0] != ';')
			parse_module_line(recipes, file, line, text);
	}
}

/* A program is named, not understood: by the first line that shows what it does. */
void recipe_parse_script(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text;

	for (unsigned line = 1; text_cut(&rest, '\n', &text); line++) {
		struct recipe r = {
			.file = file,
			.line = line,
			.text = text_trim(text),
			.kind = RECIPE_SCRIPT,
			.fate = RECIPE_LOOK,
			.extent = RECIPE_FILE,
			.note = "a program of your own chooses the devices: write rules "
				"for them, then take it away",
		};

		if (r.text.n == 0 || r.text.p[0] == '#' ||
		    (!text_has_part(text, "driver_override") &&
		     !text_has_part(text, "vfio-pci") &&
		     !text_has_part(text, "vfio_pci")))
			continue;
		(void)recipe_add(recipes, &r);
		return;
	}
}

/*
 * initramfs-tools runs every script with "prereqs" when an image is made, on the machine that
 * is up (scripts/functions: get_prereq_pairs()), and sorts those without a relation by name.
 */
void recipe_parse_init_script(struct recipes *recipes, const char *file,
			      struct text bytes)
{
	const char *slash = strrchr(file, '/');
	size_t before = recipes->count;

	recipe_parse_script(recipes, file, bytes);
	if (recipes->count == before)
		return;
	if (!text_has_part(bytes, "prereqs"))
		recipe_find(
			recipes, LINT_ORDER, file, 0,
			"it does not answer \"prereqs\", so update-initramfs runs all of "
			"it on the machine that is up");
	if (slash && strcmp(slash + 1, "udev") > 0 && strstr(file, "/init-top/"))
		recipe_find(recipes, LINT_ORDER, file, 0,
			    "its name is sorted behind udev: it runs when other drivers "
			    "have the devices");
}
