/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archives are made by the real cpio and compressors. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "inspect/initramfs_wire.h"
#include "tests/unit/unit.h"

#define KVER "6.1.0-50-amd64"
#define PREFIX "usr/lib/modules/" KVER

static char dir[] = "/tmp/h2k-initramfs.XXXXXX";
static char *plain; /* an archive with modules, as cpio made it */
static char *extra; /* one more module */
static char *early; /* microcode */

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void shell(const char *fmt, ...)
{
    struct err err = ERR_NONE;
    char text[1024];
    va_list args;
    char *script;

    va_start(args, fmt);
    script = mem_vprintf(fmt, args);
    va_end(args);
    const char *const argv[] = { "sh", "-ec", script, NULL };
    struct exec_opts opts = { .argv = argv };

    if (exec_check(&opts, NULL, &err) < 0)
        fail_msg("%s: %s", script, err_text(&err, text, sizeof(text)));
    free(script);
}

static int make_archives(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    plain = mem_printf("%s/plain", dir);
    extra = mem_printf("%s/extra", dir);
    early = mem_printf("%s/early", dir);
    shell("cd %s; mkdir -p a/" PREFIX "/kernel/drivers/scsi a/etc; ln -s usr/lib a/lib\n"
          "head -c 300000 /dev/urandom >a/" PREFIX "/kernel/drivers/scsi/vmw_pvscsi.ko\n"
          "echo dep >a/" PREFIX "/modules.dep; echo one >a/etc/one; ln a/etc/one a/etc/two\n"
          "(cd a; find . | sort | cpio -o -H newc --quiet) >plain\n"
          "mkdir -p b/" PREFIX "/kernel/drivers/block c/kernel/x86/microcode\n"
          "head -c 5000 /dev/urandom >b/" PREFIX "/kernel/drivers/block/virtio-blk.ko.xz\n"
          "(cd b; find . -type f | cpio -o -H newc --quiet) >extra\n"
          "head -c 9999 /dev/zero >c/kernel/x86/microcode/GenuineIntel.bin\n"
          "(cd c; find kernel | cpio -o -H newc --quiet) >early\n",
          dir);
    return 0;
}

static int remove_archives(void **state)
{
    (void)state;
    shell("rm -rf %s", dir);
    free(plain);
    free(extra);
    free(early);
    return 0;
}

static int scan_path(const char *path, enum initramfs_depth depth, struct initramfs *ret,
                     struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    int r;

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    r = initramfs_scan(fd, (uint64_t)st.st_size, depth, ret, err);
    (void)close(fd);
    return r;
}

static void scan(const char *path, struct initramfs *ret)
{
    struct err err = ERR_NONE;
    char text[1024];

    if (scan_path(path, INITRAMFS_ALL, ret, &err) < 0)
        fail_msg("%s: %s", path, err_text(&err, text, sizeof(text)));
}

static const struct {
    const char *name, *command;
} compressions[] = {
    { "gzip", "gzip -9" },     { "xz", "xz --check=crc32" }, { "lzma", "xz --format=lzma" },
    { "zstd", "zstd -q -19" }, { "lz4", "lz4 -q -9 -l" },    { "bzip2", "bzip2 -9" },
    { "none", "cat" },
};

static void every_compression_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(compressions); i++) {
        char *path = mem_printf("%s/image", dir);
        struct initramfs found = { 0 };

        print_message("case: %s\n", compressions[i].name);
        shell("%s <%s >%s", compressions[i].command, plain, path);
        scan(path, &found);
        assert_string_equal(found.compression, compressions[i].name);
        assert_false(found.has_early);
        assert_string_equal(found.modules_prefix, PREFIX);
        assert_int_equal(found.modules.n, 1);
        assert_string_equal(found.modules.items[0], "kernel/drivers/scsi/vmw_pvscsi.ko");
        assert_int_equal(found.links.n, 1);
        assert_string_equal(found.links.items[0], "lib -> usr/lib");
        assert_true(strlist_has(&found.names, "etc/two"));
        assert_true(strlist_has(&found.names, PREFIX "/modules.dep"));
        assert_true(found.unpacked_bytes > 300000);
        assert_true(initramfs_has_module(&found, "vmw-pvscsi"));
        assert_false(initramfs_has_module(&found, "virtio_blk"));
        initramfs_done(&found);
        free(path);
    }
}

