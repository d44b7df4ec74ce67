/* SPDX-License-Identifier: MIT */
/*
 * Each file that must not become a module is copied into a folder of the
 * test's own and loaded from there.  That this program is still there
 * afterwards is half of what is tested.
 */
#include "cutap.h"
#include "elfnote.h"
#include "loader.h"
#include "scratch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLIPS	300

static char *good;		/* the bytes of a module that is right */
static size_t good_len;
static const char *folder;

static void
module_copy(const char *name)
{
	char path[512], file[128];
	char *bytes;
	size_t len;

	snprintf(path, sizeof(path), FAKES_DIR "/%s.so", name);
	snprintf(file, sizeof(file), "%s.so", name);
	bytes = scratch_read(path, &len);
	scratch_write(file, bytes, len, 0755);
	free(bytes);
}

/* What was said when it was loaded, "" when it was. */
static const char *
load_from(const char *directory, const char *name)
{
	static char line[2048];
	struct errors errors = { 0 };
	const struct mc_module *module =
	    loader_load(directory, name, "x.conf", 7, &errors);

	CU_ASSERT_EQUAL(module == NULL, errors.count == 1);
	snprintf(line, sizeof(line), "%s",
	    errors.count == 0 ? "" : errors.lines[0]);
	errors_clear(&errors);
	return line;
}

static const char *
load(const char *name)
{
	return load_from(folder, name);
}

#define SAYS(name, text) do { \
	const char *said_ = load(name); \
	CU_ASSERT_PTR_NOT_NULL(strstr(said_, text)); \
	if (strstr(said_, text) == NULL) \
		printf("# said: %s\n", said_); \
} while (0)

static void
loads(void)
{
	struct errors errors = { 0 };
	const struct mc_module *module, *again;

	module_copy("fake_store");
	module = loader_load(folder, "fake_store", NULL, 0, &errors);
	errors_print(&errors, stdout);
	CU_ASSERT_PTR_NOT_NULL_FATAL(module);
	CU_ASSERT_STRING_EQUAL(module->name, "fake_store");
	CU_ASSERT_STRING_EQUAL(loader_file(module),
	    scratch_path("fake_store.so"));
	again = loader_load(folder, "fake_store", NULL, 0, &errors);
	CU_ASSERT_PTR_EQUAL(again, module);
}

static void
several(void)
{
	module_copy("fake_reader");
	CU_ASSERT_STRING_EQUAL(load("fake_reader"), "");
	CU_ASSERT_STRING_EQUAL(load("fake_store"), "");
}

static void
no_file(void)
{
	SAYS("fake_absent", "x.conf:7: module fake_absent: ");
	SAYS("fake_absent", "there is no such file");
	CU_ASSERT_PTR_NOT_NULL(strstr(load_from("/nonexistent", "x"),
	    "the module directory /nonexistent: No such file"));
}

static void
abi(void)
{
	module_copy("fake_older");
	module_copy("fake_newer");
	module_copy("fake_minor");
	SAYS("fake_older", "the module is older than this metacubed (module "
	    "ABI 0.9, host ");
	SAYS("fake_newer", "this metacubed is older than the module (module "
	    "ABI 99.0, host ");
	SAYS("fake_minor", "this metacubed is older than the module");
}

static void
no_note(void)
{
	module_copy("fake_nonote");
	SAYS("fake_nonote", "carries no MetaCube note");
}

static void
no_symbol(void)
{
	module_copy("fake_nosymbol");
	SAYS("fake_nosymbol", "has no symbol metacube_module");
}

static void
bad_descriptor(void)
{
	module_copy("fake_liar");
	module_copy("fake_badkeys");
	SAYS("fake_liar", "the module in it is named fake_honest, not "
	    "fake_liar");
	SAYS("fake_badkeys", "its descriptor is wrong: a key whose own "
	    "default is not acceptable");
}

static void
violent(void)
{
	module_copy("fake_crash");
	module_copy("fake_exit");
	SAYS("fake_crash", "is damaged: trying to load it ended with signal");
	SAYS("fake_exit", "is damaged: trying to load it ended the process "
	    "(status 0)");
}

static void
hangs(void)
{
	module_copy("fake_hang");
	loader_patience_set(300);
	SAYS("fake_hang", "is damaged: loading it did not end within");
	loader_patience_set(LOADER_PROBE_MS);
}

static void
permissions(void)
{
	scratch_write("fake_group.so", good, good_len, 0775);
	scratch_write("fake_world.so", good, good_len, 0757);
	SAYS("fake_group", "can be written by others (chmod go-w)");
	SAYS("fake_world", "can be written by others (chmod go-w)");
	scratch_folder("open");
	chmod(scratch_path("open"), 0777);
	CU_ASSERT_PTR_NOT_NULL(strstr(load_from(scratch_path("open"), "x"),
	    "can be written by others"));
}

static void
kinds(void)
{
	CU_ASSERT_EQUAL(symlink(FAKES_DIR "/fake_store.so",
	    scratch_path("fake_link.so")), 0);
	CU_ASSERT_EQUAL(mkfifo(scratch_path("fake_pipe.so"), 0600), 0);
	scratch_folder("fake_folder.so");
	SAYS("fake_link", "is a symbolic link");
	SAYS("fake_pipe", "is not a regular file");
	SAYS("fake_folder", "is not a regular file");
}

