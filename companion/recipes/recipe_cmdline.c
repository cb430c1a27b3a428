/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel parameters of recipes, and the files of boot loaders where they stand. */
#include <string.h>

#include "kernel_cmdline.h"
#include "recipe_parse.h"

struct reader {
	struct recipes *recipes;
	struct recipe base;
	struct text name;
	struct text value;
};

static void take_ids(struct reader *r)
{
	r->base.kind = RECIPE_IDS;
	r->base.fate = RECIPE_DELETE;
	/* "vfio-pci" of "vfio-pci.ids" */
	r->base.module = (struct text){r->name.p, r->name.n - 4};
	recipe_add_ids(r->recipes, recipe_add(r->recipes, &r->base), r->value);
}

static void take_xen(struct reader *r)
{
	recipe_add_xen(r->recipes, r->base, r->value);
}

/*
 * "0000_00_1c.4-00_00.0": a function on a root bus, then for each bridge the bus, counted from
 * the first one behind that bridge, and device and function (qubes-pciback.sh). Only that
 * first bus, 00, is a hop of a path of ours. False for anything else.
 */
static bool add_path(struct recipes *recipes, struct recipe *recipe, struct text word)
{
	struct selector s;
	struct parse_error error;
	struct text rest = word, hop;
	char text[SELECTOR_SIZE] = "path=";
	size_t n = strlen(text);

	for (bool is_root = true; text_cut(&rest, '-', &hop); is_root = false) {
		if (!is_root && !text_has_prefix(hop, "00_"))
			return false;
		if (!is_root)
			hop = (struct text){hop.p + 3, hop.n - 3};
		if (n + hop.n + 2 > sizeof(text))
			return false;
		if (!is_root)
			text[n++] = '/';
		for (size_t i = 0; i < hop.n; i++)
			text[n++] = hop.p[i] == '_' ? ':' : hop.p[i];
		text[n] = '\0';
	}
	if (selector_parse(text_of(text), &s, &error) < 0)
		return false;
	recipe_add_selector(recipes, recipe, &s);
	return true;
}

/* Addresses by commas; with '-' in them it is a path through bridges. */
static void take_qubes(struct reader *r)
{
	struct text rest = r->value, part;
	struct recipe *recipe;

	r->base.kind = RECIPE_ADDRESS;
	r->base.fate = RECIPE_STAY;
	r->base.options = RECIPE_XEN_OPTIONS;
	r->base.note = RECIPE_XEN_NOTE;
	recipe = recipe_add(r->recipes, &r->base);
	while (text_cut(&rest, ',', &part)) {
		bool is_path = part.n > 0 && memchr(part.p, '-', part.n);

		if (part.n == 0 ||
		    (is_path ? add_path(r->recipes, recipe, part)
			     : recipe_add_address(r->recipes, recipe, part, TEXT(""))))
			continue;
		recipe_find(
			r->recipes, LINT_SYNTAX, r->base.file, r->base.line,
			is_path ? "\"%.*s\" has no path that a rule can have: name "
				  "the device by its address"
				: "\"%.*s\" is no address: it is bus:device.function, "
				  "in lower case",
			(int)MIN(part.n, (size_t)40), part.p);
	}
}

static void take_preload(struct reader *r)
{
	struct text rest = r->value, part;

	while (text_cut(&rest, ',', &part)) {
		if (!recipe_check_module(r->recipes, r->base.file, r->base.line, part))
			continue;
		r->base.kind = RECIPE_ORDER;
		r->base.fate = RECIPE_DELETE;
		(void)recipe_add(r->recipes, &r->base);
		return;
	}
}

static void take_blacklist(struct reader *r)
{
	struct text rest = r->value, part;

	r->base.kind = RECIPE_BLACKLIST;
	r->base.fate = RECIPE_DELETE;
	while (text_cut(&rest, ',', &part)) {
		if (part.n == 0)
			continue;
		r->base.module = part;
		(void)recipe_add(r->recipes, &r->base);
	}
}

static void take_kernel(struct reader *r, const char *note)
{
	r->base.kind = RECIPE_KERNEL;
	r->base.fate = RECIPE_STAY;
	r->base.note = note;
	(void)recipe_add(r->recipes, &r->base);
}

