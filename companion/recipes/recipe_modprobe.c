/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modprobe.d, as libkmod reads it (libkmod-config.c: kmod_config_parse()): a keyword per line,
 * lines joined by a backslash, '-' and '_' the same in names of modules. Also lists of modules
 * that are loaded early or at boot.
 */
#include "recipe_parse.h"

#include <string.h>

#include "kernel_cmdline.h"

struct line {
	struct recipes *recipes;
	const char *file;
	unsigned number;
	struct text whole;
	struct text rest; /* behind the keyword */
	bool is_vendor;
};

static struct recipe of(const struct line *line, enum recipe_kind kind,
			enum recipe_fate fate)
{
	return (struct recipe){
		.file = line->file,
		.line = line->number,
		.text = line->whole,
		.kind = kind,
		.fate = fate,
	};
}

/* One parameter of "options vfio-pci". */
static void add_parameter(const struct line *line, struct text module,
			  const struct cmdline_arg *arg, bool is_alone, bool is_typo)
{
	struct recipe r = of(line, RECIPE_OPTION, RECIPE_STAY);
	struct text stray = recipe_stray_ids(arg);

	if (!is_alone) {
		r.extent = RECIPE_WORDS;
		r.text = recipe_word(line->rest, arg);
	}
	if (text_is_param(arg->name, "ids") && !arg->value.p) {
		recipe_find(line->recipes, LINT_IDS, line->file, line->number,
			    "ids has no value: write ids=vendor:device without a blank");
		return;
	}
	if (text_is_param(arg->name, "ids") &&
	    (text_is_param(module, "vfio_pci") || text_is_param(module, "pci_stub") ||
	     is_typo)) {
		r.kind = RECIPE_IDS;
		r.fate = RECIPE_DELETE;
		r.module = module;
		recipe_add_ids(line->recipes, recipe_add(line->recipes, &r), arg->value);
		return;
	}
	/* Pain 17: a blank in the list. */
	if (stray.n > 0) {
		recipe_find(line->recipes, LINT_IDS, line->file, line->number,
			    "\"%.*s\" is behind a blank, so it is no part of the list "
			    "and has no effect: separate IDs by commas only",
			    (int)arg->name.n, arg->name.p);
		r.kind = RECIPE_IDS;
		r.fate = RECIPE_DELETE;
		recipe_add_ids(line->recipes, recipe_add(line->recipes, &r), stray);
		return;
	}
	if (text_is(arg->name, "=") || stray.p || is_typo)
		return;
	r.note = "it is for vfio itself, and works with earlybind, too";
	if (text_is_param(module, "pci_stub"))
		(void)recipe_add(line->recipes, &r);
	else
		recipe_check_parameter(line->recipes, r, module, arg->name, arg->value);
}

/* modprobe hands all that stands behind options to the module; a comment is a line. */
static bool has_comment(const struct line *line, const struct cmdline_arg *arg)
{
	if (!text_has_prefix(arg->name, "#"))
		return false;
	recipe_find(line->recipes, LINT_SYNTAX, line->file, line->number,
		    "a comment must be a line of its own: modprobe gives the words from "
		    "\"%.*s\" on to the module as parameters",
		    (int)MIN(arg->name.n, (size_t)40), arg->name.p);
	return true;
}

static void parse_options(const struct line *line, struct text module)
{
	struct text rest = line->rest, all = line->rest;
	struct cmdline_arg arg;
	size_t count = 0;
	bool is_typo =
		recipe_check_module(line->recipes, line->file, line->number, module) &&
		!module_is_vfio(module);

	if (text_is_param(module, "xen_pciback")) {
		const struct recipe r = of(line, RECIPE_ADDRESS, RECIPE_LOOK);

		while (cmdline_next(&rest, &arg))
			if (text_is(arg.name, "hide") && arg.value.p)
				recipe_add_xen(line->recipes, r, arg.value);
			else
				(void)recipe_take_stray_xen(line->recipes, r, &arg);
		return;
	}
	if (!module_is_vfio(module) && !text_is_param(module, "pci_stub") && !is_typo)
		return;
	while (cmdline_next(&all, &arg) && !text_has_prefix(arg.name, "#"))
		count += arg.value.p ||
			 !(recipe_stray_ids(&arg).p || text_is_param(arg.name, "ids") ||
			   text_is(arg.name, "="));
	while (cmdline_next(&rest, &arg) && !has_comment(line, &arg))
		add_parameter(line, module, &arg, count <= 1, is_typo);
}

