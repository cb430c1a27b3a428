/*
 * dma: what a virtual machine monitor does with a card, as a small program
 *
 * Usage: dma ADDRESS
 *
 * Takes the PCI function by its VFIO group and drives it: QEMU's edu device (edu.h). Interrupts come
 * by eventfd, as INTx and as MSI; memory goes to the device and back through the IOMMU; and what the
 * IOMMU must not let through does not arrive. Its faults are then in the kernel log. A line for each.
 *
 * Exit code: 0 if all of it worked, 3 if the group is not viable, 1 for anything else.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"

#define PAGE	       4096u
#define IOVA	       0x100000u /* four pages of memory, for the device to read and to write */
#define READ_ONLY      0x200000u /* one more, which the device may only read */
#define UNMAPPED       0x800000u
#define UNMAPPED_READ  0x900000u
#define TIMEOUT	       30000 /* ms: the machine is emulated */
#define CONFIG_COMMAND 4 /* of config space */
#define COMMAND_MASTER 0x0006 /* memory space, bus master */

struct card {
	struct edu edu; /* the first member */
	int container, group, device, event;
	bool is_intx;
	unsigned interrupts;
	uint8_t *read_only; /* a page */
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

/* What the kernel answers who goes on with a group that is not viable. */
static void say_not_viable(struct card *card, const char *number)
{
	const char *step = "VFIO_GROUP_SET_CONTAINER";
	int r = ioctl(card->group, VFIO_GROUP_SET_CONTAINER, &card->container);

	if (r == 0) {
		step = "VFIO_SET_IOMMU";
		r = ioctl(card->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	}
	printf("dma: group %s is not viable: %s: %s\n", number, step,
	       r < 0 ? strerror(errno) : "no error");
	exit(3);
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
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		say_not_viable(card, number);
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

/* Memory of ours, which the device finds at @iova. */
static uint8_t *map_memory(const struct card *card, uint32_t iova, size_t size,
			   uint32_t flags)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = flags, .iova = iova, .size = size};

	if (p == MAP_FAILED)
		fail("mmap of memory");
	map.vaddr = (uintptr_t)p;
	check(ioctl(card->container, VFIO_IOMMU_MAP_DMA, &map), "VFIO_IOMMU_MAP_DMA");
	return p;
}

/* Maps BAR 0, lets the device be master of the bus, and gives it memory. */
static void map(struct card *card)
{
	struct vfio_region_info bar = region_of(card, VFIO_PCI_BAR0_REGION_INDEX);
	struct vfio_region_info config = region_of(card, VFIO_PCI_CONFIG_REGION_INDEX);
	const uint16_t command = COMMAND_MASTER;
	uint8_t *memory;
	void *p;

	if (pwrite(card->device, &command, sizeof(command),
		   (off_t)config.offset + CONFIG_COMMAND) != sizeof(command))
		fail("the command register");
	p = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, card->device,
		 (off_t)bar.offset);
	if (p == MAP_FAILED)
		fail("mmap of BAR 0");
	card->edu.registers = p;
	/* Both ranges begin in the middle of a page: DMA goes over its end. */
	memory = map_memory(card, IOVA, (size_t)4 * PAGE,
			    VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
	card->edu.out = memory + PAGE / 2;
	card->edu.out_address = IOVA + PAGE / 2;
	card->edu.in = memory + 2 * PAGE + PAGE / 2;
	card->edu.in_address = IOVA + 2 * PAGE + PAGE / 2;
	card->read_only = map_memory(card, READ_ONLY, PAGE, VFIO_DMA_MAP_FLAG_READ);
}

static void set_irqs(const struct card *card, unsigned flags, unsigned count)
{
	struct {
		struct vfio_irq_set set;
		int event;
	} irq = {{.argsz = sizeof(irq),
		  .flags = flags,
		  .index = card->is_intx ? VFIO_PCI_INTX_IRQ_INDEX
					 : VFIO_PCI_MSI_IRQ_INDEX,
		  .start = 0,
		  .count = count},
		 card->event};

	check(ioctl(card->device, VFIO_DEVICE_SET_IRQS, &irq), "VFIO_DEVICE_SET_IRQS");
}

/* Waits for an interrupt by the eventfd, and tells the device so. */
static void await_interrupt(struct edu *edu, const char *what)
{
	struct card *card = (struct card *)edu;
	struct pollfd pollfd = {.fd = card->event, .events = POLLIN};
	uint64_t count;

	if (poll(&pollfd, 1, TIMEOUT) != 1 ||
	    read(card->event, &count, sizeof(count)) != sizeof(count)) {
		printf("dma: no interrupt: %s\n", what);
		exit(1);
	}
	card->interrupts += (unsigned)count;
	edu_put(edu, EDU_ACK, edu_get(edu, EDU_STATUS));
	/* The kernel masks a line that is raised until it is told to go on. */
	if (card->is_intx)
		set_irqs(card, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK, 1);
}

/* Has interrupts come by an eventfd, and asks the device for two. */
static void take_interrupts(struct card *card, bool is_intx, const char *name)
{
	card->is_intx = is_intx;
	card->interrupts = 0;
	set_irqs(card, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 1);
	for (unsigned i = 0; i < 2; i++) {
		edu_put(&card->edu, EDU_RAISE, 1);
		await_interrupt(&card->edu, name);
	}
	printf("dma: interrupts by %s: %u\n", name, card->interrupts);
}

static void stop_interrupts(const struct card *card)
{
	set_irqs(card, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 0);
}

/* Whether all @count bytes at @p are @value. */
static bool is_filled(const uint8_t *p, size_t count, uint8_t value)
{
	for (size_t i = 0; i < count; i++)
		if (p[i] != value)
			return false;
	return true;
}

static void expect_refused(bool is_so, const char *what)
{
	printf("dma: refused: %s: %s\n", what, is_so ? "yes" : "NO");
	if (!is_so)
		exit(1);
}

/* The device writes the first four bytes of its memory, which are not zero, to @address. */
static void write_to(struct card *card, uint32_t address)
{
	struct edu *edu = &card->edu;

	memset(edu->out, 0xa5, EDU_ROOM);
	edu_move(edu, edu->out_address, EDU_MEMORY, EDU_ROOM, 0, "memory to the device");
	memset(edu->out, 0, EDU_ROOM);
	memset(edu->in, 0, EDU_ROOM);
	edu_move(edu, EDU_MEMORY, address, 4, DMA_TO_MACHINE, "a refused write");
}

static void check_unmapped_write(struct card *card)
{
	write_to(card, UNMAPPED);
	expect_refused(is_filled(card->edu.in, EDU_ROOM, 0) &&
			       is_filled(card->edu.out, EDU_ROOM, 0),
		       "a write to an address that is not mapped");
}

static void check_read_only(struct card *card)
{
	write_to(card, READ_ONLY);
	expect_refused(is_filled(card->read_only, PAGE, 0),
		       "a write to memory that may only be read");
}

/* What the device holds then is its own matter, but nothing of the machine's. */
static void check_unmapped_read(struct card *card)
{
	struct edu *edu = &card->edu;

	memset(edu->in, 0, EDU_ROOM);
	edu_move(edu, UNMAPPED_READ, EDU_MEMORY, 4, 0, "a refused read");
	edu_move(edu, EDU_MEMORY, edu->in_address, 4, DMA_TO_MACHINE, "what was read");
	for (unsigned i = 0; i < 4; i++)
		if (edu->in[i] != 0 && edu->in[i] != edu->out[i])
			expect_refused(false, "a read of an address that is not mapped");
	expect_refused(true, "a read of an address that is not mapped");
}

/* The last check: there is no memory for the device afterwards. */
static void check_unmapped_since(struct card *card)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = IOVA, .size = 4 * PAGE};
	struct edu *edu = &card->edu;

	edu_move(edu, edu->out_address, EDU_MEMORY, 4, 0, "memory to the device");
	for (unsigned i = 0; i < EDU_ROOM; i++)
		edu->in[i] = (uint8_t)~edu->out[i];
	check(ioctl(card->container, VFIO_IOMMU_UNMAP_DMA, &unmap),
	      "VFIO_IOMMU_UNMAP_DMA");
	edu_move(edu, EDU_MEMORY, edu->in_address, 4, DMA_TO_MACHINE, "a refused write");
	for (unsigned i = 0; i < EDU_ROOM; i++)
		if (edu->in[i] == edu->out[i])
			expect_refused(false,
				       "a write to memory that is mapped no longer");
	expect_refused(true, "a write to memory that is mapped no longer");
}

