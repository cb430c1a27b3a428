/*
 * dma: what a virtual machine monitor does with a card, as a small program
 *
 * Usage: dma ADDRESS
 *
 * Takes the PCI function by its VFIO group and drives it: QEMU's edu device, whatever identity it
 * shows (docs/specs/edu.rst of QEMU), has a DMA engine and an interrupt. Memory goes to the device
 * and back through the IOMMU, an interrupt comes by eventfd, and DMA to an address that is not mapped
 * must not arrive; the IOMMU's fault is then in the kernel log. A line for each step.
 *
 * Exit code: 0 if all of it worked, 3 if the group is not viable, 1 for anything else.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define IOVA 0x100000u /* of the two pages that are mapped; the engine has 28 bits */
#define AMOUNT \
	2048u /* less than all of its memory: QEMU 7.2 ends with an error of its own else */
#define UNMAPPED 0x800000u
#define TIMEOUT	 30000 /* ms: the machine is emulated */

/* Registers of edu, and its own memory. */
#define EDU_ID	       0x00
#define EDU_RAISE      0x60
#define EDU_STATUS     0x24
#define EDU_ACK	       0x64
#define EDU_DMA_FROM   0x80
#define EDU_DMA_TO     0x88
#define EDU_DMA_COUNT  0x90
#define EDU_DMA_CMD    0x98
#define EDU_MEMORY     0x40000u
#define DMA_RUN	       1u
#define DMA_TO_MACHINE 2u
#define DMA_INTERRUPT  4u

struct card {
	int container, group, device, event;
	volatile uint8_t *registers; /* BAR 0 */
	uint8_t *memory; /* two pages */
};

static void fail(const char *what)
{
	printf("dma: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int check(int r, const char *what)
{
	if (r < 0)
		fail(what);
	return r;
}

/* The number of the function's IOMMU group, as text. */
static const char *find_group(const char *address)
{
	static char target[PATH_MAX];
	char path[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		fail(path);
	target[n] = '\0';
	return strrchr(target, '/') + 1;
}

/* Opens the group, and gives it an IOMMU of type 1. */
static void open_group(struct card *card, const char *address)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	const char *number = find_group(address);
	char path[PATH_MAX];

	card->container =
		check(open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC), "/dev/vfio/vfio");
	if (ioctl(card->container, VFIO_GET_API_VERSION) != VFIO_API_VERSION)
		fail("VFIO_GET_API_VERSION");
	snprintf(path, sizeof(path), "/dev/vfio/%s", number);
	card->group = check(open(path, O_RDWR | O_CLOEXEC), path);
	check(ioctl(card->group, VFIO_GROUP_GET_STATUS, &status),
	      "VFIO_GROUP_GET_STATUS");
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		printf("dma: group %s is not viable\n", number);
		exit(3);
	}
	printf("dma: group %s is viable\n", number);
	check(ioctl(card->group, VFIO_GROUP_SET_CONTAINER, &card->container),
	      "VFIO_GROUP_SET_CONTAINER");
	check(ioctl(card->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU),
	      "VFIO_SET_IOMMU");
	card->device = check(ioctl(card->group, VFIO_GROUP_GET_DEVICE_FD, address),
			     "VFIO_GROUP_GET_DEVICE_FD");
}

static struct vfio_region_info region_of(const struct card *card, unsigned index)
{
	struct vfio_region_info region = {.argsz = sizeof(region), .index = index};

	check(ioctl(card->device, VFIO_DEVICE_GET_REGION_INFO, &region),
	      "VFIO_DEVICE_GET_REGION_INFO");
	return region;
}

