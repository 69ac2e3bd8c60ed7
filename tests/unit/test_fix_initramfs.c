/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "fixers/linux/cpio_write.h"
#include "fixers/linux/initramfs_conf.h"
#include "fixers/linux/module_closure.h"
#include "tests/unit/initramfs_guest.h"
#include "tests/unit/tree.h"

static void add_partition(const char *name, const char *fstype, const char *uuid)
{
    struct fact_device *device = facts_add_device(facts);

    facts_set(&device->name, name);
    facts_set(&device->kind, "partition");
    facts_set(&device->fstype, fstype);
    facts_set(&device->uuid, uuid);
}

/* Take the image apart as the kernel does, and let modprobe find the drivers. */
static void expect_loadable(size_t old_size, const char *decompress)
{
    shell(
        "rm -rf %s; mkdir %s; cd %s; head -c %zu %s" INITRD " | %s | cpio -idm --quiet\n"
        "tail -c +%zu %s" INITRD " | cpio -idmu --quiet\n"
        "test -h lib && test -d usr/lib\n"
        "for m in virtio_blk virtio_scsi 'virtio:d2v1' 'pci:v00001AF4d00001001sv0sd0bc0sc0i0'; do\n"
        "  modprobe -d \"$PWD\" -S " KVER " -D \"$m\" | grep -q 'insmod.*/virtio.ko'\n"
        "done\n"
        "modprobe -d \"$PWD\" -S " KVER " -D vmw_pvscsi >/dev/null\n"
        "! modprobe -d \"$PWD\" -S " KVER " -D virtio_net 2>/dev/null\n",
        unpacked, unpacked, unpacked, old_size, tree.dir, decompress,
        old_size + segment_padding(old_size) + 1, tree.dir);
}

static const struct {
    const char *compress, *decompress;
} compressions[] = {
    { "gzip", "gzip -dc" },
    { "xz --check=crc32", "xz -dc" },
    { "zstd -q", "zstd -dcq" },
    { "bzip2", "bzip2 -dc" },
    { "lz4 -q -l", "lz4 -dcq" },
    { "cat", "cat" },
    { "xz --format=lzma", "xz -dc --format=lzma" },
};

static void drivers_are_appended_and_found_by_modprobe(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(compressions); i++) {
        struct initramfs found = { 0 };
        struct err err = ERR_NONE;
        char *before = NULL, *after = NULL;
        size_t before_len = 0, after_len = 0;
        const struct change *change;
        struct plan *plan;

        print_message("case: %s\n", compressions[i].compress);
        make_initrd(compressions[i].compress, "kernel/drivers/scsi/vmw_pvscsi.ko");
        assert_int_equal(guest_read(tree.root, INITRD, GUEST_TEXT_MAX, &before, &before_len, &err),
                         0);
        plan = make_plan();
        change = find_change(plan, INITRD);
        assert_non_null(change);
        assert_int_equal(change->action, CHANGE_APPEND);
        apply_and_free(plan);

        assert_int_equal(guest_read(tree.root, INITRD, GUEST_TEXT_MAX, &after, &after_len, &err),
                         0);
        assert_memory_equal(before, after, before_len);
        assert_true(after_len > before_len + SEGMENT_ALIGN);
        for (size_t j = 0; j < segment_padding(before_len); j++)
            assert_int_equal(after[before_len + j], 0);
        assert_memory_equal(after + before_len + segment_padding(before_len), "070701", 6);
        scan_initrd(&found);
        assert_true(initramfs_has_module(&found, "virtio"));
        assert_true(initramfs_has_module(&found, "virtio_scsi"));
        assert_true(initramfs_has_module(&found, "sd_mod"));
        assert_false(initramfs_has_module(&found, "virtio_net"));
        assert_int_equal(found.modules.n, 6);
        expect_loadable(before_len, compressions[i].decompress);
        expect_no_change();
        initramfs_done(&found);
        free(before);
        free(after);
    }
    tree_expect(&tree, "/etc/initramfs-tools/modules",
                "# comment\nsd_mod\nvmw_pvscsi\n# drivers of virtio machines (h2k)\n"
                "virtio_pci\nvirtio_blk\nvirtio_scsi\n");
}

