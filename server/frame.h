/* SPDX-License-Identifier: MIT */
/*
 * frame - from bytes to messages and back.
 *
 *	0	length of the rest, big-endian, 4 bytes
 *	4	one Envelope (api/proto/envelope.proto)
 *
 * Pure, apart from memory.  Whatever held input is wiped when it is freed: it
 * may have been a password's hash, a ticket or a key.
 */
#ifndef SERVER_FRAME_H
#define SERVER_FRAME_H

#include "arena.h"
#include "mailbox.h"

#include <metacube/proto/envelope.pb-c.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD	4

/* A frame that has arrived in part.  No memory while there is none. */
struct frame_part {
	uint8_t		*data;		/* head and body */
	size_t		 len, size;	/* have, allocated */
};

enum frame_state { FRAME_MORE, FRAME_READY, FRAME_TOO_LONG };

/*
 * Takes the next frame's body out of the input, which is moved on.  The body
 * stays where it is when it has arrived whole, else it is in the part, which
 * must be cleared before the next one is asked for.  max: bytes of a body.
 */
enum frame_state frame_next(struct frame_part *, const uint8_t **in,
		    size_t *len, size_t max, const uint8_t **body_r,
		    size_t *body_len_r);
void		 frame_part_clear(struct frame_part *);

/* A decoded Envelope on its way to the loop thread. */
struct message {
	struct mail		 mail;
	struct mc_conn		*conn;
	Metacube__Envelope	*envelope;
	unsigned		 weight;	/* 1, or more when it is long */
	struct arena		 arena;
	size_t			 first_size;
	_Alignas(8) uint8_t	 first[];
};

/* NULL: fault_r says what is wrong, as a sentence of its own. */
struct message	*message_decode(const uint8_t *body, size_t len,
		    const char **fault_r);
void		 message_free(struct message **);

/* Writes head and body; the room must be frame_size(). */
size_t		 frame_size(const Metacube__Envelope *);
void		 frame_encode(const Metacube__Envelope *, uint8_t *out,
		    size_t size);

#endif