/* Maps BAR 0, lets the device be master of the bus, and gives it two pages of memory. */
static void map(struct card *card)
{
	struct vfio_region_info bar = region_of(card, VFIO_PCI_BAR0_REGION_INDEX);
	struct vfio_region_info config = region_of(card, VFIO_PCI_CONFIG_REGION_INDEX);
	struct vfio_iommu_type1_dma_map dma = {
		.argsz = sizeof(dma),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = IOVA,
		.size = 2 * PAGE,
	};
	const uint16_t command = 0x0006; /* memory space, bus master */
	void *p;

	if (pwrite(card->device, &command, sizeof(command), (off_t)config.offset + 4) !=
	    sizeof(command))
		fail("the command register");
	p = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, card->device,
		 (off_t)bar.offset);
	if (p == MAP_FAILED)
		fail("mmap of BAR 0");
	card->registers = p;
	p = mmap(NULL, (size_t)2 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		fail("mmap of memory");
	card->memory = p;
	dma.vaddr = (uintptr_t)p;
	check(ioctl(card->container, VFIO_IOMMU_MAP_DMA, &dma), "VFIO_IOMMU_MAP_DMA");
}

static uint32_t get(const struct card *card, unsigned offset)
{
	return *(volatile uint32_t *)(card->registers + offset);
}

static void put(const struct card *card, unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(card->registers + offset) = value;
}

/* Has interrupts come by an eventfd: MSI. */
static void take_interrupts(struct card *card)
{
	struct {
		struct vfio_irq_set set;
		int event;
	} irq = {{.argsz = sizeof(irq),
		  .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		  .index = VFIO_PCI_MSI_IRQ_INDEX,
		  .start = 0,
		  .count = 1},
		 -1};

	card->event = irq.event = check(eventfd(0, EFD_CLOEXEC), "eventfd");
	check(ioctl(card->device, VFIO_DEVICE_SET_IRQS, &irq), "VFIO_DEVICE_SET_IRQS");
}

static void await_interrupt(const struct card *card, const char *what)
{
	struct pollfd pollfd = {.fd = card->event, .events = POLLIN};
	uint64_t count;

	if (poll(&pollfd, 1, TIMEOUT) != 1 ||
	    read(card->event, &count, sizeof(count)) != sizeof(count)) {
		printf("dma: no interrupt: %s\n", what);
		exit(1);
	}
	put(card, EDU_ACK, get(card, EDU_STATUS));
}

/* Moves data, and waits for the interrupt at its end. */
static void move(const struct card *card, uint32_t from, uint32_t to, uint32_t direction,
		 const char *what)
{
	put(card, EDU_DMA_FROM, from);
	put(card, EDU_DMA_TO, to);
	put(card, EDU_DMA_COUNT, AMOUNT);
	put(card, EDU_DMA_CMD, DMA_RUN | DMA_INTERRUPT | direction);
	await_interrupt(card, what);
}

static void expect(int is_so, const char *what)
{
	printf("dma: %s: %s\n", what, is_so ? "yes" : "NO");
	if (!is_so)
		exit(1);
}

int main(int argc, char **argv)
{
	struct card card;
	uint8_t *out, *in;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2) {
		fputs("usage: dma ADDRESS\n", stderr);
		return 2;
	}
	open_group(&card, argv[1]);
	map(&card);
	expect((get(&card, EDU_ID) & 0xff) == 0xed, "the registers of BAR 0 answer");
	take_interrupts(&card);
	put(&card, EDU_RAISE, 1);
	await_interrupt(&card, "one that was asked for");
	expect(1, "an interrupt came by eventfd");

	out = card.memory;
	in = card.memory + PAGE;
	for (unsigned i = 0; i < PAGE; i++)
		out[i] = (uint8_t)(i * 31 + 7);
	move(&card, IOVA, EDU_MEMORY, 0, "memory to the device");
	move(&card, EDU_MEMORY, IOVA + PAGE, DMA_TO_MACHINE, "the device to memory");
	expect(memcmp(in, out, AMOUNT) == 0,
	       "what was sent came back from the device unchanged");

	memset(in, 0, PAGE);
	move(&card, EDU_MEMORY, UNMAPPED, DMA_TO_MACHINE,
	     "the device to an unmapped address");
	for (unsigned i = 0; i < PAGE; i++)
		if (in[i] != 0 || out[i] != (uint8_t)(i * 31 + 7))
			expect(0, "DMA outside the mapping reached no memory of ours");
	expect(1, "DMA outside the mapping reached no memory of ours");
	return 0;
}
