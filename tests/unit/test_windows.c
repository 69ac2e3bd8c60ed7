/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is read of Windows: boot configurations, and the registry of a folder with its files. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/guest.h"
#include "inspect/windows/bcd.h"
#include "inspect/windows/boot_ini.h"
#include "inspect/windows/windows.h"
#include "tests/unit/hive_make.h"
#include "tests/unit/tree.h"
#include "tests/unit/unit.h"

#define MIB (1ULL << 20)
#define SCRIPT TEST_DATA_DIR "/../lib/make-windows"

/* ---- boot.ini ---- */

static void boot_ini_names_disks_partitions_and_folders(void **state)
{
    static const char text[] =
        "; a comment\r\n[boot loader]\r\ntimeout=30\r\n"
        "default=multi(0)disk(0)rdisk(1)partition(2)\\WINDOWS.0\r\n"
        "[operating systems]\r\n"
        "multi(0)disk(0)rdisk(0)partition(1)\\WINNT=\"Windows 2000\" /fastdetect\r\n"
        "  SIGNATURE(5cbea03e)disk(0)rdisk(1)partition(2)\\WINDOWS.0 = \"XP\"\r\n"
        "C:\\BOOTSECT.DOS=\"another\"\r\nmulti(0)disk(0)rdisk(x)partition(1)\\A=\"bad\"\r\n"
        "multi(0)disk(0)rdisk(99999999999)partition(1)\\A=\"bad\"\r\nno equals sign\r\n";
    const struct arc_path *first;
    struct boot_ini ini;

    (void)state;
    boot_ini_parse(text, strlen(text), &ini);
    first = boot_ini_default(&ini);
    assert_non_null(first);
    assert_true(first->is_arc);
    assert_int_equal(first->rdisk, 1);
    assert_int_equal(first->partition, 2);
    assert_string_equal(first->folder, "/WINDOWS.0");
    assert_int_equal(ini.n_entries, 5);
    assert_string_equal(ini.entries[0].path.folder, "/WINNT");
    assert_string_equal(ini.entries[0].line,
                        "multi(0)disk(0)rdisk(0)partition(1)\\WINNT=\"Windows 2000\" /fastdetect");
    assert_true(ini.entries[1].path.is_arc);
    assert_int_equal(ini.entries[1].path.rdisk, 1);
    for (size_t i = 2; i < ini.n_entries; i++)
        assert_false(ini.entries[i].path.is_arc);
    boot_ini_done(&ini);

    boot_ini_parse("[operating systems]\nscsi(0)disk(0)rdisk(0)partition(3)\\W=\"x\"\n", 60, &ini);
    first = boot_ini_default(&ini);
    assert_non_null(first);
    assert_int_equal(first->partition, 3);
    boot_ini_done(&ini);
    boot_ini_parse("", 0, &ini);
    assert_null(boot_ini_default(&ini));
    boot_ini_done(&ini);
}

/* ---- devices of the BCD ---- */

static void devices_of_the_bcd_are_bounded(void **state)
{
    uint8_t data[88] = { 0 };
    struct bcd_device device;

    (void)state;
    data[16] = 6;    /* partition */
    data[24] = 0x48; /* size */
    data[32] = 0x10;
    data[52] = 1; /* MBR */
    data[56] = 0x3e;
    assert_true(bcd_device_parse(data, sizeof(data), &device));
    assert_int_equal(device.kind, BCD_DEVICE_MBR);
    assert_int_equal(device.start_bytes, 0x10);
    assert_int_equal(device.disk_id, 0x3e);
    data[52] = 0;
    assert_true(bcd_device_parse(data, sizeof(data), &device));
    assert_int_equal(device.kind, BCD_DEVICE_GPT);
    assert_string_equal(device.part_uuid, "00000010-0000-0000-0000-000000000000");
    data[52] = 7;
    assert_false(bcd_device_parse(data, sizeof(data), &device));
    data[52] = 0;
    for (size_t len = 0; len < sizeof(data); len++)
        assert_false(bcd_device_parse(data, len, &device));
    data[25] = 1; /* more than there is */
    assert_false(bcd_device_parse(data, sizeof(data), &device));
    data[25] = 0;
    data[16] = 5;
    assert_true(bcd_device_parse(data, sizeof(data), &device));
    assert_int_equal(device.kind, BCD_DEVICE_BOOT);
}

