/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IOMMU groups computed from facts, and the ports that merge them. */
#include "test.h"

#include <time.h>

#include "group_cause.h"
#include "predict.h"

#define FUNCTIONS_OF_CASE 64

/*
 * A function per line: address, bridge above, type, ACS capability and control as letters of
 * S(V) R(R) C(R) U(F) (none: no capability, 0: no bits), class, ID, group. Types in capitals are
 * virtual functions, and others that are not marked as one of several; "?" could not be read.
 */
struct machine {
	struct arena arena;
	struct group_function functions[FUNCTIONS_OF_CASE];
	int groups[FUNCTIONS_OF_CASE]; /* that are expected */
	struct prediction prediction;
};

static const struct {
	const char *name;
	enum pcie_type type;
} types[] = {
	{"-", PCIE_NONE},	    {"end", PCIE_ENDPOINT},
	{"END", PCIE_ENDPOINT},	    {"leg", PCIE_LEGACY_ENDPOINT},
	{"root", PCIE_ROOT_PORT},   {"up", PCIE_UPSTREAM},
	{"down", PCIE_DOWNSTREAM},  {"topci", PCIE_TO_PCI},
	{"topcie", PCI_TO_PCIE},    {"rcend", PCIE_RC_ENDPOINT},
	{"events", PCIE_RC_EVENTS}, {"?", PCIE_NONE},
	{"E-", PCIE_NONE},
};

static size_t find(const struct machine *m, const char *address)
{
	struct parse_error error;
	struct bdf bdf;

	if (strcmp(address, "-") == 0)
		return NO_FUNCTION;
	check_int(address, bdf_parse_loose(text_of(address), &bdf, NULL, &error), 0);
	for (size_t i = 0; i < m->prediction.count; i++)
		if (bdf_compare(m->functions[i].bdf, bdf) == 0)
			return i;
	fail_msg("%s is not there", address);
	return 0;
}

static uint16_t bits(const char *letters)
{
	uint16_t n = 0;

	n |= strchr(letters, 'S') ? ACS_SV : 0;
	n |= strchr(letters, 'R') ? ACS_RR : 0;
	n |= strchr(letters, 'C') ? ACS_CR : 0;
	n |= strchr(letters, 'U') ? ACS_UF : 0;
	return n;
}

static void add_function(struct machine *m, const char *line)
{
	char address[32], above[32], type[16], cap[16], ctl[16];
	unsigned class, vendor, device;
	struct parse_error error;
	struct group_function *f = &m->functions[m->prediction.count];

	check_int(line,
		  sscanf(line, "%31s %31s %15s %15s %15s %x %x:%x %d", address, above,
			 type, cap, ctl, &class, &vendor, &device,
			 &m->groups[m->prediction.count]),
		  9);
	*f = (struct group_function){
		.above = find(m, above), .dma_as = NO_FUNCTION, .type = PCIE_NONE};
	check_int(line, bdf_parse_loose(text_of(address), &f->bdf, NULL, &error), 0);
	f->ids = (struct pci_ids){(uint16_t)vendor, (uint16_t)device, 0, 0, class << 8};
	f->is_bridge = class == 0x0604;
	f->is_unknown = type[0] == '?';
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i].name) == 0)
			f->type = types[i].type;
	f->has_acs = strcmp(cap, "none") != 0;
	f->acs_cap = bits(cap);
	f->acs_ctl = bits(ctl);
	f->is_multifunction = type[0] != 'E' && f->bdf.function > 0;
	if (f->is_multifunction && m->prediction.count > 0 &&
	    bdf_is_same_slot(f[-1].bdf, f->bdf))
		f[-1].is_multifunction = true;
	m->prediction.count++;
}

static void machine_make(struct machine *m, const char *const lines[])
{
	*m = (struct machine){.arena = test_arena((size_t)1 << 16)};
	m->prediction.functions = m->functions;
	for (size_t i = 0; lines[i]; i++)
		add_function(m, lines[i]);
}

static void predict(struct machine *m)
{
	arena_rewind(&m->arena, 0);
	assert_int_equal(predict_groups(&m->prediction, &m->arena), 0);
}

