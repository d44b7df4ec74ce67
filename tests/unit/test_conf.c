/* SPDX-License-Identifier: MIT */
/*
 * The fakes: fake_store provides "store" 1.2, fake_proxy provides and needs
 * it, fake_reader needs it and has settings; see tests/tests.mk.
 */
#include "conf.h"
#include "cutap.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader_conf {		/* as in tests/fakes/fake_module.c */
	bool		 flag;
	int64_t		 number;
	const char	*text, *path, *secret;
};

#define STORE	"module = \"fake_store\";\n"
#define READER	"module = \"fake_reader\";\n"

static char said[8192];
static struct conf_args args;

static void
modules_copy(void)
{
	static const char *const names[] = {
		"fake_store", "fake_proxy", "fake_reader"
	};
	char from[512], to[64], *bytes;
	size_t len;

	scratch_folder("modules");
	for (unsigned i = 0; i < 3; i++) {
		snprintf(from, sizeof(from), FAKES_DIR "/%s.so", names[i]);
		snprintf(to, sizeof(to), "modules/%s.so", names[i]);
		bytes = scratch_read(from, &len);
		scratch_write(to, bytes, len, 0755);
		free(bytes);
	}
}

/* A fresh folder with modules, an empty conf.d and a metacubed.conf. */
static void
begin(void)
{
	static char file[512];

	scratch_make();
	modules_copy();
	scratch_folder("conf.d");
	scratch_text("metacubed.conf", "module_dir = \"modules\";\n"
	    "conf_dir = \"conf.d\";\n");
	snprintf(file, sizeof(file), "%s", scratch_path("metacubed.conf"));
	memset(&args, 0, sizeof(args));
	args.file = file;
}

/* Reads; the errors are in said, with the folder's own name left out. */
static struct conf_set *
set_read(void)
{
	struct errors errors = { 0 };
	struct conf_set *set = conf_read(&args, &errors);
	const char *folder = scratch_path("");
	size_t len = strlen(folder);
	char *at;

	said[0] = '\0';
	CU_ASSERT_EQUAL(set == NULL, errors.count > 0);
	for (size_t i = 0; i < errors.count; i++) {
		strncat(said, errors.lines[i], 1000);
		strcat(said, "\n");
	}
	while ((at = strstr(said, folder)) != NULL)
		memmove(at, at + len, strlen(at + len) + 1);
	errors_clear(&errors);
	return set;
}

static void
refused(const char *what)
{
	struct conf_set *set = set_read();

	CU_ASSERT_PTR_NULL(set);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, what));
	if (strstr(said, what) == NULL)
		printf("# said: %s\n", said);
	conf_free(&set);
}

static void
empty(void)
{
	struct conf_set *set;

	begin();
	set = set_read();
	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	CU_ASSERT_PTR_NULL(set->first);
	CU_ASSERT_EQUAL(set->count, 0);
	CU_ASSERT_STRING_EQUAL(set->host->conf_dir, scratch_path("conf.d"));
	CU_ASSERT_EQUAL(set->host->stall_ms, 50);
	conf_free(&set);
	CU_ASSERT_PTR_NULL(set);
	scratch_remove();
}

static void
ordered(void)
{
	const struct reader_conf *conf;
	struct conf_set *set;

	begin();
	scratch_text("conf.d/a.conf", READER "settings = { number = 5; "
	    "path = \"p\"; };\n");
	scratch_text("conf.d/z.conf", STORE "name = \"accounts\";\n");
	set = set_read();
	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	CU_ASSERT_EQUAL(set->count, 2);
	CU_ASSERT_STRING_EQUAL(set->first->name, "accounts");
	CU_ASSERT_STRING_EQUAL(set->first->next->name, "fake_reader");
	CU_ASSERT_PTR_NULL(set->first->next->next);
	CU_ASSERT_PTR_EQUAL(set->first->next->providers[0], set->first);
	CU_ASSERT_PTR_EQUAL(set->first->next->ops[0],
	    set->first->module->provides[0].ops);
	conf = set->first->next->conf;
	CU_ASSERT_EQUAL(conf->number, 5);
	CU_ASSERT_STRING_EQUAL(conf->path, scratch_path("conf.d/p"));
	conf_free(&set);
	scratch_remove();
}

static void
leftovers(void)
{
	static const char *const names[] = {
		"a.conf~", "#a.conf#", ".a.conf", ".#a.conf", ".a.conf.swp",
		"a.conf.dpkg-old", "a.conf.dpkg-new", "a.conf.rpmsave",
		"a.conf.orig", "README", ".conf", "~a.conf"
	};
	char path[64];
	struct conf_set *set;

	begin();
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "conf.d/%s", names[i]);
		scratch_text(path, "what is this");
	}
	set = set_read();
	CU_ASSERT_PTR_NOT_NULL(set);
	conf_free(&set);
	scratch_remove();
}

