/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "group_cause.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "predict.h"

/* ---- words of the kernel command line --------------------------------------------------- */

/* "pci:VENDOR:DEVICE[:...]", in hexadecimal, where 0 is any; what follows is not looked at. */
static bool names_id(struct text t, const struct pci_ids *ids)
{
	uint64_t vendor, device;
	struct text word, part;

	return text_cut(&t, ':', &word) && text_cut(&t, ':', &part) &&
	       text_hex(part, UINT16_MAX, &vendor) == 0 && text_cut(&t, ':', &part) &&
	       text_hex(part, UINT16_MAX, &device) == 0 &&
	       (vendor == 0 || vendor == ids->vendor) &&
	       (device == 0 || device == ids->device);
}

/* "[domain:]bus:device.function[/device.function...]": the first may be any bridge above. */
static bool names_path(struct text t, const struct group_function *functions, size_t at)
{
	struct parse_error error;
	struct pci_path path;

	if (path_parse(t, &path, &error) < 0 || path.any_function)
		return false;
	for (size_t n = path.hop_count; n > 0; n--) {
		const struct bdf bdf = functions[at].bdf;

		if (path.hops[n - 1] != (bdf.device << 3 | bdf.function) ||
		    functions[at].above == NO_FUNCTION)
			return false;
		at = functions[at].above;
	}
	return bdf_compare(path.root, functions[at].bdf) == 0;
}

/* "DEVICE[;DEVICE...]", each with "BITS@" in front of it in config_acs=. */
static bool names_function(struct text list, const struct group_function *functions,
			   size_t at)
{
	struct text entry;

	while (text_cut(&list, ';', &entry)) {
		struct text bits, device = entry;

		if (memchr(entry.p, '@', entry.n) && text_cut(&device, '@', &bits))
			entry = device;
		if (text_has_prefix(entry, "pci:") ? names_id(entry, &functions[at].ids)
						   : names_path(entry, functions, at))
			return true;
	}
	return false;
}

/* The options of "pci=" are separated by commas. */
static bool names_in_options(struct text options, const struct group_function *functions,
			     size_t at)
{
	static const char *const names[] = {"disable_acs_redir=", "config_acs="};
	struct text option;

	while (text_cut(&options, ',', &option))
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			struct text list = option, name;

			if (text_has_prefix(option, names[i]) &&
			    text_cut(&list, '=', &name) &&
			    names_function(list, functions, at))
				return true;
		}
	return false;
}

struct text acs_word(struct text cmdline, const struct group_function *functions,
		     size_t at)
{
	struct text word, ret = TEXT("");

	while (text_word(&cmdline, &word) && !text_is(word, "--")) {
		struct text name, options = word;

		/* The value, or all of it, may be in quotes. */
		if (!text_cut(&options, '=', &name) ||
		    (!text_is(name, "pci") && !text_is(name, "\"pci")))
			continue;
		if (text_has_prefix(options, "\""))
			options = (struct text){options.p + 1, options.n - 1};
		if (options.n > 0 && options.p[options.n - 1] == '"')
			options.n--;
		if (names_in_options(options, functions, at))
			ret = word;
	}
	return ret;
}

#define PORTS_MAX 256
#define NAMED_MAX 3 /* ports, slots, functions in a sentence */

/* ---- reading ------------------------------------------------------------------------------- */

/* pci=config_acs= is in Linux 6.12 and not in 6.1. */
static bool knows_config_acs(struct text release)
{
	uint64_t major, minor;
	struct text part;
	size_t n = 0;

	if (!text_cut(&release, '.', &part) || text_decimal(part, 1000, &major) < 0)
		return false;
	while (n < release.n && release.p[n] >= '0' && release.p[n] <= '9')
		n++;
	if (text_decimal((struct text){release.p, n}, 100000, &minor) < 0)
		return false;
	return major > 6 || (major == 6 && minor >= 12);
}

static int compute(struct group_causes *c, bool is_optimistic, struct prediction *ret)
{
	*ret = (struct prediction){.functions = c->facts.functions,
				   .count = c->facts.inventory->count,
				   .has_amd_iommu = c->facts.has_amd_iommu,
				   .is_optimistic = is_optimistic};
	return predict_groups(ret, c->arena);
}