/* ---- hives of real machines ---- */

/* The bytes of such a file; false when it is not here. */
static bool real_bytes(const char *name, struct strbuf *ret)
{
    static const char *const places[] = { TEST_DATA_DIR "/../../../shared/data/hives",
                                          TEST_DATA_DIR "/../../../../shared/data/hives" };
    struct err err = ERR_NONE;

    for (size_t i = 0; i < ARRAY_SIZE(places) && ret->len == 0; i++) {
        char *path = mem_printf("%s/%s.xz", places[i], name);
        const char *const argv[] = { "xz", "-dc", path, NULL };
        struct exec_opts opts = { .argv = argv };
        struct exec_result result = { 0 };

        if (access(path, R_OK) == 0 && exec_run(&opts, &result, &err) == 0 &&
            result.exit_status == 0)
            strbuf_add(ret, result.out.data, result.out.len);
        exec_result_done(&result);
        free(path);
    }
    return ret->len > 0;
}

/* NULL when it is not here. */
static struct hive *real_hive(const char *name)
{
    struct strbuf bytes = { 0 };
    struct err err = ERR_NONE;
    struct hive *hive = NULL;

    if (real_bytes(name, &bytes))
        assert_int_equal(hive_from_bytes(&bytes, name, &hive, &err), 0);
    strbuf_done(&bytes);
    return hive;
}

static void real_boot_configurations_are_read(void **state)
{
    struct hive *hive = real_hive("BCD");
    const struct bcd_loader *first;
    struct err err = ERR_NONE;
    struct bcd bcd;

    (void)state;
    if (!hive) {
        print_message("no hives of real machines here\n");
        skip();
    }
    assert_int_equal(bcd_read(hive, &bcd, &err), 0);
    first = bcd_default(&bcd);
    assert_non_null(first);
    assert_string_equal(first->system_root, "\\Windows");
    assert_int_equal(first->os_device.kind, BCD_DEVICE_GPT);
    assert_false(first->is_winpe);
    assert_true(bcd.n_loaders > 1); /* recovery */
    bcd_done(&bcd);
    hive_free(hive);

    hive = real_hive("BCD-setup-efi");
    assert_non_null(hive);
    assert_int_equal(bcd_read(hive, &bcd, &err), 0);
    first = bcd_default(&bcd);
    assert_non_null(first);
    assert_true(first->is_winpe);
    assert_int_equal(first->os_device.kind, BCD_DEVICE_RAMDISK);
    bcd_done(&bcd);
    hive_free(hive);
}

/* ---- a folder with the files of a Windows ---- */

struct windows {
    struct tree tree;
    struct guest_root *root;
    struct facts *facts;
};

static struct fact_device *add_device(struct facts *facts, const char *name, unsigned number,
                                      uint64_t start, const char *uuid)
{
    struct fact_device *device = facts_add_device(facts);

    facts_set(&device->name, name);
    facts_set(&device->kind, number ? "partition" : "disk");
    facts_set(&device->disk, "/dev/sda");
    facts_set(&device->fstype, number ? "ntfs" : "");
    facts_set(&device->part_uuid, uuid);
    device->part_number = number;
    device->start_bytes = start;
    return device;
}