static void check_groups(const char *label, const struct machine *m)
{
	for (size_t i = 0; i < m->prediction.count; i++)
		for (size_t k = 0; k < i; k++) {
			bool is_one = m->prediction.links[i].group ==
				      m->prediction.links[k].group;
			char a[BDF_SIZE], b[BDF_SIZE];

			if (is_one != (m->groups[i] == m->groups[k]))
				fail_msg("%s: %s and %s are%s in one group", label,
					 bdf_format(m->functions[k].bdf, a),
					 bdf_format(m->functions[i].bdf, b),
					 is_one ? "" : " not");
		}
}

/* A real machine: Comet Lake-S, kernel 6.12 (lspci in a mail to linux-pci, 2026-01-08). */
static const char *const comet_lake[] = {
	"00:00.0	-	-	none	-	0600	8086:9b53	0",
	"00:01.0	-	root	none	-	0604	8086:1901	1",
	"00:12.0	-	-	none	-	1180	8086:06f9	2",
	"00:14.0	-	-	none	-	0c03	8086:06ed	3",
	"00:14.2	-	-	none	-	0500	8086:06ef	3",
	"00:16.0	-	-	none	-	0780	8086:06e0	4",
	"00:1b.0	-	root	STRC	SRC	0604	8086:06c0	5",
	"00:1c.0	-	root	STRC	SRC	0604	8086:06b8	6",
	"00:1c.1	-	root	STRC	SRC	0604	8086:06b9	7",
	"00:1c.4	-	root	STRC	SRC	0604	8086:06bc	8",
	"00:1e.0	-	-	none	-	0780	8086:06a8	9",
	"00:1e.1	-	-	none	-	0780	8086:06a9	9",
	"00:1f.0	-	-	none	-	0601	8086:0685	10",
	"00:1f.3	-	-	none	-	0403	8086:06c8	10",
	"00:1f.4	-	-	none	-	0c05	8086:06a3	10",
	"00:1f.5	-	-	none	-	0c80	8086:06a4	10",
	"01:00.0	00:01.0	up	none	-	0604	1002:1478	1",
	"02:00.0	01:00.0	down	STRUC	SRCU	0604	1002:1479	1",
	"03:00.0	02:00.0	leg	0	0	0300	1002:7340	1",
	"03:00.1	02:00.0	leg	0	0	0403	1002:ab38	1",
	"04:00.0	00:1b.0	end	none	-	0180	106b:2005	11",
	"04:00.1	00:1b.0	end	none	-	0000	106b:1801	11",
	NULL,
};

