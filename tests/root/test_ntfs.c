/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NTFS of mkntfs, written through overlays, and what Windows has not let go of left alone; ntfs-3g
 * itself is asked what it thinks of the same volumes. */
#include "engine/base/le.h"
#include "storage/hibernation.h"
#include "storage/ntfs_read.h"
#include "tests/root/ntfs_util.h"

/* ---- writing ---- */

static void what_is_written_is_there_afterwards(void **state)
{
    char *path, *overlay = path_of("ntfs.qcow2"), *raw = path_of("after.raw");
    struct err err = ERR_NONE;
    uint64_t trimmed = 0;

    if (!can_test())
        skip();
    path = new_ntfs("ntfs.raw");
    add_file(path, "old.txt", "old\n", 4);
    attach_image("ntfs.raw", DISK_OVERLAY, overlay);
    build();
    mount_rw("/dev/sda", "/");
    assert_null(mtree_why_read_only(on.tree, "/"));
    make_folder("/Program Files/Test");
    put("/Program Files/Test/a.txt", "first\n");
    put("/Program Files/Test/a.txt", "second\n");
    put("/old.txt", "new\n");
    sync_tree();
    must(mtree_trim(on.tree, &trimmed, &err), &err);
    put("/Program Files/Test/b.txt", "after the sync\n");
    again(); /* waits for the server: what it holds is written */
    mount_ro("/dev/sda", "/");
    expect("/Program Files/Test/a.txt", "second\n");
    assert_int_equal(guest_remove(mtree_root(on.tree), "/old.txt", &err), -EROFS);
    assert_int_equal(release(state), 0);

    RUN("qemu-img", "convert", "-O", "raw", overlay, raw);
    expect_in_image(raw, "/Program Files/Test/a.txt", "second\n");
    expect_in_image(raw, "/Program Files/Test/b.txt", "after the sync\n");
    expect_in_image(raw, "/old.txt", "new\n");
    expect_in_image(path, "/old.txt", "old\n");
    RUN("ntfsfix", "-n", raw);
    free(path);
    free(overlay);
    free(raw);
}

static void names_that_windows_forbids_are_not_made(void **state)
{
    static const char *const names[] = { "/a:b", "/a?", "/nul", "/COM1.txt", "/end.", "/end " };
    struct guest_piece piece = { .data = "", .len = 0 };
    struct err err = ERR_NONE;

    (void)state;
    if (!can_test())
        skip();
    free(new_ntfs("ntfs.raw"));
    open_image("ntfs.raw", DISK_OVERLAY);
    mount_rw("/dev/sda", "/");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(guest_replace(mtree_root(on.tree), names[i], &piece, 1, &plain, &err),
                         -EINVAL);
    put("/CON1.txt", "a name like any other\n");
}

/* ---- what is not written ---- */

