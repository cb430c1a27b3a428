/*
 * QEMU's edu device, whatever identity it shows (docs/specs/edu.rst of QEMU): its registers, and
 * data that goes to it and comes back. Who includes it says how the end of a transfer is noticed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EDU_ID	       0x00
#define EDU_STATUS     0x24
#define EDU_RAISE      0x60
#define EDU_ACK	       0x64
#define EDU_DMA_FROM   0x80
#define EDU_DMA_TO     0x88
#define EDU_DMA_COUNT  0x90
#define EDU_DMA_CMD    0x98
#define EDU_MEMORY     0x40000u
#define DMA_RUN	       1u
#define DMA_TO_MACHINE 2u
#define DMA_INTERRUPT  4u

/* One less than its memory: QEMU 7.2 ends with an error of its own for all of it. */
#define EDU_ROOM 4095u

struct edu {
	volatile uint8_t *registers; /* BAR 0 */
	uint8_t *out, *in; /* EDU_ROOM bytes each */
	uint32_t out_address,
		in_address; /* where the device finds them: it has 28 bits */
	uint32_t flags; /* of a transfer: DMA_INTERRUPT for an interrupt at its end */
	void (*await)(struct edu *edu,
		      const char *what); /* returns at the end of a transfer */
	unsigned transfers; /* each way */
	unsigned bytes; /* each way */
};

static inline uint32_t edu_get(const struct edu *edu, unsigned offset)
{
	return *(volatile uint32_t *)(edu->registers + offset);
}

static inline void edu_put(const struct edu *edu, unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(edu->registers + offset) = value;
}

static inline bool edu_is_there(const struct edu *edu)
{
	return (edu_get(edu, EDU_ID) & 0xff) == 0xed;
}

/* Moves data in one @direction, and waits for the end of it. */
static inline void edu_move(struct edu *edu, uint32_t from, uint32_t to, uint32_t count,
			    uint32_t direction, const char *what)
{
	edu_put(edu, EDU_DMA_FROM, from);
	edu_put(edu, EDU_DMA_TO, to);
	edu_put(edu, EDU_DMA_COUNT, count);
	edu_put(edu, EDU_DMA_CMD, DMA_RUN | edu->flags | direction);
	edu->await(edu, what);
}

#define EDU_PATTERNS 4

/* Byte @at of a pattern: counting, ones and zeros in turn, in blocks, and without an order. */
static inline uint8_t edu_pattern(unsigned pattern, unsigned at)
{
	uint32_t x = at * 2654435761u + 12345;

	if (pattern == 0)
		return (uint8_t)(at * 31 + 7);
	if (pattern == 1)
		return at & 1 ? 0xff : 0;
	if (pattern == 2)
		return at & 64 ? 0xff : 0;
	return (uint8_t)(x ^ x >> 13 ^ x >> 22);
}

/* To the device and back; true if @count bytes came back as they were sent, and no more. */
static inline bool edu_round_trip(struct edu *edu, unsigned pattern, uint32_t count)
{
	for (unsigned i = 0; i < EDU_ROOM; i++) {
		edu->out[i] = edu_pattern(pattern, i);
		edu->in[i] = (uint8_t)~edu->out[i];
	}
	edu_move(edu, edu->out_address, EDU_MEMORY, count, 0, "memory to the device");
	edu_move(edu, EDU_MEMORY, edu->in_address, count, DMA_TO_MACHINE,
		 "the device to memory");
	edu->transfers++;
	edu->bytes += count;
	for (unsigned i = 0; i < EDU_ROOM; i++)
		if (edu->in[i] != (i < count ? edu->out[i] : (uint8_t)~edu->out[i]))
			return false;
	return true;
}

/* One pattern in several sizes; ends the program if it comes back changed. */
static inline void edu_check_data(struct edu *edu, unsigned pattern)
{
	static const uint32_t counts[] = {1, 2, 3, 8, 64, 511, 1024, 2049, EDU_ROOM};

	for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		if (!edu_round_trip(edu, pattern, counts[i])) {
			printf("%u bytes of pattern %u came back CHANGED\n", counts[i],
			       pattern);
			exit(1);
		}
}