static const struct {
	const char *name;
	const char *const *lines;
} cases[] = {
	{"comet lake", comet_lake},
	{"the Alveo machine: root ports of one device without ACS",
	 (const char *const[]){"00:01.0 - root none - 0604 8086:1901 1",
			       "00:01.1 - root none - 0604 8086:1905 1",
			       "01:00.0 00:01.0 end none - 1200 10ee:5000 1",
			       "01:00.1 00:01.0 end none - 1200 10ee:5001 1",
			       "02:00.0 00:01.1 end none - 0300 10de:2489 1", NULL}},
	{"single root ports without ACS: a group each",
	 (const char *const[]){"00:01.0 - root none - 0604 1234:0001 1",
			       "00:02.0 - root none - 0604 1234:0001 2",
			       "01:00.0 00:01.0 end none - 0200 1234:0002 1",
			       "02:00.0 00:02.0 end none - 0200 1234:0002 2", NULL}},
	{"a bit that is off; a bit that is not offered",
	 (const char *const[]){"00:01.0 - root SRCU SRC 0604 1234:0001 1",
			       "00:02.0 - root SRC SRC 0604 1234:0001 2",
			       "00:03.0 - root 0 0 0604 1234:0001 3",
			       "01:00.0 00:01.0 end none - 0200 1234:0002 1",
			       "02:00.0 00:02.0 end none - 0200 1234:0002 4",
			       "03:00.0 00:03.0 end none - 0200 1234:0002 5", NULL}},
	{"functions of an endpoint: without ACS together, with it apart, and half",
	 (const char *const[]){"00:01.0 - root SRCU SRCU 0604 1234:0001 1",
			       "00:02.0 - root SRCU SRCU 0604 1234:0001 2",
			       "00:03.0 - root SRCU SRCU 0604 1234:0001 3",
			       "01:00.0 00:01.0 end none - 0200 1234:0002 4",
			       "01:00.1 00:01.0 end none - 0200 1234:0002 4",
			       "02:00.0 00:02.0 end RC RC 0200 1234:0002 5",
			       "02:00.1 00:02.0 end RC RC 0200 1234:0002 6",
			       "03:00.0 00:03.0 end none - 0200 1234:0002 7",
			       "03:00.1 00:03.0 end 0 0 0200 1234:0002 8",
			       "03:00.2 00:03.0 end none - 0200 1234:0002 7", NULL}},
	{"functions that do not talk to each other, by their maker's word (82576)",
	 (const char *const[]){"00:01.0 - root SRCU SRCU 0604 1234:0001 1",
			       "01:00.0 00:01.0 end none - 0200 8086:10c9 2",
			       "01:00.1 00:01.0 end none - 0200 8086:10c9 3", NULL}},
	{"virtual functions are no functions of a device",
	 (const char *const[]){"00:01.0 - root SRCU SRCU 0604 1234:0001 1",
			       "01:00.0 00:01.0 end none - 0200 1234:0002 2",
			       "01:00.1 00:01.0 END none - 0200 1234:0003 3",
			       "01:00.2 00:01.0 END none - 0200 1234:0003 4", NULL}},
	{"a switch whose downstream ports have no ACS",
	 (const char *const[]){"00:01.0 - root SRCU SRCU 0604 1234:0001 1",
			       "01:00.0 00:01.0 up none - 0604 1234:0002 2",
			       "02:00.0 01:00.0 down none - 0604 1234:0003 3",
			       "02:01.0 01:00.0 down none - 0604 1234:0003 4",
			       "02:02.0 01:00.0 down SRCU SRCU 0604 1234:0003 5",
			       "03:00.0 02:00.0 end none - 0200 1234:0004 3",
			       "04:00.0 02:01.0 end none - 0200 1234:0004 4",
			       "05:00.0 02:02.0 end none - 0200 1234:0004 6", NULL}},
	{"downstream ports that are functions of one device without ACS",
	 (const char *const[]){"00:01.0 - root SRCU SRCU 0604 1234:0001 1",
			       "01:00.0 00:01.0 up none - 0604 1234:0002 2",
			       "02:00.0 01:00.0 down none - 0604 1234:0003 3",
			       "02:00.1 01:00.0 down none - 0604 1234:0003 3",
			       "03:00.0 02:00.0 end none - 0200 1234:0004 3",
			       "04:00.0 02:00.1 end none - 0200 1234:0004 3", NULL}},
	{"a bridge to conventional PCI, and one from it",
	 (const char *const[]){"00:01.0 - root SRCU SRCU 0604 1234:0001 1",
			       "00:1e.0 - - none - 0604 8086:1234 5",
			       "01:00.0 00:01.0 topci none - 0604 1234:0002 2",
			       "02:00.0 01:00.0 - none - 0200 1234:0003 2",
			       "02:01.0 01:00.0 - none - 0200 1234:0003 2",
			       "03:00.0 00:1e.0 - none - 0200 1234:0003 5",
			       "03:01.0 00:1e.0 topcie none - 0604 1234:0004 5",
			       "04:00.0 03:01.0 end none - 0200 1234:0004 5", NULL}},
	{"functions of a slot that are not marked as one of several",
	 (const char *const[]){"00:05.0 - - none - 0c03 1234:0001 1",
			       "00:05.1 - E- none - 0c03 1234:0002 2", NULL}},
	{"DMA aliases: a function that uses the ID of function 1",
	 (const char *const[]){"00:01.0 - root SRCU SRCU 0604 1234:0001 1",
			       "01:00.0 00:01.0 end SRC SRC 0106 1b4b:9123 2",
			       "01:00.1 00:01.0 end SRC SRC 0101 1b4b:0001 2",
			       "01:00.2 00:01.0 end SRC SRC 0101 1b4b:0001 3", NULL}},
	{"integrated endpoints: Intel's isolate, others do not",
	 (const char *const[]){"00:14.0 - rcend none - 0c03 8086:0001 1",
			       "00:14.1 - rcend none - 0c03 8086:0002 2",
			       "00:15.0 - rcend none - 0c03 1022:0001 3",
			       "00:15.1 - rcend none - 0c03 1022:0002 3", NULL}},
	{"ports of Cavium, Zhaoxin (one that is not on the list), Annapurna",
	 (const char *const[]){"00:01.0 - root none - 0604 177d:a001 1",
			       "00:02.0 - root none - 0604 1d17:0710 2",
			       "00:03.0 - root SRCU SRCU 0604 1d17:0900 3",
			       "00:04.0 - root none - 0604 1c36:0031 4",
			       "01:00.0 00:01.0 end none - 0200 1234:0002 5",
			       "02:00.0 00:02.0 end none - 0200 1234:0002 6",
			       "03:00.0 00:03.0 end none - 0200 1234:0002 3",
			       "04:00.0 00:04.0 end none - 0200 1234:0002 7", NULL}},
};