static void the_same_guest_gives_the_same_bytes(void **state)
{
    struct plan *one, *two;

    (void)state;
    make_initrd("gzip -n", "kernel/drivers/scsi/vmw_pvscsi.ko");
    one = make_plan();
    two = make_plan();
    assert_int_equal(find_change(one, INITRD)->len, find_change(two, INITRD)->len);
    assert_memory_equal(find_change(one, INITRD)->data, find_change(two, INITRD)->data,
                        find_change(one, INITRD)->len);
    plan_free(one);
    plan_free(two);
}

static void only_what_is_missing_is_added(void **state)
{
    const struct change *change;
    struct plan *plan;

    (void)state;
    make_initrd("gzip", "kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_pci.ko "
                        "kernel/drivers/block/virtio_blk.ko kernel/drivers/scsi/sd_mod.ko");
    plan = make_plan();
    change = find_change(plan, INITRD);
    assert_string_equal(change->note, "virtio_scsi and module indexes");
    assert_null(memmem(change->data, change->len, "virtio_blk.ko\0", 14));
    plan_free(plan);
}

/* NixOS has its modules in the store, and a link to them that its init makes. */
static void modules_of_nixos_stay_in_the_store(void **state)
{
    static const char prefix[] = "nix/store/x-modules-shrunk/lib/modules/" KVER;
    struct initramfs found = { 0 };

    (void)state;
    facts->initrd_tool = INITRD_UNKNOWN;
    shell("cd %s; mkdir -p i/$(dirname %s) i/nix/store/y-udev/lib/systemd boot\n"
          "touch i/nix/store/y-udev/lib/systemd/systemd-udevd\n"
          "mkdir -p i/%s/kernel/drivers/scsi; cp ." MODULES "/kernel/drivers/scsi/sd_mod.ko i/%s/\n"
          "(cd i; find . | sort | cpio -o -H newc --quiet) | gzip >." INITRD "; rm -rf i",
          tree.dir, prefix, prefix, prefix);
    apply_and_free(make_plan());
    scan_initrd(&found);
    assert_string_equal(found.modules_prefix, prefix);
    assert_true(initramfs_has_module(&found, "virtio_blk"));
    assert_true(initramfs_has_module(&found, "sd_mod"));
    for (size_t i = 0; i < found.names.n; i++)
        assert_int_not_equal(strncmp(found.names.items[i], "lib", 3), 0);
    initramfs_done(&found);
    expect_no_change();
}

/* udev names the interface where its driver is loaded first. */
static void naming_rules_go_along_with_the_network_driver(void **state)
{
    static const char link[] = "[Match]\nDriver=virtio_net\n\n[Link]\nName=ens192\n";
    struct initramfs found = { 0 };
    struct plan *plan = plan_new(tree.root);
    struct err err = ERR_NONE;

    (void)state;
    tree_put(&tree, "/etc/udev/rules.d/70-persistent-net.rules", "# rule\n", 0644);
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko kernel/drivers/net/vmxnet3/vmxnet3.ko");
    plan->fixer = "network";
    plan_write_new(plan, "/etc/systemd/network/10-h2k-ens192.link", link, 0644, "name");
    assert_int_equal(fixer_initramfs.plan(&ctx, plan, &err), 0);
    apply_and_free(plan);
    scan_initrd(&found);
    assert_true(initramfs_has_module(&found, "virtio_net"));
    assert_true(strlist_has(&found.names, "etc/systemd/network/10-h2k-ens192.link"));
    assert_true(strlist_has(&found.names, "etc/udev/rules.d/70-persistent-net.rules"));
    initramfs_done(&found);
    expect_no_change();
}

static void without_a_network_driver_the_rules_stay_out(void **state)
{
    struct initramfs found = { 0 };

    (void)state;
    tree_put(&tree, "/etc/udev/rules.d/70-persistent-net.rules", "# rule\n", 0644);
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    apply_and_free(make_plan());
    scan_initrd(&found);
    assert_false(strlist_has(&found.names, "etc/udev/rules.d/70-persistent-net.rules"));
    initramfs_done(&found);
}