int group_causes_read(struct world *world, struct arena *arena,
		      const struct inventory *inventory, struct group_causes *ret)
{
	static char cmdline[JOB_TEXT_SIZE], release[256];
	struct text t;
	int r;

	*ret = (struct group_causes){.world = world, .arena = arena};
	r = group_facts_read(world, arena, inventory, &ret->facts);
	if (r < 0)
		return r;
	if (world_read_text(world, WORLD_PROC, "cmdline", cmdline, sizeof(cmdline),
			    &ret->cmdline) < 0)
		ret->cmdline = TEXT("");
	if (world_read_text(world, WORLD_PROC, "sys/kernel/osrelease", release,
			    sizeof(release), &t) == 0)
		ret->has_config_acs = knows_config_acs(t);
	r = compute(ret, true, &ret->apart);
	return r == 0 ? compute(ret, false, &ret->together) : r;
}

/* The word of the command line that has @part in its value, for a parameter; n is 0: none. */
static struct text find_word(const struct group_causes *c, const char *name,
			     const char *part)
{
	struct text rest = c->cmdline, word;

	while (text_word(&rest, &word) && !text_is(word, "--"))
		if (text_has_prefix(word, name) &&
		    memmem(word.p, word.n, part, strlen(part)))
			return word;
	return TEXT("");
}

/* ---- one port ------------------------------------------------------------------------------ */

static const struct group_function *function(const struct group_causes *c, size_t at)
{
	return &c->facts.functions[at];
}

static const char *port_kind(const struct group_function *f)
{
	switch (f->type) {
	case PCIE_ROOT_PORT:
		return "root port";
	case PCIE_DOWNSTREAM:
		return "downstream port";
	case PCIE_UPSTREAM:
		return "upstream port";
	default:
		return f->is_bridge ? "bridge" : "function";
	}
}

/* "SrcValid, ReqRedir", as lspci has them. */
static void add_bits(struct text_buffer *b, uint16_t bits)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = {{ACS_SV, "SrcValid"},
		     {ACS_RR, "ReqRedir"},
		     {ACS_CR, "CmpltRedir"},
		     {ACS_UF, "UpstreamFwd"}};
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (bits & names[i].bit) {
			text_add(b, "%s%s", comma, names[i].name);
			comma = ", ";
		}
}

static void add_port(const struct group_causes *c, struct text_buffer *b, size_t at)
{
	const struct group_function *f = function(c, at);
	uint16_t off = predict_disabled(f);
	char address[BDF_SIZE];

	text_add(b, "%s %s [%04x:%04x] ", port_kind(f), bdf_format(f->bdf, address),
		 f->ids.vendor, f->ids.device);
	if (off != 0) {
		text_add(b, "has ACS, but ");
		add_bits(b, off);
		text_add(b, " in it %s disabled", (off & (off - 1)) != 0 ? "are" : "is");
	} else if (f->has_acs) {
		text_add(b, "has ACS that the kernel does not rely on");
	} else {
		text_add(b, "has no ACS capability");
	}
}

static void add_link(const struct group_causes *c, struct text_buffer *b,
		     const struct group_link *link)
{
	const struct group_function *by = function(c, link->by);
	const struct group_function *f = function(c, (size_t)(link - c->apart.links));
	char address[BDF_SIZE], other[BDF_SIZE];

	bdf_format(by->bdf, address);
	bdf_format(f->bdf, other);
	switch (link->why) {
	case MERGE_NOTHING:
	case MERGE_PORT:
		add_port(c, b, link->by);
		break;
	case MERGE_BUS:
		text_add(b,
			 "%s is a bridge to conventional PCI, which isolates nothing "
			 "behind it",
			 address);
		break;
	case MERGE_FUNCTIONS:
		text_add(b, "%s and %s are functions of one device without ACS", address,
			 other);
		break;
	case MERGE_ALIAS:
		text_add(b, "%s and %s do DMA with the same ID", address, other);
		break;
	case MERGE_VMD:
		text_add(b,
			 "all devices behind the controller %s (VMD) do DMA with its ID",
			 address);
		break;
	}
}

