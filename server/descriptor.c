/* SPDX-License-Identifier: MIT */
#include "descriptor.h"

#include "keys.h"

#define LIST_MAX	256		/* elements of one list */
#define STATE_MAX	(64 << 20)	/* bytes that a module may ask for */

static bool
provides_sane(const struct mc_provide *provide)
{
	for (unsigned i = 0; provide != NULL && provide->service != NULL;
	    i++, provide++) {
		if (i == LIST_MAX || provide->ops == NULL ||
		    !keys_name_valid(provide->service))
			return false;
	}
	return true;
}

static bool
needs_sane(const struct mc_need *need, size_t state_size)
{
	for (unsigned i = 0; need != NULL && need->service != NULL;
	    i++, need++) {
		if (i == LIST_MAX || !keys_name_valid(need->service) ||
		    need->offset > state_size ||
		    state_size - need->offset < sizeof(struct mc_ref))
			return false;
	}
	return true;
}

const char *
descriptor_fault(const struct mc_module *module)
{
	const struct mc_key *key = module->keys;

	if (module->version == NULL || module->summary == NULL ||
	    module->license == NULL)
		return "it has no version, summary or license";
	if (module->conf_size > STATE_MAX || module->state_size > STATE_MAX)
		return "it asks for more than 64 MiB of state or settings";
	for (unsigned i = 0; key != NULL && key->name != NULL; i++, key++) {
		if (i == LIST_MAX)
			return "its list of keys has no end";
	}
	if (!provides_sane(module->provides))
		return "its list of provided services is not sane";
	if (!needs_sane(module->needs, module->state_size))
		return "its list of needed services is not sane";
	return keys_fault(module->keys, module->conf_size);
}