/* As make-windows places them: C: is the second (of a GPT the third) one. */
static void add_devices(struct facts *facts, bool uefi, bool single)
{
    struct fact_device *disk = add_device(facts, "/dev/sda", 0, 0, "");

    facts_set(&disk->table, uefi ? "gpt" : "dos");
    facts_set(&disk->table_id, uefi ? "0b2394a9-095e-487d-8d48-719ecd4d78ca" : "5cbea03e");
    if (single) {
        (void)add_device(facts, "/dev/sda1", 1, MIB, "");
    } else if (uefi) {
        (void)add_device(facts, "/dev/sda1", 1, MIB, "8f0e2c38-e4ea-47ba-b7fc-9d8c74dccf01");
        (void)add_device(facts, "/dev/sda3", 3, 53 * MIB, "8f0e2c38-e4ea-47ba-b7fc-9d8c74dccf03");
    } else {
        (void)add_device(facts, "/dev/sda1", 1, MIB, "");
        (void)add_device(facts, "/dev/sda2", 2, 17 * MIB, "");
    }
    facts_set(&facts->root, single ? "/dev/sda1" : uefi ? "/dev/sda3" : "/dev/sda2");
}

static void make(struct windows *windows, const char *variant, const char *const *options)
{
    const char *argv[12] = { "python3", SCRIPT, "--folder" };
    size_t n = 3;

    tree_open(&windows->tree, NULL);
    for (size_t i = 0; options[i]; i++)
        argv[n++] = options[i];
    argv[n++] = variant;
    argv[n++] = windows->tree.dir;
    tree_run(argv);
}

static int open_folder(const struct windows *windows, const char *name)
{
    char *path = mem_printf("%s/%s", windows->tree.dir, name);
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    free(path);
    return fd;
}

/* As inspect_find() and inspect_open() go about it. */
static void look(struct windows *windows, bool uefi, bool single)
{
    struct inspect_opts opts = { .with_packages = true };
    int fd = open_folder(windows, "c"), beside = open_folder(windows, "sys");
    struct err err = ERR_NONE;

    assert_true(fd >= 0);
    assert_int_equal(guest_root_new(fd, &windows->root, &err), 0);
    (void)close(fd);
    guest_root_ignore_case(windows->root);
    windows->facts = facts_new();
    add_devices(windows->facts, uefi, single);
    assert_true(os_probe_windows.match(windows->root));
    os_probe_windows.identify(windows->root, windows->facts);
    os_probe_windows.mounts(windows->root, windows->facts);
    if (beside >= 0) {
        struct fact_mount *mount = facts_add_mount(windows->facts);

        assert_int_equal(guest_root_add_volume(windows->root, WINDOWS_SYSTEM_VOLUME, beside, &err),
                         0);
        facts_set(&mount->target, WINDOWS_SYSTEM_VOLUME);
        mount->mounted = true;
        (void)close(beside);
    }
    assert_int_equal(os_probe_windows.collect(windows->root, &opts, windows->facts, &err), 0);
}

static void done(struct windows *windows)
{
    facts_free(windows->facts);
    guest_root_free(windows->root);
    windows->root = NULL;
    windows->facts = NULL;
    tree_close(&windows->tree);
}

static bool put_real(const struct tree *tree, const char *name, const char *path)
{
    struct strbuf bytes = { 0 };
    struct err err = ERR_NONE;
    bool found = real_bytes(name, &bytes);
    char *full = tree_path(tree, path);

    if (found)
        assert_int_equal(io_write_file(full, bytes.data, bytes.len, 0644, &err), 0);
    strbuf_done(&bytes);
    free(full);
    return found;
}

