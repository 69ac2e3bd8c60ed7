/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archives shaped as the tools make them: each must load virtio's drivers in its own way. Their
 * scripts are run by a shell in which the commands of the archive are functions. */
#include <errno.h>

#include "fixers/linux/cpio_write.h"
#include "fixers/linux/initramfs_kinds.h"
#include "tests/unit/initramfs_guest.h"
#include "tests/unit/tree.h"

#define PVSCSI "kernel/drivers/scsi/vmw_pvscsi.ko"

/* Pack what the commands make in the empty folder "i" below the guest. */
static void make_image(const char *commands)
{
    shell("cd %s; rm -rf i; mkdir -p i boot; cd i\n%s\n"
          "find . | sort | cpio -o -H newc --quiet | gzip -n >.." INITRD "; cd ..; rm -rf i",
          tree.dir, commands);
}

/* Plan and apply, then take the image apart as the kernel does; the plan's note about it is
 * returned, to free. */
static char *repair(size_t n_notes)
{
    struct plan *plan = make_plan();
    const struct change *change = find_change(plan, INITRD);
    struct stat st;
    char *note;

    for (size_t i = 0; i < plan->notes.n; i++)
        print_message("note: %s\n", plan->notes.items[i]);
    assert_non_null(change);
    assert_int_equal(plan->notes.n, n_notes);
    note = mem_strdup(change->note);
    assert_int_equal(guest_stat(tree.root, INITRD, &st), 0);
    apply_and_free(plan);
    shell("rm -rf %s; mkdir %s; cd %s; head -c %zu %s" INITRD " | gzip -dc | cpio -idm --quiet\n"
          "tail -c +%zu %s" INITRD " | cpio -idmu --quiet\n",
          unpacked, unpacked, unpacked, (size_t)st.st_size, tree.dir,
          (size_t)st.st_size + segment_padding((uint64_t)st.st_size) + 1, tree.dir);
    expect_no_change();
    return note;
}

static void expect_file(const char *name, const char *want)
{
    char *path = mem_printf("%s/%s", unpacked, name);
    struct err err = ERR_NONE;
    char *text = NULL;

    assert_int_equal(io_read_file(path, 1U << 20, &text, NULL, &err), 0);
    assert_string_equal(text, want);
    free(text);
    free(path);
}

/* ---- mkinitrd of EL 5 ---- */

#define NASH_HEAD                                                                                  \
    "#!/bin/nash\n\nmount -t proc /proc /proc\nsetquiet\necho Mounting proc filesystem\n"          \
    "mknod /dev/null c 1 3\necho Creating block device nodes.\nmkblkdevs\n"
#define NASH_MODULES                                                                               \
    "echo \"Loading scsi_mod.ko module\"\ninsmod /lib/scsi_mod.ko \n"                              \
    "echo \"Loading vmw_pvscsi.ko module\"\ninsmod /lib/vmw_pvscsi.ko \n"
#define NASH_ROOT                                                                                  \
    "echo Waiting for driver initialization.\n"                                                    \
    "stabilized --hash --interval 250 /proc/scsi/scsi\nmkblkdevs\n"                                \
    "echo Scanning logical volumes\nlvm vgscan --ignorelockingfailure\n"                           \
    "resume /dev/VolGroup00/LogVol01\necho Creating root device.\n"                                \
    "mkrootdev -t ext3 -o defaults,ro /dev/VolGroup00/LogVol00\n"                                  \
    "echo Mounting root filesystem.\nmount /sysroot\nswitchroot\n"
#define NASH_ADDED                                                                                 \
    "echo \"Loading virtio.ko module\"\ninsmod /lib/virtio.ko\n"                                   \
    "echo \"Loading virtio_pci.ko module\"\ninsmod /lib/virtio_pci.ko\n"                           \
    "echo \"Loading virtio_blk.ko module\"\ninsmod /lib/virtio_blk.ko\n"                           \
    "echo \"Loading virtio_scsi.ko module\"\ninsmod /lib/virtio_scsi.ko\n"                         \
    "echo \"Loading sd_mod.ko module\"\ninsmod /lib/sd_mod.ko\nmkblkdevs\n"

