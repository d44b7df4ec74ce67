/* SPDX-License-Identifier: MIT */
/*
 * text - every sentence that people read, in one table: texts.h.
 */
#ifndef ACCTSERV_TEXT_H
#define ACCTSERV_TEXT_H

#define TEXT(name, english)	T_##name,
enum text {
	T_NONE = 0,
#include "texts.h"
	T_COUNT
};
#undef TEXT

/* Plain text, to be escaped like any other. */
const char	*text(enum text);

#endif