/* Copies of the guest's configuration that were made with the archive. */
static void archived_names_of_disks_become_uuids(void **state)
{
    static const struct {
        const char *path, *in, *want; /* want NULL: it is not written again */
    } files[] = {
        { "conf/conf.d/resume", "# swap\nRESUME=/dev/sda5\n", "# swap\nRESUME=UUID=aaaa-5555\n" },
        { "conf/conf.d/zz-resume-auto", "RESUME=UUID=cccc-1\n", NULL },
        { "conf/initramfs.conf", "MODULES=most\n", NULL },
        { "conf/param.conf", "ROOT='/dev/sda1'\n", "ROOT='UUID=aaaa-1111'\n" },
        { "cryptroot/crypttab", "cr /dev/sda3 none luks\n", "cr UUID=aaaa-3333 none luks\n" },
        { "etc/cmdline.d/95resume.conf", " resume=/dev/sda5 \n", " resume=UUID=aaaa-5555 \n" },
        { "etc/cmdline.d/99x.conf", " root=/dev/sdz1 \n", NULL },
        { "conf/conf.d/cryptroot", "target=cr,source=/dev/sda3,key=none\n",
          "target=cr,source=UUID=aaaa-3333,key=none\n" },
        { "etc/lvm/lvm.conf", "devices { filter = [ \"a|/dev/sda3|\", \"r|.*|\" ] }\n",
          "devices { filter = [ \"a|/dev/[hsv]da3|\", \"r|.*|\" ] }\n" },
        { "etc/lvm/lvmlocal.conf", "devices { filter = [ \"a|/dev/sda3|\", \"r|.*|\" ] }\n",
          "devices { filter = [ \"a|/dev/[hsv]da3|\", \"r|.*|\" ] }\n" },
        { "etc/mdadm/mdadm.conf", "DEVICE /dev/sda3\nARRAY /dev/md0 UUID=1:2:3:4\n",
          "DEVICE partitions\nARRAY /dev/md0 UUID=1:2:3:4\n" },
    };
    struct plan *plan;

    (void)state;
    facts_set(&facts->root, "/dev/sda1");
    add_partition("/dev/sda1", "ext4", "aaaa-1111");
    add_partition("/dev/sda3", "crypto_LUKS", "aaaa-3333");
    add_partition("/dev/sda5", "swap", "aaaa-5555");
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        char *path = mem_printf("/extra/%s", files[i].path);

        tree_put(&tree, path, files[i].in, 0644);
        free(path);
    }
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    shell("cd %s/extra; mkdir -p old/conf/conf.d; echo RESUME=/dev/sda1 >old/conf/conf.d/resume\n"
          "for d in old .; do (cd $d; find . -path ./old -prune -o -print | sort |\n"
          "  cpio -o -H newc --quiet | gzip) >>.." INITRD "; done; rm -rf old",
          tree.dir);
    plan = make_plan();
    assert_int_equal(plan->notes.n, 0);
    assert_non_null(strstr(find_change(plan, INITRD)->note, "; conf/conf.d/resume by UUID"));
    apply_and_free(plan);
    shell("rm -rf %s; mkdir %s", unpacked, unpacked);
    shell("cd %s; cpio -idmu --quiet --no-absolute-filenames < <(tail -c +$((1 + $(grep -abo "
          "070701 %s" INITRD " | head -n 1 | cut -d: -f1))) %s" INITRD ")",
          unpacked, tree.dir, tree.dir);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        char *path = mem_printf("%s/%s", unpacked, files[i].path);
        struct err err = ERR_NONE;
        char *text = NULL;
        size_t len = 0;

        print_message("case: %s\n", files[i].path);
        assert_int_equal(io_read_file(path, 4096, &text, &len, &err) == 0, files[i].want != NULL);
        if (files[i].want)
            assert_string_equal(text, files[i].want);
        free(text);
        free(path);
    }
    expect_no_change();
}

