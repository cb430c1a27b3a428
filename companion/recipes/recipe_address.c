/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forms that name devices by address: driverctl, Unraid, DPDK, VPP, Proxmox, Incus, libvirt... */
#include "recipe_parse.h"

#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "policy.h"

#define NODE_NOTE "the virtual machine needs it as before"

bool driver_is_for_others(struct text driver)
{
	static const char *const names[] = {"pci-stub", "uio_pci_generic", "igb_uio",
					    "pciback", "xen-pciback"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_is_param(driver, names[i]))
			return true;
	return text_has_part(driver, "vfio");
}

/* /etc/driverctl.d/pci-0000:01:00.0 has the driver's name in it. */
void recipe_parse_driverctl(struct recipes *recipes, const char *file, struct text bytes)
{
	const char *slash = strrchr(file, '/');
	struct text name = text_of(slash ? slash + 1 : file);
	struct recipe r = {.file = file,
			   .text = text_trim(bytes),
			   .kind = RECIPE_ADDRESS,
			   .fate = RECIPE_DELETE,
			   .extent = RECIPE_FILE};
	struct recipe *added;

	if (!text_has_prefix(name, "pci-"))
		return;
	if (text_is(r.text, "none")) {
		r.fate = RECIPE_LOOK;
		r.note = "the device is kept without a driver: driver=pci-stub in a rule "
			 "does that too";
		(void)recipe_add(recipes, &r);
		return;
	}
	if (!driver_is_name(r.text)) {
		r.fate = RECIPE_LOOK;
		r.note = "this is no name of a driver";
		(void)recipe_add(recipes, &r);
		return;
	}
	if (!driver_is_for_others(r.text)) {
		r.fate = RECIPE_STAY;
		r.note = "the device is for a driver that uses it on the host";
		(void)recipe_add(recipes, &r);
		return;
	}
	r.options = recipe_driver_options(recipes, r.text);
	added = recipe_add(recipes, &r);
	name = (struct text){name.p + 4, name.n - 4};
	if (!recipe_add_address(recipes, added, name, TEXT(""))) {
		added->fate = RECIPE_LOOK;
		recipe_find(recipes, LINT_SYNTAX, file, 0,
			    "the name of the file is no address of a PCI device");
	}
}

/* "0000:03:00.0|10de:1b80", or one half of it alone, as in its early versions */
static bool add_unraid(struct recipes *recipes, struct recipe *r, struct text word)
{
	struct text rest = word, address, id = {"", 0};

	(void)text_cut(&rest, '|', &address);
	if (rest.p)
		id = rest;
	if (!memchr(address.p, '.', address.n) && id.n == 0) {
		recipe_add_ids(recipes, r, address);
		return true;
	}
	return recipe_add_address(recipes, r, address, id);
}

void recipe_parse_unraid(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text, word;

	for (unsigned line = 1; text_cut(&rest, '\n', &text); line++) {
		struct recipe r = {.file = file,
				   .line = line,
				   .text = text_trim(text),
				   .kind = RECIPE_ADDRESS,
				   .fate = RECIPE_DELETE,
				   /* All of their IOMMU groups, without the bridges. */
				   .options = "with=group"};
		struct recipe *added;

		if (!text_has_prefix(r.text, "BIND="))
			continue;
		added = recipe_add(recipes, &r);
		text = (struct text){r.text.p + 5, r.text.n - 5};
		while (text.n > 0 && text.p[0] == '"')
			text = (struct text){text.p + 1, text.n - 1};
		while (text.n > 0 && text.p[text.n - 1] == '"')
			text.n--;
		while (text_word(&text, &word))
			if (!add_unraid(recipes, added, word))
				recipe_find(recipes, LINT_SYNTAX, file, line,
					    "\"%.*s\" is no address|vendor:device",
					    (int)MIN(word.n, (size_t)40), word.p);
	}
}