/* ---- the causes of one group --------------------------------------------------------------- */

struct merged {
	const struct group_link *links[GROUP_LINKS_MAX]; /* of the prediction "apart" */
	size_t count;
	size_t unread[GROUP_LINKS_MAX]; /* functions that may be a cause */
	size_t unread_count;
};

static void add_cause(struct merged *m, const struct group_link *link)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->links[i]->by == link->by && m->links[i]->why == link->why)
			return;
	if (m->count < GROUP_LINKS_MAX)
		m->links[m->count++] = link;
}

static void add_unread(const struct group_causes *c, struct merged *m, size_t at)
{
	for (size_t i = 0; i < m->unread_count; i++)
		if (m->unread[i] == at)
			return;
	if (function(c, at)->is_unknown && m->unread_count < GROUP_LINKS_MAX)
		m->unread[m->unread_count++] = at;
}

/* What merges the functions @a and @b, both of the same group of the kernel's. */
static void find_causes(const struct group_causes *c, size_t a, size_t b,
			struct merged *m)
{
	const struct group_link *links[GROUP_LINKS_MAX];
	size_t n = predict_between(&c->apart, a, b, links);

	for (size_t i = 0; i < n; i++)
		add_cause(m, links[i]);
	if (n > 0)
		return;
	n = predict_between(&c->together, a, b, links);
	for (size_t i = 0; i < n; i++) {
		add_unread(c, m, links[i]->by);
		add_unread(c, m, (size_t)(links[i] - c->together.links));
	}
}

/* Whether ports that are named for themselves say it already: functions of one device. */
static bool is_said(const struct group_causes *c, const struct merged *m,
		    const struct group_link *link)
{
	size_t at = (size_t)(link - c->apart.links);

	if (link->why != MERGE_FUNCTIONS)
		return false;
	for (size_t i = 0; i < m->count; i++)
		if (m->links[i]->why == MERGE_PORT &&
		    (m->links[i]->by == link->by || m->links[i]->by == at))
			return true;
	return false;
}

/* A port with bits that are off in a capability that is there. */
static bool is_switched_off(const struct group_causes *c, const struct group_link *link)
{
	return link->why == MERGE_PORT && predict_disabled(function(c, link->by)) != 0;
}

/* "CAUSE; CAUSE; and 2 more.", first the ports that can be switched. */
static void add_causes(const struct group_causes *c, struct text_buffer *b,
		       const struct merged *m)
{
	size_t said = 0, left = 0;

	for (size_t i = 0; i < 2 * m->count; i++) {
		const struct group_link *link = m->links[i % m->count];

		if (is_said(c, m, link) || is_switched_off(c, link) != (i < m->count))
			continue;
		if (said == NAMED_MAX) {
			left++;
			continue;
		}
		text_add(b, "%s", said++ > 0 ? "; " : "");
		add_link(c, b, link);
	}
	if (left > 0)
		text_add(b, "; and %zu more", left);
	text_add(b, ".");
}

/* What could not be read, why, and what to do about it. */
static void add_unknown(const struct group_causes *c, struct text_buffer *b,
			const struct merged *m)
{
	size_t at = m->unread[0];
	const struct bdf bdf = function(c, at)->bdf;
	char address[BDF_SIZE];
	const char *what = arena_printf(c->arena, "the config space of %s%s",
					bdf_format(bdf, address),
					m->unread_count > 1 ? " and others" : "");
	const char *why =
		what ? unread_sentence(c->arena, c->facts.unread[at], bdf, what) : NULL;

	text_add(b, "%s the kernel merges this group is unknown: %s.",
		 m->count > 0 ? " Why else" : "Why", why ? why : "out of memory");
}

/* ---- what would split it ------------------------------------------------------------------- */

/* The ports that isolate what is behind them, and the slots that are wired to them. */
struct slots_found {
	const struct group_causes *c;
	size_t ports[PORTS_MAX];
	const char *names[PORTS_MAX]; /* of the slot; NULL: it has none */
	size_t count;
};

