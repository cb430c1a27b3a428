/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "uki.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "confined.h"

#define PE_OFFSET_AT   0x3c /* in the header of DOS */
#define COFF_SIZE      24 /* with "PE\0\0" in front */
#define COFF_SECTIONS  6
#define COFF_OPTIONAL  20
#define SECTION_SIZE   40
#define SECTION_NAME   8
#define SECTION_MEMORY 8 /* bytes that are meant */
#define SECTION_FILE   16 /* bytes in the file, filled up */
#define SECTION_OFFSET 20

bool uki_is_program(struct text bytes)
{
	size_t at;

	if (bytes.n < PE_OFFSET_AT + 4 || memcmp(bytes.p, "MZ", 2) != 0)
		return false;
	at = text_le(bytes, PE_OFFSET_AT, 4);
	return at <= bytes.n && bytes.n - at >= COFF_SIZE &&
	       memcmp(bytes.p + at, "PE\0\0", 4) == 0;
}

static int read_section(struct text bytes, size_t header, struct uki *uki)
{
	const struct {
		const char *name;
		struct text *section;
	} names[] = {
		{".linux", &uki->linux_image}, {".initrd", &uki->initrd},
		{".cmdline", &uki->cmdline},   {".uname", &uki->uname},
		{".ucode", &uki->ucode},
	};
	const char *name = bytes.p + header;
	size_t offset = text_le(bytes, header + SECTION_OFFSET, 4);
	size_t size = MIN(text_le(bytes, header + SECTION_MEMORY, 4),
			  text_le(bytes, header + SECTION_FILE, 4));

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strncmp(name, names[i].name, SECTION_NAME) != 0 ||
		    names[i].section->p)
			continue;
		if (offset > bytes.n || size > bytes.n - offset)
			return -EBADMSG;
		*names[i].section = (struct text){bytes.p + offset, size};
	}
	return 0;
}

int uki_parse(struct text bytes, struct uki *ret, const char **ret_message)
{
	struct uki uki = {0};
	size_t at, count, headers;

	if (!uki_is_program(bytes)) {
		*ret_message = "this is no program of EFI";
		return -EBADMSG;
	}
	at = text_le(bytes, PE_OFFSET_AT, 4);
	count = text_le(bytes, at + COFF_SECTIONS, 2);
	headers = at + COFF_SIZE + text_le(bytes, at + COFF_OPTIONAL, 2);
	if (count > UKI_SECTIONS_MAX) {
		*ret_message = "it has more sections than a program of EFI may have";
		return -EBADMSG;
	}
	if (headers > bytes.n || count * SECTION_SIZE > bytes.n - headers) {
		*ret_message = "the file ends in the table of its sections: it was cut";
		return -EBADMSG;
	}
	for (size_t i = 0; i < count; i++)
		if (read_section(bytes, headers + i * SECTION_SIZE, &uki) < 0) {
			*ret_message = "a section lies behind the end of the file: it "
				       "was cut";
			return -EBADMSG;
		}
	*ret = uki;
	return 0;
}

struct texts_head {
	int32_t error;
	uint32_t has_cmdline, has_uname;
	uint32_t cmdline, uname; /* lengths */
};

static void tell_texts(void *arg, struct confined_out *out)
{
	struct uki uki = {0};
	const char *message;
	int r = uki_parse(*(const struct text *)arg, &uki, &message);
	struct texts_head head = {
		.error = r,
		.has_cmdline = uki.cmdline.p != NULL,
		.has_uname = uki.uname.p != NULL,
		.cmdline = (uint32_t)uki.cmdline.n,
		.uname = (uint32_t)uki.uname.n,
	};

	if (uki.cmdline.n > UKI_TEXT_MAX || uki.uname.n > UKI_TEXT_MAX)
		head = (struct texts_head){.error = -EBADMSG};
	confined_put(out, &head, sizeof(head));
	if (head.cmdline > 0 && uki.cmdline.p)
		confined_put(out, uki.cmdline.p, head.cmdline);
	if (head.uname > 0 && uki.uname.p)
		confined_put(out, uki.uname.p, head.uname);
}

static int take_text(struct confined *c, struct arena *arena, bool is_there, size_t n,
		     struct text *ret)
{
	char *buf;

	*ret = (struct text){NULL, 0};
	if (!is_there)
		return n == 0 ? 0 : -EPROTO;
	if (n > UKI_TEXT_MAX)
		return -EPROTO;
	buf = arena_alloc(arena, n + 1, 1);
	if (!buf)
		return -ENOMEM;
	*ret = (struct text){buf, n};
	return confined_read(c, buf, n);
}

int uki_read_texts(struct text bytes, struct arena *arena, struct uki_texts *ret)
{
	static struct confined c;
	struct uki_texts texts;
	struct texts_head head;
	int r = confined_start(&c, tell_texts, &bytes);

	if (r < 0)
		return r;
	r = confined_read(&c, &head, sizeof(head));
	if (r == 0 && head.error != 0)
		r = -EBADMSG;
	if (r == 0)
		r = take_text(&c, arena, head.has_cmdline, head.cmdline, &texts.cmdline);
	if (r == 0)
		r = take_text(&c, arena, head.has_uname, head.uname, &texts.uname);
	(void)confined_end(&c);
	if (r == 0)
		*ret = texts;
	return r;
}
