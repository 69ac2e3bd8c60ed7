/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Letters of drives: what inspection makes of MountedDevices, and what the fixer makes of that. */
#include "fixers/windows/windows.h"
#include "inspect/windows/windows.h"
#include "tests/unit/win_util.h"

#define SOFTWARE "/Windows/System32/config/SOFTWARE"
#define BLANK8 "00,00,00,00,00,00,00,00"
#define BLANK16 BLANK8 "," BLANK8
#define ROOT_BYTES "2a,9f,7c,8d,3c,1b,5e,4d,8f,60,71,82,93,a4,b5,c6"

/* ---- what is found ---- */

/* Of the letters in @entries, which become those of @guest. */
static void find_drives(struct win_guest *guest)
{
    struct fact_windows *windows = guest->facts->windows;
    struct win_reader reader = { .root = guest->tree.root,
                                 .facts = guest->facts,
                                 .windows = windows };
    struct err err = ERR_NONE;

    for (size_t i = 0; i < windows->n_drives; i++) {
        free(windows->drives[i].letter);
        free(windows->drives[i].device);
    }
    windows->n_drives = 0;
    assert_int_equal(hive_open(guest->tree.root, WIN_SYSTEM, &reader.system, &err), 0);
    windows_drives(&reader);
    hive_free(reader.system);
}

/* "C=/dev/sda2 D= " */
static char *drives_text(const struct win_guest *guest)
{
    const struct fact_windows *windows = guest->facts->windows;
    struct strbuf text = { 0 };

    for (size_t i = 0; i < windows->n_drives; i++)
        strbuf_printf(&text, "%s=%s ", windows->drives[i].letter, windows->drives[i].device);
    return strbuf_take(&text);
}

static void volumes_of_dynamic_disks_have_letters(void **state)
{
    struct win_guest guest;
    struct fact_device *device;
    char *text;

    (void)state;
    win_guest_open(&guest, "[MountedDevices]\n"
                           "\\DosDevices\\C:=hex:44,4d,49,4f,3a,49,44,3a," ROOT_BYTES "\n"
                           "\\DosDevices\\D:=hex:44,4d,49,4f,3a,49,44,3a,01,02,03,04,05,06,07,08,"
                           "09,0a,0b,0c,0d,0e,0f,10\n"
                           "\\DosDevices\\E:=hex:44,4d,49,4f,3a,49,44,3a,14,13,12,11,16,15,18,17,"
                           "19,1a,1b,1c,1d,1e,1f,20\n"
                           "\\DosDevices\\F:=hex:44,4d,49,4f,3a,49,44,3a," BLANK16 "\n");
    device = facts_add_device(guest.facts);
    facts_set(&device->name, "/dev/mapper/ldm_vol_Dg0_one");
    facts_set(&device->dynamic_id, "01020304-0506-0708-090a-0b0c0d0e0f10");
    device = facts_add_device(guest.facts);
    facts_set(&device->name, "/dev/mapper/ldm_vol_Dg0_two");
    facts_set(&device->dynamic_id, "11121314-1516-1718-191a-1b1c1d1e1f20");
    find_drives(&guest);
    text = drives_text(&guest);
    assert_string_equal(text, "C=/dev/sda2 D=/dev/mapper/ldm_vol_Dg0_one "
                              "E=/dev/mapper/ldm_vol_Dg0_two F= ");
    free(text);
    win_guest_close(&guest);
}

/* A second disk like /dev/sda, of which @root is the root; the table is a @table with the id @id.
 */
static void copy_disk(struct win_guest *guest, const char *root, const char *table, const char *id)
{
    facts_set(&guest->facts->devices[0].table, table);
    facts_set(&guest->facts->devices[0].table_id, id);
    win_device(guest->facts, "/dev/sdb", table, id, 0, 64ULL << 30);
    win_device(guest->facts, "/dev/sdb2", "", WIN_ROOT_GUID, 128U << 20, 60ULL << 30);
    win_device(guest->facts, "/dev/sdc", table, "f0000001", 0, 1ULL << 30);
    facts_set(&guest->facts->root, root);
}

#define SIGNATURE "3e,a0,be,5c,00,00,00,08,00,00,00,00"
#define COPY_NOTE(what)                                                                            \
    "/dev/sda and /dev/sdb have the same " what                                                    \
    ": Windows takes one of them offline, or gives it "                                            \
    "another; detach the one that is not wanted"
#define LETTER_NOTE                                                                                \
    "the drive C: may be /dev/sda2 or /dev/sdb2, which have the same names for Windows"

