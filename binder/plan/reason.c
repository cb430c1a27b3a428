/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reason.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *word;
	const char *sentence;
} reasons[] = {
#define REASON(name, word, sentence) [REASON_##name] = {word, sentence},
#include "reason.def"
#undef REASON
};

const char *reason_word(enum reason reason)
{
	return reasons[reason].word;
}

const char *reason_message(enum reason reason, const char *detail,
			   char buf[static REASON_MESSAGE_SIZE])
{
	const char *sentence = reasons[reason].sentence;
	const char *hole = strstr(sentence, "%s");

	/* Of a detail that is too long the end is lost, not that of the sentence. */
	if (hole)
		snprintf(buf, REASON_MESSAGE_SIZE, "%.*s%.*s%s", (int)(hole - sentence),
			 sentence,
			 (int)(REASON_MESSAGE_SIZE - 1 - (strlen(sentence) - 2)),
			 detail ? detail : "?", hole + 2);
	else
		snprintf(buf, REASON_MESSAGE_SIZE, "%s", sentence);
	return buf;
}

const char *reason_missing(const char *elsewhere, char buf[static REASON_MESSAGE_SIZE])
{
	char detail[REASON_MESSAGE_SIZE / 2] = "";

	if (elsewhere)
		snprintf(detail, sizeof(detail), ", but %s", elsewhere);
	return reason_message(REASON_MISSING, detail, buf);
}

const char *errno_text(int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{EINVAL, "invalid argument (EINVAL)"},
		{ENODEV, "no such device (ENODEV)"},
		{ENOENT, "no such file (ENOENT)"},
		{EBUSY, "busy (EBUSY)"},
		{EAGAIN, "try again (EAGAIN)"},
		{EIO, "input/output error (EIO)"},
		{ENOMEM, "out of memory (ENOMEM)"},
		{ENOSPC, "no space left (ENOSPC)"},
		{EPERM, "not permitted (EPERM)"},
		{EACCES, "permission denied (EACCES)"},
		{EROFS, "read-only (EROFS)"},
		{ENOEXEC, "not a module for this kernel (ENOEXEC)"},
		{EKEYREJECTED, "its signature was rejected (EKEYREJECTED)"},
		{ENOKEY, "it is not signed with a known key (ENOKEY)"},
		{EBADMSG, "damaged (EBADMSG)"},
		{ENOSYS, "not supported (ENOSYS)"},
		{ETIMEDOUT, "timed out (ETIMEDOUT)"},
		{EEXIST, "exists already (EEXIST)"},
		{EISDIR, "it is a directory (EISDIR)"},
		{ENOTDIR, "it is no directory (ENOTDIR)"},
		{ENAMETOOLONG, "its name is too long (ENAMETOOLONG)"},
		{E2BIG, "too large (E2BIG)"},
		{EPIPE, "it was killed before it was done (EPIPE)"},
		{EMFILE, "too many open files (EMFILE)"},
		{EFBIG, "the file may not grow (EFBIG)"},
		{ENXIO, "nobody reads there (ENXIO)"},
	};

	if (error < 0)
		error = -error;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].error == error)
			return texts[i].text;
	return strerror(error);
}