static bool has_item(struct text list, const char *item)
{
	struct text part;

	while (text_cut(&list, ',', &part))
		if (text_is(part, item))
			return true;
	return false;
}

static void take_iommu(struct reader *r)
{
	/* amd/init.c: parse_amd_iommu_options() knows no "on". */
	if (text_is_param(r->name, "amd_iommu") && text_is(r->value, "on")) {
		take_kernel(r, "it has no effect: the kernel knows no amd_iommu=on");
		return;
	}
	/* "on,igfx_off" keeps it on; each maker's parameter is read by its own driver. */
	if (has_item(r->value, "off") &&
	    ((text_is_param(r->name, "intel_iommu") && r->recipes->maker == IOMMU_AMD) ||
	     (text_is_param(r->name, "amd_iommu") && r->recipes->maker == IOMMU_INTEL))) {
		take_kernel(r, "it has no effect: it is for the IOMMU of another maker");
		return;
	}
	if (has_item(r->value, "off")) {
		recipe_find(r->recipes, LINT_IOMMU_OFF, r->base.file, r->base.line,
			    "%.*s keeps the IOMMU off, and without it no device can be "
			    "passed: remove it",
			    (int)r->base.text.n, r->base.text.p);
		return;
	}
	take_kernel(r, "vfio needs the IOMMU");
}

static void take_acs(struct reader *r)
{
	take_kernel(r,
		    "a patched kernel makes IOMMU groups by it, which earlybind cannot");
}

static void take_framebuffer(struct reader *r)
{
	struct text v = r->value;

	if (text_has_prefix(v, "efifb:off") || text_has_prefix(v, "vesafb:off") ||
	    text_has_prefix(v, "simplefb:off"))
		take_kernel(r, "it keeps the firmware's framebuffer off the card");
}

static void take_initcall(struct reader *r)
{
	if (text_has_part(r->value, "sysfb_init"))
		take_kernel(r, "it keeps the firmware's framebuffer off the card");
}

static void take_option(struct reader *r, struct text module)
{
	struct text name = {module.p + module.n + 1, r->name.n - module.n - 1};

	r->base.kind = RECIPE_OPTION;
	r->base.fate = RECIPE_STAY;
	r->base.note = "it is for vfio itself, and works with earlybind, too";
	recipe_check_parameter(r->recipes, r->base, module, name, r->value);
}

/* "vfio-pci-ids=" is no parameter of anything. */
static bool take_joined(struct reader *r)
{
	static const char *const names[] = {"vfio_pci_ids", "vfio_ids", "vfio_pci_id",
					    "vfiopci.ids"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!text_is_param(r->name, names[i]) || !text_is_id_like(r->value))
			continue;
		recipe_find(r->recipes, LINT_NAME, r->base.file, r->base.line,
			    "there is no parameter %.*s, so it binds nothing: it is "
			    "vfio-pci.ids=, with a dot",
			    (int)r->name.n, r->name.p);
		r->base.kind = RECIPE_IDS;
		r->base.fate = RECIPE_DELETE;
		recipe_add_ids(r->recipes, recipe_add(r->recipes, &r->base), r->value);
		return true;
	}
	return false;
}

struct parameter {
	const char *name;
	void (*take)(struct reader *r);
};

/* Of the kernel or a module: '-' and '_' are the same. */
static const struct parameter parameters[] = {
	{"vfio_pci.ids", take_ids},
	{"pci_stub.ids", take_ids},
	{"xen_pciback.hide", take_xen},
	{"pciback.hide", take_xen},
	{"module_blacklist", take_blacklist},
	{"intel_iommu", take_iommu},
	{"amd_iommu", take_iommu},
	{"iommu", take_iommu},
	{"pcie_acs_override", take_acs},
	{"video", take_framebuffer},
	{"initcall_blacklist", take_initcall},
};

/* Of programs: exactly so. */
static const struct parameter others[] = {
	{"rd.qubes.hide_pci", take_qubes}, {"rd.driver.pre", take_preload},
	{"rdloaddriver", take_preload},	   {"rd.driver.blacklist", take_blacklist},
	{"rdblacklist", take_blacklist},   {"modprobe.blacklist", take_blacklist},
};

