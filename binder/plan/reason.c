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
