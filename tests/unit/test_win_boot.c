/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fixer of Windows' boot files plans. */
#include "engine/base/le.h"
#include "fixers/windows/boot_bpb.h"
#include "fixers/windows/windows.h"
#include "tests/unit/win_util.h"

#define BCD "/EFI/Microsoft/Boot/BCD"
#define MANAGER "/EFI/Microsoft/Boot/bootmgfw.efi"
#define LOADER "/EFI/BOOT/BOOTX64.EFI"

/* ---- the loader of the ESP ---- */

/* Headers of a program for @machine, then @text, in UTF-16 when @wide. */
static void put_program(const struct tree *tree, const char *path, uint16_t machine,
                        const char *text, bool wide)
{
    unsigned char bytes[1024] = "MZ";
    char *full = tree_path(tree, path);
    struct err err = ERR_NONE;

    put_le32(bytes + 0x3c, 0x80);
    bytes[0x80] = 'P';
    bytes[0x81] = 'E';
    put_le16(bytes + 0x84, machine);
    put_le16(bytes + 0x94, 0xf0);
    put_le16(bytes + 0x98, 0x20b);
    for (size_t i = 0; text[i]; i++)
        bytes[0x300 + (wide ? 2 * i : i)] = (unsigned char)(text[i] == '|' ? '\0' : text[i]);
    assert_int_equal(io_write_file(full, (const char *)bytes, sizeof(bytes), 0644, &err), 0);
    free(full);
}

#define OURS "CompanyName||Microsoft Corporation|"

static const struct {
    const char *label;
    uint16_t machine;
    const char *there; /* text of the program at the removable path; NULL: it is not there */
    bool wide;
    const char *want; /* how its plan goes on; NULL: nothing is planned or said */
} loaders[] = {
    { "absent", 0x8664, NULL, true, "\n" },
    { "the same", 0x8664, OURS "2", true, NULL },
    { "older", 0x8664, OURS "1", true, "; what was there is another version of Windows' own\n" },
    { "signed for, but not made by Microsoft", 0x8664, OURS, false, "" },
    { "a menu that starts Windows too", 0x8664, "\\EFI\\Microsoft\\Boot\\bootmgfw.efi", true, "" },
    { "broken", 0, "x", true, "; what was there is no program\n" },
};

static void the_removable_path_gets_windows_own_loader(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(loaders); i++) {
        struct win_guest guest;
        char *want;

        print_message("case: %s\n", loaders[i].label);
        win_guest_open(&guest, "[x]\n");
        guest.facts->firmware = FIRMWARE_UEFI;
        put_program(&guest.tree, MANAGER, 0x8664, OURS "2", true);
        if (loaders[i].there && loaders[i].machine)
            put_program(&guest.tree, LOADER, loaders[i].machine, loaders[i].there, loaders[i].wide);
        else if (loaders[i].there)
            tree_put(&guest.tree, LOADER, loaders[i].there, 0644);
        if (!loaders[i].want)
            want = mem_strdup("");
        else if (!*loaders[i].want)
            want = mem_strdup("note: win-boot: " LOADER " is not Windows' boot manager, and stays: "
                              "a new machine starts it first\n");
        else
            want = mem_printf(
                "%s" LOADER ": boot entries stay in the old machine's NVRAM; the "
                "removable path works without one%s(copy of " MANAGER " to " LOADER ")\n",
                loaders[i].there ? ""
                                 : "/EFI/BOOT: boot entries stay in the old "
                                   "machine's NVRAM; the removable path works without one\n(folder "
                                   "/EFI/BOOT is made, mode 0755)\n",
                loaders[i].want);
        win_expect(&guest, &fixer_win_boot, want);
        free(want);
        win_guest_close(&guest);
    }
}

