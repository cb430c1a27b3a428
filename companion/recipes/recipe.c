/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parsers of recipes share. */
#include "recipe_parse.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "vfio_ids.h"
#include "options.h"

#define SELECTORS_MAX 256 /* of one recipe */

int recipes_init(struct recipes *recipes, struct arena *arena)
{
	*recipes = (struct recipes){
		.arena = arena,
		.items = arena_alloc(arena, RECIPES_MAX, sizeof(*recipes->items)),
		.findings = arena_alloc(arena, RECIPE_FINDINGS_MAX,
					sizeof(*recipes->findings)),
	};
	return recipes->items && recipes->findings ? 0 : -ENOMEM;
}

struct recipe *recipe_add(struct recipes *recipes, const struct recipe *recipe)
{
	static struct recipe lost;
	struct recipe *r = &lost;

	if (recipes->count < RECIPES_MAX)
		r = &recipes->items[recipes->count++];
	else
		recipes->is_cut = true;
	*r = *recipe;
	return r;
}

void recipe_add_selector(struct recipes *recipes, struct recipe *recipe,
			 const struct selector *selector)
{
	/* There is no room for the recipe itself. */
	if (!recipe->selectors && recipes->count == RECIPES_MAX) {
		recipes->is_cut = true;
		return;
	}
	/* Room for all that one recipe may have, when it gets its first. */
	if (!recipe->selectors)
		recipe->selectors = arena_alloc(recipes->arena, SELECTORS_MAX,
						sizeof(*recipe->selectors));
	if (!recipe->selectors || recipe->selector_count == SELECTORS_MAX) {
		recipes->is_cut = true;
		return;
	}
	recipe->selectors[recipe->selector_count++] = *selector;
}

static void printf_like(3, 0)
	find_v(struct recipes *recipes, struct recipe_finding finding, const char *format,
	       va_list ap)
{
	const char *message = arena_vprintf(recipes->arena, format, ap);

	for (size_t i = 0; message && i < recipes->finding_count; i++) {
		const struct recipe_finding *f = &recipes->findings[i];

		if (f->line == finding.line && f->lint == finding.lint &&
		    strcmp(f->file, finding.file) == 0 &&
		    strcmp(f->message, message) == 0)
			return;
	}
	if (!message || recipes->finding_count == RECIPE_FINDINGS_MAX) {
		recipes->is_cut = true;
		return;
	}
	finding.message = message;
	recipes->findings[recipes->finding_count++] = finding;
}

void recipe_find(struct recipes *recipes, enum recipe_lint lint, const char *file,
		 unsigned line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	find_v(recipes, (struct recipe_finding){lint, file, line, 0, NULL}, format, ap);
	va_end(ap);
}

void recipe_find_at(struct recipes *recipes, enum recipe_lint lint, const char *file,
		    struct shell_place place, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	find_v(recipes,
	       (struct recipe_finding){lint, file, place.line, place.column, NULL},
	       format, ap);
	va_end(ap);
}

/* An address where an ID belongs: vfio-pci reads it as IDs that no device has. */
static bool take_address(struct recipes *recipes, struct recipe *recipe,
			 struct text entry)
{
	if (!text_has_part(entry, ".") ||
	    !recipe_add_address(recipes, recipe, entry, TEXT("")))
		return false;
	recipe_find(
		recipes, LINT_IDS, recipe->file, recipe->line,
		"\"%.*s\" is an address, and ids= takes vendor:device: vfio-pci binds "
		"nothing by it; write a rule with the address, as \"earlybind import\" "
		"proposes it",
		(int)entry.n, entry.p);
	return true;
}

struct text recipe_word(struct text all, const struct cmdline_arg *arg)
{
	const char *start = arg->name.p, *limit = all.p + all.n;
	const char *end =
		arg->value.p ? arg->value.p + arg->value.n : arg->name.p + arg->name.n;

	if (start > all.p && start[-1] == '"')
		start--;
	if (end < limit && *end == '"')
		end++;
	return (struct text){start, (size_t)(end - start)};
}

struct text recipe_stray_ids(const struct cmdline_arg *arg)
{
	struct text t = arg->name;

