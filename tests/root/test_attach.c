/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every image format through the backends that this kernel has, both ways of the FUSE one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/disk.h"
#include "engine/image.h"
#include "engine/leftovers.h"
#include "engine/session.h"
#include "tests/unit/unit.h"

#define DISK_SIZE (8U << 20)
#define PART_OFFSET 1049088U /* odd on purpose: 2049 sectors */
#define PART_SIZE (3U << 20)

static char dir[] = "/var/tmp/attach-test-XXXXXX";
static unsigned char *content; /* of every image: DISK_SIZE bytes */
static uint64_t sources_hash;

static const struct {
    const char *file, *format, *options;
} images[] = {
    { "disk.raw", "raw", "" },
    { "disk.qcow2", "qcow2", "" },
    { "sparse.vmdk", "vmdk", "subformat=monolithicSparse" },
    { "flat.vmdk", "vmdk", "subformat=monolithicFlat" },
    { "2gbsparse.vmdk", "vmdk", "subformat=twoGbMaxExtentSparse" },
    { "2gbflat.vmdk", "vmdk", "subformat=twoGbMaxExtentFlat" },
    { "stream.vmdk", "vmdk", "subformat=streamOptimized" },
    { "fixed.vhd", "vpc", "subformat=fixed,force_size=on" },
    { "dynamic.vhd", "vpc", "subformat=dynamic,force_size=on" },
    { "disk.vhdx", "vhdx", "" },
    { "disk.vdi", "vdi", "" },
    { "a,b \"c\" %d\\.qcow2", "qcow2", "" },
};

static char *path_of(const char *file)
{
    return mem_printf("%s/%s", dir, file);
}

static void must(int r, const struct err *err)
{
    char text[4096];

    if (r < 0)
        fail_msg("%s", err_text(err, text, sizeof(text)));
}

static void make_image(const char *file, const char *format, const char *options)
{
    char *raw = path_of("source.raw"), *path = path_of(file);
    const char *const argv[] = { "qemu-img", "convert", "-f", "raw",   "-O", format,
                                 raw,        path,      "-o", options, NULL };
    const char *plain[9];
    struct exec_opts opts = { .argv = argv };
    struct err err = ERR_NONE;

    if (!*options) {
        (void)memcpy(plain, argv, 8 * sizeof(argv[0]));
        plain[8] = NULL;
        opts.argv = plain;
    }
    must(exec_check(&opts, NULL, &err), &err);
    free(raw);
    free(path);
}

/* FNV-1a over names, times and bytes of everything in the folder. */
static uint64_t hash_sources(void)
{
    uint64_t hash = 14695981039346656037U;
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, NULL, alphasort);

    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        char *path = path_of(entries[i]->d_name), *text = NULL;
        struct err err = ERR_NONE;
        struct stat st;
        size_t len = 0;

        assert_int_equal(lstat(path, &st), 0);
        if (S_ISREG(st.st_mode)) {
            must(io_read_file(path, 2UL * DISK_SIZE, &text, &len, &err), &err);
            for (size_t j = 0; j < len; j++)
                hash = (hash ^ (unsigned char)text[j]) * 1099511628211U;
            hash = (hash ^ (uint64_t)st.st_mtim.tv_nsec) * 1099511628211U;
            hash = (hash ^ (uint64_t)st.st_mtim.tv_sec) * 1099511628211U;
        }
        free(text);
        free(path);
        free(entries[i]);
    }
    free(entries);
    return hash;
}