/* Of machines with static addresses on VMware, and one that ran when it was copied. */
static void real_registries_are_read(void **state)
{
    static const struct {
        const char *hive, *arch;
        size_t n_static;
        bool is_dirty, has_database;
    } cases[] = {
        { "SYSTEM", "i386", 2, false, false },
        { "SYSTEM_B", "x86_64", 0, true, true },
    };
    struct inspect_opts opts = { .with_packages = true };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct facts *facts = facts_new();
        struct err err = ERR_NONE;
        struct tree tree;
        size_t n_static = 0;

        tree_open(&tree, NULL);
        if (!put_real(&tree, cases[i].hive, "/Windows/System32/config/SYSTEM")) {
            print_message("no hives of real machines here\n");
            facts_free(facts);
            tree_close(&tree);
            skip();
        }
        if (cases[i].is_dirty) {
            assert_true(put_real(&tree, "SYSTEM_B.LOG1", "/Windows/System32/config/SYSTEM.LOG1"));
            assert_true(put_real(&tree, "SYSTEM_B.LOG2", "/Windows/System32/config/SYSTEM.LOG2"));
        }
        tree_put(&tree, "/Windows/System32/config/SOFTWARE", "none", 0644);
        guest_root_ignore_case(tree.root);
        os_probe_windows.identify(tree.root, facts);
        assert_int_equal(os_probe_windows.collect(tree.root, &opts, facts, &err), 0);
        assert_string_equal(facts->arch, cases[i].arch);
        assert_true(*facts->hostname != '\0' && *facts->timezone != '\0');
        assert_int_equal(facts->windows->control_sets.n, 1);
        assert_string_equal(facts->windows->control_sets.items[0], "ControlSet001");
        assert_int_equal(facts->windows->has_driver_database, cases[i].has_database);
        assert_int_equal(facts->windows->hive_dirty, cases[i].is_dirty);
        assert_true(facts->windows->n_drives > 0);
        assert_string_equal(facts->windows->drives[0].letter, i == 0 ? "A" : "C");
        assert_true(facts->windows->n_nics > 0);
        for (size_t n = 0; n < facts->windows->n_nics; n++) {
            const struct win_nic *nic = &facts->windows->nics[n];

            assert_true(*nic->name != '\0');
            assert_true(nic->luid > 0 && !nic->ip6_unknown);
            assert_true(nic->installed > 0 && (nic->arrived > 0) == cases[i].has_database);
            /* the stack of older ones knows it */
            assert_true(!nic->is_static || strlen(nic->mac) == 17);
            n_static += facts->windows->nics[n].is_static;
        }
        assert_int_equal(n_static, cases[i].n_static);
        assert_int_equal(facts->windows->notes.n, 1); /* there is no SOFTWARE */
        facts_free(facts);
        tree_close(&tree);
    }
}

static bool has_python(void)
{
    if (exec_have("python3"))
        return true;
    print_message("python3 is not installed\n");
    return false;
}

static void facts_of_a_workstation(void **state)
{
    struct windows windows = { .root = NULL };
    const struct fact_windows *found;
    const struct win_nic *nic;

    (void)state;
    if (!has_python())
        skip();
    make(&windows, "11",
         (const char *const[]){ "--static-ip", "--tools=vmware,xen", "--dirty-hive", NULL });
    look(&windows, true, false);
    found = windows.facts->windows;
    assert_int_equal(windows.facts->os, OS_WINDOWS);
    assert_string_equal(windows.facts->product_name, "Windows 11 Pro");
    assert_string_equal(windows.facts->arch, "x86_64");
    assert_string_equal(windows.facts->hostname, "WIN-PHONY");
    assert_string_equal(windows.facts->timezone, "W. Europe Standard Time");
    assert_string_equal(windows.facts->boot_config, "/SYSTEM:/EFI/Microsoft/Boot/BCD");
    assert_int_equal(windows.facts->firmware, FIRMWARE_UEFI);
    assert_string_equal(found->system_root, "/Windows");
    assert_string_equal(found->system_hive, "/Windows/System32/config/SYSTEM");
    assert_int_equal(found->build, 26100);
    assert_int_equal(found->ubr, 2033);
    assert_string_equal(found->display_version, "24H2");
    assert_true(found->has_driver_database);
    assert_true(found->hive_dirty);
    assert_true(found->is_default);
    assert_true(strlist_has(&found->tools, "vmware"));
    assert_true(strlist_has(&found->tools, "xen"));
    assert_int_equal(found->tools.n, 2);
    assert_true(found->boots_ahci);
    assert_false(found->boots_virtio_blk);
    assert_int_equal(found->n_drives, 2);
    assert_string_equal(found->drives[0].device, "/dev/sda3");
    assert_string_equal(found->drives[1].device, "");
    assert_int_equal(found->n_nics, 1);
    nic = &found->nics[0];
    assert_true(nic->is_static);
    assert_string_equal(nic->mac, "00:0c:29:f3:ff:de");
    assert_int_equal(nic->addresses.n, 2);
    assert_string_equal(nic->dns.items[1], "192.168.10.3");
    assert_int_equal(nic->addresses6.n, 2); /* but not the link-local one */
    assert_string_equal(nic->addresses6.items[0], "2001:db8::20/64");
    assert_int_equal(nic->n_routes6, 2);
    assert_string_equal(nic->routes6[0].gateway, "fe80::a");
    assert_string_equal(nic->dns6.items[0], "2001:db8::53");
    assert_true(facts_has_package(windows.facts, "VMware Tools"));
    assert_true(facts_has_package(windows.facts, "Editor"));
    done(&windows);
}

