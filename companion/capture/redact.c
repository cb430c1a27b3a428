/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redact.h"

#include <stdint.h>
#include <string.h>

#include "bdf.h"
#include "group_facts.h"
#include "reason.h"

#define ALIASES_MAX 8192

/* A configuration space: what everybody may read, and offsets. */
#define HEADER_SIZE	    64
#define STATUS		    0x06
#define STATUS_CAPABILITIES 0x10
#define CAPABILITIES	    0x34
#define EXTENDED_START	    0x100
#define ID_SERIAL_NUMBER    0x0003

#define SERIAL_BYTES 8

struct redact_name {
	const char *name, *shown;
	struct redact_name *next;
};

struct redact_serial {
	unsigned char bytes[SERIAL_BYTES];
	size_t number;
	struct redact_serial *next;
};

/* Folders, files and values of the kernel; of our configuration, formats and reports. */
static const char *const words[] = {
#include "redact_words.def"
};

/* Of the binder's sentences (mk/sentences.awk). */
static const char *const sentences[] = {
#include "sentences.inc"
};

/* Modules that people name though no device of the machine needs them. */
static const char *const modules[] = {
	"amdgpu",
	"ast",
	"i915",
	"irqbypass",
	"kvm",
	"kvm_amd",
	"kvm_intel",
	"nouveau",
	"nova_core",
	"nvidia",
	"nvidia_drm",
	"nvidia_modeset",
	"nvidia_uvm",
	"nvidiafb",
	"pci_stub",
	"pciback",
	"radeon",
	"snd_hda_intel",
	"uio_pci_generic",
	"vfio",
	"vfio_iommu_type1",
	"vfio_pci",
	"vfio_pci_core",
	"vfio_virqfd",
	"xe",
	"xen_pciback",
};

/* What the kernel and udev begin names with; numbers follow. */
static const char *const kernel_names[] = {
	"accel",
	"arm-smmu",
	"arm-smmu-v",
	"ata",
	"bond",
	"br",
	"card",
	"cpu",
	"dm-",
	"dmar",
	"docker",
	"efi-framebuffer.",
	"en",
	"eth",
	"event",
	"fb",
	"host",
	"hvc",
	"ib",
	"input",
	"ivhd",
	"loop",
	"md",
	"mmcblk",
	"nvme",
	"nvme-subsys",
	"pci",
	"pmem",
	"port",
	"ram",
	"renderD",
	"rport-",
	"simple-framebuffer.",
	"sr",
	"target",
	"team",
	"tty",
	"ttyAMA",
	"ttyS",
	"usb",
	"vesa-framebuffer.",
	"virbr",
	"virtfn",
	"virtio",
	"vmbr",
	"wl",
	"ww",
	"zd",
	"zram",
};

static const char *const connectors[] = {
	"Component", "Composite", "DIN",    "DP",      "DPI",	    "DSI",    "DVI-D",
	"DVI-I",     "HDMI-A",	  "HDMI-B", "LVDS",    "SPI",	    "SVIDEO", "TV",
	"USB",	     "Unknown",	  "VGA",    "Virtual", "Writeback", "eDP",
};

/* Parameters of the kernel, and what is understood of their values. */
static const struct {
	const char *name;
	unsigned kinds;
} parameters[] = {
#include "redact_parameters.def"
};

void redact_init(struct redact *r, struct arena *arena, bool has_serial)
{
	*r = (struct redact){.arena = arena, .has_serial = has_serial};
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		redact_keep_module(r, text_of(modules[i]));
}

/* ---- what is understood ------------------------------------------------------------------- */

static bool is_digits(struct text t, size_t min, size_t max)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
	return t.n >= min && t.n <= max;
}

static bool is_hex(struct text t, size_t min, size_t max)
{
	for (size_t i = 0; i < t.n; i++)
		if (char_hex(t.p[i]) < 0)
			return false;
	return t.n >= min && t.n <= max;
}

static struct text without(struct text t, size_t n)
{
	return (struct text){t.p + n, t.n - n};
}

