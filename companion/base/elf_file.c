/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "elf_file.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "table.h"

#define VERSION_MARK "earlybind binder "

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif

static int fail(const char **ret_message, const char *message)
{
	*ret_message = message;
	return -EBADMSG;
}

/* @n bytes at @offset: NULL if they are not all there. */
static const char *part(struct text bytes, uint64_t offset, uint64_t n)
{
	return offset > bytes.n || n > bytes.n - offset ? NULL : bytes.p + offset;
}

static bool needs_library(struct text bytes, const Elf64_Phdr *p)
{
	const char *at = part(bytes, le64toh(p->p_offset), le64toh(p->p_filesz));
	size_t count = le64toh(p->p_filesz) / sizeof(Elf64_Dyn);

	for (size_t i = 0; at && i < count; i++) {
		Elf64_Dyn d;

		memcpy(&d, at + i * sizeof(d), sizeof(d));
		if (le64toh((uint64_t)d.d_tag) == DT_NULL)
			break;
		if (le64toh((uint64_t)d.d_tag) == DT_NEEDED)
			return true;
	}
	return false;
}

int program_check(struct text bytes, const char **ret_message)
{
	uint64_t offset;
	size_t count;
	Elf64_Ehdr h;

	if (bytes.n < sizeof(h) || memcmp(bytes.p, ELFMAG, SELFMAG) != 0)
		return fail(ret_message, "it is no ELF program");
	memcpy(&h, bytes.p, sizeof(h));
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB ||
	    (MACHINE != EM_NONE && le16toh(h.e_machine) != MACHINE))
		return fail(ret_message, "it is for another kind of processor");
	if (le16toh(h.e_type) != ET_EXEC && le16toh(h.e_type) != ET_DYN)
		return fail(ret_message, "it is an ELF file, but no program");
	offset = le64toh(h.e_phoff);
	count = le16toh(h.e_phnum);
	if (count == 0 || le16toh(h.e_phentsize) != sizeof(Elf64_Phdr) ||
	    !part(bytes, offset, count * sizeof(Elf64_Phdr)))
		return fail(ret_message, "it is damaged: its program headers do not fit");
	for (size_t i = 0; i < count; i++) {
		Elf64_Phdr p;

		memcpy(&p, bytes.p + offset + i * sizeof(p), sizeof(p));
		if (le32toh(p.p_type) == PT_LOAD &&
		    !part(bytes, le64toh(p.p_offset), le64toh(p.p_filesz)))
			return fail(ret_message, "it is cut");
		if (le32toh(p.p_type) == PT_INTERP ||
		    (le32toh(p.p_type) == PT_DYNAMIC && needs_library(bytes, &p)))
			return fail(ret_message,
				    "it is not static: it needs libraries, which are not "
				    "in the image or not of its kind");
	}
	return 0;
}

/* What is loaded of the program header @i; {NULL, 0} if nothing or if it is cut. */
static struct text loaded(struct text bytes, size_t i)
{
	struct text none = {NULL, 0};
	const char *message, *at;
	uint64_t skip = 0, size;
	Elf64_Ehdr h;
	Elf64_Phdr p;

	if (program_check(bytes, &message) < 0)
		return none;
	memcpy(&h, bytes.p, sizeof(h));
	if (i >= le16toh(h.e_phnum))
		return none;
	memcpy(&p, bytes.p + le64toh(h.e_phoff) + i * sizeof(p), sizeof(p));
	if (le32toh(p.p_type) != PT_LOAD)
		return (struct text){"", 0};
	/* The file's header tells where the sections are. */
	size = le64toh(p.p_filesz);
	if (le64toh(p.p_offset) == 0)
		skip = MIN(size, sizeof(h));
	at = part(bytes, le64toh(p.p_offset) + skip, size - skip);
	return at ? (struct text){at, size - skip} : none;
}

bool program_is_same(struct text a, struct text b)
{
	for (size_t i = 0;; i++) {
		struct text x = loaded(a, i), y = loaded(b, i);

		if (!x.p || !y.p)
			return i > 0 && !x.p && !y.p;
		if (!text_is_same(x, y))
			return false;
	}
}

struct text program_version(struct text bytes)
{
	const size_t n = sizeof(VERSION_MARK) - 1;
	struct text version = {NULL, 0};
	const char *at = memmem(bytes.p, bytes.n, VERSION_MARK, n);

	if (!at)
		return version;
	version.p = at + n;
	while (version.p + version.n < bytes.p + bytes.n && version.n < 32 &&
	       version.p[version.n] > ' ' && version.p[version.n] < 0x7f)
		version.n++;
	return version;
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
