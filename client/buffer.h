/* SPDX-License-Identifier: MIT */
/*
 * buffer - bytes that are added at one end and taken at the other.
 */
#ifndef CLIENT_BUFFER_H
#define CLIENT_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct buffer {
	uint8_t	*data;
	size_t	 start, end, size;
};

/* Room for so many bytes at data + end, or NULL: no memory. */
uint8_t	*buffer_room(struct buffer *, size_t len);
void	 buffer_added(struct buffer *, size_t len);
void	 buffer_taken(struct buffer *, size_t len);
size_t	 buffer_len(const struct buffer *);
const uint8_t *buffer_bytes(const struct buffer *);

/* Wiped before it is freed: it may have held a proof or a ticket. */
void	 buffer_free(struct buffer *);

#endif