static int make_images(void **state)
{
    uint32_t noise = 1;
    char *raw;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    content = calloc(1, DISK_SIZE);
    assert_non_null(content);
    /* data with holes between, as far as the last sector */
    for (size_t i = 0; i < DISK_SIZE; i++) {
        noise = noise * 1103515245U + 12345U;
        if ((i >> 17) % 3 == 0 || i >= DISK_SIZE - 512)
            content[i] = (unsigned char)(noise >> 16);
    }
    raw = path_of("source.raw");
    fd = open(raw, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(io_write_full(fd, content, DISK_SIZE), 0);
    (void)close(fd);
    free(raw);
    for (size_t i = 0; i < ARRAY_SIZE(images); i++)
        make_image(images[i].file, images[i].format, images[i].options);
    sources_hash = hash_sources();
    return 0;
}

static int remove_images(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    free(content);
    return leftovers_remove_tree(dir, &err);
}

/* ---- one attached image ---- */

struct attached {
    struct image *image;
    struct session *session;
    struct disk *disk;
};

static void attach(const char *file, const char *format, const struct disk_opts *opts,
                   struct attached *ret)
{
    struct image_opts image_opts = { .format = format };
    char *path = path_of(file);
    struct err err = ERR_NONE;

    must(image_open(path, &image_opts, &ret->image, &err), &err);
    must(session_open(NULL, &ret->session, &err), &err);
    must(disk_attach(ret->session, ret->image, opts, &ret->disk, &err), &err);
    free(path);
}

static void detach(struct attached *attached)
{
    struct err err = ERR_NONE;

    must(session_close(attached->session, &err), &err);
    must(image_check_unchanged(attached->image, &err), &err);
    image_free(attached->image);
}

static void check_bytes(int fd, uint64_t offset, const unsigned char *want, size_t len)
{
    unsigned char *got = malloc(len);
    int r = io_pread_full(fd, got, len, offset);
    int same = r == 0 && memcmp(got, want, len) == 0;

    free(got);
    assert_int_equal(r, 0);
    assert_true(same);
}

static uint64_t device_size(int fd)
{
    return (uint64_t)lseek(fd, 0, SEEK_END);
}

/* A mapped part has the right bytes and the right size. */
static void check_part(struct attached *attached, uint64_t offset, uint64_t len)
{
    char *node = NULL;
    struct err err = ERR_NONE;
    uint64_t size = len ? len : DISK_SIZE - offset;
    int fd;

    must(disk_map(attached->session, attached->disk, offset, len, &node, &err), &err);
    fd = open(node, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(device_size(fd), size);
    check_bytes(fd, 0, content + offset, size);
    (void)close(fd);
    fd = open(node, O_RDWR | O_CLOEXEC);
    if (attached->disk->read_only)
        assert_true(fd < 0 || write(fd, "x", 1) < 0 || fsync(fd) < 0);
    if (fd >= 0)
        (void)close(fd);
    free(node);
}

static void check_read_only(size_t i, const char *backend)
{
    struct disk_opts opts = { .backend = backend, .mode = DISK_READ_ONLY };
    struct attached attached;
    struct err err = ERR_NONE;
    char *node = NULL;

    print_message("%s: %s\n", backend, images[i].file);
    attach(images[i].file, images[i].format, &opts, &attached);
    assert_int_equal(attached.disk->size_bytes, DISK_SIZE);
    assert_null(attached.disk->overlay);
    check_bytes(attached.disk->fd, 0, content, DISK_SIZE);
    check_bytes(attached.disk->fd, 12345, content + 12345, 54321);
    check_part(&attached, 0, 0);
    check_part(&attached, PART_OFFSET, PART_SIZE);
    assert_true(disk_map(attached.session, attached.disk, DISK_SIZE - 512, 1024, &node, &err) < 0);
    assert_true(disk_map(attached.session, attached.disk, 512, UINT64_MAX, &node, &err) < 0);
    detach(&attached);
}

/* Writes are read back through everything, land in the overlay, and not in the image. */
static void check_overlay(size_t i, const char *backend)
{
    struct disk_opts opts = { .backend = backend, .mode = DISK_OVERLAY };
    struct attached attached;
    struct err err = ERR_NONE;
    unsigned char written[4096];
    char *node = NULL;
    int fd;

    print_message("%s, overlay: %s\n", backend, images[i].file);
    attach(images[i].file, images[i].format, &opts, &attached);
    check_bytes(attached.disk->fd, 0, content, DISK_SIZE);
    (void)memset(written, 0x5a, sizeof(written));
    must(disk_map(attached.session, attached.disk, PART_OFFSET, PART_SIZE, &node, &err), &err);
    fd = open(node, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(io_pwrite_full(fd, written, sizeof(written), 8192), 0);
    must(disk_sync(attached.disk, &err), &err);
    check_bytes(attached.disk->fd, PART_OFFSET + 8192, written, sizeof(written));
    check_bytes(attached.disk->fd, 0, content, PART_OFFSET + 8192);
    (void)close(fd);
    free(node);
    detach(&attached);
}

/* Writes of several processes through two devices at once arrive whole. */
static void check_parallel_writes(size_t i, const char *backend)
{
    enum { WRITERS = 8, LEN = 1 << 19 };
    struct disk_opts opts = { .backend = backend, .mode = DISK_OVERLAY };
    struct attached attached;
    struct err err = ERR_NONE;
    char *nodes[2] = { NULL, NULL };
    pid_t children[WRITERS];
    unsigned char *bytes = malloc(LEN);

    assert_non_null(bytes);
    attach(images[i].file, images[i].format, &opts, &attached);
    for (size_t n = 0; n < ARRAY_SIZE(nodes); n++)
        must(disk_map(attached.session, attached.disk, n * (DISK_SIZE / 2), DISK_SIZE / 2,
                      &nodes[n], &err),
             &err);
    for (unsigned n = 0; n < WRITERS; n++) {
        children[n] = fork();
        if (children[n] == 0) {
            int fd = open(nodes[n % 2], O_RDWR | O_CLOEXEC);

            (void)memset(bytes, (int)n + 1, LEN);
            _exit(fd < 0 || io_pwrite_full(fd, bytes, LEN, (uint64_t)n / 2 * LEN) < 0 ||
                  fsync(fd) < 0);
        }
    }
    for (unsigned n = 0; n < WRITERS; n++) {
        int status = 1;

        assert_int_equal(waitpid(children[n], &status, 0), children[n]);
        assert_int_equal(status, 0);
    }
    must(disk_sync(attached.disk, &err), &err);
    for (unsigned n = 0; n < WRITERS; n++) {
        (void)memset(bytes, (int)n + 1, LEN);
        check_bytes(attached.disk->fd, (uint64_t)(n % 2) * (DISK_SIZE / 2) + (uint64_t)n / 2 * LEN,
                    bytes, LEN);
    }
    for (size_t n = 0; n < ARRAY_SIZE(nodes); n++)
        free(nodes[n]);
    free(bytes);
    detach(&attached);
}

static void check_sectors_of_4096_bytes(const char *backend)
{
    struct disk_opts opts = { .backend = backend, .mode = DISK_READ_ONLY };
    struct attached attached;
    char *node = NULL, *path, *text = NULL;
    struct err err = ERR_NONE;

    attach("disk.vhdx", "vhdx", &opts, &attached);
    attached.disk->sector_size = 4096;
    must(disk_map(attached.session, attached.disk, 1U << 20, 1U << 20, &node, &err), &err);
    path = mem_printf("/sys/block/%s/queue/logical_block_size", strrchr(node, '/') + 1);
    must(io_read_file(path, 64, &text, NULL, &err), &err);
    assert_string_equal(text, "4096\n");
    detach(&attached);
    free(node);
    free(path);
    free(text);
}

static const struct attach_backend *find_nbd(void)
{
    for (size_t i = 0; i < disk_n_backends; i++)
        if (strcmp(disk_backends[i]->name, "nbd") == 0)
            return disk_backends[i];
    fail_msg("no backend nbd");
    return NULL;
}

/* ---- tests ---- */

static void parallel_writes_arrive(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        check_parallel_writes(i, "fuse");
}

static void fuse_serves_every_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
        check_read_only(i, "fuse");
        check_overlay(i, "fuse");
    }
}

static void nbd_serves_every_format(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    if (find_nbd()->probe(&err) < 0)
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
        check_read_only(i, "nbd");
        check_overlay(i, "nbd");
    }
    check_parallel_writes(1, "nbd");
    check_sectors_of_4096_bytes("nbd");
}