/* dracut's archives for one host wait for every disk that was there; escapes are systemd's. */
static void devices_that_are_gone_are_not_waited_for(void **state)
{
    static const char wants[] = "[Unit]\nJobTimeoutSec=1\nJobRunningTimeoutSec=1\n";
    struct initramfs found = { 0 };
    struct plan *plan;

    (void)state;
    facts_set(&facts->root, "/dev/sda1");
    add_partition("/dev/sda1", "ext4", "aaaa-1111");
    shell("cd %s; rm -rf d; h=d/usr/lib/dracut/hooks/initqueue/finished s=d/etc/systemd/system\n"
          "mkdir -p $h; for u in aaaa-1111 gone-2222; do\n"
          "  echo '[ -e x ]' >\"$h/devexists-\\\\x2fdev\\\\x2fdisk\\\\x2fby-uuid\\\\x2f$u.sh\"\n"
          "  t=\"$s/dev-disk-by\\\\x2duuid-${u/-/\\\\x2d}.device.d\"; mkdir -p \"$t\"\n"
          "  printf '[Unit]\\nJobTimeoutSec=0\\n' >\"$t/timeout.conf\"; done\n"
          "echo '[ -e x ]' >$h/'devexists-\\x2fdev\\x2fdisk\\x2fby-path\\x2fpci-0:1-part2.sh'",
          tree.dir);
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    shell("cd %s; (cd d; find . | sort | cpio -o -H newc --quiet | gzip) >>." INITRD "; rm -rf d",
          tree.dir);
    plan = make_plan();
    assert_non_null(
        strstr(find_change(plan, INITRD)->note, "; no wait for /dev/disk/by-uuid/gone-2222"));
    assert_non_null(
        strstr(find_change(plan, INITRD)->note, "; no wait for /dev/disk/by-path/pci-0:1-part2"));
    assert_null(strstr(find_change(plan, INITRD)->note, "aaaa-1111"));
    apply_and_free(plan);
    scan_initrd(&found);
    assert_string_equal(initramfs_kept(&found,
                                       "usr/lib/dracut/hooks/initqueue/finished/"
                                       "devexists-\\x2fdev\\x2fdisk\\x2fby-uuid\\x2fgone-2222.sh")
                            ->data,
                        ":\n");
    assert_string_equal(initramfs_kept(&found,
                                       "etc/systemd/system/"
                                       "dev-disk-by\\x2duuid-gone\\x2d2222.device.d/timeout.conf")
                            ->data,
                        wants);
    assert_string_equal(initramfs_kept(&found,
                                       "usr/lib/dracut/hooks/initqueue/finished/"
                                       "devexists-\\x2fdev\\x2fdisk\\x2fby-uuid\\x2faaaa-1111.sh")
                            ->data,
                        "[ -e x ]\n");
    initramfs_done(&found);
    expect_no_change();
}

static void a_kernel_with_built_in_drivers_may_have_stale_names_inside(void **state)
{
    struct plan *plan;

    (void)state;
    add_partition("/dev/sda5", "swap", "aaaa-5555");
    tree_put(&tree, MODULES "/modules.builtin",
             "kernel/drivers/virtio/virtio.ko\nkernel/drivers/virtio/virtio_pci.ko\n"
             "kernel/drivers/block/virtio_blk.ko\nkernel/drivers/scsi/virtio_scsi.ko\n"
             "kernel/drivers/scsi/sd_mod.ko\n",
             0644);
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    shell("cd %s; mkdir -p x/conf/conf.d; echo RESUME=/dev/sda5 >x/conf/conf.d/resume\n"
          "(cd x; find . | cpio -o -H newc --quiet | gzip) >>." INITRD,
          tree.dir);
    facts->kernels[0].archive = mem_alloc(sizeof(struct initramfs));
    scan_initrd(facts->kernels[0].archive);
    plan = make_plan();
    assert_string_equal(find_change(plan, INITRD)->note, "conf/conf.d/resume by UUID");
    assert_int_equal(plan->n, 1);
    apply_and_free(plan);
    expect_no_change();
}

