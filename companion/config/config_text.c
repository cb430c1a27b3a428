/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config_text.h"

#include <errno.h>
#include <string.h>

#include "config.h"

int config_edit_start(struct config_edit *edit, struct arena *arena, struct text bytes)
{
	*edit = (struct config_edit){.arena = arena, .bytes = bytes};
	edit->changes = arena_alloc(arena, CONFIG_CHANGES_MAX, sizeof(*edit->changes));
	return edit->changes ? 0 : -ENOMEM;
}

static int add_change(struct config_edit *edit, struct text before, struct text after)
{
	if (edit->change_count == CONFIG_CHANGES_MAX)
		return -E2BIG;
	edit->changes[edit->change_count++] = (struct config_change){before, after};
	return 0;
}

/* Bytes that are put together; the buffer is large enough. */
struct output {
	char *p;
	size_t n;
};

static void put(struct output *out, struct text t)
{
	if (t.p)
		memcpy(out->p + out->n, t.p, t.n);
	out->n += t.n;
}

/* The next line with its end; *ret_line is without it. */
static bool next_line(struct text *rest, struct text *ret_whole, struct text *ret_line)
{
	const char *start = rest->p;

	if (rest->n == 0 || !text_cut(rest, '\n', ret_line))
		return false;
	*ret_whole = (struct text){start, ret_line->n + (rest->p ? 1 : 0)};
	if (ret_line->n > 0 && ret_line->p[ret_line->n - 1] == '\r')
		ret_line->n--;
	return true;
}

/* As the first line ends; a new file as the machine's own. */
static struct text line_end(struct text bytes)
{
	const char *end = bytes.n > 0 ? memchr(bytes.p, '\n', bytes.n) : NULL;

	if (end && end > bytes.p && end[-1] == '\r')
		return TEXT("\r\n");
	return TEXT("\n");
}

/*
 * Where a line goes that belongs to @profile: an offset. False if there is no such section.
 *
 *	bind 01:00.0
 *	                   <- here, above the blank line
 *	# for playing
 *	[profile games]
 */
static bool find_place(struct text bytes, struct text profile, size_t *ret)
{
	struct text rest = bytes, whole, line, name;
	bool is_inside = profile.n == 0, has_content = false, is_behind_comment = false;
	size_t place = 0;

	while (next_line(&rest, &whole, &line)) {
		size_t start = (size_t)(whole.p - bytes.p), end = start + whole.n;
		struct text words = text_trim(line);

		if (config_section(line, &name) > 0) {
			if (is_inside) {
				/* What a file begins with belongs to the file. */
				*ret = has_content ? place : start;
				return true;
			}
			is_inside = profile.n > 0 && name.n == profile.n &&
				    memcmp(name.p, profile.p, name.n) == 0;
			has_content = is_inside;
			place = end;
			is_behind_comment = false;
			continue;
		}
		if (words.n == 0) {
			/* A comment with a blank line below it stands for itself. */
			if (is_behind_comment) {
				place = start;
				has_content = true;
			}
			is_behind_comment = false;
		} else if (words.p[0] == '#') {
			is_behind_comment = true;
		} else {
			place = end;
			has_content = true;
			is_behind_comment = false;
		}
	}
	*ret = bytes.n;
	return is_inside;
}

int config_edit_append(struct config_edit *edit, struct text profile,
		       const struct text *lines, size_t count)
{
	struct text bytes = edit->bytes, end = line_end(bytes);
	const struct text head[] = {TEXT("[profile "), profile, TEXT("]")};
	struct output out = {.n = 0}, title = {.n = 0};
	size_t place, size = bytes.n + profile.n + 64;
	bool has_place = find_place(bytes, profile, &place);
	int r = 0;

	for (size_t i = 0; i < count; i++)
		size += lines[i].n + end.n;
	out.p = arena_alloc(edit->arena, size, 1);
	title.p = arena_alloc(edit->arena, profile.n + 64, 1);
	if (!out.p || !title.p)
		return -ENOMEM;

	put(&out, (struct text){bytes.p, place});
	if (place > 0 && bytes.p[place - 1] != '\n')
		put(&out, end);
	if (!has_place) {
		if (bytes.n > 0) {
			put(&out, end);
			r = add_change(edit, (struct text){NULL, 0}, TEXT(""));
		}
		for (size_t i = 0; i < ARRAY_SIZE(head); i++)
			put(&title, head[i]);
		put(&out, (struct text){title.p, title.n});
		put(&out, end);
		if (r == 0)
			r = add_change(edit, (struct text){NULL, 0},
				       (struct text){title.p, title.n});
	}
	for (size_t i = 0; i < count && r == 0; i++) {
		put(&out, lines[i]);
		put(&out, end);
		r = add_change(edit, (struct text){NULL, 0}, lines[i]);
	}
	if (r < 0)
		return r;
	if (place < bytes.n)
		put(&out, (struct text){bytes.p + place, bytes.n - place});
	edit->bytes = (struct text){out.p, out.n};
	return 0;
}

/* Whether the selectors from *at on have @part; the others before it are passed. */
static bool take(const struct text *selectors, size_t count, size_t *at, struct text part)
{
	while (*at < count && selectors[*at].p < part.p)
		(*at)++;
	return *at < count && selectors[*at].p == part.p && selectors[*at].n == part.n;
}

/* The word around @p. */
static struct text word_around(struct text line, const char *p)
{
	const char *start = p, *end = p;

	while (start > line.p && !char_is_blank(start[-1]))
		start--;
	while (end < line.p + line.n && !char_is_blank(*end))
		end++;
	return (struct text){start, (size_t)(end - start)};
}

int config_edit_remove(struct config_edit *edit, const struct text *selectors,
		       size_t count)
{
	struct text rest = edit->bytes, whole, line, part;
	struct output out = {.p = arena_alloc(edit->arena, edit->bytes.n, 1)};
	size_t at = 0;

	if (!out.p)
		return -ENOMEM;
	while (next_line(&rest, &whole, &line)) {
		size_t start = out.n, kept = 0;
		struct text list;
		int r;

		while (at < count && selectors[at].p < whole.p)
			at++;
		if (at == count || selectors[at].p >= line.p + line.n) {
			put(&out, whole);
			continue;
		}
		list = word_around(line, selectors[at].p);
		put(&out, (struct text){whole.p, (size_t)(list.p - whole.p)});
		for (struct text parts = list; text_cut(&parts, ',', &part);) {
			if (take(selectors, count, &at, part))
				continue;
			if (kept++ > 0)
				put(&out, TEXT(","));
			put(&out, part);
		}
		if (kept == 0) {
			out.n = start;
			r = add_change(edit, line, (struct text){NULL, 0});
		} else {
			const char *behind = list.p + list.n, *end = line.p + line.n;

			put(&out, (struct text){behind, (size_t)(end - behind)});
			r = add_change(edit, line,
				       (struct text){out.p + start, out.n - start});
			behind = end;
			end = whole.p + whole.n;
			put(&out, (struct text){behind, (size_t)(end - behind)});
		}
		if (r < 0)
			return r;
	}
	edit->bytes = (struct text){out.p, out.n};
	return 0;
}