static void loop_serves_raw(void **state)
{
    struct disk_opts opts = { .mode = DISK_READ_ONLY };
    struct attached attached;

    (void)state;
    check_read_only(0, "loop");
    attach(images[0].file, "raw", &opts, &attached);
    assert_string_equal(attached.disk->backend, "loop");
    detach(&attached);
}

static void backends_can_be_tried(void **state)
{
    (void)state;
    for (size_t i = 0; i < disk_n_backends; i++) {
        struct err err = ERR_NONE;
        int works = disk_backends[i]->probe(&err) == 0;

        err_clear(&err);
        print_message("%s: %s\n", disk_backends[i]->name, works ? "works" : "not here");
        assert_int_equal(disk_try_backend(disk_backends[i], &err) == 0, works);
    }
}

static void attach_fails(const char *file, const char *backend, enum disk_mode mode,
                         enum err_status status)
{
    struct image_opts image_opts = { 0 };
    struct disk_opts opts = { .backend = backend, .mode = mode };
    struct attached attached;
    char *path = path_of(file);
    struct err err = ERR_NONE;

    must(image_open(path, &image_opts, &attached.image, &err), &err);
    must(session_open(NULL, &attached.session, &err), &err);
    assert_true(disk_attach(attached.session, attached.image, &opts, &attached.disk, &err) < 0);
    assert_int_equal(err.status, status);
    detach(&attached);
    free(path);
}

static void says_what_cannot_work(void **state)
{
    (void)state;
    attach_fails("disk.qcow2", "loop", DISK_READ_ONLY, STATUS_USAGE);
    attach_fails("disk.raw", "loop", DISK_OVERLAY, STATUS_USAGE);
    attach_fails("disk.raw", "ublk", DISK_READ_ONLY, STATUS_USAGE);
}

static void sectors_of_4096_bytes(void **state)
{
    (void)state;
    check_sectors_of_4096_bytes("fuse");
}

