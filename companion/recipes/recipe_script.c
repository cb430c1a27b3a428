/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs of a shell, units of systemd and rules of udev that give devices to vfio-pci. They are
 * read, never run: assignments, lists of "for", and literal addresses and IDs in the commands
 * that pass a device. What such a command says in another way is not understood, and that is
 * said with its line.
 */
#include "recipe_parse.h"

#include <stdio.h>
#include <string.h>

#define VARIABLES_MAX 64
#define TEXT_MAX      4096 /* of a value, of a command */
#define UNCLEAR	      '\1' /* stands for what is not known */
#define UNCLEAR_MAX   4 /* findings of one file */
#define WORK_MAX      512 /* assignments, and commands that pass devices, of one file */

#define SCRIPT_NOTE \
	"the rule does it, too: remove this from the program once an image with the " \
	"rules has booted"
#define LOOK_NOTE \
	"it looks like it passes devices, and is not understood: write rules for them, then " \
	"delete it"

struct variable {
	struct text name;
	struct text value;
};

struct script {
	struct recipes *recipes;
	const char *file;
	struct variable variables[VARIABLES_MAX];
	size_t variable_count;
	unsigned depth; /* of conditions: an assignment there may not happen */
	unsigned line; /* of the command */
	struct text raw; /* the command as it stands there */
	char *out; /* the command with its variables */
	size_t used;
	unsigned first_unclear; /* line; 0 for none */
	size_t unclear_count;
	size_t work; /* done */
};

/* ---- variables ----------------------------------------------------------------------------- */

static bool is_name(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

static struct text take_name(struct text t)
{
	size_t n = 0;

	if (t.n == 0 || (t.p[0] >= '0' && t.p[0] <= '9'))
		return (struct text){t.p, 0};
	while (n < t.n && is_name(t.p[n]))
		n++;
	return (struct text){t.p, n};
}

static struct text skip(struct text t, size_t n)
{
	return (struct text){t.p + n, t.n - n};
}

static struct variable *find_variable(struct script *s, struct text name)
{
	for (size_t i = 0; i < s->variable_count; i++)
		if (text_is_same(s->variables[i].name, name))
			return &s->variables[i];
	return NULL;
}

static void put(struct script *s, char c)
{
	if (s->used < TEXT_MAX - 1)
		s->out[s->used++] = c;
	else
		s->out[TEXT_MAX - 1] = UNCLEAR;
}

static void put_variable(struct script *s, struct text name)
{
	const struct variable *v = find_variable(s, name);

	if (!v)
		put(s, UNCLEAR);
	for (size_t i = 0; v && i < v->value.n; i++)
		put(s, v->value.p[i]);
}

static size_t expand_one(struct script *s, struct text t);
static struct text last_address(struct text word);

/*
 * What "$(cat .../0000:01:00.0/vendor)" says is of one device, and so is what "$(ls
 * .../0000:01:00.0/iommu_group/devices)" lists: the path stands for it. 0 for anything else.
 */
static size_t expand_listing(struct script *s, struct text t)
{
	static const char *const programs[] = {"$(cat ", "$(ls "};
	static const char *const ends[] = {"/vendor", "/device", "/iommu_group/devices",
					   "/iommu_group/devices/"};
	const char *end = memchr(t.p, ')', t.n);
	size_t before = s->used, start = 0, n;
	struct text inner, path;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (text_has_prefix(t, programs[i]))
			start = strlen(programs[i]);
	if (start == 0 || !end)
		return 0;
	inner = (struct text){t.p + start, (size_t)(end - t.p) - start};
	if (text_has_part(inner, "$("))
		return 0;
	for (; inner.n > 0; inner = skip(inner, n)) {
		n = inner.p[0] == '$' ? expand_one(s, inner) : 1;
		if (inner.p[0] != '$' && inner.p[0] != '"')
			put(s, inner.p[0]);
	}
	path = (struct text){s->out + before, s->used - before};
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (text_has_suffix(path, ends[i]) && last_address(path).n > 0)
			return (size_t)(end + 1 - t.p);
	s->used = before;
	return 0;
}

/* The length of "$..." at the start of @t, with its value put. */
static size_t expand_one(struct script *s, struct text t)
{
	static const char *const all[] = {"}", "[@]}", "[*]}"};
	bool is_braced = text_has_prefix(t, "${");
	struct text rest = skip(t, is_braced ? 2 : 1), name = take_name(rest);
	const char *end;
	size_t n;

	if (name.n > 0 && !is_braced) {
		put_variable(s, name);
		return 1 + name.n;
	}
	rest = skip(rest, name.n);
	for (size_t i = 0; i < ARRAY_SIZE(all) && name.n > 0; i++)
		if (text_has_prefix(rest, all[i])) {
			put_variable(s, name);
			return 2 + name.n + strlen(all[i]);
		}
	/* A status or a number is no device. */
	if (rest.n > 0 && !is_braced && strchr("?$#!", rest.p[0]))
		return 2;
	n = is_braced ? 0 : expand_listing(s, t);
	if (n > 0)
		return n;
	put(s, UNCLEAR);
	if (is_braced || text_has_prefix(t, "$(")) {
		end = memchr(t.p, is_braced ? '}' : ')', t.n);
		return end ? (size_t)(end - t.p) + 1 : t.n;
	}
	return t.n > 1 ? 2 : 1;
}

/* What a shell makes of @raw, without its quotes. */
static struct text expand(struct script *s, struct text raw)
{
	char quote = 0;

	s->used = 0;
	s->out[TEXT_MAX - 1] = '\0';
	while (raw.n > 0 && s->used < TEXT_MAX - 1) {
		char c = raw.p[0];
		size_t n = 1;

		if (c == '\\' && quote != '\'') {
			n = MIN(raw.n, (size_t)2);
			if (n == 2 && raw.p[1] != '\n')
				put(s, raw.p[1]);
		} else if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
		} else if (c == '$' && quote != '\'') {
			n = expand_one(s, raw);
		} else if (c == '`') {
			put(s, UNCLEAR);
		} else {
			put(s, c == '\n' || c == '\t' ? ' ' : c);
		}
		raw = skip(raw, n);
	}
	/* Too long: its end is not known. */
	if (raw.n > 0 || s->out[TEXT_MAX - 1] == UNCLEAR)
		s->out[s->used - 1] = UNCLEAR;
	return (struct text){s->out, s->used};
}

