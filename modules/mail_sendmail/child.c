/* SPDX-License-Identifier: MIT */
/*
 * The command as a process of its own: no shell, a small environment, a group
 * of its own, and the message as its standard input.  What it prints goes into
 * a pipe, of which the first line is logged; who prints more than a pipe holds
 * waits for the time-out.
 */
#include "mail_sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const environment[] = {
	(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
	    "/bin",
	(char *)"LC_ALL=C", NULL
};

static int
attributes_set(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setpgroup(attributes, 0);
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

static int
spawn(pid_t *pid, char *const args[], int message, int output)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_adddup2(&actions, message, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_adddup2(&actions, output, 2);
	posix_spawn_file_actions_addchdir_np(&actions, "/");
	error = attributes_set(&attributes);
	if (error == 0)
		error = posix_spawn(pid, args[0], &actions, &attributes,
		    args, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	errno = error;
	return error == 0 ? 0 : -1;
}

int
child_start(struct child *child, char *const args[], int message)
{
	int ends[2], result, error;

	child->pidfd = child->output = -1;
	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	result = spawn(&child->pid, args, message, ends[1]);
	error = errno;
	close(ends[1]);
	if (result == -1) {
		close(ends[0]);
		errno = error;
		return -1;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	child->output = ends[0];
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->pidfd != -1)
		return 0;
	error = errno;
	child_kill(child);
	waitpid(child->pid, NULL, 0);
	close(child->output);
	errno = error;
	return -1;
}

void
child_kill(const struct child *child)
{
	kill(-child->pid, SIGKILL);
}

static void
first_line(int fd, char line[OUTPUT_MAX])
{
	ssize_t len = read(fd, line, OUTPUT_MAX - 1);

	line[len > 0 ? len : 0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	for (; *line != '\0'; line++)
		if (*line < 0x20 || *line > 0x7e)
			*line = '?';
}

int
child_end(struct child *child, char output_r[OUTPUT_MAX])
{
	int status = 0;

	while (waitpid(child->pid, &status, 0) == -1 && errno == EINTR)
		continue;
	first_line(child->output, output_r);
	child_leave(child);
	return status;
}

void
child_leave(struct child *child)
{
	close(child->pidfd);
	close(child->output);
	child->pid = 0;
}
