/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever a configuration file holds (the first byte says which one): the fixers plan, the plan is
 * applied, and a second plan is empty. */

#include "engine/base/cleanup.h"
#include "fixers/apply.h"
#include "fixers/fixer.h"
#include "tests/fuzz/fuzz_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = {
    "/etc/fstab",
    "/etc/crypttab",
    "/boot/grub/grub.cfg",
    "/etc/default/grub",
    "/etc/kernel/cmdline",
    "/boot/grub/device.map",
    "/etc/initramfs-tools/conf.d/resume",
    "/etc/systemd/system/a.mount",
    "/etc/systemd/system/dev-sda2.swap",
    "/etc/modules",
    "/etc/X11/xorg.conf",
    "/boot/loader/entries/a.conf",
    "/boot/efi/EFI/debian/grub.cfg",
    "/boot/grub/menu.lst",
    "/boot/grub2/grubenv",
    "/boot/extlinux.conf",
    "/etc/zipl.conf",
    "/etc/elilo.conf",
    "/etc/lilo.conf",
    "/etc/dracut.conf",
    "/etc/sysconfig/grub",
    "/etc/update-extlinux.conf",
    "/etc/initramfs-tools/conf.d/cryptroot",
    "/boot/refind_linux.conf",
    "/boot/efi/EFI/Linux/a.efi",
    "/etc/mdadm.conf",
    "/etc/lvm/lvm.conf",
    "/etc/lvm/devices/system.devices",
    "/etc/kdump.conf",
    "/etc/auto.misc",
    "/etc/udev/rules.d/99-local.rules",
    "/etc/systemd/system/a.service",
    "/etc/systemd/system/a.mount.d/b.conf",
};

static const char *const only[] = { "fstab", "crypttab", "storage", "bootloader", "guest-tools" };

static struct facts *facts;

static void forget(void)
{
    facts_free(facts);
}

static void add_device(const char *name, const char *fstype, const char *uuid, const char *part)
{
    struct fact_device *device = facts_add_device(facts);

    facts_set(&device->name, name);
    facts_set(&device->kind, part ? "partition" : "disk");
    facts_set(&device->fstype, fstype);
    facts_set(&device->uuid, uuid);
    facts_set(&device->part_uuid, part);
}

static void start(void)
{
    tree_start();
    facts = facts_new();
    facts->os = OS_LINUX;
    facts->firmware = FIRMWARE_UEFI;
    facts_set(&facts->arch, "x86_64");
    facts_set(&facts->root, "/dev/sda1");
    add_device("/dev/sda", "", "", NULL);
    add_device("/dev/sda1", "ext4", "aaaa-1111", "0abc-01");
    add_device("/dev/sda2", "swap", "bbbb-2222", "0abc-02");
    add_device("/dev/sda3", "", "", "0abc-03");
    (void)atexit(forget);
}

static struct plan *make_plan(void)
{
    struct fix_opts opts = { 0 };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct plan *plan = NULL;
    struct err err = ERR_NONE;

    for (size_t i = 0; i < ARRAY_SIZE(only); i++)
        strlist_add(&opts.only, only[i]);
    must(fixers_plan(&ctx, root, &plan, &err) == 0);
    strlist_done(&opts.only);
    return plan;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan *plan;
    struct err err = ERR_NONE;

    if (size == 0)
        return 0;
    if (!root)
        start();
    tree_put("/boot/efi/EFI/debian/grubx64.efi", "x", 1);
    tree_put(paths[data[0] % ARRAY_SIZE(paths)], data + 1, size - 1);
    plan = make_plan();
    json_decref(plan_to_json(plan, true));
    must(plan_apply(plan, &err) == 0);
    plan_free(plan);
    plan = make_plan();
    must(plan->n == 0);
    plan_free(plan);
    tree_clear();
    return 0;
}