static bool has_room(struct script *s)
{
	s->recipes->is_cut |= s->work == WORK_MAX;
	return s->work < WORK_MAX && s->work++ < WORK_MAX;
}

/* In a condition the former value may stay. */
static void assign(struct script *s, struct text name, struct text raw, bool is_addition)
{
	struct variable *v = find_variable(s, name);
	struct text value = expand(s, raw);
	const char *copy = NULL;

	if (!has_room(s))
		return;
	if (v && (is_addition || s->depth > 0))
		copy = arena_printf(s->recipes->arena, "%.*s %.*s", (int)v->value.n,
				    v->value.p, (int)MIN(value.n, (size_t)TEXT_MAX),
				    value.p);
	else
		copy = arena_copy(s->recipes->arena, value);
	if (!v && s->variable_count < VARIABLES_MAX) {
		v = &s->variables[s->variable_count++];
		v->name = name;
	}
	if (!v || !copy) {
		s->recipes->is_cut = true;
		return;
	}
	v->value = text_of(copy);
	if (v->value.n >= TEXT_MAX)
		v->value = TEXT("\1");
}

/* ---- literals ------------------------------------------------------------------------------ */

static bool is_address_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

/* The last address in a word: that of the device in a path through bridges. */
static struct text last_address(struct text word)
{
	struct text found = {NULL, 0};

	for (size_t i = 0; i < word.n;) {
		struct text t = {word.p + i, 0};

		while (i + t.n < word.n && is_address_char(word.p[i + t.n]))
			t.n++;
		if (t.n >= 7 && (i == 0 || !is_name(word.p[i - 1])) &&
		    memchr(t.p, '.', t.n) && memchr(t.p, ':', t.n))
			found = t;
		i += t.n > 0 ? t.n : 1;
	}
	return found;
}

/* "pci_0000_01_00_0", as virsh names it */
static bool add_node(struct script *s, struct recipe *r, struct text word)
{
	char address[BDF_SIZE];
	size_t n = strlen("0000:01:00.0");

	if (!text_has_prefix(word, "pci_") || word.n != n + 4)
		return false;
	memcpy(address, word.p + 4, n);
	address[4] = address[7] = ':';
	address[10] = '.';
	address[n] = '\0';
	return recipe_add_address(s->recipes, r, text_of(address), TEXT(""));
}