static bool is_number(struct text t)
{
	struct text rest = t, part;

	if (text_has_prefix(t, "0x"))
		return is_hex(without(t, 2), 1, 16);
	/* "0-7", "6.1" */
	if (text_cut(&rest, '-', &part) && rest.p && is_digits(part, 1, 6))
		return is_digits(rest, 1, 6);
	rest = t;
	if (text_cut(&rest, '.', &part) && rest.p && is_digits(part, 1, 3))
		return is_digits(rest, 1, 3);
	if (t.n > 1 && strchr("kKmMgGs", t.p[t.n - 1]))
		t.n--;
	return is_digits(t, 1, 10);
}

/* A MAC address is none: the first two of many groups have 4 digits. */
static bool is_id(struct text t)
{
	struct text rest = t, part;
	size_t count = 0;
	bool is_long = true;

	while (text_cut(&rest, ':', &part)) {
		if (!is_hex(part, 1, 8))
			return false;
		is_long = is_long && (count > 1 || part.n == 4);
		count++;
	}
	return count == 1 ? t.n <= 6 : count == 2 || (count <= 6 && is_long);
}

/* "0000:01:00.0", "01:00.0", "00.0", "0000:01:00" */
static bool is_place(struct text t)
{
	struct bdf bdf;

	if (bdf_parse(t, &bdf) == 0 ||
	    (t.n == 7 && t.p[2] == ':' && t.p[5] == '.' &&
	     is_hex((struct text){t.p, 2}, 2, 2) &&
	     is_hex((struct text){t.p + 3, 2}, 2, 2) && t.p[6] >= '0' && t.p[6] <= '7'))
		return true;
	if (t.n == 4 && t.p[2] == '.')
		return is_hex((struct text){t.p, 2}, 2, 2) && t.p[3] >= '0' &&
		       t.p[3] <= '7';
	return t.n >= 10 && t.p[t.n - 3] == ':' && t.p[t.n - 6] == ':' &&
	       is_hex((struct text){t.p, t.n - 6}, 4, 8) &&
	       is_hex((struct text){t.p + t.n - 5, 2}, 2, 2) &&
	       is_hex((struct text){t.p + t.n - 2, 2}, 2, 2);
}

static struct redact_name *find(struct redact_name *list, struct text name)
{
	for (; list; list = list->next)
		if (text_is(name, list->name))
			return list;
	return NULL;
}

static bool is_module(const struct redact *r, struct text t)
{
	for (const struct redact_name *m = r->modules; m; m = m->next)
		if (text_is_param(t, m->name))
			return true;
	return false;
}

/* Whether one letter was mistyped, left out or added: a name so long is no one's own. */
static bool is_mistyped(struct text t, const char *want)
{
	size_t n = strlen(want), before = 0, after = 0, min = MIN(t.n, n),
	       max = MAX(t.n, n);

	while (before < min && t.p[before] == want[before])
		before++;
	while (after < min - before && t.p[t.n - 1 - after] == want[n - 1 - after])
		after++;
	return n >= 8 && before + after + 1 >= max;
}

/* -1: it is not on the list. */
static int parameter_kinds(struct text name)
{
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		if (text_is_param(name, parameters[i].name))
			return (int)parameters[i].kinds;
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		if (is_mistyped(name, parameters[i].name))
			return (int)parameters[i].kinds;
	return -1;
}

/* A word of our own sentences, as a report has them. */
static bool is_of_sentence(struct text t)
{
	for (size_t i = 0; i < ARRAY_SIZE(sentences); i++)
		if (text_is(t, sentences[i]))
			return true;
	for (unsigned i = 1; i < REASON_COUNT; i++)
		if (text_is(t, reason_word(i)))
			return true;
	return parameter_kinds(t) >= 0;
}

static bool is_word(struct text t)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (text_is(t, words[i]))
			return true;
	return false;
}

/*
 * "p1s0f1np1": letters of udev and the kernel, each before a number; "-", "." and ":" between, two
 * of each at most: more are an address of a network.
 */