	if (arg->value.p)
		return (struct text){NULL, 0};
	while (t.n > 0 && t.p[0] == ',')
		t = (struct text){t.p + 1, t.n - 1};
	return t.n == 0 || text_is_id_like(t) ? t : (struct text){NULL, 0};
}

void recipe_add_ids(struct recipes *recipes, struct recipe *recipe, struct text value)
{
	struct text rest = value;
	struct ids_entry entry;

	if (value.n > IDS_LENGTH_MAX)
		recipe_find(
			recipes, LINT_IDS_LENGTH, recipe->file, recipe->line,
			"the list has %zu bytes and vfio-pci takes %d: it refuses all "
			"of it; earlybind has no such limit",
			value.n, IDS_LENGTH_MAX);
	while (ids_next(&rest, &entry)) {
		struct selector s = {.terms = TERM_ID, .id = entry.match};

		if (take_address(recipes, recipe, text_trim(entry.text)))
			continue;
		/* Pain 17: blanks, typos, glued lines. */
		if (entry.warning != IDS_FINE)
			recipe_find(recipes, LINT_IDS, recipe->file, recipe->line,
				    "\"%.*s\": %s", (int)MIN(entry.text.n, (size_t)80),
				    entry.text.p, ids_warning_message(entry.warning));
		if (entry.warning == IDS_INVALID || entry.warning == IDS_TOO_WIDE)
			continue;
		/* The kernel compares no class then. */
		if (s.id.class_mask == 0)
			s.id.class = 0;
		s.id.class &= 0xffffff;
		s.id.class_mask &= 0xffffff;
		recipe_add_selector(recipes, recipe, &s);
	}
}

bool recipe_add_address(struct recipes *recipes, struct recipe *recipe,
			struct text address, struct text id)
{
	struct selector s = {.terms = TERM_ADDRESS};
	struct parse_error error;
	struct selector ids;

	if (bdf_parse_loose(address, &s.address, &s.any_function, &error) < 0)
		return false;
	if (id.n > 0) {
		if (selector_parse(id, &ids, &error) < 0 || ids.terms != TERM_ID)
			return false;
		s.terms |= TERM_ID;
		s.id = ids.id;
	}
	recipe_add_selector(recipes, recipe, &s);
	return true;
}

/*
 * One "(domain:bus:device.function)" without its end. What was meant is read without the bracket,
 * behind a comma and in quotes, too. False if the driver would not read it.
 */
static bool add_hidden(struct recipes *recipes, struct recipe *r, struct text part)
{
	struct text address = part;

	while (address.n > 0 && strchr("(,'\"", address.p[0]))
		address = text_trim((struct text){address.p + 1, address.n - 1});
	return recipe_add_address(recipes, r, address, TEXT("")) && part.p[0] == '(' &&
	       text_is_same(address, text_trim((struct text){part.p + 1, part.n - 1}));
}

/* drivers/xen/xen-pciback/pci_stub.c: pcistub_init() */
void recipe_add_xen(struct recipes *recipes, struct recipe recipe, struct text value)
{
	struct text rest = value, part;
	struct recipe *r;

	recipe.kind = RECIPE_ADDRESS;
	recipe.fate = RECIPE_STAY;
	recipe.options = RECIPE_XEN_OPTIONS;
	recipe.note = RECIPE_XEN_NOTE;
	r = recipe_add(recipes, &recipe);
	while (text_cut(&rest, ')', &part)) {
		part = text_trim(part);
		if (part.n == 0)
			continue;
		if (!add_hidden(recipes, r, part))
			recipe_find(recipes, LINT_SYNTAX, recipe.file, recipe.line,
				    "\"%.*s\" is no (domain:bus:device.function), so "
				    "xen-pciback hides nothing at all: correct it",
				    (int)MIN(part.n, (size_t)40), part.p);
	}
}