static size_t add_addresses(struct script *s, struct recipe *r, struct text text)
{
	struct text word, address;

	while (text_word(&text, &word)) {
		if (add_node(s, r, word))
			continue;
		address = last_address(word);
		if (address.n > 0)
			(void)recipe_add_address(s->recipes, r, address, TEXT(""));
	}
	return r->selector_count;
}

static bool is_hex4(struct text t)
{
	uint64_t value;

	if (text_has_prefix(t, "0x"))
		t = skip(t, 2);
	return t.n == 4 && text_hex(t, 0xffff, &value) == 0;
}

/* "10de 1b80", as new_id wants it, or "10de:1b80" */
static size_t add_ids(struct script *s, struct recipe *r, struct text text)
{
	struct text word, before = {NULL, 0};
	struct selector selector;
	struct parse_error error;

	while (text_word(&text, &word)) {
		char id[16];

		id[0] = '\0';
		if (word.n == 9 && word.p[4] == ':')
			snprintf(id, sizeof(id), "%.9s", word.p);
		else if (before.p && is_hex4(before) && is_hex4(word))
			snprintf(id, sizeof(id), "%.4s:%.4s", before.p + before.n - 4,
				 word.p + word.n - 4);
		before = id[0] ? (struct text){NULL, 0} : word;
		if (id[0] && selector_parse(text_of(id), &selector, &error) == 0 &&
		    selector.terms == TERM_ID)
			recipe_add_selector(s->recipes, r, &selector);
	}
	return r->selector_count;
}

/* ---- commands that pass devices -------------------------------------------------------------- */

enum way {
	WAY_NONE,
	WAY_ADDRESS,
	WAY_ID,
	WAY_LIST, /* modprobe vfio-pci ids= */
	WAY_QEMU, /* -device vfio-pci,host= */
	WAY_UNCLEAR, /* to which driver? */
};

static bool has_word_in(struct text t, struct text *ret_driver)
{
	struct text word, option;

	while (text_word(&t, &word)) {
		if (memchr(word.p, '/', word.n))
			continue;
		if (text_has_prefix(word, "-b=") || text_has_prefix(word, "--bind="))
			(void)text_cut(&word, '=', &option);
		if (driver_is_for_others(word)) {
			*ret_driver = word;
			return true;
		}
	}
	return false;
}

static bool has_write(struct text t)
{
	return memchr(t.p, '>', t.n) || text_has_part(t, "tee ");
}

static enum way way_of(struct text t, struct text *ret_driver)
{
	static const char *const files[] = {"/vfio-pci/", "/pci-stub/"};
	bool is_unclear = memchr(t.p, UNCLEAR, t.n) != NULL;
	struct text rest = t, word, ids;
	const char *slash;

	if (text_has_part(t, "driver_override")) {
		if (!has_write(t) && !text_has_part(t, "="))
			return WAY_NONE;
		if (has_word_in(t, ret_driver))
			return WAY_ADDRESS;
		return is_unclear ? WAY_UNCLEAR : WAY_NONE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (!text_has_part(t, files[i]) || !has_write(t))
			continue;
		*ret_driver = i == 0 ? TEXT("vfio-pci") : TEXT("pci-stub");
		if (text_has_part(t, "/new_id"))
			return WAY_ID;
		if (text_has_part(t, "/bind"))
			return WAY_ADDRESS;
	}
	if (text_has_part(t, "driverctl") || text_has_part(t, "devbind"))
		return has_word_in(t, ret_driver) ? WAY_ADDRESS : WAY_NONE;
	if (recipe_take_modprobe(t, ret_driver, &ids))
		return WAY_LIST;
	if (text_has_part(t, "-device") &&
	    (text_has_part(t, "vfio-pci,") || text_has_part(t, "\"vfio-pci\"")))
		return WAY_QEMU;
	*ret_driver = TEXT("vfio-pci");
	if (text_has_part(t, "nodedev-det"))
		return WAY_ADDRESS;
	/* vfio-pci-bind.sh 0000:01:00.0 */
	if (!text_word(&rest, &word) || last_address(rest).n == 0)
		return WAY_NONE;
	slash = memrchr(word.p, '/', word.n);
	if (slash)
		word = skip(word, (size_t)(slash + 1 - word.p));
	return text_has_part(word, "vfio") ? WAY_ADDRESS : WAY_NONE;
}

static void say_unclear(struct script *s)
{
	if (s->first_unclear == 0)
		s->first_unclear = s->line;
	if (s->unclear_count++ < UNCLEAR_MAX)
		recipe_find(s->recipes, LINT_NOT_UNDERSTOOD, s->file, s->line,
			    "it looks like it passes devices, and is not understood: "
			    "earlybind reads only literal addresses and IDs");
}

