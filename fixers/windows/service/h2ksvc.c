/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Windows starts as a service to run a program that is none. Two ways of calling it:
 *
 *   h2ksvc                          by the service manager: it runs Parameters\CommandLine of the
 *                                   service's key, with what that says added to Parameters\Log
 *   h2ksvc limit SECONDS COMMAND... COMMAND with a time limit; it and all that it has started is
 *                                   ended then, and the exit code is 1460 (ERROR_TIMEOUT)
 *
 * Without the C library: it imports from KERNEL32 and ADVAPI32 only, and what NT 5.1 has. Buffers
 * are static because clearing a large one on the stack would call into that library.
 */
#define UNICODE
#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT                                                                               \
    0x0600 /* the names of SERVICE_..._PRESHUTDOWN; older Windows is asked first                   \
            */
#include <windows.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

void start(void);

static SERVICE_STATUS_HANDLE status_handle;
static HANDLE stop_event;
static WCHAR key_path[512], command[8192], raw[8192], log_path[1024];
static STARTUPINFOW startup;
static PROCESS_INFORMATION child;

/* ---- the service manager ---- */

static void report(DWORD state, DWORD exit_code)
{
    SERVICE_STATUS status;

    status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    status.dwCurrentState = state;
    status.dwControlsAccepted = 0;
    if (state == SERVICE_RUNNING) {
        status.dwControlsAccepted = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN;
        if (LOBYTE(LOWORD(GetVersion())) >= 6)
            status.dwControlsAccepted |= SERVICE_ACCEPT_PRESHUTDOWN;
    }
    status.dwWin32ExitCode = exit_code ? ERROR_SERVICE_SPECIFIC_ERROR : NO_ERROR;
    status.dwServiceSpecificExitCode = exit_code;
    status.dwCheckPoint = 0;
    status.dwWaitHint = state == SERVICE_STOP_PENDING ? 5000 : 0;
    SetServiceStatus(status_handle, &status);
}

static DWORD WINAPI handle_control(DWORD control, DWORD type, LPVOID data, LPVOID context)
{
    (void)type;
    (void)data;
    (void)context;
    switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
    case SERVICE_CONTROL_PRESHUTDOWN:
        report(SERVICE_STOP_PENDING, 0);
        SetEvent(stop_event);
        return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
        return NO_ERROR;
    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

/* A text of the service's parameters with its %NAMES% replaced. Is it there? */
static BOOL read_parameter(HKEY key, const WCHAR *name, WCHAR *ret, DWORD size)
{
    DWORD type = 0, bytes = sizeof(raw) - sizeof(raw[0]), n;

    if (RegQueryValueExW(key, name, NULL, &type, (LPBYTE)raw, &bytes) != ERROR_SUCCESS ||
        (type != REG_SZ && type != REG_EXPAND_SZ))
        return FALSE;
    raw[bytes / sizeof(raw[0])] = 0; /* the registry may hold a text without its end */
    n = ExpandEnvironmentStringsW(raw, ret, size);
    return n > 1 && n <= size;
}

static BOOL read_parameters(const WCHAR *service)
{
    static const WCHAR before[] = L"SYSTEM\\CurrentControlSet\\Services\\";
    static const WCHAR after[] = L"\\Parameters";
    HKEY key;
    BOOL found;

    if (lstrlenW(service) + N_ELEMENTS(before) + N_ELEMENTS(after) > N_ELEMENTS(key_path))
        return FALSE;
    lstrcpyW(key_path, before);
    lstrcatW(key_path, service);
    lstrcatW(key_path, after);
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, key_path, 0, KEY_QUERY_VALUE, &key) != ERROR_SUCCESS)
        return FALSE;
    found = read_parameter(key, L"CommandLine", command, N_ELEMENTS(command));
    if (!read_parameter(key, L"Log", log_path, N_ELEMENTS(log_path)))
        log_path[0] = 0;
    RegCloseKey(key);
    return found;
}

/* ---- the program ---- */

/* A handle that the program inherits, or none. */
static HANDLE open_shared(const WCHAR *path, DWORD access, DWORD how)
{
    static SECURITY_ATTRIBUTES inherited;

    inherited.nLength = sizeof(inherited);
    inherited.bInheritHandle = TRUE;
    return CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                       &inherited, how, FILE_ATTRIBUTE_NORMAL, NULL);
}

