/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel command lines as boot loaders and their helpers keep them: behind a key, in the second
 * string of a line, or in lists of strings.
 */
#include "recipe_parse.h"

#include <string.h>

#define NIX_NOTE \
	"it is for this system's configuration: once an image with the rules has booted, " \
	"take it out there and run nixos-rebuild boot"
#define GUIX_NOTE \
	"it is for this system's configuration: once an image with the rules has booted, " \
	"take it out there and run guix system reconfigure"
#define BOOTC_NOTE \
	"it comes with the image of the system: once an image with the rules has booted, take " \
	"it out where that image is made"

/* ---- behind a key -------------------------------------------------------------------------- */

static struct text skip(struct text t, size_t n)
{
	return (struct text){t.p + n, t.n - n};
}

static struct text unquote(struct text t)
{
	if (t.n > 1 && (t.p[0] == '"' || t.p[0] == '\'') && t.p[t.n - 1] == t.p[0])
		return (struct text){t.p + 1, t.n - 2};
	return t;
}

/* "KEY value", "KEY = value", "KEY: value", "KEY[name]+=value"; *ret_value has no quotes. */
static bool has_key(struct text t, const char *key, struct text *ret_value)
{
	size_t n = strlen(key);
	const char *close;

	if (t.n <= n || strncasecmp(t.p, key, n) != 0)
		return false;
	t = skip(t, n);
	close = t.p[0] == '[' ? memchr(t.p, ']', t.n) : NULL;
	if (close)
		t = skip(t, (size_t)(close + 1 - t.p));
	if (t.n == 0 || (!char_is_blank(t.p[0]) && !strchr("=:+", t.p[0])))
		return false;
	while (t.n > 0 && (char_is_blank(t.p[0]) || strchr("=:+", t.p[0])))
		t = skip(t, 1);
	*ret_value = unquote(text_trim(t));
	return true;
}

void recipe_parse_keyed(struct recipes *recipes, const char *file, struct text bytes)
{
	static const char *const keys[] = {
		"KERNEL_CMDLINE", /* Limine, and its old form */
		"CMDLINE", /* Limine; ukify */
		"LINUX_OPTIONS", /* sdboot-manage */
		"LINUX_FALLBACK_OPTIONS",
		"parameters", /* zipl */
		"kernelopts", /* grubenv */
		"options", /* rEFInd */
		"add_options",
		"U_BOOT_PARAMETERS", /* u-boot-menu */
		"EXTLINUX_PARAMETERS",
		"default_kernel_opts", /* update-extlinux of Alpine */
		"append", /* LILO, ELILO */
		"extraargs", /* armbianEnv.txt */
	};
	struct text rest = bytes, text, value;
	unsigned line = 0, first;

	while (recipe_line(recipes, &rest, &line, &first, &text)) {
		text = text_trim(text);
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			if (has_key(text, keys[i], &value)) {
				recipe_parse_cmdline(recipes, file, first, value);
				break;
			}
	}
}

/* Lines with blanks in front go on with the value (Python's configparser). */
void recipe_parse_ukify(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text, value;
	bool is_ours = false;

	for (unsigned line = 1; text_cut(&rest, '\n', &text); line++) {
		bool is_more = text.n > 0 && char_is_blank(text.p[0]);

		text = text_trim(text);
		if (text.n == 0 || text.p[0] == '#' || text.p[0] == ';')
			continue;
		value = text;
		if (!is_more)
			is_ours = has_key(text, "Cmdline", &value);
		if (is_ours && !is_more && text_has_prefix(value, "@/"))
			recipes->words_file = arena_copy(recipes->arena, skip(value, 1));
		else if (is_ours)
			recipe_parse_cmdline(recipes, file, line, value);
	}
}

/* ---- strings ------------------------------------------------------------------------------- */

struct strings_reader {
	struct text rest;
	unsigned line; /* of what is left */
	unsigned first; /* of the string */
	struct text string;
	bool is_block; /* of Nix: between two apostrophes each */
	bool is_scheme; /* comments begin with ';', and there are no blocks */
};

/* Takes @n bytes off, and counts their lines. */
static void take(struct strings_reader *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		r->line += r->rest.p[i] == '\n';
	r->rest = skip(r->rest, n);
}

static size_t string_length(struct text t)
{
	size_t n = 0;

	while (n < t.n && t.p[n] != '"')
		n += t.p[n] == '\\' && n + 1 < t.n ? 2 : 1;
	return n;
}

/* The next string; comments are passed over. */
static bool next_string(struct strings_reader *r)
{
	while (r->rest.n > 0) {
		char c = r->rest.p[0];
		const char *end;

		r->is_block = !r->is_scheme && text_has_prefix(r->rest, "''");
		if (c == (r->is_scheme ? ';' : '#')) {
			end = memchr(r->rest.p, '\n', r->rest.n);
			take(r, end ? (size_t)(end - r->rest.p) : r->rest.n);
		} else if (c == '"' || r->is_block) {
			size_t n, mark = r->is_block ? 2 : 1;

			take(r, mark);
			r->first = r->line;
			end = r->is_block ? memmem(r->rest.p, r->rest.n, "''", 2) : NULL;
			n = r->is_block ? (end ? (size_t)(end - r->rest.p) : r->rest.n)
					: string_length(r->rest);
			r->string = (struct text){r->rest.p, n};
			take(r, MIN(n + mark, r->rest.n));
			return true;
		} else {
			take(r, 1);
		}
	}
	return false;
}