static bool is_numbering(struct text t)
{
	static const char letters[] = "PpsofndvcbS", between[] = "-.:";
	unsigned counts[sizeof(between)] = {0};
	bool has_digit = false;

	for (size_t i = 0, digits = 0, k = 0; i < t.n; i++) {
		char c = t.p[i];
		const char *at;

		if (c >= '0' && c <= '9') {
			has_digit = true;
			k = 0;
			if (++digits > 5)
				return false;
			continue;
		}
		digits = 0;
		at = strchr(between, c);
		if (k++ == 2 || !at == !strchr(letters, c) ||
		    (at && ++counts[at - between] > 2))
			return false;
	}
	return has_digit && char_hex(t.p[t.n - 1]) >= 0;
}

/* "card0-HDMI-A-1", behind "card" */
static bool is_connector(struct text t)
{
	size_t n = 0;

	while (n < t.n && t.p[n] >= '0' && t.p[n] <= '9')
		n++;
	if (n == 0 || n > 3 || n == t.n || t.p[n] != '-')
		return false;
	t = without(t, n + 1);
	for (size_t i = 0; i < ARRAY_SIZE(connectors); i++)
		if (text_has_prefix(t, connectors[i]) && t.n > strlen(connectors[i]) &&
		    t.p[strlen(connectors[i])] == '-' &&
		    is_digits(without(t, strlen(connectors[i]) + 1), 1, 3))
			return true;
	return false;
}

/* "sda1", "xvdb" */
static bool is_disk(struct text t)
{
	static const char *const prefixes[] = {"sd", "hd", "vd", "xvd"};
	size_t letters = 0;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		struct text rest = t;

		if (!text_has_prefix(t, prefixes[i]))
			continue;
		rest = without(rest, strlen(prefixes[i]));
		while (letters < rest.n && rest.p[letters] >= 'a' &&
		       rest.p[letters] <= 'z')
			letters++;
		return letters > 0 && letters < 3 &&
		       is_digits(without(rest, letters), 0, 3);
	}
	return false;
}

/* "PNP0A08:00", "LNXSYSTM:00", "2-1.4:1.0", "smmu3.0x4000", "40000000.pcie" */
static bool is_bus_name(struct text t)
{
	struct text rest = t, part;
	size_t n = 0;

	(void)text_cut(&rest, ':', &part);
	while (n < part.n && ((part.p[n] >= 'A' && part.p[n] <= 'Z') ||
			      (part.p[n] >= '0' && part.p[n] <= '9')))
		n++;
	/* Of a vendor 3 or 4 letters, and 4 digits; of the kernel "LNX". */
	if (rest.p && n == part.n && n >= 7 && n <= 8 && is_hex(rest, 2, 2) &&
	    part.p[0] > '9' &&
	    (text_has_prefix(part, "LNX") || is_hex(without(part, n - 4), 4, 4)))
		return true;
	rest = t;
	(void)text_cut(&rest, '-', &part);
	if (rest.p && is_digits(part, 1, 3) && rest.n > 0 && char_hex(rest.p[0]) >= 0 &&
	    t.n <= 24)
		return is_numbering(rest) && !memchr(rest.p, '-', rest.n);
	/* drivers/acpi/arm64/iort.c */
	if (text_has_prefix(t, "smmu3.0x"))
		return is_hex(without(t, strlen("smmu3.0x")), 1, 16);
	rest = t;
	(void)text_cut(&rest, '.', &part);
	return is_hex(part, 6, 16) &&
	       (text_is(rest, "pcie") || text_is(rest, "pci") || text_is(rest, "iommu"));
}

/* "pci0000:00", "0:0:0:0" */
static bool is_root_bus(struct text t)
{
	struct text rest = t, part;
	size_t count = 1;

	if (!text_has_prefix(t, "pci")) {
		while (text_cut(&rest, ':', &part))
			if (!is_digits(part, 1, 4) || count++ == 5)
				return false;
		return count == 5;
	}
	t = without(t, 3);
	return t.n >= 7 && t.n <= 11 && t.p[t.n - 3] == ':' &&
	       is_hex((struct text){t.p, t.n - 3}, 4, 8) &&
	       is_hex((struct text){t.p + t.n - 2, 2}, 2, 2);
}

