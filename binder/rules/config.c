/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy.h"

#define ORIGIN_MARK "#:"

struct reader {
	struct policy *policy;
	struct origin origin; /* of the current line */
	struct text profile; /* of the current section */
	bool is_marked; /* the origin was given by a mark: no columns */
	bool is_lost; /* in a section whose head was not understood */
};

static void problem(struct reader *r, struct text at, const char *message)
{
	policy_add_problem(r->policy, &r->origin, at, message, true);
}

/* "#: FILE:LINE" */
static bool parse_mark(struct reader *r, struct text line)
{
	struct text t = line, number;
	uint64_t value;
	size_t colon;

	if (!text_has_prefix(line, ORIGIN_MARK))
		return false;
	t.p += sizeof(ORIGIN_MARK) - 1;
	t.n -= sizeof(ORIGIN_MARK) - 1;
	t = text_trim(t);
	for (colon = t.n; colon > 0 && t.p[colon - 1] != ':'; colon--)
		;
	if (colon == 0)
		return false;
	number = (struct text){t.p + colon, t.n - colon};
	if (text_decimal(number, UINT32_MAX, &value) < 0)
		return false;
	t.n = colon - 1;
	if (!text_is_same(t, r->origin.file)) {
		/* Another file: the section of the one before ends with it. */
		r->profile = (struct text){NULL, 0};
		r->is_lost = false;
	}
	r->origin.file = t;
	r->origin.line = (unsigned)value;
	r->origin.base = NULL;
	r->is_marked = true;
	return true;
}

/* The text up to a '#' that starts a comment: at the start or behind a blank. */
static struct text without_comment(struct text line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '#' && (i == 0 || char_is_blank(line.p[i - 1])))
			return (struct text){line.p, i};
	return line;
}

int config_section(struct text line, struct text *ret_profile)
{
	struct text rest, word, name;

	line = text_trim(without_comment(line));
	if (line.n == 0 || line.p[0] != '[')
		return 0;
	if (line.p[line.n - 1] != ']')
		return -EINVAL;
	rest = (struct text){line.p + 1, line.n > 1 ? line.n - 2 : 0};
	if (!text_word(&rest, &word) || !text_is(word, "profile") ||
	    !text_word(&rest, &name) || text_trim(rest).n > 0)
		return -EINVAL;
	*ret_profile = name;
	return 1;
}

static void parse_section(struct reader *r, struct text line)
{
	r->is_lost = config_section(line, &r->profile) < 0;
	if (r->is_lost)
		problem(r, line, "a section is [profile NAME]");
}

#define OPTION_USAGE "an option is timeout=, recovery-timeout=, on-failure= or critical="

static void parse_options(struct reader *r, struct text rest, struct text head)
{
	struct text word, name;

	if (r->profile.n > 0) {
		problem(r, head, "options must be before the first [profile NAME]");
		return;
	}
	if (text_trim(rest).n == 0)
		problem(r, head, OPTION_USAGE);
	while (text_word(&rest, &word)) {
		struct text value = word;

		if (!text_cut(&value, '=', &name) || !value.p ||
		    !policy_set_option(r->policy, name, value, &r->origin))
			problem(r, word, OPTION_USAGE);
	}
}

static void parse_line(struct reader *r, struct text line)
{
	struct text rest = line, head, selectors;
	enum rule_kind kind;
	bool is_known;

	if (line.p[0] == '[') {
		parse_section(r, line);
		return;
	}
	if (!text_word(&rest, &head) || r->is_lost)
		return;
	if (text_is(head, "option")) {
		parse_options(r, rest, head);
		return;
	}
	for (kind = RULE_BIND; kind <= RULE_CRITICAL; kind++)
		if (text_is(head, rule_kind_name(kind)))
			break;
	is_known = text_is(head, "known");
	if (kind > RULE_CRITICAL && !is_known) {
		problem(r, head,
			"a line starts with bind, keep, critical, option or [profile NAME]");
		return;
	}
	if (!text_word(&rest, &selectors)) {
		problem(r, head,
			"a selector is missing: an ID like 10ee:5000 or an address "
			"like 01:00.0");
		return;
	}
	if (is_known)
		known_add(r->policy, selectors, rest, &r->origin);
	else
		policy_add_rule(r->policy, kind, selectors, rest, ' ', &r->origin,
				r->profile);
}

void config_parse(struct policy *policy, enum source source, struct text file,
		  struct text bytes)
{
	struct reader r = {.policy = policy, .origin = {.source = source, .file = file}};
	struct text line;
	unsigned number = 0;

