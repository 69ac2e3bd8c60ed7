/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest mounts, by fstab and by systemd units; and what its names of hardware mean. */
#include <stdlib.h>
#include <string.h>

#include "inspect/fstab.h"
#include "inspect/linux.h"
#include "inspect/mount_units.h"
#include "tests/unit/tree.h"

static void add(struct facts *facts, const char *name, const char *kind, const char *fstype,
                const char *uuid)
{
    struct fact_device *device = facts_add_device(facts);

    facts_set(&device->name, name);
    facts_set(&device->kind, kind);
    facts_set(&device->fstype, fstype);
    facts_set(&device->uuid, uuid);
}

static void names_of_units(void **state)
{
    static const struct {
        const char *path, *name;
    } cases[] = {
        { "/", "-.mount" },
        { "/boot", "boot.mount" },
        { "/var/log", "var-log.mount" },
        { "//var///log/", "var-log.mount" },
        { "/my data", "my\\x20data.mount" },
        { "/a-b/.c/d.e", "a\\x2db-.c-d.e.mount" },
        { "/.hidden", "\\x2ehidden.mount" },
        { "/\xc3\xa4", "\\xc3\\xa4.mount" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *name = unit_name_of_path(cases[i].path, ".mount");

        assert_string_equal(name, cases[i].name);
        free(name);
    }
}

static void types_that_fit(void **state)
{
    static const struct {
        const char *want, *have;
        bool fits;
    } cases[] = {
        { "ext4", "ext4", true },  { "ext3", "ext4", true },  { "auto", "xfs", true },
        { "", "xfs", true },       { "xfs", "", true },       { "xfs", "ext4", false },
        { "msdos", "vfat", true }, { "swap", "ext4", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(fstab_type_fits(cases[i].want, cases[i].have), cases[i].fits);
}

#define UNIT(what, where, options)                                                                 \
    "[Unit]\nDescription=x\n[Mount]\nWhat=" what "\nWhere=" where "\nType=ext4\nOptions=" options  \
    "\n[Install]\nWantedBy=local-fs.target\n"

static void put_units(const struct tree *tree)
{
    static const char etc[] = "/etc/systemd/system";
    static const struct {
        const char *path, *text; /* relative to etc, unless it begins with '/' */
    } files[] = {
        { "/etc/fstab", "UUID=root / ext4 defaults 0 1\n"
                        "UUID=home /home ext4 defaults 0 2\n"
                        "UUID=gone /masked ext4 defaults 0 2\n"
                        "UUID=srv /srv ext4 noauto 0 2\n"
                        "UUID=opt /opt ext4 noauto,x-systemd.automount 0 2\n" },
        { "home.mount", UNIT("UUID=new", "/home", "ro") }, /* wins over fstab */
        { "data-deep.mount", UNIT("UUID=deep", "/data/deep", "nofail") },
        { "data.mount", UNIT("/dev/disk/by-uuid/data", "/data", "") }, /* started by the other */
        { "idle.mount", UNIT("UUID=srv", "/idle", "") },
        { "auto.mount", UNIT("UUID=auto", "/auto", "") },
        { "auto.automount", "[Automount]\nWhere=/auto\n" },
        { "wrong.mount", UNIT("UUID=srv", "/other", "") },
        { "half.mount", "[Mount]\nWhere=/half\n" },
        { "drop.mount", UNIT("UUID=srv", "/drop", "ro") },
        { "drop.mount.d/20-b.conf", "[Mount]\nWhat=UUID=new\n" },
        { "drop.mount.d/10-a.conf", "[Mount]\nWhat=UUID=data\nOptions=\nOptions=noexec\n" },
        { "/usr/lib/systemd/system/pkg.mount", UNIT("UUID=auto", "/pkg", "") },
        { "/usr/lib/systemd/system/unused.mount", UNIT("UUID=auto", "/unused", "") },
        { "/usr/lib/systemd/system/srv.mount", UNIT("UUID=auto", "/srv", "") }, /* fstab wins */
        { "/usr/lib/systemd/system/tmp.mount",
          "[Mount]\nWhat=tmpfs\nWhere=/tmp\nType=tmpfs\n" }, /* no device */
        { "net.mount", "[Mount]\nWhat=server:/x\nWhere=/net\nType=nfs\n" },
    };
    static const struct {
        const char *to, *path;
    } links[] = {
        { "/dev/null", "masked.mount" },
        { "/etc/systemd/system/data-deep.mount", "local-fs.target.wants/data-deep.mount" },
        { "../auto.automount", "multi-user.target.wants/auto.automount" },
        { "../drop.mount", "local-fs.target.requires/drop.mount" },
        { "../wrong.mount", "local-fs.target.wants/wrong.mount" },
        { "../half.mount", "local-fs.target.wants/half.mount" },
        { "/usr/lib/systemd/system/pkg.mount", "local-fs.target.wants/pkg.mount" },
        { "../tmp.mount", "/usr/lib/systemd/system/local-fs.target.wants/tmp.mount" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        char *path = files[i].path[0] == '/' ? mem_strdup(files[i].path)
                                             : mem_printf("%s/%s", etc, files[i].path);

        tree_put(tree, path, files[i].text, 0644);
        free(path);
    }
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        char *path = links[i].path[0] == '/' ? mem_strdup(links[i].path)
                                             : mem_printf("%s/%s", etc, links[i].path);

        tree_link(tree, links[i].to, path);
        free(path);
    }
}

static void units_and_fstab(void **state)
{
    static const struct {
        const char *target, *device, *options, *problem;
        bool at_boot;
    } want[] = {
        { "/", "/dev/sda1", "defaults", "", true },
        { "/home", "/dev/sdb1", "ro", "", true },
        { "/masked", NULL, "defaults", "", false },
        { "/srv", "/dev/sdb2", "noauto", "", false },
        { "/opt", "/dev/sdb3", "noauto,x-systemd.automount", "", true },
        { "/auto", "/dev/sdb4", "", "", true },
        { "/data/deep", "/dev/sdb5", "nofail", "", true },
        { "/data", "/dev/sdb6", "", "", true },
        { "/drop", "/dev/sdb1", "noexec", "", true },
        { "/half", NULL, "", "the unit lacks What= or Where=", false },
        { "/idle", "/dev/sdb2", "", "", false },
        { "/net", NULL, "", "", false },
        { "/pkg", "/dev/sdb4", "", "", true },
        { "/other", "/dev/sdb2", "", "the unit's name does not fit its Where=", false },
    };
    static const char *const uuids[] = { "new", "srv", "opt", "auto", "deep", "data" };
    struct facts *facts = facts_new();
    struct tree tree;

    (void)state;
    facts_set(&facts->root, "/dev/sda1");
    add(facts, "/dev/sda", "disk", "", "");
    add(facts, "/dev/sda1", "partition", "ext4", "root");
    add(facts, "/dev/sdb", "disk", "", "");
    for (size_t i = 0; i < ARRAY_SIZE(uuids); i++) {
        char *name = mem_printf("/dev/sdb%zu", i + 1);

        add(facts, name, "partition", "ext4", uuids[i]);
        free(name);
    }
    tree_open(&tree, NULL);
    put_units(&tree);
    linux_mounts(tree.root, facts);
    tree_close(&tree);
    assert_int_equal(facts->n_mounts, ARRAY_SIZE(want));
    for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
        const struct fact_mount *mount = &facts->mounts[i];

        print_message("mount: %s\n", want[i].target);
        assert_string_equal(mount->target, want[i].target);
        assert_int_equal(mount->device != NULL, want[i].device != NULL);
        if (mount->device)
            assert_string_equal(mount->device->name, want[i].device);
        assert_string_equal(mount->options, want[i].options);
        assert_string_equal(mount->problem, want[i].problem);
        assert_int_equal(mount->at_boot, want[i].at_boot);
    }
    assert_string_equal(facts->mounts[1].file, "/etc/systemd/system/home.mount");
    assert_string_equal(facts->mounts[12].file, "/usr/lib/systemd/system/pkg.mount");
    facts_free(facts);
}

/* ---- names of hardware ---- */

#define ID "/dev/disk/by-id/"
#define SCSI "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:"

/* sda: 1 ext4 (root), 2 swap; sdb: 1 xfs; sdc: 1 ext4; sdd: 1 ext4, as many disks as @n_disks. */
static struct facts *hardware(const char *fstab, size_t n_disks)
{
    struct facts *facts = facts_new();
    struct tree tree;

    facts_set(&facts->root, "/dev/sda1");
    add(facts, "/dev/sda", "disk", "", "");
    add(facts, "/dev/sda1", "partition", "ext4", "root");
    add(facts, "/dev/sda2", "partition", "swap", "swap");
    for (size_t i = 1; i < n_disks; i++) {
        char *disk = mem_printf("/dev/sd%c", (int)('a' + i));
        char *part = mem_printf("%s1", disk);

        add(facts, disk, "disk", "", "");
        add(facts, part, "partition", i == 1 ? "xfs" : "ext4", part);
        free(disk);
        free(part);
    }
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/fstab", fstab, 0644);
    linux_mounts(tree.root, facts);
    tree_close(&tree);
    return facts;
}

static const struct {
    const char *label;
    size_t n_disks;
    const char *fstab;
    const char *devices; /* of the lines, "-": not known */
} hardware_cases[] = {
    { "the disk of the root, and the type", 2,
      ID "scsi-1a-part1 / ext4\n" ID "scsi-1a-part2 none swap\n" ID "scsi-2b-part1 /data xfs\n",
      "/dev/sda1 /dev/sda2 /dev/sdb1" },
    { "what is left over", 3,
      ID "wwn-0x1-part1 / ext4\n" ID "wwn-0x2-part1 /b xfs\n" ID "wwn-0x3-part1 /c ext4\n",
      "/dev/sda1 /dev/sdb1 /dev/sdc1" },
    { "two kinds of names for one disk", 2,
      ID "wwn-0x1-part1 / ext4\n" ID "scsi-2b-part1 /b xfs\n" ID "ata-2b-part1 /b2 xfs\n",
      "/dev/sda1 /dev/sdb1 /dev/sdb1" },
    { "two of one kind cannot be told apart", 4,
      ID "scsi-1-part1 / ext4\n" ID "scsi-3-part1 /c ext4\n" ID "scsi-4-part1 /d ext4\n",
      "/dev/sda1 - -" },
    { "a disk that is not given", 2,
      ID "scsi-1-part1 / ext4\n" ID "scsi-2-part1 /b xfs\n" ID "scsi-3-part1 /c xfs\n",
      "/dev/sda1 - -" },
    { "one disk of two", 1, SCSI "0:0-part1 / ext4\n" SCSI "1:0-part1 /data ext4\n",
      "/dev/sda1 -" },
    { "another disk than the root's", 1, "UUID=root / ext4\n" SCSI "1:0-part1 /data ext4\n",
      "/dev/sda1 -" },
    { "one disk of one", 1, SCSI "0:0-part1 / ext4\n" SCSI "0:0-part2 none swap\n",
      "/dev/sda1 /dev/sda2" },
    { "by-path: the order", 4,
      "UUID=root / ext4\n" SCSI "3:0-part1 /d ext4\n" SCSI "2:0-part1 /c ext4\n",
      "/dev/sda1 /dev/sdd1 /dev/sdc1" },
    { "by-path: units of a Hyper-V controller", 4,
      "UUID=root / ext4\n/dev/disk/by-path/acpi-VMBUS:01-scsi-0:0:0:3-part1 /d ext4\n",
      "/dev/sda1 /dev/sdd1" },
    { "by-path: two controllers have no order", 4,
      "UUID=root / ext4\n" SCSI "3:0-part1 /d ext4\n"
      "/dev/disk/by-path/pci-0000:0b:00.0-scsi-0:0:2:0-part1 /c ext4\n",
      "/dev/sda1 - -" },
    { "by-path: the order contradicts the types", 4,
      "UUID=root / ext4\n" SCSI "1:0-part1 /d ext4\n" SCSI "2:0-part1 /c ext4\n", "/dev/sda1 - -" },
    { "no number to count", 4,
      "UUID=root / ext4\n/dev/disk/by-path/pci-0000:00:05.0-part1 /c ext4\n", "/dev/sda1 -" },
};

static void links_that_name_hardware(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(hardware_cases); i++) {
        struct facts *facts = hardware(hardware_cases[i].fstab, hardware_cases[i].n_disks);
        struct strbuf got = { 0 };

        print_message("case: %s\n", hardware_cases[i].label);
        for (size_t m = 0; m < facts->n_mounts; m++)
            strbuf_printf(&got, "%s%s", m ? " " : "",
                          facts->mounts[m].device ? facts->mounts[m].device->name : "-");
        assert_string_equal(strbuf_text(&got), hardware_cases[i].devices);
        strbuf_done(&got);
        facts_free(facts);
    }
}

/* systemd takes the first, too, and complains of the second. */
static void the_first_of_two_roots_counts(void **state)
{
    struct facts *facts = facts_new();
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    add(facts, "/dev/sda1", "partition", "ext4", "aaaa");
    add(facts, "/dev/sda2", "partition", "xfs", "bbbb");
    facts_set(&facts->root, "/dev/sda1");
    tree_put(&tree, "/etc/fstab", "UUID=aaaa / ext4 defaults 0 1\nUUID=bbbb / xfs defaults 0 1\n",
             0644);
    linux_mounts(tree.root, facts);
    assert_string_equal(facts_mount(facts, "/")->source, "UUID=aaaa");
    assert_string_equal(facts_mount(facts, "/")->device->name, "/dev/sda1");
    tree_close(&tree);
    facts_free(facts);
}

static void copies_of_a_disk_have_the_same_tags(void **state)
{
    struct facts *facts = facts_new();

    (void)state;
    facts_set(&facts->root, "/dev/sdb1");
    add(facts, "/dev/sda1", "partition", "ext4", "aaaa");
    add(facts, "/dev/sda2", "partition", "ext4", "bbbb");
    add(facts, "/dev/sdb1", "partition", "ext4", "aaaa");
    add(facts, "/dev/sdb2", "partition", "ext4", "BBBB");
    add(facts, "/dev/sdc2", "partition", "ext4", "cccc");
    for (size_t i = 0; i < facts->n_devices; i++) {
        char *disk = mem_strndup(facts->devices[i].name, 8);

        facts_set(&facts->devices[i].disk, disk);
        free(disk);
    }
    assert_string_equal(facts_resolve(facts, "UUID=aaaa")->name, "/dev/sdb1");
    assert_string_equal(facts_resolve(facts, "/dev/disk/by-uuid/aaaa")->name, "/dev/sdb1");
    assert_string_equal(facts_resolve(facts, "UUID=bbbb")->name, "/dev/sda2"); /* as it is spelt */
    assert_string_equal(facts_resolve(facts, "UUID=CCCC")->name, "/dev/sdc2");
    assert_int_equal(facts_count(facts, "UUID=aaaa"), 2);
    assert_int_equal(facts_count(facts, "UUID=cccc"), 1);
    assert_int_equal(facts_count(facts, "UUID=gone"), 0);
    assert_int_equal(facts_count(facts, "/dev/sda1"), 0);
    facts_free(facts);
}

/* udev gives the links of a volume and its snapshots to the volume. */
static void snapshots_have_the_tags_of_their_origin(void **state)
{
    struct facts *facts = facts_new();

    (void)state;
    facts_set(&facts->root, "/dev/vg/before");
    add(facts, "/dev/vg/before", "lv", "xfs", "aaaa");
    facts_set(&facts->devices[0].snapshot_of, "/dev/vg/root");
    add(facts, "/dev/vg/root", "lv", "xfs", "aaaa");
    assert_string_equal(facts_resolve(facts, "UUID=aaaa")->name, "/dev/vg/root");
    assert_string_equal(facts_resolve(facts, "/dev/mapper/vg-before")->name, "/dev/vg/before");
    assert_int_equal(facts_count(facts, "UUID=aaaa"), 1);
    facts_set(&facts->devices[1].uuid, "bbbb"); /* made anew since */
    assert_string_equal(facts_resolve(facts, "UUID=aaaa")->name, "/dev/vg/before");
    facts_free(facts);
}

static void opened_devices_have_the_names_of_crypttab(void **state)
{
    struct facts *facts = facts_new();
    struct tree tree;

    (void)state;
    facts_set(&facts->root, "/dev/mapper/luks-aaaa-1");
    add(facts, "/dev/sda", "disk", "", "");
    add(facts, "/dev/sda1", "partition", "crypto_LUKS", "aaaa-1");
    add(facts, "/dev/sda2", "partition", "crypto_LUKS", "bbbb-2");
    add(facts, "/dev/mapper/luks-aaaa-1", "crypt", "ext4", "root");
    facts_set(&facts->devices[3].decrypts, "/dev/sda1");
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/crypttab", "cryptroot UUID=aaaa-1 none luks\nother /dev/sda2 none luks\n",
             0644);
    tree_put(&tree, "/etc/fstab",
             "/dev/mapper/cryptroot / ext4\n/dev/disk/by-id/dm-name-cryptroot /x ext4\n"
             "/dev/mapper/other /y ext4\n",
             0644);
    linux_mounts(tree.root, facts);
    tree_close(&tree);
    assert_int_equal(facts->n_mounts, 3);
    assert_string_equal(facts->mounts[0].device->name, "/dev/mapper/luks-aaaa-1");
    assert_string_equal(facts->mounts[1].device->name, "/dev/mapper/luks-aaaa-1");
    assert_null(facts->mounts[2].device);
    facts_free(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_units),
        cmocka_unit_test(types_that_fit),
        cmocka_unit_test(units_and_fstab),
        cmocka_unit_test(links_that_name_hardware),
        cmocka_unit_test(the_first_of_two_roots_counts),
        cmocka_unit_test(copies_of_a_disk_have_the_same_tags),
        cmocka_unit_test(snapshots_have_the_tags_of_their_origin),
        cmocka_unit_test(opened_devices_have_the_names_of_crypttab),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
