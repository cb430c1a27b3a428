/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /init of these machines: says on the console what came back of the bytes that it sent over the
 * network, and becomes the next program, which sends what the machine is like.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* boot.py's QEMU has an echo there. */
#define ECHO_ADDRESS "10.0.2.100"
#define ECHO_PORT    7
#define SECONDS	     15
#define BYTES	     4096

/* How many of them came back as they were sent. */
static size_t echo(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(ECHO_PORT)};
	const struct timeval patience = {.tv_sec = SECONDS};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	unsigned char sent[BYTES], back[BYTES];
	size_t n = 0, same = 0;
	ssize_t r;

	for (size_t i = 0; i < BYTES; i++)
		sent[i] = (unsigned char)(i * 7 + i / 256);
	inet_pton(AF_INET, ECHO_ADDRESS, &to.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    write(fd, sent, BYTES) != BYTES)
		return 0;
	while (n < BYTES && (r = read(fd, back + n, BYTES - n)) > 0)
		n += (size_t)r;
	while (same < n && back[same] == sent[same])
		same++;
	return same;
}

int main(void)
{
	printf("builtin: network: %zu of %d bytes came back\n", echo(), BYTES);
	fflush(stdout);
	execl("/next", "/next", (char *)NULL);
	perror("/next");
	return 1;
}
