/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What attacks the host from inside a jail; each says with its exit status what it could do. */
#ifndef H2K_TESTS_ROOT_JAIL_PROBES_H
#define H2K_TESTS_ROOT_JAIL_PROBES_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

enum { HELD = 0, ESCAPED = 1, USELESS = 2 }; /* exit status of a probe */

/* ---- probes: run in the jail ---- */

static int refused(long r)
{
    return r < 0 && (errno == EPERM || errno == EACCES) ? HELD : ESCAPED;
}

/* The node of a disk can be made, and is of no use. */
static int probe_disk(void)
{
    static const char *const places[] = { "/disk", "/tmp/disk", "/run/disk", "/var/tmp/disk",
                                          "/dev/shm/disk" };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        (void)mknod(places[i], S_IFBLK | 0600, makedev(254, 0));
        if (refused(open(places[i], O_RDONLY)) != HELD)
            return ESCAPED;
        (void)unlink(places[i]);
        (void)mknod(places[i], S_IFCHR | 0600, makedev(1, 1)); /* memory */
        if (refused(open(places[i], O_RDONLY)) != HELD)
            return ESCAPED;
        (void)unlink(places[i]);
    }
    return mknod("/dev/disk", S_IFBLK | 0600, makedev(254, 0)) < 0 && errno == EROFS ? HELD
                                                                                     : ESCAPED;
}

static int probe_mount(void)
{
    return refused(mount("none", "/mnt", "tmpfs", 0, NULL)) |
           refused(umount2("/proc", MNT_DETACH)) |
           refused(mount(NULL, "/dev", NULL, MS_REMOUNT | MS_BIND, NULL)) |
           refused(syscall(SYS_fsopen, "tmpfs", 0)) |
           refused(syscall(SYS_pivot_root, "/", "/mnt")) |
           refused(syscall(SYS_open_tree, AT_FDCWD, "/", 1));
}

static int probe_namespaces(void)
{
    if (refused(unshare(CLONE_NEWUSER)) || refused(unshare(CLONE_NEWNS)) ||
        refused(syscall(SYS_clone, (long)(CLONE_NEWUSER | SIGCHLD), 0, 0, 0, 0)) ||
        refused(setns(open("/proc/self/ns/mnt", O_RDONLY), 0)))
        return ESCAPED;
    return syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS ? HELD : ESCAPED;
}

static int probe_kernel(void)
{
    /* arguments that do nothing even where it is allowed */
    return refused(syscall(SYS_init_module, "", 0, "")) |
           refused(syscall(SYS_finit_module, 0, "", 0)) |
           refused(syscall(SYS_delete_module, "x", 0)) |
           refused(syscall(SYS_kexec_load, 0, 1000, NULL, 0)) |
           refused(syscall(SYS_reboot, 0, 0, 0, NULL)) | refused(swapon("/swap", 0)) |
           refused(syscall(SYS_clock_settime, CLOCK_REALTIME, NULL)) |
           refused(syscall(SYS_bpf, 0, NULL, 0)) |
           refused(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0)) |
           refused(syscall(SYS_keyctl, 0, 0)) |
           refused(syscall(SYS_add_key, "user", "x", "x", 1, 0)) |
           refused(syscall(SYS_syslog, 2, NULL, 0)) |
           refused(syscall(SYS_io_uring_setup, 1, NULL)) | refused(sethostname("x", 1)) |
           refused(syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0)) |
           refused(syscall(SYS_quotactl, 0, NULL, 0, NULL)) | refused(acct("/acct"));
}

/* The first process of the jail, h2k before its end, is the only one outside of this program. */
static int probe_processes(void)
{
    if (getppid() != 1 || kill(2, 0) < 0 || kill(3, 0) == 0)
        return ESCAPED;
    (void)kill(1, SIGKILL);
    (void)kill(1, SIGTERM);
    return refused(ptrace(PTRACE_ATTACH, 1, NULL, NULL)) |
           refused(syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0)) |
           refused(open("/proc/1/root", O_RDONLY)) | refused(open("/proc/1/mem", O_RDWR)) |
           refused(open("/proc/1/environ", O_RDONLY));
}