static const struct parameter *find_parameter(struct text name)
{
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		if (text_is_param(name, parameters[i].name))
			return &parameters[i];
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (text_is(name, others[i].name))
			return &others[i];
	return NULL;
}

/* "vfio-pci.disable_vga": a parameter of one of vfio's modules, or of what looks like one. */
static void take_module_parameter(struct reader *r, struct text name)
{
	const struct cmdline_arg arg = {.name = name, .value = r->value};
	const char *dot = memchr(name.p, '.', name.n);
	struct text module = {name.p, dot ? (size_t)(dot - name.p) : 0};
	struct text stray = recipe_stray_ids(&arg);

	if (take_joined(r) || recipe_take_stray_xen(r->recipes, r->base, &arg))
		return;
	/* Pain 17: a blank in the list. */
	if (!dot && stray.n > 0) {
		recipe_find(r->recipes, LINT_IDS, r->base.file, r->base.line,
			    "\"%.*s\" is behind a blank, so it is no part of a list and "
			    "has no effect: separate IDs by commas only",
			    (int)name.n, name.p);
		r->base.kind = RECIPE_IDS;
		r->base.fate = RECIPE_DELETE;
		recipe_add_ids(r->recipes, recipe_add(r->recipes, &r->base), stray);
	}
	if (!dot || !recipe_check_module(r->recipes, r->base.file, r->base.line, module))
		return;
	if (module_is_vfio(module)) {
		take_option(r, module);
	} else if (text_has_suffix(name, ".ids") && text_is_id_like(r->value)) {
		/* What was meant is offered. */
		r->base.kind = RECIPE_IDS;
		r->base.fate = RECIPE_DELETE;
		recipe_add_ids(r->recipes, recipe_add(r->recipes, &r->base), r->value);
	}
}

void recipe_parse_cmdline(struct recipes *recipes, const char *file, unsigned line,
			  struct text words)
{
	size_t before = recipes->count;
	struct text rest = words;
	struct cmdline_arg arg;

	while (cmdline_next(&rest, &arg) && !cmdline_is_end(&arg)) {
		struct reader r = {
			.recipes = recipes,
			.base = {.file = file,
				 .line = line,
				 .text = recipe_word(words, &arg),
				 .extent = RECIPE_WORDS,
				 .is_cmdline = true},
			.name = arg.name,
			.value = arg.value,
		};
		const struct parameter *parameter = find_parameter(arg.name);

		if (parameter)
			parameter->take(&r);
		else
			take_module_parameter(&r, arg.name);
	}
	if (text_has_part(words, "init=/nix/store/"))
		recipes_keep(recipes, before, RECIPE_NIX_NOTE);
	if (text_has_part(words, "gnu.system=/gnu/store/"))
		recipes_keep(recipes, before, RECIPE_GUIX_NOTE);
}

/* ---- files ---------------------------------------------------------------------------------- */

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
static size_t parse_grub_menu(struct recipes *recipes, const char *file,
			      struct text bytes)
{
	static const char *const keywords[] = {"linux",	   "linux16", "linuxefi",
					       "linuxxen", "module",  "module2"};

	return parse_lines(recipes, file, bytes, keywords, ARRAY_SIZE(keywords));
}

void recipe_parse_grub_cfg(struct recipes *recipes, const char *file, struct text bytes)
{
	size_t before = recipes->count;

	if (parse_grub_menu(recipes, file, bytes) > 0)
		recipes->has_boot_menu = true;
	for (size_t i = before; i < recipes->count; i++)
		recipes->items[i].is_generated = true;
}

/* Entries that somebody wrote: custom.cfg, 40_custom */
void recipe_parse_grub_custom(struct recipes *recipes, const char *file,
			      struct text bytes)
{
	(void)parse_grub_menu(recipes, file, bytes);
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

#define BOOTC_NOTE \
	"it comes with the image of the system: once an image with the rules has booted, " \
	"remove it where that image is made"

/* ---- command lines behind a key --------------------------------------------------------- */

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

/* ---- command lines in strings ----------------------------------------------------------- */

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