/* "softdep nouveau pre: vfio-pci post: ..." */
static void parse_softdep(const struct line *line, struct text module)
{
	struct text rest = line->rest, word;
	struct recipe r = of(line, RECIPE_ORDER, RECIPE_DELETE);
	bool is_pre = false, has_vfio = false;

	while (text_word(&rest, &word)) {
		if (text_is(word, "pre:"))
			is_pre = true;
		else if (text_is(word, "post:"))
			is_pre = false;
		else if (is_pre && recipe_check_module(line->recipes, line->file,
						       line->number, word))
			has_vfio = true;
	}
	r.module = module;
	if (has_vfio && !module_is_vfio(module))
		(void)recipe_add(line->recipes, &r);
}

static void parse_blacklist(const struct line *line, struct text module)
{
	struct recipe r = of(line, RECIPE_BLACKLIST, RECIPE_DELETE);

	r.module = module;
	if (!line->is_vendor)
		(void)recipe_add(line->recipes, &r);
}

/* What loads the module as it would be loaded without the line. */
static bool is_modprobe(struct text program)
{
	return text_is(program, "modprobe") || text_has_suffix(program, "/modprobe");
}

bool recipe_take_modprobe(struct text command, struct text *ret_module,
			  struct text *ret_ids)
{
	struct text module = TEXT("");
	struct cmdline_arg arg;

	if (!cmdline_next(&command, &arg) || arg.value.p || !is_modprobe(arg.name))
		return false;
	while (cmdline_next(&command, &arg)) {
		if (!arg.value.p && text_is_param(arg.name, "vfio_pci")) {
			module = TEXT("vfio_pci");
		} else if (!arg.value.p && text_is_param(arg.name, "pci_stub")) {
			module = TEXT("pci_stub");
		} else if (module.n > 0 && arg.value.n > 0 && text_is(arg.name, "ids")) {
			*ret_module = module;
			*ret_ids = arg.value;
			return true;
		}
	}
	return false;
}

/* "install nouveau /bin/false", "install vfio-pci /sbin/script" and the like. */
static void parse_install(const struct line *line, struct text module)
{
	static const char *const nothing[] = {
		"/bin/false",	 "/bin/true", "/usr/bin/false", "/usr/bin/true",
		"/sbin/nologin", "false",     "true",		":"};
	struct recipe r = of(line, RECIPE_SCRIPT, RECIPE_LOOK);
	struct text command = text_trim(line->rest), word = {"", 0}, rest = command;
	struct text of_ids, ids;

	r.module = module;
	(void)text_word(&rest, &word);
	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++) {
		if (!text_is(word, nothing[i]))
			continue;
		r.kind = RECIPE_BLACKLIST;
		r.fate = RECIPE_DELETE;
		if (!line->is_vendor)
			(void)recipe_add(line->recipes, &r);
		return;
	}
	if (recipe_take_modprobe(command, &of_ids, &ids)) {
		r.kind = RECIPE_IDS;
		r.fate = RECIPE_DELETE;
		r.module = of_ids;
		recipe_add_ids(line->recipes, recipe_add(line->recipes, &r), ids);
	} else if (module_is_vfio(module) && is_modprobe(word)) {
		r.kind = RECIPE_LOAD;
		r.fate = RECIPE_DELETE;
		(void)recipe_add(line->recipes, &r);
	} else if (module_is_vfio(module)) {
		recipe_follow(line->recipes, command);
		r.note = "a program of your own chooses the devices: write rules for "
			 "them; earlybind loads vfio-pci without this line";
		(void)recipe_add(line->recipes, &r);
	} else if (text_has_part(command, "vfio-pci") ||
		   text_has_part(command, "vfio_pci")) {
		r.kind = RECIPE_ORDER;
		r.fate = RECIPE_DELETE;
		(void)recipe_add(line->recipes, &r);
	}
}

/*
 * Takes @prefix and a number of @digits hexadecimal digits, or "*", off @rest. No field of a
 * device has more than 16 bits: what is larger would match nothing.
 */