static void the_loader_is_named_after_its_processor(void **state)
{
    static const struct {
        uint16_t machine;
        const char *path;
    } cases[] = {
        { 0x14c, "/EFI/BOOT/BOOTIA32.EFI" },
        { 0xaa64, "/EFI/BOOT/BOOTAA64.EFI" },
        { 0x1234, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct win_guest guest;
        struct plan *plan;

        win_guest_open(&guest, "[x]\n");
        guest.facts->firmware = FIRMWARE_UEFI;
        put_program(&guest.tree, MANAGER, cases[i].machine, OURS, true);
        plan = win_plan(&guest, &fixer_win_boot);
        assert_int_equal(plan->n, cases[i].path ? 2 : 0);
        assert_int_equal(plan->notes.n, cases[i].path ? 0 : 1);
        if (cases[i].path)
            assert_string_equal(plan->changes[1].path, cases[i].path);
        plan_free(plan);
        win_guest_close(&guest);
    }
}

static void an_esp_that_is_not_there_is_said(void **state)
{
    struct win_guest guest;

    (void)state;
    win_guest_open(&guest, "[x]\n");
    guest.facts->firmware = FIRMWARE_UEFI;
    win_expect(&guest, &fixer_win_boot,
               "note: win-boot: Windows' boot manager was not found on an EFI system partition: a "
               "new machine may need a boot entry made by hand\n");
    win_guest_close(&guest);
}

/* ---- boot configuration data ---- */

#define MGR "Objects\\{9dea862c-5cdd-4e70-acc1-f32b344d4795}"
#define OS "Objects\\{733b62e5-0000-0000-0000-000000000001}"
#define OTHER "Objects\\{733b62e5-0000-0000-0000-000000000002}"
#define HEAD                                                                                       \
    "[" MGR "\\Description]\nType=dword:10100002\n"                                                \
    "[" MGR "\\Elements\\23000003]\nElement=sz:{733b62e5-0000-0000-0000-000000000001}\n"           \
    "[" OS "\\Description]\nType=dword:10200003\n"                                                 \
    "[" OTHER "\\Description]\nType=dword:10200003\n"                                              \
    "[" OTHER "\\Elements\\16000046]\nElement=hex:01\n"
#define POLICY "[" OS "\\Elements\\250000e0]\nElement=hex:01,00,00,00,00,00,00,00\n"
#define BLANK8 "00,00,00,00,00,00,00,00"
#define BLANK16 BLANK8 "," BLANK8
/* A partition by GUIDs: WIN_ROOT_GUID, then another. */
#define DEVICE(part, disk)                                                                         \
    "hex:" BLANK16 ",06,00,00,00,00,00,00,00,48,00,00,00,00,00,00,00," part "," BLANK8 "," disk    \
    "," BLANK16 "\n"
#define ROOT_BYTES "2a,9f,7c,8d,3c,1b,5e,4d,8f,60,71,82,93,a4,b5,c6"
#define DISK_BYTES "3c,2d,1e,0f,5a,4b,78,69,87,96,a5,b4,c3,d2,e1,f0"
#define COPY_REASON                                                                                \
    "a copy of a running machine looks as if its start had failed, and would end in the repair "   \
    "of "                                                                                          \
    "Windows instead of its start\n"

static const struct {
    const char *label, *bcd, *want;
} stores[] = {
    { "all is right",
      HEAD POLICY "[" OS "\\Elements\\21000001]\nElement=" DEVICE(ROOT_BYTES, DISK_BYTES), "" },
    { "nothing is said of failures", HEAD,
      BCD ": " COPY_REASON " [" OS "\\Elements\\250000e0]\n"
          "+\"Element\"=hex:01,00,00,00,00,00,00,00\n" },
    { "the screen is off, safe mode is on",
      HEAD POLICY "[" OS "\\Elements\\16000046]\nElement=hex:01\n[" OS
                  "\\Elements\\25000080]\nElement=hex:" BLANK8 "\n",
      BCD ": Windows shows nothing until its display driver has started\n-[" OS
          "\\Elements\\16000046]\n" BCD
          ": in safe mode nothing of what the first start is for is done\n-[" OS
          "\\Elements\\25000080]\n" },
    { "the screen is on", HEAD POLICY "[" OS "\\Elements\\16000046]\nElement=hex:00\n", "" },
    { "test signing, a hypervisor",
      HEAD POLICY "[" OS "\\Elements\\16000049]\nElement=hex:01\n[" OS
                  "\\Elements\\250000f0]\nElement=hex:01,00,00,00,00,00,00,00\n",
      "note: win-boot: boot configuration of Windows: test signing is on: drivers with any "
      "signature are loaded, and Secure Boot does not start it\n"
      "note: win-boot: boot configuration of Windows: it starts a hypervisor of its own (Hyper-V, "
      "or security based on virtualization): that needs nested virtualization on the new host\n" },
    { "a partition that is not there",
      HEAD POLICY "[" OS "\\Elements\\11000001]\nElement=" DEVICE(BLANK16, DISK_BYTES),
      "note: win-boot: " BCD ": the volume of the loader is partition "
      "00000000-0000-0000-0000-000000000000 of disk " WIN_DISK_GUID ", which no disk of the guest "
      "has: it may not start before bcdboot was run from setup media\n" },
    { "the default is no Windows",
      "[" MGR "\\Elements\\23000003]\nElement=sz:{b2721d73-1db4-4c62-bf78-c548a880142d}\n"
      "[Objects\\{b2721d73-1db4-4c62-bf78-c548a880142d}\\Description]\nType=dword:10200005\n",
      "note: win-boot: " BCD ": no loader of Windows is started by itself: nothing is changed "
      "there\n" },
    { "no default", "[" OS "\\Description]\nType=dword:10200003\n",
      "note: win-boot: " BCD ": no loader of Windows is started by itself: nothing is changed "
      "there\n" },
};

static void only_the_own_loader_is_changed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(stores); i++) {
        struct win_guest guest;

        print_message("case: %s\n", stores[i].label);
        win_guest_open(&guest, "[x]\n");
        facts_set(&guest.facts->windows->bcd, BCD);
        win_put_hive(&guest.tree, BCD, stores[i].bcd);
        win_expect(&guest, &fixer_win_boot, stores[i].want);
        win_guest_close(&guest);
    }
}