static const struct {
    const char *label, *table, *id, *entry, *root;
    const char *drives;
    const char *notes[3];
} copies[] = {
    { "MBR, Windows on the first",
      "dos",
      "5cbea03e",
      SIGNATURE,
      "/dev/sda2",
      "C=/dev/sda2 ",
      { COPY_NOTE("signature 5cbea03e") } },
    { "MBR, Windows on the second",
      "dos",
      "5cbea03e",
      SIGNATURE,
      "/dev/sdb2",
      "C=/dev/sdb2 ",
      { COPY_NOTE("signature 5cbea03e") } },
    { "MBR, Windows elsewhere",
      "dos",
      "5cbea03e",
      SIGNATURE,
      "/dev/sdc",
      "C= ",
      { COPY_NOTE("signature 5cbea03e"), LETTER_NOTE } },
    { "GPT",
      "gpt",
      WIN_DISK_GUID,
      "44,4d,49,4f,3a,49,44,3a," ROOT_BYTES,
      "/dev/sdb2",
      "C=/dev/sdb2 ",
      { COPY_NOTE("GUID " WIN_DISK_GUID) } },
    { "GPT, Windows elsewhere",
      "gpt",
      WIN_DISK_GUID,
      "44,4d,49,4f,3a,49,44,3a," ROOT_BYTES,
      "/dev/sdc",
      "C= ",
      { COPY_NOTE("GUID " WIN_DISK_GUID), LETTER_NOTE } },
    { "no signature", "dos", "00000000", BLANK8 ",01,00,00,00", "/dev/sda2", "C= ", { NULL } },
};

/* What names a disk names its copies too; the fixer never takes one of them for the other. */
static void copies_of_a_disk_are_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
        const struct strlist *notes;
        struct win_guest guest;
        char *entries = mem_printf("[MountedDevices]\n\\DosDevices\\C:=hex:%s\n", copies[i].entry);
        struct plan *plan;
        char *text;
        size_t n = 0;

        print_message("case: %s\n", copies[i].label);
        win_guest_open(&guest, entries);
        copy_disk(&guest, copies[i].root, copies[i].table, copies[i].id);
        find_drives(&guest);
        text = drives_text(&guest);
        assert_string_equal(text, copies[i].drives);
        free(text);
        notes = &guest.facts->windows->notes;
        for (; n < ARRAY_SIZE(copies[i].notes) && copies[i].notes[n]; n++) {
            assert_true(n < notes->n);
            assert_string_equal(notes->items[n], copies[i].notes[n]);
        }
        assert_int_equal(notes->n, n);

        win_put_hive(&guest.tree, SOFTWARE,
                     "[Microsoft\\Windows NT\\CurrentVersion]\nSystemRoot=sz:c:\\Windows\n");
        facts_set(&guest.facts->windows->software_hive, SOFTWARE);
        plan = win_plan(&guest, &fixer_win_boot);
        assert_int_equal(plan->notes.n, n > 0);
        assert_true(n == 0 || strstr(plan->notes.items[0], copies[i].notes[0]));
        assert_int_equal(plan->n, copies[i].notes[0] ? 0 : 1);
        plan_free(plan);
        free(entries);
        win_guest_close(&guest);
    }
}

/* ---- letters ---- */

#define MOUNTED "MountedDevices]\n\\DosDevices\\C:=hex:"
#define GPT_ENTRY "44,4d,49,4f,3a,49,44,3a,"

static const struct {
    const char *label, *drive, *entry, *want; /* drive: what inspection has found for it */
    bool mbr;
} letters[] = {
    { "right", "/dev/sda2", GPT_ENTRY ROOT_BYTES, "", false },
    { "another partition's", "/dev/sda1", GPT_ENTRY BLANK16,
      "note: win-boot: MountedDevices gives C:, the letter of Windows, to /dev/sda1, not to "
      "/dev/sda2\n",
      false },
    { "nobody's", "", GPT_ENTRY BLANK16,
      WIN_SYSTEM ": the letter of Windows' own volume is that of a partition that is not there\n"
                 " [MountedDevices]\n-\"\\\\DosDevices\\\\C:\"=hex:" GPT_ENTRY BLANK16
                 "\n+\"\\\\DosDevices\\\\C:\"=hex:" GPT_ENTRY ROOT_BYTES "\n",
      false },
    { "nobody's, with an MBR", "", "78,56,34,12," BLANK8,
      WIN_SYSTEM ": the letter of Windows' own volume is that of a partition that is not there\n"
                 " [MountedDevices]\n-\"\\\\DosDevices\\\\C:\"=hex:78,56,34,12," BLANK8
                 "\n+\"\\\\DosDevices\\\\C:\"=hex:3e,a0,be,5c,00,00,00,08,00,00,00,00\n",
      true },
    { "something else's", "", "5c,00,3f,00,3f,00,5c,00", "", false },
};

