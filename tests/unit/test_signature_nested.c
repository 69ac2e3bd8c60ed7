/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs with several signatures, the further ones in the first, as osslsigncode nests them. */
#include <string.h>

#include "fixers/windows/pe_parts.h"
#include "tests/unit/signature_util.h"

/* Signs: who, digest, "-nest" or nothing, from, to. Issuers: some authority, Microsoft, themselves.
 */
static const char script[] =
    "set -e\n"
    "cd \"$1\"\n"
    "authority() {\n"
    "    openssl req -x509 -newkey rsa:2048 -nodes -keyout \"$1.ca.key\" -out \"$1.ca\" -subj "
    "\"$2\"\n"
    "    openssl req -newkey rsa:2048 -nodes -keyout \"$1.key\" -out \"$1.csr\" -subj \"/CN=$1\"\n"
    "    openssl x509 -req -in \"$1.csr\" -CA \"$1.ca\" -CAkey \"$1.ca.key\" -set_serial 1 -out "
    "\"$1.pem\"\n"
    "}\n"
    "sign() { osslsigncode sign $3 -h \"$2\" -certs \"$1.pem\" -key \"$1.key\" -in \"$4\" -out "
    "\"$5\"; }\n"
    "authority maker '/O=Authority/CN=Authority'\n"
    "authority microsoft '/O=Microsoft Corporation/CN=Microsoft CA'\n"
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout self.key -out self.pem -subj /CN=self\n"
    "osslsigncode remove-signature -in d/viostor/w10/amd64/viostor.sys -out bare\n"
    "sign maker sha1 '' bare one\n"
    "sign microsoft sha256 -nest one two\n"
    "sign self sha256 -nest one one-self\n"
    "sign microsoft sha256 -nest one-self three\n"
    "sign microsoft sha256 '' bare new\n"
    "sign maker sha1 -nest new new-old\n"
    "sign self sha256 '' bare self\n"
    "sign microsoft sha256 -nest self self-new\n";

static bool is_signed;

static int setup_nested(void **state)
{
    int r = setup(state);

    is_signed =
        is_made && run((const char *const[]){ "bash", "-c", script, "bash", tree.dir, NULL });
    return r;
}

#define MAKER "4 sha1 maker < Authority"
#define MICROSOFT "6 sha256 microsoft < Microsoft CA"
#define SELF "3 sha256 self < self"

/* The first, then what is nested in it: a set, which has no order. */
static void all_signatures_are_read(void **state)
{
    static const struct {
        const char *file, *first, *nested[2];
    } cases[] = {
        { "one", MAKER, { NULL } },
        { "two", MAKER, { MICROSOFT } },
        { "three", MAKER, { SELF, MICROSOFT } },
        { "new-old", MICROSOFT, { MAKER } },
        { "self-new", SELF, { MICROSOFT } },
        { "bare", "0   < ", { NULL } },
    };

    (void)state;
    if (!is_signed)
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct file pe = read_file(cases[i].file);
        struct signature signature;
        struct strlist have = { 0 };

        print_message("case: %s\n", cases[i].file);
        expect(&pe, NULL, cases[i].first);
        for (size_t n = 0; signature_read_nested(pe.bytes, pe.len, n, &signature); n++) {
            assert_true(signature.is_nested);
            strlist_take(&have, show(&signature));
        }
        assert_int_equal(have.n, !!cases[i].nested[0] + !!cases[i].nested[1]);
        for (size_t n = 0; n < have.n; n++)
            assert_true(strlist_has(&have, cases[i].nested[n]));
        strlist_done(&have);
        free(pe.bytes);
    }
}

/* Windows has read what is nested since 8. */
static void the_best_that_windows_reads_counts(void **state)
{
    static const struct {
        const char *file;
        enum boot_verdict old, updated, windows_10;
    } cases[] = {
        { "one", BOOT_YES, BOOT_YES, BOOT_NO_SECURE_BOOT },
        { "two", BOOT_YES, BOOT_YES, BOOT_YES },
        { "one-self", BOOT_YES, BOOT_YES, BOOT_NO_SECURE_BOOT },
        { "three", BOOT_YES, BOOT_YES, BOOT_YES },
        { "new-old", BOOT_NEEDS_UPDATE, BOOT_YES, BOOT_YES },
        { "self", BOOT_NO, BOOT_NO, BOOT_NO },
        { "self-new", BOOT_NO, BOOT_NO, BOOT_YES },
    };
    const struct win_target old = { 6, 1, 7601, WIN_AMD64, false, 0, false };
    const struct win_target updated = { 6, 1, 7601, WIN_AMD64, false, 0, true };
    const struct win_target windows_10 = { 10, 0, 19045, WIN_AMD64, false, 0, false };

    (void)state;
    if (!is_signed)
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct file pe = read_file(cases[i].file);

        print_message("case: %s\n", cases[i].file);
        assert_int_equal(win_program_verdict(pe.bytes, pe.len, &old), cases[i].old);
        assert_int_equal(win_program_verdict(pe.bytes, pe.len, &updated), cases[i].updated);
        assert_int_equal(win_program_verdict(pe.bytes, pe.len, &windows_10), cases[i].windows_10);
        pe.bytes[0x300] ^= 1;
        assert_int_equal(win_program_verdict(pe.bytes, pe.len, &windows_10), BOOT_NO);
        free(pe.bytes);
    }
}

/* What was changed in a nested one is never taken for good; the first one does not cover it. */
static void a_changed_nested_one_does_not_count(void **state)
{
    struct file pe;
    struct pe_parts parts;
    size_t n_read = 0, n_bad = 0;

    (void)state;
    if (!is_signed)
        skip();
    pe = read_file("two");
    assert_true(pe_parts_read(pe.bytes, pe.len, &parts));
    for (size_t i = parts.table; i < parts.table + parts.table_len; i += 7) {
        struct signature signature;

        pe.bytes[i] ^= 0x55;
        if (signature_read_nested(pe.bytes, pe.len, 0, &signature)) {
            n_read++;
            n_bad += signature.kind < SIGNATURE_SELF;
            signature_done(&signature);
        }
        pe.bytes[i] ^= 0x55;
    }
    print_message("%zu read, %zu of them bad\n", n_read, n_bad);
    assert_true(n_bad > 20);
    for (size_t len = 0; len < pe.len; len += 101) {
        struct signature signature;

        assert_false(signature_read_nested(pe.bytes, len, 0, &signature));
    }
    free(pe.bytes);
}

static void a_driver_is_chosen_by_its_further_signature(void **state)
{
    const struct win_target windows_10 = { 10, 0, 19045, WIN_AMD64, false, 0, false };
    static const struct {
        const char *file, *want;
    } cases[] = { { "one", "none 1 -1" }, { "two", "amd64/w10 0 -0" } };

    (void)state;
    if (!is_signed)
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct file pe = read_file(cases[i].file);
        struct virtio_win *source;
        char *have;

        write_file("d/amd64/w10/viostor.sys", &pe);
        source = open_source();
        have = choose(source, "viostor", &windows_10, true);
        assert_string_equal(have, cases[i].want);
        free(have);
        virtio_win_free(source);
        free(pe.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_signatures_are_read),
        cmocka_unit_test(the_best_that_windows_reads_counts),
        cmocka_unit_test(a_changed_nested_one_does_not_count),
        cmocka_unit_test(a_driver_is_chosen_by_its_further_signature),
    };

    return cmocka_run_group_tests(tests, setup_nested, teardown);
}
