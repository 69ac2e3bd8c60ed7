/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who signed drivers, and which of them a Windows starts. Programs are signed by osslsigncode. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/le.h"
#include "fixers/windows/pe_parts.h"
#include "tests/unit/signature_util.h"

static const struct win_target windows_7 = { 6, 1, 7601, WIN_AMD64, false, 0, false };
static const struct win_target windows_81 = { 6, 3, 9600, WIN_AMD64, false, 0, false };
static const struct win_target windows_81_32 = { 6, 3, 9600, WIN_X86, false, 0, false };
static const struct win_target windows_10 = { 10, 0, 19045, WIN_AMD64, false, 0, false };

#define MICROSOFT_NAMES                                                                            \
    " sha256 Microsoft Windows Hardware Compatibility Publisher < "                                \
    "Microsoft Windows Third Party Component CA 2012"
#define MICROSOFT "6" MICROSOFT_NAMES

static void signers(void **state)
{
    static const struct {
        const char *path, *want;
    } cases[] = {
        { "d/viostor/w7/amd64/viostor.sys",
          "4 sha1 Red Hat, Inc. < VeriSign Class 3 Code Signing 2010 CA" },
        { "d/viostor/w7/x86/viostor.sys",
          "4 sha1 Red Hat, Inc. < VeriSign Class 3 Code Signing 2010 CA" },
        { "d/viostor/w8.1/amd64/viostor.sys", "3 sha256 Red Hat Inc. < Red Hat Inc." },
        { "d/vioscsi/w10/ARM64/vioscsi.sys", MICROSOFT },
        { "d/vioscsi/w10/x86/vioscsi.sys", MICROSOFT },
    };

    (void)state;
    if (!is_made)
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct file pe = read_file(cases[i].path);

        print_message("case: %s\n", cases[i].path);
        expect(&pe, NULL, cases[i].want);
        free(pe.bytes);
    }
}

/* Each byte that counts, and those that do not. */
static void changed_files(void **state)
{
    struct file pe, more;
    struct pe_parts parts;
    size_t n_counted = 0;

    (void)state;
    if (!is_made)
        skip();
    pe = read_file("d/viostor/w10/amd64/viostor.sys");
    assert_true(pe_parts_read(pe.bytes, pe.len, &parts));
    for (size_t i = 0x200; i < parts.table; i += 31) {
        struct signature signature;

        pe.bytes[i] ^= 1;
        signature_read(pe.bytes, pe.len, NULL, 0, &signature);
        assert_int_equal(signature.kind, SIGNATURE_TAMPERED);
        signature_done(&signature);
        pe.bytes[i] ^= 1;
        n_counted++;
    }
    assert_true(n_counted > 20);
    pe.bytes[parts.checksum] ^= 1;
    expect(&pe, NULL, MICROSOFT);
    more = (struct file){ mem_alloc(pe.len + 8), pe.len + 8 };
    memcpy(more.bytes, pe.bytes, pe.len);
    expect(&more, NULL, "2" MICROSOFT_NAMES);
    free(more.bytes);
    free(pe.bytes);
}

/* Any change of the signature itself: never taken for good, never a crash. */
static void changed_signatures(void **state)
{
    struct file pe;
    struct pe_parts parts;
    size_t n_good = 0, n = 0;

    (void)state;
    if (!is_made)
        skip();
    pe = read_file("d/viostor/w10/amd64/viostor.sys");
    assert_true(pe_parts_read(pe.bytes, pe.len, &parts));
    for (size_t i = parts.table; i < parts.table + parts.table_len; i += 23) {
        struct signature signature;

        pe.bytes[i] ^= 0x55;
        signature_read(pe.bytes, pe.len, NULL, 0, &signature);
        n_good += signature.kind >= SIGNATURE_CROSS;
        n++;
        signature_done(&signature);
        pe.bytes[i] ^= 0x55;
    }
    /* certificates of authorities are looked at by name only, and some bytes say nothing */
    print_message("%zu of %zu\n", n_good, n);
    assert_true(n_good < n);
    for (size_t len = 0; len < pe.len; len += 101) {
        struct signature signature;

        signature_read(pe.bytes, len, NULL, 0, &signature);
        assert_true(signature.kind < SIGNATURE_SELF);
        signature_done(&signature);
    }
    free(pe.bytes);
}

