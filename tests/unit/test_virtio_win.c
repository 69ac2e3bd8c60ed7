/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where drivers for Windows lie, and which of them are for one Windows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixers/windows/virtio_win.h"
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

static const struct win_target windows_7 = { 6, 1, 7601, WIN_AMD64, false, 0, false };
static const struct win_target windows_81 = { 6, 3, 9600, WIN_AMD64, false, 0, false };
static const struct win_target windows_10 = { 10, 0, 19045, WIN_AMD64, false, 0, false };
static const struct win_target server_2022 = { 10, 0, 20348, WIN_AMD64, true, 0, false };

static void folders(void **state)
{
    static const struct {
        struct win_target target;
        const char *want; /* "": none */
    } cases[] = {
        { { 5, 0, 2195, WIN_X86, false, 0, false }, "" },
        { { 5, 1, 2600, WIN_X86, false, 0, false }, "xp" },
        { { 5, 2, 3790, WIN_AMD64, false, 0, false }, "xp" },
        { { 5, 2, 3790, WIN_X86, true, 0, false }, "2k3" },
        { { 6, 0, 6002, WIN_X86, false, 0, false }, "2k8" },
        { { 6, 0, 6003, WIN_AMD64, true, 0, false }, "2k8" },
        { { 6, 1, 7601, WIN_X86, false, 0, false }, "w7" },
        { { 6, 1, 7601, WIN_AMD64, true, 0, false }, "2k8R2" },
        { { 6, 2, 9200, WIN_X86, false, 0, false }, "w8" },
        { { 6, 2, 9200, WIN_AMD64, true, 0, false }, "2k12" },
        { { 6, 3, 9600, WIN_X86, false, 0, false }, "w8.1" },
        { { 6, 3, 9600, WIN_AMD64, true, 0, false }, "2k12R2" },
        { { 10, 0, 10240, WIN_X86, false, 0, false }, "w10" },
        { { 10, 0, 19045, WIN_ARM64, false, 0, false }, "w10" },
        { { 10, 0, 22000, WIN_AMD64, false, 0, false }, "w11" },
        { { 10, 0, 26200, WIN_ARM64, false, 0, false }, "w11" },
        { { 10, 0, 14393, WIN_AMD64, true, 0, false }, "2k16" },
        { { 10, 0, 17763, WIN_AMD64, true, 0, false }, "2k19" },
        { { 10, 0, 20348, WIN_AMD64, true, 0, false }, "2k22" },
        { { 10, 0, 25398, WIN_AMD64, true, 0, false }, "2k22" },
        { { 10, 0, 26100, WIN_AMD64, true, 0, false }, "2k25" },
        { { 11, 0, 30000, WIN_AMD64, false, 0, false }, "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *os = virtio_win_os(&cases[i].target);

        print_message("case: %u.%u.%u\n", cases[i].target.major, cases[i].target.minor,
                      cases[i].target.build);
        assert_string_equal(os ? os : "", cases[i].want);
    }
}

/* A small INF: class, what its models are decorated with, one file besides the catalog. */
static void put_inf(const char *path, const char *class_name, const char *decoration)
{
    const char *name = strrchr(path, '/') + 1;
    char *stem = mem_strndup(name, strlen(name) - strlen(".inf"));
    char *text =
        mem_printf("[Version]\nClass=%s\nCatalogFile=%s.cat\nDriverVer=01/02/2020,1.2.3.4\n"
                   "[Manufacturer]\nx=m,NT%s\n[m.NT%s]\nd=i,PCI\\VEN_1AF4\n"
                   "[i]\nCopyFiles=@%s.sys\n[i.Services]\nAddService=%s,2,s\n"
                   "[s]\nStartType=0\n",
                   class_name, stem, decoration, decoration, stem, stem);

    tree_put(&tree, path, text, 0644);
    free(text);
    free(stem);
}

/* With its files. */
static void put_driver(const char *folder, const char *name, const char *class_name,
                       const char *decoration)
{
    static const char *const suffixes[] = { "cat", "sys" };
    char *path = mem_printf("%s/%s.inf", folder, name);

    put_inf(path, class_name, decoration);
    free(path);
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        path = mem_printf("%s/%s.%s", folder, name, suffixes[i]);
        tree_put(&tree, path, path, 0644);
        free(path);
    }
}

