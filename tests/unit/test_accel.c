/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The accelerator table as it is built in, against data/ read a second time, by other code. */
#include "test.h"

#include "accel.h"
#include "guards.h"
#include "pci_names.h"
#include "selector.h"

#define ROWS_MAX   1024
#define GROUPS_MAX 128

struct row {
	struct pci_match match;
	struct pci_ids ids; /* of a card that it is about */
	char family[32], role[16], name[64];
};

struct group {
	char name[32], families[64], roles[32];
};

static struct row rows[ROWS_MAX];
static struct group groups[GROUPS_MAX];
static size_t row_count, group_count;

/* Cuts a line of CSV into its fields, in place. */
static size_t cut_fields(char *line, char **ret_fields, size_t max)
{
	size_t n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (line && n < max) {
		char *end;

		if (line[0] == '"') {
			ret_fields[n++] = ++line;
			end = strchr(line, '"');
			assert_non_null(end);
			*end++ = '\0';
			assert_true(*end == ',' || *end == '\0');
		} else {
			ret_fields[n++] = line;
			end = strchr(line, ',');
		}
		line = NULL;
		if (end && *end == ',') {
			*end = '\0';
			line = end + 1;
		}
	}
	return n;
}

static uint32_t field_of(const char *text)
{
	return strcmp(text, "*") == 0 ? PCI_ANY : (uint32_t)strtoul(text, NULL, 16);
}

static void read_row(char **f)
{
	struct row *row = &rows[row_count++];
	uint32_t class = (uint32_t)strtoul(f[4], NULL, 16);
	bool is_any = strcmp(f[1], "*") == 0;

	assert_true(row_count <= ROWS_MAX);
	row->match = (struct pci_match){field_of(f[0]),	    field_of(f[1]),
					field_of(f[2]),	    field_of(f[3]),
					is_any ? class : 0, is_any ? 0xffff00 : 0};
	row->ids = (struct pci_ids){
		(uint16_t)field_of(f[0]),
		is_any ? 0x1234 : (uint16_t)field_of(f[1]),
		row->match.subvendor == PCI_ANY ? 0x1af4 : (uint16_t)field_of(f[2]),
		row->match.subdevice == PCI_ANY ? 0x1100 : (uint16_t)field_of(f[3]),
		class,
	};
	snprintf(row->family, sizeof(row->family), "%s", f[5]);
	snprintf(row->role, sizeof(row->role), "%s", f[6]);
	snprintf(row->name, sizeof(row->name), "%s", f[8]);
}

static int read_data(void **state unused)
{
	static const char *const files[] = {"data/accel-groups.csv",
					    "data/accelerators.csv"};
	char line[1024], *fields[12];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		FILE *file = fopen(files[i], "r");

		if (!file || !fgets(line, sizeof(line), file))
			return -1;
		while (fgets(line, sizeof(line), file)) {
			size_t n = cut_fields(line, fields, ARRAY_SIZE(fields));

			if (i == 0 && n == 4 && group_count < GROUPS_MAX) {
				struct group *g = &groups[group_count++];

				snprintf(g->name, sizeof(g->name), "%s", fields[0]);
				snprintf(g->families, sizeof(g->families), " %s ",
					 fields[1]);
				snprintf(g->roles, sizeof(g->roles), " %s ", fields[2]);
			} else if (i == 1 && n == 10) {
				read_row(fields);
			} else {
				return -1;
			}
		}
		fclose(file);
	}
	return row_count > 300 && group_count > 30 ? 0 : -1;
}

static bool has_word(const char *words, const char *word)
{
	char buf[40];

	snprintf(buf, sizeof(buf), " %s ", word);
	return strstr(words, buf) != NULL;
}

static bool is_explicit(const char *role)
{
	return has_word(" mgmt golden vf deny gpu-class ", role);
}

/* What the files say of a function: in group @g by any row that the kernel would match. */
static bool is_in_group(const struct group *g, const struct pci_ids *ids)
{
	for (size_t i = 0; i < row_count; i++)
		if (pci_match_has(&rows[i].match, ids) &&
		    has_word(g->families, rows[i].family) &&
		    has_word(g->roles, rows[i].role))
			return true;
	return false;
}

