/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of targets and what contradicts them, over real files: nothing is attached here. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/mem.h"
#include "fixers/job_stage.h"

static void stems(void **state)
{
    static const struct {
        const char *path, *want;
    } cases[] = {
        { "/a/web01.vmdk", "web01" }, { "web01.VMDK", "web01" },   { "a.b/web01.x", "web01.x" },
        { "/a/.vmdk", ".vmdk" },      { "disk.qcow2", "disk" },    { "disk.vhdx", "disk" },
        { "d.vmdk.raw", "d.vmdk" },   { "/dir.raw/disk", "disk" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *stem = target_stem(cases[i].path);

        assert_string_equal(stem, cases[i].want);
        free(stem);
    }
}

static void contradictions_are_usage_errors(void **state)
{
    static const struct {
        const char *label;
        struct job_opts opts;
        bool fine;
    } cases[] = {
        { "nothing", { .n_sources = 1 }, true },
        { "compressed qcow2", { .n_sources = 1, .compress = true }, true },
        { "compressed raw", { .n_sources = 1, .compress = true, .output_format = "raw" }, false },
        { "unknown format", { .n_sources = 1, .output_format = "vpc" }, false },
        { "one name, two disks", { .n_sources = 2, .output = "a" }, false },
        { "a folder, two disks", { .n_sources = 2, .output_dir = "a" }, true },
        { "in place", { .n_sources = 1, .in_place = true }, true },
        { "in place with a name", { .n_sources = 1, .in_place = true, .output = "a" }, false },
        { "in place, compressed", { .n_sources = 1, .in_place = true, .compress = true }, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_NONE;
        int r = target_check_options(&cases[i].opts, &err);

        print_message("case: %s\n", cases[i].label);
        assert_int_equal(r == 0, cases[i].fine);
        if (!cases[i].fine)
            assert_int_equal(err.status, STATUS_USAGE);
    }
}

/* ---- names, in a folder with two sources ---- */

struct fixture {
    char dir[32];
    struct image images[2];
    struct image_file files[2];
    struct image *list[2];
    struct job_source sources[2];
};

static void make_source(struct fixture *fixture, size_t i, const char *name)
{
    char *path = mem_printf("%s/%s", fixture->dir, name);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    fixture->files[i].path = path;
    assert_int_equal(fstat(fd, &fixture->files[i].st), 0);
    (void)close(fd);
    fixture->images[i].path = path;
    fixture->images[i].format = "raw";
    fixture->images[i].files = &fixture->files[i];
    fixture->images[i].n_files = 1;
    fixture->list[i] = &fixture->images[i];
    fixture->sources[i].path = path;
}

static void done(struct fixture *fixture, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)unlink(fixture->images[i].path);
        free(fixture->images[i].path);
    }
    (void)rmdir(fixture->dir);
}

static void job_done(struct job *job)
{
    strlist_done(&job->targets);
    free(job->report_path);
    free(job->log_path);
    free(job->xml_path);
}

/* @path is @name in the fixture's folder. */
static void assert_name(const struct fixture *fixture, const char *path, const char *name)
{
    char *want = mem_printf("%s/%s", fixture->dir, name);

    assert_string_equal(path, want);
    free(want);
}

static void default_names(void **state)
{
    static const struct {
        const char *source, *format, *target, *report;
    } cases[] = {
        { "web01.vmdk", NULL, "web01.qcow2", "web01.report.json" },
        { "web01.vmdk", "vhdx", "web01.vhdx", "web01.report.json" },
        { "web01.qcow2", NULL, "web01-kvm.qcow2", "web01-kvm.report.json" },
        { "web01.raw", "raw", "web01-kvm.raw", "web01-kvm.report.json" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture fixture = { .dir = "/tmp/h2k-target-XXXXXX" };
        struct job_opts opts = { .n_sources = 1, .output_format = cases[i].format };
        struct job job = { .opts = &opts, .images = fixture.list };
        struct err err = ERR_NONE;

        assert_non_null(mkdtemp(fixture.dir));
        make_source(&fixture, 0, cases[i].source);
        opts.sources = fixture.sources;
        opts.output_dir = fixture.dir;
        assert_int_equal(target_name_all(&job, &err), 0);
        assert_int_equal(job.targets.n, 1);
        assert_name(&fixture, job.targets.items[0], cases[i].target);
        assert_name(&fixture, job.report_path, cases[i].report);
        assert_int_equal(target_check_names(&job, &err), 0);
        job_done(&job);
        done(&fixture, 1);
    }
}

static void several_disks_get_letters(void **state)
{
    struct fixture fixture = { .dir = "/tmp/h2k-target-XXXXXX" };
    struct job_opts opts = { .n_sources = 2, .sources = fixture.sources };
    struct job job = { .opts = &opts, .images = fixture.list };
    struct err err = ERR_NONE;

    (void)state;
    assert_non_null(mkdtemp(fixture.dir));
    make_source(&fixture, 0, "web01.vmdk");
    make_source(&fixture, 1, "data.vmdk");
    opts.output_dir = fixture.dir;
    assert_int_equal(target_name_all(&job, &err), 0);
    assert_int_equal(job.targets.n, 2);
    assert_name(&fixture, job.targets.items[0], "web01-sda.qcow2");
    assert_name(&fixture, job.targets.items[1], "web01-sdb.qcow2");
    assert_name(&fixture, job.xml_path, "web01.xml");
    job_done(&job);
    done(&fixture, 2);
}

static void what_exists_or_is_the_source_is_refused(void **state)
{
    static const struct {
        const char *label, *output, *report;
        bool force, fine;
    } cases[] = {
        { "new", "new.qcow2", NULL, false, true },
        { "there", "other", NULL, false, false },
        { "there, forced", "other", NULL, true, true },
        { "the source, forced", "web01.vmdk", NULL, true, false },
        { "a folder, forced", "", NULL, true, false },
        { "report is the source", "new.qcow2", "web01.vmdk", true, false },
    };
    struct fixture fixture = { .dir = "/tmp/h2k-target-XXXXXX" };

    (void)state;
    assert_non_null(mkdtemp(fixture.dir));
    make_source(&fixture, 0, "web01.vmdk");
    make_source(&fixture, 1, "other"); /* of no guest: only one source is named below */
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *output = mem_printf("%s/%s", fixture.dir, cases[i].output);
        char *report = cases[i].report ? mem_printf("%s/%s", fixture.dir, cases[i].report) : NULL;
        struct job_opts opts = { .n_sources = 1, .sources = fixture.sources };
        struct job job = { .opts = &opts, .images = fixture.list };
        struct err err = ERR_NONE;

        print_message("case: %s\n", cases[i].label);
        opts.output = output;
        opts.report = report;
        opts.force = cases[i].force;
        assert_int_equal(target_name_all(&job, &err), 0);
        assert_int_equal(target_check_names(&job, &err) == 0, cases[i].fine);
        if (!cases[i].fine)
            assert_int_equal(err.status, STATUS_REFUSED);
        job_done(&job);
        free(output);
        free(report);
    }
    done(&fixture, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stems),
        cmocka_unit_test(contradictions_are_usage_errors),
        cmocka_unit_test(default_names),
        cmocka_unit_test(several_disks_get_letters),
        cmocka_unit_test(what_exists_or_is_the_source_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