static DWORD run_service(void)
{
    HANDLE waits[2];
    DWORD code = 0;

    startup.cb = sizeof(startup);
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = open_shared(L"NUL", GENERIC_READ, OPEN_EXISTING);
    startup.hStdOutput = INVALID_HANDLE_VALUE;
    if (log_path[0]) /* without the right to write elsewhere, every write goes to the end */
        startup.hStdOutput = open_shared(log_path, FILE_APPEND_DATA | SYNCHRONIZE, OPEN_ALWAYS);
    if (startup.hStdOutput == INVALID_HANDLE_VALUE)
        startup.hStdOutput = open_shared(L"NUL", GENERIC_WRITE, OPEN_EXISTING);
    startup.hStdError = startup.hStdOutput;
    if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &startup,
                        &child))
        return GetLastError();
    waits[0] = child.hProcess;
    waits[1] = stop_event;
    /* What the program has started is left alone: it may be installing something. */
    if (WaitForMultipleObjects(N_ELEMENTS(waits), waits, FALSE, INFINITE) == WAIT_OBJECT_0 + 1) {
        TerminateProcess(child.hProcess, ERROR_PROCESS_ABORTED);
        return 0;
    }
    GetExitCodeProcess(child.hProcess, &code);
    return code;
}

static void WINAPI service_main(DWORD n_args, LPWSTR *args)
{
    DWORD code = ERROR_FILE_NOT_FOUND;

    status_handle = RegisterServiceCtrlHandlerExW(args[0], handle_control, NULL);
    if (!status_handle)
        return;
    stop_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    report(SERVICE_RUNNING, 0); /* at once: the service manager waits 30 seconds only */
    if (n_args > 0 && read_parameters(args[0]))
        code = run_service();
    report(SERVICE_STOPPED, code);
}

/* ---- a time limit ---- */

/* Behind the first word, quoted or not, and the blanks after it. */
static WCHAR *next_word(WCHAR *text)
{
    BOOL quoted = FALSE;

    while (*text && (quoted || (*text != ' ' && *text != '\t'))) {
        if (*text == '"')
            quoted = !quoted;
        text++;
    }
    while (*text == ' ' || *text == '\t')
        text++;
    return text;
}

/* Is @text, up to a blank, the word @word? */
static BOOL is_word(const WCHAR *text, const WCHAR *word)
{
    while (*word && *text == *word) {
        text++;
        word++;
    }
    return !*word && (*text == ' ' || *text == '\t');
}

static DWORD run_limited(WCHAR *text)
{
    HANDLE job = CreateJobObjectW(NULL, NULL);
    DWORD seconds = 0, code = 0;
    BOOL in_job;

    for (; *text >= '0' && *text <= '9' && seconds < 1000000; text++)
        seconds = seconds * 10 + (DWORD)(*text - '0');
    text = next_word(text);
    startup.cb = sizeof(startup);
    if (!CreateProcessW(NULL, text, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup,
                        &child))
        return GetLastError();
    in_job = job && AssignProcessToJobObject(job, child.hProcess);
    ResumeThread(child.hThread);
    if (WaitForSingleObject(child.hProcess, seconds * 1000) == WAIT_TIMEOUT) {
        if (!in_job || !TerminateJobObject(job, ERROR_TIMEOUT))
            TerminateProcess(child.hProcess, ERROR_TIMEOUT);
        return ERROR_TIMEOUT;
    }
    GetExitCodeProcess(child.hProcess, &code);
    return code;
}

/* Where the program starts. */
void start(void)
{
    static WCHAR no_name[1]; /* of a process that is one service: its name does not matter */
    static SERVICE_TABLE_ENTRYW table[2];
    WCHAR *text = next_word(GetCommandLineW());

    if (is_word(text, L"limit"))
        ExitProcess(run_limited(next_word(text)));
    table[0].lpServiceName = no_name;
    table[0].lpServiceProc = service_main;
    ExitProcess(StartServiceCtrlDispatcherW(table) ? 0 : GetLastError());
}