static bool take_field(struct text *rest, const char *prefix, size_t digits,
		       uint32_t *ret)
{
	size_t n = strlen(prefix);
	uint64_t value;

	if (!text_has_prefix(*rest, prefix) || rest->n == n)
		return false;
	*rest = (struct text){rest->p + n, rest->n - n};
	if (rest->p[0] == '*') {
		*ret = PCI_ANY;
		*rest = (struct text){rest->p + 1, rest->n - 1};
		return true;
	}
	if (rest->n < digits ||
	    text_hex((struct text){rest->p, digits}, UINT16_MAX, &value) < 0)
		return false;
	*ret = (uint32_t)value;
	*rest = (struct text){rest->p + digits, rest->n - digits};
	return true;
}

/* "pci:v000010DEd00001B80sv*sd*bc03sc00i00*" (drivers/pci/pci-driver.c: pci_uevent()) */
static bool parse_modalias(struct text t, struct selector *ret)
{
	uint32_t v, d, sv, sd, part[3], class = 0, mask = 0;

	if (!take_field(&t, "pci:v", 8, &v) || !take_field(&t, "d", 8, &d) ||
	    !take_field(&t, "sv", 8, &sv) || !take_field(&t, "sd", 8, &sd) ||
	    !take_field(&t, "bc", 2, &part[0]) || !take_field(&t, "sc", 2, &part[1]) ||
	    !take_field(&t, "i", 2, &part[2]) || (t.n > 0 && !text_is(t, "*")))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		class = class << 8 | (part[i] == PCI_ANY ? 0 : part[i]);
		mask = mask << 8 | (part[i] == PCI_ANY ? 0 : 0xff);
	}
	*ret = (struct selector){.terms = TERM_ID, .id = {v, d, sv, sd, class, mask}};
	return true;
}

static void parse_alias(const struct line *line, struct text alias)
{
	struct recipe r = of(line, RECIPE_IDS, RECIPE_DELETE);
	struct text rest = line->rest, module;
	struct selector selector;

	if (!text_word(&rest, &module))
		return;
	if (text_is(module, "off")) {
		parse_blacklist(line, alias);
		return;
	}
	if (!text_is_param(module, "vfio_pci"))
		return;
	if (parse_modalias(alias, &selector)) {
		recipe_add_selector(line->recipes, recipe_add(line->recipes, &r),
				    &selector);
		return;
	}
	r.fate = RECIPE_LOOK;
	r.note = "this alias is no pattern of a PCI device that earlybind can read";
	(void)recipe_add(line->recipes, &r);
}

static const struct {
	const char *word;
	void (*parse)(const struct line *line, struct text first);
} keywords[] = {
	{"options", parse_options},
	{"softdep", parse_softdep},
	{"blacklist", parse_blacklist},
	{"install", parse_install},
	{"alias", parse_alias},
	/* Known to modprobe, and no recipe. */
	{"remove", NULL},
	{"weakdep", NULL},
	{"config", NULL},
	{"include", NULL},
};

static void parse_line(struct line *line, bool is_about_vfio)
{
	struct text rest = line->whole, word, first;

	if (!text_word(&rest, &word) || word.p[0] == '#')
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		if (!text_is(word, keywords[i].word))
			continue;
		if (keywords[i].parse && text_word(&rest, &first)) {
			line->rest = rest;
			keywords[i].parse(line, first);
		}
		return;
	}
	/* Pain 17: libkmod says "ignoring bad line", where nobody looks. */
	if (is_about_vfio || text_is_id_like(word))
		recipe_find(line->recipes, LINT_SYNTAX, line->file, line->number,
			    "modprobe ignores this line: \"%.*s\" is no keyword; a list "
			    "that goes on needs a backslash at the end of its line",
			    (int)MIN(word.n, (size_t)40), word.p);
}

static void parse(struct recipes *recipes, const char *file, struct text bytes,
		  bool is_vendor)
{
	struct line line = {.recipes = recipes, .file = file, .is_vendor = is_vendor};
	bool is_about_vfio = text_has_part(bytes, "vfio"), is_empty = true;
	struct text rest = bytes;
	unsigned last = 0;

	while (recipe_line(recipes, &rest, &last, &line.number, &line.whole)) {
		line.whole = text_trim(line.whole);
		is_empty &= line.whole.n == 0 || line.whole.p[0] == '#';
		parse_line(&line, is_about_vfio);
	}
	if (is_empty && strstr(file, "vfio") && !is_vendor)
		recipe_find(recipes, LINT_NO_EFFECT, file, 0,
			    "there is no setting in it: it binds no device");
}