static void the_loader_of_this_windows_is_meant(void **state)
{
    struct win_guest guest;

    (void)state;
    win_guest_open(&guest, "[x]\n");
    facts_set(&guest.facts->windows->bcd, BCD);
    facts_set(&guest.facts->windows->boot_entry, "{733b62e5-0000-0000-0000-000000000002}");
    win_put_hive(&guest.tree, BCD, HEAD POLICY);
    win_expect(&guest, &fixer_win_boot,
               BCD ": " COPY_REASON " [" OTHER "\\Elements\\250000e0]\n"
                   "+\"Element\"=hex:01,00,00,00,00,00,00,00\n" BCD
                   ": Windows shows nothing until its display driver has started\n-[" OTHER
                   "\\Elements\\16000046]\n");
    win_guest_close(&guest);
}

/* Neither of two copies is the disk of Windows. */
static void a_device_that_two_disks_have_is_said(void **state)
{
    struct win_guest guest;

    (void)state;
    win_guest_open(&guest, "[x]\n");
    win_device(guest.facts, "/dev/sdb", "gpt", WIN_DISK_GUID, 0, 64ULL << 30);
    win_device(guest.facts, "/dev/sdb2", "", WIN_ROOT_GUID, 128U << 20, 60ULL << 30);
    win_device(guest.facts, "/dev/sdc", "dos", "00000001", 0, 64ULL << 30);
    facts_set(&guest.facts->root, "/dev/sdc");
    facts_set(&guest.facts->windows->bcd, BCD);
    win_put_hive(&guest.tree, BCD,
                 HEAD POLICY "[" OS
                             "\\Elements\\21000001]\nElement=" DEVICE(ROOT_BYTES, DISK_BYTES));
    win_expect(&guest, &fixer_win_boot,
               "note: win-boot: /dev/sda and /dev/sdb have the same GUID " WIN_DISK_GUID
               ": Windows takes one of them offline, or gives it another; detach the one that is "
               "not wanted\nnote: win-boot: " BCD
               ": the volume of Windows is partition " WIN_ROOT_GUID " of disk " WIN_DISK_GUID
               ", which is /dev/sda2 or /dev/sdb2: which one is not "
               "clear\n");
    win_guest_close(&guest);
}

/* ---- boot.ini ---- */

#define LINE(rdisk, partition, name)                                                               \
    "multi(0)disk(0)rdisk(" rdisk ")partition(" partition ")\\" name                               \
    "=\"Windows XP\" /fastdetect\r\n"