static void
disabled(void)
{
	struct conf_set *set;

	begin();
	scratch_text("conf.d/a.conf", "module = \"not_installed\";\n"
	    "enabled = false;\nsettings = { any = 1; };\n");
	set = set_read();
	CU_ASSERT_PTR_NOT_NULL(set);
	CU_ASSERT_EQUAL(set->count, 0);
	conf_free(&set);
	scratch_text("conf.d/a.conf", "enabled = false;\n");
	refused("conf.d/a.conf: module is missing; expected module = "
	    "\"...\";\n");
	scratch_remove();
}

static void
all_errors(void)
{
	begin();
	scratch_text("metacubed.conf", "module_dir = \"modules\";\n"
	    "conf_dir = \"conf.d\";\nio_thread = 2;\nstop_limit = 5;\n");
	scratch_text("conf.d/a.conf", READER "nmae = \"x\";\n"
	    "settings = {\n\tnumber = \"five\";\n\tnumbr = 1;\n};\n");
	scratch_text("conf.d/b.conf", STORE "enabled = 1;\n");
	scratch_text("conf.d/c.conf", "module = \n");
	scratch_text("conf.d/d.conf", "module = \"not_installed\";\n");
	scratch_text("conf.d/e.conf", STORE "x = 9000000000;\n");
	CU_ASSERT_PTR_NULL(set_read());
#define HAS(text)	CU_ASSERT_PTR_NOT_NULL(strstr(said, text))
	HAS("metacubed.conf:3: io_thread: no such setting; did you mean "
	    "io_threads?\n");
	HAS("metacubed.conf:4: stop_limit: expected a time");
	HAS("conf.d/a.conf:2: nmae: no such setting here; did you mean "
	    "name?\n");
	HAS("conf.d/a.conf:4: number: expected a whole number\n");
	HAS("conf.d/a.conf:5: numbr: no such setting; did you mean number?\n");
	HAS("conf.d/b.conf:2: enabled: expected true or false\n");
	HAS("conf.d/c.conf:");
	HAS("syntax error");
	HAS("conf.d/d.conf:1: module not_installed: ");
	HAS("conf.d/e.conf:2: 9000000000: does not fit into 32 bits");
	scratch_remove();
}

static void
names(void)
{
	begin();
	scratch_text("conf.d/a.conf", STORE);
	scratch_text("conf.d/b.conf", STORE);
	refused("conf.d/b.conf: the name fake_store is taken by "
	    "conf.d/a.conf; give one of them another name\n");
	scratch_text("conf.d/b.conf", STORE "name = \"metacubed\";\n");
	refused("conf.d/b.conf: name: metacubed is the host itself");
	scratch_text("conf.d/b.conf", STORE "name = \"a/b\";\n");
	refused("conf.d/b.conf:2: name: expected a name in quotes");
	scratch_text("conf.d/b.conf", "module = \"../x\";\n");
	refused("conf.d/b.conf:1: module: expected a name in quotes");
	scratch_text("conf.d/b.conf", "module = 1;\n");
	refused("conf.d/b.conf:1: module: expected a name in quotes");
	scratch_remove();
}

static void
groups(void)
{
	begin();
	scratch_text("conf.d/a.conf", STORE "settings = 1;\nuse = ();\n");
	refused("conf.d/a.conf:2: settings: expected a group");
	refused("conf.d/a.conf:3: use: expected a group");
	scratch_text("conf.d/a.conf", READER "use = { store = 1; };\n");
	refused("conf.d/a.conf:2: use.store: expected the name of an "
	    "instance");
	scratch_text("conf.d/a.conf", READER
	    "settings = { number = { a = 1; }; };\n");
	refused("conf.d/a.conf:2: number: expected a whole number");
	scratch_remove();
}

static void
use(void)
{
	struct conf_set *set;

	begin();
	scratch_text("conf.d/a.conf", STORE);
	scratch_text("conf.d/b.conf", "module = \"fake_proxy\";\n");
	scratch_text("conf.d/c.conf", READER);
	refused("more than one instance provides it");
	scratch_text("conf.d/c.conf", READER
	    "use = { store = \"fake_proxy\"; };\n");
	set = set_read();
	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	CU_ASSERT_STRING_EQUAL(set->first->next->next->name, "fake_reader");
	CU_ASSERT_PTR_EQUAL(set->first->next->next->providers[0],
	    set->first->next);
	conf_free(&set);
	scratch_text("conf.d/c.conf", READER
	    "use = { store = \"fake_prxy\"; };\n");
	refused("conf.d/c.conf:2: use.store: there is no enabled instance "
	    "fake_prxy; did you mean fake_proxy?\n");
	scratch_remove();
}

static void
missing(void)
{
	begin();
	scratch_text("conf.d/a.conf", READER);
	refused("conf.d/a.conf: fake_reader needs store 1.0, and no enabled "
	    "instance provides it; it could come from module fake_proxy or "
	    "fake_store\n");
	scratch_text("conf.d/b.conf", "module = \"fake_stor\";\n");
	refused("conf.d/a.conf: fake_reader needs store 1.0, and no enabled "
	    "instance provides it; but module fake_stor (conf.d/b.conf) "
	    "could not be loaded\n");
	scratch_remove();
}