void recipe_parse_modprobe(struct recipes *recipes, const char *file, struct text bytes)
{
	parse(recipes, file, bytes, false);
}

void recipe_parse_modprobe_vendor(struct recipes *recipes, const char *file,
				  struct text bytes)
{
	parse(recipes, file, bytes, true);
}

/* modprobe read it once. */
void recipe_parse_modprobe_conf(struct recipes *recipes, const char *file,
				struct text bytes)
{
	size_t before = recipes->count, findings;

	if (!text_has_part(bytes, "vfio"))
		return;
	recipe_find(
		recipes, LINT_NO_EFFECT, file, 0,
		"modprobe reads the files /etc/modprobe.d/*.conf and not this one: it "
		"has no effect");
	findings = recipes->finding_count;
	parse(recipes, file, bytes, false);
	recipes_offer(recipes, before, findings);
}

/* ---- lists of modules ----------------------------------------------------------------------- */

/* "vfio-pci.ids=..." is for the kernel's command line. */
static bool take_parameter(struct recipes *recipes, struct recipe r, struct text word)
{
	struct cmdline_arg arg;

	if (!cmdline_next(&word, &arg) || !arg.value.p ||
	    (!text_is_param(arg.name, "vfio_pci.ids") &&
	     !text_is_param(arg.name, "pci_stub.ids")))
		return false;
	recipe_find(recipes, LINT_SYNTAX, r.file, r.line,
		    "a line of this file names a module: %.*s= is a parameter of the "
		    "kernel's command line and has no effect here",
		    (int)arg.name.n, arg.name.p);
	r.kind = RECIPE_IDS;
	r.module = (struct text){arg.name.p, arg.name.n - 4};
	r.is_replaced = true;
	recipe_add_ids(recipes, recipe_add(recipes, &r), arg.value);
	return true;
}

/* Of a line for modprobe.d the IDs are offered. */
static void offer_options(struct recipes *recipes, struct recipe r, struct text rest)
{
	struct line line = {.recipes = recipes,
			    .file = r.file,
			    .number = r.line,
			    .whole = r.text,
			    .rest = rest};
	size_t before = recipes->count;
	struct text module;

	if (text_has_prefix(r.text, "options") && text_word(&line.rest, &module))
		parse_options(&line, module);
	for (size_t i = before; i < recipes->count; i++)
		recipes->items[i].is_replaced = true;
	r.is_replaced = true;
	if (recipes->count == before)
		(void)recipe_add(recipes, &r);
}

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
			offer_options(recipes, r, rest);
		}
		return;
	}
	if (take_parameter(recipes, r, name))
		return;
	if (!recipe_check_module(recipes, file, line, name) &&
	    !text_is_param(name, "pci_stub")) {
		recipe_add_early(recipes, file, line, name);
		return;
	}
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

/* The next word of a list with commas, blanks and quotes; a remark ends it. */
static bool next_module(struct text *list, struct text *ret)
{
	static const char separators[] = " \t\r,'\"";
	size_t n = 0;

	while (list->n > 0 && strchr(separators, list->p[0]))
		*list = (struct text){list->p + 1, list->n - 1};
	while (n < list->n && !strchr(separators, list->p[n]))
		n++;
	*ret = (struct text){list->p, n};
	if (n == 0 || list->p[0] == '#')
		return false;
	*list = (struct text){list->p + n, list->n - n};
	return true;
}

/* The lists of /etc/booster.yaml: strings with commas. */
void recipe_parse_booster(struct recipes *recipes, const char *file, struct text bytes)
{
	static const char *const keys[] = {"modules_force_load:", "modules:"};
	struct text rest = bytes, text, list, word;
	bool is_open = false;

	for (unsigned line = 1; text_cut(&rest, '\n', &text); line++) {
		bool is_item = is_open && text_has_prefix(text_trim(text), "-");

		if (is_item)
			recipe_find(recipes, LINT_NOT_UNDERSTOOD, file, line,
				    "a list with a line for each module is not "
				    "understood: booster takes one line, with commas");
		is_open = false;
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			if (!text_has_prefix(text, keys[i]))
				continue;
			list = text;
			list.p += strlen(keys[i]);
			list.n -= strlen(keys[i]);
			is_open = text_trim(list).n == 0;
			while (next_module(&list, &word))
				recipe_take_module(recipes, file, line, word, i == 0);
		}
	}
}