static void test_cases(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine m;

		machine_make(&m, cases[i].lines);
		predict(&m);
		check_groups(cases[i].name, &m);
		test_arena_free(&m.arena);
	}
}

/* Intel's chipsets before 2015 isolate where the kernel has set them up; so does no other port. */
static void test_registers(void **state unused)
{
	static const char *const lines[] = {"00:1c.0 - root none - 0604 8086:8c10 1",
					    "00:1d.0 - root SRCU 0 0604 8086:a110 2",
					    "01:00.0 00:1c.0 end none - 0200 1234:0002 3",
					    "02:00.0 00:1d.0 end none - 0200 1234:0002 4",
					    NULL};
	struct machine m;

	machine_make(&m, lines);
	m.functions[0].has_bus_check = true;
	m.functions[1].acs_ctl_high = ACS_NEEDED;
	predict(&m);
	check_groups("set up", &m);
	m.functions[0].has_bus_check = false;
	m.functions[1].acs_ctl_high = ACS_NEEDED & ~ACS_CR;
	m.groups[2] = 1;
	m.groups[3] = 2;
	predict(&m);
	check_groups("not set up", &m);
	test_arena_free(&m.arena);
}

static void test_amd(void **state unused)
{
	static const char *const lines[] = {"00:14.0 - - none - 0c05 1002:4385 1",
					    "00:14.3 - - none - 0601 1002:439d 2",
					    "00:14.5 - - none - 0c03 1002:0001 3", NULL};
	struct machine m;

	machine_make(&m, lines);
	m.prediction.has_amd_iommu = true;
	predict(&m);
	check_groups("with IVRS", &m);
	m.prediction.has_amd_iommu = false;
	m.groups[1] = m.groups[2] = 1;
	predict(&m);
	check_groups("without", &m);
	test_arena_free(&m.arena);
}

/* VMD: all behind the controller is in its group, whatever the ports do. */
static void test_vmd(void **state unused)
{
	static const char *const lines[] = {
		"00:0e.0 - end none - 0104 8086:467f 1",
		"10000:e0:06.0 - root SRCU SRCU 0604 8086:0001 1",
		"10000:e1:00.0 10000:e0:06.0 end none - 0108 1234:0001 1", NULL};
	struct machine m;

	machine_make(&m, lines);
	m.functions[1].dma_as = m.functions[2].dma_as = 0;
	predict(&m);
	check_groups("vmd", &m);
	test_arena_free(&m.arena);
}

/* What is not known makes two predictions differ. */
static void test_unknown(void **state unused)
{
	static const char *const lines[] = {"00:01.0 - ? none - 0604 1234:0001 1",
					    "01:00.0 00:01.0 end none - 0200 1234:0002 1",
					    NULL};
	struct machine m;

	machine_make(&m, lines);
	predict(&m);
	check_groups("pessimistic", &m);
	m.prediction.is_optimistic = true;
	m.groups[1] = 2;
	predict(&m);
	check_groups("optimistic", &m);
	assert_false(predict_splits_below(&m.prediction, 0));
	test_arena_free(&m.arena);
}

