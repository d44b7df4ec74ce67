/* SPDX-License-Identifier: MIT */
/*
 * Files on their way: read piece by piece on the instance's thread, given to
 * the connection as they are.  While one piece is sent the next is read, so
 * there are two of them at most for each connection, however slow it is.
 *
 * A file is opened by the first job that wants something of it; descriptors
 * are the jobs' until nobody needs the file any more.
 */
#include "antpserv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE	(512 * 1024)

/* One look at, or one piece of, a file. */
struct job {
	struct antpserv	*server;
	struct session	*session;	/* NULL: gone meanwhile */
	struct file	*file;
	int		 error;		/* errno, or 0 */
	const char	*fault;		/* what else is wrong, or NULL */
	bool		 replaced;	/* another file has its path now */
	uint64_t	 offset;
	size_t		 head_len, len;	/* of the block */
	uint8_t		*block;
};

/* Files */

static struct file *
file_new(const char *name, const char *path)
{
	struct file *file = mc_zalloc(sizeof(*file));

	file->refs = 1;
	file->fd = -1;
	strcpy(file->name, name);
	strcpy(file->path, path);
	return file;
}

struct file *
file_of(struct antpserv *server, const char *name, const char *path)
{
	struct file *file;

	LIST_FOREACH(file, &server->files, link)
		if (strcmp(file->path, path) == 0)
			break;
	if (file == NULL) {
		file = file_new(name, path);
		file->listed = true;
		LIST_INSERT_HEAD(&server->files, file, link);
	} else {
		file->refs++;
	}
	return file;
}

/* Who has it keeps it; nobody else gets it. */
static void
file_unlist(struct file *file)
{
	if (file->listed)
		LIST_REMOVE(file, link);
	file->listed = false;
}

void
file_unref(struct file **filep)
{
	struct file *file = *filep;

	*filep = NULL;
	if (file == NULL || --file->refs != 0)
		return;
	file_unlist(file);
	if (file->fd != -1)
		close(file->fd);
	free(file);
}

/* Takes the reference. */
void
file_use(struct session *session, struct file *file)
{
	file_unref(&session->file);
	session->file = file;
}

/* Jobs */

static struct job *
job_new(struct session *session, struct file *file)
{
	struct job *job = mc_zalloc(sizeof(*job));

	job->server = session->server;
	job->session = session;
	job->file = file;
	file->refs++;
	session->job = job;
	return job;
}

static void
job_free(struct job *job)
{
	if (job->session != NULL)
		job->session->job = NULL;
	file_unref(&job->file);
	free(job->block);
	free(job);
}

/* Instance's thread.  A mirror that begins anew may give a file of the queue
 * the name of an old one.  Whoever is in the midst of that goes on with it. */
static bool
is_replaced(const struct job *job)
{
	const struct file *file = job->file;
	struct stat st;

	return job->head_len != 0 && antp_is_queue_file(file->name) &&
	    lstat(file->path, &st) == 0 &&
	    (st.st_dev != file->dev || st.st_ino != file->ino);
}