/* As it was before it was signed. */
static void remove_signature(struct file *pe)
{
    struct pe_parts parts;

    assert_true(pe_parts_read(pe->bytes, pe->len, &parts));
    memset(pe->bytes + parts.security_entry, 0, 8);
    pe->len = parts.table;
}

static void catalogs(void **state)
{
    struct file pe, catalog, other;

    (void)state;
    if (!is_made)
        skip();
    pe = read_file("d/viostor/w7/amd64/viostor.sys");
    catalog = read_file("d/viostor/w7/amd64/viostor.cat");
    other = read_file("d/vioscsi/w7/amd64/vioscsi.cat");
    remove_signature(&pe);
    expect(&pe, NULL, "0   < ");
    expect(&pe, &other, "0   < ");
    expect(&pe, &catalog, "4* sha1 Red Hat, Inc. < VeriSign Class 3 Code Signing 2010 CA");
    *(char *)memmem(catalog.bytes, catalog.len, "250101000000Z", 13) = '1';
    expect(&pe, &catalog, "2* sha1 Red Hat, Inc. < VeriSign Class 3 Code Signing 2010 CA");
    pe.bytes[0x201] ^= 1;
    expect(&pe, &catalog, "0   < ");
    expect(&catalog, &catalog, "1   < ");
    free(pe.bytes);
    free(catalog.bytes);
    free(other.bytes);
}

/* Only who Windows would ask about. */
static void publishers(void **state)
{
    static const struct {
        const char *path;
        bool want;
    } cases[] = {
        { "d/viostor/w7/amd64/viostor.cat", true },
        { "d/viostor/w8.1/amd64/viostor.cat", false }, /* trusted by nobody */
        { "d/viostor/w10/amd64/viostor.cat", false },  /* Microsoft */
        { "d/viostor/w10/amd64/viostor.sys", false },
    };

    (void)state;
    if (!is_made)
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct file file = read_file(cases[i].path);
        unsigned char *der = NULL;
        size_t len = 0;

        print_message("case: %s\n", cases[i].path);
        assert_int_equal(signature_publisher(file.bytes, file.len, &der, &len), cases[i].want);
        if (cases[i].want) {
            assert_true(len > 4 && der[0] == 0x30 && len == 4U + (der[2] << 8 | der[3]));
            assert_non_null(memmem(file.bytes, file.len, der, len));
            assert_non_null(memmem(der, len, "Red Hat, Inc.", 13));
            *(char *)memmem(file.bytes, file.len, "250101000000Z", 13) = '1';
            free(der);
            assert_false(signature_publisher(file.bytes, file.len, &der, &len));
        }
        free(file.bytes);
    }
}

static void versions(void **state)
{
    struct file pe;
    uint16_t version[4] = { 0 };
    char text[24];

    (void)state;
    if (!is_made)
        skip();
    pe = read_file("d/viostor/w7/x86/viostor.sys");
    assert_true(pe_file_version(pe.bytes, pe.len, version));
    assert_string_equal(inf_version_text(version, text), "61.77.104.17200");
    for (size_t i = 0; i < pe.len; i++) { /* whatever is broken, it stays in the file */
        char was = pe.bytes[i];

        pe.bytes[i] = (char)0xff;
        (void)pe_file_version(pe.bytes, pe.len, version);
        pe.bytes[i] = was;
    }
    free(pe.bytes);
    assert_false(pe_file_version("MZ", 2, version));
}

/* A program of a real compiler with a version, and a commercial signature with SHA-256. */
static void real_compiler(void **state)
{
    static const char *const files[] = {
        "a.c", "a.rc", "a.res", "a.sys", "s.sys", "k.pem", "c.pem"
    };
    char *paths[ARRAY_SIZE(files)];
    uint16_t version[4] = { 0 };
    struct file pe;
    char text[24];
    bool made;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        paths[i] = mem_printf("%s/%s", tree.dir, files[i]);
    tree_put(&tree, "/a.c", "int DriverEntry(void){return 0;}\n", 0644);
    tree_put(&tree, "/a.rc", "1 VERSIONINFO\nFILEVERSION 1,2,3,4\nBEGIN\nEND\n", 0644);
    made = is_made &&
           run((const char *const[]){ "x86_64-w64-mingw32-windres", "-O", "coff", paths[1],
                                      paths[2], NULL }) &&
           run((const char *const[]){ "x86_64-w64-mingw32-gcc", "-nostdlib",
                                      "-Wl,--subsystem,native,-e,DriverEntry", "-o", paths[3],
                                      paths[0], paths[2], NULL }) &&
           run((const char *const[]){ "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                                      "-keyout", paths[5], "-out", paths[6], "-subj",
                                      "/O=Some Maker/CN=Some Maker", NULL }) &&
           run((const char *const[]){ "osslsigncode", "sign", "-h", "sha256", "-certs", paths[6],
                                      "-key", paths[5], "-in", paths[3], "-out", paths[4], NULL });
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        free(paths[i]);
    if (!made)
        skip();
    pe = read_file("s.sys");
    expect(&pe, NULL, "3 sha256 Some Maker < Some Maker");
    assert_true(pe_file_version(pe.bytes, pe.len, version));
    assert_string_equal(inf_version_text(version, text), "1.2.3.4");
    free(pe.bytes);
    pe = read_file("a.sys");
    expect(&pe, NULL, "0   < ");
    free(pe.bytes);
}

