/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drivers in the initramfs images. Unpacking them is the costliest part of an inspection and the
 * one that gives most code (five decompressors) bytes of the guest, so a child process does it
 * beside everything else, with a limit on its CPU time; what it cannot read stays unknown.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/base/signals.h"
#include "inspect/initramfs_wire.h"
#include "inspect/linux.h"
#include "inspect/uki.h"

#define CPU_SECONDS 120 /* for all images of a guest */

/* What the child tells about one kernel; initramfs_pack()'s bytes come behind it. */
struct answer {
    unsigned kernel; /* index into facts->kernels */
    uint32_t len;
};

struct linux_scan {
    pid_t pid;
    int fd; /* answers come here */
    enum initramfs_depth depth;
};

/* The initramfs inside a unified image, in memory; -1. */
static int open_inside(const struct guest_root *root, const char *path, struct err *err)
{
    CLEANUP_FD int fd = guest_open(root, path, err);
    CLEANUP_FD int copy = memfd_create("initramfs", MFD_CLOEXEC);
    struct uki_section section;
    off_t at;

    if (fd < 0 || copy < 0 || !uki_find(root, path, ".initrd", &section))
        return -1;
    at = (off_t)section.offset;
    while (section.size > 0) {
        ssize_t n = sendfile(copy, fd, &at, section.size);

        if (n <= 0)
            return -1;
        section.size -= (uint32_t)n;
    }
    return TAKE_FD(copy);
}

/* false: it could not be read. */
static bool look_into(const struct guest_root *root, const struct fact_kernel *kernel,
                      enum initramfs_depth depth, struct strbuf *ret)
{
    CLEANUP(initramfs_done) struct initramfs initramfs = { 0 };
    const char *path = *kernel->initrd ? kernel->initrd : kernel->unified;
    struct err err = ERR_NONE;
    CLEANUP_FD int fd =
        *kernel->initrd ? guest_open(root, path, &err) : open_inside(root, path, &err);
    struct stat st;
    char text[2 * ERR_TEXT];

    if (fd < 0 || fstat(fd, &st) < 0 ||
        initramfs_scan(fd, (uint64_t)st.st_size, depth, &initramfs, &err) < 0) {
        log_debug("%s is not looked into: %s", path, err_text(&err, text, sizeof(text)));
        return false;
    }
    return initramfs_pack(&initramfs, ret) == 0;
}

static void __attribute__((noreturn))
run_child(const struct guest_root *root, const struct facts *facts, enum initramfs_depth depth,
          pid_t parent, int fd)
{
    const struct rlimit limit = { .rlim_cur = CPU_SECONDS, .rlim_max = CPU_SECONDS };

    signals_reset_in_child();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
        setrlimit(RLIMIT_CPU, &limit) < 0)
        _exit(1);
    for (size_t i = 0; i < facts->n_kernels; i++) {
        CLEANUP_STRBUF struct strbuf bytes = { 0 };
        struct answer answer = { .kernel = (unsigned)i };

        if ((!*facts->kernels[i].initrd && !*facts->kernels[i].unified) ||
            !look_into(root, &facts->kernels[i], depth, &bytes))
            continue;
        answer.len = (uint32_t)bytes.len;
        if (io_write_full(fd, &answer, sizeof(answer)) < 0 ||
            io_write_full(fd, bytes.data, bytes.len) < 0)
            _exit(1);
    }
    _exit(0);
}

struct linux_scan *linux_initrds_begin(const struct guest_root *root, const struct facts *facts,
                                       enum initramfs_depth depth)
{
    struct linux_scan *scan;
    pid_t parent = getpid();
    pid_t pid;
    int fds[2];

    if (facts->n_kernels == 0 || pipe2(fds, O_CLOEXEC) < 0)
        return NULL;
    pid = fork();
    if (pid == 0)
        run_child(root, facts, depth, parent, fds[1]);
    (void)close(fds[1]);
    if (pid < 0) {
        (void)close(fds[0]);
        return NULL;
    }
    scan = mem_alloc(sizeof(*scan));
    scan->pid = pid;
    scan->fd = fds[0];
    scan->depth = depth;
    return scan;
}

static void take_archive(struct fact_kernel *kernel, enum initramfs_depth depth, const char *bytes,
                         size_t len)
{
    struct initramfs initramfs = { 0 };

    if (kernel->archive || initramfs_unpack(bytes, len, &initramfs) < 0)
        return;
    kernel->initrd_has_virtio =
        kernel->virtio_builtin || (initramfs_has_module(&initramfs, "virtio_blk") &&
                                   initramfs_has_module(&initramfs, "virtio_pci"));
    kernel->initrd_has_network = initramfs_has_network(&initramfs);
    facts_set(&kernel->initrd_compression, initramfs.compression);
    if (depth == INITRAMFS_ALL)
        kernel->archive = mem_dup(&initramfs, sizeof(initramfs));
    else
        initramfs_done(&initramfs);
}

/* The next answer; false at the end, or when the child does not keep to the form. */
static bool take_answer(const struct linux_scan *scan, struct facts *facts)
{
    CLEANUP_FREE char *bytes = NULL;
    struct answer answer;

    if (io_read_full(scan->fd, &answer, sizeof(answer)) < 0 || answer.kernel >= facts->n_kernels ||
        answer.len > INITRAMFS_WIRE_MAX)
        return false;
    bytes = malloc((size_t)answer.len + 1);
    if (!bytes || io_read_full(scan->fd, bytes, answer.len) < 0)
        return false;
    take_archive(&facts->kernels[answer.kernel], scan->depth, bytes, answer.len);
    return true;
}

/* Wait for the next answer or the end; false when an ending signal came first. */
static bool wait_readable(int fd)
{
    struct pollfd polls[] = {
        { .fd = fd, .events = POLLIN },
        { .fd = signals_fd(), .events = POLLIN }, /* -1 is passed over */
    };

    while (poll(polls, ARRAY_SIZE(polls), -1) < 0)
        if (errno != EINTR)
            return false;
    return polls[1].revents == 0;
}

void linux_initrds_end(struct linux_scan *scan, struct facts *facts)
{
    int status = 0;

    for (size_t i = 0; i < facts->n_kernels; i++)
        facts->kernels[i].initrd_has_virtio = facts->kernels[i].virtio_builtin;
    if (!scan)
        return;
    while (wait_readable(scan->fd) && take_answer(scan, facts))
        continue;
    (void)kill(scan->pid, SIGKILL); /* it is done, or nobody waits for it any more */
    while (waitpid(scan->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status))
        log_debug("looking into the initramfs images ended by signal %d", WTERMSIG(status));
    (void)close(scan->fd);
    free(scan);
}
