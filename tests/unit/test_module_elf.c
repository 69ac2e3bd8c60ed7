/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A real ELF object of the compiler: what depmod reads of it must not change. */
#include "fixers/linux/module_elf.h"
#include "tests/unit/tree.h"

static struct tree tree;

static int setup(void **state)
{
    (void)state;
    tree_open(&tree, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tree_close(&tree);
    return 0;
}

static char *at(const char *name)
{
    return mem_printf("%s/%s", tree.dir, name);
}

static void shell(const char *script)
{
    tree_run(
        (const char *const[]){ "bash", "-euo", "pipefail", "-c", script, "test", tree.dir, NULL });
}

/* Write @name as module_elf_write() does, to "holes". */
static void write_holes(const char *name, struct stat *ret, const char *change, size_t change_at)
{
    char *from = at(name), *to = at("holes"), *data = NULL;
    struct err err = ERR_NONE;
    size_t len = 0;
    int fd;

    assert_int_equal(io_read_file(from, 1 << 20, &data, &len, &err), 0);
    if (change)
        memcpy(data + change_at, change, 8);
    fd = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(module_elf_write(fd, data, len), 0);
    assert_int_equal(fstat(fd, ret), 0);
    assert_int_equal(ret->st_size, len);
    (void)close(fd);
    free(data);
    free(from);
    free(to);
}

static void symbols_and_texts_stay(void **state)
{
    struct stat st;

    (void)state;
    shell(
        "cd $1; { echo 'const char i[] __attribute__((section(\".modinfo\"), used)) = \"alias=x\";"
        "__asm__(\".text; .globl code; code: .fill 200000, 1, 0x90\");"
        "int g(void); int h(void); int h(void) { return g(); }'; } | cc -x c -c -o whole -");
    write_holes("whole", &st, NULL, 0);
    /* the code, and it alone, is left out */
    assert_true(st.st_blocks * 512 < 100000);
    shell("cd $1; cmp <(nm whole) <(nm holes)\n"
          "cmp <(readelf -SW whole) <(readelf -SW holes)\n"
          "cmp <(readelf -p .modinfo whole) <(readelf -p .modinfo holes)\n"
          "! cmp -s whole holes");
}

static void other_files_are_written_whole(void **state)
{
    struct stat st;

    (void)state;
    shell("cd $1; seq 50000 | xz >packed");
    write_holes("packed", &st, NULL, 0);
    shell("cd $1; cmp packed holes");
}

/* The section table beyond the end of the file (e_shoff is at byte 40). */
static void a_lying_header_is_written_whole(void **state)
{
    static const char far[] = "\xf0\xff\xff\xff\xff\xff\xff\xff";
    struct stat st;

    (void)state;
    shell("cd $1; echo 'int x;' | cc -x c -c -o whole -");
    write_holes("whole", &st, far, 40);
    shell("cd $1; cmp <(tail -c +49 whole) <(tail -c +49 holes)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(symbols_and_texts_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(other_files_are_written_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lying_header_is_written_whole, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
