/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/hive_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/signals.h"
#include "engine/hive_overlay.h"

#define CPU_SECONDS 120
/* libhivex writes every list anew, and leaves the old one as a hole */
#define GROWTH_MAX ((size_t)256 << 20)
/* What is changed is in memory four times; the largest ones that are seen have a tenth of this. */
#define EDIT_MAX ((size_t)1 << 30)

static void hive_cleanup(struct hive **hive)
{
    hive_free(*hive);
}

void hive_edit_done(struct hive_edit *edit)
{
    free(edit->key);
    hive_value_done(&edit->value);
    *edit = (struct hive_edit){ 0 };
}

/* ---- the child ---- */

struct report {
    int code;
    char step[32];
};

static void limit(__rlimit_resource_t which, rlim_t value)
{
    const struct rlimit limit = { .rlim_cur = value, .rlim_max = value };

    (void)setrlimit(which, &limit);
}

static const int crashes[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV };

/* Returns the exit status; *report has said more. */
static int run_child(struct hive_overlay *overlay, int in, int out, int report_fd, rlim_t max_size)
{
    struct report report = { 0 };
    char in_path[32], out_path[32];
    const char *step = NULL;
    int r, null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    signals_reset_in_child();
    for (size_t i = 0; i < ARRAY_SIZE(crashes); i++) /* nobody is to catch what libhivex does */
        (void)signal(crashes[i], SIG_DFL);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, CPU_SECONDS);
    limit(RLIMIT_FSIZE, max_size);
    if (null_fd >= 0) /* an abort() says why, which only a maintainer of libhivex wants to know */
        (void)dup2(null_fd, STDERR_FILENO);
    (void)snprintf(in_path, sizeof(in_path), "/proc/self/fd/%d", in);
    (void)snprintf(out_path, sizeof(out_path), "/proc/self/fd/%d", out);
    r = overlay_write(overlay, in_path, out_path, &step);
    report.code = errno ? errno : EIO;
    overlay_done(overlay); /* checkers of memory take its index for lost */
    if (r == 0)
        return 0;
    (void)snprintf(report.step, sizeof(report.step), "%s", step);
    (void)io_write_full(report_fd, &report, sizeof(report));
    return 1;
}