/* Policies, a virus scanner that runs (another one is switched off), another maker of the machine.
 */
static void what_others_decide_is_told(void **state)
{
    struct windows windows = { .root = NULL };
    const struct fact_windows *found;

    (void)state;
    if (!has_python())
        skip();
    make(&windows, "2019", (const char *const[]){ "--managed", NULL });
    look(&windows, false, false);
    found = windows.facts->windows;
    assert_true(found->group_policies);
    assert_string_equal(found->domain, "example.org");
    assert_string_equal(found->antivirus, "Kaspersky");
    assert_true(found->rtc_is_utc);
    assert_true(found->is_server);
    assert_int_equal(found->tools.n, 1);
    assert_string_equal(found->tools.items[0], "hyperv");
    assert_string_equal(found->nics[0].mac, "02:00:5e:10:20:30");
    done(&windows);

    make(&windows, "2019", (const char *const[]){ NULL });
    look(&windows, false, false);
    found = windows.facts->windows;
    assert_false(found->group_policies || found->rtc_is_utc);
    assert_string_equal(found->antivirus, "");
    assert_int_equal(found->tools.n, 0);
    done(&windows);
}

/* A driver that is installed starts only if the device leads to it and nothing parks it. */
static void drivers_must_be_bound_and_start(void **state)
{
    static const char *const options[] = { "--virtio", NULL };
    static const struct {
        const char *variant;
        bool scsi;
    } cases[] = { { "xp", false }, { "7", true }, { "10", true } };

    (void)state;
    if (!has_python())
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct windows windows = { .root = NULL };
        struct fact_windows *found;
        bool is_xp = strcmp(cases[i].variant, "xp") == 0;
        char *driver = NULL;

        make(&windows, cases[i].variant, options);
        look(&windows, false, is_xp);
        found = windows.facts->windows;
        assert_true(found->boots_virtio_blk);
        assert_int_equal(found->boots_virtio_scsi, cases[i].scsi);

        /* without its file it stops the boot */
        driver = mem_printf("%s/c/%s/drivers/viostor.sys", windows.tree.dir,
                            is_xp ? "WINDOWS/system32" : "Windows/System32");
        assert_int_equal(unlink(driver), 0);
        free(driver);
        facts_free(windows.facts);
        guest_root_free(windows.root);
        look(&windows, false, is_xp);
        assert_false(windows.facts->windows->boots_virtio_blk);
        done(&windows);
    }
}

static void what_is_no_windows_is_not_taken_for_one(void **state)
{
    static const char *const trees[] = { "/Windows.old", "/$WINDOWS.~BT", "/sources" };
    struct tree tree;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
        tree_open(&tree, NULL);
        for (int hive = 0; hive < 2; hive++) {
            char *path =
                mem_printf("%s/System32/config/%s", trees[i], hive ? "SYSTEM" : "SOFTWARE");

            if (i < 2 || hive)
                tree_put(&tree, path, "regf", 0644);
            free(path);
        }
        guest_root_ignore_case(tree.root);
        assert_false(os_probe_windows.match(tree.root));
        tree_close(&tree);
    }
    /* what setup and recovery run */
    tree_open(&tree, NULL);
    tree_put(&tree, "/windows/system32/config/SYSTEM", "regf", 0644);
    tree_put(&tree, "/windows/system32/config/SOFTWARE", "regf", 0644);
    guest_root_ignore_case(tree.root);
    assert_true(os_probe_windows.match(tree.root));
    tree_put(&tree, "/windows/system32/wpeinit.exe", "MZ", 0644);
    assert_false(os_probe_windows.match(tree.root));
    tree_close(&tree);
}

