/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reason.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "arena.h"

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
	const char *hole = strstr(sentence, "%s"), *end = hole ? hole + 2 : "";
	struct text_buffer b = {.buf = buf, .size = REASON_MESSAGE_SIZE - strlen(end)};

	/* Of a detail that is too long the end is lost, not that of the sentence. */
	text_add(&b, "%.*s%s",
		 (int)(hole ? hole - sentence : (ptrdiff_t)strlen(sentence)), sentence,
		 hole ? (detail ? detail : "?") : "");
	text_shown(&b);
	b.size = REASON_MESSAGE_SIZE;
	b.is_full = false;
	text_add(&b, "%s", end);
	return buf;
}

const char *reason_missing(const char *elsewhere, char buf[static REASON_MESSAGE_SIZE])
{
	char detail[REASON_MESSAGE_SIZE / 2];
	struct text_buffer b = {.buf = detail, .size = sizeof(detail)};

	text_add(&b, "%s%s", elsewhere ? ", but " : "", elsewhere ? elsewhere : "");
	return reason_message(REASON_MISSING, text_shown(&b), buf);
}