bool recipe_take_stray_xen(struct recipes *recipes, struct recipe recipe,
			   const struct cmdline_arg *arg)
{
	if (arg->value.p || !text_has_prefix(arg->name, "(") ||
	    !text_has_suffix(arg->name, ")"))
		return false;
	recipe_find(recipes, LINT_IDS, recipe.file, recipe.line,
		    "\"%.*s\" is behind a blank, so it is no part of hide= and has no "
		    "effect: write the brackets one after the other without a blank",
		    (int)MIN(arg->name.n, (size_t)80), arg->name.p);
	recipe_add_xen(recipes, recipe, arg->name);
	return true;
}

bool text_is_id_like(struct text t)
{
	struct text id = {t.p, MIN(t.n, sizeof("10de:1b80") - 1)};
	struct selector selector;
	struct parse_error error;

	return selector_parse(id, &selector, &error) == 0 && selector.terms == TERM_ID;
}

bool text_has_part(struct text t, const char *part)
{
	return t.n > 0 && memmem(t.p, t.n, part, strlen(part));
}

static bool has_continuation(struct text line)
{
	return line.n > 0 && line.p[line.n - 1] == '\\';
}

bool recipe_line(struct recipes *recipes, struct text *rest, unsigned *line,
		 unsigned *ret_first, struct text *ret)
{
	struct text part, whole = {NULL, 0};
	const char *start = rest->p;
	char *joined, *end;

	if (!text_cut(rest, '\n', &part))
		return false;
	*ret_first = ++*line;
	*ret = part;
	if (!has_continuation(part))
		return true;
	while (has_continuation(part) && rest->p) {
		(void)text_cut(rest, '\n', &part);
		++*line;
	}
	whole = (struct text){start, (size_t)(part.p + part.n - start)};
	joined = arena_copy(recipes->arena, whole);
	if (!joined) {
		recipes->is_cut = true;
		return true;
	}
	end = joined;
	for (size_t i = 0; i < whole.n; i++) {
		if (whole.p[i] == '\\' && (i + 1 == whole.n || whole.p[i + 1] == '\n'))
			i++;
		else
			*end++ = whole.p[i];
	}
	*ret = (struct text){joined, (size_t)(end - joined)};
	return true;
}

unsigned recipes_filter(const void *arg unused, const struct pci_device *device unused)
{
	return FACT_WANTED | FACT_PATH;
}

bool recipe_has_match(const struct recipe *recipe, const struct pci_device *device)
{
	for (size_t i = 0; i < recipe->selector_count; i++)
		if (selector_has_match(&recipe->selectors[i], device))
			return true;
	return false;
}

bool recipe_is_effective(const struct recipe *recipe)
{
	return !recipe->is_replaced && !recipe->is_repeated && !recipe->is_generated;
}

const char *recipe_driver_options(struct recipes *recipes, struct text driver)
{
	const char *options;

	if (text_is_param(driver, "vfio_pci"))
		return NULL;
	/* xen-pciback calls itself pciback (drivers/xen/xen-pciback/pci_stub.c). */
	if (text_is(driver, "pciback"))
		return RECIPE_XEN_OPTIONS;
	options = arena_printf(recipes->arena, "driver=%.*s", (int)driver.n, driver.p);
	recipes->is_cut |= !options;
	return options;
}

void recipe_follow(struct recipes *recipes, struct text command)
{
	struct text word;
	const char *path;

	if (!text_word(&command, &word) || word.p[0] != '/' || word.n > 255)
		return;
	for (size_t i = 0; i < recipes->program_count; i++)
		if (text_is(word, recipes->programs[i]))
			return;
	path = arena_copy(recipes->arena, word);
	if (path && recipes->program_count < RECIPE_PROGRAMS_MAX)
		recipes->programs[recipes->program_count++] = path;
	else
		recipes->is_cut |= !path;
}

const char *recipe_place(const struct recipes *recipes, const struct recipe *recipe)
{
	if (recipe->line == 0)
		return recipe->file;
	return arena_printf(recipes->arena, "%s:%u", recipe->file, recipe->line);
}

/* The last one is gone since 6.2: all of it is in vfio (pain 12). */
static const char *const vfio_modules[] = {"vfio", "vfio_pci", "vfio_pci_core",
					   "vfio_iommu_type1", "vfio_virqfd"};

bool module_is_vfio(struct text name)
{
	for (size_t i = 0; i < ARRAY_SIZE(vfio_modules); i++)
		if (text_is_param(name, vfio_modules[i]))
			return true;
	return false;
}

