/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "driver.h"

#include <string.h>

#include "device.h"

/* drivers/xen/xen-pciback/pci_stub.c: PCISTUB_NAME or KBUILD_MODNAME */
static const struct {
	const char *driver, *module;
} others[] = {
	{"pciback", "xen_pciback"},
};

bool driver_is_name(struct text t)
{
	for (size_t i = 0; i < t.n; i++) {
		char c = t.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '_' || c == '-'))
			return false;
	}
	return t.n > 0 && t.n < DRIVER_NAME_SIZE;
}

bool driver_is_same(const char *a, const char *b)
{
	return text_is_param(text_of(a), b);
}

bool driver_is_vfio(const char *driver)
{
	return strstr(driver, "vfio") != NULL;
}

const char *driver_kernel_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (driver_is_same(name, others[i].module))
			return others[i].driver;
	return name;
}

const char *driver_module(const char *driver)
{
	if (strcmp(driver, DEFAULT_DRIVER) == 0)
		return "vfio_pci";
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(driver, others[i].driver) == 0)
			return others[i].module;
	return driver;
}