/* By ID, if the command has one: what is read from a device's files is that device. */
static void add_devices(struct script *s, struct recipe *r, struct text t)
{
	if (r->kind == RECIPE_IDS && add_ids(s, r, t) == 0)
		r->kind = RECIPE_ADDRESS;
	if (r->kind == RECIPE_ADDRESS)
		(void)add_addresses(s, r, t);
	if (r->selector_count > 0)
		(void)recipe_add(s->recipes, r);
}

static void take_command(struct script *s, struct text t)
{
	struct text driver = {"", 0}, raw = s->raw, ids;
	enum way way = way_of(t, &driver);
	struct recipe r = {
		.file = s->file,
		.line = s->line,
		.kind = way == WAY_ADDRESS ? RECIPE_ADDRESS : RECIPE_IDS,
		.fate = RECIPE_STAY,
		.note = SCRIPT_NOTE,
	};

	if (way == WAY_NONE || !has_room(s))
		return;
	(void)text_cut(&raw, '\n', &r.text);
	if (way == WAY_QEMU) {
		size_t before = s->recipes->count;

		r.kind = RECIPE_ADDRESS;
		recipe_add_qemu(s->recipes, r, t);
		if (s->recipes->count == before && memchr(t.p, UNCLEAR, t.n))
			say_unclear(s);
		return;
	}
	if (way == WAY_LIST && recipe_take_modprobe(t, &r.module, &ids)) {
		if (!memchr(ids.p, UNCLEAR, ids.n))
			recipe_add_ids(s->recipes, &r, ids);
		if (r.selector_count > 0)
			(void)recipe_add(s->recipes, &r);
	} else if (way != WAY_UNCLEAR) {
		r.options = recipe_driver_options(s->recipes, driver);
		if (!r.options && text_has_part(t, "/iommu_group/devices"))
			r.options = "with=group";
		add_devices(s, &r, t);
	}
	if (r.selector_count == 0 || memchr(t.p, UNCLEAR, t.n))
		say_unclear(s);
}

/* ---- statements ---------------------------------------------------------------------------- */

/* Words that may stand in front of a command. */
static bool is_leader(struct text word)
{
	static const char *const leaders[] = {
		"then",	    "do",   "else",  "{",	"(",	  "!",
		"if",	    "elif", "while", "until",	"export", "local",
		"readonly", "sudo", "exec",  "declare", "typeset"};

	for (size_t i = 0; i < ARRAY_SIZE(leaders); i++)
		if (text_is(word, leaders[i]))
			return true;
	return false;
}

static bool is_variable_assignment(struct text t, struct text *ret_name,
				   struct text *ret_value, bool *ret_is_addition)
{
	struct text name = take_name(t), rest = skip(t, name.n);

	*ret_is_addition = text_has_prefix(rest, "+=");
	if (name.n == 0 || (!*ret_is_addition && !text_has_prefix(rest, "=")))
		return false;
	*ret_name = name;
	*ret_value = skip(rest, *ret_is_addition ? 2 : 1);
	return true;
}

/* "for NAME in WORDS" */
static bool take_for(struct script *s, struct text t)
{
	struct text word, name;

	if (!text_word(&t, &word) || !text_is(word, "for") || !text_word(&t, &name) ||
	    !text_word(&t, &word) || !text_is(word, "in"))
		return false;
	assign(s, name, t, false);
	return true;
}

static void take_statement(struct script *s)
{
	struct text t = text_trim(s->raw), rest, word, name, value;
	bool is_addition;

	for (rest = t; text_word(&rest, &word) && is_leader(word); t = text_trim(rest))
		s->depth += text_is(word, "if");
	rest = t;
	if (!text_word(&rest, &word) || take_for(s, t))
		return;
	s->depth += text_is(word, "case");
	if ((text_is(word, "fi") || text_is(word, "esac")) && s->depth > 0)
		s->depth--;
	if (is_variable_assignment(t, &name, &value, &is_addition)) {
		/* An array's brackets; a command behind it has no variable of it. */
		if (value.n > 1 && value.p[0] == '(') {
			value = skip(value, 1);
			value.n -= value.p[value.n - 1] == ')';
		}
		assign(s, name, value, is_addition);
		return;
	}
	take_command(s, expand(s, t));
}