/* An appended archive is seen behind every compression, with microcode in front or not. */
static void appended_segments_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_SIZE(compressions); i++) {
        const char *front = i % 2 ? early : "/dev/null";
        char *path = mem_printf("%s/image", dir);
        struct initramfs found = { 0 };

        print_message("case: %s %s\n", compressions[i / 2].name, front);
        shell("{ cat %s; %s <%s; } >%s; n=$(stat -c %%s %s)\n"
              "truncate -s $(( (n + 511) / 512 * 512 + 512 )) %s; cat %s >>%s",
              front, compressions[i / 2].command, plain, path, path, path, extra, path);
        scan(path, &found);
        assert_int_equal(found.has_early, i % 2);
        assert_int_equal(found.modules.n, 2);
        assert_true(initramfs_has_module(&found, "virtio_blk"));
        assert_true(initramfs_has_module(&found, "vmw_pvscsi"));
        assert_string_equal(found.compression, compressions[i / 2].name);
        initramfs_done(&found);
        free(path);
    }
}

/* When only the modules are asked for, what follows the last one in a zstd segment is passed over,
 * whatever its blocks are (raw, of one byte, compressed), but not what follows the segment. A list
 * that names a module still to come stops nothing. */
static void modules_only(void **state)
{
    static const struct {
        const char *command, *dep;
        size_t n;
        bool is_short;
    } cases[] = {
        { "zstd -q -19", "", 2, true },
        { "zstd -q -1 --no-check", "", 2, true },
        { "zstd -q -3 --stream-size=$(stat -c %s ../late)", "", 2, true },
        { "zstd -q -19", "kernel/drivers/zzz/late.ko: kernel/a.ko", 3, false },
        { "gzip", "", 2, false },
        { "cat", "", 2, false },
    };
    char *path = mem_printf("%s/image", dir);

    (void)state;
    shell("cd %s; cp -r a l; cd l; head -c 1000000 /dev/urandom >etc/random\n"
          "head -c 1000000 /dev/zero >etc/zeros; seq 200000 >etc/text\n"
          "mkdir " PREFIX "/kernel/drivers/zzz\n"
          "echo late >" PREFIX "/kernel/drivers/zzz/late.ko\n",
          dir);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct initramfs found = { 0 }, all = { 0 };
        struct err err = ERR_NONE;

        print_message("case: %s %s\n", cases[i].command, cases[i].dep);
        shell(
            "cd %s/l; printf '%%s\n' 'kernel/drivers/scsi/vmw_pvscsi.ko: kernel/x.ko' '%s' >" PREFIX
            "/modules.dep\n"
            "{ echo lib; find usr -name '*_pvscsi.ko'; find usr -name modules.dep; find etc -type "
            "f\n"
            "  [ -z '%s' ] || find usr -name late.ko; } | cpio -o -H newc --quiet >../late\n"
            "%s <../late >../image; truncate -s %%512 ../image; cat ../extra >>../image\n",
            dir, cases[i].dep, cases[i].dep, cases[i].command);
        assert_int_equal(scan_path(path, INITRAMFS_MODULES, &found, &err), 0);
        scan(path, &all);
        assert_int_equal(found.modules.n, cases[i].n);
        assert_int_equal(all.modules.n, cases[i].n);
        for (size_t m = 0; m < all.modules.n; m++)
            assert_string_equal(found.modules.items[m], all.modules.items[m]);
        assert_string_equal(found.compression, all.compression);
        assert_string_equal(found.modules_prefix, all.modules_prefix);
        assert_int_equal(found.names.n, 0);
        assert_true(all.unpacked_bytes > 3000000);
        assert_int_equal(found.unpacked_bytes < 1000000, cases[i].is_short);
        initramfs_done(&found);
        initramfs_done(&all);
    }
    free(path);
}

struct seen {
    struct strlist names;
    size_t bytes;
};

static bool want_etc(void *arg, const char *name, uint32_t mode)
{
    (void)arg;
    return S_ISREG(mode) && strncmp(name, "etc/", 4) == 0;
}

static int note(void *arg, const char *name, uint32_t mode, const void *data, size_t len)
{
    struct seen *seen = arg;

    assert_true(S_ISREG(mode));
    strlist_take(&seen->names, mem_printf("%s=%.*s", name, (int)len, (const char *)data));
    seen->bytes += len;
    return 0;
}