static void patch(const char *image, uint64_t at, const void *data, size_t len)
{
    int fd = open(image, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(io_pwrite_full(fd, data, len, at), 0);
    (void)close(fd);
}

/* Where the content of the system file @number begins, and its record: in bytes of the image. */
static uint64_t place_of(const char *image, uint64_t number, uint64_t *ret_record)
{
    int fd = open(image, O_RDONLY | O_CLOEXEC);
    struct volume volume = { .fd = fd, .size_bytes = 64 * MIB };
    struct ntfs fs;
    struct ntfs_record *record = mem_alloc(sizeof(*record));
    struct ntfs_attr *data = mem_alloc(sizeof(*data));
    uint64_t at;

    assert_true(ntfs_open(&volume, &fs));
    *ret_record = fs.mft->runs[0].first * fs.cluster_size + number * fs.record_size;
    assert_true(ntfs_record_read(&fs, number, record));
    at = ntfs_attr_find(record, NTFS_AT_DATA, NULL, data) && data->n_runs
             ? data->runs[0].first * fs.cluster_size
             : 0;
    ntfs_close(&fs);
    (void)close(fd);
    free(record);
    free(data);
    return at;
}

static void hibernate(const char *image)
{
    uint8_t *data = mem_alloc(65536);

    memcpy(data, "HIBR", 4);
    add_file(image, "hiberfil.sys", data, 65536);
    free(data);
}

static void wake(const char *image)
{
    uint8_t *data = mem_alloc(65536);

    memcpy(data, "wake", 4);
    add_file(image, "hiberfil.sys", data, 65536);
    free(data);
}

/* A short hiberfil.sys: that of a volume without a system. */
static void hibernate_elsewhere(const char *image)
{
    add_file(image, "hiberfil.sys", "x", 1);
}

/* Bit 0 of the flags at byte 10 of $VOLUME_INFORMATION, attribute 0x70 of record 3; $MFTMirr (file
 * 1) has a copy of the first four records. */
static void mark_dirty(const char *image)
{
    uint8_t record[1024];
    uint64_t at, unused, copy = place_of(image, 1, &unused) + 3 * sizeof(record);
    size_t attr;
    int fd = open(image, O_RDONLY | O_CLOEXEC);

    (void)place_of(image, NTFS_FILE_VOLUME, &at);
    assert_int_equal(io_pread_full(fd, record, sizeof(record), at), 0);
    (void)close(fd);
    for (attr = get_le16(record + 20); get_le32(record + attr) != 0x70;
         attr += get_le32(record + attr + 4))
        assert_true(attr < 512);
    attr += get_le16(record + attr + 20) + 10u;
    assert_int_equal(record[attr] & 1, 0);
    record[attr] |= 1;
    patch(image, at + attr, record + attr, 1);
    patch(image, copy + attr, record + attr, 1);
}

/* A restart page as Windows writes it, of one client that has the log open. */
static void open_log(const char *image, uint8_t major, uint8_t minor)
{
    static const uint8_t client[] = { 'N', 0, 'T', 0, 'F', 0, 'S', 0 };
    uint8_t page[4096] = "RSTR";
    uint64_t record, at = place_of(image, NTFS_FILE_LOG, &record);

    page[4] = 30; /* update sequence: 1 + 8 numbers, all zero but the first */
    page[6] = 9;
    page[17] = page[21] = 0x10; /* pages of 4096 */
    page[24] = 0x30;            /* the restart area */
    page[26] = minor;
    page[28] = major;
    page[0x30] = 1;                 /* LSN */
    page[0x38] = 1;                 /* clients */
    page[0x3a] = page[0x3b] = 0xff; /* none is free */
    page[0x40] = 45;                /* bits of a sequence number for a file of 2 MiB */
    page[0x44] = 0xe0;              /* length of the area */
    page[0x46] = 0x40;              /* its clients */
    page[0x4a] = 0x20;              /* file size: 2 MiB */
    page[0x54] = 0x30;              /* record header */
    page[0x56] = 0x40;              /* page data offset */
    page[0x30 + 0x40 + 16] = 0xff;  /* client: no other before and behind it */
    page[0x30 + 0x40 + 17] = 0xff;
    page[0x30 + 0x40 + 18] = 0xff;
    page[0x30 + 0x40 + 19] = 0xff;
    page[0x30 + 0x40 + 28] = 8;
    memcpy(page + 0x30 + 0x40 + 32, client, sizeof(client));
    page[30] = 1;
    for (size_t end = 510; end < sizeof(page); end += 512)
        page[end] = 1;
    patch(image, at, page, sizeof(page));
}

static void leave_log_open(const char *image)
{
    open_log(image, 1, 1);
}

static void leave_log_cached(const char *image)
{
    open_log(image, 2, 0);
}

static const struct {
    const char *label;
    void (*make)(const char *image);
    const char *why; /* NULL: it is written */
    int probe;       /* what ntfs-3g.probe --readwrite says; 14 hibernated, 15 unclean */
    bool is_dirty;
} states[] = {
    { "hibernated", hibernate, "hibernated", 14, false },
    { "hibernated elsewhere", hibernate_elsewhere, "hibernated", 14, false },
    { "woken", wake, NULL, 0, false },
    { "marked dirty", mark_dirty, "chkdsk", 0, false },
    { "log in use", leave_log_open, "module ntfs3", 15, true },
    { "fast startup", leave_log_cached, "fast startup", 14, true },
};

static void check_state(size_t i)
{
    struct guest_piece piece = { .data = "", .len = 0 };
    struct err err = ERR_NONE;
    const char *why;

    open_image("ntfs.raw", DISK_OVERLAY);
    mount_rw("/dev/sda", "/");
    why = mtree_why_read_only(on.tree, "/");
    assert_int_equal(mtree_was_dirty(on.tree, "/"), states[i].is_dirty);
    if (states[i].is_dirty && mount_support("ntfs", true) == MOUNT_KERNEL)
        return; /* what its driver makes of a log that no Windows has written is its own */
    if (states[i].why && why) {
        assert_non_null(strstr(why, states[i].why));
        assert_int_equal(guest_replace(mtree_root(on.tree), "/a", &piece, 1, &plain, &err), -EROFS);
    } else {
        assert_null(why);
        assert_null(states[i].why);
        put("/a", "text\n");
    }
    expect("/file", "text\n"); /* in any case it can be read */
}

static void what_windows_keeps_is_not_written(void **state)
{
    if (!can_test())
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        char *path = new_ntfs("ntfs.raw");
        const char *const probe[] = { "ntfs-3g.probe", "--readwrite", path, NULL };
        int status = -1;

        print_message("case: %s\n", states[i].label);
        add_file(path, "file", "text\n", 5);
        states[i].make(path);
        free(output_of(probe, &status));
        assert_int_equal(status, states[i].probe);
        check_state(i);
        assert_int_equal(release(state), 0); /* and the image has not changed */
        free(path);
    }
}

