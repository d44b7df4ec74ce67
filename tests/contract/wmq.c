/* SPDX-License-Identifier: MIT */
/*
 * The promises of metacube/wmq.h.
 */
#include "frame.h"

#include <metacube/wmq.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARALLEL	128
#define SOON_MS		50
#define LONG_MS		WMQ_WAIT_MAX_MS

struct kept {
	struct wmq_position	position;
	uint64_t		big;	/* number of the largest record */
};

struct append_args {
	const char	*tag;
	const void	*data;
	size_t		 len;
};

struct read_args {
	struct wmq_pointer	after;
	size_t			max;
	unsigned		wait_ms;
};

static void
put_append(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	struct append_args *append = args;

	wmq_append(contract_ref(0), append->tag, append->data, append->len,
	    slot, done, owner);
}

static void
put_read(void *args, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	struct read_args *read = args;

	wmq_read(contract_ref(0), &read->after, read->max, read->wait_ms,
	    slot, done, owner);
}

static void
put_position(void *args, struct mc_call **slot, mc_done_fn *done,
    void *owner)
{
	(void)args;
	wmq_position(contract_ref(0), slot, done, owner);
}

static struct wmq_position
position(void)
{
	struct wmq_position position_r = { .durable = UINT64_MAX };

	ask(put_position, NULL, &position_r, sizeof(position_r));
	return position_r;
}

static struct wmq_pointer
pointer_to(uint64_t seq)
{
	struct wmq_position at = position();
	struct wmq_pointer pointer = { .seq = seq };

	memcpy(pointer.epoch, at.epoch, sizeof(pointer.epoch));
	return pointer;
}

static enum mc_status
append(const char *tag, const void *data, size_t len, uint64_t *seq_r)
{
	struct append_args args = { tag, data, len };
	struct wmq_pointer pointer = { .seq = 0 };
	enum mc_status status = ask(put_append, &args, &pointer,
	    sizeof(pointer));

	*seq_r = pointer.seq;
	return status;
}

static enum mc_status
read_status(const struct wmq_pointer *after)
{
	struct read_args args = { *after, 1024, 0 };
	struct asked asked;

	ask_start(&asked, put_read, &args);
	ask_wait(&asked);
	ask_free(&asked);
	return asked.status;
}

/* What number seq should hold: its length and bytes follow from the number. */
static size_t
payload(uint64_t seq, uint8_t *data)
{
	size_t len = (size_t)(seq * 37 % 500);

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(seq + i);
	return len;
}

static bool
is_payload(const struct wmq_record *record, const void *data)
{
	uint8_t wanted[512];
	size_t len = payload(record->seq, wanted);

	return record->len == len && memcmp(data, wanted, len) == 0 &&
	    strcmp(record->tag, "tst") == 0;
}

/* Reads from after to the end in pieces; returns the last number, 0: what was
 * read is wrong.  Numbers up to plain are checked against payload. */
static uint64_t
read_all(uint64_t after, size_t max, uint64_t plain)
{
	struct read_args args = { pointer_to(after), max, 0 };
	struct mc_reply reply;
	struct wmq_record record;
	struct asked asked;
	const void *data;
	bool fine = true, more = true;
	uint64_t time_ms = 0;

	while (fine && more) {
		size_t offset = 0, n = 0;

		ask_start(&asked, put_read, &args);
		ask_wait(&asked);
		reply = (struct mc_reply){ asked.status, asked.len,
		    asked.data };
		while ((data = wmq_batch_next(&reply, &offset,
		    &record)) != NULL) {
			fine = fine && record.seq == args.after.seq + 1 &&
			    record.time_ms >= time_ms &&
			    (record.seq > plain || is_payload(&record, data));
			args.after.seq = record.seq;
			time_ms = record.time_ms;
			n++;
		}
		fine = fine && asked.status == MC_OK && offset == asked.len &&
		    (asked.len <= max || n == 1) &&
		    asked.len <= WMQ_BATCH_MAX;
		more = n > 0;
		ask_free(&asked);
	}
	return fine ? args.after.seq : 0;
}

static void
new_queue(void)
{
	struct wmq_position at = position();
	struct wmq_pointer start = pointer_to(0), beyond = pointer_to(1);

	promise(at.oldest == 1 && at.durable == 0,
	    "a new queue is empty: it begins with number 1");
	promise(read_status(&start) == MC_OK, "its start can be read after");
	promise(read_status(&beyond) == MC_INVALID,
	    "a pointer beyond the end is refused");
}

static void
appends(void)
{
	uint8_t data[512];
	uint64_t seq;
	bool fine = true;

	for (uint64_t i = 1; i <= 40; i++)
		fine = append("tst", data, payload(i, data), &seq) == MC_OK &&
		    seq == i && position().durable == i && fine;
	promise(fine, "records are numbered from 1 on, and counted as durable "
	    "once they are answered");
	promise(read_all(0, 1 << 16, 40) == 40, "they are read back as they "
	    "were written");
	promise(read_all(0, 1, 40) == 40, "one by one when max is small");
	promise(read_all(17, 1 << 16, 40) == 40, "and from the middle");
}