/*
 * Data of each pattern, then an access that the IOMMU must stop. Its faults are to be in the kernel
 * log, which takes three of them in five seconds (drivers/iommu/intel/dmar.c: dmar_fault()): moving a
 * pattern takes long enough.
 */
static void check_dma(struct card *card)
{
	static void (*const checks[EDU_PATTERNS])(struct card * card) = {
		check_unmapped_write, check_read_only, check_unmapped_read,
		check_unmapped_since};

	for (unsigned i = 0; i < EDU_PATTERNS; i++) {
		edu_check_data(&card->edu, i);
		checks[i](card);
	}
}

int main(int argc, char **argv)
{
	struct card card = {.edu = {.flags = DMA_INTERRUPT, .await = await_interrupt}};

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2) {
		fputs("usage: dma ADDRESS\n", stderr);
		return 2;
	}
	open_group(&card, argv[1]);
	map(&card);
	if (!edu_is_there(&card.edu)) {
		puts("dma: the registers of BAR 0 do not answer");
		return 1;
	}
	card.event = check(eventfd(0, EFD_CLOEXEC), "eventfd");
	take_interrupts(&card, true, "INTx");
	stop_interrupts(&card);
	take_interrupts(&card, false, "MSI");
	check_dma(&card);
	printf("dma: %u bytes to the device and %u back in %u transfers each way, all as sent\n",
	       card.edu.bytes, card.edu.bytes, card.edu.transfers);
	printf("dma: interrupts by MSI, all in all: %u\n", card.interrupts);
	return 0;
}
