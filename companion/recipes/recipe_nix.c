/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NixOS: boot.kernelParams, boot.extraModprobeConfig, commands of the initrd. The language is not
 * evaluated: its strings are read, and names of lists and strings that are put into ids= are looked
 * up in the same file, options also in the other files. vfio-pci's parameters stand in strings of
 * their own.
 */
#include "recipe_parse.h"

#include <string.h>

#define NEST_MAX    8 /* strings in what is put into strings */
#define NAMES_DEEP  4 /* names that stand for names */
#define LOOKUPS_MAX 64

/* ---- the language -------------------------------------------------------------------------- */

enum token_kind {
	TOKEN_STRING,
	TOKEN_BLOCK, /* between two apostrophes each */
	TOKEN_NAME, /* with its path: "config.vfio.ids" */
	TOKEN_SIGN,
};

struct token {
	enum token_kind kind;
	struct text text; /* without quotes */
};

static struct text skip(struct text t, size_t n)
{
	return (struct text){t.p + n, t.n - n};
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

static size_t comment_length(struct text t)
{
	const char *end = NULL;

	if (t.n > 0 && t.p[0] == '#') {
		end = memchr(t.p, '\n', t.n);
		return end ? (size_t)(end - t.p) : t.n;
	}
	if (!text_has_prefix(t, "/*"))
		return 0;
	end = memmem(t.p + 2, t.n - 2, "*/", 2);
	return end ? (size_t)(end + 2 - t.p) : t.n;
}

static size_t string_length(struct text t, bool is_block, unsigned depth);

/* What stands behind "${", up to its '}'. */
static size_t inner_length(struct text t, unsigned depth)
{
	size_t n = 0, braces = 0;

	while (n < t.n && depth < NEST_MAX) {
		struct text rest = skip(t, n);
		bool is_block = text_has_prefix(rest, "''");
		size_t mark = is_block ? 2 : rest.p[0] == '"';

		if (mark > 0)
			n += mark + string_length(skip(rest, mark), is_block, depth);
		n += mark > 0 ? mark : 1;
		if (mark > 0)
			continue;
		if (rest.p[0] == '}' && braces-- == 0)
			return n - 1;
		braces += rest.p[0] == '{';
	}
	return t.n;
}

/* Of a string's text, at whose end its quotes begin. May be more than there is. */
static size_t string_length(struct text t, bool is_block, unsigned depth)
{
	size_t n = 0;

	while (n < t.n) {
		struct text rest = skip(t, n);

		if (text_has_prefix(rest, "${"))
			n += 3 + inner_length(skip(rest, 2), depth + 1);
		else if (is_block && text_has_prefix(rest, "''")) {
			/* ''$, ''' and ''\ are no end */
			if (rest.n < 3 || !strchr("$'\\", rest.p[2]))
				return n;
			n += rest.p[2] == '\\' ? 4 : 3;
		} else if (!is_block && rest.p[0] == '"')
			return n;
		else
			n += !is_block && rest.p[0] == '\\' ? 2 : 1;
	}
	return t.n;
}

/* Comments are passed over. False at the end. */
static bool next_token(struct text *rest, struct token *ret)
{
	size_t n, mark;

	for (;;) {
		n = comment_length(*rest);
		if (n == 0 && rest->n > 0 && char_is_blank(rest->p[0]))
			n = 1;
		if (n == 0 && rest->n > 0 && rest->p[0] == '\n')
			n = 1;
		if (n == 0)
			break;
		*rest = skip(*rest, n);
	}
	if (rest->n == 0)
		return false;
	mark = text_has_prefix(*rest, "''") ? 2 : rest->p[0] == '"';
	if (mark > 0) {
		ret->kind = mark == 2 ? TOKEN_BLOCK : TOKEN_STRING;
		*rest = skip(*rest, mark);
		n = MIN(string_length(*rest, mark == 2, 0), rest->n);
	} else {
		for (n = 0; n < rest->n && is_name_char(rest->p[n]);)
			n++;
		ret->kind = n > 0 ? TOKEN_NAME : TOKEN_SIGN;
		n = n > 0 ? n : 1;
	}
	ret->text = (struct text){rest->p, n};
	*rest = skip(*rest, MIN(n + mark, rest->n));
	return true;
}

/* Whether it is one of these. A string may be empty, at the very end of the file. */
static bool is_sign(const struct token *token, const char *signs)
{
	char c = token->kind == TOKEN_SIGN ? token->text.p[0] : '\0';

	return c && strchr(signs, c);
}

/* The expression at the start of @t: up to its ';', or the bracket that it stands in. */
static struct text expression(struct text t)
{
	struct text rest = t;
	struct token token;
	size_t depth = 0;