/* Two disks at once, and the release of one device only. */
static void parts_are_released_alone(void **state)
{
    struct disk_opts opts = { .backend = "fuse", .mode = DISK_OVERLAY };
    struct attached attached;
    struct disk *second = NULL;
    char *node = NULL;
    struct err err = ERR_NONE;
    struct stat st;
    size_t mark;

    (void)state;
    attach("disk.qcow2", "qcow2", &opts, &attached);
    must(disk_attach(attached.session, attached.image, &opts, &second, &err), &err);
    assert_string_not_equal(attached.disk->overlay, second->overlay);
    mark = undo_mark(session_undo(attached.session));
    must(disk_map(attached.session, second, 0, 0, &node, &err), &err);
    assert_int_equal(second->n_map_fds, 1);
    must(undo_run_to(session_undo(attached.session), mark, &err), &err);
    assert_int_equal(second->n_map_fds, 0);
    must(disk_sync(second, &err), &err);
    assert_int_equal(stat(attached.disk->overlay, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    free(node);
    detach(&attached);
}

/* A folder that has only the named programs, and a daemon of ours when @daemon is given. */
static void limit_path(const char *const *programs, const char *daemon)
{
    char *bin = path_of("bin");
    struct err err = ERR_NONE;

    must(leftovers_remove_tree(bin, &err), &err);
    assert_int_equal(mkdir(bin, 0700), 0);
    for (size_t i = 0; programs[i]; i++) {
        char *target = mem_printf("/usr/bin/%s", programs[i]);
        char *name = mem_printf("%s/%s", bin, programs[i]);

        assert_int_equal(symlink(target, name), 0);
        free(target);
        free(name);
    }
    if (daemon) {
        char *name = mem_printf("%s/qemu-storage-daemon", bin);

        must(io_write_file(name, daemon, strlen(daemon), 0700, &err), &err);
        free(name);
    }
    assert_int_equal(setenv("PATH", bin, 1), 0);
    free(bin);
}

static const char *const nbd_tools[] = { "qemu-img", "qemu-nbd", "nbdfuse", NULL };

static void a_daemon_without_fuse_is_found_out(void **state)
{
    /* what EL9's says; sh is named by its path, as PATH has none */
    static const char daemon[] =
        "#!/bin/sh\n"
        "echo \"qemu-storage-daemon: --export type=fuse,id=export: Parameter 'type' does not "
        "accept value 'fuse'\" >&2\nexit 1\n";
    char *path = mem_strdup(getenv("PATH"));

    (void)state;
    limit_path(nbd_tools, daemon);
    check_read_only(2, "fuse");
    check_overlay(1, "fuse");
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
}

static void nbdfuse_serves_every_format(void **state)
{
    char *path = mem_strdup(getenv("PATH"));

    (void)state;
    limit_path(nbd_tools, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
        check_read_only(i, "fuse");
        check_overlay(i, "fuse");
    }
    check_parallel_writes(1, "fuse");
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
}

static void missing_tools_are_named(void **state)
{
    static const char *const none[] = { "qemu-img", NULL };
    char *path = mem_strdup(getenv("PATH"));

    (void)state;
    limit_path(none, NULL);
    attach_fails("disk.qcow2", "fuse", DISK_READ_ONLY, STATUS_HOST);
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
}

static void sources_are_as_they_were(void **state)
{
    (void)state;
    assert_true(hash_sources() == sources_hash);
}

int main(int argc, char **argv)
{
    /* "nbd": only that; a kernel that has it is an emulated one and slow */
    const struct CMUnitTest nbd[] = {
        cmocka_unit_test(nbd_serves_every_format),
        cmocka_unit_test(sources_are_as_they_were),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fuse_serves_every_format),
        cmocka_unit_test(parallel_writes_arrive),
        cmocka_unit_test(nbd_serves_every_format),
        cmocka_unit_test(loop_serves_raw),
        cmocka_unit_test(backends_can_be_tried),
        cmocka_unit_test(says_what_cannot_work),
        cmocka_unit_test(sectors_of_4096_bytes),
        cmocka_unit_test(parts_are_released_alone),
        cmocka_unit_test(nbdfuse_serves_every_format),
        cmocka_unit_test(missing_tools_are_named),
        /* last: what it finds out is kept for the rest of the process */
        cmocka_unit_test(a_daemon_without_fuse_is_found_out),
        cmocka_unit_test(sources_are_as_they_were),
    };

    if (geteuid() != 0 || !exec_have("qemu-img") || access("/dev/fuse", F_OK) < 0)
        return 77;
    if (argc > 1 && strcmp(argv[1], "nbd") == 0)
        return cmocka_run_group_tests(nbd, make_images, remove_images);
    return cmocka_run_group_tests(tests, make_images, remove_images);
}
