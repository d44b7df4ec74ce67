/* SPDX-License-Identifier: MIT */
/*
 * descriptor - is what a module says of itself sane?
 *
 * Follows every pointer in it, so it is asked in a child process first.
 */
#ifndef SERVER_DESCRIPTOR_H
#define SERVER_DESCRIPTOR_H

#include <metacube/module.h>

/* The ABI must have been compared before.  NULL: sane; else what is not. */
const char	*descriptor_fault(const struct mc_module *);

#endif