static void check_between(struct machine *m, const char *a, const char *b,
			  const char *want)
{
	const struct group_link *links[GROUP_LINKS_MAX];
	size_t n = predict_between(&m->prediction, find(m, a), find(m, b), links);
	char got[512] = "", address[BDF_SIZE];

	for (size_t i = 0; i < n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%d %s",
			 i > 0 ? ", " : "", links[i]->why,
			 bdf_format(m->functions[links[i]->by].bdf, address));
	check_string(b, got, want);
}

/* The port that is named is the cause: when it isolates, the next one remains, or none. */
static void test_between(void **state unused)
{
	static const char *const acs[] = {"00:01.0", "02:00.0", "02:00.1"};
	static const char *const lines[] = {
		"00:01.0 - root none - 0604 1234:0001 1",
		"01:00.0 00:01.0 up none - 0604 1234:0002 1",
		"02:00.0 01:00.0 down none - 0604 1234:0003 1",
		"02:00.1 01:00.0 down none - 0604 1234:0003 1",
		"03:00.0 02:00.0 end none - 0200 1234:0004 1",
		"04:00.0 02:00.1 end none - 0200 1234:0004 1",
		NULL};
	static const char *const want[] = {
		"1 0000:02:00.1, 1 0000:02:00.0, 3 0000:02:00.0", "1 0000:02:00.1", ""};
	struct machine m;

	machine_make(&m, lines);
	predict(&m);
	check_between(&m, "03:00.0", "04:00.0",
		      "1 0000:02:00.1, 1 0000:02:00.0, 1 0000:00:01.0");
	check_between(&m, "03:00.0", "03:00.0", "");
	for (size_t i = 0; i < ARRAY_SIZE(acs); i++) {
		struct group_function *port = &m.functions[find(&m, acs[i])];

		port->has_acs = true;
		port->acs_cap = port->acs_ctl = ACS_NEEDED;
		predict(&m);
		if (i == 1)
			check_between(&m, "00:01.0", "03:00.0", "");
		check_between(&m, "03:00.0", "04:00.0", i == 0 ? want[0] : "");
	}
	test_arena_free(&m.arena);
}

/* Tables of another machine's making: circles, and bridges behind what is behind them. */
static void test_hostile(void **state unused)
{
	struct machine m;

	machine_make(&m, comet_lake);
	for (size_t i = 0; i < m.prediction.count; i++)
		m.functions[i].above = m.functions[i].dma_as =
			(i * 7 + 3) % m.prediction.count;
	predict(&m);
	for (size_t i = 0; i < m.prediction.count; i++)
		assert_true(m.prediction.links[i].group <= i);
	arena_rewind(&m.arena, 0);
	m.arena.size = 64;
	assert_int_equal(predict_groups(&m.prediction, &m.arena), -ENOMEM);
	test_arena_free(&m.arena);
}

/* ---- machines by lot ----------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 16;
}

/* One function more: mostly behind a bridge that is there, sometimes of the slot before it. */
static void add_by_lot(struct group_function *f, size_t at, uint32_t *state)
{
	static const enum pcie_type kinds[] = {
		PCIE_ROOT_PORT, PCIE_UPSTREAM,	      PCIE_DOWNSTREAM, PCIE_TO_PCI,
		PCIE_ENDPOINT,	PCIE_LEGACY_ENDPOINT, PCIE_ENDPOINT,   PCIE_NONE};
	size_t k = next_random(state) % ARRAY_SIZE(kinds);

	f[at] = (struct group_function){
		.bdf = {0, (uint8_t)(at >> 5 & 0xff), at & 0x1f, 0},
		.ids = {0x1234, 0x0001, 0, 0, 0},
		.above = NO_FUNCTION,
		.dma_as = NO_FUNCTION,
		.type = kinds[k],
		.is_bridge = k < 4,
		.has_acs = next_random(state) % 2,
		.acs_cap = ACS_NEEDED,
		.acs_ctl = next_random(state) % 4 ? ACS_NEEDED : ACS_SV,
	};
	f[at].bdf.domain = (uint32_t)(at >> 13);
	if (at > 0 && f[at - 1].bdf.function < 7 && next_random(state) % 4 == 0) {
		f[at].bdf = f[at - 1].bdf;
		f[at].bdf.function++;
		f[at].above = f[at - 1].above;
		f[at].is_multifunction = f[at - 1].is_multifunction = true;
		return;
	}
	for (size_t i = at, tries = 0; i-- > 0 && tries < 8; tries++)
		if (f[i].is_bridge && next_random(state) % 2) {
			f[at].above = i;
			return;
		}
}