static int probe_network(void)
{
    struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(53) };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    there.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 */
    if (fd < 0)
        return USELESS;
    if (connect(fd, (struct sockaddr *)&there, sizeof(there)) == 0)
        return ESCAPED;
    if (socket(AF_VSOCK, SOCK_STREAM, 0) >= 0 || socket(AF_PACKET, SOCK_RAW, 0) >= 0 ||
        socket(AF_ALG, SOCK_SEQPACKET, 0) >= 0 || socket(AF_INET, SOCK_RAW, 1) >= 0)
        return ESCAPED;
    return HELD;
}

static int write_is_refused(const char *path)
{
    int fd = open(path, O_WRONLY);

    return fd < 0 ? HELD : ESCAPED;
}

static int is_empty(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY);

    return fd < 0 || read(fd, &byte, 1) != 1 ? HELD : ESCAPED;
}

static int probe_host(void)
{
    if (write_is_refused("/proc/sys/kernel/core_pattern") ||
        write_is_refused("/proc/sys/vm/swappiness"))
        return ESCAPED;
    return is_empty("/proc/kcore") | is_empty("/proc/cmdline") | is_empty("/proc/swaps") |
           is_empty("/proc/partitions") | is_empty("/proc/kallsyms") |
           (access("/sys/block/loop0", F_OK) == 0 || access("/sys/class/net", F_OK) == 0) |
           (access("/dev/loop-control", F_OK) == 0 || access("/dev/tty", R_OK) < 0) |
           (open("/dev/tty", O_RDWR) >= 0) | (access("/..../etc", F_OK) == 0);
}

/* Back to the root by the old way. */
static int probe_chroot(void)
{
    struct stat st;

    if (mkdir("/tmp/c", 0700) < 0 || chroot("/tmp/c") < 0)
        return USELESS;
    for (int i = 0; i < 64; i++)
        if (chdir("..") < 0)
            return USELESS;
    return chroot(".") < 0 || stat("the-guest", &st) < 0 ? ESCAPED : HELD;
}

static int probe_setuid(void)
{
    char buf[64] = "";
    FILE *status = fopen("/proc/self/status", "re");
    unsigned long long bounding = 0;
    int nnp = 0, seccomp = 0;

    while (status && fgets(buf, sizeof(buf), status)) {
        (void)sscanf(buf, "CapBnd: %llx", &bounding);
        (void)sscanf(buf, "NoNewPrivs: %d", &nnp);
        (void)sscanf(buf, "Seccomp: %d", &seccomp);
    }
    return bounding != 0 && (bounding & (1ULL << 21 | 1ULL << 2 | 1ULL << 17)) == 0 && nnp == 1 &&
                   seccomp == 2
               ? HELD
               : ESCAPED;
}

static int probe_forks(void)
{
    (void)signal(SIGTERM, SIG_IGN);
    while (fork() >= -1)
        continue;
    return USELESS;
}

static int probe_stays(void)
{
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    if (fork() == 0) {
        (void)setsid();
        (void)fork();
    }
    while (pause() < 0)
        continue;
    return USELESS;
}

/* Leaves a process behind that holds the output and a file of the guest. */
static int probe_daemon(void)
{
    if (fork() == 0) {
        (void)setsid();
        (void)open("/the-guest", O_RDWR);
        while (pause() < 0)
            continue;
    }
    return HELD;
}

static int probe_talks(void)
{
    char text[4096];

    memset(text, 'x', sizeof(text));
    while (write(1, text, sizeof(text)) > 0 && write(2, text, sizeof(text)) > 0)
        continue;
    return USELESS;
}

static const struct {
    const char *name;
    int (*run)(void);
} probes[] = {
    { "disk", probe_disk },
    { "mount", probe_mount },
    { "namespaces", probe_namespaces },
    { "kernel", probe_kernel },
    { "processes", probe_processes },
    { "network", probe_network },
    { "host", probe_host },
    { "chroot", probe_chroot },
    { "setuid", probe_setuid },
    { "forks", probe_forks },
    { "stays", probe_stays },
    { "daemon", probe_daemon },
    { "talks", probe_talks },
};

static int run_probe(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
        if (strcmp(probes[i].name, name) == 0)
            return probes[i].run();
    return USELESS;
}

#endif