static void
refusals(void)
{
	static uint8_t data[WMQ_DATA_MAX + 1];
	uint64_t durable = position().durable, seq;
	struct wmq_pointer other = pointer_to(1);

	other.epoch[15] ^= 1;
	promise(read_status(&other) == MC_INVALID,
	    "another epoch is refused");
	promise(append("tst", data, sizeof(data), &seq) == MC_INVALID &&
	    append("four", data, 1, &seq) == MC_INVALID &&
	    position().durable == durable,
	    "too long a record or tag is refused, and nothing is appended");
}

/* Many at once: each has a number of its own, and they are without gaps. */
static void
parallel(void)
{
	static struct append_args args[PARALLEL];
	static struct asked asked[PARALLEL];
	static uint8_t data[PARALLEL][512];
	uint64_t first = position().durable + 1;
	bool fine = true;

	for (unsigned i = 0; i < PARALLEL; i++) {
		args[i] = (struct append_args){ "tst", data[i],
		    payload(first + i, data[i]) };
		ask_start(&asked[i], put_append, &args[i]);
	}
	for (unsigned i = 0; i < PARALLEL; i++) {
		const struct wmq_pointer *pointer;

		ask_wait(&asked[i]);
		pointer = asked[i].data;
		fine = fine && asked[i].status == MC_OK &&
		    asked[i].len == sizeof(*pointer) &&
		    pointer->seq == first + i;
		ask_free(&asked[i]);
	}
	promise(fine && read_all(0, 1 << 16, first + PARALLEL - 1) ==
	    first + PARALLEL - 1, "%d appends at once get numbers in the "
	    "order of asking", PARALLEL);
}

static void
waiting(void)
{
	struct read_args args = { pointer_to(position().durable), 4096,
	    LONG_MS };
	struct mc_reply reply;
	struct wmq_record record;
	struct asked asked;
	size_t offset = 0;
	uint64_t began = mc_now_ms(), seq;

	ask_start(&asked, put_read, &args);
	position();		/* so the read was asked before the append */
	promise(!ask_is_answered(&asked), "a reader at the end waits");
	append("new", "news", 4, &seq);
	ask_wait(&asked);
	reply = (struct mc_reply){ asked.status, asked.len, asked.data };
	promise(wmq_batch_next(&reply, &offset, &record) != NULL &&
	    record.seq == seq && strcmp(record.tag, "new") == 0 &&
	    mc_now_ms() - began < LONG_MS / 2,
	    "and is told as soon as there is a record");
	ask_free(&asked);
}

static void
waiting_ends(void)
{
	struct read_args args = { pointer_to(position().durable), 4096,
	    SOON_MS };
	struct asked asked;
	uint64_t began = mc_now_ms();

	ask_start(&asked, put_read, &args);
	ask_wait(&asked);
	promise(asked.status == MC_OK && asked.len == 0 &&
	    mc_now_ms() - began >= SOON_MS - 1,
	    "after wait_ms without one the answer is none");
	ask_free(&asked);
}

static void
cancelled(void)
{
	struct read_args args = { pointer_to(position().durable), 4096,
	    LONG_MS };
	struct asked asked;
	uint64_t seq;

	ask_start(&asked, put_read, &args);
	ask_cancel(&asked);
	ask_wait(&asked);
	ask_free(&asked);
	promise(append("x", "", 0, &seq) == MC_OK &&
	    seq == position().durable,
	    "a reader that has gone harms nobody");
}

static void
sizes(void)
{
	static uint8_t data[WMQ_DATA_MAX];
	struct kept *kept = contract_kept();
	struct read_args args;
	struct asked asked;
	uint64_t seq;

	memset(data, 0xb5, sizeof(data));
	promise(append("big", data, sizeof(data), &kept->big) == MC_OK,
	    "the largest record is taken");
	promise(append("", NULL, 0, &seq) == MC_OK, "so is the smallest");
	args = (struct read_args){ pointer_to(kept->big - 1), 1, 0 };
	ask_start(&asked, put_read, &args);
	ask_wait(&asked);
	promise(asked.status == MC_OK && asked.len ==
	    sizeof(struct wmq_record) + sizeof(data) &&
	    memcmp((char *)asked.data + sizeof(struct wmq_record), data,
	    sizeof(data)) == 0, "at least one record is read, however "
	    "large");
	ask_free(&asked);
}

static void
keep(void)
{
	struct kept *kept = contract_kept();

	kept->position = position();
}

static bool
is_kept(void)
{
	struct kept *kept = contract_kept();
	struct wmq_position at = position();

	return memcmp(at.epoch, kept->position.epoch,
	    sizeof(at.epoch)) == 0 && at.oldest == kept->position.oldest &&
	    at.durable == kept->position.durable &&
	    read_all(0, 1 << 16, 40) == at.durable;
}

static void
from_nothing(void)
{
	new_queue();
	appends();
	refusals();
	parallel();
	waiting();
	waiting_ends();
	cancelled();
	sizes();
	keep();
}

static void
stopped(void)
{
	uint64_t seq;

	promise(is_kept(), "after a stop the same records are there, under "
	    "the same epoch");
	promise(append("aft", "er", 2, &seq) == MC_OK &&
	    seq == position().durable, "and it goes on from there");
	keep();
}

static void
killed(void)
{
	promise(is_kept(), "after SIGKILL everything that was answered is "
	    "there");
}

static const struct contract_phase phases[] = {
	{ "from nothing", from_nothing, false },
	{ "after a stop", stopped, true },
	{ "after SIGKILL", killed, false },
	{ 0 }
};

const struct contract_suite contract_wmq = {
	WMQ_SERVICE, .phases = phases
};
