/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The only program of the containers that the tests make: linked statically, it needs nothing else. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int wait_for(pid_t child)
{
	int status = 0;

	waitpid(child, &status, 0);
	return status;
}

/* Runs one command line and prints how it ended. */
static void run(char *line)
{
	char *words[16] = { 0 };
	int count = 0, status;
	pid_t child;

	for (char *word = strtok(line, " \n"); word && count < 15; word = strtok(0, " \n"))
		words[count++] = word;
	if (!count)
		return;
	child = fork();
	if (!child) {
		execv(words[0], words);
		_exit(100 + errno);
	}
	status = wait_for(child);
	if (WIFSIGNALED(status))
		printf("%d signal %d\n", child, WTERMSIG(status));
	else if (WEXITSTATUS(status) > 100)
		printf("%d errno %d\n", child, WEXITSTATUS(status) - 100);
	else
		printf("%d exit %d\n", child, WEXITSTATUS(status));
}

static int serve(void)
{
	char line[4096];

	setvbuf(stdout, 0, _IOLBF, 0);
	puts("ready");
	while (fgets(line, sizeof(line), stdin))
		run(line);
	return 0;
}

/* Goes on as a copy of itself that lies in memory, and marks. */
static int memory(char *marker)
{
	char *words[] = { "anything", "mark", marker, 0 };
	char *environment[] = { 0 };
	int from = open("/proc/self/exe", O_RDONLY), to = memfd_create("dropped", 0);
	struct stat status;

	if (from < 0)
		from = open("/helper", O_RDONLY);
	if (from < 0 || to < 0 || fstat(from, &status))
		return 1;
	while (sendfile(to, from, 0, status.st_size) > 0)
		;
	fexecve(to, words, environment);
	return 2;
}

/* Runs a program whose name is gone when it begins. */
static int vanish(char *name)
{
	char *words[] = { "vanished", "nothing", 0 };
	char *environment[] = { 0 };
	int file = open(name, O_RDONLY | O_CLOEXEC);

	if (file < 0 || unlink(name))
		return 1;
	fexecve(file, words, environment);
	return 2;
}

static int storm(char *self, int rounds)
{
	char *words[] = { self, "nothing", 0 };

	for (int i = 0; i < rounds; i++) {
		pid_t child = fork();

		if (!child) {
			execv(self, words);
			_exit(1);
		}
		if (child < 0 || wait_for(child))
			return 1;
	}
	return 0;
}

static int talk(char *port, char *program)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int connection = socket(AF_INET, SOCK_STREAM, 0);
	char *words[] = { program, "nothing", 0 };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(connection, (void *)&address, sizeof(address)))
		return 1;
	dup2(connection, 0);
	execv(program, words);
	return 2;
}

int main(int count, char **words)
{
	const char *mode = count > 1 ? words[1] : "";
	int file;

	if (!strcmp(mode, "serve"))
		return serve();
	if (!strcmp(mode, "memory") && count > 2)
		return memory(words[2]);
	if (!strcmp(mode, "storm") && count > 2)
		return storm(words[0], atoi(words[2]));
	if (!strcmp(mode, "vanish") && count > 2)
		return vanish(words[2]);
	if (!strcmp(mode, "talk") && count > 3)
		return talk(words[2], words[3]);
	if (!strcmp(mode, "mark") && count > 2)
		return open(words[2], O_CREAT | O_WRONLY, 0644) < 0;
	if (!strcmp(mode, "append") && count > 2) {
		file = open(words[2], O_WRONLY | O_APPEND);
		return write(file, "#", 1) != 1;
	}
	if (!strcmp(mode, "open") && count > 2)
		return open(words[2], O_RDONLY) < 0;
	return 0;
}
