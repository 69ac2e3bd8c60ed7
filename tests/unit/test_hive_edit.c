/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hives of every shape are changed: what was asked for is there, nothing else has changed, and what
 * libhivex would spoil is refused before it gets to see it. */
#include <errno.h>
#include <stdlib.h>

#include "engine/hive_edit.h"
#include "engine/hive_overlay.h"
#include "tests/unit/hive_dump.h"
#include "tests/unit/hive_make.h"

#define BIG 40000U

static uint8_t big[BIG];

/* \a (with values), \b\{one, two}, \huge (with big data), \many\k0000... in lists of @kind */
static void make_sample(uint32_t minor, const char *kind, struct strbuf *ret)
{
    struct hive_make make;
    uint32_t top[4], two[2], values[3];

    memset(big, 'b', sizeof(big));
    make_begin(&make, minor);
    top[0] = make_key(&make, make.root, "a");
    top[1] = make_key(&make, make.root, "b");
    top[2] = make_key(&make, make.root, "huge");
    top[3] = make_key(&make, make.root, "many");
    make_give(&make, make.root, make_list(&make, kind, top, 4), 4);
    two[0] = make_key(&make, top[1], "one");
    two[1] = make_key(&make, top[1], "two");
    make_give(&make, top[1], make_list(&make, kind, two, 2), 2);
    values[0] = make_value(&make, "Number", REG_DWORD, "\1\0\0\0", 4);
    values[1] = make_value(&make, "Größe", REG_SZ, "x\0\0\0", 4);
    values[2] = make_value(&make, "Long", REG_BINARY, big, HIVE_VALUE_MAX);
    make_values(&make, top[0], values, 3);
    values[0] = make_value(&make, "Huge", REG_BINARY, big, BIG);
    make_values(&make, top[2], values, 1);
    make_many(&make, top[3], kind, "k", 50);
    make_end(&make, 8, 8, ret);
}

static struct hive *open_bytes(const struct strbuf *bytes)
{
    struct strbuf copy = { 0 };
    struct hive *hive = NULL;
    struct err err = ERR_NONE;

    strbuf_add(&copy, bytes->data, bytes->len);
    assert_int_equal(hive_from_bytes(&copy, "TEST", &hive, &err), 0);
    return hive;
}

struct step {
    enum hive_edit_kind kind;
    const char *key, *name;
    uint32_t number;
};

static void make_edits(const struct step *steps, size_t n, struct hive_edit *ret)
{
    for (size_t i = 0; i < n; i++) {
        ret[i] = (struct hive_edit){ .kind = steps[i].kind, .key = mem_strdup(steps[i].key) };
        if (steps[i].name)
            hive_make_u32(&ret[i].value, steps[i].name, steps[i].number);
    }
}

static int edit(struct hive *hive, const struct step *steps, size_t n, struct strbuf *ret,
                struct err *err)
{
    struct hive_edit *edits = mem_alloc((n + 1) * sizeof(*edits));
    int r;

    make_edits(steps, n, edits);
    r = hive_edit(hive, edits, n, ret, err);
    for (size_t i = 0; i < n; i++)
        hive_edit_done(&edits[i]);
    free(edits);
    return r;
}

#define MANY 8