/* ---- DPDK, VPP, TrueNAS, QEMU ---------------------------------------------------------------- */

/* /etc/dpdk/interfaces: "pci 0000:02:00.0 vfio-pci" */
void recipe_parse_dpdk(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text, bus, address, driver;

	for (unsigned line = 1; text_cut(&rest, '\n', &text); line++) {
		struct recipe r = {.file = file,
				   .line = line,
				   .text = text_trim(text),
				   .kind = RECIPE_ADDRESS,
				   .fate = RECIPE_DELETE};

		if (!text_word(&text, &bus) || !text_is(bus, "pci") ||
		    !text_word(&text, &address) || !text_word(&text, &driver) ||
		    !driver_is_for_others(driver))
			continue;
		r.options = recipe_driver_options(recipes, driver);
		if (recipe_add_address(recipes, &r, address, TEXT("")))
			(void)recipe_add(recipes, &r);
		else
			recipe_find(recipes, LINT_SYNTAX, file, line,
				    "\"%.*s\" is no address of a PCI device",
				    (int)MIN(address.n, (size_t)40), address.p);
	}
}

/* "dev 0000:02:00.0 {", with braces as words of their own */
static bool next_vpp(struct text *rest, struct text *ret)
{
	size_t n = 0;

	while (rest->n > 0 && char_is_blank(rest->p[0]))
		*rest = (struct text){rest->p + 1, rest->n - 1};
	if (rest->n == 0 || rest->p[0] == '#')
		return false;
	while (n < rest->n && !char_is_blank(rest->p[n]) && rest->p[n] != '{' &&
	       rest->p[n] != '}')
		n++;
	n = n > 0 ? n : 1;
	*ret = (struct text){rest->p, n};
	*rest = (struct text){rest->p + n, rest->n - n};
	return true;
}

/* /etc/vpp/startup.conf: devices stand in its section dpdk. */
void recipe_parse_vpp(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text, word, left, last = {"", 0};
	bool is_dpdk = false;
	size_t depth = 0;

	for (unsigned line = 1; text_cut(&rest, '\n', &text); line++) {
		struct recipe r = {.file = file,
				   .line = line,
				   .text = text_trim(text),
				   .kind = RECIPE_ADDRESS,
				   .fate = RECIPE_STAY,
				   .note = "VPP needs it as before"};

		for (left = text; next_vpp(&left, &word); last = word) {
			if (text_is(word, "{") && depth++ == 0)
				is_dpdk = text_is(last, "dpdk");
			depth -= text_is(word, "}") && depth > 0;
			if (is_dpdk && depth > 0 && text_is(last, "dev"))
				(void)recipe_add_address(recipes, &r, word, TEXT(""));
		}
		if (r.selector_count > 0)
			(void)recipe_add(recipes, &r);
	}
}

/* TrueNAS: addresses, which its own script takes when the initramfs runs. */
void recipe_parse_truenas(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text, word;

	for (unsigned line = 1; text_cut(&rest, '\n', &text); line++) {
		struct recipe r = {.file = file,
				   .line = line,
				   .text = text_trim(text),
				   .kind = RECIPE_ADDRESS,
				   .fate = RECIPE_STAY,
				   .note = "TrueNAS writes it: devices are chosen in its "
					   "settings"};

		while (text_word(&text, &word)) {
			if (recipe_add_address(recipes, &r, word, TEXT("")))
				continue;
			recipe_find(recipes, LINT_SYNTAX, file, line,
				    "\"%.*s\" is no address of a PCI device",
				    (int)MIN(word.n, (size_t)40), word.p);
		}
		if (r.selector_count > 0)
			(void)recipe_add(recipes, &r);
	}
}