static void
overrides(void)
{
	const char *sets[] = {
		"fake_reader.number=9", "fake_reader.text=a=b.c",
		"metacubed.stall_limit=75ms", "fake_reader.flag=true"
	};
	const struct reader_conf *conf;
	struct conf_set *set;

	begin();
	scratch_text("conf.d/a.conf", READER "settings = { number = 5; };\n");
	scratch_text("conf.d/b.conf", STORE);
	args.sets = sets;
	args.nsets = 4;
	set = set_read();
	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	conf = set->first->next->conf;
	CU_ASSERT_EQUAL(conf->number, 9);
	CU_ASSERT_STRING_EQUAL(conf->text, "a=b.c");
	CU_ASSERT(conf->flag);
	CU_ASSERT_EQUAL(set->host->stall_ms, 75);
	conf_free(&set);
	sets[0] = "fake_reader.number=many";
	refused("--set: number: expected a whole number");
	sets[0] = "fake_reader.nmber=1";
	refused("--set: nmber: no such setting; did you mean number?");
	sets[0] = "nobody.number=1";
	refused("--set nobody.number: there is no instance nobody");
	sets[0] = "number=1";
	refused("--set: expected instance.key=value");
	sets[0] = "metacubed.nothing_like=1";
	refused("nothing_like: no such setting");
	scratch_remove();
}

static void
secrets(void)
{
	begin();
	scratch_text("conf.d/b.conf", STORE);
	scratch_text("conf.d/a.conf", READER "settings = {\n"
	    "\tsecret = \"xyzzy\";\n\tnumber = \"xyzzy\";\n};\n");
	refused("conf.d/a.conf:3: secret: must have 8 to 64 bytes, not 5\n");
	CU_ASSERT_PTR_NULL(strstr(said, "xyzzy"));
	scratch_remove();
}

static void
host_file(void)
{
	const char *sets[2];
	char dir[600], modules[600];
	struct conf_set *set;

	begin();
	args.file = scratch_path("absent.conf");
	refused("absent.conf: No such file or directory\n");
	CU_ASSERT_PTR_NULL(strstr(said, "conf_dir"));
	snprintf(dir, sizeof(dir), "metacubed.conf_dir=%s",
	    scratch_path("conf.d"));
	snprintf(modules, sizeof(modules), "metacubed.module_dir=%s",
	    scratch_path("modules"));
	sets[0] = dir;
	sets[1] = modules;
	args.sets = sets;
	args.nsets = 2;
	scratch_text("conf.d/a.conf", STORE "x = 1;");
	refused("conf.d/a.conf:2: x: no such setting here");
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "absent.conf: "));
	unlink(scratch_path("conf.d/a.conf"));
	scratch_text("empty.conf", "");
	args.file = scratch_path("empty.conf");
	set = set_read();
	CU_ASSERT_PTR_NOT_NULL(set);
	conf_free(&set);
	sets[0] = "metacubed.conf_dir=/nonexistent";
	refused("empty.conf: conf_dir: /nonexistent: No such file or "
	    "directory\n");
	scratch_remove();
}

static void
file_kinds(void)
{
	char *large = calloc(1, 300000);

	begin();
	memset(large, ' ', 300000 - 1);
	scratch_text("conf.d/a.conf", large);
	scratch_folder("conf.d/b.conf");
	CU_ASSERT_EQUAL(mkfifo(scratch_path("conf.d/c.conf"), 0600), 0);
	CU_ASSERT_EQUAL(symlink("nowhere", scratch_path("conf.d/d.conf")), 0);
	CU_ASSERT_PTR_NULL(set_read());
	CU_ASSERT_STRING_EQUAL(said,
	    "conf.d/a.conf: is larger than 256 KiB, too large for a "
	    "configuration file\n"
	    "conf.d/b.conf: is not a regular file\n"
	    "conf.d/c.conf: is not a regular file\n"
	    "conf.d/d.conf: No such file or directory\n");
	free(large);
	scratch_remove();
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "no instances are fine", empty },
		{ "files in any order, instances in that of needs", ordered },
		{ "what editors and packages leave is ignored", leftovers },
		{ "a file that is not enabled is not looked into", disabled },
		{ "all errors of all files at once", all_errors },
		{ "names of instances and modules", names },
		{ "groups are groups, scalars are not", groups },
		{ "use names the provider", use },
		{ "a missing provider, and what could be one", missing },
		{ "--set comes before the file", overrides },
		{ "a secret in the wrong place is not repeated", secrets },
		{ "the host's own file", host_file },
		{ "only regular files of reasonable size", file_kinds },
		{ NULL, NULL }
	};

	return cutap_run("conf", tests);
}