/* The rule does the same; the file is not for us to change. */
static void keep_all(struct recipes *recipes, size_t before, const char *note)
{
	for (size_t i = before; i < recipes->count; i++) {
		struct recipe *r = &recipes->items[i];

		if (r->fate != RECIPE_DELETE)
			continue;
		r->fate = RECIPE_STAY;
		r->note = note;
	}
}

static void parse_strings(struct recipes *recipes, const char *file,
			  struct strings_reader r)
{
	while (next_string(&r))
		if (!r.is_block)
			recipe_parse_cmdline(recipes, file, r.first, r.string);
}

/* "title" "options", as rEFInd has it in refind_linux.conf */
void recipe_parse_refind_linux(struct recipes *recipes, const char *file,
			       struct text bytes)
{
	struct strings_reader r = {.rest = bytes, .line = 1};
	unsigned title = 0;

	while (next_string(&r)) {
		if (r.first == title)
			recipe_parse_cmdline(recipes, file, r.first, r.string);
		title = title == r.first ? 0 : r.first;
	}
}

/* JSON of kernelstub: "kernel_options": ["quiet", ...] */
void recipe_parse_kernelstub(struct recipes *recipes, const char *file, struct text bytes)
{
	parse_strings(recipes, file, (struct strings_reader){.rest = bytes, .line = 1});
}

/* TOML: kargs = ["..."] */
void recipe_parse_bootc(struct recipes *recipes, const char *file, struct text bytes)
{
	size_t before = recipes->count;

	parse_strings(recipes, file, (struct strings_reader){.rest = bytes, .line = 1});
	keep_all(recipes, before, BOOTC_NOTE);
}

/* Guix: (kernel-arguments (list "..." ...)) */
void recipe_parse_guix(struct recipes *recipes, const char *file, struct text bytes)
{
	size_t before = recipes->count;

	parse_strings(
		recipes, file,
		(struct strings_reader){.rest = bytes, .line = 1, .is_scheme = true});
	keep_all(recipes, before, GUIX_NOTE);
}

/* A block of Nix with lines of modprobe.d, or with commands that pass devices. */
static void parse_block(struct recipes *recipes, const char *file,
			const struct strings_reader *r)
{
	size_t before = recipes->count, findings = recipes->finding_count;

	if (text_has_part(r->string, "driver_override"))
		recipe_parse_script(recipes, file, r->string);
	else if (text_has_part(r->string, "options ") ||
		 text_has_part(r->string, "softdep "))
		recipe_parse_modprobe(recipes, file, r->string);
	for (size_t i = before; i < recipes->count; i++)
		recipes->items[i].line += r->first - 1;
	for (size_t i = findings; i < recipes->finding_count; i++)
		recipes->findings[i].line += r->first - 1;
}

/* Of a string that has "ids=" in it. */
static unsigned line_of_ids(const struct strings_reader *r)
{
	const char *at = memmem(r->string.p, r->string.n, "ids=", 4);
	unsigned line = r->first;

	for (const char *p = r->string.p; at && p < at; p++)
		line += *p == '\n';
	return line;
}

/* A string that is one ID, as an element of a list that the configuration puts together. */
static bool take_nix_id(struct recipes *recipes, const char *file,
			const struct strings_reader *s)
{
	struct recipe r = {.file = file,
			   .line = s->first,
			   .text = s->string,
			   .kind = RECIPE_IDS,
			   .fate = RECIPE_STAY,
			   .extent = RECIPE_WORDS,
			   .note = NIX_NOTE,
			   .is_cmdline = true};
	struct selector selector;
	struct parse_error error;

	if (s->is_block || selector_parse(s->string, &selector, &error) < 0 ||
	    selector.terms != TERM_ID)
		return false;
	recipe_add_selector(recipes, recipe_add(recipes, &r), &selector);
	return true;
}

/* "vfio-pci.ids=" + lib.concatStringsSep "," gpuIDs: the list stands elsewhere in the file. */
static bool take_nix_list(struct recipes *recipes, const char *file, struct text bytes)
{
	struct strings_reader r = {.rest = bytes, .line = 1};
	bool is_any = false;

	while (next_string(&r))
		is_any |= take_nix_id(recipes, file, &r);
	return is_any;
}

/*
 * NixOS: boot.kernelParams, boot.extraModprobeConfig. A string with something to put in is not
 * understood. vfio-pci's parameters stand in strings of their own.
 */
void recipe_parse_nix(struct recipes *recipes, const char *file, struct text bytes)
{
	struct strings_reader r = {.rest = bytes, .line = 1};
	size_t before = recipes->count;
	unsigned unclear = 0;

	while (next_string(&r)) {
		if (!text_has_part(r.string, "vfio") &&
		    !text_has_part(r.string, "pci-stub") &&
		    !text_has_part(r.string, "iommu"))
			continue;
		if (text_has_part(r.string, "${") || text_has_suffix(r.string, "ids=")) {
			if (unclear == 0 && text_has_part(r.string, "ids="))
				unclear = line_of_ids(&r);
		} else if (r.is_block) {
			parse_block(recipes, file, &r);
		} else if (text_has_prefix(r.string, "options ")) {
			parse_block(recipes, file, &r);
		} else {
			recipe_parse_cmdline(recipes, file, r.first, r.string);
		}
	}
	if (unclear > 0 && !take_nix_list(recipes, file, bytes))
		recipe_find(recipes, LINT_NOT_UNDERSTOOD, file, unclear,
			    "it looks like it passes devices, and is not understood: its "
			    "list is put together by Nix");
	keep_all(recipes, before, NIX_NOTE);
}
