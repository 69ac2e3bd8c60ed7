/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/leftovers.h"
#include "storage/crypt.h"
#include "tests/unit/unit.h"

#define UUID "49b65d41-5be7-427e-b3a0-4c8a5cd7c73e"

static void selectors_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *id, *secret, *path;
    } cases[] = {
        { "all:key:geheim", "all", "geheim", NULL },
        { "/dev/sda2:key:", "/dev/sda2", "", NULL },
        { "/dev/md/host:root:key:a", "/dev/md/host:root", "a", NULL },
        { "/dev/sda2:key:a:file:b", "/dev/sda2", "a:file:b", NULL },
        { "/dev/vg/root:file:/a:key:b", "/dev/vg/root", NULL, "/a:key:b" },
        { UUID ":file:k", UUID, NULL, "k" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct keys keys = { 0 };
        struct err err = ERR_NONE;

        print_message("case: %s\n", cases[i].text);
        assert_int_equal(keys_add(&keys, cases[i].text, &err), 0);
        assert_int_equal(keys.n, 1);
        assert_string_equal(keys.items[0].id, cases[i].id);
        if (cases[i].path) {
            assert_string_equal(keys.items[0].path, cases[i].path);
            assert_null(keys.items[0].secret);
        } else {
            assert_int_equal(keys.items[0].len, strlen(cases[i].secret));
            assert_memory_equal(keys.items[0].secret, cases[i].secret, keys.items[0].len);
        }
        keys_done(&keys);
    }
}

static void wrong_selectors_tell_no_secret(void **state)
{
    static const char *const cases[] = {
        "geheim",    "all:geheim", ":key:geheim",      "all:geheim:", "all:clevis geheim",
        "all:file:", "",           "all:passwd:geheim"
    };
    char text[ERR_TEXT];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct keys keys = { 0 };
        struct err err = ERR_NONE;

        assert_true(keys_add(&keys, cases[i], &err) < 0);
        assert_int_equal(err.status, STATUS_USAGE);
        assert_null(strstr(err_text(&err, text, sizeof(text)), "geheim"));
        assert_int_equal(keys.n, 0);
        keys_done(&keys);
    }
}

static void a_key_is_for_a_name_a_uuid_or_all(void **state)
{
    static const struct {
        const char *id, *name, *uuid;
        bool is_for;
    } cases[] = {
        { "all", "/dev/sda", "", true },
        { "/dev/sda2", "/dev/sda2", "", true },
        { "/dev/sda2", "/dev/sda", "", false },
        { "/dev/sda", "/dev/sda2", "", false },
        { UUID, "/dev/sda2", UUID, true },
        { "49B65D41-5BE7-427E-B3A0-4C8A5CD7C73E", "/dev/sda2", UUID, true },
        { "49b65d41", "/dev/sda2", UUID, false },
        { "", "/dev/sda2", "", false },
        { "ALL", "/dev/sda2", UUID, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *id = mem_strdup(cases[i].id);
        const struct key key = { .id = id };

        print_message("case: %s\n", id);
        assert_int_equal(key_is_for(&key, cases[i].name, cases[i].uuid), cases[i].is_for);
        free(id);
    }
}

/* A descriptor to read @len bytes from. */
static int piped(const void *data, size_t len)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], data, len), (ssize_t)len);
    assert_int_equal(close(fds[1]), 0);
    return fds[0];
}

static void lines_are_keys_for_all(void **state)
{
    static const char input[] = "one\n\n two \nthree";
    static const char *const want[] = { "one", " two ", "three" };
    struct keys keys = { 0 };
    struct err err = ERR_NONE;
    int fd = piped(input, strlen(input));

    (void)state;
    assert_int_equal(keys_add_lines(&keys, fd, &err), 0);
    assert_int_equal(keys.n, ARRAY_SIZE(want));
    for (size_t i = 0; i < keys.n; i++) {
        assert_string_equal(keys.items[i].id, "all");
        assert_int_equal(keys.items[i].len, strlen(want[i]));
        assert_memory_equal(keys.items[i].secret, want[i], strlen(want[i]));
    }
    keys_done(&keys);
    (void)close(fd);

    fd = piped("\n\n", 2);
    assert_true(keys_add_lines(&keys, fd, &err) < 0);
    assert_int_equal(err.status, STATUS_USAGE);
    keys_done(&keys);
    (void)close(fd);
}