static const char *vfio_module_name(const void *arg unused, size_t i)
{
	return vfio_modules[i];
}

/* Addresses for a hook that somebody wrote: no module takes any. False if it is something else. */
static bool add_own_addresses(struct recipes *recipes, struct recipe base,
			      struct text value)
{
	struct text part;

	base.kind = RECIPE_ADDRESS;
	base.fate = RECIPE_STAY;
	base.note =
		"no module has this parameter: a program of your own reads it; once an "
		"image with the rules has booted, remove both";
	while (text_cut(&value, ',', &part))
		if (!text_has_part(part, ".") ||
		    !recipe_add_address(recipes, &base, part, TEXT("")))
			return false;
	if (base.selector_count > 0)
		(void)recipe_add(recipes, &base);
	return base.selector_count > 0;
}

void recipe_check_parameter(struct recipes *recipes, struct recipe base,
			    struct text module, struct text name, struct text value)
{
	static const struct {
		const char *module, *name;
	} known[] = {
		{"vfio_pci", "ids"},
		{"vfio_pci", "disable_denylist"},
		{"vfio_pci", "enable_sriov"},
		{"vfio_pci", "nointxmask"},
		{"vfio_pci", "disable_vga"},
		{"vfio_pci", "disable_idle_d3"},
		{"vfio_pci_core", "nointxmask"},
		{"vfio_pci_core", "disable_vga"},
		{"vfio_pci_core", "disable_idle_d3"},
		{"vfio", "enable_unsafe_noiommu_mode"},
		{"vfio_iommu_type1", "allow_unsafe_interrupts"},
		{"vfio_iommu_type1", "disable_hugepages"},
		{"vfio_iommu_type1", "dma_entry_limit"},
	};
	struct recipe r = base;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (text_is_param(module, known[i].module) &&
		    text_is_param(name, known[i].name)) {
			(void)recipe_add(recipes, &base);
			return;
		}
	/* What was meant is offered as a rule; no module has it, so nothing replaces it. */
	r.kind = RECIPE_IDS;
	r.fate = RECIPE_DELETE;
	r.note = NULL;
	if (value.n > 0 && text_is_id_like(value)) {
		recipe_find(recipes, LINT_NAME, base.file, base.line,
			    "%.*s has no parameter %.*s, so it binds nothing: "
			    "vfio-pci.ids= is the one that takes IDs",
			    (int)module.n, module.p, (int)name.n, name.p);
		recipe_add_ids(recipes, &r, value);
		(void)recipe_add(recipes, &r);
		return;
	}
	if (add_own_addresses(recipes, base, value))
		return;
	/* A newer kernel may have it. */
	(void)recipe_add(recipes, &base);
}

/* "vifo_pci" */
static bool has_same_letters(const char *a, const char *b)
{
	unsigned char count[256] = {0};

	for (; *a; a++)
		count[(unsigned char)*a]++;
	for (; *b; b++)
		if (count[(unsigned char)*b]-- == 0)
			return false;
	for (size_t i = 0; i < sizeof(count); i++)
		if (count[i] != 0)
			return false;
	return true;
}

bool recipe_check_module(struct recipes *recipes, const char *file, unsigned line,
			 struct text name)
{
	/* Those that are one letter away from a name above and are something else. */
	static const char *const others[] = {"vfio_ap",	   "vfio_ccw",	    "vfio_mdev",
					     "vfio_amba",  "vfio_platform", "vfio_cdx",
					     "vfio_fsl_mc"};
	char word[32];
	const char *near;

	if (text_is_param(name, "vfio_virqfd"))
		recipe_find(recipes, LINT_STALE_MODULE, file, line,
			    RECIPE_VIRQFD_MESSAGE);
	if (module_is_vfio(name) || name.n >= sizeof(word) || name.n < 5)
		return module_is_vfio(name);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (text_is_param(name, others[i]))
			return false;
	for (size_t i = 0; i < name.n; i++)
		word[i] = name.p[i] == '-' ? '_' : name.p[i];
	word[name.n] = '\0';
	near = nearest_name(word, vfio_module_name, NULL, ARRAY_SIZE(vfio_modules));
	if (!near || (strncmp(word, "vf", 2) != 0 && !has_same_letters(word, near)))
		return false;
	recipe_find(recipes, LINT_NAME, file, line,
		    "there is no module %.*s: is %s meant? As it stands, the line does "
		    "nothing",
		    (int)name.n, name.p, near);
	return true;
}