static bool is_free(const struct group_causes *c, const struct group_function *port)
{
	for (size_t i = 0; i < c->facts.inventory->count; i++)
		if (function(c, i)->bdf.domain == port->bdf.domain &&
		    function(c, i)->bdf.bus == port->secondary)
			return false;
	return true;
}

/* A name of /sys/bus/pci/slots, whose address is DOMAIN:BUS:DEVICE. */
static int look_at_slot(void *arg, const char *name)
{
	struct slots_found *s = arg;
	char path[JOB_PATH_SIZE], buf[64];
	uint64_t domain, bus;
	struct text t, part;

	if ((size_t)snprintf(path, sizeof(path), "bus/pci/slots/%s/address", name) >=
	    sizeof(path))
		return 0;
	if (world_read_text(s->c->world, WORLD_SYS, path, buf, sizeof(buf), &t) < 0 ||
	    !text_cut(&t, ':', &part) || text_hex(part, UINT32_MAX, &domain) < 0 ||
	    !text_cut(&t, ':', &part) || text_hex(part, UINT8_MAX, &bus) < 0)
		return 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct group_function *f = function(s->c, s->ports[i]);

		if (f->bdf.domain == domain && f->secondary == bus)
			s->names[i] = arena_copy(s->c->arena, text_of(name));
	}
	return 0;
}

static void find_slots(const struct group_causes *c, size_t at, struct slots_found *s)
{
	for (size_t i = 0; i < c->facts.inventory->count && s->count < PORTS_MAX; i++) {
		const struct group_function *f = function(c, i);

		if (i != function(c, at)->above && f->has_slot && f->secondary != 0 &&
		    predict_splits_below(&c->together, i))
			s->ports[s->count++] = i;
	}
	(void)c->world->ops->list(c->world, WORLD_SYS, "bus/pci/slots", look_at_slot, s);
}

/* ", x16": how many lanes the port has. */
static void add_width(const struct group_causes *c, struct text_buffer *b, struct bdf bdf)
{
	char path[JOB_PATH_SIZE], buf[32];
	uint64_t lanes;
	struct text t;

	if (world_read_text(c->world, WORLD_SYS,
			    inventory_attribute(bdf, "max_link_width", path), buf,
			    sizeof(buf), &t) == 0 &&
	    text_decimal(t, 64, &lanes) == 0 && lanes > 0)
		text_add(b, ", x%u", (unsigned)lanes);
}

/* Adds those that are free, or those that are in use. How many are said then. */
static size_t add_slots_of(const struct group_causes *c, const struct slots_found *s,
			   bool want_free, size_t said, struct text_buffer *b)
{
	for (size_t i = 0; i < s->count && said < NAMED_MAX; i++) {
		const struct group_function *f = function(c, s->ports[i]);
		const char *name = s->names[i];
		char address[BDF_SIZE];

		if (is_free(c, f) != want_free || (!want_free && !name))
			continue;
		text_add(b, "%s%s%s (behind %s",
			 said++ > 0 ? ", "
				    : " A slot behind a port that isolates would split "
				      "it: ",
			 name ? "slot " : "the slot", name ? name : "",
			 bdf_format(f->bdf, address));
		add_width(c, b, f->bdf);
		text_add(b, ", %s)", want_free ? "free" : "in use");
	}
	return said;
}

/* Whether its path is that of its slot: nothing of its own card is between. */
static bool is_in_slot(const struct group_causes *c, size_t at)
{
	const struct group_function *port = function(c, function(c, at)->above);

	return port->has_slot &&
	       (port->type == PCIE_ROOT_PORT || port->type == PCIE_DOWNSTREAM);
}

/* "path=0000:00:01.0/00.0": the bridges on the way, and the function itself. */
static void add_path(const struct group_causes *c, struct text_buffer *b, size_t port,
		     struct bdf card)
{
	struct pci_path path = {.root = function(c, port)->bdf};
	uint8_t hops[PATH_HOPS_MAX] = {(uint8_t)(card.device << 3 | card.function)};
	char text[PATH_SIZE];
	size_t n = 1;

