/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a line per setting that write driver_override: udev's rules, tmpfiles.d, sysfs.d. */
#include "recipe_parse.h"

#include <string.h>

#define RUN_NOTE \
	"the rule does it, too: remove this once an image with the rules has booted"

/* ---- paths below /sys ---------------------------------------------------------------------- */

/* ".../0000:01:00.0/driver_override" */
static bool add_sys_path(struct recipes *recipes, struct recipe *r, struct text path)
{
	struct text address;
	const char *slash;

	if (!text_has_suffix(path, "/driver_override"))
		return false;
	path.n -= strlen("/driver_override");
	slash = memrchr(path.p, '/', path.n);
	address = slash ? (struct text){slash + 1, (size_t)(path.p + path.n - slash - 1)}
			: path;
	return recipe_add_address(recipes, r, address, TEXT(""));
}

static void add_write(struct recipes *recipes, struct recipe r, struct text path,
		      struct text driver)
{
	if (!driver_is_for_others(driver) || !text_has_suffix(path, "/driver_override"))
		return;
	r.kind = RECIPE_ADDRESS;
	r.fate = RECIPE_DELETE;
	r.options = recipe_driver_options(recipes, driver);
	if (!add_sys_path(recipes, &r, path)) {
		r.fate = RECIPE_LOOK;
		r.note = "it names no single device: write rules for those that it means";
	}
	(void)recipe_add(recipes, &r);
}

static bool next_setting(struct text *rest, unsigned *line, struct text *ret)
{
	while (text_cut(rest, '\n', ret)) {
		++*line;
		*ret = text_trim(*ret);
		if (ret->n > 0 && ret->p[0] != '#' && ret->p[0] != ';')
			return true;
	}
	return false;
}

/* tmpfiles.d(5): type, path, mode, user, group, age, what is written */
void recipe_parse_tmpfiles(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text, word[7];
	unsigned line = 0;

	while (next_setting(&rest, &line, &text)) {
		struct recipe r = {.file = file, .line = line, .text = text};
		size_t n = 0;

		while (n < ARRAY_SIZE(word) && text_word(&text, &word[n]))
			n++;
		if (n == ARRAY_SIZE(word) && text_has_part(word[0], "w"))
			add_write(recipes, r, word[1], word[6]);
	}
}

/* sysfs.conf(5), of sysfsutils: "bus/pci/devices/.../driver_override = vfio-pci" */
void recipe_parse_sysfs(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text, path;
	unsigned line = 0;

	while (next_setting(&rest, &line, &text)) {
		struct recipe r = {.file = file, .line = line, .text = text};

		if (text_cut(&text, '=', &path) && text.p)
			add_write(recipes, r, text_trim(path), text_trim(text));
	}
}

/* ---- udev ---------------------------------------------------------------------------------- */

/* What one rule says of a device. */
struct match {
	struct text address;
	struct text vendor, device, subvendor, subdevice; /* "0x10de" */
	struct text id; /* "10DE:1B80" */
	struct text driver; /* empty if the rule passes nothing */
	bool is_run; /* by a program */
	bool is_tagged; /* it is about devices that other rules have marked */
};

/* Takes 'KEY=="VALUE"' off the front of @rest, up to the comma behind it. */
static bool next_part(struct text *rest, struct text *ret_key, struct text *ret_value,
		      bool *ret_is_match)
{
	const char *open = rest->n > 0 ? memchr(rest->p, '"', rest->n) : NULL, *close;
	struct text key, left;

	if (!open)
		return false;
	left = (struct text){open + 1, (size_t)(rest->p + rest->n - open - 1)};
	close = left.n > 0 ? memchr(left.p, '"', left.n) : NULL;
	if (!close)
		return false;
	key = (struct text){rest->p, (size_t)(open - rest->p)};
	while (key.n > 0 && (char_is_blank(key.p[0]) || key.p[0] == ','))
		key = (struct text){key.p + 1, key.n - 1};
	*ret_is_match = text_has_suffix(key, "==") || text_has_suffix(key, "!=");
	/* What must not be is no name of a device. */
	if (text_has_suffix(key, "!="))
		key.n = 0;
	while (key.n > 0 && strchr("=+:- ", key.p[key.n - 1]))
		key.n--;
	*ret_key = key;
	*ret_value = (struct text){left.p, (size_t)(close - left.p)};
	*rest = (struct text){close + 1, (size_t)(rest->p + rest->n - close - 1)};
	return true;
}

static struct text driver_in(struct text t)
{
	return text_has_part(t, "pci-stub") ? TEXT("pci-stub")
	       : text_has_part(t, "vfio-pci") || text_has_part(t, "vfio_pci")
		       ? TEXT("vfio-pci")
		       : TEXT("");
}