/* "pci:v000010EEd00005000sv..." : scripts/mod/file2alias.c */
static bool is_modalias(struct text t)
{
	static const char shape[] =
		"pci:vhhhhhhhhdhhhhhhhhsvhhhhhhhhsdhhhhhhhhbchhschhihh";

	if (t.n != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < t.n; i++)
		if (shape[i] == 'h' ? char_hex(t.p[i]) < 0 : t.p[i] != shape[i])
			return false;
	return true;
}

static bool is_kernel_name(struct text t)
{
	struct text name = t;

	if (is_disk(t) || is_bus_name(t) || is_root_bus(t) || is_modalias(t))
		return true;
	if (text_has_suffix(name, ".auto"))
		name.n -= strlen(".auto");
	for (size_t i = 0; i < ARRAY_SIZE(kernel_names); i++) {
		struct text rest;

		if (!text_has_prefix(name, kernel_names[i]))
			continue;
		rest = without(name, strlen(kernel_names[i]));
		if (rest.n > 0 && rest.n <= 20 &&
		    (is_numbering(rest) || is_connector(rest)))
			return true;
	}
	return false;
}

/* "xx0xxx1@00:1c.0", "1@pci:8086:a110": pci=config_acs= */
static bool is_acs_change(struct text t)
{
	struct text bits;

	if (!text_cut(&t, '@', &bits) || bits.n == 0 || bits.n > 16)
		return false;
	for (size_t i = 0; i < bits.n; i++)
		if (bits.p[i] != '0' && bits.p[i] != '1' && bits.p[i] != 'x')
			return false;
	return text_has_prefix(t, "pci:") ? is_id(without(t, strlen("pci:")))
					  : is_place(t);
}

static bool is_understood(const struct redact *r, struct text t, unsigned kinds)
{
	struct text rest = t, part;

	if (t.n == 0 || ((kinds & REDACT_NUMBER) && is_number(t)) ||
	    ((kinds & REDACT_ID) && is_id(t)) ||
	    ((kinds & REDACT_PLACE) && (is_place(t) || is_acs_change(t))) ||
	    ((kinds & REDACT_MODULE) && is_module(r, t)) ||
	    ((kinds & REDACT_WORD) && is_word(t)) ||
	    ((kinds & REDACT_JSON) && is_of_sentence(t)) ||
	    ((kinds & REDACT_KERNEL) && is_kernel_name(t)) ||
	    ((kinds & REDACT_HEX) && is_hex(t, 1, 16)))
		return true;
	/* "earlybind.conf:2", "efifb:off", "id:10ee:5000" */
	return (kinds & REDACT_WORD) && text_cut(&rest, ':', &part) && rest.n > 0 &&
	       is_word(part) && is_understood(r, rest, kinds);
}

/* ---- what stands for the rest --------------------------------------------------------------- */

static struct redact_name *put_name(struct redact *r, struct redact_name **list,
				    struct text name, const char *shown)
{
	struct redact_name *e = arena_alloc(r->arena, 1, sizeof(*e));

	if (e)
		*e = (struct redact_name){arena_copy(r->arena, name), shown, *list};
	if (!e || !e->name) {
		r->is_full = true;
		return NULL;
	}
	*list = e;
	return e;
}

void redact_set_alias(struct redact *r, struct text name, const char *shown)
{
	if (name.n > 0 && !find(r->aliases, name))
		(void)put_name(r, &r->aliases, name, shown);
}

void redact_keep_module(struct redact *r, struct text name)
{
	if (name.n > 0 && !is_module(r, name))
		(void)put_name(r, &r->modules, name, "");
}

/* "x12xxx": as long as what it stands for, if that is long enough. */
static const char *alias(struct redact *r, struct text name)
{
	struct redact_name *known = find(r->aliases, name);
	char *shown;
	size_t n;

	if (known)
		return known->shown;
	if (r->alias_count == ALIASES_MAX) {
		r->is_full = true;
		return "x";
	}
	shown = arena_printf(r->arena, "x%zu%*s", ++r->alias_count,
			     (int)MIN(name.n, 255u), "");
	if (!shown) {
		r->is_full = true;
		return "x";
	}
	n = strcspn(shown, " ");
	memset(shown + n, 'x', strlen(shown) - n);
	shown[MAX(n, MIN(name.n, (size_t)255))] = '\0';
	known = put_name(r, &r->aliases, name, shown);
	return known ? known->shown : "x";
}