	while (next_token(&rest, &token)) {
		bool is_close = is_sign(&token, ")]}");

		depth += is_sign(&token, "([{");
		if (depth == 0 && (is_close || is_sign(&token, ";")))
			return (struct text){t.p, (size_t)(token.text.p - t.p)};
		depth -= is_close;
	}
	return t;
}

/* ---- what is put into ids= ----------------------------------------------------------------- */

struct nix {
	struct recipes *recipes;
	const char *file;
	struct text all;
	unsigned lookups;
	size_t taken; /* IDs */
};

static unsigned line_of(const struct nix *x, const char *at)
{
	unsigned line = 1;

	for (const char *p = x->all.p; p < at; p++)
		line += *p == '\n';
	return line;
}

/* One ID, or several with commas. */
static void take_ids(struct nix *x, struct text list)
{
	struct recipe r = {.file = x->file,
			   .text = list,
			   .kind = RECIPE_IDS,
			   .fate = RECIPE_STAY,
			   .extent = RECIPE_WORDS,
			   .note = RECIPE_NIX_NOTE,
			   .is_cmdline = true};
	struct selector selector;
	struct parse_error error;
	struct text part;

	while (text_cut(&list, ',', &part)) {
		if (selector_parse(text_trim(part), &selector, &error) < 0 ||
		    selector.terms != TERM_ID)
			continue;
		if (!r.selectors)
			r.line = line_of(x, r.text.p);
		recipe_add_selector(x->recipes, &r, &selector);
	}
	if (r.selector_count == 0)
		return;
	(void)recipe_add(x->recipes, &r);
	x->taken += r.selector_count;
}

static void take_expression(struct nix *x, struct text t, unsigned depth);

/* Literals, and "${...}" between them. */
static void take_string(struct nix *x, struct text t, unsigned depth)
{
	while (t.n > 0) {
		const char *open = memmem(t.p, t.n, "${", 2);
		size_t n = open ? (size_t)(open - t.p) : t.n;

		take_ids(x, (struct text){t.p, n});
		t = skip(t, n);
		if (!open)
			return;
		t = skip(t, 2);
		n = MIN(inner_length(t, 0), t.n);
		take_expression(x, (struct text){t.p, n}, depth);
		t = skip(t, MIN(n + 1, t.n));
	}
}

static struct text last_part(struct text name)
{
	const char *dot = memrchr(name.p, '.', name.n);

	return dot ? skip(name, (size_t)(dot + 1 - name.p)) : name;
}

static bool is_path(struct text name)
{
	return memchr(name.p, '.', name.n) != NULL;
}

/* How many values the text gives the name; *ret is the last one. */
static size_t find_in(struct text all, struct text name, struct text *ret)
{
	struct text rest = all, next, value;
	struct token token, sign;
	size_t count = 0;

	while (next_token(&rest, &token)) {
		next = rest;
		if (token.kind != TOKEN_NAME ||
		    !text_is_same(is_path(name) ? last_part(token.text) : token.text,
				  is_path(name) ? last_part(name) : name) ||
		    !next_token(&next, &sign) || !is_sign(&sign, "=") ||
		    (next.n > 0 && next.p[0] == '='))
			continue;
		value = expression(next);
		/* What an option may be is not what it is. */
		if (text_has_part(value, "mkOption"))
			continue;
		*ret = value;
		count++;
	}
	return count;
}

/* The only value of the name, and the file that gives it one: of an option that may be another. */
static bool find_value(const struct nix *x, struct text name, struct nix *holder,
		       struct text *ret)
{
	size_t count = find_in(x->all, name, ret), own = count;

