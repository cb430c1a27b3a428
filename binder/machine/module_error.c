/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "module_error.h"

#include <errno.h>

#define REBUILD \
	"rebuild the image with update-initramfs -u -k all or dracut --regenerate-all --force"

/* The file comes in between. */
static const struct {
	int error;
	const char *before, *after;
} texts[] = {
	{ENOEXEC, "", " does not fit the kernel that runs (ENOEXEC): " REBUILD},
	/* resolve_symbol(): versions differ; parse_args(): a value is wrong */
	{EINVAL, "the kernel refuses ",
	 " (EINVAL): it is of another build of the kernel, or an option of modprobe.d is "
	 "wrong: see the kernel log and rebuild the image"},
	{EKEYREJECTED, "the kernel rejects the signature of ",
	 " (EKEYREJECTED): use the distribution's module, or enroll your key with mokutil "
	 "--import"},
	{ENOKEY, "",
	 " is signed with a key that the kernel does not know (ENOKEY): use the "
	 "distribution's module, or enroll your key with mokutil --import"},
	{EBADMSG, "the signature of ",
	 " is damaged (EBADMSG): reinstall the kernel's package and rebuild the image"},
	{EPERM, "the kernel may not load ",
	 " (EPERM): it is locked down and the file is not signed, or "
	 "kernel.modules_disabled is set: use a signed module"},
	{ENOSPC, "a parameter of ",
	 " is longer than the kernel takes (ENOSPC): shorten the options of modprobe.d and "
	 "of the command line"},
	{ENOSYS, "the kernel that runs loads no modules, and ",
	 " is no part of it (ENOSYS): boot a kernel that has it"},
	{ENOMEM, "there is no memory for ", " (ENOMEM): the machine is short of it"},
	{ETIMEDOUT, "",
	 " was not loaded when the time was up: raise rd.earlybind.timeout=, or find what is "
	 "slow in the kernel log"},
};

static const char *explain_file(int error, const struct job_result *result,
				const char *file, struct arena *arena)
{
	/*
	 * The signature is checked first (module/signing.c): that of a file which was changed or
	 * cut may be all that the kernel says.
	 */
	bool is_file = error == ENOEXEC || error == EINVAL || error == EKEYREJECTED ||
		       error == ENOKEY || error == EBADMSG;

	if (is_file && result->is_damaged)
		return arena_printf(arena,
				    "%s is damaged: reinstall the kernel's package and "
				    "rebuild the image",
				    file);
	if (is_file && result->built_for[0] != '\0')
		return arena_printf(
			arena,
			"%s is built for kernel %s, and another one runs: " REBUILD, file,
			result->built_for);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].error == error)
			return arena_printf(arena, "%s%s%s", texts[i].before, file,
					    texts[i].after);
	return arena_printf(arena, "%s: %s: see the kernel log and rebuild the image",
			    file, errno_text(error));
}

const char *module_state_name(enum module_state state)
{
	switch (state) {
	case MODULE_UNKNOWN:
		return "failed";
	case MODULE_LOADED:
		return "loaded";
	case MODULE_LIVE:
		return "live";
	case MODULE_BUILTIN:
		return "builtin";
	}
	return "";
}

const char *module_fault_explain(const char *name, int error,
				 const struct job_result *result, struct arena *arena)
{
	const char *file = name, *why;

	if (result->length > 0)
		file = arena_printf(arena, "%.*s", (int)result->length, result->text);
	why = file ? explain_file(error, result, file, arena) : NULL;
	return why ? arena_printf(arena, "%s could not be loaded: %s", name, why) : NULL;
}
