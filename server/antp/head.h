/* SPDX-License-Identifier: MIT */
/*
 * head - the heads of ANTP/1.0 (metacube/antp.h): words, numbers and lines.
 *
 * Strict: one space between two words, numbers without signs or leading
 * zeroes, hexadecimal digits in lower case, printable ASCII, each known header
 * line once.  What is not understood is refused with a reason; only header
 * lines of an unknown name are passed over.  Knows nothing of connections.
 */
#ifndef SERVER_ANTP_HEAD_H
#define SERVER_ANTP_HEAD_H

#include <metacube/antp.h>
#include <metacube/text.h>

#define HEAD_VERSION	"ANTP/1.0"

/* What is left of a line, and the first thing that was wrong with it. */
struct head_line {
	const char	*at, *end;
	const char	*why;
};

void	 head_fault(struct head_line *, const char *why);

/* Each takes what it names from the line, or faults it for this reason. */
void	 head_expect(struct head_line *, const char *word, const char *why);
void	 head_expect_end(struct head_line *);
void	 head_space(struct head_line *);
uint64_t head_number(struct head_line *, const char *why);

/* Up to the next space; what it is too long for is empty. */
void	 head_word(struct head_line *, char *out, size_t size,
	    const char *why);

/* An epoch or a digest. */
void	 head_hex(struct head_line *, uint8_t out[16], const char *why);

/* Is the word a number? */
bool	 head_is_number(const char *word, uint64_t *value_r);

/* " OFFSET LENGTH", to the end of the line. */
void	 head_extent(struct head_line *, uint64_t *offset, uint64_t *length);

/* "EPOCH SEQ COUNT DIGEST"; written as a whole header line, if it is known. */
void	 head_position(struct head_line *, struct tcapw_position *);
void	 head_put_position(struct mc_text *, const char *name,
	    const struct tcapw_position *);

/* A whole head: its first line, then each "Name: value".  false: the name is
 * not known.  Returns as antp_request_read does. */
typedef void head_first_fn(void *to, struct head_line *);
typedef bool head_header_fn(void *to, const char *name,
	    struct head_line *value);
int	 head_read(const char *bytes, size_t len, head_first_fn *,
	    head_header_fn *, void *to, const char **why_r);

#endif