static void contents_are_handed_out_to_every_name(void **state)
{
    struct seen seen = { 0 };
    struct err err = ERR_NONE;
    struct stat st;
    int fd = open(plain, O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(initramfs_walk(fd, (uint64_t)st.st_size, want_etc, note, &seen, &err), 0);
    strlist_sort(&seen.names);
    assert_int_equal(seen.names.n, 2);
    assert_string_equal(seen.names.items[0], "etc/one=one\n");
    assert_string_equal(seen.names.items[1], "etc/two=one\n");
    strlist_done(&seen.names);
    (void)close(fd);
}

/* What one process has found, another one has: the same bytes again. */
static void findings_can_be_handed_over(void **state)
{
    struct initramfs found = { 0 }, copy = { 0 };
    struct strbuf bytes = { 0 }, again = { 0 };

    (void)state;
    shell("cd %s; mkdir -p d/etc/systemd/network; printf 'a\\0b' >d/etc/systemd/network/x.link\n"
          "(cd d; find . | cpio -o -H newc --quiet) >naming; cat plain naming >image",
          dir);
    char *path = mem_printf("%s/image", dir);
    scan(path, &found);
    assert_int_equal(found.n_kept, 1);
    assert_int_equal(initramfs_pack(&found, &bytes), 0);
    assert_int_equal(initramfs_unpack(bytes.data, bytes.len, &copy), 0);
    assert_int_equal(initramfs_pack(&copy, &again), 0);
    assert_int_equal(again.len, bytes.len);
    assert_memory_equal(again.data, bytes.data, bytes.len);
    assert_string_equal(copy.modules_prefix, PREFIX);
    assert_int_equal(copy.image_bytes, found.image_bytes);
    assert_int_equal(copy.kept[0].len, 3);
    assert_memory_equal(copy.kept[0].data, "a\0b", 3);
    initramfs_done(&copy);
    for (size_t cut = 0; cut < bytes.len; cut++)
        if (initramfs_unpack(bytes.data, cut, &copy) == 0)
            initramfs_done(&copy); /* whole items only; never a crash */
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.data[i] = (char)(bytes.data[i] ^ 0x41);
        if (initramfs_unpack(bytes.data, bytes.len, &copy) == 0)
            initramfs_done(&copy);
        bytes.data[i] = (char)(bytes.data[i] ^ 0x41);
    }
    assert_int_equal(initramfs_unpack("c\3\0\0\0foo", 8, &copy), -EBADMSG);
    assert_int_equal(initramfs_unpack("", 0, &copy), -EBADMSG);
    initramfs_done(&found);
    strbuf_done(&bytes);
    strbuf_done(&again);
    free(path);
}

static void damage_is_an_error(void **state)
{
    static const struct {
        const char *label, *make;
        int want;
    } cases[] = {
        { "cut off zstd", "zstd -q <plain | head -c 200000 >image", -EBADMSG },
        { "cut off gzip", "gzip <plain | head -c 200000 >image", -EBADMSG },
        { "cut off lz4", "lz4 -q -l <plain | head -c 200000 >image", -EBADMSG },
        { "cut off archive", "head -c 200000 plain >image", -EBADMSG },
        { "stream ends in an archive", "head -c 200000 plain | xz >image", -EBADMSG },
        { "no zero block behind lz4", "{ lz4 -q -l <plain; cat extra; } >image", -EBADMSG },
        { "junk behind an archive", "{ cat plain; echo junk; } >image", -ENOTSUP },
        { "junk inside a stream", "{ cat plain; echo junk; } | gzip >image", -EBADMSG },
        { "archive not at a multiple of 4", "{ printf '\\0'; cat plain; } >image", -EBADMSG },
        { "unknown compression", "echo hello >image", -ENOTSUP },
        { "zero bytes", "head -c 4096 /dev/zero >image", -EBADMSG },
        { "empty", ": >image", -EBADMSG },
        { "no cpio in the stream", "echo 0hello | gzip >image", -EBADMSG },
        { "boot configuration", "{ cat plain; printf 'aaaabbbb#BOOTCONFIG\\n'; } >image",
          -ENOTSUP },
        { "more than 2 GiB", "{ cat plain; head -c 2200000000 /dev/zero; } | lz4 -q -l >image",
          -EFBIG },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *path = mem_printf("%s/image", dir);
        struct initramfs found = { 0 };
        struct err err = ERR_NONE;

        print_message("case: %s\n", cases[i].label);
        shell("cd %s; %s", dir, cases[i].make);
        assert_int_equal(scan_path(path, INITRAMFS_ALL, &found, &err), cases[i].want);
        assert_int_equal(err.code, -cases[i].want);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_compression_is_read),
        cmocka_unit_test(appended_segments_are_read),
        cmocka_unit_test(modules_only),
        cmocka_unit_test(contents_are_handed_out_to_every_name),
        cmocka_unit_test(findings_can_be_handed_over),
        cmocka_unit_test(damage_is_an_error),
    };

    return cmocka_run_group_tests(tests, make_archives, remove_archives);
}