#define INI(rdisk, partition, lines)                                                               \
    "[boot loader]\r\ntimeout=30\r\ndefault=multi(0)disk(0)rdisk(" rdisk ")partition(" partition   \
    ")\\WINDOWS\r\n[operating systems]\r\n" lines

static const struct {
    const char *label, *ini, *want; /* want: the file afterwards; NULL: as it is */
    size_t n_notes;
} inis[] = {
    { "right", INI("0", "2", LINE("0", "2", "WINDOWS")), NULL, 0 },
    { "another disk", INI("1", "1", LINE("1", "1", "WINDOWS") "C:\\=\"DOS\"\r\n"),
      INI("0", "2", LINE("0", "2", "WINDOWS") "C:\\=\"DOS\"\r\n"), 0 },
    { "another case, two lines of it",
      INI("0", "1", LINE("0", "1", "Windows") LINE("0", "1", "WINDOWS")),
      INI("0", "2", LINE("0", "2", "Windows") LINE("0", "2", "WINDOWS")), 0 },
    { "one of two is right", INI("0", "2", LINE("1", "1", "WINDOWS") LINE("0", "2", "WINDOWS")),
      NULL, 0 },
    { "two wrong ones", INI("0", "1", LINE("0", "1", "WINDOWS") LINE("1", "1", "WINDOWS")), NULL,
      1 },
    { "another folder", INI("0", "1", LINE("0", "1", "WINNT") LINE("0", "1", "WINDOWS.0")), NULL,
      1 },
    { "by a driver", "[operating systems]\nscsi(0)disk(0)rdisk(0)partition(2)\\WINDOWS=\"x\"\n",
      NULL, 1 },
};

static void boot_ini_is_corrected_where_it_is_clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(inis); i++) {
        struct err err = ERR_NONE;
        struct win_guest guest;
        struct plan *plan;

        print_message("case: %s\n", inis[i].label);
        win_guest_open(&guest, "[x]\n");
        facts_set(&guest.facts->windows->system_root, "/WINDOWS");
        facts_set(&guest.facts->windows->boot_ini, "/boot.ini");
        tree_put(&guest.tree, "/boot.ini", inis[i].ini, 0644);
        plan = win_plan(&guest, &fixer_win_boot);
        assert_int_equal(plan->n, inis[i].want ? 1 : 0);
        assert_int_equal(plan->notes.n, inis[i].n_notes);
        assert_int_equal(plan_apply(plan, &err), 0);
        tree_expect(&guest.tree, "/boot.ini", inis[i].want ? inis[i].want : inis[i].ini);
        plan_free(plan);
        plan = win_plan(&guest, &fixer_win_boot);
        assert_int_equal(plan->n, 0);
        plan_free(plan);
        win_guest_close(&guest);
    }
}

/* ---- boot sectors ---- */

static void put_name(uint8_t *to, const char *name)
{
    for (; *name; name++)
        *to++ = (uint8_t)*name;
}

static void make_sector(uint8_t sector[BPB_SECTOR], const char *kind, uint16_t heads,
                        uint32_t hidden)
{
    memset(sector, 0, BPB_SECTOR);
    memset(sector + 0x5a, 0x90, 400);
    if (strcmp(kind, "ntfs") == 0)
        put_name(sector + 3, "NTFS    ");
    else if (strcmp(kind, "fat32") == 0)
        put_name(sector + 0x52, "FAT32   ");
    else
        put_name(sector + 0x36, "FAT16   ");
    put_le16(sector + 0x0b, 512);
    put_le16(sector + 0x1a, heads);
    put_le32(sector + 0x1c, hidden);
    put_le16(sector + 510, 0xaa55);
}