static const struct {
    const char *label;
    struct step steps[MANY];
    const char *diff;
    bool not_in_li; /* it cannot be done there */
} cases[] = {
    { "nothing", { { 0 } }, "", false },
    { "new keys, at both ends and between",
      { { HIVE_ADD_KEY, "0", NULL, 0 },
        { HIVE_ADD_KEY, "a_b", NULL, 0 },
        { HIVE_ADD_KEY, "zz\\x\\y", NULL, 0 },
        { HIVE_ADD_KEY, "many\\k0001x", NULL, 0 } },
      "+0:\n+a_b:\n+many\\k0001x:\n+zz:\n+zz\\x:\n+zz\\x\\y:\n",
      false },
    { "values of a new key",
      { { HIVE_SET, "B\\New\\Key", "One", 1 }, { HIVE_SET, "b\\new\\KEY", "two", 2 } },
      "+b\\New:\n+b\\New\\Key:\n+b\\New\\Key: One = 4:01000000\n+b\\New\\Key: two = 4:02000000\n",
      false },
    { "values of a key that is there",
      { { HIVE_SET, "A", "NUMBER", 5 },
        { HIVE_SET, "a", "", 6 },
        { HIVE_SET, "a", "GRÖßE", 7 },
        { HIVE_SET, "a", "\xe6\x97\xa5\xf0\x9f\x98\x80", 8 } },
      "+a:  = 4:06000000\n+a: Größe = 4:07000000\n+a: Number = 4:05000000\n"
      "+a: \xe6\x97\xa5\xf0\x9f\x98\x80 = 4:08000000\n"
      "-a: Größe = 1:78000000\n-a: Number = 4:01000000\n",
      false },
    { "a value goes", { { HIVE_UNSET, "a", "number", 0 } }, "-a: Number = 4:01000000\n", false },
    { "what is not there goes",
      { { HIVE_UNSET, "a", "x", 0 },
        { HIVE_UNSET, "a\\x", "x", 0 },
        { HIVE_DELETE_KEY, "a\\x\\y", NULL, 0 } },
      "",
      false },
    { "what is so already",
      { { HIVE_SET, "a", "number", 1 }, { HIVE_ADD_KEY, "B\\ONE", NULL, 0 } },
      "",
      false },
    { "the last one counts",
      { { HIVE_SET, "a", "x", 1 },
        { HIVE_SET, "a", "X", 2 },
        { HIVE_SET, "a", "y", 3 },
        { HIVE_UNSET, "a", "Y", 0 } },
      "+a: x = 4:02000000\n",
      false },
    { "a key goes", { { HIVE_DELETE_KEY, "B", NULL, 0 } }, "-b:\n-b\\one:\n-b\\two:\n", true },
    { "big data goes with its key",
      { { HIVE_DELETE_KEY, "huge", NULL, 0 } },
      "-huge:\n-huge: Huge = 3:626262626262626262626262626262626262626262626262+39976,ee949500\n",
      true },
    { "one of many goes",
      { { HIVE_DELETE_KEY, "many\\k0049", NULL, 0 },
        { HIVE_DELETE_KEY, "many\\k0000", NULL, 0 },
        { HIVE_DELETE_KEY, "many\\k0020", NULL, 0 } },
      "-many\\k0000:\n-many\\k0020:\n-many\\k0049:\n",
      true },
    { "what was set goes with its key",
      { { HIVE_SET, "new\\x", "x", 1 }, { HIVE_DELETE_KEY, "new", NULL, 0 } },
      "",
      false },
    { "a key is emptied",
      { { HIVE_SET, "b\\one", "x", 1 },
        { HIVE_DELETE_KEY, "b", NULL, 0 },
        { HIVE_SET, "b\\three", "x", 2 } },
      "+b\\three:\n+b\\three: x = 4:02000000\n-b\\one:\n-b\\two:\n",
      true },
    { "a key gets another spelling",
      { { HIVE_DELETE_KEY, "b\\one", NULL, 0 }, { HIVE_SET, "b\\ONE", "x", 2 } },
      "+b\\ONE:\n+b\\ONE: x = 4:02000000\n-b\\one:\n",
      true },
};

static void try_case(size_t i, uint32_t minor, const char *kind)
{
    struct strbuf bytes = { 0 }, made = { 0 }, again = { 0 };
    struct err err = ERR_NONE;
    struct hive *old, *new;
    size_t n = 0;
    char *diff, text[2048];
    int r;

    print_message("case: %s, %s, 1.%u\n", cases[i].label, kind, minor);
    while (n < MANY && cases[i].steps[n].key)
        n++;
    make_sample(minor, kind, &bytes);
    old = open_bytes(&bytes);
    r = edit(old, cases[i].steps, n, &made, &err);
    if (cases[i].not_in_li && strcmp(kind, "li") == 0) {
        assert_int_equal(r, -EOPNOTSUPP);
        assert_int_equal(made.len, 0);
    } else {
        if (r < 0)
            fail_msg("%s", err_text(&err, text, sizeof(text)));
        new = open_bytes(&made);
        assert_int_equal(hive_recovery(new)->state, REGF_CLEAN);
        assert_int_equal(hive_check(new, &err), 0);
        diff = hive_diff(old, new);
        assert_string_equal(diff, cases[i].diff);
        free(diff);
        if (!*cases[i].diff) {
            assert_int_equal(made.len, bytes.len);
            assert_memory_equal(made.data, bytes.data, bytes.len);
        }
        hive_free(new);
    }
    hive_free(old);
    strbuf_done(&again);
    strbuf_done(&made);
    strbuf_done(&bytes);
}