/* The length of the statement at the start of @t: up to a separator that is not quoted. */
static size_t statement_length(struct text t)
{
	char quote = 0;
	size_t depth = 0;

	for (size_t i = 0; i < t.n; i++) {
		char c = t.p[i], before = i > 0 ? t.p[i - 1] : ' ';

		if (c == '\\' && quote != '\'') {
			i++;
		} else if (quote) {
			quote = c == quote ? 0 : quote;
		} else if (c == '\'' || c == '"') {
			quote = c;
		} else if (c == '(' && (before == '=' || depth > 0)) {
			depth++; /* an array */
		} else if (c == ')' && depth > 0) {
			depth--;
		} else if (depth == 0 &&
			   (c == '\n' || c == ';' || (c == '&' && before != '>') ||
			    (c == '|' && i + 1 < t.n && t.p[i + 1] == '|') ||
			    (c == '#' && char_is_blank(before)))) {
			return i;
		}
	}
	return t.n;
}

static void read_statements(struct script *s, struct text bytes)
{
	while (bytes.n > 0) {
		size_t n = statement_length(bytes);

		s->raw = (struct text){bytes.p, n};
		take_statement(s);
		/* A comment lasts until its line ends. */
		if (n < bytes.n && bytes.p[n] == '#')
			while (n < bytes.n && bytes.p[n] != '\n')
				n++;
		n += n < bytes.n;
		for (size_t i = 0; i < n; i++)
			s->line += bytes.p[i] == '\n';
		bytes = skip(bytes, n);
	}
}

static bool script_begin(struct script *s, struct recipes *recipes, const char *file)
{
	*s = (struct script){.recipes = recipes, .file = file, .line = 1};
	s->out = arena_alloc(recipes->arena, TEXT_MAX, 1);
	recipes->is_cut |= !s->out;
	return s->out != NULL;
}

static void add_look(struct recipes *recipes, const char *file, unsigned line,
		     struct text text)
{
	(void)recipe_add(recipes, &(struct recipe){
					  .file = file,
					  .line = line,
					  .text = text_trim(text),
					  .kind = RECIPE_SCRIPT,
					  .fate = RECIPE_LOOK,
					  .extent = RECIPE_FILE,
					  .note = LOOK_NOTE,
				  });
}

/* A program that only loads the module passes no device by that. */
static bool is_load(struct text line)
{
	struct text word, rest = line;

	while (text_word(&rest, &word) && is_leader(word))
		line = rest;
	rest = line;
	return text_word(&rest, &word) &&
	       (text_is(word, "modprobe") || text_has_suffix(word, "/modprobe")) &&
	       !text_has_part(rest, "ids=") && !text_has_part(rest, ";") &&
	       !text_has_part(rest, "&&");
}

static bool is_about_devices(struct text line)
{
	return line.n > 0 && line.p[0] != '#' &&
	       (text_has_part(line, "driver_override") ||
		text_has_part(line, "vfio-pci") || text_has_part(line, "vfio_pci"));
}

/* The first line outside of comments that shows what the file is about. */
static void look_at(struct recipes *recipes, const char *file, struct text bytes,
		    unsigned wanted)
{
	struct recipe load = {
		.file = file,
		.kind = RECIPE_LOAD,
		.fate = RECIPE_STAY,
		.note = "it loads vfio and names no device: the rules do not "
			"need it"};
	struct text text;

	for (unsigned line = 1; text_cut(&bytes, '\n', &text); line++) {
		text = text_trim(text);
		if (wanted > 0 ? line != wanted : !is_about_devices(text))
			continue;
		if (wanted > 0 || !is_load(text)) {
			add_look(recipes, file, line, text);
			return;
		}
		if (load.line == 0) {
			load.line = line;
			load.text = text;
		}
	}
	if (load.line > 0)
		(void)recipe_add(recipes, &load);
}

/* What puts modules and programs into an image passes no device by their names alone. */
static bool is_installer(const char *file)
{
	return text_has_suffix(text_of(file), "/module-setup.sh") ||
	       strstr(file, "/initcpio/install/") ||
	       strstr(file, "/initramfs-tools/hooks/");
}

static bool is_about(const char *file, struct text bytes)
{
	static const char *const parts[] = {"driver_override", "vfio", "pci-stub",
					    "nodedev-det", "driverctl"};

	/* Our own hooks are no recipe; nor is a program that is no text. */
	if (strstr(file, "earlybind") || memchr(bytes.p, '\0', bytes.n))
		return false;
	for (size_t i = 0; i < (is_installer(file) ? 1 : ARRAY_SIZE(parts)); i++)
		if (text_has_part(bytes, parts[i]))
			return true;
	return false;
}

