/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest with a kernel, its modules and an initramfs, for tests of the initramfs fixer. Modules
 * are real ELF objects made by the compiler, so that depmod and modprobe can judge. */
#ifndef H2K_TESTS_UNIT_INITRAMFS_GUEST_H
#define H2K_TESTS_UNIT_INITRAMFS_GUEST_H

#include <stdio.h>

#include "fixers/apply.h"
#include "fixers/linux/linux.h"
#include "inspect/initramfs.h"
#include "tests/unit/tree.h"

#define KVER "6.1.0-50-amd64"
#define MODULES "/lib/modules/" KVER
#define INITRD "/boot/initrd.img-" KVER

static struct tree tree;
static struct facts *facts;
static struct fix_opts opts;
static struct fix_context ctx;
static char *unpacked; /* a folder for archives that are taken apart */

static inline void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static inline void shell(const char *fmt, ...)
{
    va_list args;
    char *script;

    va_start(args, fmt);
    script = mem_vprintf(fmt, args);
    va_end(args);
    tree_run((const char *const[]){ "bash", "-euo", "pipefail", "-c", script, NULL });
    free(script);
}

/* A module that has @exports, needs @needs and answers to @alias. */
static inline void make_module(const char *path, const char *exports, const char *needs,
                               const char *alias)
{
    shell(
        "cd %s; mkdir -p \"$(dirname .%s/%s)\"\n"
        "{ echo 'const char i[] __attribute__((section(\".modinfo\"), used)) = \"alias=%s\";'\n"
        "  echo 'const char s[] __attribute__((section(\"__ksymtab_strings\"), used)) = \"%s\";'\n"
        "  echo 'int %s(void); int f(void); int f(void) { return %s(); }'\n"
        "} | cc -x c -c -o .%s/%s -",
        tree.dir, MODULES, path, alias, exports, needs, needs, MODULES, path);
}

/* An archive in the way initramfs-tools makes it, with the modules that @names lists. */
static inline void make_initrd(const char *compress, const char *names)
{
    shell("cd %s; rm -rf i; mkdir -p i/usr/lib/modules/" KVER " i/etc boot; ln -s usr/lib i/lib\n"
          "mkdir -p i/usr/lib/systemd; touch i/usr/lib/systemd/systemd-udevd\n"
          "for m in %s; do (cd ." MODULES "; cp --parents $m ../../../i/usr/lib/modules/" KVER "); "
          "done\n"
          "depmod -b i " KVER " 2>/dev/null\n"
          "(cd i; find . | sort | cpio -o -H newc --quiet) | %s >." INITRD "; rm -rf i",
          tree.dir, names, compress);
}

static inline int setup(void **state)
{
    struct fact_kernel *kernel;

    (void)state;
    tree_open(&tree, NULL);
    make_module("kernel/drivers/virtio/virtio.ko", "register_virtio", "printk", "v");
    make_module("kernel/drivers/virtio/virtio_pci.ko", "none", "register_virtio",
                "pci:v00001AF4d*sv*sd*bc*sc*i*");
    make_module("kernel/drivers/block/virtio_blk.ko", "none", "register_virtio", "virtio:d2v*");
    make_module("kernel/drivers/scsi/virtio_scsi.ko", "none", "register_virtio", "virtio:d8v*");
    make_module("kernel/drivers/net/virtio_net.ko", "none", "register_virtio", "virtio:d1v*");
    make_module("kernel/drivers/net/vmxnet3/vmxnet3.ko", "none", "printk", "pci:v000015ADd*");
    make_module("kernel/drivers/scsi/vmw_pvscsi.ko", "none", "printk", "pci:v000015ADd*");
    make_module("kernel/drivers/scsi/sd_mod.ko", "none", "printk", "scsi:t-0x00*");
    tree_put(&tree, MODULES "/modules.builtin", "kernel/fs/ext4/ext4.ko\n", 0644);
    tree_put(&tree, MODULES "/modules.order", "", 0644);
    shell("depmod -b %s " KVER " 2>/dev/null", tree.dir);
    tree_put(&tree, "/etc/initramfs-tools/initramfs.conf", "MODULES=list\n", 0644);
    tree_put(&tree, "/etc/initramfs-tools/modules", "# comment\nsd_mod\nvmw_pvscsi", 0644);

    facts = facts_new();
    facts->os = OS_LINUX;
    facts->initrd_tool = INITRD_INITRAMFS_TOOLS;
    kernel = facts_add_kernel(facts);
    facts_set(&kernel->version, KVER);
    facts_set(&kernel->initrd, INITRD);
    facts_set(&kernel->modules_dir, MODULES);
    kernel->is_default = true;
    opts = (struct fix_opts){ .initramfs = INITRAMFS_AUTO };
    ctx = (struct fix_context){ .facts = facts, .opts = &opts };
    unpacked = mem_printf("%s.unpacked", tree.dir);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    shell("rm -rf %s", unpacked);
    free(unpacked);
    facts_free(facts);
    tree_close(&tree);
    return 0;
}

static inline struct plan *make_plan(void)
{
    struct plan *plan = plan_new(tree.root);
    struct err err = ERR_NONE;
    char text[1024];

    plan->fixer = fixer_initramfs.name;
    if (fixer_initramfs.plan(&ctx, plan, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
    assert_int_equal(plan->err.code, 0);
    return plan;
}

static inline void apply_and_free(struct plan *plan)
{
    struct err err = ERR_NONE;

    assert_int_equal(plan_apply(plan, &err), 0);
    plan_free(plan);
}

static inline void expect_no_change(void)
{
    struct plan *plan = make_plan();

    assert_int_equal(plan->n, 0);
    plan_free(plan);
}

static inline const struct change *find_change(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->n; i++)
        if (strcmp(plan->changes[i].path, path) == 0)
            return &plan->changes[i];
    return NULL;
}

static inline void scan_initrd(struct initramfs *ret)
{
    struct err err = ERR_NONE;
    struct stat st;
    int fd = guest_open(tree.root, INITRD, &err);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(initramfs_scan(fd, (uint64_t)st.st_size, INITRAMFS_ALL, ret, &err), 0);
    (void)close(fd);
}

#endif