/* ELF's e_machine is at byte 18; 183 is AArch64. */
static void lilo_must_make_its_map_anew(void **state)
{
    struct plan *plan;

    (void)state;
    facts_set(&facts->boot_loader, "lilo");
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    plan = make_plan();
    assert_non_null(find_change(plan, INITRD));
    assert_int_equal(plan->notes.n, 1);
    assert_non_null(strstr(plan->notes.items[0], "LILO loads " INITRD));
    plan_free(plan);
}

static void modules_of_another_processor_are_indexed(void **state)
{
    struct stat st;

    (void)state;
    shell("find %s" MODULES " -name '*.ko' | while read -r f; do\n"
          "  printf '\\267\\0' | dd of=\"$f\" bs=1 seek=18 conv=notrunc status=none; done\n"
          "depmod -b %s " KVER " 2>/dev/null",
          tree.dir, tree.dir);
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    assert_int_equal(guest_stat(tree.root, INITRD, &st), 0);
    apply_and_free(make_plan());
    expect_loadable((size_t)st.st_size, "gzip -dc");
    expect_no_change();
}

/* What the inspection read is used, until the file has changed. */
static void an_archive_is_read_once(void **state)
{
    struct plan *plan;

    (void)state;
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    facts->kernels[0].archive = mem_alloc(sizeof(struct initramfs));
    scan_initrd(facts->kernels[0].archive);
    plan = make_plan();
    assert_int_equal(find_change(plan, INITRD)->action, CHANGE_APPEND);
    apply_and_free(plan);
    expect_no_change();
}

static void kernels_with_built_in_drivers_are_left_alone(void **state)
{
    (void)state;
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    tree_put(&tree, MODULES "/modules.builtin",
             "kernel/drivers/virtio/virtio.ko\nkernel/drivers/virtio/virtio_pci.ko\n"
             "kernel/drivers/block/virtio_blk.ko\nkernel/drivers/scsi/virtio_scsi.ko\n"
             "kernel/drivers/scsi/sd_mod.ko\n",
             0644);
    expect_no_change();
}

static void a_kernel_without_virtio_is_named(void **state)
{
    struct plan *plan;

    (void)state;
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    shell("cd %s" MODULES "; rm kernel/drivers/virtio/* kernel/drivers/block/*; depmod -b %s " KVER
          " 2>/dev/null",
          tree.dir, tree.dir);
    plan = make_plan();
    assert_int_equal(plan->n, 0);
    assert_int_equal(plan->notes.n, 1);
    assert_non_null(strstr(plan->notes.items[0], "kernel " KVER " has no virtio drivers"));
    plan_free(plan);
}

/* What is started on a machine without virtio gets the drivers for that. */
static void a_kernel_without_virtio_gets_emulated_disks(void **state)
{
    static const char ata[] = "kernel/drivers/ata/ata_piix.ko";
    struct plan *plan;

    (void)state;
    make_module(ata, "none", "printk", "pci:v00008086d00007010sv*sd*bc*sc*i*");
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    shell("cd %s" MODULES "; rm kernel/drivers/virtio/* kernel/drivers/block/*; depmod -b %s " KVER
          " 2>/dev/null",
          tree.dir, tree.dir);
    facts->kernels[0].virtio_known = true;
    plan = make_plan();
    assert_string_equal(find_change(plan, INITRD)->note, "ata_piix, sd_mod and module indexes");
    apply_and_free(plan);
    expect_no_change();
}

static void kernels_for_dumps_and_for_xen_are_left_alone(void **state)
{
    static const char *const kinds[] = { "kdump", "xen" };

    (void)state;
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        facts_set(&facts->kernels[0].kind, kinds[i]);
        expect_no_change();
    }
}

static void a_damaged_archive_is_not_appended_to(void **state)
{
    struct plan *plan = plan_new(tree.root);
    struct err err = ERR_NONE;

    (void)state;
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    shell("truncate -s 700 %s" INITRD, tree.dir);
    assert_int_equal(fixer_initramfs.plan(&ctx, plan, &err), -EBADMSG);
    assert_int_equal(plan->n, 0);
    plan_free(plan);
    facts->kernels[0].is_default = false;
    plan = make_plan();
    assert_int_equal(plan->n, 0);
    assert_non_null(strstr(plan->notes.items[0], INITRD " stays as it is"));
    plan_free(plan);
}