static void make_nash_image(void)
{
    tree_put(&tree, "/nash-init", NASH_HEAD NASH_MODULES NASH_ROOT, 0700);
    make_image("mkdir bin lib sys proc sysroot etc; touch bin/nash bin/insmod; ln -s bin sbin\n"
               "cp .." MODULES "/" PVSCSI " lib/; cp lib/vmw_pvscsi.ko lib/scsi_mod.ko\n"
               "cp ../nash-init init");
}

static void nash_loads_them_before_it_looks_for_the_root(void **state)
{
    char *note;

    (void)state;
    /* as module-init-tools wrote it */
    shell("sed -i 's#kernel/#" MODULES "/kernel/#g' %s" MODULES "/modules.dep; rm %s" MODULES
          "/modules.builtin",
          tree.dir, tree.dir);
    make_nash_image();
    note = repair(0);
    assert_string_equal(note, "virtio_blk, sd_mod, virtio_scsi, virtio, virtio_pci; init that "
                              "knows them");
    free(note);
    expect_file("init", NASH_HEAD NASH_MODULES NASH_ADDED NASH_ROOT);
    shell("cd %s; test -x init; test ! -e lib/modules; test -h sbin\n"
          "{ echo 'mount() { :; }; setquiet() { :; }; mknod() { :; }; mkblkdevs() { :; }'\n"
          "  echo 'stabilized() { :; }; resume() { :; }; switchroot() { :; }'\n"
          "  echo 'insmod() { test -f \".$1\" || exit 9; all=\"$all $(basename $1)\"; }'\n"
          "  echo 'lvm() { case \" $all \" in *\" virtio.ko virtio_pci.ko virtio_blk.ko \"*) :;; "
          "*) exit 8; esac; }'\n"
          "  echo 'mkrootdev() { echo ok >reached; }'\n"
          "  tail -n +2 init; } >script; bash -e ./script >/dev/null; test -s reached",
          unpacked);
}

/* The modules may be inside since an earlier attempt, without a line that loads them. */
static void nash_needs_its_lines_too(void **state)
{
    struct initramfs found = { 0 };
    char *note;

    (void)state;
    tree_put(&tree, "/nash-init", NASH_HEAD NASH_MODULES NASH_ROOT, 0700);
    make_image("mkdir lib; find .." MODULES " -name '*.ko' -exec cp -t lib {} +\n"
               "cp lib/sd_mod.ko lib/scsi_mod.ko; cp ../nash-init init");
    note = repair(0);
    assert_string_equal(note, "init that knows them");
    free(note);
    scan_initrd(&found);
    assert_string_equal(found.flat_folder, "lib");
    assert_true(initramfs_has_module(&found, "virtio_blk"));
    initramfs_done(&found);
}

static const struct {
    const char *label, *in, *want; /* want NULL: there is no place for it; "": nothing to do */
} nash_cases[] = {
    { "no module yet", "#!/bin/nash\nmkrootdev a\n",
      "#!/bin/nash\necho \"Loading v.ko module\"\ninsmod /lib/v.ko\nmkrootdev a\n" },
    { "it is loaded", "#!/bin/nash\ninsmod /lib/v.ko\nlvm vgscan\n", "" },
    { "too late", "insmod /lib/a.ko x=1\nlvm vgscan\ninsmod /lib/v.ko\n",
      "insmod /lib/a.ko x=1\necho \"Loading v.ko module\"\ninsmod /lib/v.ko\nlvm vgscan\n"
      "insmod /lib/v.ko\n" },
    { "EL 4", "insmod /lib/a.ko\n/sbin/udevstart\nmount --ro -t ext3 /dev/root /sysroot\n",
      "insmod /lib/a.ko\necho \"Loading v.ko module\"\ninsmod /lib/v.ko\n/sbin/udevstart\n"
      "mount --ro -t ext3 /dev/root /sysroot\n" },
    { "a comment", "insmod /lib/a.ko\n# insmod /lib/v.ko\n  resume x\n",
      "insmod /lib/a.ko\necho \"Loading v.ko module\"\ninsmod /lib/v.ko\n# insmod /lib/v.ko\n"
      "  resume x\n" },
    { "no root", "insmod /lib/a.ko\n", NULL },
    { "empty", "", NULL },
};