void recipe_add_qemu(struct recipes *recipes, struct recipe r, struct text text)
{
	static const char *const keys[] = {
		"host=", "\"host\":", "sysfsdev=", "\"sysfsdev\":"};
	size_t i = 0;

	if (!text_has_part(text, "vfio-pci"))
		return;
	r.note = NODE_NOTE;
	while (i < text.n) {
		struct text at = {text.p + i, text.n - i}, address;
		const char *slash;
		size_t n = 0;

		i++;
		for (size_t k = 0; k < ARRAY_SIZE(keys) && n == 0; k++)
			n = text_has_prefix(at, keys[k]) ? strlen(keys[k]) : 0;
		if (n == 0)
			continue;
		while (n < at.n && strchr(" \"'", at.p[n]))
			n++;
		address = (struct text){at.p + n, 0};
		while (n + address.n < at.n &&
		       !strchr(" ,\"'}\t\r", address.p[address.n]))
			address.n++;
		slash = address.n > 0 ? memrchr(address.p, '/', address.n) : NULL;
		if (slash)
			address = (struct text){
				slash + 1, (size_t)(address.p + address.n - (slash + 1))};
		(void)recipe_add_address(recipes, &r, address, TEXT(""));
	}
	if (r.selector_count > 0)
		(void)recipe_add(recipes, &r);
}

/* ---- Proxmox, libvirt ---------------------------------------------------------------------- */

/* The value of a "key=value" among those that commas separate; p is NULL if it is not there. */
static struct text find_property(struct text list, const char *key)
{
	size_t n = strlen(key);
	struct text part;

	while (text_cut(&list, ',', &part)) {
		part = text_trim(part);
		if (text_has_prefix(part, key) && part.n > n && part.p[n] == '=')
			return (struct text){part.p + n + 1, part.n - n - 1};
	}
	return (struct text){NULL, 0};
}

/* "0000:01:00.0;0000:01:00.1"; without a function it is all of them. */
static void add_proxmox(struct recipes *recipes, struct recipe *r, struct text hosts,
			struct text id)
{
	struct text part;

	while (text_cut(&hosts, ';', &part)) {
		char buf[BDF_SIZE + 2];
		struct text address = text_trim(part);

		if (address.n == 0)
			continue;
		if (!memchr(address.p, '.', address.n) && address.n < BDF_SIZE) {
			snprintf(buf, sizeof(buf), "%.*s.*", (int)address.n, address.p);
			address = text_of(buf);
			id.n = 0; /* it is that of the first function */
		}
		if (!recipe_add_address(recipes, r, address, id))
			recipe_find(recipes, LINT_SYNTAX, r->file, r->line,
				    "\"%.*s\" is no address of a PCI device",
				    (int)MIN(part.n, (size_t)40), part.p);
	}
}

void recipe_parse_proxmox_vm(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text;

	for (unsigned line = 1; text_cut(&rest, '\n', &text); line++) {
		struct recipe r = {
			.file = file,
			.line = line,
			.text = text_trim(text),
			.kind = RECIPE_ADDRESS,
			.fate = RECIPE_STAY,
			.note = NODE_NOTE,
		};
		struct text list = r.text, key, host;

		/* What follows are states that were saved. */
		if (text_has_prefix(r.text, "["))
			return;
		if (text_has_prefix(r.text, "args:"))
			recipe_add_qemu(recipes, r, r.text);
		if (!text_has_prefix(r.text, "hostpci") || !text_cut(&list, ':', &key) ||
		    !list.p)
			continue;
		host = find_property(list, "host");
		if (!host.p) {
			struct text first = list;

			(void)text_cut(&first, ',', &host);
			host = text_trim(host);
		}
		/* A mapping stands in a file of its own; a mediated device is no PCI device. */
		if (find_property(list, "mdev").p || memchr(host.p, '=', host.n))
			continue;
		add_proxmox(recipes, recipe_add(recipes, &r), host, TEXT(""));
	}
}

/* "10de:2489" and "1462:3e92" as one ID. */
static struct text join_ids(struct recipes *recipes, struct text id,
			    struct text subsystem)
{
	const char *joined;

