/* SPDX-License-Identifier: MIT */
/*
 * fake_module - something that looks like a module; what is wrong with it is
 * said when it is compiled (tests/tests.mk).  It calls nothing of the host,
 * so that a test may load it without libmetacube.
 *
 *	FAKE_NAME	the name in its descriptor
 *	FAKE_MAJOR	the ABI in its note, and FAKE_MINOR
 *	FAKE_NO_NOTE	none
 *	FAKE_NO_SYMBOL	no metacube_module
 *	FAKE_BEGIN	what happens while it is loaded
 *	FAKE_KEYS, FAKE_PROVIDES, FAKE_NEEDS	its lists
 */
#include <metacube/module.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef FAKE_MAJOR
#define FAKE_MAJOR	MC_ABI_MAJOR
#define FAKE_MINOR	MC_ABI_MINOR
#endif
#ifndef FAKE_KEYS
#define FAKE_KEYS
#endif
#ifndef FAKE_PROVIDES
#define FAKE_PROVIDES
#endif
#ifndef FAKE_NEEDS
#define FAKE_NEEDS
#endif

struct conf {
	bool		 flag;
	int64_t		 number;
	const char	*text, *path, *secret;
};

struct state {
	struct mc_ref	first, second;
};

#ifndef FAKE_NO_NOTE
__attribute__((section(".note.metacube"), used, aligned(4)))
static const struct mc_note note = {
	sizeof(MC_NOTE_NAME), 2 * sizeof(uint32_t), MC_NOTE_ABI,
	MC_NOTE_NAME, FAKE_MAJOR, FAKE_MINOR
};
#endif

#ifdef FAKE_BEGIN
static void __attribute__((constructor))
begin(void)
{
	FAKE_BEGIN;
}
#endif

#ifdef FAKE_NO_SYMBOL
#define metacube_module	other_module
__attribute__((visibility("default"))) extern const struct mc_module
    other_module;
#endif

static const struct mc_key keys[] = {
	FAKE_KEYS
	{ .name = NULL }
};

static const struct mc_provide provides[] = {
	FAKE_PROVIDES
	{ .service = NULL }
};

static const struct mc_need needs[] = {
	FAKE_NEEDS
	{ .service = NULL }
};

const struct mc_module metacube_module = {
	MC_MODULE_ABI,
	.name = FAKE_NAME, .version = "0.1.0",
	.summary = "Does nothing", .license = "MIT",
	.keys = keys, .provides = provides, .needs = needs,
	.conf_size = sizeof(struct conf),
	.state_size = sizeof(struct state)
};
