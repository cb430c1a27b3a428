/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A modalias and an address of sysfs: what is accepted is what the kernel writes. Also the
 * attribute "resource" and, behind a NUL, /proc/iomem.
 */
#include "fuzz.h"

#include <strings.h>

#include "bdf.h"
#include "framebuffer.h"
#include "inventory.h"
#include "modalias.h"

static void require_framebuffer(struct text iomem)
{
	struct text resource = {NULL, 0};

	if (!text_cut(&iomem, '\0', &resource) || !framebuffer_find(resource, iomem))
		return;
	require(!iomem_is_hidden(iomem));
	/* A line of it, and a line of the BARs. */
	require(memchr(iomem.p, ':', iomem.n) && memchr(resource.p, 'x', resource.n));
	require(!framebuffer_find(resource, (struct text){NULL, 0}));
	require(!framebuffer_find((struct text){NULL, 0}, iomem));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text whole = fuzz_text(data, size);
	struct parse_error error = {0, NULL};
	char again[128];
	struct pci_ids ids;
	struct bdf bdf;
	bool any;

	if (modalias_parse(whole, &ids) == 0) {
		snprintf(again, sizeof(again),
			 "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", ids.vendor,
			 ids.device, ids.subvendor, ids.subdevice, ids.class >> 16,
			 ids.class >> 8 & 0xff, ids.class & 0xff);
		require(size == strlen(again) && strncasecmp(again, whole.p, size) == 0);
	}
	if (bdf_parse(whole, &bdf) == 0)
		require(text_is(whole, bdf_format(bdf, again)));
	if (bdf_parse_loose(whole, &bdf, &any, &error) == 0) {
		struct bdf second;

		require(bdf_parse(text_of(bdf_format(bdf, again)), &second) == 0);
		require(bdf_compare(bdf, second) == 0);
	} else {
		require(error.message && error.offset <= size);
	}
	require_framebuffer(whole);
	free((char *)whole.p);
	return 0;
}