static void nash_scripts_keep_their_order(void **state)
{
    struct strlist load = { 0 };

    (void)state;
    strlist_add(&load, "v.ko");
    for (size_t i = 0; i < ARRAY_SIZE(nash_cases); i++) {
        const char *want = nash_cases[i].want;
        char *got = NULL, *again = NULL;

        print_message("case: %s\n", nash_cases[i].label);
        assert_int_equal(nash_with_modules(nash_cases[i].in, &load, &got),
                         !want ? -ENOENT : *want != '\0');
        if (want && *want) {
            assert_string_equal(got, want);
            assert_int_equal(nash_with_modules(got, &load, &again), 0);
        }
        free(got);
    }
    strlist_done(&load);
}

/* ---- mkinitrd of SUSE ---- */

#define SUSE_LIST "[ \"$RESOLVED_INITRD_MODULES\" ] || RESOLVED_INITRD_MODULES='thermal ext3'\n"
#define SUSE_ADDED                                                                                 \
    "RESOLVED_INITRD_MODULES=\"$RESOLVED_INITRD_MODULES virtio_pci virtio_blk virtio_scsi "        \
    "sd_mod\"\n"
#define SUSE_TAIL                                                                                  \
    "\nmodules=\" $RESOLVED_INITRD_MODULES\"\n[ \"$debug\" ] && echo running 02-start.sh\n"        \
    "source boot/02-start.sh\n[ \"$modules\" ] && load_modules\n"

static void suse_loads_them_from_its_list(void **state)
{
    char *note;

    (void)state;
    tree_put(&tree, "/run_all.sh",
             "[ \"$build_day\" ] || build_day='20100509'\n" SUSE_LIST SUSE_TAIL, 0644);
    tree_put(&tree, "/start.sh", SUSE_LIST, 0644);
    make_image("mkdir -p lib/modules/" KVER " boot config sbin; touch sbin/udevd\n"
               "(cd .." MODULES "; cp --parents " PVSCSI " ../../../i/lib/modules/" KVER ")\n"
               "cp ../run_all.sh .; cp ../start.sh config/; echo :>boot/02-start.sh\n"
               "depmod -b . " KVER " 2>/dev/null; echo '#!/bin/bash' >init");
    note = repair(0);
    assert_non_null(strstr(note, "indexes; run_all.sh that knows them; config/start.sh that knows "
                                 "them"));
    free(note);
    expect_file("config/start.sh", SUSE_LIST SUSE_ADDED);
    shell("cd %s; { echo 'load_modules() { echo $modules; }'; cat run_all.sh; } >script\n"
          "test \"$(bash ./script)\" = 'thermal ext3 virtio_pci virtio_blk virtio_scsi sd_mod'\n"
          "for m in virtio_blk virtio_scsi; do\n"
          "  modprobe -d \"$PWD\" -S " KVER " -D $m | grep -q 'insmod.*/virtio.ko'; done",
          unpacked);
}

/* ---- mkinitcpio ---- */

#define CPIO_IMAGE                                                                                 \
    "mkdir -p usr/lib/modules/" KVER "/kernel usr/bin hooks; ln -s usr/lib lib\n"                  \
    "touch init_functions usr/bin/busybox; echo '#!/usr/bin/ash' >init\n"                          \
    "cp .." MODULES "/" PVSCSI " usr/lib/modules/" KVER "/kernel/\n"                               \
    "depmod -b . " KVER " 2>/dev/null; rm usr/lib/modules/" KVER "/modules.{dep,alias,symbols}\n"

