/* SPDX-License-Identifier: MIT */
/*
 * metacube/module.h - what metacubed and a module know about each other.
 *
 * A module is one shared object that exports one symbol: the descriptor
 * metacube_module.  The descriptor says what the module offers (provides),
 * what it depends on (needs), which settings it reads (keys) and how it
 * lives (init, start, reload, stop, fini).  The host reads the conf.d file,
 * checks it against keys, finds a provider for every need, and starts the
 * instances in dependency order.  A module never looks another module up.
 */
#ifndef METACUBE_MODULE_H
#define METACUBE_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A module loads when its major is the host's and its minor is not above it.
 * Something appended to struct mc_module or a new function: minor + 1.  Any
 * other change, and any change to the list elements below: major + 1.
 *	1.0	first version
 *	1.1	streams (conn.h), queue.h, freeze.h, antp.h, bytes.h, text.h
 */
#define MC_ABI_MAJOR	1
#define MC_ABI_MINOR	1

struct mc_host;			/* the host as one instance sees it: host.h */
struct mc_call;			/* one pending service call: call.h */

enum mc_status {
	MC_OK = 0,
	MC_DENIED,		/* understood, and refused */
	MC_NOT_FOUND,
	MC_EXISTS,
	MC_INVALID,		/* malformed request or setting */
	MC_BUSY,		/* a limit is reached; try again later */
	MC_TIMEOUT,		/* no answer in time; nothing was changed */
	MC_UNCERTAIN,		/* no answer in time; it may have been done */
	MC_UNAVAILABLE,		/* the backend or the peer is down */
	MC_INTERNAL		/* a bug, already logged by whoever saw it */
};

/* One setting.  Parser, --describe and the manual all read this table. */
enum mc_type {
	MC_BOOL = 1,		/* bool */
	MC_INT,			/* int64_t */
	MC_DURATION,		/* int64_t, milliseconds: "250ms", "30s", "1h" */
	MC_SIZE,		/* int64_t, bytes: "64KiB", "16MiB" */
	MC_STRING,		/* const char *, owned by the host */
	MC_CHOICE,		/* int64_t, index of the word in choices */
	MC_PATH,		/* const char *, absolute after parsing */
	MC_SECRET,		/* const char *, never logged, wiped on free */
	MC_ENDPOINT,		/* const char *, "host:port" or "unix:/path" */
	MC_LISTEN		/* the same; the host binds it before it drops root */
};

struct mc_key {
	const char	*name;
	size_t		 offset, size;	/* of the field in the conf struct */
	enum mc_type	 type;
	const char	*fallback;	/* as written in a file; NULL: required */
	int64_t		 min, max;	/* number: range; string: length;
					 * min -1: may be empty */
	const char	*choices;	/* MC_CHOICE: "first|second|third" */
	const char	*help;		/* one sentence for the manual */
};

#define MC_FIELD_AS(key, conf, field) \
	.name = key, .offset = offsetof(conf, field), \
	.size = sizeof(((conf *)0)->field)
#define MC_FIELD(conf, field)	MC_FIELD_AS(#field, conf, field)

/* A service is a name and a version; the rule is the same as for the ABI. */
struct mc_provide {
	const char	*service;
	uint16_t	 major, minor;
	const void	*ops;		/* e.g. const struct tcapw_ops * */
};

struct mc_need {
	const char	*service;
	uint16_t	 major, minor;
	size_t		 offset;	/* of a struct mc_ref in the state */
	bool		 optional;	/* may be absent; and when its provider
					 * needs this one, too, it starts after
					 * it: not to be called in start */
};

/* A resolved need, filled in before init, unchanged until fini. */
struct mc_ref {
	const void	*ops;		/* NULL: optional and absent */
	void		*provider;	/* the provider's state */
	struct mc_host	*owner;		/* the provider's host view */
	struct mc_host	*caller;	/* who is asking: for log and limits */
};

struct mc_module {
	uint16_t		 abi_major, abi_minor;	/* protect the rest */
	uint32_t		 size;	/* sizeof(struct mc_module) as built */
	const char		*name, *version, *summary, *license;

	const struct mc_key	*keys;		/* lists end with a zero entry */
	const struct mc_provide	*provides;
	const struct mc_need	*needs;
	size_t			 conf_size;	/* the host allocates both, */
	size_t			 state_size;	/* zeroed, for each instance */

	/*
	 * All run on the loop thread and must not block, with one exception:
	 * init may read and write the files that the instance owns.  init
	 * opens what the instance owns; start may call needs; reload accepts
	 * or refuses the new conf whole (a conf it accepts stays valid until
	 * the next one is accepted); stop takes no new work, and the host
	 * runs fini when the last call is answered.  An init that fails
	 * leaves nothing behind; after a start that fails comes fini, without
	 * stop.  Before fini the host ends what the instance still has open:
	 * listeners, connections, commands, questions, timers (the slots of
	 * the last two are NULL by then).  NULL: nothing to do (reload: the
	 * new conf is refused when it differs).
	 */
	enum mc_status	(*init)(void *state, struct mc_host *, const void *conf);
	enum mc_status	(*start)(void *state);
	enum mc_status	(*reload)(void *state, const void *conf);
	void		(*stop)(void *state);
	void		(*fini)(void *state);
};

/*
 * The ABI once more, as an ELF note: the host reads it from the file before
 * anything of the module runs.  Written once, beside the descriptor.
 */
#define MC_NOTE_NAME	"MetaCube"
#define MC_NOTE_ABI	1

struct mc_note {
	uint32_t	name_size, data_size, type;
	char		name[12];	/* "MetaCube", NUL, padded to 4 */
	uint32_t	abi_major, abi_minor;
};

#define MC_MODULE_NOTE \
	__attribute__((section(".note.metacube"), used, aligned(4))) \
	static const struct mc_note mc_module_note = { \
		sizeof(MC_NOTE_NAME), 2 * sizeof(uint32_t), MC_NOTE_ABI, \
		MC_NOTE_NAME, MC_ABI_MAJOR, MC_ABI_MINOR \
	}

#define MC_MODULE_ABI \
	.abi_major = MC_ABI_MAJOR, .abi_minor = MC_ABI_MINOR, \
	.size = sizeof(struct mc_module)

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
extern const struct mc_module metacube_module;

#endif