static void edits_do_what_they_say(void **state)
{
    static const char *const kinds[] = { "lf", "lh", "li" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++)
            for (uint32_t minor = 3; minor <= 5; minor += 2)
                try_case(i, minor, kinds[kind]);
}

static void what_would_be_spoilt_is_refused(void **state)
{
    static const struct {
        struct step step;
        int r;
        const char *what;
    } refused[] = {
        { { HIVE_SET, "huge", "x", 1 }, -EOPNOTSUPP, "\"Huge\" of 40000 bytes" },
        { { HIVE_ADD_KEY, "a\\Größe", NULL, 0 }, -EOPNOTSUPP, "not ASCII" },
        { { HIVE_DELETE_KEY, "", NULL, 0 }, -EINVAL, "root" },
        { { HIVE_DELETE_KEY, "\\", NULL, 0 }, -EINVAL, "root" },
    };
    struct hive_edit large = { .kind = HIVE_SET, .key = mem_strdup("a") };
    struct strbuf bytes = { 0 }, made = { 0 };
    struct err err = ERR_NONE;
    struct hive *hive;
    char text[2048];

    (void)state;
    make_sample(5, "lh", &bytes);
    hive = open_bytes(&bytes);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        assert_int_equal(edit(hive, &refused[i].step, 1, &made, &err), refused[i].r);
        if (!strstr(err_text(&err, text, sizeof(text)), refused[i].what))
            fail_msg("%s", text);
        err_clear(&err);
    }
    hive_make_data(&large.value, "x", REG_BINARY, big, HIVE_VALUE_MAX + 1);
    assert_int_equal(hive_edit(hive, &large, 1, &made, &err), -EOPNOTSUPP);
    err_clear(&err);
    large.value.len--;
    assert_int_equal(hive_edit(hive, &large, 1, &made, &err), 0);
    hive_edit_done(&large);
    hive_free(hive);
    strbuf_done(&made);
    strbuf_done(&bytes);
}

static void names_have_an_end(void **state)
{
    struct hive_edit change = { .kind = HIVE_ADD_KEY };
    struct strbuf bytes = { 0 }, made = { 0 };
    struct err err = ERR_NONE;
    struct hive *hive;

    (void)state;
    make_empty(5, &bytes);
    hive = open_bytes(&bytes);
    for (size_t len = 254; len <= 257; len++) {
        change.key = mem_alloc(len + 1);
        memset(change.key, 'k', len);
        assert_int_equal(hive_edit(hive, &change, 1, &made, &err), len <= 255 ? 0 : -EINVAL);
        hive_edit_done(&change);
        change.kind = HIVE_ADD_KEY;
        strbuf_done(&made);
        err_clear(&err);
    }
    for (size_t depth = 511; depth <= 512; depth++) {
        change.key = mem_alloc(2 * depth + 1);
        for (size_t i = 0; i < depth; i++)
            memcpy(change.key + 2 * i, "d\\", 2);
        assert_int_equal(hive_edit(hive, &change, 1, &made, &err), depth < 512 ? 0 : -EINVAL);
        hive_edit_done(&change);
        change.kind = HIVE_ADD_KEY;
        strbuf_done(&made);
        err_clear(&err);
    }
    hive_free(hive);
    strbuf_done(&bytes);
}

/* What was recovered is in the result, and no log counts any more. */
static void dirty_hives_become_clean(void **state)
{
    static const struct step step = { HIVE_SET, "new", "x", 1 };

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct strbuf bytes = { 0 }, made = { 0 };
        struct err err = ERR_NONE;
        struct regf_base base;
        struct hive_make make;
        struct hive *hive;

        make_begin(&make, 5);
        make_end(&make, 9, 7, &bytes);
        hive = open_bytes(&bytes);
        assert_int_equal(hive_recovery(hive)->state, REGF_NO_LOG);
        assert_int_equal(edit(hive, &step, n, &made, &err), 0);
        assert_true(regf_base_parse(made.data, made.len, &base));
        assert_false(regf_is_dirty(&base));
        assert_int_equal(base.seq1, 10);
        assert_int_equal(made.len, REGF_BASE_LEN + base.bins_size);
        hive_free(hive);
        strbuf_done(&made);
        strbuf_done(&bytes);
    }
}