	*holder = *x;
	for (size_t i = 0; i < x->recipes->source_count && own == 0 && is_path(name);
	     i++) {
		const struct recipe_source *source = &x->recipes->sources[i];
		size_t more = find_in(source->bytes, name, ret);

		if (more > 0) {
			holder->file = source->file;
			holder->all = source->bytes;
		}
		count += more;
	}
	return count == 1;
}

static void take_expression(struct nix *x, struct text t, unsigned depth)
{
	struct token token;
	struct nix holder;
	struct text value;

	while (depth < NAMES_DEEP && next_token(&t, &token)) {
		if (token.kind == TOKEN_STRING)
			take_string(x, token.text, depth + 1);
		if (token.kind != TOKEN_NAME || x->lookups >= LOOKUPS_MAX)
			continue;
		x->lookups++;
		if (!find_value(x, token.text, &holder, &value))
			continue;
		take_expression(&holder, value, depth + 1);
		x->lookups = holder.lookups;
		x->taken = holder.taken;
	}
}

/* What stands behind each "ids=" of a string, and behind a string that ends with it. */
static void take_open(struct nix *x, struct text string, struct text behind)
{
	const char *at;

	while ((at = string.n > 0 ? memmem(string.p, string.n, "ids=", 4) : NULL)) {
		struct text value = skip(string, (size_t)(at + 4 - string.p));
		size_t n = 0;

		while (n < value.n && !char_is_blank(value.p[n]) && value.p[n] != '\n')
			n += text_has_prefix(skip(value, n), "${")
				     ? 3 + inner_length(skip(value, n + 2), 0)
				     : 1;
		n = MIN(n, value.n);
		if (value.n == 0)
			take_expression(x, expression(behind), 0);
		else
			take_string(x, (struct text){value.p, n}, 0);
		string = skip(value, n);
	}
}

/* ---- strings ------------------------------------------------------------------------------- */

/* Lines of modprobe.d, or commands that pass devices. */
static void parse_block(struct nix *x, struct text text)
{
	struct recipes *recipes = x->recipes;
	size_t before = recipes->count, findings = recipes->finding_count;
	unsigned above = line_of(x, text.p) - 1;

	if (text_has_part(text, "driver_override"))
		recipe_parse_script(recipes, x->file, text);
	else if (text_has_part(text, "options ") || text_has_part(text, "softdep "))
		recipe_parse_modprobe(recipes, x->file, text);
	for (size_t i = before; i < recipes->count; i++)
		recipes->items[i].line += above;
	for (size_t i = findings; i < recipes->finding_count; i++)
		recipes->findings[i].line += above;
}

static bool is_about(struct text t)
{
	return text_has_part(t, "vfio") || text_has_part(t, "pci-stub") ||
	       text_has_part(t, "iommu");
}

/* Whether something is put into its list of IDs. */
static bool is_open(struct text t)
{
	const char *ids = t.n > 0 ? memmem(t.p, t.n, "ids=", 4) : NULL;

	return ids && (text_has_suffix(t, "ids=") || text_has_part(t, "${"));
}

static void parse_string(struct nix *x, const struct token *token, struct text behind)
{
	struct text t = token->text;

	if (text_has_part(t, "driver_override") ||
	    (!is_open(t) &&
	     (token->kind == TOKEN_BLOCK || text_has_prefix(t, "options ")))) {
		parse_block(x, t);
		return;
	}
	if (!is_open(t)) {
		recipe_parse_cmdline(x->recipes, x->file, line_of(x, t.p), t);
		return;
	}
	x->taken = 0;
	take_open(x, t, behind);
	if (x->taken == 0)
		recipe_find(x->recipes, LINT_NOT_UNDERSTOOD, x->file,
			    line_of(x, memmem(t.p, t.n, "ids=", 4)),
			    "it looks like it passes devices, and is not understood: its "
			    "list is put together by Nix");
}

void recipe_parse_nix(struct recipes *recipes, const char *file, struct text bytes)
{
	struct nix x = {.recipes = recipes, .file = file, .all = bytes};
	size_t before = recipes->count;
	struct text rest = bytes;
	struct token token;

	while (next_token(&rest, &token))
		if ((token.kind == TOKEN_STRING || token.kind == TOKEN_BLOCK) &&
		    is_about(token.text))
			parse_string(&x, &token, rest);
	recipes_keep(recipes, before, RECIPE_NIX_NOTE);
}

void recipe_keep_nix(struct recipes *recipes, const char *file, struct text bytes)
{
	if (recipes->source_count == RECIPE_SOURCES_MAX)
		recipes->is_cut = true;
	else
		recipes->sources[recipes->source_count++] =
			(struct recipe_source){file, bytes};
}

void recipe_parse_sources(struct recipes *recipes)
{
	for (size_t i = 0; i < recipes->source_count; i++)
		recipe_parse_nix(recipes, recipes->sources[i].file,
				 recipes->sources[i].bytes);
}