static void
foreign(void)
{
	char *own, text[100];
	size_t len;

	scratch_write("fake_empty.so", "", 0, 0755);
	memset(text, '#', sizeof(text));
	scratch_write("fake_text.so", text, sizeof(text), 0755);
	SAYS("fake_empty", "is too short for a module");
	SAYS("fake_text", "is not an ELF file");
	own = malloc(good_len);
	memcpy(own, good, good_len);
	own[18] ^= 0x55;		/* e_machine */
	scratch_write("fake_alien.so", own, good_len, 0755);
	SAYS("fake_alien", "was built for another kind of processor");
	free(own);
	own = scratch_read(FAKES_DIR "/../../../config.status", &len);
	scratch_write("fake_script.so", own, len, 0755);
	SAYS("fake_script", "is not an ELF file");
	free(own);
}

/* The name in the descriptor is fake_store: whatever is loaded in the end
 * cannot be taken for fake_cut. */
static void
truncated(void)
{
	for (size_t len = 0; len < good_len;
	    len += 1 + good_len / 200) {
		scratch_write("fake_cut.so", good, len, 0755);
		CU_ASSERT_STRING_NOT_EQUAL(load("fake_cut"), "");
	}
}

static void
flipped(void)
{
	char *bytes = malloc(good_len);
	unsigned seed = 20261121;

	loader_patience_set(2000);
	for (unsigned i = 0; i < FLIPS; i++) {
		memcpy(bytes, good, good_len);
		for (unsigned n = 0; n <= i % 8; n++) {
			/* most of them where the loader looks first */
			seed = seed * 1103515245 + 12345;
			bytes[(seed >> 8) % (i % 2 == 0 ? 1024 : good_len)] ^=
			    (char)(1 << (seed >> 4) % 8);
		}
		scratch_write("fake_flip.so", bytes, good_len, 0755);
		CU_ASSERT_STRING_NOT_EQUAL(load("fake_flip"), "");
	}
	loader_patience_set(LOADER_PROBE_MS);
	free(bytes);
}

/* Every length and many a byte: elfnote alone, where sanitizers see it. */
static void
notes(void)
{
	struct elfnote note;
	char *bytes = malloc(good_len);
	size_t head = good_len < 2048 ? good_len : 2048;
	int fd;

	for (size_t at = 0; at < head; at++) {
		memcpy(bytes, good, good_len);
		bytes[at] = (char)0xff;
		scratch_write("note", bytes, good_len, 0600);
		fd = open(scratch_path("note"), O_RDONLY);
		elfnote_read(fd, &note);
		close(fd);
	}
	free(bytes);
	scratch_write("note", good, good_len, 0600);
	fd = open(scratch_path("note"), O_RDONLY);
	CU_ASSERT_PTR_NULL(elfnote_read(fd, &note));
	CU_ASSERT_EQUAL(note.abi_major, MC_ABI_MAJOR);
	CU_ASSERT_EQUAL(note.abi_minor, MC_ABI_MINOR);
	close(fd);
}

static void
names(void)
{
	char **list;
	bool found = false;

	list = loader_names(folder);
	for (char **name = list; *name != NULL; name++) {
		CU_ASSERT_PTR_NULL(strstr(*name, ".so"));
		found |= strcmp(*name, "fake_store") == 0;
		if (name != list)
			CU_ASSERT(strcmp(name[-1], *name) < 0);
	}
	CU_ASSERT(found);
	free(list);
	list = loader_names("/nonexistent");
	CU_ASSERT_PTR_NULL(list[0]);
	free(list);
}

static void
seal(void)
{
	module_copy("fake_proxy");
	loader_seal();
	SAYS("fake_proxy", "a further module needs a restart");
	CU_ASSERT_STRING_EQUAL(load("fake_store"), "");
}

int
main(void)
{
	static const struct cutap_test tests[] = {
		{ "a module is loaded, once", loads },
		{ "a second module is another one", several },
		{ "a file or folder that is not there", no_file },
		{ "another ABI: says which side is older", abi },
		{ "no note: nothing of it has run", no_note },
		{ "no descriptor", no_symbol },
		{ "a descriptor that is not sane", bad_descriptor },
		{ "a module that crashes or exits while loading", violent },
		{ "a module that hangs while loading", hangs },
		{ "files and folders that others may write", permissions },
		{ "symbolic links, pipes and folders", kinds },
		{ "files of other kinds", foreign },
		{ "a truncated module", truncated },
		{ "a module with flipped bits", flipped },
		{ "a note is found in any rubble, or not", notes },
		{ "the list of modules", names },
		{ "after the seal only what is loaded is found", seal },
		{ NULL, NULL }
	};
	int status;

	folder = scratch_make();
	good = scratch_read(FAKES_DIR "/fake_store.so", &good_len);
	status = cutap_run("loader", tests);
	free(good);
	scratch_remove();
	return status;
}
