/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "elf_table.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "table.h"

static int fail(const char **ret_message, const char *message)
{
	*ret_message = message;
	return -EBADMSG;
}

/* @n bytes at @offset: NULL if they are not all there. */
static const char *part(struct text bytes, uint64_t offset, uint64_t n)
{
	if (offset > bytes.n || n > bytes.n - offset)
		return NULL;
	return bytes.p + offset;
}

static int read_header(struct text bytes, Elf64_Ehdr *ret, const char **ret_message)
{
	Elf64_Ehdr h;

	if (bytes.n < sizeof(h) || memcmp(bytes.p, ELFMAG, SELFMAG) != 0)
		return fail(ret_message, "it is no ELF program");
	memcpy(&h, bytes.p, sizeof(h));
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB)
		return fail(ret_message, "it is no 64-bit little-endian program");
	h.e_shoff = le64toh(h.e_shoff);
	h.e_shentsize = le16toh(h.e_shentsize);
	h.e_shnum = le16toh(h.e_shnum);
	h.e_shstrndx = le16toh(h.e_shstrndx);
	if (h.e_shnum == 0)
		return fail(ret_message, "its section headers were stripped off");
	if (h.e_shentsize != sizeof(Elf64_Shdr) || h.e_shstrndx >= h.e_shnum ||
	    !part(bytes, h.e_shoff, (uint64_t)h.e_shnum * sizeof(Elf64_Shdr)))
		return fail(ret_message, "it is damaged: its section headers do not fit");
	*ret = h;
	return 0;
}

static Elf64_Shdr read_section(struct text bytes, const Elf64_Ehdr *header, size_t i)
{
	Elf64_Shdr s;

	memcpy(&s, bytes.p + header->e_shoff + i * sizeof(s), sizeof(s));
	s.sh_name = le32toh(s.sh_name);
	s.sh_type = le32toh(s.sh_type);
	s.sh_offset = le64toh(s.sh_offset);
	s.sh_size = le64toh(s.sh_size);
	return s;
}

int section_find(struct text bytes, size_t *ret_offset, const char **ret_message)
{
	static const char want[] = TABLE_SECTION_NAME;
	Elf64_Ehdr header;
	Elf64_Shdr strings, s;
	const char *names, *content;
	int r;

	r = read_header(bytes, &header, ret_message);
	if (r < 0)
		return r;
	strings = read_section(bytes, &header, header.e_shstrndx);
	names = part(bytes, strings.sh_offset, strings.sh_size);
	if (!names || strings.sh_type != SHT_STRTAB)
		return fail(ret_message, "it is damaged: its section names do not fit");

	for (size_t i = 0; i < header.e_shnum; i++) {
		s = read_section(bytes, &header, i);
		if (s.sh_name >= strings.sh_size ||
		    strings.sh_size - s.sh_name < sizeof(want) ||
		    memcmp(names + s.sh_name, want, sizeof(want)) != 0)
			continue;
		content = part(bytes, s.sh_offset, s.sh_size);
		if (!content || s.sh_type != SHT_PROGBITS)
			return fail(ret_message, "it is damaged: its table does not fit");
		if (s.sh_size != sizeof(struct table_section))
			return fail(
				ret_message,
				"its table has another size: it is of another version");
		if (memcmp(content, TABLE_MAGIC, sizeof(TABLE_MAGIC) - 1) != 0)
			return fail(ret_message, "it is damaged: its table has no magic");
		*ret_offset = s.sh_offset;
		return 0;
	}
	return fail(ret_message,
		    "it is no binder: it has no section " TABLE_SECTION_NAME);
}
