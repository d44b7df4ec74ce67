/* SPDX-License-Identifier: MIT */
/*
 * wmq_file - the state that its two halves share: wmq_file.c appends and
 * reads, files.c shows the files and deletes old ones.
 */
#ifndef WMQ_FILE_H
#define WMQ_FILE_H

#include <metacube/queue.h>
#include <metacube/shown.h>
#include <metacube/wmq.h>
#include <metacube/wmqfile.h>

#include <sys/queue.h>

struct conf {
	const char	*path;
	int64_t		 segment_size;
	const char	*server_tag;
};

TAILQ_HEAD(readers, reader);

struct wmq {
	struct mc_host		*host;
	const struct conf	*conf;
	struct queue		*queue;		/* the instance's thread */
	bool			 full;		/* likewise: it was logged */
	uint64_t		 begun;		/* likewise: that the loop knows */
	struct queue_shown	*shown;		/* the loop: what is durable */
	struct readers		 waiting;
	bool			 stopping;
};

extern const struct wmqfile_ops files_ops;

#endif
