/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ending signals (SIGINT, SIGTERM, SIGHUP) become a flag and a readable descriptor, so that every
 * wait of the program can end early and the undo stack still runs. SIGPIPE is ignored.
 */
#ifndef H2K_ENGINE_BASE_SIGNALS_H
#define H2K_ENGINE_BASE_SIGNALS_H

/* Install the handlers; call once, before the first session. */
void signals_init(void);

/* Number of the first ending signal received, 0 if none. */
int signals_pending(void);

/* A descriptor that becomes readable for ever once an ending signal came; for poll(2). -1 before
 * signals_init(). */
int signals_fd(void);

/* In a forked child that goes on as h2k: signals of its own from here on. */
void signals_after_fork(void);

/* In a forked child that will exec: default actions, empty mask. Async-signal-safe. */
void signals_reset_in_child(void);

#endif