/* Lists in a list, of each kind, some thousand keys. */
static void many_keys(void **state)
{
    static const char *const kinds[] = { "lf", "lh", "li" };
    static const struct step steps[] = {
        { HIVE_SET, "a", "x", 1 },
        { HIVE_ADD_KEY, "k01200x", NULL, 0 },
        { HIVE_ADD_KEY, "k00999x", NULL, 0 },
        { HIVE_ADD_KEY, "z", NULL, 0 },
        { HIVE_SET, "k02999", "y", 2 },
        { HIVE_DELETE_KEY, "k01500", NULL, 0 },
        { HIVE_DELETE_KEY, "k00000", NULL, 0 },
    };

    (void)state;
    for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
        size_t n = ARRAY_SIZE(steps) - (kind == 2 ? 2 : 0); /* no deletions from "li" */
        struct strbuf bytes = { 0 }, made = { 0 };
        struct err err = ERR_NONE;
        uint32_t lists[3], keys[1000];
        struct hive_make make;
        struct hive *old, *new;
        char *diff, text[2048];

        make_begin(&make, 5);
        for (size_t i = 0; i < 3; i++) {
            for (size_t j = 0; j < 1000; j++) {
                char name[16];

                (void)snprintf(name, sizeof(name), "k%05zu", i * 1000 + j);
                keys[j] = make_key(&make, make.root, name);
            }
            lists[i] = make_list(&make, kinds[kind], keys, 1000);
        }
        make_give(&make, make.root, make_index(&make, lists, 3), 3000);
        make_end(&make, 1, 1, &bytes);
        old = open_bytes(&bytes);
        if (edit(old, steps, n, &made, &err) < 0)
            fail_msg("%s", err_text(&err, text, sizeof(text)));
        new = open_bytes(&made);
        diff = hive_diff(old, new);
        assert_string_equal(diff, kind == 2 ? "+a:\n+a: x = 4:01000000\n+k00999x:\n+k01200x:\n"
                                              "+k02999: y = 4:02000000\n+z:\n"
                                            : "+a:\n+a: x = 4:01000000\n+k00999x:\n+k01200x:\n"
                                              "+k02999: y = 4:02000000\n+z:\n-k00000:\n-k01500:\n");
        free(diff);
        hive_free(new);
        hive_free(old);
        strbuf_done(&made);
        strbuf_done(&bytes);
    }
}

/* A hive that is damaged anywhere is not changed. */
static void damaged_hives_stay(void **state)
{
    static const struct step step = { HIVE_SET, "b\\one", "x", 1 };
    struct strbuf good = { 0 };
    size_t n_refused = 0;

    (void)state;
    make_sample(5, "lh", &good);
    for (size_t pos = REGF_BASE_LEN; pos < REGF_BASE_LEN + 1200; pos += 4) {
        struct strbuf copy = { 0 }, made = { 0 };
        struct err err = ERR_NONE;
        struct hive *hive = NULL;

        strbuf_add(&copy, good.data, good.len);
        put_le32(copy.data + pos, get_le32(copy.data + pos) ^ 0x00010101);
        if (hive_from_bytes(&copy, "TEST", &hive, &err) < 0) {
            strbuf_done(&copy);
            n_refused++;
            continue;
        }
        if (edit(hive, &step, 1, &made, &err) < 0) {
            assert_int_equal(made.len, 0);
            n_refused++;
        } else {
            struct hive *new = open_bytes(&made);

            assert_int_equal(hive_check(new, &err), 0);
            assert_int_equal(hive_has_key(new, "b\\one", &err), 1);
            hive_free(new);
        }
        hive_free(hive);
        strbuf_done(&made);
    }
    assert_true(n_refused > 80);
    strbuf_done(&good);
}

/* libhivex ends the process over a value that is empty, and has a cell for its data all the same.
 */
