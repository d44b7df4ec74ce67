/* SPDX-License-Identifier: MIT */
/*
 * fuzz_conf - any bytes as a file of conf.d: conf_scan, libconfig, the words
 * of an instance, and its settings against the host's table of keys, which
 * has nearly every type.  What was refused must have been explained.
 */
#include "conf_instance.h"
#include "keys.h"
#include "process_conf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char path[64];
static int fd = -1;

static void
file_write(const uint8_t *data, size_t size)
{
	if (fd == -1) {
		fd = memfd_create("conf", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (fd == -1 || ftruncate(fd, 0) == -1 ||
	    pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
}

static void
settings_try(const struct conf_instance *instance, struct errors *errors)
{
	struct process_conf conf;
	size_t before = errors->count;
	bool fine;

	memset(&conf, 0, sizeof(conf));
	fine = keys_parse(process_keys, instance->settings, instance->file,
	    &conf, errors);
	if (fine != (errors->count == before) && errors->more == 0)
		abort();
	if (fine && !keys_equal(process_keys, &conf, &conf))
		abort();
	keys_clear(process_keys, &conf);
}

/* libconfig 1.5 loses a string that a syntax error follows. */
const char	*__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct errors errors = { 0 };
	struct conf_instance *instance;

	file_write(data, size);
	instance = conf_instance_read(path, &errors);
	if (instance == NULL && errors.count == 0)
		abort();
	if (instance != NULL)
		settings_try(instance, &errors);
	conf_instance_free(&instance);
	errors_clear(&errors);
	return 0;
}
