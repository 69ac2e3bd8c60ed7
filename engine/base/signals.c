/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/base/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "engine/base/cleanup.h"

static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
static volatile sig_atomic_t received;
static int pipe_fds[2] = { -1, -1 };

static void on_signal(int number)
{
    if (received)
        return;
    received = number;
    /* one byte that nobody reads: the descriptor stays readable */
    if (write(pipe_fds[1], "", 1) < 0)
        return;
}

void signals_init(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = 0 };

    if (pipe_fds[0] >= 0 || pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return;
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
        (void)sigaction(ending[i], &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
}

void signals_after_fork(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(pipe_fds); i++) {
        if (pipe_fds[i] >= 0)
            (void)close(pipe_fds[i]);
        pipe_fds[i] = -1;
    }
    received = 0;
    signals_init();
}

int signals_pending(void)
{
    return received;
}

int signals_fd(void)
{
    return pipe_fds[0];
}

void signals_reset_in_child(void)
{
    struct sigaction action = { .sa_handler = SIG_DFL };
    sigset_t none;

    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
        (void)sigaction(ending[i], &action, NULL);
    (void)sigaction(SIGPIPE, &action, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}