static bool get_serial(struct text t, unsigned char bytes[SERIAL_BYTES])
{
	if (t.n != 3 * SERIAL_BYTES - 1)
		return false;
	for (size_t i = 0; i < SERIAL_BYTES; i++) {
		if (!is_hex((struct text){t.p + 3 * i, 2}, 2, 2) ||
		    (i > 0 && t.p[3 * i - 1] != '-'))
			return false;
		bytes[i] = (unsigned char)(char_hex(t.p[3 * i]) << 4 |
					   char_hex(t.p[3 * i + 1]));
	}
	return true;
}

/* Numbers from 1 on; 0 for those that stand for none. */
static size_t serial_number(struct redact *r, const unsigned char bytes[SERIAL_BYTES])
{
	static const unsigned char zeros[SERIAL_BYTES];
	struct redact_serial *s;

	if (memcmp(bytes, zeros, SERIAL_BYTES) == 0)
		return 0;
	for (s = r->serials; s; s = s->next)
		if (memcmp(s->bytes, bytes, SERIAL_BYTES) == 0)
			return s->number;
	s = arena_alloc(r->arena, 1, sizeof(*s));
	if (!s || r->serial_count == UINT16_MAX) {
		r->is_full = true;
		return 0;
	}
	*s = (struct redact_serial){.number = ++r->serial_count, .next = r->serials};
	memcpy(s->bytes, bytes, SERIAL_BYTES);
	r->serials = s;
	return s->number;
}

static const char *print(struct redact *r, const char *format, ...) printf_like(2, 3);

static const char *print(struct redact *r, const char *format, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, format);
	text = arena_vprintf(r->arena, format, ap);
	va_end(ap);
	r->is_full = r->is_full || !text;
	return text ? text : "x";
}

static const char *hide_serial(struct redact *r, const unsigned char bytes[SERIAL_BYTES])
{
	size_t n = serial_number(r, bytes);

	if (r->has_serial)
		return NULL;
	return print(r, "00-00-00-00-00-00-%02zx-%02zx", n >> 8, n & 0xff);
}

/* NULL: it stays. */
static const char *shown_as(struct redact *r, struct text t, unsigned kinds)
{
	unsigned char bytes[SERIAL_BYTES];
	const struct redact_name *known = find(r->aliases, t);
	struct text rest = t, part;

	if (known)
		return known->shown;
	if (get_serial(t, bytes))
		return hide_serial(r, bytes);
	if (is_understood(r, t, kinds))
		return NULL;
	/* "a-file.conf:2" */
	if (text_cut(&rest, ':', &part) && rest.p && is_digits(rest, 1, 6) &&
	    (known = find(r->aliases, part)) != NULL)
		return print(r, "%s:%.*s", known->shown, (int)rest.n, rest.p);
	return kinds & REDACT_DROP ? "" : alias(r, t);
}

bool redact_is_told(const struct redact *r, struct text name, unsigned kinds)
{
	return name.n > 0 && is_understood(r, name, kinds);
}

const char *redact_name(struct redact *r, struct text name, unsigned kinds)
{
	const char *shown = shown_as(r, name, kinds);

	if (!shown)
		shown = arena_copy(r->arena, name);
	r->is_full = r->is_full || !shown;
	return shown ? shown : "x";
}

/* ---- text ----------------------------------------------------------------------------------- */

struct output {
	char *p;
	size_t used, size;
};

static void emit(struct redact *r, struct output *o, const char *p, size_t n)
{
	if (n > o->size - o->used) {
		r->is_full = true;
		return;
	}
	memcpy(o->p + o->used, p, n);
	o->used += n;
}

