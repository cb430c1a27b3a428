/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that make images of an initramfs. */
#pragma once

/* What made the image. */
enum generator {
	GENERATOR_UNKNOWN,
	GENERATOR_INITRAMFS_TOOLS,
	GENERATOR_DRACUT,
	GENERATOR_MKINITCPIO,
	GENERATOR_BOOSTER,
};

const char *generator_name(enum generator generator);