	if (!id.p || !subsystem.p)
		return id.p ? id : TEXT("");
	joined = arena_printf(recipes->arena, "%.*s:%.*s", (int)id.n, id.p,
			      (int)subsystem.n, subsystem.p);
	return joined ? text_of(joined) : id;
}

void recipe_parse_proxmox_mapping(struct recipes *recipes, const char *file,
				  struct text bytes)
{
	struct text rest = bytes, text;

	for (unsigned line = 1; text_cut(&rest, '\n', &text); line++) {
		struct recipe r = {
			.file = file,
			.line = line,
			.text = text_trim(text),
			.kind = RECIPE_ADDRESS,
			.fate = RECIPE_STAY,
			.note = NODE_NOTE,
		};
		struct text list = r.text, word, node, path;

		if (!text_word(&list, &word) || !text_is(word, "map"))
			continue;
		node = find_property(list, "node");
		path = find_property(list, "path");
		if (!path.p || (node.p && recipes->node && !text_is(node, recipes->node)))
			continue;
		add_proxmox(recipes, recipe_add(recipes, &r), path,
			    join_ids(recipes, find_property(list, "id"),
				     find_property(list, "subsystem-id")));
	}
}

/* The number behind NAME=' in a tag. False if there is none. */
static bool find_attribute(struct text tag, const char *name, uint64_t max, uint64_t *ret)
{
	const char *at = memmem(tag.p, tag.n, name, strlen(name));
	struct text value;
	size_t n = 0;

	if (!at)
		return false;
	at += strlen(name);
	value = (struct text){at, (size_t)(tag.p + tag.n - at)};
	if (value.n == 0 || (value.p[0] != '\'' && value.p[0] != '"'))
		return false;
	value = (struct text){value.p + 1, value.n - 1};
	if (text_has_prefix(value, "0x"))
		value = (struct text){value.p + 2, value.n - 2};
	while (n < value.n && value.p[n] != '\'' && value.p[n] != '"')
		n++;
	return text_hex((struct text){value.p, n}, max, ret) == 0;
}

static void add_libvirt(struct recipes *recipes, const char *file, unsigned line,
			struct text tag)
{
	struct recipe r = {.file = file,
			   .line = line,
			   .text = {tag.p - 1, tag.n + 2}, /* with its brackets */
			   .kind = RECIPE_ADDRESS,
			   .fate = RECIPE_STAY,
			   .note = NODE_NOTE};
	struct selector s = {.terms = TERM_ADDRESS};
	uint64_t domain = 0, bus, slot, function;

	if (!find_attribute(tag, "bus=", 0xff, &bus) ||
	    !find_attribute(tag, "slot=", 0x1f, &slot) ||
	    !find_attribute(tag, "function=", 7, &function))
		return;
	(void)find_attribute(tag, "domain=", UINT32_MAX, &domain);
	s.address = (struct bdf){(uint32_t)domain, (uint8_t)bus, (uint8_t)slot,
				 (uint8_t)function};
	recipe_add_selector(recipes, recipe_add(recipes, &r), &s);
}

/*
 * Takes the next tag off @rest, without its brackets, and counts up @line by what was taken;
 * the tag begins in line @ret_first. Comments are passed over.
 */
static bool next_tag(struct text *rest, unsigned *line, unsigned *ret_first,
		     struct text *ret)
{
	for (;;) {
		const char *p = rest->p, *end = p + rest->n;
		const char *open = rest->n > 0 ? memchr(p, '<', rest->n) : NULL, *close;
		struct text left = {open, open ? (size_t)(end - open) : 0};
		bool is_comment = open && text_has_prefix(left, "<!--");

		if (!open)
			return false;
		close = is_comment ? memmem(open, left.n, "-->", 3)
				   : memchr(open, '>', left.n);
		if (!close)
			return false;
		for (; p < open; p++)
			*line += *p == '\n';
		*ret_first = *line;
		for (; p < close; p++)
			*line += *p == '\n';
		*rest = (struct text){close + 1, (size_t)(end - close - 1)};
		*ret = (struct text){open + 1, (size_t)(close - open - 1)};
		if (!is_comment)
			return true;
	}
}