/* Windows says that it is on C:, which is @entry. */
static void open_letters(struct win_guest *guest, const char *entry)
{
    char *system = mem_printf("[" MOUNTED "%s\n", entry);

    win_guest_open(guest, system);
    win_put_hive(&guest->tree, SOFTWARE,
                 "[Microsoft\\Windows NT\\CurrentVersion]\nSystemRoot=sz:c:\\Windows\n");
    facts_set(&guest->facts->windows->software_hive, SOFTWARE);
    free(system);
}

static void a_letter_of_no_partition_is_corrected(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
        struct win_guest guest;

        print_message("case: %s\n", letters[i].label);
        open_letters(&guest, letters[i].entry);
        facts_set(&guest.facts->windows->drives[0].device, letters[i].drive);
        if (letters[i].mbr) {
            facts_set(&guest.facts->devices[0].table, "dos");
            facts_set(&guest.facts->devices[0].table_id, "5cbea03e");
        }
        if (letters[i].want[0] == '/') { /* facts are as they were */
            struct plan *plan = win_plan(&guest, &fixer_win_boot);
            char *text = win_plan_text(plan);

            assert_string_equal(text, letters[i].want);
            free(text);
            plan_free(plan);
        } else {
            win_expect(&guest, &fixer_win_boot, letters[i].want);
        }
        win_guest_close(&guest);
    }
}

/* Its own volume is one of dynamic disks: the letter is right, or it is not known what is. */
static void the_letter_of_a_dynamic_volume_is_left_alone(void **state)
{
    static const char *const found[] = { "/dev/mapper/ldm_vol_Dg0_one", "" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(found); i++) {
        struct win_guest guest;
        struct fact_device *device;

        open_letters(&guest, GPT_ENTRY BLANK16);
        device = facts_add_device(guest.facts);
        facts_set(&device->name, "/dev/mapper/ldm_vol_Dg0_one");
        facts_set(&device->disk, "/dev/sda");
        facts_set(&guest.facts->root, "/dev/mapper/ldm_vol_Dg0_one");
        facts_set(&guest.facts->windows->drives[0].device, found[i]);
        win_expect(&guest, &fixer_win_boot, "");
        win_guest_close(&guest);
    }
}

/* MountedDevices knows the partition, Windows lies in what that holds. */
static void an_unlocked_volume_has_the_letter_of_its_partition(void **state)
{
    static const struct {
        const char *drive, *want;
    } cases[] = {
        { "/dev/sda2", "" },
        { "/dev/sda1", "note: win-boot: MountedDevices gives C:, the letter of Windows, to "
                       "/dev/sda1, not to /dev/sda2\n" },
        { "", WIN_SYSTEM
          ": the letter of Windows' own volume is that of a partition that is not there\n"
          " [MountedDevices]\n-\"\\\\DosDevices\\\\C:\"=hex:" GPT_ENTRY BLANK16
          "\n+\"\\\\DosDevices\\\\C:\"=hex:" GPT_ENTRY ROOT_BYTES "\n" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct win_guest guest;
        struct fact_device *device;
        struct plan *plan;
        char *text;

        open_letters(&guest, GPT_ENTRY BLANK16);
        device = facts_add_device(guest.facts);
        facts_set(&device->name, "/dev/mapper/sda2_crypt");
        facts_set(&device->disk, "/dev/sda");
        facts_set(&device->decrypts, "/dev/sda2");
        facts_set(&guest.facts->root, "/dev/mapper/sda2_crypt");
        facts_set(&guest.facts->windows->drives[0].device, cases[i].drive);
        plan = win_plan(&guest, &fixer_win_boot);
        text = win_plan_text(plan);
        assert_string_equal(text, cases[i].want);
        free(text);
        plan_free(plan);
        win_guest_close(&guest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(volumes_of_dynamic_disks_have_letters),
        cmocka_unit_test(copies_of_a_disk_are_said),
        cmocka_unit_test(a_letter_of_no_partition_is_corrected),
        cmocka_unit_test(the_letter_of_a_dynamic_volume_is_left_alone),
        cmocka_unit_test(an_unlocked_volume_has_the_letter_of_its_partition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
