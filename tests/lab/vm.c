/*
 * vm: PID 1 of the small VM that a machine of the lab gives its card to
 *
 * All that the VM has is an initramfs: this program, lspci, and two modules of the kernel. It prints
 * what lspci says of the card and drives each function with that ID, as a driver in a VM does: QEMU's
 * edu device (edu.h), by the registers of BAR 0, with memory of the VM and its line of interrupt
 * (uio_pci_generic, which has INTx only). A line for each on the console; then the VM goes off.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"

#define PAGE	       4096u
#define BAR_SIZE       0x100000u
#define TIMEOUT	       60000 /* ms: a machine emulated by an emulated machine */
#define CONFIG_COMMAND 4 /* of config space */
#define COMMAND_MASTER 0x0006 /* memory space, bus master; INTx is not disabled */
#define FRAME_MASK     ((1ull << 55) - 1) /* of an entry of /proc/self/pagemap */
#define DEVICES	       "/sys/bus/pci/devices/"
#define NEW_ID	       "/sys/bus/pci/drivers/uio_pci_generic/new_id"

/* The functions of the card: 10ee:5000 and 10ee:5001. */
static const char *const ids[] = {"10ee 5000", "10ee 5001"};

struct card {
	struct edu edu; /* the first member */
	int uio, config;
	unsigned interrupts;
};

/* Says all on the console and switches the VM off. */
static void end(void)
{
	fflush(stdout);
	sync();
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void fail(const char *what)
{
	printf("vm: %s: %s\n", what, strerror(errno));
	end();
}

static int check(int r, const char *what)
{
	if (r < 0)
		fail(what);
	return r;
}

static void load_module(const char *path)
{
	int fd = check(open(path, O_RDONLY | O_CLOEXEC), path);

	check((int)syscall(SYS_finit_module, fd, "", 0), path);
	close(fd);
}

static void set_up(void)
{
	int fd;

	check(mount("proc", "/proc", "proc", 0, NULL), "/proc");
	check(mount("sys", "/sys", "sysfs", 0, NULL), "/sys");
	check(mount("dev", "/dev", "devtmpfs", 0, NULL), "/dev");
	load_module("/uio.ko");
	load_module("/uio_pci_generic.ko");
	fd = check(open(NEW_ID, O_WRONLY | O_CLOEXEC), NEW_ID);
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		check((int)write(fd, ids[i], strlen(ids[i])), NEW_ID);
	close(fd);
}

static void run_lspci(void)
{
	char *const argv[] = {"lspci", "-nn", "-d", "10ee:", NULL};
	pid_t child;
	int status;

	puts("$ lspci -nn -d 10ee:");
	fflush(stdout);
	child = check(fork(), "fork");
	if (child == 0) {
		execv("/usr/bin/lspci", argv);
		_exit(127);
	}
	if (waitpid(child, &status, 0) < 0 || status != 0)
		printf("vm: lspci ended with status %x\n", (unsigned)status);
}

/* A page of memory, and where the device finds it. */
static uint8_t *get_page(uint32_t *ret_address)
{
	int fd = check(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), "pagemap");
	uint64_t entry, address;
	uint8_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED || mlock(p, PAGE) < 0)
		fail("a page of memory");
	if (pread(fd, &entry, sizeof(entry),
		  (off_t)((uintptr_t)p / PAGE * sizeof(entry))) != sizeof(entry))
		fail("pagemap");
	close(fd);
	address = (entry & FRAME_MASK) * PAGE;
	/* The device has 28 bits; the VM has less memory. */
	if (address == 0 || address >> 28 != 0) {
		printf("vm: memory is at %#llx\n", (unsigned long long)address);
		end();
	}
	*ret_address = (uint32_t)address;
	return p;
}

static int open_file(const char *folder, const char *name, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return check(open(path, flags | O_CLOEXEC), path);
}

/* The node of the function at @folder: /dev/uioN. */
static int open_uio(const char *folder)
{
	char pattern[PATH_MAX], path[PATH_MAX];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/uio/uio*", folder);
	if (glob(pattern, 0, NULL, &found) != 0) {
		printf("vm: %s has no driver\n", folder);
		end();
	}
	snprintf(path, sizeof(path), "/dev/%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	return check(open(path, O_RDWR | O_CLOEXEC), path);
}

/* The driver disables the line at each interrupt: memory, DMA and the line are enabled here. */
static void enable(const struct card *card)
{
	const uint16_t command = COMMAND_MASTER;

	if (pwrite(card->config, &command, sizeof(command), CONFIG_COMMAND) !=
	    sizeof(command))
		fail("the command register");
}

static void await_interrupt(struct edu *edu, const char *what)
{
	struct card *card = (struct card *)edu;
	struct pollfd pollfd = {.fd = card->uio, .events = POLLIN};
	uint32_t count;

	if (poll(&pollfd, 1, TIMEOUT) != 1 ||
	    read(card->uio, &count, sizeof(count)) != sizeof(count)) {
		printf("vm: no interrupt: %s\n", what);
		end();
	}
	card->interrupts++;
	edu_put(edu, EDU_ACK, edu_get(edu, EDU_STATUS));
	enable(card);
}

static void drive(const char *folder)
{
	struct card card = {.edu = {.flags = DMA_INTERRUPT, .await = await_interrupt}};
	struct edu *edu = &card.edu;
	int bar = open_file(folder, "resource0", O_RDWR);
	const char *name = strrchr(folder, '/') + 1;
	void *p;

	card.config = open_file(folder, "config", O_RDWR);
	card.uio = open_uio(folder);
	enable(&card);
	p = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, bar, 0);
	if (p == MAP_FAILED)
		fail("mmap of BAR 0");
	edu->registers = p;
	edu->out = get_page(&edu->out_address);
	edu->in = get_page(&edu->in_address);
	if (!edu_is_there(edu)) {
		puts("vm: the registers of BAR 0 do not answer");
		end();
	}
	edu_check_data(edu, EDU_PATTERNS - 1);
	printf("vm: %s: %u bytes to the device and %u back in %u transfers each way, all as "
	       "sent\n",
	       name, edu->bytes, edu->bytes, edu->transfers);
	printf("vm: %s: interrupts by INTx: %u\n", name, card.interrupts);
}

int main(void)
{
	glob_t found;

	setvbuf(stdout, NULL, _IOLBF, 0);
	set_up();
	run_lspci();
	if (glob("/sys/bus/pci/drivers/uio_pci_generic/0*", 0, NULL, &found) != 0) {
		puts("vm: there is no card");
		end();
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		drive(found.gl_pathv[i]);
	puts("vm: done");
	end();
	return 0;
}