static void mkinitcpio_with_busybox_loads_a_list(void **state)
{
    static const char *const configs[] = {
        "MODULES=\"ext4\"\nEARLYHOOKS=\"\"\nHOOKS=\"\"\n",
        "EARLYHOOKS=\"\"\nHOOKS=\"\"",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
        tree_put(&tree, "/cpio-config", configs[i], 0644);
        make_image(CPIO_IMAGE "cp ../cpio-config config");
        free(repair(0));
        shell(
            "cd %s; . ./config; test \"$MODULES\" = '%svirtio_pci virtio_blk virtio_scsi sd_mod'\n"
            "modprobe -d \"$PWD\" -S " KVER " -D virtio_blk | grep -q 'insmod.*/virtio.ko'\n"
            "modprobe -d \"$PWD\" -S " KVER " -D vmw_pvscsi >/dev/null",
            unpacked, i == 0 ? "ext4 " : "");
    }
}

static void mkinitcpio_with_udev_needs_no_list(void **state)
{
    char *note;

    (void)state;
    make_image(CPIO_IMAGE "mkdir usr/lib/systemd; touch usr/lib/systemd/systemd-udevd\n"
                          "echo 'EARLYHOOKS=\"udev\"' >config");
    note = repair(0);
    assert_null(strstr(note, "config"));
    assert_non_null(strstr(note, "virtio_blk"));
    free(note);
}

/* Its modules lie in one folder, so where they lie does not say what they are. */
static void a_flat_network_driver_is_recognised(void **state)
{
    (void)state;
    make_image(CPIO_IMAGE "mkdir usr/lib/systemd; touch usr/lib/systemd/systemd-udevd config\n"
                          "cp .." MODULES "/kernel/drivers/net/vmxnet3/vmxnet3.ko "
                          "usr/lib/modules/" KVER "/kernel/");
    free(repair(0));
    shell("cd %s; modprobe -d \"$PWD\" -S " KVER " -D virtio_net | grep -q 'insmod.*/virtio.ko'",
          unpacked);
}

/* ---- booster ---- */

static void booster_gets_its_own_indexes(void **state)
{
    static const char yaml[] = "moduledependencies:\n    vmw_pvscsi:\n        - scsi_mod\n"
                               "builtinmodules:\n    ext4: true\nkernel: " KVER "\n";
    struct initramfs found = { 0 };
    char *note;

    (void)state;
    tree_put(&tree, "/init.yaml", yaml, 0644);
    make_image("mkdir -p etc usr/lib/modules; cp ../init.yaml etc/booster.init.yaml\n"
               "ln -s usr/lib lib; cp .." MODULES "/" PVSCSI " usr/lib/modules/; echo x >init\n"
               "echo 'pci:v000015ADd* vmw_pvscsi' >usr/lib/modules/booster.alias");
    note = repair(0);
    assert_string_equal(note, "virtio_blk, sd_mod, virtio_scsi, virtio, virtio_pci; "
                              "usr/lib/modules/booster.alias that knows them; "
                              "etc/booster.init.yaml that knows them");
    free(note);
    expect_file("etc/booster.init.yaml",
                "moduledependencies:\n    virtio_pci: [virtio]\n    virtio_blk: [virtio]\n"
                "    virtio_scsi: [virtio]\n    vmw_pvscsi:\n        - scsi_mod\n"
                "builtinmodules:\n    ext4: true\nkernel: " KVER "\n");
    shell("cd %s/usr/lib/modules; test ! -e " KVER "\n"
          "for m in virtio virtio_pci virtio_blk virtio_scsi sd_mod; do test -s $m.ko; done\n"
          "grep -qx 'virtio:d2v\\* virtio_blk' booster.alias\n"
          "grep -qx 'pci:v000015ADd\\* vmw_pvscsi' booster.alias",
          unpacked);
    scan_initrd(&found);
    assert_string_equal(found.flat_folder, "usr/lib/modules");
    initramfs_done(&found);
}