static const struct row *first_row(const struct pci_ids *ids)
{
	for (size_t i = 0; i < row_count; i++)
		if (pci_match_has(&rows[i].match, ids))
			return &rows[i];
	return NULL;
}

static void check_ids(const struct pci_ids *ids)
{
	const struct row *row = first_row(ids);
	int entry = accel_find(ids);
	char label[64];

	for (unsigned g = 0; g < group_count; g++) {
		snprintf(label, sizeof(label), "%s: %04x:%04x:%04x:%04x:%06x",
			 groups[g].name, ids->vendor, ids->device, ids->subvendor,
			 ids->subdevice, ids->class);
		check_int(label, accel_group_has(g, ids), is_in_group(&groups[g], ids));
	}
	check_int(label, entry >= 0, row != NULL);
	check_string(label, accel_role_name(accel_role(ids)), row ? row->role : "");
	check_string(label, accel_card_name(entry), row ? row->name : "");
}

/* Every group against every row, and against what is almost a row. */
static void test_rows(void **state unused)
{
	for (size_t i = 0; i < row_count; i++) {
		struct pci_ids ids = rows[i].ids, other;

		check_ids(&ids);
		other = ids;
		other.device++;
		check_ids(&other);
		other = ids;
		other.vendor ^= 1;
		check_ids(&other);
		/* Each but one field as before: what is kept from the last time does not do. */
		check_ids(&ids);
		other = ids;
		other.subdevice ^= 1;
		check_ids(&other);
		check_ids(&ids);
		other = ids;
		other.subvendor = 0xffff;
		check_ids(&other);
		check_ids(&ids);
		other = ids;
		other.class = 0x030000;
		check_ids(&other);
		other.class = 0x0302ff;
		check_ids(&other);
	}
	check_ids(&(struct pci_ids){0, 0, 0, 0, 0});
	check_ids(&(struct pci_ids){0xffff, 0xffff, 0xffff, 0xffff, 0xffffff});
	check_ids(&(struct pci_ids){0x10ee, 0xffff, 0xffff, 0xffff, 0xffffff});
}

/* What accel_group_next() gives has every card of the group, and nothing of another device. */
static bool is_card(const struct accel_card *card, const struct pci_ids *ids)
{
	return card->vendor == ids->vendor &&
	       (card->has_device ? card->device == ids->device
				 : card->class == 0 || card->class == ids->class >> 8);
}

static void check_cards(unsigned group)
{
	static struct accel_card cards[1024];
	size_t count = 0;

	for (size_t at = 0; accel_group_next(group, &at, &cards[count]);)
		assert_true(++count < ARRAY_SIZE(cards));
	for (size_t i = 0; i < row_count; i++) {
		bool is_found = false;

		for (size_t k = 0; k < count; k++)
			is_found = is_found || is_card(&cards[k], &rows[i].ids);
		if (accel_group_has(group, &rows[i].ids))
			check_true(groups[group].name, is_found);
	}
	for (size_t k = 0; k < count; k++) {
		bool is_row = false;

		for (size_t i = 0; i < row_count && !is_row; i++)
			is_row = is_card(&cards[k], &rows[i].ids) &&
				 accel_group_has(group, &rows[i].ids);
		check_true(groups[group].name, is_row);
	}
}

static void test_groups(void **state unused)
{
	for (unsigned g = 0; g < group_count; g++) {
		struct text name = test_text(groups[g].name);
		size_t at = 0, vendors = 0;
		bool has_vendor = false;
		uint16_t vendor, last = 0;
		unsigned number;

		check_string(groups[g].name, accel_group_name(g), groups[g].name);
		check_true(groups[g].name, accel_group_description(g));
		check_int(groups[g].name, accel_group_parse(name, &number), 0);
		check_int(groups[g].name, number, g);
		test_text_free(name);
		/* Its vendors: each once, and none that has no card in it. */
		for (; accel_group_vendor(g, &at, &vendor); vendors++) {
			check_true(groups[g].name, vendor > last);
			last = vendor;
			has_vendor = false;
			for (size_t i = 0; i < row_count; i++)
				has_vendor =
					has_vendor || (rows[i].ids.vendor == vendor &&
						       accel_group_has(g, &rows[i].ids));
			check_true(groups[g].name, has_vendor);
		}
		check_true(groups[g].name, vendors > 0);
		check_cards(g);
	}
	assert_string_equal(accel_group_name((unsigned)group_count), "");
	assert_string_equal(accel_group_name(UINT32_MAX), "");
	assert_null(accel_group_description((unsigned)group_count));
	assert_false(accel_group_has((unsigned)group_count, &rows[0].ids));
}