/* Whether the list, or the file of lines, has loaded the driver that takes devices by then. */
static bool is_behind_vfio(const struct recipes *recipes, const char *file, unsigned line)
{
	for (size_t i = 0; i < recipes->count; i++) {
		const struct recipe *r = &recipes->items[i];
		struct text rest = r->text, word;

		if (strcmp(r->file, file) == 0 &&
		    (r->line == line || r->extent != RECIPE_WORDS) &&
		    text_word(&rest, &word) &&
		    (text_is_param(word, "vfio_pci") || text_is_param(word, "pci_stub")))
			return true;
	}
	return false;
}

void recipe_add_early(struct recipes *recipes, const char *file, unsigned line,
		      struct text module)
{
	const struct recipe r = {
		.file = file,
		.line = line,
		.text = module,
		.module = module,
		.kind = RECIPE_LOAD,
		.fate = RECIPE_STAY,
		.is_unrelated = true,
	};

	if (!is_behind_vfio(recipes, file, line))
		(void)recipe_add(recipes, &r);
}

void recipe_take_module(struct recipes *recipes, const char *file, unsigned line,
			struct text word, bool is_loaded)
{
	const struct recipe r = {
		.file = file,
		.line = line,
		.text = word,
		.kind = RECIPE_LOAD,
		.fate = RECIPE_DELETE,
		.extent = RECIPE_WORDS,
	};

	if (recipe_check_module(recipes, file, line, word))
		(void)recipe_add(recipes, &r);
	else if (is_loaded)
		recipe_add_early(recipes, file, line, word);
}

void recipes_offer(struct recipes *recipes, size_t before, size_t findings)
{
	size_t kept = before;

	for (size_t i = before; i < recipes->count; i++) {
		struct recipe r = recipes->items[i];

		r.is_replaced = true;
		if (r.kind == RECIPE_IDS)
			recipes->items[kept++] = r;
	}
	recipes->count = kept;
	recipes->finding_count = findings;
}

const char *recipe_kind_name(enum recipe_kind kind)
{
	static const char *const names[] = {
		[RECIPE_IDS] = "ids",	    [RECIPE_ADDRESS] = "address",
		[RECIPE_ORDER] = "order",   [RECIPE_BLACKLIST] = "blacklist",
		[RECIPE_LOAD] = "load",	    [RECIPE_OPTION] = "option",
		[RECIPE_KERNEL] = "kernel", [RECIPE_SCRIPT] = "script",
	};

	return names[kind];
}

const char *recipe_fate_name(enum recipe_fate fate)
{
	static const char *const names[] = {
		[RECIPE_DELETE] = "delete",
		[RECIPE_STAY] = "stay",
		[RECIPE_LOOK] = "look",
	};

	return names[fate];
}

const char *recipe_lint_name(enum recipe_lint lint)
{
	static const char *const names[] = {
		[LINT_STALE_MODULE] = "stale-module",
		[LINT_SUFFIX] = "suffix",
		[LINT_BLANKS] = "blanks",
		[LINT_IDS] = "ids",
		[LINT_IDS_LENGTH] = "ids-length",
		[LINT_IDS_SEVERAL] = "ids-several",
		[LINT_BLACKLIST] = "blacklist",
		[LINT_ORDER] = "order",
		[LINT_BUILT_IN] = "built-in",
		[LINT_NAME] = "name",
		[LINT_IOMMU_OFF] = "iommu-off",
		[LINT_NO_EFFECT] = "no-effect",
		[LINT_SYNTAX] = "syntax",
		[LINT_NOT_UNDERSTOOD] = "not-understood",
		[LINT_GENERATED] = "generated",
		[LINT_UNREAD] = "unread",
	};

	return names[lint];
}
