/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "engine/ntfs_sd.h"
#include "tests/unit/sd_util.h"

#define SYSTEM "5-18"
#define ADMINS "5-32-544"
#define USERS "5-32-545"
#define AUTHENTICATED "5-11"
#define CREATOR "3-0"
#define CREATOR_GROUP "3-1"
#define INSTALLER "5-80-956008885-3418522649-1831038044-1853292631-2271478464"

#define OI 1
#define CI 2
#define NP 4
#define IO 8

#define OWNED "O:5-32-544 G:5-18"

/* System32 and its folders */
static const struct sd_ace system32[] = {
    { 0, 0, 0x1f01ff, INSTALLER },
    { 0, CI | IO, 0x10000000, INSTALLER },
    { 0, 0, 0x1301bf, SYSTEM },
    { 0, OI | CI | IO, 0x10000000, SYSTEM },
    { 0, 0, 0x1301bf, ADMINS },
    { 0, OI | CI | IO, 0x10000000, ADMINS },
    { 0, 0, 0x1200a9, USERS },
    { 0, OI | CI | IO, 0xa0000000, USERS },
    { 0, OI | CI | IO, 0x10000000, CREATOR },
};

/* C:\ lets everybody who has logged on make folders, and change what is in them */
static const struct sd_ace root[] = {
    { 0, OI | CI, 0x1f01ff, ADMINS },  { 0, OI | CI, 0x1f01ff, SYSTEM },
    { 0, OI | CI, 0x1200a9, USERS },   { 0, OI | CI | IO, 0x1301bf, AUTHENTICATED },
    { 0, 0, 0x100004, AUTHENTICATED },
};

static const struct sd_ace odd[] = {
    { 1, OI | NP, 0x2, USERS },         /* deny: files in it, and no further */
    { 0, CI | NP, 0x40000000, USERS },  /* folders in it, and no further */
    { 0, OI, 0x1200a9, AUTHENTICATED }, /* files below, at any depth */
    { 0, CI, 0x10000000, CREATOR_GROUP },
};

static const struct sd_ace nothing[] = { { 0, 0, 0x1f01ff, "1-0" } };

static const struct sd_ace audit[] = {
    { 2, OI | CI | 0xc0, 0x116, "1-0" }, { 0x11, OI, 1, "16-12288" }, /* integrity: high */
};

#define LIST(aces)                                                                                 \
    {                                                                                              \
        aces, ARRAY_SIZE(aces)                                                                     \
    }

static const struct {
    const char *label;
    struct sd_list dacl, sacl;
    bool is_folder;
    const char *want;
} cases[] = {
    { "a driver",
      LIST(system32),
      { 0 },
      false,
      "8404 " OWNED " D:(0;10;1f01ff;5-18)(0;10;1f01ff;5-32-544)(0;10;1200a9;5-32-545)" },
    { "a folder of System32",
      LIST(system32),
      { 0 },
      true,
      "8404 " OWNED " D:(0;10;1f01ff;" INSTALLER ")(0;1a;10000000;" INSTALLER ")"
      "(0;10;1f01ff;5-18)(0;1b;10000000;5-18)(0;10;1f01ff;5-32-544)(0;1b;10000000;5-32-544)"
      "(0;10;1200a9;5-32-545)(0;1b;a0000000;5-32-545)(0;1b;10000000;3-0)" },
    { "a file of C:",
      LIST(root),
      { 0 },
      false,
      "8404 " OWNED " D:(0;10;1f01ff;5-32-544)(0;10;1f01ff;5-18)(0;10;1200a9;5-32-545)"
      "(0;10;1301bf;5-11)" },
    { "a folder of C:",
      LIST(root),
      { 0 },
      true,
      "8404 " OWNED " D:(0;13;1f01ff;5-32-544)(0;13;1f01ff;5-18)(0;13;1200a9;5-32-545)"
      "(0;13;1301bf;5-11)" },
    { "files below",
      LIST(odd),
      { 0 },
      false,
      "8404 " OWNED " D:(1;10;2;5-32-545)(0;10;1200a9;5-11)" },
    { "folders below",
      LIST(odd),
      { 0 },
      true,
      "8404 " OWNED " D:(0;10;120116;5-32-545)(0;19;1200a9;5-11)(0;10;1f01ff;5-18)"
      "(0;1a;10000000;3-1)" },
    { "nothing is handed down",
      LIST(nothing),
      { 0 },
      false,
      "8004 " OWNED " D:(0;0;1f01ff;5-18)(0;0;1f01ff;5-32-544)" },
    { "no list at all",
      { 0 },
      { 0 },
      true,
      "8004 " OWNED " D:(0;0;1f01ff;5-18)(0;0;1f01ff;5-32-544)" },
    { "audit", LIST(nothing), LIST(audit), false,
      "8814 " OWNED " S:(2;d0;116;1-0)(11;10;1;16-12288)"
      " D:(0;0;1f01ff;5-18)(0;0;1f01ff;5-32-544)" },
    { "audit of folders", LIST(nothing), LIST(audit), true,
      "8814 " OWNED " S:(2;d3;116;1-0)(11;19;1;16-12288)"
      " D:(0;0;1f01ff;5-18)(0;0;1f01ff;5-32-544)" },
};