/* Whoever names a family gets nothing that flashes, is flashed, or is refused. */
static void test_explicit_roles(void **state unused)
{
	for (unsigned g = 0; g < group_count; g++) {
		for (size_t i = 0; i < row_count; i++) {
			const char *dash = strrchr(groups[g].name, '-');

			if (!accel_group_has(g, &rows[i].ids) ||
			    !is_explicit(rows[i].role))
				continue;
			if (strcmp(rows[i].role, "gpu-class") == 0)
				check_string(rows[i].name, groups[g].name, "nvidia-3d");
			else
				check_string(groups[g].name, dash ? dash + 1 : "",
					     rows[i].role);
		}
	}
}

/* The guard has the kernel's list; the table says the same. */
static void test_denylist(void **state unused)
{
	struct arena arena = test_arena((size_t)64 * 1024);
	static struct policy policy;
	static struct plan plan;
	static struct inventory inventory = {.iommu = {.is_on = true}};
	const struct refusal c = {.policy = &policy,
				  .inventory = &inventory,
				  .plan = &plan,
				  .arena = &arena,
				  .wanted = DEFAULT_DRIVER};
	size_t denied = 0, known = 0;

	for (unsigned device = 0; device <= 0xffff; device++) {
		struct pci_device d = {
			.ids = {0x8086, (uint16_t)device, 0x8086, 0, 0x0b4000},
			.iommu_group = 1,
		};
		const char *detail = NULL;
		bool is_refused = refuse_device(&c, &d, 0, &detail) == REASON_DENYLISTED;
		char label[16];

		snprintf(label, sizeof(label), "8086:%04x", device);
		check_int(label, accel_role(&d.ids) == ACCEL_DENY, is_refused);
		denied += is_refused;
	}
	for (size_t i = 0; i < row_count; i++)
		known += strcmp(rows[i].role, "deny") == 0;
	assert_int_equal(denied, 8);
	assert_int_equal(known, 8);
	test_arena_free(&arena);
}

static void test_unknown(void **state unused)
{
	static const struct {
		const char *text, *nearest;
	} cases[] = {
		{"alveo-usr", "alveo-user"},
		{"Alveo", "alveo"},
		{"alveo_user", "alveo-user"},
		{"gaudi2", "gaudi"},
		{"nvidia", "nvidia-3d"},
		{"intel", "intel-gpu"},
		{"instinct-vfs", "instinct-vf"},
		{"", "dfl"},
		{"a-word-that-is-longer-than-all-groups-are", NULL},
	};
	unsigned group;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = test_text(cases[i].text);
		char want[64];

		check_int(cases[i].text, accel_group_parse(t, &group), -EINVAL);
		snprintf(want, sizeof(want), "no such group: the nearest is %s%s",
			 cases[i].nearest ? cases[i].nearest : "",
			 cases[i].nearest ? "; \"earlybind list --accel=all\" has all"
					  : "");
		check_contains(cases[i].text, accel_unknown(t), want);
		test_text_free(t);
	}
	/* What was said before stays true. */
	assert_string_equal(accel_unknown(TEXT("alveo-usr")),
			    accel_unknown(TEXT("alveo-user1")));
	check_contains("stays", accel_unknown(TEXT("gaudi2")), "gaudi;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	       cmocka_unit_test(test_groups),
		cmocka_unit_test(test_explicit_roles), cmocka_unit_test(test_denylist),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, read_data, NULL);
}
