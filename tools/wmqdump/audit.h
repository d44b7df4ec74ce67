/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_WMQDUMP_AUDIT_H
#define TOOLS_WMQDUMP_AUDIT_H

#include "print.h"

#include <metacube/wmq.h>

#define AUDIT_TAG	"adt"

void	print_audit(const struct print_how *, const struct wmq_record *,
	    const void *data);

#endif