	for (size_t i = port; function(c, i)->above < i && n < PATH_HOPS_MAX;
	     i = function(c, i)->above) {
		path.root = function(c, function(c, i)->above)->bdf;
		hops[n++] = (uint8_t)(function(c, i)->bdf.device << 3 |
				      function(c, i)->bdf.function);
	}
	for (path.hop_count = 0; n > 0;)
		path.hops[path.hop_count++] = hops[--n];
	text_add(b, "path=%s", path_format(&path, text));
}

/* Those that are free come first; of those in use, only what has a name can be found. */
static void add_slots(const struct group_causes *c, struct text_buffer *b, size_t at,
		      bool is_whole)
{
	const struct group_function *f = function(c, at);
	struct slots_found s = {.c = c};
	size_t said;

	find_slots(c, at, &s);
	said = add_slots_of(c, &s, true, 0, b);
	said = add_slots_of(c, &s, false, said, b);
	text_add(b, said > 0 ? "." : " No slot was found behind a port that isolates.");
	if (!is_whole || !is_in_slot(c, at))
		return;
	for (size_t i = 0; i < s.count; i++) {
		char address[BDF_SIZE];

		if (!is_free(c, function(c, s.ports[i])))
			continue;
		text_add(b, " Behind %s its rule is: bind ",
			 bdf_format(function(c, s.ports[i])->bdf, address));
		add_path(c, b, s.ports[i], f->bdf);
		text_add(b, "+%04x:%04x.", f->ids.vendor, f->ids.device);
		return;
	}
}

/* How many functions of other cards are in the group of @at. */
static size_t count_others(const struct prediction *p, size_t at)
{
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++)
		n += p->links[i].group == p->links[at].group &&
		     !p->functions[i].is_bridge &&
		     !bdf_is_same_slot(p->functions[i].bdf, p->functions[at].bdf);
	return n;
}

/* What a parameter of the kernel command line does to a group. */
struct switched {
	struct text word; /* that is there, and has ports switched off; n is 0: none */
	size_t port; /* to switch on by another word */
	size_t all, left; /* functions of other cards in the group: now, and then */
};

/* Enables the ports that the word names, or the one port. 0 or -ENOMEM. */
static int count_left(const struct group_causes *c, const struct merged *m, size_t at,
		      struct switched *s)
{
	struct prediction p = c->apart;
	struct group_function *functions;
	int r;

	functions = arena_alloc(c->arena, p.count, sizeof(*functions));
	if (!functions)
		return -ENOMEM;
	memcpy(functions, p.functions, p.count * sizeof(*functions));
	p.functions = functions;
	for (size_t i = 0; i < m->count; i++) {
		size_t by = m->links[i]->by;
		struct text word = acs_word(c->cmdline, p.functions, by);

		if (is_switched_off(c, m->links[i]) &&
		    (s->word.n > 0 ? word.p == s->word.p : by == s->port)) {
			functions[by].acs_ctl |= functions[by].acs_cap & ACS_NEEDED;
			functions[by].acs_ctl_high |= functions[by].acs_cap & ACS_NEEDED;
		}
	}
	r = predict_groups(&p, c->arena);
	if (r == 0)
		s->left = count_others(&p, at);
	return r;
}

/* False if no parameter is known that makes the group smaller. */
static bool find_switch(const struct group_causes *c, const struct merged *m, size_t at,
			struct switched *ret)
{
	size_t ports = 0;

	*ret = (struct switched){.port = NO_FUNCTION};
	for (size_t i = 0; i < m->count && ret->word.n == 0; i++)
		if (is_switched_off(c, m->links[i]) && m->links[i]->by != ret->port) {
			ret->port = m->links[i]->by;
			ret->word = acs_word(c->cmdline, c->facts.functions, ret->port);
			ports++;
		}
	/* What separates the entries of a list is a command's end in GRUB: only one is said. */
	if (ret->word.n == 0 &&
	    (ports != 1 || predict_has_own_registers(function(c, ret->port))))
		return false;
	ret->all = count_others(&c->apart, at);
	return count_left(c, m, at, ret) == 0 && ret->left < ret->all;
}

