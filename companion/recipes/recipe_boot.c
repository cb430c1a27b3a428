/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of boot loaders in which a kernel command line stands, and those that are nothing else. */
#include "recipe_parse.h"

#include <string.h>

/* The words behind one of @keywords at the start of a line. Returns how many lines. */
static size_t parse_lines(struct recipes *recipes, const char *file, struct text bytes,
			  const char *const *keywords, size_t count)
{
	struct text rest = bytes, text, word;
	unsigned line = 0, first;
	size_t found = 0;

	while (recipe_line(recipes, &rest, &line, &first, &text)) {
		if (!text_word(&text, &word))
			continue;
		for (size_t i = 0; i < count; i++)
			if (word.n == strlen(keywords[i]) &&
			    strncasecmp(word.p, keywords[i], word.n) == 0) {
				recipe_parse_cmdline(recipes, file, first, text);
				found++;
			}
	}
	return found;
}

/* The file of the kernel is one of the words, and no parameter. */
void recipe_parse_grub_cfg(struct recipes *recipes, const char *file, struct text bytes)
{
	static const char *const keywords[] = {"linux",	   "linux16", "linuxefi",
					       "linuxxen", "module",  "module2"};
	size_t before = recipes->count;

	if (parse_lines(recipes, file, bytes, keywords, ARRAY_SIZE(keywords)) > 0)
		recipes->has_boot_menu = true;
	for (size_t i = before; i < recipes->count; i++)
		recipes->items[i].is_generated = true;
}

/* The boot loader specification's, of systemd-boot and of Fedora's GRUB. */
void recipe_parse_entry(struct recipes *recipes, const char *file, struct text bytes)
{
	static const char *const keywords[] = {"options"};

	(void)parse_lines(recipes, file, bytes, keywords, ARRAY_SIZE(keywords));
}

void recipe_parse_syslinux(struct recipes *recipes, const char *file, struct text bytes)
{
	static const char *const keywords[] = {"append"};

	(void)parse_lines(recipes, file, bytes, keywords, ARRAY_SIZE(keywords));
}

void recipe_parse_plain_cmdline(struct recipes *recipes, const char *file,
				struct text bytes)
{
	struct text rest = bytes, text;
	unsigned line = 0;

	while (text_cut(&rest, '\n', &text)) {
		line++;
		text = text_trim(text);
		if (text.n > 0 && text.p[0] != '#')
			recipe_parse_cmdline(recipes, file, line, text);
	}
}