static void a_key_file_is_its_bytes(void **state)
{
    char path[] = "/tmp/h2k-keys-XXXXXX";
    int fd = mkstemp(path);
    char *text = mem_printf("all:file:%s", path);
    static unsigned char bytes[10000];
    struct keys keys = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 7);
    bytes[sizeof(bytes) - 1] = '\n';
    assert_int_equal(io_write_full(fd, bytes, sizeof(bytes)), 0);
    assert_int_equal(keys_add(&keys, text, &err), 0);
    assert_int_equal(keys_load(&keys, &err), 0);
    assert_int_equal(keys.items[0].len, sizeof(bytes));
    assert_memory_equal(keys.items[0].secret, bytes, sizeof(bytes));
    keys_done(&keys);

    assert_int_equal(ftruncate(fd, (9 << 20)), 0);
    assert_int_equal(keys_add(&keys, text, &err), 0);
    assert_int_equal(keys_load(&keys, &err), -EFBIG);
    keys_done(&keys);
    (void)unlink(path);
    assert_int_equal(keys_add(&keys, text, &err), 0);
    assert_int_equal(keys_load(&keys, &err), -ENOENT);
    keys_done(&keys);
    (void)close(fd);
    free(text);
}

static void headers_belong_to_names(void **state)
{
    struct keys keys = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(keys_add_header(&keys, "/dev/sdb:a:b", &err), 0);
    assert_string_equal(keys_header(&keys, "/dev/sdb"), "a:b");
    assert_null(keys_header(&keys, "/dev/sda"));
    assert_true(keys_add_header(&keys, "all:a", &err) < 0);
    assert_true(keys_add_header(&keys, "/dev/sdb:", &err) < 0);
    assert_int_equal(err.status, STATUS_USAGE);
    keys_done(&keys);
}

/* ---- memory ---- */

static void put(const char *root, const char *path, const char *text)
{
    char *whole = mem_printf("%s%s", root, path);
    struct err err = ERR_NONE;

    for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(whole, 0700);
        *slash = '/';
    }
    assert_int_equal(io_write_file(whole, text, strlen(text), 0600, &err), 0);
    free(whole);
}

static void memory_is_what_kernel_and_groups_leave(void **state)
{
    char root[] = "/tmp/h2k-memory-XXXXXX";
    struct err err = ERR_NONE;

    (void)state;
    assert_non_null(mkdtemp(root));
    assert_true(crypt_memory_free(root) == UINT64_MAX);
    put(root, "/proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    5000 kB\n");
    assert_int_equal(crypt_memory_free(root), 5000);
    put(root, "/proc/self/cgroup", "1:cpu:/x\n0::/a/b\n");
    put(root, "/sys/fs/cgroup/a/b/memory.max", "max\n");
    put(root, "/sys/fs/cgroup/a/b/memory.current", "1\n");
    assert_int_equal(crypt_memory_free(root), 5000);
    put(root, "/sys/fs/cgroup/a/memory.max", "4096000\n");
    put(root, "/sys/fs/cgroup/a/memory.current", "3072000\n");
    assert_int_equal(crypt_memory_free(root), 1000);
    put(root, "/sys/fs/cgroup/a/memory.stat", "anon 5\ninactive_file 512000\nactive_file 512000\n");
    assert_int_equal(crypt_memory_free(root), 2000);
    put(root, "/proc/self/cgroup", "4:memory:/c\n0::/\n");
    put(root, "/sys/fs/cgroup/memory/c/memory.limit_in_bytes", "2048000\n");
    put(root, "/sys/fs/cgroup/memory/c/memory.usage_in_bytes", "3072000\n");
    assert_int_equal(crypt_memory_free(root), 0);
    assert_int_equal(leftovers_remove_tree(root, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_are_taken_apart),
        cmocka_unit_test(wrong_selectors_tell_no_secret),
        cmocka_unit_test(a_key_is_for_a_name_a_uuid_or_all),
        cmocka_unit_test(lines_are_keys_for_all),
        cmocka_unit_test(a_key_file_is_its_bytes),
        cmocka_unit_test(headers_belong_to_names),
        cmocka_unit_test(memory_is_what_kernel_and_groups_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