void recipe_parse_script(struct recipes *recipes, const char *file, struct text bytes)
{
	size_t before = recipes->count;
	struct script s;

	if (bytes.n == 0 || !is_about(file, bytes) || !script_begin(&s, recipes, file))
		return;
	read_statements(&s, bytes);
	if (s.first_unclear > 0 || recipes->count == before)
		look_at(recipes, file, bytes, s.first_unclear);
}

/* The command of "Exec...=", without systemd's marks; of "sh -c" what the shell gets. */
static struct text command_of(struct text value)
{
	const char *at;

	while (value.n > 0 && strchr("-@:+!", value.p[0]))
		value = skip(value, 1);
	at = memmem(value.p, value.n, " -c ", 4);
	if (!at)
		return value;
	value = text_trim(skip(value, (size_t)(at + 4 - value.p)));
	if (value.n > 1 && (value.p[0] == '\'' || value.p[0] == '"') &&
	    value.p[value.n - 1] == value.p[0])
		value = (struct text){value.p + 1, value.n - 2};
	return value;
}

/* Environment=A=b "C=d e" */
static void read_environment(struct script *s, struct text bytes)
{
	struct text text, key;
	struct cmdline_arg arg;

	while (text_cut(&bytes, '\n', &text)) {
		if (!text_cut(&text, '=', &key) || !text.p ||
		    !text_is(text_trim(key), "Environment"))
			continue;
		while (cmdline_next(&text, &arg))
			if (arg.value.p && take_name(arg.name).n == arg.name.n)
				assign(s, arg.name, arg.value, false);
	}
}

void recipe_parse_unit(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text, key;
	unsigned line = 0, first;
	size_t variable_count;
	struct script s;

	if (bytes.n == 0 || !script_begin(&s, recipes, file))
		return;
	read_environment(&s, bytes);
	variable_count = s.variable_count;
	while (recipe_line(recipes, &rest, &line, &first, &text)) {
		if (!text_cut(&text, '=', &key) || !text.p ||
		    !text_has_prefix(text_trim(key), "Exec"))
			continue;
		text = command_of(text_trim(text));
		recipe_follow(recipes, text);
		if (!is_about(file, text))
			continue;
		s.line = first;
		s.variable_count = variable_count;
		read_statements(&s, text);
	}
	if (s.first_unclear > 0)
		look_at(recipes, file, bytes, s.first_unclear);
}

/* Commands of "@reboot"; in a crontab of the system the user stands before them. */
void recipe_parse_crontab(struct recipes *recipes, const char *file, struct text bytes)
{
	struct text rest = bytes, text, word, command;
	struct script s;

	if (bytes.n == 0 || !script_begin(&s, recipes, file))
		return;
	for (unsigned line = 1; text_cut(&rest, '\n', &text); line++) {
		if (!text_word(&text, &word) || !text_is(word, "@reboot"))
			continue;
		command = text_trim(text);
		if (text_word(&text, &word) && text_is(word, "root"))
			command = text_trim(text);
		recipe_follow(recipes, command);
		s.line = line;
		if (command.n > 0 && is_about(file, command))
			read_statements(&s, command);
	}
	if (s.first_unclear > 0)
		look_at(recipes, file, bytes, s.first_unclear);
}

/*
 * initramfs-tools runs every script with "prereqs" when an image is made, on the machine that
 * is up (scripts/functions: get_prereq_pairs()), and sorts those without a relation by name.
 */
void recipe_parse_init_script(struct recipes *recipes, const char *file,
			      struct text bytes)
{
	const char *slash = strrchr(file, '/');
	size_t before = recipes->count;

	recipe_parse_script(recipes, file, bytes);
	if (recipes->count == before)
		return;
	if (!text_has_part(bytes, "prereqs"))
		recipe_find(
			recipes, LINT_ORDER, file, 0,
			"it does not answer \"prereqs\", so update-initramfs runs all of "
			"it on the running machine");
	if (slash && strcmp(slash + 1, "udev") > 0 && strstr(file, "/init-top/"))
		recipe_find(recipes, LINT_ORDER, file, 0,
			    "its name is sorted behind udev: it runs when other drivers "
			    "have the devices");
}
