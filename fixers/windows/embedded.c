/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/embedded.h"

#include <string.h>

#include "engine/base/strbuf.h"

/* The assembler reads the file: its bytes lie between the symbols NAME and NAME_end. */
/* NOLINTBEGIN(bugprone-macro-parentheses): these are names and literals that are joined */
#define EMBED(symbol, path)                                                                        \
    __asm__(".pushsection .rodata\n"                                                               \
            ".balign 16\n" #symbol ":\n"                                                           \
            ".incbin \"" path "\"\n" #symbol "_end:\n"                                             \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const char symbol[] __attribute__((visibility("hidden")));                              \
    extern const char symbol##_end[] __attribute__((visibility("hidden")))
/* NOLINTEND(bugprone-macro-parentheses) */

#define EMBED_SCRIPT(symbol, file) EMBED(symbol, H2K_EMBED_FOLDER "/windows/scripts/" file)

#ifdef H2K_SERVICE_AMD64
EMBED(service_amd64, H2K_SERVICE_AMD64);
#endif
#ifdef H2K_SERVICE_X86
EMBED(service_x86, H2K_SERVICE_X86);
#endif
EMBED_SCRIPT(script_agent, "agent.cmd");
EMBED_SCRIPT(script_disks, "disks.ps1");
EMBED_SCRIPT(script_drivers, "drivers.cmd");
EMBED_SCRIPT(script_network_ps1, "network.ps1");
EMBED_SCRIPT(script_network_vbs, "network.vbs");
EMBED_SCRIPT(script_remove_tools, "remove-tools.cmd");
EMBED_SCRIPT(script_run, "run.cmd");
EMBED_SCRIPT(script_user_ps1, "user.ps1");
EMBED_SCRIPT(script_user_vbs, "user.vbs");

static const struct embedded services[] = {
#ifdef H2K_SERVICE_AMD64
    { "amd64", service_amd64, service_amd64_end },
#endif
#ifdef H2K_SERVICE_X86
    { "x86", service_x86, service_x86_end },
#endif
    { NULL, NULL, NULL },
};

static const struct embedded scripts[EMBEDDED_N] = {
    [EMBEDDED_RUN] = { "run.cmd", script_run, script_run_end },
    [EMBEDDED_AGENT] = { "agent.cmd", script_agent, script_agent_end },
    [EMBEDDED_REMOVE_TOOLS] = { "remove-tools.cmd", script_remove_tools, script_remove_tools_end },
    [EMBEDDED_USER_PS1] = { "user.ps1", script_user_ps1, script_user_ps1_end },
    [EMBEDDED_USER_VBS] = { "user.vbs", script_user_vbs, script_user_vbs_end },
    [EMBEDDED_DISKS] = { "disks.ps1", script_disks, script_disks_end },
    [EMBEDDED_DRIVERS] = { "drivers.cmd", script_drivers, script_drivers_end },
    [EMBEDDED_NETWORK_PS1] = { "network.ps1", script_network_ps1, script_network_ps1_end },
    [EMBEDDED_NETWORK_VBS] = { "network.vbs", script_network_vbs, script_network_vbs_end },
};

const struct embedded *embedded_service(const char *arch)
{
    for (const struct embedded *service = services; service->name; service++)
        if (strcmp(service->name, arch) == 0)
            return service;
    return NULL;
}

char *embedded_script(enum embedded_name name)
{
    struct strbuf text = { 0 };

    for (const char *at = scripts[name].data; at < scripts[name].end; at++) {
        if (*at == '\n')
            strbuf_putc(&text, '\r');
        strbuf_putc(&text, *at);
    }
    return strbuf_take(&text);
}