static int wait_for(pid_t child, struct err *err)
{
    int status;

    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return err_set(err, errno, "wait for libhivex");
    if (WIFSIGNALED(status))
        return err_set(err, EBADMSG, "libhivex was ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

/* Let a child do it. */
static int run_hivex(struct hive_overlay *overlay, int in, int out, rlim_t max_size,
                     struct err *err)
{
    CLEANUP_FD int report_end = -1, report_fd = -1;
    struct report report = { 0 };
    int ends[2], r;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(err, errno, "make a pipe");
    report_fd = ends[0];
    report_end = ends[1];
    child = fork();
    if (child < 0)
        return err_set(err, errno, "fork");
    if (child == 0)
        _exit(run_child(overlay, in, out, report_end, max_size));
    r = wait_for(child, err);
    if (r <= 0)
        return r;
    if (io_write_full(report_end, &report, sizeof(report)) < 0 ||
        io_read_full(report_fd, &report, sizeof(report)) < 0 || report.code == 0)
        return err_set(err, EBADMSG, "libhivex ended with status %d", r);
    report.step[sizeof(report.step) - 1] = '\0';
    return err_set(err, report.code, "libhivex cannot %s", report.step);
}

/* ---- the parent ---- */

/* A file in memory; with @bytes in it when there are any. */
static int memory_file(const void *bytes, size_t len, struct err *err)
{
    CLEANUP_FD int fd = memfd_create("h2k-hive", MFD_CLOEXEC);
    int r;

    if (fd < 0)
        return err_set(err, errno, "make a file in memory");
    r = io_write_full(fd, bytes, len);
    if (r < 0)
        return err_set(err, -r, "write a file in memory");
    return TAKE_FD(fd);
}

/* A number for a complete write that no log entry of before has. */
static uint32_t next_seq(const struct hive *hive)
{
    return (hive->base.seq1 > hive->base.seq2 ? hive->base.seq1 : hive->base.seq2) + 1;
}

static int read_result(struct hive *hive, int fd, struct strbuf *ret, struct err *err)
{
    struct regf_base base;
    int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : io_read_all(fd, ret, hive->len + GROWTH_MAX);

    if (r < 0)
        return err_set(err, -r, "read what libhivex made");
    if (ret->len < REGF_BASE_LEN || !regf_base_parse(ret->data, ret->len, &base) ||
        base.bins_size > REGF_BINS_MAX || ret->len - REGF_BASE_LEN < base.bins_size)
        return err_set(err, EBADMSG, "libhivex made something that is no hive");
    ret->len = REGF_BASE_LEN + base.bins_size;
    regf_base_complete(ret->data, next_seq(hive), base.bins_size);
    return 0;
}

/* Read all of the result with our own eyes. */
static int check_result(struct hive *hive, struct hive_overlay *overlay, struct strbuf *bytes,
                        struct err *err)
{
    CLEANUP(hive_cleanup) struct hive *result = NULL;
    int r = hive_from_bytes(bytes, hive->name, &result, err);

    if (r == 0)
        r = hive_check(result, err);
    if (r == 0)
        r = hive_compare(hive, result, overlay, err);
    if (r < 0)
        return err_wrap(err, "check what was written");
    *bytes = result->bytes;
    result->bytes = (struct strbuf){ 0 };
    return 0;
}

/* What the child writes; files in memory are gone as soon as they have been read. */
static int run_edits(struct hive *hive, struct hive_overlay *overlay, int *ret, struct err *err)
{
    CLEANUP_FD int in = memory_file(hive->data, hive->len, err);
    CLEANUP_FD int out = in < 0 ? -1 : memory_file("", 0, err);
    int r;

    if (out < 0)
        return -err->code;
    r = run_hivex(overlay, in, out, hive->len + GROWTH_MAX, err);
    if (r == 0)
        *ret = TAKE_FD(out);
    return r;
}

static int make_edits(struct hive *hive, struct hive_overlay *overlay, struct strbuf *ret,
                      struct err *err)
{
    int out = -1;
    int r = run_edits(hive, overlay, &out, err);

    if (r < 0)
        return r;
    r = read_result(hive, out, ret, err);
    (void)close(out);
    return r < 0 ? r : check_result(hive, overlay, ret, err);
}

/* Nothing changes: only what a recovery has brought. */
static void copy(const struct hive *hive, struct strbuf *ret)
{
    strbuf_add(ret, hive->data, hive->len);
    if (regf_is_dirty(&hive->base))
        regf_base_complete(ret->data, next_seq(hive), hive->base.bins_size);
}

int hive_edit(struct hive *hive, const struct hive_edit *edits, size_t n, struct strbuf *ret,
              struct err *err)
{
    CLEANUP_OVERLAY struct hive_overlay overlay = { 0 };
    CLEANUP_STRBUF struct strbuf made = { 0 };
    int r = 0;

    if (hive->len > EDIT_MAX)
        r = err_set(err, EFBIG, "it has %zu MiB; up to %zu can be changed", hive->len >> 20,
                    EDIT_MAX >> 20);
    if (r == 0)
        r = hive_check(hive, err); /* libhivex looks at little */
    if (r == 0)
        r = overlay_add(&overlay, edits, n, err);
    if (r == 0)
        r = overlay_resolve(&overlay, hive, err);
    if (r == 0 && overlay.changes)
        r = make_edits(hive, &overlay, &made, err);
    else if (r == 0)
        copy(hive, &made);
    if (r < 0)
        return err_wrap(err, "change the hive %s", hive->name);
    strbuf_done(ret);
    *ret = made;
    made = (struct strbuf){ 0 };
    return 0;
}