/* ---- does it start? ---- */

static void chosen(void **state)
{
    static const struct {
        const char *name;
        const struct win_target *target;
        bool secure_boot;
        const char *want;
    } cases[] = {
        { "viostor", &windows_7, false, "viostor/w7/amd64 0 -0" },
        /* the right one is self-signed */
        { "viostor", &windows_81, false, "viostor/w7/amd64 1 -1" },
        { "viostor", &windows_81, true, "none 4 -2" },
        { "netkvm", &windows_81, false, "NetKVM/w7/amd64 1 -1" },
        { "viofs", &windows_81, false, "none 4 -1" }, /* Windows 7 has none */
        /* 32 bits: it would be started, but not be installed */
        { "viostor", &windows_81_32, false, "viostor/w7/x86 0 -1" },
        { "netkvm", &windows_81_32, false, "NetKVM/w7/x86 0 -1" },
        { "viofs", &windows_81_32, false, "viofs/w8.1/x86 3 -1" },
        { "viostor", &windows_10, true, "amd64/w10 0 -0" },
        { "qemufwcfg", &windows_10, true, "none 6 -0" },
        { "fwcfg", &windows_10, true, "fwcfg/w10/amd64 0 -0" },
    };
    struct virtio_win *source;

    (void)state;
    if (!is_made)
        skip();
    source = open_source();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *have = choose(source, cases[i].name, cases[i].target, cases[i].secure_boot);

        assert_string_equal(have, cases[i].want);
        free(have);
    }
    virtio_win_free(source);
}

/* The right folder holds the wrong file, a changed one, none, one that is signed anew. */
static void wrong_files(void **state)
{
    static const char path[] = "d/viostor/w7/amd64/viostor.sys";
    static const struct {
        const char *from; /* "": it is missing */
        size_t change;
        bool has_sha2;
        const char *want;
    } cases[] = {
        { "d/viostor/w7/x86/viostor.sys", 0, true, "none 5 -1" },
        { "d/viostor/w7/amd64/viostor.inf", 0, true, "none 5 -1" },
        { "d/viostor/w7/amd64/viostor.sys", 0x300, true, "none 4 -1" },
        { "d/vioscsi/w10/amd64/vioscsi.sys", 0, true, "viostor/w7/amd64 0 -0" },
        { "d/vioscsi/w10/amd64/vioscsi.sys", 0, false, "none 2 -1" },
        { "", 0, true, "none 6 -1" },
    };
    struct file original;

    (void)state;
    if (!is_made)
        skip();
    original = read_file(path);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct win_target target = windows_7;
        struct virtio_win *source;
        char *have;

        target.has_sha2 = cases[i].has_sha2;
        if (*cases[i].from) {
            struct file file = read_file(cases[i].from);

            file.bytes[cases[i].change] ^= cases[i].change ? 1 : 0;
            write_file(path, &file);
            free(file.bytes);
        } else {
            char *full = mem_printf("%s/%s", tree.dir, path);

            assert_int_equal(unlink(full), 0);
            free(full);
        }
        source = open_source();
        print_message("case %zu\n", i);
        have = choose(source, "viostor", &target, false);
        assert_string_equal(have, cases[i].want);
        free(have);
        virtio_win_free(source);
        write_file(path, &original);
    }
    free(original.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signers),
        cmocka_unit_test(changed_files),
        cmocka_unit_test(changed_signatures),
        cmocka_unit_test(catalogs),
        cmocka_unit_test(publishers),
        cmocka_unit_test(versions),
        cmocka_unit_test(real_compiler),
        cmocka_unit_test(chosen),
        cmocka_unit_test(wrong_files),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