/* ---- what is given up ---- */

static void hibernate_and_mark(const char *image)
{
    hibernate(image);
    mark_dirty(image);
}

static void restore_image(const char *image)
{
    uint8_t *data = mem_alloc(65536);

    memset(data, 'x', 65536);
    memcpy(data, "RSTR", 4);
    add_file(image, "hiberfil.sys", data, 65536);
    free(data);
}

static const struct {
    const char *label;
    void (*make)(const char *image);
    bool is_given_up;
    const char *why; /* that it is not written all the same; NULL: it is */
} given_up[] = {
    { "hibernated", hibernate, true, NULL },
    { "restoring", restore_image, true, NULL },
    { "hibernated and marked dirty", hibernate_and_mark, false, "chkdsk" },
    { "woken", wake, false, NULL },
    { "marked dirty", mark_dirty, false, "chkdsk" },
    { "fast startup", leave_log_cached, true, "module ntfs3" },
};

static void give_up(size_t i)
{
    struct strlist names = { 0 };
    struct err err = ERR_NONE;
    uint8_t *data = NULL;
    size_t len = 0;

    open_image("ntfs.raw", DISK_OVERLAY);
    must(hibernation_discard(on.stack, &names, &err), &err);
    assert_int_equal(names.n, given_up[i].is_given_up);
    strlist_done(&names);
    mount_rw("/dev/sda", "/");
    if (given_up[i].why && mtree_was_dirty(on.tree, "/") &&
        mount_support("ntfs", true) == MOUNT_KERNEL)
        return; /* what its driver makes of a log that no Windows has written is its own */
    if (given_up[i].why) {
        assert_non_null(mtree_why_read_only(on.tree, "/"));
        assert_non_null(strstr(mtree_why_read_only(on.tree, "/"), given_up[i].why));
        return;
    }
    assert_null(mtree_why_read_only(on.tree, "/"));
    put("/a", "text\n");
    if (!given_up[i].is_given_up)
        return;
    must(guest_read(mtree_root(on.tree), "/hiberfil.sys", 65536, (char **)&data, &len, &err), &err);
    assert_int_equal(len, 65536);
    for (size_t at = 0; at < 4096; at++)
        assert_int_equal(data[at], 0);
    assert_int_equal(data[4096], given_up[i].make == restore_image ? 'x' : 0);
    free(data);
}

static void what_windows_keeps_can_be_given_up(void **state)
{
    if (!can_test())
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(given_up); i++) {
        char *path = new_ntfs("ntfs.raw");

        print_message("case: %s\n", given_up[i].label);
        given_up[i].make(path);
        give_up(i);
        assert_int_equal(release(state), 0); /* and the image has not changed */
        free(path);
    }
}

static void another_windows_is_not_put_to_an_end(void **state)
{
    struct strlist names = { 0 };
    struct err err = ERR_NONE;
    char text[4096], *path;

    (void)state;
    if (!can_test())
        skip();
    path = new_ntfs("ntfs.raw");
    hibernate_elsewhere(path);
    free(path);
    open_image("ntfs.raw", DISK_OVERLAY);
    assert_true(hibernation_discard(on.stack, &names, &err) < 0);
    assert_int_equal(err.status, STATUS_REFUSED);
    assert_non_null(strstr(err_text(&err, text, sizeof(text)), "another Windows"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_is_written_is_there_afterwards, release),
        cmocka_unit_test_teardown(names_that_windows_forbids_are_not_made, release),
        cmocka_unit_test_teardown(what_windows_keeps_is_not_written, release),
        cmocka_unit_test_teardown(what_windows_keeps_can_be_given_up, release),
        cmocka_unit_test_teardown(another_windows_is_not_put_to_an_end, release),
    };

    if (geteuid() != 0) {
        print_message("needs root\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