/* Says what a parameter does, if one helps. Whether no other card is left in the group then. */
static bool add_parameter(const struct group_causes *c, struct text_buffer *b,
			  const struct merged *m, size_t at)
{
	const struct group_function *f;
	char address[BDF_SIZE];
	struct switched s;

	if (!find_switch(c, m, at, &s))
		return false;
	f = function(c, s.port);
	if (s.word.n > 0)
		text_add(b,
			 " The kernel command line has %.*s: without it the kernel "
			 "enables them%s",
			 (int)MIN(s.word.n, 200u), s.word.p, s.left > 0 ? ", and" : ".");
	else
		/* From the right: SrcValid, TransBlk, ReqRedir, CmpltRedir, UpstreamFwd. */
		text_add(b,
			 " %spci=config_acs=%c%c%cx%c@%s on the kernel command line "
			 "splits it%s",
			 c->has_config_acs ? "" : "With Linux 6.12 or newer, ",
			 f->acs_cap & ACS_UF ? '1' : 'x', f->acs_cap & ACS_CR ? '1' : 'x',
			 f->acs_cap & ACS_RR ? '1' : 'x', f->acs_cap & ACS_SV ? '1' : 'x',
			 bdf_format(f->bdf, address), s.left > 0 ? ":" : ".");
	if (s.left > 0)
		text_add(b, " %zu of %zu functions of other cards leave the group.",
			 s.all - s.left, s.all);
	return s.left == 0;
}

/* Whether all causes are in the function's own card: another slot takes them along. */
static bool is_own_card(const struct group_causes *c, const struct merged *m, size_t at)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->links[i]->why == MERGE_BUS || m->links[i]->why == MERGE_PORT ||
		    m->links[i]->why == MERGE_VMD ||
		    !bdf_is_same_slot(function(c, m->links[i]->by)->bdf,
				      function(c, at)->bdf))
			return false;
	return true;
}

/* Whether a cause is hardware that isolates nothing, which a patched kernel can overlook. */
static bool is_assertable(const struct merged *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->links[i]->why != MERGE_PORT && m->links[i]->why != MERGE_FUNCTIONS)
			return false;
	return m->count > 0;
}

static void add_remedy(const struct group_causes *c, struct text_buffer *b,
		       const struct merged *m, size_t at, bool is_whole)
{
	if (add_parameter(c, b, m, at))
		return;
	for (size_t i = 0; i < m->count; i++)
		if (m->links[i]->why == MERGE_VMD)
			return;
	if (function(c, at)->above == NO_FUNCTION)
		text_add(b, " It is on the root bus, so no other slot can split it.");
	else if (!is_own_card(c, m, at))
		add_slots(c, b, at, is_whole);
	else
		text_add(b, " They are one card: bind all functions of it.");
	if (is_whole && is_assertable(m))
		text_add(
			b,
			" Last resort: a kernel with the ACS override patch only asserts "
			"that the devices are isolated. A VM with one of them can then read "
			"and change the others, past the IOMMU.");
}

const char *group_free_slot(const struct group_causes *c, struct bdf bdf)
{
	struct slots_found s = {.c = c};
	size_t at = group_facts_find(&c->facts, bdf);

	if (at == NO_FUNCTION || !c->facts.is_known_kind || !c->facts.has_config)
		return NULL;
	find_slots(c, at, &s);
	for (size_t i = 0; i < s.count; i++) {
		const struct group_function *f = function(c, s.ports[i]);
		char address[BDF_SIZE];

		if (is_free(c, f))
			return arena_printf(c->arena, "%s%s (behind %s)",
					    s.names[i] ? "slot " : "the slot",
					    s.names[i] ? s.names[i] : "",
					    bdf_format(f->bdf, address));
	}
	return NULL;
}

/* What merges the group of a function with others that are no bridges. */
static void find_all_causes(const struct group_causes *c, size_t at, struct merged *m)
{
	const struct inventory *inv = c->facts.inventory;
	struct pci_device *const *members;
	bool has_other;
	size_t count;

	if (at == NO_FUNCTION || inv->devices[at].iommu_group == NO_GROUP ||
	    !c->facts.is_known_kind || !c->facts.has_config)
		return;
	members = inventory_group(inv, inv->devices[at].iommu_group, &count);
	for (size_t i = 0; i < count; i++)
		if (!members[i]->is_bridge &&
		    !bdf_is_same_slot(members[i]->bdf, inv->devices[at].bdf))
			find_causes(c, at, (size_t)(members[i] - inv->devices), m);
	has_other = m->count > 0 || m->unread_count > 0;
	/* Its own card is the cause only where there is no other one. */
	for (size_t i = 0; i < count && !has_other; i++)
		if (!members[i]->is_bridge)
			find_causes(c, at, (size_t)(members[i] - inv->devices), m);
}