/* Instance's thread. */
static bool
job_open(struct job *job)
{
	struct file *file = job->file;
	struct stat st;

	if (file->fd != -1) {
		job->replaced = is_replaced(job);
		return !job->replaced;
	}
	file->fd = open(file->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	if (file->fd == -1 || fstat(file->fd, &st) == -1) {
		job->error = errno;
		return false;
	}
	if (!S_ISREG(st.st_mode))
		job->fault = "is no regular file";
	file->size = (uint64_t)st.st_size;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	return job->fault == NULL;
}

/* Instance's thread. */
static bool
read_all(struct job *job, uint8_t *to, size_t len, uint64_t offset)
{
	ssize_t n;

	while (len != 0) {
		n = pread(job->file->fd, to, len, (off_t)offset);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			job->error = errno;
		else if (n == 0)
			job->fault = "is shorter than it should be";
		if (n <= 0)
			return false;
		to += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

static void
log_fault(struct job *job)
{
	mc_log(job->server->host, MC_ERROR, "%s: %s", job->file->path,
	    job->fault != NULL ? job->fault : strerror(job->error));
}

/* Freezes */

static void
looked(void *arg)
{
	struct job *job = arg;
	struct session *session = job->session;
	bool absent = job->error == ENOENT;
	struct file *file = NULL;

	if (job->error != 0 || job->fault != NULL) {
		if (!absent)
			log_fault(job);
	} else {
		file = job->file;
		file->refs++;
	}
	job_free(job);
	if (session == NULL)
		file_unref(&file);
	else if (file == NULL && !absent)
		session_refuse(session, ANTP_SERVER_ERROR,
		    "the freeze cannot be read");
	else
		session_looked(session, file);
}

/* Instance's thread.  The name is that of what was opened: a newer file may
 * have taken the path meanwhile. */
static void
look(void *arg)
{
	struct job *job = arg;
	struct file *file = job->file;
	struct freeze_header header;
	uint8_t bytes[FREEZE_HEADER_SIZE];

	if (job_open(job) && read_all(job, bytes, sizeof(bytes), 0))
		job->fault = freeze_header_read(bytes, sizeof(bytes),
		    &header);
	if (job->error == 0 && job->fault == NULL &&
	    header.size != file->size)
		job->fault = "has not the size that its header says";
	if (job->error == 0 && job->fault == NULL) {
		freeze_name(&header, file->name);
		file->seq = header.position.pointer.seq;
	}
	mc_later(job->server->host, looked, job);
}

void
freeze_look(struct session *session, const char *path)
{
	struct file *file = file_new("", path);
	struct job *job = job_new(session, file);

	file_unref(&file);
	mc_work(session->server->host, look, job);
}

/* Transfers */

static void read_next(struct session *);

/* What is there goes out, and the next piece is read meanwhile. */
void
transfer_go_on(struct session *session)
{
	if (session->ready != NULL && !session->flying) {
		session->flying = true;
		mc_count(session->server->host, "bytes",
		    (int64_t)session->ready_len);
		mc_conn_give(session->conn, session->ready,
		    session->ready_len);
		session->ready = NULL;
	}
	if (session->ready != NULL || session->job != NULL)
		return;
	if (session->left == 0)
		session_sent(session);
	else
		read_next(session);
}

/* Nothing has been said yet: an error in words; else they see that it is not
 * whole. */
static void
reading_failed(struct session *session, bool at_first)
{
	if (at_first)
		session_refuse(session, ANTP_SERVER_ERROR,
		    "the file cannot be read");
	else
		mc_conn_close(session->conn);
}

/* From the file that has the path now: nothing has been said yet. */
static void
begin_again(struct job *job)
{
	struct session *session = job->session;
	uint64_t offset = job->offset, len = job->len;

	file_unlist(job->file);
	job_free(job);
	if (session == NULL)
		return;
	file_use(session, file_of(session->server, session->file->name,
	    session->file->path));
	transfer_begin(session, offset, len + session->left);
}

static void
piece_read(void *arg)
{
	struct job *job = arg;
	struct session *session = job->session;
	bool failed = job->error != 0 || job->fault != NULL;
	bool at_first = job->head_len != 0;

	if (job->replaced) {
		begin_again(job);
		return;
	}
	if (failed)
		log_fault(job);
	if (session != NULL && !failed) {
		session->ready = job->block;
		session->ready_len = job->head_len + job->len;
		job->block = NULL;
	}
	job_free(job);
	if (session == NULL)
		return;
	if (failed)
		reading_failed(session, at_first);
	else
		transfer_go_on(session);
}

/* Instance's thread. */
static void
read_piece(void *arg)
{
	struct job *job = arg;

	if (job_open(job))
		read_all(job, job->block + job->head_len, job->len,
		    job->offset);
	mc_later(job->server->host, piece_read, job);
}

static struct job *
piece_new(struct session *session, size_t head_len)
{
	struct job *job = job_new(session, session->file);

	job->head_len = head_len;
	job->len = session->left < PIECE ? (size_t)session->left : PIECE;
	job->offset = session->offset;
	job->block = malloc(head_len + job->len);
	if (job->block == NULL)
		mc_fatal(session->server->host, "out of memory for %zu bytes "
		    "of a file", job->len);
	session->offset += job->len;
	session->left -= job->len;
	return job;
}

static void
read_next(struct session *session)
{
	mc_work(session->server->host, read_piece, piece_new(session, 0));
}

/* The head goes out with the first piece: a change that somebody waits for is
 * one record. */
void
transfer_begin(struct session *session, uint64_t offset, uint64_t len)
{
	struct antp_response response = {
		.status = ANTP_OK, .offset = offset, .length = len
	};
	char head[ANTP_HEAD_MAX];
	struct job *job;
	size_t head_len;

	strcpy(response.file, session->file->name);
	antpserv_fill(session->server, &response);
	head_len = antp_response_write(&response, head);
	session->state = SESSION_SENDING;
	session->offset = offset;
	session->left = len;
	job = piece_new(session, head_len);
	memcpy(job->block, head, head_len);
	mc_work(session->server->host, read_piece, job);
}

void
transfer_end(struct session *session)
{
	if (session->job != NULL)
		session->job->session = NULL;
	session->job = NULL;
	free(session->ready);
	session->ready = NULL;
	session->left = 0;
	file_unref(&session->file);
}
