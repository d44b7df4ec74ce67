/* SPDX-License-Identifier: MIT */
#include "process_conf.h"

#include "process.h"

#define FIELD(name)	MC_FIELD(struct process_conf, name)

const struct mc_key process_keys[] = {
	{ FIELD(module_dir), .type = MC_PATH, .fallback = MODULE_DIR,
	  .help = "Directory with the modules." },
	{ FIELD(conf_dir), .type = MC_PATH, .fallback = CONF_DIR,
	  .help = "Directory with one file for each instance of a module; "
	  "files that do not end in .conf are ignored." },
	{ FIELD(user), .type = MC_STRING, .fallback = "", .max = 63,
	  .help = "When started as root: the user to become after the "
	  "listeners are bound; empty: stay who we are." },
	{ FIELD(control), .type = MC_PATH, .fallback = RUN_DIR "/control",
	  .help = "Socket for metacubectl, open to root and to the server's "
	  "own user." },
	{ FIELD(certificate), .type = MC_PATH, .fallback = "",
	  .help = "Certificate chain (PEM) that says who this process is; "
	  "its URI names are metacube:ROLE/NAME." },
	{ FIELD(key), .type = MC_PATH, .fallback = "",
	  .help = "Private key (PEM) of the certificate." },
	{ FIELD(ca), .type = MC_PATH, .fallback = "",
	  .help = "Certificate (PEM) of the private CA that all servers of "
	  "the network have theirs from." },
	{ FIELD(tls_priority), .type = MC_STRING,
	  .fallback = "NORMAL:-VERS-ALL:+VERS-TLS1.3:"
	  "-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
	  "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:%SERVER_PRECEDENCE",
	  .min = 1, .max = 512,
	  .help = "What TLS may use, as a GnuTLS priority string." },
	{ FIELD(io_threads), .type = MC_INT, .fallback = "0",
	  .min = 0, .max = 256,
	  .help = "Threads that own the sockets; 0: one for each core." },
	{ FIELD(pool_threads), .type = MC_INT, .fallback = "0",
	  .min = 0, .max = 256,
	  .help = "Threads for work that needs much CPU, such as password "
	  "hashing; 0: one for each core." },
	{ FIELD(pool_queue), .type = MC_INT, .fallback = "1024",
	  .min = 1, .max = 1000000,
	  .help = "Jobs that may wait for these threads." },
	{ FIELD(max_calls), .type = MC_INT, .fallback = "10000",
	  .min = 1, .max = 1000000,
	  .help = "Calls to one instance that may be pending; further ones "
	  "are refused." },
	{ MC_FIELD_AS("stall_limit", struct process_conf, stall_ms),
	  .type = MC_DURATION, .fallback = "50ms",
	  .min = 1, .max = 60000,
	  .help = "A callback that holds the loop longer than this is "
	  "logged." },
	{ MC_FIELD_AS("stop_limit", struct process_conf, stop_ms),
	  .type = MC_DURATION, .fallback = "10s",
	  .min = 0, .max = 3600000,
	  .help = "How long a graceful stop may take." },
	{ FIELD(log_level), .type = MC_CHOICE, .fallback = "note",
	  .choices = "error|warn|note|debug",
	  .help = "The least important lines that are logged." },
	{ FIELD(log_format), .type = MC_CHOICE, .fallback = "text",
	  .choices = "text|json",
	  .help = "Log lines for people (with priorities when the journal "
	  "reads them), or one JSON object each." },
	{ FIELD(log_file), .type = MC_PATH, .fallback = "",
	  .help = "File to append log lines to, opened again on SIGHUP; "
	  "empty: standard error." },
	{ FIELD(core_dumps), .type = MC_BOOL, .fallback = "false",
	  .help = "Allow core dumps, which may contain secrets." },
	{ .name = NULL }
};
