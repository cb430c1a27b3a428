/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The binder in the image. */
#include <string.h>

#include "image_check.h"
#include "paths.h"
#include "elf_program.h"
#include "version.h"

#define NAME "binder"

/* How it gets into the image. */
static void say_missing(struct check *c)
{
	const char *remedy = "";

	switch (c->generator) {
	case GENERATOR_INITRAMFS_TOOLS:
		remedy =
			"see that /usr/share/initramfs-tools/hooks/earlybind is there and "
			"executable, then run";
		break;
	case GENERATOR_DRACUT:
		remedy =
			"see that dracut's module 50earlybind is installed and not omitted, "
			"then run";
		break;
	case GENERATOR_MKINITCPIO:
		remedy =
			"add earlybind to HOOKS in /etc/mkinitcpio.conf, before udev, kms or "
			"systemd, then run";
		break;
	case GENERATOR_BOOSTER:
	case GENERATOR_UNKNOWN:
		check_say(c, FINDING_FAIL, NAME,
			  "earlybind is not in the image: there is no /" IMAGE_BINDER
			  "; append it with earlybind image --append %s --output FILE",
			  c->file);
		return;
	}
	check_say(c, FINDING_FAIL, NAME,
		  "earlybind is not in the image: there is no /" IMAGE_BINDER "; %s %s",
		  remedy, c->rebuild);
}

static void check_version(struct check *c, struct text bytes)
{
	struct text version = program_version(bytes);

	if (version.n == 0)
		check_say(c, FINDING_UNKNOWN, NAME, "its version is not known");
	else if (!text_is(version, EARLYBIND_VERSION))
		check_say(c, FINDING_NOTE, NAME,
			  "it is of version %.*s and this program of " EARLYBIND_VERSION
			  ": run %s",
			  (int)version.n, version.p, c->rebuild);
	else
		check_say(c, FINDING_PASS, NAME, "it is there, static, of version %.*s",
			  (int)version.n, version.p);
}

bool check_binder(struct check *check, struct text *ret)
{
	const struct tree_node *node = tree_find(&check->image.tree, IMAGE_BINDER);
	const char *message;

	if (!node) {
		say_missing(check);
		return false;
	}
	if (!tree_is_file(node) || !node->file->data.p) {
		check_say(check, FINDING_FAIL, NAME,
			  "/" IMAGE_BINDER " is not a file, or too large: run %s",
			  check->rebuild);
		return false;
	}
	if ((node->file->mode & 0111) == 0)
		check_say(check, FINDING_FAIL, NAME,
			  "/" IMAGE_BINDER
			  " is not executable: install it with mode 755, "
			  "then run %s",
			  check->rebuild);
	*ret = node->file->data;
	if (program_check(*ret, &message) < 0)
		check_say(check, FINDING_FAIL, NAME,
			  "/" IMAGE_BINDER " will not start: %s; install it again, then "
			  "run %s",
			  message, check->rebuild);
	else
		check_version(check, *ret);
	return true;
}