static void an_abort_is_an_error(void **state)
{
    static const struct step step = { HIVE_SET, "", "x", 1 };
    struct strbuf bytes = { 0 }, made = { 0 };
    struct err err = ERR_NONE;
    struct hive_make make;
    struct hive *hive;
    uint32_t value;
    char text[2048];

    (void)state;
    make_begin(&make, 5);
    value = make_value(&make, "v", REG_BINARY, big, 8);
    put_le32(make_at(&make, value) + 4, 0);
    put_le32(make_at(&make, value) + 8, 0xffffffff);
    make_values(&make, make.root, &value, 1);
    make_end(&make, 1, 1, &bytes);
    hive = open_bytes(&bytes);
    assert_int_equal(hive_check(hive, &err), 0);
    assert_int_equal(edit(hive, &step, 1, &made, &err), -EBADMSG);
    if (!strstr(err_text(&err, text, sizeof(text)), "ended by signal 6"))
        fail_msg("%s", text);
    assert_int_equal(made.len, 0);
    hive_free(hive);
    strbuf_done(&bytes);
}

/* The comparison itself sees what an edit did not ask for. */
static void comparing_sees_changes(void **state)
{
    static const struct {
        const char *what;
        struct step done, said;
    } lies[] = {
        { "appeared", { HIVE_ADD_KEY, "b\\x", NULL, 0 }, { HIVE_ADD_KEY, "b", NULL, 0 } },
        { "appeared", { HIVE_ADD_KEY, "z", NULL, 0 }, { HIVE_ADD_KEY, "b", NULL, 0 } },
        { "missing", { HIVE_DELETE_KEY, "b\\two", NULL, 0 }, { HIVE_ADD_KEY, "b", NULL, 0 } },
        { "appeared", { HIVE_DELETE_KEY, "b", NULL, 0 }, { HIVE_ADD_KEY, "b", NULL, 0 } },
        { "missing", { HIVE_ADD_KEY, "b", NULL, 0 }, { HIVE_ADD_KEY, "b\\x", NULL, 0 } },
        { "appeared", { HIVE_ADD_KEY, "b", NULL, 0 }, { HIVE_DELETE_KEY, "b", NULL, 0 } },
        { "other values", { HIVE_SET, "b\\two", "x", 1 }, { HIVE_ADD_KEY, "b", NULL, 0 } },
        { "another value", { HIVE_SET, "a", "Number", 7 }, { HIVE_ADD_KEY, "b", NULL, 0 } },
        { "not what", { HIVE_SET, "a", "Number", 7 }, { HIVE_SET, "a", "Number", 8 } },
        { "values are", { HIVE_ADD_KEY, "b", NULL, 0 }, { HIVE_SET, "b", "x", 1 } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        struct strbuf bytes = { 0 }, made = { 0 };
        struct hive_overlay overlay = { 0 };
        struct err err = ERR_NONE;
        struct hive *old, *new;
        struct hive_edit said;
        char text[2048];

        print_message("case: %s (%zu)\n", lies[i].what, i);
        make_sample(5, "lh", &bytes);
        old = open_bytes(&bytes);
        assert_int_equal(edit(old, &lies[i].done, 1, &made, &err), 0);
        new = open_bytes(&made);
        make_edits(&lies[i].said, 1, &said);
        assert_int_equal(overlay_add(&overlay, &said, 1, &err), 0);
        assert_int_equal(overlay_resolve(&overlay, old, &err), 0);
        assert_int_equal(hive_compare(old, new, &overlay, &err), -EBADMSG);
        if (!strstr(err_text(&err, text, sizeof(text)), lies[i].what))
            fail_msg("%s", text);
        overlay_done(&overlay);
        hive_edit_done(&said);
        hive_free(new);
        hive_free(old);
        strbuf_done(&made);
        strbuf_done(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_do_what_they_say),
        cmocka_unit_test(what_would_be_spoilt_is_refused),
        cmocka_unit_test(names_have_an_end),
        cmocka_unit_test(dirty_hives_become_clean),
        cmocka_unit_test(many_keys),
        cmocka_unit_test(damaged_hives_stay),
        cmocka_unit_test(an_abort_is_an_error),
        cmocka_unit_test(comparing_sees_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
