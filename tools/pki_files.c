/* SPDX-License-Identifier: MIT */
/*
 * pki_files - the folder with the CA and what it has issued.
 *
 *	DIR/ca.key, DIR/ca.pem		the CA: keep the key where nobody is
 *	DIR/NAME.key, DIR/NAME.pem	one server
 *
 * Files appear whole or not at all, and an existing one is only replaced with
 * --force.
 */
#include "pki.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void
file_path(char *out, size_t size, const char *dir, const char *name,
    const char *suffix)
{
	snprintf(out, size, "%s/%s%s", dir, name, suffix);
}

static bool
write_all(int fd, const gnutls_datum_t *data)
{
	size_t done = 0;
	ssize_t n;

	while (done < data->size) {
		n = write(fd, data->data + done, data->size - done);
		if (n == -1 && errno != EINTR)
			return false;
		if (n > 0)
			done += (size_t)n;
	}
	return fsync(fd) == 0;
}

/* link() does not replace what is there, rename() does. */
static bool
put_in_place(const char *from, const char *to, bool force)
{
	bool fine = force ? rename(from, to) == 0 : link(from, to) == 0;
	int error = errno;

	unlink(from);
	if (fine)
		return true;
	if (error == EEXIST)
		return pki_complain("%s is there already (--force replaces it)",
		    to);
	return pki_complain("cannot write %s: %s", to, strerror(error));
}

static bool
write_file(const char *path, mode_t mode, const gnutls_datum_t *data,
    bool force)
{
	char draft[4200];
	bool fine;
	int fd, error;

	snprintf(draft, sizeof(draft), "%s.new.%ld", path, (long)getpid());
	unlink(draft);
	fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd == -1)
		return pki_complain("cannot write %s: %s", path,
		    strerror(errno));
	fine = write_all(fd, data) && fchmod(fd, mode) == 0;
	error = errno;
	close(fd);
	if (fine)
		return put_in_place(draft, path, force);
	unlink(draft);
	return pki_complain("cannot write %s: %s", path, strerror(error));
}

static bool
is_absent(const char *dir, const char *name, const char *suffix)
{
	char path[4096];

	file_path(path, sizeof(path), dir, name, suffix);
	return access(path, F_OK) == -1 ||
	    pki_complain("%s is there already (--force replaces it)", path);
}

bool
pki_absent(const char *dir, const char *name)
{
	return is_absent(dir, name, ".key") && is_absent(dir, name, ".pem");
}

bool
pki_save(const char *dir, const char *name, const struct pki_pair *pair,
    bool force)
{
	gnutls_datum_t key = { 0 }, crt = { 0 };
	char key_path[4096], crt_path[4096];
	bool fine;

	file_path(key_path, sizeof(key_path), dir, name, ".key");
	file_path(crt_path, sizeof(crt_path), dir, name, ".pem");
	fine = pki_works(gnutls_x509_privkey_export2_pkcs8(pair->key,
	    GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &key), "the key") &&
	    pki_works(gnutls_x509_crt_export2(pair->crt, GNUTLS_X509_FMT_PEM,
	    &crt), "the certificate") &&
	    write_file(key_path, 0600, &key, force) &&
	    write_file(crt_path, 0644, &crt, force);
	if (key.data != NULL)
		gnutls_memset(key.data, 0, key.size);
	gnutls_free(key.data);
	gnutls_free(crt.data);
	if (fine)
		printf("%s\n%s\n", key_path, crt_path);
	return fine;
}

static bool
read_file(const char *dir, const char *suffix, gnutls_datum_t *data)
{
	char path[4096];

	file_path(path, sizeof(path), dir, "ca", suffix);
	return gnutls_load_file(path, data) == 0 ||
	    pki_complain("cannot read %s: %s%s", path, strerror(errno),
	    errno == ENOENT ? " (metacubectl pki init makes one)" : "");
}

static bool
import_ca(const char *dir, struct pki_pair *ca, const gnutls_datum_t *key,
    const gnutls_datum_t *crt)
{
	int error = gnutls_x509_privkey_import2(ca->key, key,
	    GNUTLS_X509_FMT_PEM, NULL, 0);

	if (error < 0)
		return pki_complain("%s/ca.key holds no private key: %s", dir,
		    gnutls_strerror(error));
	error = gnutls_x509_crt_import(ca->crt, crt, GNUTLS_X509_FMT_PEM);
	if (error < 0)
		return pki_complain("%s/ca.pem holds no certificate: %s", dir,
		    gnutls_strerror(error));
	if (gnutls_x509_crt_get_expiration_time(ca->crt) < time(NULL))
		return pki_complain("the CA in %s has expired", dir);
	return true;
}

bool
pki_load_ca(const char *dir, struct pki_pair *ca)
{
	gnutls_datum_t key = { 0 }, crt = { 0 };
	bool fine = read_file(dir, ".key", &key) &&
	    read_file(dir, ".pem", &crt) && import_ca(dir, ca, &key, &crt);

	if (key.data != NULL)
		gnutls_memset(key.data, 0, key.size);
	gnutls_free(key.data);
	gnutls_free(crt.data);
	return fine;
}