/* Of each two in one group each port that is named is a cause: without it others are left. */
static void check_causes(struct prediction *p, struct group_function *f, size_t a,
			 size_t b, struct arena *arena)
{
	const struct group_link *links[GROUP_LINKS_MAX];
	size_t ports[GROUP_LINKS_MAX], n = predict_between(p, a, b, links), left;
	char one[BDF_SIZE], other[BDF_SIZE];

	for (size_t i = 0; i < n; i++)
		ports[i] = links[i]->why == MERGE_PORT ? links[i]->by : NO_FUNCTION;
	for (size_t i = 0; i < n; i++) {
		struct group_function kept;

		if (ports[i] == NO_FUNCTION || f[ports[i]].type == PCIE_TO_PCI ||
		    f[ports[i]].type == PCIE_NONE)
			continue;
		kept = f[ports[i]];
		f[ports[i]].has_acs = true;
		f[ports[i]].acs_ctl = ACS_NEEDED;
		arena_rewind(arena, 0);
		assert_int_equal(predict_groups(p, arena), 0);
		left = predict_between(p, a, b, links);
		for (size_t k = 0; k < left; k++)
			if (links[k]->why == MERGE_PORT && links[k]->by == ports[i])
				fail_msg("%s and %s: %zu isolates and is named",
					 bdf_format(f[a].bdf, one),
					 bdf_format(f[b].bdf, other), ports[i]);
		f[ports[i]] = kept;
	}
	arena_rewind(arena, 0);
	assert_int_equal(predict_groups(p, arena), 0);
}

#define LOT_FUNCTIONS 40
#define LOT_MACHINES  200

static void test_causes_by_lot(void **state unused)
{
	static struct group_function f[LOT_FUNCTIONS];
	struct arena arena = test_arena((size_t)1 << 20);
	uint32_t random = 1;

	for (size_t m = 0; m < LOT_MACHINES; m++) {
		struct prediction p = {.functions = f, .count = LOT_FUNCTIONS};

		for (size_t i = 0; i < LOT_FUNCTIONS; i++)
			add_by_lot(f, i, &random);
		arena_rewind(&arena, 0);
		assert_int_equal(predict_groups(&p, &arena), 0);
		for (size_t a = 0; a < LOT_FUNCTIONS; a++)
			for (size_t b = 0; b < a; b++)
				check_causes(&p, f, a, b, &arena);
	}
	test_arena_free(&arena);
}

#define MANY 10000

/* The least of some times for so many functions, in microseconds. */
static double time_of(const struct group_function *f, size_t count, struct arena *arena)
{
	double least = 1e9;

	for (int i = 0; i < 5; i++) {
		struct prediction p = {.functions = f, .count = count};
		clock_t begin = clock();

		arena_rewind(arena, 0);
		assert_int_equal(predict_groups(&p, arena), 0);
		least = MIN(least, (double)(clock() - begin) * 1e6 / CLOCKS_PER_SEC);
	}
	return MAX(least, 1.0);
}

/* Linear: ten times as many functions take about ten times as long. */
static void test_time(void **state unused)
{
	static struct group_function f[MANY];
	struct arena arena = test_arena((size_t)8 << 20);
	uint32_t random = 1;
	double few, many;

	for (size_t i = 0; i < MANY; i++)
		add_by_lot(f, i, &random);
	few = time_of(f, MANY / 10, &arena);
	many = time_of(f, MANY, &arena);
	printf("groups of %d functions: %.1f ms, %.1f times those of %d\n", MANY,
	       many / 1000, many / few, MANY / 10);
	assert_true(many / few < 50);
	test_arena_free(&arena);
}