/* "name@dir/rank" of all, with "-missing". */
static char *chosen(struct virtio_win *source, const struct win_target *target, bool all_ranks)
{
    struct win_drivers drivers;
    struct strbuf text = { 0 };

    virtio_win_choose(source, target, all_ranks, &drivers);
    for (size_t i = 0; i < drivers.n; i++) {
        const struct win_driver *driver = &drivers.items[i];

        strbuf_printf(&text, "%s%s@%s/%u", i ? " " : "", driver->name, driver->dir, driver->rank);
        for (size_t k = 0; k < driver->missing.n; k++)
            strbuf_printf(&text, "-%s", driver->missing.items[k]);
    }
    for (size_t i = 0; i < drivers.notes.n; i++)
        strbuf_printf(&text, "%s(%s)", text.len ? " " : "", drivers.notes.items[i]);
    win_drivers_done(&drivers);
    return strbuf_take(&text);
}

static struct virtio_win *open_source(const char *folder)
{
    struct virtio_win *source = NULL;
    struct err err = ERR_NONE;
    char *path = mem_printf("%s%s", tree.dir, folder), text[512];
    int n = virtio_win_open(path, &source, &err);

    if (n < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
    free(path);
    return source;
}

static void expect(struct virtio_win *source, const struct win_target *target, bool all_ranks,
                   const char *want)
{
    char *have = chosen(source, target, all_ranks);

    assert_string_equal(have, want);
    free(have);
}

static void the_right_one(void **state)
{
    struct virtio_win *source;

    (void)state;
    put_driver("/v/viostor/w7/amd64", "viostor", "SCSIAdapter", "amd64.6.1");
    put_driver("/v/viostor/w7/x86", "viostor", "SCSIAdapter", "x86.6.1");
    put_driver("/v/viostor/w8.1/amd64", "viostor", "SCSIAdapter", "amd64.6.3");
    put_driver("/v/viostor/w10/amd64", "viostor", "SCSIAdapter", "amd64.10.0");
    put_driver("/v/amd64/w10", "viostor", "SCSIAdapter", "amd64.10.0");
    put_driver("/v/viostor/w11/amd64", "viostor", "SCSIAdapter", "amd64.10.0...22000");
    put_driver("/v/NetKVM/w7/amd64", "netkvm", "Net", "amd64.6.1");
    put_driver("/v/NetKVM/w10/amd64", "netkvm", "Net", "amd64.10.0");
    put_driver("/v/NetKVM/2k22/amd64", "netkvm", "Net", "amd64.10.0");
    put_driver("/v/NetKVM/w10/amd64", "vioprot", "NetTrans", "amd64.10.0");
    put_driver("/v/sriov/w10/amd64", "other", "NetTrans", "amd64.10.0");
    put_driver("/v/fwcfg/w10/amd64", "fwcfg", "System", "amd64.10.0");
    put_driver("/v/qemufwcfg/w10/amd64", "qemufwcfg", "System", "amd64.10.0");
    put_driver("/v/qemufwcfg/w11/amd64", "qemufwcfg", "System", "amd64.10.0");
    put_inf("/v/Balloon/w10/amd64/Balloon.inf", "System", "amd64.10.0");
    source = open_source("/v");
    expect(source, &windows_10, false,
           "balloon@Balloon/w10/amd64/0-Balloon.cat-Balloon.sys fwcfg@fwcfg/w10/amd64/0 "
           "netkvm@NetKVM/w10/amd64/0 viostor@amd64/w10/0");
    /* each driver on its own falls back within the family */
    expect(source, &server_2022, false,
           "balloon@Balloon/w10/amd64/1-Balloon.cat-Balloon.sys fwcfg@fwcfg/w10/amd64/1 "
           "netkvm@NetKVM/2k22/amd64/0 viostor@amd64/w10/1");
    expect(source, &windows_7, true, "netkvm@NetKVM/w7/amd64/0 viostor@viostor/w7/amd64/0");
    /* an older family is for boot storage, and on request */
    expect(source, &windows_81, false, "viostor@viostor/w8.1/amd64/0");
    expect(source, &windows_81, true, "viostor@viostor/w8.1/amd64/0 viostor@viostor/w7/amd64/1");
    expect(source, &(struct win_target){ 10, 0, 26100, WIN_AMD64, false, 0, false }, false,
           "balloon@Balloon/w10/amd64/1-Balloon.cat-Balloon.sys fwcfg@fwcfg/w10/amd64/1 "
           "netkvm@NetKVM/w10/amd64/1 viostor@viostor/w11/amd64/0");
    /* a folder can hold what says itself that it is for later ones */
    expect(source, &(struct win_target){ 10, 0, 20348, WIN_ARM64, true, 0, false }, true, "");
    expect(source, &(struct win_target){ 6, 0, 6002, WIN_AMD64, true, 0, false }, true, "");
    virtio_win_free(source);
}

/* What a folder says and what its INF says must both fit. */
static void inf_for_later(void **state)
{
    struct virtio_win *source;

    (void)state;
    put_driver("/l/viostor/w10/amd64", "viostor", "SCSIAdapter", "amd64.10.0...16299");
    tree_put(&tree, "/l/broken/w10/amd64/broken.inf", "[a]\n", 0644);
    source = open_source("/l");
    expect(source, &windows_10, false,
           "viostor@viostor/w10/amd64/0 (broken/w10/amd64/broken.inf: it has nothing for this "
           "version of Windows)");
    expect(source, &(struct win_target){ 10, 0, 14393, WIN_AMD64, true, 0, false }, false,
           "(broken/w10/amd64/broken.inf: it has nothing for this version of Windows) "
           "(viostor/w10/amd64/viostor.inf: it has nothing for this version of Windows)");
    virtio_win_free(source);
}

static void contents(void **state)
{
    struct virtio_win *source;
    struct win_drivers drivers;
    struct err err = ERR_NONE;
    const struct win_driver *driver;
    const struct win_file *file;
    const void *data = NULL;
    size_t len = 0;

    (void)state;
    put_driver("/c/VIOSTOR/W10/AMD64", "VIOSTOR", "SCSIAdapter", "amd64.10.0");
    tree_put(&tree, "/c/guest-agent/qemu-ga-x86_64.msi", "agent", 0644);
    source = open_source("/c");
    virtio_win_choose(source, &windows_10, false, &drivers);
    driver = win_drivers_find(&drivers, "viostor");
    assert_non_null(driver);
    assert_null(win_drivers_find(&drivers, "VIOSTOR"));
    assert_true(driver->is_boot_storage);
    assert_int_equal(driver->n_files, 3);
    assert_string_equal(driver->files[0].name, "viostor.inf");
    assert_string_equal(driver->why, "made for this Windows (w10)");
    file = win_driver_file(driver, "Viostor.SYS");
    assert_null(file->data);
    assert_int_equal(virtio_win_load(source, &drivers, &err), 0);
    assert_int_equal(file->len, strlen("/c/VIOSTOR/W10/AMD64/VIOSTOR.sys"));
    assert_memory_equal(file->data, "/c/VIOSTOR/W10/AMD64/VIOSTOR.sys", file->len);
    assert_null(win_driver_file(driver, "other.sys"));
    win_drivers_done(&drivers);
    assert_null(virtio_win_agent(source, WIN_X86));
    assert_string_equal(virtio_win_agent(source, WIN_AMD64), "guest-agent/qemu-ga-x86_64.msi");
    assert_int_equal(
        virtio_win_read(source, virtio_win_agent(source, WIN_AMD64), &data, &len, &err), 0);
    assert_int_equal(len, 5);
    assert_memory_equal(data, "agent", 5);
    assert_int_equal(virtio_win_read(source, "no/such", &data, &len, &err), -ENOENT);
    virtio_win_free(source);
}

/* Links are not followed, what is no source is refused by name. */
static void refused(void **state)
{
    struct virtio_win *source = NULL;
    struct err err = ERR_NONE;
    char *path, text[512];

    (void)state;
    put_driver("/r/viostor/w10/amd64", "viostor", "SCSIAdapter", "amd64.10.0");
    tree_link(&tree, "/etc/passwd", "/r/viostor/w10/amd64/link.inf");
    tree_link(&tree, "..", "/r/viostor/w10/loop");
    source = open_source("/r");
    expect(source, &windows_10, false, "viostor@viostor/w10/amd64/0");
    virtio_win_free(source);
    tree_put(&tree, "/empty/readme", "", 0644);
    path = mem_printf("%s/empty", tree.dir);
    assert_int_equal(virtio_win_open(path, &source, &err), -EINVAL);
    assert_non_null(strstr(err_text(&err, text, sizeof(text)), "holds no drivers"));
    free(path);
    path = mem_printf("%s/empty/readme", tree.dir);
    assert_true(virtio_win_open(path, &source, &err) < 0);
    free(path);
    path = mem_printf("%s/missing", tree.dir);
    assert_int_equal(virtio_win_open(path, &source, &err), -ENOENT);
    assert_int_equal(setenv(VIRTIO_WIN_ENV, path, 1), 0);
    assert_int_equal(virtio_win_open(NULL, &source, &err), -ENOENT);
    assert_non_null(strstr(err_text(&err, text, sizeof(text)), path));
    assert_int_equal(unsetenv(VIRTIO_WIN_ENV), 0);
    free(path);
}

/* Files that are stored once under two names are both there; what leads elsewhere is not. */
static void names_in_archives(void **state)
{
    char *from = mem_printf("%s/n/viostor/w10/amd64/viostor.sys", tree.dir);
    char *to = tree_path(&tree, "/n/viostor/2k22/amd64/viostor.sys");
    char *folder = mem_printf("%s/n", tree.dir), *tar = mem_printf("%s/n.tar", tree.dir);
    struct virtio_win *source;
    struct win_drivers drivers;
    struct err err = ERR_NONE;
    const struct win_file *file;

    (void)state;
    put_driver("/n/viostor/w10/amd64", "viostor", "SCSIAdapter", "amd64.10.0");
    put_inf("/n/viostor/2k22/amd64/viostor.inf", "SCSIAdapter", "amd64.10.0");
    tree_put(&tree, "/n/viostor/2k22/amd64/viostor.cat", "catalog", 0644);
    assert_int_equal(link(from, to), 0);
    put_driver("/n/up/w10/amd64", "evil", "SCSIAdapter", "amd64.10.0");
    put_driver("/n/root/w10/amd64", "rooted", "SCSIAdapter", "amd64.10.0");
    tree_link(&tree, "/etc/passwd", "/n/viostor/w10/amd64/link.inf");
    tree_run((const char *const[]){ "tar", "-cf", tar, "-P", "-C", folder, "--transform",
                                    "s,^up,../up,;s,^root,/root,", "viostor", "up", "root", NULL });
    source = open_source("/n.tar");
    expect(source, &windows_10, false, "rooted@root/w10/amd64/0 viostor@viostor/w10/amd64/0");
    virtio_win_choose(source, &server_2022, false, &drivers);
    assert_int_equal(virtio_win_load(source, &drivers, &err), 0);
    assert_string_equal(win_drivers_find(&drivers, "viostor")->dir, "viostor/2k22/amd64");
    file = win_driver_file(win_drivers_find(&drivers, "viostor"), "viostor.sys");
    assert_int_equal(file->len, strlen("/n/viostor/w10/amd64/viostor.sys"));
    assert_memory_equal(file->data, "/n/viostor/w10/amd64/viostor.sys", file->len);
    win_drivers_done(&drivers);
    virtio_win_free(source);
    free(from);
    free(to);
    free(folder);
    free(tar);
}

/* ---- the same drivers as a folder, an ISO image of both kinds, a zip, a tree of packages ---- */

static char *digest(struct virtio_win *source, const struct win_target *target)
{
    struct win_drivers drivers;
    struct strbuf text = { 0 };
    struct err err = ERR_NONE;

    virtio_win_choose(source, target, true, &drivers);
    assert_int_equal(virtio_win_load(source, &drivers, &err), 0);
    for (size_t i = 0; i < drivers.n; i++) {
        const struct win_driver *driver = &drivers.items[i];

        strbuf_printf(&text, "%s %s %u %d %zu:", driver->name, driver->os, driver->rank,
                      driver->is_boot_storage, driver->missing.n);
        for (size_t k = 0; k < driver->n_files; k++) {
            const uint8_t *data = driver->files[k].data;
            uint64_t sum = 0;

            for (size_t at = 0; at < driver->files[k].len; at++)
                sum = sum * 31 + data[at];
            strbuf_printf(&text, " %s=%llx", driver->files[k].name, (unsigned long long)sum);
        }
        strbuf_putc(&text, '\n');
    }
    win_drivers_done(&drivers);
    return strbuf_take(&text);
}

static bool make_sources(void)
{
    char *script = mem_printf("%s/../lib/make-virtio-win", TEST_DATA_DIR);
    char *iso = mem_printf("%s/m.iso", tree.dir), *plain = mem_printf("%s/p.iso", tree.dir);
    char *zip = mem_printf("%s/m.zip", tree.dir), *rpm = mem_printf("%s/rpm", tree.dir);
    char *dir = mem_printf("%s/iso", tree.dir);
    const char *const argv[] = { script,  "--os", "w7,w8.1,w10", "--iso", iso, "--plain-iso", plain,
                                 "--zip", zip,    "--rpm",       rpm,     dir, NULL };
    struct exec_opts opts = { .argv = argv };
    struct err err = ERR_NONE;
    bool made = exec_check(&opts, NULL, &err) == 0;
    char text[512];

    if (!made)
        print_message("%s\n", err_text(&err, text, sizeof(text)));
    free(script);
    free(iso);
    free(plain);
    free(zip);
    free(rpm);
    free(dir);
    return made;
}

static void all_forms(void **state)
{
    static const char *const forms[] = { "/m.iso", "/p.iso", "/m.zip", "/rpm" };
    static const struct win_target *const targets[] = { &windows_7, &windows_81, &windows_10 };
    struct virtio_win *folder;

    (void)state;
    if (!make_sources())
        skip();
    folder = open_source("/iso");
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
        char *want = digest(folder, targets[i]);

        print_message("%s", want);
        assert_non_null(strstr(want, "viostor "));
        assert_non_null(strstr(want, "vioscsi "));
        assert_null(strstr(want, "vioprot"));
        for (size_t k = 0; k < ARRAY_SIZE(forms); k++) {
            struct virtio_win *source = open_source(forms[k]);
            char *have = digest(source, targets[i]);

            print_message("case: %s\n", forms[k]);
            assert_string_equal(have, want);
            free(have);
            virtio_win_free(source);
        }
        free(want);
    }
    virtio_win_free(folder);
}

/* A folder with nothing but the image, as the package has it. */
static void image_inside(void **state)
{
    char *from = mem_printf("%s/m.iso", tree.dir), *to = tree_path(&tree, "/inside/virtio-win.iso");
    struct virtio_win *source;

    (void)state;
    if (access(from, R_OK) != 0 || rename(from, to) < 0)
        skip();
    source = open_source("/inside");
    assert_non_null(strstr(virtio_win_path(source), "/inside/virtio-win.iso"));
    virtio_win_free(source);
    free(from);
    free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders),       cmocka_unit_test(the_right_one),
        cmocka_unit_test(inf_for_later), cmocka_unit_test(contents),
        cmocka_unit_test(refused),       cmocka_unit_test(names_in_archives),
        cmocka_unit_test(all_forms),     cmocka_unit_test(image_inside),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