static void booster_dependencies_are_added_once(void **state)
{
    static const struct {
        const char *in, *want; /* want NULL: nothing to do */
    } cases[] = {
        { "moduledependencies: {}\nkernel: x\n", "moduledependencies:\n    a: [b]\nkernel: x\n" },
        { "kernel: x", "kernel: x\nmoduledependencies:\n    a: [b]\n" },
        { "moduledependencies:\n  z:\n  - y\n", "moduledependencies:\n  a: [b]\n  z:\n  - y\n" },
        { "moduledependencies:\n  z:\n  - y\n  a:\n  - b\nkernel: x\n", NULL },
        { "", "moduledependencies:\n    a: [b]\n" },
    };
    struct booster_module modules[] = { { .name = "a" }, { .name = "b" } };

    (void)state;
    strlist_add(&modules[0].needs, "b");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *got = NULL, *again = NULL;

        print_message("case: %s\n", cases[i].in);
        assert_int_equal(booster_with_modules(cases[i].in, modules, 2, &got),
                         cases[i].want != NULL);
        if (cases[i].want) {
            assert_string_equal(got, cases[i].want);
            assert_int_equal(booster_with_modules(got, modules, 2, &again), 0);
        }
        free(got);
    }
    strlist_done(&modules[0].needs);
}

/* ---- others ---- */

#define TREE_IMAGE                                                                                 \
    "mkdir -p lib/modules/" KVER " etc sbin\n"                                                     \
    "(cd .." MODULES "; cp --parents " PVSCSI " ../../../i/lib/modules/" KVER ")\n"                \
    "depmod -b . " KVER " 2>/dev/null\n"

static void genkernel_loads_a_group(void **state)
{
    (void)state;
    make_image(TREE_IMAGE "mkdir etc/modules; printf 'sd_mod\\nvmw_pvscsi' >etc/modules/scsi\n"
                          "touch etc/initrd.scripts");
    free(repair(0));
    expect_file("etc/modules/scsi", "sd_mod\nvmw_pvscsi\nvirtio_pci\nvirtio_blk\nvirtio_scsi\n");
}

static void alpine_needs_no_list(void **state)
{
    (void)state;
    make_image(TREE_IMAGE "touch sbin/nlplug-findfs init");
    free(repair(0));
    shell("cd %s; modprobe -d \"$PWD\" -S " KVER " -D virtio:d2v1 | grep -q 'insmod.*/virtio.ko'",
          unpacked);
}

/* As mktirfs makes it: all at the top, and what is compressed in the guest cannot be loaded so. */
#define TINY "mkdir dev proc target; echo binary >init\n"

static void tiny_loads_files_of_a_list(void **state)
{
    static const struct {
        const char *setup, *list;
    } cases[] = {
        { TINY "cp .." MODULES "/" PVSCSI " vmw_pvscsi.ko; echo '/vmw_pvscsi.ko a=b' >modules",
          "/vmw_pvscsi.ko a=b\n" },
        { TINY "cp .." MODULES "/kernel/drivers/virtio/virtio.ko .; printf /virtio.ko >modules",
          "/virtio.ko\n" },
        { TINY, "" }, /* all that it needed was built in */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *first = strstr(cases[i].list, "/virtio.ko") ? "" : "/virtio.ko\n";
        CLEANUP_FREE char *note = NULL;
        CLEANUP_FREE char *want =
            mem_printf("%s%s/virtio_pci.ko\n/virtio_blk.ko\n/virtio_scsi.ko\n/sd_mod.ko\n",
                       cases[i].list, first);

        print_message("case: %s\n", cases[i].setup);
        make_image(cases[i].setup);
        note = repair(0);
        assert_non_null(strstr(note, "modules that knows them"));
        assert_null(strstr(note, "indexes"));
        expect_file("modules", want);
        shell("cd %s; for m in $(cut -d' ' -f1 modules); do test -s .$m; done; test ! -e lib",
              unpacked);
    }
}