/* Only the alias of a word of one or two letters is longer than the word. */
static bool begin(struct redact *r, struct output *o, size_t n)
{
	*o = (struct output){.size = 3 * n + 64};
	o->p = arena_alloc(r->arena, o->size, 1);
	r->is_full = r->is_full || !o->p;
	return o->p != NULL;
}

static bool is_separator(char c, unsigned kinds)
{
	if (c == '\\')
		return !(kinds & REDACT_JSON);
	return c != '\0' && strchr(" \t\n\"'`#,;=+*?/|<>()[]{}", c);
}

static void emit_words(struct redact *r, struct output *o, struct text t, unsigned kinds)
{
	for (size_t i = 0, end; i < t.n; i = end) {
		struct text word = {t.p + i, 0};
		const char *shown;

		end = i;
		/* JSON: what a backslash stands before is of the word. */
		while (end < t.n && !is_separator(t.p[end], kinds))
			end += t.p[end] == '\\' && end + 1 < t.n ? 2 : 1;
		word.n = end - i;
		while (word.n > 0 && strchr(".:!", word.p[word.n - 1]) &&
		       word.p[word.n - 1])
			word.n--;
		if (word.n > 0) {
			shown = shown_as(r, word, kinds);
			emit(r, o, shown ? shown : word.p,
			     shown ? strlen(shown) : word.n);
		}
		emit(r, o, word.p + word.n, end - i - word.n);
		while (end < t.n && is_separator(t.p[end], kinds))
			emit(r, o, t.p + end++, 1);
	}
}

struct text redact_words(struct redact *r, struct text t, unsigned kinds)
{
	struct output o;

	if (!begin(r, &o, t.n))
		return (struct text){"", 0};
	emit_words(r, &o, t, kinds);
	return (struct text){o.p, o.used};
}

const char *redact_kernel(struct redact *r, struct text version)
{
	const char *shown = NULL;
	struct output o;

	if (!begin(r, &o, version.n))
		return "x";
	for (size_t i = 0, end; i < version.n; i = end + 1) {
		for (end = i; end < version.n && !strchr("-.+_~", version.p[end]);)
			end++;
		if (end > i) {
			struct text part = {version.p + i, end - i}, digits = part;

			/* "el9", "rc1", "deb12u1" */
			while (digits.n > 0 &&
			       strchr("0123456789u", digits.p[digits.n - 1]))
				digits.n--;
			shown = is_digits(part, 1, 6) || is_word(digits)
					? NULL
					: redact_name(r, part, REDACT_WORD);
			emit(r, &o, shown ? shown : part.p,
			     shown ? strlen(shown) : part.n);
		}
		if (end < version.n)
			emit(r, &o, version.p + end, 1);
	}
	shown = arena_copy(r->arena, (struct text){o.p, o.used});
	if (!shown) {
		r->is_full = true;
		return "x";
	}
	redact_set_alias(r, version, shown);
	return shown;
}

/* lib/cmdline.c: next_arg(): a quotation mark may stand before the name. */
static void emit_parameter(struct redact *r, struct output *o, struct text word)
{
	struct text name = word, value = word;
	int kinds;

	if (name.n > 0 && name.p[0] == '"') {
		emit(r, o, name.p, 1);
		value = name = without(name, 1);
	}
	(void)text_cut(&value, '=', &name);
	kinds = parameter_kinds(name);
	if (kinds >= 0 || text_is(name, "--"))
		emit(r, o, name.p, name.n);
	else
		emit_words(r, o, name, 0);
	if (!value.p)
		return;
	emit(r, o, "=", 1);
	emit_words(r, o, value, kinds > 0 ? (unsigned)kinds : 0);
}

struct text redact_cmdline(struct redact *r, struct text t)
{
	struct output o;