static void modes_are_honoured(void **state)
{
    const char *why = NULL;

    (void)state;
    opts.initramfs = INITRAMFS_NONE;
    assert_false(fixer_initramfs.applies(&ctx, &why));
    opts.initramfs = INITRAMFS_REBUILD;
    assert_true(fixer_initramfs.applies(&ctx, &why));
}

static void nothing_stays_on_the_host(void **state)
{
    (void)state;
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    shell("mkdir %s", unpacked);
    assert_int_equal(setenv("TMPDIR", unpacked, 1), 0);
    plan_free(make_plan());
    assert_int_equal(unsetenv("TMPDIR"), 0);
    shell("rmdir %s", unpacked); /* it is empty */
}

static void dracut_configuration_keeps_the_drivers(void **state)
{
    (void)state;
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    facts->initrd_tool = INITRD_DRACUT;
    tree_put(&tree, "/etc/dracut.conf.d/vmware.conf",
             "hostonly=\"yes\"\nomit_drivers+=\" virtio_blk nfs virtio_scsi \"\n", 0644);
    apply_and_free(make_plan());
    tree_expect(&tree, "/etc/dracut.conf.d/vmware.conf",
                "hostonly=\"yes\"\nomit_drivers+=\" nfs \"\n");
    tree_expect(&tree, "/etc/dracut.conf.d/90-h2k-virtio.conf",
                "# drivers of virtio machines (h2k)\n"
                "add_drivers+=\" virtio_pci virtio_blk virtio_scsi sd_mod \"\n");
    expect_no_change();
}

static void initramfs_tools_with_most_need_no_list(void **state)
{
    struct plan *plan;

    (void)state;
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    tree_put(&tree, "/etc/initramfs-tools/conf.d/local", "MODULES=most\n", 0644);
    plan = make_plan();
    assert_int_equal(plan->n, 1);
    plan_free(plan);
}

static void omitted_drivers_are_recognised(void **state)
{
    static const struct {
        const char *in, *want; /* want NULL: stays */
    } cases[] = {
        { "omit_drivers=\"virtio_blk\"\n", "omit_drivers=\"\"\n" },
        { "omit_drivers+=' a virtio-blk b '", "omit_drivers+=' a b '" },
        { "  omit_drivers+=virtio_scsi # x\n", "  omit_drivers+= # x\n" },
        { "omit_drivers+=\" virtio.* \"\n", "omit_drivers+=\" \"\n" },
        { "omit_drivers+=\" .*blk virtio_scsi x\"\n", "omit_drivers+=\" x\"\n" },
        { "omit_drivers+=\" virtio virtio_bl virtio_blk_x \"\n", NULL },
        { "#omit_drivers+=\" virtio_blk \"\n", NULL },
        { "add_drivers+=\" virtio_blk \"\n", NULL },
        { "omit_drivers_x=\" virtio_blk \"\n", NULL },
        { "omit_drivers+=\" ((((virtio_blk \"\n", NULL },
        { "omit_drivers", NULL },
        { "", NULL },
    };
    struct strlist modules = { 0 };

    (void)state;
    strlist_add(&modules, "virtio_blk");
    strlist_add(&modules, "virtio_scsi");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *fixed = dracut_without_omits(cases[i].in, &modules);

        print_message("case: %s\n", cases[i].in);
        if (cases[i].want) {
            assert_non_null(fixed);
            assert_string_equal(fixed, cases[i].want);
            assert_null(dracut_without_omits(fixed, &modules));
        } else {
            assert_null(fixed);
        }
        free(fixed);
    }
    strlist_done(&modules);
}