static const char *describe(const struct group_causes *c, size_t at, bool is_whole)
{
	struct text_buffer b = {.arena = c->arena};
	struct merged m = {.count = 0};

	find_all_causes(c, at, &m);
	if (m.count > 0) {
		text_add(&b, "The kernel merges this group: ");
		add_causes(c, &b, &m);
	}
	if (m.unread_count > 0)
		add_unknown(c, &b, &m);
	else if (m.count > 0)
		add_remedy(c, &b, &m, at, is_whole);
	return b.is_full || b.used == 0 ? NULL : b.buf;
}

const char *group_cause(const struct group_causes *c, struct bdf bdf)
{
	return describe(c, group_facts_find(&c->facts, bdf), false);
}

const char *group_merged_by(const struct group_causes *c, struct bdf bdf)
{
	struct text_buffer b = {.arena = c->arena};
	struct merged m = {.count = 0};

	find_all_causes(c, group_facts_find(&c->facts, bdf), &m);
	if (m.count == 0)
		return NULL;
	text_add(&b, "The kernel merges this group: ");
	add_causes(c, &b, &m);
	return b.is_full ? NULL : b.buf;
}

const char *group_why(const struct group_causes *c, struct bdf bdf)
{
	return describe(c, group_facts_find(&c->facts, bdf), true);
}

bool group_is_cause(const struct group_causes *c, struct bdf bridge)
{
	const struct inventory *inv = c->facts.inventory;
	size_t at = group_facts_find(&c->facts, bridge), count;
	struct pci_device *const *members;
	struct merged m = {.count = 0};

	if (at == NO_FUNCTION || inv->devices[at].iommu_group == NO_GROUP)
		return false;
	members = inventory_group(inv, inv->devices[at].iommu_group, &count);
	for (size_t i = 0; i < count; i++)
		if (!members[i]->is_bridge) {
			find_all_causes(c, (size_t)(members[i] - inv->devices), &m);
			break;
		}
	for (size_t i = 0; i < m.count; i++)
		if (m.links[i]->by == at &&
		    (m.links[i]->why == MERGE_PORT || m.links[i]->why == MERGE_BUS))
			return true;
	return false;
}

const char *group_why_unknown(const struct group_causes *c)
{
	if (c->facts.inventory->iommu.is_on && !c->facts.is_known_kind)
		return "Why the kernel merges groups is unknown: the rules of this "
		       "IOMMU's driver are not known.";
	if (c->facts.inventory->iommu.is_on && !c->facts.has_config)
		return "Why the kernel merges groups is unknown: no config space can "
		       "be read here.";
	return NULL;
}

/* ---- the kernel's groups beside those that are computed ------------------------------------ */

static const char *say_smaller(const struct group_causes *c, size_t a, size_t b)
{
	const struct pci_device *d = c->facts.inventory->devices;
	struct text_buffer text = {.arena = c->arena};
	char address[BDF_SIZE], other[BDF_SIZE];
	struct merged m = {.count = 0};

	find_causes(c, a, b, &m);
	text_add(
		&text,
		"The kernel has %s (IOMMU group %d) and %s (group %d) apart, but nothing "
		"isolates them: ",
		bdf_format(d[a].bdf, address), d[a].iommu_group,
		bdf_format(d[b].bdf, other), d[b].iommu_group);
	add_causes(c, &text, &m);
	if (find_word(c, "pcie_acs_override=", "").n > 0)
		text_add(&text,
			 " The parameter pcie_acs_override= only asserts that they are.");
	else
		text_add(&text,
			 " This kernel has other rules than Linux %s, or a patch that "
			 "asserts it.",
			 predict_version());
	text_add(&text,
		 " Risk: a VM with one of them can read and change the other, past "
		 "the IOMMU.");
	return text.is_full ? NULL : text.buf;
}

