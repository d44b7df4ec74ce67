/* SPDX-License-Identifier: MIT */
/*
 * text - see text.h.
 */
#include "text.h"

#define TEXT(name, english)	[T_##name] = english,
static const char *const texts[T_COUNT] = {
	[T_NONE] = "",
#include "texts.h"
};
#undef TEXT

const char *
text(enum text which)
{
	return texts[which];
}