	while (text_cut(&bytes, '\n', &line)) {
		number++;
		if (source == SOURCE_TABLE && parse_mark(&r, line))
			continue;
		if (!r.is_marked) {
			r.origin.file = file;
			r.origin.line = number;
			r.origin.base = line.p;
		}
		if (line.n > 0 && memchr(line.p, '\0', line.n)) {
			problem(&r, line, "a NUL byte: this is not a text file");
			return;
		}
		line = text_trim(without_comment(line));
		if (line.n > 0)
			parse_line(&r, line);
		r.is_marked = false;
	}
}

int config_normalise(struct text file, struct text bytes, char *buf, size_t size)
{
	struct text line, word;
	struct text_buffer b = {.buf = buf, .size = size};
	unsigned number = 0;

	while (text_cut(&bytes, '\n', &line)) {
		const char *blank = "";

		number++;
		line = text_trim(without_comment(line));
		if (line.n == 0)
			continue;
		text_add(&b, "%s %.*s:%u\n", ORIGIN_MARK, (int)file.n, file.p, number);
		for (; text_word(&line, &word); blank = " ")
			text_add(&b, "%s%.*s", blank, (int)word.n, word.p);
		text_add(&b, "\n");
	}
	return b.is_full ? -ENOSPC : (int)b.used;
}

/*
 * The selector in our grammar: as it was written, or an entry of ids= in normal form. p is
 * NULL for one that no device can match and our grammar cannot say.
 */
static struct text selector_text(const struct rule *rule, char buf[static SELECTOR_SIZE])
{
	struct selector s = rule->selector;
	const uint32_t fields[] = {s.id.vendor, s.id.device, s.id.subvendor,
				   s.id.subdevice};

	if (!rule->is_module_id)
		return rule->text;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i] > 0xffff && fields[i] != PCI_ANY)
			return (struct text){NULL, 0};
	if (s.id.class & s.id.class_mask & 0xff000000)
		return (struct text){NULL, 0};
	/* A class has 24 bits. */
	s.id.class &= 0xffffff;
	s.id.class_mask &= 0xffffff;
	return text_of(selector_format(&s, buf));
}

static bool is_written(const struct policy *policy, const struct rule *rule)
{
	return policy_has_rule_active(policy, rule) &&
	       (rule->origin.source == SOURCE_TABLE ||
		(rule->origin.source == SOURCE_CMDLINE && rule->origin.file.n > 0));
}

/* What stands behind the selector, each word with a blank in front. */
static void put_options(struct text_buffer *b, const struct rule *rule)
{
	if (rule->kind == RULE_CRITICAL) {
		text_add(b, " %s%s%.*s", allow_name(rule->allow),
			 rule->carries.n > 0 ? " " : "",
			 (int)MIN(rule->carries.n, (size_t)CARRIES_SHOWN),
			 rule->carries.p ? rule->carries.p : "");
		return;
	}
	if (rule->driver.n > 0)
		text_add(b, " driver=%.*s", (int)rule->driver.n, rule->driver.p);
	text_add(b, "%s%s", rule->optional ? " optional" : "",
		 rule->follow ? " follow" : "");
	if (rule->on_failure != ON_FAILURE_DEFAULT)
		text_add(b, " on-failure=%s", on_failure_name(rule->on_failure));
	if (rule->with)
		text_add(b, " with=%s", with_name(rule->with));
	if (rule->vfs)
		text_add(b, " vfs=%u", rule->vfs);
	for (unsigned bit = 1; bit <= rule->allow; bit <<= 1)
		if (rule->allow & bit)
			text_add(b, " allow=%s", allow_name(bit));
}

static void put_mark(struct text_buffer *b, const struct origin *origin)
{
	text_add(b, ORIGIN_MARK " %.*s:%u\n",
		 (int)MIN(origin->file.n, (size_t)ORIGIN_SIZE), origin->file.p,
		 origin->line);
}

int config_write(const struct policy *policy, char *buf, size_t size)
{
	struct text_buffer b = {.buf = buf, .size = size};

	text_add(&b, "option timeout=%u recovery-timeout=%u on-failure=%s%s\n",
		 policy->timeout, policy->recovery_timeout,
		 on_failure_name(policy->on_failure),
		 policy->ignore_recorded ? " critical=none" : "");
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		char normal[SELECTOR_SIZE];
		struct text selector = selector_text(rule, normal);

		if (!is_written(policy, rule) || !selector.p)
			continue;
		put_mark(&b, &rule->origin);
		text_add(&b, "%s %.*s", rule_kind_name(rule->kind), (int)selector.n,
			 selector.p);
		put_options(&b, rule);
		text_add(&b, "\n");
	}
	for (size_t i = 0; i < policy->known_count; i++) {
		const struct known *known = &policy->known[i];

		if (known->origin.source != SOURCE_TABLE)
			continue;
		put_mark(&b, &known->origin);
		text_add(&b, "known %s %.*s\n", known->selector, (int)known->ids.n,
			 known->ids.p);
	}
	return b.is_full ? -ENOSPC : (int)b.used;
}