/*
 * Two devices that are one group by computation and two for the kernel; one of them is @asked
 * unless that is NO_FUNCTION. Those of different cards come first. What separates a device from
 * bridges alone is no matter.
 */
static bool find_smaller(const struct group_causes *c, size_t asked, size_t *ret_a,
			 size_t *ret_b)
{
	const struct pci_device *d = c->facts.inventory->devices;
	size_t count = c->facts.inventory->count, *first;
	bool is_found = false;

	first = arena_alloc(c->arena, count, sizeof(*first));
	for (size_t i = 0; first && i < count; i++) {
		size_t *mate = &first[c->apart.links[i].group], a;

		if (d[i].is_bridge || d[i].iommu_group == NO_GROUP || i == asked)
			continue;
		if (*mate == 0)
			*mate = i + 1;
		a = asked != NO_FUNCTION ? asked : *mate - 1;
		if (c->apart.links[a].group != c->apart.links[i].group ||
		    d[a].iommu_group == d[i].iommu_group ||
		    (is_found && bdf_is_same_slot(d[a].bdf, d[i].bdf)))
			continue;
		*ret_a = a;
		*ret_b = i;
		if (!bdf_is_same_slot(d[a].bdf, d[i].bdf))
			return true;
		is_found = true;
	}
	return is_found;
}

static const char *say_larger(const struct group_causes *c, size_t at, size_t first)
{
	const struct pci_device *d = c->facts.inventory->devices;
	struct text_buffer b = {.arena = c->arena};
	char address[BDF_SIZE], other[BDF_SIZE];

	text_add(
		&b,
		"IOMMU group %d is larger than the ports make it: %s and %s are isolated. "
		"Probably the kernel formed its groups before it enabled ACS%s: boot "
		"another version; no parameter helps.",
		d[at].iommu_group, bdf_format(d[first].bdf, address),
		bdf_format(d[at].bdf, other),
		c->facts.has_amd_iommu ? ", or the firmware's table IVRS names an alias"
				       : "");
	return b.is_full ? NULL : b.buf;
}

/* Not where it is unknown which controller (VMD) made the domain, whose DMA is its own. */
static bool is_comparable(const struct group_causes *c, size_t at)
{
	const struct group_function *f = function(c, at);

	return !f->is_bridge && (f->bdf.domain <= UINT16_MAX || f->dma_as != NO_FUNCTION);
}

/* The first of its group for the kernel, if that is in another one by computation. */
static size_t find_larger(const struct group_causes *c, size_t at)
{
	const struct inventory *inv = c->facts.inventory;
	struct pci_device *const *members;
	size_t count;

	if (inv->devices[at].iommu_group == NO_GROUP || !is_comparable(c, at))
		return NO_FUNCTION;
	members = inventory_group(inv, inv->devices[at].iommu_group, &count);
	for (size_t i = 0; i < count; i++) {
		size_t other = (size_t)(members[i] - inv->devices);

		if (!is_comparable(c, other))
			continue;
		return c->together.links[at].group != c->together.links[other].group
			       ? other
			       : NO_FUNCTION;
	}
	return NO_FUNCTION;
}

const char *group_difference(const struct group_causes *c, const struct bdf *bdf)
{
	const struct inventory *inv = c->facts.inventory;
	size_t asked = bdf ? group_facts_find(&c->facts, *bdf) : NO_FUNCTION, a, b;
	int group = asked != NO_FUNCTION ? inv->devices[asked].iommu_group : NO_GROUP;

	if (!c->facts.is_known_kind || !c->facts.has_config || (bdf && group == NO_GROUP))
		return NULL;
	if (find_smaller(c, asked, &a, &b))
		return say_smaller(c, a, b);
	for (size_t i = 0; i < inv->count; i++)
		if (!bdf || inv->devices[i].iommu_group == group) {
			a = find_larger(c, i);
			if (a != NO_FUNCTION)
				return say_larger(c, i, a);
		}
	return NULL;
}