static void boot_sectors_fit_their_disk(void **state)
{
    static const char *const kinds[] = { "ntfs", "fat32", "fat16" };
    static const struct {
        const char *label;
        uint64_t disk_bytes, start_bytes;
        bool old;
        uint16_t heads, want_heads;
        uint32_t hidden, want_hidden;
    } cases[] = {
        { "right", 40ULL << 30, 32256, true, 255, 255, 63, 63 },
        { "from IDE", 40ULL << 30, 32256, true, 16, 255, 63, 63 },
        { "small", 2114445311, 32256, true, 255, 64, 63, 63 },
        { "middle", 2114445312, 32256, true, 255, 128, 63, 63 },
        { "large", 4228374780, 32256, true, 128, 255, 63, 63 },
        { "since Vista heads do not matter", 40ULL << 30, 1U << 20, false, 16, 16, 2048, 2048 },
        { "moved", 40ULL << 30, 1U << 20, false, 255, 255, 63, 2048 },
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(kinds) * ARRAY_SIZE(cases); n++) {
        const char *kind = kinds[n / ARRAY_SIZE(cases)];
        size_t i = n % ARRAY_SIZE(cases);
        const struct bpb_place place = { cases[i].disk_bytes, cases[i].start_bytes, cases[i].old };
        uint8_t sector[BPB_SECTOR], want[BPB_SECTOR];
        bool changes =
            cases[i].heads != cases[i].want_heads || cases[i].hidden != cases[i].want_hidden;

        print_message("case: %s, %s\n", kind, cases[i].label);
        make_sector(sector, kind, cases[i].heads, cases[i].hidden);
        make_sector(want, kind, cases[i].want_heads, cases[i].want_hidden);
        assert_int_equal(bpb_fix(sector, &place), changes);
        assert_memory_equal(sector, want, sizeof(want));
        assert_false(bpb_fix(sector, &place));
    }
}

static void other_sectors_are_left_alone(void **state)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } broken[] = { { 3, 'M' }, { 0x0c, 0x10 }, { 511, 0 } };
    const struct bpb_place place = { 40ULL << 30, 1U << 20, true };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        uint8_t sector[BPB_SECTOR];

        make_sector(sector, "ntfs", 0, 0);
        sector[broken[i].at] = broken[i].byte;
        assert_false(bpb_fix(sector, &place));
    }
}

static void the_copy_is_where_the_sector_says(void **state)
{
    uint8_t sector[BPB_SECTOR];

    (void)state;
    make_sector(sector, "ntfs", 0, 0);
    put_le64(sector + 0x28, 98303);
    assert_int_equal(bpb_copy(sector), 98303);
    make_sector(sector, "fat32", 0, 0);
    put_le16(sector + 0x32, 6);
    assert_int_equal(bpb_copy(sector), 6);
    put_le16(sector + 0x32, 0xffff);
    assert_int_equal(bpb_copy(sector), 0);
    make_sector(sector, "fat16", 0, 0);
    memset(sector + 0x3e, 0x90, 400); /* code lies there */
    assert_int_equal(bpb_copy(sector), 0);
}

static void a_mounted_volume_has_its_copy_all_the_same(void **state)
{
    static const struct {
        const char *kind;
        size_t at; /* where they differ; 0: nowhere */
        bool is_copy;
    } cases[] = {
        { "fat32", 0, true },    { "fat32", 0x41, true }, { "fat32", 0x40, false },
        { "fat32", 511, false }, { "ntfs", 0, true },     { "ntfs", 0x41, false },
        { "ntfs", 511, false },
    };
    uint8_t sector[BPB_SECTOR], there[BPB_SECTOR];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        make_sector(sector, cases[i].kind, 255, 63);
        memcpy(there, sector, sizeof(there));
        there[cases[i].at] ^= cases[i].at ? 1 : 0;
        assert_int_equal(bpb_is_copy(sector, there), cases[i].is_copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_removable_path_gets_windows_own_loader),
        cmocka_unit_test(the_loader_is_named_after_its_processor),
        cmocka_unit_test(an_esp_that_is_not_there_is_said),
        cmocka_unit_test(only_the_own_loader_is_changed),
        cmocka_unit_test(the_loader_of_this_windows_is_meant),
        cmocka_unit_test(a_device_that_two_disks_have_is_said),
        cmocka_unit_test(boot_ini_is_corrected_where_it_is_clear),
        cmocka_unit_test(boot_sectors_fit_their_disk),
        cmocka_unit_test(other_sectors_are_left_alone),
        cmocka_unit_test(the_copy_is_where_the_sector_says),
        cmocka_unit_test(a_mounted_volume_has_its_copy_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