static void take_part(struct match *m, struct text key, struct text value, bool is_match)
{
	const struct {
		const char *key;
		struct text *value;
	} names[] = {
		{"KERNEL", &m->address},
		{"KERNELS", &m->address},
		{"ENV{PCI_SLOT_NAME}", &m->address},
		{"ATTR{vendor}", &m->vendor},
		{"ATTRS{vendor}", &m->vendor},
		{"ATTR{device}", &m->device},
		{"ATTRS{device}", &m->device},
		{"ATTR{subsystem_vendor}", &m->subvendor},
		{"ATTR{subsystem_device}", &m->subdevice},
		{"ENV{PCI_ID}", &m->id},
	};

	for (size_t i = 0; is_match && i < ARRAY_SIZE(names); i++)
		if (text_is(key, names[i].key))
			*names[i].value = value;
	if (is_match && text_is(key, "TAG") && text_has_part(value, "vfio"))
		m->is_tagged = true;
	if (is_match || m->driver.n > 0)
		return;
	/* A mark for another rule, which runs a program. */
	if (text_is(key, "TAG") && text_has_part(value, "vfio")) {
		m->driver = TEXT("vfio-pci");
		m->is_run = true;
	}
	if (text_is(key, "ATTR{driver_override}") && driver_is_for_others(value))
		m->driver = value;
	if (text_has_prefix(key, "RUN") || text_has_prefix(key, "PROGRAM")) {
		m->driver = driver_in(value);
		m->is_run = m->driver.n > 0;
	}
}

/* "0x10de" */
static bool hex_of(struct text t, uint32_t *ret)
{
	uint64_t value;

	if (!text_has_prefix(t, "0x") ||
	    text_hex((struct text){t.p + 2, t.n - 2}, UINT16_MAX, &value) < 0)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* "10DE:1B80|10DE:10F0" (drivers/pci/pci-driver.c: pci_uevent()) */
static bool add_pci_ids(struct recipes *recipes, struct recipe *r, struct text list)
{
	struct selector s;
	struct parse_error error;
	struct text part;

	while (text_cut(&list, '|', &part)) {
		if (selector_parse(part, &s, &error) < 0 || s.terms != TERM_ID)
			return false;
		recipe_add_selector(recipes, r, &s);
	}
	return true;
}

/* Each of the vendors with each of the devices. */
static bool add_ids(struct recipes *recipes, struct recipe *r, const struct match *m)
{
	struct selector s = {.terms = TERM_ID,
			     .id = {PCI_ANY, PCI_ANY, PCI_ANY, PCI_ANY, 0, 0}};
	struct text vendors = m->vendor, devices, part;

	if ((m->subvendor.n > 0 && !hex_of(m->subvendor, &s.id.subvendor)) ||
	    (m->subdevice.n > 0 && !hex_of(m->subdevice, &s.id.subdevice)))
		return false;
	while (text_cut(&vendors, '|', &part)) {
		if (!hex_of(part, &s.id.vendor))
			return false;
		for (devices = m->device; text_cut(&devices, '|', &part);) {
			if (!hex_of(part, &s.id.device))
				return false;
			recipe_add_selector(recipes, r, &s);
		}
	}
	return m->vendor.n > 0 && m->device.n > 0;
}

static bool add_match(struct recipes *recipes, struct recipe *r, const struct match *m)
{
	struct text part, rest = m->address;
	size_t before = r->selector_count;

	while (m->address.n > 0 && text_cut(&rest, '|', &part))
		if (!recipe_add_address(recipes, r, part, TEXT("")))
			return false;
	if (r->selector_count > before)
		return true;
	r->kind = RECIPE_IDS;
	return m->id.n > 0 ? add_pci_ids(recipes, r, m->id) : add_ids(recipes, r, m);
}

static void take_rule(struct recipes *recipes, struct recipe r, struct text text)
{
	struct text key, value;
	struct match m = {0};
	bool is_match;

	r.kind = RECIPE_ADDRESS;
	while (next_part(&text, &key, &value, &is_match))
		take_part(&m, key, value, is_match);
	if (m.driver.n == 0)
		return;
	r.fate = m.is_run ? RECIPE_STAY : RECIPE_DELETE;
	r.note = m.is_run ? RUN_NOTE : NULL;
	r.options = recipe_driver_options(recipes, m.driver);
	if (!add_match(recipes, &r, &m)) {
		if (m.is_tagged)
			return;
		recipe_find(recipes, LINT_NOT_UNDERSTOOD, r.file, r.line,
			    "it looks like it passes devices, and is not understood: it "
			    "names none by KERNEL== or by ATTR{vendor}== and "
			    "ATTR{device}==");
		r.selector_count = 0;
		r.kind = RECIPE_SCRIPT;
		r.fate = RECIPE_LOOK;
		r.note = "write rules for the devices that it means, then delete it";
	}
	(void)recipe_add(recipes, &r);
}

void recipe_parse_udev(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text;
	unsigned line = 0, first;

	while (recipe_line(recipes, &rest, &line, &first, &text)) {
		text = text_trim(text);
		if (text.n > 0 && text.p[0] != '#')
			take_rule(recipes,
				  (struct recipe){
					  .file = file, .line = first, .text = text},
				  text);
	}
}

void recipe_parse_talos(struct recipes *recipes, const char *file, struct text bytes)
{
	size_t before = recipes->count;

	recipe_parse_udev(recipes, file, bytes);
	recipes_keep(recipes, before,
		     "Talos writes it from the machine configuration: once an image with "
		     "the rules has booted, remove it there");
}