static void closures_are_complete(void **state)
{
    static const struct {
        const char *wanted, *have, *want;
    } cases[] = {
        { "blk", "", "ring.ko,sub/blk.ko,virtio.ko" },
        { "blk", "ring.ko", "sub/blk.ko,virtio.ko" },
        { "blk", "other/blk.ko.xz,ring.ko,virtio.ko", "" },
        { "blk", "sub/blk.ko", "ring.ko,virtio.ko" }, /* what it needs may be missing */
        { "soft", "", "b.ko,soft.ko" },               /* softdeps that exist */
        { "core", "", "" },                           /* built in */
        { "unknown", "", "" },
        { "loop1", "", "loop1.ko,loop2.ko" },
    };
    static const char dep[] = "virtio.ko:\nring.ko: virtio.ko\nsub/blk.ko: ring.ko\nb.ko:\n"
                              "soft.ko:\ncore.ko:\nloop1.ko: loop2.ko\nloop2.ko: loop1.ko\n";
    static const char softdep[] = "softdep soft pre: b core post: nowhere\n";
    struct kernel_modules modules = { .softdep = mem_strdup(softdep),
                                      .softdep_len = strlen(softdep) };

    (void)state;
    assert_int_equal(modules_dep_parse(dep, strlen(dep), &modules.dep), 0);
    assert_int_equal(modules_builtin_parse("kernel/core.ko\n", 15, &modules.builtin), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strlist have = { 0 }, got = { 0 };
        struct strbuf text = { 0 };
        char *copy = mem_strdup(cases[i].have), *save = NULL;

        print_message("case: %s with %s\n", cases[i].wanted, cases[i].have);
        for (char *item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save))
            strlist_add(&have, item);
        module_closure(&modules, &cases[i].wanted, 1, &have, &got);
        for (size_t j = 0; j < got.n; j++)
            strbuf_printf(&text, "%s%s", j ? "," : "", got.items[j]);
        assert_string_equal(strbuf_text(&text), cases[i].want);
        strbuf_done(&text);
        strlist_done(&have);
        strlist_done(&got);
        free(copy);
    }
    kernel_modules_done(&modules);
}

static void padding_is_a_sector_at_least(void **state)
{
    (void)state;
    assert_int_equal(segment_padding(0), 512);
    assert_int_equal(segment_padding(512), 512);
    assert_int_equal(segment_padding(513), 512 + 511);
    assert_int_equal(segment_padding(1023), 512 + 1);
    assert_int_equal(segment_padding(7160876), 512 + (512 - 7160876 % 512));
}

int main(void)
{
#define WITH_GUEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_GUEST(drivers_are_appended_and_found_by_modprobe),
        WITH_GUEST(the_same_guest_gives_the_same_bytes),
        WITH_GUEST(only_what_is_missing_is_added),
        WITH_GUEST(modules_of_nixos_stay_in_the_store),
        WITH_GUEST(naming_rules_go_along_with_the_network_driver),
        WITH_GUEST(without_a_network_driver_the_rules_stay_out),
        WITH_GUEST(archived_names_of_disks_become_uuids),
        WITH_GUEST(devices_that_are_gone_are_not_waited_for),
        WITH_GUEST(a_kernel_with_built_in_drivers_may_have_stale_names_inside),
        WITH_GUEST(lilo_must_make_its_map_anew),
        WITH_GUEST(modules_of_another_processor_are_indexed),
        WITH_GUEST(an_archive_is_read_once),
        WITH_GUEST(kernels_with_built_in_drivers_are_left_alone),
        WITH_GUEST(a_kernel_without_virtio_is_named),
        WITH_GUEST(a_kernel_without_virtio_gets_emulated_disks),
        WITH_GUEST(kernels_for_dumps_and_for_xen_are_left_alone),
        WITH_GUEST(a_damaged_archive_is_not_appended_to),
        WITH_GUEST(modes_are_honoured),
        WITH_GUEST(nothing_stays_on_the_host),
        WITH_GUEST(dracut_configuration_keeps_the_drivers),
        WITH_GUEST(initramfs_tools_with_most_need_no_list),
        cmocka_unit_test(omitted_drivers_are_recognised),
        cmocka_unit_test(closures_are_complete),
        cmocka_unit_test(padding_is_a_sector_at_least),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