/* Hives that are damaged leave a system that is known by its files. */
static void damaged_hives_are_told(void **state)
{
    struct inspect_opts opts = { .with_packages = true };
    struct facts *facts = facts_new();
    struct err err = ERR_NONE;
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/WINNT/system32/config/system", "regf", 0644);
    tree_put(&tree, "/WINNT/system32/config/software", "nothing", 0644);
    guest_root_ignore_case(tree.root);
    add_devices(facts, false, true);
    assert_true(os_probe_windows.match(tree.root));
    os_probe_windows.identify(tree.root, facts);
    assert_int_equal(os_probe_windows.collect(tree.root, &opts, facts, &err), 0);
    assert_string_equal(facts->product_name, "Windows");
    assert_string_equal(facts->windows->system_root, "/WINNT");
    assert_string_equal(facts->windows->system_hive, "/WINNT/system32/config/system");
    assert_int_equal(facts->windows->notes.n, 2);
    facts_free(facts);
    tree_close(&tree);
}

/* The key at @path below @key, whose keys above have nothing else in them. */
static uint32_t make_path(struct hive_make *make, uint32_t key, const char *path)
{
    while (*path) {
        size_t len = strcspn(path, "\\");
        char *name = mem_strndup(path, len);
        uint32_t below = make_key(make, key, name);

        make_give(make, key, make_list(make, "lh", &below, 1), 1);
        free(name);
        key = below;
        path += len + (path[len] != '\0');
    }
    return key;
}

/* Some hundred KiB of keys would take hours to be looked through. */
static void hives_of_many_keys_are_told(void **state)
{
    static const char class[] = "Class\\{4D36E972-E325-11CE-BFC1-08002BE10318}";
    struct inspect_opts opts = { .with_packages = true };
    struct facts *facts = facts_new();
    struct strbuf bytes = { 0 };
    struct hive_make make;
    struct err err = ERR_NONE;
    struct tree tree;
    uint32_t set, parts[2];

    (void)state;
    tree_open(&tree, NULL);
    make_begin(&make, 5);
    set = make_path(&make, make.root, "ControlSet001");
    parts[0] = make_key(&make, set, "Control");
    parts[1] = make_key(&make, set, "Services");
    make_give(&make, set, make_list(&make, "lh", parts, 2), 2);
    make_many(&make, make_path(&make, parts[0], class), "lh", "", 3000);
    make_many(&make, make_path(&make, parts[1], "Tcpip\\Parameters\\Interfaces"), "lh", "", 250);
    make_end(&make, 1, 1, &bytes);
    tree_put_bytes(&tree, "/Windows/System32/config/SYSTEM", bytes.data, bytes.len, 0644);
    tree_put(&tree, "/Windows/System32/config/SOFTWARE", "", 0644);
    strbuf_done(&bytes);
    guest_root_ignore_case(tree.root);
    add_devices(facts, false, true);
    os_probe_windows.identify(tree.root, facts);
    assert_int_equal(os_probe_windows.collect(tree.root, &opts, facts, &err), 0);
    assert_int_equal(facts->windows->notes.n, 2);
    assert_non_null(strstr(facts->windows->notes.items[1], "SYSTEM has so many keys"));
    facts_free(facts);
    tree_close(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_ini_names_disks_partitions_and_folders),
        cmocka_unit_test(devices_of_the_bcd_are_bounded),
        cmocka_unit_test(real_boot_configurations_are_read),
        cmocka_unit_test(real_registries_are_read),
        cmocka_unit_test(facts_of_a_workstation),
        cmocka_unit_test(what_others_decide_is_told),
        cmocka_unit_test(drivers_must_be_bound_and_start),
        cmocka_unit_test(what_is_no_windows_is_not_taken_for_one),
        cmocka_unit_test(damaged_hives_are_told),
        cmocka_unit_test(hives_of_many_keys_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
