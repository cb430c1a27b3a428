/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redact.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "kernel_cmdline.h"
#include "text.h"

#define UUID_SHAPE   "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"
#define SHORT_SHAPE  "HHHH-HHHH" /* of a FAT file system */
#define MAC_SHAPE    "hh:hh:hh:hh:hh:hh"
#define SERIAL_SHAPE "hh-hh-hh-hh-hh-hh-hh-hh"

/* Offsets into a configuration space. */
#define EXTENDED_START	 0x100
#define ID_SERIAL_NUMBER 0x0003

/* Parameters whose values say something about devices, drivers and the IOMMU, and no more. */
static const char *const harmless[] = {
	"acpi",
	"amd_iommu",
	"console",
	"default_hugepagesz",
	"efi",
	"fbcon",
	"hugepages",
	"hugepagesz",
	"initcall_blacklist",
	"intel_iommu",
	"intremap",
	"iommu",
	"loglevel",
	"mitigations",
	"module_blacklist",
	"modprobe.blacklist",
	"nox2apic",
	"pci",
	"pcie_acs_override",
	"pcie_aspm",
	"pcie_port_pm",
	"pcie_ports",
	"rd.driver.blacklist",
	"rd.driver.pre",
	"vfio_iommu_type1.allow_unsafe_interrupts",
	"vga",
	"video",
};

/* The same for all parameters of a module. */
static const char *const harmless_prefixes[] = {
	"amdgpu.", "arm_smmu", "i915.",	       "iommu.",    "iommu_",
	"kvm",	   "nouveau.", "nvidia",       "pci_stub.", "rd.earlybind.",
	"vfio",	   "xe.",      "xen_pciback.",
};

/* What words without a value must not have in them. */
static const char *const secrets[] = {
	"pass", "key", "token", "secret", "auth", "cred", "user", "host",
};

static bool is_of_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

/* Whether @p begins with @shape: 'h' is a hexadecimal digit, 'H' one without lower case. */
static bool has_shape(const char *p, size_t n, const char *shape)
{
	size_t length = strlen(shape);

	if (n < length)
		return false;
	for (size_t i = 0; i < length; i++) {
		bool is_digit = char_hex(p[i]) >= 0;

		if (shape[i] == 'h'   ? !is_digit
		    : shape[i] == 'H' ? !is_digit || (p[i] >= 'a' && p[i] <= 'f')
				      : p[i] != shape[i])
			return false;
	}
	return n == length ||
	       (!is_of_name(p[length]) && p[length] != shape[2] && p[length] != '-');
}

static void fill(char *p, size_t n, char with)
{
	for (size_t i = 0; i < n; i++)
		if (is_of_name(p[i]))
			p[i] = with;
}

void redact_text(char *p, size_t n, bool with_serial)
{
	static const struct {
		const char *shape;
		char with;
	} shapes[] = {
		{UUID_SHAPE, 'x'},
		{MAC_SHAPE, 'x'},
		{SHORT_SHAPE, 'x'},
		{SERIAL_SHAPE, '0'},
	};

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (is_of_name(p[i - 1]) || p[i - 1] == '-'))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(shapes); k++)
			if (has_shape(p + i, n - i, shapes[k].shape) &&
			    !(with_serial && shapes[k].with == '0'))
				fill(p + i, strlen(shapes[k].shape), shapes[k].with);
	}
}

static bool is_harmless(struct text name)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (text_is_param(name, harmless[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(harmless_prefixes); i++) {
		size_t n = strlen(harmless_prefixes[i]);

		if (name.n > n &&
		    text_is_param((struct text){name.p, n}, harmless_prefixes[i]))
			return true;
	}
	return false;
}

static bool is_secret(struct text name)
{
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		size_t n = strlen(secrets[i]);

		for (size_t k = 0; k + n <= name.n; k++)
			if (strncasecmp(name.p + k, secrets[i], n) == 0)
				return true;
	}
	return false;
}

/* All but blanks, quotes and line ends: where words end stays as it is. */
static void cover(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!char_is_space(p[i]) && p[i] != '"')
			p[i] = 'x';
}

void redact_cmdline(char *p, size_t n)
{
	struct text rest = {p, n};
	struct cmdline_arg arg;
	const char *end = p + n;
	char *nul = n > 0 ? memchr(p, '\0', n) : NULL;

	/* The kernel reads no further, but people do. */
	if (nul)
		cover(nul, (size_t)(end - nul));
	if (nul)
		*nul = ' ';
	while (cmdline_next(&rest, &arg)) {
		char *name = p + (arg.name.p - p);

		if (cmdline_is_end(&arg)) {
			cover(name + arg.name.n, (size_t)(end - name) - arg.name.n);
			return;
		}
		if (arg.value.p && !is_harmless(arg.name))
			cover(p + (arg.value.p - p), arg.value.n);
		else if (!arg.value.p && is_secret(arg.name))
			cover(name, arg.name.n);
	}
}

void redact_comments(char *p, size_t n)
{
	bool is_comment = false;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n')
			is_comment = false;
		else if (is_comment)
			p[i] = ' ';
		else
			is_comment = p[i] == '#' && (i == 0 || char_is_space(p[i - 1]));
	}
}

static uint32_t get_u32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void redact_config_space(unsigned char *p, size_t n)
{
	size_t at = EXTENDED_START;

	/* The list may be a circle: it has no more entries than there is room for. */
	for (size_t i = 0; i < n / 4 && at >= EXTENDED_START && at + 12 <= n; i++) {
		uint32_t head = get_u32(p + at);

		if ((head & 0xffff) == ID_SERIAL_NUMBER)
			memset(p + at + 4, 0, 8);
		at = head >> 20 & ~3u;
	}
}