static void an_unknown_kind_is_named(void **state)
{
    struct plan *plan;

    (void)state;
    make_image(TREE_IMAGE "echo '#!/bin/sh' >init");
    plan = make_plan();
    assert_int_equal(plan->notes.n, 1);
    assert_non_null(strstr(plan->notes.items[0], "how it loads drivers is not known"));
    assert_non_null(find_change(plan, INITRD));
    plan_free(plan);
}

/* What is in the archive says whether its tools can unpack modules. */
static void modules_are_packed_as_the_others_are(void **state)
{
    static const struct {
        const char *packer, *suffix;
    } packers[] = { { "xz", "xz" }, { "zstd -q --rm", "zst" }, { "gzip", "gz" } };

    (void)state;
    /* the host's depmod may not read gzip: then it is the guest's index that counts */
    for (size_t i = 0; i < ARRAY_SIZE(packers) * 2 - 1; i++) {
        const char *suffix = packers[i / 2].suffix;

        print_message("case: %s, %s inside\n", suffix, i % 2 ? "packed" : "plain");
        shell("cd %s" MODULES "; depmod -b %s " KVER " 2>/dev/null\n"
              "find . -name '*.ko' -exec %s {} +; sed -i 's/\\.ko\\b/.ko.%s/g' modules.dep",
              tree.dir, tree.dir, packers[i / 2].packer, suffix);
        shell("cd %s; rm -rf i; mkdir -p i/lib/modules/" KVER " i/sbin boot; touch i/sbin/udevd\n"
              "(cd ." MODULES "; cp --parents " PVSCSI ".%s ../../../i/lib/modules/" KVER ")\n"
              "%s\n(cd i; find . | cpio -o -H newc --quiet) | gzip >." INITRD "; rm -rf i",
              tree.dir, suffix,
              i % 2 ? ":"
                    : "find i -name '*.ko.gz' -exec gunzip {} +; "
                      "find i -name '*.ko.xz' -exec unxz {} +; "
                      "find i -name '*.ko.zst' -exec zstd -dq --rm {} +");
        free(repair(0));
        shell("cd %s/lib/modules/" KVER "; test -e kernel/drivers/block/virtio_blk.ko%s%s\n"
              "modprobe -d %s -S " KVER " -D virtio_blk | grep -q 'insmod.*/virtio.ko'\n"
              "cd %s" MODULES "; find . -name '*.ko.gz' -exec gunzip {} +\n"
              "find . -name '*.ko.xz' -exec unxz {} +\n"
              "find . -name '*.ko.zst' -exec zstd -dq --rm {} +",
              unpacked, i % 2 ? "." : "", i % 2 ? suffix : "", unpacked, tree.dir);
    }
}

/* ---- the tools' own configuration ---- */

