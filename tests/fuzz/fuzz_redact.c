/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a recording tells. A private word stands at any place of any text, whatever is around it:
 * it does not come out. The first byte chooses the filter, the second one the word, the third one
 * its place.
 */
#include "fuzz.h"

#include "redact.h"

static const char *const secrets[] = {
	"ZQJXKV",
	"9b7c1f6e-1111-4222-8333-1234567890ab",
	"0a:1b:2c:3d:4e:5f",
	"00:1b:2c:3d:4d:5f",
	"0a-1b-2c-3d-4e-5f",
	"00-0a-35-ff-ff-00-12-34",
	"2001:db8:1:2:3:4:5:6",
	"203.0.113.77",
};

static const unsigned kinds[] = {
	0,
	REDACT_ALL,
	REDACT_ALL | REDACT_HEX,
	REDACT_ALL | REDACT_JSON,
	REDACT_ALL | REDACT_DROP,
	REDACT_KERNEL,
	REDACT_ID | REDACT_NUMBER | REDACT_PLACE,
};

static bool has(struct text t, const char *secret)
{
	return t.n > 0 && memmem(t.p, t.n, secret, strlen(secret));
}

static void filter(unsigned way, struct text t, const char *secret)
{
	struct arena *arena = fuzz_arena(0);
	struct redact redact;
	struct text got;

	redact_init(&redact, arena, false);
	if (way < ARRAY_SIZE(kinds)) {
		got = redact_words(&redact, t, kinds[way]);
	} else if (way == ARRAY_SIZE(kinds)) {
		got = redact_cmdline(&redact, t);
	} else if (way == ARRAY_SIZE(kinds) + 1) {
		got = text_of(redact_kernel(&redact, t));
		/* Of what a kernel is called, numbers stay. */
		if (strspn(secret, "0123456789.") == strlen(secret))
			return;
	} else {
		got = text_of(redact_name(&redact, t, REDACT_ALL));
	}
	require(redact.is_full || !has(got, secret));
}

/* Of a configuration space without anything known in it, only the header stays. */
static void look_at_space(const uint8_t *data, size_t size, const char *secret)
{
	size_t n = strlen(secret);
	unsigned char *p = malloc(4096);
	struct redact redact;

	require(p);
	memset(p, 0, 4096);
	for (size_t i = 64; i + n <= 4096; i += n)
		memcpy(p + i, secret, n);
	memcpy(p, data, MIN(size, (size_t)4096));
	redact_init(&redact, fuzz_arena(0), false);
	redact_config_space(&redact, p, 4096);
	/* A capability that is known begins where the list says; whole words never stand in it. */
	require(!memmem(p + 256, 4096 - 256, "ZQJXKVZQJXKVZQJXKVZQJXKVZQJXKVZQJXKVZQJXKV",
			42));
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned ways = ARRAY_SIZE(kinds) + 4;
	const char *secret;
	struct text whole;
	size_t n, at;
	char *buf;

	if (size < 3 || size > 4096)
		return 0;
	secret = secrets[data[1] % ARRAY_SIZE(secrets)];
	n = strlen(secret);
	if ((uint8_t)(data[0] - '0') % ways == ways - 1) {
		look_at_space(data + 3, size - 3, secrets[0]);
		return 0;
	}
	at = data[2] % (size - 2);
	buf = malloc(size - 3 + n);
	require(buf);
	memcpy(buf, data + 3, at);
	memcpy(buf + at, secret, n);
	memcpy(buf + at + n, data + 3 + at, size - 3 - at);
	whole = (struct text){buf, size - 3 + n};
	filter((uint8_t)(data[0] - '0') % ways, whole, secret);
	free(buf);
	return 0;
}