static void what_is_handed_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf parent = { 0 }, child = { 0 };
        char *text;

        print_message("case: %s\n", cases[i].label);
        sd_build(0, &cases[i].dacl, &cases[i].sacl, &parent);
        assert_int_equal(ntfs_sd_inherit(parent.data, parent.len, cases[i].is_folder, &child), 0);
        text = sd_show(child.data);
        assert_string_equal(text, cases[i].want);
        free(text);
        strbuf_done(&parent);
        strbuf_done(&child);
    }
}

static void a_private_one_is_for_nobody_else(void **state)
{
    struct strbuf sd = { 0 }, child = { 0 };
    char *text;

    (void)state;
    ntfs_sd_private(true, &sd);
    text = sd_show(sd.data);
    assert_string_equal(text, "9004 " OWNED " D:(0;3;1f01ff;5-18)(0;3;1f01ff;5-32-544)");
    free(text);
    assert_int_equal(ntfs_sd_inherit(sd.data, sd.len, false, &child), 0);
    text = sd_show(child.data);
    assert_string_equal(text, "8404 " OWNED " D:(0;10;1f01ff;5-18)(0;10;1f01ff;5-32-544)");
    free(text);
    ntfs_sd_private(false, &sd);
    text = sd_show(sd.data);
    assert_string_equal(text, "9004 " OWNED " D:(0;0;1f01ff;5-18)(0;0;1f01ff;5-32-544)");
    free(text);
    strbuf_done(&sd);
    strbuf_done(&child);
}

/* Whatever is cut off or wrong in a length or an offset: nothing is read beyond the end. */
static void damage_is_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } damage[] = {
        { 0, 2 },                          /* revision */
        { 3, 0 },                          /* not self-relative */
        { 16, 8 },                         /* the list lies in the header */
        { 18, 1 },                         /* ... beyond the end */
        { 44 + 2, 4 },                     /* its size */
        { 44 + 4, 200 },                   /* its count */
        { 44 + 10, 0 },                    /* an entry's size */
        { 44 + 10, 255 }, { 44 + 10, 22 }, /* no multiple of 4 */
        { 44 + 17, 100 },                  /* sub-authorities */
    };
    const struct sd_list dacl = LIST(system32), none = { 0 };
    struct strbuf sd = { 0 }, child = { 0 };

    (void)state;
    sd_build(0, &dacl, &none, &sd);
    assert_int_equal(get_le32(sd.data + 16), 44);
    for (size_t len = 0; len < sd.len; len++) {
        void *cut = malloc(len ? len : 1); /* as long as it is: for the sanitizer */

        assert_non_null(cut);
        memcpy(cut, sd.data, len);
        assert_int_equal(ntfs_sd_inherit(cut, len, true, &child), -EINVAL);
        free(cut);
    }
    for (size_t i = 0; i < ARRAY_SIZE(damage); i++) {
        char was = sd.data[damage[i].at];

        sd.data[damage[i].at] = (char)damage[i].value;
        assert_int_equal(ntfs_sd_inherit(sd.data, sd.len, true, &child), -EINVAL);
        sd.data[damage[i].at] = was;
    }
    assert_int_equal(child.len, 0);
    strbuf_done(&sd);
    strbuf_done(&child);
}

static void what_would_be_too_large_is_refused(void **state)
{
    struct sd_ace *aces = mem_alloc(3000 * sizeof(*aces));
    const struct sd_list dacl = { aces, 3000 }, none = { 0 };
    struct strbuf sd = { 0 }, child = { 0 };

    (void)state;
    for (size_t i = 0; i < 3000; i++)
        aces[i] = (struct sd_ace){ 0, OI | CI, (uint32_t)i, CREATOR };
    sd_build(0, &dacl, &none, &sd);
    assert_int_equal(ntfs_sd_inherit(sd.data, sd.len, true, &child), -EFBIG);
    strbuf_done(&sd);
    strbuf_done(&child);
    free(aces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_handed_down),
        cmocka_unit_test(a_private_one_is_for_nobody_else),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(what_would_be_too_large_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
