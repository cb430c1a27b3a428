/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel command lines as boot loaders and their helpers keep them: behind a key, in the second
 * string of a line, or in lists of strings.
 */
#include "recipe_parse.h"

#include <string.h>

#define BOOTC_NOTE \
	"it comes with the image of the system: once an image with the rules has booted, " \
	"remove it where that image is made"

/* ---- behind a key -------------------------------------------------------------------------- */

static struct text skip(struct text t, size_t n)
{
	return (struct text){t.p + n, t.n - n};
}

/* How much stands before the @quote that ends a string. */
static size_t string_length(struct text t, char quote)
{
	size_t n = 0;

	while (n < t.n && t.p[n] != quote)
		n += quote == '"' && t.p[n] == '\\' && n + 1 < t.n ? 2 : 1;
	return n;
}

/* What is behind the second quote is a remark. */
static struct text unquote(struct text t)
{
	size_t n;

	if (t.n < 2 || (t.p[0] != '"' && t.p[0] != '\''))
		return t;
	n = string_length(skip(t, 1), t.p[0]);
	return n < t.n - 1 ? (struct text){t.p + 1, n} : t;
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

static void parse_keys(struct recipes *recipes, const char *file, struct text bytes,
		       const char *const *keys, size_t count)
{
	struct text rest = bytes, text, value;
	unsigned line = 0, first;

	while (recipe_line(recipes, &rest, &line, &first, &text)) {
		text = text_trim(text);
		for (size_t i = 0; i < count; i++)
			if (has_key(text, keys[i], &value)) {
				recipe_parse_cmdline(recipes, file, first, value);
				break;
			}
	}
}

/* Xen without a menu: the name of the kernel, and its parameters. */
void recipe_parse_xen_cfg(struct recipes *recipes, const char *file, struct text bytes)
{
	static const char *const keys[] = {"kernel"};

	parse_keys(recipes, file, bytes, keys, ARRAY_SIZE(keys));
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
		"optargs", /* uEnv.txt */
		"LINUX_KERNEL_CMDLINE", /* flash-kernel */
		"LINUX_KERNEL_CMDLINE_DEFAULTS",
	};

	parse_keys(recipes, file, bytes, keys, ARRAY_SIZE(keys));
}

/* Of a string that goes on in other lines: the quote that opens it here, or closes it. */
static struct text take_open_quote(struct text t, bool is_more, char *quote)
{
	if (t.n == 0)
		return t;
	if (!is_more) {
		*quote = t.p[0] == '"' || t.p[0] == '\'' ? t.p[0] : '\0';
		return *quote ? skip(t, 1) : t;
	}
	if (*quote && t.p[t.n - 1] == *quote)
		t.n--;
	return t;
}

/* Lines with blanks in front go on with the value (Python's configparser). */
void recipe_parse_ukify(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text, value;
	bool is_ours = false;
	char quote = '\0';

	for (unsigned line = 1; text_cut(&rest, '\n', &text); line++) {
		bool is_more = text.n > 0 && char_is_blank(text.p[0]);

		text = text_trim(text);
		if (text.n == 0 || text.p[0] == '#' || text.p[0] == ';')
			continue;
		value = text;
		if (!is_more)
			is_ours = has_key(text, "Cmdline", &value);
		if (is_ours)
			value = take_open_quote(value, is_more, &quote);
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
	char comment; /* what one begins with; 0 for none */
	bool has_literals; /* between apostrophes, where no backslash counts (TOML) */
};

/* Takes @n bytes off, and counts their lines. */
static void take(struct strings_reader *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		r->line += r->rest.p[i] == '\n';
	r->rest = skip(r->rest, n);
}

/* The next string; comments are passed over. */
static bool next_string(struct strings_reader *r)
{
	while (r->rest.n > 0) {
		char c = r->rest.p[0];
		const char *end;

		if (r->comment && c == r->comment) {
			end = memchr(r->rest.p, '\n', r->rest.n);
			take(r, end ? (size_t)(end - r->rest.p) : r->rest.n);
		} else if (c == '"' || (c == '\'' && r->has_literals)) {
			take(r, 1);
			r->first = r->line;
			r->string = (struct text){r->rest.p, string_length(r->rest, c)};
			take(r, MIN(r->string.n + 1, r->rest.n));
			return true;
		} else {
			take(r, 1);
		}
	}
	return false;
}

void recipes_keep(struct recipes *recipes, size_t before, const char *note)
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
		recipe_parse_cmdline(recipes, file, r.first, r.string);
}

/* "title" "options", as rEFInd has it in refind_linux.conf */
void recipe_parse_refind_linux(struct recipes *recipes, const char *file,
			       struct text bytes)
{
	struct strings_reader r = {.rest = bytes, .line = 1, .comment = '#'};
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

/* TOML: kargs = ["...", '...'] */
void recipe_parse_bootc(struct recipes *recipes, const char *file, struct text bytes)
{
	size_t before = recipes->count;

	parse_strings(
		recipes, file,
		(struct strings_reader){
			.rest = bytes, .line = 1, .comment = '#', .has_literals = true});
	recipes_keep(recipes, before, BOOTC_NOTE);
}

/* Guix: (kernel-arguments (list "..." ...)) */
void recipe_parse_guix(struct recipes *recipes, const char *file, struct text bytes)
{
	size_t before = recipes->count;

	parse_strings(recipes, file,
		      (struct strings_reader){.rest = bytes, .line = 1, .comment = ';'});
	recipes_keep(recipes, before, RECIPE_GUIX_NOTE);
}