static const struct {
    enum initrd_tool tool;
    const char *path, *in, *want;
} confs[] = {
    { INITRD_MKINITCPIO, "/etc/mkinitcpio.conf", "# MODULES=(x)\nMODULES=()\nHOOKS=(base)\n",
      "# MODULES=(x)\nMODULES=(virtio_pci virtio_blk virtio_scsi sd_mod)\nHOOKS=(base)\n" },
    { INITRD_MKINITCPIO, "/etc/mkinitcpio.conf", "MODULES=(ext4\n virtio_blk)\n",
      "MODULES=(ext4\n virtio_blk virtio_pci virtio_scsi sd_mod)\n" },
    { INITRD_MKINITCPIO, "/etc/mkinitcpio.conf", "MODULES=\"ext4\"\n",
      "MODULES=\"ext4 virtio_pci virtio_blk virtio_scsi sd_mod\"\n" },
    { INITRD_MKINITCPIO, "/etc/mkinitcpio.conf", "HOOKS=(base)",
      "HOOKS=(base)\n# drivers of virtio machines (h2k)\n"
      "MODULES+=(virtio_pci virtio_blk virtio_scsi sd_mod)\n" },
    { INITRD_MKINITFS, "/etc/mkinitfs/mkinitfs.conf", "features=\"ata base ext4\"\n",
      "features=\"ata base ext4 virtio\"\n" },
    { INITRD_MKINITRD, "/etc/sysconfig/kernel", "# list\nINITRD_MODULES=\"mptspi ext3\"\nX=1\n",
      "# list\nINITRD_MODULES=\"mptspi ext3 virtio_pci virtio_blk virtio_scsi sd_mod\"\nX=1\n" },
    { INITRD_MKINITRD, "/etc/modprobe.conf",
      "alias eth0 pcnet32\nalias scsi_hostadapter mptbase\nalias scsi_hostadapter1 mptspi\n",
      "alias eth0 pcnet32\nalias scsi_hostadapter mptbase\nalias scsi_hostadapter1 mptspi\n"
      "alias scsi_hostadapter2 virtio_pci\nalias scsi_hostadapter3 virtio_blk\n"
      "alias scsi_hostadapter4 virtio_scsi\n" },
    { INITRD_MKINITRD, "/etc/modprobe.conf", "",
      "alias scsi_hostadapter virtio_pci\nalias scsi_hostadapter1 virtio_blk\n"
      "alias scsi_hostadapter2 virtio_scsi\n" },
    { INITRD_TINY, "/etc/tiny-initramfs/tiny-initramfs.conf",
      "AUTO_MODULES=no\nINCLUDE_MODULES=\"ext4,vmw_pvscsi\" # x\n",
      "AUTO_MODULES=no\n"
      "INCLUDE_MODULES=\"ext4,vmw_pvscsi,virtio_pci,virtio_blk,virtio_scsi,sd_mod\" # x\n" },
    { INITRD_TINY, "/etc/tiny-initramfs/tiny-initramfs.conf", "",
      "INCLUDE_MODULES=\"virtio_pci,virtio_blk,virtio_scsi,sd_mod\"\n" },
};

static void later_rebuilds_keep_the_drivers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(confs); i++) {
        print_message("case: %s: %s\n", confs[i].path, confs[i].in);
        make_image(TREE_IMAGE "touch sbin/udevd");
        shell("rm -f %s/etc/sysconfig/kernel %s/etc/modprobe.conf", tree.dir, tree.dir);
        facts->initrd_tool = confs[i].tool;
        tree_put(&tree, confs[i].path, confs[i].in, 0644);
        free(repair(0));
        tree_expect(&tree, confs[i].path, confs[i].want);
    }
}

int main(void)
{
#define WITH_GUEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_GUEST(nash_loads_them_before_it_looks_for_the_root),
        WITH_GUEST(nash_needs_its_lines_too),
        cmocka_unit_test(nash_scripts_keep_their_order),
        WITH_GUEST(suse_loads_them_from_its_list),
        WITH_GUEST(mkinitcpio_with_busybox_loads_a_list),
        WITH_GUEST(mkinitcpio_with_udev_needs_no_list),
        WITH_GUEST(a_flat_network_driver_is_recognised),
        WITH_GUEST(booster_gets_its_own_indexes),
        cmocka_unit_test(booster_dependencies_are_added_once),
        WITH_GUEST(genkernel_loads_a_group),
        WITH_GUEST(alpine_needs_no_list),
        WITH_GUEST(tiny_loads_files_of_a_list),
        WITH_GUEST(an_unknown_kind_is_named),
        WITH_GUEST(modules_are_packed_as_the_others_are),
        WITH_GUEST(later_rebuilds_keep_the_drivers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