	if (!begin(r, &o, t.n))
		return (struct text){"", 0};
	for (size_t i = 0, end; i < t.n; i = end) {
		bool is_quoted = false;

		/* The kernel reads no further than a NUL, but people do. */
		end = i;
		if (t.p[i] == '\0' || char_is_space(t.p[i])) {
			emit(r, &o, t.p[i] == '\n' ? "\n" : " ", 1);
			end++;
			continue;
		}
		for (; end < t.n && t.p[end] != '\0' &&
		       (is_quoted || !char_is_space(t.p[end]));
		     end++)
			is_quoted ^= t.p[end] == '"';
		emit_parameter(r, &o, (struct text){t.p + i, end - i});
	}
	return (struct text){o.p, o.used};
}

void redact_comments(char *p, size_t n)
{
	bool is_comment = false;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n')
			is_comment = false;
		else if (is_comment)
			p[i] = ' ';
		else
			is_comment = p[i] == '#' && (i == 0 || char_is_space(p[i - 1]));
	}
}

static uint32_t get_u32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* What is told of capabilities: their first bytes, the head among them. */
struct capability {
	unsigned id;
	size_t size;
};

/* include/uapi/linux/pci_regs.h: PCI_CAP_ID_*; the others may have what a vendor wants. */
static const struct capability capabilities[] = {
	{0x01, 8}, {0x05, 4}, {0x0d, 8}, {0x10, 0x3c}, {0x11, 12}, {0x13, 6},
};
/* PCI_EXT_CAP_ID_*: ACS, ARI, ATS, SR-IOV, PRI, PASID */
static const struct capability extended[] = {
	{0x0d, CONFIG_SPACE_ACS_SIZE},
	{0x0e, 8},
	{0x0f, 8},
	{0x10, 0x40},
	{0x13, 16},
	{0x1b, 8},
};

static size_t told_size(const struct capability *list, size_t count, unsigned id,
			size_t head)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].id == id)
			return list[i].size;
	return head;
}

/* The register is little endian, the text of a serial number big endian. */
static void put_serial(struct redact *r, const unsigned char *from, unsigned char *to)
{
	unsigned char bytes[SERIAL_BYTES];
	size_t number;

	for (size_t k = 0; k < SERIAL_BYTES; k++)
		bytes[k] = from[SERIAL_BYTES - 1 - k];
	if (r->has_serial) {
		memcpy(to, from, SERIAL_BYTES);
		return;
	}
	number = serial_number(r, bytes);
	to[0] = (unsigned char)number;
	to[1] = (unsigned char)(number >> 8);
}

static void put_bytes(const unsigned char *from, unsigned char *to, size_t n, size_t at,
		      size_t size)
{
	if (at < n)
		memcpy(to + at, from + at, MIN(size, n - at));
}

void redact_config_space(struct redact *r, unsigned char *p, size_t n)
{
	unsigned char *told = arena_alloc(r->arena, n + 1, 1);
	size_t at = n > STATUS && (p[STATUS] & STATUS_CAPABILITIES) && n > CAPABILITIES
			    ? p[CAPABILITIES] & ~3u
			    : 0;

	if (!told) {
		r->is_full = true;
		memset(p, 0, n);
		return;
	}
	put_bytes(p, told, n, 0, HEADER_SIZE);
	/* Of Intel's root ports, for the kernel's quirk about ACS: groups/group_facts.c */
	if (n > 1 && p[0] == 0x86 && p[1] == 0x80)
		put_bytes(p, told, n, CONFIG_SPACE_INTEL_MPC, 4);
	/* A list may be a circle: it has no more entries than there is room for. */
	for (size_t i = 0; i < 48 && at >= HEADER_SIZE && at + 2 <= n; i++) {
		put_bytes(p, told, n, at,
			  told_size(capabilities, ARRAY_SIZE(capabilities), p[at], 2));
		at = p[at + 1] & ~3u;
	}
	at = EXTENDED_START;
	for (size_t i = 0; i < n / 4 && at >= EXTENDED_START && at + 12 <= n; i++) {
		uint32_t head = get_u32(p + at);

		put_bytes(p, told, n, at,
			  told_size(extended, ARRAY_SIZE(extended), head & 0xffff, 4));
		if ((head & 0xffff) == ID_SERIAL_NUMBER)
			put_serial(r, p + at + 4, told + at + 4);
		at = head >> 20 & ~3u;
	}
	memcpy(p, told, n);
}