/* 0: a root port; 1: an upstream port behind it; 2: a downstream port. */
static const struct group_function ports[] = {
	{.bdf = {0, 0, 0x1c, 2},
	 .ids = {.vendor = 0x8086, .device = 0xa112},
	 .above = NO_FUNCTION},
	{.bdf = {0, 3, 0, 0}, .above = 0},
	{.bdf = {0, 4, 8, 0}, .ids = {.vendor = 0x104c, .device = 0x8233}, .above = 1},
};

static const struct {
	const char *cmdline, *want; /* "": no word */
	size_t at;
} acs_words[] = {
	{"", "", 0},
	{"quiet pci=disable_acs_redir=00:1c.2", "pci=disable_acs_redir=00:1c.2", 0},
	{"pci=disable_acs_redir=0000:00:1c.2 quiet", "pci=disable_acs_redir=0000:00:1c.2",
	 0},
	{"pci=disable_acs_redir=00:1c.3", "", 0},
	{"pci=disable_acs_redir=0001:00:1c.2", "", 0},
	{"pci=disable_acs_redir=00:1c.2", "", 2},
	{"pci=disable_acs_redir=04:08.0", "pci=disable_acs_redir=04:08.0", 2},
	{"pci=disable_acs_redir=03:00.0/08.0", "pci=disable_acs_redir=03:00.0/08.0", 2},
	{"pci=disable_acs_redir=00:1c.2/0.0/8.0", "pci=disable_acs_redir=00:1c.2/0.0/8.0",
	 2},
	{"pci=disable_acs_redir=00:1c.2/00.0/00.0/08.0", "", 2},
	{"pci=disable_acs_redir=00:1c.*", "", 0},
	{"pci=noaer,config_acs=xx0@00:01.0;x1x@00:1c.2,noats",
	 "pci=noaer,config_acs=xx0@00:01.0;x1x@00:1c.2,noats", 0},
	{"pci=config_acs=00:1c.2@00:01.0", "", 0},
	{"pci=disable_acs_redir=pci:8086:a112", "pci=disable_acs_redir=pci:8086:a112", 0},
	{"pci=disable_acs_redir=pci:8086:0", "pci=disable_acs_redir=pci:8086:0", 0},
	{"pci=disable_acs_redir=pci:8086:a112:0:0",
	 "pci=disable_acs_redir=pci:8086:a112:0:0", 0},
	{"pci=disable_acs_redir=pci:8086:a113", "", 0},
	{"pci=disable_acs_redir=pci:8086", "", 0},
	{"pci=config_acs=0@pci:104c:8233", "pci=config_acs=0@pci:104c:8233", 2},
	{"pci=\"disable_acs_redir=00:1c.2\"", "pci=\"disable_acs_redir=00:1c.2\"", 0},
	{"\"pci=disable_acs_redir=00:1c.2\"", "\"pci=disable_acs_redir=00:1c.2\"", 0},
	{"xpci=disable_acs_redir=00:1c.2", "", 0},
	{"quiet -- pci=disable_acs_redir=00:1c.2", "", 0},
	{"pci=disable_acs_redir=00:1c.2 pci=config_acs=x@00:1c.2",
	 "pci=config_acs=x@00:1c.2", 0},
	{"pci=config_acs=x@00:1c.2 pci=noaer", "pci=config_acs=x@00:1c.2", 0},
	{"pci= pci=, pci=config_acs= pci=config_acs=@", "", 0},
};

static void test_acs_words(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(acs_words); i++) {
		struct text got =
			acs_word(text_of(acs_words[i].cmdline), ports, acs_words[i].at);

		if (!text_is(got, acs_words[i].want))
			fail_msg("%s: %.*s", acs_words[i].cmdline, (int)got.n, got.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),	cmocka_unit_test(test_registers),
		cmocka_unit_test(test_amd),	cmocka_unit_test(test_vmd),
		cmocka_unit_test(test_unknown), cmocka_unit_test(test_between),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_causes_by_lot),
		cmocka_unit_test(test_time),	cmocka_unit_test(test_acs_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
