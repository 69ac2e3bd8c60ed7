/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The child process that looks at hostile headers and derives keys. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/signals.h"
#include "engine/dmdev.h"
#include "storage/crypt.h"

#define CPU_LIMIT_S 300U /* for all key slots and keys of one volume */

/* Close what the child has no business with: above all the session's lock. @a and @b stay. */
static void close_others(int a, int b)
{
    int low = a < b ? a : b, high = a < b ? b : a;

    dmdev_after_fork();
    log_set_file(-1);
    log_set_job_file(-1);
    if (low < STDERR_FILENO + 1)
        low = high;
    if (low > STDERR_FILENO + 1)
        (void)close_range(STDERR_FILENO + 1, (unsigned)low - 1, 0);
    if (high > low + 1)
        (void)close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    (void)close_range((unsigned)high + 1, ~0U, 0);
}

static __attribute__((noreturn)) void
child(void (*work)(const struct crypt_request *request, struct crypt_answer *answer),
      const struct crypt_request *request, struct crypt_answer *answer, pid_t parent)
{
    const struct rlimit cpu = { .rlim_cur = CPU_LIMIT_S, .rlim_max = CPU_LIMIT_S + 1 };
    const struct rlimit no_core = { 0 };
    uint64_t offset;

    signals_reset_in_child();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
        prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CPU, &cpu) < 0 ||
        setrlimit(RLIMIT_CORE, &no_core) < 0)
        _exit(1);
    close_others(volume_fd(request->volume, &offset), request->header_fd);
    work(request, answer);
    _exit(0);
}

/* Its end, or an ending signal. */
static int await(pid_t pid, int *ret_status)
{
    CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd polls[] = { { .fd = fd, .events = POLLIN },
                              { .fd = signals_fd(), .events = POLLIN } };
    int r = 0;

    while (fd >= 0 && !polls[0].revents && r == 0) {
        if (signals_pending())
            r = -EINTR;
        else
            (void)poll(polls, ARRAY_SIZE(polls), -1);
    }
    if (r < 0)
        (void)kill(pid, SIGKILL);
    while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
        continue;
    return r;
}

static int read_status(int status, struct err *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
        return err_status(err, STATUS_REFUSED,
                          "its key could not be derived within %u s of processor time and the "
                          "memory there is",
                          CPU_LIMIT_S);
    return err_status(err, STATUS_FAILED, "reading its header failed (status 0x%x)", status);
}

int crypt_ask(void (*work)(const struct crypt_request *request, struct crypt_answer *answer),
              const struct crypt_request *request, struct crypt_answer *answer, struct err *err)
{
    struct crypt_answer *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t parent = getpid(), pid;
    int status = 0, r;

    if (shared == MAP_FAILED)
        return err_set(err, errno, "get memory for a key");
    pid = fork();
    if (pid == 0)
        child(work, request, shared, parent);
    if (pid < 0)
        r = err_set(err, errno, "start a process to read the header of %s", request->volume->name);
    else
        r = await(pid, &status) < 0 ? err_set(err, EINTR, "open %s", request->volume->name)
                                    : read_status(status, err);
    if (r == 0) {
        *answer = *shared;
        answer->text[sizeof(answer->text) - 1] = '\0';
        answer->message[sizeof(answer->message) - 1] = '\0';
        answer->type[sizeof(answer->type) - 1] = '\0';
        answer->uuid[sizeof(answer->uuid) - 1] = '\0';
        answer->cipher[sizeof(answer->cipher) - 1] = '\0';
    }
    explicit_bzero(shared, sizeof(*shared));
    (void)munmap(shared, sizeof(*shared));
    return r;
}
