/* SPDX-License-Identifier: MIT */
/* free_port - prints a port of 127.0.0.1 that nobody listens on, for peers
 * that cannot ask the kernel for one. */
#include "meter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

int
main(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	socklen_t len = sizeof(here);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&here, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&here, &len) != 0)
		bench_fail("no port is free");
	printf("%u\n", ntohs(here.sin_port));
	return 0;
}