/* <address> inside <source> is the host's, and in a network with mode='hostdev'. */
void recipe_parse_libvirt(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, tag;
	bool is_of_host = false;
	unsigned line = 1, first;

	while (next_tag(&rest, &line, &first, &tag)) {
		struct recipe r = {.file = file,
				   .line = first,
				   .text = {tag.p - 1, tag.n + 2},
				   .kind = RECIPE_ADDRESS,
				   .fate = RECIPE_STAY,
				   .note = NODE_NOTE};

		if (text_has_prefix(tag, "source") ||
		    (text_has_prefix(tag, "forward") && text_has_part(tag, "hostdev")))
			is_of_host = tag.p[tag.n - 1] != '/';
		else if (text_is(tag, "/source") || text_is(tag, "/forward"))
			is_of_host = false;
		else if (is_of_host && text_has_prefix(tag, "address"))
			add_libvirt(recipes, file, first, tag);
		else if (text_has_prefix(tag, "qemu:arg"))
			recipe_add_qemu(recipes, r, tag);
	}
}

/* ---- Incus and LXD ------------------------------------------------------------------------- */

/* A device of a virtual machine in backup.yaml. */
struct incus_device {
	struct recipe recipe;
	struct text type, gputype, address;
};

/* A GPU as a whole has "gputype: physical", or none; anything else is a part of it. */
static void end_incus(struct recipes *recipes, struct incus_device *d)
{
	bool is_whole = text_is(d->type, "pci") ||
			(text_is(d->type, "gpu") &&
			 (d->gputype.n == 0 || text_is(d->gputype, "physical")));

	if (is_whole && d->address.n > 0 &&
	    recipe_add_address(recipes, &d->recipe, d->address, TEXT("")))
		(void)recipe_add(recipes, &d->recipe);
	d->type = d->gputype = d->address = TEXT("");
	d->recipe.selectors = NULL;
	d->recipe.selector_count = 0;
}

static void take_incus(struct incus_device *d, const char *file, unsigned line,
		       struct text whole, struct text key, struct text value)
{
	if (value.n > 1 && (value.p[0] == '"' || value.p[0] == '\'') &&
	    value.p[value.n - 1] == value.p[0])
		value = (struct text){value.p + 1, value.n - 2};
	if (text_is(key, "type"))
		d->type = value;
	if (text_is(key, "gputype"))
		d->gputype = value;
	if (!text_is(key, "pci") && !text_is(key, "address"))
		return;
	d->address = value;
	d->recipe = (struct recipe){.file = file,
				    .line = line,
				    .text = whole,
				    .kind = RECIPE_ADDRESS,
				    .fate = RECIPE_STAY,
				    .note = NODE_NOTE};
}

/*
 * backup.yaml: "devices" of "instance", or of "container" as older versions call it. Each device
 * is a block of keys. "expanded_devices" repeats them with those of the profiles.
 */
void recipe_parse_incus(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text, key, value;
	struct incus_device d = {.type = TEXT("")};
	bool is_of_machine = false;

	for (unsigned line = 1; text_cut(&rest, '\n', &text); line++) {
		bool is_top = text.n > 0 && !char_is_blank(text.p[0]);

		value = text_trim(text);
		if (value.n == 0 || !text_cut(&value, ':', &key) || !value.p)
			continue;
		value = text_trim(value);
		if (is_top)
			is_of_machine =
				text_is(key, "instance") || text_is(key, "container");
		if (is_top || value.n == 0)
			end_incus(recipes, &d);
		else if (is_of_machine)
			take_incus(&d, file, line, text_trim(text), key, value);
	}
	end_incus(recipes, &d);
}
